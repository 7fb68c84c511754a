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

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

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

_Frame = Any  # a line, or a _Presence


class _Presence:
    """Someone came or went: the line that tells of it, and of what kind it has to be for others
    beside it to be told in one line with it."""

    __slots__ = ("event", "kind", "line")

    def __init__(self, event: Joined | Left, line: str) -> None:
        self.event = event
        self.line = line
        self.kind = (type(event), event.room, event.reason if isinstance(event, Left) else "")


class LineView:
    """One way to write events. `room` is the one that goes without saying; `nick`, folded,
    matters only to the bell. Made by `line_view`, so that equal ones are the same one."""

    __slots__ = ("__weakref__", "_bell", "_nick", "_plain", "_room", "_timestamps")

    def __init__(self, timestamps: Timestamps, room: str, bell: Bell, nick: str) -> None:
        self._timestamps = timestamps
        self._room = room
        self._bell = bell
        self._nick = nick
        self._plain = timestamps == "off" and bell == "off"

    def render(self, events: Sequence[Event]) -> list[_Frame]:
        """A line for each event; joins and leaves stay as they are, since `join` tells those
        that stand together in one line."""
        frames: list[_Frame] = []
        for event in events:
            # Most events are these, and this is the way of every line.
            if type(event) is Said and self._plain and event.room == self._room:
                frames.append(f"<{event.shown}> {event.text}\r\n")
            elif isinstance(event, (Joined, Left)):
                frames.append(_Presence(event, self._line(event, _FORMATS[type(event)](event))))
            else:
                frames.append(self._line(event, _FORMATS[type(event)](event)))
        return frames

    def join(self, frames: Sequence[_Frame]) -> bytes:
        """The lines' bytes."""
        try:
            text = "".join(frames)
        except TypeError:
            text = "".join(self._together(frames))
        return text.encode()

    def _together(self, frames: Sequence[_Frame]) -> Iterator[str]:
        """The lines, with one for those joins, or leaves, that stand together."""
        run: list[_Presence] = []
        for frame in frames:
            presence = type(frame) is _Presence
            if run and not (presence and frame.kind == run[0].kind):
                yield self._told(run)
                run = []
            if presence:
                run.append(frame)
            else:
                yield frame
        if run:
            yield self._told(run)

    def _told(self, run: list[_Presence]) -> str:
        if len(run) == 1:
            return run[0].line
        last = run[-1].event
        # Of thousands who come at once, only those are asked for their names who are named.
        names = [presence.event.shown for presence in run[:_MOST_NAMED]]
        return self._line(last, _presence(listed(names, len(run), _MOST_NAMED), last))

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


# Each lives as long as a member who uses it: of rooms made and emptied nothing is kept.
_views: WeakValueDictionary[tuple[str, ...], LineView] = WeakValueDictionary()


def line_view(timestamps: Timestamps, room: str, bell: Bell, nick: str) -> LineView:
    """The view for these wishes. What is shared is rendered once for all who share it."""
    wishes = (timestamps, room, bell, nick)
    view = _views.get(wishes)
    if view is None:
        view = _views[wishes] = LineView(timestamps, room, bell, nick)
    return view


@lru_cache(256)
def _stamp(minute: float, form: str) -> str:
    """In the server's own time zone, which is that of the people on its network."""
    return datetime.fromtimestamp(minute * 60).strftime(form)


def _presence(names: str, event: Joined | Left) -> str:
    did = "joined" if isinstance(event, Joined) else "left"
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
    Joined: lambda event: _presence(event.shown, event),
    Left: lambda event: _presence(event.shown, event),
    Renamed: lambda event: f"-- {event.shown} is now {event.nick}",
    TopicSet: _topic,
    Notice: lambda event: f"-- {event.text}",
    Welcomed: lambda event: event.text,
    Replayed: lambda event: _FORMATS[type(event.event)](event.event),
}
