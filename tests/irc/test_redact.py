"""chatroom.protocols.irc.redact: its answer has the label of the command, and history shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chatroom.protocols.irc.wire import parse
from chatroom.store.memory import MemoryDatabase
from tests.irc.chatting import Chatting, IRCUser, LineUser, settings_of

CAPS = ["message-tags", "echo-message", "batch", "labeled-response", "draft/message-redaction",
        "draft/chathistory"]  # fmt: skip


def test_a_redaction_is_told_at_both_doors_and_labeled() -> None:
    chat = Chatting()
    ann, cara = IRCUser(chat, "ann"), LineUser(chat, "cara")
    ann.registers(CAPS)
    cara.registers()
    ann.says("JOIN #x")
    cara.says("/join #x")
    ann.read()
    (said,) = ann.says("PRIVMSG #x :oops")
    id = parse(said.encode()).tags["msgid"]
    cara.read()
    (told,) = (parse(line.encode()) for line in ann.says(f"@label=7 REDACT #x {id} :typo"))
    assert told.command == "REDACT" and told.tags["label"] == "7"
    (line,) = cara.read()
    assert "took out" in line and "typo" in line
    assert len(ann.says("CHATHISTORY LATEST #x * 5")) == 2
    (refused,) = ann.says(f"@label=8 REDACT #x {id}")
    assert refused.startswith(f"@label=8 :chatroom.local FAIL REDACT UNKNOWN_MSGID #x {id} :")


@pytest.mark.parametrize("target", ["#x", "bob"])
def test_where_the_database_answers_later_the_label_is_with_the_redaction(target: str) -> None:
    chat = Chatting(settings_of({"store": "chat.db", "history.private": "on"}))
    ann, bob = IRCUser(chat, "ann"), IRCUser(chat, "bob")
    for user in (ann, bob):
        chat.account(user.name, "correct-horse")
        user.registers(CAPS, (user.name, "correct-horse"))
        user.says("JOIN #x")
    ann.read()
    (said,) = ann.says(f"PRIVMSG {target} :oops")
    id = parse(said.encode()).tags["msgid"]
    bob.read()
    run = MemoryDatabase.run

    def later(self: MemoryDatabase, work: Callable[[Any], Any]) -> Deferred[Any]:
        return deferLater(chat.reactor, 0.5, run, self, work)

    with patch.object(MemoryDatabase, "run", later):
        assert ann.says(f"@label=7 REDACT {target} {id} :typo") == []
        chat.pass_by(2)
    (own,), (other,) = ([parse(line.encode()) for line in user.read()] for user in (ann, bob))
    assert own.tags["label"] == "7" and "label" not in other.tags
    assert own.command == other.command == "REDACT" and own.params[:2] == (target, id)
