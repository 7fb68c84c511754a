"""WHOIS and WHOWAS: all there is to know of one who is here, or was (Modern IRC)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from twisted.internet.interfaces import ISSLTransport

from chatroom.member import Member
from chatroom.names import fold
from chatroom.protocols.irc import keyvalues, lines, numerics, usermodes
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.rooms import sees_member
from chatroom.protocols.irc.server import is_here, only_one

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.past import Was
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS"]


def _whois(client: Client, message: Message) -> None:
    """`WHOIS [SERVER] NICK`, where the server may be written as the nick of who is on it."""
    params = [param for param in message.params if param]
    if not params:
        client.numeric(numerics.ERR_NONICKNAMEGIVEN)
        return
    asked = params[1] if len(params) > 1 else params[0]
    if len(params) > 1 and not is_here(client, params[0]):
        return
    if only_one(client, asked):
        _tell(client, asked)
    client.numeric(numerics.RPL_ENDOFWHOIS, asked)


def _tell(client: Client, asked: str) -> None:
    member = client.hub.members.get(fold(asked))
    service = client.factory.services.get(fold(asked))
    if member is not None:
        _tell_of(client, member)
    elif service is not None:
        nick, network = service.nick, client.factory.network
        text = "Helps with accounts and channels"
        client.numeric(numerics.RPL_WHOISUSER, nick, nick, network.server, "*", text=text)
        client.numeric(numerics.RPL_WHOISSERVER, nick, network.server, text=network.description)
    else:
        client.numeric(numerics.ERR_NOSUCHNICK, asked)


def _tell_of(client: Client, member: Member) -> None:
    """What everyone may know, then what only the member itself may and who runs the server."""
    hub, nick, who, network = client.hub, member.nick, member.who, client.factory.network
    client.numeric(numerics.RPL_WHOISUSER, nick, who.user, who.host, "*", text=who.realname)
    _tell_rooms(client, member)
    client.numeric(numerics.RPL_WHOISSERVER, nick, network.server, text=network.description)
    if member.away is not None:
        client.numeric(numerics.RPL_AWAY, nick, text=member.away or "Away")
    if hub.authority.is_server_operator(member):
        client.numeric(numerics.RPL_WHOISOPERATOR, nick)
    if who.bot:
        client.numeric(numerics.RPL_WHOISBOT, nick, network=network.network)
    if who.account:
        account = hub.registrar.nick_of(who.account) or who.account
        client.numeric(numerics.RPL_WHOISACCOUNT, nick, account)
    if ISSLTransport.providedBy(getattr(member.door, "transport", None)):
        client.numeric(numerics.RPL_WHOISSECURE, nick)
    if _knows_all(client, member):
        _tell_privately(client, member)
    keyvalues.tell_whois(client, member)
    idle = str(max(0, int(client.now - member.spoke)))
    client.numeric(numerics.RPL_WHOISIDLE, nick, idle, str(int(member.since)))


def _tell_privately(client: Client, member: Member) -> None:
    door, nick, who = member.door, member.nick, member.who
    if fingerprint := getattr(door, "fingerprint", ""):
        client.numeric(numerics.RPL_WHOISCERTFP, nick, fingerprint=fingerprint)
    if hasattr(door, "modes"):  # which are IRC's alone
        client.numeric(numerics.RPL_WHOISMODES, nick, modes=usermodes.of(client, member))
    _tell_address(client, nick, f"{who.user}@{who.host}", member.address)


def _tell_address(client: Client, nick: str, who: str, address: str) -> None:
    if address:
        client.numeric(numerics.RPL_WHOISACTUALLY, nick, who, lines.middle(address))


def _tell_rooms(client: Client, member: Member) -> None:
    """Those rooms that the client may know of; none of a stranger's who is invisible."""
    authority, factory = client.hub.authority, client.factory
    if not sees_member(client, member):
        return
    multi = "multi-prefix" in client.caps
    names = [
        factory.prefix(member, room, multi=multi) + room.name
        for room in member.rooms
        if authority.sees(client.me, room)
    ]
    head = numerics.RPL_WHOISCHANNELS.line(factory.server, client.nick, member.nick, text="")
    client.reply(*lines.words_in_lines(head, names))


def _knows_all(client: Client, member: Member) -> bool:
    return member is client.me or client.hub.authority.is_server_operator(client.me)


def _whowas(client: Client, message: Message) -> None:
    """`WHOWAS NICK [COUNT [SERVER]]`, the last one first; all of them unless a count is given."""
    nick, count, server, *_ = (*message.params, "", "", "")
    if not is_here(client, server):
        return
    if not nick:
        client.numeric(numerics.ERR_NONICKNAMEGIVEN)
    elif not only_one(client, nick):
        pass
    elif found := client.factory.past.of(nick):
        most = int(count) if count.isdecimal() and len(count) < 6 else 0
        for was in found[: most or None]:
            _tell_past(client, was)
    else:
        client.numeric(numerics.ERR_WASNOSUCHNICK, nick)
    client.numeric(numerics.RPL_ENDOFWHOWAS, nick)


def _tell_past(client: Client, was: Was) -> None:
    nick, who = was.nick, was.who
    client.numeric(numerics.RPL_WHOWASUSER, nick, who.user, who.host, "*", text=who.realname)
    if client.hub.authority.is_server_operator(client.me):
        _tell_address(client, nick, f"{who.user}@{who.host}", was.address)
    until = datetime.fromtimestamp(was.until).astimezone().strftime("%a %Y-%m-%d %H:%M:%S %z")
    client.numeric(numerics.RPL_WHOISSERVER, nick, client.factory.server, text=until)


COMMANDS = (
    Command("WHOIS", _whois, usage="[SERVER] NICK", help="Tells all there is to know of somebody."),
    Command("WHOWAS", _whowas, usage="NICK [COUNT [SERVER]]",
            help="Tells who was called so and has left, the last one first."),
)  # fmt: skip
