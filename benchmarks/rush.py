"""How long the daemon keeps everyone waiting while a thousand join a room of a thousand:
`python -m benchmarks.rush`.

While the reactor is in one turn, nobody is heard. The daemon measures its turns itself: in its
process a timed call is due every millisecond, and how far one is from the next is the length of
the turn in between. The clients are a process of their own, on another CPU if there is one.

They have the capabilities that people's programs ask for, or none, by turns. All connect and say
who they are, as fast as they can; then all of them join at once.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks.dialects import nick, room
from benchmarks.measure import Bench
from benchmarks.peers import by_name
from benchmarks.processes import ROOT, Failure, free_ports, start, stop
from benchmarks.quantities import quantity
from benchmarks.report import table

__all__ = ["Guest", "Guests", "Stage", "Turn", "Turns", "longest", "main", "measure", "rush"]

MARK = 0.1
"""No turn may take longer, in seconds."""

_CAPABILITIES = (
    "",
    # irssi 1.4, WeeChat 3.8
    "account-notify away-notify chghost extended-join invite-notify multi-prefix server-time",
    "account-notify away-notify chghost extended-join message-tags server-time userhost-in-names",
)
_TICK = 0.001
_PATIENCE = 60.0
_QUIET_SECONDS = 0.3
_READ = 1 << 16
_TAIL = 200
_ROOM = room(0)


class Turn(NamedTuple):
    """When a turn began (the monotonic clock), how long it took, how much of that was the CPU's;
    in seconds."""

    began: float
    seconds: float
    cpu: float


class Turns:
    """Those of the reactor that it is in which were longer than a tick or two, from `start` on."""

    def __init__(self, reactor: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self.long: list[Turn] = []
        self._reactor = reactor
        self._clock = clock

    def start(self) -> None:
        """Measure from now on."""
        self._last, self._last_cpu = self._clock(), time.thread_time()
        self._reactor.callLater(_TICK, self._tick)

    def _tick(self) -> None:
        last, last_cpu = self._last, self._last_cpu
        self.start()
        if self._last - last > 2 * _TICK:
            self.long.append(Turn(last, self._last - last, self._last_cpu - last_cpu))


def longest(turns: Sequence[Turn], began: float, ended: float) -> Turn:
    """Of those that were not over when something `began`, and were not begun when it `ended`."""
    inside = (turn for turn in turns if turn.began + turn.seconds > began and turn.began < ended)
    return max(inside, key=lambda turn: turn.seconds, default=Turn(began, _TICK, 0.0))


def serve(path: str, words: list[str]) -> None:
    """Be the daemon, `twistd` with these words; its turns are in the file `path` at the end."""
    from twisted.internet import reactor
    from twisted.scripts import twistd

    turns = Turns(reactor)
    loop: Any = reactor
    loop.callWhenRunning(turns.start)
    loop.addSystemEventTrigger(
        "after", "shutdown", lambda: Path(path).write_text(json.dumps(turns.long))
    )
    sys.argv = ["twistd", *words]
    twistd.run()


@contextmanager
def _daemon(folder: Path, cpus: set[int]) -> Iterator[tuple[int, Any]]:
    """Its port and process, once it listens."""
    (port,) = free_ports(1)
    peer = replace(by_name["chatroom-irc"], store="chatroom.db")
    (folder / "config").write_text(peer.filled({"port": str(port)}))
    command = (sys.executable, "-m", "benchmarks.rush", "--serve", str(folder / "turns"))
    words = ("-n", "--pidfile=", "--rundir", str(folder), "chatroom", "-c", str(folder / "config"))
    with (folder / "log").open("wb") as log:
        process = start((*command, *words), cpus, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"The daemon did not start: {(folder / 'log').read_text()}")
            time.sleep(0.02)
        yield port, process
    finally:
        stop(process)


class Guest:
    """A client that is connected; `until` is what it waits for."""

    def __init__(self, port: int, number: int) -> None:
        self.nick = nick(number)
        self.caps = _CAPABILITIES[number % len(_CAPABILITIES)]
        self.until = b""
        self._tail = b""
        self.socket = socket.create_connection(("127.0.0.1", port), _PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.socket.setblocking(False)

    def say(self, text: str, until: str) -> None:
        """Say it, and wait for that."""
        self.until, self._tail = until.encode(), b""
        self.socket.send(text.encode())

    def register(self) -> None:
        """Say who it is."""
        caps = f"CAP REQ :{self.caps}\r\nCAP END\r\n" if self.caps else ""
        text = f"{caps}NICK {self.nick}\r\nUSER {self.nick} 0 * :{self.nick}\r\n"
        self.say(text, f" 422 {self.nick} ")

    def join(self) -> None:
        """Enter the room."""
        self.say(f"JOIN {_ROOM}\r\n", f" 366 {self.nick} ")

    def read(self) -> bool:
        """Whether what it waited for has come, with what there is to read now. Raises Failure."""
        data = self.socket.recv(_READ)
        if not data:
            raise Failure(f"The daemon closed {self.nick}'s connection: {self._tail!r}")
        if not self.until:
            return False
        self._tail += data
        if self.until in self._tail:
            self.until = b""
            return True
        self._tail = self._tail[-_TAIL:]
        return False


class Guests:
    """All of them."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._guests: dict[int, Guest] = {}

    @property
    def all(self) -> list[Guest]:
        """All who are connected."""
        return list(self._guests.values())

    def connect(self, port: int, number: int) -> list[Guest]:
        """So many more connections, one after another."""
        first = len(self._guests)
        new = [Guest(port, first + each) for each in range(number)]
        for guest in new:
            self._guests[guest.socket.fileno()] = guest
            self._epoll.register(guest.socket.fileno(), select.EPOLLIN)
        return new

    def wait(self, guests: Sequence[Guest]) -> None:
        """Read all that comes to everyone, until these have what they wait for. Raises Failure."""
        deadline = time.monotonic() + _PATIENCE
        missing = sum(bool(guest.until) for guest in guests)
        while missing:
            if time.monotonic() > deadline:
                raise Failure(f"{missing} of {len(guests)} were not in after {_PATIENCE:.0f} s.")
            for fd, _ in self._epoll.poll(1.0):
                missing -= self._guests[fd].read()

    def rest(self) -> None:
        """Read what still comes, until nothing does."""
        while events := self._epoll.poll(_QUIET_SECONDS):
            for fd, _ in events:
                self._guests[fd].read()

    def leave(self, guests: Sequence[Guest]) -> None:
        """Close their connections, without a word."""
        for guest in guests:
            del self._guests[guest.socket.fileno()]
            guest.socket.close()


class Stage(NamedTuple):
    """Something that many did at once, from when to when (the monotonic clock)."""

    says: str
    began: float
    ended: float


def rush(guests: Guests, port: int, there: int, more: int) -> Iterator[Stage]:
    """`there` come, then `more`, who leave again. Raises Failure."""
    for number in (there, more):
        began = time.monotonic()
        new = guests.connect(port, number)
        for what, act in (("come", Guest.register), ("join", Guest.join)):
            for guest in new:
                act(guest)
            guests.wait(new)
            yield Stage(f"{number:,} {what}", began, time.monotonic())
            guests.rest()
            began = time.monotonic()
    guests.leave(new)
    guests.rest()
    yield Stage(f"{more:,} leave", began, time.monotonic() - _QUIET_SECONDS)


def measure(there: int, more: int, cpus: set[int]) -> list[tuple[Stage, Turn]]:
    """Each stage, and the longest turn of a daemon on these CPUs meanwhile. Raises Failure."""
    with TemporaryDirectory(prefix="chatroom-rush-") as name:
        folder = Path(name)
        with _daemon(folder, cpus) as (port, process):
            guests = Guests()
            stages = list(rush(guests, port, there, more))
            guests.leave(guests.all)
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE)
        turns = [Turn(*turn) for turn in json.loads((folder / "turns").read_text())]
    return [(stage, longest(turns, stage.began, stage.ended)) for stage in stages]


def main(words: Sequence[str]) -> int:
    """The exit status: 1 when a turn took longer than MARK."""
    if words[:1] == ["--serve"]:
        serve(words[1], list(words[2:]))
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rush", description=__doc__)
    parser.add_argument("--there", type=int, default=1000, help="how many come first")
    parser.add_argument("--more", type=int, default=1000, help="how many come then, and leave")
    given = parser.parse_args(words)
    server_cpus, own_cpus = Bench.cpus()
    os.sched_setaffinity(0, own_cpus)
    measured = measure(given.there, given.more, set(server_cpus))
    rows = [
        [
            stage.says,
            quantity(stage.ended - stage.began, "s"),
            quantity(turn.seconds, "s"),
            quantity(turn.cpu, "s"),
        ]
        for stage, turn in measured
    ]
    print(table(["", "it takes", "longest turn", "of the CPU's"], rows))
    most = max(turn.seconds for _, turn in measured)
    print(f"\nThe longest turn took {quantity(most, 's')}; the most may be {quantity(MARK, 's')}.")
    return int(most > MARK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
