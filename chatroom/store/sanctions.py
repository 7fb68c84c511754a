"""Who is banned or muted, in a room or everywhere, and until when. Knows no roles.

All of it is in memory, so that a line waits for nothing; what is to outlast the server is
written behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import count, islice
from math import inf
from typing import Final, Literal, NamedTuple

from chatroom.admission import is_loopback
from chatroom.errors import NotAllowed, TooMany
from chatroom.member import Member
from chatroom.phrases import duration
from chatroom.store.database import Database
from chatroom.store.networks import Network, Networks, network

__all__ = [
    "MOST_EVERYWHERE",
    "MOST_IN_ROOMS",
    "MOST_OF_ONE",
    "Kind",
    "Sanction",
    "Sanctions",
    "Target",
]

Kind = Literal["ban", "mute"]

MOST_EVERYWHERE: Final = 10_000
"""Of those that hold everywhere."""
MOST_OF_ONE: Final = 500
"""In all rooms of one who made them, together: whoever fills them hinders nobody else."""
MOST_IN_ROOMS: Final = 20_000
"""In all rooms. Where there are as many, the room that has the most loses one for a new one."""
_TIDIED: Final = 1_000


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
        return cls("account", member.account) if member.account else cls.apart(member)

    @classmethod
    def apart(cls, member: Member) -> Target:
        """The one that means it without its account: its address, or else its nick."""
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
        also: Target | None = None,
        rooms: Collection[str] = (),
        forced: bool = False,
    ) -> Sanction:
        """One more, in the place of one on the same target; `kept` if it is to outlast the
        server. `also`, of an account's, is what else means who has it, and gets another. `rooms`
        are all of who has the room. `forced`, one that holds everywhere ends for it if need be.
        Raises TooMany."""
        targets = [target] if also is None else [target, also]
        new = sum(self.at(kind, room, each) is None for each in targets)
        self._make_room(room, rooms, new, now, forced)
        term = until, by_nick, why, now
        made = [self._impose(kind, room, each, *term, kept=kept) for each in targets]
        if also is None and target.kind == "account":
            next(self._ids)  # so that the next one is not taken for what came with this one
        return made[0]

    def _impose(
        self,
        kind: Kind,
        room: str,
        target: Target,
        until: float | None,
        by_nick: str,
        why: str,
        now: float,
        *,
        kept: bool,
    ) -> Sanction:
        earlier = self.at(kind, room, target)
        if earlier is not None:
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

    def together(self, sanction: Sanction) -> list[Sanction]:
        """It, and what was imposed on the same member with it."""
        is_first = sanction.target.kind == "account"
        other = self._by_id.get(sanction.id + (1 if is_first else -1))
        if other is None or (other.target.kind == "account") == is_first:
            return [sanction]
        same = other._replace(id=sanction.id, target=sanction.target) == sanction
        return [sanction, other] if same else [sanction]

    def at(self, kind: Kind, room: str, target: Target) -> Sanction | None:
        """The one on just this target, be it over or not."""
        targets = self._by_kind[kind].get(room)
        return None if targets is None else targets.by_target.get(target)

    def on(self, target: Target, now: float | None = None) -> list[Sanction]:
        """Those on just this target, wherever they hold; without those that are over `now`."""
        found = [
            by_room[room].by_target.get(target)
            for by_room in self._by_kind.values()
            for room in by_room
        ]
        return [one for one in found if one and not (now is not None and one.is_over(now))]

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
        for sanction in tuple(self._in((room,))):
            self.lift(sanction)

    def keep_no_more(self, room: str) -> None:
        """Those of a room hold until it is dropped, and do not outlast the server."""
        self._database.write("DELETE FROM sanctions WHERE room = ?", room)

    def tidy(self, now: float, rooms: Collection[str] | None = None) -> None:
        """Forget those that are over, or a thousand of them; in these rooms alone, if said."""
        among = self._by_id.values() if rooms is None else self._in(rooms)
        over = (one for one in among if one.until is not None and one.until <= now)
        for sanction in tuple(islice(over, _TIDIED)):
            self.lift(sanction)

    def _in(self, rooms: Iterable[str]) -> Iterator[Sanction]:
        for room in rooms:
            for by_room in self._by_kind.values():
                if room in by_room:
                    yield from by_room[room].by_target.values()

    def _add(self, sanction: Sanction) -> None:
        targets = self._by_kind[sanction.kind].setdefault(sanction.room, _Targets())
        targets.by_target[sanction.target] = self._by_id[sanction.id] = sanction
        if sanction.target.kind == "address":
            targets.networks.add(sanction.target.network, sanction)
        self._in_room[sanction.room] = self._in_room.get(sanction.room, 0) + 1

    def _make_room(
        self, room: str, rooms: Collection[str], new: int, now: float, forced: bool
    ) -> None:
        """Let there be room for so many new ones. Raises TooMany."""
        mine = {room, *rooms} if room else {""}
        most = MOST_OF_ONE if room else MOST_EVERYWHERE
        if self._count(mine) + new > most:
            self.tidy(now, mine)
        over = self._count(mine) + new - most if new else 0
        if over > 0 and room:
            raise TooMany(
                f"There are {most} bans and mutes in this room and the others of who made it, the "
                "most there may be. Lift one first: /bans lists them."
            )
        if over > 0 and not forced:
            raise TooMany(f"There are {most} bans and mutes on the server, the most there may be.")
        for _ in range(over):
            self._evict("")
        while room and new and len(self) - self._count({""}) + new > MOST_IN_ROOMS:
            self._evict(max(self._in_room.keys() - {""}, key=self._count_in))

    def _count_in(self, room: str) -> int:
        return self._in_room.get(room, 0)

    def _count(self, rooms: Iterable[str]) -> int:
        return sum(map(self._count_in, rooms))

    def _evict(self, room: str) -> None:
        """The one that ends soonest, or else the oldest, is over."""
        self.lift(min(self._in((room,)), key=lambda one: (one.until or inf, one.id)))
