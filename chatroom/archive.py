"""Whom a hub asks for what was said, and what it lets keep beside that.

An Archive is attached to a hub as `hub.archive`. This one keeps nothing of its own but, where it is
among the guards too, the last private lines while both are here; of rooms it has their last lines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar, cast

from chatroom.errors import NotAllowed, NotInRoom, TooMany
from chatroom.events import Acted, Event, Redacted, Said, Tagged, Told, lasts
from chatroom.guard import Guard
from chatroom.names import fold

if TYPE_CHECKING:
    from chatroom.host import Host
    from chatroom.member import Member
    from chatroom.room import Room

__all__ = [
    "MOST_BYTES", "MOST_KEPT", "NOT_YOURS", "Archive", "Kept", "Now", "Span", "Talk",
    "between", "check_kept", "chosen", "echoed", "milliseconds", "original",
]  # fmt: skip

MOST_KEPT: Final = 200
"""Values that are kept for one owner."""

MOST_BYTES: Final = 65536
"""What they and their keys may have in all, in UTF-8."""

NOT_YOURS: Final = "Only who said it can take out a private line."

# A flood of private lines makes older ones give way, and takes no more memory than these.
_MOST_TALKS: Final = 500

_Got = TypeVar("_Got")


class Now(Generic[_Got]):
    """An awaitable that is there at once."""

    def __init__(self, value: _Got) -> None:
        self._value = value

    def __await__(self) -> Generator[None, None, _Got]:
        return self._value
        yield


class Span(NamedTuple):
    """Which lines: those after and before these ids, or times in seconds to the millisecond, all
    bounds excluded (None: unbounded); at most `most`, the last ones unless `first`. Or those next
    to the line of an id or a time, `around`, and that line itself. `all_kinds`: also who came and
    went, topics, modes and what was taken out, not only what was said."""

    after: int | None = None
    before: int | None = None
    after_time: float | None = None
    before_time: float | None = None
    most: int = 100
    first: bool = False
    all_kinds: bool = False
    around: int | None = None
    around_time: float | None = None


class Talk(NamedTuple):
    """A room, or whom one has written with alone, and when the last line there was said."""

    name: str
    time: float


class Kept(NamedTuple):
    """A value that is kept for an owner, under a key."""

    key: str
    value: str


_Lines = deque[tuple["Member", Event]]


class Archive(Guard):
    """That of `hub`; without one, nothing is known. What is asked for may come later, and is then
    as it was when it was asked for: with all that was said in the turn until then."""

    def __init__(self, hub: Host | None = None) -> None:
        self._hub = hub
        self._talks: dict[frozenset[Member], _Lines] = {}
        self._kept: dict[str, dict[str, str]] = {}

    @property
    def most(self) -> int:
        """How many lines are read at once at most; 0 where none are kept."""
        return 0 if self._hub is None else self._hub.limits.recent or 0

    @property
    def all_kinds(self) -> bool:
        """Whether it has what happened in rooms beside what was said (see `Span`)."""
        return False

    # What was said: `target` is a room's name, or the nick of whom the member wrote with alone

    def read(self, member: Member, target: str, span: Span) -> Awaitable[Sequence[Event]]:
        """Lines of a room that the member is in, or of what it and the one of that nick wrote to
        each other (none where nobody is called so), in the order of their ids, but for whom it
        ignores. Raises NotInRoom, TooMany, at once or later."""
        return Now(chosen(self._lines(member, target), span, self.most, member.ignored))

    def find(self, member: Member, target: str, id: int) -> Awaitable[Event | None]:
        """The line of that id there, as `read` gives it, or None. Raises as `read`."""
        found = (event for event in self._lines(member, target) if event.id == id)
        return Now(next(found, None))

    def talks(
        self, member: Member, after: float, before: float, most: int
    ) -> Awaitable[Sequence[Talk]]:
        """The rooms that the member is in, and whom it wrote with alone, where the last line was
        said between two times, both excluded; the oldest first. Raises TooMany."""
        rooms = (Talk(room.name, last) for room in member.rooms if (last := _last(room.recent)))
        return Now(between([*rooms, *self._private(member)], after, before, most))

    # Taken out

    def redact(
        self, member: Member, room: Room, line: int, why: str, now: float
    ) -> Awaitable[bool]:
        """Take a line out of a room, whoever may, and tell the room; whether there was such a line.
        Raises TooMany."""
        for event in room.recent:
            if event.id == line and not isinstance(event, Redacted) and self._hub is not None:
                self._hub.redact(member, room, line, event.shown, why, now)
                return Now(True)
        return Now(False)

    def redact_private(
        self, member: Member, nick: str, line: int, why: str, now: float
    ) -> Awaitable[bool]:
        """Take out what the member said to the one of that nick alone, and tell both; whether there
        was such a line. Raises NotAllowed where the other said it, and TooMany, at once or
        later."""
        to = self._member(nick)
        lines = self._talks.get(frozenset((member, to)), ()) if to is not None else ()
        for number, (author, event) in enumerate(lines):
            if event.id == line and isinstance(event, Told) and to is not None:
                if author is not member:
                    raise NotAllowed(NOT_YOURS)
                told = self._told_redacted(member, to.nick, event, why, now, {member, to})
                again = told._replace(id=line, time=event.time)  # type: ignore[attr-defined]
                cast("_Lines", lines)[number] = author, again
                return Now(True)
        return Now(False)

    def _told_redacted(
        self, member: Member, to: str, line: Event, why: str, now: float, both: Iterable[Member]
    ) -> Redacted:
        """Tell both that a private line was taken out."""
        assert self._hub is not None
        by = self._hub.mark(), now, None, member.nick, member.shown
        event = Redacted(*by, line.id, line.shown, why, member.who, to)
        for each in both:
            self._hub.mail(each, event)
        return event

    # What is kept beside lines: values by an owner (`account:ann`, `room:#ops`) and a key

    def load(self, owner: str) -> Awaitable[Sequence[Kept]]:
        """All that is kept for an owner."""
        return Now([Kept(*each) for each in self._kept.get(owner, {}).items()])

    def keep(self, owner: str, key: str, value: str) -> None:
        """Keep a value; '' keeps none. Raises TooMany."""
        values = self._kept.setdefault(owner, {})
        check_kept(values, key, value)
        values[key] = value
        if not value:
            del values[key]

    def forget(self, owner: str) -> None:
        """Keep nothing for an owner any more."""
        self._kept.pop(owner, None)

    def move(self, was: str, owner: str) -> None:
        """What was kept for one owner is the other's, which had nothing."""
        self._kept[owner] = self._kept.pop(was, {})

    def forget_account(self, account: str) -> None:
        """An account is no more: nothing of it is kept for who takes its name."""
        self.forget(f"account:{account}")

    # As a guard

    def wrote(self, member: Member, to: Member, event: Told) -> None:
        """Remember the last lines of these two."""
        self._remember(member, to, original(event))

    def tagged(self, member: Member, to: Member, event: Tagged) -> None:
        """Remember it among them."""
        if lasts(event):
            self._remember(member, to, event)

    def _remember(self, member: Member, to: Member, event: Event) -> None:
        both = frozenset((member, to))
        lines = self._talks.pop(both, None)
        if lines is None:
            lines = deque(maxlen=0 if self._hub is None else self._hub.limits.recent or 0)
        self._talks[both] = lines  # the last now
        lines.append((member, event))
        if len(self._talks) > _MOST_TALKS:
            del self._talks[next(iter(self._talks))]

    def left(self, member: Member) -> None:
        """Whoever takes its nick is another."""
        for both in [both for both in self._talks if member in both]:
            del self._talks[both]

    def emptied(self, room: Room) -> None:
        """What is kept for a room that is nobody's goes with it."""
        hub = self._hub
        if hub is not None and room is not hub.lobby and hub.authority.registered(room) is None:
            self.forget(f"room:{fold(room.name)}")

    def room_renamed(self, room: Room, was: str, now: float) -> None:
        """What is kept for it follows."""
        if fold(was) != fold(room.name):
            self.move(f"room:{fold(was)}", f"room:{fold(room.name)}")

    # Inside

    def _name(self, member: Member, target: str) -> str:
        """The name of a room whose lines the member may read. Raises NotInRoom."""
        folded = fold(target)
        for room in member.rooms:
            if fold(room.name) == folded:
                return room.name
        hub = self._hub
        if hub is None or not hub.authority.is_server_operator(member):
            raise NotInRoom(f"You are not in {target}: its lines are for who is. /join it first.")
        return hub.rooms[folded].name if folded in hub.rooms else target

    def _member(self, nick: str) -> Member | None:
        return None if self._hub is None else self._hub.members.get(fold(nick))

    def _lines(self, member: Member, target: str) -> Sequence[Event]:
        if target.startswith("#"):
            name = self._name(member, target)
            room = None if self._hub is None else self._hub.rooms.get(fold(name))
            return [] if room is None else [_in(name, event) for event in room.recent]
        to = self._member(target)
        lines = self._talks.get(frozenset((member, to)), ()) if to is not None else ()
        return [echoed(event, author is member is not to) for author, event in lines]

    def _private(self, member: Member) -> Iterator[Talk]:
        """Whom it wrote with alone, as far as that is in memory."""
        for both, lines in self._talks.items():
            last = _last([event for _, event in lines]) if member in both else None
            if last is not None:
                (other,) = both - {member} or {member}
                yield Talk(other.nick, last)


def _in(name: str, event: Event) -> Event:
    """The event, as one of the room that is called so now."""
    if event.room == name:
        return event
    return cast("Event", event._replace(room=name))  # type: ignore[attr-defined]


def original(event: Told) -> Told:
    """The event, or what it is a copy of: what one writes to itself is told twice."""
    if not event.copy_of:
        return event
    return cast("Told", event._replace(id=event.copy_of, copy_of=0))  # type: ignore[attr-defined]


def echoed(event: Event, echo: bool) -> Event:
    """A private line, as who said it reads it, or as the other does."""
    if not isinstance(event, Told) or event.echo == echo:
        return event
    return cast("Event", event._replace(echo=echo))  # type: ignore[attr-defined]


def _last(events: Iterable[Event]) -> float | None:
    """When the last of these was said that was not taken out."""
    times = [event.time for event in events if isinstance(event, (Said, Acted, Told))]
    return times[-1] if times else None


def between(talks: Iterable[Talk], after: float, before: float, most: int) -> list[Talk]:
    """Those of that time, the oldest first."""
    low, high = milliseconds(after), milliseconds(before)
    found = [talk for talk in talks if low < int(talk.time * 1000) < high]
    return sorted(found, key=lambda talk: (talk.time, talk.name))[: max(most, 0)]


def milliseconds(time: float) -> int:
    """Those of a bound, which is a whole number of them in seconds."""
    return round(max(min(time, 1e12), -1e12) * 1000)


def chosen(
    events: Iterable[Event], span: Span, most: int, ignored: Iterable[str] = ()
) -> list[Event]:
    """Those of the span, `most` at most; events come in the order of their ids, and what was said
    by those of the `ignored` nicks is left out."""
    said = Said, Acted, Told
    found = [
        event
        for event in events
        if (isinstance(event, said) or span.all_kinds)
        and not (isinstance(event, (*said, Tagged)) and fold(event.sender) in ignored)
        and (span.after is None or event.id > span.after)
        and (span.before is None or event.id < span.before)
        and (span.after_time is None or _ms(event) > milliseconds(span.after_time))
        and (span.before_time is None or _ms(event) < milliseconds(span.before_time))
    ]
    most = max(min(span.most, most), 0)
    if span.around is not None or span.around_time is not None:
        before = sum(_is_before(event, span) for event in found)
        start = max(before - most // 2, 0)
        return found[start : before + most - most // 2]
    return found[:most] if span.first else found[max(len(found) - most, 0) :]


def _ms(event: Event) -> int:
    return int(event.time * 1000)


def _is_before(event: Event, span: Span) -> bool:
    """Whether it comes before the line that the span is around."""
    if span.around is not None:
        return event.id < span.around
    return _ms(event) < milliseconds(span.around_time or 0.0)


def check_kept(values: dict[str, str], key: str, value: str) -> None:
    """Raises TooMany where these values and one more, or another, are more than may be kept."""
    if not value:
        return
    others = [each for each in values.items() if each[0] != key]
    size = sum(len(text.encode()) for pair in (*others, (key, value)) for text in pair)
    if len(others) >= MOST_KEPT or size > MOST_BYTES:
        raise TooMany(
            f"No more can be kept: {MOST_KEPT} values, or {MOST_BYTES // 1024} KiB. Take one away."
        )
