"""What is too old or too much goes, a little at a time, and out of the index as well."""

from __future__ import annotations

from sqlite3 import OperationalError

import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers, lists, none, sampled_from
from twisted.internet.defer import fail
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from chatroom.store import retention as module
from chatroom.store import words
from chatroom.store.lines import ADD
from chatroom.store.retention import Retention
from tests.registered import logged
from tests.stored import Stored

NOW = 1_000_000
FOUND = "SELECT count(*) FROM words WHERE words MATCH 'apple'"


class Kept:
    """A store whose lines have ids from 1 on and are as old as told, in seconds."""

    def __init__(self, seconds: int | None = None, lines: int | None = None) -> None:
        self.database = Stored()
        self.reactor = Clock()
        self.open: set[str] = set()
        self.retention = Retention(
            self.database,
            self.reactor,
            lambda: NOW,
            seconds,
            lines,
            self.open.__contains__,
        )
        self._id = 0

    def add(self, room: str, *ages: int, kind: int = 0, owner: str = "") -> None:
        self.database.write(
            "INSERT INTO rooms (room, name, owner) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            *(room, room, owner),
        )
        for age in ages:
            self._id += 1
            time = (NOW - age) * 1000
            self.database.write(ADD, room, self._id, time, kind, "ann", None, "apple", None, None)

    def clear(self) -> int:
        """Steps until nothing more is to be done at once; their number."""
        steps = 0
        more = [True]
        while more.pop():
            self.retention.step().addCallback(more.append)
            steps += 1
        return steps

    def ids(self, room: str = "#a") -> list[int]:
        sql = "SELECT id FROM lines WHERE room = ? ORDER BY id"
        return [id for (id,) in self.database.load(sql, room)]

    def rooms(self) -> list[str]:
        return [room for (room,) in self.database.load("SELECT room FROM rooms ORDER BY room")]

    def indexed(self) -> int:
        return int(self.database.load(FOUND)[0][0])


def test_what_is_too_old_goes_also_out_of_the_index() -> None:
    kept = Kept(seconds=100)
    kept.add("#a", 300, 101, 100, 5)
    kept.add("#b", 200, 1)
    kept.clear()
    assert (kept.ids(), kept.ids("#b"), kept.indexed()) == ([3, 4], [6], 3)


def test_what_comes_before_the_last_so_many_goes() -> None:
    kept = Kept(lines=3)
    kept.add("#a", *[5] * 10)
    kept.add("#b", *[5] * 2)
    kept.clear()
    assert (kept.ids(), kept.ids("#b"), kept.indexed()) == ([8, 9, 10], [11, 12], 5)


def test_without_limits_all_is_kept_and_in_the_index() -> None:
    kept = Kept()
    kept.add("#a", 10**6, 5)
    kept.add("#a", 5, kind=2)
    kept.clear()
    assert kept.ids() == [1, 2, 3] and kept.indexed() == 2


def test_after_the_clock_stepped_lines_go_in_the_order_of_their_ids() -> None:
    kept = Kept(seconds=100)
    kept.add("#a", 50, 300, 50)
    kept.clear()
    assert kept.ids() == [3]


@settings(max_examples=60)
@given(
    lists(integers(0, 9), max_size=12),
    none() | integers(0, 9),
    none() | integers(1, 6),
    sampled_from([1, 2, 3, 500]),
)
def test_what_is_left_is_what_should_be_whatever_the_step(
    ages: list[int], seconds: int | None, lines: int | None, step: int
) -> None:
    kept = Kept(seconds, lines)
    kept.add("#a", *sorted(ages, reverse=True))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_STEP", step)
        kept.clear()
    expected = [age for age in sorted(ages, reverse=True) if seconds is None or age <= seconds]
    expected = expected if lines is None else expected[-lines:]
    assert len(kept.ids()) == len(expected) == kept.indexed()
    assert kept.ids() == sorted(range(1, len(ages) + 1))[len(ages) - len(expected) :]


def test_it_goes_in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STEP", 10)
    kept = Kept(seconds=100)
    kept.add("#a", *[200] * 35)
    left = []
    while kept.ids():
        kept.retention.step()
        left.append(len(kept.ids()))
    assert left[-4:] == [25, 15, 5, 0]


def test_a_room_of_which_nothing_is_kept_is_forgotten_unless_it_is_someones_or_open() -> None:
    kept = Kept(seconds=100)
    kept.add("#a", 200)
    kept.add("#b", 200, owner="ann")
    kept.add("#c", 200)
    kept.add("#d", 1)
    kept.open.add("#c")
    kept.clear()
    assert kept.rooms() == ["#b", "#c", "#d"] and kept.indexed() == 1
    kept.open.clear()
    kept.clear()
    assert kept.rooms() == ["#b", "#d"]
    assert kept.database.load("SELECT room FROM indexed ORDER BY room") == [("#d",)]


def test_private_lines_go_as_those_of_a_room_do() -> None:
    kept = Kept(seconds=100, lines=2)
    talks = "INSERT INTO talks VALUES ('ann', 'bob', ':ann:bob'), ('bob', 'ann', ':ann:bob')"
    kept.database.write(talks)
    kept.add(":ann:bob", 200, 5, 5, 5, kind=10)
    kept.add("#a", 5)
    kept.clear()
    assert kept.ids(":ann:bob") == [3, 4] and kept.indexed() == 1
    assert len(kept.database.load("SELECT * FROM talks")) == 2
    kept.database.write("UPDATE lines SET time = 0 WHERE room = ':ann:bob'")
    kept.clear()
    assert kept.ids(":ann:bob") == [] and kept.rooms() == ["#a"]
    assert kept.database.load("SELECT * FROM talks") == []


def test_what_was_taken_out_goes_too() -> None:
    kept = Kept(seconds=100)
    kept.add("#a", 200, 200)
    cursor = kept.database.connection.cursor()
    words.index(cursor, "#a", 10)
    words.delete(cursor, "#a", [(1, 0, "ann", "apple")])
    kept.database.write("UPDATE lines SET kind = 8, text = 'spam', other = 'bob' WHERE id = 1")
    assert kept.indexed() == 1
    kept.clear()
    assert kept.ids() == [] and kept.indexed() == 0


def test_it_goes_on_by_itself_until_it_is_stopped() -> None:
    kept = Kept(seconds=100)
    kept.add("#a", 200, 1)
    kept.retention.start()
    kept.reactor.pump([0.1] * 10)
    assert kept.ids() == [2]
    kept.add("#a", 200, 1)
    kept.reactor.pump([0.1] * 10)
    assert kept.ids() == [2, 3, 4]  # it rests
    kept.reactor.pump([1.0] * 31)
    assert kept.ids() == [4]
    kept.retention.stop()
    assert not kept.reactor.getDelayedCalls()


def test_it_waits_while_much_is_written_and_while_nothing_can_be() -> None:
    kept = Kept(seconds=100)
    kept.add("#a", 200)
    kept.retention.start()
    for _ in range(5):
        kept.database.written += 501
        kept.reactor.advance(0.1)
    assert kept.ids() == [1]
    kept.database.trouble = "disk full"
    kept.reactor.pump([1.0] * 90)
    assert kept.ids() == [1]
    kept.database.trouble = ""
    kept.reactor.pump([1.0] * 40)
    assert kept.ids() == []
    kept.retention.stop()


def test_a_step_that_fails_is_logged_and_tried_again() -> None:
    kept = Kept(seconds=100)
    kept.add("#a", 200)
    kept.database.write("ALTER TABLE words RENAME TO gone")
    kept.retention.start()
    with logged() as events:
        kept.reactor.advance(0.1)
    assert len(events) == 1
    kept.database.write("ALTER TABLE gone RENAME TO words")
    kept.reactor.pump([1.0] * 40)
    assert kept.ids() == []
    kept.retention.stop()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OperationalError("database or disk is full"), "disk is full. It is tried again."),
        (RuntimeError("broken"), "Could not look after the store"),
    ],
)
def test_what_time_may_mend_is_told_in_a_sentence_and_all_else_as_a_failure(
    error: Exception, told: str
) -> None:
    kept = Kept(seconds=60)
    kept.database.run = lambda work: fail(error)  # type: ignore[method-assign]
    with capturedLogs() as events:
        assert kept.clear() == 1
    (event,) = events
    assert formatEvent(event).endswith(told)
    assert ("log_failure" in event) == isinstance(error, RuntimeError)
