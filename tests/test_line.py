"""chatroom.protocols.line: what a line means, and what none may hold."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import capturedLogs, formatEvent

from chatroom.errors import NotAllowed
from chatroom.events import Event, Said
from chatroom.guard import Guard, Verb
from chatroom.member import Member
from tests.connected import UNLIMITED, Chat, Peer, two

STEPS = "-- Type to talk. /nick NAME gives you a name, /help lists the commands."


# Coming


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


def test_those_who_wish_the_same_and_talk_in_the_same_room_share_a_view() -> None:
    _, alice, bob = two()
    assert alice.member.view is bob.member.view
    for wish in ("/timestamp time", "/bell all"):
        alice.says(wish)
        assert alice.member.view is not bob.member.view
        bob.says(wish)
        assert alice.member.view is bob.member.view
    alice.says("/join #ops")
    assert alice.member.view is not bob.member.view
    alice.says("/join #lobby", "/bell mention")
    bob.says("/bell mention")
    assert alice.member.view is not bob.member.view, "each has a nick of its own"


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


# Other protocols


HTTP = ["GET / HTTP/1.1", "POST /x HTTP/1.0", "OPTIONS * HTTP/1.1", "PRI * HTTP/2.0"]
IRC = ["CAP LS 302", "CAP REQ :sasl", "USER alice 0 * :Alice"]
IRC_ANSWER = "-- This port is for nc or telnet, not for IRC programs: they are not served here."


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


def test_a_first_line_of_a_nick_is_answered_and_what_follows_is_said() -> None:
    """A person may try that; they are told how, and not thrown out."""
    chat = Chat()
    bob, peer = chat.peer("bob"), chat.peer()
    bob.read()
    peer.says("NICK dave", "hello")
    assert peer.read() == [
        "-- IRC programs: they are not served here. To name yourself here: /nick NAME"
    ]
    assert bob.read() == [f"<{peer.member.nick}> hello"]


def test_where_irc_programs_are_served_they_are_told_so() -> None:
    chat = Chat()
    chat.factory.irc_door = "connect them to {host} port 6667"
    program, person = chat.peer(), chat.peer()
    program.read()
    program.says("CAP LS 302")
    person.says("NICK dave")
    there = "connect them to {host} port 6667"
    assert program.closing and not person.closing
    assert f"-- This port is for nc or telnet, not for IRC programs: {there}." in program.read()
    assert f"-- IRC programs: {there}. To name yourself here: /nick NAME" in person.read()


def test_an_irc_program_that_begins_with_its_nick_is_closed_at_its_user() -> None:
    chat = Chat()
    bob, peer = chat.peer("bob"), chat.peer()
    bob.read()
    peer.says("NICK dave", "USER dave 0 * :Dave", "JOIN #lobby")
    assert peer.closing
    assert bob.read() == [f"-- {peer.member.nick} left (1 here)"]


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


# The log


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


# Many lines in one read

SAYABLE = st.sampled_from(
    [b"hi", b"a b", b" a", b"a ", b"", b"/me waves", b"//x", b"/nick {}", b"/quit", b"/part",
     b"\x1b[2J", b"\xff", b"\xc3\xa9", b"x" * 2000, b"\t", b"\xe2\x80\xa8x", b"hi\r", b"/join #x"]
)  # fmt: skip


@given(st.lists(SAYABLE, min_size=2, max_size=8), st.sampled_from(["", "in no room", "a bot"]))
def test_lines_that_come_in_one_read_are_taken_as_if_each_came_alone(
    lines: list[bytes], condition: str
) -> None:
    heard = []
    for reads in ([b"\n".join(lines) + b"\n"], [line + b"\n" for line in lines]):
        chat, alice, bob = two()
        if condition == "in no room":
            alice.says("/part")
        if condition == "a bot":
            chat.hub.observers.append(lambda event: None)
        chat.turn()
        alice.read(), bob.read()
        for read in reads:
            alice.send(read)
        chat.turn()
        heard.append((alice.read(), bob.read()))
    assert heard[0] == heard[1]


def test_who_is_made_to_leave_after_a_line_says_no_more_of_that_read() -> None:
    chat, alice, bob = two()

    def kicks(event: Event) -> None:
        if isinstance(event, Said):
            chat.hub.leave(alice.member, "kicked", 0.0)

    chat.hub.observers.append(kicks)
    alice.send(b"one\ntwo\nthree\n")
    chat.turn()
    assert bob.read() == ["<alice> one", "-- alice left: kicked (1 here)"]


def test_plain_lines_of_one_read_are_said_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    chat, alice, bob = two()
    alice.says("first")
    chat.turn()
    bob.read()
    monkeypatch.setattr(alice.protocol, "lineReceived", None)
    alice.send(b"one\ntwo\nthree\n")
    chat.turn()
    assert bob.read() == ["<alice> one", "<alice> two", "<alice> three"]


@pytest.mark.parametrize("allowed", [0, 1])
def test_of_lines_read_at_once_each_that_a_guard_refuses_is_told(allowed: int) -> None:
    """As it asks for them together first, and then for each."""

    class Strict(Guard):
        said = 0

        def ask(self, verb: Verb, member: Member, about: str, text: str, now: float) -> None:
            if verb == "say":
                if "\n" in text or self.said >= allowed:
                    raise NotAllowed("Not so fast.")
                self.said += 1

    chat, ann, bob = two()
    ann.says("I am here", "and so am I")
    bob.read()
    ann.read()
    chat.hub.guards.append(Strict())
    ann.send("one\ntwo\nthree\n")
    chat.turn()
    assert ann.read() == ["-- Not so fast."] * (3 - allowed)
    assert len(bob.read()) == allowed
    assert not ann.closing
