"""chatroom.chatservice: the chat under any parent, in memory, and other settings while it runs."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chatroom import make_service
from chatroom.chatservice import ChatService, ListenError
from chatroom.config import LogSettings
from chatroom.config import Settings as AllSettings
from chatroom.limits import Limits

LOCAL = "line=tcp:8000:interface=127.0.0.1"
OPEN = "line=tcp:8000"
OTHER = "line=tcp:8001"

# Without a file, so without threads.
Settings = partial(AllSettings, store=None)

result_of = SynchronousTestCase().successResultOf
no_result: Any = SynchronousTestCase().assertNoResult


class Port:
    """A listening port that is closed one turn after it was told to, like a real one."""

    def __init__(self, reactor: Reactor, number: int, inner: Any) -> None:
        self.getHost: Callable[[], object] = inner.getHost
        self._reactor = reactor
        self._number = number

    def stopListening(self) -> Deferred[None]:
        closed: Deferred[None] = Deferred()
        self._reactor.callLater(0, self._close, closed)
        return closed

    def _close(self, closed: Deferred[None]) -> None:
        self._reactor.taken.discard(self._number)
        closed.callback(None)


class Reactor(MemoryReactorClock):
    """A reactor in memory on which a port can be taken. `doors` are the factories, by port."""

    def __init__(self, *taken: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.taken = set(taken)
        self.doors: dict[int, Any] = {}

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        if port in self.taken:
            in_use = OSError(errno.EADDRINUSE, "Address already in use")
            raise CannotListenError(interface, port, in_use)
        self.taken.add(port)
        self.doors[port] = factory
        inner = super().listenTCP(port, factory, backlog, interface)  # type: ignore[no-untyped-call]
        return Port(self, port, inner)

    def connect(self, port: int = 8000) -> Any:
        """Someone connects; what it is told is in `value()`."""
        assert port in self.taken
        transport: Any = StringTransport()
        transport.protocol = self.doors[port].buildProtocol(transport.getPeer())
        transport.protocol.makeConnection(transport)
        self.advance(0)
        return transport


def disconnect(transport: Any) -> None:
    transport.protocol.connectionLost(Failure(ConnectionDone()))


def told(transport: Any) -> list[str]:
    """The lines it was told since it was last asked."""
    lines: list[str] = transport.value().decode().splitlines()
    transport.clear()
    return lines


def started(reactor: Reactor, **settings: Any) -> ChatService:
    service = make_service(Settings(**settings), reactor)
    service.privilegedStartService()
    service.startService()
    return service


def slow_endpoints(monkeypatch: pytest.MonkeyPatch) -> list[Deferred[Any]]:
    """What is opened from now on, for the test to say when it is open."""
    opening: list[Deferred[Any]] = []

    def listen(*_given: object) -> Deferred[Any]:
        opening.append(Deferred())
        return opening[-1]

    monkeypatch.setattr("chatroom.listening.Listener.listen", listen)
    return opening


def reload(service: ChatService, reactor: Reactor, **settings: Any) -> list[str]:
    """What waits for a restart."""
    stay = service.reload(Settings(**settings))
    reactor.advance(0)
    waiting: list[str] = result_of(stay)
    return waiting


# Starting


def test_without_settings_it_listens_on_port_8000_of_this_machine_alone() -> None:
    reactor = Reactor()
    make_service(Settings(), reactor).startService()
    ((port, _factory, _backlog, interface),) = reactor.tcpServers
    assert (port, interface) == (8000, "127.0.0.1")


def test_every_listener_is_opened_once_before_privileges_are_shed() -> None:
    reactor = Reactor()
    service = make_service(Settings(listen=(OPEN, OTHER)), reactor)
    service.privilegedStartService()
    assert reactor.taken == {8000, 8001}
    service.startService()
    assert len(reactor.tcpServers) == 2


def test_what_serves_irc_is_made_when_it_is_first_listened_for() -> None:
    reactor = Reactor()
    service = make_service(Settings(listen=(OPEN,), store=None), reactor)
    service.startService()
    guards = len(service.hub.guards)
    assert list(service.factories) == ["line"]
    irc = "irc=tcp:6667:interface=127.0.0.1"
    assert reload(service, reactor, listen=(OPEN, irc), store=None) == []
    made = reactor.doors[6667]
    assert service.factories["irc"] is made is service.factory("irc")
    assert len(service.hub.guards) > guards


def test_a_parent_that_runs_already_starts_it() -> None:
    reactor = Reactor()
    parent = MultiService()
    parent.startService()
    service: Any = make_service(Settings(), reactor)
    service.setServiceParent(parent)
    assert reactor.taken == {8000}


def test_all_listeners_share_one_chat() -> None:
    reactor = Reactor()
    started(reactor, listen=(OPEN, OTHER))
    first, second = reactor.connect(8000), reactor.connect(8001)
    told(first)
    second.protocol.dataReceived(b"hello\n")
    reactor.advance(0)
    (line,) = told(first)
    assert line.endswith("> hello")


def test_at_its_start_it_says_where_it_listens_and_how_to_let_the_network_in() -> None:
    with capturedLogs() as events:
        started(Reactor(), listen=("line=tcp:8001",))
    assert [formatEvent(event) for event in events] == [
        "Listening on 0.0.0.0 port 8001. To talk: nc localhost 8001"
    ]


def test_each_listener_that_cannot_open_is_named_and_none_stays_open() -> None:
    reactor = Reactor(8000, 8002)
    listen = ("line=tcp:8000", "line=tcp:8001", "line=tcp:8002")
    service = make_service(Settings(listen=listen), reactor)
    with pytest.raises(ListenError) as refusal:
        service.startService()
    hint = "Address already in use. Stop the program that listens there, or choose another port."
    assert str(refusal.value).splitlines() == [
        f"Cannot listen on line=tcp:8000: {hint}",
        f"Cannot listen on line=tcp:8002: {hint}",
    ]
    reactor.advance(0)
    assert reactor.taken == {8000, 8002}
    reactor.taken.clear()
    service.startService()
    assert reactor.taken == {8000, 8001, 8002}


def test_an_endpoint_that_takes_its_time_to_fail_is_heard_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one of a plugin may, that asks the router for a port, say."""
    opening = slow_endpoints(monkeypatch)
    started(Reactor(), listen=(OPEN,))
    with capturedLogs() as events:
        opening.pop().errback(OSError(errno.EACCES, "Permission denied"))
    (event,) = events
    assert event["log_level"].name == "error"
    assert formatEvent(event).startswith("Cannot listen on line=tcp:8000: Permission denied. ")


def test_an_endpoint_that_takes_its_time_is_opened_once_and_closed_if_that_is_too_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opening = slow_endpoints(monkeypatch)
    reactor = Reactor()
    service = started(reactor, listen=(OPEN,))
    (opened,) = opening
    service.stopService()
    opened.callback(reactor.listenTCP(8000, None))
    reactor.advance(0)
    assert reactor.taken == set()
    assert service.ports == {}


def test_the_settings_are_those_of_the_chat() -> None:
    reactor = Reactor()
    started(
        reactor,
        welcome="Hello!",
        motd="First line.\nSecond line.",
        lobby="#foyer",
        guests="address",
        limits=Limits(connections=1),
    )
    first = reactor.connect()
    lines = told(first)
    assert lines[:3] == ["Hello!", "-- First line.", "-- Second line."]
    assert any("in #foyer" in line for line in lines)
    second = reactor.connect()
    assert told(second) == ["-- The server is full (1 connection). Try again later."]
    (member,) = first.protocol.factory.hub.members.values()
    assert member.shown == "192.168.1.1"


# Stopping


def test_stopping_tells_everyone_and_ends_when_all_are_gone() -> None:
    reactor = Reactor()
    service = started(reactor)
    clients = [reactor.connect() for _ in range(3)]
    stopped = service.stopService()
    reactor.advance(0)
    assert reactor.taken == set()
    for client in clients:
        assert told(client)[-1] == "-- The server is stopping. Goodbye."
        assert client.disconnecting
        no_result(stopped)
        disconnect(client)
    result_of(stopped)


def test_who_does_not_read_is_cut_off_after_10_seconds() -> None:
    reactor = Reactor()
    service = started(reactor)
    client = reactor.connect()
    service.stopService()
    reactor.advance(0)
    reactor.advance(9.9)
    assert not client.disconnected
    reactor.advance(0.2)
    assert client.disconnected


def test_stopping_leaves_no_timer_behind() -> None:
    reactor = Reactor()
    service = started(reactor)
    clients = [reactor.connect() for _ in range(2)]
    disconnect(clients[0])
    stopped = service.stopService()
    reactor.advance(0)
    disconnect(clients[1])
    reactor.advance(0)
    result_of(stopped)
    assert reactor.getDelayedCalls() == []


def test_stopping_once_everyone_has_left_leaves_no_timer_behind() -> None:
    reactor = Reactor()
    service = started(reactor)
    disconnect(reactor.connect())
    stopped = service.stopService()
    reactor.advance(0)
    result_of(stopped)
    assert reactor.getDelayedCalls() == []


def test_it_can_be_started_again() -> None:
    reactor = Reactor()
    service = started(reactor)
    stopped = service.stopService()
    reactor.advance(0)
    result_of(stopped)
    service.privilegedStartService()
    service.startService()
    assert "Welcome to this chatroom!" in told(reactor.connect())


def test_stopping_what_never_started_does_no_harm() -> None:
    result_of(make_service(Settings(), Reactor()).stopService())


# Other settings while it runs


def test_a_reload_changes_what_newcomers_are_told_and_drops_nobody() -> None:
    reactor = Reactor()
    service = started(reactor)
    old = reactor.connect()
    told(old)
    assert reload(service, reactor, welcome="Hello!", motd="Tea at five.") == []
    lines = told(reactor.connect())
    assert lines[:2] == ["Hello!", "-- Tea at five."]
    assert not old.disconnecting
    assert [line for line in told(old) if "joined" in line]


def test_a_reload_holds_also_those_who_are_here_to_the_limits() -> None:
    reactor = Reactor()
    service = started(reactor)
    client = reactor.connect()
    reload(service, reactor, limits=Limits(line_bytes=64))
    told(client)
    client.protocol.dataReceived(b"x" * 65 + b"\n")
    reactor.advance(0)
    assert told(client) == ["-- Line over 64 bytes, not sent."]


def test_a_reload_names_what_waits_for_a_restart_and_keeps_it() -> None:
    reactor = Reactor()
    service = started(reactor)
    other = {"lobby": "#foyer", "log": LogSettings(chat=True, level="debug")}
    for _ in range(2):
        assert reload(service, reactor, **other) == ["lobby", "log.level", "log.chat"]
    assert service.hub.lobby.name == "#lobby"
    assert service.settings == Settings()


def test_a_reload_opens_and_closes_listeners_and_leaves_the_others_alone() -> None:
    reactor = Reactor()
    service = started(reactor, listen=(OPEN, OTHER))
    kept, orphan = reactor.connect(8000), reactor.connect(8001)
    with capturedLogs() as events:
        reload(service, reactor, listen=(OPEN, "line=tcp:8002"))
    assert reactor.taken == {8000, 8002}
    assert len(reactor.tcpServers) == 3
    assert not kept.disconnecting
    assert not orphan.disconnecting
    assert [formatEvent(event) for event in events] == [
        "No longer listening on line=tcp:8001",
        "Listening on 0.0.0.0 port 8002. To talk: nc localhost 8002",
    ]


def test_a_port_may_change_hands_between_listeners() -> None:
    """The way to let the network in: the new listener waits until the old one is closed."""
    reactor = Reactor()
    service = started(reactor, listen=(LOCAL,))
    first = service.reload(Settings(listen=(OPEN,)))
    second = service.reload(Settings(listen=(LOCAL,)))
    third = service.reload(Settings(listen=(OPEN,)))
    with capturedLogs() as events:
        for _ in range(3):
            reactor.advance(0)
    for done in (first, second, third):
        assert result_of(done) == []
    assert list(service.ports) == [OPEN]
    assert not [event for event in events if event["log_level"].name == "error"]


def test_a_listener_that_cannot_open_is_logged_and_tried_again_at_the_next_reload() -> None:
    reactor = Reactor(8001)
    service = started(reactor)
    with capturedLogs() as events:
        reload(service, reactor, listen=(LOCAL, OTHER))
    (event,) = events
    assert event["log_level"].name == "error"
    assert "Cannot listen on line=tcp:8001: Address already in use." in formatEvent(event)
    assert reactor.taken == {8000, 8001}
    reactor.taken.discard(8001)
    reload(service, reactor, listen=(LOCAL, OTHER))
    assert list(service.ports) == [LOCAL, OTHER]


def test_a_reload_opens_nothing_unless_it_runs() -> None:
    reactor = Reactor()
    service = make_service(Settings(), reactor)
    reload(service, reactor, listen=(OTHER,))
    assert reactor.taken == set()
    service.startService()
    assert reactor.taken == {8001}
    stopped = service.stopService()
    reload(service, reactor, listen=(OPEN, OTHER))
    result_of(stopped)
    assert reactor.taken == set()


# What it logs


def test_the_log_shows_who_connects_from_where_and_who_leaves() -> None:
    reactor = Reactor()
    started(reactor)
    with capturedLogs() as events:
        client = reactor.connect()
        nick = next(iter(client.protocol.factory.hub.members))
        disconnect(client)
    assert [formatEvent(event) for event in events] == [
        f"{nick} connected from 192.168.1.1:54321 (1 here)",
        f"{nick} disconnected (0 here)",
    ]


@pytest.mark.parametrize("chat", [False, True])
def test_what_is_said_is_logged_only_if_asked_for_and_then_as_fields(chat: bool) -> None:
    reactor = Reactor()
    started(reactor, log=LogSettings(chat=chat))
    client = reactor.connect()
    with capturedLogs() as events:
        client.protocol.dataReceived(b"/nick ann\nhi {nick!r} %s\n/me waves\n/msg ann secret\n")
        reactor.advance(0)
    assert [(e["room"], e["nick"], e["text"]) for e in events] == (
        [("#lobby", "ann", "hi {nick!r} %s"), ("#lobby", "ann", "waves")] if chat else []
    )
    assert [formatEvent(event) for event in events] == (
        ["#lobby <ann> hi {nick!r} %s", "#lobby * ann waves"] if chat else []
    )
