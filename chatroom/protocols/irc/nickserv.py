"""NickServ: accounts, for clients and habits that are older than SASL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chatroom.errors import BadUsage, NoSuchMember, NotLoggedIn
from chatroom.names import fold
from chatroom.phrases import duration
from chatroom.protocols.irc.accounts import register
from chatroom.protocols.irc.sasl import is_here, log_in
from chatroom.protocols.irc.service import Order, Service, Words

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.registrar import Login

__all__ = ["NICKSERV"]


async def _register(client: Client, words: Words) -> str:
    """Programs go by the first line that comes."""
    login = await register(client, client.nick, words[0])
    NICKSERV.say(client, "Account created")
    log_in(client, login)
    return ""


async def _identify(client: Client, words: Words) -> str:
    """Of the nick that it names, or of the one that the client has."""
    name, *password = words if len(words) > 1 else (client.nick, *words)
    login = await client.hub.registrar.prove(client, name, " ".join(password), client.now)
    log_in(client, login)
    return f"You are logged in as {login.nick}."


def _logout(client: Client, words: Words) -> str:
    client.hub.registrar.logout(client.me, client.now)
    return "You are logged out."


async def _ghost(client: Client, words: Words) -> str:
    """Free one's own nick from whoever has it."""
    nick = words[0]
    _free(client, nick, await _owner(client, words))
    return f"{nick} is free. /nick {nick} takes it."


async def _regain(client: Client, words: Words) -> str:
    """Take one's own nick from whoever has it."""
    nick, login = words[0], await _owner(client, words)
    if not is_here(client) or login.account != client.me.account:
        log_in(client, login)
    _free(client, nick, login)
    if is_here(client):
        client.hub.rename(client.me, nick, client.now)
    return f"You are {nick} now."


async def _owner(client: Client, words: Words) -> Login:
    """Whose nick it is said to be: by its password, or of who is logged in."""
    registrar = client.hub.registrar
    if len(words) > 1:
        return await registrar.prove(client, words[0], " ".join(words[1:]), client.now)
    return registrar.own(client.me)


def _free(client: Client, nick: str, login: Login) -> None:
    if not is_here(client):
        return
    other = client.hub.members.get(fold(nick))
    if other is client.me:
        raise BadUsage(f"You are {nick} yourself.")
    if other is None:
        raise NoSuchMember(f"Nobody here is called {nick}.")
    client.hub.registrar.make_way(login, nick, client.now)


def _info(client: Client, words: Words) -> str:
    nick = words[0] if words else client.nick
    member = client.hub.members.get(fold(nick))
    account = member.account if member is not None and member.account else fold(nick)
    registrar = client.hub.registrar
    since = registrar.since(account)
    if since is None:
        return f"{nick} is not registered."
    name = registrar.nick_of(account)
    comes = any(each.account == account for each in client.hub.members.values())
    here = "is here" if comes else "is not here"
    return f"{name} was registered {duration(client.now - since)} ago, and {here}."


def _cert(client: Client, words: Words) -> str:
    """List, add or delete certificates that prove the account."""
    if not client.me.account:
        raise NotLoggedIn
    registrar, what = client.hub.registrar, words[0].upper() if words else "LIST"
    fingerprint = words[1] if len(words) > 1 else client.fingerprint
    if what == "LIST":
        found = registrar.certificates(client.me)
        return "\n".join(found) or "No certificate proves your account. CERT ADD adds yours."
    if what not in ("ADD", "DEL"):
        raise BadUsage("Usage: CERT LIST, CERT ADD [FINGERPRINT] or CERT DEL FINGERPRINT")
    if not fingerprint:
        raise BadUsage("You showed no certificate. Connect with one, or name its fingerprint.")
    if what == "ADD":
        registrar.keep_certificate(client.me, fingerprint, client.now)
        return f"{fingerprint} proves your account from now on."
    registrar.forget_certificate(client.me, fingerprint)
    return f"{fingerprint} proves your account no more."


async def _password(client: Client, words: Words) -> str:
    await client.hub.registrar.change(client.me, words[0], words[1], client.now)
    return "Your password is changed."


async def _drop(client: Client, words: Words) -> str:
    await client.hub.registrar.drop(client.me, words[0], client.now)
    return "Your account is deleted."


NICKSERV: Final = Service(
    "NickServ",
    (
        Order("REGISTER", "PASSWORD", "keeps your nick for you alone.", _register, 1, True),
        Order("IDENTIFY", "[NICK] PASSWORD", "logs you in.", _identify, 1, True),
        Order("LOGIN", "[NICK] PASSWORD", "the same as IDENTIFY.", _identify, 1, True),
        Order("LOGOUT", "", "logs you out.", _logout),
        Order("GHOST", "NICK [PASSWORD]", "takes your nick from who has it.", _ghost, 1, True),
        Order("REGAIN", "NICK [PASSWORD]",
              "takes your nick from who has it, and gives it to you.", _regain, 1, True),
        Order("RECOVER", "NICK [PASSWORD]", "the same as REGAIN.", _regain, 1, True),
        Order("INFO", "[NICK]", "tells about an account.", _info),
        Order("CERT", "LIST|ADD|DEL [FINGERPRINT]",
              "lets TLS certificates log you in; ADD adds the one you came with.", _cert),
        Order("PASSWD", "OLD NEW", "changes your password.", _password, 2),
        Order("DROP", "PASSWORD", "deletes your account.", _drop, 1),
    ),
)  # fmt: skip
