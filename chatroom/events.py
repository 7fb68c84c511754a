"""What happens in a chat, as immutable facts. Knows nothing of how they are shown.

Every event has an `id` that orders it among all events of its hub, and a `time`
in seconds since the epoch, for display only: the wall clock may step, ids do not.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Acted",
    "Event",
    "Joined",
    "Left",
    "Notice",
    "Renamed",
    "Replayed",
    "Said",
    "Told",
    "TopicSet",
    "Welcomed",
]


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """`room` is None for what belongs to no room. `shown` is how `sender`, a nick, is
    to be written (its address, for guests who are shown so)."""

    id: int
    time: float
    room: str | None
    sender: str
    shown: str


@dataclass(frozen=True, slots=True, eq=False)
class Said(Event):
    """A line said in a room."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Acted(Event):
    """A line that tells what its sender does (`/me waves`)."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Told(Event):
    """A private line to one nick; its sender gets one as well, marked as the echo."""

    to: str
    text: str
    echo: bool


@dataclass(frozen=True, slots=True, eq=False)
class Joined(Event):
    """`here` counts the room's members after it."""

    here: int


@dataclass(frozen=True, slots=True, eq=False)
class Left(Event):
    """Left a room, or the chat. `here` counts the room's members after it."""

    here: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Renamed(Event):
    """`sender` is called `nick` from now on. One event, posted to each of its rooms."""

    nick: str


@dataclass(frozen=True, slots=True, eq=False)
class TopicSet(Event):
    """An empty topic clears it."""

    topic: str


@dataclass(frozen=True, slots=True, eq=False)
class Notice(Event):
    """The server speaks: a reply to one member, or word to a room."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Welcomed(Event):
    """The first line that a connection gets."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Replayed(Event):
    """Earlier lines, shown again with the day and time they were said."""

    events: tuple[Event, ...]
