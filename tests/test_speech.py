"""Who may speak and how often: slow rooms, muted rooms, and who is muted."""

from __future__ import annotations

from timeit import timeit

import pytest

from chatroom.errors import AccountsOnly, CannotSpeak, NotAllowed
from chatroom.identity import PLAIN
from tests.moderated import Moderated, classroom, person


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


def test_where_only_accounts_speak_others_come_in_and_read_and_need_a_voice_to_speak() -> None:
    chat = classroom()
    ann, bob, eve = person(chat, "ann"), person(chat, "bob"), chat.logged_in("eve", "#a")
    ann.gets("/set accounts on")
    dan = person(chat, "dan")
    assert dan.gets("/join #a")[-1] == "-- You are dan in #a with ann, bob, cy and eve (5 here)."
    ann.reads(), bob.reads(), dan.reads()
    refused = "-- Only who is logged in may speak in #a: /login or /register first."
    assert bob.gets("hi", "/me waves", "/topic hi") == [refused] * 3
    with pytest.raises(AccountsOnly):
        chat.hub.tag(bob.member, chat.hub.rooms["#a"], PLAIN, chat.now)
    assert ann.reads() == dan.reads() == []
    assert eve.gets("hi", "/topic tea")[-1] == "-- You set the topic of #a: tea"
    ann.gets("me too")
    assert dan.reads() == ["<eve> hi", "-- eve set the topic: tea", "<ann> me too"]
    bob.gets("/part read this")
    assert ann.reads()[-1] == "-- bob left (4 here)"
    ann.gets("/voice dan")
    dan.gets("so do I", "/topic coffee")
    assert ann.reads() == ["<dan> so do I", "-- dan set the topic: coffee"]
    dan.member.account = "dan"
    ann.gets("/unvoice dan")
    dan.gets("and now")
    assert ann.reads() == ["<dan> and now"]


def test_who_is_logged_in_waits_where_it_is_slow_though_accounts_alone_speak() -> None:
    chat = classroom()
    ann, eve = person(chat, "ann"), chat.logged_in("eve", "#a")
    ann.gets("/set accounts on", "/slow 10")
    eve.gets("one")
    assert "one line every 10 seconds" in eve.gets("two")[-1]


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


def test_the_reason_to_leave_is_left_out_of_who_may_not_speak() -> None:
    chat = classroom()
    ann, bob, cy = person(chat, "ann"), person(chat, "bob"), person(chat, "cy")
    ann.gets("/mute bob")
    ann.reads()
    bob.gets("/part read this")
    assert ann.reads() == ["-- bob left (2 here)"]
    ann.gets("/mute all")
    cy.gets("/quit or this")
    assert ann.reads()[-1] == "-- cy left (1 here)"


def test_the_reason_to_leave_a_slow_room_is_a_line() -> None:
    chat = classroom()
    ann, bob = person(chat, "ann"), person(chat, "bob")
    ann.gets("/slow 10")
    bob.gets("/part one", "/join #a")
    assert "one line every 10 seconds" in bob.gets("two")[0]
    ann.reads()
    bob.gets("/part three")
    assert ann.reads() == ["-- bob left (2 here)"]


def test_what_is_no_line_is_refused_as_one_and_counts_as_none() -> None:
    chat = classroom()
    ann, bob = person(chat, "ann"), person(chat, "bob").member
    room = chat.hub.rooms["#a"]
    ann.gets("/slow 10")
    for _ in range(2):
        chat.hub.tag(bob, room, PLAIN, chat.now)
    chat.hub.say(bob, "hi", chat.now, room)
    with pytest.raises(CannotSpeak, match="Wait 10 seconds"):
        chat.hub.tag(bob, room, PLAIN, chat.now)
    ann.gets("/mute bob")
    with pytest.raises(CannotSpeak, match="You are muted in #a"):
        chat.hub.tag(bob, room, PLAIN, chat.now)
    chat.hub.tag(bob, ann.member, PLAIN, chat.now)
    chat.logged_in("zed").gets("/mute server bob")
    with pytest.raises(CannotSpeak, match="You are muted by zed"):
        chat.hub.tag(bob, ann.member, PLAIN, chat.now)


def test_who_is_outside_is_heard_where_that_is_allowed_unless_it_is_muted() -> None:
    chat = classroom()
    ann, dan = person(chat, "ann"), person(chat, "dan").member
    room = chat.hub.rooms["#a"]
    with pytest.raises(CannotSpeak):
        chat.hub.say(dan, "hi", chat.now, room)
    ann.gets("/set outside on")
    chat.hub.say(dan, "hi", chat.now, room)
    assert ann.reads() == ["<dan> hi"]
    for command in ("/mute dan", "/ban dan", "/mute all"):
        ann.gets(command)
        with pytest.raises(CannotSpeak):
            chat.hub.say(dan, "hi", chat.now, room)
        ann.gets(command.replace("/", "/un"))


def test_a_voice_lifts_a_mute_which_takes_one_back() -> None:
    chat = classroom()
    ann, bob = person(chat, "ann"), person(chat, "bob")
    ann.gets("/voice bob", "/mute bob")
    assert "-- You are muted" in bob.gets("hi")[-1]
    ann.gets("/voice bob")
    bob.reads()
    assert bob.gets("hi") == []
