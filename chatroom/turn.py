"""One reactor turn: what was accepted in it goes out at its end, in order.

The rules it keeps:
- A member sees everything that is for it in the order of the events' ids: room
  lines of all its rooms, private lines and replies alike.
- Members whose turn is just a room's batch get the same rendered object.
- A member that raises costs the others nothing; it is reported after the loop.
- A gate may hold a turn until what was posted in it is kept; the next waits for it.
- A turn in which people only come and go may wait; whoever something is said to meanwhile gets
  all that is for it so far, and the rest waits on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from chatroom.delivery import Settled, deliver, refuse, settle
from chatroom.events import (
    Arrived,
    Event,
    Gone,
    Joined,
    Kicked,
    Left,
    Notice,
    Profile,
    Renamed,
    Replayed,
    Welcomed,
)
from chatroom.member import Door, Member
from chatroom.room import Batch, Room

__all__ = ["Gate", "Later", "Turn", "no_turns"]

# To tell each of 10,000 who join one room of each other is to write 50 million times, at 5 us.
# A turn with nothing else in it waits for five times what it costs to tell, so that whoever joins
# meanwhile is told of with it, and most of the time is left for others.
_WAIT_PER_MEMBER = 25e-6
_SHORTEST_WAIT = 0.01
_LONGEST_WAIT = 0.25
_MAY_WAIT = frozenset({Arrived, Gone, Joined, Left, Renamed, Notice, Profile, Replayed, Welcomed})

# Whoever comes, goes or changes is told of those who did before or after it in the same turn,
# which for thousands at once takes the square of their number: 4,000 that closed in one turn took
# 9 s. Where they only come, and nothing is said, it does not (`View.rest`).
_MOST_WHO_MOVE = 256
_MOST_WHO_JOIN = 2048
_MOVES = frozenset({Joined, Kicked, Left, Profile, Renamed})


class Timer(Protocol):
    """What is to be called later, and may still be called off."""

    def cancel(self) -> object: ...


Later = Callable[[float, Callable[[], None]], Timer]

Release = Callable[[Collection[int]], None]
Gate = Callable[[Mapping[Room, Sequence[Event]], Release], object]
"""Given what a turn has posted to each room, and what to call, once, when it may be told, with the
ids of those lines that may not. It may call that at once. MUST NOT block."""


def no_turns(flush: Callable[[], None]) -> None:
    """What a turn has for `end_of_turn` until it is given one."""
    raise RuntimeError("Give the Hub end_of_turn, or serve it with a ChatFactory first.")


class Turn:
    """Collects posts and mail, and delivers them when `flush` is called.

    `end_of_turn` calls what it is given once the reactor's turn is over; `later`, if there is
    one, after so many seconds, where a turn may wait.
    `ignorers` are the members that do not want to read everything, `observers` hear of
    each event at once, and `failures` is what others raised who must not stop a turn.
    """

    def __init__(self, end_of_turn: Callable[[Callable[[], None]], object]) -> None:
        self.end_of_turn = end_of_turn
        self.later: Later | None = None
        self._scheduled = False  # whether `_end` will be called
        self._timer: Timer | None = None  # of a turn that waits
        self._flushing = False
        self._rooms: dict[Room, bool] = {}  # and whether all that was posted there may wait
        self._apart: dict[Member, list[Event]] = {}  # and their mail
        self._hurried: set[Member] = set()  # who has mail that does not wait
        self._moves = 0  # how many came, went or changed nicks
        self._only_joins = True  # whether nothing but that was posted
        self._closing: list[Member] = []
        self._then: list[Callable[[], object]] = []
        self._held: Settled | None = None
        self.gate: Gate | None = None
        self.ignorers: set[Member] = set()
        self.observers: list[Callable[[Event], object]] = []
        self.failures: list[Exception] = []
        self.number = 0  # of turns that were written

    def post(self, origin: Member | None, rooms: Iterable[Room], *events: Event) -> None:
        """Events of one kind, to everyone in the rooms but `origin`, unless that wants them told
        back, and to the observers."""
        kind = type(events[0])
        back = origin is not None and kind in origin.echoes
        waits = kind in _MAY_WAIT
        for room in rooms:
            room.post(origin, *events, back=back)
            self._rooms[room] = waits and self._rooms.get(room, True)
        self._only_joins &= kind is Joined
        if kind in _MOVES:
            self._moves += len(events)
        if origin is not None:
            self._apart.setdefault(origin, [])
        self._schedule(waits)
        for observer in self.observers:
            for event in events:
                try:
                    observer(event)
                except Exception as error:
                    self.failures.append(error)

    def mail(self, member: Member, *events: Event) -> None:
        """To one member."""
        waits = all(type(event) in _MAY_WAIT for event in events)
        if not waits:
            self._hurried.add(member)
        self._apart.setdefault(member, []).extend(events)
        self._schedule(waits)

    def close(self, member: Member) -> None:
        """Close the member's door after this turn went out."""
        self._closing.append(member)
        self._hurried.add(member)
        self._apart.setdefault(member, [])
        self._schedule(waits=False)

    def after(self, call: Callable[[], object]) -> None:
        """Call this when all that was said so far went out."""
        self._then.append(call)
        self._schedule(waits=False)

    def use(self, end_of_turn: Callable[[Callable[[], None]], object], later: Later | None) -> None:
        """Use these from now on, also for what is there already."""
        self.end_of_turn, self.later = end_of_turn, later
        self._scheduled = False
        if self._rooms or self._apart:
            self._schedule(waits=False)

    def end_early(self, *, joins: Door | None = None) -> None:
        """To be called first in a verb, when nothing is half done, with whose door it is if all it
        does is to join: a turn in which very many come and go is over already."""
        most = _MOST_WHO_MOVE
        if joins is not None and self._only_joins:
            most = getattr(joins, "most_joins", _MOST_WHO_JOIN)
        if self._moves >= most and not self._flushing and self._held is None:
            try:
                self.flush()
            except ExceptionGroup as group:  # no fault of who is coming or going now
                self.failures += group.exceptions
                self._schedule(waits=False)

    def _schedule(self, waits: bool) -> None:
        if not self._scheduled and not (waits and self._timer is not None):
            self._scheduled = True
            self.end_of_turn(self._end)

    def _end(self) -> None:
        """The reactor's turn is over; this one may wait, or all of it but what is for some."""
        self._scheduled = False
        if self._held is not None:
            return
        patient = sum(len(room.members) for room, waits in self._rooms.items() if waits)
        wait = min(_LONGEST_WAIT, patient * _WAIT_PER_MEMBER)
        if self.later is None or wait < _SHORTEST_WAIT:
            self.flush()
            return
        hurried, self._hurried = self._hurried, set()
        hurried.update(*(room.members for room, waits in self._rooms.items() if not waits))
        if 2 * len(hurried) > patient:  # to tell the others as well costs less than to wait
            self.flush()
            return
        if self._timer is None:
            self._timer = self.later(wait, self._time_is_up)
        if hurried or self._then:
            self._flush_to(hurried)

    def _time_is_up(self) -> None:
        self._timer = None
        self.flush()

    def flush(self) -> None:
        """Deliver the turn. What members say meanwhile belongs to the next one."""
        if self._held is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        rooms, self._rooms = self._rooms, {}
        apart, self._apart = self._apart, {}
        self._hurried.clear()
        self._moves = 0
        self._only_joins = True
        for member in self.ignorers:
            apart.setdefault(member, [])
        self._send({room: room.take() for room in rooms}, apart)

    def _flush_to(self, hurried: set[Member]) -> None:
        """Deliver the turn to some members, among them all of the rooms where something was said:
        all that is for them so far, so that its order stays. The rest of it waits on."""
        batches = {room: room.take() for room, waits in self._rooms.items() if not waits}
        for room in batches:
            del self._rooms[room]
        apart = {}
        for member in hurried:
            mail = self._apart.pop(member, None)
            coming = [event for room in member.rooms for event in room.coming(member)]
            if mail is not None or coming or member.ignored:
                apart[member] = [*(mail or ()), *coming]
        self._send(batches, apart)

    def _send(self, batches: dict[Room, Batch], apart: dict[Member, list[Event]]) -> None:
        closing, self._closing = self._closing, []
        then, self._then = self._then, []
        settled = settle(batches, apart, closing, then)
        if self.gate is None or not batches:
            self._write(settled)
            return
        self._held = settled
        try:
            self.gate({room: batch.events for room, batch in batches.items()}, self._release)
        except Exception as error:
            self.failures.append(error)
            self._release(())

    def _release(self, refused: Collection[int]) -> None:
        """The turn that is held may go out, but for the lines of these ids."""
        settled, self._held = self._held, None
        if settled is None:
            return
        try:
            if refused:
                refuse(settled, frozenset(refused), self._apart.values())
        except Exception as error:  # no reason to keep the rest from everyone
            self.failures.append(error)
        if self._rooms or self._apart or self._then:
            self._schedule(waits=False)
        self._write(settled)

    def _write(self, settled: Settled) -> None:
        failures, self.failures = self.failures, []
        self.number += 1
        self._flushing = True
        try:
            failures += deliver(settled)
        finally:
            self._flushing = False
        if failures:
            raise ExceptionGroup("members or observers that raised", failures)
