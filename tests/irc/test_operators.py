"""chatroom.protocols.irc.operators: what a scene can't show; `operators.txt` shows the rest."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from tests.irc.chatting import Chatting, IRCUser


def operator(chat: Chatting, nick: str) -> IRCUser:
    """Someone who runs the server."""
    user = IRCUser(chat, nick)
    user.registers()
    moderation: Any = chat.hub.authority
    moderation.here.add(user.protocol.member)
    return user


def test_rehash_has_the_settings_read_again() -> None:
    chat = Chatting()
    read = []
    chat.irc.rehash = lambda: read.append("again")
    ann = operator(chat, "ann")
    assert ann.says("REHASH") == [":chatroom.local 382 ann settings :Rehashing"]
    assert read == ["again"]
    bob = IRCUser(chat, "bob")
    bob.registers()
    assert bob.says("REHASH")[0].split(" ")[1] == "481"
    assert read == ["again"]
    chat.irc.rehash = None
    assert ann.says("REHASH") == [
        ":chatroom.local 400 ann REHASH :Nothing here can read the settings again."
    ]
    assert chat.close() == []


def test_nothing_is_taken_from_who_waits_whether_it_may_run_the_server_and_it_may_leave() -> None:
    chat = Chatting()
    moderation: Any = chat.hub.authority
    for leaves in (False, True):
        answer: Deferred[None] = Deferred()
        moderation.opers = lambda *asked, answer=answer: answer
        ann = IRCUser(chat, "ann")
        ann.registers()
        assert ann.says("OPER boss secret", "PING 1") == []
        if leaves:
            ann.lose()
            chat.settle()
        answer.callback(None)
        chat.settle()
        told = [line.split(" ", 2)[1] for line in ann.read()]
        assert told == ([] if leaves else ["381", "PONG"])
        ann.lose()
        chat.settle()
    assert chat.close() == []


def test_a_long_reason_and_a_long_text_are_cut_where_it_shows() -> None:
    chat = Chatting()
    ann = operator(chat, "ann")
    bob = IRCUser(chat, "bob")
    bob.registers()
    bob.says("MODE bob +w")
    ann.says(f"WALLOPS :{'w' * 490}")
    ann.says(f"KILL bob :{'k' * 490}")
    wallops, kill, *_, error = bob.read()
    for line in (wallops, kill, error):
        assert len(line.encode()) <= 510
    assert wallops.endswith("w…") and kill.endswith("k…") and error.endswith("k…")
    assert chat.close() == []
