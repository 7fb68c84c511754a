"""A chat in memory with both doors, everything it keeps, and people at either of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unittest.mock import patch

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import directlyProvides

from chatroom.chatservice import CHECKS
from chatroom.config import Settings, parse
from chatroom.hub import Hub
from chatroom.keeping import Keeping
from chatroom.protocols.irc.factory import IRCFactory
from chatroom.protocols.line import ChatFactory
from chatroom.registrar import Login
from chatroom.store.memory import MemoryDatabase
from chatroom.store.passwords import Passwords
from tests.inmemory import NOW
from tests.registered import CHEAP, Peer, Threads, got

__all__ = ["Chatting", "IRCUser", "LineUser", "User", "settings_of"]

# Tests send as fast as they can, and from an address that is neither private nor this machine's.
_SETTINGS = {
    "limits.lines": "off",
    "limits.joins": "off",
    "limits.nick_changes": "off",
    "accounts.plaintext": "on",
}
_SCRAM_ITERATIONS = 2


def settings_of(changes: Mapping[str, str]) -> Settings:
    """Settings by dotted key, each value as it is written in YAML; the others as is good for
    tests."""
    sections: dict[str, list[str]] = {}
    for key, value in (_SETTINGS | dict(changes)).items():
        section, _, name = key.rpartition(".")
        sections.setdefault(section, []).append(f"{name}: {value}")
    text = "\n".join(sections.pop("", []))
    for section, entries in sections.items():
        text += f"\n{section}:\n  " + "\n  ".join(entries)
    return parse(text, "settings", CHECKS)


class _Reactor(Clock):
    """A clock whose threads work at once."""

    def callFromThread(self, f: Callable[..., object], *arguments: Any) -> None:
        f(*arguments)


class _Keeping(Keeping):
    """Keeps in memory all that is else kept in a file."""

    def _opened(self) -> MemoryDatabase:
        return MemoryDatabase()


class Chatting:
    """A hub with all that is attached to it, and its factories `irc` and `line`. `users` are those
    who have connected, by name; `threads` look at passwords. `checkers` know passwords as well."""

    def __init__(
        self, settings: Settings | None = None, checkers: Sequence[ICredentialsChecker] = ()
    ) -> None:
        self.settings = settings = settings_of({}) if settings is None else settings
        self.reactor = _Reactor()
        self.hub = Hub(
            limits=settings.limits,
            lobby=settings.lobby,
            welcome=settings.welcome,
            motd=settings.motd,
            guests_by_address=settings.guests == "address",
        )
        self.keeping = _Keeping(self.hub, settings, self.reactor, checkers, self.wall)
        self.threads = threads = Threads()
        cheap = lambda *_: Passwords(threads, CHEAP, threads, _SCRAM_ITERATIONS)  # noqa: E731
        with patch("chatroom.keeping.Passwords", cheap):
            self.keeping.open()
        self.hub.started = self.wall()
        self.irc = IRCFactory(self.hub, self.reactor, self.wall, settings.irc)
        self.irc.rehash = lambda: self.keeping.apply(self.settings)
        self.line = ChatFactory(self.hub, self.reactor, self.wall)
        self.users: dict[str, User] = {}

    def wall(self) -> float:
        """The time of day."""
        return NOW + self.reactor.seconds()

    def settle(self) -> None:
        """Do all that is due, until nothing is; who was closed is gone then."""
        while True:
            now = self.reactor.seconds()
            if any(call.getTime() <= now for call in self.reactor.getDelayedCalls()):
                self.reactor.advance(0)
            elif not [user.lose() for user in self.users.values() if user.is_closing]:
                return

    def pass_by(self, seconds: float) -> None:
        """Let time pass, a second at a time."""
        for _ in range(int(seconds)):
            self.reactor.advance(1)
            self.settle()

    def account(self, nick: str, password: str) -> None:
        """Make an account."""
        claimant = Peer("198.51.100.99")
        made = got(self.hub.registrar.register(claimant, nick, password, self.wall()))
        assert isinstance(made, Login), made
        self.hub.registrar.forget(claimant)

    def address(self) -> str:
        """One that nobody has connected from."""
        return f"192.0.2.{len(self.users) + 1}"

    def close(self) -> list[str]:
        """Everyone goes, and what is kept is let go of; the timers that are left."""
        for user in self.users.values():
            user.lose()
        self.settle()
        self.keeping.close()
        self.settle()
        return [str(call) for call in self.reactor.getDelayedCalls()]


class User:
    """One connection from `address`. What the server has closed is `is_closed`."""

    end = "\r\n"

    def __init__(self, chat: Chatting, name: str, address: str = "", *, tls: bool = False) -> None:
        self.chat, self.name = chat, name
        peer = IPv4Address("TCP", address or chat.address(), 49152)
        transport: Any = StringTransport(peerAddress=peer)
        self.transport = transport
        if tls:
            transport.getPeerCertificate = lambda: None
            directlyProvides(transport, ISSLTransport)
        self.is_closed = False
        self.protocol: Any = self._factory().buildProtocol(None)
        chat.users[name] = self
        self.protocol.makeConnection(self.transport)

    def _factory(self) -> Any:
        raise NotImplementedError

    @property
    def is_closing(self) -> bool:
        """Whether the server has closed the connection, and it is not lost yet."""
        lost: bool = self.transport.disconnecting or self.transport.disconnected
        return lost and not self.is_closed

    def send(self, *lines: str | bytes) -> None:
        """Send lines, and don't wait for what comes of them."""
        for line in lines:
            data = line.encode() if isinstance(line, str) else line
            if not self.is_closed:
                self.protocol.dataReceived(data + self.end.encode())

    def says(self, *lines: str | bytes) -> list[str]:
        """Send lines; what it gets then."""
        self.send(*lines)
        self.chat.settle()
        return self.read()

    def registers(
        self, caps: Sequence[str] = (), login: tuple[str, str] | None = None
    ) -> list[str]:
        """Say who one is, with what that door has: capabilities, an account and its password;
        what it is told then."""
        raise NotImplementedError

    def raw(self) -> bytes:
        """What it got since the last time, in bytes."""
        written: bytes = self.transport.value()
        self.transport.clear()
        return written

    def read(self) -> list[str]:
        """The lines that it got since the last time, which end with CRLF each."""
        *lines, rest = self.raw().decode().split("\r\n")
        assert not rest, f"the last line has no end: {rest!r}"
        return lines

    def lose(self, reason: Exception | None = None) -> bool:
        """The connection is gone, if it was not."""
        if self.is_closed:
            return False
        self.is_closed = True
        if self.transport.producer is not None:
            self.transport.producer.stopProducing()
        self.protocol.connectionLost(Failure(reason or ConnectionDone()))
        return True

    def reset(self) -> None:
        """The connection is lost without a word."""
        self.lose(ConnectionLost())


class IRCUser(User):
    """Somebody with an IRC program."""

    def _factory(self) -> IRCFactory:
        return self.chat.irc

    def registers(
        self, caps: Sequence[str] = (), login: tuple[str, str] | None = None
    ) -> list[str]:
        """Say who one is, and be welcomed. `login` is an account and its password."""
        if login is not None:
            caps = [*caps, *({"sasl"} - set(caps))]
        negotiation = ["CAP LS 302", f"CAP REQ :{' '.join(caps)}"] if caps else []
        if login is not None:
            negotiation += ["AUTHENTICATE PLAIN", f"AUTHENTICATE {_plain(*login)}"]
        return self.says(
            *negotiation,
            f"NICK {self.name}",
            f"USER {self.name} 0 * :{self.name.capitalize()}",
            *(["CAP END"] if caps else []),
        )


class LineUser(User):
    """Somebody with nc."""

    end = "\n"

    def _factory(self) -> ChatFactory:
        return self.chat.line

    def registers(
        self, caps: Sequence[str] = (), login: tuple[str, str] | None = None
    ) -> list[str]:
        """Take the nick, or log in."""
        assert not caps, "the line protocol has no capabilities"
        return self.says(f"/login {' '.join(login)}" if login else f"/nick {self.name}")


def _plain(account: str, password: str) -> str:
    """The message of SASL PLAIN (RFC 4616)."""
    from base64 import b64encode

    return b64encode(f"\0{account}\0{password}".encode()).decode()
