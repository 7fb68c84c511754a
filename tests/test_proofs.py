"""Proving who one is, before there is a member: by password, SCRAM and certificate; as guesses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse

from chatroom.errors import BadName, BadText, NotAllowed, TooMany, WrongPassword
from chatroom.registrar import Login
from chatroom.scram import ScramExchange
from tests.registered import CHEAP, PASSWORD, Peer, Registered, got, logged
from tests.stored import Stored
from tests.test_scram import proven

CERTIFICATE = "ab" * 32


def away(*, certified: bool = False, **settings: Any) -> Registered:
    """Ann has an account, and is not here."""
    chat = Registered(**settings)
    ann = chat.own("Ann")
    if certified:
        chat.registrar.keep_certificate(ann.member, CERTIFICATE, chat.now)
    ann.gets("/quit")
    return chat


def proves(chat: Registered, peer: Peer, name: str, password: str) -> Any:
    return got(chat.registrar.prove(peer, name, password, chat.now))


def scrams(chat: Registered, peer: Peer, name: str, password: str) -> Any:
    """The whole exchange, as a client and its door make it."""
    first = b"n,,n=" + name.encode() + b",r=abc"
    exchange = ScramExchange(first)
    record = got(chat.registrar.scram(peer, exchange.username, chat.now))
    final = proven(first, exchange.challenge(record, "xyz"), password.encode())
    right, _ = exchange.finish(final)
    try:
        return chat.registrar.scram_done(peer, exchange.username, right, chat.now)
    except WrongPassword as wrong:
        return wrong


def shows(chat: Registered, peer: Peer, name: str, password: str) -> Any:
    """A certificate, which is right where the password would be."""
    peer.fingerprint = CERTIFICATE if password == PASSWORD else "cd" * 32
    try:
        return got(chat.registrar.prove_by_certificate(peer, name, chat.now))
    except WrongPassword as wrong:
        return wrong


Way = Callable[[Registered, Peer, str, str], Any]
ways = pytest.mark.parametrize("way", [proves, scrams, shows])


@ways
@pytest.mark.parametrize("name", ["ann", "ANN"])
def test_who_is_no_member_yet_proves_its_account(way: Way, name: str) -> None:
    chat = away(certified=True)
    login = way(chat, Peer(), name, PASSWORD)
    assert login[:2] == ("ann", "Ann")
    assert not chat.hub.members


@ways
@pytest.mark.parametrize(("name", "password"), [("ann", "wrong-horse"), ("nobody", PASSWORD)])
def test_wrong_and_unknown_are_alike(way: Way, name: str, password: str) -> None:
    chat = away(certified=True)
    wrong = way(chat, Peer(), name, password)
    assert isinstance(wrong, WrongPassword)
    assert str(wrong) == str(way(chat, Peer(), "bob", "wrong-horse"))


@ways
def test_so_many_wrong_ones_are_too_many_from_anywhere(way: Way) -> None:
    chat = away(certified=True)
    for _ in range(3):
        assert isinstance(way(chat, Peer(), "ann", "wrong-horse"), WrongPassword)
    with pytest.raises(TooMany, match="too often"):
        way(chat, Peer(), "ann", PASSWORD)
    assert way(chat, Peer("192.0.2.8"), "ann", PASSWORD)[0] == "ann"


@ways
def test_six_wrong_ones_end_it_for_a_connection(way: Way) -> None:
    chat, peer = away(certified=True), Peer()
    for _ in range(6):
        way(chat, peer, "ann", "wrong-horse")
        chat.now += 60
    with pytest.raises(TooMany, match="Connect anew"):
        way(chat, peer, "ann", PASSWORD)
    chat.registrar.forget(peer)
    assert not chat.registrar.proofs._guesses._by_connection


@ways
def test_twenty_wrong_ones_ban_where_they_came_from(way: Way) -> None:
    chat = away(certified=True)
    for _ in range(20):
        way(chat, Peer("192.0.2.66"), "ann", "wrong-horse")
        chat.now += 60
    assert [ban[0] for ban in chat.bans] == ["192.0.2.66"]


@ways
def test_right_ones_are_no_guesses(way: Way) -> None:
    chat, peer = away(certified=True), Peer("127.0.0.1")
    for _ in range(20):
        assert way(chat, peer, "ann", PASSWORD)[0] == "ann"


@ways
def test_a_login_says_which_account_it_was(way: Way) -> None:
    chat = away(certified=True)
    before = way(chat, Peer(), "ann", PASSWORD)
    chat.accounts.change("ann", "another")
    after = chat.registrar.proofs._login("ann")
    assert before[:2] == after[:2] and before != after


# By a password


def test_a_password_that_others_can_read_is_not_taken() -> None:
    chat, peer = away(), Peer(is_private=False)
    with pytest.raises(NotAllowed, match="unencrypted"):
        proves(chat, peer, "ann", PASSWORD)
    assert scrams(chat, peer, "ann", PASSWORD)[0] == "ann"
    chat.registrar.proofs.plaintext = True
    assert proves(chat, peer, "ann", PASSWORD)[0] == "ann"


def test_one_at_a_time() -> None:
    chat, peer = away(), Peer()
    chat.threads.held = True
    waiting = chat.registrar.prove(peer, "ann", PASSWORD, chat.now)
    for way in (proves, scrams, shows):
        with pytest.raises(NotAllowed, match="still being looked at"):
            way(chat, peer, "ann", PASSWORD)
    chat.threads.let_go()
    assert got(waiting)[0] == "ann"
    assert proves(chat, peer, "ann", PASSWORD)[0] == "ann"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(BadText):
        proves(away(), Peer(), "ann", "hunter\ud800")


def test_whom_another_authority_knows_has_an_account_from_then_on() -> None:
    others = [InMemoryUsernamePasswordDatabaseDontUse(Bob=b"elsewhere", root=b"elsewhere")]
    chat = Registered(others=others)
    assert proves(chat, Peer(), "Bob", "elsewhere") == Login("bob", "Bob", 1)
    assert chat.accounts.nicks == {"bob": "Bob"}
    assert isinstance(proves(chat, Peer(), "root", "elsewhere"), BadName)
    assert isinstance(scrams(chat, Peer(), "Bob", "elsewhere"), WrongPassword)


def test_a_certificate_of_who_registered_anothers_nick_proves_nothing_any_more() -> None:
    chat = away(certified=True, others=[InMemoryUsernamePasswordDatabaseDontUse(Ann=b"elsewhere")])
    assert proves(chat, Peer(), "Ann", "elsewhere")[0] == "ann"
    for way in (shows, scrams, proves):
        assert isinstance(way(chat, Peer("192.0.2.9"), "ann", PASSWORD), WrongPassword)


class Broken(Stored):
    broken = False

    def read(self, sql: str, *parameters: object) -> Any:
        if self.broken:
            raise OSError(PASSWORD)
        return super().read(sql, *parameters)


@pytest.mark.parametrize("ask", ["prove", "scram"])
def test_a_database_that_fails_is_a_sentence_and_no_guess(ask: str) -> None:
    database = Broken()
    chat = away(database=database)
    database.broken = True
    with logged() as events:
        for _ in range(10):
            if ask == "prove":
                failed = proves(chat, Peer("127.0.0.1"), "ann", PASSWORD)
            else:
                failed = got(chat.registrar.scram(Peer("127.0.0.1"), "ann", chat.now))
            assert isinstance(failed, NotAllowed) and "Try again" in str(failed)
    assert PASSWORD not in repr(events) and len(events) == 10


# By SCRAM


def test_after_another_password_the_old_one_is_wrong_and_the_new_one_right() -> None:
    chat = away()
    ann = chat.enter()
    ann.gets(f"/login ann {PASSWORD}", f"/password {PASSWORD} another-horse")
    assert isinstance(scrams(chat, Peer(), "ann", PASSWORD), WrongPassword)
    assert scrams(chat, Peer(), "ann", "another-horse")[0] == "ann"


def test_an_account_of_before_opens_by_it_once_its_password_was_given() -> None:
    chat = away()
    chat.accounts.change("ann", CHEAP.hash(PASSWORD.encode()))
    assert isinstance(scrams(chat, Peer(), "ann", PASSWORD), WrongPassword)
    assert isinstance(proves(chat, Peer(), "ann", "wrong-horse"), WrongPassword)
    assert isinstance(scrams(chat, Peer("192.0.2.8"), "ann", "wrong-horse"), WrongPassword)
    assert proves(chat, Peer(), "ann", PASSWORD)[0] == "ann"
    assert scrams(chat, Peer(), "ann", PASSWORD)[0] == "ann"


@pytest.mark.parametrize("asked", ["", "bob"])
def test_what_was_not_asked_for_is_wrong(asked: str) -> None:
    chat, peer = away(), Peer()
    if asked:
        chat.registrar.scram(peer, asked, chat.now)
    with pytest.raises(WrongPassword):
        chat.registrar.scram_done(peer, "ann", True, chat.now)


def test_nor_does_one_challenge_prove_twice() -> None:
    chat, peer = away(), Peer()
    assert scrams(chat, peer, "ann", PASSWORD)[0] == "ann"
    with pytest.raises(WrongPassword):
        chat.registrar.scram_done(peer, "ann", True, chat.now)


def test_an_account_that_was_changed_meanwhile_is_not_proven() -> None:
    chat, peer = away(), Peer()
    chat.registrar.scram(peer, "ann", chat.now)
    chat.accounts.change("ann", "another")
    with pytest.raises(WrongPassword):
        chat.registrar.scram_done(peer, "ann", True, chat.now)


def test_of_who_is_gone_nothing_is_kept() -> None:
    chat, peer = away(), Peer()
    chat.registrar.scram(peer, "ann", chat.now)
    chat.registrar.forget(peer)
    proofs = chat.registrar.proofs
    assert not proofs._challenged and not proofs._under_way
    assert not proofs._guesses._by_connection


# By a certificate


def test_a_certificate_proves_its_account_whatever_it_is_called() -> None:
    chat, peer = away(certified=True), Peer(fingerprint=CERTIFICATE)
    assert got(chat.registrar.prove_by_certificate(peer, "", chat.now))[0] == "ann"
    with pytest.raises(WrongPassword):
        chat.registrar.prove_by_certificate(peer, "bob", chat.now)


def test_who_has_none_has_not_guessed() -> None:
    chat = away(certified=True)
    for _ in range(10):
        with pytest.raises(WrongPassword, match="no certificate"):
            chat.registrar.prove_by_certificate(Peer(), "ann", chat.now)


def test_a_certificate_is_dropped_with_its_account() -> None:
    chat = away(certified=True)
    chat.accounts.drop("ann")
    assert isinstance(shows(chat, Peer(), "", PASSWORD), WrongPassword)
    assert chat.database.load("SELECT * FROM certificates") == []
