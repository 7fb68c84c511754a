"""chatroom.protocols.irc.portions: a long list costs nobody a delay, and no memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatroom.member import Member
from chatroom.protocols.irc import portions
from tests.irc.chatting import Chatting, IRCUser

ROOMS = 25


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chatting]:
    monkeypatch.setattr(portions, "PORTION", 10)
    chat = Chatting()
    for number in range(ROOMS):
        chat.hub.join(_someone(chat, number), f"#room{number}", chat.wall())
    yield chat
    assert chat.close() == []


def _someone(chat: Chatting, number: int) -> Member:
    user = IRCUser(chat, f"user{number}")
    user.registers()
    member: Member = user.protocol.member
    return member


def asks(chat: Chatting, caps: str = "") -> IRCUser:
    """Somebody who has asked for the list, and of whom nothing more was taken."""
    ann = IRCUser(chat, "ann")
    ann.registers(caps.split())
    return ann


def numbers(lines: list[str]) -> list[str]:
    return [line.split(" ")[1] for line in lines]


def test_a_long_list_takes_turns_and_is_whole(chat: Chatting) -> None:
    ann, bob = asks(chat), IRCUser(chat, "bob")
    bob.registers()
    ann.send("LIST", "PING later")
    bob.send("PRIVMSG ann :hi")
    chat.settle()
    told = numbers(ann.read())
    assert told[9:12] == ["322", "PRIVMSG", "322"]
    assert told[-2:] == ["323", "PONG"]


def test_each_entry_is_told_once(chat: Chatting) -> None:
    ann = asks(chat)
    told = ann.says("LIST")
    names = [line.split(" ")[3] for line in told if " 322 " in line]
    assert names == [f"#room{number}" for number in range(ROOMS)]
    assert numbers(told)[0] == "321" and numbers(told)[-1] == "323"
    assert numbers(ann.says("LIST #room7")) == ["321", "322", "323"]


def test_a_label_is_on_all_of_it(chat: Chatting) -> None:
    ann = asks(chat, "labeled-response batch")
    first, *lines, last = ann.says("@label=x LIST")
    assert first.startswith("@label=x ") and " BATCH +" in first
    assert all(line.startswith("@batch=") for line in lines)
    assert " BATCH -" in last
    assert len(lines) == ROOMS + 2


def test_who_reads_nothing_is_told_no_more_until_it_does(chat: Chatting) -> None:
    ann = asks(chat)
    ann.send("LIST")
    ann.transport.producer.pauseProducing()
    chat.pass_by(3)
    first = ann.read()
    assert len(first) < ROOMS
    ann.transport.producer.resumeProducing()
    chat.pass_by(1)
    assert len(first) + len(ann.read()) == ROOMS + 2


def test_who_goes_in_the_middle_leaves_nothing_behind(chat: Chatting) -> None:
    for ends in ("lose", "QUIT"):
        ann = asks(chat)
        ann.send("LIST")
        ann.transport.producer.pauseProducing()
        chat.reactor.advance(0)
        if ends == "lose":
            ann.lose()
        else:
            chat.hub.leave(ann.protocol.member, "gone", chat.wall())
        chat.settle()
        chat.pass_by(1)


def test_a_list_that_ends_with_a_portion_is_whole(chat: Chatting) -> None:
    for number in range(5):
        IRCUser(chat, f"more{number}").says(
            f"NICK more{number}", "USER u 0 * :r", f"JOIN #more{number}"
        )
    told = numbers(asks(chat).says("LIST"))
    assert told.count("322") == ROOMS + 5
    assert told[-1] == "323"


def test_of_all_long_lists_one_goes_on_in_each_turn(chat: Chatting) -> None:
    pace = chat.irc.pace
    assert [pace.may_go_on(), pace.may_go_on()] == [True, False]
    chat.settle()
    assert pace.may_go_on()
    ann, bob = asks(chat), IRCUser(chat, "bob")
    bob.registers()
    ann.send("LIST")
    bob.send("LIST")
    chat.settle()
    for user in (ann, bob):
        assert numbers(user.read()) == ["321", *["322"] * ROOMS, "323"]
