"""chatroom.process: signals, descriptors, and a clock that does not step."""

from __future__ import annotations

import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.error import ReactorNotRunning
from twisted.internet.task import Clock

from chatroom import process
from chatroom.process import (
    descriptors_for,
    ignore_signals,
    on_hangup,
    stop_on_terminate,
    use_steady_clock,
)

INFINITE = resource.RLIM_INFINITY


class Reactor(Clock):
    """A clock that is told things by signals, and stops once."""

    sigTerm: Any

    def __init__(self) -> None:
        super().__init__()
        self.queue: list[Callable[[], object]] = []
        self.stops = 0

    def callFromThread(self, function: Callable[[], object]) -> None:
        self.queue.append(function)

    def stop(self) -> None:
        self.stops += 1
        if self.stops > 1:
            raise ReactorNotRunning("Can't stop reactor that isn't running.")

    def turn(self) -> None:
        queue, self.queue = self.queue, []
        for function in queue:
            function()


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    """The signals are as before, after the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    yield Reactor()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_hangup_reloads_in_the_reactor_and_not_in_the_signal(reactor: Reactor) -> None:
    reloads: list[str] = []
    on_hangup(reactor, lambda: reloads.append("reload"))
    signal.raise_signal(signal.SIGHUP)
    assert reloads == []
    reactor.turn()
    assert reloads == ["reload"]


def test_hangups_that_come_together_reload_once_and_none_is_forgotten(reactor: Reactor) -> None:
    reloads: list[str] = []

    def reload() -> None:
        reloads.append("reload")
        if len(reloads) == 1:
            signal.raise_signal(signal.SIGHUP)  # the file may have changed since it was read

    on_hangup(reactor, reload)
    for _ in range(100):
        signal.raise_signal(signal.SIGHUP)
    for turns in (1, 2, 2):
        reactor.turn()
        assert len(reloads) == turns


def test_a_second_terminate_does_no_harm(reactor: Reactor) -> None:
    stop_on_terminate(reactor)
    signal.raise_signal(signal.SIGTERM)
    assert reactor.stops == 0
    reactor.turn()
    assert reactor.stops == 1
    signal.raise_signal(signal.SIGTERM)
    reactor.turn()
    assert reactor.stops == 2


def test_a_reactor_that_takes_sigterm_for_itself_takes_ours(reactor: Reactor) -> None:
    """As Twisted's does when it starts: there is no moment at which the signal would kill."""
    stop_on_terminate(reactor)
    signal.signal(signal.SIGTERM, reactor.sigTerm)
    signal.raise_signal(signal.SIGTERM)
    reactor.turn()
    assert reactor.stops == 1


def test_what_is_ignored_stays_so_while_the_interpreter_goes_down(reactor: Reactor) -> None:
    stop_on_terminate(reactor)
    on_hangup(reactor, reactor.stop)
    ignore_signals()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_IGN
    assert reactor.queue == []


def test_timers_run_by_a_clock_that_does_not_step() -> None:
    reactor = Clock()
    use_steady_clock(reactor)
    before = time.monotonic()
    assert before <= reactor.seconds() <= time.monotonic()


def test_timers_that_run_already_keep_their_clock() -> None:
    reactor = Clock()
    reactor.callLater(60, list)
    use_steady_clock(reactor)
    assert reactor.seconds() == 0.0


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "becomes", "fit"),
    [
        pytest.param(8192, 8192, 4096, 8192, 4096, id="enough"),
        pytest.param(1024, 8192, 4096, 4128, 4096, id="raised as far as needed"),
        pytest.param(1024, 2048, 4096, 2048, 2016, id="raised as far as it may"),
        pytest.param(1024, INFINITE, 4096, 4128, 4096, id="raised without bound"),
        pytest.param(INFINITE, INFINITE, 4096, INFINITE, 4096, id="unlimited"),
        pytest.param(INFINITE, INFINITE, None, INFINITE, None, id="any number in any number"),
        pytest.param(1024, 8192, None, 8192, 8160, id="any number takes what there is"),
        pytest.param(1024, INFINITE, None, INFINITE, None, id="any number, unlimited"),
        pytest.param(64, 64, 4096, 64, 32, id="small"),
        pytest.param(16, 16, 4096, 16, 1, id="smaller than what is kept free"),
        pytest.param(128, 256, 64, 128, 64, id="few wanted"),
    ],
)
def test_descriptors_are_raised_to_what_the_connections_take(
    monkeypatch: pytest.MonkeyPatch,
    soft: int,
    hard: int,
    connections: int | None,
    becomes: int,
    fit: int | None,
) -> None:
    limits = (soft, hard)

    def set_limits(_which: int, new: tuple[int, int]) -> None:
        nonlocal limits
        limits = new

    monkeypatch.setattr(resource, "getrlimit", lambda _which: limits)
    monkeypatch.setattr(resource, "setrlimit", set_limits)
    assert descriptors_for(connections) == fit
    assert limits == (becomes, hard)


def test_descriptors_that_may_not_be_raised_are_lived_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """macOS has a hard limit without bound, and refuses more than the kernel's own maximum."""

    def refuse(_which: int, _limits: Any) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _which: (256, INFINITE))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert descriptors_for(4096) == 224


@pytest.fixture
def tidied(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """How often there was a collection by now, after ten more calls (one, with no connections)
    with so many connections and MiB."""
    now = {"connections": 0, "mib": 100}
    collections: list[int] = []
    monkeypatch.setattr(process, "_resident", lambda: now["mib"] * 2**20)
    monkeypatch.setattr("gc.collect", lambda: collections.append(0))
    tidy = process.Tidying(lambda: now["connections"])

    def after(**given: int) -> int:
        now.update(given)
        for _ in range(10 if now["connections"] else 1):
            tidy()
        return len(collections)

    return after


def test_what_was_freed_is_given_back_after_growth(tidied: Callable[..., int]) -> None:
    assert tidied(connections=3, mib=100) == 0
    assert tidied(mib=105) == 1
    assert tidied(mib=108) == 1
    assert tidied(mib=109) == 2


def test_what_was_freed_is_given_back_after_half_or_all_of_the_connections_left(
    tidied: Callable[..., int],
) -> None:
    assert tidied(connections=500, mib=103) == 0
    assert tidied(connections=200) == 0, "it has not grown"
    assert tidied(connections=600, mib=120) == 1
    assert tidied(connections=301) == 1
    assert tidied(connections=300) == 2
    assert tidied(connections=160) == 2
    assert tidied(connections=150) == 3
    assert tidied(connections=0) == 4


def test_who_comes_and_goes_alone_is_no_cause(tidied: Callable[..., int]) -> None:
    """Also where what was there since the start cannot be given back."""
    assert tidied(connections=1, mib=120) == 1
    for _ in range(20):
        assert tidied(connections=0) == 1
        assert tidied(connections=99) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells so")
def test_the_process_knows_its_size() -> None:
    assert 2**20 < process._resident() < 2**34
