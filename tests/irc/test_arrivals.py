"""chatroom.protocols.irc.arrivals: who comes is shown what was said, never as if it were new."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import fail

from chatroom.protocols.irc.capabilities import ALL
from chatroom.protocols.irc.wire import parse
from tests.irc.chatting import Chatting, IRCUser, LineUser, settings_of
from tests.registered import logged

CAPS = [name for name, capability in ALL.items() if capability.asked]


@settings(max_examples=settings().max_examples // 2)
@given(st.sets(st.sampled_from(CAPS)))
def test_an_old_line_is_told_from_a_new_one(caps: set[str]) -> None:
    """Either the server itself says it, in a NOTICE, or it has its time."""
    chat = Chatting()
    ann = LineUser(chat, "ann")
    ann.registers()
    ann.says("/join #x", "before", "/me waves")
    bob = IRCUser(chat, "bob")
    bob.registers(sorted(caps - {"sasl", "sts"}))
    shown = [
        parse(line.encode()) for line in bob.says("JOIN #x") if "before" in line or "waves" in line
    ]
    assert len(shown) == (0 if "draft/chathistory" in caps else 2)
    for message in shown:
        if "server-time" in caps:
            assert message.command == "PRIVMSG" and message.tags["time"]
            assert ("batch" in message.tags) == ("batch" in caps)
        else:
            assert (message.command, message.source) == ("NOTICE", "chatroom.local")


@pytest.mark.parametrize("caps", [[], ["server-time"], ["server-time", "batch"]])
def test_who_come_together_are_shown_the_same(caps: list[str]) -> None:
    chat = Chatting()
    ann = LineUser(chat, "ann")
    ann.registers()
    ann.says("/join #x", "one", "two")
    users = [IRCUser(chat, f"n{number}") for number in range(3)]
    for user in users:
        user.registers(caps)
    for user in users[:2]:
        user.send("JOIN #x")
    chat.settle()
    ann.says("three")
    users[2].says("JOIN #x")
    told = [[line for line in user.read() if line.endswith("one")] for user in users[:2]]
    assert told[0] == told[1] and len(told[0]) == 1


def test_where_no_lines_are_kept_none_are_shown() -> None:
    chat = Chatting(settings_of({"limits.recent": "off"}))
    ann, bob = IRCUser(chat, "ann"), IRCUser(chat, "bob")
    ann.registers()
    bob.registers()
    ann.says("JOIN #x", "PRIVMSG #x :before")
    assert not [line for line in bob.says("JOIN #x") if "before" in line]


def test_metadata_that_cannot_be_read_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers(["draft/metadata-2"])
    ann.says("METADATA * SUB color")
    monkeypatch.setattr(chat.hub.archive, "load", lambda owner: fail(RuntimeError()))
    with logged() as events:
        assert " 366 " in ann.says("JOIN #x")[-1]
    assert len(events) == 1
