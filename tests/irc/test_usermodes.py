"""chatroom.protocols.irc.usermodes: what a member is, by whatever door; the scenes of `modes.txt`
show the rest."""

from __future__ import annotations

from typing import Any

from chatroom.protocols.irc import usermodes
from chatroom.store.moderation import Moderation
from tests.irc.chatting import Chatting, IRCUser, LineUser, settings_of


def test_the_modes_of_anyone_are_known_and_in_order() -> None:
    chat = Chatting()
    ann, cara = IRCUser(chat, "ann"), LineUser(chat, "cara")
    ann.registers()
    cara.registers()
    client = ann.protocol
    assert usermodes.of(client, client.member) == "+"
    ann.says("MODE ann wBi")
    moderation: Any = chat.hub.authority
    assert isinstance(moderation, Moderation)
    moderation.here.update((client.member, cara.protocol.member))
    assert usermodes.of(client, client.member) == "+Biow"
    assert usermodes.of(client, cara.protocol.member) == "+o"
    assert client.member.who.bot and not cara.protocol.member.who.bot
    assert chat.close() == []


def test_whose_account_runs_the_server_is_told_and_does_until_it_logs_out() -> None:
    chat = Chatting(settings_of({"operators.accounts": "[zed]"}))
    zed = IRCUser(chat, "zed", "127.0.0.1")  # others may not register an operator's account
    zed.registers()
    told = [line for line in zed.says("REGISTER * * secret-password") if " MODE " in line]
    assert [line.split(" ", 1)[1] for line in told] == ["MODE zed +o"]
    assert zed.says("MODE zed -oi+w") == [
        ":chatroom.local 400 zed MODE "
        ":The account zed runs the server by its settings: log out of it.",
        f":{zed.protocol.source} MODE zed +w",
    ]
    gone = [line for line in zed.says("PRIVMSG NickServ :LOGOUT") if " MODE " in line]
    assert [line.rsplit(" ", 1)[1] for line in gone] == ["-o"]
    assert chat.close() == []


def test_whose_account_runs_the_server_is_told_so_when_it_is_welcomed() -> None:
    chat = Chatting(settings_of({"operators.accounts": "[zed]"}))
    first = IRCUser(chat, "zed", "127.0.0.1")
    first.registers()
    first.says("REGISTER * * secret-password", "QUIT")
    zed = IRCUser(chat, "zed", "127.0.0.1")
    assert zed.registers(login=("zed", "secret-password"))[-1].endswith(" MODE zed +o")
    assert chat.close() == []
