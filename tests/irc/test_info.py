"""chatroom.protocols.irc.info: help for every command there is."""

from __future__ import annotations

import pytest

from chatroom.protocols.irc.commands import COMMANDS
from chatroom.protocols.irc.wire import LINE_BYTES
from tests.irc.chatting import Chatting, IRCUser


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_is_for(name: str) -> None:
    command = COMMANDS[name]
    assert command.name == name == name.upper()
    assert command.help.endswith(".")
    assert command.source


def test_there_is_help_for_every_command() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers()
    index = " ".join(ann.says("HELP"))
    for name in COMMANDS:
        assert f"{name} " in f"{index} "
        told = ann.says(f"HELP {name}")
        assert [line.split(" ")[1] for line in (told[0], told[-1])] == ["704", "706"]
        assert all(len(line.encode()) + 2 <= LINE_BYTES for line in told)
    chat.close()
