"""AUTHENTICATE: a client proves which account it has, before it is welcomed or at any later time
(IRCv3 sasl-3.2).

A mechanism is a coroutine that is given what the client says, in bytes, and returns what to answer,
or the Login at last. It raises a ChatError where nothing was proven, a ValueError where that was no
message of the mechanism.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from chatroom.errors import BadName, ChatError, WrongPassword
from chatroom.names import fold
from chatroom.protocols.irc import numerics
from chatroom.protocols.irc.command import Command
from chatroom.registrar import Login
from chatroom.scram import ScramError, ScramExchange

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS", "abort", "account_of", "is_here", "log_in"]

_CHUNK: Final = 400
"""A message of base64 is cut after so many characters; a shorter piece, maybe an empty one, ends
it."""
_MOST: Final = 8192
_EMPTY: Final = "+"
_ABORT: Final = "*"
_STATE: Final = "sasl"
_UNCLEAR: Final = "That was no message of this mechanism."

_RELOGIN: Final = "cap-notify"
"""Which every client has that speaks version 302, and so sasl-3.2: it may authenticate again."""

Step = Callable[[bytes], Awaitable["bytes | Login"]]


class _Exchange:
    """One attempt. `step` takes each message of the client's and answers it, or ends."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.read: list[str] = []


def _authenticate(client: Client, message: Message) -> Awaitable[None] | None:
    word = message.params[0]
    exchange: _Exchange | None = client.state.get(_STATE)
    if word == _ABORT:
        client.state.pop(_STATE, None)
        client.numeric(numerics.ERR_SASLABORTED)
        return None
    if exchange is None:
        _begin(client, word.upper())
        return None
    exchange.read.append("" if word == _EMPTY else word)
    if len(word) > _CHUNK or sum(map(len, exchange.read)) > _MOST:
        del client.state[_STATE]
        client.numeric(numerics.ERR_SASLTOOLONG)
        return None
    return None if len(word) == _CHUNK else _go_on(client, exchange)


def _begin(client: Client, name: str) -> None:
    if account_of(client) and _RELOGIN not in client.caps:
        client.numeric(numerics.ERR_SASLALREADY)
        return
    offered = client.hub.registrar.mechanisms(client)
    if name not in offered or name not in _MECHANISMS:
        if offered:
            client.numeric(numerics.RPL_SASLMECHS, ",".join(offered))
        client.numeric(numerics.ERR_SASLFAIL)
        return
    client.state[_STATE] = _Exchange(_MECHANISMS[name](client))
    client.reply(f"AUTHENTICATE {_EMPTY}")


async def _go_on(client: Client, exchange: _Exchange) -> None:
    """A message of the client's is whole."""
    read, exchange.read = "".join(exchange.read), []
    try:
        answer = await exchange.step(b64decode(read, validate=True))
        if isinstance(answer, Login):
            client.state.pop(_STATE, None)
            if log_in(client, answer):
                client.numeric(numerics.RPL_SASLSUCCESS)
            return
    except (ChatError, ValueError) as error:
        client.state.pop(_STATE, None)
        _failed(client, error)
        return
    if not is_here(client):
        return
    written = b64encode(answer).decode()
    pieces = [written[at : at + _CHUNK] for at in range(0, len(written), _CHUNK)]
    if not pieces or len(pieces[-1]) == _CHUNK:
        pieces.append(_EMPTY)
    client.reply(*(f"AUTHENTICATE {piece}" for piece in pieces))


def _failed(client: Client, error: Exception) -> None:
    if not is_here(client):
        return
    if isinstance(error, BadName):  # who it is may be right, and yet can't be called that
        client.numeric(numerics.ERR_NICKLOCKED, text=str(error))
        return
    why = str(error) if isinstance(error, ChatError) else _UNCLEAR
    client.numeric(numerics.ERR_SASLFAIL, text=f"SASL authentication failed: {why}")


def abort(client: Client) -> None:
    """The client is done with registering: what it was proving is given up."""
    if client.state.pop(_STATE, None) is not None:
        client.numeric(numerics.ERR_SASLABORTED)


# For all that logs a client in


def is_here(client: Client) -> bool:
    """Whether there is still somebody to answer, after something was waited for."""
    return bool(client.connected) and (client.member is None or client.member.present)


def account_of(client: Client) -> str:
    """The folded account that it is logged in to, or will be when it is welcomed; '' if none."""
    if client.registration is None:
        return client.me.account
    return client.registration.login.account if client.registration.login else ""


def log_in(client: Client, login: Login) -> bool:
    """The client has proven to have this account: it is logged in now, or will be when it is
    welcomed, and is told so; False if it is gone. Raises NotAllowed where the account was dropped
    or changed since."""
    if not is_here(client):
        return False
    if client.registration is not None:
        client.registration.login = login
    else:
        client.hub.registrar.enter(client.me, login, client.now)
        if not is_here(client):  # the account is banned
            return False
    client.numeric(numerics.RPL_LOGGEDIN, client.source, login.nick, account=login.nick)
    return True


# The mechanisms


def _plain(client: Client) -> Step:
    """RFC 4616: as whom, who, and the password, with NUL between."""

    async def step(data: bytes) -> Login:
        """Raises ChatError, ValueError."""
        as_whom, name, password = data.decode().split("\0")
        if as_whom and fold(as_whom) != fold(name):
            raise WrongPassword("Nobody may act as another here.")
        return await client.hub.registrar.prove(client, name, password, client.now)

    return step


def _external(client: Client) -> Step:
    """RFC 4422, appendix A: by the certificate of the connection."""

    async def step(data: bytes) -> Login:
        """Raises ChatError, ValueError."""
        registrar = client.hub.registrar
        return await registrar.prove_by_certificate(client, data.decode(), client.now)

    return step


def _scram(client: Client) -> Step:
    """RFC 5802 and 7677: the password itself is never sent."""
    registrar = client.hub.registrar
    exchange: ScramExchange | None = None
    login: Login | None = None

    async def step(data: bytes) -> bytes | Login:
        """Raises ChatError, ScramError (a ValueError)."""
        nonlocal exchange, login
        if exchange is None:
            exchange = ScramExchange(data)
            record = await registrar.scram(client, exchange.username, client.now)
            return exchange.challenge(record, token_urlsafe(18))
        if login is None:
            try:
                right, answer = exchange.finish(data)
            except ScramError:
                registrar.scram_done(client, exchange.username, False, client.now)
                raise
            login = registrar.scram_done(client, exchange.username, right, client.now)
            return answer
        if data:
            raise ScramError(_UNCLEAR)
        return login  # the client has looked at the server's proof

    return step


_MECHANISMS: Final[dict[str, Callable[[Client], Step]]] = {
    "PLAIN": _plain,
    "EXTERNAL": _external,
    "SCRAM-SHA-256": _scram,
}

COMMANDS = (
    Command(
        "AUTHENTICATE", _authenticate, 1, False,
        "MECHANISM | DATA | *", "Proves that an account is yours.", "IRCv3 sasl-3.2",
    ),
)  # fmt: skip
