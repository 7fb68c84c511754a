"""The accounts of the database, as every protocol asks for them: the core's port, and its parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred, succeed

from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.registrar import Claimant, Login, Registrar, Scram
from chatroom.store.accounts import Accounts
from chatroom.store.certificates import Certificates
from chatroom.store.checkers import StoredAccounts, make_portal
from chatroom.store.database import Database
from chatroom.store.guesses import Guesses
from chatroom.store.letters import Letters
from chatroom.store.owning import Owning
from chatroom.store.passwords import Passwords
from chatroom.store.proofs import Proofs
from chatroom.store.scrams import Scrams
from chatroom.store.secrets import secret
from chatroom.store.sessions import Sessions

__all__ = ["StoredRegistrar"]


class StoredRegistrar(Registrar):
    """`checkers` know passwords as well. `clock` tells the wall time. For the others see `Proofs`
    and `Owning`. Raises StoreError."""

    def __init__(
        self,
        hub: Hub,
        database: Database,
        accounts: Accounts,
        passwords: Passwords,
        guesses: Guesses,
        clock: Callable[[], float],
        checkers: Sequence[ICredentialsChecker] = (),
        *,
        plaintext: bool = False,
        registers: bool = True,
        reserved: Callable[[str], bool] = lambda nick: False,
        shortest: int,
    ) -> None:
        self.mode, self.registers, self.shortest = accounts.mode, registers, shortest
        self._accounts = accounts
        self._certificates = certificates = Certificates(database)
        accounts.on_drop.append(certificates.forget_all)
        stored = StoredAccounts(database, passwords)
        guests = accounts.mode == "optional"
        portal = make_portal(stored, accounts.nicks, checkers, guests=guests)
        scrams = Scrams(database, secret(database, "scram"), passwords.iterations)
        self.proofs = Proofs(
            accounts, portal, scrams, certificates, guesses, clock, plaintext=plaintext
        )
        self.sessions = Sessions(hub, accounts, certificates)
        self.owning = Owning(
            accounts, self.proofs, self.sessions, passwords, guesses, clock,
            registers=registers, reserved=reserved, shortest=shortest,
        )  # fmt: skip
        self._clock = clock
        self._hub = hub
        self.letters: Letters | None = None

    def write_to(self, member: Member, nick: str, text: str, now: float) -> str:
        if self.letters is None:
            return super().write_to(member, nick, text, now)
        return self.letters.write(self._hub, member, nick, text, now)

    # What is known at once

    def mechanisms(self, claimant: Claimant) -> tuple[str, ...]:
        # Who has its password elsewhere has nothing here to compare a proof with.
        offered = {
            "SCRAM-SHA-256": self.registers or self._accounts.have_passwords,
            "EXTERNAL": bool(claimant.fingerprint),
            "PLAIN": self.proofs.takes_password(claimant),
        }
        return tuple(name for name, is_open in offered.items() if is_open)

    def nick_of(self, account: str) -> str:
        return self._accounts.nicks.get(account, "")

    def since(self, account: str) -> float | None:
        return self._accounts.since(account)

    def may_be_called(self, nick: str, account: str) -> None:
        self._accounts.may_be_called(nick, account)

    # Proving

    def prove(self, claimant: Claimant, name: str, password: str, now: float) -> Deferred[Login]:
        self.proofs.must_be_private(claimant)
        proof = self.proofs.by_password(claimant, name, password, now)

        async def work() -> Login:
            return self.sessions.adopt(await proof(), self._clock())

        return self.proofs.later(claimant, work)

    def scram(self, claimant: Claimant, name: str, now: float) -> Deferred[Scram]:
        return self.proofs.scram(claimant, name, now)

    def scram_done(self, claimant: Claimant, name: str, right: bool, now: float) -> Login:
        return self.proofs.scram_done(claimant, name, right, now)

    def prove_by_certificate(self, claimant: Claimant, name: str, now: float) -> Deferred[Login]:
        return succeed(self.proofs.by_certificate(claimant, name, now))

    def forget(self, claimant: Claimant) -> None:
        self.proofs.forget(claimant)

    # Being logged in

    def holds(self, login: Login) -> bool:
        return self.sessions.holds(login)

    def own(self, member: Member) -> Login:
        return self.sessions.own(member)

    def enter(self, member: Member, login: Login, now: float) -> None:
        self.sessions.enter(member, login, now)

    def make_way(self, login: Login, nick: str, now: float) -> None:
        self.sessions.make_way(login, nick, now)

    def logout(self, member: Member, now: float) -> None:
        account = member.account
        self.sessions.leave(member, now)
        if member.folded == account:
            self.sessions.hub.unname(member, now)

    # Having an account

    def register(self, claimant: Claimant, nick: str, password: str, now: float) -> Deferred[Login]:
        return self.owning.register(claimant, nick, password, now)

    def change(self, member: Member, old: str, new: str, now: float) -> Deferred[None]:
        return self.owning.change(member, old, new, now)

    def drop(self, member: Member, password: str, now: float) -> Deferred[None]:
        return self.owning.drop(member, password, now)

    def keep_certificate(self, member: Member, fingerprint: str, now: float) -> None:
        self._certificates.keep(self.sessions.account_of(member), fingerprint, now)

    def certificates(self, member: Member) -> list[str]:
        return self._certificates.of(member.account) if member.account else []

    def forget_certificate(self, member: Member, fingerprint: str) -> None:
        self._certificates.forget(self.sessions.account_of(member), fingerprint)
