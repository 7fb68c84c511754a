"""chatroom.directory: who is here, and how one is found."""

from __future__ import annotations

import pytest

from chatroom.directory import Directory
from chatroom.errors import BadName, NoSuchMember, NotInRoom
from chatroom.limits import Limits
from tests.inmemory import Chat


def test_the_lobby_is_there_from_the_start_and_its_name_may_lack_the_sign() -> None:
    directory = Directory(Limits(), "hall", guests_by_address=False)
    assert list(directory.rooms) == ["#hall"]
    assert directory.lobby.name == "#hall" and not directory.members


def test_a_member_is_found_by_its_nick_in_any_case() -> None:
    chat = Chat()
    (ann,) = chat.people("Ann")
    assert chat.hub.find("aNN") is ann.member
    with pytest.raises(NoSuchMember, match="Nobody here is called bob"):
        chat.hub.find("bob")


def test_a_room_is_found_by_its_name_or_as_the_current_one() -> None:
    chat = Chat()
    (ann,) = chat.people("ann")
    ann.gets("/join #Tea")
    tea = chat.hub.rooms["#tea"]
    assert chat.hub.room_of(ann.member, "") is chat.hub.room_of(ann.member, "TEA") is tea
    with pytest.raises(NotInRoom):
        chat.hub.room_of(ann.member, "#other")
    with pytest.raises(BadName):
        chat.hub.room_of(ann.member, "no room")
    ann.gets("/part", "/part")
    with pytest.raises(NotInRoom, match="You are in no room"):
        chat.hub.room_of(ann.member, "")
