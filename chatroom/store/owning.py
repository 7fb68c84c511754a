"""Getting an account, and what its owner may do with it: another password, or none any more.

A password is compared or hashed in a thread; until then anything may happen, so everything is
looked at again when the answer is there.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from chatroom.errors import NameKept, NameTaken, NotAllowed, WrongPassword
from chatroom.member import Member
from chatroom.names import check_nick, fold
from chatroom.registrar import Claimant, Login
from chatroom.store.accounts import Accounts
from chatroom.store.checkers import Account
from chatroom.store.guesses import Guesses
from chatroom.store.passwords import Passwords, fits
from chatroom.store.proofs import Behind, Proof, Proofs, is_here
from chatroom.store.sessions import Sessions

__all__ = ["WRONG_PASSWORD", "Owning"]

WRONG_PASSWORD = "Wrong password."


class Owning:
    """`registers`: accounts are made here. `reserved` tells of a folded nick whether it may be
    registered from this machine alone. A new password has at least `shortest` characters."""

    def __init__(
        self,
        accounts: Accounts,
        proofs: Proofs,
        sessions: Sessions,
        passwords: Passwords,
        guesses: Guesses,
        clock: Callable[[], float],
        *,
        registers: bool,
        reserved: Callable[[str], bool],
        shortest: int,
    ) -> None:
        self.registers = registers
        self.shortest = shortest
        self._accounts = accounts
        self._proofs = proofs
        self._sessions = sessions
        self._passwords = passwords
        self._guesses = guesses
        self._clock = clock
        self._reserved = reserved

    # Getting one

    def register(
        self,
        claimant: Claimant,
        nick: str,
        password: str,
        now: float,
        may: Callable[[], object] = lambda: None,
    ) -> Deferred[Login]:
        """As `Registrar.register`. `may` raises what else is against it, now and later."""
        self._proofs.must_be_private(claimant)
        self._may_register(claimant, nick, may)
        fits(password, self.shortest)
        self._proofs.must_be_alone(claimant)
        self._guesses.register(claimant.address, now)

        async def make() -> Login:
            kept = await self._passwords.make(password)
            if not self._proofs.is_under_way(claimant):
                raise NotAllowed("You left meanwhile: not registered.")
            self._may_register(claimant, nick, may)
            self._accounts.add(nick, kept.hash, self._clock(), kept.scram)
            account = fold(nick)
            return Login(account, nick, self._accounts.version(account))

        return self._proofs.later(claimant, make)

    def _may_register(self, claimant: Claimant, nick: str, may: Callable[[], object]) -> None:
        if not self.registers:
            raise NotAllowed("Accounts are made elsewhere here: ask the operator for one.")
        may()
        account = fold(check_nick(nick))
        if account in self._accounts.nicks:
            raise NameKept(f"{nick} is registered already. If it is yours: /login PASSWORD")
        if self._reserved(account) and not is_here(claimant):
            raise NotAllowed(
                "That nick is kept for the server's operator: register it from the server's own "
                "machine."
            )
        other = self._sessions.hub.members.get(account)
        if other is None:
            return
        mine: object = claimant.member if isinstance(claimant, Behind) else claimant
        if mine is not other and mine is not other.door:
            raise NameTaken(f"{nick} is taken. Choose another nick.")
        if other.account:
            raise NotAllowed(f"You are logged in as {self._nick_of(other.account)}. /logout first.")

    # Having one

    def change(self, member: Member, old: str, new: str, now: float) -> Deferred[None]:
        """As `Registrar.change`."""
        self._proofs.must_be_private(Behind(member))
        account = self._sessions.account_of(member)
        fits(new, self.shortest)
        proof = self._proofs.by_password(Behind(member), self._nick_of(account), old, now)

        async def change() -> None:
            version = self._accounts.version(account)
            if not (await self._own(account, version, proof)).is_stored:
                raise NotAllowed("Your password is not kept here. Change it where it is.")
            kept = await self._passwords.make(new)
            self._must_be_unchanged(account, version)
            self._accounts.change(account, kept.hash, kept.scram)
            why = f"The password of {self._nick_of(account)} is changed: you are logged out."
            self._sessions.log_out(account, why, self._clock(), but=member)

        return self._proofs.later(Behind(member), change)

    def drop(self, member: Member, password: str, now: float) -> Deferred[None]:
        """As `Registrar.drop`."""
        self._proofs.must_be_private(Behind(member))
        account = self._sessions.account_of(member)
        proof = self._proofs.by_password(Behind(member), self._nick_of(account), password, now)

        async def drop() -> None:
            await self._own(account, self._accounts.version(account), proof)
            now, nick = self._clock(), self._nick_of(account)
            for may_drop in self._accounts.on_before_drop:
                may_drop(account, now)
            self._accounts.drop(account)
            why = f"The account {nick} is deleted: you are logged out."
            self._sessions.log_out(account, why, now)

        return self._proofs.later(Behind(member), drop)

    async def _own(self, account: str, version: int, proof: Proof) -> Account:
        """The account that was proven, which has to be this one."""
        try:
            proven = await proof()
        except WrongPassword:
            self._must_be_unchanged(account, version)
            raise WrongPassword(WRONG_PASSWORD) from None
        if proven.name != account:
            raise WrongPassword(WRONG_PASSWORD)
        self._must_be_unchanged(account, version)
        return proven

    def _must_be_unchanged(self, account: str, version: int) -> None:
        if self._accounts.version(account) != version:
            raise NotAllowed("Your account was changed meanwhile. Try again.")

    def _nick_of(self, account: str) -> str:
        return self._accounts.nicks.get(account, account)
