"""Whom a hub asks who somebody is, for every protocol that can say so before or after it entered.

A Registrar is attached to a hub as `hub.registrar`. This one is what a hub has without any: nobody
has an account.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from chatroom.errors import NoSuchMember, NotAllowed, NotLoggedIn

if TYPE_CHECKING:
    from chatroom.member import Member

__all__ = ["Claimant", "Login", "Registrar", "Scram"]

_NOBODY = "There are no accounts here."


class Claimant(Protocol):
    """Who says to be somebody: a connection, be there a member behind it yet or not. It is the
    door of its member, once there is one."""

    @property
    def address(self) -> str:
        """Where it comes from; '' for a UNIX socket."""

    @property
    def is_private(self) -> bool:
        """Whether nobody on the network can read along."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the TLS certificate that it showed, in lower-case hex; '' if none."""

    def __hash__(self) -> int:
        """It is itself, whatever it says: its tries are counted."""


class Login(NamedTuple):
    """Who somebody has proven to be: the account's folded name, its nick as registered, and which
    version of the account that was, since it may be another's or have another password later."""

    account: str
    nick: str
    version: int = 0


class Scram(NamedTuple):
    """What the server knows of a password for SCRAM-SHA-256 (RFC 5802, section 3)."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


class Registrar:
    """What is proven is a Login; `enter` makes a member logged in by it. All that takes a password
    or a proof counts as a guess of the claimant and of where it comes from, and is one at a time:
    NotAllowed while the last one is still looked at.

    What is awaited fails with a ChatError and nothing else, and is answered also when the claimant
    is gone meanwhile: its door looks again.
    """

    mode: str = "off"
    """`required`, `optional` or `off`, as the settings say."""
    registers: bool = False
    """Whether accounts are made here."""
    shortest: int = 1
    """The fewest characters of a new password."""

    # What is known at once

    def mechanisms(self, claimant: Claimant) -> tuple[str, ...]:
        """The SASL mechanisms that are open to this claimant; none where there are no accounts.
        SCRAM-SHA-256 also where others can read along, since it sends no password."""
        return ()

    def nick_of(self, account: str) -> str:
        """The nick of a folded account, as it was registered; '' if there is none."""
        return ""

    def since(self, account: str) -> float | None:
        """When it was registered, in seconds since the epoch; None if there is none."""
        return None

    def may_be_called(self, nick: str, account: str) -> None:
        """Raises NameKept for a registered nick, unless it is of this folded account ('' for who
        has none): what the hub does not ask when someone enters it under a nick."""

    # Proving

    def prove(self, claimant: Claimant, name: str, password: str, now: float) -> Awaitable[Login]:
        """By a password. Raises WrongPassword, NotAllowed, TooMany, BadText, or BadName if that
        account can't be a nick here; at once or later."""
        raise NotAllowed(_NOBODY)

    def scram(self, claimant: Claimant, name: str, now: float) -> Awaitable[Scram]:
        """What to compare a proof with; for who is unknown one that nothing fits, always the same.
        Counts as a guess. Raises NotAllowed, TooMany."""
        raise NotAllowed(_NOBODY)

    def scram_done(self, claimant: Claimant, name: str, right: bool, now: float) -> Login:
        """What came of it, once after each `scram` of that name. Raises WrongPassword."""
        raise NotAllowed(_NOBODY)

    def prove_by_certificate(self, claimant: Claimant, name: str, now: float) -> Awaitable[Login]:
        """By the claimant's certificate; of its account, or only if that is called `name`, unless
        that is ''. Raises WrongPassword, NotAllowed, TooMany, at once or later."""
        raise NotAllowed(_NOBODY)

    def forget(self, claimant: Claimant) -> None:
        """The connection is gone: what it asked is not done any more, its guesses are forgotten."""

    # Being logged in

    def holds(self, login: Login) -> bool:
        """Whether a login still proves anything: its account was neither dropped nor changed since,
        and so `enter` and `make_way` do not refuse it."""
        return False

    def own(self, member: Member) -> Login:
        """The login of a member that is logged in. Raises NotLoggedIn."""
        raise NotLoggedIn(_NOBODY)

    def enter(self, member: Member, login: Login, now: float) -> None:
        """The member, which is in the hub, is logged in from now on, whatever its nick, and however
        many others are logged in to the account. What waits for it is told, what it is banned from
        takes it out. Raises NotAllowed where the account was dropped or changed since."""
        raise NotAllowed(_NOBODY)

    def make_way(self, login: Login, nick: str, now: float) -> None:
        """Take a nick that is the account's from whoever has it now: an earlier connection of the
        account ends, anyone else is made a guest. Raises NameTaken where the nick is not the
        account's, NotAllowed as `enter`."""
        raise NotAllowed(_NOBODY)

    def logout(self, member: Member, now: float) -> None:
        """The member is logged in no more; it keeps its nick unless that is its account's, then it
        is given a guest's. Raises NotAllowed, TooMany."""
        raise NotAllowed(_NOBODY)

    def write_to(self, member: Member, nick: str, text: str, now: float) -> str:
        """Say a line to the account of a nick that nobody has now: to who is logged in to it, under
        whatever nick; else it waits until somebody is. Returns what to tell the member, '' for
        nothing. Raises NoSuchMember where there is no such account, TooMany."""
        raise NoSuchMember(f"Nobody here is called {nick}.")

    # Having an account

    def register(
        self, claimant: Claimant, nick: str, password: str, now: float
    ) -> Awaitable[Login]:
        """Make an account of this nick, which nobody else may have now. Whether the claimant is
        logged in already is known to its door. Raises NameKept for a registered nick, NameTaken for
        one that another is here by, BadName, BadText, NotAllowed or TooMany, at once or later."""
        raise NotAllowed(_NOBODY)

    def change(self, member: Member, old: str, new: str, now: float) -> Awaitable[None]:
        """Give the member's account another password; who else is logged in to it is logged out.
        Raises WrongPassword, NotAllowed, BadText, TooMany, at once or later."""
        raise NotAllowed(_NOBODY)

    def drop(self, member: Member, password: str, now: float) -> Awaitable[None]:
        """Delete the member's account; everyone is logged out of it. Raises as `change`."""
        raise NotAllowed(_NOBODY)

    def keep_certificate(self, member: Member, fingerprint: str, now: float) -> None:
        """Let a certificate prove that one is the member's account. Raises NotAllowed, BadText for
        what is no SHA-256 in hex, TooMany."""
        raise NotAllowed(_NOBODY)

    def certificates(self, member: Member) -> list[str]:
        """The fingerprints that prove the member's account, the oldest first."""
        return []

    def forget_certificate(self, member: Member, fingerprint: str) -> None:
        """Let it prove nothing any more. Raises NotAllowed."""
        raise NotAllowed(_NOBODY)
