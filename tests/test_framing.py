"""chatroom.protocols.framing: lines out of a stream, however it is split, and little of it held."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.protocols.framing import LineFramer

IAC, SB, SE, NOP, IP, WILL, WONT, DO, DONT = (
    bytes([code]) for code in (255, 250, 240, 241, 244, 251, 252, 253, 254)
)
COMMANDS = [NOP, IAC, DO + b"\1", SB + IAC + SE]

Lines = list[bytes | None]


def framed(pieces: Iterable[bytes], most: int | None = 1024) -> Lines:
    """What one framer makes of the pieces; checks each time that it holds no more than it may."""
    framer = LineFramer(most)
    lines: Lines = []
    for piece in pieces:
        lines += framer.feed(piece)
        assert most is None or held(framer) <= most + 4
    return lines


def held(framer: LineFramer) -> int:
    """Bytes that the framer keeps until the next feed."""
    values = [getattr(framer, name) for name in LineFramer.__slots__]
    return sum(len(value) for value in values if isinstance(value, (bytes, bytearray, list)))


def split_in_two(stream: bytes) -> Iterator[tuple[bytes, bytes]]:
    return ((stream[:at], stream[at:]) for at in range(len(stream) + 1))


def bytewise(stream: bytes) -> Iterator[bytes]:
    return (stream[at : at + 1] for at in range(len(stream)))


def seconds(call: Callable[[], object]) -> float:
    """Of this process alone, and the best of a few runs: others work on the machine as well."""
    times = []
    for _ in range(5):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


# Ends of lines


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b"", []),
        (b"a", []),
        (b"a\n", [b"a"]),
        (b"a\r\n", [b"a"]),
        (b"a\nb\r\nc\n", [b"a", b"b", b"c"]),
        (b"\n\r\n\n", []),
        (b"a\n\n\r\nb\n", [b"a", b"b"]),
        (b"a\rb\n", [b"a\rb"]),  # a bare CR ends nothing
        (b"a\r\r\n", [b"a\r"]),
        (b"\r\r\n", [b"\r"]),
        (b" \n", [b" "]),
        (b"a\0b\x1b[2J\n", [b"a\0b\x1b[2J"]),
        ("é€😀\n".encode(), ["é€😀".encode()]),
    ],
)
def test_lf_and_crlf_end_a_line_wherever_the_stream_is_split(stream: bytes, lines: Lines) -> None:
    assert framed([stream]) == lines
    assert framed(bytewise(stream)) == lines
    for pieces in split_in_two(stream):
        assert framed(pieces) == lines, pieces


def test_a_line_without_its_end_is_none_yet() -> None:
    framer = LineFramer(1024)
    assert framer.feed(b"a\nb") == [b"a"]
    assert framer.feed(b"c\r") == []
    assert framer.feed(b"\nd") == [b"bc"]


# So many at a time


def test_at_most_so_many_lines_are_given_and_the_others_wait() -> None:
    framer = LineFramer(1024)
    assert framer.feed(b"1\n2\r\n3\n4\n5", 2) == [b"1", b"2"]
    assert framer.more
    assert framer.feed(b"", 2) == [b"3", b"4"]
    assert not framer.more
    assert framer.feed(b"", 2) == []
    assert framer.feed(b"\n", 2) == [b"5"]


def test_lines_that_wait_are_not_too_long_together() -> None:
    framer = LineFramer(4)
    assert framer.feed(b"1\n22\n333\n4444\n55555\n66", 1) == [b"1"]
    assert framer.feed(b"6666\n7\n", 3) == [b"22", b"333", b"4444"]
    assert framer.feed(b"", 9) == [None, None, b"7"]


# Lines that are too long


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1023, 1024, 1025])
def test_up_to_1024_bytes_are_a_line_and_more_are_refused_at_every_split(
    size: int, end: bytes
) -> None:
    line = b"x" * (size - 5) + b"/quit"
    expected = [b"before", line if size <= 1024 else None, b"after"]
    stream = b"before\n" + line + end + b"after\n"
    assert framed([stream]) == expected
    assert framed(bytewise(stream)) == expected
    for pieces in split_in_two(stream):
        assert framed(pieces) == expected, len(pieces[0])


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_end_of_a_line_does_not_count(end: bytes) -> None:
    assert framed([b"1234", end], most=4) == [b"1234"]
    assert framed(bytewise(b"1234" + end), most=4) == [b"1234"]


def test_a_cr_that_ends_nothing_counts() -> None:
    for pieces in split_in_two(b"1234\r\r\nafter\n"):
        assert framed(pieces, most=5) == [b"1234\r", b"after"]
        assert framed(pieces, most=4) == [None, None], "after is too long as well"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_of_10_mib_is_one_refusal_and_is_not_held(end: bytes) -> None:
    read = b"x" * 65536
    stream = [b"before\n", *([read] * 160), b"/quit" + end + b"after\n"]
    assert framed(stream) == [b"before", None, b"after"]


def test_a_line_too_long_is_refused_as_soon_as_it_is() -> None:
    framer = LineFramer(4)
    assert framer.feed(b"1234") == []
    assert framer.feed(b"5") == [None]
    assert framer.feed(b"6789") == []
    assert framer.feed(b"\nnext\n") == [b"next"]


def test_each_line_too_long_is_refused_in_its_place() -> None:
    assert framed([b"a\nbbbbb\nc\nddddd\n\neeeee"], most=4) == [b"a", None, b"c", None, None]


def test_the_tail_of_a_refused_line_is_no_line_even_in_its_own_chunk() -> None:
    assert framed([b"x" * 2000, b"\r", b"/quit\r", b"\n", b"after\n"]) == [None, b"after"]


def test_without_a_limit_a_line_may_have_any_length() -> None:
    read = b"x" * 65536
    assert framed([*([read] * 16), b"\n"], most=None) == [read * 16]


# Speed: a read has at most 64 KiB, but what is quadratic shows with more


@pytest.mark.parametrize("line", [b"\n", b"\r\n"])
def test_a_mebibyte_of_ends_takes_no_turn_for_itself(line: bytes) -> None:
    stream = line * (2**20 // len(line))
    assert seconds(lambda: LineFramer(1024).feed(stream)) < 0.05


@pytest.mark.parametrize(
    "piece",
    [b"\n", b"a\n", b"ab\r\n", b"x" * 2000 + b"\n", *(IAC + command for command in COMMANDS)],
)
def test_the_time_grows_with_the_stream_and_not_with_its_square(piece: bytes) -> None:
    stream = piece * (2**14 // len(piece))
    once = seconds(lambda: LineFramer(1024).feed(stream))
    assert seconds(lambda: LineFramer(1024).feed(stream * 16)) < 64 * once


# Telnet


TELNET = [
    (IAC + WILL + b"\1", b""),
    (IAC + WONT + b"\1", b""),
    (IAC + DO + b"\3", b""),
    (IAC + DONT + b"\3", b""),
    (IAC + DO + b"\n", b""),  # the option may be any byte, even one that looks like an end
    (IAC + DO + IAC, b""),
    (IAC + NOP, b""),
    (IAC + IP, b""),
    (IAC + IP + IAC + DO + b"\6", b""),  # ^C, as telnet sends it
    (IAC + IAC, IAC),
    (IAC + IAC + IAC + IAC, IAC + IAC),
    (IAC + IAC + IAC + NOP, IAC),
    (IAC + SB + IAC + SE, b""),
    (IAC + SB + b"\x18\0xterm" + IAC + SE, b""),
    (IAC + SB + b"\x18\0xterm\nof", b"\nof"),  # a line's end ends what nobody asked for
    (IAC + SB + IAC + b"\nof", b"\nof"),
    (IAC + SB + b"\x1f" + IAC + IAC + SE + IAC + SE, b""),  # an escaped 255 does not end it
    (IAC + SB + IAC + WILL + IAC + SE, b""),
    (IAC + SB + SE + IAC + SE, b""),
    (SE + SB + WILL, SE + SB + WILL),  # without IAC they are nothing to telnet
]


@pytest.mark.parametrize(("sequence", "left"), TELNET)
def test_telnet_is_taken_out_wherever_it_is_split(sequence: bytes, left: bytes) -> None:
    stream = b"ab" + sequence + b"cd\r\n" + sequence + b"ef\n"
    expected: Lines = [*(b"ab" + left + b"cd\n" + left + b"ef").split(b"\n")]
    expected = [line for line in expected if line]
    assert framed([stream]) == expected
    assert framed(bytewise(stream)) == expected
    for pieces in split_in_two(stream):
        assert framed(pieces) == expected, pieces


def test_telnet_between_cr_and_lf_does_not_part_them() -> None:
    assert framed([b"ab\r" + IAC + NOP + b"\ncd\n"]) == [b"ab", b"cd"]


def test_telnet_does_not_count_as_part_of_the_line() -> None:
    assert framed([(IAC + NOP) * 1000 + b"x" * 1024, IAC + DO + b"\1\r\n"]) == [b"x" * 1024]
    assert framed([(IAC + IAC) * 1024 + b"\n"]) == [IAC * 1024]
    assert framed([(IAC + IAC) * 1025 + b"\n"]) == [None]


def test_telnet_is_taken_out_of_a_line_that_is_thrown_away() -> None:
    stream = b"x" * 2000 + IAC + SB + b"z" + IAC + SE + IAC + DO + b"\ny\nafter\n"
    assert framed([stream]) == framed(bytewise(stream)) == [None, b"after"]


def test_bytes_that_only_look_like_telnet_swallow_no_further_line() -> None:
    stream = "sagte: ÿú nett\nzweite\n".encode("latin-1")
    assert framed([stream]) == framed(bytewise(stream)) == [b"sagte: ", b"zweite"]


def test_a_subnegotiation_without_an_end_is_not_held() -> None:
    framer = LineFramer(1024)
    for read in [b"a\n", IAC + SB, *([b"x" * 65536] * 160), IAC]:
        framer.feed(read)
        assert held(framer) <= 3
    assert framer.feed(SE + b"b\n") == [b"b"]


# Any stream, any split


FRAGMENTS = st.sampled_from(
    [b"a", b"bcd", b"x" * 9, b"\r", b"\n", b"\r\n", b"\n\n", b"\0", "é".encode(), "😀".encode()]
) | st.sampled_from([IAC, IAC + IAC, IAC + SB, SB, IAC + SE, SE, WILL, IAC + DO, NOP])
STREAMS = st.lists(FRAGMENTS | st.binary(max_size=6), max_size=40).map(b"".join)
LIMITS = st.sampled_from([None, 1, 4, 8, 1024])


def pieces_of(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in pairwise(places)]


@given(STREAMS, LIMITS, st.lists(st.integers(0, 500), max_size=20))
def test_any_split_gives_the_same_lines(stream: bytes, most: int | None, cuts: list[int]) -> None:
    assert framed(pieces_of(stream, cuts), most) == framed([stream], most)
    assert framed(bytewise(stream), most) == framed([stream], most)


@given(STREAMS, LIMITS, st.integers(1, 5), st.lists(st.integers(0, 500), max_size=5))
def test_so_many_at_a_time_gives_the_same_lines(
    stream: bytes, most: int | None, at_a_time: int, cuts: list[int]
) -> None:
    framer = LineFramer(most)
    lines: Lines = []
    for piece in pieces_of(stream, cuts):
        given_ = framer.feed(piece, at_a_time)
        lines += given_
        assert len(given_) <= at_a_time + 1, "and a refusal of what has no end"
    while framer.more:
        lines += framer.feed(b"", at_a_time)
    assert lines == framed([stream], most)


@given(STREAMS, LIMITS)
def test_without_telnet_it_is_what_splitting_makes_of_the_whole(
    stream: bytes, most: int | None
) -> None:
    stream = stream.replace(IAC, b"")
    *whole, rest = (line.removesuffix(b"\r") for line in stream.split(b"\n"))
    expected: Lines = [line for line in whole if line]
    if most is not None:
        expected = [line if line and len(line) <= most else None for line in expected]
        expected += [None] * (len(rest) > most)
    assert framed([stream], most) == expected


@given(STREAMS)
def test_no_line_holds_an_end_of_line(stream: bytes) -> None:
    for line in framed([stream], None):
        assert line
        assert b"\n" not in line
        assert not line.endswith(b"\r\n")
