"""The twin of generator.c, for TLS and where there is no compiler: same tasks, same results.

It never sleeps either, while there is a second CPU.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from benchmarks.processes import Failure

__all__ = ["PATIENCE", "Generator", "Voice", "Window", "count_bytes", "share"]

STALLED = 5.0
PATIENCE = 0.0 if (os.cpu_count() or 1) > 1 else 0.001
_READ = 1 << 20
_scratch = bytearray(_READ)


@dataclass(slots=True, eq=False)
class Voice:
    """A member. `unit`, `own` and `line` are those of generator.c's table; `line` is b'' for
    one that never speaks."""

    socket: socket.socket
    room: int
    unit: int
    own: bool
    line: bytes
    read: int = 0
    come: int = 0
    owed: bytes = b""
    asked: bool = False


class Window:
    """The lines under way in one room: how many members have come how far.

    `sent` counts the lines sent, `low` those that have reached everyone.
    """

    __slots__ = ("_at", "_times", "low", "sent")

    def __init__(self, members: int) -> None:
        self.sent = 0
        self.low = 0
        self._at = Counter({0: members})
        self._times: deque[float] = deque()

    def send(self, at: float) -> None:
        """One more line was sent."""
        self.sent += 1
        self._times.append(at)

    def move(self, come: int, lines: int) -> Iterator[float]:
        """A member that had come to `come` has read `lines` more; for each line that has
        reached everyone by that, when it was sent. Raises Failure for more than was sent."""
        if come + lines > self.sent:
            raise Failure("more came than was sent: the server says something else, too")
        self._at[come] -= 1
        self._at[come + lines] += 1
        while self.low < self.sent and not self._at[self.low]:
            del self._at[self.low]
            self.low += 1
            yield self._times.popleft()


@dataclass(slots=True)
class _Room:
    members: list[Voice] = field(default_factory=list)
    speakers: deque[Voice] = field(default_factory=deque)
    window: Window = field(default_factory=lambda: Window(0))


class Generator:
    """Speaks and listens for `crowd`."""

    def __init__(self, crowd: Sequence[Voice]) -> None:
        self._rooms = [_Room() for _ in range(1 + max(voice.room for voice in crowd))]
        self._voices = {voice.socket.fileno(): voice for voice in crowd}
        self._epoll = select.epoll()
        for fd, voice in self._voices.items():
            self._rooms[voice.room].members.append(voice)
            if voice.line:
                self._rooms[voice.room].speakers.append(voice)
            self._epoll.register(fd, select.EPOLLIN)
        self._latencies: list[float] = []
        self._late = self._idle = 0.0

    def run(self, task: str, size: float, seconds: float) -> dict[str, float]:
        """The figures of one task."""
        for room in self._rooms:
            room.window = Window(len(room.members))
        for voice in self._voices.values():
            voice.come = voice.read = 0
        self._latencies, self._late, self._idle = [], 0.0, 0.0
        begin = time.monotonic()
        (self._closed if task == "closed" else self._opened)(size, begin, seconds)
        while any(room.window.low < room.window.sent for room in self._rooms):
            self._listen()
        return self._figures(time.monotonic() - begin)

    def _figures(self, seconds: float) -> dict[str, float]:
        lines = [room.window.low for room in self._rooms]
        everyone = [len(room.members) - 1 for room in self._rooms]
        self._latencies.sort()
        return {
            "lines": sum(lines),
            "deliveries": sum(a * b for a, b in zip(lines, everyone, strict=True)),
            "seconds": seconds,
            "p50": share(self._latencies, 0.5),
            "p99": share(self._latencies, 0.99),
            "late": self._late,
            "idle": self._idle,
            "extra": sum(voice.read for voice in self._voices.values()),
        }

    def _closed(self, size: float, begin: float, seconds: float) -> None:
        while time.monotonic() < begin + seconds:
            for room in self._rooms:
                lines = int(size) - (room.window.sent - room.window.low)
                if lines:
                    at = time.monotonic()
                    for voice in {self._speak(room, at) for _ in range(lines)}:
                        self._send(voice)
            self._listen()

    def _opened(self, rate: float, begin: float, seconds: float) -> None:
        for line in range(int(rate * seconds)):
            due = begin + line / rate
            while (left := due - time.monotonic()) > 0:
                self._hear(self._poll())
            self._late = max(self._late, -left)
            self._send(self._speak(self._rooms[line % len(self._rooms)], due))

    def _speak(self, room: _Room, at: float) -> Voice:
        voice = room.speakers[0]
        room.speakers.rotate(-1)
        room.window.send(at)
        voice.owed += voice.line
        if voice.own:
            self._come(voice, 1)
        return voice

    def _listen(self) -> None:
        deadline = time.monotonic() + STALLED
        while not (events := self._poll()):
            if time.monotonic() > deadline:
                raise Failure("stalled: not everyone was given every line")
        self._hear(events)

    def _poll(self) -> list[tuple[int, int]]:
        before = time.monotonic()
        events = self._epoll.poll(PATIENCE)
        if not events:
            self._idle += time.monotonic() - before
        return events

    def _hear(self, events: Iterable[tuple[int, int]]) -> None:
        for fd, event in events:
            voice = self._voices[fd]
            if event & select.EPOLLOUT:
                self._send(voice)
            if event & ~select.EPOLLOUT:
                self._read(voice)

    def _read(self, voice: Voice) -> None:
        size = count_bytes(voice.socket, look=not voice.unit)
        if voice.unit:
            lines, voice.read = divmod(voice.read + size, voice.unit)
        else:
            lines = _scratch.count(b"\n", 0, size)
        if lines:
            self._come(voice, lines)

    def _come(self, voice: Voice, lines: int) -> None:
        for sent in self._rooms[voice.room].window.move(voice.come, lines):
            self._latencies.append(time.monotonic() - sent)
        voice.come += lines

    def _send(self, voice: Voice) -> None:
        with suppress(BlockingIOError, ssl.SSLWantWriteError):
            voice.owed = voice.owed[voice.socket.send(voice.owed) :]
        if bool(voice.owed) != voice.asked:
            voice.asked = bool(voice.owed)
            events = select.EPOLLIN | (select.EPOLLOUT if voice.asked else 0)
            self._epoll.modify(voice.socket.fileno(), events)


def count_bytes(source: socket.socket, look: bool = False) -> int:
    """How many bytes have come; they are kept only to `look` at. Raises Failure at the end."""
    # Over TCP, MSG_TRUNC has the kernel throw them away uncopied.
    flags = 0 if look or isinstance(source, ssl.SSLSocket) else socket.MSG_TRUNC
    try:
        size = source.recv_into(_scratch, _READ, flags)
    except (BlockingIOError, ssl.SSLWantReadError):
        return 0
    except ConnectionError:
        size = 0
    if not size:
        raise Failure("the server closed a connection")
    return size


def share(values: Sequence[float], part: float) -> float:
    """The value that `part` of these sorted ones (0.99) do not exceed; 0 of none."""
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0
