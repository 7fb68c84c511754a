"""What is too old, or too much, goes: a little at a time, in the thread that writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from chatroom.store import words
from chatroom.store.database import TROUBLE, Database
from chatroom.store.lines import is_talk

__all__ = ["Retention"]

# One step takes some 10 ms, in which nothing else is written.
_STEP = 500
_PAUSE_SECONDS = 0.1
_REST_SECONDS = 30.0
_INDEXED = 2000

# The index takes as much as all else that is kept. It waits while more rows than this come in a
# pause, until /search asks for it.
_BUSY = 500

_LINES = "SELECT id, kind, nick, text, time FROM lines WHERE room = ? ORDER BY id LIMIT ?"

_log = Logger("chatroom")


class Retention:
    """Looks after one room at a time: brings what was said into the index for /search, and
    removes lines that are older than `seconds` or come before the last `lines`; None is no limit.
    Nothing is kept in memory but which room is next. `is_open`, which is called in a thread,
    tells whether somebody is in a room, by its folded name.
    """

    def __init__(
        self,
        database: Database,
        reactor: Any,
        clock: Callable[[], float],
        seconds: int | None,
        lines: int | None,
        is_open: Callable[[str], bool],
    ) -> None:
        self._database = database
        self._reactor = reactor
        self._clock = clock
        self.seconds = seconds
        self.lines = lines
        self._is_open = is_open
        self._last = ""
        self._written = 0
        self._timer: IDelayedCall | None = None
        self._running = False

    def start(self) -> None:
        """Begin, and go on until `stop`."""
        self._running = True
        self._later(_PAUSE_SECONDS)

    def stop(self) -> None:
        """No step begins any more."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _later(self, seconds: float) -> None:
        if self._running:
            self._timer = self._reactor.callLater(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        busy = self._database.written - self._written > _BUSY
        self._written = self._database.written
        if self._database.trouble or busy:
            self._later(_PAUSE_SECONDS if busy else _REST_SECONDS)
            return
        self.step().addCallback(lambda more: self._later(_PAUSE_SECONDS if more else _REST_SECONDS))

    def step(self) -> Deferred[bool]:
        """One step; fires with whether there is more to be done at once."""

        def failed(failure: Any) -> bool:
            if failure.check(*TROUBLE):  # a full disk: whatever is written next tells of it
                _log.warn(
                    "The store could not be looked after: {error}. It is tried again.",
                    error=failure.getErrorMessage(),
                )
            else:
                _log.failure("Could not look after the store", failure)
            return False

        return self._database.run(self._work).addErrback(failed)

    def _work(self, cursor: Any) -> bool:
        """In the thread."""
        for room in words.behind(cursor):
            words.index(cursor, room, _INDEXED)
            return True
        cursor.execute("SELECT min(room) FROM rooms WHERE room > ?", (self._last,))
        (room,) = cursor.fetchone()
        if room is None:
            self._last = ""
            return False
        if not self._remove(cursor, room):
            self._last = room
        return True

    def _remove(self, cursor: Any, room: str) -> bool:
        """Remove some lines of a room; whether there may be more to remove."""
        too_many = self._first_kept(cursor, room)
        too_old = None if self.seconds is None else (self._clock() - self.seconds) * 1000
        cursor.execute(_LINES, (room, _STEP))
        found = cursor.fetchall()
        # The clock may have stepped, the ids have not: up to the last that is too old or too much.
        gone = 0
        for number, line in enumerate(found, 1):
            if line[0] < too_many or (too_old is not None and line[4] < too_old):
                gone = number
        if gone:
            words.delete(cursor, room, [line[:4] for line in found[:gone]])
            cursor.execute(
                "DELETE FROM lines WHERE room = ? AND id <= ?", (room, found[gone - 1][0])
            )
        if not found[gone:] and len(found) < _STEP and not self._is_open(room):
            self._forget(cursor, room)
        return gone == _STEP

    def _first_kept(self, cursor: Any, room: str) -> int:
        """The id of the oldest line that is one of the last so many."""
        if self.lines is None:
            return -(2**62)
        cursor.execute(
            "SELECT id FROM lines WHERE room = ? ORDER BY id DESC LIMIT 1 OFFSET ?",
            (room, self.lines - 1),
        )
        (id,) = cursor.fetchone() or (-(2**62),)
        return int(id)

    def _forget(self, cursor: Any, room: str) -> None:
        """A room of which nothing is kept, and which is nobody's, is not remembered."""
        cursor.execute("DELETE FROM indexed WHERE room = ?", (room,))
        cursor.execute("DELETE FROM rooms WHERE room = ? AND owner = ''", (room,))
        if is_talk(room):
            cursor.execute("DELETE FROM talks WHERE room = ?", (room,))
