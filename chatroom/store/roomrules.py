"""The rules of each room: whose it is, who has a say there, and who may come in or speak.

A room that an account made is registered: its rules outlast it and the server. Those of any
other go with the last member. The lobby's stay, and it is nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any, Final, NamedTuple

from chatroom.errors import TooMany
from chatroom.member import Member
from chatroom.names import fold
from chatroom.room import Room
from chatroom.rules import Grant, Named, Rules
from chatroom.store.database import Database

__all__ = ["MOST_NAMED", "MOST_OWNED", "RoomRules"]

MOST_OWNED: Final = 20
"""Rooms registered for one account."""
MOST_NAMED: Final = 500
"""Who have the same grant in one room."""

# What stands for an account where the server itself has the room.
_SERVER: Final = "*"


class _Column(NamedTuple):
    """Where an attribute of Rules is kept, and how."""

    name: str
    written: Callable[[Any], Any] = lambda value: value
    read: Callable[[Any], Any] = lambda value: value


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _seconds(milliseconds: int) -> float:
    return milliseconds / 1000


_COLUMNS: Final = {
    "name": _Column("name"),
    "owner": _Column("owner", lambda owner: owner if isinstance(owner, str) else ""),
    "topic": _Column("topic"),
    "topic_by": _Column("topic_by"),
    "topic_at": _Column("topic_at", _milliseconds, _seconds),
    "topic_locked": _Column("topic_locked", int, bool),
    "invite_only": _Column("invite_only", int, bool),
    "key": _Column("lock_key", lambda key: key or None, lambda key: key or ""),
    "limit": _Column("most_members"),
    "slow": _Column("slow"),
    "muted": _Column("muted", int, bool),
    "members_only": _Column("members_only", int, bool),
    "secret": _Column("secret", int, bool),
    "no_ctcp": _Column("no_ctcp", int, bool),
    "accounts_only": _Column("accounts_only", int, bool),
    "keeps": _Column("keeps", int, bool),
    "made": _Column("made", _milliseconds, _seconds),
}
"""By the attribute."""

_NAMES: Final = [column.name for column in _COLUMNS.values()]
_LOAD: Final = f"SELECT room, {', '.join(_NAMES)} FROM rooms WHERE owner <> '' ORDER BY room"
_SAVE: Final = (
    f"INSERT INTO rooms (room, {', '.join(_NAMES)}) VALUES (?{', ?' * len(_NAMES)}) "
    "ON CONFLICT (room) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _NAMES[1:])
)
_NAME: Final = "INSERT INTO roles (room, account, role) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


class RoomRules:
    """The rules by folded room, of those that have any."""

    def __init__(self, database: Database, lobby: Room) -> None:
        self._database = database
        self._by_room: dict[str, Rules] = {}
        self._owned: dict[str, dict[str, None]] = {}  # rooms by account, the oldest first
        self._members: dict[Member, set[str]] = {}  # where they were named, or own the room
        self.get = self._by_room.get  # on the way of every line
        self._load()
        rules = self._by_room.setdefault(fold(lobby.name), lobby.rules)
        rules.owner = _SERVER

    def _load(self) -> None:
        for room, *values in self._database.load(_LOAD):
            rules = self._by_room[room] = Rules(room)
            for (attribute, column), value in zip(_COLUMNS.items(), values, strict=True):
                setattr(rules, attribute, column.read(value))
            if rules.owner != _SERVER:
                self._owned.setdefault(str(rules.owner), {})[room] = None
        for room, account, grant in self._database.load("SELECT room, account, role FROM roles"):
            if room in self._by_room:
                self._by_room[room].grants.setdefault(grant, set()).add(account)

    def of(self, room: Room) -> Rules:
        """Those of an open room, which are told from now on what is done to it."""
        return self._by_room.setdefault(fold(room.name), room.rules)

    def registered(self, room: str) -> str:
        """The folded account that a folded room is registered for; '' if it is for none."""
        rules = self._by_room.get(room)
        owner = None if rules is None else rules.owner
        return owner if isinstance(owner, str) and owner != _SERVER else ""

    def invited(self, member: Member) -> list[str]:
        """The folded rooms that a member was invited to."""
        return [room for room, rules in self._by_room.items() if rules.has("invited", member)]

    def made(self, room: str, rules: Rules, member: Member) -> bool:
        """A room was made by `member`, and these are its rules, plain ones: it is its own. Whether
        that is so for good."""
        self._by_room[room] = rules
        rules.owner = member.account or member
        if not member.account:
            self._members.setdefault(member, set()).add(room)
            return False
        owned = self._owned.setdefault(member.account, {})
        if len(owned) >= MOST_OWNED:
            rules.owner = member
            self._members.setdefault(member, set()).add(room)
            return False
        owned[room] = None
        self.save(room)
        return True

    def owned(self, account: str) -> Iterator[str]:
        """The rooms registered for an account, the oldest first."""
        yield from self._owned.get(account, ())

    def of_one(self, room: str) -> set[str]:
        """A room, and all others of who has it."""
        rules = self._by_room.get(room)
        owner = None if rules is None else rules.owner
        found = {room}
        if isinstance(owner, Member):
            for each in self._members.get(owner, ()):
                other = self._by_room.get(each)
                if other is not None and other.owner is owner:
                    found.add(each)
        account = owner.account if isinstance(owner, Member) else owner
        return found.union(self._owned.get(account or "", ()))

    def give(self, room: str, member: Member) -> None:
        """A room that is not registered is this member's."""
        self._by_room[room].owner = member
        self._members.setdefault(member, set()).add(room)

    def register(self, room: str, account: str) -> None:
        """A room is this account's for good, and so is who else has a say in it. Raises TooMany."""
        owned = self._owned.setdefault(account, {})
        if len(owned) >= MOST_OWNED:
            raise TooMany(f"{MOST_OWNED} rooms are kept for you already, the most there may be.")
        rules = self._by_room[room]
        rules.owner = account
        owned[room] = None
        self.save(room)
        for grant, named in rules.grants.items():
            for who in named:
                if isinstance(who, str):
                    self._database.write(_NAME, room, who, grant)

    def rename(self, was: str, room: str) -> None:
        """A folded room has become another, which had no rules, or is written otherwise."""
        rules = self._by_room.pop(was, None)
        if rules is None:
            return
        self._by_room[room] = rules
        if rules.is_registered:
            self.save(room)
            self._database.write("UPDATE rooms SET name = ? WHERE room = ?", rules.name, room)
        if was == room:
            return
        if rules.is_registered:
            self._write(was, Rules(was))
            self._database.write("UPDATE roles SET room = ? WHERE room = ?", room, was)
        for names in self._members.values():
            if was in names:
                names.remove(was)
                names.add(room)
        owned = self._owned.get(rules.owner) if isinstance(rules.owner, str) else None
        if isinstance(rules.owner, str) and owned is not None:
            self._owned[rules.owner] = {room if each == was else each: None for each in owned}

    def drop(self, room: str) -> None:
        """A room has no rules any more."""
        self.disown(room)
        self._database.write("DELETE FROM kept WHERE owner = ?", f"room:{room}")
        rules = self._by_room.pop(room)
        for who in {rules.owner}.union(*rules.grants.values()):
            if isinstance(who, Member) and who in self._members:
                self._members[who].discard(room)

    def disown(self, room: str) -> None:
        """The rules of a room do not outlast it any more; if an account owned it, nobody does."""
        rules = self._by_room[room]
        if isinstance(rules.owner, str):
            owned = self._owned.get(rules.owner, {})
            owned.pop(room, None)
            if not owned:
                self._owned.pop(rules.owner, None)
            rules.owner = None
            self._write(room, Rules(rules.name))
            self._database.write("DELETE FROM roles WHERE room = ?", room)

    def save(self, room: str) -> None:
        """Keep those of a registered room as they are now."""
        rules = self._by_room[room]
        if rules.is_registered:
            self._write(room, rules)

    def _write(self, room: str, rules: Rules) -> None:
        values = [c.written(getattr(rules, a)) for a, c in _COLUMNS.items()]
        self._database.write(_SAVE, room, *values)

    # Who was named

    def grant(self, room: str, grant: Grant, who: Named) -> bool:
        """Name somebody; whether that is new. Raises TooMany."""
        rules = self._by_room[room]
        named = rules.grants.setdefault(grant, set())
        if who in named:
            return False
        if len(named) >= MOST_NAMED:
            raise TooMany(f"{MOST_NAMED} were named already, the most there may be.")
        named.add(who)
        if isinstance(who, Member):
            self._members.setdefault(who, set()).add(room)
        elif rules.is_registered:
            self._database.write(_NAME, room, who, grant)
        return True

    def revoke(self, room: str, grant: Grant, *whom: Named) -> bool:
        """Take it back from one, however it was named; whether there was anything."""
        rules = self._by_room.get(room)
        named = set() if rules is None else rules.grants.get(grant, set())
        found = named.intersection(whom)
        named -= found
        for who in found:
            if isinstance(who, str):
                sql = "DELETE FROM roles WHERE room = ? AND account = ? AND role = ?"
                self._database.write(sql, room, who, grant)
        return bool(found)

    def clear(self, room: str, grant: Grant) -> None:
        """Take it back from all."""
        self.revoke(room, grant, *self._by_room[room].grants.get(grant, ()))

    def left(self, member: Member) -> list[str]:
        """A member is gone, and all that was given to nothing but it; returns the rooms where
        that was something."""
        found = [room for room in self._members.pop(member, ()) if room in self._by_room]
        for room in found:
            rules = self._by_room[room]
            if rules.owner is member:
                rules.owner = None
            for named in rules.grants.values():
                named.discard(member)
        return found

    def forget_account(self, account: str, open: Container[str] = ()) -> None:
        """An account is no more, and must leave nothing to who takes its name. Those of its rooms
        that are `open` keep their rules for now, the others have none any more."""
        for room, rules in self._by_room.items():
            for grant in tuple(rules.grants):
                self.revoke(room, grant, account)
        for room in tuple(self.owned(account)):
            if room in open:
                self.disown(room)
            else:
                self.drop(room)
