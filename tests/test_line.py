"""chatroom.protocols.line: what peers send and read, and how they come and go."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import ServerFactory
from twisted.logger import LogEvent, LogLevel, capturedLogs, formatEvent
from twisted.protocols.basic import LineReceiver
from zope.interface.verify import verifyObject

from chatroom.limits import Limits, Rate
from chatroom.protocols.line import ChatFactory, ChatProtocol
from tests.connected import UNLIMITED, Chat, Peer

STEPS = "-- Type to talk. /nick NAME gives you a name, /help lists the commands."


def two(limits: Limits = UNLIMITED, **settings: Any) -> tuple[Chat, Peer, Peer]:
    """A chat in which alice and bob are."""
    chat = Chat(limits, **settings)
    alice, bob = chat.peer("alice"), chat.peer("bob")
    alice.read()
    return chat, alice, bob


# Coming


def test_it_is_a_line_receiver_and_its_factory_a_server_factory() -> None:
    chat = Chat()
    assert isinstance(chat.factory, ServerFactory)
    assert isinstance(chat.peer().protocol, LineReceiver)
    assert verifyObject(IHalfCloseableProtocol, chat.peer().protocol)


def test_a_peer_is_welcomed_and_told_who_and_where_it_is() -> None:
    chat = Chat()
    peer = Peer(chat)
    chat.turn()
    nick = peer.member.nick
    assert nick.startswith("guest-")
    assert peer.read() == [
        "Welcome to this chatroom!",
        f"-- You are {nick} in #lobby, alone.",
        STEPS,
    ]


def test_the_message_of_the_day_follows_the_welcome_line_by_line() -> None:
    chat = Chat(welcome="Hello!", motd="Be kind.\nBe brief.")
    peer = Peer(chat)
    chat.turn()
    assert peer.read()[:3] == ["Hello!", "-- Be kind.", "-- Be brief."]


def test_without_a_welcome_there_is_no_line_of_it() -> None:
    chat = Chat(welcome="")
    peer = Peer(chat)
    chat.turn()
    assert peer.read() == [f"-- You are {peer.member.nick} in #lobby, alone.", STEPS]


def test_the_clients_are_the_hubs_members() -> None:
    chat, alice, bob = two()
    assert [member.nick for member in chat.hub.members.values()] == ["alice", "bob"]
    assert chat.hub.members["bob"].door is bob.protocol
    alice.lose()
    assert list(chat.hub.members) == ["bob"]


def test_a_peer_may_talk_in_the_turn_it_came() -> None:
    chat = Chat()
    alice = chat.peer("alice")
    guest = Peer(chat)
    guest.send(b"hi\n")
    chat.turn()
    nick = guest.member.nick
    assert alice.read() == [f"-- {nick} joined (2 here)", f"<{nick}> hi"]
    assert guest.read()[0] == "Welcome to this chatroom!"


def test_guests_may_be_shown_by_their_address() -> None:
    chat = Chat(guests_by_address=True)
    alice = chat.peer("alice")
    guest = chat.peer(host="198.51.100.7")
    guest.says("hi")
    assert alice.read() == ["-- 198.51.100.7 joined (2 here)", "<198.51.100.7> hi"]


# Talking


def test_a_line_goes_to_everyone_but_its_sender() -> None:
    chat, alice, bob = two()
    eve = chat.peer("eve")
    bob.read(), alice.read()
    alice.says("hi all")
    assert (alice.read(), bob.read(), eve.read()) == ([], ["<alice> hi all"], ["<alice> hi all"])


def test_lines_end_with_lf_or_crlf_and_may_be_split_anywhere() -> None:
    _, alice, bob = two()
    for size in (1, 2, 3, 100):
        stream = b"one\r\ntwo\n\r\n\nthree\n"
        for start in range(0, len(stream), size):
            alice.send(stream[start : start + size])
        alice.chat.turn()
        assert bob.read() == ["<alice> one", "<alice> two", "<alice> three"]


def test_a_line_is_said_when_it_ends() -> None:
    chat, alice, bob = two()
    alice.send("h")
    alice.send("i")
    chat.turn()
    assert bob.read() == []
    alice.says("")
    assert bob.read() == ["<alice> hi"]


def test_spaces_before_a_line_stay_and_those_after_it_go() -> None:
    _, alice, bob = two()
    alice.says("  indented  ", "   ", "\t")
    assert bob.read() == ["<alice>   indented"]


def test_a_command_is_run_and_its_reply_goes_to_its_sender_alone() -> None:
    _, alice, bob = two()
    alice.says("/version", "/jion #ops", "//shrug")
    version, unknown = alice.read()
    assert version.startswith("-- chatroom ")
    assert unknown == "-- Unknown command /jion. Did you mean /join?"
    assert bob.read() == ["<alice> /shrug"]


def test_a_line_from_another_room_has_its_name() -> None:
    _, alice, bob = two()
    alice.says("/join #ops")
    bob.says("/join #ops", "/join #lobby")
    alice.read(), bob.read()
    alice.says("in ops")
    assert bob.read() == ["[#ops] <alice> in ops"]


def test_a_reply_does_not_overtake_what_was_said_before_it() -> None:
    _, alice, bob = two()
    bob.send("one\n")
    alice.send("/version\n")
    bob.send("two\n")
    alice.chat.turn()
    one, version, two_ = alice.read()
    assert (one, two_) == ("<bob> one", "<bob> two")
    assert version.startswith("-- chatroom ")


# What text may hold


WIDTHS = "aé€😀"


@pytest.mark.parametrize("size", range(1, 13))
def test_code_points_of_every_width_come_through_any_split(size: int) -> None:
    _, alice, bob = two()
    stream = f"{WIDTHS}\n".encode()
    for start in range(0, len(stream), size):
        alice.send(stream[start : start + size])
    alice.chat.turn()
    assert bob.read() == [f"<alice> {WIDTHS}"]


@pytest.mark.parametrize(
    ("line", "heard"),
    [
        (b"\x80", "\ufffd"),
        (b"a\xe9b", "a\ufffdb"),  # Latin-1
        (b"\xc0\xaf", "\ufffd\ufffd"),  # overlong
        (b"\xe0\x80\xaf", "\ufffd\ufffd\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),  # a surrogate
        (b"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"),  # past U+10FFFF
        (b"\xf0\x9f\x98", "\ufffd"),  # cut short
        (b"\xff\xff", "\ufffd"),  # telnet's escaped 255
        (b"a\xff\xfd\x01b", "ab"),  # telnet's DO ECHO
        (b"a\xff\xf1b", "ab"),  # telnet's NOP
    ],
)
def test_what_goes_out_is_valid_utf_8_whatever_came_in(line: bytes, heard: str) -> None:
    _, alice, bob = two()
    for at in range(len(line) + 1):
        alice.send(line[:at])
        alice.send(line[at:] + b"\n")
        alice.chat.turn()
        assert bob.read() == [f"<alice> {heard}"]


CONTROLS = (
    [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) != "\n"]
    + [chr(code) for code in (0x2028, 0x2029, 0x200E, 0x200F, 0x61C, 0xFEFF, 0x200B, 0xAD)]
    + [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
    + ["\ufff9", "\ufffa", "\ufffb"]
)
SEQUENCES = ["\x1b[2J", "\x9b31m", "\x1b]0;title\x07", "\x1bP1$r\x1b\\", "\r-- forged", "a\0b"]
OBEYED = re.compile(
    "[\0-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
PLACES = [
    "{}",
    "/me {}",
    "/msg bob {}",
    "/nick {}",
    "/topic {}",
    "/away {}",
    "/join #{}",
    "/part #lobby {}",
    "/who #{}",
    "/whois {}",
    "/ignore {}",
    "/help {}",
    "/{}",
    "/timestamp {}",
]


@pytest.mark.parametrize("place", PLACES)
def test_no_control_character_goes_out_from(place: str) -> None:
    chat, alice, bob = two()
    for control in CONTROLS + SEQUENCES:
        alice.says(place.format(f"a{control}b"), "/join #lobby", "/msg bob a", "/whois alice")
        bob.says("/whois alice", "/msg alice away?", "/who", "/rooms", "/topic", "/history")
    newcomer = Peer(chat)  # to whom it is replayed
    chat.turn()
    for peer in (alice, bob, newcomer):
        lines = peer.read()
        assert lines
        assert not [line for line in lines if OBEYED.search(line)]


@pytest.mark.parametrize("control", CONTROLS + SEQUENCES)
def test_no_control_character_goes_out_from_the_reason_of_a_quit(control: str) -> None:
    _, alice, bob = two()
    alice.says(f"/quit a{control}b")
    (line,) = bob.read()
    assert line.startswith("-- alice left: a")
    assert not OBEYED.search(line)


@given(st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"")))
def test_a_line_in_is_at_most_one_line_out(line: bytes) -> None:
    _, alice, bob = two()
    alice.send(b"." + line.replace(b"\xff", b"") + b"\n")
    alice.chat.turn()
    (heard,) = bob.read()
    assert heard.startswith("<alice> .")
    assert not OBEYED.search(heard)


# Lines that are too long


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_over_the_limit_is_refused_whole_and_the_next_is_said(end: str) -> None:
    _, alice, bob = two()
    alice.send("x" * 1024 + end)
    alice.send("y" * 1025 + end)
    alice.send("z" * 5000)
    alice.send(f"/quit{end}after{end}")
    alice.chat.turn()
    assert alice.read() == ["-- Line over 1024 bytes, not sent."] * 2
    assert bob.read() == ["<alice> " + "x" * 1024, "<alice> after"]


def test_the_refusal_names_the_limit_in_force() -> None:
    chat, alice, bob = two(replace(UNLIMITED, line_bytes=20))
    alice.says("x" * 21)
    assert alice.read() == ["-- Line over 20 bytes, not sent."]
    chat.hub.apply(limits := replace(UNLIMITED, line_bytes=30))
    chat.factory.apply(limits)
    alice.says("x" * 30, "x" * 31)
    assert alice.read() == ["-- Line over 30 bytes, not sent."]
    assert bob.read() == ["<alice> " + "x" * 30]


# Faster than it may


SLOW = replace(UNLIMITED, lines=Rate(3, 2))


def test_past_the_burst_reading_waits_and_goes_on_when_the_next_line_is_due() -> None:
    chat, alice, bob = two(SLOW)
    chat.pass_by(10)
    alice.says(*"12345")
    assert bob.read() == ["<alice> 1", "<alice> 2", "<alice> 3"]
    assert alice.paused
    heard = []
    for step in range(1, 9):
        chat.reactor.advance(0.125)
        heard += [(step * 0.125, line) for line in bob.read()]
        assert alice.paused == (step < 8)
    assert heard == [(0.5, "<alice> 4"), (1.0, "<alice> 5")]
    assert not chat.timers


def test_a_long_paste_arrives_whole_and_in_order() -> None:
    chat, alice, bob = two(SLOW)
    chat.pass_by(10)
    lines = [str(number) for number in range(100)]
    alice.says(*lines)
    chat.pass_by(50, step=0.25)
    assert bob.read() == [f"<alice> {line}" for line in lines]
    assert not alice.paused


def test_what_a_transport_still_delivers_after_it_was_paused_waits_its_turn() -> None:
    """TLS hands on what it has decrypted, paused or not."""
    chat, alice, bob = two(SLOW)
    chat.pass_by(10)
    alice.send("1\n2\n3\n4\n5")
    alice.send("\n6\n")
    chat.pass_by(0.5, step=0.25)
    alice.send("7\n")
    assert chat.timers == 1
    chat.pass_by(2, step=0.25)
    assert bob.read() == [f"<alice> {number}" for number in range(1, 8)]
    assert not alice.paused
    assert not chat.timers


def test_nobody_else_waits_for_one_who_is_too_fast() -> None:
    chat, alice, bob = two(SLOW)
    chat.pass_by(10)
    alice.says(*"1234567")
    alice.read()
    bob.says("hi")
    assert alice.read() == ["<bob> hi"]


def test_commands_and_refused_lines_count_as_well() -> None:
    chat, alice, bob = two(replace(SLOW, line_bytes=12))
    chat.pass_by(10)
    alice.says("/version", "/version", "x" * 13, "late")
    assert len(alice.read()) == 3
    assert bob.read() == []
    chat.pass_by(0.5)
    assert bob.read() == ["<alice> late"]


def test_blank_lines_do_not_count() -> None:
    chat, alice, bob = two(SLOW)
    chat.pass_by(10)
    alice.says(*[""] * 100, "hi")
    assert bob.read() == ["<alice> hi"]
    assert not alice.paused


def test_a_peer_that_waits_and_is_lost_leaves_no_timer() -> None:
    chat, alice, _ = two(SLOW)
    alice.says(*"123456")
    assert chat.timers == 1
    alice.lose(ConnectionLost())
    chat.turn()
    assert not chat.timers


def test_what_a_peer_still_had_to_say_when_it_was_closed_is_for_nobody() -> None:
    chat, alice, bob = two(SLOW)
    alice.says(*"123456")
    chat.factory.close("Goodbye.", 10)
    chat.turn()
    bob.read()
    assert not alice.paused, "what comes is thrown away"
    alice.send("7\n")
    chat.pass_by(9)
    assert bob.read() == []


def test_without_a_rate_a_chunk_is_taken_over_several_turns() -> None:
    chat, alice, bob = two(replace(UNLIMITED, recent=5000))
    alice.send("".join(f"{number}\n" for number in range(1500)))
    assert len(chat.hub.lobby.recent) == 512
    assert alice.paused
    chat.turn()
    assert not alice.paused
    assert bob.read() == [f"<alice> {number}" for number in range(1500)]


def test_a_burst_too_is_taken_over_several_turns_and_not_held_up_by_it() -> None:
    chat, alice, bob = two(replace(UNLIMITED, lines=Rate(2000, 1), recent=5000))
    alice.send("".join(f"{number}\n" for number in range(1500)))
    assert len(chat.hub.lobby.recent) == 512
    chat.turn()
    assert bob.read() == [f"<alice> {number}" for number in range(1500)]
    assert not alice.paused


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8),
    st.lists(st.sampled_from([0.0, 0.125, 0.5, 3.0]), min_size=8, max_size=8),
)
def test_nothing_is_lost_or_reordered_however_it_comes(
    chunks: list[list[int]], waits: list[float]
) -> None:
    chat, alice, bob = two(SLOW)
    for chunk, wait in zip(chunks, waits, strict=False):
        alice.send("".join(f"{number}\n" for number in chunk))
        chat.turn()
        chat.pass_by(wait, step=0.125)
        assert alice.paused == bool(chat.timers)
    chat.pass_by(30, step=0.25)
    assert bob.read() == [f"<alice> {number}" for chunk in chunks for number in chunk]
    assert not chat.timers


# Other protocols


HTTP = ["GET / HTTP/1.1", "POST /x HTTP/1.0", "OPTIONS * HTTP/1.1", "PRI * HTTP/2.0"]
IRC = ["CAP LS 302", "CAP REQ :sasl", "NICK alice", "USER alice 0 * :Alice", "PASS secret"]
IRC_ANSWER = "-- This is not IRC: connect with nc or telnet. This server has no IRC port."


@pytest.mark.parametrize("line", [*HTTP, "\x16\x03\x01\x02", "SSH-2.0-OpenSSH_9.2", *IRC])
def test_the_first_line_of_another_protocol_closes_the_connection(line: str) -> None:
    chat = Chat()
    bob = chat.peer("bob")
    stranger = chat.peer()
    bob.read()
    stranger.says(line, "Host: chat.example", "", "said=aloud", "/nick bob")
    assert stranger.closing
    assert stranger.read() == ([IRC_ANSWER] if line in IRC else [])
    assert bob.read() == [f"-- {stranger.member.nick} left (1 here)"]


@pytest.mark.parametrize("line", [*HTTP, *IRC])
def test_a_later_line_may_look_like_another_protocol(line: str) -> None:
    _, alice, bob = two()
    alice.says(line)
    assert bob.read() == [f"<alice> {line}"]


@pytest.mark.parametrize(
    "line", ["GET it?", "CAPS LOCK", "NICK is here", "nick alice", "USER error", "SSH is down"]
)
def test_a_first_line_that_only_begins_alike_is_said(line: str) -> None:
    chat = Chat()
    bob, peer = chat.peer("bob"), chat.peer()
    bob.read()
    peer.says(line)
    assert bob.read() == [f"<{peer.member.nick}> {line}"]


def test_a_request_for_a_long_path_closes_the_connection_all_the_same() -> None:
    """A page in a browser can send any path, and its text behind the headers."""
    chat = Chat()
    bob, stranger = chat.peer("bob"), chat.peer()
    bob.read()
    stranger.send(f"POST /{'x' * 3000} HTTP/1.1\r\nHost: chat.example:8000\r\n\r\nsaid=aloud\r\n")
    chat.turn()
    assert stranger.closing
    assert bob.read() == [f"-- {stranger.member.nick} left (1 here)"]


# Going


def test_who_quits_is_told_goodbye_and_closed_after_it() -> None:
    chat, alice, bob = two()
    alice.send("last words\n/quit tea\nnot said\n/join #lobby\n/nick bob\n")
    assert not alice.closing
    chat.turn()
    assert alice.read() == ["-- Bye."]
    assert alice.closing
    assert bob.read() == ["<alice> last words", "-- alice left: tea (1 here)"]
    assert list(chat.hub.lobby.members) == [bob.member]
    alice.lose()
    chat.turn()
    assert bob.read() == []


def test_who_has_nothing_more_to_say_gets_what_it_is_owed_and_goes() -> None:
    chat, alice, bob = two()
    alice.send("hi\n/version\n")
    alice.protocol.readConnectionLost()
    assert not alice.closing
    chat.turn()
    assert alice.closing
    (version,) = alice.read()
    assert version.startswith("-- chatroom ")
    assert bob.read() == ["<alice> hi", "-- alice left (1 here)"]
    alice.protocol.writeConnectionLost()
    alice.lose()


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        (None, "-- alice left (1 here)"),
        (ConnectionLost(), "-- alice left: connection lost (1 here)"),
        (ConnectionAborted(), "-- alice left: connection lost (1 here)"),
    ],
)
def test_a_lost_connection_is_told_once(reason: Exception | None, line: str) -> None:
    chat, alice, bob = two()
    alice.lose(reason)
    chat.turn()
    assert bob.read() == [line]
    assert not chat.timers


def test_a_closed_peer_has_some_seconds_to_take_what_it_is_owed() -> None:
    chat, alice, _ = two()
    alice.says("/quit")
    chat.pass_by(3.5, step=0.5)
    assert not alice.aborted
    chat.pass_by(0.5, step=0.5)
    assert alice.aborted
    alice.lose(ConnectionAborted())
    assert not chat.timers


def owes(peer: Peer, data: bytes) -> None:
    """Its transport still holds this for it."""
    peer.transport.dataBuffer, peer.transport.offset, peer.transport._tempDataLen = data, 0, 0


def test_a_connection_is_lost_only_once_the_peer_has_what_it_is_owed() -> None:
    chat, alice, _ = two()
    owes(alice, b"-- Bye.\r\n")
    alice.says("/quit")
    chat.pass_by(2, step=0.05)
    assert not alice.closing
    owes(alice, b"")
    chat.pass_by(0.1, step=0.05)
    assert alice.closing
    alice.lose()
    assert not chat.timers


@pytest.mark.parametrize("delivered", [False, True])
def test_a_connection_may_be_closed_twice(delivered: bool) -> None:
    chat, alice, bob = two()
    owes(alice, b"-- Goodbye.\r\n")
    chat.factory.close("Goodbye.", 10)
    chat.pass_by(1, step=0.05)
    owes(alice, b"" if delivered else b"-- Goodbye.\r\n")
    chat.pass_by(1, step=0.05)
    assert alice.closing == delivered
    chat.factory.close("Goodbye.", 10)
    alice.protocol.readConnectionLost()
    chat.pass_by(1, step=0.05)
    alice.lose()
    bob.lose()
    chat.turn()
    assert not chat.reactor.getDelayedCalls()


def test_after_the_last_has_gone_no_timer_is_left() -> None:
    chat, alice, bob = two()
    alice.says("/quit")
    for peer in (alice, bob):
        peer.lose()
    chat.pass_by(1)
    assert not chat.reactor.getDelayedCalls()
    assert not chat.factory.behind
    chat.peer().lose()
    assert chat.reactor.getDelayedCalls(), "the sweep runs again for the next"
    chat.pass_by(1)
    assert not chat.reactor.getDelayedCalls()


def ends_by_quit(chat: Chat, peer: Peer) -> None:
    peer.send("/quit\n")


def ends_by_eof(chat: Chat, peer: Peer) -> None:
    peer.protocol.readConnectionLost()


def ends_by_stop(chat: Chat, peer: Peer) -> None:
    chat.factory.close("Goodbye.", 10)


@pytest.mark.parametrize("end", [ends_by_quit, ends_by_eof, ends_by_stop])
def test_a_connection_lost_in_the_turn_of_its_end_leaves_no_timer(
    end: Callable[[Chat, Peer], None],
) -> None:
    chat, alice, bob = two()
    end(chat, alice)
    alice.lose()
    chat.turn()
    bob.lose()
    chat.turn()
    assert not chat.reactor.getDelayedCalls()


def test_data_after_the_end_is_for_nobody() -> None:
    chat, alice, bob = two()
    alice.says("/quit")
    bob.read()
    alice.says("hi", "/nick carol")
    assert bob.read() == []
    assert alice.read() == ["-- Bye."]
    assert list(chat.hub.members) == ["bob"]


# Idle


IDLE = replace(UNLIMITED, idle_seconds=100)


def test_a_peer_that_sends_no_whole_line_is_closed_in_time() -> None:
    chat, alice, bob = two(IDLE)
    for _ in range(9):
        chat.pass_by(10)
        alice.send("x")  # a partial line is not activity
        bob.says("hi")
    assert not alice.closing
    chat.pass_by(16)
    assert alice.closing
    assert not bob.closing
    assert alice.read()[-1] == (
        "-- You said nothing for 1 minute 40 seconds. Connect again when you like."
    )
    assert bob.read() == ["-- alice left: idle (1 here)"]


def test_a_peer_that_never_said_anything_is_closed_as_well() -> None:
    chat = Chat(IDLE)
    peer = chat.peer()
    chat.pass_by(106)
    assert peer.closing


def test_one_that_waits_for_its_turn_to_speak_is_not_idle() -> None:
    chat, alice, _ = two(replace(IDLE, lines=Rate(1, 0.01)))
    alice.says("1", "2", "3", "4")
    chat.pass_by(150)
    assert not alice.closing


def test_nobody_is_idle_when_that_is_off() -> None:
    chat, alice, _ = two(replace(IDLE, idle_seconds=None))
    chat.pass_by(1000, step=10)
    assert not alice.closing


# Admission


def test_one_too_many_is_told_and_closed_and_nobody_else_hears_of_it() -> None:
    chat, alice, _ = two(replace(UNLIMITED, connections=2))
    third = Peer(chat)
    third.send("hi\n")
    chat.turn()
    assert third.read() == ["-- The server is full (2 connections). Try again later."]
    assert third.closing
    assert alice.read() == []
    assert len(chat.hub.members) == 2
    third.lose()
    alice.lose()
    assert not chat.peer().closing


def test_a_refused_peer_that_does_not_go_is_aborted() -> None:
    chat, _, _ = two(replace(UNLIMITED, connections=2))
    third = Peer(chat)
    third.protocol.readConnectionLost()
    chat.pass_by(4)
    assert third.aborted
    third.lose(ConnectionAborted())
    assert not chat.timers


@pytest.mark.parametrize(
    ("hosts", "source"),
    [
        (["192.0.2.9"] * 3, "192.0.2.9"),
        (["2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"], "2001:db8::/64"),
        (["::ffff:192.0.2.9", "192.0.2.9", "192.0.2.9"], "192.0.2.9"),
    ],
)
def test_too_many_from_one_address_are_refused(hosts: list[str], source: str) -> None:
    chat = Chat(replace(UNLIMITED, connections_per_address=2))
    first, second, third = (Peer(chat, host) for host in hosts)
    chat.turn()
    assert not first.closing
    assert not second.closing
    assert third.closing
    assert third.read() == [f"-- Too many connections from {source} (2 may be). Close one first."]
    assert not Peer(chat, "198.51.100.1").closing
    third.lose()
    first.lose()
    assert not Peer(chat, hosts[0]).closing, "one that is gone no longer counts"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_may_connect_as_often_as_it_likes(host: str) -> None:
    chat = Chat(replace(UNLIMITED, connections_per_address=2))
    assert not any(Peer(chat, host).closing for _ in range(5))


def test_refusals_are_logged_once_a_second() -> None:
    with capturedLogs() as events:
        chat = Chat(replace(UNLIMITED, connections=1))
        chat.peer()
        for _ in range(100):
            Peer(chat)
        chat.pass_by(3)
    assert texts(events, LogLevel.warn) == ["100 connections refused: the limit is met"]


# One that does not read


def behind(peer: Peer) -> None:
    """Its transport says that it has enough."""
    producer = peer.transport.producer
    assert producer is not None
    producer.pauseProducing()


def test_one_that_takes_nothing_is_dropped_and_that_is_told_once() -> None:
    with capturedLogs() as events:
        chat, alice, bob = two()
        behind(alice)
        for _ in range(31):
            bob.says("hi")
            chat.pass_by(1)
        assert alice.aborted
        assert bob.read() == ["-- alice left: not reading (1 here)"]
        alice.lose(ConnectionAborted())
        chat.pass_by(60)
    assert bob.read() == []
    assert texts(events, LogLevel.warn) == ["alice reads nothing, dropped"]
    assert not chat.factory.behind
    assert not chat.timers


def test_a_slow_reader_is_told_how_many_lines_it_missed() -> None:
    chat, alice, bob = two(replace(UNLIMITED, outbox_bytes=30))
    behind(alice)
    for number in range(1, 5):
        bob.says(str(number))  # 9 bytes each
    producer = alice.transport.producer
    assert producer is not None
    producer.resumeProducing()
    bob.says("5")
    assert alice.read() == [
        *(f"<bob> {number}" for number in (1, 2, 3)),
        "-- 1 line skipped (/history shows them)",
        "<bob> 5",
    ]
    assert not chat.factory.behind


def test_nobody_is_dropped_for_not_reading_when_that_is_off() -> None:
    chat, alice, _ = two(replace(UNLIMITED, stall_seconds=None))
    behind(alice)
    chat.pass_by(1000, step=10)
    assert not alice.aborted


def test_one_that_quits_while_it_is_behind_is_closed_and_nothing_more() -> None:
    chat, alice, bob = two()
    behind(alice)
    alice.says("/quit")
    chat.pass_by(4)
    assert alice.aborted
    alice.lose(ConnectionAborted())
    with capturedLogs() as events:
        chat.pass_by(60)
    assert not events
    assert bob.read() == ["-- alice left (1 here)"]


def test_a_sweep_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    chat, alice, bob = two(replace(UNLIMITED, stall_seconds=5))
    behind(alice)
    behind(bob)

    def fails() -> None:
        raise RuntimeError("abort failed")

    for peer in (alice, bob):
        monkeypatch.setattr(peer.protocol, "_stalled", fails)
        monkeypatch.setattr(peer.protocol._outbox, "_give_up", fails)
    with pytest.raises(RuntimeError):
        chat.pass_by(10)
    calls: list[Any] = list(chat.reactor.getDelayedCalls())
    assert chat.factory._sweep in [call.func for call in calls]


# Stopping


def test_closing_tells_everyone_and_is_done_when_all_are_gone() -> None:
    chat, alice, bob = two()
    done: list[object] = []
    chat.factory.close("The server is stopping. Goodbye.", 10).addCallback(done.append)
    chat.turn()
    for peer in (alice, bob):
        assert peer.read() == ["-- The server is stopping. Goodbye."]
        assert peer.closing
        assert not done
        peer.lose()
    assert done == [None]


def test_closing_when_nobody_is_there_is_done_at_once() -> None:
    done: list[object] = []
    Chat().factory.close("Goodbye.", 10).addCallback(done.append)
    assert done == [None]


def test_a_peer_that_takes_nothing_holds_the_closing_up_no_longer_than_it_may() -> None:
    chat, alice, bob = two()
    done: list[object] = []
    behind(alice)
    chat.factory.close("Goodbye.", 10).addCallback(done.append)
    chat.turn()
    bob.lose()
    chat.pass_by(9.5, step=0.5)
    assert not alice.aborted
    chat.pass_by(0.5, step=0.5)
    assert alice.aborted
    alice.lose(ConnectionAborted())
    assert done == [None]
    chat.pass_by(1)
    assert not chat.reactor.getDelayedCalls()


def test_a_peer_that_comes_while_it_closes_does_not_hold_it_up() -> None:
    chat, _, _ = two()
    done: list[object] = []
    chat.factory.close("Goodbye.", 10).addCallback(done.append)
    late = Peer(chat)
    chat.turn()
    assert late.closing
    for peer in list(chat.hub.members.values()):
        assert isinstance(peer.door, ChatProtocol)
        peer.door.connectionLost()
    assert not done
    late.lose()
    assert done == [None]
    assert not chat.peer().closing, "it may be opened again"


def test_a_second_closing_is_done_with_the_first() -> None:
    chat, alice, bob = two()
    done: list[object] = []
    for _ in range(2):
        chat.factory.close("Goodbye.", 10).addCallback(done.append)
    chat.turn()
    alice.lose()
    bob.lose()
    assert done == [None, None]


# The log


def texts(events: Sequence[LogEvent], level: Any = LogLevel.info) -> list[str]:
    return [formatEvent(event) for event in events if event["log_level"] == level]


def test_the_log_says_who_connects_from_where_and_who_goes() -> None:
    with capturedLogs() as events:
        chat = Chat()
        alice, bob = chat.peer("alice"), chat.peer("bob", host="2001:db8::1")
        alice.says("/quit")
        alice.lose()
        bob.lose(ConnectionLost())
    first, second, third, fourth = texts(events)
    assert re.fullmatch(r"guest-\w+ connected from 192\.0\.2\.1:49152 \(1 here\)", first)
    assert re.fullmatch(r"guest-\w+ connected from 2001:db8::1:49152 \(2 here\)", second)
    assert third == "alice disconnected (1 here)"
    assert fourth == "bob disconnected: connection lost (0 here)"


@pytest.mark.parametrize("nick", ["{nick}", "{0}", "{}", "x{y__class__}", "`_[]\\^|"])
def test_what_users_chose_is_literal_in_the_log(nick: str) -> None:
    with capturedLogs() as events:
        chat = Chat()
        peer = chat.peer(nick)
        assert peer.member.nick == nick
        peer.says("{x.__class__}", "%s", "/topic {0}", "/quit {nick}")
        peer.lose()
    connected, disconnected = events
    assert formatEvent(disconnected) == f"{nick} disconnected (0 here)"
    assert disconnected["nick"] == nick
    assert "connected from" in formatEvent(connected)


def test_what_is_said_is_not_logged() -> None:
    with capturedLogs() as events:
        _, alice, _ = two()
        before = len(events)
        alice.says("hi", "/msg bob secret", "/topic tea")
        assert len(events) == before


def test_the_factory_brings_its_reactors_turns_to_a_hub_without_any() -> None:
    chat = Chat()
    assert not chat.hub.needs_turns
    other = ChatFactory(chat.hub, reactor=chat.reactor)
    assert other.hub is chat.hub


def test_a_hub_may_be_served_by_two_factories() -> None:
    chat, alice, _ = two()
    other = ChatFactory(chat.hub, reactor=chat.reactor, wall=chat.reactor.seconds)
    first, chat.factory = chat.factory, other
    carol = chat.peer("carol")
    alice.read()
    carol.says("hi")
    assert alice.read() == ["<carol> hi"]
    done: list[object] = []
    other.close("Goodbye.", 10).addCallback(done.append)
    chat.turn()
    carol.lose()
    assert done == [None]
    assert first.protocol is ChatProtocol
