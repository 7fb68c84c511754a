"""What one chat keeps: opened when its service starts, attached to its hub, closed at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from chatroom.archive import Archive
from chatroom.cloak import Cloak
from chatroom.commands import attach
from chatroom.config import Settings
from chatroom.hub import Hub
from chatroom.names import fold
from chatroom.room import Room
from chatroom.store.accounts import Accounts
from chatroom.store.archive import StoredArchive
from chatroom.store.database import Database
from chatroom.store.guesses import Guesses
from chatroom.store.history import History
from chatroom.store.letters import Letters
from chatroom.store.logincommands import attach_logins
from chatroom.store.logins import Logins
from chatroom.store.memory import MemoryDatabase
from chatroom.store.moderating import commands
from chatroom.store.moderation import Moderation
from chatroom.store.operators import Operators
from chatroom.store.passwords import Passwords
from chatroom.store.reading import Reading
from chatroom.store.retention import Retention
from chatroom.store.secrets import secret
from chatroom.store.sqlitefile import SQLiteFile, StoreError
from chatroom.store.storedregistrar import StoredRegistrar

__all__ = ["Keeping"]

_TIDY_SECONDS = 600.0

_log = Logger("chatroom")


class Keeping:
    """History, accounts and moderation of `hub`, by these settings. `checkers` know passwords as
    well (Twisted's `--auth`)."""

    def __init__(
        self,
        hub: Hub,
        settings: Settings,
        reactor: Any,
        checkers: Sequence[ICredentialsChecker] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._hub = hub
        self._settings = settings
        self._reactor = reactor
        self._checkers = checkers
        self._clock = clock
        self._retention: Retention | None = None
        self._database: Database | None = None
        self._registrar: StoredRegistrar | None = None
        self._history: History | None = None

    def open(self) -> None:
        """Read what is to be known at once, and attach all to the hub. Raises StoreError."""
        hub = self._hub
        guards, known = list(hub.guards), dict(hub.commands)
        self._archive = hub.archive
        self._were = hub.registrar, hub.cloak, hub.authority
        self._database = database = self._opened()
        try:
            self._attach(database)
        except StoreError:
            hub.registrar, hub.cloak, hub.authority = self._were
            hub.archive = self._archive
            database.abandon()  # its threads would keep the process from ending
            raise
        self._guards = [guard for guard in hub.guards if guard not in guards]
        self._commands = {
            name: known.get(name)
            for name, command in hub.commands.items()
            if known.get(name) is not command
        }
        self.apply(self._settings)
        self._tidying = LoopingCall(self._tidy)
        self._tidying.clock = self._reactor
        self._tidying.start(_TIDY_SECONDS, now=False)

    def _attach(self, database: Database) -> None:
        self._hub.cloak = Cloak(secret(database, "cloak"))
        self._passwords = Passwords(self._reactor)
        guesses = Guesses(self._ban)
        accounts = self._attach_accounts(database, guesses)
        self._attach_moderation(database, guesses, accounts)
        self._history = self._attach_history(database) if self._settings.store else None
        self._attach_archive(self._history, accounts)

    def _opened(self) -> Database:
        settings = self._settings
        if settings.store is None:
            return MemoryDatabase()
        file = SQLiteFile(settings.store, safe=settings.history.durable == "before")
        _log.info("What is kept is in {file}", file=os.path.abspath(settings.store))
        return Database(file, self._reactor, self._tell)

    def _tidy(self) -> None:
        self._moderation.tidy(self._clock())

    def apply(self, settings: Settings) -> None:
        """Use what of the settings may change while it runs."""
        self._settings = settings
        if self._database is None:
            return
        for room in self._hub.rooms.values():
            if not self._moderation.keeps(room):
                room.keep(0)
        operators = settings.operators
        self._moderation.apply(operators.accounts)
        self._operators.apply(operators.passwords, settings.accounts.plaintext)

    def close(self) -> Deferred[None]:
        """Write what waits, and let go of the file and of the hub."""
        database, self._database = self._database, None
        if database is None:
            return succeed(None)
        self._tidying.stop()
        if self._retention is not None:
            self._retention.stop()
        self._passwords.close()
        for guard in self._guards:
            self._hub.guards.remove(guard)
        for name, command in self._commands.items():
            del self._hub.commands[name]
            if command is not None:
                self._hub.commands[name] = command
        self._hub.use_gate(None)
        self._hub.archive = self._archive
        self._hub.registrar, self._hub.cloak, self._hub.authority = self._were
        return database.close()

    def _attach_accounts(self, database: Database, guesses: Guesses) -> Accounts | None:
        mode = self._settings.accounts.mode
        if mode == "off":
            return None
        accounts = Accounts(database, mode)
        self._registrar = self._hub.registrar = registrar = StoredRegistrar(
            self._hub,
            database,
            accounts,
            self._passwords,
            guesses,
            self._clock,
            self._checkers,
            plaintext=self._settings.accounts.plaintext,
            registers=not self._checkers,
            reserved=self._is_operators,
            shortest=self._settings.accounts.shortest_password,
        )
        attach_logins(self._hub, Logins(accounts, registrar, self._clock))
        registrar.letters = letters = Letters(database, accounts, self._clock)
        letters.attach(self._hub, registrar.sessions)
        return accounts

    def _attach_moderation(
        self, database: Database, guesses: Guesses, accounts: Accounts | None
    ) -> None:
        self._moderation = moderation = Moderation(
            self._hub,
            database,
            self._clock,
            is_registered=lambda name: accounts is not None and name in accounts.nicks,
            hide=self._hide,
            hide_room=self._hide_name,
        )
        moderation.attach()
        if accounts is not None and self._registrar is not None:
            accounts.on_drop.append(moderation.forget_account)
            accounts.on_before_drop.append(moderation.may_drop)
            self._registrar.sessions.on_login.insert(0, moderation.logged_in)
        self._operators = Operators(moderation, self._passwords, guesses, self._clock)
        self._operators.attach()
        attach(self._hub, [*commands(moderation), *self._operators.commands()])

    def _attach_history(self, database: Database) -> History:
        kept = self._settings.history
        before = kept.durable == "before"
        history = History(
            self._hub, database, self._clock, before=before, keeps=self._moderation.keeps
        )
        history.attach()
        reading = Reading(history, self._clock)
        self._hub.guards.append(reading)
        attach(self._hub, reading.commands())
        is_open = self._hub.rooms.__contains__
        self._retention = Retention(
            database, self._reactor, self._clock, kept.keep, kept.keep_lines, is_open
        )
        self._retention.start()
        return history

    def _attach_archive(self, history: History | None, accounts: Accounts | None) -> None:
        """What was said, for whoever asks, and what is kept beside it."""
        hub, private = self._hub, self._settings.history.private
        archive = Archive(hub) if history is None else StoredArchive(history, private=private)
        hub.archive = archive
        hub.guards.append(archive)
        if accounts is not None:
            accounts.on_drop.insert(0, self._forget_account)

    def _forget_account(self, account: str) -> None:
        """Before its rooms are nobody's."""
        for room in self._moderation.rooms.owned(account):
            if room not in self._hub.rooms:
                self._hub.archive.forget(f"room:{room}")
        self._hub.archive.forget_account(account)

    def _is_operators(self, nick: str) -> bool:
        """Whether a folded nick is an operator's by the settings."""
        return nick in map(fold, self._settings.operators.accounts)

    def _tell(self, sentence: str) -> None:
        """To the log, and to the operators who are here."""
        _log.warn("{sentence}", sentence=sentence)
        for member in self._hub.members.values():
            if self._moderation.is_server_operator(member):
                self._hub.notify(member, sentence, self._clock())

    def _ban(self, source: str, until: float, now: float) -> None:
        self._moderation.ban_source(source, until, now)

    def _hide(self, room: Room) -> None:
        if self._history is not None:
            self._history.hide(room)

    def _hide_name(self, room: str) -> None:
        if self._history is not None:
            self._history.hide_name(room)
