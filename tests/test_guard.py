"""chatroom.guard: what is attached to a hub is asked before each verb, and told of the rest."""

from __future__ import annotations

import pytest

from chatroom.errors import NotAllowed
from chatroom.events import Profile, Tagged, Told
from chatroom.guard import Guard, Verb
from chatroom.identity import PLAIN
from chatroom.member import Member
from chatroom.room import Room
from tests.inmemory import NOW, Chat, Person


class Notes(Guard):
    """Writes down what it is asked and told; refuses one verb, if told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, str]] = []
        self.told: list[tuple[str, str, str]] = []
        self.refused = ""

    def ask(self, verb: Verb, member: Member, about: str, text: str, now: float) -> None:
        self.asked.append((verb, member.nick, about, text))
        if verb == self.refused:
            raise NotAllowed("Not today.")

    def entered(self, member: Member, now: float) -> None:
        self.told.append(("entered", "", member.nick))

    def renamed(self, member: Member, was: str, now: float) -> None:
        self.told.append(("renamed", was, member.nick))

    def profiled(self, member: Member, event: Profile) -> None:
        self.told.append(("profiled", member.nick, event.away or ""))

    def wrote(self, member: Member, to: Member, event: Told) -> None:
        self.told.append(("wrote", to.nick, event.text))

    def tagged(self, member: Member, to: Member, event: Tagged) -> None:
        self.told.append(("tagged", member.nick, to.nick))

    def room_renamed(self, room: Room, was: str, now: float) -> None:
        self.told.append(("room renamed", was, room.name))

    def made(self, room: Room, member: Member | None) -> None:
        self.told.append(("made", room.name, member.nick if member else ""))

    def joined(self, room: Room, member: Member, now: float) -> None:
        self.told.append(("joined", room.name, member.nick))

    def topic_set(self, room: Room) -> None:
        self.told.append(("topic", room.name, room.topic))

    def emptied(self, room: Room) -> None:
        self.told.append(("emptied", room.name, ""))

    def left(self, member: Member) -> None:
        self.told.append(("left", "", member.nick))


def guarded() -> tuple[Chat, Notes, Person, Person]:
    chat, notes = Chat(), Notes()
    ann, bob = chat.people("ann", "bob")
    chat.hub.guards.append(notes)
    return chat, notes, ann, bob


LINES: list[tuple[Verb, str, tuple[str, str]]] = [
    ("say", "hello", ("#lobby", "hello")),
    ("act", "/me waves", ("#lobby", "waves")),
    ("topic", "/topic tea", ("#lobby", "tea")),
    ("tell", "/msg bob hi", ("bob", "hi")),
    ("rename", "/nick anna", ("anna", "")),
    ("join", "/join x sesame", ("#x", "sesame")),
    ("command", "/names", ("who", "")),
]


@pytest.mark.parametrize(("verb", "line", "asked"), LINES)
def test_it_is_asked_before_a_verb(verb: Verb, line: str, asked: tuple[str, str]) -> None:
    _, notes, ann, _ = guarded()
    ann.gets(line)
    assert (verb, "ann", *asked) in notes.asked


@pytest.mark.parametrize(("verb", "line", "asked"), LINES)
def test_what_it_refuses_does_not_happen(verb: Verb, line: str, asked: tuple[str, str]) -> None:
    chat, notes, ann, bob = guarded()
    notes.refused = verb
    assert ann.gets(line) == ["-- Not today."]
    assert bob.reads() == []
    assert list(chat.hub.rooms) == ["#lobby"]
    assert ann.member.nick == "ann" and not chat.hub.lobby.topic


def test_who_is_not_let_into_the_lobby_is_here_all_the_same() -> None:
    chat, notes, ann, _ = guarded()
    notes.refused = "join"
    cy = Person(chat, "", "")
    assert cy.reads() == ["Welcome to this chatroom!", "-- Not today."]
    assert not cy.member.rooms and ann.reads() == []
    assert cy.gets("hello") == ["-- You are in no room. /join #lobby to talk."]


def test_it_is_told_of_rooms_and_of_who_comes_and_goes() -> None:
    _, notes, ann, _ = guarded()
    ann.gets("/join x", "/topic tea", "/part", "/quit")
    assert notes.told == [
        ("made", "#x", "ann"),
        ("joined", "#x", "ann"),
        ("topic", "#x", "tea"),
        ("emptied", "#x", ""),
        ("left", "", "ann"),
    ]


def test_it_is_told_of_who_enters_before_that_one_joins_anything() -> None:
    chat, notes, _, _ = guarded()
    Person(chat, "cy", "")
    assert notes.told == [("entered", "", "cy"), ("joined", "#lobby", "cy")]


def test_it_is_told_of_what_becomes_of_members_and_what_they_tell_each_other() -> None:
    chat, notes, ann, _ = guarded()
    ann.gets("/nick anna", "/away for lunch", "/away for lunch", "/back", "/msg bob hi")
    chat.hub.unname(ann.member, NOW)
    chat.hub.rename_room(ann.member, chat.hub.lobby, "#hall", "", NOW)
    assert notes.told == [
        ("renamed", "ann", "anna"),
        ("profiled", "anna", "for lunch"),
        ("profiled", "anna", ""),
        ("wrote", "bob", "hi"),
        ("renamed", "anna", ann.member.nick),
        ("room renamed", "#lobby", "#hall"),
    ]


def test_it_is_told_of_what_has_no_text_once() -> None:
    chat, notes, ann, bob = guarded()
    for to in (bob.member, ann.member, chat.hub.lobby):
        chat.hub.tag(ann.member, to, PLAIN, NOW)
    assert notes.told == [("tagged", "ann", "bob"), ("tagged", "ann", "ann")]


def test_what_one_writes_to_who_ignores_it_is_written_all_the_same() -> None:
    _, notes, ann, bob = guarded()
    bob.gets("/ignore ann")
    ann.gets("/msg bob hi")
    assert notes.told == [("wrote", "bob", "hi")] and bob.reads() == []


def test_a_guard_that_is_not_subclassed_allows_everything() -> None:
    chat, ann = Chat(), None
    chat.hub.guards.append(Guard())
    ann, bob = chat.people("ann", "bob")
    Guard().admit("192.0.2.1", NOW)
    ann.gets("hello")
    assert bob.reads() == ["<ann> hello"]
    ann.gets("/nick anna", "/away", "/msg bob hi", "/join x", "/topic t")
    chat.hub.rename_room(ann.member, chat.hub.rooms["#x"], "#y", "", NOW)
    ann.gets("/part", "/quit")
