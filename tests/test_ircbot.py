"""A bot made with the library `irc`, against the real daemon, while somebody is in the same room
with the line protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from irc.client import Reactor

from tests.daemon import Client, Daemon, wait_for

LISTEN = ("line=tcp:0:interface=127.0.0.1", "irc=tcp:0:interface=127.0.0.1")
SETTINGS = {"limits": {"lines": None}, "operators": {"accounts": ["cara"]}}
SECRET = "correct-horse-9"
SPOKEN = "žluťoučký kůň 🐎 你好"


class Bot:
    """Answers in the room what it hears there, and remembers all that it was told."""

    def __init__(self, port: int, nick: str, password: str) -> None:
        self.told: list[tuple[str, str, str, str]] = []
        self._reactor = Reactor()
        self._reactor.add_global_handler("all_events", self._remember)
        self._reactor.add_global_handler("pubmsg", self._answer)
        self.server = self._reactor.server()
        self.server.connect("127.0.0.1", port, nick, password, sasl_login=nick)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=nick, daemon=True)

    def _run(self) -> None:
        while not self._over.is_set():
            self._reactor.process_once(0.02)

    def _remember(self, server: Any, event: Any) -> None:
        if event.type == "all_raw_messages":
            return
        source = getattr(event.source, "nick", event.source) or ""
        text = " ".join(map(str, event.arguments))
        self.told.append((event.type, str(source), event.target or "", text))

    def _answer(self, server: Any, event: Any) -> None:
        if event.arguments[0].startswith("bot:"):
            server.privmsg(event.target, f"{event.source.nick}: you said {event.arguments[0]}")

    def was_told(self, type: str, source: str, target: str, text: str = "") -> None:
        """Wait until it was told that; the text may be longer."""

        def is_there() -> bool:
            wanted = type, source, target
            return any(told[:3] == wanted and text in told[3] for told in tuple(self.told))

        try:
            wait_for(is_there, 10, type)
        except AssertionError:
            raise AssertionError(f"no {type} from {source} to {target} in {self.told}") from None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join(10)
        self._reactor.disconnect_all()


@pytest.fixture
def cara(tmp_path: Path) -> Iterator[tuple[Daemon, Client]]:
    """Who runs the server, at the line protocol's door; the bot has an account."""
    with Daemon(tmp_path, SETTINGS, listen=LISTEN) as daemon, Client(daemon.port).arrive() as cara:
        with Client(daemon.port).arrive() as other:
            register(other, "robot")
        register(cara, "cara")
        cara.fence()
        yield daemon, cara


def register(client: Client, nick: str) -> None:
    client.ask(f"/nick {nick}")
    client.send(f"/register {SECRET}")
    client.until(f"You registered {nick}")


def test_a_bot_logs_in_joins_talks_and_is_told_what_happens(cara: tuple[Daemon, Client]) -> None:
    daemon, person = cara
    server = "chatroom.local"
    person.send(f"before: {SPOKEN}")
    with Bot(daemon.ports[1], "robot", SECRET) as bot:
        bot.was_told("saslsuccess", server, "robot")
        bot.was_told("welcome", server, "robot")
        bot.server.join("#lobby")
        bot.was_told("join", "robot", "#lobby")
        bot.was_told("endofnames", server, "robot", "#lobby")
        bot.was_told("pubnotice", server, "#lobby", f"<cara> before: {SPOKEN}")
        person.until("robot joined")

        person.send(f"bot: {SPOKEN}")
        assert person.until("you said")[-1] == f"<robot> cara: you said bot: {SPOKEN}"
        person.send("/me nods")
        bot.was_told("action", "cara", "#lobby", "nods")
        bot.server.action("#lobby", "beeps")
        assert person.until("beeps")[-1] == "* robot beeps"

        person.ask("/topic Tea")
        bot.was_told("topic", "cara", "#lobby", "Tea")
        person.ask("/away lunch")
        bot.server.privmsg("cara", "are you there?")
        bot.was_told("away", server, "robot", "cara lunch")
        assert person.until("there?")[-1] == "[robot -> you] are you there?"

        person.send("/kick robot too loud")
        bot.was_told("kick", "cara", "#lobby", "robot too loud")
        bot.server.join("#lobby")
        person.until("robot joined")
        bot.server.quit("rusted")
        assert person.until("rusted")[-1] == "-- robot left: rusted (1 here)"
