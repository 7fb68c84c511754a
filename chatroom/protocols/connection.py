"""One peer of a hub, in whatever protocol made of lines: from its admission to its end.

It holds the peer to its limits, and its socket to the manners of a daemon. What the lines
mean, and how the server's own are written, is for the protocol that builds on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.address import UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    ISSLTransport,
)
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.admission import is_loopback
from chatroom.errors import ChatError
from chatroom.limits import Limits, TokenBucket
from chatroom.member import Member
from chatroom.phrases import duration, plural
from chatroom.protocols.framing import LineFramer
from chatroom.protocols.outbox import Outbox
from chatroom.protocols.sockets import tune, written

if TYPE_CHECKING:
    from chatroom.protocols.serving import HubFactory

__all__ = ["Connection"]

# Lines taken from one peer in one turn, so that a chunk full of them costs nobody a delay.
_LINES_A_TURN = 512

# How often it is looked whether a closed connection has passed on what it was owed.
_DELIVERY_SECONDS = 0.05


@implementer(IHalfCloseableProtocol)
class Connection(LineReceiver):
    """One connection, and the door of the member behind it, once there is one."""

    factory: HubFactory
    transport: Any
    member: Member | None = None
    write: Callable[[bytes], object]
    _abort: IDelayedCall | None = None
    _resume: IDelayedCall | None = None
    _admitted = False
    _closing = False
    _paused = False
    _queued = False
    looks_back = "/history"
    """The command that shows what was skipped for a slow reader."""
    _is_read_out = False

    def admitted(self, peer: str) -> None:
        """The peer may stay: greet it. `peer` is where it comes from, as the log has it."""
        raise NotImplementedError

    @property
    def is_private(self) -> bool:
        """Whether nobody on the network can read along: TLS, or the same machine. Of a proxy in
        front it is not known."""
        transport = self.transport
        if ISSLTransport.providedBy(transport):
            return True
        return isinstance(transport.getHost(), UNIXAddress) or is_loopback(self.address)

    def server_line(self, sentence: str) -> bytes:
        """How the server's own word is written."""
        raise NotImplementedError

    def lineReceived(self, line: bytes) -> None:
        """One whole line, without its end."""
        raise NotImplementedError

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line was too long, and none of it was kept."""
        raise NotImplementedError

    def taken_at_once(self, lines: list[bytes | None]) -> bool:
        """Take several lines as if `lineReceived` had each, if there is a faster way; whether
        there was."""
        return False

    def connectionMade(self) -> None:
        """Admit the peer, or tell it why not and close."""
        factory = self.factory
        peer = self.transport.getPeer()
        self.address: str = getattr(peer, "host", "")
        factory.opened()
        try:
            factory.admit(self.address)
        except ChatError as refusal:
            self.transport.write(self.server_line(str(refusal)))
            self.transport.loseConnection()
            self._abort_soon()
            return
        self._admitted = True
        limits = factory.hub.limits
        tune(self.transport)
        self.framer = self.new_framer(limits)
        self._heard = factory.seconds()
        self._lines: list[bytes | None] = []
        self._bucket = self._new_bucket(limits)
        self._outbox = Outbox(
            self.transport, limits.outbox_bytes, factory.behind, self._skipped, self._stalled
        )
        self.write = self._outbox.write
        self.admitted(written(peer))

    # In

    def new_framer(self, limits: Limits) -> LineFramer:
        """What makes lines of what this peer sends."""
        return LineFramer(limits.line_bytes)

    @property
    def is_heard(self) -> bool:
        """Whether what the peer says still matters: it was admitted, and has not left."""
        member = self.member
        return self._admitted and not self._closing and (member is None or member.present)

    @property
    def is_ready(self) -> bool:
        """Whether the next line may be taken; not while the answer to the last is worked out."""
        return True

    def dataReceived(self, data: bytes) -> None:
        if self.is_heard:
            self._lines += self.framer.feed(data, _LINES_A_TURN)
            if self._resume is None and not self._queued:
                self._take()

    def _take(self) -> None:
        """Take what lines the peer may send now; the rest, and its socket, wait."""
        self._resume = None
        factory = self.factory
        if not self.is_ready:
            self._pause()
            return
        if factory.turn_is_long:
            self._pause()
            self._queue()
            return
        began = factory.seconds()
        self._take_lines(began)
        factory.spend(factory.seconds() - began)

    def _queue(self) -> None:
        if not self._queued:
            self._queued = True
            self.factory.queue(self)

    def go_on(self) -> None:
        """What had to wait for the reactor's next turn."""
        self._queued = False
        if self._is_read_out:
            self.readConnectionLost()
        elif self.connected:
            self._take()

    def _take_lines(self, now: float) -> None:
        lines, self._lines = self._lines, []
        if lines:
            self._heard = now
        if self._bucket is None and len(lines) > 1 and self.taken_at_once(lines):
            lines = []
        for taken, line in enumerate(lines):
            bucket = self._bucket  # a line may bring another one
            if bucket is not None and not bucket.take(now):
                self._lines = lines[taken:]
                self._wait(bucket.wait())
                return
            if line is None:
                self.lineLengthExceeded(b"")
            else:
                self.lineReceived(line)
            if not self.is_heard:
                return
            if not self.is_ready:
                self._lines = lines[taken + 1 :]
                self._pause()
                return
        if self.framer.more:
            self._lines = self.framer.feed(b"", _LINES_A_TURN)
            self._wait(0.0)
        elif not self.is_ready:
            self._pause()
        elif self._paused:
            self._paused = False
            self.transport.resumeProducing()

    def _wait(self, seconds: float) -> None:
        if self._outbox.closed:
            # Nobody is there any more, which reading would have told; what was pasted in a
            # second would keep a ghost here for hours.
            self.transport.abortConnection()
            return
        self._pause()
        self._resume = self.factory.reactor.callLater(seconds, self._take)

    def _pause(self) -> None:
        """Read nothing more from the peer for now."""
        if not self._paused:
            self._paused = True
            self.transport.pauseProducing()

    def tell(self, sentence: str) -> None:
        """The server's word to the peer."""
        if self.member is not None:
            self.factory.hub.notify(self.member, sentence, self.factory.wall())

    def go(self, reason: str) -> None:
        """Leave the chat, and close once the peer has what it is owed."""
        if self.member is not None:
            self.factory.hub.leave(self.member, reason, self.factory.wall())
        self._closing = True

    def readConnectionLost(self) -> None:
        """The peer has nothing more to say (`nc -N`): it gets what it is owed, and goes."""
        factory = self.factory
        self._is_read_out = factory.turn_is_long
        if self._is_read_out:
            self._queue()
        elif self.connected:
            began = factory.seconds()
            self.go("")
            factory.spend(factory.seconds() - began)

    def writeConnectionLost(self) -> None:
        """The connection is as good as lost; `connectionLost` follows."""

    def apply(self, limits: Limits) -> None:
        """Hold this connection to other limits from now on."""
        self.framer.line_bytes = limits.line_bytes
        self._outbox.limit = limits.outbox_bytes
        self._bucket = self._new_bucket(limits)

    def _new_bucket(self, limits: Limits) -> TokenBucket | None:
        return None if limits.lines is None else TokenBucket(limits.lines, self.factory.seconds())

    def check_idle(self, now: float, most: int) -> None:
        """Close a connection that has sent no whole line for `most` seconds."""
        if now - self._heard >= most and not self._lines and not self._closing:
            self.tell(f"You said nothing for {duration(most)}. Connect again when you like.")
            self.go("idle")

    # Out

    def _skipped(self, number: int) -> bytes:
        return self.server_line(f"{plural(number, 'line')} skipped ({self.looks_back} shows them)")

    def close(self) -> None:
        """Pass on what the peer is owed, and close; it has a few seconds to take it. Twice does
        no harm."""
        if self.connected and self._abort is None:
            self._closing = True
            self._abort_soon()
            if self._resume is not None:
                self._resume.cancel()
            if self._paused:
                self.transport.resumeProducing()
            self._outbox.close()
            self._lose()

    def _lose(self) -> None:
        """Lose the connection once the peer has all that it is owed, and meanwhile throw away
        what it says. TCP resets a connection that is closed with something unread, or that
        something still comes for, and what was on its way is lost (RFC 2525, section 2.17)."""
        if self._outbox.delivered:
            self.transport.loseConnection()
        else:
            self._resume = self.factory.reactor.callLater(_DELIVERY_SECONDS, self._lose)

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
        """The end, whoever brought it: the member leaves, and nothing of it is left."""
        for timer in (self._abort, self._resume):
            if timer is not None and timer.active():
                timer.cancel()
        # Nothing is left to wait for the garbage collector: not the timers, which hold this
        # connection, nor what its transport still holds, nor its member, whose door this is.
        self._abort = self._resume = self.transport = None
        self.connected = 0
        self._closing = True
        hub = self.factory.hub
        if self._admitted:
            hub.admission.release(self.address)
        if self.member is not None:
            self._outbox.stopProducing()
            why = "" if reason.check(ConnectionDone) else "connection lost"
            hub.leave(self.member, why, self.factory.wall(), gone=True)
            self.factory.log.info(
                "{nick} disconnected{why} ({here} here)",
                nick=self.member.nick,
                why=f": {why}" if why else "",
                here=len(hub.members),
            )
            self.member = None
        self.factory.lost()
