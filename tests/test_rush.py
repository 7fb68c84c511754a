"""The measuring of the reactor's turns while many come at once."""

from __future__ import annotations

import os

import pytest
from twisted.internet.task import Clock

from benchmarks import rush
from benchmarks.rush import Stage, Turn, Turns, longest, main, measure


def test_a_turn_lasts_from_one_timed_call_to_the_next() -> None:
    clock = Clock()
    turns = Turns(clock, clock.seconds)
    turns.start()
    for _ in range(5):
        clock.advance(0.001)
    assert turns.long == []
    clock.advance(0.5)
    clock.advance(0.001)
    ((began, seconds, cpu),) = turns.long
    assert began == pytest.approx(0.005)
    assert seconds == pytest.approx(0.5)
    assert cpu < 0.5


def test_the_longest_turn_is_one_of_those_that_were_going_on() -> None:
    turns = [Turn(1.0, 9.0, 0.0), Turn(10.0, 2.0, 0.0), Turn(12.0, 4.0, 0.0), Turn(16.0, 8.0, 0.0)]
    assert longest(turns, 10.5, 15.0) == turns[2]
    assert longest(turns, 10.5, 11.0) == turns[1]
    assert longest(turns, 30.0, 31.0).seconds < 0.01


def test_all_of_a_small_rush_come_join_and_leave() -> None:
    measured = measure(3, 4, os.sched_getaffinity(0))
    assert [stage.says for stage, _ in measured] == [
        "3 come",
        "3 join",
        "4 come",
        "4 join",
        "4 leave",
    ]
    assert all(stage.ended > stage.began for stage, _ in measured)
    assert all(0 < turn.seconds < 5 for _, turn in measured)


@pytest.mark.parametrize(("seconds", "status"), [(0.05, 0), (0.15, 1)])
def test_a_turn_over_the_mark_is_the_exit_status(
    seconds: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = [(Stage("1 join", 1.0, 3.0), Turn(1.0, seconds, seconds / 2))]
    monkeypatch.setattr(rush, "measure", lambda there, more, cpus: measured)
    affinity = os.sched_getaffinity(0)
    try:
        assert main([]) == status
    finally:
        os.sched_setaffinity(0, affinity)
    assert "| 1 join | 2.00 s " in capsys.readouterr().out
