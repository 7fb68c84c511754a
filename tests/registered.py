"""A chat with accounts, in memory: its threads run when told, its hashes cost next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from argon2 import PasswordHasher
from twisted.cred.checkers import ICredentialsChecker
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure

from chatroom.events import Event
from chatroom.member import Listener, Member, View
from chatroom.store.accounts import Accounts, Mode
from chatroom.store.guesses import Guesses
from chatroom.store.letters import Letters
from chatroom.store.logincommands import attach_logins
from chatroom.store.logins import Logins
from chatroom.store.passwords import Passwords
from chatroom.store.storedregistrar import StoredRegistrar
from tests.inmemory import Chat, Person
from tests.stored import Stored

__all__ = ["CHEAP", "LOG_IN_FIRST", "PASSWORD", "Peer", "Registered", "Threads", "got", "logged"]

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct-horse"
LOG_IN_FIRST = "-- Log in first: /login NICK PASSWORD, or /register PASSWORD after /nick NAME."


@contextmanager
def logged() -> Iterator[list[LogEvent]]:
    """What is logged meanwhile."""
    events: list[LogEvent] = []
    observer = cast("ILogObserver", events.append)
    globalLogPublisher.addObserver(observer)
    try:
        yield events
    finally:
        globalLogPublisher.removeObserver(observer)


def got(asked: Any) -> Any:
    """What an answer is: its value, or what it failed with; None while there is none."""
    answers: list[Any] = []
    asked.addBoth(answers.append)
    (answer,) = answers or [None]
    return answer.value if isinstance(answer, Failure) else answer


class Peer:
    """A connection that may not be in the hub yet, and the door of its member once it is."""

    def __init__(
        self, address: str = "192.0.2.7", *, is_private: bool = True, fingerprint: str = ""
    ) -> None:
        self.address, self.is_private, self.fingerprint = address, is_private, fingerprint
        self.heard: list[Event] = []
        self.closed = False
        self._listener = Listener(self.heard.append)

    def view(self, member: Member) -> View:
        return self._listener.view(member)

    def write(self, data: Any) -> None:
        self._listener.write(data)

    def close(self) -> None:
        self.closed = True

    def enters(self, chat: Chat, nick: str) -> Member:
        return chat.hub.enter(self, chat.now, nick, self.address)


class Threads:
    """A reactor and a pool of threads that work at once, or when they are let go."""

    def __init__(self) -> None:
        self.held = False
        self.started = self.stopped = 0
        self._waiting: list[Callable[[], object]] = []

    def start(self) -> None:
        self.started += 1

    def stop(self) -> None:
        self.stopped += 1

    def callFromThread(self, f: Callable[..., object], *arguments: Any) -> None:
        f(*arguments)

    def callInThreadWithCallback(
        self, done: Callable[[bool, Any], object], f: Callable[..., Any], *arguments: Any
    ) -> None:
        def work() -> None:
            try:
                made = f(*arguments)
            except Exception as error:
                done(False, error)
            else:
                done(True, made)

        if self.held:
            self._waiting.append(work)
        else:
            work()

    def step(self) -> None:
        """Do what waits the longest."""
        self._waiting.pop(0)()

    def let_go(self) -> None:
        self.held = False
        while self._waiting:
            self.step()


class Registered(Chat):
    """A chat in which nicks may be registered, with what keeps them at hand."""

    def __init__(
        self,
        mode: Mode = "optional",
        others: Sequence[ICredentialsChecker] = (),
        database: Stored | None = None,
        *,
        registers: bool = True,
        reserved: Container[str] = (),
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.database = database or Stored()
        self.threads = Threads()
        self.passwords = Passwords(self.threads, CHEAP, self.threads, iterations=2)
        self.accounts = Accounts(self.database, mode)
        self.bans: list[tuple[str, float, float]] = []
        self.registrar = self.hub.registrar = StoredRegistrar(
            self.hub,
            self.database,
            self.accounts,
            self.passwords,
            Guesses(lambda *ban: self.bans.append(ban)),
            lambda: self.now,
            others,
            registers=registers,
            reserved=lambda nick: nick in reserved,
            shortest=8,
        )
        self.logins = Logins(self.accounts, self.registrar, lambda: self.now)
        attach_logins(self.hub, self.logins)
        self.letters = Letters(self.database, self.accounts, lambda: self.now)
        self.letters.attach(self.hub, self.registrar.sessions)

    def own(self, nick: str, address: str = "192.0.2.1") -> Person:
        """Someone enters, registers that nick, and has read it."""
        person = self.enter(address=address)
        person.gets(f"/nick {nick}", f"/register {PASSWORD}")
        self.now += 3600  # so that nothing of it counts any more
        assert person.member.account == nick.lower()
        return person
