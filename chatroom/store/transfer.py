"""What is kept, written out and read in again, while a daemon may be using it.

An export is lines for people, Markdown, or JSON: an object on each line, which can be imported.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from typing import Any

from chatroom.errors import ChatError
from chatroom.events import Kicked, Ruled
from chatroom.names import NICK_CHARACTERS, NICK_LENGTH, check_room, fold
from chatroom.store import words
from chatroom.store.database import Row
from chatroom.store.lines import ADD, KINDS, PRIVATE, TAGS, TAKEN_OUT, changes_of, manner_of
from chatroom.store.sqlitefile import StoreError, reading
from chatroom.text import is_clean

__all__ = ["FORMATS", "ImportFault", "backup", "export", "import_lines"]

# What people wrote to one alone is in rooms of other names (`lines.talk`), and is nobody else's.
_ALL = (
    "SELECT lines.room, rooms.name, id, time, kind, nick, shown, text, other, source FROM lines "
    "LEFT JOIN rooms ON rooms.room = lines.room WHERE lines.room < ':' "
    "AND (?1 = '' OR lines.room = ?1) AND time >= ?2 ORDER BY lines.room, id"
)
_KNOW = "INSERT INTO rooms (room, name) VALUES (?, ?) ON CONFLICT (room) DO NOTHING"
_NAMES = {number: kind.__name__.lower() for number, kind in enumerate(KINDS) if number != PRIVATE}
_NUMBERS = {name: number for number, name in _NAMES.items()}
_SINCE = 2**53  # the largest whole number that JSON keeps everywhere

_SENTENCES = (
    "<{shown}> {text}",
    "* {shown} {text}",
    "-- {shown} joined",
    "-- {shown} left: {text}",
    "-- {shown} is now {text}",
    "-- {shown} set the topic: {text}",
    "-- {text}",
    "-- {shown} was kicked by {other}: {text}",
    "-- {other} took out a line by {shown}: {text}",
    "-- {shown} {text}",
)
# As it reads where there is no text.
_CLEARED = _SENTENCES.index("-- {shown} set the topic: {text}"), "-- {shown} cleared the topic"
_MARKED = {0: "**{shown}**: {text}", 1: "*{shown} {text}*"}
# What there may be in a text with colors beside what is clean: IRC's formatting, and where a line
# goes on that was sent in several.
_FORMATTING = re.compile(r"[\x02-\x04\x0b\x0f\x11\x16\x1d-\x1f]")
_TAG = re.compile(r"\+?([A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")
_SOURCE = re.compile(r"[^\s!@]{0,64} [^\s!@]{0,256} [^\s!@]{0,64}")


class ImportFault(Exception):
    """A line can't be imported, so none was: `FILE:LINE: reason`."""


def backup(path: str, to: str) -> None:
    """Copy the database, whole and in one state, to a file that is not there yet. Raises
    StoreError."""
    if os.path.exists(to):
        raise StoreError(f"{to} is there already. Choose a file that is not.")
    connection = reading(path)
    try:
        os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(sqlite3.connect(to)) as copy:
                connection.backup(copy)
        except sqlite3.Error:
            os.unlink(to)
            raise
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{to} can't be written: {error}.") from None
    finally:
        connection.close()


def export(path: str, room: str, since: float, form: str) -> Iterator[str]:
    """The lines of one room (of all if it is ''), said since a time in seconds since the epoch,
    in a form of `FORMATS`; each ends with a newline. Raises StoreError."""
    connection = reading(path)
    try:
        known = "SELECT 1 FROM rooms WHERE room = ?"
        if room and not connection.execute(known, (fold(room),)).fetchone():
            raise StoreError(f"Nothing is kept of a room {room} in {path}.")
        found = connection.execute(_ALL, (fold(room), since * 1000))
        yield from FORMATS[form](found)
    finally:
        connection.close()


def _as_json(found: Iterable[Any]) -> Iterator[str]:
    for folded, name, id, time, kind, nick, shown, text, other, source in found:
        line = {"room": name or folded, "id": id, "time": time / 1000, "kind": _NAMES[kind]}
        line |= {"nick": nick, "shown": shown, "text": text, "other": other, "source": source}
        kept = {key: value for key, value in line.items() if value is not None}
        yield json.dumps(kept, ensure_ascii=False) + "\n"


def _as_text(found: Iterable[Any]) -> Iterator[str]:
    for folded, name, _, time, kind, *said in found:
        stamp = datetime.fromtimestamp(time / 1000).strftime("%Y-%m-%d %H:%M")
        for each in _each(kind, *said):
            yield f"[{stamp}] [{name or folded}] {_sentence(_form(kind, each[1]), *each)}\n"


def _as_markdown(found: Iterable[Any]) -> Iterator[str]:
    heading = day = ""
    for folded, name, _, time, kind, *said in found:
        moment = datetime.fromtimestamp(time / 1000)
        if heading != folded:
            heading, day = folded, ""
            yield f"# {_escaped(name or folded)}\n\n"
        if day != f"{moment:%Y-%m-%d}":
            day = f"{moment:%Y-%m-%d}"
            yield f"## {day}\n\n"
        for each in _each(kind, *said):
            form = _MARKED.get(kind, f"*{_form(kind, each[1])}*")
            yield f"- {moment:%H:%M} {_sentence(form, *map(_escaped, each))}\n"


FORMATS: dict[str, Callable[[Iterable[Any]], Iterator[str]]] = {
    "text": _as_text,
    "md": _as_markdown,
    "json": _as_json,
}


def _each(
    kind: int, nick: str, shown: str | None, text: str | None, other: str | None, source: object
) -> Iterator[tuple[str, str, str]]:
    """Who, what and by whom, once for each line of what was said as one whole: every line that is
    written has a beginning that nobody can have said."""
    if kind == TAGS:  # which has nothing to read
        return
    by = (other or "").partition(" ")[0] if KINDS[kind] is Kicked else other or ""
    for line in (text or "").split("\n"):
        yield shown or nick, line, by


def _form(kind: int, text: str) -> str:
    return _CLEARED[1] if kind == _CLEARED[0] and not text else _SENTENCES[kind]


def _sentence(form: str, shown: str, text: str, other: str) -> str:
    said = form.format(shown=shown, text=text, other=other)
    return said if text else said.removesuffix(": ").replace(": *", "*")


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-!<>|~])", r"\\\1", text)


def import_lines(path: str, lines: Iterable[str], name: str) -> tuple[int, int]:
    """Add what `export` wrote as JSON; returns how many were added, and how many were there.

    In a room that has lines, and in any while a daemon runs (which counts on), what is new comes
    before all that is there, in its own order. Raises StoreError, and ImportFault, which names
    the file as `name`; then nothing was added.
    """
    connection = reading(path)
    try:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            running = _is_running(path)
            rooms: dict[str, dict[Row, None]] = {}  # what is told twice is added once
            for number, line in enumerate(lines, 1):
                if line.strip():
                    room, row = _checked(line, f"{name}:{number}")
                    connection.execute(_KNOW, (fold(room), room))
                    rooms.setdefault(fold(room), {})[row] = None
            return _add(connection, rooms, running)
    except sqlite3.Error as error:
        raise StoreError(f"{path} can't be written: {error}.") from None
    finally:
        connection.close()


def _add(
    connection: sqlite3.Connection, rooms: dict[str, dict[Row, None]], running: bool
) -> tuple[int, int]:
    added = there = 0
    (least,) = connection.execute("SELECT min(id) FROM lines").fetchone()
    ids = [row[0] for rows in rooms.values() for row in rows]
    keeps_ids = least is None and not running and len(set(ids)) == len(ids)
    first = min(1, 1 if least is None else least)
    for room, rows in rooms.items():
        found = connection.execute(
            "SELECT time, kind, nick, shown, text, other, source FROM lines WHERE room = ?", (room,)
        )
        known = set(found)
        new = sorted((row for row in rows if row[1:] not in known), key=lambda row: row[0])
        there += len(rows) - len(new)
        added += len(new)
        if not keeps_ids:
            first -= len(new)
            new = [(first + number, *row[1:]) for number, row in enumerate(new)]
        # The index looks only for what comes after what it has.
        words.add(connection.cursor(), room, [(*row[:1], *row[2:4], row[5]) for row in new])
        connection.executemany(ADD, [(room, *row) for row in new])
    return added, there


def _is_running(path: str) -> bool:
    """Whether a daemon has the store open."""
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _checked(line: str, where: str) -> tuple[str, Row]:
    """The room's name, and the row without it. Raises ImportFault."""
    try:
        told = json.loads(line)
        room = check_room(told["room"])
        kind = _NUMBERS.get(told["kind"], PRIVATE)
        if kind == PRIVATE:
            raise ValueError("kind is none")
        id, time, nick = told["id"], told["time"], told["nick"]
        if type(id) is not int or abs(id) > _SINCE:
            raise ValueError("id must be a whole number")
        if type(time) not in (int, float) or not 0 <= time <= _SINCE / 1000:
            raise ValueError("time must be seconds since 1970")
        if not isinstance(nick, str) or not _is_nick(nick, kind):
            raise ValueError("nick is none")
        texts = [told.get(key) for key in ("shown", "text", "other", "source")]
        _check(kind, *texts)
    except json.JSONDecodeError:
        raise ImportFault(f"{where}: this is no line of an export as JSON") from None
    except KeyError as error:
        raise ImportFault(f"{where}: {error} is missing") from None
    except (ChatError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ImportFault(f"{where}: {error}") from None
    return room, (id, round(time * 1000), kind, nick, *texts)


def _check(kind: int, shown: Any, text: Any, other: Any, source: Any) -> None:
    """Raises ValueError."""
    # What was said may have several lines.
    lines = text.split("\n") if kind == 0 and isinstance(text, str) else [text]
    for part in (shown, *lines, other, source):
        if part is not None and not (isinstance(part, str) and is_clean(part)):
            raise ValueError("shown, text, other and source must be clean text")
    if kind < 2 and not any(lines):
        raise ValueError("text is missing")
    if kind < 2 or kind == TAGS:
        manner = manner_of(other)
        if kind == TAGS and (text or not manner.tags):
            raise ValueError("there are tags, and no text")
        rich = _FORMATTING.sub("", manner.rich).split("\n")
        if not all(map(is_clean, rich)) or (len(rich) > 1 and len(rich) != len(lines)):
            raise ValueError("other has a rich text that can't be")
        if not all(_TAG.fullmatch(key) and "\0" not in value for key, value in manner.tags):
            raise ValueError("other has tags that can't be")
    if KINDS[kind] is Ruled:
        changes_of(other)
    if source is not None and not _SOURCE.fullmatch(source):
        raise ValueError("source must be USER HOST ACCOUNT")


def _is_nick(nick: str, kind: int) -> bool:
    if not nick:
        return KINDS[kind].__name__ == "Notice"
    return len(nick) <= NICK_LENGTH and NICK_CHARACTERS.issuperset(nick)


assert len(_SENTENCES) == PRIVATE and "took out" in _SENTENCES[TAKEN_OUT]
