"""What everyone is in a room: who owns it, and to whom it passes."""

from __future__ import annotations

from chatroom.events import Event, Ruled
from chatroom.permissions import Role
from chatroom.rules import Change
from tests.inmemory import Person
from tests.moderated import Moderated


def role(chat: Moderated, person: Person, room: str = "#a") -> Role:
    return chat.moderation.role(person.member, room)


def test_who_makes_a_room_owns_it_and_runs_the_server_if_its_account_does() -> None:
    chat = Moderated()
    ann, bob, zed = chat.logged_in("ann", "#a"), chat.guest("bob", "#a"), chat.logged_in("zed")
    assert [role(chat, person) for person in (ann, bob, zed)] == [
        Role.OWNER,
        Role.MEMBER,
        Role.SERVER,
    ]
    assert role(chat, ann, "#lobby") == Role.MEMBER


def test_a_guests_room_passes_to_who_was_there_longest_when_it_leaves_for_good() -> None:
    chat = Moderated()
    bob, cy, dan = (chat.guest(nick, "#A") for nick in ("bob", "cy", "dan"))
    bob.gets("/lock", "/part")
    assert role(chat, bob) == Role.OWNER
    chat.clear()
    bob.gets("/quit")
    assert [role(chat, each) for each in (bob, cy, dan)] == [Role.MEMBER, Role.OWNER, Role.MEMBER]
    assert cy.reads()[-1] == "-- You are the operator of #A now."
    assert cy.gets("/unlock") == ["-- cy unlocked #A"]
    cy.gets("/quit")
    assert role(chat, dan) == Role.OWNER


def test_a_guests_room_passes_to_nobody_while_an_operator_is_there() -> None:
    chat = Moderated()
    bob, cy, dan = (chat.guest(nick, "#a") for nick in ("bob", "cy", "dan"))
    bob.gets("/op dan", "/quit")
    assert role(chat, cy) == Role.MEMBER and role(chat, dan) == Role.OPERATOR
    dan.gets("/quit")
    assert role(chat, cy) == Role.OWNER


def test_an_accounts_room_passes_to_nobody() -> None:
    chat = Moderated()
    ann, cy = chat.logged_in("ann", "#a"), chat.guest("cy", "#a")
    ann.gets("/quit")
    assert role(chat, cy) == Role.MEMBER


def changes(chat: Moderated) -> list[tuple[Change, ...]]:
    """What rooms are told from now on that the server itself changed."""
    told: list[tuple[Change, ...]] = []

    def heard(event: Event) -> None:
        if type(event) is Ruled and not event.sender:
            assert not event.text  # nobody reads it as a line
            told.append(event.changes)

    chat.hub.observers.append(heard)
    return told


def test_a_room_is_told_what_who_comes_is_there_already() -> None:
    chat = Moderated()
    ann, cy = chat.logged_in("ann", "#a"), chat.guest("cy", "#a")
    bob = chat.logged_in("bob", "#a")
    ann.gets("/op bob", "/voice bob")
    bob.gets("/part")
    told = changes(chat)
    assert cy.gets() == []
    bob.gets("/join #a")
    assert told == [(Change("operator", True, "bob"), Change("voice", True, "bob"))]
    cy.gets("/part", "/join #b", "/join #a")
    assert len(told) == 1  # neither who has nothing, nor who is alone


def test_a_room_is_told_what_who_logs_in_or_out_is_there_from_then_on() -> None:
    chat = Moderated()
    ann, other = chat.logged_in("ann", "#a"), chat.guest("other", "#a")
    ann.gets("/voice other")
    told = changes(chat)
    chat.hub.identify(other.member, chat.now, account="ann")
    assert told == [(Change("operator", True, "other"),)]
    chat.hub.identify(other.member, chat.now, account="")
    assert told[1:] == [(Change("operator", False, "other"),)]
    chat.hub.identify(other.member, chat.now, realname="Other")
    assert len(told) == 2
