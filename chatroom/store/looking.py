"""/rooms, /who and /whois where rooms are locked: who may not come in may not look in either."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chatroom.commands import Command, find
from chatroom.errors import NotAllowed
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.phrases import listed
from chatroom.room import Room
from chatroom.store.moderation import Moderation

__all__ = ["looking"]


@dataclass(frozen=True, slots=True)
class _Looking:
    """Runs the hub's own command, and leaves out of its reply what is not to be seen."""

    moderation: Moderation
    own: Command

    def rooms(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """As always, but without the topics of rooms that are locked to who asks."""
        lines = self.own.run(hub, member, rest, now).splitlines()
        for at, line in enumerate(lines):
            room = hub.rooms.get(fold(line.partition(" ")[0]))
            if room is not None and self._is_closed(room, member):
                lines[at] = f"{room.name} ({len(room.members)} here, locked)"
        return "\n".join(lines)

    def who(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """As always, but not of a room that is locked to who asks: raises NotAllowed."""
        room = hub.rooms.get(fold(f"#{rest.removeprefix('#')}"))
        sees = room is not None and self.moderation.sees(member, room)
        if room is not None and sees and self._is_closed(room, member):
            raise NotAllowed(f"{room.name} is locked: only who is in it may see who else is.")
        return self.own.run(hub, member, rest, now)

    def whois(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """As always, but without the rooms that are locked to who asks."""
        reply = self.own.run(hub, member, rest, now)
        other = hub.find(rest)
        seen = [room for room in other.rooms if self.moderation.sees(member, room)]
        open_ = [room.name for room in seen if not self._is_closed(room, member)]
        if len(open_) == len(seen):
            return reply
        who = f"{other.nick}{' (a guest)' if other.guest else ''}"
        first = f"{who} is in {listed(open_) if open_ else 'no room that is not locked'}."
        return "\n".join([first, *reply.splitlines()[1:]])

    def _is_closed(self, room: Room, member: Member) -> bool:
        if not room.rules.is_locked or room in member.rooms:
            return False
        return not self.moderation.is_server_operator(member)


def looking(moderation: Moderation) -> list[Command]:
    """The three, in the place of those that the hub has now."""
    hub = moderation.hub
    rooms, who, whois = (
        _Looking(moderation, find(hub, name)) for name in ("rooms", "who", "whois")
    )
    return [
        replace(rooms.own, run=rooms.rooms),
        replace(who.own, run=who.who),
        replace(whois.own, run=whois.whois),
    ]
