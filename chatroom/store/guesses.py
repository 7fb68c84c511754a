"""Guessing at passwords: how many tries a connection and a source have, and what too many bring.

Nothing counts by account, so nobody's guesses lock out an account's owner. From this machine
(loopback and UNIX sockets) only wrong tries count, and only for a minute, or one of its users
would lock out all. Knows no clock, and one that is set back harms nobody: what was counted in its
future is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import islice
from math import ceil
from typing import Generic, TypeVar

from chatroom.admission import source_of
from chatroom.errors import TooMany
from chatroom.phrases import duration

__all__ = [
    "BAN_SECONDS",
    "LOGINS_PER_MINUTE",
    "MOST_SOURCES",
    "REGISTRATIONS_PER_HOUR",
    "TRIES_PER_CONNECTION",
    "TRIES_PER_MINUTE",
    "WRONG_IN_A_ROW",
    "Guesses",
]

LOGINS_PER_MINUTE = 10
"""Right or wrong: each takes some work."""

TRIES_PER_MINUTE = 3
TRIES_PER_CONNECTION = 6
WRONG_IN_A_ROW = 20
"""With less than BAN_SECONDS from each to the next; right ones in between change nothing, since who
guesses may have an account as well."""

BAN_SECONDS = 3600
REGISTRATIONS_PER_HOUR = 3
MOST_SOURCES = 10_000

Ban = Callable[[str, float, float], object]
"""Given a source (an address, or an IPv6 /64 as a network), until when, and now."""

_Kept = TypeVar("_Kept")


class Guesses:
    """`ban` is called where a source has guessed wrong too often, never for this machine."""

    def __init__(self, ban: Ban | None = None) -> None:
        self._ban = ban
        self._logins = _Window(LOGINS_PER_MINUTE, 60)
        self._tries = _Window(TRIES_PER_MINUTE, 60)
        self._registrations = _Window(REGISTRATIONS_PER_HOUR, 3600)
        self._rows: _Table[int] = _Table(BAN_SECONDS)
        self._refused: _Table[float] = _Table(BAN_SECONDS)
        self._by_connection: dict[Hashable, int] = {}

    def ask(self, connection: Hashable, address: str, now: float) -> None:
        """Count a try, which is about to be made. Raises TooMany, and then counts nothing."""
        source = _key(address)
        since = self._refused.get(source, now)
        if since is not None:
            again = duration(ceil(since + BAN_SECONDS - now))
            raise TooMany(f"Too many wrong passwords came from where you are. Wait {again}.")
        tried = self._by_connection.get(connection, 0)
        if tried >= TRIES_PER_CONNECTION:
            raise TooMany(
                f"That was wrong {TRIES_PER_CONNECTION} times. Connect anew to try again."
            )
        self._tries.ask(source, now, "You try to log in too often.")
        if source_of(address):
            self._logins.take(source, now, "You log in too often.")
        self._tries.take(source, now, "")
        self._by_connection[connection] = tried + 1

    def undo(self, connection: Hashable, address: str) -> None:
        """A try was none: it was never compared."""
        self._logins.give_back(_key(address))
        self.right(connection, address)

    def right(self, connection: Hashable, address: str) -> None:
        """A try was right."""
        self._tries.give_back(_key(address))
        tried = self._by_connection.get(connection, 0)
        if tried:
            self._by_connection[connection] = tried - 1

    def wrong(self, address: str, now: float) -> None:
        """A try was wrong."""
        source = source_of(address)
        if not source:
            return
        row = (self._rows.get(source, now) or 0) + 1
        if row < WRONG_IN_A_ROW:
            self._rows.put(source, row, now)
            return
        self._rows.drop(source)
        self._refused.put(source, now, now)
        if self._ban is not None:
            self._ban(source, now + BAN_SECONDS, now)

    def register(self, address: str, now: float) -> None:
        """Count a registration, unless it is from this machine. Raises TooMany."""
        source = source_of(address)
        if source:
            self._registrations.take(source, now, "You register too many nicks.")

    def left(self, connection: Hashable) -> None:
        """Forget a connection."""
        self._by_connection.pop(connection, None)


def _key(address: str) -> str:
    """As `source_of`, but each loopback address and the UNIX sockets ('') count as well."""
    return source_of(address) or address


class _Table(Generic[_Kept]):
    """Something for each source, forgotten `seconds` after it was put there; of too many the
    oldest are forgotten earlier."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: dict[str, tuple[float, _Kept]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, source: str, now: float) -> _Kept | None:
        at, kept = self._kept.get(source, (0.0, None))
        return kept if 0 <= now - at < self._seconds else None

    def put(self, source: str, kept: _Kept, now: float) -> None:
        self._kept.pop(source, None)
        self._kept[source] = now, kept
        # Oldest first, since what is put goes to the end.
        for oldest in tuple(islice(self._kept, 2)):
            if len(self._kept) > MOST_SOURCES or self.get(oldest, now) is None:
                del self._kept[oldest]

    def peek(self, source: str) -> _Kept | None:
        """What is kept, whatever its age."""
        return self._kept.get(source, (0.0, None))[1]

    def drop(self, source: str) -> None:
        self._kept.pop(source, None)


class _Window:
    """At most `most` of something in `seconds`, for each source."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._times: _Table[list[float]] = _Table(seconds)

    def take(self, source: str, now: float, refusal: str) -> None:
        """Count one. Raises TooMany with `refusal`."""
        self._times.put(source, [*self.ask(source, now, refusal), now], now)

    def ask(self, source: str, now: float, refusal: str) -> list[float]:
        """When those were that count. Raises TooMany with `refusal` if there is no room for one
        more."""
        times = self._times.get(source, now) or []
        times = [at for at in times if 0 <= now - at < self._seconds]
        if len(times) >= self._most:
            raise TooMany(f"{refusal} Wait {duration(ceil(times[0] + self._seconds - now))}.")
        return times

    def give_back(self, source: str) -> None:
        """The last one does not count."""
        times = self._times.peek(source)
        if times:
            times.pop()
