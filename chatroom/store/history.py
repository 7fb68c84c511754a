"""History: every line, topic and coming and going of a room is kept, and shown again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.errors import TooMany
from chatroom.events import Event
from chatroom.guard import Guard
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.room import Room
from chatroom.store import words
from chatroom.store.database import Database, Row, Statement, Trouble
from chatroom.store.lines import ADD, COLUMNS, SHOWN, TAKEN_OUT, events, rows, source_of

__all__ = ["History", "no_line"]

_LAST = (
    f"SELECT {COLUMNS} FROM lines WHERE room = ? AND id < ? AND id > coalesce("
    "(SELECT hidden_to FROM rooms WHERE rooms.room = lines.room), -4611686018427387904) "
    f"AND kind IN {SHOWN} ORDER BY id DESC LIMIT ?"
)
_KNOW = "INSERT INTO rooms (room, name) VALUES (?, ?) ON CONFLICT (room) DO NOTHING"
_HIDE = "UPDATE rooms SET hidden_to = ? WHERE room = ?"
_MOVE = "UPDATE OR IGNORE lines SET room = ? WHERE room = ? AND id < ?"
_HIDE_AS = (
    "UPDATE rooms SET hidden_to = (SELECT max(hidden_to) FROM rooms WHERE room IN (?, ?)) "
    "WHERE room = ?"
)
_UP_TO_NOW = 2**62
_MOST_READING = 64
_INDEXED = 2000

_log = Logger("chatroom")


class History(Guard):
    """Keeps what happens in the rooms of `hub`: attach it with `attach`.

    `before`: nobody is shown a line that is not on the disk. `keeps` tells whether what is said
    in a room is to be kept at all.
    """

    def __init__(
        self,
        hub: Hub,
        database: Database,
        clock: Callable[[], float],
        *,
        before: bool = False,
        keeps: Callable[[Room], bool] = lambda room: True,
    ) -> None:
        self.hub = hub
        self.database = database
        self.before = before
        self._clock = clock
        self._keeps = keeps
        self._known: set[str] = set()
        self._reading = 0

    def attach(self) -> None:
        """Begin: what the lobby's last lines were is known at once."""
        last = self.database.load("SELECT max(id) FROM lines")[0][0]
        self.hub.count_from(max(last or 0, 0) + 1)
        lobby, most = self.hub.lobby, self.hub.limits.recent or 0
        first = lobby.recent[0].id if lobby.recent else _UP_TO_NOW  # it may be attached again
        lobby.recall(events(lobby.name, self.database.load(_LAST, fold(lobby.name), first, most)))
        self.hub.guards.append(self)
        self.hub.use_gate(self._gate)

    # What happens

    def _gate(
        self, posted: Mapping[Room, Sequence[Event]], release: Callable[[Collection[int]], None]
    ) -> None:
        """Keep what a turn posted: after it is shown, or before."""
        statements = self._statements(posted)
        if not self.before:
            # Given first: who looks back in the same turn finds it, and no reader that raises
            # costs anyone the history.
            for sql, found in statements:
                self.database.add(sql, found)
            release(())
            return
        if not statements:
            release(())
            return

        def stored(_: None) -> None:
            release(())

        def refused(failure: Failure) -> None:
            """What was said is not shown; who came and went did, and is kept once it can be."""
            if not failure.check(Trouble):
                _failed(failure)
            for sql, found in statements:
                self.database.add(sql, [row for row in found if not (sql is ADD and _said(row))])
            lines = (row for sql, found in statements if sql is ADD for row in found)
            release({row[1] for row in lines if _said(row)})

        self.database.commit(statements).addCallbacks(stored, refused).addErrback(_failed)

    def _statements(self, posted: Mapping[Room, Sequence[Event]]) -> list[Statement]:
        known, lines = [], []
        for room, happened in posted.items():
            if not self._keeps(room):
                continue
            folded = fold(room.name)
            if folded not in self._known:
                known.append((folded, room.name))
                self._known.add(folded)
            if self.hub.rooms.get(folded) is not room:  # it is gone, and told its name anew
                self._known.discard(folded)
            lines += rows(folded, happened)
        return [(sql, found) for sql, found in ((_KNOW, known), (ADD, lines)) if found]

    def made(self, room: Room, member: Member | None) -> None:
        """Show what was said there before, as soon as it is read."""
        most = self.hub.limits.recent
        if not most:
            return
        before = self.hub.mark()

        def read() -> None:
            reading = self.database.read(_LAST, fold(room.name), before, most)
            reading.addCallback(self._recalled, room).addErrback(_failed)

        # What was said there in this very turn, before it was empty, is not kept yet.
        self.hub.after_turn(read)

    def _recalled(self, found: Sequence[Any], room: Room) -> None:
        if found and self.hub.rooms.get(fold(room.name)) is room:
            earlier = events(room.name, found)
            room.recall(earlier)
            for member in tuple(room.members):
                self.hub.show_again(member, room.name, earlier, len(earlier), self._clock())

    # What was

    def hide(self, room: Room) -> None:
        """Show what was said in a room so far to nobody any more."""
        self.database.write(_KNOW, fold(room.name), room.name)
        self.hide_name(fold(room.name))
        room.recent.clear()

    def hide_name(self, room: str) -> None:
        """The same of a room by its folded name, whether anyone is there or not."""
        self.database.write(_HIDE, self.hub.mark(), room)
        if room in self.hub.rooms:
            self.hub.rooms[room].recent.clear()

    def last(self, room: str, before: int | None, most: int) -> Deferred[list[Event]]:
        """The last lines of a room before the one of that id (None: of all), in their order."""
        earlier = _UP_TO_NOW if before is None else before
        reading = self._counted(lambda: self.database.read(_LAST, fold(room), earlier, most))
        return reading.addCallback(lambda found: events(room, found))

    def search(
        self, rooms: Mapping[str, str], nick: str, wanted: Sequence[str], most: int
    ) -> Deferred[list[Event]]:
        """The newest lines with these words in these rooms (their names by their folded names),
        in their order. `nick` is who said them, or ''."""

        async def work() -> list[Event]:
            """Bring the index up to date, then ask it."""
            for room in rooms:
                # A little at a time, since nothing else is written meanwhile.
                while await self.database.run(partial(words.index, room=room, most=_INDEXED)):
                    pass
            found = await self.database.look(
                lambda cursor: words.search(cursor, list(rooms), nick, wanted, most)
            )
            return [events(rooms[row[0]], [row[1:]])[0] for row in reversed(found)]

        return self._counted(lambda: Deferred.fromCoroutine(work()))

    def look(self, work: Callable[[Any], Any]) -> Deferred[Any]:
        """What `work` makes of a cursor, in the thread that reads, with all that was said until
        now. Raises TooMany."""
        database = self.database

        def read() -> Deferred[Any]:
            flushed = succeed(None) if database.trouble else database.flush()
            return flushed.addCallback(lambda _: database.look(work))

        return self._counted(read)

    def change(self, work: Callable[[Any], Any]) -> Deferred[Any]:
        """The same in the thread that writes, as one transaction."""
        return self._counted(lambda: self.database.run(work))

    async def take_out(self, member: Member, room: Room, line: int, why: str) -> bool:
        """Take a line out of what is shown again, found and exported, and tell the room; whether
        there was one. Raises TooMany, and what the database does."""
        by = why, member.shown, source_of(member.who)
        author = await self.change(partial(_take_out, fold(room.name), line, by))
        if author:
            self.hub.redact(member, room, line, author, why, self._clock())
        return bool(author)

    def room_renamed(self, room: Room, was: str, now: float) -> None:
        """What was said there follows, once all of it is given to the database."""
        old, new, before = fold(was), fold(room.name), self.hub.mark()
        if old == new:
            return
        self._known.discard(old)
        statements: list[Statement] = [
            *words.renamed(old, new, before),
            (_MOVE, [(new, old, before)]),
            (_KNOW, [(new, room.name)]),
            (_HIDE_AS, [(old, new, new)]),
        ]

        def move() -> None:
            for sql, parameters in statements:
                self.database.write(sql, *parameters[0])

        self.hub.after_turn(move)

    def _counted(self, read: Callable[[], Deferred[Any]]) -> Deferred[Any]:
        """One more that reads, once what was said until now is in the database's hands. Raises
        TooMany."""
        if self._reading >= _MOST_READING:
            raise TooMany("Too many look into the history just now. Try again in a moment.")
        self._reading += 1

        def over(result: Any) -> Any:
            self._reading -= 1
            return result

        begun: Deferred[Any] = Deferred()
        begun.addCallback(lambda _: read()).addBoth(over)
        self.hub.after_turn(lambda: begun.callback(None))
        return begun


def _take_out(room: str, line: int, by: tuple[str, str, str | None], cursor: Any) -> str:
    """In the thread; `by` is why, who did it, and its source. Who said the line, or '' if there is
    none to take out."""
    key = (room, line)
    cursor.execute("SELECT id, kind, nick, text, shown FROM lines WHERE room = ? AND id = ?", key)
    found = cursor.fetchone()
    if found is None or found[1] > 1:
        return ""
    words.delete(cursor, room, [found[:4]])
    cursor.execute(
        "UPDATE lines SET kind = ?, text = ?, other = ?, source = ? WHERE room = ? AND id = ?",
        (TAKEN_OUT, *by, *key),
    )
    return str(found[4] or found[2])


def _said(row: Row) -> bool:
    """Whether a row of `lines` is something that was said, not somebody's coming or going."""
    return bool(row[3] < 2)


def no_line(room: Room, line: int) -> str:
    """What who wants to take out another line is told."""
    return (
        f"{room.name} has no line {line} that could be taken out. /timestamp id shows the numbers "
        "of lines."
    )


def _failed(failure: Failure) -> None:
    _log.failure("History failed", failure)
