"""Dataclasses as schemas: keys found, missed and mistaken, and what metadata does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from chatroom.schema import Section, read, section
from chatroom.yamlfile import Complaints, ConfigError, compose


@dataclass(frozen=True, slots=True)
class Door:
    port: int = field(default=80, metadata={"help": "Where.", "most": 99})
    password: str = field(default="", metadata={"help": "Who.", "secret": True})
    pin: int = field(default=1, metadata={"help": "Who, in short.", "secret": True})


@dataclass(frozen=True, slots=True)
class House:
    name: str = field(default="home", metadata={"help": "What."})
    front: Door = field(default=Door(), metadata={"help": "Doors.", "restart": True})
    back: Door = field(default=Door(port=81), metadata={"help": "More."})


SCHEMA = section(House())


def complaints(text: str, schema: Section = SCHEMA) -> list[str]:
    found = Complaints("x")
    with pytest.raises(ConfigError) as caught:
        read(schema, compose(text.encode(), found), {}, found)
        raise found.error()
    return [str(each).removeprefix("x:") for each in caught.value.complaints]


def house(text: str) -> Any:
    found = Complaints("x")
    result = read(SCHEMA, compose(text.encode(), found), {}, found)
    assert not found
    return result


def test_what_is_not_set_has_the_default_of_its_place() -> None:
    assert house("") == house("back:\nfront: {}") == House()
    assert house("back: {pin: 2}") == House(back=Door(port=81, pin=2))
    assert house("name: barn\nfront:\n  port: 5") == House("barn", Door(port=5))


def test_options_are_listed_with_what_was_declared_of_them() -> None:
    options = {option.key: option for option in SCHEMA.options()}
    assert list(options) == [
        "name",
        *(f"{door}.{part}" for door in ("front", "back") for part in ("port", "password", "pin")),
    ]
    assert [key for key, option in options.items() if option.restart] == [
        "front.port",
        "front.password",
        "front.pin",
    ]
    assert options["back.port"].default == 81
    assert str(options["front.port"].kind) == "a whole number from 1 to 99"
    assert str(options["back.port"].kind) == "a whole number from 1 to 99"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nam: x", "1:1: nam: unknown key; did you mean name?"),
        ("NAME: x", "1:1: NAME: unknown key; did you mean name?"),
        ("front:\n  prot: 5", "2:3: front.prot: unknown key; did you mean port?"),
        ("pasword: x", "1:1: pasword: unknown key; did you mean password under back?"),
        ("front.pin: 5", "1:1: 'front.pin': unknown key; did you mean pin under front?"),
        ("back:\n  name: x", "2:3: back.name: unknown key; did you mean name at the left margin?"),
        ("zzz: x", "1:1: zzz: unknown key; the keys here are name, front, back"),
        ("no: x", "1:1: no: unknown key; the keys here are name, front, back"),
        ("? [a]\n: b", "1:3: (file): a key must be a single word"),
        ("back:\n  ? {a: b}", "2:5: back: a key must be a single word"),
        ("back:\n  <<: {}", "2:3: back.'<<': a merge key (<<); write the values out"),
        ("name: a\nback: {}\nname: b", "3:1: name: is set twice; remove this or line 1"),
        ("front: 5", "1:8: front: must be settings, each 'key: value' on a line of its own"),
        ("front: ''", "1:8: front: must be settings, each 'key: value' on a line of its own"),
        ("- a", "1:1: (file): must be settings, each 'key: value' on a line of its own"),
        ("null", "1:1: (file): must be settings, each 'key: value' on a line of its own"),
    ],
)
def test_a_key_that_does_not_belong_is_told(text: str, expected: str) -> None:
    assert complaints(text) == [expected]


def test_a_key_that_is_set_twice_is_read_once() -> None:
    assert complaints("name: a\nname: no\n") == ["2:1: name: is set twice; remove this or line 1"]


def test_nothing_more_is_said_where_an_alias_was() -> None:
    assert complaints("name: *a\nfront: *a\n*a : 5\nback: {*a : 5, pin: *a}\n") == [
        "1:7: name: an alias (*); write the value out",
        "2:8: front: an alias (*); write the value out",
        "3:1: (file): an alias (*); write the value out",
        "4:8: back: an alias (*); write the value out",
        "4:21: back.pin: an alias (*); write the value out",
    ]


SECRETS = ["010", "[hunter2]", "{hunter2: hunter2}", r'"hunter2\a"', "!hunter2 5", "2002-02-02"]


@pytest.mark.parametrize("text", [*SECRETS, "hunter2\n back", "@hunter2", "'hunter2", "0x7"])
@pytest.mark.parametrize("key", ["password", "pin"])
def test_no_complaint_shows_a_secret(key: str, text: str) -> None:
    found = complaints(f"front:\n  {key}: {text}\n  port: none\n")
    assert not [each for each in found if "hunter2" in each or text in each]


def test_a_secret_is_still_told_by_key_and_kind() -> None:
    assert complaints("front:\n  password: 010\n  pin: hunter2\n") == [
        "2:13: front.password: must be text in quotes",
        "3:8: front.pin: must be a whole number from 1 to 2147483647",
    ]


def test_thousands_of_unknown_keys_are_told_in_time() -> None:
    found = complaints("".join(f"{'key' * 20}{n}: x\n" for n in range(490)))
    assert len(found) == 490
