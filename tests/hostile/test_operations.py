"""Rows 24 to 27 of docs/hostile.md: the end under load, reloads, broken files, a clock that steps.

Row 28, of the unit's exposure, is in tests/test_contrib.py.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

import pytest

from tests.daemon import (
    ENVIRON,
    MIB,
    ROOT,
    TWISTD,
    Canary,
    Client,
    Daemon,
    is_listening,
    local_client,
    wait_for,
    watched,
)

BROKEN = sorted((ROOT / "tests" / "broken").glob("*.yaml"))
GOODBYE = "-- The server is stopping. Goodbye."
LINE = re.compile(r"<(\S+)> (\d+) x+")


# Row 24


class Talkers:
    """Members in one thread that say numbered lines of 1,000 bytes until they are cut off."""

    def __init__(self, clients: list[Client], a_second: int) -> None:
        self._clients = clients
        self._a_second = a_second
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()

    def _talk(self) -> None:
        number, began = 0, time.monotonic()
        with suppress(OSError):
            while True:
                while number < (time.monotonic() - began) * self._a_second:
                    client = self._clients[number % len(self._clients)]
                    client.send(f"{number // len(self._clients)} ".ljust(1000, "x"))
                    number += 1
                time.sleep(0.01)

    def join(self) -> None:
        self._thread.join(30)


class Readers:
    """Members in one thread that read until they are cut off, and keep what they read."""

    def __init__(self, clients: list[Client]) -> None:
        self.read = {client: bytearray() for client in clients}
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        with DefaultSelector() as selector:
            for client in self.read:
                selector.register(client.socket, EVENT_READ, client)
            while selector.get_map():
                for key, _ in selector.select():
                    data = b""
                    with suppress(ConnectionError):
                        data = key.data.socket.recv(1 << 20)
                    self.read[key.data] += data
                    if not data:
                        selector.unregister(key.fileobj)

    def join(self) -> list[list[str]]:
        """The lines that each has read, once all are cut off."""
        self._thread.join(30)
        return [bytes(data).decode().splitlines() for data in self.read.values()]


def assert_whole(lines: list[str]) -> int:
    """Nothing is missing from the lines of any talker, and the end is told; returns how many
    there were."""
    assert lines.count(GOODBYE) == 1
    heard: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        if (match := LINE.fullmatch(line)) is not None:
            heard[match[1]].append(int(match[2]))
    for numbers in heard.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return sum(map(len, heard.values()))


@pytest.mark.parametrize("deaf", [0, pytest.param(2, marks=pytest.mark.long)])
def test_row_24_sigterm_under_load(tmp_path: Path, deaf: int) -> None:
    """With those that never read; and with one that reads only after the signal, and talks on:
    all that was kept for it comes, too."""
    settings = {"limits": {"lines": None, "outbox_bytes": 64 * MIB}}
    with Daemon(tmp_path, settings) as daemon, ExitStack() as stack:

        def join(receive_buffer: int = 0) -> Client:
            client = Client(daemon.port, receive_buffer=receive_buffer).arrive()
            return stack.enter_context(client)

        silent, late = [join(2048) for _ in range(deaf)], join(2048)
        talking, listening = [join() for _ in range(5)], [join() for _ in range(5)]
        readers = Readers(talking + listening)
        talkers = Talkers(talking, 2000)
        wait_for(lambda: len(readers.read[listening[0]]) > 4 * MIB, 30, "4 MiB of talk")
        began = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not is_listening(daemon.port), 10, "it stops listening")
        late.send("too late")
        kept = Readers([late]).join()[0]
        status = daemon.process.wait(30)
        took = time.monotonic() - began
        talkers.join()
        heard = [assert_whole(lines) for lines in readers.join()]
        assert assert_whole(kept) >= max(heard[5:]) * 0.9
        assert not any(GOODBYE.encode() in drain(client.socket) for client in silent)
    assert status == 0
    assert (9 if deaf else 0) <= took <= 30
    assert "Traceback" not in daemon.log
    print(
        f"row 24: exit status 0 after {took:.1f} s with {deaf} that never read; 11 members told, "
        f"{sum(heard)} lines to the healthy in order, {len(kept)} to one that read late"
    )


def drain(peer: socket.socket) -> bytes:
    """All that the kernel has for it."""
    data = bytearray()
    peer.settimeout(1)
    with suppress(OSError):
        while piece := peer.recv(1 << 20):
            data += piece
    return bytes(data)


# Row 25


def hang_up(pid: int, times: int, pause: float = 0.005) -> None:
    for _ in range(times):
        os.kill(pid, signal.SIGHUP)
        time.sleep(pause)


def write(file: Path, text: str) -> None:
    """All of it at once: the daemon never reads a half."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def reloaded(daemon: Daemon, times: int) -> bool:
    return daemon.log.count("Reloaded the settings") >= times


def test_row_25_sighup_100_times_with_a_broken_file(tmp_path: Path) -> None:
    settings = "welcome: One\nlimits: {lines: off}\n"
    broken = settings + "welcome: Two\nmoto: x\n"
    with Daemon(tmp_path, settings) as daemon:
        write(daemon.config, broken)
        with Canary(daemon) as canary:
            hang_up(daemon.pid, 100)
            wait_for(lambda: "Not reloaded, the old settings stay" in daemon.log, 10, "it is told")
        with Client(daemon.port) as client:
            assert client.line() == "One"
        assert daemon.log.count(":3:1: welcome: is set twice; remove this or line 1") == 1
        assert daemon.log.count(":4:1: moto: unknown key; did you mean motd?") == 1
        write(daemon.config, settings.replace("One", "Three"))
        hang_up(daemon.pid, 1)
        wait_for(lambda: reloaded(daemon, 1), 10, "the mended file is read")
        with Client(daemon.port) as client:
            assert client.line() == "Three"
        assert "Traceback" not in daemon.log
        assert daemon.stop() == 0
    print(f"row 25, a broken file: {canary.figures}")


def test_row_25_sighup_100_times_with_listeners_that_come_and_go(tmp_path: Path) -> None:
    """Every other reload moves one listener to where another was."""
    one, two = "line=tcp:0:interface=127.0.0.1", f"line=unix:{tmp_path}/chat.sock"
    files = [
        f"limits: {{lines: off}}\nlisten: [{json.dumps(one)}, {json.dumps(listener)}]\n"
        for listener in (two, f"{two}:mode=600")
    ]
    with Daemon(tmp_path, files[0], listen=()) as daemon:
        wait_for(lambda: "chat.sock" in daemon.log, 10, "both listen")
        with watched(daemon, "row 25, listeners that come and go"):
            for number in range(1, 101):
                write(daemon.config, files[number % 2])
                hang_up(daemon.pid, 1)
                wait_for(partial(reloaded, daemon, number), 10, f"{number} reloads")
        assert daemon.log.count("No longer listening on line=unix:") == 100
        assert daemon.stop() == 0


@pytest.mark.parametrize("way", ["twistd -n", pytest.param("twistd", marks=pytest.mark.long)])
def test_row_25_sighup_while_it_starts(tmp_path: Path, way: str) -> None:
    """From the moment that there is a pidfile; and the file is broken once it was read."""
    log, pidfile, config = tmp_path / "log", tmp_path / "pid", tmp_path / "chatroom.yaml"
    config.write_text("welcome: One\nlisten: ['line=tcp:0:interface=127.0.0.1']\n")
    command = [TWISTD[0], f"--pidfile={pidfile}", f"--logfile={log}"]
    command += ["-n"] if way == "twistd -n" else []
    command += ["chatroom", f"--config={config}"]
    process = subprocess.Popen(command, cwd=tmp_path, env=ENVIRON)
    try:
        wait_for(lambda: pidfile.exists() and pidfile.read_text(), 20, "there is a pidfile")
        write(config, "welcome: no\n")
        pid = int(pidfile.read_text())
        hang_up(pid, 100, 0.002)
        wait_for(lambda: "Listening on" in log.read_text(), 20, "it listens")
        wait_for(lambda: "Not reloaded" in log.read_text(), 20, "the broken file is told of")
        found = re.search(r"Listening on 127\.0\.0\.1 port (\d+)", log.read_text())
        assert found
        with Client(int(found[1])) as client:
            assert client.line() == "One"
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: "Server Shut Down" in log.read_text(), 20, "it stops")
    finally:
        with suppress(OSError, ValueError):
            os.kill(int(pidfile.read_text()), signal.SIGKILL)
        assert process.wait(20) == 0
    assert log.read_text().count(":1:10: welcome: YAML takes this for a switch") == 1
    assert "Traceback" not in log.read_text()


def test_sigterm_while_it_starts_ends_it_with_status_0(tmp_path: Path) -> None:
    """From the first line of its log on: the signal waits until there is something to stop."""
    command = [*TWISTD, "chatroom", "--port=0"]
    logs = [tmp_path / str(number) / "log" for number in range(2)]
    for log in logs:
        log.parent.mkdir()
    with ExitStack() as stack:
        daemons = [
            subprocess.Popen(
                command,
                cwd=log.parent,
                env=ENVIRON,
                stdout=stack.enter_context(log.open("wb")),
                stderr=subprocess.STDOUT,
            )
            for log in logs
        ]
    for moment, (log, daemon) in enumerate(zip(logs, daemons, strict=True)):
        wait_for(partial(has_begun, log), 20, "the log has begun")
        time.sleep(moment * 0.01)
        daemon.send_signal(signal.SIGTERM)
    assert [daemon.wait(20) for daemon in daemons] == [0, 0]
    assert not any("Traceback" in log.read_text() for log in logs)


def has_begun(log: Path) -> bool:
    return log.stat().st_size > 0


# Row 26

CHECK_ALL = """
import sys, time
from chatroom.__main__ import main
for path in sys.argv[1:]:
    began = time.process_time()
    status = main(["check", path])
    print(status, time.process_time() - began, path, flush=True)
"""


def hostile_files(folder: Path) -> list[Path]:
    """What is broken without being a fixture."""
    big, link, secret = folder / "big.yaml", folder / "link.yaml", folder / "secret.yaml"
    big.write_bytes(b"motd: x\n" * (10 * MIB // 8))
    link.symlink_to(link)
    secret.write_text('listen: ["line=ssl:1:privateKey=hunter2\n')
    return [
        big,
        link,
        secret,
        folder,
        folder / "missing.yaml",
        Path("/dev/zero"),
        Path("/dev/null/x"),
    ]


def test_row_26_broken_files_are_told_by_the_check_at_once(tmp_path: Path) -> None:
    files = [*BROKEN, *hostile_files(tmp_path)]
    ended = subprocess.run(
        [sys.executable, "-c", CHECK_ALL, *map(str, files)],
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    checked = [line.split(" ", 2) for line in ended.stdout.splitlines()]
    assert [(status, path) for status, _, path in checked] == [("1", str(path)) for path in files]
    slowest = max(float(seconds) for _, seconds, _ in checked)
    assert slowest <= 1
    complaint = re.compile(
        rf"({'|'.join(re.escape(str(path)) for path in files)}):\d+:\d+: \S+: .+"
    )
    complaints = ended.stderr.splitlines()
    assert all(complaint.fullmatch(line) for line in complaints)
    assert {found[1] for line in complaints if (found := complaint.fullmatch(line))} == {
        str(path) for path in files
    }
    assert all(line.isprintable() for line in complaints)
    assert "hunter2" not in ended.stderr
    print(f"row 26: {len(files)} broken files, {slowest * 1000:.0f} ms of CPU at most")


@pytest.mark.parametrize(
    "file",
    [
        file if file.stem == "all_at_once" else pytest.param(file, marks=pytest.mark.long)
        for file in BROKEN
    ],
    ids=lambda file: file.stem,
)
def test_row_26_a_broken_file_ends_the_daemon_before_it_starts(file: Path) -> None:
    commands = ([*TWISTD, "chatroom", "--config"], [sys.executable, "-m", "chatroom", "check"])
    started, checked = (
        subprocess.run(
            [*command, str(file)],
            env=ENVIRON,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )
        for command in commands
    )
    assert (started.returncode, checked.returncode) == (1, 1)
    # The same words as the check's, and nothing else: no log, no traceback.
    assert started.stdout == checked.stdout
    assert started.stdout.startswith(f"{file}:")


# Row 27

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
HOUR, DAY = 3600, 86400
STEPS = (HOUR, 0, -HOUR, 0, DAY, 0, -DAY, DAY, -DAY)
STEP_SECONDS = 0.5


class Clock:
    """The wall clock of a process: while the `with` lasts, it steps twice a second."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "time"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._step_on)
        self._set(0)
        self.environ = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # With it, what waits for another thread waits up to half a second too long.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    def _set(self, seconds: int) -> None:
        write(self._file, f"{seconds:+d}")

    def _step_on(self) -> None:
        while True:
            for seconds in STEPS:
                self._set(seconds)
                if self._over.wait(STEP_SECONDS):
                    return

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Clock]:
    if FAKETIME is None:
        pytest.skip("libfaketime is not installed")
    yield Clock(tmp_path)


def seconds_until(ask: Callable[[], object]) -> float:
    began = time.monotonic()
    wait_for(ask, 20, "it happens")
    return time.monotonic() - began


def test_row_27_the_wall_clock_steps_by_an_hour_and_a_day(tmp_path: Path, clock: Clock) -> None:
    """Whatever waits waits as long as ever: the next line, for who sends too fast; the end, for
    who is silent or never reads."""
    limits = {"lines": [500, 500], "idle_seconds": 4, "stall_seconds": 2}
    settings = {"limits": limits, "log": {"chat": True}}
    listen = ("line=tcp:0:interface=127.0.0.1", f"line=unix:{tmp_path}/chat.sock")
    with ExitStack() as stack:
        daemon = stack.enter_context(
            Daemon(tmp_path, settings, listen=listen, environ=clock.environ)
        )
        pool = stack.enter_context(ThreadPoolExecutor())
        with clock, Canary(daemon) as canary:
            talker, listener, idle = (
                stack.enter_context(Client(daemon.port)).arrive() for _ in range(3)
            )
            # The kernel keeps little for a UNIX socket: one that never reads stalls at once.
            deaf = stack.enter_context(local_client(tmp_path / "chat.sock")).arrive()
            idling = pool.submit(seconds_until, lambda: idle.until("You said nothing for 4 s", 20))
            stalling = pool.submit(seconds_until, lambda: f"{deaf.nick} reads" in daemon.log)
            # 500 lines at once, then 500 a second: the last of 1,500 is due after 2 seconds.
            paced, heard = pace(pool, talker, listener, 1500)
            stalled, idled = stalling.result(), idling.result()
            wait_for(lambda: len(gone(daemon.log)) == 2, 10, "both are gone")
            log = daemon.log
    print(
        f"row 27: 1,500 lines in order, the last after {paced:.1f} s (due after 2); deaf for 2 s "
        f"gone after {stalled:.1f} s, silent for 4 s after {idled:.1f} s; {canary.figures}"
    )
    assert heard == list(range(1500))
    assert 1.9 <= paced <= 3
    assert 2 <= stalled <= 4
    assert 3.9 <= idled <= 5.5
    # It did step, and nobody went but those two, before the daemon did.
    assert len({line.partition("T")[0] for line in log.splitlines()}) >= 3
    assert gone(log) == {deaf.nick, idle.nick}
    assert "Traceback" not in log


def gone(log: str) -> set[str]:
    return set(re.findall(r"\] (\S+) disconnected", log))


def pace(
    pool: ThreadPoolExecutor, talker: Client, listener: Client, lines: int
) -> tuple[float, list[int]]:
    """Say that many numbered lines at once; when the last was heard, and which were."""
    began = time.monotonic()
    text = "".join(f"{'x' * 600} paced {number}\n" for number in range(lines))
    sending = pool.submit(talker.send, text, b"")
    heard: list[int] = []
    while len(heard) < lines and time.monotonic() < began + 20:
        heard += [int(line.split()[-1]) for line in listener.fence() if " paced " in line]
    took = time.monotonic() - began
    sending.result()
    return took, heard
