"""Rows 9, 10, 11, 15, 16, 17 and 20 of docs/hostile.md: floods, and peers that do not read."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.daemon import MIB, Client, Daemon, wait_for, watched
from tests.hostile.load import Crowd, Reader, Talker, has_ended, kernel_memory, paced

# Connects that arrive at once wait in the backlog; what does not fit is tried again by TCP, a
# second later.
ROOMY = ("line=tcp:0:interface=127.0.0.1:backlog=2000",)
OUTBOX = 65536
UNLIMITED = {"lines": None, "joins": None, "rooms_per_member": None, "outbox_bytes": OUTBOX}


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("daemon"), {"limits": UNLIMITED}, listen=ROOMY) as daemon:
        yield daemon


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def deaf_client(daemon: Daemon) -> Client:
    """One to which the kernel can hand over little that it does not read."""
    return Client(daemon.port, receive_buffer=2048)


def ask(client: Client, command: str) -> str:
    """The last line of the answer to a command."""
    return client.ask(command)[-1]


# Rows 9 and 10


@pytest.mark.parametrize(
    ("deaf", "a_second", "size", "stall", "wish", "bound"),
    [
        (50, 500, 64, 1, "", 20),
        pytest.param(200, 1000, 64, 30, "", 250, marks=pytest.mark.long),
        # Written for each of them, so they share nothing: 1 MiB each, and what holds it.
        pytest.param(200, 100, 640, 30, "/bell mention", 275, marks=pytest.mark.long),
    ],
)
def test_rows_9_and_10_who_never_reads_is_gone_in_time_and_costs_nobody_else(
    tmp_path: Path, deaf: int, a_second: int, size: int, stall: int, wish: str, bound: int
) -> None:
    settings = {"limits": {"lines": None, "stall_seconds": stall}}
    with Daemon(tmp_path, settings) as daemon, watched(daemon, "row 10"), ExitStack() as stack:
        reader = Reader(stack.enter_context(Client(daemon.port)).arrive())
        members = [stack.enter_context(deaf_client(daemon)) for _ in range(deaf)]
        for member in members:
            member.send(wish)
        reader.read()
        before, most, most_in_kernel = daemon.rss(), 0, 0
        with Talker(daemon, a_second, size) as talker:
            began = time.monotonic()
            while not all(map(has_ended, members)):
                assert time.monotonic() <= began + stall + 10
                reader.read()
                most = max(most, daemon.rss() - before)
                most_in_kernel = max(most_in_kernel, kernel_memory(daemon.port))
            took = time.monotonic() - began
            sent = talker.stop()
        reader.read()
    print(
        f"row 10: {deaf} never read {a_second} lines of {size} bytes a second {wish}: all gone "
        f"after {took:.0f} s, memory {most / MIB:+.1f} MiB at most, the kernel's "
        f"{most_in_kernel / MIB:+.1f} MiB; a healthy member heard {sent} lines in order, "
        f"{reader.late * 1000:.0f} ms late at most"
    )
    assert daemon.log.count(" reads nothing, dropped") == deaf
    assert reader.heard == sent
    assert reader.late <= 1.0
    assert most + most_in_kernel <= bound * MIB


def test_row_9_a_slow_reader_is_told_what_it_missed(unlimited: Daemon, stack: ExitStack) -> None:
    with watched(unlimited, "row 9"):
        slow = stack.enter_context(deaf_client(unlimited)).arrive()
        talker = stack.enter_context(Talker(unlimited, 2000, 512))
        wait_for(lambda: talker.sent >= 1500, 10, "1,500 lines are said")
        last = f"line {talker.stop()} "
        seen = slow.until(" skipped (", 20)
        talker.client.send(last)
        seen += slow.until(last.strip()) + slow.until("canary")
        stack.close()
    notices = (re.match(r"-- (\d+) lines? skipped", line) for line in seen)
    skipped = sum(int(notice[1]) for notice in notices if notice)
    kept = sum(len(line) + 2 for line in seen)
    print(f"row 9: a slow reader missed {skipped} lines, and was told so; {kept} bytes were kept")
    assert 0 < skipped == missed(seen, "line") + missed(seen, "canary")
    # 64 KiB each in the outbox, the transport and the kernel, and a batch more in each.
    assert kept <= 4 * OUTBOX


def missed(lines: list[str], word: str) -> int:
    """How many numbers are left out between `lines`, which count up."""
    matches = (re.match(rf"<\S+> {word} (\d+) ?", line) for line in lines)
    numbers = [int(match[1]) for match in matches if match]
    assert numbers == sorted(numbers)
    return numbers[-1] - numbers[0] + 1 - len(numbers)


# Row 11


@pytest.mark.parametrize(
    ("idle", "interval"), [(1, 0.1), pytest.param(60, 10.0, marks=pytest.mark.long)]
)
def test_row_11_a_byte_now_and_then_holds_no_slot(
    tmp_path: Path, stack: ExitStack, idle: int, interval: float
) -> None:
    limits = {"lines": [20, 10], "idle_seconds": idle}
    with Daemon(tmp_path, {"limits": limits}) as daemon, watched(daemon, "row 11"):
        clients = [stack.enter_context(Client(daemon.port)) for _ in range(5)]
        before, after, _, _, lively = clients
        after.send("hello")
        drips = dict(zip(clients, (b"x", b"x", b"\n", b"\xff\xf1", b"y\n"), strict=True))
        due = began = time.monotonic()
        while len(drips) > 1:
            assert time.monotonic() <= began + idle * 1.05 + 3, drips.values()
            if time.monotonic() >= due:
                due += interval
                for client, drip in drips.items():
                    with suppress(ConnectionError):
                        client.send(drip, b"")
            drips = {client: drip for client, drip in drips.items() if not has_ended(client)}
            time.sleep(0.02)
        took = time.monotonic() - began
        assert list(drips) == [lively]
        assert "-- You said nothing for" in before.rest()[-1]
        stack.close()
    print(f"row 11: a byte every {interval} s, idle_seconds {idle}: gone after {took:.1f} s")


@pytest.mark.long
def test_row_11_half_a_proxy_header_holds_no_slot(tmp_path: Path) -> None:
    listen = (*ROOMY, "line=haproxy:tcp:0:interface=127.0.0.1")
    settings = {"limits": {"lines": [20, 10]}}
    with (
        Daemon(tmp_path, settings, listen=listen) as daemon,
        watched(daemon, "row 11, PROXY"),
        Client(daemon.ports[1]) as client,
    ):
        client.send(b"PROXY TCP4", b"")
        began = time.monotonic()
        while not has_ended(client):
            assert time.monotonic() <= began + 12
            with suppress(ConnectionError):
                client.send(b" ", b"")
            time.sleep(1)
    print(f"row 11: half a PROXY header: gone after {time.monotonic() - began:.0f} s")


# Row 15


def test_row_15_ten_thousand_lines_in_a_second_come_at_the_rate_that_is_set(
    tmp_path: Path, stack: ExitStack
) -> None:
    with Daemon(tmp_path, {"limits": {"lines": [20, 10]}}) as daemon, watched(daemon, "row 15"):
        watcher = stack.enter_context(Client(daemon.port)).arrive()
        flooder = stack.enter_context(Client(daemon.port)).arrive()
        began = time.monotonic()
        flooder.send("".join(f"flood {number}\n" for number in range(10_000)), b"")
        heard = []
        while time.monotonic() < began + 2:
            heard += [line for line in watcher.until("> ") if "> flood " in line]
        most = 20 + 10 * (time.monotonic() - began)
        # Whoever is gone says no more, whatever it had sent.
        flooder.reset()
        watcher.until(f"-- {flooder.nick} left", 5)
        stack.close()
    print(f"row 15: of 10,000 lines sent at once {len(heard)} are heard in 2 s")
    assert most - 15 <= len(heard) <= most
    assert [line.split()[-1] for line in heard] == [str(n) for n in range(len(heard))]


def test_row_15_what_is_pasted_arrives_whole(tmp_path: Path, stack: ExitStack) -> None:
    with Daemon(tmp_path, {"limits": {"lines": [20, 2000]}}) as daemon, watched(daemon, "row 15"):
        watcher = stack.enter_context(Client(daemon.port)).arrive()
        paster = stack.enter_context(Client(daemon.port))
        began = time.monotonic()
        paster.send("".join(f"paste {number}\n" for number in range(2000)), b"")
        paster.socket.shutdown(socket.SHUT_WR)
        heard = [line for line in watcher.until("> paste 1999", 30) if "> paste " in line]
        took = time.monotonic() - began
        stack.close()
    assert [line.split()[-1] for line in heard] == [str(number) for number in range(2000)]
    assert took >= 0.9


# Row 16


def test_row_16_nicks_and_rooms_do_not_flap(tmp_path: Path, stack: ExitStack) -> None:
    with Daemon(tmp_path, {"limits": {"lines": None}}) as daemon, watched(daemon, "row 16"):
        watcher = stack.enter_context(Client(daemon.port)).arrive()
        flapper = stack.enter_context(Client(daemon.port)).arrive()
        for number in range(1000):
            flapper.send(f"/nick flap{number % 2}\n/join #room{number}\n/part #room{number}")
        told, seen = flapper.fence(), watcher.fence()
        assert sum(" is now flap" in line for line in seen) == 6
        assert sum("-- You left #room" in line for line in told) == 20
        assert ask(watcher, "/rooms") == "-- #lobby (4 here)"
        stack.close()


@pytest.mark.parametrize("size", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_row_16_a_storm_leaves_no_ghosts(unlimited: Daemon, stack: ExitStack, size: int) -> None:
    with watched(unlimited, f"row 16, {size}"):
        crowd = stack.enter_context(Crowd())
        asker = stack.enter_context(Client(unlimited.port)).arrive()

        def here(number: int) -> bool:
            crowd.pump()
            return f"-- #lobby ({number} here)" in ask(asker, "/who")

        for number in paced(size):
            client = Client(unlimited.port)
            client.send(f"/nick storm{number}\n/join #room{number % 7}\nhello")
            crowd.add(client)
        wait_for(lambda: here(size + 3), 20, "all are here")
        for number in paced(size):
            LEAVING[number % len(LEAVING)](crowd.clients[number])
        wait_for(lambda: here(3), 20, "no ghost is left")
        assert ask(asker, "/rooms") == "-- #lobby (3 here)"
        stack.close()
    print(f"row 16: {size} clients came, spoke and left, 1,000 a second, and none is left")


def quit_and_close(client: Client) -> None:
    client.send("/quit")
    client.close()


LEAVING: tuple[Callable[[Client], object], ...] = (
    Client.close,
    Client.reset,
    quit_and_close,
    lambda client: client.send("/quit"),
    lambda client: client.socket.shutdown(socket.SHUT_WR),
)


# Row 17


@pytest.mark.parametrize("rooms", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_row_17_rooms_made_and_emptied_are_gone(
    unlimited: Daemon, stack: ExitStack, rooms: int
) -> None:
    parts = "".join(f"/part #room{number}\n" for number in range(rooms))
    ways: tuple[Callable[[Client], object], ...] = (
        lambda maker: maker.send(parts, b""),
        lambda maker: maker.send("/quit"),
        Client.close,
    )
    with watched(unlimited, f"row 17, {rooms}"):
        crowd = stack.enter_context(Crowd())
        asker = stack.enter_context(Client(unlimited.port)).arrive()

        def there_are(number: str) -> bool:
            crowd.pump()
            return f" here in {number}." in ask(asker, "/uptime")

        for empty in ways:
            maker = Client(unlimited.port)
            crowd.add(maker)
            for number in range(rooms):
                maker.send(f"/join #room{number}")
                crowd.pump()
            wait_for(lambda: there_are(f"{rooms + 1} rooms"), 60, "all rooms are made")
            empty(maker)
            wait_for(lambda: there_are("1 room"), 60, "the lobby alone is left")
        stack.close()


# Row 20


def test_row_20_who_is_removed_with_a_full_buffer_is_gone(tmp_path: Path, stack: ExitStack) -> None:
    ways: dict[str, Callable[[Client], object]] = {
        "/quit": lambda client: client.send("/quit"),
        "half-close": lambda client: client.socket.shutdown(socket.SHUT_WR),
        "idle": lambda client: None,
    }
    settings = {"limits": {"lines": None, "idle_seconds": 1}}
    with Daemon(tmp_path, settings) as daemon, watched(daemon, "row 20"):
        full = {way: stack.enter_context(deaf_client(daemon)).arrive() for way in ways}
        talker = stack.enter_context(Talker(daemon, 1000, 1000))
        asker = stack.enter_context(Client(daemon.port)).arrive()
        wait_for(lambda: talker.sent >= 1000, 10, "1 MB is said")
        for way, remove in ways.items():
            remove(full[way])
        left, closed = dict[str, float](), dict[str, float]()
        deadline = time.monotonic() + 15
        while len(closed) < len(full):
            assert time.monotonic() <= deadline, f"closed: {list(closed)}"
            # What is said meanwhile may come behind the answer.
            names = [line for line in asker.ask("/who") if "-- #lobby (" in line]
            for way, client in full.items():
                if names and client.nick not in names[0]:
                    left.setdefault(way, time.monotonic())
                if has_ended(client):
                    closed.setdefault(way, time.monotonic())
            time.sleep(0.02)
        stack.close()
    took = {way: closed[way] - left[way] for way in full}
    print("row 20: closed after", ", ".join(f"{took[way]:.1f} s ({way})" for way in took))
    assert max(took.values()) <= 5
