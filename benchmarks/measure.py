"""The rounds: each peer in each layout, one after another, then all again."""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from benchmarks.client import Task
from benchmarks.layouts import Layout, Load, Plan
from benchmarks.peers import Peer
from benchmarks.processes import ROOT, Failure, start, stop
from benchmarks.results import ARRIVAL, IDLE, Results, Row
from benchmarks.server import Server
from benchmarks.usage import Usage, used_by

__all__ = ["Bench", "measure", "too_late"]

# All has come; the server may still have to go back to its wait.
_LAST_STROKES = 0.02
_ARRIVAL_SECONDS = 180.0
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Bench:
    """What all measurements share: compiled programs and certificates by name, and the CPUs of
    the servers and of the generator."""

    files: Mapping[str, str]
    generator: str
    server_cpus: frozenset[int]
    generator_cpus: frozenset[int]

    @classmethod
    def cpus(cls) -> tuple[frozenset[int], frozenset[int]]:
        """The generator has the last CPU to itself, if there is more than one."""
        *most, last = sorted(os.sched_getaffinity(0))
        return frozenset(most or [last]), frozenset([last])


class _Clients:
    """The clients' process, seen from here."""

    def __init__(self, bench: Bench, task: Task) -> None:
        self._process = start(
            (sys.executable, "-m", "benchmarks.crowd"),
            set(bench.generator_cpus),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._in: Any = self._process.stdin
        self._out: Any = self._process.stdout
        self._answer_seconds = task.seconds + _ANSWER_SECONDS
        self._tell(json.dumps(asdict(task)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        stop(self._process)
        self._out.close()
        with suppress(BrokenPipeError):
            self._in.close()

    def used(self) -> Usage:
        """What it used so far."""
        return used_by([self._process.pid])

    def _tell(self, line: str) -> None:
        self._in.write(line + "\n")
        self._in.flush()

    def hear(self) -> dict[str, Any]:
        """Its next answer. Raises Failure."""
        ready, _, _ = select.select([self._out], [], [], self._answer_seconds)
        line = self._out.readline() if ready else ""
        if not line:
            raise Failure("The clients' process gave no answer.")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failure(answer["error"])
        return answer

    def ask(self, line: str) -> dict[str, Any]:
        """Tell it something, and its answer."""
        self._tell(line)
        return self.hear()


def measure(
    bench: Bench, plan: Plan, peers: Sequence[Peer], results: Results, done: Callable[[Row], object]
) -> Iterator[int]:
    """Add rows to the results, `done` with each; yields after each round. What fails is a row
    with its error."""
    order = random.Random(1)
    began = time.monotonic()
    for number in range(1, plan.rounds + 1):
        if too_late(plan, number, time.monotonic() - began):
            return
        for layout in plan.layouts:
            fitting = [peer for peer in peers if peer.fits(layout)]
            for peer in order.sample(fitting, len(fitting)):
                for row in _guarded(bench, plan, layout, peer, number):
                    results.rows.append(row)
                    done(row)
        yield number


def too_late(plan: Plan, number: int, elapsed: float) -> bool:
    """Whether this round would end after the plan's time, if it takes as long as those before."""
    return number > 1 and elapsed * number / (number - 1) > plan.most_seconds


def _guarded(bench: Bench, plan: Plan, layout: Layout, peer: Peer, number: int) -> Iterator[Row]:
    expected = [ARRIVAL, *(load.name for load in layout.loads)]
    try:
        for row in _one(bench, plan, layout, peer, number):
            if row.load in expected:
                expected.remove(row.load)
            yield row
    except (Failure, OSError) as failure:
        for load in expected:
            yield Row(number, layout.name, load, peer.name, layout.people, error=str(failure))


def _one(bench: Bench, plan: Plan, layout: Layout, peer: Peer, number: int) -> Iterator[Row]:
    """One server with one crowd: how it came in, then each load."""
    with TemporaryDirectory(prefix="chatroom-bench-") as name:
        folder = Path(name)
        with Server(peer, folder, bench.files, set(bench.server_cpus)) as server:
            empty = server.used()
            with _Clients(bench, _task(bench, layout, peer, server.port, folder)) as clients:
                row = partial(Row, number, layout.name, peer=peer.name, people=layout.people)
                yield row(ARRIVAL, **_arrival(server, clients, empty))
                if layout.idle_seconds:
                    yield row(IDLE, **_idle(server, layout.idle_seconds))
                clients.ask("ready")
                for load in layout.loads:
                    clients.ask(_words(load, layout.warm_up or plan.warm_up))
                    seconds = plan.seconds if load.kind == "closed" else plan.open_seconds
                    yield row(load.name, **_under(load, seconds, server, clients))


def _arrival(server: Server, clients: _Clients, empty: Usage) -> dict[str, Any]:
    seconds = clients.hear()["seconds"]
    server.settle()
    full = server.used()
    return {
        "seconds": seconds,
        "server_cpu": full.cpu - empty.cpu,
        "generator_cpu": clients.used().cpu,
        "memory": full.memory - empty.memory,
    }


def _idle(server: Server, seconds: float) -> dict[str, Any]:
    was = server.used()
    time.sleep(seconds)
    return {"seconds": seconds, "server_cpu": server.used().cpu - was.cpu}


def _under(load: Load, seconds: float, server: Server, clients: _Clients) -> dict[str, Any]:
    """What a load takes, from rest to rest: nothing is under way when the CPU is read."""
    time.sleep(_LAST_STROKES)
    was, clients_was = server.used(), clients.used()
    told = clients.ask(_words(load, seconds))
    time.sleep(_LAST_STROKES)
    if told.pop("extra"):
        raise Failure("More came than the lines that were said.")
    told["server_cpu"] = server.used().cpu - was.cpu
    # It never sleeps, but what it spends waiting is not the price of its work.
    told["generator_cpu"] = max(0.0, clients.used().cpu - clients_was.cpu - told.pop("idle"))
    return told


def _task(bench: Bench, layout: Layout, peer: Peer, port: int, folder: Path) -> Task:
    return Task(
        port=port,
        dialect=peer.dialect.name,
        members=layout.members,
        senders=layout.senders,
        rooms=layout.rooms,
        text=layout.text,
        slow=layout.slow,
        private=layout.private,
        tls=layout.tls,
        at_once=min(peer.backlog, layout.at_once),
        seconds=_ARRIVAL_SECONDS,
        generator="" if layout.tls else bench.generator,
        table=str(folder / "table"),
    )


def _words(load: Load, seconds: float) -> str:
    return f"{load.kind} {load.size} {seconds}"
