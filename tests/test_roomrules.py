"""Whose a room is, who was named in it, and what of that is kept."""

from __future__ import annotations

import pytest

from chatroom.errors import TooMany
from chatroom.member import Listener, Member
from chatroom.room import Room
from chatroom.rules import Rules
from chatroom.store.roomrules import MOST_NAMED, MOST_OWNED, RoomRules
from tests.inmemory import NOW
from tests.stored import Stored


def somebody(account: str = "") -> Member:
    member = Member(account or "guest", Listener(print), "", NOW)
    member.account = account
    return member


def loaded(database: Stored) -> RoomRules:
    return RoomRules(database, Room("#lobby", 0))


def made(rooms: RoomRules, room: str, member: Member, name: str = "") -> bool:
    return rooms.made(room, Rules(name or room), member)


def test_the_lobby_has_rules_that_are_kept_and_is_nobodys() -> None:
    database = Stored()
    rooms = loaded(database)
    rules = rooms.get("#lobby")
    assert rules is not None and rules.is_registered
    rules.slow = 5
    rooms.save("#lobby")
    again = loaded(database).get("#lobby")
    assert again is not None and again.slow == 5
    assert rules.owner not in ("", "ann")


def test_all_rules_of_a_registered_room_are_known_after_a_restart() -> None:
    database = Stored()
    rooms = loaded(database)
    assert made(rooms, "#a", somebody("ann"), "#A")
    rules = rooms.get("#a")
    assert rules is not None
    rules.topic, rules.topic_by, rules.topic_locked = "tea", "ann", True
    rules.key, rules.slow, rules.muted, rules.keeps = "k", 7, True, False
    rules.invite_only = rules.secret = rules.no_ctcp = rules.accounts_only = True
    rules.limit, rules.members_only = 9, False
    rules.topic_at, rules.made = NOW + 0.25, NOW
    rooms.save("#a")
    rooms.grant("#a", "operator", "bob")
    rooms.grant("#a", "voice", "cy")
    again = loaded(database).get("#a")
    assert again is not None
    fields = set(rules.__slots__)
    assert {f: getattr(again, f) for f in fields} == {f: getattr(rules, f) for f in fields}


def test_a_guests_room_is_not_kept() -> None:
    database = Stored()
    rooms = loaded(database)
    guest = somebody()
    assert not made(rooms, "#a", guest)
    rooms.grant("#a", "operator", "bob")
    rooms.save("#a")
    assert loaded(database).get("#a") is None
    assert database.load("SELECT * FROM roles") == []


def test_who_was_named_as_a_guest_is_forgotten_when_it_leaves() -> None:
    rooms = loaded(Stored())
    owner, guest = somebody(), somebody()
    made(rooms, "#a", owner)
    assert rooms.grant("#a", "operator", guest) and not rooms.grant("#a", "operator", guest)
    rules = rooms.get("#a")
    assert rules is not None and rules.has("operator", guest)
    assert rooms.left(guest) == rooms.left(owner) == ["#a"]
    assert not rules.has("operator", guest) and rules.owner is None


def test_who_logs_in_has_what_it_was_given_as_a_guest_and_what_its_account_was() -> None:
    rooms = loaded(Stored())
    member = somebody()
    made(rooms, "#a", member)
    rooms.grant("#a", "voice", member)
    rooms.grant("#a", "operator", "ann")
    rules = rooms.get("#a")
    assert rules is not None and not rules.has("operator", member)
    member.account = "ann"
    assert rules.has("operator", member) and rules.has("voice", member)


def test_what_is_taken_back_or_dropped_is_so_after_a_restart() -> None:
    database = Stored()
    rooms = loaded(database)
    for room in ("#a", "#b"):
        made(rooms, room, somebody("ann"))
        rooms.grant(room, "operator", "bob")
    assert rooms.revoke("#a", "operator", "bob")
    assert not rooms.revoke("#a", "operator", "bob")
    rooms.drop("#b")
    again = loaded(database)
    rules = again.get("#a")
    assert rules is not None and not rules.grants.get("operator")
    assert again.get("#b") is None and list(again.owned("ann")) == ["#a"]
    assert database.load("SELECT * FROM roles") == []


def test_a_row_that_others_made_or_need_stays() -> None:
    database = Stored()
    database.write("INSERT INTO rooms (room, name, hidden_to) VALUES ('#a', '#A', 7)")
    rooms = loaded(database)
    made(rooms, "#a", somebody("ann"))
    rooms.drop("#a")
    assert database.load("SELECT name, owner, hidden_to FROM rooms WHERE room = '#a'") == [
        ("#A", "", 7)
    ]


def test_an_account_that_is_no_more_leaves_nothing_to_the_next_of_its_name() -> None:
    database = Stored()
    rooms = loaded(database)
    made(rooms, "#a", somebody("ann"))
    made(rooms, "#b", somebody("bob"))
    rooms.grant("#b", "operator", "ann")
    made(rooms, "#open", somebody("ann"))
    rooms.forget_account("ann", {"#open"})
    left = rooms.get("#open")
    assert left is not None and left.owner is None
    for known in (rooms, loaded(database)):
        rules = known.get("#b")
        assert known.get("#a") is None and not list(known.owned("ann"))
        assert rules is not None and not rules.has("operator", somebody("ann"))


def test_an_account_owns_so_many_rooms_for_good() -> None:
    rooms = loaded(Stored())
    ann = somebody("ann")
    for number in range(MOST_OWNED):
        assert made(rooms, f"#{number}", ann)
    assert not made(rooms, "#more", ann)
    rules = rooms.get("#more")
    assert rules is not None and rules.owner is ann and not rules.is_registered


def test_the_rooms_of_one_are_counted_together_be_they_kept_or_not() -> None:
    rooms = loaded(Stored())
    ann, guest = somebody("ann"), somebody()
    for room, owner in (("#a", ann), ("#b", ann), ("#c", guest), ("#d", guest)):
        made(rooms, room, owner)
    rooms.grant("#a", "voice", guest)
    assert rooms.of_one("#a") == {"#a", "#b"} and rooms.of_one("#c") == {"#c", "#d"}
    assert rooms.of_one("#nobodys") == {"#nobodys"} and rooms.of_one("#lobby") == {"#lobby"}
    guest.account = "ann"
    assert rooms.of_one("#c") == {"#a", "#b", "#c", "#d"}


def test_a_room_that_is_given_is_the_members_until_it_leaves() -> None:
    rooms = loaded(Stored())
    first, heir = somebody(), somebody()
    made(rooms, "#a", first)
    rooms.left(first)
    rooms.give("#a", heir)
    rules = rooms.get("#a")
    assert rules is not None and rules.owner is heir
    rooms.left(heir)
    assert rules.owner is None


def test_so_many_may_be_named() -> None:
    rooms = loaded(Stored())
    made(rooms, "#a", somebody())
    for number in range(MOST_NAMED):
        rooms.grant("#a", "invited", f"a{number}")
    with pytest.raises(TooMany, match="the most there may be"):
        rooms.grant("#a", "invited", "ann")
    rooms.grant("#a", "voice", "ann")


def test_a_guests_room_that_is_registered_outlasts_the_server_with_who_has_a_say_there() -> None:
    database = Stored()
    rooms = loaded(database)
    ann = somebody()
    made(rooms, "#a", ann)
    rooms.grant("#a", "operator", "bob")
    rooms.grant("#a", "voice", somebody())
    assert rooms.registered("#a") == "" == rooms.registered("#lobby")
    rooms.register("#a", "ann")
    for known in (rooms, loaded(database)):
        rules = known.get("#a")
        assert rules is not None and rules.owner == "ann" == known.registered("#a")
        assert "bob" in rules.grants["operator"] and list(known.owned("ann")) == ["#a"]
    assert database.load("SELECT * FROM roles") == [("#a", "bob", "operator")]
    for number in range(MOST_OWNED - 1):
        made(rooms, f"#{number}", somebody("ann"))
    made(rooms, "#b", ann)
    with pytest.raises(TooMany):
        rooms.register("#b", "ann")


def test_a_room_with_another_name_has_the_same_rules_owner_and_roles() -> None:
    database = Stored()
    rooms = loaded(database)
    guest = somebody()
    made(rooms, "#a", somebody("ann"))
    made(rooms, "#b", somebody("ann"))
    made(rooms, "#c", guest)
    rooms.grant("#a", "operator", "bob")
    rooms.grant("#a", "voice", guest)
    rooms.rename("#a", "#new")
    rooms.rename("#c", "#d")
    rooms.rename("#none", "#there")
    for known in (rooms, loaded(database)):
        rules = known.get("#new")
        assert rules is not None and rules.has("operator", somebody("bob"))
        assert known.get("#a") is None and set(known.owned("ann")) == {"#new", "#b"}
    assert list(rooms.owned("ann")) == ["#new", "#b"] and set(rooms.left(guest)) == {"#new", "#d"}
    assert database.load("SELECT room FROM roles") == [("#new",)]


def test_where_one_was_invited_is_known() -> None:
    rooms = loaded(Stored())
    guest = somebody()
    made(rooms, "#a", somebody())
    rooms.grant("#a", "invited", guest)
    assert rooms.invited(guest) == ["#a"] and rooms.invited(somebody()) == []
