"""The Authority of a hub that has none: all are members alike."""

from __future__ import annotations

import pytest

from chatroom.authority import Authority
from chatroom.errors import NotAllowed, NotOperator, NotServerOperator
from chatroom.permissions import Role
from chatroom.rules import Change
from tests.inmemory import NOW, Chat


def test_nobody_has_a_say_and_everyone_sees_every_room_that_is_not_secret() -> None:
    chat = Chat()
    ann, bob = (person.member for person in chat.people("ann", "bob"))
    room = chat.hub.join(ann, "#a", NOW)
    who: Authority = chat.hub.authority
    assert who.role(ann, "#a") == who.own_role(ann, "#a") == Role.MEMBER
    assert not who.has_voice(ann, "#a") and not who.is_server_operator(ann)
    assert who.sees(bob, room) and who.masks(room, "ban", NOW) == []
    assert who.registered(room) is None and who.invitations(ann) == []
    room.rules.secret = True
    assert who.sees(ann, room) and not who.sees(bob, room)


def test_nobody_may_do_anything_to_another_or_to_a_room() -> None:
    chat = Chat()
    ann, bob = (person.member for person in chat.people("ann", "bob"))
    room, who = chat.hub.join(ann, "#a", NOW), chat.hub.authority
    who.show(ann, room, [], NOW)
    for act in (
        lambda: who.must("kick", ann, room, bob),
        lambda: who.change(ann, room, Change("muted", True), NOW),
        lambda: who.kick(ann, bob, room, "", NOW),
        lambda: who.invite(ann, bob, room, NOW),
        lambda: who.register_room(ann, room, NOW),
        lambda: who.rename_room(ann, room, "#b", "", NOW),
        lambda: who.redact(ann, room, 1, "", NOW),
    ):
        with pytest.raises(NotOperator):
            act()
    for act in (
        lambda: who.kill(ann, bob, "", NOW),
        lambda: who.resign(ann, NOW),
        lambda: who.announce(ann, "hi", NOW),
        lambda: who.oper(ann, "boss", "secret", NOW),
    ):
        with pytest.raises(NotServerOperator):
            act()
    assert issubclass(NotServerOperator, NotAllowed)
