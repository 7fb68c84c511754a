"""chatroom.protocols.serving: who is let in, and how a server stops."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from twisted.internet.error import ConnectionAborted
from twisted.logger import LogLevel, capturedLogs

from chatroom.limits import Rate
from chatroom.protocols.line import ChatFactory, ChatProtocol
from tests.connected import UNLIMITED, Chat, Peer, behind, texts, two


def test_the_clients_are_the_hubs_members() -> None:
    chat, alice, bob = two()
    assert [member.nick for member in chat.hub.members.values()] == ["alice", "bob"]
    assert chat.hub.members["bob"].door is bob.protocol
    alice.lose()
    assert list(chat.hub.members) == ["bob"]


# Admission


def test_one_too_many_is_told_and_closed_and_nobody_else_hears_of_it() -> None:
    chat, alice, _ = two(replace(UNLIMITED, connections=2))
    third = Peer(chat)
    third.send("hi\n")
    chat.turn()
    assert third.read() == ["-- The server is full (2 connections). Try again later."]
    assert third.closing
    assert alice.read() == []
    assert len(chat.hub.members) == 2
    third.lose()
    alice.lose()
    assert not chat.peer().closing


def test_a_refused_peer_that_does_not_go_is_aborted() -> None:
    chat, _, _ = two(replace(UNLIMITED, connections=2))
    third = Peer(chat)
    third.protocol.readConnectionLost()
    chat.pass_by(4)
    assert third.aborted
    third.lose(ConnectionAborted())
    assert not chat.timers


@pytest.mark.parametrize(
    ("hosts", "source"),
    [
        (["192.0.2.9"] * 3, "192.0.2.9"),
        (["2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"], "2001:db8::/64"),
        (["::ffff:192.0.2.9", "192.0.2.9", "192.0.2.9"], "192.0.2.9"),
    ],
)
def test_too_many_from_one_address_are_refused(hosts: list[str], source: str) -> None:
    chat = Chat(replace(UNLIMITED, connections_per_address=2))
    first, second, third = (Peer(chat, host) for host in hosts)
    chat.turn()
    assert not first.closing
    assert not second.closing
    assert third.closing
    assert third.read() == [f"-- Too many connections from {source} (2 may be). Close one first."]
    assert not Peer(chat, "198.51.100.1").closing
    third.lose()
    first.lose()
    assert not Peer(chat, hosts[0]).closing, "one that is gone no longer counts"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_may_connect_as_often_as_it_likes(host: str) -> None:
    chat = Chat(replace(UNLIMITED, connections_per_address=2))
    assert not any(Peer(chat, host).closing for _ in range(5))


def test_refusals_are_logged_once_a_second() -> None:
    with capturedLogs() as events:
        chat = Chat(replace(UNLIMITED, connections=1))
        chat.peer()
        for _ in range(100):
            Peer(chat)
        chat.pass_by(3)
    assert texts(events, LogLevel.warn) == ["100 connections refused: the limit is met"]


# Sweeping


def test_after_the_last_has_gone_no_timer_is_left() -> None:
    chat, alice, bob = two()
    alice.says("/quit")
    for peer in (alice, bob):
        peer.lose()
    chat.pass_by(1)
    assert not chat.reactor.getDelayedCalls()
    assert not chat.factory.behind
    chat.peer().lose()
    assert chat.reactor.getDelayedCalls(), "the sweep runs again for the next"
    chat.pass_by(1)
    assert not chat.reactor.getDelayedCalls()


def test_a_sweep_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    chat, alice, bob = two(replace(UNLIMITED, stall_seconds=5))
    behind(alice)
    behind(bob)

    def fails() -> None:
        raise RuntimeError("abort failed")

    for peer in (alice, bob):
        monkeypatch.setattr(peer.protocol, "_stalled", fails)
        monkeypatch.setattr(peer.protocol._outbox, "_give_up", fails)
    with pytest.raises(RuntimeError):
        chat.pass_by(10)
    calls: list[Any] = list(chat.reactor.getDelayedCalls())
    assert chat.factory._sweep in [call.func for call in calls]


# Other limits


def test_live_connections_are_held_to_other_limits() -> None:
    chat, alice, bob = two()
    chat.factory.apply(replace(UNLIMITED, lines=Rate(2, 1), outbox_bytes=8))
    alice.says("1", "2", "3")
    assert bob.read() == ["<alice> 1", "<alice> 2"]
    assert alice.paused
    behind(bob)
    chat.pass_by(1)
    bob.transport.producer.resumeProducing()
    assert bob.read() == ["-- 1 line skipped (/history shows them)"]
    chat.factory.apply(UNLIMITED)
    alice.says(*"123456")
    assert bob.read() == [f"<alice> {number}" for number in range(1, 7)]


# Stopping


def test_closing_tells_everyone_and_is_done_when_all_are_gone() -> None:
    chat, alice, bob = two()
    done: list[object] = []
    chat.factory.close("The server is stopping. Goodbye.", 10).addCallback(done.append)
    chat.turn()
    for peer in (alice, bob):
        assert peer.read() == ["-- The server is stopping. Goodbye."]
        assert peer.closing
        assert not done
        peer.lose()
    assert done == [None]


def test_closing_when_nobody_is_there_is_done_at_once() -> None:
    done: list[object] = []
    Chat().factory.close("Goodbye.", 10).addCallback(done.append)
    assert done == [None]


def test_a_peer_that_takes_nothing_holds_the_closing_up_no_longer_than_it_may() -> None:
    chat, alice, bob = two()
    done: list[object] = []
    behind(alice)
    chat.factory.close("Goodbye.", 10).addCallback(done.append)
    chat.turn()
    bob.lose()
    chat.pass_by(9.5, step=0.5)
    assert not alice.aborted
    chat.pass_by(0.5, step=0.5)
    assert alice.aborted
    alice.lose(ConnectionAborted())
    assert done == [None]
    chat.pass_by(1)
    assert not chat.reactor.getDelayedCalls()


def test_a_peer_that_comes_while_it_closes_does_not_hold_it_up() -> None:
    chat, _, _ = two()
    done: list[object] = []
    chat.factory.close("Goodbye.", 10).addCallback(done.append)
    late = Peer(chat)
    chat.turn()
    assert late.closing
    for peer in list(chat.hub.members.values()):
        assert isinstance(peer.door, ChatProtocol)
        peer.door.connectionLost()
    assert not done
    late.lose()
    assert done == [None]
    assert not chat.peer().closing, "it may be opened again"


def test_a_second_closing_is_done_with_the_first() -> None:
    chat, alice, bob = two()
    done: list[object] = []
    for _ in range(2):
        chat.factory.close("Goodbye.", 10).addCallback(done.append)
    chat.turn()
    alice.lose()
    bob.lose()
    assert done == [None, None]


# Hubs


def test_the_factory_brings_its_reactors_turns_to_a_hub_without_any() -> None:
    chat = Chat()
    assert not chat.hub.needs_turns
    other = ChatFactory(chat.hub, reactor=chat.reactor)
    assert other.hub is chat.hub


def test_a_hub_may_be_served_by_two_factories() -> None:
    chat, alice, _ = two()
    other = ChatFactory(chat.hub, reactor=chat.reactor, wall=chat.reactor.seconds)
    first, chat.factory = chat.factory, other
    carol = chat.peer("carol")
    alice.read()
    carol.says("hi")
    assert alice.read() == ["<carol> hi"]
    other.apply(replace(UNLIMITED, lines=Rate(1, 1)))
    alice.says("1", "2")
    assert carol.read() == ["<alice> 1", "<alice> 2"], "she came by the first"
    done: list[object] = []
    other.close("Goodbye.", 10).addCallback(done.append)
    chat.turn()
    carol.lose()
    assert done == [None]
    assert first.protocol is ChatProtocol


def test_there_is_a_time_to_tidy_up_while_anyone_is_here() -> None:
    tidied: list[int] = []
    chat, alice, bob = two()
    chat.factory.each_second = lambda: tidied.append(len(chat.hub.members))
    chat.pass_by(3)
    assert tidied == [2, 2, 2]
    alice.lose()
    bob.lose()
    chat.pass_by(60)
    assert tidied == [2, 2, 2, 0]


def test_in_a_long_turn_peers_wait_for_the_next_and_go_on_in_their_order() -> None:
    """What one sends takes 15 ms here, and 20 are the most for all of them."""
    chat = Chat()
    ann, bob, cy, dora = (chat.peer(nick) for nick in ("ann", "bob", "cy", "dora"))
    ann.read()
    times = count(0.0, 0.015)
    chat.factory.seconds = lambda: next(times)
    for peer in (ann, bob, cy):
        peer.send("hi\n")
    assert (ann.paused, bob.paused, cy.paused) == (False, False, True)
    cy.send("and ho\n")  # as if it had been on its way
    dora.protocol.readConnectionLost()
    assert dora.member.present
    chat.turn()
    chat.turn()
    chat.turn()
    told = [line for line in ann.read() if "dora" not in line]
    assert told == ["<bob> hi", "<cy> hi", "<cy> and ho"]
    assert not cy.paused and not dora.member.present


def test_one_that_raises_in_its_turn_holds_up_nobody() -> None:
    chat = Chat()
    ann, bob, cy, dora = (chat.peer(nick) for nick in ("ann", "bob", "cy", "dora"))
    times = count(0.0, 0.015)
    chat.factory.seconds = lambda: next(times)
    for peer in (ann, bob, cy, dora):
        peer.send("hi\n")
    vars(cy.protocol)["go_on"] = None
    ann.read()
    with capturedLogs() as logged:
        for _ in range(3):
            chat.turn()
    assert "<dora> hi" in ann.read()
    assert texts(logged, LogLevel.critical) == ["What a peer sent could not be taken"]
