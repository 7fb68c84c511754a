"""What outlasts a connection: lists of names, batches, and the end of all connections."""

from __future__ import annotations

from unittest.mock import patch

from twisted.internet.task import Clock

from chatroom.hub import Hub
from chatroom.names import NICK_LENGTH
from chatroom.protocols.irc.factory import IRCFactory
from tests.irc.chatting import Chatting, IRCUser, settings_of


def full(number: int) -> tuple[Chatting, IRCUser]:
    """#x with so many in it, all with long nicks, and the first."""
    chat = Chatting(settings_of({"limits.connections_per_address": "off"}))
    users = [IRCUser(chat, f"n{each:0{NICK_LENGTH - 1}}", "192.0.2.1") for each in range(number)]
    for user in users:
        user.registers()
        user.says("JOIN #x")
    users[0].read()
    return chat, users[0]


def test_names_take_as_many_lines_as_they_need() -> None:
    chat, first = full(40)
    *lines, end = first.says("NAMES #x")
    assert len(lines) > 2
    assert all(len(line.encode()) <= 510 for line in lines)
    names = [name for line in lines for name in line.partition(" :")[2].split(" ")]
    assert len(names) == len(set(names)) == 40
    assert names[0] == f"@{first.name}"
    assert " 366 " in end
    assert not chat.close()


def test_what_many_who_join_are_told_is_made_once_and_right_for_each() -> None:
    chat = Chatting()
    users = [IRCUser(chat, nick) for nick in ("a", "bb", "ccc")]
    for user in users:
        user.registers()
    for user in users:
        user.send("JOIN #x")
    chat.settle()
    for user in users:
        names = next(line for line in user.read() if " 353 " in line)
        assert names == f":chatroom.local 353 {user.name} = #x :@a bb ccc"
    assert not chat.close()


def test_names_are_listed_once_a_turn_for_each_way_to_write_them() -> None:
    chat = Chatting()
    users = [IRCUser(chat, nick) for nick in ("a", "bb", "ccc", "dddd")]
    for user, caps in zip(users, ("", "userhost-in-names") * 2, strict=True):
        user.registers(caps.split())
    with patch.object(chat.irc, "prefixes", wraps=chat.irc.prefixes) as listed:
        for user in users:
            user.send("JOIN #x")
        chat.settle()
    assert listed.call_count == 2
    for user in users:
        assert any(" 353 " in line for line in user.read())
    assert not chat.close()


def test_batches_have_names_of_their_own() -> None:
    factory = Chatting().irc
    assert len({factory.batch() for _ in range(100)}) == 100


def test_at_the_end_everyone_is_told_and_closed_registered_or_not() -> None:
    chat = Chatting()
    ann, raw = IRCUser(chat, "ann"), IRCUser(chat, "raw")
    ann.registers()
    done: list[object] = []
    chat.irc.close("The server is stopping.", 5).addCallback(done.append)
    chat.settle()
    assert ann.is_closed
    assert raw.is_closed
    assert done == [None]
    assert ann.read()[-1].startswith("ERROR :Closing Link: ")
    assert "The server is stopping." in raw.read()[-1]
    assert not chat.close()


def test_who_comes_while_the_server_stops_is_refused() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers()
    chat.irc.close("The server is stopping.", 5)
    late = IRCUser(chat, "late")
    assert late.read() == ["ERROR :The server is stopping. Try again later."]
    chat.settle()
    assert not chat.close()


def test_one_too_many_is_told_so() -> None:
    chat = Chatting(settings_of({"limits.connections_per_address": "1"}))
    IRCUser(chat, "ann", "192.0.2.1")
    (line,) = IRCUser(chat, "bob", "192.0.2.1").read()
    assert line.startswith("ERROR :")
    chat.settle()
    assert not chat.close()


def test_without_a_store_hosts_are_cloaked_by_a_key_that_nobody_knows() -> None:
    hubs = [Hub(), Hub()]
    for hub in hubs:
        IRCFactory(hub, Clock())
    assert all(hub.cloak.has_key for hub in hubs)
    assert hubs[0].cloak("192.0.2.1") != hubs[1].cloak("192.0.2.1")
