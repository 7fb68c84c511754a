"""chatroom.protocols.outbox: nothing is reordered, and no peer costs more than its bounds.

The transports here are Twisted's own; only the reactor is stood in for, and mostly the kernel.
"""

from __future__ import annotations

import errno
import re
import socket
import struct
from collections.abc import Callable, Iterator
from itertools import count
from select import select
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import tcp
from twisted.internet.interfaces import IPushProducer
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from chatroom.protocols import outbox as module
from chatroom.protocols.outbox import Outbox
from tests.connected import Kernel, Reactor
from tests.test_direct import of_another_class, over_a_unix_socket, plain, wrapped

LIMIT = 1000
STALL = 30


class Peer:
    """A plain TCP connection, and its outbox."""

    def __init__(self, room: float = 0, limit: int | None = LIMIT) -> None:
        self.reactor = Reactor()
        self.kernel = Kernel(room)
        self.transport: Any = tcp.Server(
            self.kernel,  # type: ignore[arg-type]
            Protocol(),
            ("127.0.0.1", 1),
            None,  # type: ignore[arg-type]
            0,
            self.reactor,  # type: ignore[arg-type]
        )
        self.behind: set[Outbox] = set()
        self.given_up: list[Outbox] = []
        self.outbox = Outbox(self.transport, limit, self.behind, skipped_line, self._give_up)

    def _give_up(self) -> None:
        self.given_up.append(self.outbox)

    def takes(self, room: float) -> None:
        """The kernel has room for so many bytes more, and the reactor notices."""
        self.kernel.room += room
        while self.kernel.room and self.transport in self.reactor.writers:
            self.ready()

    def ready(self) -> None:
        """The reactor sees that the socket can be written to."""
        why = self.transport.doWrite()
        if why is not None:
            self.reactor.removeWriter(self.transport)
            self.transport.connectionLost(Failure(why))

    def check(self, *times: float) -> None:
        for now in times:
            for outbox in tuple(self.behind):
                outbox.check(now, STALL)

    @property
    def kept(self) -> list[bytes]:
        return list(self.outbox._kept)

    @property
    def taken(self) -> bytes:
        return self.kernel.taken


def skipped_line(number: int) -> bytes:
    return b"-- %d skipped\r\n" % number


def stuck_peer(limit: int | None = LIMIT) -> tuple[Peer, bytes]:
    """One whose transport has had enough, and what that already is."""
    peer = Peer(limit=limit)
    first = b"." * 70_000 + b"\r\n"
    peer.outbox.write(first)
    return peer, first


# What the direct send relies on


def test_twisted_has_what_the_direct_send_relies_on() -> None:
    peer = Peer(room=0)
    transport = peer.transport
    assert type(transport) is tcp.Server
    assert transport.socket.send == peer.kernel.send
    assert (transport.TLS, transport.connected, transport.disconnected) == (False, 1, 0)
    assert (transport.dataBuffer, transport._tempDataBuffer, transport.offset) == (b"", [], 0)
    assert transport._tempDataLen == 0
    transport.write(b"abc")
    assert (transport.dataBuffer, transport._tempDataBuffer) == (b"", [b"abc"])
    assert transport._tempDataLen == 3
    peer.takes(2)
    assert (transport.dataBuffer[transport.offset :], transport._tempDataBuffer) == (b"c", [])
    assert transport._tempDataLen == 0
    peer.takes(1)
    assert (transport.dataBuffer, transport._tempDataBuffer, transport.offset) == (b"", [], 0)


def test_it_is_a_push_producer_of_its_transport() -> None:
    peer = Peer()
    assert verifyObject(IPushProducer, peer.outbox)
    assert peer.transport.producer is peer.outbox
    assert peer.transport.streamingProducer


# Direct sends


def test_what_the_kernel_takes_never_concerns_the_reactor() -> None:
    peer = Peer(room=LIMIT)
    told = peer.reactor.told
    peer.outbox.write(b"one\r\n")
    peer.outbox.write(b"two\r\n")
    assert peer.taken == b"one\r\ntwo\r\n"
    assert peer.kernel.sends == 2
    assert peer.reactor.told == told
    assert not peer.behind


@pytest.mark.parametrize("room", range(6))
def test_what_the_kernel_does_not_take_goes_to_the_transport(room: int) -> None:
    peer = Peer(room=room)
    peer.outbox.write(b"one\r\n")
    peer.outbox.write(b"two\r\n")
    assert peer.taken == b"one\r\n"[:room]
    assert peer.behind == {peer.outbox}
    peer.takes(100)
    assert peer.taken == b"one\r\ntwo\r\n"


def test_whether_something_waits_for_the_peer_is_known_at_once() -> None:
    peer = Peer(room=2)
    assert not peer.outbox.waits
    peer.outbox.write(b"one\r\n")
    assert peer.outbox.waits
    peer.takes(100)
    assert not peer.outbox.waits
    peer.outbox.pauseProducing()
    assert peer.outbox.waits
    peer.outbox.stopProducing()
    assert peer.outbox.closed


def test_after_catching_up_sends_are_direct_again() -> None:
    peer = Peer(room=2)
    peer.outbox.write(b"one\r\n")
    peer.takes(100)
    told = peer.reactor.told
    peer.outbox.write(b"two\r\n")
    assert peer.taken == b"one\r\ntwo\r\n"
    assert peer.reactor.told == told
    assert not peer.behind


def test_one_that_caught_up_is_found_by_the_next_check_too() -> None:
    peer = Peer(room=2)
    peer.outbox.write(b"one\r\n")
    peer.takes(100)
    peer.check(0.0)
    assert not peer.behind
    peer.outbox.write(b"two\r\n")
    assert peer.taken == b"one\r\ntwo\r\n"


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS])
def test_a_kernel_without_room_is_no_lost_connection(code: int) -> None:
    peer = Peer(room=100)
    peer.kernel.error = OSError(code, "no room")
    peer.outbox.write(b"one\r\n")
    peer.kernel.error = None
    peer.outbox.write(b"two\r\n")
    peer.takes(100)
    assert peer.taken == b"one\r\ntwo\r\n"


@pytest.mark.parametrize("code", [errno.EPIPE, errno.ECONNRESET, errno.ETIMEDOUT, errno.EBADF])
def test_a_peer_that_is_gone_is_not_written_to_again_and_may_still_be_read(code: int) -> None:
    peer = Peer(room=100)
    peer.kernel.error = OSError(code, "gone")
    peer.outbox.write(b"one\r\n")
    peer.outbox.write(b"two\r\n")
    peer.check(0.0, 100.0)
    assert peer.kernel.sends == 1
    assert peer.transport in peer.reactor.readers
    assert not peer.transport.disconnecting
    assert not peer.behind
    assert peer.outbox.closed
    peer.outbox.close()


@pytest.mark.parametrize("other", [over_a_unix_socket, wrapped, of_another_class])
def test_other_transports_are_written_to_as_usual(other: Callable[[], Any]) -> None:
    transport = other()
    transport.unregisterProducer()
    behind: set[Outbox] = set()
    outbox = Outbox(transport, LIMIT, behind, skipped_line, lambda: None)
    outbox.write(b"one\r\n")
    outbox.write(b"two\r\n")
    assert transport.socket.sends == 0
    assert transport._tempDataBuffer == [b"one\r\n", b"two\r\n"]
    assert not behind


def test_a_transport_of_a_test_is_written_to_as_usual() -> None:
    transport = StringTransport()
    behind: set[Outbox] = set()
    outbox = Outbox(transport, LIMIT, behind, skipped_line, lambda: None)
    outbox.write(b"one\r\n")
    assert transport.value() == b"one\r\n"
    outbox.pauseProducing()
    assert behind == {outbox}
    outbox.write(b"two\r\n")
    assert transport.value() == b"one\r\n"
    outbox.resumeProducing()
    assert not behind
    assert transport.value() == b"one\r\ntwo\r\n"
    outbox.write(b"three\r\n")
    assert transport.value() == b"one\r\ntwo\r\nthree\r\n"


# Behind


def test_what_is_kept_is_the_very_object_that_was_written() -> None:
    batch = b"shared\r\n"
    peers = [stuck_peer()[0] for _ in range(3)]
    for peer in peers:
        peer.outbox.write(batch)
    assert all(peer.kept[0] is batch for peer in peers)


def test_the_transport_is_given_no_more_once_it_is_behind() -> None:
    peer, first = stuck_peer()
    peer.outbox.write(b"one\r\n")
    assert peer.transport._tempDataLen == len(first)
    assert peer.kept == [b"one\r\n"]


def test_at_most_the_limit_is_kept_and_the_rest_is_skipped_and_told_where_it_is_missing() -> None:
    peer, first = stuck_peer(limit=20)
    for number in range(10):
        peer.outbox.write(b"line %d\r\n" % number)  # 8 bytes
    assert peer.kept == [b"line 0\r\n", b"line 1\r\n"]
    peer.takes(1_000_000)
    peer.outbox.write(b"next\r\n")
    assert peer.taken == first + b"line 0\r\nline 1\r\n-- 8 skipped\r\nnext\r\n"


def test_a_batch_that_just_fits_is_kept() -> None:
    peer, _ = stuck_peer(limit=16)
    peer.outbox.write(b"line 1\r\n")
    peer.outbox.write(b"line 2\r\n")
    assert peer.kept == [b"line 1\r\n", b"line 2\r\n"]


def test_whole_batches_are_skipped_and_their_lines_counted() -> None:
    peer, first = stuck_peer(limit=10)
    peer.outbox.write(b"a\r\nb\r\nc\r\nd\r\n")
    peer.outbox.write(b"e\r\nf\r\n")
    peer.takes(1_000_000)
    assert peer.taken == first + b"-- 6 skipped\r\n"


def test_once_a_line_is_skipped_so_are_those_after_it_until_the_peer_is_told() -> None:
    peer, first = stuck_peer(limit=10)
    peer.outbox.write(b"a" * 20 + b"\r\n")
    peer.outbox.write(b"fits\r\n")
    peer.takes(1_000_000)
    assert peer.taken == first + b"-- 2 skipped\r\n"


def test_each_gap_is_told_once() -> None:
    peer, first = stuck_peer(limit=1)
    peer.outbox.write(b"lost\r\n")
    peer.takes(1_000_000)
    peer.kernel.room = 0
    peer.outbox.write(first)
    peer.outbox.write(b"lost\r\n" * 2)
    peer.takes(1_000_000)
    assert peer.taken == (first + b"-- 1 skipped\r\n") + (first + b"-- 2 skipped\r\n")


def test_a_peer_that_caught_up_may_be_behind_by_as_much_again() -> None:
    peer, first = stuck_peer(limit=20)
    for _ in range(2):
        peer.outbox.write(b"line 1\r\n")
        peer.outbox.write(b"line 2\r\n")
        peer.takes(1_000_000)
        peer.kernel.room = 0
        peer.outbox.write(first)
    assert peer.taken == (first + b"line 1\r\nline 2\r\n") * 2


def test_without_a_limit_all_is_kept() -> None:
    peer, first = stuck_peer(limit=None)
    for _ in range(100):
        peer.outbox.write(b"x" * 99_998 + b"\r\n")
    assert len(peer.kept) == 100
    peer.takes(float("inf"))
    assert peer.taken == first + (b"x" * 99_998 + b"\r\n") * 100


def test_what_is_kept_is_passed_on_a_buffer_at_a_time() -> None:
    peer, first = stuck_peer(limit=1_000_000)
    batch = b"x" * 40_000
    for _ in range(10):
        peer.outbox.write(batch)
    peer.takes(len(first))
    assert peer.transport._tempDataLen == 80_000, "as much as makes the transport say stop"
    assert len(peer.kept) == 8
    peer.takes(float("inf"))
    assert peer.taken == first + batch * 10


# Giving up


@pytest.fixture
def unacknowledged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the kernel says it still holds for the peer; set the first item."""
    held = [4096]
    monkeypatch.setattr(module, "_unacknowledged", lambda transport: held[0])
    return held


def test_a_peer_that_takes_nothing_is_given_up_once(unacknowledged: list[int]) -> None:
    peer, _ = stuck_peer()
    peer.check(0.0, 10.0, 29.9)
    assert not peer.given_up
    peer.check(30.0)
    assert peer.given_up == [peer.outbox]
    assert not peer.behind


def test_the_time_counts_from_the_first_check_and_not_from_the_epoch(
    unacknowledged: list[int],
) -> None:
    peer, _ = stuck_peer()
    peer.check(1000.0)
    assert not peer.given_up
    peer.check(1030.0)
    assert peer.given_up == [peer.outbox]


def test_what_is_said_meanwhile_does_not_count_as_taken(unacknowledged: list[int]) -> None:
    peer = Peer(limit=10_000)
    for now in range(31):
        peer.outbox.write(b"%d\r\n" % now)
        peer.check(now)
    assert peer.given_up == [peer.outbox]


def test_a_peer_that_acknowledges_is_not_given_up(unacknowledged: list[int]) -> None:
    peer, _ = stuck_peer()
    for now in range(0, 600, 20):
        unacknowledged[0] = 4096 - now
        peer.check(now)
    assert not peer.given_up


@pytest.mark.parametrize("held", [4096, 0])
@pytest.mark.parametrize("size", [70_000, 500_000])
def test_a_peer_that_takes_the_same_little_each_time_is_not_given_up(
    size: int, held: int, unacknowledged: list[int]
) -> None:
    """The kernel's buffer is as full as before at every look, and each time it took as much."""
    unacknowledged[0] = held
    peer = Peer()
    peer.outbox.write(b"x" * size)
    for now in range(60):
        peer.check(now)
        peer.takes(1000)
    assert not peer.given_up


def test_a_peer_that_takes_no_more_than_is_said_is_not_given_up(
    unacknowledged: list[int],
) -> None:
    peer = Peer(limit=100_000)
    peer.outbox.write(b"x" * 50_000)
    for now in range(60):
        peer.check(now)
        peer.takes(1000)
        peer.kernel.room = 0
        peer.outbox.write(b"x" * 1000)
    assert not peer.given_up


def test_a_peer_that_was_behind_before_has_all_the_time_again(
    unacknowledged: list[int],
) -> None:
    peer = Peer(room=2)
    peer.outbox.write(b"one\r\n")
    peer.check(0.0)
    peer.takes(100)
    peer.outbox.write(b"two\r\n")
    unacknowledged[0] = 9999  # of what was sent directly
    peer.kernel.room = 2
    peer.outbox.write(b"one\r\n")
    peer.check(100.0, 129.0)
    assert not peer.given_up
    peer.check(130.0)
    assert peer.given_up == [peer.outbox]


def test_the_kernel_tells_what_it_holds_for_a_peer_that_does_not_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
    with client, accepted:
        accepted.setblocking(False)
        assert not module._unacknowledged(accepted)
        with pytest.raises(BlockingIOError):
            while True:
                accepted.send(b"x" * 65536)
        assert module._unacknowledged(accepted) > 4096
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert select([accepted], [], [], 10)[0]
        assert not module._unacknowledged(accepted), "nobody is there to take it"


@pytest.mark.parametrize("other", [StringTransport, plain])
def test_where_the_kernel_says_nothing_there_is_nothing(other: Callable[[], Any]) -> None:
    assert module._unacknowledged(other()) == 0


# Closing


def test_closing_passes_on_what_is_kept_and_lets_the_transport_go() -> None:
    peer, first = stuck_peer(limit=20)
    for number in range(4):
        peer.outbox.write(b"line %d\r\n" % number)
    peer.outbox.close()
    assert peer.outbox.closed
    assert peer.transport.producer is None, "else it would never be lost"
    assert not peer.kept
    peer.transport.loseConnection()
    peer.takes(1_000_000)
    assert peer.taken == first + b"line 0\r\nline 1\r\n-- 2 skipped\r\n"
    assert peer.kernel.closed


def test_it_is_delivered_when_neither_the_transport_nor_the_kernel_holds_any_more(
    unacknowledged: list[int],
) -> None:
    peer = Peer(room=2)
    peer.outbox.write(b"one\r\n")
    peer.outbox.close()
    assert not peer.outbox.delivered
    unacknowledged[0] = 0
    assert not peer.outbox.delivered
    peer.takes(2)
    assert not peer.outbox.delivered
    peer.takes(1)
    assert peer.outbox.delivered
    unacknowledged[0] = 5
    assert not peer.outbox.delivered


def test_nothing_is_written_after_closing() -> None:
    peer = Peer(room=2)
    peer.outbox.write(b"one\r\n")
    peer.outbox.close()
    peer.outbox.write(b"two\r\n")
    peer.check(0.0)
    peer.outbox.write(b"three\r\n")
    peer.takes(100)
    peer.outbox.write(b"four\r\n")
    assert peer.taken == b"one\r\n"


def test_not_even_by_a_direct_send_when_the_transport_has_nothing_left() -> None:
    peer = Peer(room=2)
    peer.outbox.write(b"one\r\n")
    peer.takes(3)
    peer.kernel.room = 100
    peer.outbox.close()
    peer.check(0.0)
    peer.outbox.write(b"two\r\n")
    assert peer.taken == b"one\r\n"


@pytest.mark.parametrize("room", [0, 2, 1_000_000])
def test_one_that_is_closed_is_not_behind_nor_ever_given_up(room: int) -> None:
    peer, _ = stuck_peer()
    peer.outbox.write(b"one\r\n")
    peer.outbox.close()
    assert not peer.behind
    peer.takes(room)
    peer.check(0.0, 1000.0)
    assert not peer.behind
    assert not peer.given_up


def test_closing_twice_does_no_harm() -> None:
    peer = Peer(room=2)
    peer.outbox.write(b"one\r\n")
    for _ in range(3):
        peer.outbox.close()
        peer.takes(2)
    assert peer.taken == b"one\r\n"


@pytest.mark.parametrize("why", [CONNECTION_DONE, CONNECTION_LOST])
def test_a_lost_connection_leaves_nothing_behind(why: Exception) -> None:
    peer, _ = stuck_peer()
    peer.outbox.write(b"one\r\n")
    peer.transport.connectionLost(Failure(why))
    assert not peer.kept
    assert not peer.behind
    peer.outbox.write(b"two\r\n")
    assert not peer.kept
    peer.outbox.close()


def test_nothing_is_sent_on_a_lost_connection() -> None:
    peer = Peer(room=100)
    peer.transport.connectionLost(Failure(CONNECTION_LOST))
    peer.outbox.write(b"one\r\n")
    assert not peer.kernel.sends
    assert peer.outbox.closed


def test_a_connection_lost_before_the_outbox_is_made_gets_nothing() -> None:
    transport = plain()
    transport.unregisterProducer()
    transport.connectionLost(Failure(CONNECTION_LOST))
    outbox = Outbox(transport, LIMIT, set(), skipped_line, lambda: None)
    outbox.write(b"one\r\n")
    outbox.close()


# Whatever the kernel takes, whenever


LINE = re.compile(rb"(?P<number>\d+) x*\r\n|-- (?P<skipped>\d+) skipped\r\n")

WRITES = st.tuples(
    st.just("write"), st.integers(1, 3), st.sampled_from([0, 10, 400, 30_000, 80_000])
)
STEPS = st.lists(
    WRITES
    | st.tuples(st.just("room"), st.sampled_from([1, 5, 100, 5_000, 70_000, 1_000_000]))
    | st.tuples(st.just("full"))
    | st.tuples(st.just("error"), st.sampled_from([errno.EAGAIN, errno.ENOBUFS]))
    | st.tuples(st.just("check")),
    max_size=60,
)


@given(STEPS, st.sampled_from([None, 0, 50, 1000, 100_000]), st.booleans())
def test_the_peer_reads_every_line_in_order_or_how_many_it_missed(
    steps: list[tuple[Any, ...]], limit: int | None, close: bool
) -> None:
    peer = Peer(limit=limit)
    numbers = count(1)
    written: list[bytes] = []
    for now, (step, *given_) in enumerate(steps):
        if step == "write":
            lines, size = given_
            batch = b"".join(b"%d %b\r\n" % (next(numbers), b"x" * size) for _ in range(lines))
            written.append(batch)
            peer.outbox.write(batch)
        elif step == "room":
            peer.takes(given_[0])
        elif step == "full":
            peer.kernel.room = 0
        elif step == "error":
            peer.kernel.error = OSError(given_[0], "no room")
            peer.outbox.write(batch := b"%d \r\n" % next(numbers))
            written.append(batch)
            peer.kernel.error = None
        else:
            peer.check(float(now))
        kept = peer.kept
        assert limit is None or sum(map(len, kept)) <= limit
        assert all(any(each is batch for batch in written) for each in kept)
    if close:
        peer.outbox.close()
        peer.transport.loseConnection()
    peer.takes(float("inf"))
    assert peer.kernel.closed == close
    assert_in_order_with_gaps_told(peer.taken, next(numbers) - 1)


def assert_in_order_with_gaps_told(stream: bytes, last: int) -> None:
    expected = 1
    at = 0
    while at < len(stream):
        match = LINE.match(stream, at)
        assert match, stream[at : at + 80]
        at = match.end()
        if match["number"]:
            assert int(match["number"]) == expected
            expected += 1
        else:
            expected += int(match["skipped"])
    assert expected == last + 1


# Real connections


@pytest.fixture
def loopback() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client that takes little at a time, and the server's end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(server.getsockname())
        accepted, _ = server.accept()
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with client, accepted:
        yield client, accepted


def served(accepted: socket.socket, limit: int) -> tuple[Any, Outbox, Reactor, set[Outbox]]:
    reactor = Reactor()
    transport: Any = tcp.Server(
        accepted,
        Protocol(),
        ("127.0.0.1", 1),
        None,  # type: ignore[arg-type]
        0,
        reactor,  # type: ignore[arg-type]
    )
    behind: set[Outbox] = set()
    return transport, Outbox(transport, limit, behind, skipped_line, lambda: None), reactor, behind


def test_a_slow_reader_on_a_real_connection_reads_all_in_order(
    loopback: tuple[socket.socket, socket.socket],
) -> None:
    client, accepted = loopback
    transport, outbox, reactor, _ = served(accepted, limit=200_000)
    client.settimeout(10)
    for number in range(1, 501):
        outbox.write(b"%d %b\r\n" % (number, b"x" * 2000))
    stream = b""
    while reactor.writers:
        transport.doWrite()
        stream += client.recv(65536)
    outbox.write(b"501 \r\n")
    outbox.close()
    transport.loseConnection()
    why = transport.doWrite()
    transport.connectionLost(Failure(why))
    while data := client.recv(65536):
        stream += data
    assert b"skipped" in stream
    assert_in_order_with_gaps_told(stream, 501)


def test_a_reset_connection_raises_nothing(
    loopback: tuple[socket.socket, socket.socket],
) -> None:
    client, accepted = loopback
    transport, outbox, reactor, behind = served(accepted, limit=LIMIT)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    for _ in range(3):
        outbox.write(b"one\r\n")
    assert not behind
    assert transport in reactor.readers
    assert transport.doRead() is not None
    transport.connectionLost(Failure(CONNECTION_LOST))
