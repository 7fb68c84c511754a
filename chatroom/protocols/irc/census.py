"""How many are invisible and how many run the server: counted by looking at everyone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from chatroom.hub import Hub

__all__ = ["Census", "Counted"]

_LARGE: Final = 500
"""To count so many takes 0.2 ms."""
_SECONDS: Final = 1.0


class Counted(NamedTuple):
    """Of those in the hub."""

    invisible: int
    operators: int


class Census:
    """Counts a hub's members; `seconds` is a clock that does not step."""

    def __init__(self, hub: Hub, seconds: Callable[[], float]) -> None:
        self._hub = hub
        self._seconds = seconds
        self._last = Counted(0, 0)
        self._at: float | None = None

    def take(self, *, roughly: bool = False) -> Counted:
        """Count. `roughly`, of a crowd the last count will do if it is no older than a second:
        everyone who comes is told, and 10,000 who come at once would be counted 50 million
        times."""
        members, now = self._hub.members, self._seconds()
        is_recent = self._at is not None and now - self._at < _SECONDS
        if not (roughly and is_recent and len(members) >= _LARGE):
            runs = self._hub.authority.is_server_operator
            self._at = now
            self._last = Counted(
                sum("i" in getattr(member.door, "modes", ()) for member in members.values()),
                sum(map(runs, members.values())),
            )
        return Counted(*(min(number, len(members)) for number in self._last))
