"""NickServ and ChanServ, by their nicks and as commands.

They are no members: what is written to them, or said as NS and CS, is looked up in a table, and
they answer with notices. Nobody may take their nicks (`names.RESERVED`). A notice to them is not
answered, as none is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from chatroom.names import fold
from chatroom.protocols.irc.chanserv import CHANSERV
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.nickserv import NICKSERV
from chatroom.protocols.irc.service import Service

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS", "SERVICES"]

SERVICES: Final = {fold(service.nick): service for service in (NICKSERV, CHANSERV)}
"""By folded nick."""


def _to(service: Service) -> Callable[[Client, Message], Awaitable[None] | None]:
    return lambda client, message: service.run(client, " ".join(message.params))


COMMANDS = tuple(
    Command(name, _to(service), 0, True, "COMMAND ...", f"Says something to {service.nick}.")
    for service, names in (
        (NICKSERV, ("NS", "NICKSERV")),
        (CHANSERV, ("CS", "CHANSERV")),
    )
    for name in names
)
