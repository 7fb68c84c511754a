"""chatroom.protocols.irc.whois: what does not fit a line."""

from __future__ import annotations

from chatroom.protocols.irc.wire import LINE_BYTES, parse
from tests.irc.chatting import Chatting, IRCUser, settings_of


def test_many_rooms_are_told_in_lines_that_fit() -> None:
    chat = Chatting(settings_of({"irc.description": f"'{'d' * 500}'"}))
    ann = IRCUser(chat, "ann")
    ann.registers()
    names = [f"#{'r' * 50}{number}" for number in range(15)]
    ann.says(*(f"JOIN {name}" for name in names), f"AWAY :{'é' * 400}")
    told = ann.says("WHOIS ann")
    assert all(len(line.encode()) + 2 <= LINE_BYTES for line in told)
    rooms = [parse(line.encode()).params[2] for line in told if " 319 " in line]
    assert " ".join(rooms).split() == [f"@{name}" for name in names]
    chat.close()
