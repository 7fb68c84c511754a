"""The line protocol on real connections: TCP, UNIX sockets, TLS, and behind a proxy."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import tcp, unix
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.protocols.tls import TLSMemoryBIOFactory

from chatroom.limits import Rate
from chatroom.protocols import sockets
from chatroom.protocols.proxied import ProxiedFactory
from chatroom.protocols.sockets import tune
from tests.connected import UNLIMITED, Chat
from tests.daemon import certificate

SLOW = replace(UNLIMITED, lines=Rate(3, 2))


class Client:
    """One end of a connection to the chat."""

    def __init__(self, chat: Chat, connected: socket.socket) -> None:
        self.chat = chat
        self.socket = connected
        connected.setblocking(False)
        self.ended = False
        self.unread = b""

    def send(self, data: str) -> None:
        self.socket.sendall(data.encode())
        self.chat.reactor.settle()

    def end(self) -> None:
        """Say that there is nothing more to come (`nc -N`)."""
        self.socket.shutdown(socket.SHUT_WR)
        self.chat.reactor.settle()

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.chat.reactor.settle()

    def receive(self) -> bytes:
        """What there is to be received now."""
        self.chat.reactor.settle()
        received = b""
        while not self.ended:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                break
            self.ended = not data
            received += data
        return received

    def read(self, least: int = 0) -> list[str]:
        """The lines that have come, so many at least."""
        deadline = time.monotonic() + 10
        lines: list[bytes] = []
        while True:
            *more, self.unread = (self.unread + self.receive()).split(b"\r\n")
            lines += more
            if len(lines) >= least:
                return [line.decode() for line in lines]
            assert time.monotonic() < deadline, lines[-5:]

    def read_to_end(self) -> list[str]:
        """All lines until the chat ends its side; its clock runs meanwhile."""
        lines: list[str] = []
        deadline = time.monotonic() + 10
        while not self.ended:
            lines += self.read()
            self.chat.reactor.advance(0.05)
            assert time.monotonic() < deadline, lines[-5:]
        return lines


class TLSClient(Client):
    def __init__(self, chat: Chat, connected: socket.socket) -> None:
        super().__init__(chat, connected)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)
        shaken = False
        while not shaken:
            try:
                self.tls.do_handshake()
                shaken = True
            except ssl.SSLWantReadError:
                pass
            self.flow()

    def flow(self) -> None:
        self.socket.sendall(self.outgoing.read())
        self.incoming.write(Client.receive(self))

    def send(self, data: str) -> None:
        self.tls.write(data.encode())
        self.flow()

    def receive(self) -> bytes:
        self.flow()
        received = b""
        while True:
            try:
                data = self.tls.read(65536)
            except ssl.SSLWantReadError:
                return received
            if not data:
                self.ended = True
                return received
            received += data


class Site:
    """A chat that listens, and its clients."""

    def __init__(self, chat: Chat, port: Any) -> None:
        self.chat = chat
        self.port = port
        self.sockets: list[socket.socket] = []
        port.startListening()

    def connect(self, receives: int | None = None) -> socket.socket:
        host = self.port.getHost()
        family, address = (
            (socket.AF_INET, (host.host, host.port))
            if not isinstance(self.port, unix.Port)
            else (socket.AF_UNIX, host.name)
        )
        client = socket.socket(family)
        if receives is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        client.connect(address)
        self.sockets.append(client)
        return client

    def client(self, nick: str, kind: type[Client] = Client) -> Client:
        """One that is greeted and has its nick."""
        client = kind(self.chat, self.connect())
        client.send(f"/nick {nick}\n")
        while client.read(1)[-1] != f"-- You are {nick} now.":
            pass
        return client

    @property
    def transports(self) -> list[Any]:
        return [transport for transport in self.chat.reactor.readers if transport is not self.port]

    def close(self) -> None:
        for client in self.sockets:
            client.close()
        self.chat.reactor.settle()
        self.port.stopListening()
        self.chat.reactor.settle()


def listening(chat: Chat, factory: Any = None) -> Site:
    served = factory or chat.factory
    return Site(chat, tcp.Port(0, served, interface="127.0.0.1", reactor=chat.reactor))


@pytest.fixture
def site() -> Iterator[Site]:
    here = listening(Chat())
    yield here
    here.close()


@pytest.fixture
def slow_site() -> Iterator[Site]:
    here = listening(Chat(SLOW))
    yield here
    here.close()


# TCP


def test_two_talk_over_tcp_by_direct_sends(site: Site) -> None:
    alice, bob = site.client("alice"), site.client("bob")
    told = site.chat.reactor.told
    alice.send("hi\n")
    assert bob.read(1) == ["<alice> hi"]
    assert site.chat.reactor.told == told, "the reactor has nothing to do with it"


@pytest.mark.parametrize("inherited", [False, True])
def test_every_connection_has_keepalive_and_no_delay(
    site: Site, inherited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its own, or on Linux from its port."""
    if inherited:
        tune(site.port)
        monkeypatch.setattr(sockets, "_TCP_OPTIONS", {"TCP_NOTSENT_LOWAT": 65536})
    site.client("alice")
    (transport,) = site.transports
    assert transport.getTcpNoDelay()
    assert transport.getTcpKeepAlive()
    options = {
        name: transport.socket.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
        for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        if hasattr(socket, name)
    }
    if inherited and sys.platform != "linux":
        return
    assert options.get("TCP_KEEPIDLE", 60) + 5 * options.get("TCP_KEEPINTVL", 15) <= 150
    assert options.get("TCP_KEEPCNT", 5) == 5
    assert options.get("TCP_USER_TIMEOUT", 120_000) <= 150_000


def test_who_ends_its_side_gets_the_answers_and_then_the_end(site: Site) -> None:
    bob = site.client("bob")
    alice = Client(site.chat, site.connect())
    alice.socket.sendall(b"/nick alice\nhi\n/version\n")
    alice.end()
    *_, version = alice.read_to_end()
    assert version.startswith("-- chatroom ")
    assert bob.read(4)[-2:] == ["<alice> hi", "-- alice left (1 here)"]
    assert len(site.transports) == 1


def test_the_end_of_one_that_is_too_fast_comes_after_its_lines(slow_site: Site) -> None:
    chat = slow_site.chat
    bob, alice = slow_site.client("bob"), slow_site.client("alice")
    chat.reactor.advance(10)
    alice.socket.sendall(b"1\n2\n3\n4\n5\n6\n")
    alice.end()
    assert bob.read(5)[-3:] == ["<alice> 1", "<alice> 2", "<alice> 3"]
    for number in (4, 5, 6):
        assert bob.read() == []
        chat.reactor.advance(0.5)
        assert bob.read(1)[0] == f"<alice> {number}"
    assert alice.read_to_end() == []
    assert list(chat.hub.members) == ["bob"]


def test_one_that_is_gone_does_not_speak_on_for_hours(slow_site: Site) -> None:
    chat = slow_site.chat
    bob, alice = slow_site.client("bob"), slow_site.client("alice")
    chat.reactor.advance(10)
    alice.send("".join(f"{number}\n" for number in range(1000)))
    alice.reset()
    heard = bob.read(5)[2:]
    assert heard == ["<alice> 0", "<alice> 1", "<alice> 2"]
    while heard[-1].startswith("<alice>"):
        assert len(heard) < 20
        chat.reactor.advance(0.5)
        bob.send("anyone?\n")
        heard += bob.read(1)
    assert heard[-1] == "-- alice left: connection lost (1 here)"
    assert not chat.timers


def test_a_paste_larger_than_a_read_arrives_whole(site: Site) -> None:
    alice, bob = site.client("alice"), site.client("bob")
    lines = [f"{number} {'x' * 100}" for number in range(2000)]
    heard: list[str] = []
    for start in range(0, len(lines), 500):
        alice.send("".join(f"{line}\n" for line in lines[start : start + 500]))
        heard += bob.read(500)
    assert heard == [f"<alice> {line}" for line in lines]


def test_a_reset_costs_nobody_else_a_line(site: Site) -> None:
    alice, bob, eve = site.client("alice"), site.client("bob"), site.client("eve")
    bob.read(2)
    eve.reset()
    assert bob.read(1)[0].startswith("-- eve left")
    alice.send("hi\n")
    assert bob.read(1) == ["<alice> hi"]


def test_one_that_never_reads_is_dropped_and_the_rest_lose_nothing() -> None:
    chat = Chat(replace(UNLIMITED, outbox_bytes=50_000, stall_seconds=5))
    here = listening(chat)
    alice, bob = here.client("alice"), here.client("bob")
    here.connect(receives=2048)
    heard: list[str] = []
    with capturedLogs() as events:
        for second in range(200):
            batch = [f"{second}.{number} {'x' * 900}" for number in range(40)]
            alice.send("".join(f"{line}\n" for line in batch))
            heard = bob.read(40)
            said = [line for line in heard if line.startswith("<alice>")]
            assert said == [f"<alice> {line}" for line in batch]
            assert sum(outbox._kept_bytes for outbox in chat.factory.behind) <= 50_000
            chat.reactor.advance(1)
            if len(chat.hub.members) == 2:
                break
    (last,) = bob.read(1)
    assert last.endswith("left: not reading (2 here)")
    warnings = [formatEvent(event) for event in events if event["log_level"] == LogLevel.warn]
    assert warnings == [f"{last.split()[1]} reads nothing, dropped"]
    assert len(here.transports) == 2
    assert not chat.factory.behind
    here.close()


def test_stopping_flushes_and_ends_every_connection(site: Site) -> None:
    clients = [site.client(nick) for nick in ("alice", "bob", "eve")]
    done: list[object] = []
    site.chat.factory.close("The server is stopping. Goodbye.", 10).addCallback(done.append)
    for client in clients:
        assert "-- The server is stopping. Goodbye." in client.read_to_end()
    assert done == [None]
    assert not site.chat.reactor.getDelayedCalls()


def test_the_refused_read_why(site: Site) -> None:
    site.client("alice")
    site.chat.hub.apply(replace(UNLIMITED, connections=1))
    late = Client(site.chat, site.connect())
    (why,) = late.read_to_end()
    assert why.startswith("-- The server is full")


# UNIX sockets


def test_two_talk_over_a_unix_socket(tmp_path: Path) -> None:
    chat = Chat()
    path = str(tmp_path / "chat.sock")
    with capturedLogs() as events:
        here = Site(chat, unix.Port(path.encode(), chat.factory, reactor=chat.reactor))
        alice, bob = here.client("alice"), here.client("bob")
        alice.send("hi\n")
        assert bob.read(1) == ["<alice> hi"]
        alice.socket.sendall(b"/version\n")
        alice.end()
        assert alice.read_to_end()[-1].startswith("-- chatroom ")
        assert bob.read(1) == ["-- alice left (1 here)"]
    assert any(
        formatEvent(event).endswith("connected from a UNIX socket (1 here)") for event in events
    )
    here.close()
    assert chat.hub.admission.connected == 0


def test_one_that_never_reads_a_unix_socket_is_dropped(tmp_path: Path) -> None:
    chat = Chat(replace(UNLIMITED, outbox_bytes=50_000, stall_seconds=5))
    path = str(tmp_path / "chat.sock")
    here = Site(chat, unix.Port(path.encode(), chat.factory, reactor=chat.reactor))
    alice = here.client("alice")
    here.connect()
    alice.read(1)
    for _ in range(100):
        alice.send(f"{'x' * 900}\n" * 100)
        chat.reactor.advance(1)
        if len(chat.hub.members) == 1:
            break
    assert alice.read(1)[-1].endswith("left: not reading (1 here)")
    here.close()
    assert not chat.factory.behind


# TLS


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


def secure(chat: Chat, pem: Path) -> Site:
    context = DefaultOpenSSLContextFactory(str(pem), str(pem))
    return listening(chat, TLSMemoryBIOFactory(context, False, chat.factory, chat.reactor))


def test_two_talk_over_tls(pem: Path) -> None:
    chat = Chat()
    here = secure(chat, pem)
    alice, bob = here.client("alice", TLSClient), here.client("bob", TLSClient)
    alice.send("hi\n")
    assert bob.read(1) == ["<alice> hi"]
    assert all(transport.getTcpKeepAlive() for transport in here.transports)
    alice.send("/quit\n")
    assert alice.read_to_end()[-1] == "-- Bye."
    assert bob.read(1) == ["-- alice left (1 here)"]
    here.close()
    assert not chat.hub.members


def test_over_tls_too_what_is_too_fast_waits_and_nothing_is_lost(pem: Path) -> None:
    """A read brings several records, which are all delivered though reading was paused."""
    chat = Chat(SLOW)
    here = secure(chat, pem)
    alice, bob = here.client("alice", TLSClient), here.client("bob", TLSClient)
    assert isinstance(alice, TLSClient)
    chat.reactor.advance(10)
    for number in range(1, 11):
        alice.tls.write(f"{number}\n".encode())
    alice.flow()
    heard = bob.read(3)
    for _ in range(7):
        chat.reactor.advance(0.5)
        heard += bob.read(1)
    assert heard == [f"<alice> {number}" for number in range(1, 11)]
    here.close()


def test_a_slow_reader_over_tls_is_told_what_it_missed(pem: Path) -> None:
    chat = Chat(replace(UNLIMITED, outbox_bytes=20_000))
    here = secure(chat, pem)
    alice = here.client("alice", TLSClient)
    bob = TLSClient(chat, here.connect(receives=2048))
    bob.read(3)
    number = 0
    while not any(outbox._skipped for outbox in chat.factory.behind):
        alice.send("".join(f"{number + each} {'x' * 900}\n" for each in range(1, 101)))
        number += 100
    told, said = 0, 0
    while told + said < number:
        for line in bob.read(1):
            if line.startswith("<alice> "):
                said += 1
                assert line.startswith(f"<alice> {told + said} x")
            else:
                told += int(line.split()[1])
    assert told
    here.close()


def test_one_that_never_shakes_hands_is_dropped_and_leaves_nothing(pem: Path) -> None:
    chat = Chat()
    here = secure(chat, pem)
    here.connect()
    while not chat.hub.members:
        chat.reactor.settle()
    for _ in range(40):
        chat.reactor.advance(1)
        chat.reactor.settle()
    assert not here.transports
    assert not chat.hub.members
    assert not chat.reactor.getDelayedCalls()
    here.close()


def test_a_tls_peer_that_is_gone_before_its_door_is_closed_raises_nothing(
    pem: Path,
) -> None:
    """The turn that tells it goodbye ends after the connection did."""
    chat = Chat()
    here = secure(chat, pem)
    alice, bob = here.client("alice", TLSClient), here.client("bob", TLSClient)
    door = chat.hub.members["alice"].door
    chat.hub.leave(chat.hub.members["alice"], "", 0.0)
    alice.reset()
    door.close()
    chat.pass_by(60)
    assert bob.read(1) == ["-- alice left (1 here)"]
    here.close()
    assert not chat.reactor.getDelayedCalls()


def test_one_that_quits_over_tls_while_it_is_behind_is_forgotten(pem: Path) -> None:
    chat = Chat()
    here = secure(chat, pem)
    alice = here.client("alice", TLSClient)
    bob = TLSClient(chat, here.connect(receives=2048))
    while not chat.factory.behind:
        alice.send(f"{'x' * 900}\n" * 100)
    bob.tls.write(b"/quit\n")
    bob.socket.sendall(bob.outgoing.read())
    for _ in range(60):
        chat.reactor.settle()
        chat.reactor.advance(1)
    assert list(chat.hub.members) == ["alice"]
    assert len(here.transports) == 1
    assert not chat.factory.behind
    here.close()


# Behind a proxy


HEADER = b"PROXY TCP4 192.0.2.77 192.0.2.1 40000 8000\r\n"


def proxied(chat: Chat) -> Site:
    return listening(chat, ProxiedFactory(chat.factory, chat.reactor))


def test_who_ends_its_side_behind_a_proxy_gets_the_answers_too() -> None:
    chat = Chat()
    here = proxied(chat)
    client = Client(chat, here.connect())
    client.socket.sendall(HEADER + b"/nick alice\n/version\n")
    client.end()
    assert client.read_to_end()[-1].startswith("-- chatroom ")
    here.close()
    assert not chat.hub.members


@pytest.mark.parametrize("sent", [b"", HEADER[:20]])
def test_one_that_ends_its_side_before_its_header_is_whole_is_let_go(sent: bytes) -> None:
    chat = Chat()
    here = proxied(chat)
    client = Client(chat, here.connect())
    client.socket.sendall(sent)
    client.end()
    assert client.read_to_end() == []
    chat.reactor.settle()
    assert not here.transports
    assert not chat.reactor.getDelayedCalls()
    here.close()
