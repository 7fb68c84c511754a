"""/oper: who knows a password runs the server for as long as it is connected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import characters, text
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from chatroom.commands import attach
from chatroom.errors import TooMany, WrongPassword
from chatroom.permissions import Role
from chatroom.store.guesses import Guesses
from chatroom.store.operators import Operators
from chatroom.store.passwords import Verified
from tests.inmemory import Person
from tests.moderated import Moderated

RIGHT = "-- You are a server operator until you leave."
WRONG = "-- Wrong name or password."


class Slow:
    """Answers when told: right where the hash is the password turned round."""

    def __init__(self) -> None:
        self.full = False
        self.asked: list[tuple[Deferred[Verified], bool]] = []

    def verify(self, hash: str | None, password: str) -> Deferred[Verified]:
        if self.full:
            raise TooMany("Too many are logging in at once. Try again in a moment.")
        deferred: Deferred[Verified] = Deferred()
        self.asked.append((deferred, hash == password[::-1]))
        return deferred

    def answer(self) -> None:
        for deferred, ok in self.asked:
            deferred.callback(Verified(ok))
        self.asked.clear()


class Fixture:
    def __init__(self, *, plaintext: bool = False) -> None:
        self.chat = Moderated()
        self.slow = Slow()
        self.operators = Operators(
            self.chat.moderation,
            self.slow,
            Guesses(),
            lambda: self.chat.now,
            passwords=("Boss:terces",),
            plaintext=plaintext,
        )
        self.operators.attach()
        attach(self.chat.hub, self.operators.commands())
        self.bob = self.chat.guest("bob", address="192.0.2.1")

    def tries(self, *lines: str) -> list[str]:
        self.bob.reads()
        self.bob.says(*lines)
        self.slow.answer()
        return self.bob.reads()

    @property
    def role(self) -> Role:
        return self.chat.moderation.role(self.bob.member, "")


def test_the_right_password_makes_one_a_server_operator_until_it_leaves() -> None:
    here = Fixture()
    assert here.tries("/oper BOSS secret") == [RIGHT]
    assert here.role == Role.SERVER
    assert here.chat.audited() == [("bob", "oper", "", "BOSS", "")]
    here.bob.gets("/quit")
    assert not here.chat.moderation.here


@pytest.mark.parametrize("line", ["/oper boss wrong", "/oper nobody secret", "/oper boss terces"])
def test_a_wrong_password_and_an_unknown_name_read_the_same(line: str) -> None:
    here = Fixture()
    assert here.tries(line) == [WRONG]
    assert here.role == Role.MEMBER


def test_no_password_crosses_the_network_unencrypted_unless_that_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Person, "is_private", False)
    here = Fixture()
    (reply,) = here.tries("/oper boss secret")
    assert reply.startswith("-- Your password would cross the network unencrypted")
    assert Fixture(plaintext=True).tries("/oper boss secret") == [RIGHT]


def test_it_can_not_be_guessed_fast() -> None:
    here = Fixture()
    assert [here.tries("/oper boss wrong") for _ in range(3)] == [[WRONG]] * 3
    assert "too often" in here.tries("/oper boss secret")[0]


def test_one_try_is_made_at_a_time() -> None:
    here = Fixture()
    replies = here.tries("/oper boss wrong", "/oper boss secret")
    assert replies == ["-- Wait for the answer to your last try.", WRONG]


def test_who_left_before_the_answer_becomes_nothing() -> None:
    here = Fixture()
    here.bob.says("/oper boss secret", "/quit")
    here.slow.answer()
    assert not here.chat.moderation.here


def test_what_was_never_compared_does_not_count() -> None:
    here = Fixture()
    here.slow.full = True
    for _ in range(9):
        assert here.tries("/oper boss wrong") == [
            "-- Too many are logging in at once. Try again in a moment."
        ]
    here.slow.full = False
    here.bob.says("/oper boss secret")
    here.slow.asked.pop()[0].errback(TooMany("Too many."))
    assert here.bob.reads() == ["-- Too many."]
    assert here.tries("/oper boss secret") == [RIGHT]


def test_other_passwords_may_be_set_while_it_runs() -> None:
    here = Fixture()
    here.operators.apply(("boss:wen",), plaintext=False)
    assert here.tries("/oper boss secret") == [WRONG]
    assert here.tries("/oper boss new") == [RIGHT]


def test_a_door_asks_and_is_told_by_what_it_waits_for() -> None:
    here = Fixture(plaintext=True)
    answers: list[object] = []
    for password in ("wrong", "secret"):
        work = here.chat.hub.authority.oper(here.bob.member, "boss", password, here.chat.now)
        assert isinstance(work, Deferred)
        work.addErrback(lambda failure: failure.type).addCallback(answers.append)
        here.slow.answer()
    assert answers == [WrongPassword, None] and here.role == Role.SERVER
    assert here.bob.reads() == []


def test_what_goes_wrong_is_told_and_logged() -> None:
    here = Fixture()
    here.bob.says("/oper boss secret")
    with capturedLogs() as logs:
        here.slow.asked.pop()[0].errback(RuntimeError("no thread"))
    assert here.bob.reads() == ["-- That did not work, and was logged. Try again later."]
    assert "no thread" in str(logs[0]["log_failure"])


@given(text(characters(categories=("L", "N")), min_size=6))
def test_no_password_is_ever_shown_or_audited(password: str) -> None:
    here = Fixture()
    replies = here.tries(f"/oper qqq {password}", f"/oper boss {password}", "/oper boss")
    assert password not in str([replies, here.chat.audited()])
