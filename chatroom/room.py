"""A room: its members, its topic, its recent lines, and what was posted to it this turn."""

from __future__ import annotations

from collections import deque
from typing import Any

from chatroom.events import Acted, Event, Said
from chatroom.member import Member, View
from chatroom.names import fold

__all__ = ["Batch", "Room"]


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
        """What `member` gets of this turn so far."""
        return [] if self._batch is None else self._batch.share(member)

    def keep(self, recent: int) -> None:
        """Keep that many lines to show again."""
        self.recent = deque(self.recent, maxlen=recent)

    def take(self) -> Batch:
        """This turn's batch; what is posted from now on belongs to the next."""
        batch, self._batch = self._batch, None
        return batch or Batch()


class Batch:
    """What was posted to one room in one turn, rendered once for each view in use."""

    __slots__ = ("_rendered", "events", "origins", "starts")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.origins: list[Member | None] = []
        self.starts: dict[Member, int] = {}
        self._rendered: dict[View, Any] = {}

    def rendered(self, view: View) -> Any:
        """The whole batch as `view` writes it: the same object for everyone who has that view."""
        data = self._rendered.get(view)
        if data is None:
            data = self._rendered[view] = view.render(self.events)
        return data

    def share(self, member: Member) -> list[Event]:
        """The events that are for `member`: from its joining on, not its own, nobody it ignores."""
        start = self.starts.get(member, 0)
        return [
            event
            for event, origin in zip(self.events[start:], self.origins[start:], strict=True)
            if origin is not member and not (member.ignored and ignores(member, event))
        ]


def ignores(member: Member, event: Event) -> bool:
    """Whether `member` asked not to see what this event says."""
    return isinstance(event, (Said, Acted)) and fold(event.sender) in member.ignored
