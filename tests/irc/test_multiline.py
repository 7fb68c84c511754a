"""chatroom.protocols.irc.multiline: whatever fits a batch arrives as it was sent."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.protocols.irc.capabilities import MULTILINE_BYTES, MULTILINE_LINES
from chatroom.protocols.irc.wire import LINE_BYTES, parse
from tests.irc.chatting import Chatting, IRCUser, LineUser

CAPS = ["batch", "message-tags", "draft/multiline"]
CONCAT = "draft/multiline-concat"
TEXT = st.one_of(
    st.text("ab \u00e9\N{GRINNING FACE}", min_size=1, max_size=30),
    st.sampled_from(["", "x" * 440, "\u00e9" * 200, "\x02bold\x02", "word " * 80]),
)
WRITTEN = st.lists(st.tuples(TEXT, st.booleans()), min_size=1, max_size=9)


def combined(lines: list[tuple[str, bool]]) -> str:
    """The message of lines that go on, or do not (draft/multiline, "Batch types")."""
    return "".join(
        text if goes_on or not number else f"\n{text}"
        for number, (text, goes_on) in enumerate(lines)
    )


def received(written: list[str]) -> str:
    parsed = [parse(line.encode()) for line in written]
    assert parsed[0].command == parsed[-1].command == "BATCH"
    assert all(len(line.partition(" :")[2].encode()) + 3 <= LINE_BYTES for line in written)
    return combined([(each.params[1], CONCAT in each.tags) for each in parsed[1:-1]])


@settings(max_examples=settings().max_examples // 2)
@given(WRITTEN)
def test_what_arrives_is_what_was_sent(written: list[tuple[str, bool]]) -> None:
    lines = [(text, goes_on and bool(text) and number > 0)
             for number, (text, goes_on) in enumerate(written)]  # fmt: skip
    wanted = combined(lines)
    chat = Chatting()
    ann, bob, cara, dora = (
        IRCUser(chat, "ann"), IRCUser(chat, "bob"), IRCUser(chat, "cara"), LineUser(chat, "dora")
    )  # fmt: skip
    ann.registers(CAPS)
    bob.registers(CAPS)
    cara.registers()
    dora.registers()
    ann.says("JOIN #x")
    bob.says("JOIN #x")
    cara.says("JOIN #x")
    dora.says("/join #x")
    for user in (ann, bob, cara, dora):
        user.read()
    said = [
        f"@batch=1{f';{CONCAT}' if goes_on else ''} PRIVMSG #x :{text}" for text, goes_on in lines
    ]
    refused = ann.says("BATCH +1 draft/multiline #x", *said, "BATCH -1")
    fallback = [parse(line.encode()).params[1] for line in cara.read()]
    heard = [line.removeprefix("<ann> ") for line in dora.read()]
    got = bob.read()
    assert not chat.close()
    if not wanted.strip("\n") or len(wanted.encode()) > MULTILINE_BYTES:
        assert len(refused) == 1 and " FAIL BATCH MULTILINE_" in refused[0] and not got
        return
    assert not refused
    if "\n" in wanted or any(goes_on for _, goes_on in lines):
        assert received(got) == wanted
    assert "" not in fallback
    assert "".join(fallback).replace(" ", "") == wanted.replace("\n", "").replace(" ", "")
    assert [line for line in heard if line] == [
        line for line in wanted.replace("\x02", "").split("\n") if line
    ]


def test_one_line_more_than_may_be_is_refused_at_once() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers(CAPS)
    ann.says("BATCH +1 draft/multiline #x")
    line = "@batch=1 PRIVMSG #x :hi"
    assert ann.says(*[line] * MULTILINE_LINES) == []
    (refused,) = ann.says(line)
    assert refused.startswith(f":chatroom.local FAIL BATCH MULTILINE_MAX_LINES {MULTILINE_LINES} :")
    assert ann.says(line, "BATCH -1") == []
    assert [key for key, _ in groupby(ann.protocol.state)] == []
