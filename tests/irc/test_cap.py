"""CAP, where scenes don't reach: lists that take several lines."""

from __future__ import annotations

import pytest

from chatroom.protocols.irc.capabilities import ALL, Capability
from tests.irc.chatting import Chatting, IRCUser

MANY = [f"vendor.example/{'x' * 20}-{number}" for number in range(40)]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many capabilities that they don't fit a line."""
    for name in MANY:
        monkeypatch.setitem(ALL, name, Capability(name, "IRCv3"))


@pytest.mark.usefixtures("many")
def test_a_long_list_goes_on_in_further_lines_for_who_can_read_that() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    lines = ann.says("CAP LS 302")
    assert len(lines) > 1
    assert all(len(line.encode()) <= 510 for line in lines)
    assert all(" CAP * LS * :" in line for line in lines[:-1])
    assert " CAP * LS :" in lines[-1]
    names = " ".join(line.partition(" :")[2] for line in lines).split(" ")
    assert set(MANY) <= set(names)
    assert len(set(names)) == len(names)
    assert not chat.close()


@pytest.mark.usefixtures("many")
def test_who_knows_no_further_lines_gets_what_fits_one() -> None:
    chat = Chatting()
    (line,) = IRCUser(chat, "ann").says("CAP LS")
    assert len(line.encode()) <= 510
    assert " CAP * LS :account-notify account-tag away-notify batch " in line
    assert not chat.close()


@pytest.mark.usefixtures("many")
def test_what_one_has_is_listed_whole_as_well() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    for name in MANY:
        ann.says(f"CAP REQ {name}")
    lines = ann.says("CAP LIST")
    assert len(lines) > 1
    assert " ".join(line.partition(" :")[2] for line in lines).split(" ") == MANY
    assert not chat.close()


def test_who_has_none_gets_an_empty_list() -> None:
    chat = Chatting()
    assert IRCUser(chat, "ann").says("CAP LIST") == [":chatroom.local CAP * LIST :"]
    assert not chat.close()
