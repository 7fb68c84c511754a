"""Nicks and rooms: what the grammar takes, what it refuses and how it says so."""

from __future__ import annotations

import json
import re
import string
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import BadName
from chatroom.names import (
    GUEST_PREFIX,
    NICK_CHARACTERS,
    NICK_LENGTH,
    NICK_RULE,
    RESERVED,
    ROOM_LENGTH,
    ROOM_RULE,
    check_nick,
    check_room,
    fold,
    guest_nick,
    is_guest,
    room_name,
    skeleton,
)

REFUSALS = {
    "empty": "is empty",
    "long": r"has \d+ characters",
    "character": "can't hold",
    "start": "can't start with",
    "guest": "given to guests",
    "reserved": "is reserved: choose another",
    "alike": 'looks like "[a-z]+", which is reserved',
}


def fixtures() -> list[tuple[str, Any]]:
    lines = Path(__file__).with_name("nicks.txt").read_text("ascii").splitlines()
    parts = [line.split("\t", 1) for line in lines if line and not line.startswith("#")]
    return [(verdict, json.loads(nick)) for verdict, nick in parts]


def nicks(*verdicts: str) -> list[Any]:
    found = [nick for verdict, nick in fixtures() if verdict in verdicts]
    return [pytest.param(nick, id=ascii(nick)[:40]) for nick in found]


def refusal(name: str) -> str:
    with pytest.raises(BadName) as caught:
        check_nick(name)
    return str(caught.value)


def test_there_are_200_fixtures_and_each_has_a_known_verdict() -> None:
    verdicts = [verdict for verdict, _ in fixtures()]
    assert len(verdicts) >= 200
    assert set(verdicts) == {"ok", "same", "apart", *REFUSALS}


@pytest.mark.parametrize("nick", nicks("ok"))
def test_a_good_nick_is_returned_as_it_came(nick: str) -> None:
    assert check_nick(nick) == nick
    assert not is_guest(nick)


@pytest.mark.parametrize("verdict", REFUSALS)
def test_a_bad_nick_is_refused_for_its_own_reason(verdict: str) -> None:
    for nick in (nick for known, nick in fixtures() if known == verdict):
        assert re.search(REFUSALS[verdict], refusal(nick)), nick


@pytest.mark.parametrize("nick", nicks(*REFUSALS))
def test_a_refusal_is_one_short_printable_sentence(nick: str) -> None:
    sentence = refusal(nick)
    assert sentence.isprintable()
    assert len(sentence.encode()) < 200
    assert sentence[0].isupper()
    assert sentence.endswith(".")


@pytest.mark.parametrize("pair", nicks("same"))
def test_case_makes_no_difference(pair: list[str]) -> None:
    first, second = map(check_nick, pair)
    assert first != second
    assert fold(first) == fold(second)


@pytest.mark.parametrize("pair", nicks("apart"))
def test_nothing_but_ascii_case_is_folded(pair: list[str]) -> None:
    first, second = pair
    assert fold(first) != fold(second)


def test_a_refusal_names_the_character_and_the_rule() -> None:
    assert refusal("zoë") == f'A nick can\'t hold "ë" (U+00EB). {NICK_RULE}'
    assert refusal("it's") == f"A nick can't hold \"'\". {NICK_RULE}"
    assert refusal("a b") == f"A nick can't hold a space. {NICK_RULE}"
    assert refusal("\u202ebob") == f"A nick can't hold U+202E. {NICK_RULE}"
    assert refusal("9lives") == f'A nick can\'t start with "9". {NICK_RULE}'
    assert refusal("x" * 33) == f"That nick has 33 characters. {NICK_RULE}"


def test_a_refusal_names_the_reserved_word() -> None:
    sentence = 'The nick "r00t" looks like "root", which is reserved: choose another.'
    assert refusal("r00t") == sentence
    assert refusal("Root") == 'The nick "Root" is reserved: choose another.'


def test_nick_characters_are_those_of_irc() -> None:
    """RFC 2812, section 2.3.1: letter / digit / special / "-"."""
    assert frozenset(string.ascii_letters + string.digits + "-[]\\`_^{|}") == NICK_CHARACTERS


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_reserved_word_is_kept_folded_and_alone_in_its_skeleton(word: str) -> None:
    assert fold(word) == word
    assert [other for other in RESERVED if skeleton(other) == skeleton(word)] == [word]


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters()))
def test_folding_changes_ascii_capitals_only(text: str) -> None:
    expected = "".join(c.lower() if c in string.ascii_uppercase else c for c in text)
    assert fold(text) == expected


@given(st.text(st.sampled_from(sorted(NICK_CHARACTERS)), min_size=1, max_size=40))
def test_a_nick_is_taken_exactly_when_the_grammar_and_the_reserved_words_allow(nick: str) -> None:
    grammar = r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,31}"
    kept = fold(nick).startswith("guest-") or skeleton(nick) in map(skeleton, RESERVED)
    if re.fullmatch(grammar, nick) and not kept:
        assert check_nick(nick) == nick
    else:
        refusal(nick)


@given(st.text(max_size=40))
def test_whatever_is_asked_for_is_returned_or_refused_in_a_printable_sentence(text: str) -> None:
    for check in (check_nick, check_room, room_name):
        try:
            assert check(text).isascii()
        except BadName as error:
            assert str(error).isprintable()


@pytest.mark.parametrize("name", ["#a", "#ops", "#Ops", "#7", "#-", "#..", "#c++", "#" + "x" * 63])
def test_a_good_room_is_returned_as_it_came(name: str) -> None:
    assert check_room(name) == name
    assert room_name(name) == name


@pytest.mark.parametrize("text", ["ops", "7", "c++", "x" * 63])
def test_a_room_may_be_asked_for_without_its_sign(text: str) -> None:
    assert room_name(text) == f"#{text}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ops", "That room's name lacks its #."),
        ("", "That room's name lacks its #."),
        ("#", "That room's name is empty."),
        ("#" + "x" * 64, "That room's name has 64 characters after its #."),
        ("#a b", "A room's name can't hold a space."),
        ("##a", "A room's name can't hold \"#\"."),
        ("#a,b", "A room's name can't hold \",\"."),
        ("#[a]", "A room's name can't hold \"[\"."),
        ("#кафе", "A room's name can't hold \"к\" (U+043A)."),
        ("#a\x07", "A room's name can't hold U+0007."),
        ("#a\n", "A room's name can't hold U+000A."),
        ("#\u200b", "A room's name can't hold U+200B."),
        ("#\ud800", "A room's name can't hold U+D800."),
    ],
)
def test_a_bad_room_is_refused_for_its_own_reason(name: str, reason: str) -> None:
    with pytest.raises(BadName) as caught:
        check_room(name)
    assert str(caught.value) == f"{reason} {ROOM_RULE}"


def test_the_rules_say_the_lengths() -> None:
    assert (NICK_LENGTH, ROOM_LENGTH) == (32, 63)
    assert "1 to 32 " in NICK_RULE
    assert "1 to 63 " in ROOM_RULE


def test_guests_are_numbered_apart_and_by_the_grammar_of_nicks() -> None:
    guests = [guest_nick(number) for number in range(20_000)]
    assert len(set(map(fold, guests))) == len(guests)
    assert all(len(guest) <= NICK_LENGTH and NICK_CHARACTERS.issuperset(guest) for guest in guests)
    assert all(map(is_guest, guests))


def test_guests_have_three_characters_until_those_run_out() -> None:
    lengths = [len(guest_nick(number).removeprefix(GUEST_PREFIX)) for number in range(8000)]
    assert lengths == [3] * 19**3 + [4] * (8000 - 19**3)


def test_a_guest_of_any_number_has_a_nick_of_no_vowel_or_look_alike() -> None:
    suffixes = {c for number in range(8000) for c in guest_nick(number).removeprefix(GUEST_PREFIX)}
    assert suffixes.isdisjoint("aeiouy" + "01lz" + "s" + "bgq" + "mv")
    assert len(guest_nick(10**30)) <= NICK_LENGTH


def test_neighboring_guests_look_unlike_each_other() -> None:
    guests = [guest_nick(number) for number in range(2000)]
    for first, second in pairwise(guests):
        assert sum(a != b for a, b in zip(first[-3:], second[-3:], strict=True)) >= 2


@pytest.mark.parametrize("nick", ["guest-7k2", "GUEST-7k2", "guest-"])
def test_guests_are_told_by_their_prefix_in_any_case(nick: str) -> None:
    assert is_guest(nick)


@pytest.mark.parametrize("nick", ["guest", "guests-1", "a-guest-1", ""])
def test_other_nicks_are_not_guests(nick: str) -> None:
    assert not is_guest(nick)
