"""One reactor turn: what was accepted in it goes out at its end, in order.

The rules it keeps:
- A member sees everything that is for it in the order of the events' ids: room
  lines of all its rooms, private lines and replies alike.
- Members whose turn is just a room's batch get the same rendered object.
- A member that raises costs the others nothing; it is reported after the loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import Any

from chatroom.events import Event
from chatroom.member import Member
from chatroom.room import Batch, Room

__all__ = ["Turn"]


class Turn:
    """Collects posts and mail, and delivers them when `flush` is called.

    `end_of_turn` is given `flush`, once a turn, and calls it when the turn is over.
    `ignorers` are the members that do not want to read everything, `observers` hear of
    each event at once, and `failures` is what others raised who must not stop a turn.
    """

    def __init__(self, end_of_turn: Callable[[Callable[[], None]], object]) -> None:
        self.end_of_turn = end_of_turn
        self._due = False
        self._rooms: dict[Room, None] = {}
        self._apart: dict[Member, list[Event]] = {}
        self._closing: list[Member] = []
        self.ignorers: set[Member] = set()
        self.observers: list[Callable[[Event], object]] = []
        self.failures: list[Exception] = []

    def post(self, event: Event, origin: Member | None, *rooms: Room) -> None:
        """To everyone in the rooms but `origin`, and to the observers."""
        for room in rooms:
            room.post(event, origin)
            self._rooms[room] = None
        for observer in self.observers:
            try:
                observer(event)
            except Exception as error:
                self.failures.append(error)
        if origin is not None:
            self.set_apart(origin)
        elif not self._due:
            self._schedule()

    def mail(self, member: Member, *events: Event) -> None:
        """To one member."""
        self.set_apart(member).extend(events)

    def set_apart(self, member: Member) -> list[Event]:
        """This turn, `member` does not simply get its rooms' batches; returns its mail."""
        if not self._due:
            self._schedule()
        return self._apart.setdefault(member, [])

    def close(self, member: Member) -> None:
        """Close the member's door after this turn went out."""
        self._closing.append(member)
        self.set_apart(member)

    def _schedule(self) -> None:
        self._due = True
        self.end_of_turn(self.flush)

    def flush(self) -> None:
        """Deliver the turn. What members say meanwhile belongs to the next one."""
        rooms, self._rooms = self._rooms, {}
        apart, self._apart = self._apart, {}
        closing, self._closing = self._closing, []
        failures, self.failures = self.failures, []
        self._due = False
        for member in self.ignorers:
            apart.setdefault(member, [])
        batches = {room: room.take() for room in rooms}
        failures += _deliver(batches, apart)
        for member in closing:
            try:
                member.door.close()
            except Exception as error:
                failures.append(error)
        if failures:
            raise ExceptionGroup("members or observers that raised", failures)


def _deliver(batches: dict[Room, Batch], apart: dict[Member, list[Event]]) -> list[Exception]:
    """Write to everyone. Who gets what is settled before: a program may speak, join or leave
    while it reads."""
    for member in _merging(batches):
        apart.setdefault(member, [])
    shared = [
        (batch, [member for member in room.members if member not in apart])
        for room, batch in batches.items()
    ]
    shares = [
        (member, mail, [batches[room] for room in member.rooms if room in batches])
        for member, mail in apart.items()
    ]
    return _write_shared(shared) + _write_apart(shares)


def _merging(batches: dict[Room, Batch]) -> list[Member]:
    """Those in several of the rooms, whose lines have to be merged."""
    if len(batches) < 2:
        return []
    busy = Counter(chain.from_iterable(room.members for room in batches))
    return [member for member, rooms in busy.items() if rooms > 1]


def _write_shared(shared: list[tuple[Batch, list[Member]]]) -> list[Exception]:
    """Give each room's batch to its members, but for those set apart."""
    failures: list[Exception] = []
    for batch, members in shared:
        for member in members:
            try:
                member.write(batch[member.view])
            except Exception as error:
                failures.append(error)
    return failures


def _write_apart(shares: list[tuple[Member, list[Event], list[Batch]]]) -> list[Exception]:
    """Give each member set apart its own share of the turn."""
    failures: list[Exception] = []
    wholes: dict[object, Any] = {}
    for member, mail, busy in shares:
        try:
            data = _share(member, mail, busy, wholes)
            if data is not None:
                member.write(data)
        except Exception as error:
            failures.append(error)
    return failures


def _share(member: Member, mail: list[Event], busy: list[Batch], wholes: dict[object, Any]) -> Any:
    """What `member` gets of the turn, None for nothing. `wholes` keeps what those get who get all
    of the same batches, such as the many who are in the same rooms."""
    if mail or any(batch.is_special_for(member) for batch in busy):
        return _merged(member, mail, busy)
    key = (member.view, *map(id, busy))
    if key not in wholes:
        wholes[key] = _merged(member, mail, busy)
    return wholes[key]


def _merged(member: Member, mail: list[Event], busy: list[Batch]) -> Any:
    """Its mail and its share of the batches, in the order of the ids. None for nothing."""
    # One event may have been posted to several rooms (a change of nick): shown once.
    frames: dict[int, Any] = busy[0].share(member) if busy else {}
    for batch in busy[1:]:
        frames.update(batch.share(member))
    if mail:
        ids = (event.id for event in mail)
        frames.update(zip(ids, member.view.render(mail), strict=True))
    if not frames:
        return None
    if mail or len(busy) > 1:
        return member.view.join([frames[id] for id in sorted(frames)])
    return member.view.join(list(frames.values()))
