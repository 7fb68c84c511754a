"""The index of words: it finds what a naive search finds, whatever is in the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis.strategies import (
    booleans,
    characters,
    integers,
    lists,
    sampled_from,
    text,
    tuples,
)

from chatroom.store import words
from chatroom.store.lines import ADD
from tests.stored import Stored

ALPHABET = "abAB in_-'\"*()^:+"
TEXTS = text(ALPHABET, min_size=1, max_size=12)
ROOMS = ["#a", "#b"]
NICKS = ["ann", "Bob"]
LINES = lists(tuples(sampled_from(ROOMS), sampled_from(NICKS), TEXTS), max_size=8)

Line = tuple[str, str, str]


def indexed(lines: list[Line]) -> Stored:
    database = unindexed(lines)
    bring_up(database)
    return database


def unindexed(lines: list[Line]) -> Stored:
    database = Stored()
    for id, (room, nick, said) in enumerate(lines, 1):
        database.write(
            "INSERT INTO rooms (room, name) VALUES (?, ?) ON CONFLICT DO NOTHING", room, room
        )
        database.write(ADD, room, id, id, 0, nick, None, said, None, None)
    return database


def bring_up(database: Stored) -> None:
    cursor = database.connection.cursor()
    for room in words.behind(cursor):
        while words.index(cursor, room, 2):
            pass
    assert words.behind(cursor) == []


def finds(database: Stored, asked: str, rooms: list[str] | None = None) -> list[int]:
    room, nick, wanted = words.wanted(asked)
    among = rooms or ([room] if room else ROOMS)
    return [row[1] for row in words.search(database.connection.cursor(), among, nick, wanted, 100)]


def naive(line: Line, wanted: list[str]) -> bool:
    found = re.findall("[a-z]+", line[2].lower())
    for word in wanted:
        stem = word.lower().rstrip("*")
        if not any(each.startswith(stem) if word.endswith("*") else each == stem for each in found):
            return False
    return True


@settings(max_examples=100)
@given(LINES, text(ALPHABET, max_size=6))
@example([("#a", "ann", "x")], "i*")
@example([("#a", "ann", "x")], "f*")
def test_it_finds_what_a_naive_search_finds(lines: list[Line], asked: str) -> None:
    wanted = words.wanted(asked)[2]
    expected = [id for id, line in enumerate(lines, 1) if naive(line, wanted)]
    if wanted:
        assert finds(indexed(lines), asked) == expected[::-1]


@settings(max_examples=60)
@given(LINES, sampled_from(ROOMS), sampled_from(["", "bob", "ANN"]))
def test_a_room_and_a_nick_narrow_it_down(lines: list[Line], room: str, nick: str) -> None:
    asked = f"in:{room} a" + (f" from:{nick}" if nick else "")
    expected = [
        id
        for id, line in enumerate(lines, 1)
        if line[0] == room and nick.lower() in ("", line[1].lower()) and naive(line, ["a"])
    ]
    assert finds(indexed(lines), asked) == expected[::-1]


@settings(max_examples=60)
@given(LINES)
def test_what_was_taken_out_is_found_no_more_and_the_rest_is(lines: list[Line]) -> None:
    database = indexed(lines)
    for id, (room, nick, said) in enumerate(lines, 1):
        if id % 2:
            words.delete(database.connection.cursor(), room, [(id, 0, nick, said)])
    found = "SELECT rowid FROM words WHERE words MATCH 'a' ORDER BY rowid"
    expected = [(id,) for id, line in enumerate(lines, 1) if id % 2 == 0 and naive(line, ["a"])]
    assert database.load(found) == expected


@settings(max_examples=100)
@given(text(characters(exclude_categories=["Cs"], exclude_characters="\0")))
@example('"')
@example('a" OR "b')
@example("AND OR NOT NEAR(a b, 3) * ^x col:on (a) -b +c")
@example("a\u19b0b")
@example("\ue000236c")
def test_no_text_breaks_a_search_or_the_index(anything: str) -> None:
    database = indexed([("#a", "ann", anything), ("#b", "bob", "other")])
    asked = words.wanted(anything)[2]
    if asked and not words.wanted(anything)[0] and not words.wanted(anything)[1]:
        found = words.search(database.connection.cursor(), ["#a"], "", asked, 10)
        assert {row[0] for row in found} <= {"#a"}


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Größe", "grosse größe"),
        ("café", "cafe"),
        ("cafe", "café"),
        ("cafe\u0301", "cafe\u0301"),
        ("привет", "ПРИВЕТ"),
        ("日本", "日本"),
        ("a\u19b0b", "a\u19b0b"),
        ("snake_case", "snake case"),
        ("don't", "don't"),
        ("x\ue000y", "x y"),
    ],
)
def test_words_are_found_without_their_case_and_accents(said: str, asked: str) -> None:
    expected = [] if "grosse" in asked else [1]
    assert finds(indexed([("#a", "ann", said)]), asked) == expected


@pytest.mark.parametrize("mark", ["in", "from", "\ue000", "\ue001"])
def test_what_stands_for_a_room_or_a_nick_brings_a_line_nowhere_else(mark: str) -> None:
    spoofed = " ".join(f"{mark}{name.encode().hex()}" for name in ("#b", "ann"))
    database = indexed([("#a", "bob", f"apple {spoofed}"), ("#b", "ann", "pear")])
    assert finds(database, "apple", ["#b"]) == []
    assert finds(database, "apple from:ann") == []
    assert finds(database, "apple from:bob") == [1]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("apple pie", ("", "", ["apple", "pie"])),
        ("in:#a apple", ("#a", "", ["apple"])),
        ("apple from:ann in:a", ("a", "ann", ["apple"])),
        ("app* from:a-b[c]", ("", "a-b[c]", ["app*"])),
        ("begin:x", ("", "", ["begin", "x"])),
        ("in: from:", ("", "", ["in", "from"])),
        ("* ** _ !", ("", "", [])),
        ("", ("", "", [])),
    ],
)
def test_what_is_asked_for_is_read(asked: str, expected: tuple[str, str, list[str]]) -> None:
    assert words.wanted(asked) == expected


def test_the_newest_come_first_and_no_more_than_asked_for() -> None:
    database = indexed([("#a", "ann", "apple")] * 5)
    found = words.search(database.connection.cursor(), ["#a"], "", ["apple"], 3)
    assert [row[1] for row in found] == [5, 4, 3]


def test_lines_that_come_before_what_is_in_the_index_are_added_to_it() -> None:
    database = indexed([("#a", "ann", "pear")])
    database.write(ADD, "#a", -1, 0, 0, "ann", None, "apple", None, None)
    bring_up(database)
    assert finds(database, "apple") == []
    words.add(database.connection.cursor(), "#a", [(-1, 0, "ann", "apple"), (9, 0, "a", "apple")])
    assert finds(database, "apple") == [-1]


@settings(max_examples=60)
@given(LINES, integers(0, 9), booleans(), booleans())
def test_what_was_said_in_a_room_that_is_renamed_is_found_there(
    lines: list[Line], before: int, indexed_before: bool, indexed_between: bool
) -> None:
    """#b becomes #a, where there may be lines that are in the index already, or are not yet."""
    database = indexed(lines) if indexed_before else unindexed(lines)
    if indexed_between:
        words.index(database.connection.cursor(), "#a", 2)
    for sql, rows in words.renamed("#b", "#a", before):
        database.write(sql, *rows[0])
    database.write("INSERT INTO rooms (room, name) VALUES ('#a', '#a') ON CONFLICT DO NOTHING")
    database.write("UPDATE lines SET room = '#a' WHERE room = '#b' AND id < ?", before)
    bring_up(database)
    moved = [
        ("#a" if room == "#b" and id < before else room, nick, said)
        for id, (room, nick, said) in enumerate(lines, 1)
    ]
    for room in ROOMS:
        expected = [
            id for id, line in enumerate(moved, 1) if line[0] == room and naive(line, ["a"])
        ]
        assert finds(database, "a", [room]) == expected[::-1]
    for id, (room, nick, said) in enumerate(moved, 1):  # all of it goes out of the index again
        words.delete(database.connection.cursor(), room, [(id, 0, nick, said)])
    for token in ("a", "b", *(words._token(words._NICK, nick.lower()) for nick in NICKS)):
        assert database.load("SELECT rowid FROM words WHERE words MATCH ?", f'"{token}"') == []


def test_private_lines_are_not_in_it() -> None:
    database = indexed([("#a", "ann", "x")])
    database.write("INSERT INTO rooms (room, name) VALUES (':ann:bob', ':ann:bob')")
    database.write(ADD, ":ann:bob", 9, 9, 10, "ann", None, "apple", "bob", None)
    assert words.behind(database.connection.cursor()) == []


def test_only_what_was_said_is_found() -> None:
    database = indexed([("#a", "ann", "x")])
    for kind in range(2, 11):
        database.write(ADD, "#a", 10 + kind, 0, kind, "ann", None, "apple", "apple", None)
    bring_up(database)
    assert finds(database, "apple") == []


def test_what_is_hidden_does_not_hide_the_rest() -> None:
    lines = [("#b", "ann", "needle")] + [("#a", "ann", "needle")] * 5
    database = indexed(lines)
    database.write("UPDATE rooms SET hidden_to = 99 WHERE room = '#a'")
    cursor = database.connection.cursor()
    found = words.search(cursor, ["#a", "#b"], "", ["needle"], 3)
    assert [row[0] for row in found] == ["#b"]
