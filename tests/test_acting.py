"""What is done to somebody or to a room, by whatever door: kicks, invitations, names, lines."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from twisted.internet.defer import Deferred

from chatroom.errors import (
    AlreadyInRoom,
    BadName,
    ChatError,
    NameTaken,
    NoSuchLine,
    NotAllowed,
    NotInRoom,
    NotOperator,
    NotServerOperator,
)
from chatroom.events import Event, Invited, RoomRenamed, Ruled
from chatroom.member import Member
from chatroom.permissions import Role
from chatroom.room import Room
from chatroom.rules import Change
from tests.moderated import Moderated, classroom, person


def of(chat: Moderated, *nicks: str) -> list[Member]:
    return [chat.hub.members[nick] for nick in nicks]


def one(chat: Moderated, nick: str) -> Member:
    return chat.hub.members[nick]


def heard(chat: Moderated, kind: type[Event]) -> list[Event]:
    """What of this kind is told from now on."""
    told: list[Event] = []
    chat.hub.observers.append(lambda event: told.append(event) if type(event) is kind else None)
    return told


# Kicks and invitations


def test_an_operator_kicks_everyone_but_who_runs_the_server() -> None:
    chat = classroom()
    ann, bob, cy = of(chat, "ann", "bob", "cy")
    room, kick = chat.hub.rooms["#a"], chat.moderation.kick
    person(chat, "ann").gets("/op bob")
    with pytest.raises(NotOperator):
        kick(cy, bob, room, "", chat.now)
    with pytest.raises(NotInRoom):
        kick(bob, one(chat, "dan"), room, "", chat.now)
    zed = chat.logged_in("zed", "#a").member
    with pytest.raises(NotOperator):
        kick(bob, zed, room, "", chat.now)
    kick(bob, ann, room, "", chat.now)
    assert ann not in room.members and chat.audited()[-1][:4] == ("bob", "kick", "#a", "ann")
    chat.hub.join(ann, "#a", chat.now)
    assert chat.moderation.role(ann, "#a") == Role.OWNER


def test_who_has_no_say_invites_only_where_everyone_may_come_and_lets_nobody_in_by_it() -> None:
    chat = classroom()
    ann, bob, cy, dan = of(chat, "ann", "bob", "cy", "dan")
    room, invite = chat.hub.rooms["#a"], chat.moderation.invite
    for by, to, error in ((dan, dan, NotInRoom), (bob, cy, AlreadyInRoom)):
        with pytest.raises(error):
            invite(by, to, room, chat.now)
    invite(bob, dan, room, chat.now)
    assert person(chat, "dan").reads() == ["-- bob invites you to #a: /join #a"]
    assert person(chat, "cy").reads() == ["-- bob invited dan"]
    assert chat.moderation.invitations(dan) == []
    person(chat, "ann").gets("/lock")
    with pytest.raises(NotOperator):
        invite(bob, dan, room, chat.now)
    invite(ann, dan, room, chat.now)
    assert chat.moderation.invitations(dan) == ["#a"]
    assert person(chat, "dan").gets("/invite")[-1] == "-- You are invited to #a."
    chat.hub.join(dan, "#a", chat.now)
    assert person(chat, "dan").gets("/invite")[-1] == "-- You are invited to no room."


def test_a_door_that_shows_invitations_itself_is_given_the_event() -> None:
    chat = classroom()
    ann, dan = of(chat, "ann", "dan")
    told = heard(chat, Ruled)
    got: list[Event] = []
    dan.echoes = dan.echoes | {Invited}
    dan.write = lambda data: got.append(data)
    chat.moderation.invite(ann, dan, chat.hub.rooms["#a"], chat.now)
    chat.end_turn()
    assert [event.changes for event in told] == [(Change("invited", True, "dan"),)]  # type: ignore[attr-defined]
    assert b"invites you" not in b"".join(got)  # type: ignore[arg-type]


# The room itself


def test_a_room_gets_another_name_with_all_that_is_so_there() -> None:
    chat = classroom()
    ann, bob = person(chat, "ann"), person(chat, "bob")
    ann.gets("/op cy", "/lock", "/topic tea", "/ban troll!*@*", "/set limit 9")
    told = heard(chat, RoomRenamed)
    assert ann.gets("/roomname #New better") == ["[#a] -- ann renamed this room to #New"]
    assert [(event.room, event.name, event.reason) for event in told] == [  # type: ignore[attr-defined]
        ("#a", "#New", "better")
    ]
    assert [room.name for room in bob.member.rooms][-1] == "#New"
    assert person(chat, "dan").gets("/join #new")[0].startswith("-- #new is locked")
    again = chat.restarted()
    rules = again.moderation.rooms.get("#new")
    assert rules is not None and (rules.name, rules.owner, rules.limit) == ("#New", "ann", 9)
    assert again.moderation.rooms.get("#a") is None
    assert [one.room for one in again.moderation.sanctions.of("ban", "#new", chat.now)] == ["#new"]
    assert chat.moderation.sanctions.any_in("#new") and not chat.moderation.sanctions.any_in("#a")
    person(chat, "dan").gets("/join #a")
    assert chat.moderation.role(chat.hub.members["dan"], "#a") == Role.OWNER
    assert chat.moderation.role(ann.member, "#a") == Role.MEMBER


def test_a_room_may_be_written_otherwise() -> None:
    chat = classroom()
    person(chat, "ann").gets("/roomname #A")
    rules = chat.restarted().moderation.rooms.get("#a")
    assert rules is not None and rules.name == "#A" == chat.hub.rooms["#a"].name


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("#a", BadName),
        ("#a b", BadName),
        ("#b", NameTaken),
        ("#kept", NameTaken),
        ("#lobby", NameTaken),
    ],
)
def test_a_name_that_can_not_be_is_refused(name: str, error: type[ChatError]) -> None:
    chat = classroom()
    chat.guest("eve", "#b")
    chat.logged_in("cyd", "#kept").gets("/part")
    with pytest.raises(error):
        chat.moderation.rename_room(one(chat, "ann"), chat.hub.rooms["#a"], name, "", chat.now)
    zed = chat.logged_in("zed").member
    with pytest.raises(NotAllowed, match="is the lobby"):
        chat.moderation.rename_room(zed, chat.hub.lobby, "#x", "", chat.now)


def test_a_guests_room_is_registered_once_it_has_an_account() -> None:
    chat = Moderated()
    bob, cy = chat.guest("bob", "#a"), chat.guest("cy", "#a")
    room = chat.hub.rooms["#a"]
    bob.gets("/ban troll!*@*", "/lock")
    assert chat.moderation.registered(room) is None
    assert bob.gets("/registerroom") == [
        "-- A room is registered for an account, and bob has none."
    ]
    bob.member.account = "bob"
    assert bob.gets("/registerroom") == ["-- bob registered #a for bob"]
    assert cy.reads()[-1] == "-- bob registered #a for bob"
    assert chat.moderation.registered(room) == ("bob", chat.now)
    assert bob.gets("/registerroom") == ["-- #a is registered already."]
    again = chat.restarted()
    rules = again.moderation.rooms.get("#a")
    assert rules is not None and rules.owner == "bob" and rules.invite_only
    assert len(again.moderation.sanctions) == 1


def test_when_a_room_was_made_is_known_after_a_restart() -> None:
    chat = classroom()
    then, chat.now = chat.now, chat.now + 999
    again = chat.restarted()
    again.logged_in("ann", "#a")
    room: Room = again.hub.rooms["#a"]
    assert room.made == then and again.moderation.registered(room) == ("ann", then)
    assert room.rules is again.moderation.rooms.get("#a")


# Lines


async def finished(work: Awaitable[None]) -> None:
    await work


def outcome(chat: Moderated, by: str, line: int) -> BaseException | None:
    """What became of a redaction."""
    answers: list[object] = []
    work = chat.moderation.redact(one(chat, by), chat.hub.rooms["#a"], line, "", chat.now)
    Deferred.fromCoroutine(finished(work)).addBoth(answers.append)
    (answer,) = answers
    value = getattr(answer, "value", None)
    return value if isinstance(value, BaseException) else None


def test_a_line_is_taken_out_by_who_said_it_or_an_operator() -> None:
    chat = classroom()
    for nick in ("bob", "bob", "cy"):
        person(chat, nick).says("hi")
    first, second, third = (event.id for event in chat.hub.rooms["#a"].recent)
    assert isinstance(outcome(chat, "bob", third), NotOperator)
    assert isinstance(outcome(chat, "bob", 7), NoSuchLine)
    assert outcome(chat, "bob", first) is None
    assert isinstance(outcome(chat, "bob", first), (NoSuchLine, NotOperator))
    assert outcome(chat, "ann", third) is None
    person(chat, "bob").gets("/quit")
    chat.now += 1
    chat.guest("bob", "#a", "192.0.2.1")
    assert isinstance(outcome(chat, "bob", second), NotOperator)
    with pytest.raises(NotInRoom):
        outcome(chat, "dan", second)


def test_whose_account_said_a_line_may_take_it_out_under_another_nick() -> None:
    chat = classroom()
    cyd = chat.logged_in("cyd", "#a")
    cyd.says("hi")
    line = chat.hub.rooms["#a"].recent[-1].id
    chat.hub.rename(cyd.member, "other", chat.now, freely=True)
    assert outcome(chat, "other", line) is None


# The server


def test_a_server_operator_puts_one_out_of_the_server() -> None:
    chat = classroom()
    zed, bob = chat.logged_in("zed"), person(chat, "bob")
    with pytest.raises(NotServerOperator):
        chat.moderation.kill(one(chat, "ann"), one(chat, "bob"), "", chat.now)
    assert zed.gets("/kill bob spam")[-1] == "-- You put bob out of the server."
    assert bob.reads()[-1] == "-- You were put out of the server by zed: spam" and bob.closed
    assert person(chat, "cy").reads()[-1] == "-- bob left: Killed (zed (spam)) (2 here)"
    assert chat.audited()[-1] == ("zed", "kill", "", "bob", "spam")
    chat.moderation.here.add(one(chat, "cy"))
    with pytest.raises(NotServerOperator):
        chat.moderation.kill(one(chat, "zed"), one(chat, "cy"), "", chat.now)


def test_what_the_room_made_of_a_server_operator_is_told_apart() -> None:
    chat = classroom()
    zed = chat.logged_in("zed", "#a").member
    assert chat.moderation.role(zed, "#a") == Role.SERVER
    assert chat.moderation.own_role(zed, "#a") == Role.MEMBER
    assert chat.moderation.own_role(one(chat, "ann"), "#a") == Role.OWNER
    assert chat.moderation.own_role(zed, "#none") == Role.MEMBER


def test_whom_a_room_passes_to_is_told_to_doors_that_show_it() -> None:
    chat = Moderated()
    bob = chat.guest("bob", "#a")
    chat.guest("cy", "#a")
    told = heard(chat, Ruled)
    bob.gets("/quit")
    (event,) = told
    assert event.sender == "" == event.text and event.changes == (Change("operator", True, "cy"),)  # type: ignore[attr-defined]


def test_a_ban_tells_doors_its_masks_and_what_was_lost_by_it() -> None:
    chat = classroom()
    person(chat, "ann").gets("/op bob", "/voice bob")
    told = heard(chat, Ruled)
    person(chat, "ann").gets("/mute bob")
    person(chat, "ann").gets("/ban bob", "/unban bob")
    changes = [[(c.setting, c.on) for c in event.changes] for event in told]  # type: ignore[attr-defined]
    assert changes == [
        [("ban", True), ("operator", False), ("voice", False)], [("ban", True)], [("ban", False)],
    ]  # fmt: skip


def test_who_was_made_a_server_operator_gives_that_up_and_whose_account_is_one_can_not() -> None:
    chat = classroom()
    zed, bob = chat.logged_in("zed").member, one(chat, "bob")
    resign = chat.moderation.resign
    with pytest.raises(NotServerOperator):
        resign(bob, chat.now)
    with pytest.raises(NotAllowed, match="log out"):
        resign(zed, chat.now)
    chat.moderation.here.add(bob)
    resign(bob, chat.now)
    assert not chat.moderation.is_server_operator(bob)
    assert chat.audited()[-1] == ("bob", "resign", "", "bob", "")
