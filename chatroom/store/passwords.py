"""Passwords: which may be chosen, and their hashes (argon2id), made and compared in threads.

Knows no accounts. No password is in any error, log or representation that is made here.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from chatroom.errors import BadText, TooMany
from chatroom.phrases import plural
from chatroom.scram import derive
from chatroom.store.scrams import ITERATIONS, SALT_BYTES, written

__all__ = [
    "MOST_BYTES",
    "MOST_WAITING",
    "Kept",
    "Passwords",
    "Verified",
    "fits",
    "hash_now",
]

MOST_BYTES = 1024
MOST_WAITING = 64
_THREADS = 2

_Made = TypeVar("_Made")

_log = Logger("chatroom")


class Kept(NamedTuple):
    """What is kept of a password: its hash, and what SCRAM needs."""

    hash: str
    scram: str


class Verified(NamedTuple):
    """Whether a password is right, and what to keep in the place of its hash, and for SCRAM, if
    anything."""

    ok: bool
    rehash: str | None = None
    scram: str | None = None


def fits(password: str, least: int) -> None:
    """Whether it may be chosen, where it has to have so many characters. Raises BadText, with a
    sentence that does not show it."""
    if len(password) < least:
        raise BadText(f"A password has at least {plural(least, 'character')}. Choose a longer one.")
    # What is typed is split at spaces, and one password would be taken for two.
    if any(character.isspace() for character in password):
        raise BadText("A password can't hold spaces. Choose another.")
    # Whatever could not be read stands there as U+FFFD, so that one such password fits another.
    if "\N{REPLACEMENT CHARACTER}" in password or not _is_text(password):
        raise BadText("That password has characters that did not arrive as typed. Choose another.")
    if len(password.encode()) > MOST_BYTES:
        raise BadText(f"A password has at most {MOST_BYTES} bytes. Choose a shorter one.")


class Passwords:
    """Makes hashes and compares with them, in `pool`, which by default is one of its own that is
    started with the first password. At most 64 wait for their turn. `iterations` are SCRAM's."""

    def __init__(
        self,
        reactor: Any,
        hasher: PasswordHasher | None = None,
        pool: Any = None,
        iterations: int = ITERATIONS,
    ) -> None:
        self.iterations = iterations
        self._reactor = reactor
        self._hasher = hasher or _hasher()
        self._pool = pool or ThreadPool(0, _THREADS, "passwords")
        self._nobody = _hash_of_nothing(self._hasher)
        self._jobs = 0
        self._started = self._closed = False

    def hash(self, password: str) -> Deferred[str]:
        """The hash to keep. Raises TooMany."""
        return self._in_thread(lambda: self._hasher.hash(_bytes(password)))

    def make(self, password: str) -> Deferred[Kept]:
        """All that is to be kept of a new password. Raises TooMany."""
        return self._in_thread(
            lambda: Kept(self._hasher.hash(_bytes(password)), self._scram(password))
        )

    def verify(
        self, hash: str | None, password: str, *, needs_scram: bool = False
    ) -> Deferred[Verified]:
        """Compare with a hash; None is nobody's, takes as long, and nothing is right for it.
        `needs_scram`: of a right one, make what SCRAM needs. Raises TooMany."""

        def compare() -> Verified:
            verified = self._verify(hash, password)
            if verified.ok and needs_scram:
                return verified._replace(scram=self._scram(password))
            return verified

        return self._in_thread(compare)

    def close(self) -> None:
        """Stop the threads. Who still waits gets no answer."""
        if self._started and not self._closed:
            self._closed = True
            self._pool.stop()
        self._closed = True

    def _in_thread(self, make: Callable[[], _Made]) -> Deferred[_Made]:
        if self._closed or self._jobs >= _THREADS + MOST_WAITING:
            raise TooMany("Too many are logging in at once. Try again in a moment.")
        if not self._started:
            self._started = True
            self._pool.start()
        self._jobs += 1

        def done(result: Any) -> Any:
            self._jobs -= 1
            return result

        return deferToThreadPool(self._reactor, self._pool, self._unless_closed, make).addBoth(done)

    def _unless_closed(self, make: Callable[[], _Made]) -> _Made:
        """In the thread: the daemon does not wait for those that still wait."""
        if self._closed:
            raise TooMany("The server is stopping.")
        return make()

    def _scram(self, password: str) -> str:
        salt = secrets.token_bytes(SALT_BYTES)
        return written(derive(_bytes(password), salt, self.iterations))

    def _verify(self, hash: str | None, password: str) -> Verified:
        secret = _bytes(password)
        try:
            self._hasher.verify(self._nobody if hash is None else hash, secret)
        except VerifyMismatchError:
            return Verified(False)
        except (InvalidHashError, VerificationError, UnicodeEncodeError) as error:
            _log.error(
                "A password's hash in the database is damaged ({kind}): it is not accepted",
                kind=type(error).__name__,
            )
            return Verified(False)
        if hash is None:
            return Verified(False)
        if not self._hasher.check_needs_rehash(hash):
            return Verified(True)
        return Verified(True, self._hasher.hash(secret))


def hash_now(password: str) -> str:
    """The hash, for a program that has nothing else to do meanwhile."""
    return _hasher().hash(_bytes(password))


def _hasher() -> PasswordHasher:
    """OWASP's advice for argon2id: 19 MiB, two passes, one lane."""
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def _bytes(password: str) -> bytes:
    """The same for every way to write the same letters: keyboards differ in how they compose."""
    return normalize("NFC", password).encode("utf-8", "surrogatepass")


def _is_text(password: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in password)


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """A hash that takes as long to compare with as any of this hasher's, and is of no password."""
    salt, digest = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2{hasher.type.name.lower()}$v={ARGON2_VERSION}${costs}${salt}${digest}"
