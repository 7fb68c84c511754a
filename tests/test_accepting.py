"""chatroom.accepting: who may write to a member alone, where only who is logged in may."""

from __future__ import annotations

import pytest

from chatroom.accepting import MOST_ACCEPTED
from chatroom.errors import NoSuchMember, NotAccepted, TooMany
from chatroom.identity import PLAIN
from chatroom.member import Member
from chatroom.permissions import Role
from tests.inmemory import NOW, Chat


def two() -> tuple[Chat, Member, Member]:
    """ann, to whom only who is logged in may write, and bob, who is not."""
    chat = Chat()
    ann, bob = (person.member for person in chat.people("ann", "bob"))
    chat.hub.let_write(ann, accounts_only=True)
    return chat, ann, bob


def writes(chat: Chat, member: Member, to: Member) -> bool:
    """Whether it gets there, as a line and without a text alike."""
    to.last_from = None
    try:
        chat.hub.tag(member, to, PLAIN, NOW)
    except NotAccepted:
        member.spoke = NOW - 5
        with pytest.raises(NotAccepted, match=f"may write to {to.nick} alone: /login or /reg"):
            chat.hub.tell(member, to.nick, "hi", NOW)
        assert member.spoke == NOW - 5 and to.last_from is None
        return False
    return chat.hub.tell(member, to.nick, "hi", NOW) is to and to.last_from is member


def test_who_is_not_logged_in_is_refused_and_who_is_gets_through() -> None:
    chat, ann, bob = two()
    assert not writes(chat, bob, ann)
    bob.account = "bob"
    assert writes(chat, bob, ann)
    bob.account = ""
    assert not writes(chat, bob, ann)
    chat.hub.let_write(ann, accounts_only=False)
    assert writes(chat, bob, ann)


def test_one_may_always_write_to_oneself_and_who_runs_the_server_to_anyone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chat, ann, bob = two()
    assert writes(chat, ann, ann)
    monkeypatch.setattr(chat.hub.authority, "role", lambda member, room: Role.SERVER)
    assert writes(chat, bob, ann)


def test_a_room_is_not_private() -> None:
    chat, ann, bob = two()
    chat.hub.say(bob, "hi", NOW)
    chat.hub.tell_some(bob, chat.hub.lobby, "@#lobby", [ann], "hi", NOW)
    assert "<bob> hi" in ann.door.reads()  # type: ignore[attr-defined]


def test_who_is_accepted_gets_through_until_that_is_taken_back() -> None:
    chat, ann, bob = two()
    assert chat.hub.accept(ann, "BOB") and not chat.hub.accept(ann, "bob")
    assert chat.hub.accepted(ann) == ["bob"] and writes(chat, bob, ann)
    assert chat.hub.accept_no_more(ann, "Bob") and not chat.hub.accept_no_more(ann, "bob")
    assert chat.hub.accepted(ann) == [] and not writes(chat, bob, ann)
    with pytest.raises(NoSuchMember):
        chat.hub.accept(ann, "zoe")
    assert not chat.hub.accept(ann, "ann")


def test_who_was_written_to_may_answer_and_is_accepted_for_good_when_asked_for() -> None:
    chat, ann, bob = two()
    assert writes(chat, ann, bob) and chat.hub.accepted(ann) == ["bob"]
    assert writes(chat, bob, ann)
    assert chat.hub.accept(ann, "bob") and not chat.hub.accept(ann, "bob")
    assert chat.hub.accepted(ann) == ["bob"]


def test_who_is_written_to_with_an_account_or_by_who_lets_all_write_is_not_remembered() -> None:
    chat, ann, bob = two()
    assert writes(chat, bob, chat.hub.enter(bob.door, NOW, "cy")) and not bob.accepted
    bob.account = "bob"
    chat.hub.tell(ann, "bob", "hi", NOW)
    assert not ann.accepted


def test_another_of_the_nick_inherits_nothing_and_another_nick_loses_nothing() -> None:
    chat, ann, bob = two()
    chat.hub.accept(ann, "bob")
    chat.hub.rename(bob, "rob", NOW)
    (other,) = (person.member for person in chat.people("bob"))
    assert not writes(chat, other, ann) and writes(chat, bob, ann)
    assert chat.hub.accepted(ann) == ["rob"]
    assert not chat.hub.accept_no_more(ann, "bob")


def test_who_has_an_account_is_accepted_by_it_be_it_here_or_not() -> None:
    chat, ann, bob = two()
    bob.account = "robert"
    assert chat.hub.accept(ann, "bob") and not chat.hub.accept(ann, "bob")
    assert dict(ann.accepted) == {"robert": True} and chat.hub.accepted(ann) == ["robert"]
    bob.account = ""
    assert not writes(chat, bob, ann)
    assert chat.hub.accept_no_more(ann, "Robert") and not ann.accepted


def test_who_logs_in_is_accepted_once() -> None:
    chat, ann, bob = two()
    writes(chat, ann, bob)
    bob.account = "bob"
    assert chat.hub.accept(ann, "bob") and dict(ann.accepted) == {"bob": True}
    assert not chat.hub._accepted_by


def test_no_more_are_accepted_than_may_be_and_of_who_may_answer_the_oldest_makes_way() -> None:
    chat, ann, bob = two()
    others = [person.member for person in chat.people(*(f"n{i}" for i in range(MOST_ACCEPTED)))]
    for other in others:
        assert chat.hub.accept(ann, other.nick)
    with pytest.raises(TooMany, match="You accept 100, the most there may be"):
        chat.hub.accept(ann, "bob")
    assert writes(chat, ann, bob) and writes(chat, bob, ann)
    for name in (f"m{i}" for i in range(MOST_ACCEPTED - 1)):
        chat.hub.tell(ann, chat.hub.enter(bob.door, NOW, name).nick, "hi", NOW)
    assert bob in ann.accepted
    chat.hub.tell(ann, chat.hub.enter(bob.door, NOW, "last").nick, "hi", NOW)
    assert bob not in ann.accepted and len(ann.accepted) == 2 * MOST_ACCEPTED
    assert bob not in chat.hub._accepted_by


def test_nothing_is_left_of_who_is_gone() -> None:
    chat, ann, bob = two()
    (cy,) = (person.member for person in chat.people("cy"))
    chat.hub.accept(ann, "bob"), chat.hub.accept(cy, "bob"), chat.hub.accept(bob, "ann")
    chat.hub.leave(bob, "", NOW)
    assert not (ann.accepted or cy.accepted or bob.accepted or chat.hub._accepted_by)
