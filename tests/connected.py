"""A chat and its peers, in memory or on real sockets, with a reactor that the test turns."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from select import select
from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.internet.posixbase import _DisconnectSelectableMixin
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, LogLevel, formatEvent
from twisted.python.failure import Failure

from chatroom.hub import Hub
from chatroom.limits import Limits
from chatroom.member import Member
from chatroom.protocols.line import ChatFactory, ChatProtocol

__all__ = ["UNLIMITED", "Chat", "Kernel", "Peer", "Reactor", "behind", "owes", "texts", "two"]

UNLIMITED = Limits(lines=None, joins=None, nick_changes=None)


class Kernel:
    """A socket of which only the sending side matters. It takes `room` bytes, then none."""

    family = socket.AF_INET

    def __init__(self, room: float = 0) -> None:
        self.room = room
        self.error: OSError | None = None
        self.taken = b""
        self.sends = 0
        self.closed = False

    def send(self, data: bytes | memoryview) -> int:
        self.sends += 1
        if self.error is not None:
            raise self.error
        number = int(min(self.room, len(data)))
        if data and not number:
            raise BlockingIOError(errno.EAGAIN, "would block")
        self.room -= number
        self.taken += bytes(data[:number])
        return number

    def fileno(self) -> int:
        return -1

    def setblocking(self, blocking: bool) -> None:
        assert not blocking

    def setsockopt(self, *option: object) -> None:
        pass

    def shutdown(self, how: int) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class Reactor(_DisconnectSelectableMixin, Clock):
    """A clock, and the transports that wait to read or to write. `told` counts how often they
    said so, which costs a real reactor a system call each."""

    _disconnect: Any = _DisconnectSelectableMixin._disconnectSelectable

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()
        self.told = 0

    def addReader(self, reader: Any) -> None:
        self.told += 1
        self.readers.add(reader)

    def addWriter(self, writer: Any) -> None:
        self.told += 1
        self.writers.add(writer)

    def removeReader(self, reader: Any) -> None:
        self.told += 1
        self.readers.discard(reader)

    def removeWriter(self, writer: Any) -> None:
        self.told += 1
        self.writers.discard(writer)

    def turn(self, wait: float = 0.0) -> bool:
        """Run what is due, then let transports read and write; whether any could, within the
        seconds of `wait`."""
        self.advance(0)
        readable, writable, _ = select(list(self.readers), list(self.writers), [], wait)
        for transport in readable:
            if transport in self.readers and (why := transport.doRead()):
                self._disconnect(transport, why, True)
        for transport in writable:
            if transport in self.writers and (why := transport.doWrite()):
                self._disconnect(transport, why, False)
        return bool(readable or writable)

    def settle(self) -> None:
        """Turn until nothing happens any more."""
        while self.turn(0.002):
            pass
        self.advance(0)


class Chat:
    """A hub and the factory that serves it."""

    def __init__(self, limits: Limits = UNLIMITED, **settings: Any) -> None:
        self.reactor = Reactor()
        self.hub = Hub(limits=limits, **settings)
        self.factory = ChatFactory(self.hub, reactor=self.reactor, wall=self.reactor.seconds)

    def turn(self) -> None:
        self.reactor.advance(0)

    def pass_by(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, a step at a time."""
        self.reactor.pump([step] * int(seconds / step))
        self.reactor.advance(seconds % step)

    def peer(self, nick: str = "", host: str = "192.0.2.1") -> Peer:
        """One more peer, greeted, and called `nick` if that is not empty."""
        peer = Peer(self, host)
        if nick:
            peer.send(f"/nick {nick}\n")
        self.turn()
        peer.read()
        return peer

    @property
    def timers(self) -> int:
        """Delayed calls, the sweep's not counted."""
        calls: list[Any] = list(self.reactor.getDelayedCalls())
        return sum(call.func != self.factory._sweep for call in calls)


class Peer:
    """A peer in memory: what it sends is read at once, even while reading is paused."""

    def __init__(self, chat: Chat, host: str = "192.0.2.1") -> None:
        kind = IPv6Address if ":" in host else IPv4Address
        self.chat = chat
        self.transport: Any = StringTransport(peerAddress=kind("TCP", host, 49152))
        self.protocol: ChatProtocol = cast(Any, chat.factory.buildProtocol(None))
        cast(Any, self.protocol).makeConnection(self.transport)

    @property
    def member(self) -> Member:
        assert self.protocol.member is not None
        return self.protocol.member

    @property
    def paused(self) -> bool:
        return bool(self.transport.producerState == "paused")

    @property
    def closing(self) -> bool:
        return bool(self.transport.disconnecting)

    @property
    def aborted(self) -> bool:
        return bool(self.transport.disconnected)

    def send(self, data: str | bytes) -> None:
        self.protocol.dataReceived(data.encode() if isinstance(data, str) else data)

    def says(self, *lines: str) -> None:
        """The lines, and the turn's end."""
        self.send("".join(f"{line}\n" for line in lines))
        self.chat.turn()

    def read(self) -> list[str]:
        """The lines that it got since the last time."""
        written: bytes = self.transport.value()
        *lines, rest = written.decode("utf-8").split("\r\n")
        assert not rest, "the last line has no end"
        self.transport.clear()
        return lines

    def lose(self, reason: Exception | None = None) -> None:
        if self.transport.producer is not None:
            self.transport.producer.stopProducing()
        self.protocol.connectionLost(Failure(reason or ConnectionDone()))


def two(limits: Limits = UNLIMITED, **settings: Any) -> tuple[Chat, Peer, Peer]:
    """A chat in which alice and bob are."""
    chat = Chat(limits, **settings)
    alice, bob = chat.peer("alice"), chat.peer("bob")
    alice.read()
    return chat, alice, bob


def behind(peer: Peer) -> None:
    """Its transport says that it has enough."""
    producer = peer.transport.producer
    assert producer is not None
    producer.pauseProducing()


def owes(peer: Peer, data: bytes) -> None:
    """Its transport still holds this for it."""
    peer.transport.dataBuffer, peer.transport.offset, peer.transport._tempDataLen = data, 0, 0


def texts(events: Sequence[LogEvent], level: Any = LogLevel.info) -> list[str]:
    """What was logged at this level."""
    return [formatEvent(event) for event in events if event["log_level"] == level]
