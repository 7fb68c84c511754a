"""The guard: who is let in and may speak, whose a room is, and what outlasts what."""

from __future__ import annotations

import gc
from timeit import timeit
from types import FrameType

import pytest

from chatroom.errors import NotAllowed
from chatroom.store.permissions import Role
from chatroom.store.roomrules import MOST_OWNED
from chatroom.store.sanctions import Target
from tests.inmemory import Person
from tests.moderated import Moderated


def role(chat: Moderated, person: Person, room: str = "#a") -> Role:
    return chat.moderation.role(person.member, room)


# Whose a room is


def test_who_makes_a_room_owns_it_and_runs_the_server_if_its_account_does() -> None:
    chat = Moderated()
    ann, bob, zed = chat.logged_in("ann", "#a"), chat.guest("bob", "#a"), chat.logged_in("zed")
    assert [role(chat, person) for person in (ann, bob, zed)] == [
        Role.OWNER,
        Role.MEMBER,
        Role.SERVER,
    ]
    assert role(chat, ann, "#lobby") == Role.MEMBER


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


def test_a_guest_owns_its_room_until_it_leaves_for_good() -> None:
    chat = Moderated()
    bob, cy = chat.guest("bob", "#a"), chat.guest("cy", "#a")
    bob.gets("/part")
    assert role(chat, bob) == Role.OWNER
    bob.gets("/quit")
    assert role(chat, bob) == role(chat, cy) == Role.MEMBER


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
    for person in (bob, cy, zed):
        person.gets("/join #a")
        assert person.member in chat.hub.rooms["#a"].members
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


# Speaking


def test_in_a_slow_room_each_says_one_line_then_waits() -> None:
    chat = Moderated()
    ann, bob, cy = chat.logged_in("ann", "#a"), chat.guest("bob", "#a"), chat.guest("cy", "#a")
    ann.gets("/slow 10")
    chat.clear()
    assert bob.gets("one") == cy.gets("uno") == []
    wait = "-- #a is slow: one line every 10 seconds, for each who speaks. Wait 10 seconds."
    assert bob.gets("two") == [wait]
    assert bob.gets("/me waves") == [wait]
    chat.now += 9.5
    assert bob.gets("two") == [wait.replace("10 seconds.", "1 second.")]
    chat.now += 0.5
    assert bob.gets("two") == []
    ann.gets("three", "four")
    assert bob.reads() == ["<ann> three", "<ann> four"]


def test_several_lines_at_once_are_refused_where_it_is_slow_and_not_counted() -> None:
    chat = Moderated()
    ann, bob = chat.logged_in("ann", "#a"), chat.guest("bob", "#a")
    ann.gets("/slow 10")
    with pytest.raises(NotAllowed, match="one line every 10 seconds"):
        chat.hub.say(bob.member, "one\ntwo", chat.now)
    chat.hub.say(bob.member, "one", chat.now)
    assert ann.reads() == ["<bob> one"]


def test_a_clock_that_is_set_back_keeps_nobody_silent() -> None:
    chat = Moderated()
    ann, bob = chat.logged_in("ann", "#a"), chat.guest("bob", "#a")
    ann.gets("/slow 10")
    bob.gets("one")
    ann.reads()
    chat.now -= 3600
    bob.gets("two")
    assert ann.reads() == ["<bob> two"]


def test_what_is_refused_for_being_muted_does_not_count_as_said() -> None:
    chat = Moderated()
    ann, bob = chat.logged_in("ann", "#a"), chat.guest("bob", "#a")
    ann.gets("/slow 10", "/mute bob 5s")
    bob.gets("one")
    chat.now += 5
    ann.reads()
    bob.gets("two")
    assert ann.reads() == ["<bob> two"]


def test_where_all_are_muted_nobody_gets_round_it_by_an_action_or_the_topic() -> None:
    chat = Moderated()
    ann, bob = chat.logged_in("ann", "#a"), chat.guest("bob", "#a")
    ann.gets("/mute all")
    bob.reads()
    muted = "-- #a is muted: only who was given a voice may speak."
    assert bob.gets("hi", "/me waves") == [muted, muted]
    assert bob.gets("/topic hi") == [
        "-- #a is muted: only who was given a voice may set its topic."
    ]
    assert ann.gets("hi") == []


def test_a_locked_topic_is_for_operators() -> None:
    chat = Moderated()
    ann, bob = chat.logged_in("ann", "#a"), chat.guest("bob", "#a")
    ann.gets("/lock topic")
    bob.reads()
    assert bob.gets("/topic x") == ["-- The topic of #a is locked: ask an operator of the room."]
    assert ann.gets("/topic tea") == ["-- You set the topic of #a: tea"]
    ann.gets("/unlock topic")
    bob.reads()
    assert bob.gets("/topic coffee") == ["-- You set the topic of #a: coffee"]


def test_who_is_muted_everywhere_can_not_write_privately_either() -> None:
    chat = Moderated()
    zed, bob = chat.logged_in("zed"), chat.guest("bob", address="192.0.2.1")
    zed.gets("/mute server bob 10m spam")
    bob.reads()
    muted = "-- You are muted by zed, for another 10 minutes: spam"
    assert bob.gets("hi", "/msg zed hi", "/topic hi") == [muted] * 3
    chat.now += 600
    assert bob.gets("hi") == []


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


def test_a_room_without_rules_costs_a_line_next_to_nothing() -> None:
    chat = Moderated()
    bob = chat.guest("bob", "#a").member
    ask = chat.moderation.ask
    for room in ("#a", "#b"):
        best = min(
            timeit(lambda: ask("say", bob, room, "hi", chat.now), number=5000)  # noqa: B023
            for _ in range(20)
        )
        assert best / 5000 < 2e-6  # a fifth of a microsecond or so; more is another algorithm


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
