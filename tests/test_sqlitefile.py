"""The store's file: who may have it, which version it is of, and what else is refused."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from chatroom.store import sqlitefile, words
from chatroom.store.sqlitefile import (
    APPLICATION_ID,
    VERSION,
    SQLiteFile,
    StoreError,
    migrations,
    reading,
)

SAMPLES = {
    "rooms": ("#a", "#A", "ann", "tea", "ann", 1, "key", 5, 1, 0, -1),
    "lines": ("#a", 7, 8, 0, "ann", None, "an apple", None),
    "accounts": ("ann", "Ann", "hash", 1, 2),
    "roles": ("#a", "bob", "voice"),
    "sanctions": (1, "ban", "", "nick:cy", None, "ann", "spam", 3),
    "audit": (1, 2, "ann", "ann", "192.0.2.1", "ban", "", "nick:cy", "spam"),
    "letters": (1, "ann", 2, "bob", "bob", "192.0.2.2", "hello"),
}


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "chat.db")


def of_version(path: str, version: int) -> None:
    """A store as a program of that version left it, with a row in each table."""
    with sqlite3.connect(path) as connection:
        for script in migrations()[:version]:
            connection.executescript(script)
        for table, row in SAMPLES.items():
            places = ", ".join("?" * len(row))
            columns = ", ".join(_columns(connection, table)[: len(row)])
            connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", row)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def refusal(path: str) -> str:
    with pytest.raises(StoreError) as caught:
        SQLiteFile(path)
    return str(caught.value)


def test_only_who_runs_the_daemon_may_read_it(path: str) -> None:
    old = os.umask(0)
    try:
        file = SQLiteFile(path)
        with sqlite3.connect(path) as other:
            other.execute("INSERT INTO rooms (room, name) VALUES ('#a', '#a')")
        names = {name: os.stat(name).st_mode for name in map(path.__add__, ("", "-wal", "-shm"))}
        other.close()
        file.close()
    finally:
        os.umask(old)
    assert {stat.S_IMODE(mode) for mode in names.values()} == {0o600}
    assert stat.S_IMODE(os.stat(f"{path}.lock").st_mode) == 0o600


def test_a_second_daemon_is_told_whose_it_is_and_the_first_goes_on(path: str) -> None:
    file = SQLiteFile(path)
    assert refusal(path) == (
        f"{path} is in use by process {os.getpid()}: stop that, or set another store."
    )
    assert file.query("SELECT count(*) FROM rooms") == [(0,)]
    file.close()
    file.close()
    SQLiteFile(path).close()


def test_one_of_a_newer_version_is_refused_and_left_alone(path: str) -> None:
    of_version(path, VERSION)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    assert refusal(path) == (
        f"{path} was written by a newer chatroom (its schema is {VERSION + 1}, this one knows "
        f"{VERSION}). Install that one, or choose another file."
    )
    with pytest.raises(StoreError, match="has schema"):
        reading(path)


def test_the_database_of_another_program_is_refused_and_left_alone(path: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    assert refusal(path) == f"{path} is a database of another program. Choose another file."
    with pytest.raises(StoreError, match="not a store of chatroom's"):
        reading(path)
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert found == [("theirs",)]


def test_what_is_no_database_is_refused_and_left_alone(path: str) -> None:
    garbage = b"Dear diary, " * 1000
    Path(path).write_bytes(garbage)
    assert refusal(path) == f"{path} can't be used as the store: file is not a database."
    with pytest.raises(StoreError, match="can't be read: file is not a database"):
        reading(path)
    assert Path(path).read_bytes() == garbage


@pytest.mark.parametrize("where", ["missing/chat.db", ".", "file/chat.db"])
def test_where_no_file_can_be_is_told(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    path = str(tmp_path / where)
    assert refusal(path).startswith(f"{path} can't be opened: ")


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert refusal(str(tmp_path / "chat.db")).endswith("can't be opened: Permission denied.")


def test_there_is_nothing_to_read_where_there_is_no_file(path: str) -> None:
    with pytest.raises(StoreError) as caught:
        reading(path)
    assert str(caught.value) == f"There is no {path}." and not os.path.exists(path)


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_a_store_of_every_version_there_was_opens_with_all_that_is_in_it(
    path: str, version: int
) -> None:
    of_version(path, version)
    file = SQLiteFile(path)
    # What later versions added stands after it.
    found = {table: [row[: len(SAMPLES[table])] for row in file.query(f"SELECT * FROM {table}")]
             for table in SAMPLES}  # fmt: skip
    assert found == {table: [row] for table, row in SAMPLES.items()}
    assert file.query("PRAGMA user_version") == [(VERSION,)]
    file.close()
    connection = reading(path)
    cursor = connection.cursor()
    assert words.behind(cursor) == ["#a"]
    assert not words.index(cursor, "#a", 10)
    assert [row[1] for row in words.search(cursor, ["#a"], "", ["apple"], 10)] == [7]
    connection.close()


def test_a_room_that_was_locked_without_a_key_is_for_who_is_invited_since_version_3(
    path: str,
) -> None:
    of_version(path, 2)
    with sqlite3.connect(path) as connection:
        for room, key in (("#open", None), ("#locked", "")):
            sql = "INSERT INTO rooms (room, name, lock_key) VALUES (?, ?, ?)"
            connection.execute(sql, (room, room, key))
    connection.close()
    file = SQLiteFile(path)
    found = file.query(
        "SELECT room, invite_only, lock_key, most_members, members_only, secret, topic_at, made "
        "FROM rooms ORDER BY room"
    )
    assert found == [
        ("#a", 0, "key", 0, 1, 0, 0, 0),
        ("#locked", 1, None, 0, 1, 0, 0, 0),
        ("#open", 0, None, 0, 1, 0, 0, 0),
    ]
    file.close()


def test_one_that_is_older_is_not_read_until_its_daemon_has_run(path: str) -> None:
    of_version(path, 1)
    with pytest.raises(StoreError, match="Start its daemon once"):
        reading(path)
    SQLiteFile(path).close()
    reading(path).close()


@pytest.mark.parametrize("wrong", ["CREATE TABLE rooms (x);", "nonsense;", "INSERT INTO none;"])
def test_a_step_that_fails_leaves_the_version_that_was(
    path: str, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    of_version(path, 1)
    steps = [*migrations()[:1], f"CREATE TABLE half (x);\nDELETE FROM rooms;\n{wrong}"]
    with monkeypatch.context() as patched:
        patched.setattr(sqlitefile, "migrations", lambda: steps)
        assert "can't be used as the store" in refusal(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT name FROM rooms").fetchall() == [("#A",)]
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall()
    connection.close()
    SQLiteFile(path).close()


def test_what_is_safe_waits_for_the_disk(path: str) -> None:
    for safe, synchronous in ((False, 1), (True, 2)):
        file = SQLiteFile(path, safe=safe)
        assert file.query("PRAGMA synchronous") == [(synchronous,)]
        assert file.query("PRAGMA journal_mode") == [("wal",)]
        file.close()
