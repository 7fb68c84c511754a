"""/history and /search: how far back one reads, and what one finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers, lists
from twisted.internet.defer import Deferred

from chatroom.commands import attach
from chatroom.limits import Limits
from chatroom.store.history import History
from chatroom.store.reading import Reading
from tests.inmemory import STAMP, Chat, Person
from tests.registered import logged
from tests.stored import Stored

MORE = "-- /history more shows what was said before that."
USAGE = "-- Usage: /history [N|10m|today|more], with N from 1 on."
FREE = Limits(joins=None)


class Looking(Chat):
    def __init__(self, database: Stored | None = None, said: int = 0) -> None:
        super().__init__(limits=FREE)
        self.database = database or Stored()
        self.history = History(self.hub, self.database, lambda: self.now)
        self.history.attach()
        reading = Reading(self.history, lambda: self.now)
        self.hub.guards.append(reading)
        self.reading = reading
        attach(self.hub, reading.commands())
        self.ann, self.bob = self.people("ann", "bob")
        self.ann.says(*(f"line {number}" for number in range(said)))
        self.bob.reads()
        self.ann.reads()


def lines(numbers: Sequence[int] | range, nick: str = "ann") -> list[str]:
    return [f"{STAMP} <{nick}> line {number}" for number in numbers]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("", 20), ("3", 3), ("1", 1), ("0029", 29)],
)
def test_the_last_so_many_lines_are_shown(asked: str, shown: int) -> None:
    chat = Looking(said=30)
    assert chat.bob.gets(f"/history {asked}") == [*lines(range(30 - shown, 30)), MORE]


def test_all_there_is_is_told_to_be_all() -> None:
    chat = Looking(said=5)
    assert chat.bob.gets("/history 5") == [
        *lines(range(5)),
        "-- That is all of #lobby that is kept.",
    ]
    assert chat.bob.gets("/history more") == ["-- Nothing else is kept of #lobby."]


def test_nothing_kept_is_told_too() -> None:
    assert Looking().bob.gets("/history") == ["-- Nothing is kept of #lobby."]


def test_what_was_said_in_the_same_turn_is_shown_too() -> None:
    chat = Looking()
    assert chat.ann.gets("line 0", "/history") == [
        *lines([0]),
        "-- That is all of #lobby that is kept.",
    ]


@pytest.mark.parametrize("asked", ["0", "-1", "x", "10", "more more", "5 lines", "10m ", "today"])
def test_what_can_not_be_meant_is_refused(asked: str) -> None:
    reply = Looking(said=1).bob.gets(f"/history {asked}")
    assert (reply == [USAGE]) is (asked.strip() not in ("10", "10m", "today"))


def test_more_needs_a_beginning_in_the_same_room() -> None:
    chat = Looking(said=3)
    first = "-- /history shows the last lines of {} first."
    assert chat.bob.gets("/history more") == [first.format("#lobby")]
    chat.bob.gets("/history 1")
    chat.bob.gets("/join #b")
    assert chat.bob.gets("/history more") == [first.format("#b")]
    assert chat.bob.gets("/part #b", "/join #b", "/part #b")
    assert chat.bob.gets("/history more")[:1] == lines([1])


def test_in_no_room_there_is_no_history() -> None:
    chat = Looking(said=1)
    chat.bob.gets("/part")
    for line in ("/history", "/history more", "/search line"):
        (reply,) = chat.bob.gets(line)
        assert "/join" in reply


@settings(max_examples=50)
@given(integers(1, 60), integers(1, 25), lists(integers(0, 2), max_size=5))
def test_more_shows_each_line_once_to_the_very_beginning(
    said: int, page: int, meanwhile: list[int]
) -> None:
    chat = Looking(said=said)
    pages = [chat.bob.gets(f"/history {page}")]
    while pages[-1][-1] == MORE:
        for _ in range(meanwhile.pop() if meanwhile else 0):
            chat.ann.says("later")
        chat.bob.reads()
        pages.append(chat.bob.gets("/history more"))
    assert [line for shown in reversed(pages) for line in shown[:-1]] == lines(range(said))


def test_what_was_said_since_a_time_is_shown() -> None:
    chat = Looking()
    chat.now -= 7200
    chat.ann.gets("old")
    chat.now += 7200 - 300
    chat.ann.gets("new")
    chat.now += 300
    stamped = chat.bob.gets("/history 10m")
    assert [line.split("> ")[-1] for line in stamped] == [
        "new",
        "-- That is all of #lobby since then.",
    ]
    assert chat.bob.gets("/history 4m") == ["-- Nothing of that time is kept of #lobby."]
    assert len(chat.bob.gets("/history 3h")) == 3
    chat.now += 86400
    assert chat.bob.gets("/history today") == ["-- Nothing of that time is kept of #lobby."]
    chat.ann.gets("today's")
    chat.bob.reads()
    assert len(chat.bob.gets("/history today")) == 2


def test_whom_one_ignores_is_not_shown_and_more_goes_on_past_it() -> None:
    chat = Looking(said=6)
    cy = chat.enter("cy")
    cy.says("noise")
    chat.bob.gets("/ignore cy")
    assert chat.bob.gets("/history 2") == [*lines([5]), MORE]
    assert chat.bob.gets("/history more")[:-1] == lines([3, 4])
    assert chat.bob.gets("/search noise")[:-1] == []


def test_what_is_remembered_of_a_member_goes_with_it() -> None:
    chat = Looking(said=1)
    chat.bob.gets("/history", "/quit")
    assert not chat.reading._places


# Search


def ids(chat: Chat, person: Person, asked: str) -> list[str]:
    """The texts that were found, and the reply."""
    return [line.split("> ")[-1] for line in person.gets(f"/search {asked}")]


@pytest.fixture
def chat() -> Looking:
    chat = Looking()
    chat.ann.gets("apple pie")
    chat.bob.gets("Apple juice")
    chat.ann.gets("/join #tea", "apple tea")
    chat.bob.gets("/join #lobby")
    return chat


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("apple", ["apple pie", "Apple juice", "apple tea"]),
        ("APPLE JUICE", ["Apple juice"]),
        ("juice apple", ["Apple juice"]),
        ("app*", ["apple pie", "Apple juice", "apple tea"]),
        ("app", []),
        ("apple from:Ann", ["apple pie", "apple tea"]),
        ("apple in:#TEA", ["apple tea"]),
        ("apple in:lobby from:bob", ["Apple juice"]),
        ("apple from:nobody", []),
        ('"apple pie"', ["apple pie"]),
        ("apple NOT pie", []),
        ("i*", []),
    ],
)
def test_the_lines_with_all_the_words_are_found(
    chat: Looking, asked: str, found: list[str]
) -> None:
    replies = {0: "-- Nothing was found.", 1: "-- 1 line found."}
    reply = replies.get(len(found), f"-- {len(found)} lines found.")
    assert ids(chat, chat.ann, asked) == [*found, reply]


def test_nothing_is_found_in_rooms_one_is_not_in(chat: Looking) -> None:
    assert ids(chat, chat.bob, "apple") == ["apple pie", "Apple juice", "-- 2 lines found."]
    (reply,) = chat.bob.gets("/search apple in:#tea")
    assert reply.startswith("-- You are not in #tea")


@pytest.mark.parametrize("asked", ["from:ann", "in:#lobby", "!", "* *"])
def test_a_search_needs_a_word(chat: Looking, asked: str) -> None:
    assert chat.ann.gets(f"/search {asked}") == [
        "-- Name a word to look for: /search WORDS [in:#ROOM] [from:NICK]"
    ]


def test_found_lines_tell_their_room(chat: Looking) -> None:
    (found, _) = chat.bob.gets("/search juice")
    assert found == f"{STAMP} <bob> Apple juice"
    (found, _) = chat.ann.gets("/search juice")  # who talks in #tea
    assert found == f"{STAMP} [#lobby] <bob> Apple juice"


def test_of_too_many_the_last_are_shown() -> None:
    chat = Looking(said=25)
    assert chat.bob.gets("/search line")[-1] == (
        "-- These are the last 20. With more words there are fewer."
    )
    assert len(chat.bob.gets("/search line")) == 21


def test_what_was_said_before_a_restart_is_found_and_read() -> None:
    database = Stored()
    Looking(database, said=3)
    chat = Looking(database)
    assert chat.bob.gets("/history")[:-1] == lines(range(3))
    assert chat.bob.gets("/search line 1") == [*lines([1]), "-- 1 line found."]


# Trouble


class Failing(Stored):
    """Answers reads when told, with nothing good."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Deferred[Any]] = []

    def read(self, sql: str, *parameters: object) -> Deferred[Any]:
        self.asked.append(Deferred())
        return self.asked[-1]

    run = read  # type: ignore[assignment]


@pytest.mark.parametrize("line", ["/history", "/search apple"])
@pytest.mark.parametrize("leaves", [False, True])
def test_a_database_that_does_not_answer_is_told_of(line: str, leaves: bool) -> None:
    database = Failing()
    chat = Looking(database)
    chat.bob.gets(line, *["/quit"] * leaves)
    with logged() as events:
        database.asked.pop().errback(RuntimeError("disk"))
    told = [] if leaves else ["-- The history can't be read just now. Try again in a moment."]
    assert chat.bob.reads() == told and len(events) == 1


@pytest.mark.parametrize("line", ["/history", "/search apple"])
def test_who_left_before_the_answer_is_shown_nothing(line: str) -> None:
    database = Failing()
    chat = Looking(database)
    chat.bob.gets(line, "/quit")
    database.asked.pop().callback([])
    assert chat.bob.reads() == []
