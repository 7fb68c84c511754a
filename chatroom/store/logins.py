"""The line protocol's way to log in, register, and what else needs a password: each is asked now,
and the member told later. Who logs in is called as its account, and takes over from who is.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.errors import ChatError, NotAllowed
from chatroom.guard import Guard
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.registrar import Login
from chatroom.store.accounts import Accounts
from chatroom.store.proofs import Behind, Proof
from chatroom.store.storedregistrar import StoredRegistrar

__all__ = ["Logins"]


class Logins(Guard):
    """Each verb raises a ChatError, or tells the member what came of it and then fires. `clock`
    tells the wall time, for what is answered later."""

    def __init__(
        self, accounts: Accounts, registrar: StoredRegistrar, clock: Callable[[], float]
    ) -> None:
        self.accounts = accounts
        self._registrar = registrar
        self._proofs = registrar.proofs
        self._sessions = registrar.sessions
        self._owning = registrar.owning
        self._clock = clock

    def left(self, member: Member) -> None:
        """Forget its tries."""
        self._proofs.forget(Behind(member))

    def login(
        self, hub: Hub, member: Member, nick: str, password: str, now: float
    ) -> Deferred[None]:
        """Log in. Raises NotAllowed, TooMany, BadText."""
        if member.account and (member.account, member.nick) == (member.folded, nick):
            raise NotAllowed(f"You are logged in as {member.nick} already.")
        claimant = Behind(member)
        self._proofs.must_be_private(claimant)
        proof = self._proofs.by_password(claimant, nick, password, now)
        work = self._proofs.later(claimant, lambda: self._log_in(hub, member, proof))
        return self._answer(hub, member, work)

    async def _log_in(self, hub: Hub, member: Member, proof: Proof) -> str:
        account = await proof()
        now = self._clock()
        if not member.present:
            return ""
        login = self._sessions.adopt(account, now, but=member)
        self._sessions.make_way(login, login.nick, now, but=member)
        self._sessions.begin(member, login, now)
        if member.nick != login.nick:
            hub.rename(member, login.nick, now, freely=True)
        self._welcome(hub, member, f"You are logged in as {login.nick}.", now)
        return ""

    def register(self, hub: Hub, member: Member, password: str, now: float) -> Deferred[None]:
        """Register the nick that the member has. Raises NotAllowed, NameTaken, TooMany, BadText."""
        nick = member.nick

        def may() -> None:
            if member.account:
                was = self._registrar.nick_of(member.account) or member.account
                raise NotAllowed(f"You are logged in as {was}. /logout first.")
            if member.guest:
                raise NotAllowed("Take a nick first: /nick NAME")
            if member.nick != nick:
                raise NotAllowed(
                    "You changed your nick meanwhile: not registered. /register again."
                )

        def registered(login: Login) -> str:
            now = self._clock()
            self._sessions.begin(member, login, now)
            self._welcome(hub, member, f"You registered {nick}, and are logged in.", now)
            return ""

        work = self._owning.register(Behind(member), nick, password, now, may)
        return self._answer(hub, member, work.addCallback(registered))

    def change(self, hub: Hub, member: Member, old: str, new: str, now: float) -> Deferred[None]:
        """Give its account another password. Raises NotAllowed, TooMany, BadText."""
        work = self._owning.change(member, old, new, now)
        return self._answer(hub, member, work.addCallback(lambda _: "Your password is changed."))

    def drop(self, hub: Hub, member: Member, password: str, now: float) -> Deferred[None]:
        """Delete its account. Raises NotAllowed, TooMany, BadText."""
        nick = self._registrar.nick_of(member.account)
        work = self._owning.drop(member, password, now)
        told = f"Anyone may take the nick {nick} from now on."
        return self._answer(hub, member, work.addCallback(lambda _: told))

    def logout(self, hub: Hub, member: Member, now: float) -> str:
        """Make it a guest; where accounts are required, also take it out of its rooms. Returns
        what to tell it. Raises NotAllowed, TooMany."""
        self._sessions.leave(member, now)
        if not member.guest:
            hub.unname(member, now)
        return f"You are logged out, and are {member.nick} now."

    # Inside

    def _welcome(self, hub: Hub, member: Member, told: str, now: float) -> None:
        hub.notify(member, told, now)
        self._sessions.into_lobby(member, now)
        self._sessions.greet(member, now)

    def _answer(self, hub: Hub, member: Member, work: Deferred[str]) -> Deferred[None]:
        """Tell the member what came of it."""

        def tell(reply: str) -> None:
            if member.present:
                hub.notify(member, reply, self._clock())

        def refused(failure: Failure) -> None:
            failure.trap(ChatError)
            tell(failure.getErrorMessage())

        return work.addCallbacks(tell, refused)
