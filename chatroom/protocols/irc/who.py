"""WHO and WHOX: who is here, or in a channel, with an entry for each (Modern IRC, "WHO"; IRCv3
WHOX)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from chatroom.masks import glob
from chatroom.member import Member
from chatroom.names import fold
from chatroom.protocols.irc import lines, numerics, portions
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.rooms import sees_member
from chatroom.room import Room

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS", "Wish", "wish"]

_EVERYONE: Final = frozenset({"", "*", "0"})
_MOST_FOUND: Final = 500
"""Entries, but of a channel, for who does not run the server: nobody is to list all of a large
one by the way."""
_HIDDEN_ADDRESS: Final = "255.255.255.255"
_OPERATORS: Final = "o"
_FIELDS: Final = re.compile(r"(?P<flags>[^%]*)(?:%(?P<fields>[^,]*)(?:,(?P<token>\d{1,3})$)?)?")


class Wish(NamedTuple):
    """What somebody wants to be told: `fields` are letters of WHOX, '' for a plain reply."""

    mask: str
    operators: bool = False
    fields: str = ""
    token: str = "0"


def wish(params: Iterable[str]) -> Wish:
    """What the parameters of a WHO ask for: `MASK [o][%FIELDS[,TOKEN]]`."""
    mask, how, *_ = (*params, "", "")
    found = _FIELDS.match(how)
    assert found is not None, "it fits anything"
    fields = "".join(letter for letter in _BY_LETTER if letter in (found["fields"] or ""))
    return Wish(mask, _OPERATORS in found["flags"], fields, found["token"] or "0")


def _who(client: Client, message: Message) -> Awaitable[None] | None:
    asked = wish(message.params)
    room = client.hub.rooms.get(fold(asked.mask))
    if room is not None and client.hub.authority.sees(client.me, room):
        found = _in_room(client, asked, room)
    elif asked.mask.startswith("#"):
        found = iter(())
    else:
        found = _by_mask(client, asked)
    mask = asked.mask or "*"
    return portions.tell(client, found, lambda: client.numeric(numerics.RPL_ENDOFWHO, mask))


def _in_room(client: Client, asked: Wish, room: Room) -> Iterator[str | None]:
    is_in = room in client.me.rooms
    prefix = client.factory.prefixes(room, multi="multi-prefix" in client.caps)
    for member in tuple(room.members):
        shown = room in member.rooms and (is_in or sees_member(client, member))
        if shown and _fits(client, asked, member):
            yield _entry(_Entry(client, asked, member, room.name, prefix(member)))
        else:
            yield None


def _by_mask(client: Client, asked: Wish) -> Iterator[str | None]:
    """Who is called so, also who is invisible; or all whom the mask means, and who are shown."""
    one = client.hub.members.get(fold(asked.mask))
    if one is not None:
        yield _entry(_Entry(client, asked, one)) if _fits(client, asked, one) else None
        return
    is_meant = _meaning(client, asked.mask)
    most = None if _runs(client, client.me) else _MOST_FOUND
    for member in tuple(client.hub.members.values()):
        shown = member.present and sees_member(client, member)
        if not (shown and is_meant(member) and _fits(client, asked, member)):
            yield None
        elif most == 0:
            server, nick = client.factory.server, client.nick
            yield numerics.ERR_TOOMANYMATCHES.line(server, nick, "WHO")
            return
        else:
            most = None if most is None else most - 1
            yield _entry(_Entry(client, asked, member))


def _meaning(client: Client, mask: str) -> Callable[[Member], bool]:
    """Whether a mask means somebody: by its nick, user, host, real name, account or server; or
    with `!` or `@`, by all of who it is. Who runs the server may also ask by address."""
    if mask in _EVERYONE:
        return lambda member: True
    fits = glob(mask).means
    is_whole = "!" in mask or "@" in mask
    knows_addresses = _runs(client, client.me)
    by_server = bool(fits(fold(client.factory.server)))

    def is_meant(member: Member) -> bool:
        who = member.who
        parts = [member.folded, who.user, who.host, who.realname, who.account]
        if is_whole:
            parts = [lines.mask(member.folded, who), who.realname]
        if knows_addresses:
            parts.append(member.address)
        return by_server or any(fits(fold(part)) for part in parts if part)

    return is_meant


def _fits(client: Client, asked: Wish, member: Member) -> bool:
    return not asked.operators or _runs(client, member)


def _runs(client: Client, member: Member) -> bool:
    return client.hub.authority.is_server_operator(member)


# One entry


class _Entry(NamedTuple):
    """Somebody, as a client is to be told of it; in a channel, where it has that `sign`."""

    client: Client
    asked: Wish
    member: Member
    channel: str = "*"
    sign: str = ""

    @property
    def flags(self) -> str:
        """Here or gone, who runs the server, what it is in the channel, and if it is a program."""
        member = self.member
        here = "H" if member.away is None else "G"
        runs = "*" if _runs(self.client, member) else ""
        return here + runs + self.sign + ("B" if member.who.bot else "")

    @property
    def address(self) -> str:
        """For who runs the server and for oneself; no IP address for anyone else."""
        is_shown = self.member is self.client.me or _runs(self.client, self.client.me)
        return lines.middle((is_shown and self.member.address) or _HIDDEN_ADDRESS)

    @property
    def account(self) -> str:
        account = self.member.account
        return (account and self.client.hub.registrar.nick_of(account)) or account or "0"

    @property
    def idle(self) -> str:
        return str(max(0, int(self.client.now - self.member.spoke)))


_BY_LETTER: Final[dict[str, Callable[[_Entry], str]]] = {
    "t": lambda entry: entry.asked.token,
    "c": lambda entry: entry.channel,
    "u": lambda entry: entry.member.who.user,
    "i": lambda entry: entry.address,
    "h": lambda entry: entry.member.who.host,
    "s": lambda entry: entry.client.factory.server,
    "n": lambda entry: entry.member.nick,
    "f": lambda entry: entry.flags,
    "d": lambda entry: "0",  # servers in between
    "l": lambda entry: entry.idle,
    "a": lambda entry: entry.account,
    "o": lambda entry: "n/a",  # no operator of a channel ranks above another
    "r": lambda entry: entry.member.who.realname,
}
"""WHOX's fields, in the order in which they are told, whatever order they were asked in."""

_REALNAME: Final = "r"


def _entry(entry: _Entry) -> str:
    server, nick, who = entry.client.factory.server, entry.client.nick, entry.member.who
    fields = entry.asked.fields
    if not fields:
        place = entry.channel, who.user, who.host, server, entry.member.nick, entry.flags
        return lines.fit(numerics.RPL_WHOREPLY.line(server, nick, *place, text="0 "), who.realname)
    middle = [_BY_LETTER[letter](entry) for letter in fields if letter != _REALNAME]
    if _REALNAME not in fields:
        return numerics.RPL_WHOSPCRPL.line(server, nick, *middle)
    return lines.fit(numerics.RPL_WHOSPCRPL.line(server, nick, *middle, text=""), who.realname)


COMMANDS = (
    Command("WHO", _who, usage="MASK [o][%FIELDS[,TOKEN]]",
            help="Lists who is in a channel, or whom a mask means; with o who runs the server."),
)  # fmt: skip
