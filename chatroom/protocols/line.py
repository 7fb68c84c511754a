r"""The line protocol: what `nc` and `telnet` speak.

In:  UTF-8, LF or CRLF; telnet negotiation is taken out. A line that begins with `/` is a
     command, `//` says `/`, anything else is said in the room. The peer is a guest in the
     lobby from the start, and may talk at once.
Out: see `lineview`. No prompt, no echo, no color.

A line over `line_bytes` is refused whole. A peer that sends faster than `lines` is not
read from until it may speak again: nothing is lost, and nobody else waits.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IDelayedCall, IHalfCloseableProtocol
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.commands import speak
from chatroom.errors import TooMany
from chatroom.hub import Hub
from chatroom.limits import Limits, TokenBucket
from chatroom.member import Member
from chatroom.phrases import duration, plural
from chatroom.protocols.framing import LineFramer
from chatroom.protocols.lineview import LineView, line_view
from chatroom.protocols.outbox import Outbox
from chatroom.text import decode

__all__ = ["ChatFactory", "ChatProtocol"]

# Lines taken from one peer in one turn, so that a chunk full of them costs nobody a delay.
_LINES_A_TURN = 512

# How long a closed connection may take to pass on what it was still owed, in seconds.
_CLOSE_SECONDS = 4.0

_SWEEP_SECONDS = 1.0

# A vanished peer is noticed after 60 + 5 * 15 seconds; TCP_USER_TIMEOUT (RFC 5482) does
# the same while data is on its way, when keepalive does not run. Of what a peer does not take,
# the kernel keeps 64 KiB, not megabytes: they cost memory, and hide for a minute that it is behind.
_TCP_OPTIONS = {
    "TCP_KEEPIDLE": 60,
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 5,
    "TCP_USER_TIMEOUT": 120000,
    "TCP_NOTSENT_LOWAT": 65536,
}

# First lines of other protocols, and what is said before closing: to a program that
# would have chatted nonsense, or a page in a browser that would have posted it (the
# header follows a request whose path is too long for a line).
_FOREIGN: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"[A-Z]{3,10} \S+ HTTP/\d|Host: \S"), ""),
    (re.compile(rb"\x16\x03|SSH-\d"), ""),
    (
        re.compile(rb"CAP (?:LS|REQ|LIST|END)\b|NICK \S+$|USER \S+ \S+ \S+ :?\S|PASS \S+$"),
        "This is not IRC: connect with nc or telnet. This server has no IRC port.",
    ),
)


@implementer(IHalfCloseableProtocol)
class ChatProtocol(LineReceiver):
    """One connection, and the door of the member behind it."""

    factory: ChatFactory
    transport: Any
    member: Member | None = None
    write: Callable[[bytes], object]
    _abort: IDelayedCall | None = None
    _resume: IDelayedCall | None = None
    _closing = False
    _fresh = True
    _paused = False

    def connectionMade(self) -> None:
        factory = self.factory
        peer = self.transport.getPeer()
        self._address: str = getattr(peer, "host", "")
        factory.opened()
        try:
            factory.admit(self._address)
        except TooMany as refusal:
            self.transport.write(f"-- {refusal}\r\n".encode())
            self.transport.loseConnection()
            self._abort_soon()
            return
        limits = factory.hub.limits
        _tune(self.transport)
        self._framer = LineFramer(limits.line_bytes)
        self._heard = factory.seconds()
        self._lines: list[bytes | None] = []
        self._bucket = self._new_bucket(limits)
        outbox = Outbox(
            self.transport, limits.outbox_bytes, factory.behind, _skipped, self._stalled
        )
        self._outbox = outbox
        self.write = outbox.write
        member = self.member = factory.hub.enter(self, factory.wall(), address=self._address)
        factory.hub.notify(member, _FIRST_STEPS, factory.wall())
        factory.log.info(
            "{nick} connected from {peer} ({here} here)",
            nick=member.nick,
            peer=_written(peer),
            here=len(factory.hub.members),
        )

    # In

    def dataReceived(self, data: bytes) -> None:
        if self.member is not None and not self._closing:
            self._lines += self._framer.feed(data)
            if self._resume is None:
                self._take(self.member)

    def _take(self, member: Member) -> None:
        """Take what lines the peer may send now; the rest, and its socket, wait."""
        self._resume = None
        lines, self._lines = self._lines, []
        bucket = self._bucket
        now = self.factory.seconds()
        if lines:
            self._heard = now
        for taken, line in enumerate(lines):
            if taken == _LINES_A_TURN or (bucket is not None and not bucket.take(now)):
                self._lines = lines[taken:]
                self._wait(member, 0.0 if bucket is None else bucket.wait())
                return
            if line is None:
                self.lineLengthExceeded(b"")
            else:
                self.lineReceived(line)
            if self._closing or not member.present:
                return
        if self._paused:
            self._paused = False
            self.transport.resumeProducing()

    def _wait(self, member: Member, seconds: float) -> None:
        if self._outbox.closed:
            # Nobody is there any more, which reading would have told; what was pasted in a
            # second would keep a ghost here for hours.
            self.transport.abortConnection()
            return
        if not self._paused:
            self._paused = True
            self.transport.pauseProducing()
        self._resume = self.factory.reactor.callLater(seconds, self._take, member)

    def lineReceived(self, line: bytes) -> None:
        """One whole line, without its end."""
        member = self.member
        if self._fresh:
            self._fresh = False
            if self._foreign(line):
                return
        text = decode(line).rstrip()
        if text and member is not None:
            speak(self.factory.hub, member, text, self.factory.wall())

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line was too long, and none of it was kept."""
        self._tell(f"Line over {self._framer.line_bytes} bytes, not sent.")

    def _foreign(self, line: bytes) -> bool:
        """Whether this is another protocol's first line; then the connection closes."""
        for pattern, sentence in _FOREIGN:
            if pattern.match(line):
                self._tell(sentence)
                self._go("")
                return True
        return False

    def _tell(self, sentence: str) -> None:
        if self.member is not None:
            self.factory.hub.notify(self.member, sentence, self.factory.wall())

    def _go(self, reason: str) -> None:
        if self.member is not None:
            self.factory.hub.leave(self.member, reason, self.factory.wall())
        self._closing = True

    def readConnectionLost(self) -> None:
        """The peer has nothing more to say (`nc -N`): it gets what it is owed, and goes."""
        self._go("")

    def writeConnectionLost(self) -> None:
        """The connection is as good as lost; `connectionLost` follows."""

    def apply(self, limits: Limits) -> None:
        """Hold this connection to other limits from now on."""
        self._framer.line_bytes = limits.line_bytes
        self._outbox.limit = limits.outbox_bytes
        self._bucket = self._new_bucket(limits)

    def _new_bucket(self, limits: Limits) -> TokenBucket | None:
        return None if limits.lines is None else TokenBucket(limits.lines, self.factory.seconds())

    def check_idle(self, now: float, most: int) -> None:
        """Close a connection that has sent no whole line for `most` seconds."""
        if now - self._heard >= most and not self._lines and not self._closing:
            self._tell(f"You said nothing for {duration(most)}. Connect again when you like.")
            self._go("idle")

    # Out

    def view(self, member: Member) -> LineView:
        """Members who wish the same and talk in the same room share a view."""
        room = "" if member.current is None else member.current.name
        nick = member.folded if member.bell == "mention" else ""
        return line_view(member.timestamps, room, member.bell, nick)

    def close(self) -> None:
        """Pass on what the peer is owed, and close; it has a few seconds to take it."""
        if self.connected:
            self._closing = True
            self._abort_soon()
            self._outbox.close()

    def _abort_soon(self) -> None:
        if self._abort is None:
            self._abort = self.factory.reactor.callLater(
                self.factory.close_seconds, self.transport.abortConnection
            )

    def _stalled(self) -> None:
        """The peer takes nothing any more."""
        if self.member is not None:
            self.factory.log.warn("{nick} reads nothing, dropped", nick=self.member.nick)
            self.factory.hub.leave(self.member, "not reading", self.factory.wall(), gone=True)
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        for timer in (self._abort, self._resume):
            if timer is not None and timer.active():
                timer.cancel()
        self.connected = 0
        self._closing = True
        if self.member is not None:
            hub = self.factory.hub
            why = "" if reason.check(ConnectionDone) else "connection lost"
            hub.leave(self.member, why, self.factory.wall(), gone=True)
            hub.admission.release(self._address)
            self.factory.log.info(
                "{nick} disconnected{why} ({here} here)",
                nick=self.member.nick,
                why=f": {why}" if why else "",
                here=len(hub.members),
            )
        self.factory.lost()


class ChatFactory(ServerFactory):
    """Serves one hub on the line protocol, on any number of ports. The clients it shares
    are the hub's members.

    `reactor` is Twisted's own unless given; `wall` tells the time of day, in seconds since
    the epoch.
    """

    protocol: Any = ChatProtocol
    noisy = False
    log = Logger("chatroom")
    close_seconds = _CLOSE_SECONDS

    def __init__(
        self, hub: Hub, reactor: Any = None, wall: Callable[[], float] = time.time
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self.hub = hub
        self.reactor = reactor
        self.wall = wall
        self.seconds: Callable[[], float] = reactor.seconds
        self.behind: set[Outbox] = set()
        self._refused = 0
        self._open = 0
        self._all_lost: list[Deferred[None]] = []
        self._sweeping: IDelayedCall | None = None
        self._idle_checked = 0.0
        if hub.needs_turns:
            hub.use_turns(partial(reactor.callLater, 0))

    def opened(self) -> None:
        """A connection was made."""
        self._open += 1
        if self._sweeping is None:
            self._sweeping = self.reactor.callLater(_SWEEP_SECONDS, self._sweep)

    def admit(self, address: str) -> None:
        """Count a connection from `address`. Raises TooMany, which tells it why not."""
        if self._all_lost:
            raise TooMany("The server is stopping. Try again later.")
        try:
            self.hub.admission.admit(address)
        except TooMany:
            self._refused += 1
            raise

    def lost(self) -> None:
        """A connection is gone."""
        self._open -= 1
        if self._open:
            return
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweep()
        waiting, self._all_lost = self._all_lost, []
        for deferred in waiting:
            deferred.callback(None)

    def close(self, text: str, seconds: float) -> Deferred[None]:
        """Tell everyone `text` and close every connection; who takes longer than `seconds`
        to read what it is owed is dropped. Fires when all are gone."""
        self.close_seconds = seconds
        done: Deferred[None] = Deferred()
        if not self._open:
            done.callback(None)
            return done
        self._all_lost.append(done)
        self.hub.dismiss(text, self.wall())
        return done

    def apply(self, limits: Limits) -> None:
        """Hold every connection to other limits from now on."""
        for connection in self._connections():
            connection.apply(limits)

    def _connections(self) -> list[ChatProtocol]:
        doors = [member.door for member in self.hub.members.values()]
        return [door for door in doors if isinstance(door, ChatProtocol) and door.factory is self]

    def _sweep(self) -> None:
        """Once a second while there are connections, and when the last is gone: the timers of
        them all in one."""
        self._sweeping = self.reactor.callLater(_SWEEP_SECONDS, self._sweep) if self._open else None
        now = self.seconds()
        limits = self.hub.limits
        if limits.stall_seconds is not None:
            for outbox in tuple(self.behind):
                outbox.check(now, limits.stall_seconds)
        if limits.idle_seconds is not None and now - self._idle_checked >= limits.idle_seconds / 20:
            self._idle_checked = now
            for connection in self._connections():
                connection.check_idle(now, limits.idle_seconds)
        if self._refused:
            self.log.warn(
                "{number} refused: the limit is met", number=plural(self._refused, "connection")
            )
            self._refused = 0


_FIRST_STEPS = "Type to talk. /nick NAME gives you a name, /help lists the commands."


def _skipped(number: int) -> bytes:
    return f"-- {plural(number, 'line')} skipped (/history shows them)\r\n".encode()


def _written(peer: IAddress) -> str:
    host = getattr(peer, "host", None)
    return "a UNIX socket" if host is None else f"{host}:{getattr(peer, 'port', '?')}"


def _tune(transport: Any) -> None:
    """No delay, and notice of a peer that vanished or is behind; for TCP, under whatever wraps
    it."""
    handle = getattr(transport, "socket", None)
    if handle is None or handle.family == getattr(socket, "AF_UNIX", None):
        return
    transport.setTcpNoDelay(True)
    with suppress(OSError):  # some systems mind that the peer is gone already
        transport.setTcpKeepAlive(True)
    for name, value in _TCP_OPTIONS.items():
        with suppress(AttributeError, OSError):  # not every system knows them all
            handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
