"""The hub: rooms by name, members by nick, and the verbs that every protocol calls.

Knows no clock (`now`, seconds since the epoch, is an argument), no sockets, no
wire format. A verb either happens whole or raises a ChatError that says why not.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, repeat

from chatroom.admission import Admission
from chatroom.errors import BadName, ChatError, NameTaken, NoSuchMember, TooMany
from chatroom.events import (
    Acted,
    Joined,
    Kicked,
    Left,
    Renamed,
    Said,
    Told,
    TopicSet,
    Welcomed,
    many,
)
from chatroom.host import Host
from chatroom.limits import Limits
from chatroom.member import Door, Member
from chatroom.names import fold, room_name
from chatroom.room import Room, arrival

__all__ = ["MOST_IGNORED", "Hub"]

MOST_IGNORED = 100


class Hub(Host):
    """One chat, and everyone in it.

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
        super().__init__(end_of_turn, limits or Limits(), lobby, guests_by_address)
        self.welcome = welcome
        self.motd = motd
        self.started: float | None = None
        self.admission = Admission(self.limits)

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
        try:
            self.ask("join", member, self.lobby.name, "", now)
        except ChatError as refusal:
            self.notify(member, str(refusal), now)
        else:
            self._enter_room(member, self.lobby, now)
        return member

    def leave(
        self, member: Member, reason: str, now: float, *, gone: bool = False, said: bool = False
    ) -> None:
        """Someone goes for good. Its door is closed after this turn, unless there is nobody
        behind it any more (`gone`). `said`: the reason is its own words. Twice does no harm."""
        self._turn.end_early()
        if not member.present:
            return
        member.present = False
        member.last_from = None
        for room in tuple(member.rooms):
            why = self._last_words(member, room, reason, now) if said else reason
            self._leave_room(member, room, why, now, gone)
        del self.members[member.folded]
        self._turn.ignorers.discard(member)
        if not gone:
            self._turn.close(member)
        for guard in self.guards:
            guard.left(member)

    def kick(self, by: Member, member: Member, room: Room, reason: str, now: float) -> None:
        """Take a member out of a room. Raises NotInRoom."""
        self._turn.end_early()
        self.room_of(member, room.name)
        why = f": {reason}" if reason else "."
        self.notify(member, f"You were kicked from {room.name} by {by.shown}{why}", now)
        self._leave_room(member, room, reason, now, gone=False, by=by.shown)

    def join(self, member: Member, name: str, now: float, key: str = "") -> Room:
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
        self.ask("join", member, name, key, now)
        member.spend("joins", self.limits.joins, now, "You join rooms too fast.")
        if room is None:
            room = self._room(name)
            for guard in self.guards:
                guard.made(room, member)
        self._enter_room(member, room, now)
        return room

    def part(self, member: Member, name: str, reason: str, now: float) -> Room:
        """Leave a room. Raises NotInRoom."""
        self._turn.end_early()
        room = self.room_of(member, name)
        reason = self._last_words(member, room, reason, now)
        self._leave_room(member, room, reason, now, gone=False)
        return room

    # Speaking

    def say(self, member: Member, text: str, now: float) -> None:
        """Say each line of `text` in the member's current room. Raises NotInRoom."""
        self._turn.end_early()
        room = member.current
        if self.guards:
            self.ask("say", member, "" if room is None else room.name, text, now)
        room = room or self.room_of(member, "")
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
        self.ask("act", member, room.name, text, now)
        member.spoke = now
        self._turn.post(member, (room,), Acted(*self._by(member, now, room), text))

    def tell(self, member: Member, nick: str, text: str, now: float) -> Member:
        """Say a line to one member alone; returns it. Raises NoSuchMember."""
        member.must_be_present()
        to = self.find(nick)
        self.ask("tell", member, to.nick, text, now)
        member.spoke = now
        self._turn.mail(member, Told(*self._by(member, now), to.nick, text, echo=True))
        if member.folded not in to.ignored:
            to.last_from = member
            self._turn.mail(to, Told(*self._by(member, now), to.nick, text, echo=False))
        return to

    # Being someone

    def show_guests(self, *, by_address: bool) -> None:
        """Show guests by their address or by their nick, also those who are here."""
        self.guests_by_address = by_address
        for member in self.members.values():
            member.shown = self._shown(member)

    def set_away(self, member: Member, text: str | None) -> None:
        """Mark the member as away, for a reason or none (''), or as back (None)."""
        member.away = text

    def rename(self, member: Member, nick: str, now: float, *, freely: bool = False) -> None:
        """Take another nick. Raises BadName, NameTaken, TooMany. `freely`, whoever asks for it:
        no guard is asked, and it is not counted."""
        self._turn.end_early()
        member.must_be_present()
        if nick == member.nick:
            raise NameTaken(f"You are {nick} already.")
        if not freely:
            self.ask("rename", member, nick, "", now)
        self._must_be_free(nick, member)
        if not freely:
            member.spend("nick", self.limits.nick_changes, now, "You change nicks too fast.")
        self._rename(member, nick, now)

    def unname(self, member: Member, now: float) -> None:
        """Make the member a guest, with a guest's nick."""
        self._turn.end_early()
        self._rename(member, self._guest_nick(), now, guest=True)

    def _rename(self, member: Member, nick: str, now: float, guest: bool = False) -> None:
        event = Renamed(*self._by(member, now), nick)
        self._turn.post(member, member.rooms, event)
        for other in self._turn.ignorers:
            if member.folded in other.ignored:
                self._settle(other)
                other.ignored = other.ignored - {member.folded} | {fold(nick)}
        del self.members[member.folded]
        member.nick, member.folded, member.guest = nick, fold(nick), guest
        member.shown = self._shown(member)
        self.members[member.folded] = member
        member.refresh()

    def set_topic(self, member: Member, topic: str, now: float) -> Room:
        """Set the current room's topic; an empty one clears it. Raises NotInRoom."""
        self._turn.end_early()
        room = self.room_of(member, "")
        self.ask("topic", member, room.name, topic, now)
        room.topic, room.topic_by = topic, member.nick if topic else ""
        self._turn.post(member, (room,), TopicSet(*self._by(member, now, room), topic))
        for guard in self.guards:
            guard.topic_set(room)
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

    # Inside

    def _enter_room(self, member: Member, room: Room, now: float) -> None:
        self.replay(member, room, self.limits.recent or 0, now)
        room.joined(member)
        member.rooms[room] = None
        here = len(room.members)
        self._turn.post(member, (room,), Joined(*self._by(member, now, room), here))
        self._switch(member, room)
        self.notify(member, arrival(member, room), now)
        for guard in self.guards:
            guard.joined(room, member, now)

    def _last_words(self, member: Member, room: Room, reason: str, now: float) -> str:
        """The reason, or '' from who may not speak there."""
        try:
            if reason:
                self.ask("leave", member, room.name, reason, now)
        except ChatError:
            return ""
        return reason

    def _leave_room(
        self, member: Member, room: Room, reason: str, now: float, gone: bool, by: str = ""
    ) -> None:
        if not gone:
            self._turn.mail(member, *room.coming(member))
        room.left(member)
        del member.rooms[room]
        here = len(room.members)
        about = self._by(member, now, room)
        left = Left(*about, here, reason)
        self._turn.post(None, (room,), Kicked(*about, here, reason, by) if by else left)
        if not room.members:
            if room is not self.lobby:
                del self.rooms[fold(room.name)]
            for guard in self.guards:
                guard.emptied(room)
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
