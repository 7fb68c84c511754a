"""chatroom.protocols.irc.kept: what is kept of an account is known before its client goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from chatroom.archive import Kept as Value
from chatroom.protocols.irc.kept import MOST_MARKERS
from tests.irc.chatting import Chatting, IRCUser
from tests.registered import logged

READ = "timestamp=2022-01-12T23:33:25.123Z"


class Slow:
    """A chat with an account, of which what is kept is read when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.chat = Chatting()
        self.chat.account("ann", "secret-password")
        self.reading: list[Deferred[Sequence[Value]]] = []
        monkeypatch.setattr(self.chat.hub.archive, "load", self._load)

    def _load(self, owner: str) -> Any:
        assert owner == "account:ann"
        self.reading.append(Deferred())
        return self.reading[-1]

    def connects(self, name: str) -> IRCUser:
        user = IRCUser(self.chat, name)
        user.registers(["draft/read-marker", "draft/metadata-2"], ("ann", "secret-password"))
        return user


def test_a_client_waits_for_what_is_kept_and_another_of_the_account_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Slow(monkeypatch)
    one, two = slow.connects("one"), slow.connects("two")
    (reading,) = slow.reading
    assert one.says("MARKREAD #x") == two.says("PING y") == []
    reading.callback([Value("read:#x", "1642030405123"), Value("meta:color", "red"),
                      Value("read:#y", "no number"), Value("other", "1")])  # fmt: skip
    slow.chat.settle()
    assert one.read() == [
        ":chatroom.local METADATA one color * :red", f":chatroom.local MARKREAD #x {READ}"
    ]  # fmt: skip
    assert two.read()[-1] == ":chatroom.local PONG chatroom.local :y"
    one.lose()
    two.lose()
    slow.chat.settle()
    slow.connects("three")
    assert len(slow.reading) == 2  # nothing is remembered of who is not here


def test_who_leaves_while_it_is_read_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch)
    ann = slow.connects("ann")
    ann.send("MARKREAD #x")
    ann.lose()
    with logged() as events:
        slow.reading[0].callback([])
        slow.chat.settle()
    assert not events


def test_what_cannot_be_read_is_logged_and_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch)
    ann = slow.connects("ann")
    with logged() as events:
        slow.reading[0].errback(RuntimeError())
        slow.chat.settle()
    assert len(events) == 1
    assert ann.says("MARKREAD #x") == [":chatroom.local MARKREAD #x *"]


def test_what_was_said_of_oneself_before_logging_in_is_the_accounts_then() -> None:
    chat = Chatting()
    chat.account("ann", "secret-password")
    ann = IRCUser(chat, "me")
    ann.registers(["draft/metadata-2"])
    ann.says("METADATA * SET color red", "NS IDENTIFY ann secret-password")
    ann.lose()
    chat.settle()
    again = IRCUser(chat, "again")
    again.registers(["draft/metadata-2"], ("ann", "secret-password"))
    assert again.says("METADATA * LIST") == [":chatroom.local 761 again again color * :red"]
    again.says("NS LOGOUT")
    assert again.says("METADATA * LIST") == []


def test_of_so_many_targets_it_is_kept_how_far_one_has_read() -> None:
    chat = Chatting()
    chat.account("ann", "secret-password")
    ann = IRCUser(chat, "ann")
    ann.registers((), ("ann", "secret-password"))
    times = [f"timestamp=2022-01-01T00:{n // 60:02}:{n % 60:02}.000Z" for n in range(200)]
    for number in range(MOST_MARKERS + 1):
        ann.says(f"MARKREAD #r{number} {times[number]}")
    assert ann.says("MARKREAD #r0", "MARKREAD #r1") == [
        ":chatroom.local MARKREAD #r0 *", f":chatroom.local MARKREAD #r1 {times[1]}"
    ]  # fmt: skip
    ann.lose()
    chat.settle()
    ann = IRCUser(chat, "ann")
    ann.registers((), ("ann", "secret-password"))
    last = f"#r{MOST_MARKERS}"
    assert ann.says("MARKREAD #r0", f"MARKREAD {last}") == [
        ":chatroom.local MARKREAD #r0 *", f":chatroom.local MARKREAD {last} {times[MOST_MARKERS]}"
    ]  # fmt: skip
