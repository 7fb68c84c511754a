"""docs/embedding.md: every example on it, run as it stands there, but for the port."""

from __future__ import annotations

import re
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.logger import capturedLogs, formatEvent, globalLogPublisher
from twisted.protocols.basic import LineOnlyReceiver
from twisted.trial.unittest import TestCase

from chatroom import Hub, Listener, Settings, make_service
from chatroom.chatservice import ListenError
from chatroom.errors import ChatError
from chatroom.events import Arrived, Event, Gone, Joined, Left, Said, Told, Welcomed
from tests.daemon import ENVIRON, ROOT, TWISTD, Client, free_port, is_listening, wait_for

PAGE = (ROOT / "docs" / "embedding.md").read_text()
EXAMPLES = {
    heading: code
    for heading, _, section in (part.partition("\n") for part in PAGE.split("\n## "))
    for code in re.findall(r"^```python\n(.*?)^```$", section, re.M | re.S)
}
"""The code below each heading."""

reactor: Any = installed


def run(heading: str, port: int = 8000, irc: int = 6667, **given: Any) -> dict[str, Any]:
    """What the names in an example stand for once it has run."""
    names = dict(given)
    exec(EXAMPLES[heading].replace("8000", str(port)).replace("6667", str(irc)), names)
    return names


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the store is."""
    monkeypatch.chdir(tmp_path)


def test_every_example_is_run() -> None:
    assert list(EXAMPLES) == [
        "As a service",
        "On an endpoint of your own",
        "IRC beside it",
        "A member of your own",
        "With twistd",
    ]
    assert PAGE.count("```python") == len(EXAMPLES)


class Peer(LineOnlyReceiver):
    """A client in this process."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.lost: Deferred[None] = Deferred()
        self._awaited = ("", Deferred[None]())

    @classmethod
    async def connect(cls, port: int) -> Peer:
        """One that has arrived."""
        peer: Peer = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), cls())
        await peer.until("/help lists the commands")
        return peer

    def say(self, line: str) -> None:
        self.sendLine(line.encode())  # type: ignore[no-untyped-call]

    async def until(self, part: str) -> str:
        """The line that holds `part`, once it has come."""
        heard: Deferred[None] = Deferred()
        self._awaited = (part, heard)
        self._look()
        await heard.addTimeout(10, reactor)
        return next(line for line in self.lines if part in line)

    def _look(self) -> None:
        part, heard = self._awaited
        if not heard.called and any(part in line for line in self.lines):
            heard.callback(None)

    def lineReceived(self, line: bytes) -> None:
        self.lines.append(line.decode())
        self._look()

    def connectionLost(self, reason: Any = None) -> None:
        self.lost.callback(None)


class ExamplesOnTheReactor(TestCase):
    """Trial fails each of these if it leaves anything in the reactor: a port, a timer, a peer."""

    def test_as_a_service(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._as_a_service())

    async def _as_a_service(self) -> None:
        port = free_port()
        shop = run("As a service", port)["shop"]
        for _ in range(2):  # it may be started again
            shop.startService()
            peer, other = await Peer.connect(port), await Peer.connect(port)
            assert peer.lines[0] == "Welcome to the shop!"
            peer.say("hello")
            await other.until("> hello")
            await shop.stopService()
            for each in (peer, other):
                assert each.lines[-1] == "-- The server is stopping. Goodbye."
                await each.lost

    def test_a_service_that_cannot_listen_says_why(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._that_cannot_listen())

    async def _that_cannot_listen(self) -> None:
        port = free_port()
        first, second = (run("As a service", port) for _ in range(2))
        first["shop"].startService()
        with pytest.raises(ListenError, match=r"Cannot listen on line=tcp:\d+: Address already in"):
            second["shop"].startService()
        await first["shop"].stopService()

    def test_it_is_reloaded_while_people_talk(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._reloaded())

    async def _reloaded(self) -> None:
        old, new = free_port(), free_port()
        names = run("As a service", old)
        names["shop"].startService()
        peer = await Peer.connect(old)
        settings = Settings(listen=(f"line=tcp:{new}",), welcome="We moved.", lobby="#other")
        assert await names["chat"].reload(settings) == ["lobby"]
        newcomer = await Peer.connect(new)
        assert newcomer.lines[0] == "We moved."
        newcomer.say("hello")
        await peer.until("> hello")
        await names["shop"].stopService()
        await peer.lost
        await newcomer.lost

    def test_on_an_endpoint_of_its_own(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._on_an_endpoint())

    async def _on_an_endpoint(self) -> None:
        port = free_port()
        door = run("On an endpoint of your own", port)["door"]
        peer, other = await Peer.connect(port), await Peer.connect(port)
        assert peer.lines[0] == "Welcome to the shop!"
        assert "in #shop" in peer.lines[1]
        peer.say("hello")
        await other.until("> hello")
        (listening,) = (each for each in reactor.getReaders() if each_factory(each) is door)
        await listening.stopListening()
        await door.close("Goodbye.", 10)
        for each in (peer, other):
            assert each.lines[-1] == "-- Goodbye."
            await each.lost

    def test_irc_beside_it(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._irc_beside_it())

    async def _irc_beside_it(self) -> None:
        port, other = free_port(), free_port()
        names = run("IRC beside it", port, other)
        peer = await Peer.connect(port)
        assert "in #shop" in peer.lines[1]
        client: Peer = await connectProtocol(
            TCP4ClientEndpoint(reactor, "127.0.0.1", other), Peer()
        )
        for line in ("NICK ann", "USER ann 0 * :Ann", "JOIN #shop", "PRIVMSG #shop :hello"):
            client.say(line)
        await client.until(" 366 ann #shop ")
        assert client.lines[0].startswith(":irc.shop.example 001 ann :Welcome to the shop Network")
        await peer.until("<ann> hello")
        peer.say("hello, ann")
        await client.until(" PRIVMSG #shop :hello, ann")
        doors = [names["door"], names["irc"]]
        for listening in [each for each in reactor.getReaders() if each_factory(each) in doors]:
            await listening.stopListening()
        for door in doors:
            await door.close("Goodbye.", 10)
        for each in (peer, client):
            await each.lost

    def test_a_member_of_its_own(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._a_member())

    async def _a_member(self) -> None:
        port = free_port()
        names = run("As a service", port)
        names["shop"].startService()
        hub: Hub = names["chat"].hub
        clock = run("A member of your own", hub=hub)["clock"]
        peer = await Peer.connect(port)
        assert "with clock" in peer.lines[1]
        year = time.strftime("%Y")
        peer.say("!time")
        assert (await peer.until(f" {year}")).startswith("<clock> ")
        peer.say("/msg clock time")
        assert (await peer.until("[clock -> you]")).endswith(f" {year}")
        hub.announce("Closing soon.", time.time())
        await peer.until("-- Closing soon.")
        hub.leave(clock, "for tea", time.time())
        await peer.until("-- clock left: for tea (1 here)")
        await names["shop"].stopService()
        await peer.lost

    def test_what_a_bot_raises_is_logged_and_costs_nobody_a_line(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._a_bot_that_raises())

    async def _a_bot_that_raises(self) -> None:
        port = free_port()
        names = run("As a service", port)
        names["shop"].startService()
        hub: Hub = names["chat"].hub
        # At what is said, not at those who leave, of whom it may hear after the end of the test.
        broken = Listener(lambda event: isinstance(event, Said) and 1 / 0)
        hub.enter(broken, time.time(), nick="broken")
        peer, other = await Peer.connect(port), await Peer.connect(port)
        peer.say("hello")
        await other.until("> hello")
        await names["shop"].stopService()
        await peer.lost
        await other.lost
        assert self.flushLoggedErrors(ExceptionGroup)  # type: ignore[no-untyped-call]


def each_factory(reader: Any) -> Any:
    return getattr(reader, "factory", None)


def until_it_fires(*awaited: Any) -> None:
    """Turns of the reactor until all of these have a result."""
    fired: list[Any] = []
    for each in awaited:
        each.addCallback(fired.append)
    end = time.monotonic() + 10
    while len(fired) < len(awaited) and time.monotonic() < end:
        reactor.iterate(0.01)
    assert len(fired) == len(awaited)


LIMITS = [name for name in dir(resource) if name.startswith("RLIMIT_")]


def test_the_process_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No signal, no limit, no clock, no log, no word to systemd: it is not the master here."""

    def process() -> list[object]:
        return [
            [signal.getsignal(number) for number in signal.valid_signals()],
            [resource.getrlimit(getattr(resource, name)) for name in LIMITS],
            reactor.seconds,
            list(globalLogPublisher._observers),
        ]

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        before = process()
        service = make_service(Settings(listen=("line=tcp:0:interface=127.0.0.1",)))
        service.startService()
        during = process()
        reloaded = service.reload(Settings(listen=("line=tcp:0:interface=127.0.0.2",)))
        until_it_fires(reloaded, service.stopService())
        assert before == during == process()
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(4096)


def test_its_log_is_told_apart_by_its_namespaces(tmp_path: Path) -> None:
    port = free_port()
    shop = run("As a service", port)["shop"]
    with capturedLogs() as events:
        shop.startService()
        until_it_fires(shop.stopService())
    ours = [event for event in events if event["log_namespace"].partition(".")[0] == "chatroom"]
    assert [formatEvent(event) for event in ours] == [
        f"What is kept is in {tmp_path / 'chatroom.db'}",
        f"Listening on 0.0.0.0 port {port}. To talk: nc localhost {port}",
    ]


def test_a_member_hears_its_rooms_and_not_itself_and_an_observer_everything() -> None:
    """A member as events in order, when the turn is over; an observer at once."""
    turns: list[Callable[[], None]] = []
    heard: list[Event] = []
    observed: list[Event] = []
    hub = Hub(end_of_turn=turns.append)
    hub.observers.append(observed.append)
    bot = hub.enter(Listener(heard.append), 0.0, nick="bot")
    other = hub.enter(Listener(lambda event: None), 0.0, nick="other")
    hub.say(other, "hello", 1.0)
    hub.say(bot, "hello yourself", 1.0)
    hub.join(other, "#elsewhere", 2.0)
    hub.say(other, "nobody is here", 2.0)
    hub.tell(other, "bot", "psst", 3.0)
    hub.leave(other, "", 4.0)
    assert heard == []
    turns.pop()()
    kinds = [Welcomed, Arrived, Joined, Said, Told, Left, Gone]
    assert [type(event) for event in heard] == kinds
    assert {type(event) for event in observed} == {Joined, Said, Left, Gone}
    assert [event.text for event in observed if isinstance(event, Said)] == [
        "hello",
        "hello yourself",
        "nobody is here",
    ]


def test_a_verb_that_is_refused_says_why() -> None:
    hub = Hub(end_of_turn=lambda flush: None)
    run("A member of your own", hub=hub)
    with pytest.raises(ChatError, match="clock is taken"):
        run("A member of your own", hub=hub)


def test_with_twistd(tmp_path: Path) -> None:
    """A .tac file of its own: twistd is the master, and ends by the signal that it was sent."""
    port = free_port()
    file = tmp_path / "shop.tac"
    file.write_text(EXAMPLES["With twistd"].replace("8000", str(port)))
    command = [TWISTD[0], *re.findall(r"for: twistd (.+)", file.read_text())[0].split()]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, cwd=tmp_path, env=ENVIRON, stdout=log) as process,
    ):
        try:
            wait_for(lambda: is_listening(port), 20, "it listens")
            with Client(port) as client:
                client.arrive()
                process.terminate()
                assert client.rest()[-1] == "-- The server is stopping. Goodbye."
            assert process.wait(20) == -signal.SIGTERM
        finally:
            process.kill()
