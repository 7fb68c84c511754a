"""The Archive of a store: all that is kept of rooms, and of what two accounts wrote to each other.

Private lines are kept by account, never by nick: who takes a nick later reads nothing of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any, Final

from chatroom.archive import (
    NOT_YOURS,
    Archive,
    Kept,
    Span,
    Talk,
    between,
    echoed,
    original,
)
from chatroom.errors import NotAllowed
from chatroom.events import Event, Tagged, Told, seconds
from chatroom.member import Member
from chatroom.names import fold
from chatroom.room import Room
from chatroom.store.database import Row, Rows
from chatroom.store.excerpt import MOST_READ, OPEN, last_said, line_id, reads
from chatroom.store.history import History
from chatroom.store.kept import KeptValues
from chatroom.store.lines import (
    ADD,
    COLUMNS,
    PRIVATE,
    TAKEN_OUT,
    event,
    rows,
    source_of,
    talk,
    who_of,
)

__all__ = ["StoredArchive"]

_KNOW: Final = "INSERT INTO rooms (room, name) VALUES (?, ?) ON CONFLICT (room) DO NOTHING"
_TALK: Final = "INSERT INTO talks VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_LINE: Final = f"SELECT {COLUMNS} FROM lines WHERE {OPEN} AND id = ?"
_FORGET: Final = (
    "DELETE FROM lines WHERE room IN (SELECT room FROM talks WHERE account = ?)",
    "DELETE FROM rooms WHERE room IN (SELECT room FROM talks WHERE account = ?)",
)


class StoredArchive(Archive):
    """That of a history. `private`: whether what two accounts write to each other alone is kept;
    all other private lines are in memory while both are here."""

    def __init__(self, history: History, *, private: bool) -> None:
        super().__init__(history.hub)
        self._history = history
        self._database = history.database
        self._keeps_private = private
        self._values = KeptValues(history.database, fold(history.hub.lobby.name))

    @property
    def most(self) -> int:
        return MOST_READ

    @property
    def all_kinds(self) -> bool:
        return True

    def read(self, member: Member, target: str, span: Span) -> Awaitable[Sequence[Event]]:
        room, name = self._place(member, target)
        if not room:
            return super().read(member, target, span)
        work = partial(reads, room=room, span=span, ignored=tuple(member.ignored))
        reading = self._history.look(work)
        return reading.addCallback(_as_read, room, name, member.account)

    def find(self, member: Member, target: str, id: int) -> Awaitable[Event | None]:
        room, name = self._place(member, target)
        if not room:
            return super().find(member, target, id)

        def work(cursor: Any) -> Rows:
            cursor.execute(_LINE, (room, line_id(id)))
            return list(cursor.fetchall())

        reading = self._history.look(work).addCallback(_as_read, room, name, member.account)
        return reading.addCallback(lambda found: found[0] if found else None)

    def talks(
        self, member: Member, after: float, before: float, most: int
    ) -> Awaitable[Sequence[Talk]]:
        names = {fold(room.name): room.name for room in member.rooms}
        work = partial(last_said, rooms=tuple(names), account=member.account)

        def named(found: Rows) -> list[Talk]:
            """By the nicks that they have now."""
            nicks = {other.account: other.nick for other in self._history.hub.members.values()}
            talks = [
                Talk(names.get(room) or nicks.get(other) or nick or other, seconds(time))
                for room, other, nick, time in found
            ]
            return between([*talks, *self._private(member)], after, before, most)

        return self._history.look(work).addCallback(named)

    # Taken out

    def redact(
        self, member: Member, room: Room, line: int, why: str, now: float
    ) -> Awaitable[bool]:
        return self._history.take_out(member, room, line, why)

    async def redact_private(
        self, member: Member, nick: str, line: int, why: str, now: float
    ) -> bool:
        other = self._account(member, nick)
        if not other:
            return await super().redact_private(member, nick, line, why, now)
        hub, account = self._history.hub, member.account
        by = why, member.shown, source_of(member.who)
        room, id = talk(account, other), line_id(line)
        work = partial(_take_out, room=room, line=id, account=account, by=by)
        found: Row | None = await self._history.change(work)
        if found is None:
            return False
        said = event(None, found)
        assert isinstance(said, Told)
        if said.who.account != account:
            raise NotAllowed(NOT_YOURS)
        both = [each for each in hub.members.values() if each.account in (account, other)]
        to = self._member(nick)
        self._told_redacted(member, to.nick if to else said.to, said, why, now, both)
        return True

    # Values

    def load(self, owner: str) -> Awaitable[Sequence[Kept]]:
        return self._values.load(owner)

    def keep(self, owner: str, key: str, value: str) -> None:
        self._values.keep(owner, key, value)

    def forget(self, owner: str) -> None:
        self._values.forget(owner)

    def move(self, was: str, owner: str) -> None:
        self._values.move(was, owner)

    def forget_account(self, account: str) -> None:
        """Nothing of it is left: no value, and no private line, neither of its own nor to it."""
        super().forget_account(account)
        for sql in _FORGET:
            self._database.write(sql, account)
        self._database.write("DELETE FROM talks WHERE account = ? OR other = ?", account, account)

    # As a guard

    def wrote(self, member: Member, to: Member, event: Told) -> None:
        """Keep it, where both have an account."""
        if self._keeps(member, to):
            self._keep_private(member.account, to.account, original(event))
        else:
            super().wrote(member, to, event)

    def tagged(self, member: Member, to: Member, event: Tagged) -> None:
        """The same."""
        if self._keeps(member, to):
            self._keep_private(member.account, to.account, event)
        else:
            super().tagged(member, to, event)

    def _keeps(self, member: Member, to: Member) -> bool:
        return bool(self._keeps_private and member.account and to.account)

    def _keep_private(self, one: str, other: str, event: Event) -> None:
        room = talk(one, other)
        self._database.write(_KNOW, room, room)
        self._database.add(_TALK, [(one, other, room), (other, one, room)])
        self._database.add(ADD, rows(room, [event]))

    # Inside

    def _account(self, member: Member, nick: str) -> str:
        """The account of the one of that nick, with whom what the member wrote is kept; ''
        otherwise. Who is not here is looked for by the account's own name."""
        if not (self._keeps_private and member.account):
            return ""
        to = self._member(nick)
        return fold(nick) if to is None else to.account

    def _place(self, member: Member, target: str) -> tuple[str, str | None]:
        """Where in `lines` it is, and the room's name. Raises NotInRoom."""
        if target.startswith("#"):
            name = self._name(member, target)
            return fold(name), name
        account = self._account(member, target)
        return (talk(member.account, account) if account else ""), None


def _as_read(found: Rows, room: str, name: str | None, account: str) -> list[Event]:
    """Rows of a room in their order, as the member of this account reads them."""
    to_itself = room == talk(account, account)
    made = [event(name, row) for row in found]
    return [
        echoed(each, each.who.account == account and not to_itself)
        if isinstance(each, Told)
        else each
        for each in made
    ]


# In the thread that writes


def _take_out(
    cursor: Any, room: str, line: int, account: str, by: tuple[str, str, str | None]
) -> Row | None:
    """Take out what the account said there; `by` is why, who does it, and its source. The row as it
    was, also of what the other said, which stays; None if there is none."""
    cursor.execute(f"{_LINE} AND kind = ?", (room, line, PRIVATE))
    found: Row | None = cursor.fetchone()
    if found is None or who_of(found[7]).account != account:
        return found
    why, shown, source = by
    to = str(found[6]).partition(" ")[0]
    cursor.execute(
        "UPDATE lines SET kind = ?, text = ?, other = ?, source = ? WHERE room = ? AND id = ?",
        (TAKEN_OUT, why, f"{to} {shown}", source, room, line),
    )
    return found
