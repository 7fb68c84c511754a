"""chatroom.protocols.irc.numerics: a table that holds, and lines that cannot break."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.protocols.irc import numerics
from chatroom.protocols.irc.numerics import (
    ALL,
    BY_CODE,
    ERR_NEEDMOREPARAMS,
    ERR_NOSUCHNICK,
    RPL_ENDOFNAMES,
    RPL_ISUPPORT,
    RPL_LOCALUSERS,
    RPL_TOPIC,
    RPL_UMODEIS,
    RPL_WELCOME,
    RPL_WHOISUSER,
    RPL_YOURHOST,
    Numeric,
)
from chatroom.protocols.irc.wire import MOST_PARAMS, Message, parse

SERVER = "irc.example"


def fields(numeric: Numeric) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(numeric.text) if name is not None}


# The table


def test_each_code_is_there_once_and_in_order() -> None:
    codes = [numeric.code for numeric in ALL.values()]
    assert codes == sorted(set(codes))
    assert list(BY_CODE) == codes
    assert all(re.fullmatch("[0-9]{3}", code) for code in codes)


def test_errors_are_told_from_replies_by_name_and_the_older_ones_by_code() -> None:
    for name, numeric in ALL.items():
        assert re.fullmatch(r"(RPL|ERR)_[A-Z0-9]+", name)
        if numeric.code < "600":
            assert name.startswith("ERR_") == (numeric.code >= "400"), name


def test_the_module_gives_out_what_the_table_holds() -> None:
    assert set(numerics.__all__) >= set(ALL)
    assert all(getattr(numerics, name) is numeric for name, numeric in ALL.items())


@pytest.mark.parametrize("name", ALL)
def test_an_entry_says_what_it_takes(name: str) -> None:
    numeric = ALL[name]
    assert numeric.source
    assert not any(param.startswith((":", "[:")) for param in numeric.params[:-1])
    given_as_text = bool(numeric.params) and numeric.params[-1].startswith((":", "[:"))
    assert not (given_as_text and numeric.text), "its text is either given or its own"
    assert given_as_text or numeric.text or numeric.params
    assert all(field.isidentifier() and field != "text" for field in fields(numeric))


@pytest.mark.parametrize("name", ALL)
def test_an_entry_makes_one_line(name: str) -> None:
    numeric = ALL[name]
    params = [param for param in numeric.params if not param.startswith((":", "[:"))]
    words = dict.fromkeys(fields(numeric), "two words")
    message = parse(numeric.line(SERVER, "ann", *params, **words).encode())
    expected = ["ann", *params]
    if numeric.text:
        expected.append(numeric.text.format(**words))
    assert message == Message(numeric.code, tuple(expected), SERVER)
    assert len(message.params) <= MOST_PARAMS
    assert "{" not in message.params[-1]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("RPL_WELCOME", "001"),
        ("RPL_ISON", "303"),
        ("RPL_NAMREPLY", "353"),
        ("RPL_WHOSPCRPL", "354"),
        ("ERR_INPUTTOOLONG", "417"),
        ("ERR_NICKNAMEINUSE", "433"),
        ("ERR_INVALIDMODEPARAM", "696"),
        ("RPL_MONONLINE", "730"),
        ("RPL_KEYVALUE", "761"),
        ("RPL_SASLSUCCESS", "903"),
    ],
)
def test_well_known_codes(name: str, code: str) -> None:
    assert ALL[name] is BY_CODE[code]


# Lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            RPL_WELCOME.line(SERVER, "ann", network="Example", nick="ann"),
            ":irc.example 001 ann :Welcome to the Example Network, ann",
        ),
        (
            RPL_YOURHOST.line(SERVER, "ann", server=SERVER, version="1"),
            ":irc.example 002 ann :Your host is irc.example, running version 1",
        ),
        (
            RPL_ISUPPORT.line(SERVER, "ann", "NICKLEN=32", "UTF8ONLY"),
            ":irc.example 005 ann NICKLEN=32 UTF8ONLY :are supported by this server",
        ),
        (RPL_UMODEIS.line(SERVER, "ann", "+i"), ":irc.example 221 ann +i"),
        (
            RPL_LOCALUSERS.line(SERVER, "ann", "3", "9", now=3, most=9),
            ":irc.example 265 ann 3 9 :Current local users 3, max 9",
        ),
        (
            RPL_WHOISUSER.line(SERVER, "ann", "bob", "~b", "host", "*", text="Bob B"),
            ":irc.example 311 ann bob ~b host * :Bob B",
        ),
        (RPL_TOPIC.line(SERVER, "ann", "#a", text=""), ":irc.example 332 ann #a :"),
        (RPL_TOPIC.line(SERVER, "ann", "#a", text="{x}"), ":irc.example 332 ann #a :{x}"),
        (
            RPL_ENDOFNAMES.line(SERVER, "ann", "#a"),
            ":irc.example 366 ann #a :End of /NAMES list",
        ),
        (
            ERR_NOSUCHNICK.line(SERVER, "", "bob"),
            ":irc.example 401 * bob :No such nick/channel",
        ),
        (
            ERR_NEEDMOREPARAMS.line(SERVER, "ann", "JOIN", text="JOIN takes a room"),
            ":irc.example 461 ann JOIN :JOIN takes a room",
        ),
    ],
)
def test_a_line_holds_whom_it_is_for_its_parameters_and_its_text(line: str, expected: str) -> None:
    assert line == expected


def test_a_template_without_its_words_is_no_line() -> None:
    with pytest.raises(KeyError):
        RPL_WELCOME.line(SERVER, "ann")


@pytest.mark.parametrize("broken", ["", " ", "a b", ":a"])
def test_what_cannot_be_a_parameter_stands_as_an_asterisk(broken: str) -> None:
    line = ERR_NOSUCHNICK.line(SERVER, "ann", broken)
    assert parse(line.encode()).params == ("ann", "*", "No such nick/channel")
    assert parse(RPL_UMODEIS.line(SERVER, broken, broken).encode()).params == ("*", "*")


@pytest.mark.parametrize("end", ["\r", "\n", "\0"])
def test_no_line_holds_an_end_of_line(end: str) -> None:
    for params, text in ((["a" + end], None), (["a"], "b" + end)):
        with pytest.raises(ValueError):
            ERR_NOSUCHNICK.line(SERVER, "ann", *params, text=text)


TEXT = st.text(st.sampled_from(" :*{}é") | st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(TEXT, max_size=12), st.none() | TEXT)
def test_any_parameters_make_one_line_or_are_refused(params: list[str], text: str | None) -> None:
    try:
        line = ERR_NOSUCHNICK.line(SERVER, "ann", *params, text=text)
    except ValueError:
        assert set("\0\r\n") & set("".join(params) + (text or ""))
        return
    message = parse(line.encode())
    assert (message.source, message.command) == (SERVER, "401")
    assert len(message.params) == len(params) + 2
    assert message.params[-1] == (ERR_NOSUCHNICK.text if text is None else text)
