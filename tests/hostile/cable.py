"""Two networks with a cable between them, in which a peer can vanish. Making them takes root."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from tests.daemon import Client, Daemon

__all__ = ["inside", "networks", "seconds_until_gone"]

_NETWORK = 0x40000000  # CLONE_NEWNET


@contextmanager
def networks() -> Iterator[tuple[str, str]]:
    """Two networks with a cable between them, and none to anywhere else: their names."""
    here, there = f"chatroom-{os.getpid()}-a", f"chatroom-{os.getpid()}-b"
    try:
        for command in (
            f"ip netns add {here}",
            f"ip netns add {there}",
            f"ip -n {here} link add cable type veth peer name cable netns {there}",
            f"ip -n {here} addr add 198.51.100.1/30 dev cable",
            f"ip -n {there} addr add 198.51.100.2/30 dev cable",
            f"ip -n {here} link set cable up",
            f"ip -n {there} link set cable up",
            f"ip -n {here} link set lo up",
            f"ip -n {there} link set cable address 02:00:00:00:00:01",
            # What is sent to who vanished is lost without a word; it is not even looked for.
            f"ip -n {here} neigh add 198.51.100.2 lladdr 02:00:00:00:00:01 dev cable",
        ):
            subprocess.run(command.split(), check=True)
        yield here, there
    finally:
        for name in (here, there):
            subprocess.run(["ip", "netns", "del", name], check=False)


@contextmanager
def inside(network: str) -> Iterator[None]:
    """Processes and sockets that this thread makes meanwhile belong to that network."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before, open(f"/run/netns/{network}") as within:
        assert libc.setns(within.fileno(), _NETWORK) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert libc.setns(before.fileno(), _NETWORK) == 0


def _vanish(network: str) -> None:
    """From now on nobody in that network answers, or says why not."""
    subprocess.run(f"ip -n {network} addr flush scope global".split(), check=True)


# Seconds after its peer vanished, somebody writes to it: data on its way ends the wait for an
# answer to keepalive's probes, and begins another. Never, for the first.
_WRITTEN_AT = (999, 0, 25, 35, 45, 55, 65, 85, 105, 115, 125)


def seconds_until_gone(daemon: Daemon, there: str, peer: Callable[[], Client]) -> dict[int, float]:
    """How long each of several peers is still a member after it vanished from the network `there`,
    by when it is written to; `peer` makes one. Each has a neighbor in its room, who must be told
    once that it left."""
    with ExitStack() as stack:
        neighbors = {at: stack.enter_context(Client(daemon.port)).arrive() for at in _WRITTEN_AT}
        with inside(there):
            peers = {at: stack.enter_context(peer()) for at in _WRITTEN_AT}
        for clients in (neighbors, peers):
            for at, client in clients.items():
                client.move(f"#room{at}")
        _vanish(there)
        began = time.monotonic()
        waiting, took = dict(neighbors), dict[int, float]()
        while peers.keys() - took.keys():
            since = time.monotonic() - began
            for at in [at for at in waiting if at <= since]:
                waiting.pop(at).send("Are you there?")
            gone = set(re.findall(r"(\S+) disconnected", daemon.log))
            took |= {
                at: since for at, peer in peers.items() if at not in took and peer.nick in gone
            }
            assert since < 300, took
            time.sleep(0.1)
        for neighbor in neighbors.values():
            assert sum(" left" in line for line in neighbor.fence()) == 1
    return took
