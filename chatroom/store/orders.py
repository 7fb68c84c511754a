"""What is common to the commands that keep order: how they are written, and how they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chatroom.commands import find
from chatroom.errors import BadUsage, NoSuchRoom
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold, room_name
from chatroom.phrases import duration
from chatroom.room import Room
from chatroom.rules import Change
from chatroom.spans import span
from chatroom.store.moderation import Moderation

__all__ = ["Order", "order", "place", "show"]

_EVERYWHERE = "server"


class Order(NamedTuple):
    """`[server|#ROOM] WHO [10m] [WHY]`, read. `room` is None for everywhere, `seconds` None for
    good."""

    room: Room | None
    who: str
    seconds: int | None
    why: str

    @property
    def folded(self) -> str:
        return "" if self.room is None else fold(self.room.name)

    @property
    def place(self) -> str:
        """As a sentence says it: `in #ops`, `everywhere`."""
        return "everywhere" if self.room is None else f"in {self.room.name}"

    @property
    def term(self) -> str:
        """` for 10 minutes: why`, as far as it was said."""
        for_ = "" if self.seconds is None else f" for {duration(self.seconds)}"
        return for_ + (f": {self.why}" if self.why else "")

    @property
    def noted(self) -> str:
        """The same, as the audit has it."""
        return self.term.removeprefix(": ").strip()


def place(
    hub: Hub, member: Member, rest: str, *, everywhere: bool = False
) -> tuple[Room | None, str]:
    """The room that `rest` begins with, or the current one; and the rest of it. None is
    everywhere, where that may be said. Raises NoSuchRoom, NotInRoom, BadName."""
    first, _, after = rest.partition(" ")
    if everywhere and first.lower() == _EVERYWHERE:
        return None, after.strip()
    if not first.startswith("#"):
        return hub.room_of(member, ""), rest
    room = hub.rooms.get(fold(room_name(first)))
    if room is None or not hub.authority.sees(member, room):
        raise NoSuchRoom(f"Nobody is in {first}. /join it first.")
    return room, after.strip()


def order(
    hub: Hub, member: Member, name: str, rest: str, *, everywhere: bool = False, timed: bool = False
) -> Order:
    """Read what follows the command `name`; `timed` if a length of time may follow whom it is
    about. Raises BadUsage and what `place` does."""
    room, rest = place(hub, member, rest, everywhere=everywhere)
    who, _, why = rest.partition(" ")
    if not who:
        raise BadUsage(f"Usage: {find(hub, name).written}")
    why = why.strip()
    seconds = None
    if timed:
        first, _, after = why.partition(" ")
        if first[:1].isdecimal():  # else it belongs to why
            seconds, why = _seconds(first), after.strip()
        if seconds == 0:
            raise BadUsage("For no time at all is not at all: say 10m, 2h or 30d, or leave it out.")
    return Order(room, who, seconds, why)


def _seconds(text: str) -> int:
    """What begins with a digit is meant as a time: mistyped, it must not mean for good. Raises
    BadUsage."""
    try:
        return span(text)
    except ValueError as error:
        raise BadUsage(f"{error} If {text} begins the reason, put a word before it.") from None


def show(
    moderation: Moderation,
    member: Member,
    action: str,
    about: Order,
    done: str,
    now: float,
    target: str = "",
    changes: Sequence[Change] = (),
) -> str:
    """Keep that the member did it, and show it in the room, with the changes that were made; `done`
    is what it did, without who. Returns the reply to who did it, which is nothing where the room
    shows it."""
    moderation.note(member, action, about.folded, target or about.who, about.noted, now)
    if about.room is not None:
        moderation.hub.ruled(member, about.room, done, changes, now)
    shows = about.room is not None and about.room in member.rooms
    return "" if shows else f"{member.shown} {done}"
