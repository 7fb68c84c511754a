"""The table of all commands: each has what HELP shows, and survives whatever it is given."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.logger import LogLevel

from chatroom.protocols.irc import commands
from chatroom.protocols.irc.commands import COMMANDS
from tests.irc.chatting import Chatting, IRCUser
from tests.registered import logged


def test_every_module_that_has_commands_is_in_the_table() -> None:
    folder = Path(commands.__file__).parent
    having = {path.stem for path in folder.glob("*.py") if "\nCOMMANDS = (" in path.read_text()}
    for name in having:
        module = __import__(f"chatroom.protocols.irc.{name}", fromlist=["COMMANDS"])
        for command in module.COMMANDS:
            assert COMMANDS[command.name] is command


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_does_and_where_it_is_specified(name: str) -> None:
    command = COMMANDS[name]
    assert name == command.name == name.upper()
    assert command.help.endswith(".")
    assert command.source
    assert 0 <= command.least <= 15


PARAMS: list[list[str]] = [[], [""], ["*"], ["#x"], ["ann"], [","], ["x"] * 15]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("registers", [True, False], ids=["registered", "before"])
def test_a_command_takes_any_parameters(name: str, registers: bool) -> None:
    command = COMMANDS[name]
    chat = Chatting()
    with logged() as events:
        for number, params in enumerate(PARAMS):
            ann = IRCUser(chat, f"ann{number}")
            if registers:
                ann.registers()
            line = " ".join([name, *params[:-1], *(f":{last}" for last in params[-1:])])
            codes = [answer.split(" ")[1] for answer in ann.says(line)]
            if not registers and command.registered:
                assert codes == ["451"]
            elif len(params) < command.least:
                assert codes == ["461"]
        assert not chat.close()
    assert not [event for event in events if event["log_level"] >= LogLevel.error]
