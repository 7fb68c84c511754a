"""Text with IRC's codes, taken apart: for every door, and for IRC's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.protocols.irc.formatting import Text, action, plain, read, rich
from chatroom.text import is_clean

CODED = st.lists(
    st.sampled_from(["\x02", "\x03", "4", "04,12", ",", "\x04ff0000", "\x0f", "\x11", "\x16",
                     "\x1d", "\x1e", "\x1f", "hi", " ", "\x07", "\x1b[31m", "\u202e",
                     "\x01", "é", "\t"])
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hello", "hello"),
        ("\x02bold\x02 \x1ditalic\x1d \x1funder\x1f \x1estrike\x1e \x11mono\x11 \x16rev\x0f",
         "bold italic under strike mono rev"),
        ("\x034red\x03", "red"),
        ("\x0304,12both", "both"),
        ("\x03123", "3"),
        ("\x03,5 a", ",5 a"),
        ("\x031,a", ",a"),
        ("\x04FF0000,00ff00hex\x04", "hex"),
        ("\x04FF00", "FF00"),
        ("\x02\x07\x02", "\ufffd"),
        ("\x1b[31m", "\ufffd[31m"),
        ("a\tb", "a b"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)  # fmt: skip
def test_codes_are_taken_out(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("hi", Text("hi")),
        ("\x02hi", Text("hi", "\x02hi")),
        ("h\x07i", Text("h\ufffdi")),
        ("\x02h\x07i", Text("h\ufffdi", "\x02h\ufffdi")),
        ("\x01ACTION waves\x01", Text("waves", "", "ACTION")),
        ("\x01action waves", Text("waves", "", "ACTION")),
        ("\x01ACTION \x02waves\x01", Text("waves", "\x02waves", "ACTION")),
        ("\x01VERSION\x01", Text("CTCP VERSION", "\x01VERSION\x01", "VERSION")),
        ("\x01PING 1 2\x01", Text("CTCP PING 1 2", "\x01PING 1 2\x01", "PING")),
        ("\x01\x01", Text("CTCP", "\x01\x01", "?")),
        ("not \x01ACTION first", Text("not \ufffdACTION first")),
    ],
)
def test_a_text_is_read_for_every_door(text: str, whole: Text) -> None:
    assert read(text) == whole


def test_an_action_is_a_ctcp_message() -> None:
    assert action("waves") == "\x01ACTION waves\x01"
    assert read(action("waves")) == Text("waves", "", "ACTION")


@given(CODED)
def test_what_is_read_is_clean_and_says_the_same_at_either_door(text: str) -> None:
    shown, written, ctcp = read(text)
    assert is_clean(shown)
    assert "\x01" not in written[1:-1]
    if not ctcp:
        assert plain(written or shown) == shown
        assert rich(rich(text)) == rich(text)
