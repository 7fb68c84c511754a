"""ADMIN, INFO, HELP, STATS and LINKS: what the server tells of itself (Modern IRC, "Server Queries
and Commands")."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from chatroom import __version__
from chatroom.masks import glob
from chatroom.names import fold
from chatroom.protocols.irc import modes, numerics
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.server import is_here

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS"]


# Who and what it is

_ADMIN: Final = (numerics.RPL_ADMINLOC1, numerics.RPL_ADMINLOC2)


def _admin(client: Client, message: Message) -> None:
    if not is_here(client, *message.params[:1]):
        return
    network = client.factory.network
    if not network.admin:
        client.numeric(numerics.ERR_NOADMININFO, network.server)
        return
    client.numeric(numerics.RPL_ADMINME, network.server)
    kinds = chain(_ADMIN, repeat(numerics.RPL_ADMINEMAIL))
    for numeric, line in zip(kinds, network.admin, strict=False):
        client.numeric(numeric, text=line)


def _info(client: Client, message: Message) -> None:
    if not is_here(client, *message.params[:1]):
        return
    network = client.factory.network
    started = datetime.fromtimestamp(client.hub.started or client.now, UTC)
    for line in (
        f"chatroom {__version__}: one chat for IRC programs, nc and telnet",
        f"{network.server}: {network.description}",
        started.strftime("Running since %Y-%m-%d %H:%M:%S UTC"),
    ):
        client.numeric(numerics.RPL_INFO, text=line)
    client.numeric(numerics.RPL_ENDOFINFO)


def _links(client: Client, message: Message) -> None:
    """`LINKS [[SERVER] MASK]`: there is this server alone."""
    asked = message.params[-1] if message.params and message.params[-1] else "*"
    if len(message.params) > 1 and not is_here(client, message.params[0]):
        return
    network = client.factory.network
    if glob(asked).means(fold(network.server)):
        server = network.server
        client.numeric(numerics.RPL_LINKS, server, server, text=f"0 {network.description}")
    client.numeric(numerics.RPL_ENDOFLINKS, asked)


# How it does

_FOR_OPERATORS: Final = frozenset("cdefghijkloprtvyz")
"""What other servers tell under these letters is for those who run them."""


def _stats(client: Client, message: Message) -> None:
    letter, server, *_ = (*message.params, "")
    if not is_here(client, server):
        return
    letter = letter[:1]
    tell = _STATS.get(letter.lower())
    if tell is not None:
        tell(client)
    elif letter.lower() in _FOR_OPERATORS and not _runs_it(client):
        client.numeric(numerics.ERR_NOPRIVILEGES)
    client.numeric(numerics.RPL_ENDOFSTATS, letter)


def _runs_it(client: Client) -> bool:
    return client.hub.authority.is_server_operator(client.me)


def _uptime(client: Client) -> None:
    up = timedelta(seconds=max(0, int(client.now - (client.hub.started or client.now))))
    clock = str(timedelta(seconds=up.seconds))
    client.numeric(numerics.RPL_STATSUPTIME, days=up.days, clock=clock)


_STATS: Final[dict[str, Callable[[Client], None]]] = {"u": _uptime}


# How it is used

_HELP_WIDTH: Final = 70


def _help(client: Client, message: Message) -> None:
    """`HELP [SUBJECT]`, of the table of commands."""
    asked = message.params[0] if message.params and message.params[0] else "index"
    told = _help_on(client, asked.upper())
    if told is None:
        client.numeric(numerics.ERR_HELPNOTFOUND, asked)
        return
    first, *rest = told
    client.numeric(numerics.RPL_HELPSTART, asked, text=first)
    for line in rest:
        client.numeric(numerics.RPL_HELPTXT, asked, text=line)
    client.numeric(numerics.RPL_ENDOFHELP, asked, text="End of /HELP.")


def _help_on(client: Client, subject: str) -> list[str] | None:
    commands = client.factory.commands
    if subject == "INDEX":
        names = wrap(" ".join(sorted(commands)), _HELP_WIDTH)
        about = "HELP COMMAND tells of one, HELP CMODES and HELP UMODES tell of modes."
        return ["The commands are:", *names, about]
    if subject in _MODES:
        return _MODES[subject]
    command = commands.get(subject)
    if command is None:
        return None
    return [f"{command.name} {command.usage}".rstrip(), *wrap(command.help, _HELP_WIDTH)]


_MODES: Final[dict[str, list[str]]] = {
    "CMODES": [
        "The modes of channels are:",
        *(f"{mode.letter}  {mode.help}" for mode in modes.CHANNEL_MODES),
    ],
    "UMODES": [
        "The modes of users are:",
        *(f"{mode.letter}  {mode.help}" for mode in modes.USER_MODES),
    ],
}

COMMANDS = (
    Command("ADMIN", _admin, usage="[SERVER]", help="Tells who runs the server."),
    Command("INFO", _info, usage="[SERVER]", help="Tells what runs here, and since when."),
    Command("LINKS", _links, usage="[[SERVER] MASK]", help="Lists the servers of the network."),
    Command("STATS", _stats, 1, usage="LETTER [SERVER]",
            help="Tells how the server does: STATS u for how long it has been running."),
    Command("HELP", _help, usage="[COMMAND]", help="Tells what commands there are, or of one."),
    Command("HELPOP", _help, usage="[COMMAND]", help="The same as HELP."),
)  # fmt: skip
