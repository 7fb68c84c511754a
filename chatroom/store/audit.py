"""What those with a say did, to whom and why: written behind, and read back in lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any, Final

from twisted.internet.defer import Deferred

from chatroom.member import Member
from chatroom.store.database import Database

__all__ = ["LAST", "MOST_KEPT", "MOST_LISTED", "Audit", "line"]

MOST_LISTED: Final = 200
MOST_KEPT: Final = 100_000
_EVERY: Final = 1_000

LAST: Final = (
    "SELECT time, by_nick, by_account, by_address, action, room, target, why FROM audit "
    "ORDER BY id DESC LIMIT ?"
)
"""The last so many rows, the latest first, each for `line`."""


class Audit:
    """Adds one row for each act, and keeps the last `MOST_KEPT` and up to 1,000 more."""

    def __init__(self, database: Database) -> None:
        self._database = database
        last = database.load("SELECT max(id) FROM audit")[0][0]
        self._ids = count((last or 0) + 1)

    def write(
        self, by: Member | None, action: str, room: str, target: str, why: str, now: float
    ) -> None:
        """`by` is None for the server itself; `room` is '' for everywhere."""
        id = next(self._ids)
        who = ("", "", "") if by is None else (by.nick, by.account, by.address)
        self._database.write(
            "INSERT INTO audit (id, time, by_nick, by_account, by_address, action, room, target, "
            "why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(id, round(now * 1000), *who, action, room, target, why),
        )
        if id % _EVERY == 0:
            self._database.write("DELETE FROM audit WHERE id <= ?", id - MOST_KEPT)

    def last(self, most: int) -> Deferred[list[str]]:
        """The last lines, the latest at the end."""
        return self._database.read(LAST, most).addCallback(
            lambda rows: [line(row) for row in reversed(rows)]
        )


def line(row: Sequence[Any]) -> str:
    """A row of `LAST` in one line, its time local:
    `2026-11-22 12:03 ann (account ann, 192.0.2.1): mute bob in #ops: spam`."""
    time, by_nick, by_account, by_address, action, room, target, why = row
    when = datetime.fromtimestamp(time / 1000).strftime("%Y-%m-%d %H:%M")
    known = [f"account {by_account}"] * bool(by_account) + [by_address] * bool(by_address)
    about = f" ({', '.join(known)})" if known else ""
    what = " ".join([action] + [target] * bool(target) + [f"in {room}"] * bool(room))
    return f"{when} {by_nick or 'the server'}{about}: {what}{f': {why}' if why else ''}"
