"""Events: facts that nobody can change, told apart by who they are and ordered by id."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from chatroom import events
from chatroom.events import Event, Joined, Left, Said, Told, many, milliseconds, seconds
from chatroom.identity import NOBODY, PLAIN, Identity, Manner

FUNCTIONS = {"lasts", "many", "milliseconds", "seconds"}
KINDS = [getattr(events, name) for name in events.__all__ if name not in FUNCTIONS]
ANN = Identity("~ann", "k2f9.ip", "ann")


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


@pytest.mark.parametrize("kind", KINDS)
def test_each_value_is_found_under_the_name_that_it_was_given_by(kind: type[Event]) -> None:
    values: Any = {name: f"the {name}" for name in kind.__match_args__}
    event = kind(**values)
    for name in kind.__match_args__:
        assert getattr(event, name) == f"the {name}"


def test_two_events_are_two_even_if_they_say_the_same() -> None:
    one, two = (Said(1, 0.0, "#lobby", "ann", "ann", "hi") for _ in range(2))
    assert one != two
    assert len({one, two}) == 2


def test_an_event_can_be_copied_and_kept() -> None:
    said = Said(1, 0.5, "#lobby", "ann", "Ann", text="hi", who=ANN, manner=Manner(notice=True))
    for again in (copy.copy(said), pickle.loads(pickle.dumps(said))):
        assert type(again) is Said
        assert repr(again) == repr(said)
    assert repr(said) == (
        "Said(id=1, time=0.5, room='#lobby', sender='ann', shown='Ann', text='hi', "
        f"who={ANN!r}, manner={Manner(notice=True)!r})"
    )


def test_of_whom_and_how_may_be_left_out() -> None:
    said = Said(1, 0.5, "#lobby", "ann", "Ann", "hi")
    assert (said.who, said.manner) == (NOBODY, PLAIN)
    joined = Joined(1, 0.5, "#lobby", "ann", "Ann", 3)
    assert (joined.here, joined.who, joined.away) == (3, NOBODY, None)
    left = Left(1, 0.5, "#lobby", "ann", "Ann", 3, "bye", gone=True)
    assert (left.here, left.reason, left.who, left.gone) == (3, "bye", NOBODY, True)
    told = Told(1, 0.5, None, "ann", "Ann", "bob", "hi", False, ANN)
    assert (told.echo, told.who, told.manner) == (False, ANN, PLAIN)


def test_no_other_value_may() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'text'"):
        Said(1, 0.5, "#lobby", "ann", "Ann")  # type: ignore[call-arg]


def test_many_are_made_as_each_is() -> None:
    rows = [(number, 0.5, "#lobby", "ann", "Ann", "hi", ANN, PLAIN) for number in range(3)]
    made = many(Said, rows)
    assert [repr(said) for said in made] == [repr(Said(*row)) for row in rows]
    assert [said.who for said in made] == [ANN] * 3


def test_a_time_is_the_same_in_milliseconds_after_it_was_kept_in_them() -> None:
    for number in range(100_000):
        kept = 1_790_000_000_000 + number
        assert milliseconds(kept / 1000) == kept == milliseconds(seconds(kept))
    for kept in (-62_135_596_800_001, -1, 0, 1_001, 4_503_599_627, 253_402_300_799_999):
        assert milliseconds(seconds(kept)) == kept


def test_all_names_every_event_of_the_module() -> None:
    defined = {
        name
        for name, value in vars(events).items()
        if isinstance(value, type) and issubclass(value, Event)
    }
    assert defined | FUNCTIONS == set(events.__all__)
