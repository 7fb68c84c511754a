"""How events read on the line protocol: UTF-8, CRLF, one event a line.

    <alice> hi                      said
    * alice waves                   /me
    [alice -> you] hi               to you alone
    [you -> bob] hi                 your own, to one alone
    -- bob joined (4 here)          what the server says
    [#ops] <carol> hi               from another room than the one you talk in
    [12:03] <alice> hi              with /timestamp time
    [2026-11-22 12:03] <alice> hi   said earlier, shown again

User text always follows a prefix that the server wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from chatroom.events import (
    Acted,
    Event,
    Joined,
    Left,
    Notice,
    Renamed,
    Replayed,
    Said,
    Told,
    TopicSet,
    Welcomed,
)
from chatroom.member import Bell, Timestamps
from chatroom.phrases import listed
from chatroom.text import mentions

__all__ = ["LineView", "line_view"]

_MOST_NAMED = 5


class LineView:
    """One way to write events. `room` is the one that goes without saying; `nick`, folded,
    matters only to the bell. Made by `line_view`, so that equal ones are the same one."""

    __slots__ = ("_bell", "_nick", "_plain", "_room", "_timestamps")

    def __init__(self, timestamps: Timestamps, room: str, bell: Bell, nick: str) -> None:
        self._timestamps = timestamps
        self._room = room
        self._bell = bell
        self._nick = nick
        self._plain = timestamps == "off" and bell == "off"

    def render(self, events: Sequence[Event]) -> list[str]:
        """A line for each event; joins and leaves that stand together are told in the last
        one's."""
        lines: list[str] = []
        for event in events:
            # Most events are these, and this is the way of every line.
            if type(event) is Said and self._plain and event.room == self._room:
                lines.append(f"<{event.shown}> {event.text}\r\n")
            elif isinstance(event, (Joined, Left)):
                return [line for run in groupby(events, _together) for line in self._run(*run)]
            else:
                lines.append(self._line(event, _FORMATS[type(event)](event)))
        return lines

    def join(self, frames: Sequence[str]) -> bytes:
        """The lines' bytes."""
        return "".join(frames).encode()

    def _run(self, key: object, run: Iterable[Any]) -> list[str]:
        events = list(run)
        if key is None or len(events) == 1:
            return [self._line(event, _FORMATS[type(event)](event)) for event in events]
        last = events[-1]
        did = "joined" if isinstance(last, Joined) else "left"
        names = listed([event.shown for event in events], most=_MOST_NAMED)
        return [""] * (len(events) - 1) + [self._line(last, _presence(names, did, last))]

    def _line(self, event: Event, text: str) -> str:
        room = f"[{event.room}] " if event.room is not None and event.room != self._room else ""
        bell = "\a" if self._rings(event) else ""
        return f"{bell}{self._time(event)}{room}{text}\r\n"

    def _time(self, event: Event) -> str:
        if isinstance(event, Replayed):
            return _stamp(event.event.time // 60, "[%Y-%m-%d %H:%M] ")
        if self._timestamps == "off":
            return ""
        form = "[%H:%M] " if self._timestamps == "time" else "[%Y-%m-%d %H:%M] "
        return _stamp(event.time // 60, form)

    def _rings(self, event: Event) -> bool:
        if self._bell == "off":
            return False
        if isinstance(event, Told):
            return not event.echo
        if not isinstance(event, (Said, Acted)):
            return False
        return self._bell == "all" or (self._bell == "mention" and mentions(event.text, self._nick))


@lru_cache(4096)
def line_view(timestamps: Timestamps, room: str, bell: Bell, nick: str) -> LineView:
    """The view for these wishes. What is shared is rendered once for all who share it."""
    return LineView(timestamps, room, bell, nick)


@lru_cache(256)
def _stamp(minute: float, form: str) -> str:
    """In the server's own time zone, which is that of the people on its network."""
    return datetime.fromtimestamp(minute * 60).strftime(form)


def _together(event: Event) -> object:
    """Events with equal keys, one after another, are told in one line; None: never."""
    if isinstance(event, Joined):
        return (Joined, event.room)
    if isinstance(event, Left):
        return (Left, event.room, event.reason)
    return None


def _presence(names: str, did: str, event: Any) -> str:
    reason = f": {event.reason}" if isinstance(event, Left) and event.reason else ""
    return f"-- {names} {did}{reason} ({event.here} here)"


def _told(event: Told) -> str:
    return (
        f"[you -> {event.to}] {event.text}"
        if event.echo
        else f"[{event.shown} -> you] {event.text}"
    )


def _topic(event: TopicSet) -> str:
    if not event.topic:
        return f"-- {event.shown} cleared the topic"
    return f"-- {event.shown} set the topic: {event.topic}"


_FORMATS: dict[type[Event], Callable[[Any], str]] = {
    Said: lambda event: f"<{event.shown}> {event.text}",
    Acted: lambda event: f"* {event.shown} {event.text}",
    Told: _told,
    Joined: lambda event: _presence(event.shown, "joined", event),
    Left: lambda event: _presence(event.shown, "left", event),
    Renamed: lambda event: f"-- {event.shown} is now {event.nick}",
    TopicSet: _topic,
    Notice: lambda event: f"-- {event.text}",
    Welcomed: lambda event: event.text,
    Replayed: lambda event: _FORMATS[type(event.event)](event.event),
}
