"""What happens in a chat, as immutable facts. Knows nothing of how they are shown.

Every event has an `id` that orders it among all events of its hub, and a `time`
in seconds since the epoch, for display only: the wall clock may step, ids do not.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable
from functools import partial
from math import copysign, inf, nextafter
from typing import TYPE_CHECKING, Any, TypeVar, cast, dataclass_transform

from chatroom.identity import NOBODY, PLAIN, Identity, Manner

if TYPE_CHECKING:
    from chatroom.member import Member
    from chatroom.room import Room
    from chatroom.rules import Change

__all__ = [
    "Acted",
    "Arrived",
    "Event",
    "Gone",
    "Invited",
    "Joined",
    "Kicked",
    "Left",
    "Notice",
    "Profile",
    "Redacted",
    "Renamed",
    "Replayed",
    "Reply",
    "RoomRenamed",
    "Ruled",
    "Said",
    "Tagged",
    "Told",
    "TopicSet",
    "Welcomed",
    "lasts",
    "many",
    "milliseconds",
    "seconds",
]


_Kind = TypeVar("_Kind", bound=type)
_Event = TypeVar("_Event", bound="Event")


@dataclass_transform(eq_default=False, frozen_default=True)
def _fact(kind: _Kind) -> _Kind:
    """What a frozen dataclass is to who reads or checks the code, made of a named tuple, which
    is as unchangeable: to make one takes 0.5 us, not 1.2, and there is one for each line."""
    inherited = getattr(kind, "__match_args__", ())
    own = kind.__annotations__
    # What a field is when it is not given: of the last ones, as named tuples want it.
    given = [kind.__dict__[name] for name in own if name in kind.__dict__]
    named = namedtuple(kind.__name__, (*inherited, *own), defaults=given)  # type: ignore[misc]
    taken = ("__new__", "__repr__", "__getnewargs__", "__match_args__", *named._fields)
    body = {name: named.__dict__[name] for name in (*taken, "_replace", "_make")}
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
    """What happened. `room` is None for what belongs to no room. `shown` is how `sender`, a nick,
    is to be written (its address, for guests who are shown so)."""

    id: int
    time: float
    room: str | None
    sender: str
    shown: str


def milliseconds(time: float) -> int:
    """The whole milliseconds of a time in seconds, as it is kept and shown."""
    return int(time * 1000)


def seconds(milliseconds: int) -> float:
    """The time in seconds that has just these whole milliseconds: whoever shows it as it was shown
    when it was kept is right, which a quotient alone is not always."""
    time = milliseconds / 1000
    return time if int(time * 1000) == milliseconds else nextafter(time, copysign(inf, time))


def many(kind: type[_Event], rows: Iterable[tuple[object, ...]]) -> list[_Event]:
    """An event for each row, which has all the values of that kind: 0.2 us each, not 0.5."""
    make: Any = tuple.__new__
    return list(map(partial(make, kind), rows))


@_fact
class Said(Event):
    """Something said in a room: one line, or several that are one whole."""

    text: str
    who: Identity = NOBODY
    manner: Manner = PLAIN


@_fact
class Acted(Event):
    """A line that tells what its sender does (`/me waves`)."""

    text: str
    who: Identity = NOBODY
    manner: Manner = PLAIN


@_fact
class Told(Event):
    """A private line to one nick, or to those who have a say in a room (`@#ops`); its sender gets
    one as well, marked as the echo. Who writes to itself is told twice, and the second is
    marked with the id of the first."""

    to: str
    text: str
    echo: bool
    who: Identity = NOBODY
    manner: Manner = PLAIN
    copy_of: int = 0


@_fact
class Tagged(Event):
    """What clients tell each other without a text (that somebody types, or likes a line): in a
    room, or to the nick `to`. It is never shown to who joins. Who tells it to itself and wants it
    told back is told twice, as by Told."""

    to: str
    who: Identity = NOBODY
    manner: Manner = PLAIN
    copy_of: int = 0


_PASSING = frozenset({"+typing", "+draft/typing"})


def lasts(event: Tagged) -> bool:
    """Whether it says more than what holds for a moment: only then it is kept."""
    return not all(key in _PASSING for key, _ in event.manner.tags)


@_fact
class Joined(Event):
    """`here` counts the room's members after it. `away` is why it is away, None if it is not."""

    here: int
    who: Identity = NOBODY
    away: str | None = None


@_fact
class Arrived(Event):
    """Told to the sender alone, `member`: it is in a room now. `joined` is what the others are
    told, `place` that room as it will be when this is read; `text` says what it is now, with whom,
    and about what."""

    text: str
    place: Room
    joined: Joined
    member: Member


@_fact
class Left(Event):
    """Left a room, or the chat (`gone`). `here` counts the room's members after it."""

    here: int
    reason: str
    who: Identity = NOBODY
    gone: bool = False


@_fact
class Gone(Event):
    """Left the chat; `said`, the reason is its own words. One event, posted to each of its rooms,
    after the Left of each."""

    reason: str
    who: Identity = NOBODY
    said: bool = False


@_fact
class Kicked(Event):
    """Taken out of a room by `by`, a nick as it is shown, for a reason or ''. `kicker` is that
    nick itself."""

    here: int
    reason: str
    by: str
    who: Identity = NOBODY
    kicker: str = ""
    kicker_who: Identity = NOBODY


@_fact
class Redacted(Event):
    """The line with the id `line`, said by `author`, was taken out by the sender: of a room, or of
    what was written to the nick `to` alone. Shown again, it stands where that line stood, and has
    its id and time."""

    line: int
    author: str
    reason: str
    who: Identity = NOBODY
    to: str = ""


@_fact
class Renamed(Event):
    """`sender` is called `nick` from now on. One event, posted to each of its rooms."""

    nick: str
    who: Identity = NOBODY


@_fact
class Profile(Event):
    """The sender is away or back, logged in or out, or calls itself something else: `was` becomes
    `who`, and `was_away` becomes `away` (why, or None while it is here). One event, posted to each
    of its rooms."""

    was: Identity
    who: Identity
    was_away: str | None
    away: str | None


@_fact
class TopicSet(Event):
    """An empty topic clears it."""

    topic: str
    who: Identity = NOBODY


@_fact
class Ruled(Event):
    """The sender changed the rules of a room; `text` says what it did."""

    text: str
    changes: tuple[Change, ...] = ()
    who: Identity = NOBODY


@_fact
class RoomRenamed(Event):
    """`room` has become `name`, for a reason or ''. Posted to the room under its new name."""

    name: str
    reason: str
    who: Identity = NOBODY


@_fact
class Invited(Event):
    """The sender let `nick` into a room: told to that one, and to who keeps order there."""

    nick: str
    who: Identity = NOBODY


@_fact
class Notice(Event):
    """The server speaks: a reply to the member whose nick is `to`, or word to a room."""

    text: str
    to: str = ""


@_fact
class Reply(Event):
    """What one member's own door says to it, among what else it is told: `frame` is as the door
    writes it."""

    frame: Any


@_fact
class Welcomed(Event):
    """The first line that a connection gets."""

    text: str


@_fact
class Replayed(Event):
    """Earlier lines, shown again with the day and time they were said."""

    events: tuple[Event, ...]
