"""The host: what the server itself says, to one, to a room, to everyone; and whom it asks first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

from chatroom.archive import Archive
from chatroom.authority import Authority
from chatroom.cloak import Cloak
from chatroom.directory import Directory
from chatroom.events import Event, Invited, Notice, Redacted, Replayed, Reply, RoomRenamed, Ruled
from chatroom.guard import Guard, Verb
from chatroom.limits import Limits
from chatroom.member import Member
from chatroom.names import fold
from chatroom.registrar import Registrar
from chatroom.room import Room, ignores
from chatroom.rules import Change
from chatroom.turn import Gate, Later, Turn, no_turns

__all__ = ["Host"]


class Host(Directory):
    """Gives every event its id, and collects those of one turn (`Turn`).

    `guards` are asked before each verb. `commands` has those that this hub has beside the
    usual, or in their place, by name. `authority`, `registrar` and `archive` are who keeps order,
    who knows accounts and who keeps what was said. `cloak` makes an address unreadable.
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
        self.authority = Authority()
        self.registrar = Registrar()
        self.archive = Archive(self)
        self.cloak = Cloak(b"")
        self.commands: dict[str, Any] = {}  # see `commands.attach`

    @property
    def turn_number(self) -> int:
        """Another one each time that something is about to be told: while it stays the same,
        nobody comes, goes or is changed."""
        return self._turn.number

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
        notices = [Notice(*self._by_server(now), line, member.nick) for line in text.splitlines()]
        if notices:
            self._turn.mail(member, *notices)

    def reply(self, member: Member, frame: object, now: float) -> None:
        """What a member's own door says to it, in its place among all that it is told."""
        self._turn.mail(member, Reply(*self._by_server(now), frame))

    def mail(self, member: Member, event: Event) -> None:
        """Show one member an event that others may have been told of."""
        self._turn.mail(member, event)

    def ruled(
        self, member: Member | None, room: Room, text: str, changes: Sequence[Change], now: float
    ) -> None:
        """Tell a room that the member, or the server, changed its rules; `text` is what it did,
        without who, or '' where something else says so."""
        if member is None:
            by = next(self._ids), now, room.name, "", ""
            event = Ruled(*by, text, tuple(changes))
        else:
            event = Ruled(*self._by(member, now, room), text, tuple(changes), member.who)
        self._turn.post(None, (room,), event)

    def invite(self, member: Member, to: Member, room: Room, now: float) -> None:
        """Tell one that the member lets it into a room. Nobody is asked."""
        if Invited in to.echoes:
            event = Invited(*self._by(member, now, room), to.nick, member.who)
            self._turn.mail(to, event)
        else:
            text = f"{member.shown} invites you to {room.name}: /join {room.name}"
            self.notify(to, text, now)

    def rename_room(self, member: Member, room: Room, name: str, reason: str, now: float) -> None:
        """Give a room another name, which is free. Nobody is asked."""
        was = room.name
        del self.rooms[fold(was)]
        room.rename(name)
        self.rooms[fold(name)] = room
        about = self._by(member, now, room)
        self._turn.post(
            None, (room,), RoomRenamed(*about[:2], was, *about[3:], name, reason, member.who)
        )
        for other in room.members:
            try:
                other.refresh()
            except Exception as error:  # a program's own door, which costs nobody else the name
                self._turn.failures.append(error)
        for guard in self.guards:
            guard.room_renamed(room, was, now)

    def word(self, room: Room, text: str, now: float) -> None:
        """The server's word to a room, one line."""
        notice = Notice(next(self._ids), now, room.name, "", "", text)
        self._turn.post(None, (room,), notice)

    def announce(self, text: str, now: float) -> None:
        """The server's word to everyone."""
        for member in self.members.values():
            self.notify(member, text, now)

    def dismiss(self, text: str, now: float, members: Iterable[Member] | None = None) -> None:
        """Tell everyone, or these, and close their doors after this turn."""
        for member in self.members.values() if members is None else members:
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
        event = Redacted(*self._by(member, now, room), line, author, reason, member.who)
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
