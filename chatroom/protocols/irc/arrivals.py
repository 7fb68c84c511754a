"""What IRC clients are told beside the events themselves when somebody comes into a room: the last
lines, and metadata; and when a room gets another name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred

from chatroom.guard import Guard
from chatroom.member import Member
from chatroom.names import fold
from chatroom.protocols.irc import keyvalues, numerics
from chatroom.protocols.irc.renaming import tell_renamed
from chatroom.room import Room

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.factory import IRCFactory

__all__ = ["Arrivals"]

_MOST_AT_ONCE: Final = 200
"""In a larger room, who comes is told to ask for the metadata, and when."""
_LATER_SECONDS: Final = 4


class Arrivals(Guard):
    """For the clients of one factory."""

    def __init__(self, factory: IRCFactory) -> None:
        self._factory = factory

    def joined(self, room: Room, member: Member, now: float) -> None:
        client = self._factory.client_of(member)
        if client is None:
            return
        hub = self._factory.hub
        if "draft/chathistory" not in client.caps:
            hub.replay(member, room, hub.limits.recent or 0, now)
        if keyvalues.hears(client):
            self._tell_metadata(client, room)
        values = self._factory.kept.of(client).values
        if values:
            self._tell_others(client, room, values)

    def room_renamed(self, room: Room, was: str, now: float) -> None:
        tell_renamed(self._factory, room, was, now)

    def _tell_metadata(self, client: Client, room: Room) -> None:
        if len(room.members) > _MOST_AT_ONCE:
            client.numeric(numerics.RPL_METADATASYNCLATER, room.name, str(_LATER_SECONDS))
            return

        async def tell() -> None:
            values = await self._factory.kept.values_of(fold(room.name))
            if client.member is None or room not in client.member.rooms:
                return
            told = list(keyvalues.of_room(client, room, values))
            if told:
                keyvalues.in_batch(client, room.name, told)

        telling = Deferred.fromCoroutine(tell())
        telling.addErrback(
            lambda failure: self._factory.log.failure("Metadata can't be read", failure)
        )

    def _tell_others(self, client: Client, room: Room, values: dict[str, str]) -> None:
        """But for those who were in another room with it, and know them."""
        for member in room.members:
            other = self._factory.client_of(member)
            if other is None or other is client or not keyvalues.hears(other):
                continue
            if len(member.rooms.keys() & client.me.rooms.keys()) < 2:
                other.reply(*keyvalues.known_of(other, client.nick, values))
