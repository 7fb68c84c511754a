"""chatroom.host: what the server itself says, and the ids that order everything."""

from __future__ import annotations

import pytest

from chatroom.errors import NotInRoom
from chatroom.events import Event, Said
from chatroom.member import Listener
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
