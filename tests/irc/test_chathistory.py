"""chatroom.protocols.irc.chathistory: what the archive can't say, and times that are equal."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail

from chatroom.errors import TooMany
from tests.irc.chatting import Chatting, IRCUser, settings_of
from tests.registered import logged

CAPS = ["batch", "server-time", "message-tags", "echo-message", "draft/chathistory",
        "draft/event-playback"]  # fmt: skip


def in_room(chat: Chatting) -> IRCUser:
    ann = IRCUser(chat, "ann")
    ann.registers(CAPS)
    ann.says("JOIN #x")
    return ann


def test_what_fails_is_told_and_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chatting()
    ann = in_room(chat)
    monkeypatch.setattr(chat.hub.archive, "read", lambda *_: fail(TooMany("Too many read.")))
    assert ann.says("CHATHISTORY LATEST #x * 5") == [
        ":chatroom.local FAIL CHATHISTORY MESSAGE_ERROR LATEST #x :Too many read."
    ]
    monkeypatch.setattr(chat.hub.archive, "read", lambda *_: fail(RuntimeError("secret")))
    with logged() as events:
        (line,) = ann.says("CHATHISTORY LATEST #x * 5")
    assert " FAIL CHATHISTORY MESSAGE_ERROR LATEST #x :" in line and "secret" not in line
    assert len(events) == 1
    monkeypatch.setattr(chat.hub.archive, "talks", lambda *_: fail(TooMany("Too many read.")))
    time = "timestamp=2022-01-01T00:00:00.000Z"
    assert ann.says(f"CHATHISTORY TARGETS {time} {time} 5") == [
        ":chatroom.local FAIL CHATHISTORY MESSAGE_ERROR TARGETS * :Too many read."
    ]


def test_who_is_gone_when_it_is_read_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chatting()
    ann = in_room(chat)
    reading: Deferred[Any] = Deferred()
    monkeypatch.setattr(chat.hub.archive, "read", lambda *_: reading)
    ann.send("CHATHISTORY LATEST #x * 5")
    ann.lose()
    with logged() as events:
        reading.callback([])
        chat.settle()
    assert not events


def test_times_and_ids_are_those_that_were_told(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chatting()
    ann = in_room(chat)
    told = []
    for number in range(50):
        chat.reactor.advance(0.0017)  # a time that no quotient of milliseconds is
        told += ann.says(f"TOPIC #x :{number}" if number % 2 else f"PRIVMSG #x :{number}")
    _, *again, _ = ann.says("CHATHISTORY LATEST #x * 50")
    assert [line.partition(";")[2] for line in again] == [line[1:] for line in told]
    times = [line[1:].partition(";")[0].removeprefix("time=") for line in told]
    for number in range(1, 50):
        place = f"timestamp={times[number]}"
        found = ann.says(f"CHATHISTORY AFTER #x {place} 100")[1:-1]
        assert [line.partition(";")[2] for line in found] == [
            line[1:] for line, time in zip(told, times, strict=True) if time > times[number]
        ]


def test_where_nothing_is_kept_there_is_no_such_capability() -> None:
    chat = Chatting(settings_of({"store": "off", "limits.recent": "off"}))
    ann = IRCUser(chat, "ann")
    assert not any("chathistory" in line for line in ann.says("CAP LS 302"))
