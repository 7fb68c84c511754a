"""The guard: who is let in and may speak, whose a room is, and what outlasts what."""

from __future__ import annotations

import gc
from types import FrameType

import pytest
from twisted.logger import capturedLogs, formatEvent

from chatroom.commands import Command, attach
from chatroom.errors import NotAllowed
from chatroom.permissions import Role
from chatroom.store import sanctions
from chatroom.store.roomrules import MOST_OWNED
from chatroom.store.targets import Target
from tests.inmemory import Person
from tests.moderated import Moderated, classroom, person


def role(chat: Moderated, person: Person, room: str = "#a") -> Role:
    return chat.moderation.role(person.member, room)


# Whose a room is


def test_a_registered_room_is_its_owners_after_a_restart_with_its_topic() -> None:
    chat = Moderated()
    ann = chat.logged_in("ann", "#a")
    ann.gets("/topic tea", "/op bob")
    again = chat.restarted()
    bob = again.guest("bob", "#a")
    room = again.hub.rooms["#a"]
    assert (room.topic, room.topic_by) == ("tea", "ann")
    assert role(again, bob) == Role.MEMBER
    bob.member.account = "bob"
    assert role(again, bob) == Role.OPERATOR
    assert role(again, again.logged_in("ann")) == Role.OWNER


def test_the_lobbys_topic_and_rules_outlast_the_server() -> None:
    chat = Moderated()
    chat.logged_in("zed").gets("/topic tea", "/slow 5")
    again = chat.restarted()
    assert again.hub.lobby.topic == "tea"
    assert again.moderation.rules(again.hub.lobby).slow == 5
    assert role(again, again.logged_in("ann"), "#lobby") == Role.MEMBER


def test_a_guests_room_and_all_its_rules_go_when_it_empties() -> None:
    chat = Moderated()
    bob = chat.guest("bob", "#a")
    chat.guest("cy")
    bob.gets("/ban cy", "/slow 60", "/part")
    assert len(chat.moderation.sanctions) == 0 and chat.hidden == []
    cy = chat.guest("dan", "#a")
    assert role(chat, cy) == Role.OWNER and role(chat, bob) == Role.MEMBER
    assert chat.database.load("SELECT * FROM sanctions") == []


def test_what_was_said_in_a_locked_room_is_hidden_from_who_makes_it_anew() -> None:
    chat = Moderated()
    guest, ann = chat.guest("guest"), chat.logged_in("ann", "#kept")
    guest.gets("/join #A", "/lock", "/part")
    ann.gets("/lock", "/part")
    assert chat.hidden == ["#A"]


def test_an_account_that_owns_too_many_rooms_gives_up_one_without_rules() -> None:
    chat = Moderated()
    ann = chat.logged_in("ann")
    chat.now += 3600
    for number in range(MOST_OWNED):
        chat.now += 60
        ann.gets(f"/join #r{number}", *(["/slow 5"] if number == 0 else []), "/part")
    chat.now += 60
    ann.gets("/join #more")
    owned = list(chat.moderation.rooms.owned("ann"))
    assert "#r0" in owned and "#r1" not in owned and owned[-1] == "#more"


def test_an_account_whose_rooms_all_have_rules_is_told_that_no_more_are_kept() -> None:
    chat = Moderated()
    ann = chat.logged_in("ann")
    for number in range(MOST_OWNED):
        chat.now += 60
        ann.gets(f"/join #r{number}", "/slow 5", "/part")
    chat.now += 60
    assert "-- 20 rooms of yours are kept already, the most there may be: this one is until" in str(
        ann.gets("/join #more")
    )
    assert role(chat, ann, "#more") == Role.OWNER


def test_an_account_that_is_dropped_owns_nothing_any_more() -> None:
    chat = Moderated()
    ann = chat.logged_in("ann", "#a")
    chat.moderation.forget_account("ann")
    assert role(chat, ann) == Role.MEMBER
    assert role(chat.restarted(), ann) == Role.MEMBER


def test_a_dropped_accounts_locked_room_is_hidden_and_its_history_no_ones() -> None:
    chat = Moderated()
    ann = chat.logged_in("ann")
    ann.gets("/join #Locked", "/lock", "/part", "/join #free", "/part")
    chat.moderation.forget_account("ann")
    assert chat.hidden == ["#locked"] and chat.moderation.rooms.get("#locked") is None


def test_a_dropped_accounts_open_room_keeps_its_rules_until_it_is_empty() -> None:
    chat = classroom()
    ann, bob, cy = person(chat, "ann"), person(chat, "bob"), person(chat, "cy")
    ann.gets("/lock", "/keep off", "/slow 5", "/mute bob")
    room = chat.hub.rooms["#a"]
    ann.member.account = ""
    chat.moderation.forget_account("ann")
    assert chat.hidden == ["#a"] and not chat.moderation.keeps(room)
    assert "#a is locked" in person(chat, "dan").gets("/join #a")[0]
    assert "You are muted" in bob.gets("hi")[0] and role(chat, ann) == Role.MEMBER
    again = chat.restarted()
    assert again.moderation.rooms.get("#a") is None and len(again.moderation.sanctions) == 0
    for each in (ann, bob, cy):
        each.gets("/part #a")
    assert chat.hidden == ["#a", "#a"] and not chat.moderation.keeps(room)
    assert len(chat.moderation.sanctions) == 0 and chat.moderation.rooms.get("#a") is None


def test_an_account_that_is_dropped_leaves_no_ban_of_a_room_to_who_takes_its_name() -> None:
    chat = classroom()
    chat.registered.add("eve")
    person(chat, "ann").gets("/ban eve")
    chat.moderation.may_drop("eve", chat.now)
    chat.moderation.forget_account("eve")
    assert len(chat.moderation.sanctions) == len(chat.restarted().moderation.sanctions) == 0


def test_an_account_that_is_barred_from_the_server_or_runs_it_may_not_be_dropped() -> None:
    chat = Moderated()
    may_drop = chat.moderation.may_drop
    with pytest.raises(NotAllowed) as caught:
        may_drop("zed", chat.now)
    assert str(caught.value) == "zed runs the server: take it out of operators.accounts first."
    chat.logged_in("zed").gets("/mute server ann 10m spam")
    with pytest.raises(NotAllowed) as caught:
        may_drop("ann", chat.now)
    text = "ann can't be deleted as long as it is muted everywhere by zed, for another 10 minutes"
    assert str(caught.value) == f"{text}: spam"
    may_drop("ann", chat.now + 600)
    chat.moderation.forget_account("ann")
    assert len(chat.moderation.sanctions) == 1


# Coming in


def test_a_locked_room_is_for_who_is_invited_has_the_key_or_a_say_in_it() -> None:
    chat = Moderated()
    ann, bob, cy = chat.logged_in("ann", "#a"), chat.logged_in("bob"), chat.guest("cy")
    zed = chat.logged_in("zed")
    assert ann.gets("/lock open sesame") == [
        "-- ann locked #a: one enters by invitation or with the key"
    ]
    assert cy.gets("/join #a") == ["-- #a is locked: /join #a KEY."]
    assert cy.gets("/join #a open") == ["-- That is not the key of #a. Ask one of its operators."]
    cy.gets("/join #a open sesame")
    cy.gets("/part #a")
    ann.gets("/lock")
    assert cy.gets("/join #a") == ["-- #a is locked: an operator of it has to /invite you."]
    assert cy.gets("/join #a x") == ["-- #a is locked: an operator of it has to /invite you."]
    ann.gets("/invite cy", "/op bob")
    for each in (bob, cy, zed):
        each.gets("/join #a")
        assert each.member in chat.hub.rooms["#a"].members
    ann.gets("/part #a")
    ann.gets("/join #a")
    assert ann.member in chat.hub.rooms["#a"].members


def test_keys_can_not_be_guessed_fast() -> None:
    chat = Moderated()
    ann, cy = chat.logged_in("ann", "#a"), chat.guest("cy")
    ann.gets("/lock right")
    replies = [cy.gets("/join #a wrong") for _ in range(7)]
    assert replies[-1] == ["-- You try keys too fast. Wait 10 seconds."]


def test_a_key_is_neither_shown_nor_audited() -> None:
    chat = Moderated()
    ann, bob = chat.logged_in("ann", "#a"), chat.guest("bob", "#a")
    bob.reads()
    assert "sesame" not in str([*ann.gets("/lock sesame"), *bob.reads(), *chat.audited()])


def test_a_banned_address_is_kept_out_before_it_is_welcomed_until_then() -> None:
    chat = Moderated()
    moderation = chat.moderation
    moderation.ban_source("2001:db8::/64", chat.now + 60, chat.now)
    moderation.ban_source("", chat.now + 60, chat.now)
    moderation.admit("", chat.now)
    moderation.admit("2001:db8:0:1::1", chat.now)
    with pytest.raises(NotAllowed) as caught:
        moderation.admit("2001:db8::5", chat.now)
    text = "Your address is banned by the server, for another 1 minute: too many wrong passwords"
    assert str(caught.value) == text
    moderation.admit("2001:db8::5", chat.now + 60)
    assert chat.audited() == [("", "ban", "", "address:2001:db8::/64", "too many wrong passwords")]


@pytest.mark.parametrize(("nick", "stays"), [("ann", False), ("zed", True), ("bob", True)])
def test_a_banned_account_is_put_out_when_it_logs_in(nick: str, stays: bool) -> None:
    chat = Moderated()
    for account in ("ann", "zed"):
        target = Target("account", account)
        chat.moderation.sanctions.impose("ban", "", target, chat.now + 60, "x", "", chat.now)
    member = chat.logged_in(nick)
    chat.moderation.logged_in(chat.hub, member.member, chat.now)
    said = [] if stays else ["-- This account is banned by x, for another 1 minute."]
    assert member.reads() == said and member.member.present == stays


def test_who_logs_in_to_a_banned_account_is_put_out_of_the_room() -> None:
    chat = classroom()
    ann, eve = person(chat, "ann"), chat.guest("eve", "#a", "192.0.2.9")
    chat.registered.add("eve2")
    ann.gets("/ban eve2 10m")
    eve.member.account = "eve2"
    chat.clear()
    chat.moderation.logged_in(chat.hub, eve.member, chat.now)
    assert eve.reads() == ["-- You are banned from #a by ann, for another 10 minutes."]
    assert [room.name for room in eve.member.rooms] == ["#lobby"]
    assert ann.reads() == ["-- eve left: banned (3 here)"]


@pytest.mark.parametrize("who", ["bob", "ann"])
def test_what_held_for_a_nick_holds_for_the_account_that_it_logs_in_to(who: str) -> None:
    chat = Moderated()
    ann, guest = chat.logged_in("ann", "#a"), chat.guest("guest", "#a")
    ann.gets("/mute guest 10m spam")
    attach(chat.hub, [Command("login", "", "", lambda *_: "")])
    guest.gets("/login")
    chat.hub.rename(guest.member, "gus", chat.now, freely=True)
    guest.member.account = "gus" if who == "bob" else "zed"
    chat.moderation.logged_in(chat.hub, guest.member, chat.now)
    if who == "bob":
        assert guest.gets("hi") == ["-- You are muted in #a by ann, for another 10 minutes: spam"]
        assert len(chat.restarted().moderation.sanctions) == 2
    else:
        assert guest.gets("hi") == [] and len(chat.moderation.sanctions) == 1


def test_where_the_server_has_too_many_bans_a_guesser_is_not_banned_and_that_is_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sanctions, "MOST_EVERYWHERE", 1)
    chat = Moderated()
    for address in ("192.0.2.1", "192.0.2.2"):
        with capturedLogs() as logs:
            chat.moderation.ban_source(address, chat.now + 60, chat.now)
    assert "192.0.2.2 was not banned" in str(formatEvent(logs[0]))
    with pytest.raises(NotAllowed):
        chat.moderation.admit("192.0.2.1", chat.now)
    chat.moderation.admit("192.0.2.2", chat.now)
    assert len(chat.audited()) == 1


def test_who_is_muted_by_its_nick_can_not_take_another() -> None:
    chat = Moderated()
    ann, bob = chat.logged_in("ann", "#a"), chat.guest("bob", "#a")
    ann.gets("/mute bob")
    bob.reads()
    assert bob.gets("/nick eve") == [
        "-- The nick bob is kept as it is: it was muted by ann, for good."
    ]
    assert bob.member.nick == "bob"
    chat.guest("cy", "#a").gets("/nick dan")
    assert "dan" in chat.hub.members


def test_who_is_muted_by_its_nick_can_not_take_another_while_out_of_the_room() -> None:
    chat = Moderated()
    ann, bob = chat.logged_in("ann", "#a"), chat.guest("bob", "#a")
    ann.gets("/mute bob")
    bob.gets("/part #a")
    assert bob.gets("/nick eve") == [
        "-- The nick bob is kept as it is: it was muted by ann, for good."
    ]
    chat.guest("cy").gets("/nick dan")
    assert "dan" in chat.hub.members


def test_what_is_detached_guards_nothing() -> None:
    chat = Moderated()
    chat.moderation.detach()
    assert not chat.hub.guards


def test_who_comes_where_nothing_is_kept_is_told() -> None:
    chat = Moderated()
    ann, bob = chat.logged_in("ann", "#a"), chat.guest("bob")
    assert chat.moderation.keeps(chat.hub.rooms["#a"]) and chat.moderation.keeps(chat.hub.lobby)
    ann.gets("/keep off")
    assert not chat.moderation.keeps(chat.hub.rooms["#a"])
    assert "-- Nothing said here is kept." in bob.gets("/join #a")


def test_the_last_turn_of_a_room_where_nothing_is_kept_is_not_kept_either() -> None:
    chat = Moderated()
    bob = chat.guest("bob", "#a")
    bob.gets("/keep off")
    gone = chat.hub.rooms["#a"]
    bob.says("secret", "/part", "/join #a")
    assert not chat.moderation.keeps(gone) and not gone.recent
    assert chat.moderation.keeps(chat.hub.rooms["#a"])


def test_nothing_is_held_for_who_is_gone() -> None:
    chat = Moderated()
    ann, bob = chat.logged_in("ann", "#a"), chat.guest("bob", "#a")
    chat.guest("cy", "#b").gets("/op bob", "/slow 5")
    ann.gets("/slow 10")
    bob.gets("hi", "/join #b", "hi")
    ann.gets("/voice bob")
    chat.moderation.here.add(bob.member)
    bob.gets("/quit")
    gone = bob.member
    bob.member = ann.member
    ann.gets("hi")
    gc.collect()
    holders = [found for found in gc.get_referrers(gone) if not isinstance(found, FrameType)]
    assert holders == []
