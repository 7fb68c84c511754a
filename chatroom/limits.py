"""What one peer may ask of everyone else: the numbers, and the buckets that count.

Knows no clock: every call takes `now`, in seconds of any clock. A clock that
is set back costs nobody anything (the bucket takes the new time as its own).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Limits", "Rate", "TokenBucket"]


class Rate(NamedTuple):
    """So many at once, then so many a second."""

    burst: int
    per_second: float


def _limit(default: object, help: str, **bounds: int) -> Any:
    return field(default=default, metadata={"help": help, **bounds})


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit, declared once: name, default, meaning. `None` is `off`.

    Beyond `least` and `most` a number is a typing error: it would protect from nothing, or
    let nobody in.
    """

    connections: int | None = _limit(
        4096,
        "Connections in all; one more is told the server is full, and closed.",
        most=1_000_000,
    )
    connections_per_address: int | None = _limit(
        64,
        "Connections from one address (IPv6: one /64; loopback is exempt).",
        most=1_000_000,
    )
    line_bytes: int | None = _limit(
        1024,
        "Bytes in a line, its end not counted; a longer one is refused whole.",
        least=64,
        most=1_048_576,
    )
    lines: Rate | None = _limit(
        Rate(10, 2),
        "Lines at once, then a second; past that, reading from the peer waits.",
        most=1_000_000,
    )
    outbox_bytes: int | None = _limit(
        1048576,
        "Bytes kept for a slow reader; past that, lines are skipped.",
        least=4096,
        most=1_073_741_824,
    )
    stall_seconds: int | None = _limit(
        30,
        "Seconds that a peer which is behind may take nothing.",
        most=86_400,
    )
    idle_seconds: int | None = _limit(
        86400,
        "Seconds that a peer may send no whole line; then it is closed.",
        most=31_536_000,
    )
    rooms_per_member: int | None = _limit(
        20,
        "Rooms that one member may be in.",
        most=10_000,
    )
    nick_changes: int | None = _limit(
        6,
        "Nick changes a minute for one member.",
        most=10_000,
    )
    joins: int | None = _limit(
        20,
        "Joins a minute for one member.",
        most=10_000,
    )
    recent: int | None = _limit(
        50,
        "Lines kept in each room and shown to who joins; off keeps none.",
        most=10_000,
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
