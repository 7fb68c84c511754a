"""RENAME: a channel gets another name, and all that are in it stay (IRCv3 draft/channel-rename)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chatroom.errors import BadName, ChatError, NameTaken, NotAllowed, NotInRoom, NotOperator
from chatroom.events import Arrived, Joined, Left, RoomRenamed
from chatroom.names import fold
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.formatting import plain
from chatroom.protocols.irc.talking import room_named
from chatroom.room import Room, arrival

if TYPE_CHECKING:
    from chatroom.member import Member
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.factory import IRCFactory
    from chatroom.protocols.irc.wire import Message

__all__ = ["CAPABILITY", "COMMANDS", "tell_renamed"]

CAPABILITY: Final = "draft/channel-rename"
_NAME: Final = "RENAME"


def _rename(client: Client, message: Message) -> None:
    name, wanted, reason, *_ = (*message.params, "")
    try:
        room = room_named(client, name)
        if room not in client.me.rooms:
            raise NotInRoom(f"You are not in {room.name}. JOIN it first.")
        if not wanted.startswith("#"):
            raise BadName(f"A channel's name begins with #: #{wanted}.")
        client.hub.authority.rename_room(client.me, room, wanted, plain(reason), client.now)
    except NameTaken as error:
        client.fail(_NAME, "CHANNEL_NAME_IN_USE", name, wanted, text=str(error))
    except NotOperator as error:
        client.refuse(error, name)
    except (BadName, NotAllowed) as error:
        client.fail(_NAME, "CANNOT_RENAME", name, wanted, text=str(error))
    except ChatError as error:
        client.refuse(error, name, about="channel")


def tell_renamed(factory: IRCFactory, room: Room, was: str, now: float) -> None:
    """Tell those who know no RENAME that they left one channel and are in another. Another case of
    the same name they are not told."""
    if fold(was) == fold(room.name):
        return
    for member in room.members:
        client = factory.client_of(member)
        if client is None or CAPABILITY in client.caps:
            continue
        coming = room.coming(member)
        for event in coming:
            factory.hub.mail(member, event)
        renamed = [event for event in coming if isinstance(event, RoomRenamed)]
        reason = renamed[-1].reason if renamed else ""
        _tell_one(factory, member, room, was, reason, now)


def _tell_one(
    factory: IRCFactory, member: Member, room: Room, was: str, reason: str, now: float
) -> None:
    hub, here = factory.hub, len(room.members)
    by = now, member.nick, member.shown
    time, nick, shown = by
    hub.mail(member, Left(hub.mark(), time, was, nick, shown, here, reason, member.who))
    joined = Joined(hub.mark(), time, room.name, nick, shown, here, member.who)
    text = arrival(member, room)
    hub.mail(member, Arrived(hub.mark(), time, None, nick, shown, text, room, joined, member))


COMMANDS = (
    Command("RENAME", _rename, 2, usage="CHANNEL NAME [:REASON]",
            help="Gives a channel another name.", source="IRCv3 draft/channel-rename"),
)  # fmt: skip
