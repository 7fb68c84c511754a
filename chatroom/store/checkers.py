"""Who proves to be whom, by twisted.cred: the accounts of the database, and other authorities.

Whoever is unknown, and whoever's password is wrong, fails alike and after the same work: one query,
one hash, and each of the others asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.cred.checkers import ANONYMOUS, AllowAnonymousAccess, ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from zope.interface import Attribute, Interface, implementer

from chatroom.names import fold
from chatroom.store.database import Database
from chatroom.store.passwords import Passwords

__all__ = ["Account", "Checkers", "IAccount", "Realm", "StoredAccounts", "make_portal"]

_log = Logger("chatroom")


class IAccount(Interface):
    """Who somebody has proven to be."""

    name = Attribute("The account's name, folded; '' for who has none.")
    nick = Attribute("Its nick, as it was registered.")
    is_stored = Attribute("Whether the database has its password, not somebody else.")


@implementer(IAccount)
@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is known when somebody has logged in to it."""

    name: str
    nick: str
    is_stored: bool


class _StoredId(bytes):
    """An account's name, from the database: the avatar IDs of others are plain."""


@implementer(ICredentialsChecker)
class StoredAccounts:
    """Checks nick and password (UTF-8) against the database's hashes."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """Fires with the account's name, or fails with UnauthorizedLogin; TooMany if too many
        passwords are being compared."""
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: Any) -> bytes:
        account = fold(_text(credentials.username))
        rows = await self._database.read(
            "SELECT hash, scram FROM accounts WHERE account = ?", account
        )
        hash, scram = rows[0] if rows else (None, None)
        verified = await self._passwords.verify(
            hash, _text(credentials.password), needs_scram=scram is None
        )
        if not verified.ok:
            raise UnauthorizedLogin
        if verified.rehash is not None or verified.scram is not None:
            # Unless it was changed meanwhile.
            self._database.write(
                "UPDATE accounts SET hash = COALESCE(?, hash), scram = COALESCE(?, scram) "
                "WHERE account = ? AND hash = ?",
                verified.rehash,
                verified.scram,
                account,
                hash,
            )
        return _StoredId(account.encode())


@implementer(ICredentialsChecker)
class Checkers:
    """Several checkers as one: whom any of them knows is let in, the first is asked first.

    In a Portal of twisted.cred, each would take the place of the one before. Raises ValueError for
    one that can't check a nick and a password.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, stored: ICredentialsChecker, others: Sequence[ICredentialsChecker]) -> None:
        for checker in others:
            if IUsernamePassword not in tuple(checker.credentialInterfaces):
                raise ValueError(f"{type(checker).__name__} can't check a nick and a password")
        self._stored = stored
        self._others = tuple(others)

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """Fires with what the first one says that knows them, or fails with UnauthorizedLogin."""
        return Deferred.fromCoroutine(self._ask(credentials))

    async def _ask(self, credentials: Any) -> Any:
        try:
            return await self._stored.requestAvatarId(credentials)
        except UnauthorizedLogin:
            pass
        for checker in self._others:
            try:
                return await maybeDeferred(
                    checker.requestAvatarId, _as_known_to(checker, credentials)
                )
            except UnauthorizedLogin:
                continue
            except Exception as error:
                # Its message is not ours, and may quote the password.
                _log.error(
                    "{checker} could not check a login: {error}",
                    checker=type(checker).__name__,
                    error=type(error).__name__,
                )
        raise UnauthorizedLogin


def _as_known_to(checker: Any, credentials: Any) -> Any:
    """Checkers compare with bytes, but for Twisted's own in memory as `--auth memory` makes it."""
    if any(isinstance(name, str) for name in getattr(checker, "users", ())):
        return UsernamePassword(credentials.username.decode(), credentials.password.decode())
    return credentials


@implementer(IRealm)
class Realm:
    """Makes an Account of what a checker has found. `nicks` has those that are known."""

    def __init__(self, nicks: Mapping[str, str]) -> None:
        self._nicks = nicks

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        """An IAccount; raises NotImplementedError if something else is asked for."""
        if IAccount not in interfaces:
            raise NotImplementedError("This realm has accounts only.")
        return IAccount, self._account(avatarId), lambda: None

    def _account(self, id: Any) -> Account:
        if id == ANONYMOUS:
            return Account("", "", is_stored=False)
        nick = _text(id)
        name = fold(nick)
        return Account(name, self._nicks.get(name, nick), isinstance(id, _StoredId))


def make_portal(
    stored: StoredAccounts,
    nicks: Mapping[str, str],
    others: Sequence[ICredentialsChecker] = (),
    *,
    guests: bool,
) -> Portal:
    """A portal that knows the stored accounts and those of `others`; and `guests`, if they may be
    here without logging in. Raises ValueError for a checker that is of no use here."""
    portal = Portal(Realm(nicks), [Checkers(stored, others)])
    if guests:
        portal.registerChecker(AllowAnonymousAccess())
    return portal


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
