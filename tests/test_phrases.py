"""Turns of phrase: counts, lists of names and lengths of time, as a reader would say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.phrases import duration, listed, plural


@pytest.mark.parametrize(
    ("number", "phrase"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (1000, "1000 lines")]
)
def test_one_is_singular(number: int, phrase: str) -> None:
    assert plural(number, "line") == phrase


@pytest.mark.parametrize(
    ("names", "phrase"),
    [
        (["ann"], "ann"),
        (["ann", "bob"], "ann and bob"),
        (["ann", "bob", "cy"], "ann, bob and cy"),
        (list("abcdefghij"), "a, b, c, d, e, f, g, h, i and j"),
        (list("abcdefghijk"), "a, b, c, d, e, f, g, h, i and 2 others"),
    ],
)
def test_names_are_listed_up_to_ten_parts(names: list[str], phrase: str) -> None:
    assert listed(names) == phrase


@pytest.mark.parametrize(
    ("names", "total", "most", "phrase"),
    [
        (["ann", "bob"], 40, 10, "ann, bob and 38 others"),
        (["ann", "bob"], 3, 10, "ann, bob and 1 other"),
        (["ann", "bob", "cy", "dee"], 4, 3, "ann, bob and 2 others"),
        (["ann", "bob", "cy"], 3, 3, "ann, bob and cy"),
        (["ann"], 1, 1, "ann"),
        (["ann", "bob"], 2, 1, "2 others"),
    ],
)
def test_when_the_names_are_just_the_first_the_rest_are_counted(
    names: list[str], total: int, most: int, phrase: str
) -> None:
    assert listed(names, total, most) == phrase


@given(st.integers(1, 100), st.integers(0, 100), st.integers(2, 20))
def test_nobody_is_lost_in_a_list(shown: int, more: int, most: int) -> None:
    """The names that are there and the number of the others always add up to the total."""
    phrase = listed([f"n{number}" for number in range(shown)], shown + more, most)
    *parts, last = phrase.replace(" and ", ", ").split(", ")
    others = int(last.split()[0]) if "other" in last else 1
    assert len(parts) + others == shown + more
    assert len(parts) + 1 <= most


@pytest.mark.parametrize(
    ("seconds", "phrase"),
    [
        (0, "0 seconds"),
        (0.9, "0 seconds"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (61, "1 minute 1 second"),
        (3600, "1 hour"),
        (7322, "2 hours 2 minutes"),
        (86400, "1 day"),
        (90000, "1 day 1 hour"),
        (266400.5, "3 days 2 hours"),
        (400 * 86400, "400 days"),
    ],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, phrase: str) -> None:
    assert duration(seconds) == phrase


def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    assert duration(-3600.0) == "0 seconds"
