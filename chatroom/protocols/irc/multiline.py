"""BATCH: several lines that are said as one whole (IRCv3 draft/multiline, client-batch).

    @label=7 BATCH +1 draft/multiline #ops
    @batch=1 PRIVMSG #ops :hello
    @batch=1 PRIVMSG #ops :how is\x20
    @batch=1;draft/multiline-concat PRIVMSG #ops :everyone?
    BATCH -1

Whatever is wrong with a batch is told once, and no line of it is said.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from chatroom.errors import ChatError
from chatroom.names import fold
from chatroom.protocols.irc import talking
from chatroom.protocols.irc.capabilities import MULTILINE_BYTES, MULTILINE_LINES
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.formatting import JOINT, Text, plain, rich
from chatroom.protocols.irc.spoken import CONCAT, MULTILINE

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS", "look_after", "takes"]

_NAME: Final = "BATCH"
_TAG: Final = "batch"
_REFERENCE: Final = re.compile(r"[A-Za-z0-9-]{1,64}")

_SECONDS: Final = 60.0
"""How long after its last line a batch may stay open: with the usual limits, a whole one takes a
quarter of that."""


class _Batch:
    """A batch that a client has opened, with `message`. `is_over`: something was wrong with it, and
    what comes of it still is let pass."""

    def __init__(self, client: Client, message: Message, reference: str) -> None:
        self.reference = reference
        self.target = message.params[2]
        self.tags = talking.tagged(client, message)
        self.answer = client.unanswered()
        self.touched = client.factory.seconds()
        self.is_over = False
        self._command = ""
        self._bytes = 0
        self._lines: list[tuple[str, bool]] = []

    def fail(self, client: Client, code: str, *context: str, text: str) -> None:
        """Say what is wrong with it."""
        self.is_over = True
        self._lines.clear()
        client.answer_to(self.answer)
        client.fail(_NAME, code, *context, text=text)

    def add(self, client: Client, message: Message) -> None:
        """One line more."""
        self.touched = client.factory.seconds()
        target, text = (*message.params, "", "")[:2]
        goes_on = CONCAT in message.tags
        self._command = self._command or message.command
        self._bytes += len(text.encode()) + (bool(self._lines) and not goes_on)
        if fold(target) != fold(self.target):
            wrong = f"This batch is for {self.target}."
            context = self.target, target
            self.fail(client, "MULTILINE_INVALID_TARGET", *context, text=wrong)
        elif message.command != self._command:
            self.invalid(client, "A batch is all of PRIVMSG, or all of NOTICE.")
        elif goes_on and not (text and self._lines):
            self.invalid(client, "There is nothing to join here.")
        elif len(self._lines) == MULTILINE_LINES:
            most = str(MULTILINE_LINES)
            self.fail(client, "MULTILINE_MAX_LINES", most, text=f"At most {most} lines at once.")
        elif self._bytes > MULTILINE_BYTES:
            most = str(MULTILINE_BYTES)
            self.fail(client, "MULTILINE_MAX_BYTES", most, text=f"At most {most} bytes at once.")
        else:
            self._lines.append((text, goes_on))

    def invalid(self, client: Client, text: str) -> None:
        """Say what else is wrong with it."""
        self.fail(client, "MULTILINE_INVALID", text=text)

    def say(self, client: Client) -> None:
        """All of it is there."""
        if not any(text for text, _ in self._lines):
            self.invalid(client, "There is nothing to say in this batch.")
            return
        client.answer_to(self.answer)
        text = self._text()
        manner = talking.manner_of(text, self.tags, notice=self._command == "NOTICE")
        try:
            talking.send(client, self.target, text, manner, whole=True)
        except ChatError as error:
            if not manner.notice:
                client.refuse(error, self.target, about="speech")

    def _text(self) -> Text:
        shown, written = "", ""
        for number, (text, goes_on) in enumerate(self._lines):
            between = "" if not number else JOINT if goes_on else "\n"
            shown += between.replace(JOINT, "") + plain(text)
            written += between + rich(text)
        return Text(shown, written if written != shown else "")


def _batch(client: Client, message: Message) -> None:
    reference, *rest = message.params
    sign, reference = reference[:1], reference[1:]
    if sign == "+" and _REFERENCE.fullmatch(reference):
        _open(client, message, reference, *rest)
    elif sign == "-":
        _close(client, reference)
    else:
        _invalid(client, "A batch begins with BATCH +NAME and ends with BATCH -NAME.")


def _open(client: Client, message: Message, reference: str, kind: str = "", *rest: str) -> None:
    batch: _Batch | None = client.state.get(_NAME)
    if kind != MULTILINE:
        client.fail(_NAME, "UNKNOWN_TYPE", kind, text=f"Batches are of the type {MULTILINE}.")
    elif MULTILINE not in client.caps:
        _invalid(client, f"Ask for the capability {MULTILINE} first.")
    elif not rest:
        _invalid(client, "Say whom the batch is for.")
    elif batch is not None and not batch.is_over:
        batch.invalid(client, "Another batch was open.")
    else:
        client.state[_NAME] = _Batch(client, message, reference)


def _close(client: Client, reference: str) -> None:
    batch: _Batch | None = client.state.get(_NAME)
    if batch is None or batch.reference != reference:
        _invalid(client, "No such batch is open.")
        return
    del client.state[_NAME]
    if not batch.is_over:
        batch.say(client)


def _invalid(client: Client, text: str) -> None:
    client.fail(_NAME, "MULTILINE_INVALID", text=text)


def takes(client: Client, message: Message) -> bool:
    """Whether a PRIVMSG or NOTICE is of a batch, or would have to be; it is not said then."""
    if MULTILINE not in client.caps:
        return False
    batch: _Batch | None = client.state.get(_NAME)
    reference = message.tags.get(_TAG)
    is_of_it = batch is not None and batch.reference == reference
    if batch is None or batch.is_over:
        if reference is None:
            return False
        if not is_of_it:
            _invalid(client, "No such batch is open.")
    elif is_of_it:
        batch.add(client, message)
    else:
        batch.invalid(client, f"The batch {batch.reference} is open, and this is not of it.")
    return True


def look_after(client: Client, seconds: float) -> None:
    """Give up a batch that is never closed."""
    batch: _Batch | None = client.state.get(_NAME)
    if batch is None or batch.is_over or seconds - batch.touched < _SECONDS:
        return
    text = "The batch was not closed, and nothing of it is said."
    client.answer("", partial(batch.fail, client, "TIMEOUT", batch.reference, text=text))


COMMANDS = (
    Command("BATCH", _batch, 1, usage="+NAME draft/multiline TARGET | -NAME",
            help="Says several lines as one whole.", source="IRCv3 draft/multiline"),
)  # fmt: skip
