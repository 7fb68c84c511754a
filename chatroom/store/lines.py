"""What was said and done in rooms, as rows of the table `lines`, and back as events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from chatroom.events import (
    Acted,
    Event,
    Joined,
    Kicked,
    Left,
    Notice,
    Redacted,
    Renamed,
    Said,
    TopicSet,
)
from chatroom.store.database import Row

__all__ = ["ADD", "KINDS", "SHOWN", "TAKEN_OUT", "event", "events", "rows"]

KINDS: tuple[type[Event], ...] = (
    Said, Acted, Joined, Left, Renamed, TopicSet, Notice, Kicked, Redacted,
)  # fmt: skip
"""By the number that stands for each in the database: MUST NOT be reordered."""

_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
TAKEN_OUT = _NUMBERS[Redacted]

SHOWN = "(0, 1, 8)"
"""In SQL, the kinds that are shown again to members: what was said, and what was taken out."""

ADD = "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

# What `text` and `other` hold of each kind; of a line that was taken out, why, and who did it.
_HELD: dict[type[Event], Callable[[Any], tuple[str | None, str | None]]] = {
    Said: lambda event: (event.text, None),
    Acted: lambda event: (event.text, None),
    Joined: lambda event: (None, None),
    Left: lambda event: (event.reason, None),
    Renamed: lambda event: (event.nick, None),
    TopicSet: lambda event: (event.topic, None),
    Notice: lambda event: (event.text, None),
    Kicked: lambda event: (event.reason, event.by),
}


def rows(room: str, posted: Sequence[Event]) -> list[Row]:
    """A row for each event that was posted to a room, by its folded name. That a line was taken
    out is told by the line's own row."""
    found = []
    for event in posted:
        kind = type(event)
        if kind is Redacted:
            continue
        shown = None if event.shown == event.sender else event.shown
        time = int(event.time * 1000)
        # This is the way of every line.
        text, other = (event.text, None) if isinstance(event, Said) else _HELD[kind](event)
        found.append((room, event.id, time, _NUMBERS[kind], event.sender, shown, text, other))
    return found


def event(room: str, row: Sequence[Any]) -> Event:
    """The event of a row without its first column; `room` is the room's name."""
    id, milliseconds, number, nick, shown, text, other = row
    kind: Any = KINDS[number]
    about = id, milliseconds / 1000, room, nick, shown or nick
    if kind is Redacted:
        return Redacted(*about[:3], other or "", other or "", id, shown or nick, text or "")
    if kind is Joined:
        return Joined(*about, 0)
    if kind is Left:
        return Left(*about, 0, text or "")
    if kind is Kicked:
        return Kicked(*about, 0, text or "", other or "")
    made: Event = kind(*about, text or "")
    return made


def events(room: str, found: Iterable[Sequence[Any]]) -> list[Event]:
    """Rows that were read newest first, as events in their order."""
    return [event(room, row) for row in found][::-1]
