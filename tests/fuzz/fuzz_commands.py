"""A daemon's whole way of a line, in memory: one peer sends anything, another one watches.

The first byte is the size of the pieces that the rest arrives in.
"""

from __future__ import annotations

import re

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from chatroom.hub import Hub
from chatroom.protocols.line import ChatFactory, ChatProtocol

NICK = r"[A-Za-z\[\]\\`_^{|}][-A-Za-z0-9\[\]\\`_^{|}]{0,31}"
LINE = re.compile(
    r"\a?"
    r"(?:\[(?:\d{4}-\d\d-\d\d )?\d\d:\d\d\] )?"
    r"(?:\[#[A-Za-z0-9_.+-]{1,63}\] )?"
    rf"(?:<(?P<said>{NICK})> |\* (?P<acted>{NICK}) |\[(?P<told>{NICK}) -> you\] "
    rf"|\[you -> {NICK}\] |-- )"
    r"[^\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*"
)
"""A line of the daemon's: a prefix of its own, then text with nothing to obey in it."""


def one_input(data: bytes) -> None:
    if not data:
        return
    clock = Clock()
    hub = Hub()
    factory = ChatFactory(hub, reactor=clock, wall=clock.seconds)
    watcher, watching = connected(factory)
    watcher.dataReceived(b"/nick watcher\r\n")
    clock.advance(0)
    sender, sending = connected(factory)
    feed(sender, sending, clock, data[1:], data[0] or 256)
    clock.advance(0)
    lost(sender)
    clock.advance(0)
    assert list(hub.members) == ["watcher"]
    assert list(hub.rooms) == ["#lobby"]
    lost(watcher)
    clock.pump([1.0, 1.0])
    assert not clock.getDelayedCalls()
    speakers(sending)
    assert "watcher" not in speakers(watching), "somebody else spoke as the watcher"


def connected(factory: ChatFactory) -> tuple[ChatProtocol, StringTransport]:
    protocol = factory.buildProtocol(None)
    assert isinstance(protocol, ChatProtocol)
    transport = StringTransport()
    protocol.makeConnection(transport)
    return protocol, transport


def feed(
    protocol: ChatProtocol, transport: StringTransport, clock: Clock, stream: bytes, size: int
) -> None:
    """As a socket does: in pieces, and none while reading is paused or the end has begun."""
    for start in range(0, len(stream), size):
        wait(transport, clock)
        if transport.disconnecting:
            return
        protocol.dataReceived(stream[start : start + size])
        clock.advance(0)
    wait(transport, clock)


def wait(transport: StringTransport, clock: Clock) -> None:
    for _ in range(10_000):
        if transport.disconnecting or transport.producerState == "producing":
            return
        clock.advance(1)
    raise AssertionError("reading never goes on")


def lost(protocol: ChatProtocol) -> None:
    protocol.connectionLost(Failure(ConnectionDone()))


def speakers(transport: StringTransport) -> set[str]:
    """The folded nicks that the peer was shown as speaking; checks all that it was shown."""
    *lines, rest = transport.value().decode("utf-8").split("\r\n")
    assert not rest
    assert lines.pop(0).endswith("Welcome to this chatroom!")
    found: set[str] = set()
    for line in lines:
        match = LINE.fullmatch(line)
        assert match, ascii(line)
        found |= {nick.lower() for nick in match.groups() if nick}
    return found
