"""A room: its members, its topic, its recent lines, and what was posted to it this turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, islice
from operator import attrgetter
from typing import Any

from chatroom.events import Acted, Event, Redacted, Said, Tagged
from chatroom.identity import PLAIN
from chatroom.member import Member, View
from chatroom.names import fold
from chatroom.phrases import listed
from chatroom.rules import Rules

__all__ = ["Batch", "Room", "arrival", "ignores"]

_id = attrgetter("id")
_NOTHING: deque[Event] = deque(maxlen=0)


class Room:
    """Members see what is posted in the order of posting. Only the Hub changes it, and an
    Authority its `rules`. `made` and `topic_at` are seconds since the epoch, 0 if not known."""

    __slots__ = (
        "_batch", "_most_recent", "made", "members", "name", "recent", "rules", "topic",
        "topic_at", "topic_by",
    )  # fmt: skip

    def __init__(self, name: str, recent: int, made: float = 0.0) -> None:
        self.name = name
        self.made = made
        self.rules = Rules(name)
        self.topic = ""
        self.topic_by = ""
        self.topic_at = 0.0
        self.members: dict[Member, None] = {}
        self.recent: deque[Event] = _NOTHING  # until something is said, which saves 700 bytes
        self._most_recent = recent
        self._batch: Batch | None = None

    def post(self, origin: Member | None, *events: Event, back: bool = False) -> None:
        """Keep the events, which are of one kind, and add them to this turn's batch. `origin`
        gets them only if it is to get them `back`."""
        first = events[0]
        if isinstance(first, (Said, Acted)):
            if self.recent is _NOTHING:
                self.recent = deque(maxlen=self._most_recent)
            self.recent.extend(events if first.manner is PLAIN else map(_light, events))
        if self._batch is None:
            self._batch = Batch()
        self._batch.post(origin, *events, back=back)

    def joined(self, member: Member) -> None:
        """Let `member` in; of this turn it gets only what is posted from now on."""
        self.members[member] = None
        if self._batch is not None:
            self._batch.starts[member] = len(self._batch.events)

    def left(self, member: Member) -> None:
        """Let `member` go."""
        del self.members[member]

    def coming(self, member: Member) -> list[Event]:
        """What `member` gets of this turn so far; the turn's end brings it only the rest."""
        if self._batch is None:
            return []
        hidden = self._batch.hidden(member)
        events = self._batch.events[self._batch.starts.get(member, 0) :]
        self._batch.starts[member] = len(self._batch.events)
        return [event for event in events if event.id not in hidden]

    def keep(self, recent: int) -> None:
        """Keep that many lines to show again."""
        self._most_recent = recent
        if self.recent:
            self.recent = deque(self.recent, maxlen=recent)

    def rename(self, name: str) -> None:
        """Have another name, also in what is shown again."""
        self.name = self.rules.name = name
        again: Any = self.recent
        if again:
            self.recent = deque((line._replace(room=name) for line in again), again.maxlen)

    def redact(self, event: Redacted) -> None:
        """Show the event from now on where the line stood that it takes out."""
        for i, line in enumerate(self.recent):
            if line.id == event.line:
                self.recent[i] = Redacted(
                    line.id,
                    line.time,
                    self.name,
                    event.sender,
                    event.shown,
                    line.id,
                    event.author,
                    event.reason,
                    event.who,
                )

    def recall(self, events: Iterable[Event]) -> None:
        """Keep what was said before anything that is kept so far."""
        self.recent = deque((*events, *self.recent), self._most_recent)

    def forget(self, ids: Collection[int]) -> None:
        """Show the lines of these ids to nobody any more."""
        rest = [line for line in self.recent if line.id not in ids]
        if len(rest) < len(self.recent):
            self.recent = deque(rest, self._most_recent)

    def take(self) -> Batch:
        """This turn's batch; what is posted from now on belongs to the next."""
        batch, self._batch = self._batch, None
        return Batch() if batch is None else batch


def arrival(member: Member, room: Room) -> str:
    """Where the member is now, with whom, and about what."""
    others = [other.nick for other in islice(room.members, 12) if other is not member]
    here = len(room.members)
    company = f" with {listed(others, here - 1)} ({here} here)" if others else ", alone"
    where = f"You are {member.nick} in {room.name}{company}."
    return where + (f"\nThe topic is: {room.topic}" if room.topic else "")


class Batch(dict[View, Any]):
    """What was posted to one room in one turn: its `events`, and from which of them on who came
    in the middle of it gets them (`starts`).

    By view, it has all of it as that view writes it: rendered once, the same object for
    everyone who has that view. A dict, since looking it up is on the way of every delivery.
    """

    __slots__ = ("_back", "_frames", "_own", "_sequences", "events", "starts")

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.starts: dict[Member, int] = {}
        self._own: dict[Member, list[int]] = {}
        self._back: dict[Member, list[int]] = {}
        self._frames: dict[View, dict[int, Any]] = {}
        self._sequences: dict[View, Sequence[Any]] = {}

    def post(self, origin: Member | None, *events: Event, back: bool = False) -> None:
        """Add events, which everyone gets, `origin` only if it is to get them `back`."""
        self.events += events
        if origin is not None:
            posted = self._back if back else self._own
            posted.setdefault(origin, []).extend(map(_id, events))

    def refuse(self, ids: Collection[int]) -> list[tuple[Member, Event]]:
        """Take events out again; returns them, each with who posted it."""
        gone = {event.id: event for event in self.events if event.id in ids}
        for member, start in self.starts.items():
            self.starts[member] = start - sum(e.id in gone for e in self.events[:start])
        self.events[:] = [event for event in self.events if event.id not in gone]
        posted = chain(self._own.items(), self._back.items())
        return [(member, gone[id]) for member, ids in posted for id in ids if id in gone]

    def __missing__(self, view: View) -> Any:
        data = self[view] = view.join(list(self._rendered(view).values()))
        return data

    def share(self, member: Member) -> dict[int, Any]:
        """A frame for each event that is for `member`, by the event's id: since it joined or was
        given what was coming, not its own, nobody it ignores.

        From the frames that all share, since rendering anew for each who spoke or joined took
        most of a busy turn.
        """
        frames = self._rendered(member.view)
        start = self.starts.get(member)
        share = dict(islice(frames.items(), start, None)) if start else frames.copy()
        for id in self.hidden(member):
            share.pop(id, None)
        return share

    def rest(self, member: Member, after: int) -> Sequence[Any] | None:
        """What is for one who came in the middle of the turn, if that is all there was since it
        came, and all of it after the event of the id `after`. None if it is not, or for anyone
        else."""
        start = self.starts.get(member)
        own = self._own.get(member)
        if start is None or member.ignored or (own and len(own) > 1):
            return None
        coming = self.events[start : start + 2]
        if own and coming and own[0] == coming[0].id:  # that it joined
            start += 1
            del coming[0]
        elif own and coming and own[0] > coming[0].id:
            return None
        if not coming:
            return ()
        if coming[0].id <= after:
            return None
        self._rendered(member.view)
        return member.view.rest(self._sequences[member.view], start)

    def is_special_for(self, member: Member) -> bool:
        """Whether `member` does not simply get all of it."""
        return bool(member.ignored) or member in self._own or member in self.starts

    def hidden(self, member: Member) -> Collection[int]:
        """The ids of those events that `member` does not get to see."""
        own = self._own.get(member, ())
        if not member.ignored:
            return own
        return {*own, *(event.id for event in self.events if ignores(member, event))}

    def _rendered(self, view: View) -> dict[int, Any]:
        frames = self._frames.get(view)
        if frames is None:
            sequence = self._sequences[view] = view.render(self.events)
            frames = self._frames[view] = dict(zip(map(_id, self.events), sequence, strict=True))
        return frames


def _light(event: Any) -> Event:
    """The event as it is kept."""
    manner = event.manner.light
    light: Event = event if manner is event.manner else event._replace(manner=manner)
    return light


def ignores(member: Member, event: Event) -> bool:
    """Whether `member` asked not to see what this event says."""
    return isinstance(event, (Said, Acted, Tagged)) and fold(event.sender) in member.ignored
