"""One client: where it belongs, what it says on its way in, and what it says then."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.dialects import DIALECTS, Step, nick, room
from benchmarks.processes import Failure

__all__ = ["Client", "Place", "Task", "line_of", "places", "steps_of", "text_of"]

_READ = 1 << 16
_TAIL = 4096
_SLOW_BUFFER = 4096
_ETHERNET = 1460
_TEXT = "the quick brown fox jumps over the lazy dog and "


@dataclass(frozen=True)
class Task:
    """Whom to bring in, and how; see Layout. `at_once` are on their way in at one time, all
    are in within `seconds`. `generator` is the program to become ('' is the one in Python),
    which finds its table in `table`."""

    port: int
    dialect: str
    members: int
    senders: int
    rooms: int
    text: int
    slow: int
    private: bool
    tls: bool
    at_once: int
    seconds: float
    generator: str
    table: str


class Place(NamedTuple):
    """Where a client belongs."""

    number: int
    room: int
    speaks: bool
    slow: bool


def places(task: Task) -> Iterator[Place]:
    """Everyone, in the order of coming: who speaks comes first, who never reads comes last."""
    readers = task.members * task.rooms
    for number in range(readers):
        yield Place(number, number % task.rooms, number // task.rooms < task.senders, False)
    for number in range(readers, readers + task.slow):
        yield Place(number, 0, False, True)


def steps_of(task: Task, place: Place) -> list[Step]:
    """What a client says on its way in, and what it waits for."""
    dialect = DIALECTS[task.dialect]
    steps = list(dialect.enter)
    if place.speaks or task.private:
        steps += dialect.take_nick
    if task.rooms > 1 and not task.private:
        steps += dialect.move
    names = {"nick": nick(place.number), "room": room(0 if task.private else place.room)}
    return [Step(step.say.format(**names), step.until.format(**names)) for step in steps]


def text_of(task: Task) -> str:
    """What is said."""
    return (_TEXT * (task.text // len(_TEXT) + 1))[: task.text - 1] + "."


def line_of(task: Task, place: Place) -> bytes:
    """What a speaker says, as it goes out."""
    dialect = DIALECTS[task.dialect]
    say = dialect.private if task.private else dialect.say
    partner = place.number + task.rooms
    names = {"nick": nick(place.number), "room": room(place.room), "to": nick(partner)}
    return say.format(text=text_of(task), **names).encode()


class Client:
    """One connection to the server, made at once."""

    def __init__(self, task: Task, place: Place, tls: ssl.SSLContext | None) -> None:
        self.place = place
        self.arrived = False
        self.socket = socket.socket()
        self._tls = tls
        self._steps = iter(steps_of(task, place))
        self._until = b""
        self._tail = b""
        self._connected = False
        if place.slow:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER)
            # As over Ethernet: with the loopback's segments, the kernel keeps 2.5 MB for it.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _ETHERNET)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        wrong = self.socket.connect_ex(("127.0.0.1", task.port))
        if wrong not in (0, errno.EINPROGRESS):
            raise Failure(f"cannot connect: {os.strerror(wrong)}")

    def go_on(self) -> None:
        """There is something to read, or it is connected. Raises Failure."""
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            if not self._connected:
                self._connect()
            while not self.arrived:
                self._tail += self.read()
                if self._until in self._tail:
                    self._next()
                else:
                    self._tail = self._tail[-_TAIL:]

    def _connect(self) -> None:
        if self._tls is not None:
            if not isinstance(self.socket, ssl.SSLSocket):
                self.socket = self._tls.wrap_socket(self.socket, do_handshake_on_connect=False)
            self.socket.do_handshake()
        self._connected = True
        self._next()

    def _next(self) -> None:
        step = next(self._steps, None)
        self.arrived = step is None
        if step is not None:
            self._until, self._tail = step.until.encode(), b""
            if step.say:
                self.socket.send(step.say.encode())

    def read(self) -> bytes:
        """What has come. Raises Failure at its end, and as reading does if nothing has."""
        try:
            data = self.socket.recv(_READ)
        except ConnectionError:
            data = b""
        if not data:
            raise Failure(f"the server closed a connection that {self.waits()}")
        return data

    def waits(self) -> str:
        """What it waits for, and what it has instead."""
        return f"waited for {self._until!r} after {self._tail[-200:]!r}"
