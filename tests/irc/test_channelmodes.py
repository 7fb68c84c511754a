"""chatroom.protocols.irc.channelmodes: which letter has which value; the scenes of `modes.txt` show
the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.authority import Authority
from chatroom.protocols.irc.channelmodes import Asked, asked, is_key
from chatroom.protocols.irc.modes import BY_LETTER
from tests.irc.chatting import Chatting, IRCUser


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ("nt", [("n", True, None), ("t", True, None)]),
        ("+n-t+s", [("n", True, None), ("t", False, None), ("s", True, None)]),
        ("+o-v bob cy", [("o", True, "bob"), ("v", False, "cy")]),
        ("-k+l beer 5", [("k", False, "beer"), ("l", True, "5")]),
        ("-lk+m beer", [("l", False, None), ("k", False, "beer"), ("m", True, None)]),
        ("+b", [("b", True, None)]),
        ("+ob bob", [("o", True, "bob"), ("b", True, None)]),
        ("+?o bob", [("?", True, None), ("o", True, "bob")]),
        ("+-", []),
        ("+m more words", [("m", True, None)]),
    ],
)
def test_a_letter_has_the_value_that_is_its_own(
    params: str, found: list[tuple[str, bool, str | None]]
) -> None:
    letters, *values = params.split()
    assert list(asked(letters, values)) == [Asked(*one) for one in found]


@given(st.text("+-" + "".join(BY_LETTER) + "xY"), st.lists(st.text()))
def test_each_letter_is_asked_once_whatever_values_there_are(
    letters: str, values: list[str]
) -> None:
    found = list(asked(letters, values))
    assert [one.letter for one in found] == [each for each in letters if each not in "+-"]
    taken = [one.value for one in found if one.value is not None]
    assert taken == values[: len(taken)]


@pytest.mark.parametrize("key", ["beer", "p:w", "ключ", "-", "*"])
def test_a_key_is_a_word(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize("key", ["", "two words", "one,two", ":a", "\x02a", "a\tb"])
def test_what_join_could_not_say_is_no_key(key: str) -> None:
    assert not is_key(key)


def test_where_nobody_keeps_order_nothing_is_changed() -> None:
    chat = Chatting()
    chat.hub.authority = Authority()
    ann = IRCUser(chat, "ann")
    ann.registers()
    ann.says("JOIN #x")
    assert ann.says("MODE #x +m-n") == [
        ":chatroom.local 482 ann #x :Nobody keeps order here: this chat has no operators."
    ]
    assert ann.says("MODE #x b") == [":chatroom.local 368 ann #x :End of channel ban list"]
    assert ann.says("OPER boss secret") == [
        ":chatroom.local 491 ann :Nobody keeps order here: this chat has no operators."
    ]
    assert chat.close() == []
