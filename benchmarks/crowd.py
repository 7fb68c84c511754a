"""The clients of one server, in a process of their own: `python -m benchmarks.crowd`.

Its first line of input says whom to bring in (a Task, as JSON); its first line of output, that
they are in. Then it reads all that comes until a line says `ready`, finds out by one line how
long lines are when they come, says so, and turns into the generator.
"""

from __future__ import annotations

import json
import os
import select
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from benchmarks.client import Client, Place, Task, line_of, places, text_of
from benchmarks.dialects import DIALECTS
from benchmarks.generator import PATIENCE, Generator, Voice, count_bytes
from benchmarks.processes import Failure

_QUIET_SECONDS = 0.2
_HEARD_SECONDS = 20.0


class Crowd:
    """Everyone, by descriptor."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._epoll = select.epoll()
        self._clients: dict[int, Client] = {}
        self._tls: ssl.SSLContext | None = None
        if task.tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._tls.check_hostname = False
            self._tls.verify_mode = ssl.CERT_NONE

    def arrive(self) -> None:
        """Bring everyone in. Raises Failure."""
        deadline = time.monotonic() + self._task.seconds
        waiting = places(self._task)
        coming: dict[int, Client] = {}
        self._let_in(waiting, coming)
        while coming:
            left = deadline - time.monotonic()
            if left < 0:
                one = next(iter(coming.values())).waits()
                raise Failure(f"after {self._task.seconds:.0f} s {len(coming)} still {one}")
            for fd, event in self._epoll.poll(min(left, PATIENCE)):
                client = self._clients[fd]
                if client.arrived:
                    count_bytes(client.socket)
                    continue
                if event & select.EPOLLOUT:
                    self._epoll.modify(fd, select.EPOLLIN)
                client.go_on()
                if client.arrived:
                    del coming[fd]
                    if client.place.slow:
                        self._epoll.unregister(fd)
                    self._let_in(waiting, coming)

    def _let_in(self, waiting: Iterator[Place], coming: dict[int, Client]) -> None:
        while len(coming) < self._task.at_once and (place := next(waiting, None)):
            client = Client(self._task, place, self._tls)
            fd = client.socket.fileno()
            self._clients[fd] = coming[fd] = client
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLOUT)

    def listen(self, until: int) -> None:
        """Read all that comes, until there is something in `until` and then nothing more."""
        self._epoll.register(until, select.EPOLLIN)
        told = False
        while events := self._epoll.poll(_QUIET_SECONDS if told else None):
            for fd, _ in events:
                if fd == until:
                    told = True
                    self._epoll.unregister(until)
                else:
                    count_bytes(self._clients[fd].socket)

    def voices(self) -> list[Voice]:
        """All who read, as the generator knows them. One line tells how long lines are when
        they come; Failure if that is not what was said, or not the same for all."""
        task = self._task
        clients = [client for client in self._clients.values() if not client.place.slow]
        speaker, *others = (client for client in clients if client.place.room == 0)
        heard = self._hear_once(speaker, others)
        back = len(heard.pop(speaker, b""))
        line = heard[others[0]]
        if text_of(task).encode() not in line or set(heard.values()) != {line}:
            raise Failure(f"said {line_of(task, speaker.place)!r}, heard {set(heard.values())!r}")
        if back and back != len(line) and not task.private:
            raise Failure(f"lines come with {len(line)} bytes, but with {back} to who said them")
        even = DIALECTS[task.dialect].even
        return [
            Voice(
                client.socket,
                client.place.room,
                unit=(back if task.private and back and client.place.speaks else len(line)) * even,
                own=not back,
                line=line_of(task, client.place) if client.place.speaks else b"",
            )
            for client in clients
        ]

    def _hear_once(self, speaker: Client, others: list[Client]) -> dict[Client, bytes]:
        """What each hears of one line."""
        heard: dict[Client, bytes] = {}
        missing = set(others)
        speaker.socket.send(line_of(self._task, speaker.place))
        deadline = time.monotonic() + _HEARD_SECONDS
        while time.monotonic() < deadline:
            events = self._epoll.poll(_QUIET_SECONDS)
            if not (events or missing):
                return heard
            for fd, _ in events:
                client = self._clients[fd]
                with suppress(ssl.SSLWantReadError):
                    heard[client] = heard.get(client, b"") + client.read()
                    if heard[client].endswith(b"\n"):
                        missing.discard(client)
        raise Failure(f"{len(missing)} of {len(others)} did not hear a line")

    def leave_open(self) -> None:
        """Let the next program have the connections."""
        for fd in self._clients:
            os.set_inheritable(fd, True)


def generate(task: Task, crowd: Crowd, voices: list[Voice]) -> None:
    """Be the generator: the program that was given, or else the one in Python."""
    if task.generator:
        with open(task.table, "w") as table:
            for voice in voices:
                words = voice.socket.fileno(), voice.room, voice.unit, int(voice.own)
                print(*words, voice.line.hex() or "-", file=table)
        crowd.leave_open()
        os.execv(task.generator, [task.generator, task.table])
    generator = Generator(voices)
    for line in sys.stdin:
        kind, size, seconds = line.split()
        tell(**generator.run(kind, float(size), float(seconds)))


def tell(**what: Any) -> None:
    """One line of output."""
    print(json.dumps(what), flush=True)


def main() -> None:
    """The whole of it. What goes wrong is told as `error`."""
    crowd = Crowd(task := Task(**json.loads(sys.stdin.readline())))
    try:
        begin = time.monotonic()
        crowd.arrive()
        tell(seconds=time.monotonic() - begin)
        crowd.listen(sys.stdin.fileno())
        if sys.stdin.readline():
            voices = crowd.voices()
            tell(unit=voices[-1].unit)
            generate(task, crowd, voices)
    except Failure as failure:
        tell(error=str(failure))


if __name__ == "__main__":
    main()
