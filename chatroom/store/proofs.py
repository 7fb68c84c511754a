"""Who proves to be whom: by a password, by SCRAM, by a certificate. Counts each as a guess.

Knows no rooms, and needs no member: a connection may prove who it is before it enters.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatroom.admission import is_loopback
from chatroom.errors import BadText, ChatError, NotAllowed, WrongPassword
from chatroom.member import Member
from chatroom.names import fold
from chatroom.registrar import Claimant, Login, Scram
from chatroom.store.accounts import Accounts
from chatroom.store.certificates import Certificates
from chatroom.store.checkers import Account, IAccount
from chatroom.store.guesses import Guesses
from chatroom.store.scrams import Scrams

__all__ = ["WRONG", "Behind", "Proof", "Proofs", "is_here"]

WRONG: Final = "Wrong nick or password."
_WRONG_CERTIFICATE: Final = "That certificate is not known."
_FAILED: Final = "That could not be done now. Try again in a moment, or tell the operator."

_Made = TypeVar("_Made")
Proof = Callable[[], Coroutine[Any, Any, Account]]

_log = Logger("chatroom")


@dataclass(frozen=True, slots=True)
class Behind:
    """A member as a claimant, whatever door it came by."""

    member: Member

    @property
    def address(self) -> str:
        """As `Claimant`."""
        return self.member.address

    @property
    def is_private(self) -> bool:
        """As `Claimant`."""
        return self.member.door.is_private

    fingerprint = ""


class Proofs:
    """`clock` tells the wall time, for what is answered later. `plaintext`: passwords may come
    over connections that others can read."""

    def __init__(
        self,
        accounts: Accounts,
        portal: Portal,
        scrams: Scrams,
        certificates: Certificates,
        guesses: Guesses,
        clock: Callable[[], float],
        *,
        plaintext: bool = False,
    ) -> None:
        self.plaintext = plaintext
        self._accounts = accounts
        self._portal = portal
        self._scrams = scrams
        self._certificates = certificates
        self._guesses = guesses
        self._clock = clock
        self._under_way: set[Hashable] = set()
        self._challenged: dict[Hashable, Login] = {}

    def forget(self, claimant: Claimant) -> None:
        """It is gone: nothing of it is under way, and its tries are forgotten."""
        key = _key(claimant)
        self._guesses.left(key)
        self._under_way.discard(key)
        self._challenged.pop(key, None)

    # Before it

    def takes_password(self, claimant: Claimant) -> bool:
        """Whether a password may come from there."""
        return self.plaintext or claimant.is_private

    def must_be_private(self, claimant: Claimant) -> None:
        """Raises NotAllowed where a password could be read by others."""
        if not self.takes_password(claimant):
            raise NotAllowed(
                "Your password would cross the network unencrypted, where others can read it: not "
                "done. Connect by TLS, or ask the operator for accounts: {plaintext: on}."
            )

    def must_be_alone(self, claimant: Claimant) -> None:
        """Raises NotAllowed while something of it is under way, NoSuchMember if it has left."""
        if isinstance(claimant, Behind):
            claimant.member.must_be_present()
        if self.is_under_way(claimant):
            raise NotAllowed("Your last password is still being looked at. Wait a moment.")

    def is_under_way(self, claimant: Claimant) -> bool:
        """Whether something of it is; not any more, if it is gone."""
        return _key(claimant) in self._under_way

    def later(
        self, claimant: Claimant, work: Callable[[], Coroutine[Any, Any, _Made]]
    ) -> Deferred[_Made]:
        """Do it, one thing at a time for each claimant. What else it fails with is a NotAllowed."""
        self._under_way.add(_key(claimant))
        return Deferred.fromCoroutine(self._done(claimant, work))

    async def _done(
        self, claimant: Claimant, work: Callable[[], Coroutine[Any, Any, _Made]]
    ) -> _Made:
        try:
            return await work()
        except ChatError:
            raise
        except Exception as error:
            # Not its message, which may be a third party's and quote the password.
            kind = type(error).__name__
            _log.error("A password could not be looked at: {error}", error=kind)
            raise NotAllowed(_FAILED) from None
        finally:
            self._under_way.discard(_key(claimant))

    # By a password

    def by_password(self, claimant: Claimant, name: str, password: str, now: float) -> Proof:
        """What proves that the claimant is whom it says; it counts as a try from now on."""
        try:
            credentials = UsernamePassword(name.encode(), password.encode())
        except UnicodeEncodeError:
            raise BadText("That nick or password is no text. Type it again.") from None
        self.must_be_alone(claimant)
        self._guesses.ask(_key(claimant), claimant.address, now)
        return lambda: self._compare(claimant, fold(name), credentials)

    async def _compare(
        self, claimant: Claimant, name: str, credentials: UsernamePassword
    ) -> Account:
        """Raises WrongPassword; TooMany if too many are being compared."""
        version = self._accounts.version(name)
        try:
            _, account, _ = await self._portal.login(credentials, claimant, IAccount)
        except UnauthorizedLogin:
            raise self._wrong(claimant, WRONG, self._clock()) from None
        except BaseException:
            self._guesses.undo(_key(claimant), claimant.address)
            raise
        self._guesses.right(_key(claimant), claimant.address)
        assert isinstance(account, Account)
        # It may be another's by now, or have another password.
        if account.is_stored and self._accounts.version(name) != version:
            raise WrongPassword(WRONG)
        return account

    # By SCRAM

    def scram(self, claimant: Claimant, name: str, now: float) -> Deferred[Scram]:
        """As `Registrar.scram`."""
        self.must_be_alone(claimant)
        self._guesses.ask(_key(claimant), claimant.address, now)
        account = fold(name)

        async def look() -> Scram:
            login = self._login(account)
            try:
                record = await self._scrams.of(account)
            except BaseException:
                self._guesses.undo(_key(claimant), claimant.address)
                raise
            if self.is_under_way(claimant):
                self._challenged[_key(claimant)] = login
            return record

        return self.later(claimant, look)

    def scram_done(self, claimant: Claimant, name: str, right: bool, now: float) -> Login:
        """As `Registrar.scram_done`."""
        login = self._challenged.pop(_key(claimant), None)
        if not right or login is None or login.account != fold(name):
            raise self._wrong(claimant, WRONG, now)
        self._guesses.right(_key(claimant), claimant.address)
        if login.version != self._accounts.version(login.account):
            raise WrongPassword(WRONG)
        return login

    # By a certificate

    def by_certificate(self, claimant: Claimant, name: str, now: float) -> Login:
        """As `Registrar.prove_by_certificate`, at once."""
        if not claimant.fingerprint:
            raise WrongPassword("You showed no certificate when you connected.")
        self.must_be_alone(claimant)
        self._guesses.ask(_key(claimant), claimant.address, now)
        account = self._certificates.account(claimant.fingerprint)
        if not account or (name and fold(name) != account):
            raise self._wrong(claimant, _WRONG_CERTIFICATE, now)
        self._guesses.right(_key(claimant), claimant.address)
        return self._login(account)

    # After it

    def _login(self, account: str) -> Login:
        nick = self._accounts.nicks.get(account, account)
        return Login(account, nick, self._accounts.version(account))

    def _wrong(self, claimant: Claimant, sentence: str, now: float) -> WrongPassword:
        _log.info("A wrong login from {address}", address=claimant.address or "this machine")
        self._guesses.wrong(claimant.address, now)
        return WrongPassword(sentence)


def is_here(claimant: Claimant) -> bool:
    """Whether it is certainly on this machine."""
    return claimant.is_private and (not claimant.address or is_loopback(claimant.address))


def _key(claimant: Claimant) -> Hashable:
    """What its tries are counted by: those of a member's commands with those of its /oper."""
    return claimant.member if isinstance(claimant, Behind) else claimant
