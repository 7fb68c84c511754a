"""chatroom.protocols.irc.people: what does not fit a line."""

from __future__ import annotations

from chatroom.protocols.irc.wire import LINE_BYTES, parse
from tests.irc.chatting import Chatting, IRCUser


def test_what_is_told_of_many_stands_in_lines_that_fit() -> None:
    chat = Chatting()
    nicks = [f"{letter * 31}x" for letter in "abcdefghijklmn"]
    users = [IRCUser(chat, nick) for nick in nicks]
    for user in users:
        user.registers()
    for command, number in (
        (f"USERHOST {' '.join(nicks[:5])}", 5),
        (f"ISON {' '.join(nicks)}", 14),
    ):
        told = users[0].says(command)
        assert all(len(line.encode()) + 2 <= LINE_BYTES for line in told)
        words = " ".join(parse(line.encode()).params[1] for line in told).split()
        assert len(words) == number
    chat.close()
