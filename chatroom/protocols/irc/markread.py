"""MARKREAD: how far somebody has read in a room or with another, for all its clients (IRCv3
draft/read-marker)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chatroom.events import milliseconds, seconds
from chatroom.names import fold
from chatroom.protocols.irc import lines
from chatroom.protocols.irc.command import Command, is_target

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["CAPABILITY", "COMMANDS", "marker_line"]

CAPABILITY: Final = "draft/read-marker"
_NAME: Final = "MARKREAD"


def _markread(client: Client, message: Message) -> None:
    if not message.params:
        client.fail(_NAME, "NEED_MORE_PARAMS", text="Say which channel or nick.")
        return
    target, *rest = message.params
    if not is_target(target):
        client.fail(_NAME, "INVALID_TARGET", target, text="That is no channel or nick.")
        return
    kept = client.factory.kept.of(client)
    if rest:
        kind, _, written = rest[0].partition("=")
        time = lines.stamp(written) if kind == "timestamp" else None
        if time is None:
            text = "Write the time as timestamp=2026-11-22T12:03:00.000Z."
            client.fail(_NAME, "INVALID_PARAMS", target, rest[0], text=text)
            return
        # Of what is yet to come nothing was read.
        read = milliseconds(min(time, client.now))
        if read > kept.markers.get(fold(target), -1):
            client.factory.kept.mark(kept, fold(target), read)
            for other in kept.clients:
                if other is not client and CAPABILITY in other.caps:
                    other.reply(marker_line(other, target))
    client.reply(marker_line(client, target))


def marker_line(client: Client, target: str) -> str:
    """How far the client has read there, without the line's end."""
    read = client.factory.kept.of(client).markers.get(fold(target))
    written = "*" if read is None else f"timestamp={lines.timestamp(seconds(read))}"
    return f":{client.factory.server} {_NAME} {target} {written}"


COMMANDS = (
    Command("MARKREAD", _markread, usage="TARGET [timestamp=TIME]",
            help="Tells, or sets, how far you have read.", source="IRCv3 draft/read-marker"),
)  # fmt: skip
