"""A database file, written by one thread and read by another. Nothing here waits in the reactor.

What is written is queued, in order, and goes to the disk some moments later in one transaction.
While the disk is full or the file locked, the queue waits, within bounds, and is tried again. All
that is SQLite's alone is here and in `sqlitefile`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain
from threading import Event
from typing import Any

from twisted.enterprise.adbapi import ConnectionPool
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.store.sqlitefile import SQLiteFile

__all__ = ["MOST_WAITING", "TROUBLE", "Database", "Row", "Rows", "Statement", "Trouble"]

Row = tuple[Any, ...]
Rows = list[Row]
Statement = tuple[str, list[Row]]
"""SQL, and the parameters of each time it is executed."""

MOST_WAITING = 100_000
"""Rows that may wait for the disk before those are dropped that may be (`add`)."""

# Lines are on disk within 100 ms of being shown, the time to write them included.
_WAIT_SECONDS = 0.05
_RETRY_SECONDS = 1.0
_CONNECT_SECONDS = 10.0

# What the disk, or who else has the file open, brings about, and time may mend.
TROUBLE = (sqlite3.OperationalError, sqlite3.DatabaseError)
# What no waiting mends.
_MISTAKE = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    ValueError,
    OverflowError,
)

# Rows that are inserted by one statement.
_TOGETHER = 100
_VALUES = re.compile(r"(?<=VALUES )(\([?, ]+\))")

_CLOSED = "the database is closed"

_log = Logger("chatroom")


class Trouble(Exception):
    """Nothing can be written for now."""


class Database:
    """`file` is open when this is made. `tell` is given a sentence for the operators when nothing
    can be written any more, and when it can again. `written` counts rows."""

    def __init__(self, file: SQLiteFile, reactor: Any, tell: Callable[[str], object]) -> None:
        self.file = file
        self._reactor = reactor
        self._tell = tell
        self._queue: list[Statement] = []
        self._rows = 0
        self._dropped = 0
        self.written = 0
        self._under_way: Deferred[None] | None = None
        self._flushes: list[Deferred[None]] = []  # after the one that is under way
        self._timer: IDelayedCall | None = None
        self._closing = self._closed = False
        self.trouble = ""
        self._writer = self._pool()
        self._reader = self._pool()

    def _pool(self) -> ConnectionPool:
        pool = ConnectionPool(
            "sqlite3",
            **self.file.connect_arguments,
            cp_min=1,
            cp_max=1,
            cp_reactor=self._reactor,
            cp_openfun=self.file.prepare,
        )
        pool.start()
        # Connect now, so that all files are open that ever will be.
        connected = Event()
        pool.threadpool.callInThreadWithCallback(lambda *_: connected.set(), pool.connect)
        connected.wait(_CONNECT_SECONDS)
        return pool

    # At the start

    def load(self, sql: str, *parameters: object) -> Rows:
        """What a query finds, at once: for the start, before the reactor runs."""
        return self.file.query(sql, *parameters)

    # Writing

    def write(self, sql: str, *parameters: object) -> None:
        """Execute this soon, after all that was given before."""
        self._put(sql, [parameters])

    def add(self, sql: str, rows: list[Row]) -> None:
        """Execute this for each row soon; but while too many wait, drop them."""
        if self._rows > MOST_WAITING:
            self._dropped += len(rows)
        else:
            self._put(sql, rows)

    def commit(self, statements: Iterable[Statement]) -> Deferred[None]:
        """Execute these, after all that was given before, and fire once they are on the disk.
        Fails with Trouble where that can't be, and has then done none of them."""
        if self.trouble or self._closing:
            return fail(Trouble(self.trouble or _CLOSED))
        return self._after_this_one(lambda: self._commit(list(statements), keep=False))

    def flush(self) -> Deferred[None]:
        """Fires when all that was given until now was tried."""
        if self._under_way is None:
            return self._commit([], keep=True)
        # Thousands may wait, such as who looks back into the rooms that they make: for one.
        if not self._flushes:
            self._after_this_one(self._flush_for_all)
        waiting: Deferred[None] = Deferred()
        self._flushes.append(waiting)
        return waiting

    def _flush_for_all(self) -> Deferred[None]:
        waiting, self._flushes = self._flushes, []

        def done(_: object) -> None:
            for each in waiting:
                each.callback(None)

        return self._commit([], keep=True).addCallback(done)

    def run(self, work: Callable[[Any], Any]) -> Deferred[Any]:
        """Call `work` with a cursor in the thread that writes, as one transaction, after all that
        was given before."""
        if self._closing:
            return fail(Trouble(_CLOSED))
        return self.flush().addCallback(lambda _: self._writer.runInteraction(work))

    def look(self, work: Callable[[Any], Any]) -> Deferred[Any]:
        """Call `work` with a cursor in the thread that reads."""
        if self._closing:
            return fail(Trouble(_CLOSED))
        looking: Deferred[Any] = self._reader.runInteraction(work)
        return looking

    def read(self, sql: str, *parameters: object) -> Deferred[Rows]:
        """What a query finds, with all that was written before, unless that still waits."""
        if self._closing:
            return fail(Trouble(_CLOSED))
        flushed = succeed(None) if self.trouble else self.flush()
        return flushed.addCallback(lambda _: self._reader.runQuery(sql, parameters)).addCallback(
            list
        )

    def close(self) -> Deferred[None]:
        """Write what waits, and let go of the file."""

        def done(_: object) -> None:
            """All was tried: what still waits is lost, and told of."""
            if self._closed:  # asked for twice
                return
            self._closed = True
            if self._rows:
                _log.error("{rows} rows could not be written, and are lost.", rows=self._rows)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self.abandon()

        if self._closed:
            return succeed(None)
        self._closing = True
        return self.flush().addBoth(done)

    def abandon(self) -> None:
        """Let go of the file at once, whatever waits: for a start that fails."""
        self._closing = self._closed = True
        for pool in (self._writer, self._reader):
            pool.close()
        self.file.close()

    # Inside

    def _put(self, sql: str, rows: list[Row]) -> None:
        if self._queue and self._queue[-1][0] is sql:
            self._queue[-1][1].extend(rows)
        else:
            self._queue.append((sql, list(rows)))
        self._rows += len(rows)
        self._soon(_WAIT_SECONDS)

    def _soon(self, seconds: float) -> None:
        if self._timer is None and not self._closed:
            self._timer = self._reactor.callLater(seconds, self._due)

    def _due(self) -> None:
        self._timer = None
        if self._under_way is None:
            self._commit([], keep=True)

    def _after_this_one(self, begin: Callable[[], Deferred[None]]) -> Deferred[None]:
        """Begin now, or when the transaction that is under way is over."""
        if self._under_way is None:
            return begin()
        waiting: Deferred[None] = Deferred()

        def over(_: object) -> None:
            self._after_this_one(begin).chainDeferred(waiting)

        self._under_way.addCallback(over)
        return waiting

    def _commit(self, statements: list[Statement], *, keep: bool) -> Deferred[None]:
        """Execute all that waits, and these; if that fails, `keep` says whether they wait on."""
        queue, self._queue, self._rows = self._queue, [], 0
        if not queue and not statements and not self.trouble:
            return succeed(None)
        over = self._under_way = Deferred()
        done: Deferred[None] = Deferred()

        def finish(result: object) -> None:
            """It is over: what failed waits on if it is to, and whoever waits is told."""
            self._under_way = None
            if isinstance(result, Failure):
                self._queue[:0] = queue + (statements if keep else [])
                self._rows = sum(len(rows) for _, rows in self._queue)
                self._fails(str(result.value))
                if keep:
                    done.callback(None)
                else:
                    done.errback(Trouble(self.trouble))
            else:
                self.written += sum(len(rows) for _, rows in queue)
                self._succeeds()
                done.callback(None)
            over.callback(None)

        probe = [*self.file.probe] if self.trouble else []
        work = self._writer.runInteraction(_execute, probe + queue + statements)
        work.addErrback(self._is_trouble).addBoth(finish)
        return done

    @staticmethod
    def _is_trouble(failure: Failure) -> Failure:
        if not failure.check(*TROUBLE):
            _log.failure("Could not write to the database", failure)
        return failure

    def _fails(self, why: str) -> None:
        if not self.trouble:
            self.trouble = why
            self._say(f"The database can't be written ({why}). It is tried again each second.")
        self._soon(_RETRY_SECONDS)

    def _say(self, sentence: str) -> None:
        try:
            self._tell(sentence)
        except Exception:  # whoever waits for this transaction must hear of its end all the same
            _log.failure("The operators could not be told: {sentence}", sentence=sentence)

    def _succeeds(self) -> None:
        if self.trouble:
            lost = f" {self._dropped} lines were lost." if self._dropped else ""
            self.trouble, self._dropped = "", 0
            self._say(f"The database can be written again.{lost}")
        if self._queue:
            self._soon(_WAIT_SECONDS)


def _execute(cursor: Any, statements: list[Statement]) -> None:
    """In the thread: one transaction. What can never succeed is left out, and logged, so that it
    does not keep back all that comes after it."""
    cursor.execute("BEGIN IMMEDIATE")
    for sql, rows in statements:
        cursor.execute("SAVEPOINT each")
        try:
            together = _together(sql) if len(rows) >= _TOGETHER else ""
            end = len(rows) - len(rows) % _TOGETHER if together else 0
            for start in range(0, end, _TOGETHER):
                some = rows[start : start + _TOGETHER]
                cursor.execute(together, list(chain.from_iterable(some)))
            cursor.executemany(sql, rows[end:])
        except _MISTAKE:
            cursor.execute("ROLLBACK TO each")
            _each(cursor, sql, rows)
        cursor.execute("RELEASE each")


@lru_cache(64)
def _together(sql: str) -> str:
    """The statement for so many rows at once, if there can be one: of 500 lines each took 5.5 us
    one by one, and takes 3.5 so."""
    if not _VALUES.search(sql):
        return ""
    before, values, after = _VALUES.split(sql)
    return f"{before}{', '.join([values] * _TOGETHER)}{after}"


def _each(cursor: Any, sql: str, rows: list[Row]) -> None:
    for row in rows:
        try:
            cursor.execute(sql, row)
        except _MISTAKE:
            _log.failure("The database refused a row, which is left out: {sql}", sql=sql)
