"""Parts of what was said, as they are asked for: in the thread that reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from chatroom.archive import Span, milliseconds
from chatroom.store.database import Row, Rows
from chatroom.store.lines import COLUMNS, PRIVATE, TAGS

__all__ = ["MOST_READ", "OPEN", "last_said", "line_id", "reads"]

MOST_READ: Final = 1000
"""Lines that are read at once."""

_MOST_CHARACTERS: Final = 2**19
"""In what is read at once, as many as 1,000 of IRC's longest lines have: one with tags, or of
several lines, may have ten times as many."""

_MOST_ID: Final = 2**62
_SAID: Final = f"(0, 1, {PRIVATE})"
_TOLD: Final = f"(0, 1, {PRIVATE}, {TAGS})"
"""What is not shown to who ignores its sender."""

OPEN: Final = (
    "room = ? AND id > coalesce((SELECT hidden_to FROM rooms WHERE rooms.room = lines.room), "
    f"{-_MOST_ID})"
)
"""In SQL, what of a room is shown."""


def line_id(id: int) -> int:
    """One that a database can have."""
    return max(min(id, _MOST_ID), -_MOST_ID)


def reads(cursor: Any, room: str, span: Span, ignored: Sequence[str] = ()) -> Rows:
    """Rows of a room by its folded name, in their order (see `Span`): fewer than it asks for, where
    they are very long. Times are taken to rise with
    the ids; where the clock was set back, some lines of that time may be missing."""
    most = max(min(span.most, MOST_READ), 0)
    ids = _ids(cursor, room, span)
    where, values = _where(span, ignored)
    around = span.around
    if span.around_time is not None:
        around = _first_of(cursor, room, milliseconds(span.around_time))

    def select(after: int, before: int, most: int, order: str) -> Rows:
        # One bound on each side, or SQLite may begin at the looser one.
        cursor.execute(
            f"SELECT {COLUMNS} FROM lines WHERE room = ? AND id > ? AND id < ?{where} "
            f"ORDER BY id {order} LIMIT ?",
            (room, after, before, *values, most),
        )
        rows: Rows = list(_some(iter(cursor.fetchone, None)))
        return rows if order == "ASC" else rows[::-1]

    if around is None:
        return select(*ids, most, "ASC" if span.first else "DESC")
    middle = line_id(around)
    before = select(ids[0], min(ids[1], middle), most // 2, "DESC")
    return before + select(max(ids[0], middle - 1), ids[1], most - most // 2, "ASC")


def _some(rows: Iterable[Row]) -> Iterator[Row]:
    """The first of the rows, as many as may be read at once; one at least."""
    left = _MOST_CHARACTERS
    for row in rows:
        yield row
        *_, text, other, _ = row
        left -= len(text or "") + len(other or "")
        if left <= 0:
            return


def _ids(cursor: Any, room: str, span: Span) -> tuple[int, int]:
    """The ids after and before which they are: those that are asked for, of those that are not
    hidden."""
    cursor.execute("SELECT hidden_to FROM rooms WHERE room = ?", (room,))
    (hidden,) = cursor.fetchone() or (None,)
    after, before = [-_MOST_ID if hidden is None else hidden], [_MOST_ID]
    if span.after is not None:
        after.append(line_id(span.after))
    if span.before is not None:
        before.append(line_id(span.before))
    if span.after_time is not None:
        after.append(_first_of(cursor, room, milliseconds(span.after_time) + 1) - 1)
    if span.before_time is not None:
        before.append(_first_of(cursor, room, milliseconds(span.before_time)))
    return max(after), min(before)


def _where(span: Span, ignored: Sequence[str]) -> tuple[str, list[Any]]:
    """The rest of the condition in SQL, and its parameters."""
    parts = [""]
    values: list[Any] = []
    for part, bound in (("time > ?", span.after_time), ("time < ?", span.before_time)):
        if bound is not None:
            parts.append(part)
            values.append(milliseconds(bound))
    if not span.all_kinds:
        parts.append(f"kind IN {_SAID}")
    if ignored:
        places = ", ".join("?" * len(ignored))
        parts.append(f"NOT (kind IN {_TOLD} AND lower(nick) IN ({places}))")
        values += ignored
    return " AND ".join(parts), values


def _first_of(cursor: Any, room: str, milliseconds: int) -> int:
    """The id of a room's first line of that time or later, found by halving; above all if there is
    none."""
    cursor.execute("SELECT min(id) FROM lines WHERE room = ?", (room,))
    (low,) = cursor.fetchone()
    cursor.execute("SELECT max(id) FROM lines WHERE room = ?", (room,))
    (high,) = cursor.fetchone()
    if low is None:
        return 0
    high += 1
    while low < high:
        middle = (low + high) // 2
        cursor.execute(
            "SELECT id, time FROM lines WHERE room = ? AND id >= ? ORDER BY id LIMIT 1",
            (room, middle),
        )
        id, time = cursor.fetchone()
        if time >= milliseconds:
            high = middle
        else:
            low = id + 1
    return int(low)


def last_said(cursor: Any, rooms: Iterable[str], account: str) -> Rows:
    """(room, other account, its nick, milliseconds) of the last line in each of these rooms and of
    the account's talks."""
    places: Rows = [(room, "", "") for room in rooms]
    if account:
        cursor.execute(
            "SELECT talks.room, other, accounts.nick FROM talks "
            "LEFT JOIN accounts ON accounts.account = other WHERE talks.account = ?",
            (account,),
        )
        places += cursor.fetchall()
    found = []
    for room, *named in places:
        cursor.execute(
            f"SELECT time FROM lines WHERE {OPEN} AND kind IN {_SAID} ORDER BY id DESC LIMIT 1",
            (room,),
        )
        last = cursor.fetchone()
        if last is not None:
            found.append((room, *named, last[0]))
    return found
