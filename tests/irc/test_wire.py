"""chatroom.protocols.irc.wire: messages out of lines, and lines out of messages and a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.protocols.irc.wire import (
    LINE_BYTES,
    MOST_PARAMS,
    NO_TAGS,
    TAG_DATA_BYTES,
    TAGS_BYTES,
    Framer,
    Malformed,
    Message,
    NoCommand,
    NotUTF8,
    check_frame,
    client_tags,
    escape,
    is_middle,
    parse,
    split_text,
    unescape,
    write,
)

Lines = list[bytes | None]

FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
FLAG = "\U0001f1e9\U0001f1ea"


def seconds(call: Callable[[], object]) -> float:
    """Of this process alone, and the best of a few runs: others work on the machine as well."""
    times = []
    for _ in range(5):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


# Lines to messages

FIFTEEN = [str(number) for number in range(1, 16)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"QUIT", Message("QUIT")),
        (b"quit", Message("QUIT")),
        (b"PRIVMSG #room :hello there", Message("PRIVMSG", ("#room", "hello there"))),
        (b"PRIVMSG #room hello", Message("PRIVMSG", ("#room", "hello"))),
        (b"PRIVMSG #room ::)", Message("PRIVMSG", ("#room", ":)"))),
        (b"PRIVMSG #room :", Message("PRIVMSG", ("#room", ""))),
        (b"PRIVMSG #room : two  spaces ", Message("PRIVMSG", ("#room", " two  spaces "))),
        (b"PRIVMSG #room :a :b", Message("PRIVMSG", ("#room", "a :b"))),
        (b"PRIVMSG  #room   :a", Message("PRIVMSG", ("#room", "a"))),
        (b"  JOIN  #a  ", Message("JOIN", ("#a",))),
        (b"JOIN #a:b :", Message("JOIN", ("#a:b", ""))),
        (b"JOIN a\tb", Message("JOIN", ("a\tb",))),
        ("TOPIC #a :é€😀".encode(), Message("TOPIC", ("#a", "é€😀"))),
        (b":irc.example 001 ann :Hi", Message("001", ("ann", "Hi"), "irc.example")),
        (b":a!b@c   JOIN :#a", Message("JOIN", ("#a",), "a!b@c")),
        (b": JOIN #a", Message("JOIN", ("#a",))),
        (b"@a=b JOIN", Message("JOIN", tags={"a": "b"})),
        (b"@a=b  :ann  JOIN", Message("JOIN", source="ann", tags={"a": "b"})),
        (b"@a;b=;+c/d=e=f JOIN", Message("JOIN", tags={"a": "", "b": "", "+c/d": "e=f"})),
        (b"@a=1;b=2;a=3 JOIN", Message("JOIN", tags={"a": "3", "b": "2"})),
        (b"@a=1;a JOIN", Message("JOIN", tags={"a": ""})),
        (b"@;=x;a; JOIN", Message("JOIN", tags={"a": ""})),
        (b"@ JOIN", Message("JOIN")),
        (rb"@a=\:\s\\\r\n JOIN", Message("JOIN", tags={"a": "; \\\r\n"})),
        ("@a=é JOIN".encode(), Message("JOIN", tags={"a": "é"})),
        (b"X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", Message("X", (*FIFTEEN,))),
        (b"X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 :15", Message("X", (*FIFTEEN,))),
        (b"X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 :16", Message("X", (*FIFTEEN[:-1], "15 :16"))),
        (b"X  1 2 3 4 5 6 7 8 9 10 11 12 13 14 :", Message("X", (*FIFTEEN[:-1], ""))),
        (
            b"X 1 2 3 4 5 6 7  8 9 10 11 12 13 14  15 16  :17 :18",
            Message("X", (*FIFTEEN[:-1], "15 16  :17 :18")),
        ),
    ],
)
def test_a_line_is_taken_apart(line: bytes, message: Message) -> None:
    assert parse(line) == message


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "no command"),
        (b"   ", "no command"),
        (b":ann", "no command"),
        (b":ann  ", "no command"),
        (b"@a=b", "no command"),
        (b"@a=b :ann", "no command"),
        (b" :", "no command"),
        (b"JOIN #a\0", "NUL"),
        (b"JOIN #a\rQUIT", "CR"),
        (b"JOIN #a\nQUIT", "LF"),
    ],
)
def test_what_is_no_message_says_why(line: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse(line)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"12 a", "12"),
        (b"1234", "1234"),
        (b"A1", "A1"),
        (b"A-B", "A-B"),
        (b"@label=1 a_b", "a_b"),
        (b":ann :JOIN", ":JOIN"),
        ("É #a".encode(), "É"),
        ("٠١٢ #a".encode(), "٠١٢"),
    ],
)
def test_a_word_that_can_be_no_command_is_told(line: bytes, word: str) -> None:
    with pytest.raises(NoCommand, match=f"{word} is no command") as caught:
        parse(line)
    assert caught.value.message.command == word
    assert dict(caught.value.message.tags) == ({"label": "1"} if b"label" in line else {})


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"privmsg #room :\xff", "PRIVMSG"),
        (b"@a=\xff :b\xc3 NOTICE c", "NOTICE"),
        (b"JOIN #a :\xed\xa0\x80", "JOIN"),  # a surrogate
        (b"\xff", ""),
        (b"JOIN\xff #a", ""),
        (b"JOIN \0\xff", ""),
    ],
)
def test_a_line_that_is_not_utf8_tells_its_command_if_it_has_one(line: bytes, command: str) -> None:
    with pytest.raises(NotUTF8) as caught:
        parse(line)
    assert caught.value.command == command


def test_messages_without_tags_share_what_nobody_can_change() -> None:
    assert parse(b"QUIT").tags is parse(b"@; QUIT").tags is NO_TAGS
    assert NO_TAGS == {}
    with pytest.raises(TypeError):
        NO_TAGS["a"] = "b"  # type: ignore[index]


def test_a_common_line_takes_microseconds() -> None:
    line = b"PRIVMSG #room :hello there everyone, how are you"
    assert seconds(lambda: [parse(line) for _ in range(2000)]) < 2000 * 5e-6


# Messages to lines


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (Message("QUIT"), "QUIT"),
        (Message("PRIVMSG", ("#a", "b")), "PRIVMSG #a b"),
        (Message("PRIVMSG", ("#a", "b c")), "PRIVMSG #a :b c"),
        (Message("PRIVMSG", ("#a", "")), "PRIVMSG #a :"),
        (Message("PRIVMSG", ("#a", ":)")), "PRIVMSG #a ::)"),
        (Message("PRIVMSG", ("#a", "b:")), "PRIVMSG #a b:"),
        (Message("001", ("ann", "Hi you"), "irc.example"), ":irc.example 001 ann :Hi you"),
        (Message("JOIN", ("#a",), "ann", {"a": "", "b": "; "}), r"@a;b=\:\s :ann JOIN #a"),
    ],
)
def test_a_message_is_put_together(message: Message, line: str) -> None:
    assert write(message) == line


def test_the_last_parameter_follows_a_colon_when_asked() -> None:
    assert write(Message("PRIVMSG", ("#a", "b")), trailing=True) == "PRIVMSG #a :b"
    assert write(Message("PRIVMSG", ("#a", "b c")), trailing=True) == "PRIVMSG #a :b c"
    assert write(Message("QUIT"), trailing=True) == "QUIT"


@pytest.mark.parametrize(
    "message",
    [
        Message(""),
        Message("join"),
        Message("A1"),
        Message("12"),
        Message("É"),
        Message("٠١٢"),
        Message("A", ("", "b")),
        Message("A", ("a b", "c")),
        Message("A", (":a", "c")),
        Message("A", ("x",) * 16),
        Message("A", ("a\rb",)),
        Message("A", ("a\nb",)),
        Message("A", ("a\0b",)),
        Message("A", ("\ud800",)),
        Message("A", source="a b"),
        Message("A", source="a\n"),
        Message("A", tags={"": ""}),
        Message("A", tags={"a=b": ""}),
        Message("A", tags={"a;b": ""}),
        Message("A", tags={"a b": ""}),
        Message("A", tags={"a\n": ""}),
        Message("A", tags={"a": "\0"}),
    ],
)
def test_what_no_line_can_say_is_refused(message: Message) -> None:
    with pytest.raises(ValueError):
        write(message)


def test_what_may_stand_in_the_middle() -> None:
    assert is_middle("a") and is_middle("a:") and is_middle("*")
    assert not (is_middle("") or is_middle(":a") or is_middle("a b") or is_middle(" "))


def test_a_frame_is_one_line() -> None:
    assert check_frame("A :é") == "A :é"
    for broken in ("A\r", "A\n", "A\0", "A \udc80"):
        with pytest.raises(ValueError):
            check_frame(broken)


CHARACTERS = st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS, max_size=6) | st.text(" :;=@\\a", max_size=4)
MIDDLES = st.sampled_from("a#*@\\;é\t") | TEXT.map(lambda text: "x" + text.replace(" ", ":"))
TAG_KEYS = st.text(st.sampled_from("+/.-:\\aZ0é"), min_size=1, max_size=6)
TAG_VALUES = st.text(st.sampled_from(";: \\\r\nsrn=é@") | CHARACTERS, max_size=10)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    command = draw(st.text("AMZ", min_size=1, max_size=5) | st.text("019", min_size=3, max_size=3))
    params = draw(st.lists(MIDDLES, max_size=MOST_PARAMS - 1)) + draw(st.lists(TEXT, max_size=1))
    source = draw(st.just("") | MIDDLES)
    tags = draw(st.just(NO_TAGS) | st.dictionaries(TAG_KEYS, TAG_VALUES, max_size=4))
    return Message(command, tuple(params), source, tags)


@given(messages(), st.booleans())
def test_what_is_written_is_read_back(message: Message, trailing: bool) -> None:
    assert parse(write(message, trailing=trailing).encode()) == message


PARTS = st.sampled_from(
    [
        b"@",
        b"a=b",
        b";",
        b"+c",
        b"=",
        b"\\",
        b"\\s",
        b" ",
        b"  ",
        b":",
        b" :",
        b"JOIN",
        b"001",
        b"#a",
    ]
) | st.sampled_from([b"\r", b"\0", b"\xff", "é".encode(), b"x y " * 8])
LINES = st.lists(PARTS, max_size=12).map(b"".join) | st.binary(max_size=20)


@given(LINES)
def test_any_line_is_refused_or_can_be_written(line: bytes) -> None:
    try:
        message = parse(line)
    except (Malformed, NotUTF8):
        return
    assert len(message.params) <= MOST_PARAMS
    assert parse(write(message).encode()) == message


# Tags


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("", ""),
        ("raw+:=,escaped; \\", r"raw+:=,escaped\:\s\\"),  # the specification's own example
        ("a\r\nb", r"a\r\nb"),
        (r"\s", r"\\s"),
        ("é", "é"),
    ],
)
def test_a_value_is_escaped_and_unescaped(value: str, escaped: str) -> None:
    assert escape(value) == escaped
    assert unescape(escaped) == value


@pytest.mark.parametrize(
    ("escaped", "value"), [("test\\", "test"), (r"\b", "b"), (r"\\\b\:", r"\b;"), ("\\é", "é")]
)
def test_a_backslash_that_escapes_nothing_is_dropped(escaped: str, value: str) -> None:
    assert unescape(escaped) == value


@given(TAG_VALUES)
def test_an_escaped_value_stays_inside_its_tag(value: str) -> None:
    escaped = escape(value)
    assert unescape(escaped) == value
    assert not set(escaped) & set("; \r\n")


def test_only_well_formed_client_tags_are_passed_on() -> None:
    passed = {"+a": "1", "+draft/reply": "x", "+example.com/a-b": "", "+A9": "é"}
    others = ["a", "msgid", "+", "+/a", "+a/", "+a/b/c", "+a_b", "++a", "a+b", "+é", "+a\n", "+a.b"]
    assert client_tags({**passed, **dict.fromkeys(others, "")}) == passed
    assert client_tags(NO_TAGS) == {}


# A stream to lines


def held(framer: Framer) -> int:
    """Bytes that the framer keeps until the next feed."""
    return len(framer.pending)


def framed(pieces: Iterable[bytes]) -> Lines:
    framer = Framer()
    lines: Lines = []
    for piece in pieces:
        lines += framer.feed(piece)
        assert held(framer) <= TAG_DATA_BYTES + 2 + LINE_BYTES
    return lines


def bytewise(stream: bytes) -> Iterator[bytes]:
    return (stream[at : at + 1] for at in range(len(stream)))


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b"a\nb\r\nc", [b"a", b"b"]),
        (b"\n\r\n\n", []),
        (b"a\rb\n", [b"a\rb"]),  # a bare CR ends nothing
        (b"a\r\r\n", [b"a\r"]),
        (b"\xff\xfb\1\xff\xff\n", [b"\xff\xfb\1\xff\xff"]),  # and telnet is none
        (b"x" * 510 + b"\r\n", [b"x" * 510]),
        (b"x" * 510 + b"\n", [b"x" * 510]),
        (b"x" * 511 + b"\nb\n", [None, b"b"]),
        (b"x" * 511, [None]),
        (b"x" * 510 + b"\r", []),
        (b"x" * 509 + b"\r\r\n", [b"x" * 509 + b"\r"]),
        (b"x" * 510 + b"\r\r\nb\n", [None, b"b"]),
        (
            b"@" + b"t" * 4094 + b" " + b"x" * 510 + b"\r\n",
            [b"@" + b"t" * 4094 + b" " + b"x" * 510],
        ),
        (b"@" + b"t" * 4094 + b" " + b"x" * 511 + b"\r\nb\n", [None, b"b"]),
        (b"@" + b"t" * 4095 + b" x\r\nb\n", [None, b"b"]),
        (b"@a " + b"x" * 510 + b"\n", [b"@a " + b"x" * 510]),
        (b"@a " + b"x" * 511 + b"\n", [None]),
        (b"@a " + b" " + b"x" * 510 + b"\n", [None]),  # one space belongs to the tags
        (b"@" + b"t" * 4094 + b"\n", [b"@" + b"t" * 4094]),
        (b"@" + b"t" * 4095 + b"\n", [None]),
        (b" @" + b"t" * 600 + b" x\n", [None]),  # tags come first or not at all
    ],
)
def test_lines_and_their_limits_wherever_the_stream_is_split(stream: bytes, lines: Lines) -> None:
    assert framed([stream]) == lines
    assert framed(bytewise(stream)) == lines
    for at in {*range(min(20, len(stream))), *range(max(0, len(stream) - 20), len(stream))}:
        assert framed([stream[:at], stream[at:]]) == lines, at


def test_the_limits_are_the_protocols_own() -> None:
    assert (LINE_BYTES, TAGS_BYTES) == (512, 8191)
    assert 1 + TAG_DATA_BYTES + 1 + TAG_DATA_BYTES + 1 == TAGS_BYTES
    framer = Framer(4)
    for other in (None, 4, 10**6):
        framer.line_bytes = other
        assert framer.line_bytes == 510
        assert framer.feed(b"x" * 510 + b"\n" + b"x" * 511 + b"\n") == [b"x" * 510, None]


def test_a_line_too_long_is_refused_as_soon_as_it_is_and_not_held() -> None:
    framer = Framer()
    assert framer.feed(b"@" + b"t" * 4095) == [None]
    for _ in range(20):
        assert framer.feed(b" QUIT" * 10000) == []
        assert held(framer) == 0
    assert framer.feed(b"\nnext\n") == [b"next"]


def test_at_most_so_many_lines_are_given_and_the_others_wait() -> None:
    framer = Framer()
    assert framer.feed(b"1\n2\r\n" + b"x" * 600 + b"\n" + b"4" * 400 + b"\n5", 2) == [b"1", b"2"]
    assert framer.more
    assert framer.feed(b"", 2) == [None, b"4" * 400]
    assert not framer.more
    assert framer.feed(b"\n", 2) == [b"5"]


@pytest.mark.parametrize("piece", [b"\n", b"\r\n", b"a", b"a\n", b"@a b\n", b"@", b" "])
def test_a_mebibyte_takes_no_turn_for_itself(piece: bytes) -> None:
    stream = piece * (2**20 // len(piece))
    most = 0.05 if len(piece) == 1 else 0.5
    assert seconds(lambda: Framer().feed(stream)) < most


STREAM_PARTS = st.sampled_from(
    [b"@", b" ", b"a", b"\r", b"\n", b"\r\n", b"t" * 600, b"t" * 4090, b"x" * 250, b"x" * 500]
)
STREAMS = st.lists(STREAM_PARTS | st.binary(max_size=6), max_size=20).map(b"".join)


@given(STREAMS, st.lists(st.integers(0, 9999), max_size=8), st.integers(1, 5))
def test_any_split_gives_the_same_lines(stream: bytes, cuts: list[int], at_a_time: int) -> None:
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    pieces = [stream[start:end] for start, end in pairwise(places)]
    expected = framed([stream])
    assert framed(pieces) == expected
    framer = Framer()
    lines: Lines = []
    for piece in pieces:
        lines += framer.feed(piece, at_a_time)
    while framer.more:
        lines += framer.feed(b"", at_a_time)
    assert lines == expected


# Text to pieces


def put_together(text: str, pieces: list[str]) -> bool:
    """Whether `pieces` are `text`, less at most one space between each two."""
    rests = {text}
    for number, piece in enumerate(pieces):
        if number:
            rests |= {rest[1:] for rest in rests if rest.startswith(" ")}
        rests = {rest[len(piece) :] for rest in rests if rest.startswith(piece)}
    return "" in rests


@pytest.mark.parametrize(
    ("text", "most", "pieces"),
    [
        ("", 4, [""]),
        ("abcd", 4, ["abcd"]),
        ("abcd efgh", 4, ["abcd", "efgh"]),
        ("abcd efgh", 8, ["abcd", "efgh"]),
        ("a bcdefghij", 8, ["a bcdefg", "hij"]),  # the space is too early
        ("abcdefgh", 5, ["abcde", "fgh"]),
        ("abcd  ef", 4, ["abcd", " ef"]),
        ("abcd ", 4, ["abcd", " "]),
        ("ééé", 5, ["éé", "é"]),
        ("😀😀", 7, ["😀", "😀"]),
        ("aaaae\u0301b", 5, ["aaaa", "e\u0301b"]),
        ("aaaa" + FAMILY, 15, ["aaaa", FAMILY[:4], FAMILY[4:]]),  # cannot be kept whole
        ("a" * 20 + FAMILY, 30, ["a" * 20, FAMILY]),
        ("a" * 20 + FLAG * 2, 30, ["a" * 20 + FLAG, FLAG]),
        ("a" * 20 + "👍🏽", 24, ["a" * 20, "👍🏽"]),
        ("a" * 20 + "❤\ufe0f", 23, ["a" * 20, "❤\ufe0f"]),
        ("e" + "\u0301" * 9, 8, ["e" + "\u0301" * 3, "\u0301" * 4, "\u0301" * 2]),
    ],
)
def test_text_is_parted_between_words_and_never_inside_a_character(
    text: str, most: int, pieces: list[str]
) -> None:
    assert split_text(text, most) == pieces


def test_a_piece_too_small_for_a_character_is_refused() -> None:
    with pytest.raises(ValueError):
        split_text("abcd", 3)


PIECES = st.sampled_from(
    ["a", "word", " ", "  ", "é", "€", "😀", FAMILY, FLAG, "e\u0301", "x" * 30]
)


@given(st.lists(PIECES, max_size=40).map("".join), st.integers(4, 60))
def test_pieces_fit_and_give_the_text_back(text: str, most: int) -> None:
    pieces = split_text(text, most)
    assert all(len(piece.encode()) <= most for piece in pieces)
    assert len(pieces) == 1 or all(len(piece.encode()) * 2 >= most - 8 for piece in pieces[:-1])
    assert put_together(text, pieces)
    if most >= 60:
        assert not any(category(piece[0])[0] == "M" for piece in pieces if piece)


@pytest.mark.parametrize("text", ["a", "a ", FLAG, FAMILY, "\u0301", "\u200d", "😀"])
def test_the_time_to_part_a_text_grows_with_it(text: str) -> None:
    assert seconds(lambda: split_text(text * (2**16 // len(text)), 400)) < 0.5
