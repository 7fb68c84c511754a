"""/set: the rules of a room in sentences, and those that no other command sets."""

from __future__ import annotations

import pytest

from tests.moderated import Moderated, classroom, person

SETS = [
    ("/set limit 25", "-- ann lets in 25 at most"),
    ("/set limit off", "-- That is so in #a already."),
    ("/set secret on", "-- ann hid #a from who is not here"),
    ("/set outside on", "-- ann lets who is not here speak here too"),
    ("/set #a outside ON", "-- ann lets who is not here speak here too"),
    ("/set outside off", "-- That is so in #a already."),
    ("/set accounts on", "-- ann lets only who is logged in speak"),
    ("/set accounts off", "-- That is so in #a already."),
    ("/set ctcp off", "-- ann lets no program question those here"),
    ("/set ctcp on", "-- That is so in #a already."),
    ("/set except b*", "-- ann lets b*!*@* in although banned"),
    ("/set invite x@y", "-- ann invited all who are *!x@y"),
    ("/set invite x@y off", "-- That is so in #a already."),
]


@pytest.mark.parametrize(("command", "reply"), SETS)
def test_what_is_set_is_shown_to_the_room(command: str, reply: str) -> None:
    chat = classroom()
    assert person(chat, "ann").gets(command) == [reply]
    shown = [] if "already" in reply else [reply]
    assert person(chat, "cy").reads() == shown and len(chat.audited()) == len(shown)


@pytest.mark.parametrize(
    "command",
    ["/set limit", "/set limit 5 6", "/set secret", "/set secret maybe", "/set except", "/set x y"],
)
def test_how_it_is_used_is_told(command: str) -> None:
    (reply,) = person(classroom(), "ann").gets(command)
    assert reply.startswith("-- Usage: /set [#ROOM] [limit N|off] [secret on|off]")


def test_all_rules_are_shown_to_who_is_in_the_room_and_no_key() -> None:
    chat = classroom()
    ann, bob, dan = (person(chat, nick) for nick in ("ann", "bob", "dan"))
    assert bob.gets("/set")[0].startswith("-- #a is ann's for good since 2026-")
    ann.gets("/lock sesame", "/set limit 25", "/set secret on", "/set outside on", "/slow 5")
    ann.gets(
        "/set accounts on",
        "/set ctcp off",
        "/mute all",
        "/lock topic",
        "/keep off",
        "/set except b*",
        "/set invite x@y",
    )
    bob.reads()
    assert bob.gets("/set")[1:] == [
        "-- One enters by invitation or with the key.",
        "-- It lets in 25 at most.",
        "-- Who is not here does not learn that there is this room.",
        "-- Who is not here may speak here too.",
        "-- Only who was given a voice may speak.",
        "-- Each may say one line every 5 seconds.",
        "-- Only who is logged in may speak, or was given a voice.",
        "-- No program may question those here.",
        "-- Only operators set the topic.",
        "-- What is said here is not kept.",
        "-- except: b*!*@*",
        "-- invite: *!x@y",
    ]
    assert dan.gets("/set #a") == ["-- Nobody is in #a. /join it first."]
    ann.gets("/set secret off", "/lock")
    assert dan.gets("/set #a") == ["-- You are not in #a. /join it first."]
    assert "-- One enters by invitation only." in chat.logged_in("zed").gets("/set #a")
    assert "-- 3: b*!*@*, excepted from bans and mutes for good by ann" not in ann.gets("/bans")
    assert "-- 1: b*!*@*, excepted from bans and mutes for good by ann" in ann.gets("/bans")


def test_a_room_without_rules_says_so() -> None:
    chat = Moderated()
    bob = chat.guest("bob", "#a")
    assert bob.gets("/set") == ["-- #a is bob's."]
    assert chat.guest("cy").gets("/set") == [
        "-- #lobby has no rules: everyone may come in and speak."
    ]
