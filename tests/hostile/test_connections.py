"""Rows 12, 13, 14, 18 and 19 of docs/hostile.md: very many connections, and very short ones."""

from __future__ import annotations

import os
import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.daemon import KIB, Client, Daemon, certificate, wait_for, watched
from tests.hostile.cable import inside, networks, seconds_until_gone
from tests.hostile.load import Crowd, paced

PLAIN = "line=tcp:0:interface=127.0.0.1:backlog=2000"
PROXIED = "line=haproxy:tcp:0:interface=127.0.0.1:backlog=2000"
QUIET = {"limits": {"lines": [100, 50], "connections": 20_000}}


# Row 12


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="making networks takes root")
def test_row_12_who_vanishes_without_a_word_is_gone(tmp_path: Path) -> None:
    listen = (PLAIN, "line=tcp:0:interface=198.51.100.1")
    with networks() as (here, there), inside(here), ExitStack() as stack:
        daemon = stack.enter_context(Daemon(tmp_path, QUIET, listen=listen))
        with watched(daemon, "row 12"):
            took = seconds_until_gone(
                daemon, there, lambda: Client(daemon.ports[1], "198.51.100.1").arrive()
            )
    print("row 12: gone after", {at: round(seconds) for at, seconds in sorted(took.items())})
    assert max(took.values()) <= 150


# Row 13

FEW_FILES = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")


@pytest.mark.parametrize("door", ["plain", "proxied"])
def test_row_13_more_connects_than_descriptors(tmp_path: Path, door: str) -> None:
    """At the plain door the limit of connections keeps descriptors free. Who has not told its
    address yet at the proxied one does not count, so there they run out, and stay so (EMFILE)."""
    settings = {"limits": {"lines": [20, 10]}}
    listen = (PLAIN, PROXIED)
    with (
        Daemon(tmp_path, settings, listen=listen, wrapper=FEW_FILES) as daemon,
        watched(daemon, f"row 13, {door}"),
        ExitStack() as stack,
    ):
        began, used, logged = time.monotonic(), daemon.cpu(), len(daemon.log)
        port, least = (daemon.port, 40) if door == "plain" else (daemon.ports[1], 64)
        crowd = [stack.enter_context(Client(port)) for _ in range(120)]
        wait_for(lambda: daemon.fds() >= least, 5, f"{least} descriptors are in use")
        time.sleep(3.2)
        assert daemon.fds() >= least
        took = time.monotonic() - began
        share = (daemon.cpu() - used) / took
        lines = daemon.log[logged:].splitlines()
        noise = sum(" connected from " not in line for line in lines) / took
        for client in crowd:
            client.close()
        began = time.monotonic()
        wait_for(lambda: gets_in(daemon.port), 2, "a newcomer gets in")
        back = time.monotonic() - began
    print(
        f"row 13, {door}: {share:.0%} of a core, {noise:.1f} log lines a second, and a newcomer "
        f"gets in {back * 1000:.0f} ms after the others left"
    )
    assert share <= 0.2
    assert noise <= 1.0


def gets_in(port: int) -> bool:
    with suppress(AssertionError), Client(port) as client:
        return "Welcome" in client.line(2)
    return False


# Row 14


@pytest.mark.parametrize("size", [200, pytest.param(1000, marks=pytest.mark.long)])
def test_row_14_a_thousand_connects_a_second(tmp_path: Path, size: int) -> None:
    sources = {"203.0.113.7": 64, "2001:db8::{:x}": 64, "2001:db8:0:{:x}::1": size}
    started = time.monotonic()
    with Daemon(tmp_path, {"limits": {"lines": [20, 10]}}, listen=(PLAIN, PROXIED)) as daemon:
        for source, most in sources.items():
            with watched(daemon, f"row 14, {source}"), Client(daemon.port) as asker:
                asker.arrive()
                for _ in range(2):  # what the first round took is free again for the second
                    rate, admitted = rush(daemon.ports[1], source, size)
                    assert admitted == most
                    wait_for(lambda: here(asker) == 3, 20, "they left")
            print(f"row 14: {size} from {source}, {rate:.0f} a second: {admitted} admitted")
    refusals = daemon.log.count(" refused: the limit is met")
    assert 0 < refusals <= time.monotonic() - started + 1


def rush(port: int, source: str, size: int) -> tuple[float, int]:
    """1,000 connects a second; at what rate they came, how many were admitted."""
    with ExitStack() as stack:
        began = time.monotonic()
        clients = [
            stack.enter_context(Client(port, proxied=source.format(number + 1)))
            for number in paced(size)
        ]
        rate = size / (time.monotonic() - began)
        return rate, sum("Welcome" in client.line(30) for client in clients)


# Row 18


@pytest.mark.parametrize(
    ("door", "size", "most"),
    [
        ("plain", 300, 6),
        ("TLS", 30, 100),
        pytest.param("plain", 10_000, 6, marks=pytest.mark.long),
        pytest.param("TLS", 500, 100, marks=pytest.mark.long),
    ],
)
def test_row_18_idle_connections_are_cheap(tmp_path: Path, door: str, size: int, most: int) -> None:
    listen, tls = [PLAIN], None
    if door == "TLS":
        pytest.importorskip("OpenSSL")
        pem = certificate(tmp_path)
        listen.append(f"line=ssl:0:privateKey={pem}:interface=127.0.0.1:backlog=2000")
        tls = ssl.create_default_context(cafile=str(pem))
        tls.check_hostname = False
    with (
        Daemon(tmp_path, QUIET, listen=listen) as daemon,
        # In the lobby its lines would go to all who are there, and nobody would be idle.
        watched(daemon, f"row 18, {door}", room="#canary"),
        Crowd() as crowd,
        Client(daemon.port) as asker,
    ):
        asker.arrive()
        before = daemon.rss()
        # Whoever comes or goes is told to all who are there; a rush of them is row 16's.
        for number in paced(size, 400):
            crowd.add(Client(daemon.ports[-1], tls=tls))
            if number % 20 == 19:
                crowd.pump()
        wait_for(lambda: crowd.pump() >= 0 and here(asker) == size + 3, 30, "all are in")
        each = (daemon.rss() - before) / size
        for _ in paced(size, 400):
            crowd.drop(1)
            crowd.pump()
        wait_for(lambda: here(asker) == 3, 30, "all left")
    print(f"row 18: {size} idle {door} connections: {each / KIB:.1f} KiB each")
    assert each <= most * KIB


# Row 19


# Memory comes in pages, now and then a mebibyte of them at once, and the allocator's pools have
# their size only after some 5,000 connections: of several blocks of connections the one that left
# the least counts, since a leak would show in each of them.
@pytest.mark.parametrize(
    ("size", "blocks"), [(300, 5), pytest.param(10_000, 10, marks=pytest.mark.long)]
)
def test_row_19_who_connects_and_drops_leaves_nothing(
    tmp_path: Path, size: int, blocks: int
) -> None:
    with Daemon(tmp_path, QUIET, listen=(PLAIN,)) as daemon:
        with watched(daemon, "row 19"), Client(daemon.port) as asker:
            asker.arrive()
            # Until the interpreter's own tables and the allocator's have their size.
            drop(daemon, asker, max(5000, size))
            slopes, began = [], time.monotonic()
            for _ in range(blocks):
                before = daemon.rss()
                drop(daemon, asker, size)
                slopes.append((daemon.rss() - before) / (size / 1000))
            rate = blocks * size / (time.monotonic() - began)
            slope = min(slopes)
        wait_for(lambda: sleeps(daemon), 20, "nothing wakes it, so no timer is left")
    figures = f"{rate:.0f} a second: {slope:.0f} bytes a thousand"
    print(f"row 19: {blocks * size} connects and drops, {figures}")
    assert slope <= (1 if size == 10_000 else 100) * KIB


def sleeps(daemon: Daemon) -> bool:
    """Whether it does nothing at all for longer than any timer would let it."""
    before = daemon.status("voluntary")
    time.sleep(1.5)
    return daemon.status("voluntary") == before


def drop(daemon: Daemon, asker: Client, size: int) -> None:
    """Connect and go, in each of some ways, from addresses enough not to run out of ports."""
    for number in range(size):
        client = Client(daemon.port, source=f"127.0.{number % 16}.1")
        WAYS_OUT[number % len(WAYS_OUT)](client)
        if number % 50 == 49:
            wait_for(lambda: here(asker) == 3, 30, "the others left")


def say_half_and_close(client: Client) -> None:
    client.send("half a li", b"")
    client.close()


WAYS_OUT = (Client.close, Client.reset, say_half_and_close)


def here(client: Client) -> int:
    """How many members there are."""
    replies = re.findall(r"-- Up for .*, (\d+) here in ", "\n".join(client.ask("/uptime", 30)))
    return int(replies[-1])


def test_row_19_whoever_leaves_frees_its_descriptor_at_once(tmp_path: Path) -> None:
    def quit_and_close(client: Client) -> None:
        client.send("/quit")
        client.close()

    ways: dict[str, Callable[[Client], object]] = {
        "close": Client.close,
        "reset": Client.reset,
        "half-close": lambda client: client.socket.shutdown(socket.SHUT_WR),
        "/quit": lambda client: client.send("/quit"),
        "/quit and close": quit_and_close,
    }
    with Daemon(tmp_path) as daemon, ExitStack() as stack:
        for way, leave in ways.items():
            before = daemon.fds()
            leave(stack.enter_context(Client(daemon.port)).arrive())
            wait_for(lambda: daemon.fds() == before, 1, way)  # noqa: B023
