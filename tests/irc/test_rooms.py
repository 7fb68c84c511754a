"""Rooms, where scenes don't reach: who is shown to whom."""

from __future__ import annotations

import pytest

from chatroom.protocols.irc.rooms import sees_member
from tests.irc.chatting import Chatting, IRCUser, LineUser, User


def entered(user: User, room: str = "") -> User:
    user.registers()
    if room:
        user.says(f"/join {room}" if isinstance(user, LineUser) else f"JOIN {room}")
    return user


@pytest.mark.parametrize(
    ("mode", "together", "sees"),
    [("", False, True), ("+i", False, False), ("+i", True, True)],
)
def test_who_is_invisible_is_shown_to_its_rooms_alone(
    mode: str, together: bool, sees: bool
) -> None:
    chat = Chatting()
    ann = entered(IRCUser(chat, "ann"), "#x")
    bob = entered(IRCUser(chat, "bob"), "#x" if together else "")
    if mode:
        ann.protocol.modes.add(mode[1])
    assert sees_member(bob.protocol, ann.protocol.member) is sees
    assert sees_member(ann.protocol, ann.protocol.member)
    assert not chat.close()


def test_who_has_nc_is_never_invisible() -> None:
    chat = Chatting()
    cara, bob = entered(LineUser(chat, "cara")), entered(IRCUser(chat, "bob"))
    assert sees_member(bob.protocol, cara.protocol.member)
    assert not chat.close()
