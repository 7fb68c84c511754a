"""chatroom.host: what the server itself says, and the ids that order everything."""

from __future__ import annotations

from typing import Any

import pytest

from chatroom.errors import NotInRoom
from chatroom.events import Event, Invited, Notice, Reply, RoomRenamed, Ruled, Said
from chatroom.guard import Guard
from chatroom.member import ECHOES, Listener, Member
from chatroom.room import Room
from chatroom.rules import Change
from tests.inmemory import NOW, STAMP, Chat


def test_its_word_to_a_room_is_read_there_alone_and_by_all() -> None:
    chat = Chat()
    ann, bob, cy = chat.people("ann", "bob", "cy")
    for person in (ann, bob):
        person.gets("/join #tea")
    chat.hub.word(chat.hub.rooms["#tea"], "The kettle is on.", NOW)
    assert ann.reads()[-1:] == bob.reads() == ["-- The kettle is on."]
    assert cy.reads() == []


def test_everyone_reads_an_announcement() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    chat.hub.announce("Tea!\nCake!", NOW)
    assert ann.reads() == bob.reads() == ["-- Tea!", "-- Cake!"]


def test_who_is_kicked_is_told_by_whom_and_why_and_so_is_the_room() -> None:
    chat = Chat()
    ann, bob, cy = chat.people("ann", "bob", "cy")
    chat.hub.kick(ann.member, bob.member, chat.hub.lobby, "spam", NOW)
    assert bob.reads() == ["-- You were kicked from #lobby by ann: spam"]
    assert ann.reads() == cy.reads() == ["-- bob was kicked by ann: spam (2 here)"]
    assert bob.gets("hello") == ["-- You are in no room. /join #lobby to talk."]
    with pytest.raises(NotInRoom):
        chat.hub.kick(ann.member, bob.member, chat.hub.lobby, "", NOW)


def bot(chat: Chat, nick: str = "bot") -> tuple[Member, list[Any]]:
    """A member, and what it hears."""
    heard: list[Any] = []
    member = chat.hub.enter(Listener(heard.append), NOW, nick)
    chat.end_turn()
    heard.clear()
    return member, heard


def test_some_may_be_dismissed_and_the_others_stay() -> None:
    chat = Chat()
    ann, bob, cy = chat.people("ann", "bob", "cy")
    chat.hub.dismiss("Out!\nNow!", NOW, (ann.member, cy.member))
    assert ann.reads() == cy.reads() == ["-- Out!", "-- Now!"]
    assert bob.reads() == []
    assert (ann.closed, bob.closed, cy.closed) == (True, False, True)


def test_a_reply_and_what_is_mailed_stand_in_their_place() -> None:
    chat = Chat()
    member, heard = bot(chat)
    ann = chat.enter("ann")
    heard.clear()
    frame = object()
    ann.says("one")
    chat.hub.reply(member, frame, NOW)
    ann.says("two")
    chat.hub.notify(member, "three", NOW)
    chat.end_turn()
    one, reply, two, three = heard
    assert isinstance(reply, Reply) and reply.frame is frame
    assert (one.text, two.text, three.text, three.to) == ("one", "two", "three", "bot")
    chat.hub.mail(member, one)
    chat.end_turn()
    assert heard[4:] == [one]
    assert ann.reads() == []


def test_a_room_is_told_of_its_rules_and_so_is_who_set_them() -> None:
    chat = Chat()
    member, heard = bot(chat)
    ann, bob = chat.people("ann", "bob")
    bob.gets("/part")
    ann.reads()
    heard.clear()
    changes = [Change("muted", True), Change("operator", True, "ann")]
    chat.hub.ruled(member, chat.hub.lobby, "muted everyone", changes, NOW)
    assert ann.reads() == ["-- bot muted everyone"]
    assert bob.reads() == []
    (ruled,) = heard
    assert isinstance(ruled, Ruled)
    assert (ruled.room, ruled.sender, ruled.who) == ("#lobby", "bot", member.who)
    assert ruled.changes == tuple(changes)
    chat.hub.ruled(None, chat.hub.lobby, "", changes, NOW)
    chat.end_turn()
    assert (heard[1].sender, heard[1].changes) == ("", tuple(changes))


def test_who_is_invited_is_told_in_words_or_as_its_door_wants_it() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    other, heard = bot(chat)
    bob.reads()
    ann.gets("/join #a")
    room = chat.hub.rooms["#a"]
    heard.clear()
    chat.hub.invite(ann.member, bob.member, room, NOW)
    assert bob.reads() == ["-- ann invites you to #a: /join #a"]
    other.echoes = ECHOES | {Invited}
    chat.hub.invite(ann.member, other, room, NOW)
    chat.end_turn()
    (invited,) = heard
    assert isinstance(invited, Invited)
    assert (invited.room, invited.sender, invited.nick) == ("#a", "ann", "bot")
    assert ann.reads() == bob.reads() == []


class Renames(Guard):
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def room_renamed(self, room: Room, was: str, now: float) -> None:
        self.told.append((was, room.name))


def test_a_room_has_another_name_with_all_who_are_there_and_all_that_was_said() -> None:
    chat, guard = Chat(), Renames()
    chat.hub.guards.append(guard)
    ann, bob = chat.people("ann", "bob")
    other, heard = bot(chat)
    for member in (ann.member, bob.member, other):
        chat.hub.join(member, "#Old", NOW)
    bob.gets("/topic tea", "hello")
    ann.reads()
    heard.clear()
    room = chat.hub.rooms["#old"]
    chat.hub.rename_room(ann.member, room, "#New", "it is spring", NOW)
    bob.says("so it is")
    assert ann.reads() == ["[#Old] -- ann renamed this room to #New", "<bob> so it is"]
    renamed, said = heard
    assert isinstance(renamed, RoomRenamed)
    assert (renamed.room, renamed.name, renamed.reason) == ("#Old", "#New", "it is spring")
    assert (renamed.who, said.room) == (ann.member.who, "#New")
    assert list(chat.hub.rooms.values()) == [chat.hub.lobby, room]
    assert chat.hub.room_of(ann.member, "new") is room and room.rules.name == room.name == "#New"
    assert room.topic == "tea" and len(room.members) == 3
    assert guard.told == [("#Old", "#New")]
    with pytest.raises(NotInRoom):
        chat.hub.room_of(ann.member, "#old")
    assert ann.gets("/history")[0].endswith("] <bob> hello"), "not as of another room"
    chat.hub.rename_room(ann.member, room, "#new", "", NOW)
    assert chat.hub.rooms["#new"] is room and room.name == "#new"


def test_the_lobby_may_have_another_name_and_stays_the_lobby() -> None:
    chat = Chat()
    ann = chat.enter("ann")
    chat.hub.rename_room(ann.member, chat.hub.lobby, "#hall", "", NOW)
    ann.gets("/part")
    assert list(chat.hub.rooms) == ["#hall"]
    assert ann.gets("hello") == ["-- You are in no room. /join #hall to talk."]
    assert list(chat.hub.enter(Listener(print), NOW).rooms) == [chat.hub.lobby]


def test_a_door_whose_view_raises_keeps_no_room_from_having_another_name() -> None:
    chat, guard = Chat(), Renames()
    chat.hub.guards.append(guard)
    broken, ann = chat.people("broken", "ann")

    def raises(member: Member) -> Any:
        raise ValueError("broken")

    setattr(broken, "view", raises)  # noqa: B010
    chat.hub.rename_room(ann.member, chat.hub.lobby, "#hall", "", NOW)
    with pytest.raises(ExceptionGroup):
        chat.end_turn()
    ann.reads()
    assert guard.told == [("#lobby", "#hall")]
    assert broken.gets() == [] and ann.gets("/who") == ["-- #hall (2 here): ann and broken"]


def test_the_number_of_the_turn_is_another_when_one_is_told() -> None:
    chat = Chat()
    ann = chat.enter("ann")
    before = chat.hub.turn_number
    ann.says("hi")
    assert chat.hub.turn_number == before
    chat.end_turn()
    assert chat.hub.turn_number == before + 1


def test_what_the_server_says_to_one_has_its_nick_and_what_it_says_to_a_room_has_none() -> None:
    chat = Chat()
    member, heard = bot(chat)
    chat.hub.notify(member, "one\ntwo", NOW)
    chat.hub.word(chat.hub.lobby, "three", NOW)
    chat.end_turn()
    assert all(isinstance(event, Notice) for event in heard)
    told = [(event.room, event.to, event.text) for event in heard]
    assert told == [(None, "bot", "one"), (None, "bot", "two"), ("#lobby", "", "three")]


def test_a_line_that_was_taken_out_is_shown_again_as_that() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    bob.says("one", "two")
    line = chat.hub.lobby.recent[0].id
    chat.hub.redact(ann.member, chat.hub.lobby, line, "bob", "rude", NOW)
    told = f"-- ann took out line {line}, by bob: rude"
    assert ann.reads()[-1] == bob.reads()[-1] == told
    assert bob.gets("/history") == [f"{STAMP} {told}", f"{STAMP} <bob> two"]


def test_what_is_shown_again_leaves_out_whom_one_ignores() -> None:
    chat = Chat()
    ann, bob, cy = chat.people("ann", "bob", "cy")
    ann.says("from ann")
    bob.says("from bob")
    cy.gets("/ignore bob")
    lines = tuple(chat.hub.lobby.recent)
    assert chat.hub.show_again(cy.member, None, lines, 5, NOW) == 1
    assert cy.reads() == [f"{STAMP} <ann> from ann"]
    assert chat.hub.show_again(cy.member, None, lines, 0, NOW) == 0


def test_ids_begin_where_they_are_told_to_and_a_mark_is_between_them() -> None:
    chat = Chat()
    chat.hub.count_from(1000)
    heard: list[Event] = []
    bot = chat.hub.enter(Listener(heard.append), NOW, nick="bot")
    (ann,) = chat.people("ann")
    ann.says("before")
    mark = chat.hub.mark()
    ann.says("after")
    chat.end_turn()
    before, after = (event.id for event in heard if isinstance(event, Said))
    assert 1000 < before < mark < after
    assert bot.present


def test_a_guest_s_nick_can_be_given_to_anyone() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    chat.hub.unname(ann.member, NOW)
    assert ann.member.guest and ann.member.nick.startswith("guest-")
    assert bob.reads() == [f"-- ann is now {ann.member.nick}"]
    assert bob.gets("/nick ann") == ["-- You are ann now."]
