"""The file of a SQLite database: whose it is, its schema, and how connections to it are made."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from importlib.resources import files
from typing import Any

__all__ = ["APPLICATION_ID", "VERSION", "SQLiteFile", "StoreError", "migrations", "reading"]

APPLICATION_ID = 0x63686174  # "chat"

_LOCKED_SECONDS = 1.0
_CACHE_KIB = 512  # of each connection: lines are added at the end, and read there
_PAGES_BEFORE_CHECKPOINT = 4000  # 16 MiB of log; with 1,000 a line took a fifth longer


class StoreError(Exception):
    """The store can't be opened; the sentence says why, and what to do."""


def migrations() -> list[str]:
    """The SQL that leads from each version of the schema to the next, from 0 on."""
    folder = files("chatroom.store") / "schema"
    scripts = sorted((file for file in folder.iterdir()), key=lambda file: file.name)
    return [script.read_text() for script in scripts if script.name.endswith(".sql")]


VERSION = len(migrations())
"""The newest version of the schema, which this program reads and writes."""


class SQLiteFile:
    """The database at `path`. `safe`: what was written survives the loss of power, not just the
    end of the process. Raises StoreError."""

    def __init__(self, path: str, *, safe: bool = False) -> None:
        self.path = path
        self.safe = safe
        self._lock: int | None = None
        self.connect_arguments: dict[str, Any] = {
            "database": path,
            "timeout": _LOCKED_SECONDS,
            "check_same_thread": False,
        }
        # Needs as much space as a turn's lines may; written while it is tried again.
        self.probe = [
            ("INSERT INTO letters VALUES (-1, '', 0, '', '', '', zeroblob(65536))", [()]),
            ("DELETE FROM letters WHERE id = -1", [()]),
        ]
        self._create()
        self._take_lock()
        try:
            self._connection = sqlite3.connect(**self.connect_arguments)
            self.prepare(self._connection)
            self._migrate()
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"{path} can't be used as the store: {error}.") from None
        except StoreError:
            self.close()
            raise

    def prepare(self, connection: Any) -> None:
        """Set up a new connection."""
        connection.execute(f"PRAGMA synchronous = {'FULL' if self.safe else 'NORMAL'}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BEFORE_CHECKPOINT}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()  # opens the log as well

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What a query finds, at once. Raises StoreError."""
        try:
            rows: list[tuple[Any, ...]] = self._connection.execute(sql, parameters).fetchall()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.path} can't be read: {error}.") from None
        return rows

    def close(self) -> None:
        """Let go of the file. Twice does no harm."""
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _create(self) -> None:
        """Only who runs the daemon may read what was said."""
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreError(f"{self.path} can't be opened: {error.strerror}.") from None

    def _take_lock(self) -> None:
        """Beside the file, since to close any descriptor of its own would undo SQLite's locks."""
        path = f"{self.path}.lock"
        try:
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            by = os.read(self._lock or 0, 20).decode("ascii", "replace").strip()
            self.close()
            raise StoreError(
                f"{self.path} is in use by process {by}: stop that, or set another store."
            ) from None
        except OSError as error:
            raise StoreError(f"{path} can't be opened: {error.strerror}.") from None
        os.truncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def _migrate(self) -> None:
        """Bring the schema up to date, each step whole or not at all."""
        version = self.query("PRAGMA user_version")[0][0]
        is_ours = self.query("PRAGMA application_id")[0][0] == APPLICATION_ID
        if not is_ours and self.query("SELECT 1 FROM sqlite_master"):
            raise StoreError(f"{self.path} is a database of another program. Choose another file.")
        if version > VERSION:
            raise StoreError(
                f"{self.path} was written by a newer chatroom (its schema is {version}, this one "
                f"knows {VERSION}). Install that one, or choose another file."
            )
        for number, script in enumerate(migrations()[version:], version + 1):
            self._connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\nPRAGMA application_id = {APPLICATION_ID};\n"
                f"PRAGMA user_version = {number};\nCOMMIT;"
            )


def reading(path: str) -> sqlite3.Connection:
    """A connection to a store that a daemon may have open, to read it, or to add to it. Raises
    StoreError."""
    if not os.path.exists(path):
        raise StoreError(f"There is no {path}.")
    try:
        connection = sqlite3.connect(path, timeout=30)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    except sqlite3.Error as error:
        raise StoreError(f"{path} can't be read: {error}.") from None
    if not ours:
        raise StoreError(f"{path} is not a store of chatroom's.")
    if version != VERSION:
        raise StoreError(
            f"{path} has schema {version}, this chatroom {VERSION}. Start its daemon once to "
            "bring it up to date, or install the newer chatroom."
        )
    return connection
