"""Passwords guessed: from one source, against one account, and by how long an answer takes."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from chatroom.store.checkers import StoredAccounts
from chatroom.store.passwords import Passwords, hash_now
from tests.daemon import Client, Daemon
from tests.stored import Stored

PROXIED = ("line=haproxy:tcp:0:interface=127.0.0.1",)
SETTINGS = {"accounts": {"plaintext": True}, "limits": {"lines": None}}
SECRET = "correct-horse"

reactor: Any = installed


def registered(daemon: Daemon, address: str) -> None:
    with Client(daemon.port, proxied=address).arrive() as ann:
        ann.send(f"/nick ann\n/register {SECRET}")
        ann.until("You registered ann")


@pytest.mark.parametrize("guesses", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_one_source_guesses(tmp_path: Path, guesses: int) -> None:
    """Three a minute are looked at; the rest is refused, and so is the source in the end."""
    with Daemon(tmp_path, SETTINGS, listen=PROXIED) as daemon:
        registered(daemon, "192.0.2.1")
        began = time.monotonic()
        answers = []
        for number in range(guesses):
            with Client(daemon.port, proxied="203.0.113.7") as guesser:
                guesser.arrive()
                guesser.send(f"/login ann guess-{number}")
                answers.append(guesser.line(20))
        minutes = (time.monotonic() - began) / 60
        looked_at = sum("Wrong nick or password" in answer for answer in answers)
        print(f"{guesses} guesses from one source: {looked_at} looked at")
        assert looked_at <= 3 * (minutes + 1)
        assert all(SECRET not in answer for answer in answers)
        with Client(daemon.port, proxied="192.0.2.1").arrive() as ann:
            ann.send(f"/login ann {SECRET}")
            ann.until("You are logged in as ann")
    assert "guess-" not in daemon.log
    assert SECRET not in daemon.log


@pytest.mark.parametrize("sources", [30, pytest.param(1000, marks=pytest.mark.long)])
def test_many_sources_guess_at_one_account(tmp_path: Path, sources: int) -> None:
    """Its owner is not locked out."""
    with Daemon(tmp_path, SETTINGS, listen=PROXIED) as daemon:
        registered(daemon, "192.0.2.1")
        for number in range(sources):
            with Client(daemon.port, proxied=f"2001:db8:0:{number:x}::1").arrive() as guesser:
                guesser.send(f"/login ann guess-{number}")
                assert "Wrong nick or password" in guesser.line(20)
        with Client(daemon.port, proxied="198.51.100.9").arrive() as ann:
            ann.send(f"/login ann {SECRET}")
            ann.until("You are logged in as ann")


class TheTimeOfAnAnswer(TestCase):
    """Whether there is such an account can't be told by the clock."""

    guesses = 40

    def test_unknown_and_wrong(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._compare())

    async def _compare(self) -> None:
        database, passwords = Stored(), Passwords(reactor)
        self.addCleanup(passwords.close)
        database.write(
            "INSERT INTO accounts VALUES ('ann', 'ann', ?, 0, 0, NULL)",
            hash_now(SECRET),
        )
        checker = StoredAccounts(database, passwords)
        times: dict[str, list[float]] = {"ann": [], "nobody": []}
        for number in range(self.guesses):
            for nick in times if number % 2 else reversed(times):
                began = time.perf_counter()
                assert not await verified(checker, nick, f"guess-{number}")
                times[nick].append(time.perf_counter() - began)
        wrong, unknown = (median(each) * 1000 for each in times.values())
        print(f"{self.guesses} each: wrong {wrong:.2f} ms, unknown {unknown:.2f} ms, by the median")
        # 1 ms for a thousand each, on a machine that does nothing else.
        assert abs(wrong - unknown) < 0.3 * wrong


@pytest.mark.long
class TheTimeOfAThousandAnswers(TheTimeOfAnAnswer):
    guesses = 1000


async def verified(checker: StoredAccounts, nick: str, password: str) -> bool:
    try:
        await checker.requestAvatarId(UsernamePassword(nick.encode(), password.encode()))
    except UnauthorizedLogin:
        return False
    return True
