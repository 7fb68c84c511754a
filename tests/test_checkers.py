"""Who proves to be whom: the database's accounts, and other authorities beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from twisted.cred.checkers import (
    AllowAnonymousAccess,
    FilePasswordDB,
    ICredentialsChecker,
    InMemoryUsernamePasswordDatabaseDontUse,
)
from twisted.cred.credentials import Anonymous, IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin, UnhandledCredentials
from twisted.internet.defer import fail
from twisted.python.failure import Failure
from zope.interface import Interface, implementer
from zope.interface.verify import verifyObject

from chatroom.store.checkers import Account, Checkers, IAccount, StoredAccounts, make_portal
from chatroom.store.passwords import Passwords
from tests.registered import CHEAP, Threads, logged
from tests.stored import Stored

NICKS = {"ann": "Ann"}


class Known:
    """A database in which Ann has an account, and what it takes to check her password."""

    def __init__(self, hash: str | None = None) -> None:
        self.database = Stored()
        self.threads = Threads()
        self.passwords = Passwords(self.threads, CHEAP, self.threads, iterations=2)
        row = ("ann", "Ann", hash or CHEAP.hash(b"correct-horse"), 0, 0)
        self.database.write("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, NULL)", *row)
        self.stored = StoredAccounts(self.database, self.passwords)

    def hash(self) -> Any:
        return self.database.load("SELECT hash FROM accounts")[0][0]

    def scram(self) -> Any:
        return self.database.load("SELECT scram FROM accounts")[0][0]

    def logs_in(self, nick: str, password: str, *others: ICredentialsChecker) -> Any:
        """What logging in comes to: an Account, or the class of what was raised."""
        portal = make_portal(self.stored, NICKS, others, guests=True)
        got: list[Any] = []
        credentials = UsernamePassword(nick.encode(), password.encode())
        portal.login(credentials, None, IAccount).addBoth(got.append)
        (result,) = got
        return result.type if isinstance(result, Failure) else result[1]


@implementer(ICredentialsChecker)
class Says:
    """A checker that answers with this, or raises it."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked = 0

    def requestAvatarId(self, credentials: Any) -> Any:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("nick", ["ann", "Ann", "ANN"])
def test_the_right_password_opens_the_account_whatever_the_nick_s_case(nick: str) -> None:
    assert Known().logs_in(nick, "correct-horse") == Account("ann", "Ann", is_stored=True)


@pytest.mark.parametrize(
    ("nick", "password"),
    [("ann", "wrong-horse"), ("bob", "correct-horse"), ("", ""), ("ann", ""), ("a\0b", "x")],
)
def test_unknown_and_wrong_fail_alike(nick: str, password: str) -> None:
    assert Known().logs_in(nick, password) is UnauthorizedLogin


@pytest.mark.parametrize(("nick", "password"), [("nobody", "correct-horse"), ("ann", "wrong")])
def test_1_000_guesses_at_unknown_and_known_nicks_do_the_same_work(
    monkeypatch: pytest.MonkeyPatch, nick: str, password: str
) -> None:
    known = Known()
    work: list[str] = []
    verify, read = PasswordHasher.verify, known.database.read

    def verifies(hasher: PasswordHasher, hash: str, password: bytes) -> bool:
        work.append("verify " + hash.rpartition("$")[0].rpartition("$")[0])
        return bool(verify(hasher, hash, password))

    def reads(sql: str, *parameters: object) -> Any:
        work.append("read")
        return read(sql, *parameters)

    monkeypatch.setattr(PasswordHasher, "verify", verifies)
    monkeypatch.setattr(known.database, "read", reads)
    other = Says(UnauthorizedLogin())
    for _ in range(1000):
        assert known.logs_in(nick, password, other) is UnauthorizedLogin
    assert work == ["read", "verify $argon2id$v=19$m=8,t=1,p=1"] * 1000
    assert other.asked == 1000


def test_an_account_without_a_hash_opens_by_nothing_of_ours() -> None:
    known = Known()
    known.database.write("UPDATE accounts SET hash = NULL")
    assert known.logs_in("ann", "correct-horse") is UnauthorizedLogin
    assert known.logs_in("ann", "") is UnauthorizedLogin


def test_a_weaker_hash_is_replaced_when_the_password_is_right() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=16)
    known = Known(weak.hash(b"correct-horse"))
    before = known.hash()
    known.logs_in("ann", "wrong-horse")
    assert known.hash() == before
    known.logs_in("ann", "correct-horse")
    after = known.hash()
    assert after != before and not CHEAP.check_needs_rehash(after)
    assert known.logs_in("ann", "correct-horse").name == "ann"


def test_what_scram_needs_is_kept_when_the_password_is_right_and_once() -> None:
    known = Known()
    before = known.hash()
    known.logs_in("ann", "wrong-horse")
    assert known.scram() is None
    known.logs_in("ann", "correct-horse")
    scram = known.scram()
    assert scram is not None and known.hash() == before
    known.logs_in("ann", "correct-horse")
    assert known.scram() == scram


def test_a_hash_that_was_changed_meanwhile_is_not_replaced() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=16)
    known = Known(weak.hash(b"correct-horse"))
    known.threads.held = True
    known.stored.requestAvatarId(UsernamePassword(b"ann", b"correct-horse"))
    known.database.write("UPDATE accounts SET hash = 'another'")
    known.threads.let_go()
    assert known.hash() == "another" and known.scram() is None


@pytest.mark.parametrize("id", [b"bob", "bob"])
def test_whom_another_authority_knows_is_let_in(id: bytes | str) -> None:
    assert Known().logs_in("bob", "anything", Says(id)) == Account("bob", "bob", is_stored=False)


def test_all_authorities_are_asked_and_the_store_first() -> None:
    known = Known()
    no, yes, never = Says(UnauthorizedLogin()), Says(b"Bob"), Says(b"eve")
    assert known.logs_in("ann", "correct-horse", no, yes).is_stored
    assert (no.asked, yes.asked) == (0, 0)
    assert known.logs_in("bob", "x", no, yes, never) == Account("bob", "Bob", is_stored=False)
    assert (no.asked, yes.asked, never.asked) == (1, 1, 0)


def test_twisted_s_own_checkers_fit(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    path.write_text("cy:from the file\n")
    memory = InMemoryUsernamePasswordDatabaseDontUse(bob=b"from memory")
    known, others = Known(), (FilePasswordDB(str(path)), memory)
    assert known.logs_in("cy", "from the file", *others).name == "cy"
    assert known.logs_in("bob", "from memory", *others).name == "bob"
    assert known.logs_in("bob", "from the file", *others) is UnauthorizedLogin


@pytest.mark.parametrize("error", [ValueError("correct-horse"), UnhandledCredentials("x")])
def test_an_authority_that_breaks_lets_nobody_in_and_its_message_is_not_logged(
    error: Exception,
) -> None:
    with logged() as events:
        for checker in (Says(error), Says(fail(error))):
            assert Known().logs_in("bob", "correct-horse", checker) is UnauthorizedLogin
    assert [event["error"] for event in events] == [type(error).__name__] * 2
    assert "correct-horse" not in repr(events)


def test_an_authority_that_can_t_check_passwords_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="AllowAnonymousAccess can't check a nick"):
        Checkers(Known().stored, [AllowAnonymousAccess()])


@pytest.mark.parametrize("guests", [True, False])
def test_guests_are_let_in_where_they_may_be(guests: bool) -> None:
    portal = make_portal(Known().stored, NICKS, guests=guests)
    got: list[Any] = []
    portal.login(Anonymous(), None, IAccount).addBoth(got.append)
    if guests:
        assert got[0][1] == Account("", "", is_stored=False)
    else:
        assert got[0].check(UnhandledCredentials)


def test_the_realm_has_accounts_only() -> None:
    class IOther(Interface):
        pass

    portal = make_portal(Known().stored, NICKS, guests=True)
    with pytest.raises(NotImplementedError):
        portal.realm.requestAvatar(b"ann", None, IOther)


def test_they_are_what_twisted_cred_asks_for() -> None:
    known = Known()
    assert verifyObject(ICredentialsChecker, known.stored)
    assert verifyObject(ICredentialsChecker, Checkers(known.stored, []))
    assert verifyObject(IAccount, Account("ann", "Ann", is_stored=True))
