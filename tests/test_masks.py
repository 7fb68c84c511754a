"""Masks: how what a user writes is made whole, and whom it means."""

from __future__ import annotations

from timeit import timeit

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from, text

from chatroom.errors import BadUsage
from chatroom.masks import MASK_LENGTH, Masks, glob, is_mask, whole


@pytest.mark.parametrize(
    ("written", "mask"),
    [
        ("bob", "bob!*@*"),
        ("BOB", "bob!*@*"),
        ("b*", "b*!*@*"),
        ("u@h", "*!u@h"),
        ("@h", "*!*@h"),
        ("*@h", "*!*@h"),
        ("n!u", "n!u@*"),
        ("n!", "n!*@*"),
        ("n!@", "n!*@*"),
        ("n!u@h", "n!u@h"),
        ("a.b.ip", "*!*@a.b.ip"),
        ("n!u.v", "n!u.v@*"),
        ("***!**@*", "*!*@*"),
        ("[x]!*@*", "[x]!*@*"),
    ],
)
def test_a_mask_is_made_whole_once_and_for_all(written: str, mask: str) -> None:
    assert whole(written) == mask == whole(mask)


@pytest.mark.parametrize("written", ["", "a b", ":x", "a\n", "x\u202e!*@*", "a" * MASK_LENGTH])
def test_what_is_no_mask_is_refused(written: str) -> None:
    with pytest.raises(BadUsage, match=r"^(A|That) mask .*\.$"):
        whole(written)


def test_what_can_only_be_a_mask_is_told_from_nicks_and_addresses() -> None:
    assert all(map(is_mask, ("a!b", "@h", "b*", "b?b")))
    assert not any(map(is_mask, ("bob", "192.0.2.0/24", "2001:db8::1", "[x]\\^{|}-_`")))


@pytest.mark.parametrize(
    ("pattern", "means", "not_means"),
    [
        ("b?b", ["bob", "b.b"], ["bb", "boob"]),
        ("b*b", ["bb", "boob"], ["b", "bba"]),
        ("*", ["", "x\ny"], []),
        (r"a\*b\?", ["a*b?"], ["axb?", "a*bx", r"a\*b?"]),
        (r"a\b", [r"a\b"], ["ab"]),
        ("a.c[x]", ["a.c[x]"], ["abc[x]", "a.cx"]),
        ("*ab*bc", ["abbc", "xababcbc"], ["abc"]),
        ("A*", ["abc"], ["bac"]),
    ],
)
def test_what_a_pattern_means(pattern: str, means: list[str], not_means: list[str]) -> None:
    assert all(glob(pattern).means(each) for each in means)
    assert not any(glob(pattern).means(each) for each in not_means)


def naive(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(naive(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and naive(pattern[1:], text[1:])


@given(text("ab*?", max_size=8), text("ab", max_size=8))
def test_a_pattern_means_what_going_through_all_ways_would_find(pattern: str, said: str) -> None:
    assert glob(pattern).means(said) == naive(pattern, said)


@pytest.mark.parametrize(
    "pattern", ["*a" * 60 + "*b", "*a?" * 30 + "*b", "*" + "a?" * 60 + "b*c", "*?" * 200]
)
def test_no_mask_takes_long_however_many_wildcards_it_has(pattern: str) -> None:
    found = glob(pattern)
    assert timeit(lambda: found.means("a" * 150), number=100) < 0.1


@pytest.mark.parametrize("pattern", ["*a" * 90, "*a?" * 60, "*" + "a?" * 80 + "*"])
def test_no_list_of_masks_takes_long_also_when_nobody_has_asked_of_it_yet(pattern: str) -> None:
    masks: Masks[int] = Masks()
    for number in range(500):
        masks.add(f"{pattern}{number}!*@*", number)
    nick = "a" * 32
    assert timeit(lambda: list(masks.find(nick, "~aaaaaaaaaaaa", "aaaaaaaa.ip")), number=1) < 0.1


PARTS = sampled_from(["*", "a", "a*", "b", "?b", "h"])


@given(lists(lists(PARTS, min_size=3, max_size=3), max_size=12), text("ab", min_size=1, max_size=3))
def test_among_many_those_are_found_that_mean_one(wanted: list[list[str]], nick: str) -> None:
    masks: Masks[int] = Masks()
    known = {f"{n}!{u}@{h}": number for number, (n, u, h) in enumerate(wanted)}
    for mask, number in known.items():
        masks.add(mask, number)
    removed = [mask for mask, number in known.items() if number % 3 == 0]
    for mask in removed:
        masks.remove(mask)
        del known[mask]
    expected = {n for mask, n in known.items() if glob(mask).means(f"{nick}!a@h")}
    assert set(masks.find(nick.upper(), "A", "H")) == expected
