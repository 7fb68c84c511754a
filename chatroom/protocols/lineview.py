"""How events read on the line protocol: UTF-8, CRLF, one event a line.

    <alice> hi                      said
    * alice waves                   /me
    [alice -> you] hi               to you alone
    [you -> bob] hi                 your own, to one alone
    -- bob joined (4 here)          what the server says
    <alice> one                     said in several lines that are one whole
    <alice> two
    [#ops] <carol> hi               from another room than the one you talk in
    [12:03] <alice> hi              with /timestamp time
    [12:03 #814] <alice> hi         with /timestamp id
    [2026-11-22 12:03] <alice> hi   said earlier, shown again

User text always follows a prefix that the server wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from weakref import WeakValueDictionary

from chatroom.events import (
    Acted,
    Arrived,
    Event,
    Joined,
    Kicked,
    Left,
    Notice,
    Redacted,
    Renamed,
    Replayed,
    RoomRenamed,
    Ruled,
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


class _Presence:
    """Someone came or went: the line that tells of it alone."""

    __slots__ = ("event", "line")

    def __init__(self, event: Joined | Left, line: str) -> None:
        self.event = event
        self.line = line


class _Run:
    """Joins and leaves with nothing between them, which are told together: in each room those who
    joined, then those who left, by reason, and how many are there after it all."""

    __slots__ = ("groups", "last", "left")

    def __init__(self) -> None:
        self.groups: dict[tuple[str | None, str | None], list[_Presence]] = {}
        self.last: dict[str | None, Joined | Left] = {}
        self.left: set[tuple[str | None, str]] = set()

    def add(self, presence: _Presence) -> None:
        event = presence.event
        reason = None
        if type(event) is Left:
            reason = event.reason
            self.left.add((event.room, event.sender))
        self.groups.setdefault((event.room, reason), []).append(presence)
        self.last[event.room] = event

    def is_back(self, event: Joined | Left) -> bool:
        """Whether this is a join of one who left in this run: it is told after that."""
        return type(event) is Joined and (event.room, event.sender) in self.left

    def ordered(self) -> list[list[_Presence]]:
        """By room, and joins first."""
        order = {room: number for number, room in enumerate(self.last)}
        kinds = sorted(self.groups, key=lambda kind: (order[kind[0]], kind[1] is not None))
        return [self.groups[kind] for kind in kinds]


_Frame = str | _Presence


class _Frames(list[_Frame]):
    """Those of a whole turn in one room. `_ends` says, for each at which a run of joins and
    nothing else begins, where it ends; `_texts` has those from one on that begin with none."""

    __slots__ = ("_ends", "_texts")

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._texts: dict[int, str] = {}

    def joined_until(self, start: int) -> int:
        """Where the joins that begin at `start` end, if they are told by themselves; or `start`."""
        if not self._ends:
            self._ends = list(range(len(self)))
            for i in reversed(range(len(self))):
                if _is_join(self[i]):
                    after = i + 1
                    # What is not shown parts none of those who are told together.
                    shows = after < len(self) and self[after]
                    if after == len(self) or (shows and not isinstance(shows, _Presence)):
                        self._ends[i] = after
                    elif self._ends[after] > after:
                        self._ends[i] = self._ends[after]
        return self._ends[start]

    def text(self, start: int, make: Callable[[Sequence[_Frame]], str]) -> str:
        """Those from `start` on, made once."""
        if start not in self._texts:
            self._texts[start] = make(self[start:])
        return self._texts[start]


def _is_join(frame: _Frame) -> bool:
    return isinstance(frame, _Presence) and type(frame.event) is Joined


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
        """A line for each event, and a _Presence for who comes or goes, since `join` tells
        together of those that stand together."""
        frames = _Frames()
        plain = Said if self._plain else None
        here = self._room
        for event in events:
            # Most events are these, and this is the way of every line.
            if type(event) is plain and event.room == here and "\n" not in event.text:
                frames.append(f"<{event.shown}> {event.text}\r\n")
            elif isinstance(event, (Joined, Left)):
                frames.append(_Presence(event, self._line(event, _FORMATS[type(event)](event))))
            elif isinstance(event, Replayed):
                ids = self._timestamps == "id"
                frames.append("".join(_again(e, e.room != self._room, ids) for e in event.events))
            else:
                lines = "".join([self._line(event, line) for line in _lines(event)])
                frames.append("\a" + lines if self._rings(event) else lines)
        return frames

    def join(self, frames: Sequence[Any]) -> bytes:
        """The lines' bytes."""
        return self._text(frames).encode()

    def _text(self, frames: Sequence[Any]) -> str:
        try:
            return "".join(frames)
        except TypeError:
            return "".join(self._together(frames))

    def rest(self, frames: Sequence[Any], start: int) -> Sequence[_Frame]:
        """The frames from `start` on, or the one or two lines that they make: of 1,000 who come
        in a turn each is told of all who came after it, and to make that of as many frames took
        130 us for each of 256."""
        if not isinstance(frames, _Frames) or (end := frames.joined_until(start)) == start:
            return frames[start:]
        named = frames[start : min(end, start + _MOST_NAMED)]
        line = self._line_of(named, end - start, cast("_Presence", frames[end - 1]).event)
        return [line] if end == len(frames) else [line, frames.text(end, self._text)]

    def _together(self, frames: Sequence[_Frame]) -> Iterator[str]:
        """The lines, with few for the joins and leaves that stand together."""
        run = _Run()
        for frame in frames:
            if not frame:
                continue
            if isinstance(frame, _Presence):
                if run.is_back(frame.event):
                    yield from self._told(run)
                    run = _Run()
                run.add(frame)
                continue
            if run.groups:
                yield from self._told(run)
                run = _Run()
            yield frame
        yield from self._told(run)

    def _told(self, run: _Run) -> Iterator[str]:
        for group in run.ordered():
            yield self._line_of(group, len(group), run.last[group[0].event.room])

    def _line_of(self, group: Sequence[Any], number: int, last: Joined | Left) -> str:
        """A line for so many, of whom `group` are the first."""
        if number == 1 and group[0].event is last:
            line: str = group[0].line
            return line
        # Of thousands who come at once, only those are asked for their names who are named.
        names = [each.event.shown for each in group[:_MOST_NAMED]]
        text = _presence(listed(names, number, _MOST_NAMED), group[0].event, last.here)
        return self._line(last, text)

    def _line(self, event: Event, text: str) -> str:
        room = f"[{event.room}] " if event.room is not None and event.room != self._room else ""
        return f"{self._time(event)}{room}{text}\r\n"

    def _time(self, event: Event) -> str:
        if self._timestamps == "off":
            return ""
        return _stamp(event.time // 60, _FORMS[self._timestamps]).replace("#", f"#{event.id}")

    def _rings(self, event: Event) -> bool:
        if self._bell == "off":
            return False
        if isinstance(event, Told):
            return not event.echo
        if not isinstance(event, (Said, Acted)):
            return False
        return self._bell == "all" or (self._bell == "mention" and mentions(event.text, self._nick))


# The # stands for itself and the event's id.
_FORMS = {"time": "[%H:%M] ", "datetime": "[%Y-%m-%d %H:%M] ", "id": "[%H:%M #] "}


@lru_cache(1024)
def _again(event: Event, elsewhere: bool, ids: bool) -> str:
    """An earlier line, written once for all who join and are shown it."""
    room = f"[{event.room}] " if elsewhere and event.room is not None else ""
    form = "[%Y-%m-%d %H:%M #] " if ids else "[%Y-%m-%d %H:%M] "
    stamp = _stamp(event.time // 60, form).replace("#", f"#{event.id}")
    return "".join([f"{stamp}{room}{line}\r\n" for line in _lines(event)])


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


def _presence(names: str, event: Joined | Left, here: int) -> str:
    did = "joined" if isinstance(event, Joined) else "left"
    reason = _why(event.reason) if isinstance(event, Left) else ""
    return f"-- {names} {did}{reason} ({here} here)"


def _told(event: Told) -> str:
    return (
        f"[you -> {event.to}] {event.text}"
        if event.echo
        else f"[{event.shown} -> you] {event.text}"
    )


def _redacted(event: Redacted) -> str:
    return f"-- {event.shown} took out line {event.line}, by {event.author}{_why(event.reason)}"


def _kicked(event: Kicked) -> str:
    return f"-- {event.shown} was kicked by {event.by}{_why(event.reason)} ({event.here} here)"


def _why(reason: str) -> str:
    return f": {reason}" if reason else ""


def _topic(event: TopicSet) -> str:
    if not event.topic:
        return f"-- {event.shown} cleared the topic"
    return f"-- {event.shown} set the topic: {event.topic}"


def _lines(event: Event) -> list[str]:
    """The lines of one event, each with its prefix: several of what was said as one whole, none of
    what is for other doors."""
    format = _FORMATS.get(type(event))
    text = getattr(event, "text", "")
    if format is None or (not text and type(event) is Ruled):
        return []
    if "\n" not in text:
        return [format(event)]
    whole: Any = event
    return [format(whole._replace(text=line)) for line in text.split("\n")]


_FORMATS: dict[type[Event], Callable[[Any], str]] = {
    Said: lambda event: f"<{event.shown}> {event.text}",
    Acted: lambda event: f"* {event.shown} {event.text}",
    Told: _told,
    Joined: lambda event: _presence(event.shown, event, event.here),
    Left: lambda event: _presence(event.shown, event, event.here),
    Kicked: _kicked,
    Redacted: _redacted,
    Renamed: lambda event: f"-- {event.shown} is now {event.nick}",
    TopicSet: _topic,
    RoomRenamed: lambda event: f"-- {event.shown} renamed this room to {event.name}",
    Ruled: lambda event: f"-- {event.shown} {event.text}",
    Arrived: lambda event: f"-- {event.text}",
    Notice: lambda event: f"-- {event.text}",
    Welcomed: lambda event: event.text,
}
