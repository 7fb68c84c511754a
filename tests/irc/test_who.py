"""chatroom.protocols.irc.who: what is asked for, and how much of it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.protocols.irc import who
from chatroom.protocols.irc.who import Wish, wish
from chatroom.protocols.irc.wire import LINE_BYTES
from tests.irc.chatting import Chatting, IRCUser, settings_of


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ((), Wish("")),
        (("#x",), Wish("#x")),
        (("*", "o"), Wish("*", operators=True)),
        (("*", "x"), Wish("*")),
        (("*", "%nuh"), Wish("*", False, "uhn")),
        (("*", "%nt,42"), Wish("*", False, "tn", "42")),
        (("*", "o%nn"), Wish("*", True, "n")),
        (("*", "%t,1234"), Wish("*", False, "t")),
        (("*", "%t,x"), Wish("*", False, "t")),
        (("*", "%"), Wish("*")),
        (("*", "%zZ,1"), Wish("*", False, "", "1")),
        (("*", "o", "more"), Wish("*", operators=True)),
    ],
)
def test_what_is_asked_for(params: tuple[str, ...], wanted: Wish) -> None:
    assert wish(params) == wanted


@given(st.lists(st.text(), max_size=4))
def test_anything_asks_for_something(params: list[str]) -> None:
    asked = wish(params)
    assert set(asked.fields) <= set("tcuihsnfdlaor")
    assert asked.token.isdecimal() and len(asked.token) <= 3


def test_who_does_not_run_the_server_is_told_of_so_many_by_mask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(who, "_MOST_FOUND", 3)
    chat = Chatting()
    users = [IRCUser(chat, f"user{number}") for number in range(5)]
    for user in users:
        user.registers()
    told = [line.split(" ")[1] for line in users[0].says("WHO *")]
    assert told == ["352", "352", "352", "416", "315"]
    users[0].says("JOIN #x")
    for user in users[1:]:
        user.says("JOIN #x")
    users[0].read()
    assert len(users[0].says("WHO #x")) == 6
    chat.close()


def test_who_just_fits_the_most_is_told_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(who, "_MOST_FOUND", 1)
    chat = Chatting()
    user = IRCUser(chat, "ann")
    user.registers()
    assert [line.split(" ")[1] for line in user.says("WHO *")] == ["352", "315"]
    chat.close()


def test_an_entry_fits_a_line_whatever_is_in_it() -> None:
    chat = Chatting(settings_of({"irc.server": f"{'s' * 59}.org"}))
    ann = IRCUser(chat, "a" * 32)
    ann.registers()
    ann.says(f"SETNAME :{'é' * 75}", f"JOIN #{'r' * 63}")
    for how in ("", " %tcuihsnfdlaor,123"):
        first, _ = ann.says(f"WHO #{'r' * 63}{how}")
        assert len(first.encode()) + 2 <= LINE_BYTES
        assert "é" in first
    chat.close()
