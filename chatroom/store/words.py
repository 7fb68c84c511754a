"""The full-text index of what was said: how lines come into it and out of it, and how they are
found. Runs in the thread that writes. What is SQLite's alone of /search is here and in 002.sql."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from unicodedata import normalize

from chatroom.names import fold
from chatroom.store.database import Row, Rows, Statement

__all__ = ["add", "behind", "delete", "index", "renamed", "search", "wanted"]

# What SQLite takes for a word's letters; those few, which are letters to Python, it does not.
_WORD = re.compile(r"[^\W_\u19B0-\u19C0\u19C8\u19C9\u1CF2\u1CF3]+\*?")
_IN = re.compile(r"(?:^|\s)in:(\S+)")
_FROM = re.compile(r"(?:^|\s)from:(\S+)")

_ADD = "INSERT INTO words (rowid, text) VALUES (?, ?)"
# To take a line out of an index that has no copy of the text, one tells it the text.
_DELETE = "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)"

# Each begins a word of the index that stands for a room or a nick, so that the index itself finds
# what was said there, or by whom. For private use, they are in no word that anyone looks for.
_ROOM, _NICK = "\ue000", "\ue001"
_BOTH = re.compile(f"[{_ROOM}{_NICK}]")


def _token(kind: str, name: str) -> str:
    return f"{kind}{name.encode().hex()}"


def _indexed(room: str, nick: str, text: str) -> str:
    return f"{_BOTH.sub(' ', text)} {_token(_ROOM, room)} {_token(_NICK, fold(nick))}"


# The same in SQL, of a row of `lines`, with the room's name in hexadecimal as its parameter.
_INDEXED = (
    f"replace(replace(text, '{_ROOM}', ' '), '{_NICK}', ' ') || ' {_ROOM}' || ? || ' {_NICK}' || "
    "lower(hex(lower(nick)))"
)


def behind(cursor: Any) -> list[str]:
    """The rooms that have lines which are not in the index yet. Private lines never are."""
    cursor.execute(
        "SELECT rooms.room FROM rooms LEFT JOIN indexed ON indexed.room = rooms.room WHERE "
        "rooms.room < ':' AND (SELECT max(id) FROM lines WHERE lines.room = rooms.room) > "
        "coalesce(indexed.last, -1)"
    )
    return [room for (room,) in cursor.fetchall()]


def index(cursor: Any, room: str, most: int) -> bool:
    """Bring a room's next lines into the index, `most` at most; whether there may be more."""
    cursor.execute("SELECT last FROM indexed WHERE room = ?", (room,))
    last = (cursor.fetchone() or (-(2**62),))[0]
    cursor.execute(
        "SELECT id, kind, nick, text FROM lines WHERE room = ? AND id > ? ORDER BY id LIMIT ?",
        (room, last, most),
    )
    found = cursor.fetchall()
    if found:
        said = [(row[0], _indexed(room, row[2], row[3])) for row in found if row[1] < 2]
        cursor.executemany(_ADD, said)
        cursor.execute(
            "INSERT INTO indexed VALUES (?, ?) "
            "ON CONFLICT (room) DO UPDATE SET last = excluded.last",
            (room, found[-1][0]),
        )
    return len(found) == most


def add(cursor: Any, room: str, lines: Iterable[Sequence[Any]]) -> None:
    """Bring lines into the index, given as (id, kind, nick, text), that come before those of the
    room that are in it."""
    cursor.execute("SELECT last FROM indexed WHERE room = ?", (room,))
    last = (cursor.fetchone() or (-(2**62),))[0]
    rows = [(id, _indexed(room, nick, text)) for id, kind, nick, text in lines if kind < 2]
    cursor.executemany(_ADD, [row for row in rows if row[0] <= last])


def delete(cursor: Any, room: str, lines: Iterable[Sequence[Any]]) -> None:
    """Take lines out of the index, given as (id, kind, nick, text) while they are as they were
    said."""
    cursor.execute("SELECT last FROM indexed WHERE room = ?", (room,))
    last = (cursor.fetchone() or (-(2**62),))[0]
    rows = [(id, _indexed(room, nick, text)) for id, kind, nick, text in lines if kind < 2]
    cursor.executemany(_DELETE, [row for row in rows if row[0] <= last])


def renamed(was: str, name: str, before: int) -> list[Statement]:
    """What makes the lines before that id follow their room in the index, ahead of the lines
    themselves. Those that come after what is indexed of the new name are left to `index`."""
    chosen = "FROM lines WHERE room = ? AND kind < 2 AND id < ? AND id <= "
    last = f"coalesce((SELECT last FROM indexed WHERE room = ?), {-(2**62)})"
    delete = f"INSERT INTO words (words, rowid, text) SELECT 'delete', id, {_INDEXED} "
    add = f"INSERT INTO words (rowid, text) SELECT id, {_INDEXED} "
    return [
        (f"{delete}{chosen}{last}", [(was.encode().hex(), was, before, was)]),
        (f"{add}{chosen}{last}", [(name.encode().hex(), was, before, name)]),
    ]


def wanted(text: str) -> tuple[str, str, list[str]]:
    """What `/search` is asked for: the room, the nick ('' for any), and the words."""
    room, nick = _IN.search(text), _FROM.search(text)
    words = _WORD.findall(normalize("NFC", _FROM.sub(" ", _IN.sub(" ", text))))
    return room[1] if room else "", nick[1] if nick else "", words


def search(cursor: Any, rooms: Sequence[str], nick: str, words: Sequence[str], most: int) -> Rows:
    """The newest lines, newest first, that hold all the words and were said in one of the rooms:
    rows of `lines`."""
    terms = [f'"{word[:-1]}"*' if word.endswith("*") else f'"{word}"' for word in words]
    if nick:
        terms.append(f'"{_token(_NICK, fold(nick))}"')
    terms.append(f"({' OR '.join(_quoted(room) for room in rooms)})")
    places = ", ".join("?" * len(rooms))
    cursor.execute(
        "SELECT lines.* FROM words CROSS JOIN lines "
        f"ON lines.id = words.rowid AND lines.room IN ({places}) AND lines.kind < 2 "
        "AND lines.id > coalesce((SELECT hidden_to FROM rooms WHERE rooms.room = lines.room), "
        "-4611686018427387904) WHERE words MATCH ? ORDER BY words.rowid DESC LIMIT ?",
        (*rooms, " AND ".join(terms), most),
    )
    rows: list[Row] = cursor.fetchall()
    return rows


def _quoted(room: str) -> str:
    return f'"{_token(_ROOM, room)}"'
