"""Events: facts that nobody can change, told apart by who they are and ordered by id."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from chatroom import events
from chatroom.events import Event, Said, many

KINDS = [getattr(events, name) for name in events.__all__ if name != "many"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_begins_with_its_id_time_room_and_sender(kind: type[Event]) -> None:
    assert issubclass(kind, Event)
    assert [*kind.__match_args__][:5] == ["id", "time", "room", "sender", "shown"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_event_can_be_changed_or_added_to(kind: type[Event]) -> None:
    values: list[Any] = [0 for _ in kind.__match_args__]
    event = kind(*values)
    with pytest.raises(AttributeError):
        event.id = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        event.more = 2  # type: ignore[attr-defined]
    assert not hasattr(event, "__dict__")


def test_two_events_are_two_even_if_they_say_the_same() -> None:
    one, two = (Said(1, 0.0, "#lobby", "ann", "ann", "hi") for _ in range(2))
    assert one != two
    assert len({one, two}) == 2


def test_an_event_can_be_copied_and_kept() -> None:
    said = Said(1, 0.5, "#lobby", "ann", "Ann", text="hi")
    for again in (copy.copy(said), pickle.loads(pickle.dumps(said))):
        assert repr(again) == repr(said)
    assert repr(said) == (
        "Said(id=1, time=0.5, room='#lobby', sender='ann', shown='Ann', text='hi')"
    )


def test_many_are_made_as_each_is() -> None:
    made = many(Said, [(number, 0.5, "#lobby", "ann", "Ann", "hi") for number in range(3)])
    assert [repr(said) for said in made] == [
        repr(Said(number, 0.5, "#lobby", "ann", "Ann", text="hi")) for number in range(3)
    ]


def test_all_names_every_event_of_the_module() -> None:
    defined = {
        name
        for name, value in vars(events).items()
        if isinstance(value, type) and issubclass(value, Event)
    }
    assert {*defined, "many"} == set(events.__all__)
