"""How something is said, where scenes don't reach."""

from __future__ import annotations

import pytest

from chatroom.identity import PLAIN, Manner
from chatroom.protocols.irc.formatting import Text, read
from chatroom.protocols.irc.talking import manner_of
from chatroom.protocols.irc.wire import LINE_BYTES
from tests.irc.chatting import Chatting, IRCUser


@pytest.mark.parametrize(
    ("text", "tags", "notice", "manner"),
    [
        (Text("hi"), (), False, PLAIN),
        (Text("hi", "\x02hi"), (), False, Manner("\x02hi")),
        (Text("hi"), (("+x", ""),), False, Manner(tags=(("+x", ""),))),
        (Text("hi"), (), True, Manner(notice=True)),
        (read("\x01ACTION waves\x01"), (), False, PLAIN),
    ],
)
def test_there_is_nothing_to_most_of_what_is_said(
    text: Text, tags: tuple[tuple[str, str], ...], notice: bool, manner: Manner
) -> None:
    assert manner_of(text, tags, notice=notice) == manner


def test_what_has_no_manner_shares_one() -> None:
    assert manner_of(Text("hi"), (), notice=False) is PLAIN


@pytest.mark.parametrize("character", ["x", "é", "😀"])
@pytest.mark.parametrize("target", ["bob", "#x"])
def test_a_text_is_taken_exactly_if_it_fits_the_line_that_others_get(
    target: str, character: str
) -> None:
    chat = Chatting()
    ann, bob = IRCUser(chat, "ann"), IRCUser(chat, "bob")
    for user in (ann, bob):
        user.registers()
        user.says("JOIN #x")
        user.read()
    ann.read()
    head = f":{ann.protocol.source} PRIVMSG {target} :"
    room = LINE_BYTES - len(b"\r\n") - len(head.encode())
    most = room // len(character.encode())
    padding = "y" * (room % len(character.encode()))
    assert ann.says(f"PRIVMSG {target} :{character * most}{padding}") == []
    assert bob.read() == [f"{head}{character * most}{padding}"]
    (refusal,) = ann.says(f"PRIVMSG {target} :{character * most}{padding}y")
    assert refusal.split(" ")[1] == "417"
    assert bob.read() == []
    assert not chat.close()
