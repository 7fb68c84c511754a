"""One IRC client: what it sends is parsed and run, what it is answered is put in its place.

Before it has said who it is (NICK, USER, CAP END) there is no member behind it, and what it is
answered goes out at once; from then on each answer is an event among all others that are for it,
so that none overtakes what was said before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from chatroom.errors import ChatError, NotLoggedIn
from chatroom.events import (
    Acted,
    Event,
    Invited,
    Kicked,
    Left,
    Renamed,
    Ruled,
    Said,
    Tagged,
    Told,
    TopicSet,
)
from chatroom.limits import Limits, Rate, TokenBucket
from chatroom.member import Member
from chatroom.names import fold
from chatroom.protocols.irc import certificate, lines, multiline, numerics
from chatroom.protocols.irc.answering import Answering
from chatroom.protocols.irc.capabilities import RENDERED
from chatroom.protocols.irc.commands import BEFORE_LOGIN
from chatroom.protocols.irc.registration import Registration
from chatroom.protocols.irc.view import IRCView
from chatroom.protocols.irc.wire import (
    LINE_BYTES,
    Framer,
    Malformed,
    Message,
    NoCommand,
    NotUTF8,
    parse,
)
from chatroom.text import decode_plain

__all__ = ["Client"]

_OWN: frozenset[type[Event]] = frozenset({Invited, Kicked, Left, Renamed, Ruled, TopicSet})
_ECHOED: frozenset[type[Event]] = frozenset({Acted, Said, Tagged, Told})

_SILENT_SECONDS = 120.0
"""Who has sent nothing for so long is asked with PING whether it is still there."""
_ANSWER_SECONDS = 60.0
_REGISTER_SECONDS = 60.0

# Until it has registered a client may send more at once: the negotiation takes some twenty lines.
_MORE_BEFORE = 5


class Client(Answering):
    """One connection, and the door of the member behind it."""

    replays = False
    looks_back = "CHATHISTORY"
    most_joins = 256

    @property
    def fingerprint(self) -> str:
        """Of the certificate that it showed; see `certificate`."""
        return certificate.fingerprint(self.transport) if self.is_secure else ""

    def admitted(self, peer: str) -> None:
        """It has to say who it is."""
        if self.is_secure:
            certificate.ask(self.transport)
        self.peer = peer
        self.caps: frozenset[str] = frozenset()
        self.modes: set[str] = set()
        self.registration = Registration()
        self.began = self._asked = self.factory.seconds()
        self._answers = None
        self._is_pinged = False
        self._farewell = ""
        self.state: dict[str, Any] = {}
        """What a command has to remember of this client, by the command's name."""
        self.factory.unregistered.add(self)

    def new_framer(self, limits: Limits) -> Framer:
        return Framer()

    def _new_bucket(self, limits: Limits) -> TokenBucket | None:
        if limits.lines is None or self.member is not None:
            return super()._new_bucket(limits)
        rate = Rate(limits.lines.burst * _MORE_BEFORE, limits.lines.per_second * _MORE_BEFORE)
        return TokenBucket(rate, self.factory.seconds())

    # In

    def lineReceived(self, line: bytes) -> None:
        """One message; a line without so much as a word for a command is let pass."""
        self._is_pinged = False
        try:
            message = parse(line)
        except NoCommand as error:
            message = error.message
        except NotUTF8 as error:
            self.answer(self._label_of(line), partial(self._is_no_text, error.command))
            return
        except Malformed:
            return
        self.answer(self._label(message), partial(self._run, message))

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line was too long, and none of it was kept."""
        self.numeric(numerics.ERR_INPUTTOOLONG)

    def taken_at_once(self, lines: list[bytes | None]) -> bool:
        """Say all the lines of one read in one go, if they are plain messages to one room.

        Of 50 lines of 64 bytes each takes 13 us one by one, and 2 so.
        """
        if self.member is None or self.hub.observers:  # who may have a word after each line
            return False
        if "BATCH" in self.state:  # to which they would have to belong
            return False
        first = lines[0] or b""
        head, colon, _ = first.partition(b" :")
        head += colon
        verb, _, target = head[: -len(b" :")].partition(b" ")
        room = self.hub.rooms.get(fold(target.decode("ascii", "replace")))
        if verb != b"PRIVMSG" or room is None or room not in self.member.rooms:
            return False
        texts = _texts(lines, head, LINE_BYTES - len(self.source) - len(" :\r\n"))
        text = None if texts is None else decode_plain(texts)
        if text is None:
            return False
        try:
            self.hub.say(self.member, text, self.now, room)
        except ChatError:  # of a guard, which may let some of them through; each is told then
            return False
        self._is_pinged = False
        return True

    def _label(self, message: Message) -> str:
        return message.tags.get("label", "") if "labeled-response" in self.caps else ""

    def _label_of(self, line: bytes) -> str:
        """The label of a line that is no UTF-8."""
        with suppress(ValueError):
            return self._label(parse(line.decode(errors="replace").encode()))
        return ""

    def _is_no_text(self, command: str) -> None:
        sentence = "Your line was not UTF-8, and was not taken."
        self.fail(command or "*", "INVALID_UTF8", text=sentence)

    def _run(self, message: Message) -> Awaitable[object] | None:
        command = self.factory.commands.get(message.command)
        if command is None or (command.registered and self.member is None):
            if self.member is None:
                self.numeric(numerics.ERR_NOTREGISTERED)
            else:
                self.numeric(numerics.ERR_UNKNOWNCOMMAND, message.command)
            return None
        if command.name not in BEFORE_LOGIN and self.must_log_in:
            self.refuse(NotLoggedIn(), command.name)
            return None
        if len(message.params) < command.least:
            self.numeric(numerics.ERR_NEEDMOREPARAMS, command.name)
            return None
        try:
            return command.run(self, message)
        except ChatError as error:
            self.refuse(error, command.name)
        return None

    # Out

    def view(self, member: Member) -> IRCView:
        return self.factory.view_for(self.caps & RENDERED)

    def have(self, caps: frozenset[str]) -> None:
        """Have these capabilities from now on."""
        self.caps = caps
        if self.member is not None:
            self.member.echoes = self.echoes
            self.member.refresh()

    @property
    def echoes(self) -> frozenset[type[Event]]:
        """What it is told back of what it does."""
        return _OWN | _ECHOED if "echo-message" in self.caps else _OWN

    # Coming and going

    def entered(self, member: Member) -> None:
        """It has said who it is, and is in the hub."""
        self.member = member
        self.registration = None
        self.answers_as_member()
        self.factory.unregistered.discard(self)
        self._bucket = self._new_bucket(self.hub.limits)
        self.factory.log.info(
            "{nick} connected from {peer} ({here} here)",
            nick=member.nick,
            peer=self.peer,
            here=len(self.hub.members),
        )

    def end(self, reason: str, *, said: str | None = None) -> None:
        """Leave the chat and close with ERROR and the reason. The others are told what was `said`,
        in the client's own words, or else the reason."""
        self._farewell = reason
        if self.member is not None:
            told = reason if said is None else said
            self.hub.leave(self.member, told, self.now, said=said is not None)
            self._closing = True
        else:
            self.close()

    def close(self) -> None:
        if self._admitted and self.connected and self._abort is None:
            host = self.hub.cloak(self.address)
            why_left = "" if self.member is None else self.member.why_left
            why = self._farewell or why_left or "Closing connection"
            self.write(f"{lines.fit(f'ERROR :Closing Link: {host} ', f'({why})')}\r\n".encode())
        super().close()

    def go(self, reason: str) -> None:
        self._farewell = reason or "Client closed the connection"
        if self.member is None:
            self.close()
        else:
            super().go(reason)

    def look_after(self, now: float) -> None:
        """Close what never registers or answers no PING; ask who is silent."""
        if self.registration is not None:
            if now - self.began >= _REGISTER_SECONDS:
                self.end("Registration timed out")
            return
        multiline.look_after(self, now)
        silent = now - self._heard
        if not self.is_ready:  # its PONG would not be read; its outbox gives up who takes nothing
            self._is_pinged = False
            return
        if self._is_pinged and now - self._asked >= _ANSWER_SECONDS:
            self.end(f"Ping timeout: {int(silent)} seconds")
        elif not self._is_pinged and silent >= _SILENT_SECONDS and not self._lines:
            self._is_pinged = True
            self._asked = now
            with suppress(ChatError):
                self.reply(f"PING :{self.factory.server}")

    def connectionLost(self, reason: Any = None) -> None:
        factory, registrar = self.factory, self.hub.registrar
        if self._admitted:
            factory.unregistered.discard(self)
            registrar.forget(self)
            if self.member is None:
                self._outbox.stopProducing()
        super().connectionLost(*([] if reason is None else [reason]))
        if self._admitted:  # what it was proving, for one, refers back to it
            self.state.clear()


def _texts(lines: Sequence[bytes | None], head: bytes, most: int) -> list[bytes] | None:
    """What follows the head in each line, if all begin with it and have more than that, but none
    too much to fit `most` bytes with it once it is passed on."""
    texts = []
    for line in lines:
        if line is None or not line.startswith(head) or len(head) == len(line) or len(line) > most:
            return None
        texts.append(line[len(head) :])
    return texts
