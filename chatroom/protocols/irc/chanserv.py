"""ChanServ: who keeps order in a channel, for clients and habits that know no more of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chatroom.phrases import duration
from chatroom.protocols.irc.service import Order, Run, Service, Words
from chatroom.protocols.irc.talking import room_named
from chatroom.rules import Change, Grant

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.room import Room

__all__ = ["CHANSERV"]


def _register_room(client: Client, words: Words) -> str:
    room = room_named(client, words[0])
    client.hub.authority.register_room(client.me, room, client.now)
    return f"{room.name} is registered for {_registered(client, room)}."


def _grant(setting: Grant, *, on: bool) -> Run:
    def run(client: Client, words: Words) -> str:
        """Of the one that is named, or of who asks."""
        room = room_named(client, words[0])
        nick = words[1] if len(words) > 1 else client.nick
        authority, now = client.hub.authority, client.now
        made = authority.change(client.me, room, Change(setting, on, nick), now)
        if made is None:
            return f"Nothing to do: that is so for {nick} already."
        authority.show(client.me, room, [made], now)
        return "Done."

    return run


def _room_info(client: Client, words: Words) -> str:
    room = room_named(client, words[0])
    registered = client.hub.authority.registered(room)
    if registered is None:
        return f"{room.name} is not registered."
    when = f" {duration(client.now - registered[1])} ago" if registered[1] else ""
    return f"{room.name} was registered{when} for {_registered(client, room)}."


def _registered(client: Client, room: Room) -> str:
    """For whom it is, by nick."""
    account, _ = client.hub.authority.registered(room) or ("nobody", 0.0)
    return client.hub.registrar.nick_of(account) or account


CHANSERV: Final = Service(
    "ChanServ",
    (
        Order("REGISTER", "CHANNEL", "keeps a channel of yours for good.", _register_room, 1),
        Order("OP", "CHANNEL [NICK]", "makes one an operator.", _grant("operator", on=True), 1),
        Order("DEOP", "CHANNEL [NICK]", "makes one an operator no more.",
              _grant("operator", on=False), 1),
        Order("VOICE", "CHANNEL [NICK]", "gives one a voice.", _grant("voice", on=True), 1),
        Order("DEVOICE", "CHANNEL [NICK]", "takes the voice back.", _grant("voice", on=False), 1),
        Order("INFO", "CHANNEL", "tells about a channel.", _room_info, 1),
    ),
)  # fmt: skip
