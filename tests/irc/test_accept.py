"""ACCEPT: the scenes of `accept.txt`, and a list that is full."""

from __future__ import annotations

from chatroom.accepting import MOST_ACCEPTED
from chatroom.member import Listener
from tests.inmemory import NOW
from tests.irc.chatting import Chatting, IRCUser


def test_no_more_are_accepted_than_may_be_and_all_are_listed() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers()
    nicks = [f"{'n' * 28}{number}" for number in range(MOST_ACCEPTED + 1)]
    for nick in nicks:
        chat.hub.enter(Listener(print), NOW, nick, greeted=False)
    told = [line for nick in nicks for line in ann.says(f"ACCEPT {nick}")]
    assert told == [":chatroom.local 456 ann :Accept list is full"]
    *lists, end = ann.says("ACCEPT *")
    assert " ".join(line.split(" :", 1)[1] for line in lists).split() == nicks[:-1]
    assert all(line.startswith(":chatroom.local 281 ann :") for line in lists) and len(lists) > 1
    assert max(map(len, lists)) <= 510 and end == ":chatroom.local 282 ann :End of /ACCEPT list"
    assert not chat.close()
