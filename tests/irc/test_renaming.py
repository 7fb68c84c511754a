"""chatroom.protocols.irc.renaming: whoever gives a room another name, by whatever door."""

from __future__ import annotations

import re

from tests.irc.chatting import Chatting, IRCUser, LineUser


def without_host(lines: list[str]) -> list[str]:
    return [re.sub(r"!\S+", "", line) for line in lines]


def test_a_rename_by_nc_is_told_on_IRC_in_its_place() -> None:
    chat = Chatting()
    ann = LineUser(chat, "ann")
    ann.registers()
    ann.says("/join #x")
    old, new = IRCUser(chat, "old"), IRCUser(chat, "new")
    old.registers()
    new.registers(["draft/channel-rename"])
    old.says("JOIN #x")
    new.says("JOIN #x")
    old.read()
    ann.send("before", "/roomname #y", "after")  # in one turn
    chat.settle()
    assert without_host(new.read()) == [
        ":ann PRIVMSG #x :before", ":ann RENAME #x #y :", ":ann PRIVMSG #y :after"
    ]  # fmt: skip
    assert without_host(old.read()) == [
        ":ann PRIVMSG #x :before",
        ":old PART #x",
        ":old JOIN #y",
        ":chatroom.local 353 old = #y :@ann old new",
        ":chatroom.local 366 old #y :End of /NAMES list",
        ":ann PRIVMSG #y :after",
    ]


def test_history_and_metadata_move_along() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers(["draft/channel-rename", "draft/metadata-2", "draft/chathistory"])
    ann.says("JOIN #x", "METADATA #x SET color red", "PRIVMSG #x :hi", "RENAME #x #y")
    assert ann.says("METADATA #y LIST") == [":chatroom.local 761 ann #y color * :red"]
    assert without_host(ann.says("CHATHISTORY LATEST #y * 5")) == [":ann PRIVMSG #y :hi"]
    ann.says("JOIN #x")
    assert ann.says("METADATA #x LIST", "CHATHISTORY LATEST #x * 5") == []
