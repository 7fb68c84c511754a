"""Who is banned or muted, in a room or everywhere, and until when. Knows no roles.

All of it is in memory, so that a line waits for nothing; what is to outlast the server is
written behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Final, Literal, NamedTuple

from chatroom.admission import is_loopback
from chatroom.errors import NotAllowed, TooMany
from chatroom.member import Member
from chatroom.phrases import duration
from chatroom.store.database import Database
from chatroom.store.networks import Network, Networks, network

__all__ = ["MOST", "MOST_IN_ROOM", "MOST_IN_ROOMS", "Kind", "Sanction", "Sanctions", "Target"]

Kind = Literal["ban", "mute"]

MOST: Final = 10_000
"""Sanctions in all."""
MOST_IN_ROOMS: Final = 9_000
"""Of these in all rooms together: whoever fills rooms with bans leaves some to the server."""
MOST_IN_ROOM: Final = 500


class Target(NamedTuple):
    """Whom it holds for. An account and a nick are folded; a nick's is for who is not logged in
    and shares its address with those who are not meant, as all on the server's machine do."""

    kind: Literal["account", "nick", "address"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def network(self) -> Network:
        """The addresses of one that is for addresses."""
        return network(self.name)

    def holds_for(self, member: Member) -> bool:
        """Whether it means this member as it is now."""
        if self.kind == "account":
            return member.account == self.name
        if self.kind == "nick":
            return not member.account and member.folded == self.name
        return self.network.holds(member.address)

    @classmethod
    def of(cls, member: Member) -> Target:
        """The one that means this member, and nobody else that can be told from it."""
        if member.account:
            return cls("account", member.account)
        try:
            found = network(member.address)
        except ValueError:
            return cls("nick", member.folded)
        if is_loopback(member.address):
            return cls("nick", member.folded)
        return cls("address", str(found))


class Sanction(NamedTuple):
    """`room` is folded, '' for everywhere; `until` is seconds since the epoch, None for good."""

    id: int
    kind: Kind
    room: str
    target: Target
    until: float | None
    by_nick: str
    why: str
    created: float

    def is_over(self, now: float) -> bool:
        return self.until is not None and self.until <= now

    def refusal(self, done: str, now: float) -> NotAllowed:
        """What it says to who meets it: `You are muted` by ann, for how much longer, and why."""
        why = f": {self.why}" if self.why else "."
        return NotAllowed(f"{done} by {self.by_nick}, {self.term(now)}{why}")

    def term(self, now: float) -> str:
        """`for another 9 minutes`."""
        return "for good" if self.until is None else f"for another {duration(self.until - now)}"


class _Targets:
    """The sanctions of one kind in one room, by whom they hold for."""

    __slots__ = ("by_target", "networks")

    def __init__(self) -> None:
        self.by_target: dict[Target, Sanction] = {}
        self.networks: Networks[Sanction] = Networks()

    def meeting(self, account: str, nick: str, address: str) -> Iterator[Sanction]:
        named = Target("account", account) if account else Target("nick", nick)
        if (sanction := self.by_target.get(named)) is not None:
            yield sanction
        yield from self.networks.find(address)


class Sanctions:
    """`bans` and `mutes` have a key for each folded room where there are any, '' for everywhere."""

    def __init__(self, database: Database) -> None:
        self.bans: dict[str, _Targets] = {}
        self.mutes: dict[str, _Targets] = {}
        self._by_kind: dict[Kind, dict[str, _Targets]] = {"ban": self.bans, "mute": self.mutes}
        self._by_id: dict[int, Sanction] = {}
        self._in_room: dict[str, int] = {}
        self._database = database
        for id, kind, room, target, until, by_nick, why, created in database.load(
            "SELECT id, kind, room, target, until, by_nick, why, created FROM sanctions"
        ):
            about, _, name = target.partition(":")
            until = None if until is None else until / 1000
            found = Target(about, name)
            self._add(Sanction(id, kind, room, found, until, by_nick, why, created / 1000))
        self._ids = count(max(self._by_id, default=0) + 1)

    def __len__(self) -> int:
        return len(self._by_id)

    def impose(
        self,
        kind: Kind,
        room: str,
        target: Target,
        until: float | None,
        by_nick: str,
        why: str,
        now: float,
        *,
        kept: bool = True,
    ) -> Sanction:
        """One more, in the place of one on the same target; `kept` if it is to outlast the
        server. Raises TooMany."""
        targets = self._by_kind[kind].get(room)
        earlier = None if targets is None else targets.by_target.get(target)
        if earlier is None:
            self._must_have_room(room, now)
        else:
            self.lift(earlier)
        sanction = Sanction(next(self._ids), kind, room, target, until, by_nick, why, now)
        self._add(sanction)
        if kept:
            self._database.write(
                "INSERT INTO sanctions (id, kind, room, target, until, by_nick, why, created) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                *(sanction.id, kind, room, str(target)),
                None if until is None else round(until * 1000),
                *(by_nick, why, round(now * 1000)),
            )
        return sanction

    def lift(self, sanction: Sanction) -> None:
        """One is over."""
        by_room = self._by_kind[sanction.kind]
        targets = by_room[sanction.room]
        del targets.by_target[sanction.target], self._by_id[sanction.id]
        if sanction.target.kind == "address":
            targets.networks.remove(sanction.target.network)
        if not targets.by_target:
            del by_room[sanction.room]
        self._in_room[sanction.room] -= 1
        if not self._in_room[sanction.room]:
            del self._in_room[sanction.room]
        self._database.write("DELETE FROM sanctions WHERE id = ?", sanction.id)

    def find(self, kind: Kind, room: str, member: Member, now: float) -> Sanction | None:
        """One that holds for this member here."""
        return self.meeting(kind, room, now, member.account, member.folded, member.address)

    def meeting(
        self, kind: Kind, room: str, now: float, account: str, nick: str = "", address: str = ""
    ) -> Sanction | None:
        """One that holds for who has this account, or none and this nick, or this address."""
        targets = self._by_kind[kind].get(room)
        if targets is None:
            return None
        # All of them, since to lift one that is over is to change what is gone through.
        for sanction in list(targets.meeting(account, nick, address)):
            if not sanction.is_over(now):
                return sanction
            self.lift(sanction)
        return None

    def of(self, kind: Kind, room: str, now: float) -> list[Sanction]:
        """All of one kind in a room, the oldest first."""
        targets = self._by_kind[kind].get(room)
        found = [] if targets is None else targets.by_target.values()
        return sorted(sanction for sanction in found if not sanction.is_over(now))

    def drop_room(self, room: str) -> None:
        """All of a room are over."""
        for by_room in self._by_kind.values():
            if room in by_room:
                for sanction in tuple(by_room[room].by_target.values()):
                    self.lift(sanction)

    def tidy(self, now: float) -> None:
        """Forget those that are over."""
        for sanction in tuple(self._by_id.values()):
            if sanction.is_over(now):
                self.lift(sanction)

    def _add(self, sanction: Sanction) -> None:
        targets = self._by_kind[sanction.kind].setdefault(sanction.room, _Targets())
        targets.by_target[sanction.target] = self._by_id[sanction.id] = sanction
        if sanction.target.kind == "address":
            targets.networks.add(sanction.target.network, sanction)
        self._in_room[sanction.room] = self._in_room.get(sanction.room, 0) + 1

    def _is_full(self, room: str) -> bool:
        if not room:
            return len(self) >= MOST
        in_rooms = len(self) - self._in_room.get("", 0)
        return (
            len(self) >= MOST
            or in_rooms >= MOST_IN_ROOMS
            or self._in_room.get(room, 0) >= MOST_IN_ROOM
        )

    def _must_have_room(self, room: str, now: float) -> None:
        if self._is_full(room):
            self.tidy(now)
        if self._is_full(room):
            raise TooMany(
                f"There are as many bans and mutes as there may be ({MOST_IN_ROOM} in a room, "
                f"{MOST} in all). Lift one first: /bans lists them."
            )
