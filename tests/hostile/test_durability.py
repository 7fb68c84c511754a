"""Rows 21 to 23 of docs/hostile.md, and what is kept: full disks, a locked database, `kill -9`, a
million lines, and the guessing of passwords."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from statistics import median

import pytest

from chatroom.__main__ import main
from chatroom.store.sqlitefile import SQLiteFile
from tests.daemon import MIB, Client, Daemon, wait_for, watched

UNLIMITED = {"lines": None, "joins": None, "nick_changes": None}


def stored(folder: Path, sql: str, *parameters: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "chatroom.db", timeout=10)) as connection:
        return connection.execute(sql, parameters).fetchall()


# Row 23


class Watcher:
    """A client whose lines are read, with the time of each, until it is cut off."""

    def __init__(self, port: int) -> None:
        self.client = Client(port).arrive()
        self.heard: list[tuple[float, str]] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        self.client.socket.settimeout(30)
        rest = b""
        with suppress(OSError):
            while data := self.client.socket.recv(1 << 16):
                now = time.monotonic()
                *lines, rest = (rest + data).split(b"\n")
                self.heard += [(now, found[1].decode()) for line in lines if (found := _SAID(line))]

    def end(self) -> list[tuple[float, str]]:
        self._thread.join()
        self.client.close()
        return self.heard


_SAID = re.compile(rb"<[^>]+> (said \d+ \d+ \d+)").search


class Talker:
    """A client that says numbered lines, as fast as they are taken, until it is cut off."""

    def __init__(self, port: int, life: int, who: int) -> None:
        self._client = Client(port).arrive()
        self._name = f"said {life} {who}"
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()

    def _talk(self) -> None:
        with suppress(OSError):
            for number in range(100_000):
                self._client.send(f"{self._name} {number}")
                time.sleep(0.001)

    def end(self) -> None:
        self._thread.join()
        self._client.close()


def live_and_die(daemon: Daemon, life: int, seconds: float) -> tuple[float, list[Watcher]]:
    """Two talk and two listen until the daemon is killed, so many seconds on; when that was."""
    watchers = [Watcher(daemon.port) for _ in range(2)]
    talkers = [Talker(daemon.port, life, who) for who in range(2)]
    time.sleep(seconds)
    daemon.process.kill()
    killed = time.monotonic()
    daemon.process.wait()
    for talker in talkers:
        talker.end()
    return killed, watchers


@pytest.mark.parametrize("durable", ["before", "after"])
@pytest.mark.parametrize("kills", [2, pytest.param(200, marks=pytest.mark.long)])
def test_row_23_kill_at_any_moment(tmp_path: Path, durable: str, kills: int) -> None:
    """What anyone saw is stored exactly once and in the order in which it was seen; with `after`
    but for the last moments, whose length is told."""
    chance = random.Random(23)
    settings = {"limits": UNLIMITED, "history": {"durable": durable}}
    lost, starts, seen = [0.0], [], 0
    for life in range(kills):
        began = time.monotonic()
        daemon = Daemon(tmp_path, settings)
        starts.append(time.monotonic() - began)
        killed, watchers = live_and_die(daemon, life, chance.uniform(0.05, 0.5))
        (kept,) = zip(
            *stored(
                tmp_path,
                "SELECT text FROM lines WHERE kind = 0 AND text LIKE ? ORDER BY id",
                f"said {life} %",
            ),
            strict=True,
        ) or ((),)
        assert len(set(kept)) == len(kept), "a line is there twice"
        assert stored(tmp_path, "PRAGMA integrity_check") == [("ok",)]
        places = {text: place for place, text in enumerate(kept)}
        for watcher in watchers:
            heard = watcher.end()
            seen += len(heard)
            missing = [killed - when for when, text in heard if text not in places]
            order = [places[text] for _, text in heard if text in places]
            assert order == sorted(order), "stored in another order"
            assert not missing or durable == "after", f"{len(missing)} lines were lost"
            lost.append(max(missing, default=0.0))
    print(
        f"row 23, {durable}: {kills} kills, {seen} lines seen; lost were lines of the last "
        f"{max(lost) * 1000:.0f} ms at most; listens after {max(starts):.2f} s at most"
    )
    assert seen > 20 * kills
    # 100 ms on a machine that does nothing else.
    assert max(lost) < 1.0
    assert max(starts) < 20


@pytest.mark.parametrize("way", ["backup", "cp"])
def test_a_copy_that_is_taken_while_it_runs_works(tmp_path: Path, way: str) -> None:
    """By `chatroom backup`, or of the file and the log that SQLite has beside it."""
    copies = [tmp_path / f"copy-{number}" / "chatroom.db" for number in range(3)]
    with Daemon(tmp_path, {"limits": UNLIMITED}) as daemon:
        talker = Talker(daemon.port, 0, 0)
        for copy in copies:
            copy.parent.mkdir()
            time.sleep(0.2)
            if way == "backup":
                assert main(["backup", f"--store={tmp_path / 'chatroom.db'}", str(copy)]) == 0
            else:
                for end in ("", "-wal"):
                    shutil.copy(f"{tmp_path / 'chatroom.db'}{end}", f"{copy}{end}")
        daemon.stop()
        talker.end()
    numbers = []
    for copy in copies:
        assert stored(copy.parent, "PRAGMA integrity_check") == [("ok",)]
        numbers.append(len(texts(copy.parent)))
        SQLiteFile(str(copy)).close()
    assert 0 < numbers[0] < numbers[1] < numbers[2]


# Row 22


@pytest.mark.parametrize("seconds", [1, pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.parametrize("durable", ["after", "before"])
def test_row_22_the_database_is_locked(tmp_path: Path, durable: str, seconds: float) -> None:
    """Chat goes on, or who speaks is told; operators are told once; then all that was to be
    stored is."""
    settings = {"limits": UNLIMITED, "history": {"durable": durable}}
    with (
        Daemon(tmp_path, settings) as daemon,
        Client(daemon.port).arrive() as ann,
        Client(daemon.port).arrive() as bob,
    ):
        ann.ask("before it was locked")
        bob.fence()
        with closing(sqlite3.connect(tmp_path / "chatroom.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            if durable == "after":
                with watched(daemon, f"row 22, {seconds} s"):
                    time.sleep(seconds)
                    ann.send("while it was locked")
            else:
                ann.send("while it was locked")
                assert ann.until("Not stored, not sent.", 20)
                time.sleep(seconds)
                began = time.monotonic()
                ann.send("still locked")
                assert ann.until("Not stored, not sent.", 20)
                print(f"row 22: refused within {(time.monotonic() - began) * 1000:.0f} ms")
            other.rollback()
        released = time.monotonic()
        wait_for(lambda: "can be written again" in daemon.log, 10, "it recovers")
        print(f"row 22: recovered after {time.monotonic() - released:.1f} s")
        ann.ask("after it was locked")
        heard = [line.partition("> ")[2] for line in bob.fence() if "> " in line]
        heard = [text for text in heard if "locked" in text]
        wait_for(lambda: ("after it was locked",) in texts(tmp_path), 10, "it is stored")
        assert daemon.log.count("can't be written") == 1
        expected = ["while it was locked"] * (durable == "after") + ["after it was locked"]
        assert heard == expected
        kept = [text for (text,) in texts(tmp_path) if "locked" in str(text)]
        assert kept == ["before it was locked", *expected]


def texts(folder: Path) -> list[tuple[object, ...]]:
    return stored(folder, "SELECT text FROM lines WHERE kind = 0 ORDER BY id")


# Row 21


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A file system of that size. Only root may make one."""
    disk = folder / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "chatroom-test", str(disk)],
        capture_output=True,
        text=True,
    )
    if made.returncode:
        pytest.skip(f"no file system of our own: {made.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take all the space that is left."""
    full = disk / "full"
    with full.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return full


@pytest.mark.parametrize("durable", ["after", "before"])
def test_row_21_the_disk_is_full_for_history(tmp_path: Path, durable: str) -> None:
    with small_disk(tmp_path, 4) as disk:
        settings = {
            "limits": UNLIMITED,
            "store": str(disk / "chatroom.db"),
            "history": {"durable": durable},
        }
        with Daemon(tmp_path, settings) as daemon, Client(daemon.port).arrive() as ann:
            ann.ask("before it was full")
            full = fill(disk)
            text = "x" * 900
            if durable == "after":
                with watched(daemon, "row 21"):
                    for number in range(200):
                        ann.send(f"{number} {text}")
                    wait_for(lambda: "can't be written" in daemon.log, 10, "it says so")
            else:
                ann.send("\n".join(f"{number} {text}" for number in range(200)))
                assert ann.until("ot stored, not sent.", 20)
            full.unlink()
            freed = time.monotonic()
            wait_for(lambda: "can be written again" in daemon.log, 10, "it recovers")
            print(f"row 21: recovered {time.monotonic() - freed:.1f} s after there was space")
            ann.ask("when there was space again")
            assert daemon.log.count("can't be written") == 1

        with closing(sqlite3.connect(disk / "chatroom.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            kept = [t for (t,) in connection.execute("SELECT text FROM lines WHERE kind = 0")]
        assert kept[0] == "before it was full"
        assert kept[-1] == "when there was space again"
        numbers = [int(text.split()[0]) for text in kept if text[0].isdigit()]
        assert numbers == sorted(set(numbers))
        if durable == "after":
            assert numbers == list(range(200))


def test_row_21_the_disk_is_full_for_the_log(tmp_path: Path) -> None:
    with small_disk(tmp_path, 1) as disk:
        folder = disk / "daemon"
        folder.mkdir()
        with Daemon(folder, {"limits": UNLIMITED, "store": str(tmp_path / "kept.db")}) as daemon:
            full = fill(disk)
            with watched(daemon, "row 21, the log"):
                for _ in range(50):
                    Client(daemon.port).arrive().close()
            full.unlink()
            Client(daemon.port).arrive().close()
            wait_for(lambda: "disconnected" in daemon.log[-200:], 5, "the log goes on")


# A million lines


@pytest.mark.parametrize("lines", [5_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_much_that_is_kept_costs_no_time(tmp_path: Path, lines: int) -> None:
    """Joining, with the last 50, and /search; and no memory."""
    SQLiteFile(str(tmp_path / "chatroom.db")).close()
    with closing(sqlite3.connect(tmp_path / "chatroom.db")) as connection, connection:
        now = int(time.time() * 1000)
        words = ["apple", "pear", "plum", "quince", "fig", "date", "lime", "melon"]
        connection.execute("INSERT INTO rooms (room, name) VALUES ('#much', '#much')")
        connection.executemany(
            "INSERT INTO lines VALUES ('#much', ?, ?, 0, 'ann', NULL, ?, NULL, NULL)",
            (
                (n, now, f"{words[n % 8]} {words[n // 8 % 8]} number {n}")
                for n in range(1, lines + 1)
            ),
        )
    settings = {"limits": UNLIMITED, "history": {"keep_lines": None}}
    began = time.monotonic()
    with Daemon(tmp_path, settings) as daemon:
        start = time.monotonic() - began
        wait_for(
            lambda: stored(tmp_path, "SELECT last FROM indexed") == [(lines,)],
            60 + lines / 5000,
            "all is in the index",
        )
        joins, searches = [], []
        for number in range(10):
            with Client(daemon.port).arrive() as ann:
                joins.append(timed(ann, "/join #much", f"number {lines}"))
                wanted = lines // 2 + number
                asked = f"/search {words[wanted % 8]} {wanted}"
                searches.append(timed(ann, asked, "1 line found."))
        size = daemon.rss() / MIB
    print(
        f"{lines} lines: join {median(joins) * 1000:.0f} ms, search "
        f"{median(searches) * 1000:.0f} ms, start {start:.2f} s, {size:.0f} MiB"
    )
    # 50 ms each, on a machine that does nothing else.
    assert median(joins) < 1
    assert median(searches) < 1
    assert size < 150


def timed(client: Client, line: str, answer: str) -> float:
    began = time.monotonic()
    client.send(line)
    client.until(answer)
    return time.monotonic() - began
