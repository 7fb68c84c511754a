"""AWAY, SETNAME, USERHOST and ISON: what one says of oneself, and who is here (Modern IRC)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chatroom.member import Member
from chatroom.names import fold
from chatroom.protocols.irc import isupport, lines, numerics
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.formatting import plain

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.numerics import Numeric
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS"]

_MOST_NICKS: Final = 5
"""Of one USERHOST (RFC 2812, section 4.8)."""
_PRE_AWAY: Final = "draft/pre-away"
_NO_REASON: Final = "*"


def _away(client: Client, message: Message) -> None:
    """Away for a reason, or back. Before it has registered too, for who has asked for that; then
    `*` says that nobody sits there, for no reason to be told (IRCv3 draft/pre-away)."""
    registration, is_early = client.registration, _PRE_AWAY in client.caps
    if registration is not None and not is_early:
        client.numeric(numerics.ERR_NOTREGISTERED)
        return
    reason = plain(message.params[0]) if message.params else ""
    away = lines.cut(reason, isupport.AWAY_BYTES) or None
    if away == _NO_REASON and is_early:
        away = ""
    if registration is not None:
        registration.away = away
    else:
        client.hub.set_away(client.me, away, client.now)
    client.numeric(numerics.RPL_UNAWAY if away is None else numerics.RPL_NOWAWAY)


def _setname(client: Client, message: Message) -> None:
    realname = plain(message.params[0])
    if not realname.strip() or len(realname.encode()) > isupport.REALNAME_BYTES:
        text = f"A real name has 1 to {isupport.REALNAME_BYTES} bytes. Choose another."
        client.fail("SETNAME", "INVALID_REALNAME", text=text)
        return
    client.hub.identify(client.me, client.now, realname=realname)


def _userhost(client: Client, message: Message) -> None:
    nicks = " ".join(message.params).split()[:_MOST_NICKS]
    found = [_userhost_of(client, member) for member in _here(client, nicks)]
    _tell(client, numerics.RPL_USERHOST, found)


def _userhost_of(client: Client, member: Member) -> str:
    operator = "*" if client.hub.authority.is_server_operator(member) else ""
    sign = "+" if member.away is None else "-"
    return f"{member.nick}{operator}={sign}{member.who.user}@{member.who.host}"


def _ison(client: Client, message: Message) -> None:
    nicks = " ".join(message.params).split()
    _tell(client, numerics.RPL_ISON, [member.nick for member in _here(client, nicks)])


def _here(client: Client, nicks: list[str]) -> list[Member]:
    """Those of these nicks who are here, each once."""
    members = client.hub.members
    found = (members.get(fold(nick)) for nick in nicks)
    return list(dict.fromkeys(member for member in found if member is not None))


def _tell(client: Client, numeric: Numeric, words: list[str]) -> None:
    """Answer with the words, in as many lines as it takes: one at least."""
    head = numeric.line(client.factory.server, client.nick, text="")
    client.reply(*(lines.words_in_lines(head, words) or [head]))


COMMANDS = (
    Command("AWAY", _away, registered=False, usage="[:REASON]",
            help="Marks you as away, or without a reason as back."),
    Command("SETNAME", _setname, 1, usage=":REALNAME", help="Changes your real name.",
            source="IRCv3 setname"),
    Command("USERHOST", _userhost, 1, usage="NICK [NICK...]",
            help="Tells of up to five people whether they are away, and where from."),
    Command("ISON", _ison, 1, usage="NICK [NICK...]", help="Tells which of these are here.",
            source="RFC 2812, section 4.9"),
)  # fmt: skip
