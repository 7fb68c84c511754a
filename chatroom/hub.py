"""The hub: rooms by name, members by nick, and the verbs that every protocol calls.

Knows no clock (`now`, seconds since the epoch, is an argument), no sockets, no
wire format. A verb either happens whole or raises a ChatError that says why not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.admission import Admission
from chatroom.errors import BadName, BadText, ChatError, NameTaken, NoSuchMember, TooMany
from chatroom.events import (
    Arrived,
    Event,
    Gone,
    Joined,
    Kicked,
    Left,
    Profile,
    Renamed,
    TopicSet,
    Welcomed,
)
from chatroom.identity import Identity
from chatroom.limits import Limits
from chatroom.member import LINE_USER, Door, Member
from chatroom.names import fold, room_name
from chatroom.room import Room, arrival
from chatroom.speaking import Speaking

__all__ = ["MOST_IGNORED", "TOPIC_BYTES", "Hub"]

MOST_IGNORED = 100

TOPIC_BYTES = 390
"""In the longest topic, in UTF-8: so many fit a line of IRC's (512 bytes) beside all else."""


class Hub(Speaking):
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
        self.most_members = 0
        self.admission = Admission(self.limits)

    def apply(self, limits: Limits) -> None:
        """Use other limits from now on; nobody is dropped for being over a lowered one."""
        self.limits = self.admission.limits = limits
        for room in self.rooms.values():
            room.keep(limits.recent or 0)
        for member in self.members.values():
            member.buckets = None

    # Coming and going

    def enter(
        self,
        door: Door,
        now: float,
        nick: str = "",
        address: str = "",
        who: Identity | None = None,
        *,
        greeted: bool = True,
    ) -> Member:
        """Someone arrives: a guest in the lobby, or under `nick` (a program's own member).
        `greeted`: it is welcomed, and in the lobby at once; if not, its door sees to that.

        Raises BadName or NameTaken; a guest always gets in.
        """
        self._turn.end_early(joins=door)
        if nick:
            self.must_be_free(nick)
        who = who or Identity(LINE_USER, self.cloak(address))
        member = Member(nick or self._guest_nick(), door, address, now, who)
        member.guest = not nick
        member.shown = self._shown(member)
        self.members[member.folded] = member
        self.most_members = max(self.most_members, len(self.members))
        if self.started is None:
            self.started = now
        for guard in self.guards:
            guard.entered(member, now)
        if greeted:
            self._greet(member, now)
        return member

    def _greet(self, member: Member, now: float) -> None:
        if self.welcome:
            self._turn.mail(member, Welcomed(*self._by_server(now), self.welcome))
        self.notify(member, self.motd, now)
        try:
            self.ask("join", member, self.lobby.name, "", now)
        except ChatError as refusal:
            self.notify(member, str(refusal), now)
        else:
            self._enter_room(member, self.lobby, now)

    def leave(
        self, member: Member, reason: str, now: float, *, gone: bool = False, said: bool = False
    ) -> None:
        """Someone goes for good. Its door is closed after this turn, unless there is nobody
        behind it any more (`gone`). `said`: the reason is its own words. Twice does no harm."""
        self._turn.end_early()
        if not member.present:
            return
        member.present = False
        member.why_left = reason
        member.last_from = None
        where: dict[Room, str] = {}
        for room in tuple(member.rooms):
            why = self._last_words(member, room, reason, now) if said else reason
            self._leave_room(member, room, why, now, gone)
            if room.members:
                where[room] = why
        if where:  # all are told one reason: none, where it may not be said in one of the rooms
            why = "" if "" in where.values() else reason
            self._turn.post(None, where, Gone(*self._by(member, now), why, member.who, said))
        del self.members[member.folded]
        self._turn.ignorers.discard(member)
        self._forget_accepted(member)
        if not gone:
            self._turn.close(member)
        for guard in self.guards:
            guard.left(member)

    def kick(self, by: Member, member: Member, room: Room, reason: str, now: float) -> None:
        """Take a member out of a room. Raises NotInRoom."""
        self._turn.end_early()
        self.room_of(member, room.name)
        why = f": {reason}" if reason else "."
        if Kicked not in member.echoes:
            self.notify(member, f"You were kicked from {room.name} by {by.shown}{why}", now)
        self._leave_room(member, room, reason, now, gone=False, by=by)

    def join(self, member: Member, name: str, now: float, key: str = "") -> Room:
        """Enter a room (made if need be), or switch to it. Raises BadName, TooMany."""
        self._turn.end_early(joins=member.door)
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
            room = self._room(name, now)
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

    # Being someone

    def set_away(self, member: Member, text: str | None, now: float) -> None:
        """Mark the member as away, for a reason or none (''), or as back (None)."""
        self._turn.end_early()
        was, member.away = member.away, text
        if was != text:
            self._profile(member, member.who, was, now)

    def identify(self, member: Member, now: float, **changes: Any) -> None:
        """Change what is known of a member beside its nick: fields of its Identity."""
        self._turn.end_early()
        was = member.who
        who = was._replace(**changes)
        if who != was:
            member.who = who
            self._profile(member, was, member.away, now)

    def _profile(self, member: Member, was: Identity, was_away: str | None, now: float) -> None:
        about = self._by(member, now)
        event = Profile(*about, was, member.who, was_away, member.away)
        self._turn.post(member, member.rooms, event)
        if member.present and not member.rooms and Profile in member.echoes:
            self._turn.mail(member, event)
        for guard in self.guards:
            guard.profiled(member, event)

    def rename(self, member: Member, nick: str, now: float, *, freely: bool = False) -> None:
        """Take another nick. Raises BadName, NameTaken, TooMany. `freely`, whoever asks for it:
        no guard is asked, and it is not counted."""
        self._turn.end_early()
        member.must_be_present()
        if nick == member.nick:
            raise NameTaken(f"You are {nick} already.")
        if not freely:
            self.ask("rename", member, nick, "", now)
        self.must_be_free(nick, member)
        if not freely:
            member.spend("nick", self.limits.nick_changes, now, "You change nicks too fast.")
        self._rename(member, nick, now)

    def unname(self, member: Member, now: float) -> None:
        """Make the member a guest, with a guest's nick."""
        self._turn.end_early()
        self._rename(member, self._guest_nick(), now, guest=True)

    def _rename(self, member: Member, nick: str, now: float, guest: bool = False) -> None:
        was = member.nick
        event = Renamed(*self._by(member, now), nick, member.who)
        self._turn.post(member, member.rooms, event)
        if not member.rooms and Renamed in member.echoes:
            self._turn.mail(member, event)
        for other in self._turn.ignorers:
            if member.folded in other.ignored:
                self._settle(other)
                other.ignored = other.ignored - {member.folded} | {fold(nick)}
        del self.members[member.folded]
        member.nick, member.folded, member.guest = nick, fold(nick), guest
        member.shown = self._shown(member)
        self.members[member.folded] = member
        member.refresh()
        for guard in self.guards:
            guard.renamed(member, was, now)

    def set_topic(self, member: Member, topic: str, now: float, room: Room | None = None) -> Room:
        """Set the topic of a room, the current one unless given; an empty one clears it. Raises
        NotInRoom."""
        self._turn.end_early()
        room = self.room_of(member, "" if room is None else room.name)
        if len(topic.encode()) > TOPIC_BYTES:
            raise BadText(f"A topic has at most {TOPIC_BYTES} bytes. Choose a shorter one.")
        self.ask("topic", member, room.name, topic, now)
        room.topic, room.topic_by = topic, member.nick if topic else ""
        room.topic_at = now
        event = TopicSet(*self._by(member, now, room), topic, member.who)
        self._turn.post(member, (room,), event)
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
        if getattr(member.door, "replays", True):
            self.replay(member, room, self.limits.recent or 0, now)
        room.joined(member)
        member.rooms[room] = None
        here = len(room.members)
        about = self._by(member, now, room)
        joined = Joined(*about, here, member.who, member.away)
        self._turn.post(member, (room,), joined)
        self._switch(member, room)
        text = arrival(member, room)
        self._turn.mail(member, Arrived(*self._by(member, now), text, room, joined, member))
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
        self,
        member: Member,
        room: Room,
        reason: str,
        now: float,
        gone: bool,
        by: Member | None = None,
    ) -> None:
        if not gone:
            self._turn.mail(member, *room.coming(member))
        room.left(member)
        del member.rooms[room]
        here = len(room.members)
        about = self._by(member, now, room)
        left: Event = Left(*about, here, reason, member.who, not member.present)
        if by is not None:
            left = Kicked(*about, here, reason, by.shown, member.who, by.nick, by.who)
        self._turn.post(None, (room,), left)
        if member.present and type(left) in member.echoes:
            self._turn.mail(member, left)
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
