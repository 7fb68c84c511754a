"""Who is logged in to which account: any number of members, under whatever nicks.

Whatever an account's members lose or get when they log in or out is done here, by one way for all
protocols.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from chatroom.errors import BadName, ChatError, NameTaken, NotAllowed, NotLoggedIn
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import check_nick, fold
from chatroom.registrar import Login
from chatroom.store.accounts import Accounts
from chatroom.store.certificates import Certificates
from chatroom.store.checkers import Account

__all__ = ["Sessions"]

_log = Logger("chatroom")


class Sessions:
    """`on_login` are called, in order, with each member that has logged in."""

    def __init__(self, hub: Hub, accounts: Accounts, certificates: Certificates) -> None:
        self.hub = hub
        self.on_login: list[Callable[[Hub, Member, float], object]] = []
        self._accounts = accounts
        self._certificates = certificates

    # Logging in

    def adopt(self, account: Account, now: float, but: Member | None = None) -> Login:
        """The login of an account that was proven by a password; what only another authority knew
        of is known from now on. Raises BadName. `but` is not logged out."""
        accounts, name = self._accounts, account.name
        try:
            check_nick(account.nick)
        except BadName as error:
            raise BadName(f"You are {account.nick}, but can't be called that. {error}") from None
        if not account.is_stored and accounts.has_password(name):
            # Whoever set it need not be the one whom the other authority knows.
            accounts.change(name, None)
            self._certificates.forget_all(name)
            why = f"The password of {account.nick} is kept elsewhere now: you are logged out."
            self.log_out(name, why, now, but=but)
        if name not in accounts.nicks:
            accounts.add(account.nick, None, now)
        return Login(name, accounts.nicks[name], accounts.version(name))

    def enter(self, member: Member, login: Login, now: float) -> None:
        """The member is logged in from now on, and keeps its nick. Raises NotAllowed, see
        `Registrar.enter`."""
        self.begin(member, login, now)
        self.greet(member, now)

    def begin(self, member: Member, login: Login, now: float) -> None:
        """The first half of `enter`: it is logged in; nothing follows from that yet."""
        member.must_be_present()
        self._must_be_so_still(login)
        self._accounts.saw(login.account, now)
        self.hub.identify(member, now, account=login.account)

    def greet(self, member: Member, now: float) -> None:
        """The second half: it gets what waits for it, and leaves where it may not be."""
        _log.info(
            "{account} logged in from {address}",
            account=member.account,
            address=member.address or "this machine",
        )
        for each in self.on_login:
            if member.present:
                each(self.hub, member, now)

    def into_lobby(self, member: Member, now: float) -> None:
        """It may speak now: it enters the lobby, where it could not so far."""
        if self._accounts.mode == "required" and not member.rooms:
            try:
                self.hub.join(member, self.hub.lobby.name, now)
            except ChatError as refusal:
                self.hub.notify(member, str(refusal), now)

    def make_way(self, login: Login, nick: str, now: float, but: Member | None = None) -> None:
        """Take the account's nick from whoever has it, unless that is `but`: an earlier connection
        of its own, or somebody who took it before it was known to be registered. Raises NameTaken
        where the nick is not the account's, NotAllowed as `enter`."""
        self._must_be_so_still(login)
        if fold(nick) != login.account:
            raise NameTaken(f"{nick} is not the nick of {login.nick}. Choose that, or another.")
        hub, other = self.hub, self.hub.members.get(login.account)
        if other is None or other is but:
            return
        if other.account == login.account:
            hub.notify(other, "You logged in from elsewhere, so this connection ends.", now)
            hub.leave(other, "logged in elsewhere", now)
        else:
            hub.notify(other, f"{other.nick} is registered, and its owner logged in.", now)
            self._unname(other, now)

    def _must_be_so_still(self, login: Login) -> None:
        if not self.holds(login):
            raise NotAllowed("Your account was changed meanwhile. Log in again.")

    def holds(self, login: Login) -> bool:
        """As `Registrar.holds`."""
        return self._accounts.version(login.account) == login.version

    # Logging out

    def leave(self, member: Member, now: float) -> None:
        """The member logs out; where accounts are required, it is also taken out of its rooms. Its
        nick is not touched. Raises NotAllowed, TooMany."""
        self.account_of(member)
        # It changes nicks as well, and the login after it once more.
        limit = self.hub.limits.nick_changes
        member.spend("nick", limit, now, "You log in and out too fast.")
        self._log_out(member, now)

    def log_out(self, account: str, why: str, now: float, but: Member | None = None) -> None:
        """Log out who is logged in to it; whose nick is kept for who logs in loses that, too."""
        for other in tuple(self.hub.members.values()):
            if other.account == account and other is not but:
                self.hub.notify(other, why, now)
                self._log_out(other, now)
                if other.folded in self._accounts.nicks:
                    self._unname(other, now)

    def _log_out(self, member: Member, now: float) -> None:
        self.hub.identify(member, now, account="")
        if not self._accounts.may_speak(member):
            for room in tuple(member.rooms):
                self.hub.part(member, room.name, "", now)

    def _unname(self, member: Member, now: float) -> None:
        self.hub.unname(member, now)
        self.hub.notify(member, f"You are {member.nick} now.", now)

    # Of each member

    def account_of(self, member: Member) -> str:
        """The account that it is logged in to. Raises NotLoggedIn."""
        if not member.account:
            raise NotLoggedIn("You are not logged in. /login NICK PASSWORD does.")
        return member.account

    def own(self, member: Member) -> Login:
        """As `Registrar.own`."""
        account, accounts = self.account_of(member), self._accounts
        return Login(account, accounts.nicks.get(account, account), accounts.version(account))
