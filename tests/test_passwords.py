"""Passwords: which may be chosen, and that their hashes tell right from wrong, and nothing else."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import BadText, TooMany
from chatroom.scram import derive
from chatroom.store.passwords import MOST_WAITING, Kept, Passwords, Verified, fits
from chatroom.store.scrams import read
from tests.registered import CHEAP, Threads, logged


def made() -> tuple[Passwords, Threads]:
    threads = Threads()
    return Passwords(threads, CHEAP, threads, iterations=2), threads


def now(deferred: object) -> object:
    """What a Deferred has fired with."""
    got: list[object] = []
    deferred.addBoth(got.append)  # type: ignore[attr-defined]
    return got[0] if got else None


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "at least 8"),
        ("seven77", "at least 8"),
        (" eight888", "hold spaces"),
        ("eight888 ", "hold spaces"),
        ("two words", "hold spaces"),
        ("two\u00a0words", "hold spaces"),
        ("two\u3000words", "hold spaces"),
        ("eight888\ufffd", "as typed"),
        ("eight888\ud800", "as typed"),
        ("x" * 1025, "at most 1024"),
        ("€" * 342, "at most 1024"),
    ],
)
def test_a_password_that_is_too_short_too_long_or_no_text_is_refused(
    password: str, why: str
) -> None:
    with pytest.raises(BadText, match=why):
        fits(password, 8)


@pytest.mark.parametrize("password", ["eight888", "a-b-c-d-e", "пароль-дня", "x" * 128, "x" * 1024])
def test_any_other_may_be_chosen(password: str) -> None:
    fits(password, 8)


@pytest.mark.parametrize(("least", "said"), [(1, "at least 1 character."), (3, "at least 3 ")])
def test_how_short_it_may_be_is_said(least: int, said: str) -> None:
    fits("x" * least, least)
    with pytest.raises(BadText, match=said):
        fits("x" * (least - 1), least)


@given(TEXT)
def test_a_refusal_does_not_show_the_password(password: str) -> None:
    try:
        fits(password, 8)
    except BadText as refusal:
        assert len(password.strip()) < 3 or password not in str(refusal)


@given(TEXT, TEXT)
def test_only_the_password_itself_is_right(password: str, other: str) -> None:
    passwords, _ = made()
    hash = now(passwords.hash(password))
    assert isinstance(hash, str) and hash.startswith("$argon2id$")
    assert now(passwords.verify(hash, password)) == Verified(True)
    if other != password and other.isascii():
        assert now(passwords.verify(hash, other)) == Verified(False)


def test_letters_are_the_same_however_they_are_composed() -> None:
    passwords, _ = made()
    hash = now(passwords.hash("café au lait"))
    assert isinstance(hash, str)
    assert now(passwords.verify(hash, "cafe\u0301 au lait")) == Verified(True)


def test_what_scram_needs_is_made_of_a_new_password_and_of_a_right_one_that_lacks_it() -> None:
    passwords, _ = made()
    kept = now(passwords.make("café-au-lait"))
    assert isinstance(kept, Kept)
    right = now(passwords.verify(kept.hash, "cafe\u0301-au-lait", needs_scram=True))
    assert isinstance(right, Verified) and right.ok and right.scram and not right.rehash
    for text in (kept.scram, right.scram):
        record = read(text)
        assert record == derive("café-au-lait".encode(), record.salt, 2)
    assert right.scram != kept.scram
    for hash in (kept.hash, None):
        wrong = passwords.verify(hash, "wrong-horse", needs_scram=True)
        assert now(wrong) == Verified(False)
    assert now(passwords.verify(kept.hash, "café-au-lait")) == Verified(True)


def test_its_work_is_within_what_the_rfc_asks_for() -> None:
    assert 4096 <= Passwords(Threads()).iterations <= 15_000


@given(TEXT)
def test_nothing_is_right_for_nobody(password: str) -> None:
    passwords, _ = made()
    assert now(passwords.verify(None, password)) == Verified(False)


def test_nobody_costs_what_somebody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compared with is a hash of the same parameters, and never refused unread."""
    hashes: list[str] = []
    verify = PasswordHasher.verify

    def spy(hasher: PasswordHasher, hash: str, password: bytes) -> bool:
        hashes.append(hash)
        return bool(verify(hasher, hash, password))

    monkeypatch.setattr(PasswordHasher, "verify", spy)
    passwords, _ = made()
    hash = now(passwords.hash("correct-horse"))
    assert isinstance(hash, str)
    passwords.verify(None, "wrong-horse")
    passwords.verify(hash, "wrong-horse")
    nobody, somebody = hashes
    assert nobody.split("$")[:4] == somebody.split("$")[:4]
    assert len(nobody) == len(somebody)
    assert not CHEAP.check_needs_rehash(nobody)


def test_a_hash_of_weaker_parameters_is_replaced_when_the_password_is_right() -> None:
    threads = Threads()
    weak = Passwords(threads, CHEAP, threads)
    strong = Passwords(threads, PasswordHasher(time_cost=2, memory_cost=8, parallelism=1), threads)
    hash = now(weak.hash("correct-horse"))
    assert isinstance(hash, str)
    assert now(strong.verify(hash, "wrong-horse")) == Verified(False)
    verified = now(strong.verify(hash, "correct-horse"))
    assert isinstance(verified, Verified) and verified.ok and verified.rehash
    assert now(strong.verify(verified.rehash, "correct-horse")) == Verified(True)


@pytest.mark.parametrize("hash", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$x$x", "é", "*"])
def test_a_damaged_hash_lets_nobody_in_and_is_logged_without_itself(hash: str) -> None:
    with logged() as events:
        assert now(made()[0].verify(hash, "correct-horse")) == Verified(False)
    (event,) = events
    assert "damaged" in event["log_format"]
    assert "correct-horse" not in repr(event) and (not hash or repr(hash) not in repr(event))


def test_so_many_may_wait_and_one_more_is_refused_at_once() -> None:
    passwords, threads = made()
    threads.held = True
    waiting = [passwords.verify(None, "wrong-horse") for _ in range(2 + MOST_WAITING)]
    with pytest.raises(TooMany, match="Try again in a moment"):
        passwords.verify(None, "wrong-horse")
    with pytest.raises(TooMany):
        passwords.hash("wrong-horse")
    threads.let_go()
    assert [now(each) for each in waiting] == [Verified(False)] * len(waiting)
    passwords.verify(None, "wrong-horse")


def test_the_threads_start_with_the_first_password_and_stop_once() -> None:
    passwords, threads = made()
    started = [threads.started]
    for _ in range(2):
        passwords.hash("correct-horse")
        started.append(threads.started)
    assert started == [0, 1, 1]
    passwords.close()
    passwords.close()
    assert threads.stopped == 1
    with pytest.raises(TooMany):
        passwords.hash("correct-horse")


def test_no_thread_is_made_for_a_chat_without_logins() -> None:
    passwords, threads = made()
    passwords.close()
    assert not threads.started and not threads.stopped


def test_in_a_thread_of_its_own_it_works_as_well() -> None:
    class Caller:
        def callFromThread(self, f: object, *arguments: object) -> None:
            f(*arguments)  # type: ignore[operator]

    passwords = Passwords(Caller(), CHEAP)
    waiting = [passwords.hash("correct-horse") for _ in range(3)]
    passwords._pool._team.quit()
    for thread in passwords._pool.threads:
        thread.join()
    assert all(isinstance(now(each), str) for each in waiting)
