"""How what is said reads on IRC, and what stands before any line: its tags, and who it is from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from chatroom.events import Acted, Event, Said, Tagged, Told
from chatroom.identity import NOBODY, Identity
from chatroom.protocols.irc import labels, lines
from chatroom.protocols.irc.formatting import JOINT, action
from chatroom.protocols.irc.wire import LINE_BYTES, split_text

if TYPE_CHECKING:
    from chatroom.protocols.irc.factory import IRCFactory

__all__ = ["CONCAT", "MULTILINE", "NO_ID", "ROOM_FOR_TEXT", "Spoken"]

ROOM_FOR_TEXT: Final = LINE_BYTES - 2
NO_ID: Final = -1
"""In the place of an event's own id: none is told."""

MULTILINE: Final = "draft/multiline"
CONCAT: Final = "draft/multiline-concat"
_BOT: Final = (("bot", ""), ("draft/bot", ""))  # as it is specified, and as it was while a draft


class Spoken:
    """One way to write what is said: that of those who have these capabilities."""

    __slots__ = ("_caps", "_factory", "_tags", "_times", "_wholes")

    def __init__(self, factory: IRCFactory, caps: frozenset[str]) -> None:
        self._factory = factory
        self._caps = caps
        self._times = "server-time" in caps
        self._tags = "message-tags" in caps
        self._wholes = {"batch", MULTILINE} <= caps

    # Tags

    def _head(self, event: Event, who: Identity, id: int = 0) -> str:
        """The tags that the server adds, and a space; '' for none. `id` in the place of the event's
        own."""
        tags = []
        if self._times:
            tags.append(f"time={lines.timestamp(event.time)}")
        if self._tags and id != NO_ID:
            tags.append(f"msgid={id or event.id}")
        if who.account and "account-tag" in self._caps:
            tags.append(f"account={self._account(who)}")
        if who.bot and self._tags:
            tags += lines.tagged(_BOT)
        return f"@{';'.join(tags)} " if tags else ""

    def _line(self, event: Event, who: Identity, rest: str, id: int = 0) -> str:
        """One line about what the sender did."""
        return f"{self._head(event, who, id)}:{self._source(event, who)} {rest}\r\n"

    def _source(self, event: Event, who: Identity) -> str:
        if who == NOBODY:  # the server, or whoever it is not known any more of
            return event.sender or self._factory.server
        return lines.mask(event.sender, who)

    def _account(self, who: Identity) -> str:
        return self._factory.hub.registrar.nick_of(who.account) or who.account

    def _with_client_tags(self, head: str, tags: Sequence[tuple[str, str]]) -> str:
        if not (tags and self._tags):
            return head
        own = [head[1:-1]] if head else []
        return f"@{';'.join([*lines.tagged(tags), *own])} "

    # Something said

    def _said(self, event: Said) -> str:
        return self._message(event, event.room or "*")

    def _acted(self, event: Acted) -> str:
        return self._message(event, event.room or "*", acted=True)

    def _told(self, event: Told) -> str:
        text = self._message(event, event.to, id=event.copy_of)
        return labels.Copied(text) if event.copy_of else text

    def _message(self, event: Any, target: str, *, acted: bool = False, id: int = 0) -> str:
        """A message in as many lines as it takes, of which the first alone has the id."""
        manner = event.manner
        text = manner.rich or event.text
        verb = "NOTICE" if manner.notice else "PRIVMSG"
        body = f":{self._source(event, event.who)} {verb} {target} :"
        first = self._with_client_tags(self._head(event, event.who, id), manner.tags)
        most = ROOM_FOR_TEXT - len(body.encode()) - (len(action("")) if acted else 0)
        if self._wholes and ("\n" in text or JOINT in text):
            return self._whole(event, target, first, body, most)
        pieces = [
            action(piece) if acted else piece
            for line in text.replace(JOINT, "\n").split("\n")
            if line or "\n" not in text
            for piece in ([line] if text[:1] == "\x01" else split_text(line, most))
        ]
        if len(pieces) == 1:
            return f"{first}{body}{pieces[0]}\r\n"
        later = self._with_client_tags(self._head(event, event.who, NO_ID), manner.tags)
        return "".join(
            f"{later if number else first}{body}{piece}\r\n" for number, piece in enumerate(pieces)
        )

    def _whole(self, event: Any, target: str, head: str, body: str, most: int) -> str:
        """Several lines that are one whole, as a batch, in the lines that its sender made of it
        (IRCv3 draft/multiline)."""
        batch = f"m{event.id}"
        source = self._source(event, event.who)
        out = [f"{head}:{source} BATCH +{batch} {MULTILINE} {target}\r\n"]
        for line in (event.manner.rich or event.text).split("\n"):
            pieces = [
                piece
                for part in line.split(JOINT)
                for piece in split_text(part, most, keeps_spaces=True)
            ]
            for number, piece in enumerate(pieces):
                concat = f";{CONCAT}" if number else ""
                out.append(f"@batch={batch}{concat} {body}{piece}\r\n")
        out.append(f":{source} BATCH -{batch}\r\n")
        return "".join(out)

    def _tagged(self, event: Tagged) -> str:
        if not self._tags:
            return ""
        head = self._head(event, event.who, event.copy_of)
        head = self._with_client_tags(head, event.manner.tags)
        text = f"{head}:{self._source(event, event.who)} TAGMSG {event.to}\r\n"
        return labels.Copied(text) if event.copy_of else text
