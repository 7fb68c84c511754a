"""What one peer may ask of everyone else: the numbers, and the buckets that count.

Knows no clock: every call takes `now`, in seconds of any clock. A clock that
is set back costs nobody anything (the bucket takes the new time as its own).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Limits", "Rate", "TokenBucket"]


class Rate(NamedTuple):
    """So many at once, then so many a second."""

    burst: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit, declared once: name, default, meaning. `None` is `off`."""

    connections: int | None = field(
        default=4096,
        metadata={"help": "Connections in all; one more is told the server is full, and closed."},
    )
    connections_per_address: int | None = field(
        default=64,
        metadata={"help": "Connections from one address (IPv6: one /64; loopback is exempt)."},
    )
    line_bytes: int | None = field(
        default=1024,
        metadata={"help": "Bytes in a line, its end not counted; a longer one is refused whole."},
    )
    lines: Rate | None = field(
        default=Rate(10, 2),
        metadata={"help": "Lines at once, then a second; past that, reading from the peer waits."},
    )
    outbox_bytes: int | None = field(
        default=1048576,
        metadata={"help": "Bytes kept for a slow reader; past that, lines are skipped."},
    )
    stall_seconds: int | None = field(
        default=30,
        metadata={"help": "Seconds that a peer which is behind may take nothing."},
    )
    idle_seconds: int | None = field(
        default=86400,
        metadata={"help": "Seconds that a peer may send no whole line; then it is closed."},
    )
    rooms_per_member: int | None = field(
        default=20,
        metadata={"help": "Rooms that one member may be in."},
    )
    nick_changes: int | None = field(
        default=6,
        metadata={"help": "Nick changes a minute for one member."},
    )
    joins: int | None = field(
        default=20,
        metadata={"help": "Joins a minute for one member."},
    )
    recent: int | None = field(
        default=50,
        metadata={"help": "Lines kept in each room and shown to who joins; off keeps none."},
    )


class TokenBucket:
    """`burst` tokens at once, `per_second` more each second, never more than `burst`."""

    __slots__ = ("_burst", "_per_second", "_tokens", "_updated")

    def __init__(self, rate: Rate, now: float) -> None:
        self._burst = float(rate.burst)
        self._per_second = rate.per_second
        self._tokens = self._burst
        self._updated = now

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        elapsed = now - self._updated
        self._updated = now
        tokens = self._tokens
        if elapsed > 0.0:
            tokens = min(self._burst, tokens + elapsed * self._per_second)
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True

    def wait(self) -> float:
        """Seconds from the last `take` until the next one can succeed."""
        return max(0.0, 1.0 - self._tokens) / self._per_second
