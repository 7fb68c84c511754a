"""LIST: the channels there are, all or those that fit some conditions (Modern IRC, "LIST" and
"ELIST")."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from chatroom.masks import glob
from chatroom.names import fold
from chatroom.protocols.irc import lines, numerics, portions
from chatroom.protocols.irc.command import Command, targets
from chatroom.protocols.irc.server import is_here
from chatroom.room import Room

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS", "Wanted", "wanted"]

_BOUND: Final = re.compile(r"(?P<what>[CT]?)(?P<sign>[<>])(?P<number>\d{1,9})")
_WILD: Final = re.compile(r"[*?]")

Condition = Callable[[Room, float], bool]
"""Whether a room fits, now (seconds since the epoch)."""


class Wanted(NamedTuple):
    """Which channels are wanted: those of some folded `names`, and those that one of the `masks`
    means, where neither is given all; and of these those that fit every one of the conditions."""

    names: dict[str, None]
    masks: list[Condition]
    conditions: list[Condition]

    def fits(self, room: Room, now: float) -> bool:
        """Whether a room is wanted."""
        is_meant = not (self.names or self.masks) or fold(room.name) in self.names
        is_meant = is_meant or any(mask(room, now) for mask in self.masks)
        return is_meant and all(fits(room, now) for fits in self.conditions)


def wanted(listed: str, started: float = 0.0) -> Wanted:
    """What the first parameter of a LIST asks for. `started`: since when a room is there of which
    that is not known."""
    found = Wanted({}, [], [])
    for word in targets(listed):
        bound = _BOUND.fullmatch(word.upper())
        if bound is not None:
            what, is_over, number = bound["what"], bound["sign"] == ">", int(bound["number"])
            found.conditions.append(_bound(what, is_over, number, started))
        elif word.startswith("!"):
            found.conditions.append(_not(_mask(word[1:])))
        elif _WILD.search(word):
            found.masks.append(_mask(word))
        else:
            found.names[fold(word)] = None
    return found


def _bound(what: str, is_over: bool, number: int, started: float) -> Condition:
    """More or fewer members than a number, or made or talked about more or fewer minutes ago."""

    def measure(room: Room, now: float) -> float | None:
        if what == "C":
            return (now - (room.made or started)) / 60
        if what == "T":
            return (now - room.topic_at) / 60 if room.topic else None
        return len(room.members)

    def fits(room: Room, now: float) -> bool:
        measured = measure(room, now)
        if measured is None:
            return False
        return measured > number if is_over else measured < number

    return fits


def _mask(mask: str) -> Condition:
    fits = glob(mask).means
    return lambda room, now: fits(fold(room.name))


def _not(condition: Condition) -> Condition:
    return lambda room, now: not condition(room, now)


def _list(client: Client, message: Message) -> Awaitable[None] | None:
    listed, server, *_ = (*message.params, "", "")
    if not is_here(client, server):
        return None
    hub = client.hub
    asked = wanted(listed, hub.started or client.now)
    client.numeric(numerics.RPL_LISTSTART, "Channel")
    rooms: Iterable[Room] = hub.rooms.values()
    if asked.names and not asked.masks:
        rooms = [room for name in asked.names if (room := hub.rooms.get(name)) is not None]
    found = _found(client, asked, tuple(rooms))
    return portions.tell(client, found, lambda: client.numeric(numerics.RPL_LISTEND))


def _found(client: Client, asked: Wanted, rooms: Iterable[Room]) -> Iterator[str | None]:
    for room in rooms:
        shown = room.members and asked.fits(room, client.now)
        shown = shown and client.hub.authority.sees(client.me, room)
        yield _entry(client, room) if shown else None


def _entry(client: Client, room: Room) -> str:
    server, here = client.factory.server, str(len(room.members))
    head = numerics.RPL_LIST.line(server, client.nick, room.name, here, text="")
    return lines.fit(head, room.topic)


COMMANDS = (
    Command("LIST", _list, usage="[CHANNEL[,CHANNEL...] | CONDITION[,CONDITION...]]",
            help="Lists channels: all, some, or those that fit: *MASK*, !*MASK*, >MEMBERS, "
            "<MEMBERS, C>MINUTES since they were made, T<MINUTES since they have their topic."),
)  # fmt: skip
