"""Lines as rows and back: whatever was posted to a room is read again as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import (
    booleans,
    builds,
    integers,
    just,
    lists,
    one_of,
    sampled_from,
    text,
    tuples,
)

from chatroom.events import (
    Acted,
    Event,
    Gone,
    Joined,
    Kicked,
    Left,
    Notice,
    Profile,
    Redacted,
    Renamed,
    RoomRenamed,
    Ruled,
    Said,
    Tagged,
    Told,
    TopicSet,
)
from chatroom.identity import NOBODY, PLAIN, Identity, Manner
from chatroom.rules import Change
from chatroom.store import lines
from chatroom.store.lines import (
    ADD,
    KINDS,
    SHOWN,
    TAKEN_OUT,
    changes_of,
    event,
    events,
    is_talk,
    manner_of,
    rows,
    source_of,
    talk,
    who_of,
)
from tests.inmemory import NOW, Chat
from tests.stored import Stored

BY = just(7), just(NOW), just("#a"), just("ann"), just("192.0.2.1") | just("ann")
WORD = text("ab:.-~é{", min_size=1, max_size=8)
UNKNOWN = just(""), just(False)
"""What is not kept: the real name, and whether it is a program."""
WHO = just(NOBODY) | builds(Identity, WORD, WORD, just("") | just("ann"), *UNKNOWN)
TAGS = lists(tuples(just("+draft/reply") | WORD, text(max_size=5)), max_size=2).map(tuple)
MANNER = just(PLAIN) | builds(Manner, text(max_size=5), booleans(), TAGS)
CHANGES = lists(
    builds(Change, sampled_from(["muted", "limit", "ban"]), booleans(), text(max_size=5)),
    max_size=3,
).map(tuple)
KICKER = builds(Identity, WORD, WORD, just("") | just("bob"), *UNKNOWN)
POSTED = one_of(
    *(builds(kind, *BY, text(), WHO, MANNER) for kind in (Said, Acted)),
    *(builds(kind, *BY, text(), WHO) for kind in (Renamed, TopicSet)),
    builds(Notice, *BY, text()),
    builds(Joined, *BY, just(0), WHO),
    builds(Left, *BY, just(0), text(), WHO, booleans()),
    builds(Kicked, *BY, just(0), text(), WORD, WHO),
    builds(Kicked, *BY, just(0), text(), WORD, WHO, just("{bob"), KICKER),
    builds(Ruled, *BY, text(), CHANGES, WHO),
    builds(Tagged, *BY, just("#a"), WHO, just(Manner(tags=(("+draft/react", "x"),)))),
)
TOLD = builds(Told, *BY[:2], just(None), *BY[3:], just("{Bob"), text(), just(False), WHO, MANNER)
NUMBERS: list[tuple[type[Event], int]] = [
    (Said, 0), (Acted, 1), (Joined, 2), (Left, 3), (Renamed, 4), (TopicSet, 5), (Notice, 6),
    (Kicked, 7), (Redacted, 8), (Ruled, 9), (Told, 10), (Tagged, 11),
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
    posted = posted._replace(time=time)
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
    chat.hub.tag(ann.member, chat.hub.lobby, Manner(tags=(("+draft/react", "x"),)), NOW)
    ann.says("/part")
    chat.end_turn()
    assert posted - {Gone} == set(KINDS) - {Ruled, Told}


def test_that_a_line_was_taken_out_is_told_by_the_lines_own_row() -> None:
    assert rows("#a", [Redacted(9, NOW, "#a", "ann", "ann", 7, "bob", "spam")]) == []
    row: tuple[Any, ...] = (
        7, int(NOW * 1000), TAKEN_OUT, "bob", None, "spam", "ann", "~u host ann",
    )  # fmt: skip
    made: Any = event("#a", row)
    by = Identity("~u", "host", "ann")
    assert tuple(made) == (7, NOW, "#a", "ann", "ann", 7, "bob", "spam", by, "")
    row = *row[:6], "cy ann", None
    made = event(None, row)
    assert tuple(made) == (7, NOW, None, "ann", "ann", 7, "bob", "spam", NOBODY, "cy")


def test_rows_that_were_read_newest_first_come_in_their_order() -> None:
    found = [(id, 0, 0, "ann", None, "x", None, None) for id in (3, 2, 1)]
    assert [each.id for each in events("#a", found)] == [1, 2, 3]


@given(TOLD)
def test_a_private_line_is_read_again_as_it_was(told: Any) -> None:
    ((room, *row),) = rows(talk("bob", "ann"), [told])
    assert room == ":ann:bob" == talk("ann", "bob") and is_talk(room)
    made: Any = event(None, row)
    assert isinstance(made, Told)
    assert tuple(made) == tuple(told)  # type: ignore[arg-type]


def test_what_is_plain_takes_no_more_than_its_text() -> None:
    who = Identity("~u", "host", "ann", "Ann", bot=True)
    said = Said(7, NOW, "#a", "ann", "ann", "one\ntwo", who)
    assert rows("#a", [said]) == [
        ("#a", 7, int(NOW * 1000), 0, "ann", None, "one\ntwo", None, "~u host ann")
    ]
    assert rows("#a", [Said(7, NOW, "#a", "ann", "ann", "x")])[0][-1] is None


def test_what_is_said_in_another_manner_has_it_beside_it() -> None:
    manner = Manner("\x02hi\x02", notice=True, tags=(("+draft/reply", "6"),))
    said = Said(7, NOW, "#a", "ann", "ann", "hi", NOBODY, manner)
    (row,) = rows("#a", [said])
    assert row[7].isascii() and row[7].isprintable()
    assert row[7] == ('{"rich":"\\u0002hi\\u0002","notice":true,"tags":[["+draft/reply","6"]]}')
    tagged = said._replace(manner=Manner(tags=(("+a", ""),)))  # type: ignore[attr-defined]
    assert rows("#a", [tagged])[0][7] == '{"tags":[["+a",""]]}'


def test_the_key_of_a_room_is_not_kept() -> None:
    changes = Change("key", True, "secret"), Change("limit", True, "5")
    (row,) = rows("#a", [Ruled(7, NOW, "#a", "ann", "ann", "locks the room", changes)])
    assert "secret" not in str(row)
    assert changes_of(row[7]) == (Change("key", True, "*"), changes[1])


def test_what_is_of_the_moment_is_not_kept() -> None:
    by = 7, NOW, "#a", "ann", "ann"
    passing = (
        Gone(*by, "bye"), Tagged(*by, "#a"), RoomRenamed(*by, "#b", ""),
        Profile(*by, NOBODY, NOBODY, None, None),
    )  # fmt: skip
    assert rows("#a", passing) == []


@pytest.mark.parametrize(
    "wrong",
    ["{", "5", "[]", "null", '"x"', '{"no":1}', '{"rich":5}', '{"notice":1}', '{"tags":5}',
     '{"tags":[["a"]]}', '{"tags":[["a",5]]}', '{"tags":["ab",["c"]]}'],
)  # fmt: skip
def test_what_is_no_manner_is_told_and_read_as_plain(wrong: str) -> None:
    with pytest.raises(ValueError, match="manner"):
        manner_of(wrong)
    made: Any = event("#a", (7, 0, 0, "ann", None, "hi", wrong, None))
    assert (made.text, made.manner) == ("hi", PLAIN)


@pytest.mark.parametrize(
    "wrong",
    ["{", "5", '[["muted"]]', '[["mute",true,""]]', '[["muted",1,""]]', '[["muted",true,5]]'],
)
def test_what_is_no_change_is_told_and_left_out(wrong: str) -> None:
    with pytest.raises(ValueError, match="change"):
        changes_of(wrong)
    made: Any = event("#a", (7, 0, 9, "ann", None, "locks", wrong, None))
    assert (made.text, made.changes) == ("locks", ())


@given(WHO)
def test_who_it_was_is_known_again(who: Identity) -> None:
    assert who_of(source_of(who)) == who


def test_who_it_was_is_made_once_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_MOST_SOURCES", 3)
    made = [source_of(Identity("~u", f"{number}")) for number in range(9)]
    assert made[8] == "~u 8 " and len(lines._SOURCES) <= 3
    assert source_of(Identity("~u", "8")) is made[8]


@given(integers(0, 2**42))
def test_a_time_has_the_same_milliseconds_whenever_it_is_shown(milliseconds: int) -> None:
    made = event("#a", (7, milliseconds, 0, "ann", None, "x", None, None))
    assert int(made.time * 1000) == milliseconds == round(made.time * 1000)
    said = Said(7, made.time, "#a", "ann", "ann", "x")
    assert rows("#a", [said])[0][2] == milliseconds
