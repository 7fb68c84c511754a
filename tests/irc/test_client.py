"""One IRC client: whatever it sends, what it gets is IRC, and nothing goes wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from weakref import ref

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.logger import LogLevel

from chatroom.protocols.irc.capabilities import ALL
from chatroom.protocols.irc.commands import COMMANDS
from chatroom.protocols.irc.wire import LINE_BYTES, TAGS_BYTES, parse
from tests.irc.chatting import Chatting, IRCUser, LineUser, settings_of
from tests.registered import CHEAP, logged

CAPS = [name for name, capability in ALL.items() if capability.asked]
# CTCP's delimiter, and the codes of bold, color, reset, monospace, reverse, italic and the like.
CODES = "\x01\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f"
CONTROL = re.compile(rf"[\x00-\x1f\x7f-\x9f](?<![{CODES}])")


HASH = CHEAP.hash("password")


def must_be_irc(written: bytes) -> None:
    """Each line is one message in UTF-8, no longer than may be, with nothing in it that a terminal
    would obey."""
    *lines, rest = written.split(b"\r\n")
    assert not rest
    for line in lines:
        parse(line)
        text = line.decode()
        assert not CONTROL.search(text), text
        assert not set("\u2028\u2029\u202e\u2066") & set(text), text
        tags, _, body = text.partition(" ") if text.startswith("@") else ("", "", text)
        assert len(tags.encode()) + 1 <= TAGS_BYTES
        assert len(body.encode()) + 2 <= LINE_BYTES, body
        assert not set(CODES) & set(tags)


WORDS = st.sampled_from(
    [*COMMANDS, "BOGUS", "001", "#lobby", "#x", "#x,#y", "@#x", "ann", "bob", "cara", "ann,bob",
     "*", "0", "+b", "+ovklimnst", "-o", "+k", "key", "ann!*@*", "LS", "LIST", "REQ", "END", "302",
     ":", ":sasl", ":server-time message-tags", ":-batch", "+", "PLAIN", "AGFubgBwYXNz", "o",
     "%cunf,7",
     ":\x01ACTION waves\x01", ":\x0304red\x03 \x07", ":hello there", "x" * 300, "é" * 200, "",
     "@label=7", "@+typing=1;label=\\:", "@label=7;+x=\\s", ":source", "\x1b[31m", "\u202e", "\0"]
)  # fmt: skip
LINES = st.one_of(
    st.lists(WORDS, max_size=6).map(" ".join).map(str.encode),
    st.tuples(st.sampled_from([*COMMANDS]), st.lists(WORDS, max_size=4)).map(
        lambda line: " ".join([line[0], *line[1]]).encode()
    ),
    st.binary(max_size=40),
    st.text(max_size=40).map(str.encode),
)
STREAMS = st.lists(
    st.tuples(LINES, st.sampled_from([b"\r\n", b"\n", b"\r", b""])), max_size=12
).map(lambda lines: b"".join(line + end for line, end in lines))


def pieces(stream: bytes, cuts: Sequence[int]) -> list[bytes]:
    bounds = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in pairwise(bounds)]


@pytest.mark.parametrize("registers", [True, False], ids=["registered", "before"])
@pytest.mark.parametrize("caps", [CAPS, []], ids=["all", "none"])
@settings(max_examples=settings().max_examples // 4)
@given(STREAMS, st.lists(st.integers(0, 400), max_size=5))
def test_whatever_a_client_sends_all_get_irc_and_nothing_fails(
    registers: bool, caps: list[str], stream: bytes, cuts: list[int]
) -> None:
    chat = Chatting(settings_of({"operators.passwords": f'["oper:{HASH}"]'}))
    with logged() as events:
        cara, bob = LineUser(chat, "cara"), IRCUser(chat, "bob")
        cara.registers()
        bob.registers(CAPS[::2])
        bob.says("JOIN #x,#lobby")
        ann = IRCUser(chat, "ann")
        if registers:
            ann.registers(caps)
            ann.says("JOIN #lobby", "OPER oper password")
        elif caps:
            ann.says(f"CAP REQ :{' '.join(caps)}")
        for piece in pieces(stream, cuts):
            if not ann.is_closed:
                ann.protocol.dataReceived(piece)
            chat.settle()
        for user in (ann, bob):
            must_be_irc(user.raw())
        cara.read()
        assert not chat.close()
    assert not [event for event in events if event["log_level"] >= LogLevel.error]


SPOKEN = st.lists(
    st.tuples(
        st.sampled_from(["PRIVMSG #x", "PRIVMSG #x", "PRIVMSG #X", "privmsg #x", "PRIVMSG #lobby",
                         "NOTICE #x", "PRIVMSG bob", "@label=1 PRIVMSG #x", "PING"]),
        st.sampled_from(["hi", "two words", "", " ", "trail ", ":)", "\x02bold", "\x07", "\t",
                         "\x01ACTION waves\x01", "é" * 60, "é" * 210, "x" * 430, "x" * 460,
                         "\u200b", "a\u0301"]),
    ),
    min_size=2, max_size=6,
)  # fmt: skip


@settings(max_examples=settings().max_examples // 4)
@given(SPOKEN)
@example([("PRIVMSG #x", "one"), ("PRIVMSG #x", "two")])
def test_lines_that_come_in_one_go_are_taken_as_one_by_one(said: list[tuple[str, str]]) -> None:
    got = []
    for at_once in (True, False):
        chat = Chatting()
        ann, cara = IRCUser(chat, "ann"), LineUser(chat, "cara")
        users = ann, IRCUser(chat, "bob"), cara
        for user in users:
            user.registers()
            user.says("/join #x" if user is cara else "JOIN #x")
        for user in users:
            user.read()
        lines = [f"{head} :{text}\r\n".encode() for head, text in said]
        for data in [b"".join(lines)] if at_once else lines:
            ann.protocol.dataReceived(data)
        chat.settle()
        got.append([re.sub(r"!\S+", "", "\n".join(user.read())) for user in users])
        assert not chat.close()
    assert got[0] == got[1]


def test_of_who_goes_while_it_proves_who_it_is_nothing_waits_for_the_garbage_collector() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.says("CAP LS 302", "AUTHENTICATE PLAIN", f"AUTHENTICATE {'A' * 400}")
    client = ref(ann.protocol)
    ann.lose()
    chat.users.clear()
    del ann
    assert client() is None
    chat.close()


def test_a_slow_reader_is_told_by_a_notice_how_many_lines_it_missed() -> None:
    chat = Chatting(settings_of({"limits.outbox_bytes": "4096"}))
    ann, bob = IRCUser(chat, "ann"), IRCUser(chat, "bob")
    for user in (ann, bob):
        user.registers()
        user.says("JOIN #x")
    bob.read()
    bob.transport.producer.pauseProducing()
    for number in range(100):
        ann.says(f"PRIVMSG #x :line {number} {'x' * 40}")
    assert bob.read() == []
    bob.transport.producer.resumeProducing()
    *lines, told = bob.read()
    assert told == (
        f":chatroom.local NOTICE bob :{100 - len(lines)} lines skipped (CHATHISTORY shows them)"
    )
    assert len(lines) > 20
    chat.close()


def test_more_lines_at_once_are_taken_only_until_it_has_registered() -> None:
    chat = Chatting(settings_of({"limits.lines": "[10, 2]"}))
    bob = IRCUser(chat, "bob")
    bob.registers()
    bob.says("JOIN #x")
    chat.pass_by(10)
    ann = IRCUser(chat, "ann")
    said = "".join(f"PRIVMSG #x :{number}\r\n" for number in range(60))
    bob.read()
    ann.protocol.dataReceived(f"NICK ann\r\nUSER ann 0 * :Ann\r\nJOIN #x\r\n{said}".encode())
    chat.settle()
    assert sum("PRIVMSG" in line for line in bob.read()) == 9  # with its JOIN ten
    chat.pass_by(3)
    assert sum("PRIVMSG" in line for line in bob.read()) == 6
    chat.close()
