"""The commands that look back: /history and /search."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.commands import Command
from chatroom.errors import BadUsage
from chatroom.events import Event
from chatroom.guard import Guard
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.phrases import plural
from chatroom.room import Room
from chatroom.spans import span
from chatroom.store import words
from chatroom.store.history import History

__all__ = ["Reading"]

_USUAL = 20
_MOST = 1000
_MOST_FOUND = 20

_log = Logger("chatroom")


class Reading(Guard):
    """How far back each member has read, and the commands for it."""

    def __init__(self, history: History, clock: Callable[[], float]) -> None:
        self._history = history
        self._clock = clock
        self._places: dict[Member, tuple[Room, int, int]] = {}

    def commands(self) -> list[Command]:
        """To be attached to the hub."""
        return [
            Command(
                "history",
                "[N|10m|today|more]",
                "shows the room's last lines again, or those before them.",
                self._look_back,
            ),
            Command(
                "search",
                "WORDS [in:#ROOM] [from:NICK]",
                "finds what was said, with all the words, in the rooms you are in. "
                "A * at a word's end stands for any ending.",
                self._search,
                needs=1,
            ),
        ]

    def left(self, member: Member) -> None:
        """Nobody's place is kept for longer than the member stays."""
        self._places.pop(member, None)

    def _look_back(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        room = hub.room_of(member, "")
        before: int | None = None
        since = 0.0
        most = _MOST
        if rest == "more":
            place = self._places.get(member)
            if place is None or place[0] is not room:
                raise BadUsage(f"/history shows the last lines of {room.name} first.")
            _, before, most = place
        elif rest.isdecimal() and 0 < len(rest) < 10 and int(rest):
            most = min(int(rest), _MOST)
        elif rest:
            since = _since(rest, now)
        else:
            most = _USUAL
        reading = self._history.last(room.name, before, most + 1)
        reading.addCallback(self._show, member, room, before, most, since)
        reading.addErrback(self._failed, member)
        return ""

    def _show(
        self,
        found: list[Event],
        member: Member,
        room: Room,
        before: int | None,
        most: int,
        since: float,
    ) -> None:
        if not member.present:
            return
        more, found = len(found) > most, found[-most:]
        events = [event for event in found if event.time >= since]
        self._history.hub.show_again(member, room.name, events, most, self._clock())
        if events:
            self._places[member] = room, events[0].id, min(most, 100)
        if self._history.database.trouble:
            reply = "The store can't be written just now: the last lines are missing here."
        elif more and len(events) == len(found):
            reply = "/history more shows what was said before that."
        elif events:
            when = " since then" if since else " that is kept"
            reply = f"That is all of {room.name}{when}."
        else:
            what = "of that time " if since else "else " if before is not None else ""
            reply = f"Nothing {what}is kept of {room.name}."
        self._tell(member, reply)

    def _search(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        room, nick, wanted = words.wanted(rest)
        if not wanted:
            raise BadUsage("Name a word to look for: /search WORDS [in:#ROOM] [from:NICK]")
        rooms = [hub.room_of(member, room)] if room else list(member.rooms)
        if not rooms:
            hub.room_of(member, "")  # raises NotInRoom
        names = {fold(each.name): each.name for each in rooms}
        searching = self._history.search(names, nick, wanted, _MOST_FOUND + 1)
        searching.addCallback(self._found, member).addErrback(self._failed, member)
        return ""

    def _found(self, events: list[Event], member: Member) -> None:
        if not member.present:
            return
        more = len(events) > _MOST_FOUND
        events = events[-_MOST_FOUND:]
        self._history.hub.show_again(member, None, events, _MOST_FOUND, self._clock())
        if more:
            reply = f"These are the last {_MOST_FOUND}. With more words there are fewer."
        else:
            reply = f"{plural(len(events), 'line')} found." if events else "Nothing was found."
        self._tell(member, reply)

    def _failed(self, failure: Failure, member: Member) -> None:
        _log.failure("The history could not be read", failure)
        self._tell(member, "The history can't be read just now. Try again in a moment.")

    def _tell(self, member: Member, reply: str) -> None:
        if member.present:
            self._history.hub.notify(member, reply, self._clock())


def _since(text: str, now: float) -> float:
    """The time that `today` or `10m` goes back to. Raises BadUsage."""
    if text == "today":
        return (
            datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
        ).timestamp()
    try:
        return now - span(text)
    except ValueError:
        raise BadUsage("Usage: /history [N|10m|today|more], with N from 1 on.") from None
