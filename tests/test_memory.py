"""A database in memory answers at once, and forgets."""

from __future__ import annotations

import sqlite3

import pytest
from twisted.internet.defer import Deferred

from chatroom.store.memory import MemoryDatabase

INSERT = "INSERT INTO rooms (room, name) VALUES (?, ?)"
ALL = "SELECT room FROM rooms ORDER BY room"


def test_what_is_written_is_there_at_once_however_it_is_written_and_read() -> None:
    database = MemoryDatabase()
    done: list[object] = []
    database.write(INSERT, "#a", "#A")
    database.add(INSERT, [("#b", "#B"), ("#c", "#C")])
    database.commit([(INSERT, [("#d", "#D")])]).addCallback(done.append)
    database.run(lambda cursor: cursor.execute(INSERT, ("#e", "#E")).rowcount).addCallback(
        done.append
    )
    database.flush().addCallback(done.append)
    database.read(ALL).addCallback(done.append)
    rooms = [("#a",), ("#b",), ("#c",), ("#d",), ("#e",)]
    assert done == [None, 1, None, rooms]
    assert database.load(ALL) == rooms


@pytest.mark.parametrize("sql", ["SELECT nothing", "no SQL"])
def test_what_can_not_be_read_fails_as_it_would_in_a_thread(sql: str) -> None:
    failed: Deferred[object] = Deferred()
    MemoryDatabase().read(sql).addBoth(failed.callback)
    assert isinstance(failed.result.value, sqlite3.OperationalError)  # type: ignore[attr-defined]


def test_each_is_another_and_ends_with_the_process() -> None:
    first = MemoryDatabase()
    first.write(INSERT, "#a", "#a")
    first.close()
    assert MemoryDatabase().load(ALL) == []
