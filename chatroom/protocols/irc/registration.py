"""A client says who it is: PASS, NICK, USER and CAP in any order (Modern IRC, "Connection
Registration"). Then it is welcomed, and a member of the hub."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hmac import compare_digest
from typing import TYPE_CHECKING

from chatroom import __version__
from chatroom.errors import ChatError, NameTaken, TooMany
from chatroom.identity import Identity
from chatroom.names import fold
from chatroom.protocols.irc import isupport, lines, metadata, modes, numerics, usermodes
from chatroom.protocols.irc.formatting import plain
from chatroom.protocols.irc.sasl import abort
from chatroom.protocols.irc.wire import Message
from chatroom.registrar import Login

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client

__all__ = ["Registration", "complete", "nick", "password", "user", "version"]

_NOT_IN_USER = re.compile(r"[^A-Za-z0-9._\-]")


class Registration:
    """How far a client has come. `negotiating`: it talks about capabilities, and is welcomed only
    when it has said that it is done. `wanted` is the nick that it asked for last, be it free."""

    __slots__ = ("away", "login", "negotiating", "nick", "password", "realname", "user", "wanted")

    def __init__(self) -> None:
        self.nick = self.wanted = self.user = self.realname = ""
        self.password: str | None = None
        self.negotiating = False
        self.login: Login | None = None
        self.away: str | None = None


def password(client: Client, message: Message) -> None:
    """PASS: the last one counts."""
    if client.registration is None:
        client.numeric(numerics.ERR_ALREADYREGISTERED)
    else:
        client.registration.password = message.params[0]


def nick(client: Client, message: Message) -> None:
    """NICK, before and after registration."""
    wanted = message.params[0] if message.params else ""
    if not wanted:
        client.numeric(numerics.ERR_NONICKNAMEGIVEN)
        return
    try:
        if client.registration is None:
            if wanted != client.me.nick:
                client.hub.rename(client.me, wanted, client.now)
            return
        _want(client, client.registration, wanted)
    except ChatError as error:
        client.refuse(error, wanted, about="nick")
        return
    complete(client)


def _want(client: Client, registration: Registration, nick: str) -> None:
    """Raises BadName or NameTaken. Who negotiates may prove yet that the nick is its own: so it is
    looked at when it has done that."""
    registration.wanted = nick
    try:
        _claim(client, nick)
    except NameTaken:
        if not registration.negotiating or client.hub.registrar.mode == "off":
            raise
    registration.nick = nick


def _claim(client: Client, wanted: str) -> None:
    """Raises BadName or NameTaken unless the client may have the nick, or take it from another
    connection of its own account."""
    registration = client.registration
    assert registration is not None
    account = fold(wanted)
    is_own = registration.login is not None and registration.login.account == account
    try:
        client.hub.must_be_free(wanted)
    except NameTaken:
        if not is_own:
            raise
    client.hub.registrar.may_be_called(
        wanted, "" if registration.login is None else registration.login.account
    )


def user(client: Client, message: Message) -> None:
    """USER: the user name and what one is called besides."""
    if client.registration is None:
        client.numeric(numerics.ERR_ALREADYREGISTERED)
        return
    name, realname = message.params[0], plain(message.params[3])
    if not name or not realname:
        client.numeric(numerics.ERR_NEEDMOREPARAMS, "USER")
        return
    name = _NOT_IN_USER.sub("", name.removeprefix("~"))[: isupport.USER_BYTES]
    if not name:
        client.numeric(numerics.ERR_INVALIDUSERNAME)
        return
    # Nobody has looked who it is on its machine (RFC 1413), which the `~` says.
    client.registration.user = f"~{name}"
    client.registration.realname = lines.cut(realname, isupport.REALNAME_BYTES)
    complete(client)


def complete(client: Client) -> None:
    """Welcome the client, once all is said."""
    registration = client.registration
    if registration is None or registration.negotiating:
        return
    if not (registration.nick and registration.user):
        return
    abort(client)
    try:
        knows = _has_password(client, registration)
    except TooMany as error:
        client.end(str(error))
        return
    if not knows:
        client.numeric(numerics.ERR_PASSWDMISMATCH)
        client.end("Bad password")
        return
    login, now = _login(client, registration), client.now
    try:
        _claim(client, registration.nick)
        if login is not None and fold(registration.nick) == login.account:
            client.hub.registrar.make_way(login, registration.nick, now)
        host = client.hub.cloak(client.address)
        who = Identity(registration.user, host, "", registration.realname)
        member = client.hub.enter(
            client, now, registration.nick, client.address, who, greeted=False
        )
    except ChatError as error:
        client.refuse(error, registration.nick, about="nick")
        registration.nick = ""
        return
    client.entered(member)
    _welcome(client)
    if login is not None:
        client.hub.registrar.enter(member, login, now)
        usermodes.tell_operator(client)
    if registration.away is not None and member.present:
        client.hub.set_away(member, registration.away, now)
    metadata.welcome(client)


def _login(client: Client, registration: Registration) -> Login | None:
    """What the client has proven, unless that says nothing any more, which it is told."""
    login = registration.login
    if login is not None and not client.hub.registrar.holds(login):
        login = registration.login = None
        client.numeric(
            numerics.RPL_LOGGEDOUT,
            client.source,
            text="You are logged out: your account was changed meanwhile",
        )
    return login


def _has_password(client: Client, registration: Registration) -> bool:
    """Whether it knows the server's password, if there is one. Raises TooMany."""
    wanted = client.factory.network.password
    if wanted is None:
        return True
    right = compare_digest((registration.password or "").encode(), wanted.encode())
    authority = client.hub.authority
    return authority.try_password(client, client.address, right, client.now)


def version() -> str:
    """What runs here, in one word."""
    return f"chatroom-{__version__}"


def _welcome(client: Client) -> None:
    from chatroom.protocols.irc import server

    network = client.factory.network
    # The mask of who it is belongs to the text: clients learn their own host from it.
    client.numeric(numerics.RPL_WELCOME, network=network.network, nick=client.source)
    client.numeric(numerics.RPL_YOURHOST, server=network.server, version=version())
    started = datetime.fromtimestamp(client.hub.started or client.now, UTC)
    client.numeric(numerics.RPL_CREATED, created=started.strftime("%Y-%m-%d %H:%M:%S UTC"))
    every = "".join(sorted(mode.letter for mode in modes.USER_MODES))
    client.numeric(
        numerics.RPL_MYINFO,
        network.server,
        version(),
        every,
        modes.of_kind("A", "B", "C", "D", "P"),
        modes.of_kind("A", "B", "C", "P"),
    )
    tell_isupport(client)
    server.lusers(client, roughly=True)
    server.motd(client)


def tell_isupport(client: Client) -> None:
    """The lines of RPL_ISUPPORT."""
    for some in isupport.in_lines(isupport.tokens(client)):
        client.numeric(numerics.RPL_ISUPPORT, *some)
