"""Values: each is what it looks like, or is refused with what to write instead."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import pytest
import yaml

from chatroom.kinds import Check, Kind, Refused, kind_of


class Pair(NamedTuple):
    number: int
    share: float


TEXT = kind_of(str, {})
LINES = kind_of(str, {"multiline": True})
TEXTS = kind_of(tuple[str, ...], {})
CHOICE = kind_of(Literal["red", "green", "off"], {})
SWITCH = kind_of(bool, {})
WHOLE = kind_of(int, {"most": 2000})
FRACTION = kind_of(float, {"most": 10})
LIMIT = kind_of(int | None, {"least": 2, "most": 2000})
PAIR = kind_of(Pair | None, {"most": 100})


def composed(text: str) -> yaml.Node:
    root = yaml.compose(text, yaml.SafeLoader)
    assert root is not None
    return root


def value(kind: Kind, text: str, check: Check = str) -> object:
    return kind.read(composed(text), check)


def refusals(kind: Kind, text: str, check: Check = str) -> list[str]:
    """Why a value is refused, each reason after the column of what it blames."""
    with pytest.raises(Refused) as caught:
        value(kind, text, check)
    return [f"{node.start_mark.column + 1}: {reason}" for node, reason in caught.value.faults]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (TEXT, "plain words", "plain words"),
        (TEXT, '""', ""),
        (TEXT, "'no'", "no"),
        (TEXT, '"22:30"', "22:30"),
        (TEXT, "1e3", "1e3"),
        (TEXT, "y", "y"),
        (TEXT, "caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
        (TEXT, ">-\n a\n b", "a b"),
        (LINES, "|\n a\n b\n", "a\nb\n"),
        (LINES, r'"a\nb"', "a\nb"),
        (TEXTS, "[a, 'no']", ("a", "no")),
        (CHOICE, "red", "red"),
        (CHOICE, "'red'", "red"),
        (CHOICE, "off", "off"),
        (SWITCH, "on", True),
        (SWITCH, "off", False),
        (WHOLE, "1", 1),
        (WHOLE, "2000", 2000),
        (FRACTION, "3", 3.0),
        (FRACTION, "0.01", 0.01),
        (FRACTION, "2.50", 2.5),
        (LIMIT, "off", None),
        (LIMIT, "2", 2),
        (PAIR, "off", None),
        (PAIR, "[3, 0.5]", Pair(3, 0.5)),
        (PAIR, "\n- 3\n- 1\n", Pair(3, 1.0)),
    ],
)
def test_what_is_taken(kind: Kind, text: str, expected: object) -> None:
    got = value(kind, text)
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("text", "taken_for"),
    [
        *((word, "a switch") for word in ("no", "Yes", "TRUE", "off", "On")),
        *((word, "a number") for word in ("7", "-1", "010", "0x1f", "1_000", "22:30", "1.5", ".5")),
        *((word, "a number") for word in (".inf", ".NaN", "1.5e+3", "190:20:30.15", "0b11")),
        *((word, "nothing") for word in ("~", "null", "Null")),
        *((word, "a date") for word in ("2024-02-29", "2001-12-14t21:59:43.10-05:00")),
        ("=", "a sign of its own"),
        ("<<", "a sign of its own"),
    ],
)
def test_a_word_that_yaml_takes_for_something_else_is_no_text(text: str, taken_for: str) -> None:
    assert refusals(TEXT, text) == [f'1: YAML takes this for {taken_for}; write "{text}"']
    assert value(TEXT, f'"{text}"') == text


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (TEXT, "[a]", "must be text in quotes"),
        (TEXT, "{a: b}", "must be text in quotes"),
        (TEXT, r'"a\tb"', "must not hold the character U+0009; remove it"),
        (TEXT, r'"a\nb"', "must not hold the character U+000A; remove it"),
        (TEXT, "|\n a\n", "must not hold the character U+000A; remove it"),
        (TEXT, r'"\e[2J"', "must not hold the character U+001B; remove it"),
        (TEXT, r'"\u202e"', "must not hold the character U+202E; remove it"),
        (TEXT, r'"\uD83D\uDE00"', "must not hold the character U+D83D; remove it"),
        (LINES, r'"a\r\n"', "must not hold the character U+000D; remove it"),
        (LINES, r'"a\tb"', "must not hold the character U+0009; remove it"),
        (TEXTS, "a", "must be a list, each item on a line of its own after '- '"),
        (TEXTS, "{a: b}", "must be a list, each item on a line of its own after '- '"),
        (TEXTS, "[]", "has no item; write one at least"),
        (CHOICE, "blue", "'blue' is not red, green or off"),
        (CHOICE, "Red", "'Red' is not red, green or off"),
        (CHOICE, "no", "'no' is not red, green or off"),
        (CHOICE, "[red]", "must be red, green or off"),
        (SWITCH, "yes", "write on, without quotes, not 'yes'"),
        (SWITCH, "True", "write on, without quotes, not 'True'"),
        (SWITCH, "n", "write off, without quotes, not 'n'"),
        (SWITCH, "OFF", "write off, without quotes, not 'OFF'"),
        (SWITCH, "'on'", "write on, without quotes, not 'on'"),
        (SWITCH, "1", "write on or off, without quotes, not '1'"),
        (SWITCH, "''", "write on or off, without quotes, not ''"),
        (SWITCH, "[on]", "must be on or off"),
        (WHOLE, "0", "must be a whole number from 1 to 2000"),
        (WHOLE, "2001", "must be a whole number from 1 to 2000"),
        (WHOLE, "9" * 5000, "must be a whole number from 1 to 2000"),
        (WHOLE, "'50'", "'50' is in quotes, so text; write it without"),
        (WHOLE, "[5]", "must be a whole number from 1 to 2000"),
        (FRACTION, "0", "must be a number from 0.01 to 10"),
        (FRACTION, "10.5", "must be a number from 0.01 to 10"),
        (FRACTION, "'1'", "'1' is in quotes, so text; write it without"),
        (LIMIT, "1", "must be a whole number from 2 to 2000, or off"),
        (LIMIT, "no", "write off, without quotes, not 'no'"),
        (LIMIT, "~", "write off, without quotes, not '~'"),
        (LIMIT, "None", "write off, without quotes, not 'None'"),
        (LIMIT, "Off", "write off, without quotes, not 'Off'"),
        (LIMIT, "'off'", "write off, without quotes, not 'off'"),
        (LIMIT, "[5]", "must be a whole number from 2 to 2000, or off"),
        (PAIR, "5", "must be [number, share], or off"),
        (PAIR, "false", "write off, without quotes, not 'false'"),
        (PAIR, "[5]", "must be [number, share], or off"),
        (PAIR, "[5, 1, 1]", "must be [number, share], or off"),
        (PAIR, "{number: 5, share: 1}", "must be [number, share], or off"),
    ],
)
def test_what_is_refused_and_why(kind: Kind, text: str, reason: str) -> None:
    assert refusals(kind, text) == [f"1: {reason}"]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("010", "; write 10"),
        ("+10", "; write 10"),
        ("0x10", "; write 16"),
        ("0o17", "; write 15"),
        ("0b11", "; write 3"),
        ("1_000", "; write 1000"),
        ("1e3", "; write 1000"),
        ("1.5e+3", "; write 1500"),
        ("50.0", "; write 50"),
        ("2.5", ""),
        ("-5", ""),
        ("22:30", ""),
        ("5k", ""),
        ("many", ""),
        ("on", ""),
        (".inf", ""),
        ("nan", ""),
        ("0x", ""),
        ("1e9", ""),
    ],
)
def test_a_number_that_is_not_plain_is_refused_with_the_plain_one(text: str, advice: str) -> None:
    assert refusals(WHOLE, text) == [f"1: '{text}' is not a whole number from 1 to 2000{advice}"]


def test_a_number_of_any_length_is_refused_briefly() -> None:
    assert refusals(WHOLE, "0x" + "f" * 9999)[0] == (
        f"1: '0x{'f' * 35}...' is not a whole number from 1 to 2000"
    )


@pytest.mark.parametrize(
    ("text", "advice"), [(".5", "; write 0.5"), ("1e0", "; write 1"), ("1.", "; write 1")]
)
def test_a_fraction_that_is_not_plain_is_refused_with_the_plain_one(text: str, advice: str) -> None:
    assert refusals(FRACTION, text) == [f"1: '{text}' is not a number from 0.01 to 10{advice}"]


@pytest.mark.parametrize("kind", [TEXT, CHOICE, SWITCH, WHOLE, FRACTION], ids=str)
def test_a_key_without_a_value_may_have_lost_it_to_a_comment(kind: Kind) -> None:
    ((_, nothing),) = composed("key: #lobby").value
    with pytest.raises(Refused) as caught:
        kind.read(nothing, str)
    ((node, reason),) = caught.value.faults
    assert reason == f'has no value ("#" begins a comment); write {kind}'
    assert node.start_mark.column == 4


def test_everything_wrong_in_a_list_is_told() -> None:
    assert refusals(TEXTS, "[no, a, 5, a]") == [
        '2: YAML takes this for a switch; write "no"',
        '9: YAML takes this for a number; write "5"',
    ]
    assert refusals(TEXTS, "[a, b, a]") == ["8: is in the list already; remove it"]
    assert refusals(PAIR, "[1.5, .5]") == [
        "2: '1.5' is not a whole number from 1 to 100",
        "7: '.5' is not a number from 0.01 to 100; write 0.5",
    ]


def short(text: str) -> None:
    if len(text) > 3:
        raise ValueError(f"{text} is\ntoo\x1b long")


def test_a_check_has_the_last_word_on_each_text() -> None:
    assert value(TEXT, "abc", short) == "abc"
    assert refusals(TEXT, "abcd", short) == ["1: abcd is too long"]
    assert refusals(TEXTS, "[a, bcde, no, fghi]", short) == [
        "5: bcde is too long",
        '11: YAML takes this for a switch; write "no"',
        "15: fghi is too long",
    ]


@pytest.mark.parametrize(
    ("kind", "given", "written"),
    [
        (TEXT, 'say "\\hi"', r'"say \"\\hi\""'),
        (TEXT, "caf\u00e9", '"caf\u00e9"'),
        (LINES, "a\nb", r'"a\nb"'),
        (TEXTS, ("a", "b"), '\n- "a"\n- "b"'),
        (CHOICE, "off", "off"),
        (SWITCH, True, "on"),
        (SWITCH, False, "off"),
        (WHOLE, 1000, "1000"),
        (FRACTION, 2.0, "2"),
        (FRACTION, 0.25, "0.25"),
        (LIMIT, None, "off"),
        (LIMIT, 7, "7"),
        (PAIR, Pair(5, 0.5), "[5, 0.5]"),
    ],
)
def test_what_is_written_is_read_back(kind: Kind, given: object, written: str) -> None:
    assert kind.write(given) == written
    assert value(kind, written) == given


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (TEXT, "text in quotes"),
        (CHOICE, "red, green or off"),
        (SWITCH, "on or off"),
        (WHOLE, "a whole number from 1 to 2000"),
        (FRACTION, "a number from 0.01 to 10"),
        (LIMIT, "a whole number from 2 to 2000, or off"),
        (PAIR, "[number, share], or off"),
    ],
)
def test_a_kind_says_what_it_takes(kind: Kind, said: str) -> None:
    assert str(kind) == said


@pytest.mark.parametrize("hint", [bytes, dict[str, int], list[str], tuple[int, ...]])
def test_a_type_that_no_option_has_is_a_mistake(hint: Any) -> None:
    with pytest.raises(TypeError, match="an option can't be of type"):
        kind_of(hint, {})
