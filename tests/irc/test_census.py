"""chatroom.protocols.irc.census: counts that are right, and cheap where it matters."""

from __future__ import annotations

from pytest import MonkeyPatch

from chatroom.hub import Hub
from chatroom.member import Listener
from chatroom.protocols.irc import census
from chatroom.protocols.irc.census import Census, Counted


class Door(Listener):
    def __init__(self, modes: str) -> None:
        super().__init__(lambda event: None)
        self.modes = set(modes)


def test_invisible_ones_are_counted_at_any_door() -> None:
    hub = Hub(end_of_turn=lambda end: None)
    count = Census(hub, lambda: 0.0)
    assert count.take() == Counted(0, 0)
    hub.enter(Door("i"), 0, "ann")
    hub.enter(Door("w"), 0, "bob")
    hub.enter(Listener(lambda event: None), 0, "cara")
    assert count.take(roughly=True) == Counted(1, 0)


def test_of_a_crowd_the_last_count_will_do_for_a_second(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(census, "_LARGE", 2)
    now = 0.0
    hub = Hub(end_of_turn=lambda end: None)
    count = Census(hub, lambda: now)
    first = hub.enter(Door("i"), 0, "ann")
    second = hub.enter(Door("i"), 0, "bob")
    assert count.take(roughly=True) == Counted(2, 0)
    third = hub.enter(Door("i"), 0, "cara")
    assert count.take(roughly=True) == Counted(2, 0)
    assert count.take() == Counted(3, 0)
    hub.enter(Door(""), 0, "dan")
    for member in (first, second, third):
        member.door.modes.clear()  # type: ignore[attr-defined]
    assert count.take(roughly=True) == Counted(3, 0)
    now = 1.0
    assert count.take(roughly=True) == Counted(0, 0)


def test_there_are_never_more_of_a_kind_than_there_are(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(census, "_LARGE", 1)
    hub = Hub(end_of_turn=lambda end: None)
    count = Census(hub, lambda: 0.0)
    ann = hub.enter(Door("i"), 0, "ann")
    hub.enter(Door("i"), 0, "bob")
    assert count.take() == Counted(2, 0)
    hub.leave(ann, "", 0)
    assert count.take(roughly=True) == Counted(1, 0)
