"""How a client is answered when the answer comes later: its label, its order, what fails."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from chatroom.errors import TooMany
from chatroom.protocols.irc.answering import Answering
from chatroom.protocols.irc.client import Client
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.wire import Message
from tests.irc.chatting import Chatting, IRCUser, settings_of
from tests.registered import logged

CAPS = ["batch", "labeled-response"]


class Waiting:
    """A command that says the number of each step, and waits for what the test fires."""

    def __init__(self) -> None:
        self.chat = Chatting()
        self.steps: list[Deferred[Any]] = []
        command = Command("WAIT", self.run, registered=False)
        self.chat.irc.commands = self.chat.irc.commands | {"WAIT": command}
        self.ann = IRCUser(self.chat, "ann")

    async def run(self, client: Client, message: Message) -> None:
        for number in range(int(message.params[0])):
            step: Deferred[Any] = Deferred()
            self.steps.append(step)
            if await step:
                client.say(f"NOTICE ann :{number}")

    def fire(self, value: object = True) -> list[str]:
        self.steps.pop(0).callback(value)
        self.chat.settle()
        return self.ann.read()


@pytest.fixture
def waiting() -> Waiting:
    made = Waiting()
    made.ann.registers(CAPS)
    return made


def test_an_answer_that_comes_later_has_the_label(waiting: Waiting) -> None:
    assert waiting.ann.says("@label=7 WAIT 1") == []
    assert waiting.fire() == ["@label=7 :chatroom.local NOTICE ann :0"]


def test_what_others_say_meanwhile_has_not(waiting: Waiting) -> None:
    bob = IRCUser(waiting.chat, "bob")
    bob.registers()
    waiting.ann.says("@label=7 WAIT 1")
    bob.says("PRIVMSG ann :hi")
    (line,) = waiting.ann.read()
    assert line.startswith(":bob!")
    bob.send("PRIVMSG ann :again")  # in the same turn
    line, answer = waiting.fire()
    assert line.startswith(":bob!") and answer.startswith("@label=7 :")


def test_an_answer_in_several_steps_is_one_batch(waiting: Waiting) -> None:
    waiting.ann.says("@label=7 WAIT 3")
    begin, line = waiting.fire()
    batch = begin.partition("BATCH +")[2].partition(" ")[0]
    assert begin == f"@label=7 :chatroom.local BATCH +{batch} labeled-response"
    assert line == f"@batch={batch} :chatroom.local NOTICE ann :0"
    assert waiting.fire(False) == []
    assert waiting.fire() == [
        f"@batch={batch} :chatroom.local NOTICE ann :2",
        f":chatroom.local BATCH -{batch}",
    ]


def test_a_command_that_says_nothing_later_is_acknowledged(waiting: Waiting) -> None:
    waiting.ann.says("@label=7 WAIT 1")
    assert waiting.fire(False) == ["@label=7 :chatroom.local ACK"]


def test_nothing_else_is_taken_until_it_is_answered(waiting: Waiting) -> None:
    assert waiting.ann.says("WAIT 1", "PING x") == []
    assert waiting.fire() == [
        ":chatroom.local NOTICE ann :0",
        ":chatroom.local PONG chatroom.local :x",
    ]


def test_what_holds_it_twice_has_to_let_go_twice(waiting: Waiting) -> None:
    client = waiting.ann.protocol
    client.hold()
    assert waiting.ann.says("WAIT 1", "PING x") == []
    client.release()
    waiting.chat.settle()
    assert waiting.fire(False) == [":chatroom.local PONG chatroom.local :x"]


def test_what_is_refused_later_is_told_and_what_fails_is_logged(waiting: Waiting) -> None:
    waiting.ann.says("@label=7 WAIT 1")
    waiting.steps.pop().errback(TooMany("Too many."))
    waiting.chat.settle()
    assert waiting.ann.read() == ["@label=7 :chatroom.local 400 ann * :Too many."]
    waiting.ann.says("@label=8 WAIT 1")
    with logged() as events:
        waiting.steps.pop().errback(RuntimeError("a secret"))
        waiting.chat.settle()
    (line,) = waiting.ann.read()
    assert line.startswith("@label=8 :chatroom.local 400 ann * :") and "secret" not in line
    assert any("failed" in event["log_format"] for event in events)


def test_who_is_gone_meanwhile_costs_nothing(waiting: Waiting) -> None:
    waiting.ann.says("@label=7 WAIT 1")
    waiting.ann.lose()
    with logged() as events:
        waiting.steps.pop().callback(True)
        waiting.chat.settle()
    assert not events


def test_before_it_has_registered_an_answer_has_its_label_too() -> None:
    waiting = Waiting()
    waiting.ann.says(f"CAP REQ :{' '.join(CAPS)}")
    assert waiting.ann.says("@label=7 WAIT 2") == []
    assert waiting.fire() == []
    begin, *lines, end = waiting.fire()
    assert begin.startswith("@label=7 :") and len(lines) == 2 and " BATCH -" in end


def test_a_command_may_be_answered_by_a_later_one(waiting: Waiting) -> None:
    kept: list[Any] = []

    def first(client: Answering, message: Message) -> None:
        kept.append(client.unanswered())

    def second(client: Answering, message: Message) -> None:
        client.answer_to(kept.pop())
        client.say("NOTICE ann :both")

    waiting.chat.irc.commands |= {"A": Command("A", first), "B": Command("B", second)}
    assert waiting.ann.says("@label=7 A", "@label=8 PING x") == [
        "@label=8 :chatroom.local PONG chatroom.local :x"
    ]
    assert waiting.ann.says("B") == ["@label=7 :chatroom.local NOTICE ann :both"]
    assert waiting.ann.says("A", "B") == [":chatroom.local NOTICE ann :both"]
    assert waiting.ann.says("@label=7 A", "@label=8 B") == [
        "@label=8 :chatroom.local ACK",
        "@label=7 :chatroom.local NOTICE ann :both",
    ]


def test_who_is_told_much_is_heard_again_once_it_has_taken_that() -> None:
    chat = Chatting(settings_of({"limits.stall_seconds": "off"}))
    ann, bob = IRCUser(chat, "ann"), IRCUser(chat, "bob")
    ann.registers()
    bob.registers()
    ann.transport.producer.pauseProducing()
    ann.says("PRIVMSG bob :1")
    ann.protocol.reply("x" * 70_000)
    for _ in range(4):  # nor is it asked whether it is there, since its answer would not be heard
        chat.pass_by(100)
        bob.send("PONG x")
    assert ann.transport.producerState == "producing"
    ann.says("PRIVMSG bob :2", "PRIVMSG bob :3")
    assert ann.transport.producerState == "paused"
    assert [line.split(":")[-1] for line in bob.read() if "PRIVMSG" in line] == ["1"]
    ann.transport.producer.resumeProducing()
    chat.pass_by(1)
    assert [line.split(":")[-1] for line in bob.read()] == ["2", "3"]
    assert not ann.is_closed
    assert chat.close() == []


def test_who_is_told_much_and_goes_leaves_nothing() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers()
    ann.transport.producer.pauseProducing()
    ann.protocol.reply("x" * 70_000)
    chat.settle()
    ann.lose()
    chat.pass_by(1)
    assert chat.close() == []
