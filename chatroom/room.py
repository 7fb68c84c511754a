"""A room: its members, its topic, its recent lines, and what was posted to it this turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any

from chatroom.events import Acted, Event, Said
from chatroom.member import Member, View
from chatroom.names import fold
from chatroom.phrases import listed

__all__ = ["Batch", "Room", "arrival", "ignores"]


class Room:
    """Members see what is posted in the order of posting. Only the Hub changes it."""

    __slots__ = ("_batch", "members", "name", "recent", "topic", "topic_by")

    def __init__(self, name: str, recent: int) -> None:
        self.name = name
        self.topic = ""
        self.topic_by = ""
        self.members: dict[Member, None] = {}
        self.recent: deque[Event] = deque(maxlen=recent)
        self._batch: Batch | None = None

    def post(self, event: Event, origin: Member | None) -> None:
        """Keep the event, and add it to this turn's batch. `origin` does not get it back."""
        if isinstance(event, (Said, Acted)):
            self.recent.append(event)
        if self._batch is None:
            self._batch = Batch()
        self._batch.events.append(event)
        self._batch.origins.append(origin)

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
        share = self._batch.share(member)
        self._batch.starts[member] = len(self._batch.events)
        return share

    def keep(self, recent: int) -> None:
        """Keep that many lines to show again."""
        self.recent = deque(self.recent, maxlen=recent)

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
    """What was posted to one room in one turn: `events`, and beside each its origin.

    By view, it has all of it as that view writes it: rendered once, the same object for
    everyone who has that view. A dict, since looking it up is on the way of every delivery.
    """

    __slots__ = ("_frames", "events", "origins", "starts")

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.origins: list[Member | None] = []
        self.starts: dict[Member, int] = {}
        self._frames: dict[View, Sequence[Any]] = {}

    def __missing__(self, view: View) -> Any:
        data = self[view] = view.join(self.frames(view))
        return data

    def frames(self, view: View) -> Sequence[Any]:
        """A frame for each event, rendered once for each view in use."""
        frames = self._frames.get(view)
        if frames is None:
            frames = self._frames[view] = view.render(self.events)
        return frames

    def without(self, member: Member) -> Any:
        """The batch for one who spoke in it and wants all else; from the shared frames, since
        rendering anew for each who spoke took most of a busy turn. None if nothing is left."""
        frames = [
            frame
            for frame, origin in zip(self.frames(member.view), self.origins, strict=True)
            if origin is not member
        ]
        return member.view.join(frames) if frames else None

    def share(self, member: Member) -> list[Event]:
        """The events that are for `member`: since it joined or was given its share, not its own,
        nobody it ignores."""
        start = self.starts.get(member, 0)
        return [
            event
            for event, origin in zip(self.events[start:], self.origins[start:], strict=True)
            if origin is not member and not (member.ignored and ignores(member, event))
        ]


def ignores(member: Member, event: Event) -> bool:
    """Whether `member` asked not to see what this event says."""
    return isinstance(event, (Said, Acted)) and fold(event.sender) in member.ignored
