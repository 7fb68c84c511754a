"""Rows 9 to 20 of docs/hostile.md at the IRC door: floods, peers that do not read, and very many
connections. One half of the canary is there, the other speaks the line protocol."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import pytest

from tests.daemon import KIB, MIB, TWISTD, Client, Daemon, wait_for
from tests.hostile.cable import inside, networks, seconds_until_gone
from tests.hostile.load import Crowd, Reader, Talker, has_ended, kernel_memory, paced
from tests.ircdoor import BOTH, LOBBY, IRCClient, registration, watched

OUTBOX = 65536
LIMITS = {"lines": None, "joins": None, "rooms_per_member": None, "connections": 20_000}
UNLIMITED = {"limits": {**LIMITS, "outbox_bytes": OUTBOX}}


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("daemon"), UNLIMITED, listen=BOTH) as daemon:
        yield daemon


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def join(stack: ExitStack, daemon: Daemon, nick: str = "", room: str = LOBBY) -> IRCClient:
    return stack.enter_context(IRCClient(daemon.irc)).arrive(nick, room)


def deaf(stack: ExitStack, daemon: Daemon, nick: str) -> IRCClient:
    """One that came to the lobby, and to which the kernel can hand over little that it does not
    read."""
    client = stack.enter_context(IRCClient(daemon.irc, receive_buffer=2048))
    client.nick = nick
    client.send(f"{registration(nick)}\nJOIN {LOBBY}")
    return client


def names(client: IRCClient, room: str = LOBBY) -> set[str]:
    """Who is in a room, but for the canary, who is called as nobody else here is."""
    listed = [line for line in client.ask(f"NAMES {room}") if " 353 " in line]
    found = {name.lstrip("@+") for line in listed for name in line.partition(" :")[2].split()}
    return {name for name in found if not re.match(r"guest-|irc\d", name)} - {client.nick}


# Rows 9 and 10


@pytest.mark.parametrize(
    ("size", "a_second", "stall", "bound"),
    [(50, 500, 1, 20), pytest.param(200, 1000, 30, 250, marks=pytest.mark.long)],
)
@pytest.mark.parametrize("door", ["line", "irc"])
def test_rows_9_and_10_who_never_reads_is_gone_in_time_and_costs_nobody_else(
    tmp_path: Path, stack: ExitStack, door: str, size: int, a_second: int, stall: int, bound: int
) -> None:
    """In a room where somebody talks by either door."""
    settings = {"limits": {"lines": None, "stall_seconds": stall}}
    with Daemon(tmp_path, settings, listen=BOTH) as daemon, watched(daemon, "row 10"):
        reader = Reader(join(stack, daemon))
        members = [deaf(stack, daemon, f"deaf{number}") for number in range(size)]
        speaker = join(stack, daemon) if door == "irc" else None
        reader.read()
        before, most, most_in_kernel = daemon.rss(), 0, 0
        with Talker(daemon, a_second, client=speaker) as talker:
            began = time.monotonic()
            while not all(map(has_ended, members)):
                assert time.monotonic() <= began + stall + 10
                reader.read()
                most = max(most, daemon.rss() - before)
                most_in_kernel = max(most_in_kernel, kernel_memory(daemon.irc))
            took = time.monotonic() - began
            sent = talker.stop()
        reader.read()
        stack.close()
    print(
        f"row 10, talk by {door}: {size} never read {a_second} lines a second: all gone after "
        f"{took:.0f} s, memory {most / MIB:+.1f} MiB at most, the kernel's "
        f"{most_in_kernel / MIB:+.1f} MiB; a healthy member heard {sent} lines in order, "
        f"{reader.late * 1000:.0f} ms late at most"
    )
    assert daemon.log.count(" reads nothing, dropped") == size
    assert reader.heard == sent
    assert reader.late <= 1.0
    assert most + most_in_kernel <= bound * MIB


def test_row_9_a_slow_reader_is_told_what_it_missed(unlimited: Daemon, stack: ExitStack) -> None:
    with watched(unlimited, "row 9"):
        slow = deaf(stack, unlimited, "slow")
        slow.until(" 366 ")
        talker = stack.enter_context(Talker(unlimited, 2000, 400))
        wait_for(lambda: talker.sent >= 1500, 10, "1,500 lines are said")
        last = f"line {talker.stop()} "
        seen = slow.until(" skipped (", 20)
        talker.client.send(last)
        seen += slow.until(f":{last.strip()}") + slow.until(":canary ")
        stack.close()
    notices = (re.match(r":\S+ NOTICE slow :(\d+) lines? skipped \(", line) for line in seen)
    skipped = sum(int(notice[1]) for notice in notices if notice)
    kept = sum(len(line) + 2 for line in seen)
    print(f"row 9: a slow reader missed {skipped} lines, and was told so; {kept} bytes were kept")
    assert 0 < skipped == missed(seen, "line") + missed(seen, "canary")
    # 64 KiB each in the outbox, the transport and the kernel, and a batch more in each.
    assert kept <= 4 * OUTBOX


def missed(lines: list[str], word: str) -> int:
    """How many numbers are left out between `lines`, which count up."""
    matches = (re.search(rf" PRIVMSG {LOBBY} :{word} (\d+)", line) for line in lines)
    numbers = [int(match[1]) for match in matches if match]
    assert numbers == sorted(numbers)
    return numbers[-1] - numbers[0] + 1 - len(numbers)


@pytest.mark.parametrize("size", [20, pytest.param(60, marks=pytest.mark.long)])
def test_row_10_who_asks_much_and_reads_nothing_costs_little(
    unlimited: Daemon, stack: ExitStack, size: int
) -> None:
    """A few bytes ask for kilobytes: whoever does not take them is asked nothing more."""
    with watched(unlimited, "row 10, questions"):
        asker = join(stack, unlimited)
        clients = [deaf(stack, unlimited, f"asks{number}") for number in range(size)]
        wait_for(lambda: len(names(asker)) == size, 10, "they are there")
        before = unlimited.rss()
        asking = "".join(f"{each}\n" for each in ("LUSERS", "VERSION", "HELP", f"WHO {LOBBY}"))
        for client in clients:
            client.socket.setblocking(False)
        until = time.monotonic() + 2
        most = sent = 0
        while time.monotonic() < until:
            for client in clients:
                with suppress(BlockingIOError):
                    sent += client.socket.send(asking.encode() * 100)
            asker.fence()
            most = max(most, unlimited.rss() - before)
        for client in clients:
            client.close()
        wait_for(lambda: not names(asker), 20, "they are gone")
        stack.close()
    print(
        f"row 10: {size} sent {sent / MIB:.1f} MiB of questions and read nothing: memory "
        f"{most / MIB:+.1f} MiB"
    )
    # 64 KiB of answers and 64 KiB of questions are taken, before it is looked; and the outbox.
    assert most <= size * 4 * OUTBOX + 4 * MIB


# Row 11

# What takes minutes, in a second each.
HASTY = """
import sys
from chatroom.protocols.irc import client, factory
client._SILENT_SECONDS, client._ANSWER_SECONDS, client._REGISTER_SECONDS = 2.0, 1.0, 1.0
factory._LOOK_SECONDS = 0.1
from twisted.scripts.twistd import run
run()
"""
HASTILY = (sys.executable, "-c", HASTY, "-n", "--pidfile=")
LIVELY = "PONG :x"


@pytest.mark.parametrize("minute", [1, pytest.param(60, marks=pytest.mark.long)])
def test_row_11_a_byte_now_and_then_holds_no_slot(
    tmp_path: Path, stack: ExitStack, minute: int
) -> None:
    """Before registration, also with whole lines, for a minute; after it, until two minutes without
    a whole line and another without an answer to PING."""
    program = HASTILY if minute == 1 else TWISTD
    with (
        Daemon(tmp_path, UNLIMITED, listen=BOTH, program=program) as daemon,
        watched(daemon, "row 11"),
    ):
        began = time.monotonic()
        before = [stack.enter_context(IRCClient(daemon.irc)) for _ in range(5)]
        drips = dict(zip(before, (b"x", b"\n", b"PING x\n", b"NICK x\n", b"@"), strict=True))
        after, blank, lively = (join(stack, daemon) for _ in range(3))
        drips |= {after: b"x", blank: b"\r\n", lively: f"{LIVELY}\n".encode()}
        took, due = dict[IRCClient, float](), began
        while len(took) < len(drips) - 1:
            since = time.monotonic() - began
            assert since <= 3 * minute + 12, took.values()
            if time.monotonic() >= due:
                due += minute / 6
                for client in drips.keys() - took.keys():
                    with suppress(ConnectionError):
                        client.send(drips[client], b"")
            gone = [client for client in drips.keys() - took.keys() if has_ended(client)]
            took |= dict.fromkeys(gone, since)
            time.sleep(0.02)
        assert lively not in took
        assert all(client.rest()[-1].endswith("(Registration timed out)") for client in before)
        for client in (after, blank):
            told = client.rest()
            assert any(line.startswith("PING ") for line in told)
            assert "(Ping timeout: " in told[-1]
        stack.close()
    first = max(took[client] for client in before)
    print(
        f"row 11: a byte every {minute / 6:.2g} s, {minute} s for a minute: gone after {first:.1f} "
        f"s without registration, after {max(took.values()):.1f} s with it"
    )
    assert minute <= first <= minute + 7
    assert 3 * minute <= took[after] <= 3 * minute + 12


# Row 12


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="making networks takes root")
def test_row_12_who_vanishes_without_a_word_is_gone(tmp_path: Path) -> None:
    listen = (*BOTH, "irc=tcp:0:interface=198.51.100.1")
    settings = {"limits": {"lines": [100, 50]}}
    with networks() as (here, there), inside(here), ExitStack() as stack:
        daemon = stack.enter_context(Daemon(tmp_path, settings, listen=listen))
        with watched(daemon, "row 12"):
            took = seconds_until_gone(
                daemon, there, lambda: IRCClient(daemon.ports[2], "198.51.100.1").arrive()
            )
    print("row 12: gone after", {at: round(seconds) for at, seconds in sorted(took.items())})
    assert max(took.values()) <= 150


# Row 13

FEW_FILES = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")


@pytest.mark.parametrize("door", ["plain", "proxied"])
def test_row_13_more_connects_than_descriptors(tmp_path: Path, door: str) -> None:
    """Who has not registered counts at the plain door, and is told that there is no more room; at
    the proxied one nobody counts who has not told its address, so there descriptors run out."""
    listen = (*BOTH, "irc=haproxy:tcp:0:interface=127.0.0.1:backlog=2000")
    settings = {"limits": {"lines": [20, 10]}}
    with (
        Daemon(tmp_path, settings, listen=listen, wrapper=FEW_FILES) as daemon,
        watched(daemon, f"row 13, {door}"),
        ExitStack() as stack,
    ):
        began, used, logged = time.monotonic(), daemon.cpu(), len(daemon.log)
        port, least = (daemon.irc, 40) if door == "plain" else (daemon.ports[2], 64)
        crowd = [stack.enter_context(IRCClient(port)) for _ in range(120)]
        wait_for(lambda: daemon.fds() >= least, 5, f"{least} descriptors are in use")
        time.sleep(3.2)
        assert daemon.fds() >= least
        took = time.monotonic() - began
        share = (daemon.cpu() - used) / took
        noise = len(daemon.log[logged:].splitlines()) / took
        # Where there is no descriptor even for that, a connection is ended without a word.
        refused = [line for client in crowd if has_ended(client) for line in client.rest()]
        assert all(line.startswith("ERROR :") for line in refused), refused
        assert (len(refused) > 0) == (door == "plain")
        for client in crowd:
            client.close()
        began = time.monotonic()
        wait_for(lambda: gets_in(daemon.irc), 2, "a newcomer gets in")
        back = time.monotonic() - began
    print(
        f"row 13, {door}: {share:.0%} of a core, {noise:.1f} log lines a second, {len(refused)} "
        f"are told why, and a newcomer gets in {back * 1000:.0f} ms after the others left"
    )
    assert share <= 0.2
    assert noise <= 1.0


def gets_in(port: int) -> bool:
    with suppress(AssertionError, ConnectionError), IRCClient(port) as client:
        client.send(registration("newcomer"))
        return " 001 " in client.line(2)
    return False


# Row 14


@pytest.mark.parametrize("size", [200, pytest.param(1000, marks=pytest.mark.long)])
def test_row_14_a_thousand_connects_a_second(tmp_path: Path, size: int) -> None:
    sources = {"203.0.113.7": 64, "2001:db8::{:x}": 64, "2001:db8:0:{:x}::1": size}
    listen = (*BOTH, "irc=haproxy:tcp:0:interface=127.0.0.1:backlog=2000")
    settings = {"limits": {"lines": [20, 10]}}
    with Daemon(tmp_path, settings, listen=listen) as daemon:
        for source, most in sources.items():
            with watched(daemon, f"row 14, {source}"), IRCClient(daemon.irc).arrive() as asker:
                fds = daemon.fds()
                for _ in range(2):  # what the first round took is free again for the second
                    rate, admitted = rush(daemon.ports[2], source, size)
                    assert admitted == most
                    wait_for(lambda: daemon.fds() == fds, 20, "they left")  # noqa: B023
                assert not names(asker)
            print(f"row 14: {size} from {source}, {rate:.0f} a second: {admitted} admitted")


def rush(port: int, source: str, size: int) -> tuple[float, int]:
    """1,000 connects a second; at what rate they came, how many were admitted."""
    with ExitStack() as stack:
        began, clients = time.monotonic(), list[IRCClient]()
        for number in paced(size):
            client = IRCClient(port, proxied=source.format(number + 1))
            clients.append(stack.enter_context(client))
            with suppress(ConnectionError):
                client.send(registration(f"rush{number}"))
        rate = size / (time.monotonic() - began)
        return rate, sum(is_let_in(client) for client in clients)


def is_let_in(client: IRCClient) -> bool:
    """Whether it is welcomed; if not, it is told why, unless TCP's reset came first."""
    with suppress(AssertionError, ConnectionError):
        line = client.line(30)
        assert " 001 " in line or line.startswith("ERROR :")
        return " 001 " in line
    return False


# Row 15


def test_row_15_ten_thousand_lines_in_a_second_come_at_the_rate_that_is_set(
    tmp_path: Path, stack: ExitStack
) -> None:
    settings = {"limits": {"lines": [20, 10]}}
    with Daemon(tmp_path, settings, listen=BOTH) as daemon, watched(daemon, "row 15"):
        watcher = join(stack, daemon)
        flooder = stack.enter_context(IRCClient(daemon.irc))
        # More may be sent at once until one has registered, and for the next line no more.
        said = "".join(f"PRIVMSG {LOBBY} :flood {number}\n" for number in range(10_000))
        began = time.monotonic()
        flooder.send(f"{registration('flooder')}\nJOIN {LOBBY}\n{said}", b"")
        heard = []
        while time.monotonic() < began + 2:
            heard += [line for line in watcher.until(" PRIVMSG ") if ":flood " in line]
        most = 20 + 10 * (time.monotonic() - began)
        # Whoever is gone says no more, whatever it had sent.
        flooder.reset()
        watcher.until(":flooder!~flooder@", 5)
        wait_for(lambda: "flooder" not in names(watcher), 5, "it is gone")
        stack.close()
    print(f"row 15: of 10,000 lines sent at once {len(heard)} are heard in 2 s")
    assert most - 15 <= len(heard) <= most
    assert [line.split()[-1] for line in heard] == [str(n) for n in range(len(heard))]


def test_row_15_what_is_pasted_arrives_whole(tmp_path: Path, stack: ExitStack) -> None:
    settings = {"limits": {"lines": [20, 2000]}}
    with Daemon(tmp_path, settings, listen=BOTH) as daemon, watched(daemon, "row 15"):
        watcher, paster = join(stack, daemon), join(stack, daemon)
        began = time.monotonic()
        paster.send("".join(f"{paster.spoken(f'paste {n}')}\n" for n in range(2000)), b"")
        paster.socket.shutdown(socket.SHUT_WR)
        heard = [line for line in watcher.until(":paste 1999", 30) if ":paste " in line]
        took = time.monotonic() - began
        stack.close()
    assert [line.split()[-1] for line in heard] == [str(number) for number in range(2000)]
    assert took >= 0.9


# Row 16


def test_row_16_nicks_and_rooms_do_not_flap(tmp_path: Path, stack: ExitStack) -> None:
    settings = {"limits": {"lines": None}}
    with Daemon(tmp_path, settings, listen=BOTH) as daemon, watched(daemon, "row 16"):
        watcher, flapper = join(stack, daemon, "watcher"), join(stack, daemon, "flapper")
        for number in range(1000):
            room = f"#room{number}"
            flapper.send(f"NICK flap{number % 2}\nJOIN {room}\nPART {room}")
        told, seen = flapper.fence(), watcher.fence()
        assert sum(" NICK :flap" in line or " NICK flap" in line for line in seen) == 6
        # It had joined the lobby.
        assert sum(" PART #room" in line for line in told) == 19
        assert sum(" 405 " in line for line in told) == 1000 - 19
        # Every other one asks for the nick that it has.
        assert sum(" 437 " in line for line in told) >= 490
        assert len(names(watcher)) == 1
        listed = [line.split()[3:5] for line in watcher.ask("LIST") if " 322 " in line]
        assert listed == [[LOBBY, "4"]]
        stack.close()


@pytest.mark.parametrize("size", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_row_16_a_storm_leaves_no_ghosts(unlimited: Daemon, stack: ExitStack, size: int) -> None:
    with watched(unlimited, f"row 16, {size}"):
        crowd = stack.enter_context(Crowd())
        asker = join(stack, unlimited)

        def here(number: int) -> bool:
            crowd.pump()
            return len(names(asker)) == number

        for number in paced(size):
            client = IRCClient(unlimited.irc)
            nick, room = f"storm{number}", f"#room{number % 7}"
            client.send(f"{registration(nick)}\nJOIN {LOBBY},{room}\nPRIVMSG {room} :hello")
            crowd.add(client)
        wait_for(lambda: here(size), 20, "all are here")
        for number in paced(size):
            LEAVING[number % len(LEAVING)](crowd.clients[number])
        wait_for(lambda: here(0), 20, "no ghost is left")
        listed = [line.split()[3:5] for line in asker.ask("LIST") if " 322 " in line]
        assert listed == [[LOBBY, "3"]]
        assert not names(asker, "#room1")
        assert any(" 401 " in line for line in asker.ask("WHOIS storm1"))
        stack.close()
    print(f"row 16: {size} clients came, spoke and left, 1,000 a second, and none is left")


def quit_and_close(client: Client) -> None:
    client.send("QUIT :bye")
    client.close()


LEAVING: tuple[Callable[[Client], object], ...] = (
    Client.close,
    Client.reset,
    quit_and_close,
    lambda client: client.send("QUIT"),
    lambda client: client.socket.shutdown(socket.SHUT_WR),
)


# Row 17


@pytest.mark.parametrize("rooms", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_row_17_rooms_made_and_emptied_are_gone(
    unlimited: Daemon, stack: ExitStack, rooms: int
) -> None:
    ways: tuple[Callable[[Client], object], ...] = (
        lambda maker: maker.send("".join(f"PART #room{n}\n" for n in range(rooms)), b""),
        lambda maker: maker.send("JOIN 0"),
        lambda maker: maker.send("QUIT"),
        Client.close,
    )
    with watched(unlimited, f"row 17, {rooms}"):
        crowd = stack.enter_context(Crowd())
        asker = stack.enter_context(Client(unlimited.port)).arrive()

        def there_are(number: str) -> bool:
            crowd.pump()
            return any(f" here in {number}." in line for line in asker.ask("/uptime"))

        for empty in ways:
            maker = IRCClient(unlimited.irc).arrive(room="")
            crowd.add(maker)
            for number in range(0, rooms, 20):
                maker.send(f"JOIN {','.join(f'#room{number + n}' for n in range(20))}")
                crowd.pump()
            wait_for(lambda: there_are(f"{rooms + 1} rooms"), 60, "all rooms are made")
            empty(maker)
            wait_for(lambda: there_are("1 room"), 60, "the lobby alone is left")
        stack.close()


# Row 18


@pytest.mark.parametrize("size", [300, pytest.param(10_000, marks=pytest.mark.long)])
def test_row_18_idle_connections_are_cheap(tmp_path: Path, size: int) -> None:
    with (
        Daemon(tmp_path, {"limits": LIMITS}, listen=BOTH) as daemon,
        # In the lobby its lines would go to all who are there, and nobody would be idle.
        watched(daemon, "row 18", room="#canary"),
        Crowd() as crowd,
    ):
        before, fds = daemon.rss(), daemon.fds()
        for number in paced(size, 400):
            client = IRCClient(daemon.irc)
            client.send(f"{registration(f'idle{number}')}\nJOIN {LOBBY}")
            crowd.add(client)
            crowd.pump()
        wait_for(lambda: crowd.pump(0.2) == 0 and daemon.fds() == fds + size, 30, "all are in")
        each = (daemon.rss() - before) / size
        for _ in paced(size, 400):
            crowd.drop(1)
            crowd.pump()
        wait_for(lambda: daemon.fds() == fds, 30, "all left")
    print(f"row 18: {size} idle IRC connections: {each / KIB:.1f} KiB each")
    assert each <= 6 * KIB


# Row 19

STAGES = (
    "", "CAP LS 302", "NICK {0}", "USER {0} 0 * :x", "CAP LS 302\nCAP REQ :message-tags batch sasl",
    "CAP REQ :sasl\nAUTHENTICATE PLAIN", "CAP REQ :sasl\nAUTHENTICATE SCRAM-SHA-256",
    "{1}\nHALF A LI\r", "{1}\nJOIN #lobby", "CAP REQ :labeled-response\n{1}\n@label=1 CAP END",
    "{1}\nJOIN #{0}\nMODE #{0} +b x\nAWAY :x\nMONITOR + x,y\nWHO *\nQUIT :x", "\xff\n\0\n@a= b",
)  # fmt: skip


# Memory comes in pages, now and then a mebibyte of them at once: of several blocks of connections
# the one that left the least counts, since a leak would show in each of them. What joins and leaves
# is kept, and the store's cache has its size only after some 20,000 connections.
@pytest.mark.parametrize(
    ("size", "blocks", "store"),
    [(300, 4, None), pytest.param(10_000, 10, "chatroom.db", marks=pytest.mark.long)],
)
def test_row_19_who_connects_and_drops_leaves_nothing(
    tmp_path: Path, size: int, blocks: int, store: str | None
) -> None:
    """At each stage of registration, and after it."""
    with Daemon(tmp_path, {"limits": LIMITS, "store": store}, listen=BOTH) as daemon:
        with watched(daemon, "row 19"):
            fds, numbers = daemon.fds(), count()
            drop(daemon, fds, numbers, max(2000, size))
            slopes, began = list[float](), time.monotonic()
            for _ in range(blocks):
                before = daemon.rss()
                drop(daemon, fds, numbers, size)
                slopes.append((daemon.rss() - before) / (size / 1000))
            rate = blocks * size / (time.monotonic() - began)
            slope = min(slopes)
        wait_for(lambda: sleeps(daemon), 20, "nothing wakes it, so no timer is left")
    figures = f"{rate:.0f} a second: {slope:.0f} bytes a thousand"
    print(f"row 19: {blocks * size} connects and drops at {len(STAGES)} stages, {figures}")
    assert slope <= (1 if size == 10_000 else 100) * KIB


def sleeps(daemon: Daemon) -> bool:
    """Whether it does nothing at all for longer than any timer would let it."""
    before = daemon.status("voluntary")
    time.sleep(1.5)
    return daemon.status("voluntary") == before


def drop(daemon: Daemon, fds: int, numbers: Iterator[int], size: int) -> None:
    """Connect, come so far and go, in each of some ways, from addresses enough not to run out of
    ports."""
    for number in (next(numbers) for _ in range(size)):
        client = IRCClient(daemon.irc, source=f"127.0.{number % 16}.1")
        stage, nick = STAGES[number % len(STAGES)], f"drop{number % 64}"
        client.send(stage.format(nick, registration(nick)).encode("latin-1"))
        WAYS_OUT[number // len(STAGES) % len(WAYS_OUT)](client)
        if number % 50 == 49:
            wait_for(lambda: daemon.fds() == fds, 30, "they left")


def read_and_close(client: Client) -> None:
    """Once what it was answered has come; some are answered nothing."""
    client.socket.settimeout(0.01)
    with suppress(TimeoutError):
        client.socket.recv(65536)
    client.close()


WAYS_OUT: tuple[Callable[[Client], object], ...] = (Client.close, Client.reset, read_and_close)


# Row 20


def test_row_20_who_is_removed_with_a_full_buffer_is_gone(tmp_path: Path, stack: ExitStack) -> None:
    ways: dict[str, Callable[[Client], object]] = {
        "QUIT": lambda client: client.send("QUIT"),
        "half-close": lambda client: client.socket.shutdown(socket.SHUT_WR),
        "idle": lambda client: None,
    }
    settings = {"limits": {"lines": None, "idle_seconds": 1}}
    with Daemon(tmp_path, settings, listen=BOTH) as daemon, watched(daemon, "row 20"):
        asker = join(stack, daemon)
        full = {way: deaf(stack, daemon, way.lower()) for way in ways}
        for client in full.values():
            client.until(" 366 ")
        talker = stack.enter_context(Talker(daemon, 1000, 400))
        wait_for(lambda: talker.sent >= 1000, 10, "400 KB are said")
        for way, remove in ways.items():
            remove(full[way])
        left, closed = dict[str, float](), dict[str, float]()
        deadline = time.monotonic() + 15
        while len(closed) < len(full):
            assert time.monotonic() <= deadline, f"closed: {list(closed)}"
            here = names(asker)
            for way, client in full.items():
                if client.nick not in here:
                    left.setdefault(way, time.monotonic())
                if has_ended(client):
                    closed.setdefault(way, time.monotonic())
            time.sleep(0.02)
        stack.close()
    took = {way: closed[way] - left[way] for way in full}
    print("row 20: closed after", ", ".join(f"{took[way]:.1f} s ({way})" for way in took))
    assert max(took.values()) <= 5
