"""Logging in, registering, and what else needs a password: each is asked now and answered later.

A password is compared in a thread; until then anything may happen to the member, so everything is
looked at again when the answer is there.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatroom.admission import is_loopback
from chatroom.errors import BadName, BadText, ChatError, NameTaken, NotAllowed
from chatroom.guard import Guard
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import check_nick, fold
from chatroom.store.accounts import Accounts
from chatroom.store.checkers import Account, IAccount
from chatroom.store.guesses import Guesses
from chatroom.store.passwords import Passwords, fits

__all__ = ["WRONG", "WRONG_PASSWORD", "Logins"]

WRONG: Final = "Wrong nick or password."
WRONG_PASSWORD: Final = "Wrong password."

_log = Logger("chatroom")

_Work = Callable[[], Coroutine[Any, Any, str]]
_Proof = Callable[[], Coroutine[Any, Any, Account]]


class Logins(Guard):
    """`clock` tells the wall time, for what is answered later. `plaintext`: passwords may come
    over connections that others can read. `registers`: accounts are made here. `reserved` tells
    of a folded nick whether it may be registered from this machine alone. `on_login` are called,
    in order, with each member that has logged in."""

    def __init__(
        self,
        accounts: Accounts,
        portal: Portal,
        passwords: Passwords,
        guesses: Guesses,
        clock: Callable[[], float],
        *,
        plaintext: bool = False,
        registers: bool = True,
        reserved: Callable[[str], bool] = lambda nick: False,
    ) -> None:
        self.accounts = accounts
        self.plaintext = plaintext
        self._registers = registers
        self._reserved = reserved
        self.on_login: list[Callable[[Hub, Member, float], object]] = []
        self._portal = portal
        self._passwords = passwords
        self._guesses = guesses
        self._clock = clock
        self._under_way: set[Member] = set()

    def left(self, member: Member) -> None:
        """Forget its tries."""
        self._guesses.left(member)

    # What a member asks for: each raises a ChatError, or tells the member later

    def login(
        self, hub: Hub, member: Member, nick: str, password: str, now: float
    ) -> Deferred[None]:
        """Log in. Fires when the member was told; raises NotAllowed, TooMany, BadText."""
        if member.account and (member.account, member.nick) == (member.folded, nick):
            raise NotAllowed(f"You are logged in as {member.nick} already.")
        self._must_be_private(member)
        proof = self._proof(member, nick, password, now)
        return self._later(hub, member, lambda: self._log_in(hub, member, proof))

    def register(self, hub: Hub, member: Member, password: str, now: float) -> Deferred[None]:
        """Register the nick that the member has. Raises NotAllowed, NameTaken, TooMany, BadText."""
        self._must_be_private(member)
        self._may_register(member)
        fits(password)
        self._must_be_alone(member)
        self._guesses.register(member.address, now)
        return self._later(hub, member, lambda: self._register(hub, member, password))

    def change(self, hub: Hub, member: Member, old: str, new: str, now: float) -> Deferred[None]:
        """Give its account another password. Raises NotAllowed, TooMany, BadText."""
        self._must_be_private(member)
        account = self._account_of(member)
        fits(new)
        proof = self._proof(member, self._nick_of(account), old, now)
        return self._later(hub, member, lambda: self._change(hub, member, account, proof, new))

    def drop(self, hub: Hub, member: Member, password: str, now: float) -> Deferred[None]:
        """Delete its account. Raises NotAllowed, TooMany, BadText."""
        self._must_be_private(member)
        account = self._account_of(member)
        proof = self._proof(member, self._nick_of(account), password, now)
        return self._later(hub, member, lambda: self._drop(hub, account, proof))

    def logout(self, hub: Hub, member: Member, now: float) -> str:
        """Make it a guest; where accounts are required, also take it out of its rooms. Returns
        what to tell it. Raises NotAllowed, TooMany."""
        self._account_of(member)
        # It changes nicks as well, and the login after it once more.
        member.spend("nick", hub.limits.nick_changes, now, "You log in and out too fast.")
        member.account = ""
        self._take_out(hub, member, now)
        if not member.guest:
            hub.unname(member, now)
        return f"You are logged out, and are {member.nick} now."

    # Before it

    def _must_be_private(self, member: Member) -> None:
        if not (self.plaintext or member.door.is_private):
            raise NotAllowed(
                "Your password would cross the network unencrypted, where others can read it: not "
                "done. Connect by TLS, or ask the operator for accounts: {plaintext: on}."
            )

    def _must_be_alone(self, member: Member) -> None:
        member.must_be_present()
        if member in self._under_way:
            raise NotAllowed("Your last password is still being looked at. Wait a moment.")

    def _may_register(self, member: Member) -> None:
        if not self._registers:
            raise NotAllowed("Accounts are made elsewhere here: ask the operator for one.")
        if member.account:
            raise NotAllowed(
                f"You are logged in as {self._nick_of(member.account)}. /logout first."
            )
        if member.guest:
            raise NotAllowed("Take a nick first: /nick NAME")
        if member.folded in self.accounts.nicks:
            raise NameTaken(f"{member.nick} is registered already. If it is yours: /login PASSWORD")
        if self._reserved(member.folded) and not _is_here(member):
            raise NotAllowed(
                "That nick is kept for the server's operator: register it from the server's own "
                "machine."
            )

    def _account_of(self, member: Member) -> str:
        if not member.account:
            raise NotAllowed("You are not logged in. /login NICK PASSWORD does.")
        return member.account

    def _nick_of(self, account: str) -> str:
        return self.accounts.nicks.get(account, account)

    def _proof(self, member: Member, nick: str, password: str, now: float) -> _Proof:
        """What proves that the member is whom it says; it counts as a try from now on."""
        try:
            credentials = UsernamePassword(nick.encode(), password.encode())
        except UnicodeEncodeError:
            raise BadText("That nick or password is no text. Type it again.") from None
        self._must_be_alone(member)
        self._guesses.ask(member, member.address, now)
        return lambda: self._prove(member, fold(nick), credentials)

    async def _prove(self, member: Member, name: str, credentials: UsernamePassword) -> Account:
        """Raises NotAllowed if it is not; TooMany if too many are being compared."""
        version = self.accounts.version(name)
        try:
            _, account, _ = await self._portal.login(credentials, member, IAccount)
        except UnauthorizedLogin:
            _log.info("A wrong login from {address}", address=member.address or "this machine")
            self._guesses.wrong(member.address, self._clock())
            raise NotAllowed(WRONG) from None
        except BaseException:
            self._guesses.undo(member, member.address)
            raise
        self._guesses.right(member, member.address)
        assert isinstance(account, Account)
        # It may be another's by now, or have another password.
        if account.is_stored and self.accounts.version(name) != version:
            raise NotAllowed(WRONG)
        return account

    def _later(self, hub: Hub, member: Member, work: _Work) -> Deferred[None]:
        """Do it, and tell the member what came of it."""
        self._under_way.add(member)
        return Deferred.fromCoroutine(self._answer(hub, member, work))

    async def _answer(self, hub: Hub, member: Member, work: _Work) -> None:
        try:
            reply = await work()
        except ChatError as refusal:
            reply = str(refusal)
        except Exception as error:
            # Not its message, which may be a third party's and quote the password.
            kind = type(error).__name__
            _log.error("A password could not be looked at: {error}", error=kind)
            reply = "That could not be done now. Try again in a moment, or tell the operator."
        finally:
            self._under_way.discard(member)
        if member.present:
            hub.notify(member, reply, self._clock())

    # After it

    async def _log_in(self, hub: Hub, member: Member, proof: _Proof) -> str:
        account = await proof()
        now = self._clock()
        if not member.present:
            return ""
        try:
            check_nick(account.nick)
        except BadName as error:
            raise BadName(f"You are {account.nick}, but can't be called that. {error}") from None
        if not account.is_stored and self.accounts.has_password(account.name):
            # Whoever set it need not be the one whom the other authority knows.
            self.accounts.change(account.name, None)
            why = f"The password of {account.nick} is kept elsewhere now: you are logged out."
            self._log_out(hub, account.name, why, now, but=member)
        self._make_way(hub, member, account.name, now)
        if account.name not in self.accounts.nicks:
            self.accounts.add(account.nick, None, now)
        self.accounts.saw(account.name, now)
        member.account = account.name
        if member.nick != account.nick:
            hub.rename(member, account.nick, now, freely=True)
        hub.notify(member, f"You are logged in as {account.nick}.", now)
        self._welcome(hub, member, now)
        return ""

    def _make_way(self, hub: Hub, member: Member, account: str, now: float) -> None:
        """Take the nick from whoever has it: an earlier connection of its own, or somebody who
        took it before it was known to be registered."""
        other = hub.members.get(account)
        if other is None or other is member:
            return
        if other.account == account:
            hub.notify(other, "You logged in from elsewhere, so this connection ends.", now)
            hub.leave(other, "logged in elsewhere", now)
        else:
            hub.notify(other, f"{other.nick} is registered, and its owner logged in.", now)
            hub.unname(other, now)
            hub.notify(other, f"You are {other.nick} now.", now)

    def _welcome(self, hub: Hub, member: Member, now: float) -> None:
        """It may speak now: it enters the lobby if it could not, and gets what waits for it."""
        _log.info(
            "{account} logged in from {address}",
            account=member.account,
            address=member.address or "this machine",
        )
        if self.accounts.mode == "required" and not member.rooms:
            try:
                hub.join(member, hub.lobby.name, now)
            except ChatError as refusal:
                hub.notify(member, str(refusal), now)
        for each in self.on_login:
            if member.present:
                each(hub, member, now)

    def _take_out(self, hub: Hub, member: Member, now: float) -> None:
        """Out of its rooms, where only those may be who have logged in."""
        if not self.accounts.may_speak(member):
            for room in tuple(member.rooms):
                hub.part(member, room.name, "", now)

    async def _register(self, hub: Hub, member: Member, password: str) -> str:
        account = member.folded
        hash = await self._passwords.hash(password)
        if not member.present:
            return ""
        self._may_register(member)
        if member.folded != account:
            raise NotAllowed("You changed your nick meanwhile: not registered. /register again.")
        now = self._clock()
        self.accounts.add(member.nick, hash, now)
        member.account = account
        hub.notify(member, f"You registered {member.nick}, and are logged in.", now)
        self._welcome(hub, member, now)
        return ""

    async def _change(self, hub: Hub, member: Member, account: str, proof: _Proof, new: str) -> str:
        version = self.accounts.version(account)
        if not (await self._own(account, version, proof)).is_stored:
            raise NotAllowed("Your password is not kept here. Change it where it is.")
        hash = await self._passwords.hash(new)
        self._must_be_unchanged(account, version)
        self.accounts.change(account, hash)
        why = f"The password of {self._nick_of(account)} is changed: you are logged out."
        self._log_out(hub, account, why, self._clock(), but=member)
        return "Your password is changed."

    async def _drop(self, hub: Hub, account: str, proof: _Proof) -> str:
        await self._own(account, self.accounts.version(account), proof)
        now, nick = self._clock(), self._nick_of(account)
        for may_drop in self.accounts.on_before_drop:
            may_drop(account, now)
        self.accounts.drop(account)
        self._log_out(hub, account, f"The account {nick} is deleted: you are logged out.", now)
        return f"Anyone may take the nick {nick} from now on."

    async def _own(self, account: str, version: int, proof: _Proof) -> Account:
        """The account that was proven, which has to be this one."""
        try:
            proven = await proof()
        except NotAllowed:
            self._must_be_unchanged(account, version)
            raise NotAllowed(WRONG_PASSWORD) from None
        if proven.name != account:
            raise NotAllowed(WRONG_PASSWORD)
        self._must_be_unchanged(account, version)
        return proven

    def _must_be_unchanged(self, account: str, version: int) -> None:
        if self.accounts.version(account) != version:
            raise NotAllowed("Your account was changed meanwhile. Try again.")

    def _log_out(
        self, hub: Hub, account: str, why: str, now: float, but: Member | None = None
    ) -> None:
        """Log out who is logged in to it; whose nick is kept for who logs in loses that, too."""
        for other in tuple(hub.members.values()):
            if other.account == account and other is not but:
                other.account = ""
                hub.notify(other, why, now)
                self._take_out(hub, other, now)
                if other.folded in self.accounts.nicks:
                    hub.unname(other, now)
                    hub.notify(other, f"You are {other.nick} now.", now)


def _is_here(member: Member) -> bool:
    """Whether it is certainly on this machine."""
    return member.door.is_private and (not member.address or is_loopback(member.address))
