"""A database in memory, for a chat that keeps nothing: it answers at once, and ends with the
process."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred, execute, succeed

from chatroom.store.database import Database, Row, Rows, Statement
from chatroom.store.sqlitefile import migrations

__all__ = ["MemoryDatabase"]


class MemoryDatabase(Database):
    """Has the newest schema, and nothing in it."""

    def __init__(self) -> None:
        self.trouble = ""
        self.written = 0
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for script in migrations():
            self.connection.executescript(script)

    def load(self, sql: str, *parameters: object) -> Rows:
        return self.connection.execute(sql, parameters).fetchall()

    def write(self, sql: str, *parameters: object) -> None:
        self.add(sql, [parameters])

    def add(self, sql: str, rows: list[Row]) -> None:
        self.connection.executemany(sql, rows)

    def commit(self, statements: Iterable[Statement]) -> Deferred[None]:
        for sql, rows in statements:
            self.add(sql, rows)
        return succeed(None)

    def flush(self) -> Deferred[None]:
        return succeed(None)

    def run(self, work: Callable[[Any], Any]) -> Deferred[Any]:
        return execute(work, self.connection.cursor())

    def look(self, work: Callable[[Any], Any]) -> Deferred[Any]:
        return self.run(work)

    def read(self, sql: str, *parameters: object) -> Deferred[Rows]:
        return execute(self.load, sql, *parameters)

    def abandon(self) -> None:
        pass

    def close(self) -> Deferred[None]:
        return succeed(None)
