"""What /rooms, /who and /whois show of a locked room, and to whom."""

from __future__ import annotations

import pytest

from tests.moderated import Moderated, classroom, person


@pytest.fixture(params=["/lock", "/lock sesame"])
def chat(request: pytest.FixtureRequest) -> Moderated:
    """#a is locked, and dan is not in it."""
    chat = classroom()
    person(chat, "ann").gets("/topic secret plans", request.param)
    chat.clear()
    return chat


def test_nobody_outside_sees_the_topic_of_a_locked_room(chat: Moderated) -> None:
    lobby = "-- #lobby (4 here)"
    assert person(chat, "dan").gets("/rooms") == [lobby, "-- #a (3 here, locked)"]
    assert person(chat, "bob").gets("/list") == [lobby, "-- #a (3 here): secret plans"]
    assert chat.logged_in("zed").gets("/rooms")[-1] == "-- #a (3 here): secret plans"


@pytest.mark.parametrize("command", ["/who #a", "/who A", "/names #A"])
def test_nobody_outside_sees_who_is_in_a_locked_room(chat: Moderated, command: str) -> None:
    no = "-- #a is locked: only who is in it may see who else is."
    here = "-- #a (3 here): ann, bob and cy"
    assert person(chat, "dan").gets(command) == [no]
    assert person(chat, "bob").gets(command) == [here]
    assert chat.logged_in("zed").gets(command) == [here]


def test_nobody_outside_sees_that_one_is_in_a_locked_room(chat: Moderated) -> None:
    dan, bob = person(chat, "dan"), person(chat, "bob")
    assert dan.gets("/whois bob")[0] == "-- bob is in #lobby."
    assert bob.gets("/whois bob")[0] == "-- bob is in #lobby and #a."
    bob.gets("/part #lobby")
    found = dan.gets("/whois bob")
    assert found[0] == "-- bob is in no room that is not locked." and len(found) == 2


def test_all_is_shown_of_what_is_not_locked_and_asked_as_before(chat: Moderated) -> None:
    person(chat, "ann").gets("/unlock")
    dan = person(chat, "dan")
    assert dan.gets("/rooms")[-1] == "-- #a (3 here): secret plans"
    assert dan.gets("/who #a") == ["-- #a (3 here): ann, bob and cy"]
    assert dan.gets("/who")[0].startswith("-- #lobby (4 here)")
    assert dan.gets("/whois", "/whois nobody") == [
        "-- Usage: /whois NICK",
        "-- Nobody here is called nobody. /who lists who is here.",
    ]


def test_a_secret_room_is_known_to_nobody_outside(chat: Moderated) -> None:
    person(chat, "ann").gets("/set secret on")
    dan, bob, zed = person(chat, "dan"), person(chat, "bob"), chat.logged_in("zed")
    assert not [line for line in dan.gets("/rooms") if "#a" in line]
    assert dan.gets("/who #a") == ["-- There is no room #a. /rooms lists them all."]
    assert dan.gets("/whois bob")[0] == "-- bob is in #lobby."
    assert dan.gets("/kick #a bob") == ["-- Nobody is in #a. /join it first."]
    for inside in (bob, zed):
        assert "#a (3 here)" in str(inside.gets("/rooms"))
        assert "ann, bob and cy" in str(inside.gets("/who #a"))
        assert "#a" in inside.gets("/whois cy")[0]


def test_what_was_said_in_a_guests_secret_room_is_hidden_from_who_makes_it_anew() -> None:
    chat = Moderated()
    chat.guest("guest", "#s").gets("/set secret on", "/part")
    assert chat.hidden == ["#s"]
