"""MODE on oneself: what kind of user one is (Modern IRC, "User Modes")."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from chatroom.errors import ChatError
from chatroom.member import Member
from chatroom.names import fold
from chatroom.protocols.irc import numerics
from chatroom.protocols.irc.modes import USER_BY_LETTER

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client

__all__ = ["mode", "of", "tell_operator"]

_OPERATOR = "o"
_BOT = "B"
_ACCOUNTS_ONLY = "R"


def of(client: Client, member: Member) -> str:
    """The modes of a member, whatever its door, with a plus: `+iw`."""
    letters: set[str] = set(getattr(member.door, "modes", ()))
    if member.accounts_only:
        letters.add(_ACCOUNTS_ONLY)
    if member.who.bot:
        letters.add(_BOT)
    if client.hub.authority.is_server_operator(member):
        letters.add(_OPERATOR)
    return f"+{''.join(sorted(letters))}"


def mode(client: Client, nick: str, params: Sequence[str]) -> None:
    """MODE and a nick: show or change one's own."""
    if fold(nick) != client.me.folded:
        if fold(nick) in client.hub.members:
            client.numeric(numerics.ERR_USERSDONTMATCH)
        else:
            client.numeric(numerics.ERR_NOSUCHNICK, nick)
    elif not params:
        client.numeric(numerics.RPL_UMODEIS, of(client, client.me))
    else:
        _change(client, params[0])


def _change(client: Client, letters: str) -> None:
    """Turn on and off what is known of these letters, then tell if anything else was there."""
    on, is_unknown, gives_up = True, False, False
    was, modes = frozenset(client.modes), set(client.modes)
    for letter in letters:
        if letter in "+-":
            on = letter == "+"
        elif letter not in USER_BY_LETTER:
            is_unknown = True
        elif not USER_BY_LETTER[letter].own:  # which OPER gives, but anyone may give up
            gives_up = gives_up or not on
        elif on:
            modes.add(letter)
        else:
            modes.discard(letter)
    client.modes = modes
    client.hub.let_write(client.me, accounts_only=_ACCOUNTS_ONLY in modes)
    if (_BOT in modes) != (_BOT in was):
        client.hub.identify(client.me, client.now, bot=_BOT in modes)
    if gives_up:
        _give_up(client)
    tell_operator(client, modes - was, was - modes)
    if is_unknown:
        client.numeric(numerics.ERR_UMODEUNKNOWNFLAG)


def _give_up(client: Client) -> None:
    """Run the server no more, if it does."""
    authority = client.hub.authority
    if not authority.is_server_operator(client.me):
        return
    try:
        authority.resign(client.me, client.now)
    except ChatError as error:
        client.refuse(error, "MODE")


def tell_operator(client: Client, on: Collection[str] = (), off: Collection[str] = ()) -> None:
    """Tell the client whether it runs the server now, unless it knows; and what else was turned on
    and off. To be called after whatever may have changed that: OPER, or another account."""
    if not client.me.present:
        return
    was = client.state.get(_OPERATOR, False)
    client.state[_OPERATOR] = now = client.hub.authority.is_server_operator(client.me)
    on = [*on, *(_OPERATOR if now and not was else "")]
    off = [*off, *(_OPERATOR if was and not now else "")]
    written = "".join(
        sign + "".join(sorted(letters)) for sign, letters in (("+", on), ("-", off)) if letters
    )
    if written:
        client.reply(f":{client.source} MODE {client.nick} {written}")
