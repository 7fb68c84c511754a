"""chatroom.protocols.irc.modes: a table onto the core's settings, and modes as they are written."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.protocols.irc.modes import (
    BY_LETTER,
    BY_SETTING,
    CHANNEL_MODES,
    MOST_A_LINE,
    USER_BY_LETTER,
    USER_MODES,
    current,
    of_kind,
    written,
)
from chatroom.rules import FLAGS, LISTS, Change, Rules, Setting

MOST = 400


def test_each_letter_and_each_setting_is_there_once() -> None:
    assert len(BY_LETTER) == len(BY_SETTING) == len(CHANNEL_MODES)
    assert len(USER_BY_LETTER) == len(USER_MODES)
    assert set(BY_SETTING) <= set(get_args(Setting))


def test_flags_take_no_value_and_lists_are_of_the_kind_that_clients_know_for_them() -> None:
    assert {BY_SETTING[flag].kind for flag in FLAGS} == {"D"}
    assert {BY_SETTING[listed].kind for listed in LISTS} == {"A"}
    assert of_kind("A", "B", "C", "D", "P") == "".join(sorted(BY_LETTER))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ([Change("muted", True)], "+m"),
        ([Change("muted", True), Change("secret", False), Change("key", False)], "+m-sk *"),
        ([Change("limit", True, "7"), Change("limit", False)], "+l-l 7"),
        ([Change("operator", False, "bob"), Change("ban", True, "a!*@*")], "-o+b bob a!*@*"),
        ([Change("key", True, "two words")], "+k *"),
        ([Change("key", True, ":smile")], "+k *"),
        ([Change("slow", True, "3"), Change("muted", False)], "-m"),
    ],
)
def test_changes_are_one_line(changes: list[Change], line: str) -> None:
    assert written(changes, MOST) == [line]


def test_what_has_no_letter_is_not_written() -> None:
    assert written([Change("slow", True, "3"), Change("keeps", False)], MOST) == []
    assert written([], MOST) == []


CHANGES = st.lists(
    st.builds(
        Change,
        st.sampled_from([mode.setting for mode in CHANNEL_MODES if mode.kind in "AP"]),
        st.booleans(),
        st.text("abé", min_size=1, max_size=150),
    )
)


@given(CHANGES)
def test_lines_are_no_longer_than_they_may_be_and_leave_nothing_out(changes: list[Change]) -> None:
    lines = written(changes, MOST)
    again = []
    for line in lines:
        letters, *values = line.split(" ")
        assert len(line.encode()) <= MOST and 0 < len(values) <= MOST_A_LINE
        on = True
        for letter in letters:
            if letter in "+-":
                on = letter == "+"
            else:
                again.append(Change(BY_LETTER[letter].setting, on, values.pop(0)))
        assert not values
    assert again == changes


def test_the_modes_of_a_room_are_in_order_and_their_values_too() -> None:
    rules = Rules("#a")
    assert current(rules, is_inside=True) == "+n"
    rules.members_only = False
    assert current(rules, is_inside=True) == "+"
    rules.topic_locked = rules.invite_only = rules.no_ctcp = rules.accounts_only = True
    rules.key, rules.limit, rules.slow = "beer", 12, 5
    assert current(rules, is_inside=True) == "+CMiklt beer 12"
    assert current(rules, is_inside=False) == "+CMiklt * 12"
