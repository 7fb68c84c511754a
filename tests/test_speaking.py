"""chatroom.speaking: what is said in a room, to some of it, to one alone, and without a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatroom.errors import CannotSpeak, NoSuchMember, NotAllowed, NotInRoom
from chatroom.events import Acted, Event, Said, Tagged, Told
from chatroom.guard import Guard, Verb
from chatroom.identity import PLAIN, Manner
from chatroom.member import ECHOES, Listener, Member
from chatroom.room import Room
from tests.inmemory import NOW, Chat

TYPING = Manner(tags=(("+typing", "active"),))
RED = Manner(rich="\x0304hi\x03")
NOTICE = Manner(notice=True)
EVERYTHING: frozenset[type[Event]] = frozenset({Said, Acted, Told, Tagged})


class Talker(Listener):
    """A member and its door, which keeps what it hears, and is told back what `echoes` says."""

    def __init__(self, chat: Chat, nick: str, echoes: frozenset[type[Event]] = ECHOES) -> None:
        self.chat = chat
        self.echoes = echoes
        self.heard: list[Any] = []
        super().__init__(self.heard.append)
        self.member = chat.hub.enter(self, NOW, nick)

    def hears(self) -> list[Any]:
        """The turn ends; what was said since the last time."""
        self.chat.end_turn()
        heard = [event for event in self.heard if type(event) in EVERYTHING]
        self.heard.clear()
        return heard


def three(chat: Chat, echoes: frozenset[type[Event]] = ECHOES) -> list[Talker]:
    talkers = [Talker(chat, nick, echoes) for nick in ("ann", "bob", "cy")]
    for talker in talkers:
        talker.hears()
    return talkers


class Notes(Guard):
    """Writes down what it is asked, and which private lines it is told of; refuses one verb."""

    def __init__(self, refused: str = "") -> None:
        self.refused = refused
        self.asked: list[tuple[str, str, str, str]] = []
        self.written: list[tuple[Member, Member, Told]] = []

    def ask(self, verb: Verb, member: Member, about: str, text: str, now: float) -> None:
        self.asked.append((verb, member.nick, about, text))
        if verb == self.refused:
            raise NotAllowed("Not today.")

    def wrote(self, member: Member, to: Member, event: Told) -> None:
        self.written.append((member, to, event))


# In a room


def test_a_line_reaches_everyone_else_in_the_room_in_the_same_order() -> None:
    ann, bob, cy, dee = Chat().people("ann", "bob", "cy", "dee")
    ann.says("one")
    bob.says("two")
    ann.says("three")
    assert cy.reads() == dee.reads() == ["<ann> one", "<bob> two", "<ann> three"]
    assert ann.reads() == ["<bob> two"]
    assert bob.reads() == ["<ann> one", "<ann> three"]


def test_a_reply_does_not_overtake_what_was_accepted_before_it() -> None:
    ann, bob = Chat().people("ann", "bob")
    bob.says("one")
    ann.says("/nick")
    bob.says("two")
    assert ann.reads() == ["<bob> one", "-- You are ann.", "<bob> two"]


def test_a_line_may_be_for_another_room_than_the_one_that_one_talks_in() -> None:
    chat = Chat()
    ann, bob, cy = chat.people("ann", "bob", "cy")
    for person in (ann, bob):
        person.gets("/join #a", "/join #lobby")
    cy.reads(), ann.reads(), bob.reads()
    there = chat.hub.rooms["#a"]
    chat.hub.say(ann.member, "in a", NOW, there)
    chat.hub.act(ann.member, "waves in a", NOW, there)
    assert bob.reads() == ["[#a] <ann> in a", "[#a] * ann waves in a"]
    assert cy.reads() == []
    assert ann.member.current is chat.hub.lobby
    assert [type(event) for event in there.recent] == [Said, Acted]


def test_each_line_is_said_alone_unless_all_are_one_whole() -> None:
    chat = Chat()
    ann, bob, _ = three(chat)
    chat.hub.say(ann.member, "one\ntwo", NOW)
    one, two = bob.hears()
    assert (one.text, two.text) == ("one", "two") and one.id < two.id
    chat.hub.say(ann.member, "one\n\ntwo", NOW, whole=True)
    (whole,) = bob.hears()
    assert whole.text == "one\n\ntwo"
    assert list(chat.hub.lobby.recent) == [one, two, whole]


def test_of_a_whole_a_guard_is_asked_once_and_told_every_line() -> None:
    chat, notes = Chat(), Notes()
    ann, *_ = three(chat)
    chat.hub.guards.append(notes)
    chat.hub.say(ann.member, "one\ntwo", NOW, whole=True)
    assert notes.asked == [("say", "ann", "#lobby", "one\ntwo")]


def test_nothing_is_said_where_there_is_no_line() -> None:
    chat = Chat()
    ann, bob, _ = three(chat)
    chat.hub.say(ann.member, "", NOW)
    assert bob.hears() == []


def test_who_said_it_and_how_goes_with_it() -> None:
    chat = Chat()
    ann, bob, _ = three(chat)
    chat.hub.say(ann.member, "hi\nall", NOW, manner=RED)
    chat.hub.act(ann.member, "waves", NOW, manner=NOTICE)
    chat.hub.say(ann.member, "hi", NOW)
    heard = bob.hears()
    assert [event.manner for event in heard] == [RED, RED, NOTICE, PLAIN]
    assert all(event.who is ann.member.who for event in heard)


Verbs = Callable[[Chat, Member, Room], object]
IN_A_ROOM: list[Verbs] = [
    lambda chat, member, room: chat.hub.say(member, "hi", NOW + 5, room),
    lambda chat, member, room: chat.hub.act(member, "waves", NOW + 5, room),
    lambda chat, member, room: chat.hub.tag(member, room, TYPING, NOW + 5),
    lambda chat, member, room: chat.hub.tell_some(
        member, room, f"@{room.name}", tuple(room.members), "hi", NOW + 5
    ),
]


@pytest.mark.parametrize("verb", IN_A_ROOM)
def test_who_is_outside_says_nothing_there_unless_its_rules_let_it(verb: Verbs) -> None:
    chat = Chat()
    ann, bob, _ = three(chat)
    there = chat.hub.join(bob.member, "#a", NOW)
    bob.hears()
    with pytest.raises(CannotSpeak, match=r"^You are not in #a\. /join it first\.$"):
        verb(chat, ann.member, there)
    assert ann.hears() == bob.hears() == [] and ann.member.spoke == NOW
    there.rules.members_only = False
    verb(chat, ann.member, there)
    assert len(bob.hears()) == 1
    assert ann.hears() == [] or verb is IN_A_ROOM[3]


@pytest.mark.parametrize("verb", IN_A_ROOM)
@pytest.mark.parametrize("members_only", [True, False])
def test_who_has_left_says_nothing_in_any_room(verb: Verbs, members_only: bool) -> None:
    chat = Chat()
    ann, bob, _ = three(chat)
    chat.hub.lobby.rules.members_only = members_only
    chat.hub.leave(ann.member, "", NOW)
    with pytest.raises(NoSuchMember, match="ann has left, and can do no more here"):
        verb(chat, ann.member, chat.hub.lobby)
    assert bob.hears() == []


@pytest.mark.parametrize("verb", IN_A_ROOM)
def test_a_guard_that_refuses_it_keeps_it_from_everyone(verb: Verbs) -> None:
    chat = Chat()
    ann, bob, _ = three(chat, EVERYTHING)
    notes = Notes()
    chat.hub.guards.append(notes)
    verb(chat, ann.member, chat.hub.lobby)
    bob.hears(), ann.hears()
    ((notes.refused, *_),) = notes.asked
    spoke = ann.member.spoke
    with pytest.raises(NotAllowed, match="Not today"):
        verb(chat, ann.member, chat.hub.lobby)
    assert ann.hears() == bob.hears() == [] and ann.member.spoke == spoke


def test_who_is_in_no_room_is_told_where_to_find_one() -> None:
    chat = Chat()
    ann, *_ = three(chat)
    chat.hub.part(ann.member, "", "", NOW)
    for verb in (chat.hub.say, chat.hub.act):
        with pytest.raises(NotInRoom, match=r"You are in no room\. /join #lobby to talk\."):
            verb(ann.member, "hi", NOW)


# To one alone


def test_a_private_line_reaches_one_alone() -> None:
    ann, bob, cy = Chat().people("ann", "bob", "cy")
    ann.says("/msg BOB psst")
    assert ann.reads() == ["[you -> bob] psst"]
    assert bob.reads() == ["[ann -> you] psst"]
    assert cy.reads() == []


def test_nobody_of_that_nick_is_an_error_that_says_so() -> None:
    chat = Chat()
    (ann,) = chat.people("ann")
    with pytest.raises(NoSuchMember) as refused:
        chat.hub.tell(ann.member, "zoe", "hi", NOW)
    assert str(refused.value) == "Nobody here is called zoe. /who lists who is here."


def test_a_private_line_and_its_echo_are_one_line() -> None:
    chat = Chat()
    ann, bob, _ = three(chat)
    assert chat.hub.tell(ann.member, "BOB", "psst", NOW, RED) is bob.member
    (echo,), (told,) = ann.hears(), bob.hears()
    assert (echo.id, echo.to, echo.text, echo.manner) == (told.id, "bob", "psst", RED)
    assert (echo.echo, told.echo, told.copy_of) == (True, False, 0)
    assert told.sender == "ann" and told.who is ann.member.who


def test_who_writes_to_itself_reads_it_twice_and_the_second_time_as_a_copy() -> None:
    chat, notes = Chat(), Notes()
    ann, *_ = three(chat)
    chat.hub.guards.append(notes)
    chat.hub.tell(ann.member, "ann", "note to self", NOW)
    echo, told = ann.hears()
    assert (echo.echo, told.echo, told.text) == (True, False, "note to self")
    assert told.id > echo.id == told.copy_of
    ((member, to, kept),) = notes.written
    assert member is to is ann.member
    assert (kept.id, kept.copy_of) == (echo.id, 0), "what is kept has the id that everyone saw"


def test_who_wants_no_echo_of_it_reads_what_it_writes_to_itself_once() -> None:
    chat = Chat()
    ann, bob, _ = three(chat, frozenset())
    chat.hub.tell(ann.member, "ann", "note to self", NOW)
    chat.hub.tell(ann.member, "bob", "psst", NOW)
    (told,) = ann.hears()
    assert (told.text, told.echo) == ("note to self", False)
    assert len(bob.hears()) == 1


def test_an_ignored_private_line_leaves_no_trace_at_who_ignores() -> None:
    ann, bob = Chat().people("ann", "bob")
    ann.gets("/ignore bob")
    assert bob.gets("/msg ann hi") == ["[you -> ann] hi"]
    assert ann.gets("/reply hi") == [
        "-- Nobody has written to you privately yet. /msg NICK TEXT does."
    ]


def test_a_notice_is_nothing_to_reply_to() -> None:
    """Programs send them, and must not answer them (RFC 2812, section 3.3.2)."""
    chat = Chat()
    ann, bob, cy = three(chat)
    chat.hub.tell(ann.member, "bob", "logged", NOW, NOTICE)
    assert bob.member.last_from is None
    chat.hub.tell(cy.member, "bob", "hi", NOW)
    chat.hub.tell(ann.member, "bob", "logged", NOW, NOTICE)
    assert bob.member.last_from is cy.member
    assert [event.manner.notice for event in bob.hears()] == [True, False, True]


def test_a_guard_is_told_of_a_private_line_as_it_was_read() -> None:
    chat, notes = Chat(), Notes()
    ann, bob, _ = three(chat)
    chat.hub.guards.append(notes)
    chat.hub.tell(ann.member, "bob", "psst", NOW)
    (told,) = bob.hears()
    assert notes.written == [(ann.member, bob.member, told)]
    notes.refused = "tell"
    with pytest.raises(NotAllowed):
        chat.hub.tell(ann.member, "bob", "psst", NOW)
    assert len(notes.written) == 1 and bob.hears() == ann.hears()[1:] == []


# To some of a room


def test_some_of_a_room_are_told_and_nobody_else() -> None:
    chat = Chat()
    ann, bob, cy = three(chat)
    dee = Talker(chat, "dee")
    chat.hub.ignore(dee.member, "ann")
    some = [ann.member, bob.member, dee.member]
    chat.hub.tell_some(ann.member, chat.hub.lobby, "@#lobby", some, "psst", NOW, RED)
    (echo,), (told,) = ann.hears(), bob.hears()
    assert cy.hears() == dee.hears() == []
    assert (echo.echo, told.echo, echo.id) == (True, False, told.id)
    for event in (echo, told):
        assert (event.to, event.room, event.text) == ("@#lobby", "#lobby", "psst")
        assert event.who is ann.member.who and event.manner is RED
    assert bob.member.last_from is None
    assert not chat.hub.lobby.recent


def test_a_line_to_some_needs_no_echo_and_nobody_to_read_it() -> None:
    chat = Chat()
    ann, bob, _ = three(chat, frozenset())
    chat.hub.tell_some(ann.member, chat.hub.lobby, "@#lobby", (), "psst", NOW)
    assert ann.hears() == bob.hears() == []


# Without a text


def test_what_is_passed_on_without_a_text_reaches_the_others_in_the_room_and_is_not_kept() -> None:
    chat = Chat()
    ann, bob, cy = three(chat)
    chat.hub.ignore(cy.member, "ann")
    chat.hub.tag(ann.member, chat.hub.lobby, TYPING, NOW + 5)
    (tagged,) = bob.hears()
    assert ann.hears() == cy.hears() == []
    assert (tagged.room, tagged.to, tagged.sender) == ("#lobby", "#lobby", "ann")
    assert tagged.who is ann.member.who and tagged.manner is TYPING
    assert not chat.hub.lobby.recent
    assert ann.member.spoke == NOW, "who only types has not said anything"


def test_what_is_passed_on_to_one_without_a_text_reaches_that_one_alone() -> None:
    chat, notes = Chat(), Notes()
    ann, bob, cy = three(chat)
    chat.hub.guards.append(notes)
    chat.hub.tag(ann.member, bob.member, TYPING, NOW)
    (tagged,) = bob.hears()
    assert ann.hears() == cy.hears() == []
    assert (tagged.room, tagged.to, tagged.manner) == (None, "bob", TYPING)
    assert notes.asked == [("tag", "ann", "bob", "")]
    chat.hub.ignore(bob.member, "ann")
    chat.hub.tag(ann.member, bob.member, TYPING, NOW)
    assert bob.hears() == []
    chat.hub.leave(ann.member, "", NOW)
    with pytest.raises(NoSuchMember):
        chat.hub.tag(ann.member, cy.member, TYPING, NOW)


def test_who_tags_itself_is_told_once_and_who_is_told_back_what_it_does_a_copy_of_it() -> None:
    chat = Chat()
    ann, *_ = three(chat)
    chat.hub.tag(ann.member, ann.member, TYPING, NOW)
    (tagged,) = ann.hears()
    assert (tagged.to, tagged.copy_of) == ("ann", 0)
    ann.member.echoes = EVERYTHING
    chat.hub.tag(ann.member, ann.member, TYPING, NOW)
    echo, tagged = ann.hears()
    assert (echo.copy_of, tagged.copy_of) == (0, echo.id)


# What one is told back of one's own


def speaks(chat: Chat, talker: Talker) -> None:
    """In each way once."""
    chat.hub.say(talker.member, "hi", NOW)
    chat.hub.act(talker.member, "waves", NOW)
    chat.hub.tell(talker.member, "bob", "psst", NOW)
    chat.hub.tag(talker.member, chat.hub.lobby, TYPING, NOW)
    chat.hub.tag(talker.member, chat.hub.find("bob"), TYPING, NOW)


@pytest.mark.parametrize(
    "echoes", [frozenset(), ECHOES, frozenset({Said}), frozenset({Tagged, Acted}), EVERYTHING]
)
def test_one_is_told_back_what_it_wants_in_its_place_and_the_others_are_told_the_same(
    echoes: frozenset[type[Event]],
) -> None:
    chat = Chat()
    ann, bob, cy = three(chat, echoes)
    chat.hub.say(bob.member, "before", NOW)
    speaks(chat, ann)
    chat.hub.say(bob.member, "after", NOW)
    own = ann.hears()
    kinds = [Said, Acted, Told, Tagged, Tagged]
    assert [type(event) for event in own[1:-1]] == [kind for kind in kinds if kind in echoes]
    assert (own[0].text, own[-1].text) == ("before", "after")
    heard = [event for event in bob.hears() if event.sender == "ann"]
    assert [type(event) for event in heard] == kinds
    assert all(event in heard for event in own[1:-1] if type(event) is not Told)
    assert [type(e) for e in cy.hears() if e.sender == "ann"] == [Said, Acted, Tagged]


def test_what_one_is_told_back_may_change_while_it_is_here() -> None:
    chat = Chat()
    ann, *_ = three(chat)
    chat.hub.say(ann.member, "one", NOW)
    ann.member.echoes |= {Said}
    chat.hub.say(ann.member, "two", NOW)
    assert [event.text for event in ann.hears()] == ["two"]
