"""The accounts of the database, as a protocol asks for them."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse

from chatroom.errors import NameTaken, NotAllowed, TooMany
from tests.inmemory import NOW
from tests.registered import PASSWORD, Peer, Registered
from tests.test_proofs import CERTIFICATE, away, proves


@pytest.mark.parametrize(
    ("peer", "mechanisms"),
    [
        (Peer(), ("SCRAM-SHA-256", "PLAIN")),
        (Peer(fingerprint=CERTIFICATE), ("SCRAM-SHA-256", "EXTERNAL", "PLAIN")),
        (Peer(is_private=False), ("SCRAM-SHA-256",)),
    ],
)
def test_a_mechanism_is_open_where_it_is_safe_and_of_use(
    peer: Peer, mechanisms: tuple[str, ...]
) -> None:
    assert Registered().registrar.mechanisms(peer) == mechanisms


def test_passwords_in_plain_text_are_taken_where_they_may_be() -> None:
    chat = Registered()
    chat.registrar.proofs.plaintext = True
    assert "PLAIN" in chat.registrar.mechanisms(Peer(is_private=False))


def test_scram_is_of_use_where_any_password_is_kept() -> None:
    others = [InMemoryUsernamePasswordDatabaseDontUse(bob=b"elsewhere")]
    here = Registered()
    for is_kept in (False, True):
        chat = Registered(others=others, registers=False, database=here.database)
        proves(chat, Peer(), "bob", "elsewhere")
        assert ("SCRAM-SHA-256" in chat.registrar.mechanisms(Peer())) is is_kept
        if not is_kept:
            here.own("ann")


def test_what_is_known_of_an_account() -> None:
    chat = Registered("required")
    registrar = chat.registrar
    assert (registrar.mode, registrar.registers, registrar.shortest) == ("required", True, 8)
    assert registrar.nick_of("ann") == "" and registrar.since("ann") is None
    chat.own("Ann")
    for known in (chat, Registered(database=chat.database)):
        assert known.registrar.nick_of("ann") == "Ann" and known.registrar.since("ann") == NOW
    chat.accounts.drop("ann")
    assert registrar.since("ann") is None


def test_a_nick_that_is_registered_is_its_account_s() -> None:
    registrar = away().registrar
    for nick, account in (("ANN", "ann"), ("bob", ""), ("bob", "ann")):
        registrar.may_be_called(nick, account)
    for account in ("", "bob"):
        with pytest.raises(NameTaken):
            registrar.may_be_called("ANN", account)


def test_who_is_logged_in_keeps_certificates_and_forgets_them() -> None:
    chat = Registered()
    registrar = chat.registrar
    ann, guest = chat.own("ann").member, chat.enter().member
    registrar.keep_certificate(ann, CERTIFICATE, chat.now)
    assert registrar.certificates(ann) == [CERTIFICATE]
    assert registrar.certificates(guest) == []
    registrar.forget_certificate(ann, CERTIFICATE)
    assert registrar.certificates(ann) == []
    with pytest.raises(NotAllowed, match="not logged in"):
        registrar.keep_certificate(guest, CERTIFICATE, chat.now)
    with pytest.raises(NotAllowed, match="not logged in"):
        registrar.forget_certificate(guest, CERTIFICATE)


def test_the_tries_of_one_connection_are_its_login_s_and_its_oper_s_together() -> None:
    """/oper counts by the member, and so do the commands of the line protocol."""
    chat = Registered()
    eve = chat.enter(address="192.0.2.66")
    eve.gets("/login alice guess")
    assert list(chat.registrar.proofs._guesses._by_connection) == [eve.member]


def test_too_many_at_once_is_told_and_no_guess() -> None:
    chat = away()
    chat.threads.held = True
    for _ in range(66):
        chat.passwords.hash(PASSWORD)
    for _ in range(10):
        assert isinstance(proves(chat, Peer(), "ann", PASSWORD), TooMany)
    chat.threads.let_go()
    assert proves(chat, Peer(), "ann", PASSWORD)[0] == "ann"
