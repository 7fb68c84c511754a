"""Lines as rows and back: whatever was posted to a room is read again as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import booleans, builds, integers, just, one_of, text

from chatroom.events import (
    Acted,
    Event,
    Joined,
    Kicked,
    Left,
    Notice,
    Redacted,
    Renamed,
    Said,
    TopicSet,
)
from chatroom.store.lines import ADD, KINDS, SHOWN, TAKEN_OUT, event, events, rows
from tests.inmemory import NOW, Chat
from tests.stored import Stored

BY = just(7), just(NOW), just("#a"), just("ann"), just("192.0.2.1") | just("ann")
POSTED = one_of(
    *(builds(kind, *BY, text()) for kind in (Said, Acted, Renamed, TopicSet, Notice)),
    builds(Joined, *BY, just(0)),
    builds(Left, *BY, just(0), text()),
    builds(Kicked, *BY, just(0), text(), text(min_size=1)),
)
NUMBERS: list[tuple[type[Event], int]] = [
    (Said, 0), (Acted, 1), (Joined, 2), (Left, 3), (Renamed, 4), (TopicSet, 5), (Notice, 6),
    (Kicked, 7), (Redacted, 8),
]  # fmt: skip


@given(POSTED)
def test_what_was_posted_is_read_again_as_it_was(posted: Any) -> None:
    ((room, *row),) = rows("#a", [posted])
    made: Any = event("#a", row)
    assert room == "#a" and type(made) is type(posted)
    assert tuple(made) == tuple(posted)


@settings(max_examples=60)
@given(POSTED, booleans(), integers(0, 2**40))
def test_it_is_so_in_a_database_too(posted: Any, again: bool, milliseconds: int) -> None:
    database = Stored()
    time = milliseconds / 1000
    posted = type(posted)(posted.id, time, *tuple(posted)[2:])
    for _ in range(1 + again):  # the second time it is there already
        database.add(ADD, rows("#a", [posted]))
    (found,) = database.load("SELECT * FROM lines")
    made: Any = event("#a", found[1:])
    assert tuple(made)[2:] == tuple(posted)[2:] and abs(made.time - time) < 0.0011


@pytest.mark.parametrize(("kind", "number"), NUMBERS)
def test_the_numbers_of_kinds_never_change(kind: type[Event], number: int) -> None:
    assert KINDS[number] is kind and len(KINDS) == len(NUMBERS)


def test_what_is_shown_again_is_what_was_said_and_what_was_taken_out() -> None:
    assert str((KINDS.index(Said), KINDS.index(Acted), TAKEN_OUT)) == SHOWN


def test_all_that_is_posted_to_rooms_has_a_number() -> None:
    chat = Chat()
    posted: set[type[Event]] = set()
    chat.hub.observers.append(lambda event: posted.add(type(event)))
    ann, bob = chat.people("ann", "bob")
    ann.says("hello", "/me waves", "/topic tea", "/nick anne")
    chat.hub.word(chat.hub.lobby, "word", NOW)
    chat.hub.redact(ann.member, chat.hub.lobby, 1, "ann", "", NOW)
    chat.hub.kick(ann.member, bob.member, chat.hub.lobby, "", NOW)
    ann.says("/part")
    chat.end_turn()
    assert posted == set(KINDS)


def test_that_a_line_was_taken_out_is_told_by_the_lines_own_row() -> None:
    assert rows("#a", [Redacted(9, NOW, "#a", "ann", "ann", 7, "bob", "spam")]) == []
    row = 7, int(NOW * 1000), TAKEN_OUT, "bob", None, "spam", "ann"
    made: Any = event("#a", row)
    assert tuple(made) == (7, NOW, "#a", "ann", "ann", 7, "bob", "spam")


def test_rows_that_were_read_newest_first_come_in_their_order() -> None:
    found = [(id, 0, 0, "ann", None, "x", None) for id in (3, 2, 1)]
    assert [each.id for each in events("#a", found)] == [1, 2, 3]
