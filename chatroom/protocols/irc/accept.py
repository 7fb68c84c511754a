"""ACCEPT: who may write to one alone although it is not logged in, where user mode R asks for that
(as charybdis has it; irc-defs)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatroom.errors import NoSuchMember, TooMany
from chatroom.protocols.irc import lines, numerics
from chatroom.protocols.irc.command import Command, targets
from chatroom.protocols.irc.formatting import plain

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS"]

_ALL = "*"


def _accept(client: Client, message: Message) -> None:
    for one in targets(plain(message.params[0])):
        if one == _ALL:
            _list(client)
        elif one.startswith("-"):
            if not client.hub.accept_no_more(client.me, one[1:]):
                client.numeric(numerics.ERR_ACCEPTNOT, one[1:])
        else:
            _add(client, one)


def _add(client: Client, nick: str) -> None:
    try:
        is_new = client.hub.accept(client.me, nick)
    except NoSuchMember:
        client.numeric(numerics.ERR_NOSUCHNICK, nick)
    except TooMany:
        client.numeric(numerics.ERR_ACCEPTFULL)
    else:
        if not is_new:
            client.numeric(numerics.ERR_ACCEPTEXIST, nick)


def _list(client: Client) -> None:
    head = numerics.RPL_ACCEPTLIST.line(client.factory.server, client.nick, text="")
    client.reply(*lines.words_in_lines(head, client.hub.accepted(client.me)))
    client.numeric(numerics.RPL_ENDOFACCEPT)


COMMANDS = (
    Command("ACCEPT", _accept, 1, usage="NICK[,NICK...] | -NICK[,-NICK...] | *",
            help="With user mode R, lets people write to you who are not logged in, or no more; "
            "or lists them.", source=numerics.DEFS),
)  # fmt: skip
