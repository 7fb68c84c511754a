"""Who was here: a bounded memory of those who left or took another nick, at whatever door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from chatroom.guard import Guard
from chatroom.identity import Identity
from chatroom.member import Member
from chatroom.names import fold

__all__ = ["Past", "Was"]

_MOST_NICKS: Final = 2000
_MOST_OF_ONE: Final = 10


class Was(NamedTuple):
    """Somebody who was called `nick`, until `until` (seconds since the epoch)."""

    nick: str
    who: Identity
    address: str
    until: float


class Past(Guard):
    """Remembers the last ten of each of the last 2,000 nicks. `wall` tells the time of day."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        # The longest unused nick first. Tuples, since most have one entry: a deque takes 760 bytes,
        # in blocks that keep what thousands of clients leave behind from being given back.
        self._by_nick: dict[str, tuple[Was, ...]] = {}

    def of(self, nick: str) -> list[Was]:
        """Those who were called so, the last one first."""
        return list(self._by_nick.get(fold(nick), ()))

    def renamed(self, member: Member, was: str, now: float) -> None:
        if fold(was) != member.folded:
            self._keep(Was(was, member.who, member.address, now))

    def left(self, member: Member) -> None:
        self._keep(Was(member.nick, member.who, member.address, self._wall()))

    def _keep(self, was: Was) -> None:
        folded = fold(was.nick)
        self._by_nick[folded] = (was, *self._by_nick.pop(folded, ()))[:_MOST_OF_ONE]
        if len(self._by_nick) > _MOST_NICKS:
            del self._by_nick[next(iter(self._by_nick))]
