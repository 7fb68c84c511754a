"""Lengths of time: what may be written, and that what is written is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from chatroom.spans import LONGEST, span, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("10m", 600), ("2h", 7200), ("30d", 2_592_000), ("0s", 0), ("007m", 420)],
)
def test_a_span_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert span(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "10", "m", "10 m", "10M", "-1m", "1.5h", "1h30m", "10w", "10m ", "٣m", "36501d", "9" * 99],
)
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(A length of time|The longest time) .*\.$"):
        span(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (1, "1s"), (90, "90s"), (600, "10m"), (7200, "2h"), (86400, "1d"), (90000, "25h")],
)
def test_seconds_are_written_in_the_largest_unit_they_fill(seconds: int, text: str) -> None:
    assert written(seconds) == text


@given(integers(0, LONGEST))
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert span(written(seconds)) == seconds
