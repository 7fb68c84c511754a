"""REDACT: a line is taken out of what is shown again, by who said it or who keeps order (IRCv3
draft/message-redaction)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chatroom.errors import NoSuchLine, NotAllowed, NotInRoom
from chatroom.names import fold
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.formatting import plain

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS"]

_NAME: Final = "REDACT"
_CAPABILITY: Final = "draft/message-redaction"
_MOST_DIGITS: Final = 18


async def _redact(client: Client, message: Message) -> None:
    target, id, reason, *_ = (*message.params, "")
    reason = plain(reason)
    try:
        if target.startswith("#"):
            await _in_room(client, target, id, reason)
        else:
            await _in_private(client, target, id, reason)
    except NotInRoom as error:
        client.fail(_NAME, "INVALID_TARGET", target, text=str(error))
    except NoSuchLine as error:
        client.fail(_NAME, "UNKNOWN_MSGID", target, id, text=str(error))
    except NotAllowed as error:
        client.fail(_NAME, "REDACT_FORBIDDEN", target, id, text=str(error))


def _line(id: str) -> int:
    """The number of a line. Raises NoSuchLine."""
    if not (id.isascii() and id.isdigit() and len(id) <= _MOST_DIGITS):
        raise NoSuchLine(f"There is no message {plain(id)}.")
    return int(id)


async def _in_room(client: Client, name: str, id: str, reason: str) -> None:
    hub, me = client.hub, client.me
    room = hub.rooms.get(fold(name))
    if room is None or not (room in me.rooms or hub.authority.is_server_operator(me)):
        raise NotInRoom(f"There is no channel {name} that you are in.")
    try:
        await hub.authority.redact(me, room, _line(id), reason, client.now)
    except NoSuchLine:  # of which the core tells by what the line protocol has
        message = f"{room.name} has no message {plain(id)} that could be taken out."
        raise NoSuchLine(message) from None
    # Who runs the server need not be there to do it, and is told of it all the same.
    if room not in me.rooms and _CAPABILITY in client.caps:
        why = f" :{reason}" if reason else ""
        client.reply(f":{client.source} {_NAME} {room.name} {int(id)}{why}")


async def _in_private(client: Client, nick: str, id: str, reason: str) -> None:
    hub = client.hub
    if not await hub.archive.redact_private(client.me, nick, _line(id), reason, client.now):
        raise NoSuchLine(f"You and {nick} have not written a message {id} that is kept here.")


COMMANDS = (
    Command("REDACT", _redact, 2, usage="TARGET MSGID [:REASON]",
            help="Takes a message out of what is shown again.",
            source="IRCv3 draft/message-redaction"),
)  # fmt: skip
