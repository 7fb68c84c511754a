"""Values that clients keep here, by owner and key: of an account, or of a room."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.archive import MOST_KEPT, Kept, Now, check_kept
from chatroom.store.database import Database, Rows

__all__ = ["KeptValues"]

_MOST_OWNERS: Final = 1000
"""Of so many, what is kept is in memory."""

_ALL: Final = "SELECT key, value FROM kept WHERE owner = ? ORDER BY key"
# Whose values are not in memory may have no more all the same.
_KEEP: Final = (
    "INSERT INTO kept (owner, key, value) SELECT ?, ?, ? "
    "WHERE (SELECT count(*) FROM kept WHERE owner = ? AND key <> ?) < ? "
    "ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value"
)
_DROP: Final = "DELETE FROM kept WHERE owner = ? AND key = ?"
_FORGET: Final = "DELETE FROM kept WHERE owner = ?"
_MOVE: Final = "UPDATE kept SET owner = ? WHERE owner = ?"
# Those of a room that nobody registered go when it is empty, or here, if the daemon was killed.
_NOBODYS: Final = (
    "owner LIKE 'room:%' AND owner <> ? "
    "AND owner NOT IN (SELECT 'room:' || room FROM rooms WHERE owner <> '')"
)


class _Loading:
    """Those of one owner, being read: who waits, and what has changed meanwhile."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[Sequence[Kept]]] = []
        self.forgotten = False
        self.changes: dict[str, str] = {}


class KeptValues:
    """What is written is known at once, and in the database some moments later. `lobby` is the
    folded name of the room that is always there."""

    def __init__(self, database: Database, lobby: str) -> None:
        self._database = database
        room = f"room:{lobby}"
        kept = database.load(f"SELECT DISTINCT owner FROM kept WHERE NOT ({_NOBODYS})", room)
        self._having = {owner for (owner,) in kept}  # most rooms have none, and need no reading
        database.write(f"DELETE FROM kept WHERE {_NOBODYS}", room)
        self._owners: dict[str, dict[str, str]] = {}
        self._loading: dict[str, _Loading] = {}

    def load(self, owner: str) -> Awaitable[Sequence[Kept]]:
        """All of an owner's. Fails where the database does not answer."""
        values = self._owners.get(owner)
        if values is not None:
            self._owners[owner] = self._owners.pop(owner)  # the last to make way for others
            return Now([Kept(*each) for each in values.items()])
        if owner not in self._having:
            return Now(())
        waiting: Deferred[Sequence[Kept]] = Deferred()
        loading = self._loading.get(owner)
        if loading is not None:
            loading.waiting.append(waiting)
            return waiting
        loading = self._loading[owner] = _Loading()
        loading.waiting.append(waiting)
        reading = self._database.read(_ALL, owner)
        reading.addCallbacks(self._loaded, self._failed, (owner, loading), {}, (owner, loading))
        return waiting

    def _loaded(self, rows: Rows, owner: str, loading: _Loading) -> None:
        before: dict[str, str] = {} if loading.forgotten else dict(rows)
        values = {key: value for key, value in (before | loading.changes).items() if value}
        if self._loading.pop(owner, None) is loading:
            self._owners[owner] = values
            if len(self._owners) > _MOST_OWNERS:
                del self._owners[next(iter(self._owners))]
        found = [Kept(*each) for each in values.items()]
        for waiting in loading.waiting:
            waiting.callback(found)

    def _failed(self, failure: Failure, owner: str, loading: _Loading) -> None:
        self._loading.pop(owner, None)
        for waiting in loading.waiting:
            waiting.errback(failure)

    def keep(self, owner: str, key: str, value: str) -> None:
        """Keep a value, or with '' none. Raises TooMany."""
        values = self._owners.get(owner, {})
        check_kept(values, key, value)
        if owner in self._owners:
            values[key] = value
            if not value:
                del values[key]
        elif owner in self._loading:
            self._loading[owner].changes[key] = value
        if value:
            self._having.add(owner)
            self._database.write(_KEEP, owner, key, value, owner, key, MOST_KEPT)
        else:
            self._database.write(_DROP, owner, key)

    def forget(self, owner: str) -> None:
        """Nothing is an owner's any more."""
        if owner not in self._having:
            return
        self._having.discard(owner)
        self._owners.pop(owner, None)
        if owner in self._loading:
            self._loading[owner].forgotten = True
            self._loading[owner].changes = {}
        self._database.write(_FORGET, owner)

    def move(self, was: str, owner: str) -> None:
        """What was one owner's is the other's, which loses what it had."""
        if was not in self._having and owner not in self._having:
            return
        for each in (was, owner):
            self._owners.pop(each, None)
            self._loading.pop(each, None)
        self._having.discard(owner)
        if was in self._having:
            self._having.remove(was)
            self._having.add(owner)
        self._database.write(_FORGET, owner)
        self._database.write(_MOVE, owner, was)
