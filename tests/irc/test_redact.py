"""chatroom.protocols.irc.redact: its answer has the label of the command, and history shows it."""

from __future__ import annotations

from chatroom.protocols.irc.wire import parse
from tests.irc.chatting import Chatting, IRCUser, LineUser

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
    told = [parse(line.encode()) for line in ann.says(f"@label=7 REDACT #x {id} :typo")]
    assert sorted(message.command for message in told) == ["ACK", "REDACT"]
    assert [message.tags.get("label") for message in told if message.command == "ACK"] == ["7"]
    (line,) = cara.read()
    assert "took out" in line and "typo" in line
    assert len(ann.says("CHATHISTORY LATEST #x * 5")) == 2
    (refused,) = ann.says(f"@label=8 REDACT #x {id}")
    assert refused.startswith(f"@label=8 :chatroom.local FAIL REDACT UNKNOWN_MSGID #x {id} :")
