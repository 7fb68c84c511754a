"""REGISTER: what scenes/registration_of_accounts.txt can't show, since it is a matter of time."""

from __future__ import annotations

import pytest
from twisted.logger import LogLevel

from chatroom.errors import ChatError
from chatroom.protocols.irc.accounts import _CODES
from tests.irc.chatting import Chatting, IRCUser, settings_of
from tests.irc.test_refusals import kinds
from tests.irc.test_sasl import PASSWORD, codes
from tests.registered import logged

REGISTER = f"REGISTER * * {PASSWORD}"


@pytest.mark.parametrize("kind", kinds())
def test_every_refusal_has_a_code(kind: type[ChatError]) -> None:
    assert any(each in _CODES for each in kind.__mro__)


@pytest.mark.parametrize("line", [REGISTER, f"NS REGISTER {PASSWORD}"])
def test_one_that_leaves_meanwhile_is_not_registered(line: str) -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers()
    chat.threads.held = True
    ann.says(line)
    with logged() as events:
        ann.lose()
        chat.threads.let_go()
        chat.settle()
    assert [event for event in events if event["log_level"] > LogLevel.info] == []
    assert chat.hub.registrar.nick_of("ann") == ""
    chat.close()


def test_of_two_the_first_has_the_account() -> None:
    chat = Chatting()
    first, second = IRCUser(chat, "a"), IRCUser(chat, "b")
    chat.threads.held = True
    for user in (first, second):
        user.says("CAP LS 302", "NICK ann", REGISTER)
    chat.threads.let_go()
    chat.settle()
    assert codes(first.read()) == ["REGISTER", "900"]
    (told,) = second.read()
    assert " FAIL REGISTER ACCOUNT_EXISTS ann :" in told
    # Nor has it the nick that it asked for.
    (told,) = second.says("USER b 0 * :B", "CAP END")
    assert " 433 ann ann :That nick is registered." in told
    assert "001" in codes(first.says("USER a 0 * :A", "CAP END"))
    chat.close()


def test_where_accounts_are_made_elsewhere_there_is_no_capability() -> None:
    from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse

    chat = Chatting(settings_of({}), [InMemoryUsernamePasswordDatabaseDontUse(bob=b"secret")])
    bob = IRCUser(chat, "bob")
    assert not any("account-registration" in line for line in bob.says("CAP LS 302", "NICK bob"))
    (told,) = bob.says(REGISTER)
    assert " FAIL REGISTER TEMPORARILY_UNAVAILABLE bob :Accounts are not made here." in told
    chat.close()
