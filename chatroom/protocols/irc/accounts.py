"""REGISTER and VERIFY: a client makes an account, before it is welcomed or later (IRCv3
draft/account-registration)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

from chatroom.errors import (
    BadName,
    BadText,
    ChatError,
    NameKept,
    NameTaken,
    NotAllowed,
    TooMany,
)
from chatroom.names import fold
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.refusals import sentence
from chatroom.protocols.irc.sasl import account_of, is_here, log_in
from chatroom.registrar import Login

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS", "register"]

_OWN: Final = "*"
_NO_ADDRESS: Final = "*"

# What is refused, by the core's errors; the nearest class first.
_CODES: Final[dict[type[ChatError], str]] = {
    NameKept: "ACCOUNT_EXISTS",
    NameTaken: "USERNAME_EXISTS",
    BadName: "BAD_ACCOUNT_NAME",
    BadText: "UNACCEPTABLE_PASSWORD",
    TooMany: "TEMPORARILY_UNAVAILABLE",
    NotAllowed: "TEMPORARILY_UNAVAILABLE",
    ChatError: "TEMPORARILY_UNAVAILABLE",
}


def _register(client: Client, message: Message) -> Awaitable[None] | None:
    account, email, password = message.params[:3]
    nick = _nick(client)
    refusal = _refusal(client, account, nick, password)
    if refusal is not None:
        code, text = refusal
        told = nick if account == _OWN else account
        client.fail("REGISTER", code, told, text=text)
        return None
    return _do(client, nick, email, password)


def _nick(client: Client) -> str:
    """The nick that it has, or asked for."""
    if client.registration is None:
        return client.me.nick
    return client.registration.nick or client.registration.wanted


def _refusal(client: Client, account: str, nick: str, password: str) -> tuple[str, str] | None:
    """Why it can't even be tried: a code and a sentence."""
    registrar, network = client.hub.registrar, client.factory.network
    if account_of(client):
        return "ALREADY_AUTHENTICATED", "You are logged in already."
    if client.registration is not None and network.password is not None:
        return "COMPLETE_CONNECTION_REQUIRED", "Connect first: this server has a password."
    if not registrar.registers:
        return "TEMPORARILY_UNAVAILABLE", "Accounts are not made here."
    if not nick:
        return "NEED_NICK", "Choose a nick first: NICK"
    if account != _OWN and fold(account) != fold(nick):
        return "ACCOUNT_NAME_MUST_BE_NICK", f"An account has the nick of who makes it: {nick}."
    if len(password) < registrar.shortest:
        least = registrar.shortest
        return "WEAK_PASSWORD", f"A password has at least {least} characters. Choose a longer one."
    return None


async def _do(client: Client, nick: str, email: str, password: str) -> None:
    try:
        login = await register(client, nick, password)
    except ChatError as error:
        if is_here(client):
            code = next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
            client.fail("REGISTER", code, nick, text=sentence(error))
        return
    if is_here(client):
        note = "" if email == _NO_ADDRESS else " Your address was not kept: none is needed here."
        text = f"You registered {login.nick}, and are logged in.{note}"
        client.say(f"REGISTER SUCCESS {login.nick} :{text}")
        log_in(client, login)


def register(client: Client, nick: str, password: str) -> Awaitable[Login]:
    """Make an account of the nick, which the client is to be logged in to next. Raises a ChatError,
    at once or later."""
    if account_of(client):
        raise NotAllowed("You are logged in already.")
    return client.hub.registrar.register(client, nick, password, client.now)


def _verify(client: Client, message: Message) -> None:
    """No code is ever sent, so none is right."""
    account = message.params[0]
    if account_of(client):
        client.fail("VERIFY", "ALREADY_AUTHENTICATED", account, text="You are logged in already.")
    else:
        client.fail("VERIFY", "INVALID_CODE", account, text="Accounts need no code here.")


COMMANDS = (
    Command(
        "REGISTER", _register, 3, False, "* * PASSWORD",
        "Keeps your nick for you alone.", "IRCv3 draft/account-registration",
    ),
    Command(
        "VERIFY", _verify, 2, False, "ACCOUNT CODE",
        "Not needed here: an account is yours at once.", "IRCv3 draft/account-registration",
    ),
)  # fmt: skip
