"""Load on the daemon, made cheaply: paced, and many sockets in one thread."""

from __future__ import annotations

import re
import select
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from selectors import EVENT_READ, EpollSelector
from typing import Self

from tests.daemon import Client, Daemon

__all__ = ["Crowd", "Reader", "Talker", "has_ended", "kernel_memory", "paced"]

_LINE = re.compile(r"(?:> |:)line (\d+) (\S+)")


class Talker:
    """Says `a_second` numbered texts of `size` bytes in the lobby while the `with` lasts, by
    `client` if it is not to be another one with the line protocol.

    `limits.lines` MUST be off. Each line is `line NUMBER TIME ...`, the time that of sending, in
    seconds of the monotonic clock.
    """

    TICK = 0.01

    def __init__(
        self, daemon: Daemon, a_second: int, size: int = 64, client: Client | None = None
    ) -> None:
        self.client = client or Client(daemon.port).arrive()
        self.sent = 0
        self._a_second = a_second
        self._size = size
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._talk, name="talker")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self.client.close()

    def stop(self) -> int:
        """Stop talking; how many lines were sent."""
        self._over.set()
        self._thread.join()
        return self.sent

    def _talk(self) -> None:
        began = time.monotonic()
        while not self._over.wait(self.TICK):
            now = time.monotonic()
            due = int((now - began) * self._a_second)
            lines = (f"line {number} {now} " for number in range(self.sent, due))
            spoken = (self.client.spoken(f"{line:x<{self._size - 1}}") for line in lines)
            self.client.send("".join(f"{line}\n" for line in spoken), b"")
            self.sent = due
            # It is told what others say, and must not become one that never reads.
            self.client.socket.setblocking(False)
            with suppress(BlockingIOError):
                self.client.socket.recv(1 << 20)


class Reader:
    """A healthy member, to whom every line that a Talker says comes, in order, and in time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.heard = 0
        self.late = 0.0

    def read(self) -> None:
        """Read what has come; `heard` counts the lines, `late` is the longest that one took."""
        for line in self._client.fence():
            if (match := _LINE.search(line)) is not None:
                assert int(match[1]) == self.heard
                self.heard += 1
                self.late = max(self.late, time.monotonic() - float(match[2]))


class Crowd:
    """Many connections, whose lines nobody looks at. `pump` reads them, and must be called."""

    def __init__(self) -> None:
        self.clients: list[Client] = []
        self._selector = EpollSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.drop(len(self.clients))
        self._selector.close()

    def add(self, client: Client) -> None:
        """Read this one, too, from now on."""
        self.clients.append(client)
        self._selector.register(client.socket, EVENT_READ, client.socket)

    def drop(self, most: int) -> None:
        """Close so many of them, the first first."""
        gone, self.clients = self.clients[:most], self.clients[most:]
        for client in gone:
            with suppress(KeyError):  # it may have ended already
                self._selector.unregister(client.socket)
            client.close()

    def pump(self, seconds: float = 0.0) -> int:
        """Read what is there; wait for it at most so long. Returns how many bytes there were."""
        read = 0
        for key, _ in self._selector.select(seconds):
            with suppress(OSError):
                if data := key.data.recv(1 << 18):
                    read += len(data)
                    continue
            self._selector.unregister(key.fileobj)
        return read


def paced(size: int, a_second: int = 1000) -> Iterator[int]:
    """The numbers from 0 up, so many a second at most."""
    began = time.monotonic()
    for number in range(size):
        time.sleep(max(0.0, began + number / a_second - time.monotonic()))
        yield number


def has_ended(client: Client) -> bool:
    """Whether the daemon ended the connection, without reading from it."""
    poll = select.poll()
    poll.register(client.socket, select.POLLRDHUP)
    return bool(poll.poll(0))


def kernel_memory(port: int) -> int:
    """Bytes that the kernel holds for the daemon's connections on `port`."""
    command = ("ss", "-tmnH", "sport", "=", f":{port}")
    sockets = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sum(map(int, re.findall(r"[(,][rfw](\d+)", sockets)))
