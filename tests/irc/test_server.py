"""What is asked of the server, where scenes don't reach."""

from __future__ import annotations

import pytest

from tests.irc.chatting import Chatting, IRCUser, settings_of


@pytest.mark.parametrize("token", ["x", "x" * 480, "é" * 240, "a b", ":x", "1 :2"])
def test_a_token_comes_back_as_far_as_it_fits(token: str) -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    (line,) = ann.says(f"PING :{token}")
    assert len(line.encode()) <= 510
    back = line.removeprefix(":chatroom.local PONG chatroom.local :")
    assert back == token or (len(back.encode()) >= 450 and token.startswith(back.rstrip("…")))
    assert not chat.close()


def test_a_long_message_of_the_day_is_told_in_pieces() -> None:
    chat = Chatting(settings_of({"motd": f'"{"word " * 300}\\n\\nend"'}))
    ann = IRCUser(chat, "ann")
    ann.registers()
    first, *lines, last = ann.says("MOTD")
    assert " 375 " in first
    assert " 376 " in last
    assert all(" 372 ann :- " in line and len(line.encode()) <= 510 for line in lines)
    texts = [line.partition(" :- ")[2] for line in lines]
    assert texts[-2:] == ["", "end"]
    assert "".join(texts[:-2]).replace(" ", "") == "word" * 300
    assert not chat.close()


@pytest.mark.parametrize("name", ["chatroom.local", "CHATROOM.local", "*", "ann", ""])
@pytest.mark.parametrize("command", ["MOTD", "VERSION", "TIME"])
def test_the_server_knows_itself(command: str, name: str) -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers()
    assert " 402 " not in ann.says(f"{command} {name}".rstrip())[0]
    assert not chat.close()


def test_the_counts_are_of_who_is_here() -> None:
    chat = Chatting()
    users = [IRCUser(chat, nick) for nick in ("ann", "bob", "cy")]
    for user in users:
        user.registers()
    users[2].says("QUIT")
    users[1].protocol.modes.add("i")
    lines = {line.split(" ")[1]: line for line in users[0].says("LUSERS")}
    assert "There are 1 users and 1 invisible on 1 servers" in lines["251"]
    assert "I have 2 clients and 1 servers" in lines["255"]
    assert lines["265"].split(" ")[3:5] == lines["266"].split(" ")[3:5] == ["2", "3"]
    assert not chat.close()
