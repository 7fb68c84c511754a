"""The host: what the server itself says, to one, to a room, to everyone; and whom it asks first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from chatroom.directory import Directory
from chatroom.events import Event, Notice, Redacted, Replayed
from chatroom.guard import Guard, Verb
from chatroom.limits import Limits
from chatroom.member import Member
from chatroom.room import Room, ignores
from chatroom.turn import Gate, Later, Turn, no_turns

__all__ = ["Host"]


class Host(Directory):
    """Gives every event its id, and collects those of one turn (`Turn`).

    `guards` are asked before each verb. `commands` has those that this hub has beside the
    usual, or in their place, by name.
    """

    def __init__(
        self,
        end_of_turn: Callable[[Callable[[], None]], object] | None,
        limits: Limits,
        lobby: str,
        guests_by_address: bool,
    ) -> None:
        super().__init__(limits, lobby, guests_by_address)
        self._ids = count(1)
        self._turn = Turn(end_of_turn or no_turns)
        self.observers = self._turn.observers
        self.guards: list[Guard] = []
        self.commands: dict[str, Any] = {}  # see `commands.attach`

    @property
    def needs_turns(self) -> bool:
        """Whether nobody has said yet how to learn that a turn is over."""
        return self._turn.end_of_turn is no_turns

    def use_turns(
        self, end_of_turn: Callable[[Callable[[], None]], object], later: Later | None = None
    ) -> None:
        """Say how to learn that a turn is over (see the class), and how to wait some seconds:
        then a turn in which people only come and go waits a moment where a room is large."""
        self._turn.use(end_of_turn, later)

    def use_gate(self, gate: Gate | None) -> None:
        """Say what may hold a turn until what was posted in it is kept."""
        self._turn.gate = gate

    def count_from(self, id: int) -> None:
        """Give ids from this one on: before anything has happened."""
        self._ids = count(id)

    def after_turn(self, call: Callable[[], object]) -> None:
        """Call this when all that was said until now went out."""
        self._turn.after(call)

    def mark(self) -> int:
        """An id after all that has happened, and before all that is to come."""
        return next(self._ids)

    def ask(self, verb: Verb, member: Member, about: str, text: str, now: float) -> None:
        """Ask the guards (see `Guard.ask`). Raises what one of them does."""
        for guard in self.guards:
            guard.ask(verb, member, about, text, now)

    # Speaking

    def notify(self, member: Member, text: str, now: float) -> None:
        """The server's word to one member, a Notice for each line of `text`."""
        notices = [Notice(*self._by_server(now), line) for line in text.splitlines()]
        if notices:
            self._turn.mail(member, *notices)

    def word(self, room: Room, text: str, now: float) -> None:
        """The server's word to a room, one line."""
        notice = Notice(next(self._ids), now, room.name, "", "", text)
        self._turn.post(None, (room,), notice)

    def announce(self, text: str, now: float) -> None:
        """The server's word to everyone."""
        for member in self.members.values():
            self.notify(member, text, now)

    def dismiss(self, text: str, now: float) -> None:
        """Tell everyone, and close every door after this turn."""
        for member in self.members.values():
            self.notify(member, text, now)
            self._turn.close(member)

    def replay(self, member: Member, room: Room, most: int, now: float) -> int:
        """Show the room's last lines again; returns how many there were."""
        return self.show_again(member, room.name, tuple(room.recent), most, now)

    def show_again(
        self, member: Member, room: str | None, events: Sequence[Event], most: int, now: float
    ) -> int:
        """Show the last of earlier events again, but those it ignores; returns how many."""
        if member.ignored:
            events = [event for event in events if not ignores(member, event)]
        events = events[len(events) - most :] if most < len(events) else events
        if events:
            again = Replayed(next(self._ids), now, room, "", "", tuple(events))
            self._turn.mail(member, again)
        return len(events)

    def redact(
        self, member: Member, room: Room, line: int, author: str, reason: str, now: float
    ) -> None:
        """Take a line out of what is shown again, and tell the room."""
        event = Redacted(*self._by(member, now, room), line, author, reason)
        room.redact(event)
        self._turn.post(None, (room,), event)

    # Inside

    def _by(
        self, member: Member, now: float, room: Room | None = None
    ) -> tuple[int, float, str | None, str, str]:
        """What every event of a member's begins with."""
        name = None if room is None else room.name
        return next(self._ids), now, name, member.nick, member.shown

    def _by_server(self, now: float) -> tuple[int, float, None, str, str]:
        return next(self._ids), now, None, "", ""
