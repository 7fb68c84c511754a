"""The rules of each room: whose it is, who has a say there, and who may come in or speak.

A room that an account made is registered: its rules outlast it and the server. Those of any
other go with the last member. The lobby's stay, and it is nobody's.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Final, Literal

from chatroom.errors import TooMany
from chatroom.member import Member
from chatroom.store.database import Database

__all__ = ["MOST_NAMED", "MOST_OWNED", "Grant", "Named", "RoomRules", "Rules"]

Grant = Literal["operator", "voice", "invited"]
Named = str | Member
"""A folded account, or for who is not logged in the member itself."""

MOST_OWNED: Final = 20
"""Rooms registered for one account."""
MOST_NAMED: Final = 500
"""Who have the same grant in one room."""

# What stands for an account where the server itself has the room.
_SERVER: Final = "*"
_COLUMNS: Final = (
    "room", "name", "owner", "topic", "topic_by", "topic_locked", "lock_key", "slow", "muted",
    "keeps",
)  # fmt: skip
_SAVE: Final = (
    f"INSERT INTO rooms ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    "ON CONFLICT (room) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[2:])
)


class Rules:
    """Those of one room. `lock_key` is None while it is open, '' if nothing but an invitation
    opens it; `slow` is seconds between the lines of one member."""

    __slots__ = (
        "grants", "keeps", "lock_key", "muted", "name", "owner", "slow", "topic", "topic_by",
        "topic_locked",
    )  # fmt: skip

    def __init__(self, name: str, owner: Named | None) -> None:
        self.name = name
        self.owner = owner
        self.topic = self.topic_by = ""
        self.topic_locked = False
        self.lock_key: str | None = None
        self.slow = 0
        self.muted = False
        self.keeps = True
        self.grants: dict[Grant, set[Named]] = {}

    @property
    def is_registered(self) -> bool:
        """Whether they outlast the room."""
        return isinstance(self.owner, str)

    @property
    def is_bare(self) -> bool:
        """Whether nothing would be lost with them but whose the room is."""
        return not (
            self.topic or self.topic_locked or self.slow or self.muted or any(self.grants.values())
        ) and (self.lock_key is None and self.keeps)

    def has(self, grant: Grant, member: Member) -> bool:
        """Whether the member was named for it."""
        named = self.grants.get(grant)
        if not named:
            return False
        return member in named or (bool(member.account) and member.account in named)


class RoomRules:
    """The rules by folded room, of those that have any."""

    def __init__(self, database: Database, lobby: str, lobby_name: str) -> None:
        self._database = database
        self._by_room: dict[str, Rules] = {}
        self._owned: dict[str, dict[str, None]] = {}  # rooms by account, the oldest first
        self._members: dict[Member, set[str]] = {}  # where they were named, or own the room
        self.get = self._by_room.get  # on the way of every line
        self._load()
        self._lobby = lobby
        rules = self._by_room.setdefault(lobby, Rules(lobby_name, _SERVER))
        rules.owner = _SERVER

    def _load(self) -> None:
        rows = self._database.load(
            f"SELECT {', '.join(_COLUMNS)} FROM rooms WHERE owner <> '' ORDER BY room"
        )
        for room, name, owner, topic, topic_by, topic_locked, key, slow, muted, keeps in rows:
            rules = self._by_room[room] = Rules(name, owner)
            rules.topic, rules.topic_by, rules.topic_locked = topic, topic_by, bool(topic_locked)
            rules.lock_key, rules.slow, rules.muted, rules.keeps = (
                key,
                slow,
                bool(muted),
                bool(keeps),
            )
            if owner != _SERVER:
                self._owned.setdefault(owner, {})[room] = None
        for room, account, grant in self._database.load("SELECT room, account, role FROM roles"):
            if room in self._by_room:
                self._by_room[room].grants.setdefault(grant, set()).add(account)

    def of(self, room: str, name: str) -> Rules:
        """Those of a room, which has some from now on."""
        return self._by_room.setdefault(room, Rules(name, None))

    def made(self, room: str, name: str, member: Member) -> bool:
        """A room without rules was made by `member`: it is its own. Whether that is so for good."""
        rules = self._by_room[room] = Rules(name, member.account or member)
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

    def drop(self, room: str) -> None:
        """A room has no rules any more."""
        self.disown(room)
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
            self._write(room, Rules(rules.name, None))
            self._database.write("DELETE FROM roles WHERE room = ?", room)

    def save(self, room: str) -> None:
        """Keep those of a registered room as they are now."""
        rules = self._by_room[room]
        if rules.is_registered:
            self._write(room, rules)

    def _write(self, room: str, rules: Rules) -> None:
        owner = rules.owner if isinstance(rules.owner, str) else ""
        topic = rules.topic, rules.topic_by, int(rules.topic_locked)
        speech = rules.lock_key, rules.slow, int(rules.muted), int(rules.keeps)
        self._database.write(_SAVE, room, rules.name, owner, *topic, *speech)

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
            sql = "INSERT INTO roles (room, account, role) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            self._database.write(sql, room, who, grant)
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
