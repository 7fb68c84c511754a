"""Private lines that wait for their account until it logs in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatroom.admission import source_of
from chatroom.commands import COMMANDS, Command, attach
from chatroom.errors import NoSuchMember, TooMany
from chatroom.events import Told
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.phrases import plural
from chatroom.store.accounts import Accounts
from chatroom.store.database import Database
from chatroom.store.sessions import Sessions

__all__ = ["MOST_FROM_ONE", "MOST_WAITING", "Letters"]

MOST_WAITING: Final = 100
"""Lines for one account."""

MOST_FROM_ONE: Final = 20
"""Of them, from one account, or from one source of those who have none."""

_log = Logger("chatroom")

_MSG, _REPLY = (command for command in COMMANDS if command.name in ("msg", "reply"))


class Letters:
    """What waits is in the database, and counted in memory, since a line too many is refused at
    once. `clock` tells the wall time."""

    def __init__(self, database: Database, accounts: Accounts, clock: Callable[[], float]) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock
        self._waiting: dict[str, Counter[str]] = {}
        self._under_way: set[str] = set()
        for account, source, number in database.load(
            "SELECT account, source, COUNT(*) FROM letters GROUP BY account, source"
        ):
            self._waiting.setdefault(account, Counter())[source] = number
        ((last,),) = database.load("SELECT COALESCE(MAX(id), 0) FROM letters")
        self._last: int = last

    def attach(self, hub: Hub, sessions: Sessions) -> None:
        """Give the hub a /msg and a /reply that reach also who is not here."""
        attach(hub, self.commands())
        sessions.on_login.append(self.deliver)
        self._accounts.on_drop.append(self.forget)

    def commands(self) -> list[Command]:
        """`/msg` and `/reply`, in the place of the usual ones."""
        help = "says something to one person alone; whose nick is registered gets it later."
        return [replace(_MSG, help=help, run=self._msg), replace(_REPLY, run=self._reply)]

    def write(self, hub: Hub, member: Member, nick: str, text: str, now: float) -> str:
        """What `Registrar.write_to` does."""
        if fold(nick) not in self._accounts.nicks:
            raise NoSuchMember(f"Nobody here is called {nick}. /who lists who is here.")
        return self._write(hub, member, fold(nick), text, now)

    def _msg(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        nick, _, text = rest.partition(" ")
        if fold(nick) in hub.members or fold(nick) not in self._accounts.nicks:
            return _MSG.run(hub, member, rest, now)
        return self.write(hub, member, nick, text.strip(), now)

    def _reply(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        last = member.last_from
        if last is None or last.present or last.account not in self._accounts.nicks:
            return _REPLY.run(hub, member, rest, now)
        return self._write(hub, member, last.account, rest, now)

    def _write(self, hub: Hub, member: Member, account: str, text: str, now: float) -> str:
        """To who is logged in to the account, under whatever nick, and was the last to speak; else
        it waits."""
        here = [other for other in hub.members.values() if other.account == account]
        if not here:
            return self.keep(hub, member, account, text, now)
        last = max(here, key=lambda other: other.spoke)
        return _MSG.run(hub, member, f"{last.nick} {text}", now)

    def keep(self, hub: Hub, member: Member, nick: str, text: str, now: float) -> str:
        """Keep a line for the registered `nick`; returns what to tell its sender. Raises TooMany,
        and what a guard has against it."""
        member.must_be_present()
        account = fold(nick)
        nick = self._accounts.nicks[account]
        hub.ask("tell", member, nick, text, now)
        source = _source(member)
        waiting = self._waiting.get(account, Counter())
        if waiting.total() >= MOST_WAITING:
            raise TooMany(f"{nick} is not here, and too many lines wait already: not sent.")
        if waiting[source] >= MOST_FROM_ONE:
            raise TooMany(f"{nick} is not here, and {MOST_FROM_ONE} lines of yours wait: not sent.")
        waiting[source] += 1
        self._waiting[account] = waiting
        self._last += 1
        self._database.write(
            "INSERT INTO letters (id, account, time, nick, shown, source, text) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            self._last,
            account,
            int(now * 1000),
            member.nick,
            member.shown,
            source,
            text,
        )
        return f"{nick} is not here. Your line waits for {nick}."

    def deliver(self, hub: Hub, member: Member, now: float) -> Deferred[None] | None:
        """Show a member that has logged in what waits for its account, and delete it."""
        if member.account not in self._waiting or member.account in self._under_way:
            return None
        self._under_way.add(member.account)
        return Deferred.fromCoroutine(self._deliver(hub, member, member.account))

    async def _deliver(self, hub: Hub, member: Member, account: str) -> None:
        try:
            rows = await self._database.read(
                "SELECT id, time, nick, shown, source, text FROM letters "
                "WHERE account = ? ORDER BY id",
                account,
            )
        except Exception:
            _log.failure("The lines that wait for {account} could not be read", account=account)
            return
        finally:
            self._under_way.discard(account)
        if not rows or not member.present or member.account != account:
            return
        told = [
            Told(id, time / 1000, None, nick, shown, member.nick, text, echo=False)
            for id, time, nick, shown, _, text in rows
            if fold(nick) not in member.ignored
        ]
        if told:
            now = self._clock()
            hub.notify(member, f"{plural(len(told), 'line')} waited for you:", now)
            hub.show_again(member, None, told, len(told), now)
            member.last_from = hub.members.get(fold(told[-1].sender), member.last_from)
        self._database.write(
            "DELETE FROM letters WHERE account = ? AND id <= ?", account, rows[-1][0]
        )
        self._uncount(account, Counter(row[4] for row in rows))

    def forget(self, account: str) -> None:
        """Delete what waits for an account that is no more."""
        self._waiting.pop(account, None)
        self._database.write("DELETE FROM letters WHERE account = ?", account)

    def _uncount(self, account: str, sources: Counter[str]) -> None:
        waiting = self._waiting.pop(account, Counter()) - sources
        if waiting:
            self._waiting[account] = waiting


def _source(member: Member) -> str:
    """Where a line comes from: of each there may be so many."""
    if member.account:
        return f"account:{member.account}"
    return f"address:{source_of(member.address) or member.address}"
