"""A database in memory that can fail, for the tests of what is kept."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred, fail

from chatroom.store.database import Row, Statement, Trouble
from chatroom.store.memory import MemoryDatabase

__all__ = ["Stored"]


class Stored(MemoryDatabase):
    """With `trouble` set, nothing is written, and what would wait is in `waiting`."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Statement] = []

    def add(self, sql: str, rows: list[Row]) -> None:
        if self.trouble:
            self.waiting.append((sql, rows))
        else:
            super().add(sql, rows)

    def commit(self, statements: Iterable[Statement]) -> Deferred[None]:
        return fail(Trouble(self.trouble)) if self.trouble else super().commit(statements)
