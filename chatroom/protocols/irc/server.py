"""What a client asks of the server itself: PING, LUSERS, MOTD, VERSION and the like."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from chatroom import __version__
from chatroom.masks import glob
from chatroom.names import fold
from chatroom.protocols.irc import numerics, registration
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.formatting import plain
from chatroom.protocols.irc.wire import split_text

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS", "is_here", "is_server", "lusers", "motd", "only_one"]


def _ping(client: Client, message: Message) -> None:
    if not message.params or not message.params[0]:
        client.numeric(numerics.ERR_NOORIGIN)
        return
    client.say(f"PONG {client.factory.server} :{message.params[0]}")


def _pong(client: Client, message: Message) -> None:
    """That it answers is all there is to it."""


def _quit(client: Client, message: Message) -> None:
    reason = plain(message.params[0]) if message.params else ""
    client.end(f"Quit: {reason}", said=reason)


def lusers(client: Client, *, roughly: bool = False) -> None:
    """How many are here. `roughly`: see `Census.take`."""
    hub, factory = client.hub, client.factory
    here = len(hub.members)
    hidden, operators = factory.census.take(roughly=roughly)
    client.numeric(numerics.RPL_LUSERCLIENT, users=here - hidden, invisible=hidden, servers=1)
    client.numeric(numerics.RPL_LUSEROP, str(operators))
    client.numeric(numerics.RPL_LUSERUNKNOWN, str(len(factory.unregistered)))
    rooms = len(hub.rooms) - (not hub.lobby.members)  # the only one that is there while empty
    client.numeric(numerics.RPL_LUSERCHANNELS, str(rooms))
    client.numeric(numerics.RPL_LUSERME, clients=here, servers=1)
    counts = str(here), str(hub.most_members)
    for numeric in (numerics.RPL_LOCALUSERS, numerics.RPL_GLOBALUSERS):
        client.numeric(numeric, *counts, now=here, most=hub.most_members)


def _lusers(client: Client, message: Message) -> None:
    lusers(client)


def motd(client: Client) -> None:
    """The message of the day."""
    text = client.hub.motd
    if not text:
        client.numeric(numerics.ERR_NOMOTD)
        return
    client.numeric(numerics.RPL_MOTDSTART, server=client.factory.server)
    for line in text.splitlines():
        for piece in split_text(line, 400):
            client.numeric(numerics.RPL_MOTD, text=f"- {piece}")
    client.numeric(numerics.RPL_ENDOFMOTD)


def _motd(client: Client, message: Message) -> None:
    if is_here(client, *message.params[:1]):
        motd(client)


def is_here(client: Client, server: str = "") -> bool:
    """Whether this server is meant, which may be named by a mask or by who is on it; if not, tells
    that there is no other."""
    if is_server(client, server):
        return True
    client.numeric(numerics.ERR_NOSUCHSERVER, server)
    return False


def is_server(client: Client, name: str) -> bool:
    """Whether this server is meant."""
    if not name or fold(name) in client.hub.members:
        return True
    return glob(name).means(fold(client.factory.server))


def only_one(client: Client, listed: str) -> bool:
    """Whether this is one target, where no more may be; if not, tells so."""
    if "," not in listed:
        return True
    client.numeric(numerics.ERR_TOOMANYTARGETS, listed, text="Ask for one at a time.")
    return False


def _version(client: Client, message: Message) -> None:
    if is_here(client, *message.params[:1]):
        version, server = registration.version(), client.factory.server
        client.numeric(numerics.RPL_VERSION, version, server, text=f"chatroom {__version__}")
        registration.tell_isupport(client)


def _time(client: Client, message: Message) -> None:
    if is_here(client, *message.params[:1]):
        date = datetime.fromtimestamp(client.now).astimezone().strftime("%A %Y-%m-%d %H:%M:%S %z")
        client.numeric(numerics.RPL_TIME, client.factory.server, text=date)


COMMANDS = (
    Command("PING", _ping, 0, False, "TOKEN", "Asks the server to answer with the token."),
    Command("PONG", _pong, 0, False, "TOKEN", "Answers the server's PING."),
    Command("QUIT", _quit, 0, False, "[:REASON]", "Leaves."),
    Command("PASS", registration.password, 1, False, "PASSWORD", "Gives the server's password."),
    Command("NICK", registration.nick, 0, False, "NICK", "Names you."),
    Command("USER", registration.user, 4, False, "USER 0 * :REALNAME", "Says who you are."),
    Command("LUSERS", _lusers, help="Counts who is here."),
    Command("MOTD", _motd, usage="[SERVER]", help="Shows the message of the day."),
    Command("VERSION", _version, usage="[SERVER]", help="Tells what runs here."),
    Command("TIME", _time, usage="[SERVER]", help="Tells the server's time."),
)
