"""What is measured: who is there (a layout), and what they do (its loads). Tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

__all__ = ["FULL", "QUICK", "Layout", "Load", "Plan"]


class Load(NamedTuple):
    """`closed`: `size` lines under way in each room, each followed by the next when it has
    reached everyone. `open`: `size` lines a second, whatever becomes of them."""

    kind: Literal["closed", "open"]
    size: int

    @property
    def name(self) -> str:
        """As tables and targets call it."""
        return f"W={self.size}" if self.kind == "closed" else f"{self.size}/s"


def window(*sizes: int) -> tuple[Load, ...]:
    """Closed loops."""
    return tuple(Load("closed", size) for size in sizes)


@dataclass(frozen=True)
class Layout:
    """`members` and `senders` are those of one room; the senders listen, too. `text` is the
    bytes of a line without what the protocol adds. `slow` are members that never read, not
    counted among the others. With `private`, each room is a pair, and one writes to the other
    alone. At most `at_once` are on their way in at one time; over `idle_seconds` nothing is
    said, once all are in. `warm_up` seconds go before each load, the plan's if it is 0."""

    name: str
    says: str
    loads: tuple[Load, ...]
    members: int = 100
    senders: int = 10
    rooms: int = 1
    text: int = 64
    slow: int = 0
    private: bool = False
    tls: bool = False
    at_once: int = 1000
    idle_seconds: float = 0.0
    warm_up: float = 0.0

    @property
    def people(self) -> int:
        """Connections in all."""
        return self.members * self.rooms + self.slow


class Plan(NamedTuple):
    """`rounds` of everything, but none that would end after `most_seconds`. Each load runs for
    `seconds`, an open one for `open_seconds` (few lines have no p99), after `warm_up` seconds."""

    layouts: tuple[Layout, ...]
    rounds: int
    seconds: float
    open_seconds: float
    warm_up: float
    most_seconds: float


ROOM = Layout(
    "room-100",
    "One room of 100, 10 of them sending, 64-byte lines",
    (*window(1, 8, 16, 64, 512), Load("open", 200)),
)
TLS = replace(ROOM, name="tls-100", says="The same over TLS", loads=window(8, 64), tls=True)


def _sized(members: int, **more: float) -> Layout:
    return replace(
        ROOM,
        name=f"room-{members}",
        says=f"One room of {members:,}",
        members=members,
        senders=min(10, members),
        loads=window(16),
        idle_seconds=more.get("idle_seconds", 0.0),
    )


def _lines_of(text: int) -> Layout:
    return replace(
        ROOM, name=f"text-{text}", says=f"{text}-byte lines", text=text, loads=window(64)
    )


FULL = Plan(
    (
        ROOM,
        TLS,
        _sized(2),
        _sized(10),
        _sized(1000),
        _sized(5000),
        _sized(10000, idle_seconds=2.0),
        replace(
            ROOM,
            name="rooms-1000",
            says="1,000 rooms of 10, one line under way in each",
            rooms=1000,
            members=10,
            senders=2,
            loads=window(1),
            at_once=500,
        ),
        _lines_of(16),
        _lines_of(400),
        _lines_of(512),
        replace(
            _lines_of(400),
            name="slow-reader",
            says="400-byte lines, and a member that never reads",
            slow=1,
            warm_up=3.0,  # until what servers keep for it is full
        ),
        replace(
            ROOM,
            name="private",
            says="50 pairs, one line under way in each, to the other alone",
            rooms=50,
            members=2,
            senders=1,
            private=True,
            loads=window(1),
        ),
    ),
    rounds=5,
    seconds=1.0,
    open_seconds=4.0,
    warm_up=0.3,
    most_seconds=10_000.0,
)

QUICK = Plan(
    (
        replace(ROOM, loads=(*window(1, 8, 64, 512), Load("open", 200))),
        replace(TLS, loads=window(64)),
    ),
    rounds=3,
    seconds=0.2,
    open_seconds=0.5,
    warm_up=0.05,
    most_seconds=70.0,
)
