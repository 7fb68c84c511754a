"""The hub: who is here, in which rooms, and what each verb does to whom."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from typing import Any

import pytest

from chatroom.errors import (
    BadName,
    BadText,
    ChatError,
    NameTaken,
    NoSuchMember,
    NotAllowed,
    NotInRoom,
    TooMany,
)
from chatroom.events import (
    Arrived,
    Event,
    Gone,
    Joined,
    Kicked,
    Left,
    Profile,
    Renamed,
    Said,
    Told,
    TopicSet,
)
from chatroom.guard import Guard, Verb
from chatroom.hub import MOST_IGNORED, TOPIC_BYTES, Hub
from chatroom.identity import Identity
from chatroom.limits import Limits
from chatroom.member import Listener, Member
from chatroom.names import is_guest
from tests.inmemory import NOW, STAMP, Chat, Person

FREE = Limits(nick_changes=None, joins=None, rooms_per_member=None)


def refusal(error: type[ChatError], verb: Any, *arguments: Any) -> str:
    with pytest.raises(error) as caught:
        verb(*arguments)
    return str(caught.value)


def nicks(hub: Hub, room: str = "#lobby") -> list[str]:
    return [member.nick for member in hub.rooms[room].members]


# Coming and going


def test_a_guest_is_welcomed_told_where_it_is_and_announced() -> None:
    chat = Chat(motd="Be kind.\nHave fun.")
    (ann,) = chat.people("ann")
    guest = Person(chat, "", "192.0.2.1")
    nick = guest.member.nick
    assert is_guest(nick) and guest.member.guest
    assert guest.reads() == [
        "Welcome to this chatroom!",
        "-- Be kind.",
        "-- Have fun.",
        f"-- You are {nick} in #lobby with ann (2 here).",
    ]
    assert ann.reads() == [f"-- {nick} joined (2 here)"]


def test_the_first_one_is_alone() -> None:
    first = Person(Chat(welcome="Hello!"), "ann", "")
    assert first.reads() == ["Hello!", "-- You are ann in #lobby, alone."]


def test_guests_get_different_nicks_and_a_nick_in_use_is_passed_over() -> None:
    chat = Chat()
    people = [chat.enter() for _ in range(300)]
    assert len({person.member.folded for person in people}) == 300


def test_a_program_enters_under_a_nick_and_no_guest() -> None:
    member = Chat().enter("bot").member
    assert member.nick == "bot" and not member.guest


@pytest.mark.parametrize("nick", ["server", "System", "adm1n", "guest-7k2", "a b", "1st", "é"])
def test_reserved_words_look_alikes_and_what_is_no_nick_are_refused(nick: str) -> None:
    chat = Chat()
    ann = chat.enter("ann")
    refusal(BadName, chat.hub.enter, Listener(print), NOW, nick)
    refusal(BadName, chat.hub.rename, ann.member, nick, NOW)
    assert nicks(chat.hub) == ["ann"]


def test_a_nick_is_one_whatever_its_case() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    taken = "ANN is taken. Choose another nick."
    assert refusal(NameTaken, chat.hub.enter, Listener(print), NOW, "ANN") == taken
    assert refusal(NameTaken, chat.hub.rename, bob.member, "ANN", NOW) == taken
    assert ann.gets("/nick ANN") == ["-- You are ANN now."]
    assert bob.reads() == ["-- ann is now ANN"]


def test_who_leaves_is_announced_in_each_of_its_rooms_and_closed() -> None:
    chat = Chat()
    ann, bob, cy = chat.people("ann", "bob", "cy")
    for person in (ann, bob):
        person.gets("/join #a")
    cy.reads()
    chat.hub.leave(ann.member, "good night", NOW)
    assert bob.reads() == [
        "[#lobby] -- ann left: good night (2 here)",
        "-- ann left: good night (1 here)",
    ]
    assert cy.reads() == ["-- ann left: good night (2 here)"]
    assert ann.closed
    assert set(chat.hub.members) == {"bob", "cy"}


def test_who_is_gone_already_is_not_closed_and_gets_nothing_more() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    bob.says("hi")
    chat.hub.leave(ann.member, "", NOW, gone=True)
    assert ann.reads() == []
    assert not ann.closed
    assert bob.reads() == ["-- ann left (1 here)"]


def test_who_is_in_no_room_is_closed_as_well_when_it_leaves() -> None:
    chat = Chat()
    ann = chat.enter("ann")
    ann.gets("/part")
    chat.hub.leave(ann.member, "", NOW)
    assert ann.reads() == []
    assert ann.closed


def test_leaving_twice_does_no_harm() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    chat.hub.leave(ann.member, "", NOW)
    chat.hub.leave(ann.member, "", NOW, gone=True)
    assert bob.reads() == ["-- ann left (1 here)"]


def test_who_leaves_still_gets_what_was_said_before() -> None:
    ann, bob = Chat().people("ann", "bob")
    bob.says("wait!")
    ann.says("/quit")
    bob.says("too late")
    assert ann.reads() == ["<bob> wait!", "-- Bye."]


def test_the_nick_of_one_who_left_is_free() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    chat.hub.leave(ann.member, "", NOW)
    assert bob.gets("/nick ann")[-1] == "-- You are ann now."


def test_everyone_is_told_and_closed_when_the_chat_ends() -> None:
    chat = Chat()
    people = chat.people("ann", "bob")
    chat.hub.dismiss("The server stops.", NOW)
    for person in people:
        assert person.reads() == ["-- The server stops."]
        assert person.closed


def test_who_left_is_not_kept() -> None:
    """Not because it ignored somebody, nor by those it wrote to; not even through a chain of
    members, each of whom was written to by the one before."""
    chat = Chat()
    last = chat.enter("ann")
    doors = []
    for number in range(20):
        person = chat.enter(f"n{number}")
        last.gets(f"/msg n{number} hi", f"/ignore n{number}")
        chat.hub.leave(last.member, "", NOW)
        chat.end_turn()
        doors.append(weakref.ref(last))
        last = person
    del person
    gc.collect()
    assert sum(door() is not None for door in doors) <= 1


class Client(Listener):
    """A door that is told back what it does, as one of IRC's is; keeps what it hears."""

    echoes: frozenset[type[Event]] = frozenset({Told, Left, Kicked, Renamed, Profile, TopicSet})

    def __init__(self) -> None:
        self.heard: list[Any] = []
        super().__init__(self.heard.append)

    def takes(self, chat: Chat) -> list[Any]:
        """The turn ends; what it heard since the last time."""
        chat.end_turn()
        heard = self.heard[:]
        self.heard.clear()
        return heard


def enters(chat: Chat, nick: str, **given: Any) -> tuple[Member, Client]:
    """One who is told back what it does has come, and heard all until now."""
    door = Client()
    member = chat.hub.enter(door, NOW, nick, **given)
    door.takes(chat)
    return member, door


def test_who_is_not_greeted_is_here_in_no_room_and_nobody_is_told() -> None:
    chat = Chat(motd="Be kind.")
    (ann,) = chat.people("ann")
    door = Client()
    who = Identity("~z", "z.ip", realname="Zoe")
    zoe = chat.hub.enter(door, NOW, "zoe", "192.0.2.1", who, greeted=False)
    assert door.takes(chat) == ann.reads() == []
    assert chat.hub.find("zoe") is zoe and not zoe.rooms and zoe.who is who
    chat.hub.join(zoe, "#lobby", NOW)
    (arrived,) = door.takes(chat)
    assert ann.reads() == ["-- zoe joined (2 here)"]
    assert isinstance(arrived, Arrived)
    assert arrived.text == "You are zoe in #lobby with ann (2 here)."
    assert arrived.place is chat.hub.lobby and arrived.room is None
    assert arrived.member is zoe
    joined = arrived.joined
    assert (joined.room, joined.sender, joined.here, joined.who) == ("#lobby", "zoe", 2, who)


def test_who_arrives_is_told_what_the_others_are() -> None:
    chat = Chat()
    other, door = enters(chat, "bot")
    chat.hub.set_topic(other, "tea", NOW)
    zoe, zoes = enters(chat, "zoe", greeted=False)
    chat.hub.set_away(zoe, "for lunch", NOW)
    chat.hub.join(zoe, "#lobby", NOW)
    arrived = zoes.takes(chat)[-1]
    assert arrived.text.endswith("(2 here).\nThe topic is: tea")
    joined = door.takes(chat)[-1]
    assert arrived.joined is joined and arrived.id > joined.id
    assert (joined.who, joined.away) == (zoe.who, "for lunch")


def test_where_one_comes_from_is_not_in_what_is_known_of_it() -> None:
    chat = Chat()
    one, two, local = (chat.enter(address=host) for host in ("192.0.2.1", "192.0.2.1", ""))
    assert one.member.who == two.member.who == Identity("~u", chat.hub.cloak("192.0.2.1"))
    assert "192.0.2" not in repr(one.member.who)
    assert local.member.who.host == "local"


def test_the_most_who_were_here_at_once_are_counted() -> None:
    chat = Chat()
    ann, _ = chat.people("ann", "bob")
    chat.hub.leave(ann.member, "", NOW)
    chat.enter("cy")
    assert chat.hub.most_members == 2


def test_who_leaves_the_chat_is_gone_once_for_each_who_shared_a_room() -> None:
    chat = Chat()
    ann, _ = enters(chat, "ann")
    bob, door = enters(chat, "bob")
    for member in (ann, bob):
        chat.hub.join(member, "#a", NOW)
    cy, far = enters(chat, "cy")
    chat.hub.part(cy, "#lobby", "", NOW)
    door.takes(chat), far.takes(chat)
    chat.hub.leave(ann, "good night", NOW)
    *left, gone = door.takes(chat)
    assert [(type(e), e.room, e.reason, e.gone) for e in left] == [
        (Left, "#lobby", "good night", True),
        (Left, "#a", "good night", True),
    ]
    assert isinstance(gone, Gone)
    assert (gone.room, gone.sender, gone.reason, gone.who) == (None, "ann", "good night", ann.who)
    assert far.takes(chat) == []


def test_who_leaves_a_room_is_not_gone() -> None:
    chat = Chat()
    ann, own = enters(chat, "ann")
    _, door = enters(chat, "bob")
    own.takes(chat)
    chat.hub.part(ann, "#lobby", "bye", NOW)
    (left,) = door.takes(chat)
    assert own.takes(chat) == [left]
    assert (left.reason, left.gone) == ("bye", False)


def test_nobody_is_told_of_one_who_was_alone() -> None:
    chat = Chat()
    heard: list[Event] = []
    ann, _ = enters(chat, "ann")
    chat.hub.observers.append(heard.append)
    chat.hub.leave(ann, "bye", NOW)
    assert [type(event) for event in heard] == [Left]


def test_last_words_that_may_not_be_said_in_one_of_the_rooms_are_told_in_none_of_both() -> None:
    """Since all who shared any of them are told one thing; in the other room they are."""

    class Silence(Guard):
        def ask(self, verb: Verb, member: Member, about: str, text: str, now: float) -> None:
            if verb == "leave" and about == "#a":
                raise NotAllowed("Not here.")

    chat = Chat()
    chat.hub.guards.append(Silence())
    ann, _ = enters(chat, "ann")
    bob, door = enters(chat, "bob")
    for member in (ann, bob):
        chat.hub.join(member, "#a", NOW)
    door.takes(chat)
    chat.hub.leave(ann, "you fools", NOW, said=True)
    assert [(type(event), event.room, event.reason) for event in door.takes(chat)] == [
        (Left, "#lobby", "you fools"),
        (Left, "#a", ""),
        (Gone, None, ""),
    ]


def test_who_is_kicked_is_told_either_so_or_as_the_others_are() -> None:
    chat = Chat()
    ann, anns = enters(chat, "ann")
    bob, bobs = enters(chat, "bob")
    anns.takes(chat)
    chat.hub.kick(ann, bob, chat.hub.lobby, "spam", NOW)
    (kicked,) = bobs.takes(chat)
    assert anns.takes(chat) == [kicked]
    assert isinstance(kicked, Kicked)
    assert (kicked.sender, kicked.by, kicked.kicker, kicked.here) == ("bob", "ann", "ann", 1)
    assert (kicked.who, kicked.kicker_who) == (bob.who, ann.who)


# Rooms


def test_a_room_is_made_for_who_joins_and_goes_with_who_leaves_it_last() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    ann.gets("/join #Ops")
    bob.gets("/join ops")
    assert list(chat.hub.rooms) == ["#lobby", "#ops"]
    assert nicks(chat.hub, "#ops") == ["ann", "bob"]
    ann.gets("/part")
    chat.hub.leave(bob.member, "", NOW, gone=True)
    assert list(chat.hub.rooms) == ["#lobby"]


def test_the_lobby_stays_even_if_nobody_is_in_it() -> None:
    chat = Chat(lobby="#home")
    (ann,) = chat.people("ann")
    ann.gets("/join #a", "/part #home")
    assert list(chat.hub.rooms) == ["#home", "#a"]
    assert chat.hub.lobby.name == "#home"


def test_the_last_lines_are_shown_again_dated_to_who_joins() -> None:
    chat = Chat(limits=Limits(recent=2))
    (ann,) = chat.people("ann")
    ann.gets("one", "/me waves", "three")
    chat.now += 3600.0
    bob = Person(chat, "bob", "")
    assert bob.reads()[1:3] == [f"{STAMP} * ann waves", f"{STAMP} <ann> three"]


def test_what_was_said_in_the_turn_of_joining_is_shown_once() -> None:
    chat = Chat()
    (ann,) = chat.people("ann")
    ann.says("before")
    bob = Person(chat, "bob", "")
    ann.says("after")
    assert [line for line in bob.reads() if "<ann>" in line] == [
        f"{STAMP} <ann> before",
        "<ann> after",
    ]


def test_lines_that_are_off_are_not_kept_nor_shown_again() -> None:
    chat = Chat(limits=Limits(recent=None))
    (ann,) = chat.people("ann")
    ann.gets("one")
    bob = Person(chat, "bob", "")
    assert not any("one" in line for line in bob.reads())
    assert not chat.hub.lobby.recent


def test_what_one_says_goes_to_the_room_it_joined_or_talked_in_last() -> None:
    chat = Chat()
    ann, bob, cy = chat.people("ann", "bob", "cy")
    bob.gets("/join #a", "/join #lobby")
    ann.gets("/join #a")
    bob.reads()
    ann.says("in a")
    assert bob.reads() == ["[#a] <ann> in a"]
    assert cy.reads() == []
    ann.says("/join #lobby", "in the lobby")
    assert cy.reads() == bob.reads() == ["<ann> in the lobby"]


def test_who_parts_talks_in_the_room_it_joined_before() -> None:
    (ann,) = Chat().people("ann")
    ann.gets("/join #a", "/join #b")
    assert ann.gets("/part") == ["-- You left #b, and talk in #a now."]
    assert ann.gets("/part #lobby") == ["-- You left #lobby, and talk in #a now."]


def test_who_parts_still_gets_what_was_said_before() -> None:
    ann, bob = Chat().people("ann", "bob")
    ann.gets("/join #a")
    bob.says("one")
    ann.says("/part #lobby")
    bob.says("two")
    assert ann.reads() == ["[#lobby] <bob> one", "-- You left #lobby, and talk in #a now."]


def test_verbs_that_need_a_room_say_where_to_find_one() -> None:
    chat = Chat()
    (ann,) = chat.people("ann")
    ann.gets("/part")
    for verb in (chat.hub.say, chat.hub.act, chat.hub.set_topic):
        assert refusal(NotInRoom, verb, ann.member, "hi", NOW) == (
            "You are in no room. /join #lobby to talk."
        )


def test_a_full_list_of_rooms_is_refused_but_switching_is_not() -> None:
    chat = Chat(limits=Limits(rooms_per_member=2))
    (ann,) = chat.people("ann")
    chat.hub.join(ann.member, "#a", NOW)
    assert refusal(TooMany, chat.hub.join, ann.member, "#b", NOW) == (
        "You are in 2 rooms, the most there may be. /part one first."
    )
    assert list(chat.hub.rooms) == ["#lobby", "#a"]
    assert chat.hub.join(ann.member, "#LOBBY", NOW) is chat.hub.lobby
    chat.hub.part(ann.member, "#a", "", NOW)
    chat.hub.join(ann.member, "#b", NOW)


@pytest.mark.parametrize("name", ["", "#", "a b", "#a,b", "#" + "a" * 64, "é"])
def test_a_room_that_cannot_be_named_so_is_not_made(name: str) -> None:
    chat = Chat()
    (ann,) = chat.people("ann")
    refusal(BadName, chat.hub.join, ann.member, name, NOW)
    assert list(chat.hub.rooms) == ["#lobby"]


def test_joins_are_limited_by_the_minute_and_switching_costs_nothing() -> None:
    chat = Chat(limits=Limits(joins=3))
    (ann,) = chat.people("ann")
    for number in range(3):
        chat.hub.join(ann.member, f"#a{number}", NOW)
    assert refusal(TooMany, chat.hub.join, ann.member, "#b", NOW) == (
        "You join rooms too fast. Wait 20 seconds."
    )
    assert "#b" not in chat.hub.rooms
    chat.hub.join(ann.member, "#a0", NOW)
    refusal(TooMany, chat.hub.join, ann.member, "#b", NOW + 19.0)
    chat.hub.join(ann.member, "#b", NOW + 20.5)


def test_nick_changes_are_limited_by_the_minute() -> None:
    chat = Chat(limits=Limits(nick_changes=2))
    (ann,) = chat.people("ann")
    for nick in ("bea", "cy"):
        chat.hub.rename(ann.member, nick, NOW)
    assert refusal(TooMany, chat.hub.rename, ann.member, "dee", NOW) == (
        "You change nicks too fast. Wait 30 seconds."
    )
    assert ann.member.nick == "cy" and list(chat.hub.members) == ["cy"]
    chat.hub.rename(ann.member, "dee", NOW + 30.5)


def test_limits_that_are_off_limit_nothing() -> None:
    chat = Chat(limits=FREE)
    (ann,) = chat.people("ann")
    for number in range(200):
        chat.hub.join(ann.member, f"#a{number}", NOW)
        chat.hub.rename(ann.member, f"ann{number}", NOW)
    assert len(ann.member.rooms) == 201


def test_other_limits_hold_at_once_and_drop_nobody() -> None:
    chat = Chat(limits=FREE)
    ann, bob = chat.people("ann", "bob")
    ann.gets("one", "two", "/join #a", "/join #b", "in b")
    limits = Limits(rooms_per_member=2, nick_changes=1, recent=1, connections=1)
    chat.hub.apply(limits)
    assert len(ann.member.rooms) == 3
    assert ann.gets("/join #c")[0].startswith("-- You are in 2 rooms")
    assert bob.gets("/nick bea", "/nick bert")[-1].startswith("-- You change nicks too fast.")
    assert [line for line in newcomer_reads(chat) if "<ann>" in line] == [f"{STAMP} <ann> two"]
    assert bob.gets("/join #b")[0] == f"{STAMP} <ann> in b"
    assert chat.hub.admission.limits is limits
    chat.hub.apply(Limits(recent=None))
    assert not chat.hub.lobby.recent
    chat.hub.apply(FREE)
    assert ann.gets("/join #c")[-1] == "-- You are ann in #c, alone."


def newcomer_reads(chat: Chat) -> list[str]:
    return Person(chat, "", "").reads()


def test_raised_limits_forgive_what_was_used_up() -> None:
    chat = Chat(limits=Limits(nick_changes=1))
    (ann,) = chat.people("ann")
    ann.gets("/nick bea")
    chat.hub.apply(Limits(nick_changes=5))
    assert ann.gets("/nick cy") == ["-- You are cy now."]


# What the server says, and how others are shown


def test_word_to_everyone_reaches_everyone_wherever_they_are() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    bob.gets("/part")
    ann.reads()
    chat.hub.announce("Back in a minute.\nReally.", NOW)
    assert ann.reads() == bob.reads() == ["-- Back in a minute.", "-- Really."]


def test_an_empty_word_is_not_shown() -> None:
    chat = Chat()
    (ann,) = chat.people("ann")
    chat.hub.notify(ann.member, "", NOW)
    assert not chat.due


def test_guests_by_address_are_shown_so_until_they_have_a_nick() -> None:
    chat = Chat(guests_by_address=True)
    ann = chat.enter("ann", "192.0.2.1")
    guest = Person(chat, "", "127.0.0.1")
    nick = guest.member.nick
    assert f"-- You are {nick} in #lobby with ann (2 here)." in guest.reads()
    guest.says("hi", "/me waves", "/msg ann psst", "/who")
    assert ann.reads() == [
        "-- 127.0.0.1 joined (2 here)",
        "<127.0.0.1> hi",
        "* 127.0.0.1 waves",
        "[127.0.0.1 -> you] psst",
    ]
    assert guest.reads()[-1] == f"-- #lobby (2 here): ann and {nick}"
    guest.says("/nick Bob", "hi")
    assert ann.reads() == ["-- 127.0.0.1 is now Bob", "<Bob> hi"]


def test_a_guest_without_an_address_is_shown_by_its_nick() -> None:
    chat = Chat(guests_by_address=True)
    guest = chat.enter("", "")
    assert guest.member.shown == guest.member.nick


# Being someone


def test_a_new_nick_is_told_once_to_each_who_shares_a_room() -> None:
    chat = Chat()
    ann, bob, cy = chat.people("ann", "bob", "cy")
    ann.gets("/join #a")
    bob.gets("/join #a")
    cy.gets("/part", "/join #b")
    bob.reads()
    assert ann.gets("/nick zoe") == ["-- You are zoe now."]
    assert bob.reads() == ["-- ann is now zoe"]
    assert cy.reads() == []
    assert chat.hub.find("ZOE") is ann.member
    refusal(NoSuchMember, chat.hub.find, "ann")


def test_who_is_ignored_is_not_heard_under_its_next_nick_either() -> None:
    ann, bob, cy = Chat().people("ann", "bob", "cy")
    ann.gets("/ignore BOB")
    bob.gets("one", "/nick rob", "two", "/me three", "/msg ann four")
    cy.gets("five")
    assert ann.reads() == ["-- bob is now rob", "<cy> five"]
    assert ann.gets("/ignore") == ["-- You ignore rob."]
    ann.gets("/unignore Rob")
    bob.says("six")
    assert ann.reads() == ["<rob> six"]


def test_a_nick_that_was_given_up_is_not_ignored() -> None:
    ann, bob, cy = Chat().people("ann", "bob", "cy")
    ann.gets("/ignore bob")
    bob.gets("/nick rob")
    cy.gets("/nick bob", "it's me")
    assert ann.reads()[-1] == "<bob> it's me"


def test_who_talks_and_changes_its_nick_in_one_turn_does_not_evade_being_ignored() -> None:
    ann, bob = Chat().people("ann", "bob")
    ann.gets("/ignore bob")
    bob.says("evil", "/nick rob", "evil too", "/nick bob", "evil again")
    assert ann.reads() == ["-- bob is now rob", "-- rob is now bob"]


def test_ignoring_begins_and_ends_where_it_was_said_in_the_turn() -> None:
    ann, bob = Chat().people("ann", "bob")
    bob.says("one")
    ann.says("/ignore bob")
    bob.says("two")
    ann.says("/unignore bob")
    bob.says("three")
    assert ann.reads() == [
        "<bob> one",
        "-- You no longer see what bob says. /unignore bob shows it again.",
        "-- You see what bob says again.",
        "<bob> three",
    ]


def test_what_was_hidden_stays_so_for_one_who_is_told_nothing_else() -> None:
    chat = Chat()
    heard: list[Event] = []
    bot = chat.hub.enter(Listener(heard.append), NOW, "bot")
    ann = chat.enter("ann")
    heard.clear()
    chat.hub.ignore(bot, "ann")
    ann.says("one")
    chat.hub.unignore(bot, "ann")
    ann.says("two")
    chat.end_turn()
    assert [event.text for event in heard if isinstance(event, Said)] == ["two"]


def test_who_ignores_nobody_any_more_shares_the_batch_of_all() -> None:
    """What is rendered once is not rendered for it alone for ever."""

    class Ear(Listener):
        def write(self, data: Sequence[Event]) -> None:
            self.last = data

    chat = Chat()
    ears = [Ear(print), Ear(print)]
    one, _ = (chat.hub.enter(ear, NOW, f"bot{number}") for number, ear in enumerate(ears))
    ann = chat.enter("ann")
    for verb, shared in ((None, True), (chat.hub.ignore, False), (chat.hub.unignore, True)):
        if verb is not None:
            verb(one, "bot1")
        chat.end_turn()
        ann.gets("hi")
        assert (ears[0].last is ears[1].last) is shared


def test_what_ignored_members_said_is_not_shown_again_either() -> None:
    ann, bob, cy = Chat().people("ann", "bob", "cy")
    bob.gets("one")
    cy.gets("two")
    ann.gets("/ignore bob")
    assert ann.gets("/history") == [f"{STAMP} <cy> two"]


def test_who_is_away_or_back_is_told_once_to_each_who_shares_a_room() -> None:
    chat = Chat()
    ann, anns = enters(chat, "ann")
    bob, bobs = enters(chat, "bob")
    for member in (ann, bob):
        chat.hub.join(member, "#a", NOW)
    anns.takes(chat), bobs.takes(chat)
    chat.hub.set_away(ann, "for lunch", NOW)
    chat.hub.set_away(ann, "for lunch", NOW)
    (away,) = bobs.takes(chat)
    assert anns.takes(chat) == [away]
    assert isinstance(away, Profile)
    assert (away.room, away.sender, away.was_away, away.away) == (None, "ann", None, "for lunch")
    assert away.was is away.who is ann.who
    chat.hub.set_away(ann, None, NOW)
    (back,) = bobs.takes(chat)
    assert (back.was_away, back.away) == ("for lunch", None)


def test_what_changes_of_who_one_is_is_told_and_what_does_not_is_not() -> None:
    chat = Chat()
    ann, anns = enters(chat, "ann")
    _, bobs = enters(chat, "bob")
    anns.takes(chat)
    was = ann.who
    chat.hub.identify(ann, NOW, account="ann", bot=True)
    chat.hub.identify(ann, NOW, account="ann")
    (profile,) = bobs.takes(chat)
    assert anns.takes(chat) == [profile]
    assert (profile.was, profile.who) == (was, was._replace(account="ann", bot=True))
    assert ann.who is profile.who and ann.account == "ann"
    chat.hub.identify(ann, NOW, realname="Ann")
    assert ann.account == "ann"


def test_who_is_in_no_room_is_told_back_what_it_changes_of_itself_too() -> None:
    chat = Chat()
    ann, door = enters(chat, "ann", greeted=False)
    chat.hub.identify(ann, NOW, account="ann")
    chat.hub.set_away(ann, "", NOW)
    chat.hub.rename(ann, "zoe", NOW)
    assert [type(event) for event in door.takes(chat)] == [Profile, Profile, Renamed]
    silent = chat.enter("bob")
    silent.gets("/part")
    chat.hub.identify(silent.member, NOW, account="bob")
    assert silent.reads() == []


def test_nobody_is_written_to_for_what_changes_of_it_after_it_left() -> None:
    chat = Chat()
    ann, door = enters(chat, "ann")
    chat.hub.leave(ann, "", NOW)
    chat.hub.identify(ann, NOW, account="")
    chat.hub.set_away(ann, "", NOW)
    assert door.takes(chat) == []


def test_very_many_who_are_away_at_once_do_not_cost_the_square_of_their_number() -> None:
    chat = Chat(limits=FREE)
    members = [chat.hub.enter(Listener(id), NOW, f"n{number}") for number in range(300)]
    chat.end_turn()
    for member in members:
        chat.hub.set_away(member, "", NOW)
    assert len(chat.hub.lobby.take().events) < 256


def test_the_topic_of_any_of_ones_rooms_can_be_set() -> None:
    chat = Chat()
    ann, door = enters(chat, "ann")
    chat.hub.join(ann, "#a", NOW)
    other = chat.enter("bob")
    other.gets("/join #b")
    door.takes(chat)
    assert chat.hub.set_topic(ann, "tea", NOW + 1, chat.hub.lobby) is chat.hub.lobby
    (topic,) = door.takes(chat)
    assert (topic.room, topic.topic, topic.who) == ("#lobby", "tea", ann.who)
    lobby = chat.hub.lobby
    assert (lobby.topic, lobby.topic_by, lobby.topic_at) == ("tea", "ann", NOW + 1)
    elsewhere = chat.hub.rooms["#b"]
    refusal(NotInRoom, chat.hub.set_topic, ann, "tea", NOW, elsewhere)
    assert not elsewhere.topic


def test_a_topic_that_is_too_long_is_refused_and_the_longest_is_not() -> None:
    chat = Chat()
    ann, _ = enters(chat, "ann")
    chat.hub.set_topic(ann, "é" * (TOPIC_BYTES // 2), NOW)
    said = refusal(BadText, chat.hub.set_topic, ann, "é" * (TOPIC_BYTES // 2) + "e", NOW)
    assert said == f"A topic has at most {TOPIC_BYTES} bytes. Choose a shorter one."
    assert chat.hub.lobby.topic == "é" * (TOPIC_BYTES // 2)


def test_a_room_remembers_when_it_was_made() -> None:
    chat = Chat()
    ann, _ = enters(chat, "ann")
    assert chat.hub.join(ann, "#a", NOW + 5).made == NOW + 5
    assert chat.hub.lobby.made == 0


def test_a_topic_is_told_and_kept_for_who_comes() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    chat.hub.set_topic(ann.member, "Lunch", NOW)
    assert bob.reads() == ["-- ann set the topic: Lunch"]
    cy = Person(chat, "cy", "")
    assert cy.reads()[-2:] == [
        "-- You are cy in #lobby with ann and bob (3 here).",
        "-- The topic is: Lunch",
    ]


def test_many_are_counted_and_the_first_named() -> None:
    chat = Chat()
    for number in range(30):
        chat.enter(f"n{number:02}")
    last = Person(chat, "zoe", "")
    names = ", ".join(f"n{number:02}" for number in range(9))
    assert last.reads()[-1] == f"-- You are zoe in #lobby with {names} and 21 others (31 here)."


# Observers, and turns


def test_observers_hear_all_that_happens_in_rooms_and_nothing_private() -> None:
    chat = Chat()
    heard: list[Event] = []
    chat.hub.observers.append(heard.append)
    ann, bob = chat.people("ann", "bob")
    ann.says("hi", "/me waves", "/msg bob psst", "/topic t", "/nick zoe", "/join #a", "/part")
    chat.hub.leave(bob.member, "", NOW)
    assert [(type(event).__name__, event.sender) for event in heard] == [
        ("Joined", "ann"),
        ("Joined", "bob"),
        ("Said", "ann"),
        ("Acted", "ann"),
        ("TopicSet", "ann"),
        ("Renamed", "ann"),
        ("Joined", "zoe"),
        ("Left", "zoe"),
        ("Left", "bob"),
        ("Gone", "bob"),
    ]
    assert [event.id for event in heard] == sorted({event.id for event in heard})


def test_an_observer_that_raises_costs_nobody_a_line() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")

    def broken(event: Event) -> None:
        raise ValueError("broken")

    chat.hub.observers.append(broken)
    ann.says("one", "/nick zoe", "/topic t")
    with pytest.raises(ExceptionGroup) as raised:
        chat.end_turn()
    assert len(raised.value.exceptions) == 3
    assert bob.reads() == ["<ann> one", "-- ann is now zoe", "-- zoe set the topic: t"]


def test_events_tell_where_when_and_by_whom() -> None:
    chat = Chat(guests_by_address=True)
    heard: list[Event] = []
    guest = chat.enter("", "192.0.2.1")
    nick = guest.member.nick
    chat.hub.enter(Listener(heard.append), NOW, "bot")
    chat.end_turn()
    heard.clear()
    chat.now += 5.0
    guest.says("hi", "/topic t", "/nick ann", "/join #a", "/join #lobby", "/part #lobby bye")
    guest.gets()
    said, topic, renamed, left = heard
    assert isinstance(said, Said) and isinstance(topic, TopicSet)
    assert isinstance(renamed, Renamed) and isinstance(left, Left)
    assert (said.room, said.sender, said.shown, said.text) == ("#lobby", nick, "192.0.2.1", "hi")
    assert said.time == NOW + 5.0
    assert (topic.topic, renamed.room, renamed.nick) == ("t", None, "ann")
    assert (left.sender, left.shown, left.here, left.reason) == ("ann", "ann", 1, "bye")


def test_a_member_hears_who_joins_and_how_many_are_here_then() -> None:
    chat = Chat()
    heard: list[Event] = []
    chat.hub.enter(Listener(heard.append), NOW, "bot")
    chat.end_turn()
    heard.clear()
    chat.enter("ann")
    (joined,) = heard
    assert isinstance(joined, Joined)
    assert (joined.room, joined.sender, joined.here) == ("#lobby", "ann", 2)


def test_a_hub_that_was_not_told_how_turns_end_says_what_to_do() -> None:
    hub = Hub()
    assert hub.needs_turns
    with pytest.raises(RuntimeError, match="Give the Hub end_of_turn, or serve it with a Chat"):
        hub.enter(Listener(print), NOW)


def test_a_hub_can_be_told_later_how_turns_end() -> None:
    hub = Hub()
    due: list[object] = []
    hub.use_turns(due.append)
    assert not hub.needs_turns
    hub.enter(Listener(print), NOW)
    assert len(due) == 1


def test_a_lobby_that_cannot_be_named_so_is_refused() -> None:
    refusal(BadName, lambda: Hub(lobby="a b"))


# What a program's member may get wrong, and what one may not hoard


def test_who_has_left_can_do_nothing_more_and_leaves_no_ghost() -> None:
    """A bot's timer may come after its going."""
    chat = Chat()
    bot, ann = chat.people("bot", "ann")
    hub = chat.hub
    hub.leave(bot.member, "", NOW)
    gone = "bot has left, and can do no more here."
    assert refusal(NoSuchMember, hub.join, bot.member, "#lobby", NOW) == gone
    assert refusal(NoSuchMember, hub.tell, bot.member, "ann", "hi", NOW) == gone
    assert refusal(NoSuchMember, hub.rename, bot.member, "tob", NOW) == gone
    refusal(NotInRoom, hub.say, bot.member, "hi", NOW)
    assert nicks(hub) == ["ann"]
    assert ann.reads() == ["-- bot left (1 here)"]


def test_nobody_ignores_themselves() -> None:
    (ann,) = Chat().people("ann")
    assert "yourself" in refusal(BadName, ann.chat.hub.ignore, ann.member, "ANN")
    assert not ann.member.ignored


def test_so_many_may_be_ignored_and_each_is_listed() -> None:
    chat = Chat()
    (ann,) = chat.people("ann")
    for number in range(MOST_IGNORED):
        other = chat.enter(f"other{number}")
        chat.hub.ignore(ann.member, other.member.nick)
        chat.hub.leave(other.member, "", NOW)
    chat.enter("last")
    assert "/unignore one first" in refusal(TooMany, chat.hub.ignore, ann.member, "last")
    (listed,) = ann.gets("/ignore")
    assert all(f"other{number}" in listed for number in range(MOST_IGNORED))


def test_guests_who_are_here_are_shown_the_other_way_too() -> None:
    chat = Chat()
    guest, ann = chat.enter("", "192.0.2.1"), chat.enter("ann")
    chat.hub.show_guests(by_address=True)
    guest.says("hi")
    assert ann.reads() == ["<192.0.2.1> hi"]
    chat.hub.show_guests(by_address=False)
    guest.says("hi")
    assert ann.reads() == [f"<{guest.member.nick}> hi"]


def test_a_door_whose_view_raises_keeps_nobody_here() -> None:
    """A program's own door: its member goes all the same, and its nick is free."""
    chat = Chat()
    ann, bob = chat.people("ann", "bob")

    def raises(member: Member) -> Any:
        raise ValueError("broken")

    setattr(bob, "view", raises)  # noqa: B010
    chat.hub.leave(bob.member, "", NOW)
    assert ann.reads() == ["-- bob left (1 here)"]
    assert nicks(chat.hub) == ["ann"]
    assert "bob" not in chat.hub.members
