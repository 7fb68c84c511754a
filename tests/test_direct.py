"""chatroom.protocols.direct: past Twisted's buffers, and never past what waits in them."""

from __future__ import annotations

import errno
import re
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import tcp, unix
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.internet.testing import StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from chatroom.protocols.direct import direct_send
from chatroom.protocols.outbox import Outbox
from tests.connected import Kernel, Reactor
from tests.daemon import certificate


def server(kernel: Any, protocol: Any, reactor: Any = None) -> Any:
    """A plain TCP connection's transport."""
    return tcp.Server(kernel, protocol, ("127.0.0.1", 1), None, 0, reactor or Reactor())  # type: ignore[arg-type]


def plain() -> Any:
    return server(Kernel(), Protocol())


def not_connected() -> Any:
    transport = plain()
    transport.connected = 0
    return transport


def starting_tls() -> Any:
    transport = plain()
    transport.TLS = True
    return transport


def of_another_class() -> Any:
    transport = plain()
    transport.__class__ = type("Server", (tcp.Server,), {})
    return transport


def over_a_unix_socket() -> Any:
    return unix.Server(Kernel(), Protocol(), b"", None, 0, Reactor())


def wrapped() -> Any:
    wrapper = ProtocolWrapper(WrappingFactory(Factory()), Protocol())
    wrapper.makeConnection(plain())
    return wrapper


OTHERS = [not_connected, starting_tls, of_another_class, over_a_unix_socket, wrapped]


def test_the_direct_send_of_a_plain_connection_is_the_sockets_own() -> None:
    transport = plain()
    assert direct_send(transport) == transport.socket.send


@pytest.mark.parametrize("other", [*OTHERS, StringTransport])
def test_there_is_no_direct_send_on(other: Callable[[], Any]) -> None:
    assert direct_send(other()) is None


# TLS


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


class TLSPeer:
    """A connection over TLS to a client in memory, with its outbox."""

    def __init__(self, pem: Path, limit: int = 1 << 20) -> None:
        context = DefaultOpenSSLContextFactory(str(pem), str(pem))
        self.reactor = Reactor()
        factory = TLSMemoryBIOFactory(context, False, Factory.forProtocol(Protocol), self.reactor)
        self.tls: Any = factory.buildProtocol(None)
        self.kernel = Kernel(float("inf"))
        self.below = server(self.kernel, self.tls, self.reactor)
        self.tls.makeConnection(self.below)
        self.behind: set[Outbox] = set()
        self.outbox = Outbox(self.tls, limit, self.behind, lambda number: b"", lambda: None)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
        self.client = client.wrap_bio(self.incoming, self.outgoing)
        self.heard = b""

    def shake_hands(self) -> None:
        while not self.tls._handshakeDone:
            self.hear()
            if said := self.outgoing.read():
                self.tls.dataReceived(said)
            self.flow()

    def hear(self) -> None:
        """Read all that has come."""
        self.incoming.write(self.kernel.taken)
        self.kernel.taken = b""
        try:
            while True:
                self.heard += self.client.read(1 << 16)
        except ssl.SSLWantReadError:
            pass

    def drain(self) -> None:
        """The kernel takes what waits for it."""
        while self.kernel.room and self.below in self.reactor.writers:
            self.below.doWrite()

    def flow(self) -> None:
        """The reactor turns until there is nothing left to write."""
        self.reactor.advance(0)
        self.drain()
        self.reactor.advance(0)
        self.hear()


def test_over_tls_bytes_go_to_the_kernel_at_once(pem: Path) -> None:
    peer = TLSPeer(pem)
    peer.outbox.write(b"one\r\n")  # while hands are shaken, which only `write` knows how to do
    peer.shake_hands()
    peer.outbox.check(0.0, 30)
    assert not peer.behind
    told, sends = peer.reactor.told, peer.kernel.sends
    peer.outbox.write(b"two\r\n")
    peer.outbox.write(b"x" * 40_000 + b"\r\n")
    assert peer.reactor.told == told
    assert peer.kernel.sends == sends + 1 + 3
    peer.hear()
    assert peer.heard == b"one\r\ntwo\r\n" + b"x" * 40_000 + b"\r\n"


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ENOBUFS])
def test_what_was_encrypted_is_sent_though_the_kernel_has_no_room(pem: Path, error: int) -> None:
    peer = TLSPeer(pem)
    peer.shake_hands()
    peer.kernel.error = OSError(error, "no room")
    peer.outbox.write(b"one\r\n")
    peer.kernel.error = None
    peer.outbox.write(b"two\r\n")
    assert peer.behind == {peer.outbox}
    peer.flow()
    assert peer.heard == b"one\r\ntwo\r\n"


def test_a_peer_over_tls_that_is_gone_costs_its_writer_nothing(pem: Path) -> None:
    peer = TLSPeer(pem)
    peer.shake_hands()
    peer.kernel.error = ConnectionResetError(errno.ECONNRESET, "gone")
    peer.outbox.write(b"one\r\n")
    assert peer.outbox.closed


def test_over_tls_nothing_is_overtaken_that_waits_in_any_buffer(pem: Path) -> None:
    peer = TLSPeer(pem)
    peer.shake_hands()
    peer.kernel.room = 5000
    peer.tls._write(b"-" * 9000)  # what TLS itself has to say, half of which the kernel takes
    peer.drain()
    peer.kernel.room = float("inf")
    peer.outbox.write(b"one\r\n")
    peer.drain()  # and the first line waits for a turn of the reactor, where TLS keeps lines
    peer.outbox.write(b"two\r\n")
    peer.flow()
    assert peer.heard == b"-" * 9000 + b"one\r\ntwo\r\n"


@given(data=st.data())
def test_over_tls_nothing_is_overtaken_or_lost(pem: Path, data: st.DataObject) -> None:
    peer = TLSPeer(pem, limit=1 << 30)
    written: list[bytes] = []
    said: list[bytes] = []  # by TLS itself, which may overtake what Twisted has not encrypted
    steps = st.sampled_from(["write", "room", "drain", "flow", "check", "TLS writes"])
    shaken = data.draw(st.booleans())
    if shaken:
        peer.shake_hands()
        peer.kernel.room = data.draw(st.integers(0, 50_000))
    for number in range(data.draw(st.integers(1, 12))):
        match data.draw(steps):
            case "write":
                line = b"%d %b\r\n" % (number, b"x" * data.draw(st.integers(0, 70_000)))
                written.append(line[:-2])
                peer.outbox.write(line)
            case "room" if shaken:
                peer.kernel.room += data.draw(st.integers(1, 50_000))
            case "flow" if shaken:
                peer.flow()
            case "check":
                peer.outbox.check(float(number), 1e9)
            case "drain" if shaken:
                peer.drain()
            case "TLS writes" if shaken:  # such as new keys
                said.append(b"[%d TLS]" % number)
                peer.tls._write(said[-1])
    peer.kernel.room = float("inf")
    if not shaken:
        peer.shake_hands()
    peer.flow()
    peer.flow()
    # A line of over 16 KiB is several records, and what TLS says for itself may stand between two.
    assert re.sub(rb"\[\d+ TLS\]", b"", peer.heard).split(b"\r\n")[:-1] == written
    assert re.findall(rb"\[\d+ TLS\]", peer.heard) == said


def test_without_the_insides_that_it_knows_there_is_no_direct_send_over_tls(pem: Path) -> None:
    peer = TLSPeer(pem)
    assert direct_send(peer.tls) is not None
    del peer.tls._aggregator
    assert direct_send(peer.tls) is None


def test_no_tls_is_looked_for_where_none_is_loaded(
    pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = TLSPeer(pem)
    monkeypatch.delitem(sys.modules, "twisted.protocols.tls")
    assert direct_send(peer.tls) is None
