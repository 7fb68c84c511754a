"""chatroom.protocols.proxied: who a peer behind a proxy is, and what was read with the header."""

from __future__ import annotations

import struct
from dataclasses import replace
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.protocols.haproxy._v1parser import V1Parser
from twisted.protocols.haproxy._v2parser import V2Parser
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from chatroom.protocols import proxied as module
from chatroom.protocols.proxied import ProxiedFactory
from tests.connected import UNLIMITED, Chat

PROXY = "198.51.100.1"
PEER = "192.0.2.77"
PEER6 = "2001:db8::77"


def v1(kind: str = "TCP4", peer: str = PEER, rest: str = "192.0.2.1 40000 8000") -> bytes:
    return f"PROXY {kind} {peer} {rest}\r\n".encode()


def v2(peer: str = PEER, command: int = 1, kind: int | None = None, more: bytes = b"") -> bytes:
    family = AF_INET6 if ":" in peer else AF_INET
    address = inet_pton(family, peer)
    body = address * 2 + struct.pack("!HH", 40000, 8000) + more
    kind = kind if kind is not None else (0x21 if family == AF_INET6 else 0x11)
    start = b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20 | command, kind])
    return start + struct.pack("!H", len(body)) + body


HEADERS = {
    "v1 TCP4": (v1(), PEER),
    "v1 TCP6": (v1("TCP6", PEER6, "2001:db8::1 40000 8000"), PEER6),
    "v1 UNKNOWN": (b"PROXY UNKNOWN\r\n", PROXY),
    "v1 UNKNOWN with more": (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", PROXY),
    "v2 TCP4": (v2(), PEER),
    "v2 TCP6": (v2(PEER6), "2001:db8:0:0:0:0:0:77"),
    "v2 with more": (v2(more=b"\x04\0\x05abcd\n"), PEER),
    "v2 with much more": (v2(more=b"\x04\1\x2c" + bytes(300)), PEER),
    "v2 LOCAL": (v2(command=0), PROXY),
    "v2 LOCAL and nothing else": (v2()[:12] + b"\x20\0\0\0", PROXY),
    "v2 UNSPEC": (v2(kind=0), PROXY),
}
ALL = pytest.mark.parametrize(("header", "peer"), HEADERS.values(), ids=HEADERS.keys())


class Connection:
    """A connection from the proxy, in memory."""

    def __init__(self, chat: Chat, factory: ProxiedFactory | None = None) -> None:
        self.chat = chat
        self.factory = factory or ProxiedFactory(chat.factory, chat.reactor)
        self.transport = StringTransport(peerAddress=IPv4Address("TCP", PROXY, 1234))
        self.protocol: Any = self.factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        self.protocol.dataReceived(data)
        self.chat.turn()

    def lose(self, reason: Exception | None = None) -> None:
        self.protocol.connectionLost(Failure(reason or ConnectionDone()))
        self.chat.turn()

    @property
    def addresses(self) -> list[str]:
        return [member.address for member in self.chat.hub.members.values()]

    @property
    def gone(self) -> bool:
        return bool(self.transport.disconnecting)

    def read(self) -> list[str]:
        lines: list[str] = self.transport.value().decode().split("\r\n")[:-1]
        self.transport.clear()
        return lines


def test_twisteds_parsers_agree_on_how_headers_begin() -> None:
    assert module._V1 == V1Parser.PROXYSTR + b" "
    assert module._V2 == V2Parser.PREFIX


# Headers


@ALL
def test_the_peer_is_who_the_proxy_says_it_is(header: bytes, peer: str) -> None:
    connection = Connection(Chat())
    connection.send(header)
    assert connection.addresses == [peer]
    assert connection.read()[0] == "Welcome to this chatroom!"
    assert not connection.chat.timers


@ALL
def test_a_header_may_be_split_anywhere(header: bytes, peer: str) -> None:
    for at in range(len(header) + 1):
        connection = Connection(Chat())
        connection.protocol.dataReceived(header[:at])
        assert connection.addresses == ([] if at < len(header) else [peer])
        connection.send(header[at:])
        assert connection.addresses == [peer]
        assert not connection.gone


@ALL
def test_what_comes_behind_a_header_is_not_lost(header: bytes, peer: str) -> None:
    stream = header + b"/nick alice\nhi\n"
    for size in (1, 7, len(header) + 1, len(stream)):
        chat = Chat()
        bob = chat.peer("bob")
        connection = Connection(chat)
        for start in range(0, len(stream), size):
            connection.protocol.dataReceived(stream[start : start + size])
        chat.turn()
        assert connection.addresses == ["192.0.2.1", peer]
        assert bob.read()[-1] == "<alice> hi"


def test_nobody_is_there_before_the_header_is_whole() -> None:
    chat = Chat()
    connection = Connection(chat)
    connection.send(v1()[:-1])
    assert not chat.hub.members
    assert chat.hub.admission.connected == 0
    assert connection.read() == []


# No header


@pytest.mark.parametrize(
    "junk",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"hello\n",
        b"\n",
        b"\0",
        b"proxy TCP4 192.0.2.77 192.0.2.1 1 2\r\n",
        b"PROXYTCP4 192.0.2.77 192.0.2.1 1 2\r\n",
        b"PROXY " + b"x" * 200,
        b"PROXY \r\n",
        b"PROXY TCP5 192.0.2.77 192.0.2.1 1 2\r\n",
        b"PROXY TCP4\r\n",
        b"PROXY TCP4 192.0.2.77\r\n",
        b"PROXY TCP4 192.0.2.77 192.0.2.1 one two\r\n",
        b"PROXY TCP4 evil\x1b[2J 192.0.2.1 1 2\r\n",
        b"PROXY TCP4 \xff 192.0.2.1 1 2\r\n",
        b"PROXY TCP4 300.0.2.1 192.0.2.1 1 2\r\n",
        b"PROXY TCP6 ::x ::1 1 2\r\n",
        b"PROXY TCP4 {0} 192.0.2.1 1 2\r\n",
        b"\r\n\r\n\0\r\nQUIT\r" + bytes(8),
        v2()[:12] + b"\x31" + v2()[13:],
        v2(command=7),
        v2(kind=0x71),
        v2()[:14] + b"\0\4" + b"abcd",
    ],
)
def test_what_is_no_header_closes_the_connection(junk: bytes) -> None:
    for size in (1, len(junk)):
        connection = Connection(Chat())
        for start in range(0, len(junk), size):
            if not connection.gone:
                connection.send(junk[start : start + size])
        assert connection.gone, size
        assert connection.read() == []
        assert not connection.chat.hub.members
        connection.lose(ConnectionAborted())
        assert not connection.chat.reactor.getDelayedCalls()


@given(
    st.binary(max_size=150)
    | st.builds(lambda body: b"PROXY TCP4 " + body + b"\r\n", st.binary(max_size=80))
    | st.builds(lambda body: v2()[:12] + body, st.binary(max_size=80)),
    st.integers(1, 150),
)
def test_nothing_that_comes_first_raises(stream: bytes, size: int) -> None:
    connection = Connection(Chat())
    for start in range(0, len(stream), size):
        if not connection.gone:
            connection.send(stream[start : start + size])
    connection.lose()
    connection.chat.pass_by(1)
    assert not connection.chat.reactor.getDelayedCalls()


@pytest.mark.parametrize("sent", [b"", b"PROXY", v1()[:-1], v2()[:-1]])
def test_without_a_whole_header_the_connection_ends_after_ten_seconds(sent: bytes) -> None:
    connection = Connection(Chat())
    if sent:
        connection.send(sent)
    connection.chat.reactor.advance(9.99)
    assert not connection.transport.disconnected
    connection.chat.reactor.advance(0.01)
    assert connection.transport.disconnected
    connection.lose(ConnectionAborted())
    assert not connection.chat.reactor.getDelayedCalls()


def test_after_its_header_a_connection_may_last() -> None:
    connection = Connection(Chat())
    connection.send(v1())
    connection.chat.pass_by(60)
    assert not connection.gone


def test_a_header_without_an_end_is_not_held_for_long() -> None:
    connection = Connection(Chat())
    connection.send(b"PROXY " + b"x" * 100)
    assert not connection.gone
    connection.send(b"x")
    assert connection.gone


def test_a_thousand_that_come_and_go_leave_nothing() -> None:
    chat = Chat()
    factory = ProxiedFactory(chat.factory, chat.reactor)
    connections = [Connection(chat, factory) for _ in range(1000)]
    assert chat.timers == 1000
    for number, connection in enumerate(connections):
        if number % 2:
            connection.send(v1())
        connection.lose()
    chat.pass_by(1)
    assert not chat.reactor.getDelayedCalls()
    assert not factory.protocols
    assert not chat.hub.members
    assert chat.hub.admission.connected == 0


# What is behind knows the peer by its own address


def test_the_limit_for_an_address_is_for_the_peers_and_not_the_proxys() -> None:
    chat = Chat(replace(UNLIMITED, connections_per_address=1))
    connections = [Connection(chat) for _ in range(3)]
    for connection, peer in zip(connections, [PEER, "192.0.2.78", PEER], strict=True):
        connection.send(v1(peer=peer))
    first, second, third = connections
    assert not first.gone
    assert not second.gone
    assert third.gone
    assert third.read() == [f"-- Too many connections from {PEER} (1 may be). Close one first."]
    third.send(b"hi\n")
    first.lose()
    again = Connection(chat)
    again.send(v1())
    assert not again.gone


def test_the_log_and_the_room_know_the_peers_address() -> None:
    chat = Chat(guests_by_address=True)
    bob = chat.peer("bob")
    with capturedLogs() as events:
        connection = Connection(chat)
        connection.send(v1() + b"hi\n")
    assert formatEvent(events[0]).endswith(f"connected from {PEER}:40000 (2 here)")
    assert bob.read() == [f"-- {PEER} joined (2 here)", f"<{PEER}> hi"]


# The end


def test_who_has_nothing_more_to_say_gets_what_it_is_owed() -> None:
    chat = Chat()
    connection = Connection(chat)
    assert verifyObject(IHalfCloseableProtocol, connection.protocol)
    connection.protocol.dataReceived(v1() + b"/version\n")
    connection.protocol.readConnectionLost()
    assert not connection.gone
    chat.turn()
    assert connection.gone
    assert connection.read()[-1].startswith("-- chatroom ")
    connection.protocol.writeConnectionLost()
    connection.lose()
    chat.pass_by(1)
    assert not chat.reactor.getDelayedCalls()


def test_who_ends_before_its_header_is_whole_is_let_go() -> None:
    connection = Connection(Chat())
    connection.send(v1()[:10])
    connection.protocol.readConnectionLost()
    assert connection.gone
    connection.lose()
    assert not connection.chat.reactor.getDelayedCalls()


def test_a_protocol_that_knows_no_half_closing_is_closed() -> None:
    class Plain(Protocol):
        pass

    chat = Chat()
    connection = Connection(chat, ProxiedFactory(Factory.forProtocol(Plain), chat.reactor))
    connection.send(v1())
    assert isinstance(connection.protocol.wrappedProtocol, Plain)
    connection.protocol.readConnectionLost()
    assert connection.gone


def test_a_lost_connection_is_told_to_what_is_behind_if_it_ever_was() -> None:
    chat = Chat()
    bob = chat.peer("bob")
    unknown, known = Connection(chat), Connection(chat)
    known.send(v1() + b"/nick alice\n")
    bob.read()
    unknown.lose()
    assert bob.read() == []
    known.lose(ConnectionAborted())
    assert bob.read() == ["-- alice left: connection lost (1 here)"]
