"""chatroom.protocols.connection: the limits of one peer, and its end."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel, capturedLogs
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from chatroom.hub import Hub
from chatroom.limits import Rate
from chatroom.member import Member
from chatroom.protocols.connection import Connection
from chatroom.protocols.line import ChatFactory
from chatroom.protocols.outbox import Outbox
from tests.connected import UNLIMITED, Chat, Peer, behind, owes, texts, two


def test_it_is_a_line_receiver_and_its_factory_a_server_factory() -> None:
    chat = Chat()
    assert isinstance(chat.factory, ServerFactory)
    assert isinstance(chat.peer().protocol, LineReceiver)
    assert verifyObject(IHalfCloseableProtocol, chat.peer().protocol)


# Faster than it may


SLOW = replace(UNLIMITED, lines=Rate(3, 2))


def test_past_the_burst_reading_waits_and_goes_on_when_the_next_line_is_due() -> None:
    chat, alice, bob = two(SLOW)
    chat.pass_by(10)
    alice.says(*"12345")
    assert bob.read() == ["<alice> 1", "<alice> 2", "<alice> 3"]
    assert alice.paused
    heard = []
    for step in range(1, 9):
        chat.reactor.advance(0.125)
        heard += [(step * 0.125, line) for line in bob.read()]
        assert alice.paused == (step < 8)
    assert heard == [(0.5, "<alice> 4"), (1.0, "<alice> 5")]
    assert not chat.timers


def test_a_long_paste_arrives_whole_and_in_order() -> None:
    chat, alice, bob = two(SLOW)
    chat.pass_by(10)
    lines = [str(number) for number in range(100)]
    alice.says(*lines)
    chat.pass_by(50, step=0.25)
    assert bob.read() == [f"<alice> {line}" for line in lines]
    assert not alice.paused


def test_what_a_transport_still_delivers_after_it_was_paused_waits_its_turn() -> None:
    """TLS hands on what it has decrypted, paused or not."""
    chat, alice, bob = two(SLOW)
    chat.pass_by(10)
    alice.send("1\n2\n3\n4\n5")
    alice.send("\n6\n")
    chat.pass_by(0.5, step=0.25)
    alice.send("7\n")
    assert chat.timers == 1
    chat.pass_by(2, step=0.25)
    assert bob.read() == [f"<alice> {number}" for number in range(1, 8)]
    assert not alice.paused
    assert not chat.timers


def test_nobody_else_waits_for_one_who_is_too_fast() -> None:
    chat, alice, bob = two(SLOW)
    chat.pass_by(10)
    alice.says(*"1234567")
    alice.read()
    bob.says("hi")
    assert alice.read() == ["<bob> hi"]


def test_commands_and_refused_lines_count_as_well() -> None:
    chat, alice, bob = two(replace(SLOW, line_bytes=12))
    chat.pass_by(10)
    alice.says("/version", "/version", "x" * 13, "late")
    assert len(alice.read()) == 3
    assert bob.read() == []
    chat.pass_by(0.5)
    assert bob.read() == ["<alice> late"]


def test_blank_lines_do_not_count() -> None:
    chat, alice, bob = two(SLOW)
    chat.pass_by(10)
    alice.says(*[""] * 100, "hi")
    assert bob.read() == ["<alice> hi"]
    assert not alice.paused


def test_a_peer_that_waits_and_is_lost_leaves_no_timer() -> None:
    chat, alice, _ = two(SLOW)
    alice.says(*"123456")
    assert chat.timers == 1
    alice.lose(ConnectionLost())
    chat.turn()
    assert not chat.timers


def test_what_a_peer_still_had_to_say_when_it_was_closed_is_for_nobody() -> None:
    chat, alice, bob = two(SLOW)
    alice.says(*"123456")
    chat.factory.close("Goodbye.", 10)
    chat.turn()
    bob.read()
    assert not alice.paused, "what comes is thrown away"
    alice.send("7\n")
    chat.pass_by(9)
    assert bob.read() == []


def test_without_a_rate_a_chunk_is_taken_over_several_turns() -> None:
    chat, alice, bob = two(replace(UNLIMITED, recent=5000))
    alice.send("".join(f"{number}\n" for number in range(1500)))
    assert len(chat.hub.lobby.recent) == 512
    assert alice.paused
    chat.turn()
    assert not alice.paused
    assert bob.read() == [f"<alice> {number}" for number in range(1500)]


def test_a_burst_too_is_taken_over_several_turns_and_not_held_up_by_it() -> None:
    chat, alice, bob = two(replace(UNLIMITED, lines=Rate(2000, 1), recent=5000))
    alice.send("".join(f"{number}\n" for number in range(1500)))
    assert len(chat.hub.lobby.recent) == 512
    chat.turn()
    assert bob.read() == [f"<alice> {number}" for number in range(1500)]
    assert not alice.paused


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8),
    st.lists(st.sampled_from([0.0, 0.125, 0.5, 3.0]), min_size=8, max_size=8),
)
def test_nothing_is_lost_or_reordered_however_it_comes(
    chunks: list[list[int]], waits: list[float]
) -> None:
    chat, alice, bob = two(SLOW)
    for chunk, wait in zip(chunks, waits, strict=False):
        alice.send("".join(f"{number}\n" for number in chunk))
        chat.turn()
        chat.pass_by(wait, step=0.125)
        assert alice.paused == bool(chat.timers)
    chat.pass_by(30, step=0.25)
    assert bob.read() == [f"<alice> {number}" for chunk in chunks for number in chunk]
    assert not chat.timers


# Going


def test_who_quits_is_told_goodbye_and_closed_after_it() -> None:
    chat, alice, bob = two()
    alice.send("last words\n/quit tea\nnot said\n/join #lobby\n/nick bob\n")
    assert not alice.closing
    chat.turn()
    assert alice.read() == ["-- Bye."]
    assert alice.closing
    assert bob.read() == ["<alice> last words", "-- alice left: tea (1 here)"]
    assert list(chat.hub.lobby.members) == [bob.member]
    alice.lose()
    chat.turn()
    assert bob.read() == []


def test_who_has_nothing_more_to_say_gets_what_it_is_owed_and_goes() -> None:
    chat, alice, bob = two()
    alice.send("hi\n/version\n")
    alice.protocol.readConnectionLost()
    assert not alice.closing
    chat.turn()
    assert alice.closing
    (version,) = alice.read()
    assert version.startswith("-- chatroom ")
    assert bob.read() == ["<alice> hi", "-- alice left (1 here)"]
    alice.protocol.writeConnectionLost()
    alice.lose()


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        (None, "-- alice left (1 here)"),
        (ConnectionLost(), "-- alice left: connection lost (1 here)"),
        (ConnectionAborted(), "-- alice left: connection lost (1 here)"),
    ],
)
def test_a_lost_connection_is_told_once(reason: Exception | None, line: str) -> None:
    chat, alice, bob = two()
    alice.lose(reason)
    chat.turn()
    assert bob.read() == [line]
    assert not chat.timers


def test_a_closed_peer_has_some_seconds_to_take_what_it_is_owed() -> None:
    chat, alice, _ = two()
    alice.says("/quit")
    chat.pass_by(3.5, step=0.5)
    assert not alice.aborted
    chat.pass_by(0.5, step=0.5)
    assert alice.aborted
    alice.lose(ConnectionAborted())
    assert not chat.timers


def test_a_connection_is_lost_only_once_the_peer_has_what_it_is_owed() -> None:
    chat, alice, _ = two()
    owes(alice, b"-- Bye.\r\n")
    alice.says("/quit")
    chat.pass_by(2, step=0.05)
    assert not alice.closing
    owes(alice, b"")
    chat.pass_by(0.1, step=0.05)
    assert alice.closing
    alice.lose()
    assert not chat.timers


@pytest.mark.parametrize("delivered", [False, True])
def test_a_connection_may_be_closed_twice(delivered: bool) -> None:
    chat, alice, bob = two()
    owes(alice, b"-- Goodbye.\r\n")
    chat.factory.close("Goodbye.", 10)
    chat.pass_by(1, step=0.05)
    owes(alice, b"" if delivered else b"-- Goodbye.\r\n")
    chat.pass_by(1, step=0.05)
    assert alice.closing == delivered
    chat.factory.close("Goodbye.", 10)
    alice.protocol.readConnectionLost()
    chat.pass_by(1, step=0.05)
    alice.lose()
    bob.lose()
    chat.turn()
    assert not chat.reactor.getDelayedCalls()


def ends_by_quit(chat: Chat, peer: Peer) -> None:
    peer.send("/quit\n")


def ends_by_eof(chat: Chat, peer: Peer) -> None:
    peer.protocol.readConnectionLost()


def ends_by_stop(chat: Chat, peer: Peer) -> None:
    chat.factory.close("Goodbye.", 10)


@pytest.mark.parametrize("end", [ends_by_quit, ends_by_eof, ends_by_stop])
def test_a_connection_lost_in_the_turn_of_its_end_leaves_no_timer(
    end: Callable[[Chat, Peer], None],
) -> None:
    chat, alice, bob = two()
    end(chat, alice)
    alice.lose()
    chat.turn()
    bob.lose()
    chat.turn()
    assert not chat.reactor.getDelayedCalls()


def ends_by_vanishing(chat: Chat, peer: Peer) -> None:
    peer.lose(ConnectionLost())


@pytest.mark.parametrize("end", [ends_by_quit, ends_by_eof, ends_by_vanishing])
def test_a_connection_that_has_ended_leaves_nothing_for_the_garbage_collector(
    end: Callable[[Chat, Peer], None],
) -> None:
    """It collects rarely: many that come and go would cost megabytes meanwhile."""
    gc.collect()
    before = connections()
    gc.disable()
    try:
        chat, alice, _ = two(SLOW)
        alice.says(*"12345")
        end(chat, alice)
        chat.pass_by(3, step=0.05)
        if alice.protocol.connected:
            alice.lose()
        chat.turn()
        del alice
        assert connections() == before + 3, "bob's"
    finally:
        gc.enable()


def connections() -> int:
    """How many connections there are in memory, with their outboxes and members."""
    kinds = (Connection, Outbox, Member)
    return sum(isinstance(each, kinds) for each in gc.get_objects())


def test_data_after_the_end_is_for_nobody() -> None:
    chat, alice, bob = two()
    alice.says("/quit")
    bob.read()
    alice.says("hi", "/nick carol")
    assert bob.read() == []
    assert alice.read() == ["-- Bye."]
    assert list(chat.hub.members) == ["bob"]


# Idle


IDLE = replace(UNLIMITED, idle_seconds=100)


def test_a_peer_that_sends_no_whole_line_is_closed_in_time() -> None:
    chat, alice, bob = two(IDLE)
    for _ in range(9):
        chat.pass_by(10)
        alice.send("x")  # a partial line is not activity
        bob.says("hi")
    assert not alice.closing
    chat.pass_by(16)
    assert alice.closing
    assert not bob.closing
    assert alice.read()[-1] == (
        "-- You said nothing for 1 minute 40 seconds. Connect again when you like."
    )
    assert bob.read() == ["-- alice left: idle (1 here)"]


def test_a_peer_that_never_said_anything_is_closed_as_well() -> None:
    chat = Chat(IDLE)
    peer = chat.peer()
    chat.pass_by(106)
    assert peer.closing


def test_one_that_waits_for_its_turn_to_speak_is_not_idle() -> None:
    chat, alice, _ = two(replace(IDLE, lines=Rate(1, 0.01)))
    alice.says("1", "2", "3", "4")
    chat.pass_by(150)
    assert not alice.closing


def test_nobody_is_idle_when_that_is_off() -> None:
    chat, alice, _ = two(replace(IDLE, idle_seconds=None))
    chat.pass_by(1000, step=10)
    assert not alice.closing


# One that does not read


def test_one_that_takes_nothing_is_dropped_and_that_is_told_once() -> None:
    with capturedLogs() as events:
        chat, alice, bob = two()
        behind(alice)
        for _ in range(31):
            bob.says("hi")
            chat.pass_by(1)
        assert alice.aborted
        assert bob.read() == ["-- alice left: not reading (1 here)"]
        alice.lose(ConnectionAborted())
        chat.pass_by(60)
    assert bob.read() == []
    assert texts(events, LogLevel.warn) == ["alice reads nothing, dropped"]
    assert not chat.factory.behind
    assert not chat.timers


def test_a_slow_reader_is_told_how_many_lines_it_missed() -> None:
    chat, alice, bob = two(replace(UNLIMITED, outbox_bytes=30))
    behind(alice)
    for number in range(1, 5):
        bob.says(str(number))  # 9 bytes each
    producer = alice.transport.producer
    assert producer is not None
    producer.resumeProducing()
    bob.says("5")
    assert alice.read() == [
        *(f"<bob> {number}" for number in (1, 2, 3)),
        "-- 1 line skipped (/history shows them)",
        "<bob> 5",
    ]
    assert not chat.factory.behind


def test_nobody_is_dropped_for_not_reading_when_that_is_off() -> None:
    chat, alice, _ = two(replace(UNLIMITED, stall_seconds=None))
    behind(alice)
    chat.pass_by(1000, step=10)
    assert not alice.aborted


def test_one_that_quits_while_it_is_behind_is_closed_and_nothing_more() -> None:
    chat, alice, bob = two()
    behind(alice)
    alice.says("/quit")
    chat.pass_by(4)
    assert alice.aborted
    alice.lose(ConnectionAborted())
    with capturedLogs() as events:
        chat.pass_by(60)
    assert not events
    assert bob.read() == ["-- alice left (1 here)"]


def test_the_log_says_who_connects_from_where_and_who_goes() -> None:
    with capturedLogs() as events:
        chat = Chat()
        alice, bob = chat.peer("alice"), chat.peer("bob", host="2001:db8::1")
        alice.says("/quit")
        alice.lose()
        bob.lose(ConnectionLost())
    first, second, third, fourth = texts(events)
    assert re.fullmatch(r"guest-\w+ connected from 192\.0\.2\.1:49152 \(1 here\)", first)
    assert re.fullmatch(r"guest-\w+ connected from 2001:db8::1:49152 \(2 here\)", second)
    assert third == "alice disconnected (1 here)"
    assert fourth == "bob disconnected: connection lost (0 here)"


def test_a_connection_that_could_not_be_set_up_is_not_counted_for_ever() -> None:
    """As where the peer is gone before its socket's options are set."""

    class Broken(StringTransport):
        def registerProducer(self, producer: object, streaming: bool) -> None:
            raise OSError(22, "Invalid argument")

    hub = Hub(end_of_turn=lambda flush: None)
    protocol = ChatFactory(hub, Clock()).buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
    assert protocol is not None
    with pytest.raises(OSError):
        protocol.makeConnection(Broken())  # type: ignore[no-untyped-call]
    assert hub.admission.connected == 1
    protocol.connectionLost(Failure(ConnectionDone()))
    assert hub.admission.connected == 0
