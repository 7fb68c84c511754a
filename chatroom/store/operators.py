"""`/oper`: who knows a password of the settings runs the server, until it leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.commands import Command
from chatroom.errors import ChatError, NotAllowed, WrongPassword
from chatroom.guard import Guard
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.store.guesses import Guesses
from chatroom.store.moderation import Moderation
from chatroom.store.passwords import Verified

__all__ = ["Operators", "Verifies"]

_log = Logger("chatroom")


class Verifies(Protocol):
    """What compares a password with a hash, as `Passwords` does, in a thread."""

    def verify(self, hash: str | None, password: str) -> Deferred[Verified]:
        """Fires with whether it fits; no hash takes as long as a wrong one. Raises TooMany."""


class Operators(Guard):
    """`passwords` are texts `NAME:HASH`; `plaintext` if one may come over an unencrypted line."""

    def __init__(
        self,
        moderation: Moderation,
        verifies: Verifies,
        guesses: Guesses,
        clock: Callable[[], float],
        *,
        passwords: Iterable[str] = (),
        plaintext: bool = False,
    ) -> None:
        self._moderation = moderation
        self._verifies = verifies
        self._guesses = guesses
        self._clock = clock
        self._trying: set[Member] = set()
        self.apply(passwords, plaintext)

    def apply(self, passwords: Iterable[str], plaintext: bool) -> None:
        """These are the passwords from now on; who runs the server already goes on."""
        self._plaintext = plaintext
        pairs = (text.partition(":") for text in passwords)
        self._hashes = {fold(name): hash for name, _, hash in pairs}

    def attach(self) -> None:
        """Begin."""
        self._moderation.hub.guards.append(self)
        self._moderation.opers = self.oper
        self._moderation.tries = self.try_password

    def try_password(self, door: Hashable, address: str, right: bool, now: float) -> bool:
        """Count a try at another password than an operator's: see `Authority.try_password`."""
        guesses = self._guesses
        try:
            guesses.ask(door, address, now)
            if right:
                guesses.undo(door, address)
            else:
                guesses.wrong(address, now)
        finally:
            guesses.left(door)  # it is let in, or closed
        return right

    def commands(self) -> list[Command]:
        help = "makes you a server operator, until you leave."
        return [Command("oper", "NAME PASSWORD", help, self._oper, needs=2)]

    def left(self, member: Member) -> None:
        self._trying.discard(member)

    def oper(self, member: Member, name: str, password: str, now: float) -> Deferred[None]:
        """As `Authority.oper`. Raises NotAllowed or TooMany at once; fails with WrongPassword or
        TooMany, and with what else went wrong, which is logged, as NotAllowed."""
        if not (member.door.is_private or self._plaintext):
            raise NotAllowed(
                "Your password would cross the network unencrypted, where others can read it: "
                "not done. Connect by TLS."
            )
        if member in self._trying:
            raise NotAllowed("Wait for the answer to your last try.")
        self._guesses.ask(member, member.address, now)
        try:
            verified = self._verifies.verify(self._hashes.get(fold(name)), password)
        except ChatError:
            self._guesses.undo(member, member.address)
            raise
        self._trying.add(member)
        return verified.addCallbacks(
            self._answer, self._failed, callbackArgs=(member, name), errbackArgs=(member,)
        )

    def _oper(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        name, _, password = rest.partition(" ")
        answer = self._moderation.oper(member, name, password.strip(), now)
        Deferred.fromCoroutine(self._told(answer, member))
        return ""

    async def _told(self, answer: Awaitable[None], member: Member) -> None:
        try:
            await answer
            told = "You are a server operator until you leave."
        except ChatError as error:
            told = str(error)
        if member.present:
            self._moderation.hub.notify(member, told, self._clock())

    def _answer(self, verified: Verified, member: Member, name: str) -> None:
        now = self._clock()
        self._trying.discard(member)
        if not verified.ok:
            where = member.address or "this machine"
            _log.info("A wrong password for /oper from {address}", address=where)
            self._guesses.wrong(member.address, now)
            raise WrongPassword("Wrong name or password.")
        self._guesses.right(member, member.address)
        if member.present:
            _log.info("{nick} is a server operator, as {name}", nick=member.nick, name=name)
            self._moderation.here.add(member)
            self._moderation.audit.write(member, "oper", "", name, "", now)

    def _failed(self, failure: Failure, member: Member) -> Failure:
        self._trying.discard(member)
        self._guesses.undo(member, member.address)
        if failure.check(ChatError):
            return failure
        _log.failure("a password could not be verified", failure)
        raise NotAllowed("That did not work, and was logged. Try again later.")
