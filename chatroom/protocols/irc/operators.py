"""OPER, KILL, WALLOPS, REHASH, SETHOST and CHGHOST: those who run the server (Modern IRC,
"Operator Messages"). Who may do what is for the hub's authority to say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from chatroom.errors import ChatError, WrongPassword
from chatroom.member import Member
from chatroom.names import fold
from chatroom.permissions import Action
from chatroom.protocols.irc import formatting, lines, numerics, usermodes
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.isupport import HOST_BYTES

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS"]

_HOST: Final = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.:_-]*[0-9A-Za-z])?")
_HOST_RULE: Final = (
    f"A host has at most {HOST_BYTES} letters, digits and .:_- between them, and no other."
)
_WALLOPS: Final = "w"


async def _oper(client: Client, message: Message) -> None:
    """Become an operator. Every refusal but that of the password has ERR_NOOPERHOST, since it
    comes from where one connects from, or how."""
    name, password = message.params[:2]
    refusal: ChatError | None = None
    try:
        await client.hub.authority.oper(client.me, name, password, client.now)
    except ChatError as error:
        refusal = error
    if client.member is None or not client.member.present:
        return
    if refusal is None:
        client.numeric(numerics.RPL_YOUREOPER)
        usermodes.tell_operator(client)
    elif isinstance(refusal, WrongPassword):
        client.numeric(numerics.ERR_PASSWDMISMATCH, text=str(refusal))
    else:
        client.numeric(numerics.ERR_NOOPERHOST, text=str(refusal))


def _may(client: Client, action: Action, to: Member | None = None) -> bool:
    """Whether the client may do it, to this one if to anyone; tells if not."""
    try:
        client.hub.authority.must(action, client.me, None, to)
    except ChatError as error:
        if client.hub.authority.is_server_operator(client.me):
            client.numeric(numerics.ERR_NOPRIVS, action, text=str(error))
        else:
            client.refuse(error)
        return False
    return True


def _named(client: Client, nick: str) -> Member | None:
    """The member of that nick; tells if there is none."""
    to = client.hub.members.get(fold(nick))
    if to is None:
        client.numeric(numerics.ERR_NOSUCHNICK, nick)
    return to


def _kill(client: Client, message: Message) -> None:
    nick = message.params[0]
    reason = formatting.plain(message.params[1]) if len(message.params) > 1 else ""
    if not _may(client, "kill"):
        return
    if fold(nick) == fold(client.factory.server):
        client.numeric(numerics.ERR_CANTKILLSERVER)
        return
    to = _named(client, nick)
    if to is None or not _may(client, "kill", to):
        return
    killed = client.factory.client_of(to)
    if killed is not None:
        killed.reply(lines.fit(f":{client.source} KILL {to.nick} :", reason or client.nick))
    client.hub.authority.kill(client.me, to, reason, client.now)


def _wallops(client: Client, message: Message) -> None:
    """Tell those who want to hear of it (+w), and all who run the server."""
    if not _may(client, "wallops"):
        return
    if not message.params[0]:
        client.numeric(numerics.ERR_NEEDMOREPARAMS, "WALLOPS")
        return
    hub, now = client.hub, client.now
    text = formatting.read(message.params[0])
    line = lines.fit(f":{client.source} WALLOPS :", text.rich or text.plain)
    timed = lines.tag(line, f"time={lines.timestamp(now)}")
    for member in hub.members.values():
        other = client.factory.client_of(member)
        is_operator = hub.authority.is_server_operator(member)
        if other is None and is_operator:
            hub.notify(member, f"{client.me.shown} to all operators: {text.plain}", now)
        elif other is not None and (is_operator or _WALLOPS in other.modes):
            other.reply(timed if "server-time" in other.caps else line)


def _rehash(client: Client, message: Message) -> None:
    """Read the settings again. What is wrong with them is logged, as after a SIGHUP."""
    if not _may(client, "rehash"):
        return
    if client.factory.rehash is None:
        text = "Nothing here can read the settings again."
        client.numeric(numerics.ERR_UNKNOWNERROR, "REHASH", text=text)
        return
    client.numeric(numerics.RPL_REHASHING, "settings")
    client.factory.rehash()


def _sethost(client: Client, message: Message) -> None:
    _change_host(client, client.me, message.params[0], "SETHOST")


def _chghost(client: Client, message: Message) -> None:
    nick, host = message.params[:2]
    if not _may(client, "rename"):
        return
    to = _named(client, nick)
    if to is not None and _change_host(client, to, host, "CHGHOST") and to is not client.me:
        client.say(f"NOTICE {client.nick} :{to.nick} has the host {host} now.")


def _change_host(client: Client, to: Member, host: str, command: str) -> bool:
    """Show somebody with another host, from now until it leaves; whether that was done."""
    # Nobody ranks below oneself, but one's own host is one's own.
    if not _may(client, "rename", None if to is client.me else to):
        return False
    if not _HOST.fullmatch(host) or len(host) > HOST_BYTES:
        client.numeric(numerics.ERR_UNKNOWNERROR, command, text=_HOST_RULE)
        return False
    was = to.who
    client.hub.identify(to, client.now, host=host)
    changed = client.factory.client_of(to)
    if changed is not None:
        if "chghost" in changed.caps:
            changed.reply(f":{lines.mask(to.nick, was)} CHGHOST {was.user} {host}")
        changed.numeric(numerics.RPL_VISIBLEHOST, host)
    return True


COMMANDS = (
    Command("OPER", _oper, 2, usage="NAME PASSWORD", help="Makes you a server operator."),
    Command("KILL", _kill, 1, usage="NICK [:REASON]", help="Puts somebody out of the server."),
    Command("WALLOPS", _wallops, 1, usage=":TEXT",
            help="Tells all server operators, and whoever else wants to hear it."),
    Command("REHASH", _rehash, help="Makes the server read its settings again."),
    Command("SETHOST", _sethost, 1, usage="HOST", help="Shows you with another host.",
            source="IRCv3 chghost"),
    Command("CHGHOST", _chghost, 2, usage="NICK HOST", help="Shows somebody with another host.",
            source="IRCv3 chghost"),
)  # fmt: skip
