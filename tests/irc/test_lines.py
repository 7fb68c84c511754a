"""Lines put together: what is in front of them, and what fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.identity import Identity
from chatroom.protocols.irc import lines
from chatroom.protocols.irc.wire import LINE_BYTES, parse

MOST = LINE_BYTES - 2
WORD = st.text(st.characters(codec="utf-8", exclude_characters=" "), min_size=1, max_size=60)


def test_a_mask_is_nick_user_and_host() -> None:
    assert lines.mask("ann", Identity("~a", "host.example")) == "ann!~a@host.example"


@pytest.mark.parametrize(
    ("address", "shown"), [("::1", "0::1"), ("2001:db8::1", "2001:db8::1"), ("192.0.2.1",) * 2]
)
def test_an_address_can_be_a_parameter(address: str, shown: str) -> None:
    assert lines.middle(address) == shown


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_790_000_000.1234, "2026-09-21T14:13:20.123Z"),
        (1_790_000_000.9999, "2026-09-21T14:13:20.999Z"),
    ],
)
def test_a_time_has_milliseconds_and_is_utc(time: float, shown: str) -> None:
    assert lines.timestamp(time) == shown


@given(st.integers(0, 4_000_000_000_000))
def test_a_time_that_was_written_is_read_as_it_was(thousandths: int) -> None:
    read = lines.stamp(lines.timestamp(thousandths / 1000))
    assert read is not None
    assert abs(read - thousandths / 1000) < 0.0011


def test_what_is_no_time_is_none() -> None:
    assert lines.stamp("yesterday") is None
    assert lines.stamp("2026-09-21T14:13:20") == 1_790_000_000


def test_tags_go_in_front_of_those_that_are_there() -> None:
    assert lines.tag(":a B", "x=1", "y") == "@x=1;y :a B"
    assert lines.tag("@z :a B", "x=1") == "@x=1;z :a B"


def test_a_line_belongs_to_one_batch() -> None:
    assert lines.inside(":a B", "7") == "@batch=7 :a B"
    assert lines.inside("@time=x :a B", "7") == "@batch=7;time=x :a B"
    assert lines.inside("@time=x;batch=3 :a B", "7") == "@time=x;batch=3 :a B"
    assert lines.inside("@xbatch=3 :a B", "7") == "@batch=7;xbatch=3 :a B"


def test_a_standard_reply_has_its_context_as_parameters() -> None:
    reply = lines.standard("FAIL", "JOIN", "BAD", "#x", "", "a b", ":c", text="No.")
    assert reply == "FAIL JOIN BAD #x * * * :No."
    assert lines.standard("NOTE", "*", "HI", text="") == "NOTE * HI :"


def test_tags_are_written_escaped() -> None:
    assert lines.tagged([("a", "b; c"), ("d", "")]) == [r"a=b\:\sc", "d"]


@given(st.text(max_size=400), st.integers(0, 200))
def test_what_fits_a_line_is_whole_and_what_does_not_is_marked(text: str, head: int) -> None:
    before = "h" * head + " :"
    line = lines.fit(before, text)
    assert len(line.encode()) <= MOST
    if len((before + text).encode()) <= MOST:
        assert line == before + text
    else:
        assert line.endswith("…")
        assert (before + text).startswith(line[:-1])
        assert len(line.encode()) > MOST - 4  # no more is cut than has to be


@given(st.lists(WORD, max_size=80))
def test_words_fill_lines_without_any_being_lost(words: list[str]) -> None:
    found = lines.words_in_lines("head :", words)
    assert [word for line in found for word in line.removeprefix("head :").split(" ")] == words
    for line, after in zip(found, [*found[1:], ""], strict=False):
        assert len(line.encode()) <= MOST
        if after:
            more = after.removeprefix("head :").split(" ")[0]
            assert len(f"{line} {more}".encode()) > MOST - 1


def test_words_may_have_something_else_between() -> None:
    assert lines.words_in_lines("h ", ["a", "b"], ",") == ["h a,b"]
    assert lines.words_in_lines("h ", []) == []
    assert (
        parse(lines.words_in_lines(":s 353 me = #x :", ["@a", "b"])[0].encode()).params[-1]
        == "@a b"
    )
