"""The hub: rooms by name, members by nick, and the verbs that every protocol calls.

Knows no clock (`now`, seconds since the epoch, is an argument), no sockets, no
wire format. A verb either happens whole or raises a ChatError that says why not.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, islice, repeat

from chatroom.admission import Admission
from chatroom.errors import BadName, NameTaken, NoSuchMember, NotInRoom, TooMany
from chatroom.events import (
    Acted,
    Joined,
    Left,
    Notice,
    Renamed,
    Replayed,
    Said,
    Told,
    TopicSet,
    Welcomed,
    many,
)
from chatroom.limits import Limits
from chatroom.member import Door, Member
from chatroom.names import check_nick, fold, guest_nick, room_name
from chatroom.room import Room, arrival, ignores
from chatroom.turn import Later, Turn, no_turns

__all__ = ["MOST_IGNORED", "Hub"]

MOST_IGNORED = 100


class Hub:
    """One chat. Everyone in it is in `members`, by folded nick: the only list there is.

    `end_of_turn` is called with a callable when something was accepted, and calls it
    once the current reactor turn is over; without it, the first factory that serves
    the hub brings its reactor's. `guests_by_address` shows guests by their address.
    """

    def __init__(
        self,
        *,
        end_of_turn: Callable[[Callable[[], None]], object] | None = None,
        limits: Limits | None = None,
        lobby: str = "#lobby",
        welcome: str = "Welcome to this chatroom!",
        motd: str = "",
        guests_by_address: bool = False,
    ) -> None:
        self.welcome = welcome
        self.motd = motd
        self.guests_by_address = guests_by_address
        self.started: float | None = None
        self.members: dict[str, Member] = {}
        self.rooms: dict[str, Room] = {}
        self._ids = count(1)
        self._guests = count(1)
        self._turn = Turn(end_of_turn or no_turns)
        self.observers = self._turn.observers
        self.limits = limits or Limits()
        self.admission = Admission(self.limits)
        self.lobby = self._room(room_name(lobby))

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

    def apply(self, limits: Limits) -> None:
        """Use other limits from now on; nobody is dropped for being over a lowered one."""
        self.limits = self.admission.limits = limits
        for room in self.rooms.values():
            room.keep(limits.recent or 0)
        for member in self.members.values():
            member.buckets = None

    # Coming and going

    def enter(self, door: Door, now: float, nick: str = "", address: str = "") -> Member:
        """Someone arrives: a guest in the lobby, or under `nick` (a program's own member).

        Raises BadName or NameTaken; a guest always gets in.
        """
        self._turn.end_early(joins=True)
        if nick:
            self._must_be_free(nick)
        member = Member(nick or self._guest_nick(), door, address, now)
        member.guest = not nick
        member.shown = self._shown(member)
        self.members[member.folded] = member
        if self.started is None:
            self.started = now
        if self.welcome:
            self._turn.mail(member, Welcomed(*self._by_server(now), self.welcome))
        self.notify(member, self.motd, now)
        self._enter_room(member, self.lobby, now)
        return member

    def leave(self, member: Member, reason: str, now: float, *, gone: bool = False) -> None:
        """Someone goes for good. Its door is closed after this turn, unless there is nobody
        behind it any more (`gone`). Twice does no harm."""
        self._turn.end_early()
        if not member.present:
            return
        member.present = False
        member.last_from = None
        for room in tuple(member.rooms):
            self._leave_room(member, room, reason, now, gone)
        del self.members[member.folded]
        self._turn.ignorers.discard(member)
        if not gone:
            self._turn.close(member)

    def dismiss(self, text: str, now: float) -> None:
        """Tell everyone, and close every door after this turn."""
        for member in self.members.values():
            self.notify(member, text, now)
            self._turn.close(member)

    def join(self, member: Member, name: str, now: float) -> Room:
        """Enter a room (made if need be), or switch to it. Raises BadName, TooMany."""
        self._turn.end_early(joins=True)
        member.must_be_present()
        name = room_name(name)
        room = self.rooms.get(fold(name))
        if room is not None and room in member.rooms:
            self._switch(member, room)
            return room
        most = self.limits.rooms_per_member
        if most is not None and len(member.rooms) >= most:
            raise TooMany(f"You are in {most} rooms, the most there may be. /part one first.")
        member.spend("joins", self.limits.joins, now, "You join rooms too fast.")
        room = room or self._room(name)
        self._enter_room(member, room, now)
        return room

    def part(self, member: Member, name: str, reason: str, now: float) -> Room:
        """Leave a room. Raises NotInRoom."""
        self._turn.end_early()
        room = self.room_of(member, name)
        self._leave_room(member, room, reason, now, gone=False)
        return room

    # Speaking

    def say(self, member: Member, text: str, now: float) -> None:
        """Say each line of `text` in the member's current room. Raises NotInRoom."""
        self._turn.end_early()
        room = member.current or self.room_of(member, "")
        member.spoke = now
        by = now, room.name, member.nick, member.shown
        lines = text.splitlines()
        if lines:
            rows = zip(islice(self._ids, len(lines)), *map(repeat, by), lines, strict=False)
            self._turn.post(member, (room,), *many(Said, rows))

    def act(self, member: Member, text: str, now: float) -> None:
        """Tell the current room what the member does. Raises NotInRoom."""
        self._turn.end_early()
        room = self.room_of(member, "")
        member.spoke = now
        self._turn.post(member, (room,), Acted(*self._by(member, now, room), text))

    def tell(self, member: Member, nick: str, text: str, now: float) -> Member:
        """Say a line to one member alone; returns it. Raises NoSuchMember."""
        member.must_be_present()
        to = self.find(nick)
        member.spoke = now
        self._turn.mail(member, Told(*self._by(member, now), to.nick, text, echo=True))
        if member.folded not in to.ignored:
            to.last_from = member
            self._turn.mail(to, Told(*self._by(member, now), to.nick, text, echo=False))
        return to

    def notify(self, member: Member, text: str, now: float) -> None:
        """The server's word to one member, a Notice for each line of `text`."""
        notices = [Notice(*self._by_server(now), line) for line in text.splitlines()]
        if notices:
            self._turn.mail(member, *notices)

    def announce(self, text: str, now: float) -> None:
        """The server's word to everyone."""
        for member in self.members.values():
            self.notify(member, text, now)

    def replay(self, member: Member, room: Room, most: int, now: float) -> int:
        """Show the room's last lines again; returns how many there were."""
        events = [event for event in room.recent if not (member.ignored and ignores(member, event))]
        events = events[len(events) - most :] if most < len(events) else events
        if events:
            again = Replayed(next(self._ids), now, room.name, "", "", tuple(events))
            self._turn.mail(member, again)
        return len(events)

    # Being someone

    def show_guests(self, *, by_address: bool) -> None:
        """Show guests by their address or by their nick, also those who are here."""
        self.guests_by_address = by_address
        for member in self.members.values():
            member.shown = self._shown(member)

    def set_away(self, member: Member, text: str | None) -> None:
        """Mark the member as away, for a reason or none (''), or as back (None)."""
        member.away = text

    def rename(self, member: Member, nick: str, now: float) -> None:
        """Take another nick. Raises BadName, NameTaken, TooMany."""
        self._turn.end_early()
        member.must_be_present()
        if nick == member.nick:
            raise NameTaken(f"You are {nick} already.")
        self._must_be_free(nick, member)
        member.spend("nick", self.limits.nick_changes, now, "You change nicks too fast.")
        event = Renamed(*self._by(member, now), nick)
        self._turn.post(member, member.rooms, event)
        for other in self._turn.ignorers:
            if member.folded in other.ignored:
                self._settle(other)
                other.ignored = other.ignored - {member.folded} | {fold(nick)}
        del self.members[member.folded]
        member.nick, member.folded, member.guest = nick, fold(nick), False
        member.shown = self._shown(member)
        self.members[member.folded] = member
        member.refresh()

    def set_topic(self, member: Member, topic: str, now: float) -> Room:
        """Set the current room's topic; an empty one clears it. Raises NotInRoom."""
        self._turn.end_early()
        room = self.room_of(member, "")
        room.topic, room.topic_by = topic, member.nick if topic else ""
        self._turn.post(member, (room,), TopicSet(*self._by(member, now, room), topic))
        return room

    def ignore(self, member: Member, nick: str) -> None:
        """Hide what `nick` says from the member, under this nick and the next. Raises
        NoSuchMember, BadName, TooMany."""
        folded = self.find(nick).folded
        if folded == member.folded:
            raise BadName("You cannot ignore yourself. /ignore NICK hides what another says.")
        if len(member.ignored) >= MOST_IGNORED:
            raise TooMany(f"You ignore {MOST_IGNORED}, the most there may be. /unignore one first.")
        self._settle(member)
        member.ignored |= {folded}
        self._turn.ignorers.add(member)

    def unignore(self, member: Member, nick: str) -> None:
        """Show it again. Raises NoSuchMember when it was not hidden."""
        if fold(nick) not in member.ignored:
            raise NoSuchMember(f"You do not ignore {nick}. /ignore lists whom you do.")
        self._settle(member)
        member.ignored -= {fold(nick)}
        if not member.ignored:
            self._turn.ignorers.discard(member)

    # Finding

    def find(self, nick: str) -> Member:
        """The member of that nick. Raises NoSuchMember."""
        try:
            return self.members[fold(nick)]
        except KeyError:
            raise NoSuchMember(f"Nobody here is called {nick}. /who lists who is here.") from None

    def room_of(self, member: Member, name: str) -> Room:
        """The room of that name, or the current one for '', which `member` is in. Raises
        NotInRoom."""
        if not name:
            if member.current is None:
                raise NotInRoom(f"You are in no room. /join {self.lobby.name} to talk.")
            return member.current
        room = self.rooms.get(fold(room_name(name)))
        if room is None or room not in member.rooms:
            raise NotInRoom(f"You are not in {room_name(name)}. /join it first.")
        return room

    # Inside

    def _by(
        self, member: Member, now: float, room: Room | None = None
    ) -> tuple[int, float, str | None, str, str]:
        """What every event of a member's begins with."""
        name = None if room is None else room.name
        return next(self._ids), now, name, member.nick, member.shown

    def _by_server(self, now: float) -> tuple[int, float, None, str, str]:
        return next(self._ids), now, None, "", ""

    def _enter_room(self, member: Member, room: Room, now: float) -> None:
        self.replay(member, room, self.limits.recent or 0, now)
        room.joined(member)
        member.rooms[room] = None
        here = len(room.members)
        self._turn.post(member, (room,), Joined(*self._by(member, now, room), here))
        self._switch(member, room)
        self.notify(member, arrival(member, room), now)

    def _leave_room(self, member: Member, room: Room, reason: str, now: float, gone: bool) -> None:
        if not gone:
            self._turn.mail(member, *room.coming(member))
        room.left(member)
        del member.rooms[room]
        here = len(room.members)
        self._turn.post(None, (room,), Left(*self._by(member, now, room), here, reason))
        if not room.members and room is not self.lobby:
            del self.rooms[fold(room.name)]
        if member.current is room:
            self._switch(member, next(reversed(member.rooms), None))

    def _settle(self, member: Member) -> None:
        """Before it ignores others than so far: what was said until now is shown or hidden as
        it was."""
        for room in member.rooms:
            self._turn.mail(member, *room.coming(member))

    def _switch(self, member: Member, room: Room | None) -> None:
        member.current = room
        if member.present:
            member.refresh()

    def _room(self, name: str) -> Room:
        room = self.rooms[fold(name)] = Room(name, self.limits.recent or 0)
        return room

    def _guest_nick(self) -> str:
        return next(
            nick for number in self._guests if (nick := guest_nick(number)) not in self.members
        )

    def _shown(self, member: Member) -> str:
        by_address = self.guests_by_address and member.guest
        return (by_address and member.address) or member.nick

    def _must_be_free(self, nick: str, member: Member | None = None) -> None:
        if self.members.get(fold(check_nick(nick)), member) is not member:
            raise NameTaken(f"{nick} is taken. Choose another nick.")
