"""What happens in a chat, as immutable facts. Knows nothing of how they are shown.

Every event has an `id` that orders it among all events of its hub, and a `time`
in seconds since the epoch, for display only: the wall clock may step, ids do not.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast, dataclass_transform

__all__ = [
    "Acted",
    "Event",
    "Joined",
    "Kicked",
    "Left",
    "Notice",
    "Redacted",
    "Renamed",
    "Replayed",
    "Said",
    "Told",
    "TopicSet",
    "Welcomed",
    "many",
]


_Kind = TypeVar("_Kind", bound=type)
_Event = TypeVar("_Event", bound="Event")


@dataclass_transform(eq_default=False, frozen_default=True)
def _fact(kind: _Kind) -> _Kind:
    """What a frozen dataclass is to who reads or checks the code, made of a named tuple, which
    is as unchangeable: to make one takes 0.5 us, not 1.2, and there is one for each line."""
    inherited = getattr(kind, "__match_args__", ())
    named = namedtuple(kind.__name__, (*inherited, *kind.__annotations__))  # type: ignore[misc]
    taken = ("__new__", "__repr__", "__getnewargs__", "__match_args__", *named._fields)
    body = {name: named.__dict__[name] for name in taken}
    body |= {"__doc__": kind.__doc__, "__module__": kind.__module__, "__slots__": ()}
    return cast("_Kind", type(kind.__name__, kind.__bases__, body))


if TYPE_CHECKING:
    _Tuple = object
else:

    class _Tuple(tuple):
        """Two events are two, even if they say the same."""

        __slots__ = ()
        __eq__ = object.__eq__
        __ne__ = object.__ne__
        __hash__ = object.__hash__


@_fact
class Event(_Tuple):
    """`room` is None for what belongs to no room. `shown` is how `sender`, a nick, is
    to be written (its address, for guests who are shown so)."""

    id: int
    time: float
    room: str | None
    sender: str
    shown: str


def many(kind: type[_Event], rows: Iterable[tuple[object, ...]]) -> list[_Event]:
    """An event of that kind for each row of values, in their order: 0.2 us each, not 0.5."""
    make: Any = tuple.__new__
    return list(map(partial(make, kind), rows))


@_fact
class Said(Event):
    """A line said in a room."""

    text: str


@_fact
class Acted(Event):
    """A line that tells what its sender does (`/me waves`)."""

    text: str


@_fact
class Told(Event):
    """A private line to one nick; its sender gets one as well, marked as the echo."""

    to: str
    text: str
    echo: bool


@_fact
class Joined(Event):
    """`here` counts the room's members after it."""

    here: int


@_fact
class Left(Event):
    """Left a room, or the chat. `here` counts the room's members after it."""

    here: int
    reason: str


@_fact
class Kicked(Event):
    """Taken out of a room by `by`, a nick as it is shown, for a reason or ''."""

    here: int
    reason: str
    by: str


@_fact
class Redacted(Event):
    """The line with the id `line`, said by `author`, was taken out by the sender. Shown again,
    it stands where that line stood, and has its id and time."""

    line: int
    author: str
    reason: str


@_fact
class Renamed(Event):
    """`sender` is called `nick` from now on. One event, posted to each of its rooms."""

    nick: str


@_fact
class TopicSet(Event):
    """An empty topic clears it."""

    topic: str


@_fact
class Notice(Event):
    """The server speaks: a reply to one member, or word to a room."""

    text: str


@_fact
class Welcomed(Event):
    """The first line that a connection gets."""

    text: str


@_fact
class Replayed(Event):
    """Earlier lines, shown again with the day and time they were said."""

    events: tuple[Event, ...]
