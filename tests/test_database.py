"""The database that is written in a thread: what is written when, and what trouble does to it."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.store import database as module
from chatroom.store import sqlitefile
from chatroom.store.database import Database, Trouble
from chatroom.store.sqlitefile import SQLiteFile
from tests.registered import logged

INSERT = "INSERT INTO rooms (room, name) VALUES (?, ?)"
ALL = "SELECT room FROM rooms ORDER BY rowid"
_DEADLINE = 10.0


class Reactor(Clock):
    """What threads have for it is called while somebody waits for something (`until`)."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: queue.Queue[Callable[[], object]] = queue.Queue()

    def callFromThread(self, f: Callable[..., Any], *args: Any, **named: Any) -> None:
        self._calls.put(lambda: f(*args, **named))

    def callWhenRunning(self, f: Callable[..., Any], *args: Any) -> None:
        f(*args)

    def addSystemEventTrigger(self, *args: Any) -> str:
        return "trigger"

    def removeSystemEventTrigger(self, trigger: str) -> None:
        pass

    def until(self, is_so: Callable[[], object]) -> None:
        deadline = time.monotonic() + _DEADLINE
        while not is_so():
            self._calls.get(timeout=max(0.01, deadline - time.monotonic()))()

    def settle(self) -> None:
        """Call what threads have by now."""
        while not self._calls.empty():
            self._calls.get()()

    def result(self, deferred: Deferred[Any]) -> Any:
        """What the deferred fires with; raises what it fails with."""
        got: list[Any] = []
        failed: list[Any] = []
        deferred.addCallbacks(got.append, failed.append)
        self.until(lambda: got or failed)
        if failed:
            failed[0].raiseException()
        return got[0]


class Kept:
    def __init__(self, path: str) -> None:
        self.path = path
        self.reactor = Reactor()
        self.told: list[str] = []
        self.database = Database(SQLiteFile(path), self.reactor, self.told.append)
        self.other = sqlite3.connect(path, isolation_level=None)

    def wait(self) -> None:
        self.reactor.result(self.database.flush())

    def rooms(self) -> list[str]:
        """What another connection sees."""
        return [room for (room,) in self.other.execute(ALL)]

    def lock(self) -> None:
        self.other.execute("BEGIN IMMEDIATE")

    def unlock(self) -> None:
        self.other.execute("COMMIT")

    def recover(self) -> None:
        """The lock is gone, and it is time to try again."""
        self.unlock()
        self.reactor.advance(1.0)
        self.reactor.until(lambda: not self.database.trouble)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setattr(sqlitefile, "_LOCKED_SECONDS", 0.05)
    kept = Kept(str(tmp_path / "chat.db"))
    yield kept
    if kept.other.in_transaction:
        kept.unlock()
    kept.other.close()
    kept.reactor.result(kept.database.close())


def row(number: int) -> tuple[str, str]:
    return f"#{number}", f"#{number}"


def test_what_is_written_is_written_soon_in_its_order_and_at_once(kept: Kept) -> None:
    statements: list[str] = []
    kept.reactor.result(
        kept.database.run(lambda c: c._connection._connection.set_trace_callback(statements.append))
    )
    for number in range(250):
        kept.database.write(INSERT, *row(number))
    kept.database.add("UPDATE rooms SET topic = ? WHERE room = ?", [("tea", "#249")])
    assert kept.rooms() == []
    kept.reactor.advance(0.09)
    kept.reactor.until(lambda: kept.database.written)
    assert kept.rooms() == [f"#{number}" for number in range(250)]
    assert kept.other.execute("SELECT topic FROM rooms WHERE room = '#249'").fetchone() == ("tea",)
    assert [each for each in statements if each in ("BEGIN IMMEDIATE", "COMMIT")] == [
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]
    assert kept.database.written == 251


def test_a_commit_fires_when_it_is_on_the_disk_with_all_before_it(kept: Kept) -> None:
    kept.database.write(INSERT, *row(1))
    committed = kept.database.commit([(INSERT, [row(2)]), (INSERT, [row(3)])])
    seen: list[list[str]] = []
    kept.reactor.result(committed.addCallback(lambda _: seen.append(kept.rooms())))
    assert seen == [["#1", "#2", "#3"]]


def test_commits_and_writes_are_done_in_the_order_they_were_given(kept: Kept) -> None:
    done: list[int] = []
    waiting = []

    def finished(number: int, _: object) -> None:
        done.append(number)

    for number in range(0, 30, 3):
        kept.database.write(INSERT, *row(number))
        committed = kept.database.commit([(INSERT, [row(number + 1)])])
        waiting.append(committed.addCallback(partial(finished, number)))
    for each in waiting:
        kept.reactor.result(each)
    assert done == list(range(0, 30, 3))
    # What waits when a transaction begins goes with it.
    rooms = kept.rooms()
    assert rooms[:2] == ["#0", "#1"] and len(rooms) == 20
    assert [room for room in rooms if int(room[1:]) % 3 == 1] == [f"#{n + 1}" for n in done]


def test_a_read_sees_all_that_was_given_before_it(kept: Kept) -> None:
    kept.database.write(INSERT, *row(1))
    first = kept.database.read(ALL)
    kept.database.write(INSERT, *row(2))
    second = kept.database.read("SELECT room FROM rooms WHERE room = ?", "#2")
    assert ("#1",) in kept.reactor.result(first)
    assert kept.reactor.result(second) == [("#2",)]


def test_work_is_one_transaction_after_all_that_was_given_before(kept: Kept) -> None:
    def work(cursor: Any) -> int:
        cursor.execute(INSERT, row(2))
        cursor.execute("SELECT count(*) FROM rooms")
        return int(cursor.fetchone()[0])

    def fails(cursor: Any) -> None:
        cursor.execute(INSERT, row(3))
        raise LookupError

    kept.database.write(INSERT, *row(1))
    assert kept.reactor.result(kept.database.run(work)) == 2
    with pytest.raises(LookupError):
        kept.reactor.result(kept.database.run(fails))
    assert kept.rooms() == ["#1", "#2"]


def test_a_commit_that_can_not_be_fails_and_is_never_done(kept: Kept) -> None:
    kept.lock()
    kept.database.write(INSERT, *row(1))
    committed = kept.database.commit([(INSERT, [row(2)])])
    with pytest.raises(Trouble, match="locked"):
        kept.reactor.result(committed)
    with pytest.raises(Trouble, match="locked"):
        kept.reactor.result(kept.database.commit([(INSERT, [row(3)])]))
    kept.recover()
    assert kept.rooms() == ["#1"]
    kept.reactor.result(kept.database.commit([(INSERT, [row(4)])]))
    assert kept.rooms() == ["#1", "#4"]


def test_what_is_written_meanwhile_waits_and_is_written_once(kept: Kept) -> None:
    kept.lock()
    for number in range(3):
        kept.database.write(INSERT, *row(number))
        kept.wait()
    kept.database.add(INSERT, [row(3)])
    assert kept.rooms() == []
    kept.recover()
    kept.wait()
    assert kept.rooms() == ["#0", "#1", "#2", "#3"]


def test_operators_are_told_once_of_trouble_and_once_that_it_is_over(kept: Kept) -> None:
    kept.lock()
    kept.database.write(INSERT, *row(1))
    for _ in range(3):
        kept.wait()
    trouble = "The database can't be written (database is locked). It is tried again each second."
    assert kept.told == [trouble]
    kept.recover()
    kept.wait()
    assert kept.told == [trouble, "The database can be written again."]
    assert not kept.other.execute("SELECT * FROM letters").fetchall()


def test_it_is_tried_again_each_second_until_it_works(kept: Kept) -> None:
    kept.lock()
    kept.database.write(INSERT, *row(1))
    kept.wait()
    for _ in range(3):
        begun: list[None] = []
        kept.reactor.advance(1.0)
        kept.database.flush().addBoth(begun.append)
        kept.reactor.until(begun.__len__)
    assert len(kept.told) == 1 and kept.database.trouble
    kept.recover()
    assert kept.rooms() == ["#1"]


def test_reading_works_while_nothing_can_be_written(kept: Kept) -> None:
    kept.database.write(INSERT, *row(1))
    kept.wait()
    kept.lock()
    kept.database.write(INSERT, *row(2))
    kept.wait()
    assert kept.reactor.result(kept.database.read(ALL)) == [("#1",)]


def test_no_more_than_so_much_waits_and_how_much_was_lost_is_told(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    kept.lock()
    kept.database.write(INSERT, *row(0))
    kept.wait()
    kept.database.add(INSERT, [row(number) for number in range(1, 13)])
    kept.database.add(INSERT, [row(20), row(21)])
    kept.database.write(INSERT, *row(30))
    kept.database.add(INSERT, [row(22)])
    kept.recover()
    assert kept.rooms() == [*(f"#{number}" for number in range(13)), "#30"]
    assert kept.told[1:] == ["The database can be written again. 3 lines were lost."]
    kept.database.add(INSERT, [row(40)])
    kept.wait()
    assert kept.rooms()[-1] == "#40"


@pytest.mark.parametrize("many", [1, 150])
def test_a_row_that_can_never_be_written_is_left_out_and_the_rest_is(kept: Kept, many: int) -> None:
    rows = [row(number) for number in range(many)]
    with logged() as events:
        kept.database.write(INSERT, *row(900))
        kept.database.add(INSERT, [*rows, row(900), ("#x", object()), row(901)])
        kept.database.write("UPDATE rooms SET topic = ?", "tea")
        kept.wait()
    assert sorted(kept.rooms()) == sorted(["#900", *(name for name, _ in rows), "#901"])
    assert kept.other.execute("SELECT DISTINCT topic FROM rooms").fetchall() == [("tea",)]
    assert not kept.told and not kept.database.trouble
    assert len([event for event in events if "left out" in str(event["log_format"])]) == 2


def test_closing_writes_what_waits_and_lets_go_of_the_file(kept: Kept) -> None:
    kept.database.write(INSERT, *row(1))
    closed = kept.database.close()
    again = kept.database.close()
    kept.reactor.result(closed)
    kept.reactor.result(again)
    assert kept.rooms() == ["#1"]
    SQLiteFile(kept.path).close()
    kept.reactor.advance(5)
    with pytest.raises(Trouble):
        kept.reactor.result(kept.database.commit([(INSERT, [row(2)])]))


def test_closing_waits_for_nothing_that_can_not_be_written(kept: Kept) -> None:
    kept.lock()
    kept.database.write(INSERT, *row(1))
    with logged() as events:
        kept.reactor.result(kept.database.close())
    assert [event["rows"] for event in events if "rows" in event] == [1]
    kept.unlock()
    SQLiteFile(kept.path).close()
    assert not kept.reactor.getDelayedCalls()


def test_the_reactor_never_waits_for_the_disk(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()

    def execute(cursor: Any, statements: Any, real: Any = module._execute) -> None:
        threads.add(threading.get_ident())
        real(cursor, statements)

    def work(cursor: Any) -> None:
        threads.add(threading.get_ident())

    def here(*_: object) -> None:
        threads.add(threading.get_ident())

    kept.reactor.result(
        kept.database.run(lambda c: c._connection._connection.set_trace_callback(here))
    )
    threads.clear()
    monkeypatch.setattr(module, "_execute", execute)
    kept.database.write(INSERT, *row(1))
    kept.wait()
    kept.reactor.result(kept.database.commit([(INSERT, [row(2)])]))
    kept.reactor.result(kept.database.run(work))
    assert kept.reactor.result(kept.database.read(ALL))
    assert threads and threading.get_ident() not in threads


def test_at_the_start_it_is_read_at_once(kept: Kept) -> None:
    kept.other.execute(INSERT, row(1))
    assert kept.database.load("SELECT name FROM rooms WHERE room = ?", "#1") == [("#1",)]


def test_whoever_asks_while_it_closes_is_answered(kept: Kept) -> None:
    kept.database.write("INSERT INTO indexed VALUES ('#a', 1)")
    closing = kept.database.close()
    asked: list[Deferred[Any]] = [
        kept.database.commit([("DELETE FROM indexed", [()])]),
        kept.database.read("SELECT 1"),
        kept.database.run(lambda cursor: None),
        kept.database.look(lambda cursor: None),
    ]
    for each in asked:
        with pytest.raises(Trouble):
            kept.reactor.result(each)
    kept.reactor.result(closing)
