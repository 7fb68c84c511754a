"""RPL_ISUPPORT: tokens that clients can read, and that are true."""

from __future__ import annotations

import re

from chatroom.names import NICK_LENGTH, ROOM_LENGTH
from chatroom.protocols.irc import isupport, modes
from chatroom.protocols.irc.capabilities import ALL
from chatroom.protocols.irc.commands import COMMANDS
from tests.irc.chatting import Chatting, IRCUser, settings_of


def tokens(**settings: str) -> dict[str, str]:
    chat = Chatting(settings_of({key.replace("__", "."): value for key, value in settings.items()}))
    ann = IRCUser(chat, "ann")
    ann.registers()
    found = isupport.tokens(ann.protocol)
    assert not chat.close()
    assert len({token.partition("=")[0] for token in found}) == len(found), "each is there once"
    return dict((token.partition("=")[::2]) for token in found)


def test_every_token_is_one_that_clients_can_read() -> None:
    for name, value in tokens().items():
        assert re.fullmatch(r"[A-Z0-9]{1,20}", name)
        assert re.fullmatch(r"[!-<>-~]*", value), "printable, ASCII, and no second ="


def test_the_lines_fit() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "n" * NICK_LENGTH)
    lines = [line for line in ann.registers() if " 005 " in line]
    assert len(lines) > 1
    for line in lines:
        assert len(line.encode()) <= 510
        assert len(line.partition(" :")[0].split(" ")) <= 2 + 14
    assert not chat.close()


def test_lengths_are_those_that_are_held() -> None:
    found = tokens()
    assert found["NICKLEN"] == str(NICK_LENGTH)
    assert found["CHANNELLEN"] == str(ROOM_LENGTH + 1)


def test_modes_are_those_that_there_are() -> None:
    found = tokens()
    kinds = found["CHANMODES"].split(",")
    assert len(kinds) == 4
    letters, signs = re.fullmatch(r"\((\w+)\)(\W+)", found["PREFIX"]).groups()  # type: ignore[union-attr]
    assert len(letters) == len(signs)
    every = sorted("".join(kinds) + letters)
    assert every == sorted(mode.letter for mode in modes.CHANNEL_MODES)
    assert found["EXCEPTS"] in kinds[0]
    assert found["INVEX"] in kinds[0]
    assert set(found["STATUSMSG"]) <= set(signs)
    assert set(re.findall(r"[a-zA-Z]", found["MAXLIST"].split(":")[0])) == set(kinds[0])


def test_targets_are_of_commands_that_there_are() -> None:
    for item in tokens()["TARGMAX"].split(","):
        assert re.fullmatch(r"[A-Z]+:\d*", item)
        assert item.partition(":")[0] in COMMANDS


def test_what_is_told_of_can_be_done() -> None:
    found = tokens()
    for token, command in {
        "MONITOR": "MONITOR",
        "WHOX": "WHO",
        "CHATHISTORY": "CHATHISTORY",
    }.items():
        assert (token in found) == (command in COMMANDS)
    assert ("CHATHISTORY" in found) == ("draft/chathistory" in ALL)


def test_limits_and_names_are_those_of_the_settings() -> None:
    assert tokens(limits__rooms_per_member="7")["CHANLIMIT"] == "#:7"
    assert tokens(limits__rooms_per_member="off")["CHANLIMIT"] == "#:"
    assert tokens(irc__network="Über = all")["NETWORK"] == r"\xC3\x9Cber\x20\x3D\x20all"
