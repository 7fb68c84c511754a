"""Who is here: members by nick, rooms by name, and how one is found."""

from __future__ import annotations

from itertools import count

from chatroom.errors import NameTaken, NoSuchMember, NotInRoom
from chatroom.limits import Limits
from chatroom.member import Member
from chatroom.names import check_nick, fold, guest_nick, room_name
from chatroom.room import Room

__all__ = ["Directory"]


class Directory:
    """Everyone is in `members`, by folded nick: the only list there is. The lobby is always in
    `rooms`, by folded name; the others while somebody is in them."""

    def __init__(self, limits: Limits, lobby: str, guests_by_address: bool) -> None:
        self.limits = limits
        self.guests_by_address = guests_by_address
        self.members: dict[str, Member] = {}
        self.rooms: dict[str, Room] = {}
        self._guests = count(1)
        self.lobby = self._room(room_name(lobby))

    def show_guests(self, *, by_address: bool) -> None:
        """Show guests by their address or by their nick, also those who are here."""
        self.guests_by_address = by_address
        for member in self.members.values():
            member.shown = self._shown(member)

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

    def _room(self, name: str, now: float = 0.0) -> Room:
        room = self.rooms[fold(name)] = Room(name, self.limits.recent or 0, now)
        return room

    def _guest_nick(self) -> str:
        return next(
            nick for number in self._guests if (nick := guest_nick(number)) not in self.members
        )

    def _shown(self, member: Member) -> str:
        by_address = self.guests_by_address and member.guest
        return (by_address and member.address) or member.nick

    def must_be_free(self, nick: str, member: Member | None = None) -> None:
        """Raises BadName or NameTaken unless the nick may be taken, or is this member's."""
        if self.members.get(fold(check_nick(nick)), member) is not member:
            raise NameTaken(f"{nick} is taken. Choose another nick.")
