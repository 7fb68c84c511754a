"""What is done to a room, to somebody in it, or to somebody on the server, by whatever door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable

from chatroom.errors import (
    AlreadyInRoom,
    BadName,
    NameTaken,
    NoSuchLine,
    NotAllowed,
    NotInRoom,
    NotOperator,
)
from chatroom.events import Event
from chatroom.identity import NOBODY, Identity
from chatroom.member import Member
from chatroom.names import fold, room_name
from chatroom.permissions import may
from chatroom.room import Room
from chatroom.rules import Change
from chatroom.store.changing import Changing
from chatroom.store.history import no_line
from chatroom.store.roomrules import MOST_OWNED

__all__ = ["Acting", "Oper"]

Oper = Callable[[Member, str, str, float], Awaitable[None]]
"""As `Authority.oper`."""

Tries = Callable[[Hashable, str, bool, float], bool]
"""Does what `Authority.try_password` does."""

_INVITES_A_MINUTE = 20


class Acting(Changing):
    """The other verbs of the Authority. `opers` is what knows the passwords of server operators,
    where there is such, and `tries` what counts guesses at other passwords."""

    opers: Oper | None = None
    tries: Tries | None = None

    def kick(self, member: Member, to: Member, room: Room, reason: str, now: float) -> None:
        self.must("kick", member, room)
        if room not in to.rooms:
            raise NotInRoom(f"{to.nick} is not in {room.name}. /who lists who is.")
        self.must("kick", member, room, to)
        self.rooms.revoke(fold(room.name), "invited", to, to.account)
        self.note(member, "kick", fold(room.name), to.nick, reason, now)
        self.hub.kick(member, to, room, reason, now)

    def invite(self, member: Member, to: Member, room: Room, now: float) -> None:
        has_a_say = may("invite", self.role(member, fold(room.name)))
        if room not in member.rooms and not self.is_server_operator(member):
            raise NotInRoom(f"You are not in {room.name}. /join it first.")
        if room.rules.is_locked or room.rules.limit:
            self.must("invite", member, room)
        if room in to.rooms:
            raise AlreadyInRoom(f"{to.nick} is in {room.name} already.")
        member.spend("invites", _INVITES_A_MINUTE, now, "You invite too many.")
        if has_a_say:
            self.name(room, "invited", [to.account or to], on=True)
            self.note(member, "invite", fold(room.name), to.shown, "", now)
        if member.folded not in to.ignored:
            self.hub.invite(member, to, room, now)
        change = Change("invited", True, to.nick)
        self.hub.ruled(member, room, f"invited {to.shown}", [change], now)

    def register_room(self, member: Member, room: Room, now: float) -> None:
        self.must("register", member, room)
        folded, owner = fold(room.name), self.rules(room).owner
        if isinstance(owner, str):
            raise NotAllowed(f"{room.name} is registered already.")
        for_whom = owner or member
        if not for_whom.account:
            raise NotAllowed(f"A room is registered for an account, and {for_whom.nick} has none.")
        self._make_way(for_whom.account)
        self.rooms.register(folded, for_whom.account)
        self.sanctions.keep(folded)
        self.note(member, "register", folded, for_whom.account, "", now)
        self.hub.ruled(member, room, f"registered {room.name} for {for_whom.shown}", [], now)

    def rename_room(self, member: Member, room: Room, name: str, why: str, now: float) -> None:
        self.must("roomname", member, room)
        name = room_name(name)
        was, folded = fold(room.name), fold(name)
        if room is self.hub.lobby:
            raise NotAllowed(f"{room.name} is the lobby, which the server's settings name.")
        if name == room.name:
            raise BadName(f"{name} is called so already.")
        if folded != was and (folded in self.hub.rooms or self.rooms.get(folded) is not None):
            raise NameTaken(f"There is a room {name} already. Choose another name.")
        self.note(member, "roomname", was, name, why, now)
        self.hub.rename_room(member, room, name, why, now)

    def room_renamed(self, room: Room, was: str, now: float) -> None:
        """Its rules and bans are those of its new name (as Guard)."""
        before, folded = fold(was), fold(room.name)
        if before != folded:
            self.sanctions.rename(before, folded)
        self.rooms.rename(before, folded)

    def redact(
        self, member: Member, room: Room, line: int, why: str, now: float
    ) -> Awaitable[None]:
        if room not in member.rooms and not self.is_server_operator(member):
            raise NotInRoom(f"You are not in {room.name}. /join it first.")
        return self._redact(member, room, line, why, now)

    async def _redact(self, member: Member, room: Room, line: int, why: str, now: float) -> None:
        archive = self.hub.archive
        if not may("redact", self.role(member, fold(room.name))):
            said = await archive.find(member, room.name, line)
            if said is None:
                raise NoSuchLine(no_line(room, line))
            if not _is_by(said, member):
                raise NotOperator(
                    "Only who said a line can take it out, or an operator of the room: ask one."
                )
        if not await archive.redact(member, room, line, why, now):
            raise NoSuchLine(no_line(room, line))
        self.note(member, "redact", fold(room.name), str(line), why, now)

    def kill(self, member: Member, to: Member, reason: str, now: float) -> None:
        self.must("kill", member, None, to)
        why = f": {reason}" if reason else "."
        self.note(member, "kill", "", to.nick, reason, now)
        self.hub.notify(to, f"You were put out of the server by {member.shown}{why}", now)
        self.hub.leave(to, f"Killed ({member.shown}{reason and f' ({reason})'})", now)

    def resign(self, member: Member, now: float) -> None:
        self.must("audit", member, None)
        if member.account and member.account in self.accounts:
            raise NotAllowed(
                f"The account {member.account} runs the server by its settings: log out of it."
            )
        self.here.discard(member)
        self.note(member, "resign", "", member.nick, "", now)

    def announce(self, member: Member, text: str, now: float) -> None:
        self.must("announce", member, None)
        self.note(member, "announce", "", "", text, now)
        self.hub.announce(f"{member.shown} announces: {text}", now)

    def try_password(self, door: Hashable, address: str, right: bool, now: float) -> bool:
        return right if self.tries is None else self.tries(door, address, right, now)

    def oper(self, member: Member, name: str, password: str, now: float) -> Awaitable[None]:
        if self.opers is None:
            return super().oper(member, name, password, now)
        return self.opers(member, name, password, now)

    def _make_way(self, account: str) -> None:
        """Where an account has as many rooms as it may, one that has no rules makes way."""
        owned = list(self.rooms.owned(account))
        if len(owned) < MOST_OWNED:
            return
        for room in owned:
            rules = self.rooms.get(room)
            bare = rules is not None and rules.is_bare
            if bare and not self.sanctions.any_in(room) and room not in self.hub.rooms:
                self.rooms.drop(room)
                return


def _is_by(said: Event, member: Member) -> bool:
    """Whether this very member said it, or another of its account. A guest has nothing but its nick
    and where it comes from, and those since it came."""
    who: Identity = getattr(said, "who", NOBODY)
    if who.account or member.account:
        return who.account == member.account
    same = fold(said.sender) == member.folded and who.host == member.who.host
    return same and said.time >= member.since
