"""Being logged in under whatever nick, in as many connections as one likes."""

from __future__ import annotations

import pytest

from chatroom.errors import NameTaken, NotAllowed, NotLoggedIn, TooMany
from chatroom.events import Profile, Told
from chatroom.member import Member
from chatroom.registrar import Login
from tests.registered import CHEAP, PASSWORD, Peer, Registered, got
from tests.test_proofs import away


def login(chat: Registered) -> Login:
    proven: Login = got(chat.registrar.prove(Peer("127.0.0.1"), "ann", PASSWORD, chat.now))
    assert isinstance(proven, Login)
    return proven


def enters(chat: Registered, nick: str) -> tuple[Peer, Member]:
    """Someone enters under a nick, and is logged in as Ann."""
    peer = Peer()
    member = peer.enters(chat, nick)
    chat.registrar.enter(member, login(chat), chat.now)
    chat.end_turn()
    return peer, member


def test_it_keeps_its_nick_and_others_are_told_who_it_is() -> None:
    chat = away()
    witness = Peer()
    witness.enters(chat, "witness")
    _, member = enters(chat, "coffee")
    assert (member.nick, member.account) == ("coffee", "ann")
    (told,) = [event for event in witness.heard if isinstance(event, Profile)]
    assert (told.was.account, told.who.account) == ("", "ann")


def test_several_are_logged_in_to_one_account_under_several_nicks() -> None:
    chat = away()
    members = [enters(chat, nick)[1] for nick in ("a", "b", "Ann")]
    assert all(member.present and member.account == "ann" for member in members)
    assert [member.nick for member in members] == ["a", "b", "Ann"]


def test_what_waits_for_it_is_told_and_it_was_seen() -> None:
    chat = away()
    chat.enter("bob").gets("/msg ann hello")
    chat.now += 60
    peer, _ = enters(chat, "coffee")
    assert "hello" in repr(peer.heard)
    assert chat.database.load("SELECT seen FROM accounts") == [(int(chat.now * 1000),)]


def test_a_line_to_the_account_reaches_who_spoke_last_under_whatever_nick() -> None:
    chat = away()
    first, second = enters(chat, "a"), enters(chat, "b")
    bob = chat.enter("bob")
    for nick, (peer, member) in {"a": first, "b": second}.items():
        chat.now += 1
        chat.hub.say(member, "I am here", chat.now)
        assert bob.gets("/msg ann hello")[-1] == f"[you -> {nick}] hello"
        assert [event.text for event in peer.heard if isinstance(event, Told)] == ["hello"]


def test_whoever_logged_in_may_take_the_account_s_nick() -> None:
    chat = away()
    _, member = enters(chat, "coffee")
    chat.hub.rename(member, "ann", chat.now)
    assert chat.hub.members["ann"] is member


@pytest.mark.parametrize("what", ["drop", "anew", "change"])
def test_a_login_does_not_open_what_became_of_the_account(what: str) -> None:
    chat = away()
    proven = login(chat)
    if what == "change":
        chat.accounts.change("ann", CHEAP.hash(b"another-one"))
    else:
        chat.accounts.drop("ann")
    if what == "anew":
        chat.accounts.add("Ann", CHEAP.hash(b"another-one"), chat.now)
    member = Peer().enters(chat, "coffee")
    with pytest.raises(NotAllowed, match="changed meanwhile"):
        chat.registrar.enter(member, proven, chat.now)
    with pytest.raises(NotAllowed):
        chat.registrar.make_way(proven, "ann", chat.now)
    assert not member.account


# Making way


def test_an_earlier_connection_of_the_account_ends() -> None:
    chat = away()
    peer, member = enters(chat, "Ann")
    chat.registrar.make_way(login(chat), "ANN", chat.now)
    chat.end_turn()
    assert peer.closed and not member.present
    assert "You logged in from elsewhere" in repr(peer.heard)
    Peer().enters(chat, "ANN")


def test_who_has_the_nick_without_the_account_is_made_a_guest() -> None:
    chat = away()
    member = Peer().enters(chat, "ann")
    chat.registrar.make_way(login(chat), "Ann", chat.now)
    assert member.present and member.guest and "ann" not in chat.hub.members


def test_where_nobody_has_it_nothing_happens() -> None:
    chat = away()
    _, member = enters(chat, "coffee")
    chat.registrar.make_way(login(chat), "Ann", chat.now)
    assert member.present


def test_another_nick_is_not_made_way_for() -> None:
    chat = away()
    _, member = enters(chat, "coffee")
    with pytest.raises(NameTaken, match="not the nick of Ann"):
        chat.registrar.make_way(login(chat), "coffee", chat.now)
    assert member.present


# Logging out


def test_who_logs_out_keeps_its_nick_unless_it_is_the_account_s() -> None:
    chat = away()
    (_, coffee), (_, ann) = enters(chat, "coffee"), enters(chat, "Ann")
    chat.registrar.logout(coffee, chat.now)
    assert (coffee.nick, coffee.account, coffee.guest) == ("coffee", "", False)
    assert ann.account == "ann"
    chat.registrar.logout(ann, chat.now)
    assert ann.guest and not ann.account
    with pytest.raises(NotAllowed, match="not logged in"):
        chat.registrar.logout(ann, chat.now)


def test_logging_out_and_in_too_fast_is_too_many() -> None:
    chat = away()
    _, member = enters(chat, "coffee")
    with pytest.raises(TooMany, match="too fast"):
        for _ in range(7):
            chat.registrar.logout(member, chat.now)
            chat.registrar.enter(member, login(chat), chat.now)
    assert member.account == "ann"


def test_where_accounts_are_required_it_is_out_of_its_rooms_then_and_joins_none_by_itself() -> None:
    chat = away(mode="required")
    _, member = enters(chat, "coffee")
    assert not member.rooms
    chat.hub.join(member, "#ops", chat.now)
    chat.registrar.logout(member, chat.now)
    assert not member.rooms


def test_all_are_told_who_it_is_no_more() -> None:
    chat = away()
    witness = Peer()
    witness.enters(chat, "witness")
    _, member = enters(chat, "coffee")
    chat.registrar.drop(member, PASSWORD, chat.now)
    chat.end_turn()
    assert [e.who.account for e in witness.heard if isinstance(e, Profile)] == ["ann", ""]


def test_a_login_holds_until_its_account_is_changed() -> None:
    chat = away()
    proven = login(chat)
    assert chat.registrar.holds(proven)
    chat.accounts.change("ann", CHEAP.hash("another"))
    assert not chat.registrar.holds(proven)
    chat.accounts.drop("ann")
    assert not chat.registrar.holds(proven)


def test_who_is_logged_in_has_a_login_of_its_own() -> None:
    chat = away()
    _, member = enters(chat, "coffee")
    assert chat.registrar.own(member) == login(chat)
    with pytest.raises(NotLoggedIn):
        chat.registrar.own(chat.enter().member)
