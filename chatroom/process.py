"""What the daemon asks of its process and its reactor, where it is the master of both.

An existing deployment that embeds the chat is its own master, and none of this is done there.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.error import ReactorNotRunning

__all__ = [
    "Tidying",
    "collect_rarely",
    "descriptors_for",
    "ignore_signals",
    "on_hangup",
    "stop_on_terminate",
    "use_steady_clock",
]

_TIDY_CALLS = 10
_MANY = 100
_GROWTH_BYTES = 4 * 1024 * 1024

# Kept free of connections: the log, the listeners, epoll, the reactor's own pipes.
_RESERVED_DESCRIPTORS = 32


def use_steady_clock(reactor: Any) -> None:
    """Let timers run by a clock that does not step: Twisted's reactor takes the time of day,
    so a clock set back an hour would hold every timer for an hour."""
    if not reactor.getDelayedCalls():
        reactor.seconds = time.monotonic


def descriptors_for(connections: int | None) -> int | None:
    """Raise this process's limit of open files, as far as it may, so that `connections` fit;
    returns how many do (None: any number, as `connections`)."""
    if sys.platform == "win32":  # pragma: no cover
        return connections
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if connections is None else connections + _RESERVED_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and (wanted == resource.RLIM_INFINITY or wanted > soft):
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    if soft == resource.RLIM_INFINITY:
        return connections
    room = max(1, soft - _RESERVED_DESCRIPTORS)
    return room if connections is None else min(connections, room)


def on_hangup(reactor: Any, reload: Callable[[], object]) -> None:
    """Call `reload` in the reactor after a SIGHUP, also after one that comes before it runs;
    once after several that come together."""
    due = False

    def run() -> None:
        nonlocal due
        due = False
        reload()

    def hangup(*_signal: object) -> None:
        nonlocal due
        if not due:
            due = True
            reactor.callFromThread(run)

    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, hangup)


def stop_on_terminate(reactor: Any) -> None:
    """Stop at SIGTERM with exit status 0, also at one that comes before the reactor runs: the
    daemon did what it was told. Twisted would end the process by the same signal again."""

    def stop() -> None:
        with suppress(ReactorNotRunning):
            reactor.stop()

    def terminate(*_signal: object) -> None:
        reactor.callFromThread(stop)

    signal.signal(signal.SIGTERM, terminate)
    reactor.sigTerm = terminate  # which the reactor installs as it starts


def collect_rarely() -> None:
    """Look for cyclic garbage after 50,000 new objects, not 700, and never among what is there at
    the start: of 10,000 who joined, looking took a tenth of the time. A connection leaves none,
    but for what Twisted leaves of one over TLS; `Tidying` looks as well where that adds up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


class Tidying:
    """Returns to the system what was freed: when the process has grown since the last time, or
    lost a hundred connections that were at least half of all.

    glibc keeps what lies between pieces in use: after 200 peers that never read, each with a
    megabyte of its own, over 250 MiB of it. `connections` tells how many are open.
    """

    def __init__(self, connections: Callable[[], int]) -> None:
        self._connections = connections
        self._most = 0
        self._least = self._size = _resident()
        self._calls = 0

    def __call__(self) -> None:
        """To be called once a second or so, which looks every tenth time, and when the last
        connection is gone."""
        self._calls += 1
        now = self._connections()
        self._most = max(self._most, now)
        if now and self._calls % _TIDY_CALLS:
            return
        size = _resident()
        has_shrunk = self._most - now >= max(_MANY, now)
        if size < self._least + _GROWTH_BYTES or not (
            has_shrunk or size >= self._size + _GROWTH_BYTES
        ):
            return
        gc.collect()
        _trim(0)
        self._size, self._most = _resident(), now
        self._least = min(self._least, self._size)


def _malloc_trim() -> Callable[[int], object]:
    try:
        trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # not glibc
        return lambda pad: None
    return trim


_trim = _malloc_trim()


def _resident() -> int:
    """Bytes of memory that this process has; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0


def ignore_signals() -> None:
    """Let no other SIGTERM or SIGHUP disturb the end. Python gives both their default effect
    back, which is death, while the interpreter goes down, but leaves alone what is ignored."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
