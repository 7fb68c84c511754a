"""NickServ and ChanServ: what scenes/services.txt can't show, and what holds for their tables."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import LogLevel

from chatroom.names import RESERVED
from chatroom.protocols.irc.services import COMMANDS, SERVICES
from tests.irc.chatting import Chatting, IRCUser
from tests.irc.test_client import must_be_irc
from tests.irc.test_sasl import PASSWORD, chatting, codes
from tests.registered import logged


def test_nobody_can_be_called_as_a_service_is() -> None:
    assert set(SERVICES) <= RESERVED


def test_each_service_is_a_command_by_two_names() -> None:
    assert [each.name for each in COMMANDS] == ["NS", "NICKSERV", "CS", "CHANSERV"]


@pytest.mark.parametrize(
    "line",
    [
        f"NS IDENTIFY ann {PASSWORD}",
        f"NS GHOST ann {PASSWORD}",
        f"NS REGAIN ann {PASSWORD}",
        "NS IDENTIFY ann wrong",
    ],
)
@pytest.mark.parametrize("how", ["leaves", "is put out"])
def test_one_that_is_gone_meanwhile_is_told_nothing(line: str, how: str) -> None:
    chat = chatting("ann")
    ann, x = IRCUser(chat, "ann"), IRCUser(chat, "x")
    ann.registers(login=("ann", PASSWORD))
    x.registers()
    chat.threads.held = True
    x.says(line)
    with logged() as events:
        if how == "leaves":
            x.lose()
        else:
            chat.hub.leave(chat.hub.members["x"], "put out", chat.wall())
        chat.threads.let_go()
        chat.settle()
    assert [event for event in events if event["log_level"] > LogLevel.info] == []
    assert [told for told in x.read() if not told.startswith("ERROR ")] == []
    assert chat.hub.members["ann"].present and not ann.is_closed
    chat.close()


def test_a_nick_that_was_taken_before_its_account_was_known_is_given_back() -> None:
    """The account comes from another authority, on its first login."""
    from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse

    chat = Chatting(None, [InMemoryUsernamePasswordDatabaseDontUse(bob=b"secret")])
    guest, bob = IRCUser(chat, "bob"), IRCUser(chat, "x")
    guest.registers()
    bob.registers()
    assert codes(bob.says("NS IDENTIFY bob secret")) == ["900", "NOTICE"]
    told = bob.says("NS REGAIN bob")
    assert told[0].endswith(" NICK bob")
    told = guest.read()
    assert codes(told) == ["NOTICE", "NICK", "NOTICE"] and "bob is registered" in told[0]
    chat.close()


WORDS = st.one_of(
    st.sampled_from(["REGISTER", "IDENTIFY", "GHOST", "REGAIN", "INFO", "CERT", "ADD", "PASSWD",
                     "DROP", "LOGOUT", "OP", "DEOP", "VOICE", "HELP", "#x", "#y", "x", "ann",
                     PASSWORD, "\x02", "a" * 500, "é" * 200, "\u202e"]),
    st.text(max_size=12),
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(["NS", "CS", "PRIVMSG NickServ"]),
                          st.lists(WORDS, max_size=4)), max_size=6))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_whatever_a_service_is_told_it_answers_in_irc(
    orders: list[tuple[str, list[str]]],
) -> None:
    chat = chatting("ann")
    x = IRCUser(chat, "x")
    x.registers(["echo-message", "message-tags", "server-time"])
    x.says("JOIN #x")
    with logged() as events:
        for service, words in orders:
            x.send(f"{service} :{' '.join(words)}".encode("utf-8", "replace"))
            chat.settle()
            must_be_irc(x.raw())
    assert [event for event in events if event["log_level"] > LogLevel.info] == []
    chat.close()
