"""Whose nicks are, and who may do what before logging in. Knows no passwords.

The registered nicks are in memory, since a nick has to be refused at once; the rest of each account
is in the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from typing import Final, Literal

from chatroom.errors import BadUsage, NameKept, NotLoggedIn
from chatroom.guard import Guard, Verb
from chatroom.member import Listener, Member
from chatroom.names import fold
from chatroom.store.database import Database

__all__ = ["LOG_IN_FIRST", "Accounts", "Mode"]

Mode = Literal["required", "optional", "off"]

LOG_IN_FIRST: Final = "Log in first: /login NICK PASSWORD, or /register PASSWORD after /nick NAME."

_FOR_EVERYONE: Final = frozenset(
    {"help", "login", "motd", "nick", "oper", "quit", "register", "version"}
)
# A line that begins with a space is said, and so would be the password in it.
_ALMOST_SAID: Final = re.compile(
    r"^[^\S\n]+/(login|register|password|drop|oper)(?!\S)", re.IGNORECASE | re.MULTILINE
)


class Accounts(Guard):
    """Keeps registered nicks for whom they belong to and, where accounts are `required`, everyone
    else silent. `nicks` has the registered ones by account; `on_drop` are told of each account
    that is no more, by its name. `on_before_drop` are called with an account that its owner wants
    to delete, and now; they raise NotAllowed if that can't be."""

    def __init__(self, database: Database, mode: Mode) -> None:
        self._database = database
        self.mode: Mode = mode
        rows = database.load("SELECT account, nick, hash IS NOT NULL, created FROM accounts")
        self.nicks: dict[str, str] = {account: nick for account, nick, _, _ in rows}
        self._with_password = {account for account, _, has_hash, _ in rows if has_hash}
        self._created: dict[str, int] = {account: created for account, _, _, created in rows}
        self._changes = count(1)
        self._versions: dict[str, int] = {}
        self.on_before_drop: list[Callable[[str, float], object]] = []
        self.on_drop: list[Callable[[str], object]] = []

    def ask(self, verb: Verb, member: Member, about: str, text: str, now: float) -> None:
        """Raises NameKept for another's nick, NotLoggedIn for who must log in first, BadUsage for
        a password that would be said aloud."""
        if verb == "say" and "/" in text and (command := _ALMOST_SAID.search(text)) is not None:
            raise BadUsage(
                f"There is a space before /{command[1].lower()}, so it was almost said aloud. "
                "Without it, please."
            )
        if verb == "rename":
            self.may_be_called(about, member.account)
        elif not self.may_speak(member) and not (verb == "command" and about in _FOR_EVERYONE):
            raise NotLoggedIn(LOG_IN_FIRST)

    def may_speak(self, member: Member) -> bool:
        """Whether it has logged in, need not, or is a program of this process."""
        return bool(member.account) or self.mode != "required" or isinstance(member.door, Listener)

    def may_be_called(self, nick: str, account: str) -> None:
        """Raises NameKept for a registered nick, unless it is this folded account's ('' for who
        has none)."""
        kept = fold(nick)
        if kept in self.nicks and kept != account and self.mode != "off":
            raise NameKept(f"{nick} is registered. If it is yours: /login {nick} PASSWORD")

    # Each account

    def version(self, account: str) -> int:
        """Another number whenever it was added, changed or dropped: what was compared with its
        password before says nothing any more."""
        return self._versions.get(account, 0) if account in self.nicks else -1

    def has_password(self, account: str) -> bool:
        """Whether it has a password here, maybe beside one that is kept elsewhere."""
        return account in self._with_password

    @property
    def have_passwords(self) -> bool:
        """Whether the password of any account is kept here."""
        return bool(self._with_password)

    def since(self, account: str) -> float | None:
        """When it was registered, in seconds since the epoch; None if it is not."""
        created = self._created.get(account)
        return None if created is None else created / 1000

    def add(self, nick: str, hash: str | None, now: float, scram: str | None = None) -> None:
        """An account of that nick; its hash is None if its password is kept elsewhere. `scram` is
        what SCRAM needs of it."""
        account, time = fold(nick), _milliseconds(now)
        self.nicks[account] = nick
        self._created.setdefault(account, time)
        self._changed(account, hash)
        self._database.write(
            "INSERT INTO accounts (account, nick, hash, created, seen, scram) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET "
            "hash = excluded.hash, seen = excluded.seen, scram = excluded.scram",
            account,
            nick,
            hash,
            time,
            time,
            scram,
        )

    def saw(self, account: str, now: float) -> None:
        """Somebody logged in to it."""
        self._database.write(
            "UPDATE accounts SET seen = ? WHERE account = ?", _milliseconds(now), account
        )

    def change(self, account: str, hash: str | None, scram: str | None = None) -> None:
        """It has another password; None if that is kept elsewhere."""
        self._changed(account, hash)
        self._database.write(
            "UPDATE accounts SET hash = ?, scram = ? WHERE account = ?", hash, scram, account
        )

    def drop(self, account: str) -> None:
        """It is no more, and its nick anyone's."""
        self.nicks.pop(account, None)
        self._created.pop(account, None)
        self._versions.pop(account, None)
        self._with_password.discard(account)
        self._database.write("DELETE FROM accounts WHERE account = ?", account)
        for forget in self.on_drop:
            forget(account)

    def _changed(self, account: str, hash: str | None) -> None:
        self._versions[account] = next(self._changes)
        if hash is None:
            self._with_password.discard(account)
        else:
            self._with_password.add(account)


def _milliseconds(now: float) -> int:
    return int(now * 1000)
