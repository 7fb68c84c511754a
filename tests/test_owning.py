"""Registering from a connection, and what an account's owner may do with it."""

from __future__ import annotations

from typing import Any

import pytest

from chatroom.errors import (
    BadName,
    BadText,
    NameTaken,
    NoSuchMember,
    NotAllowed,
    TooMany,
    WrongPassword,
)
from chatroom.registrar import Login
from tests.registered import PASSWORD, Peer, Registered, got
from tests.test_proofs import away, proves, scrams


def registers(chat: Registered, peer: Peer, nick: str, password: str = PASSWORD) -> Any:
    return got(chat.registrar.register(peer, nick, password, chat.now))


def test_a_connection_registers_a_nick_before_it_enters() -> None:
    chat, peer = Registered(), Peer()
    proven = registers(chat, peer, "Ann")
    assert proven[:2] == ("ann", "Ann")
    assert not chat.hub.members
    chat.registrar.enter(peer.enters(chat, "Ann"), proven, chat.now)
    assert chat.hub.members["ann"].account == "ann"
    for way in (proves, scrams):
        assert way(chat, Peer(), "ann", PASSWORD)[0] == "ann"


def test_who_is_here_registers_the_nick_it_has_or_another_that_is_free() -> None:
    chat, peer = Registered(), Peer()
    member = peer.enters(chat, "ann")
    assert registers(chat, peer, "coffee")[:2] == ("coffee", "coffee")
    chat.registrar.enter(member, registers(chat, peer, "ann"), chat.now)
    with pytest.raises(NameTaken, match="registered already"):
        registers(chat, peer, "Ann")


@pytest.mark.parametrize(
    ("nick", "password", "error", "why"),
    [
        ("Bob", PASSWORD, NameTaken, "Bob is taken"),
        ("ANN", PASSWORD, NameTaken, "registered already"),
        ("guest-7k2", PASSWORD, BadName, "given to guests"),
        ("1st", PASSWORD, BadName, "can't start"),
        ("root", PASSWORD, BadName, "reserved"),
        ("cy", "seven77", BadText, "at least 8"),
        ("cy", "two words", BadText, "hold spaces"),
        ("boss", PASSWORD, NotAllowed, "server's own machine"),
    ],
)
def test_what_can_t_be_registered(
    nick: str, password: str, error: type[Exception], why: str
) -> None:
    chat = away(reserved={"boss"})
    Peer().enters(chat, "bob")
    with pytest.raises(error, match=why):
        registers(chat, Peer(), nick, password)
    assert set(chat.accounts.nicks) == {"ann"}


def test_a_nick_is_not_taken_from_who_came_by_it_meanwhile() -> None:
    chat, peer = Registered(), Peer()
    chat.threads.held = True
    waiting = chat.registrar.register(peer, "ann", PASSWORD, chat.now)
    Peer().enters(chat, "ann")
    chat.threads.let_go()
    assert isinstance(got(waiting), NameTaken) and not chat.accounts.nicks


def test_who_is_gone_meanwhile_registers_nothing() -> None:
    chat, peer = Registered(), Peer()
    chat.threads.held = True
    waiting = chat.registrar.register(peer, "ann", PASSWORD, chat.now)
    chat.registrar.forget(peer)
    chat.threads.let_go()
    assert isinstance(got(waiting), NotAllowed) and not chat.accounts.nicks


def test_one_who_has_logged_in_under_the_nick_has_an_account() -> None:
    chat = away()
    peer = Peer()
    member = peer.enters(chat, "coffee")
    chat.registrar.enter(member, proves(chat, peer, "ann", PASSWORD), chat.now)
    with pytest.raises(NotAllowed, match="logged in as Ann"):
        registers(chat, peer, "coffee")


def test_over_a_line_that_others_can_read_no_password_is_taken() -> None:
    with pytest.raises(NotAllowed, match="unencrypted"):
        registers(Registered(), Peer(is_private=False), "ann")


def test_where_accounts_are_made_elsewhere_nobody_registers() -> None:
    with pytest.raises(NotAllowed, match="made elsewhere"):
        registers(Registered(registers=False), Peer(), "ann")


def test_three_an_hour_from_one_source() -> None:
    chat = Registered()
    for nick in ("a", "b", "c"):
        assert isinstance(registers(chat, Peer(), nick), Login)
    with pytest.raises(TooMany, match="too many nicks"):
        registers(chat, Peer(), "d")


# Having one


def member(chat: Registered) -> Any:
    """Ann, under another nick, by another protocol."""
    peer = Peer()
    made = peer.enters(chat, "coffee")
    chat.registrar.enter(made, proves(chat, peer, "ann", PASSWORD), chat.now)
    return made


def test_another_password_logs_out_the_others_whatever_their_nicks() -> None:
    chat = away()
    ann, line = member(chat), chat.enter()
    line.gets(f"/login ann {PASSWORD}")
    assert got(chat.registrar.change(ann, PASSWORD, "another-horse", chat.now)) is None
    assert (ann.account, line.member.account) == ("ann", "")
    assert line.member.guest
    assert proves(chat, Peer(), "ann", "another-horse")[0] == "ann"


def test_a_wrong_one_changes_and_drops_nothing() -> None:
    chat = away()
    ann = member(chat)
    changed = chat.registrar.change(ann, "wrong-horse", "another-horse", chat.now)
    dropped = chat.registrar.drop(ann, "wrong-horse", chat.now)
    for each in (changed, dropped):
        wrong = got(each)
        assert isinstance(wrong, WrongPassword) and str(wrong) == "Wrong password."
    assert proves(chat, Peer("192.0.2.9"), "ann", PASSWORD)[0] == "ann"


def test_who_drops_its_account_keeps_the_nick_it_has() -> None:
    chat = away()
    ann = member(chat)
    assert got(chat.registrar.drop(ann, PASSWORD, chat.now)) is None
    assert (ann.nick, ann.account) == ("coffee", "") and not chat.accounts.nicks


def test_who_has_left_has_nothing_to_change() -> None:
    chat = away()
    ann = member(chat)
    chat.hub.leave(ann, "", chat.now)
    with pytest.raises(NoSuchMember):
        chat.registrar.drop(ann, PASSWORD, chat.now)
