"""Who is banned or muted, in a room or everywhere, and until when; and in a room also who is not,
whatever bans say, or may come in although only who is invited may. Knows no roles.

All of it is in memory, so that a line waits for nothing; what is to outlast the server is
written behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import count, islice
from math import inf
from typing import Final, Literal, NamedTuple

from chatroom.errors import NotAllowed, TooMany
from chatroom.masks import Masks
from chatroom.member import Member
from chatroom.phrases import duration
from chatroom.store.database import Database
from chatroom.store.networks import Networks
from chatroom.store.targets import Target

__all__ = [
    "MOST_EVERYWHERE",
    "MOST_IN_ROOMS",
    "MOST_OF_ONE",
    "Kind",
    "Sanction",
    "Sanctions",
]

Kind = Literal["ban", "mute", "exception", "speech", "invitation"]
"""An exception is one from bans and mutes, `speech` from mutes alone."""

# What keeps one of these from holding.
_AGAINST: Final[dict[Kind, tuple[Kind, ...]]] = {
    "ban": ("exception",),
    "mute": ("exception", "speech"),
}

MOST_EVERYWHERE: Final = 10_000
"""Of those that hold everywhere."""
MOST_OF_ONE: Final = 500
"""In all rooms of one who made them, together: whoever fills them hinders nobody else."""
MOST_IN_ROOMS: Final = 20_000
"""In all rooms. Where there are as many, the room that has the most loses one for a new one."""
_TIDIED: Final = 1_000


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

    def refusal(self, done: str, now: float, error: type[NotAllowed] = NotAllowed) -> NotAllowed:
        """What it says to who meets it: `You are muted` by ann, for how much longer, and why."""
        why = f": {self.why}" if self.why else "."
        return error(f"{done} by {self.by_nick}, {self.term(now)}{why}")

    def term(self, now: float) -> str:
        """`for another 9 minutes`."""
        return "for good" if self.until is None else f"for another {duration(self.until - now)}"


class _Targets:
    """The sanctions of one kind in one room, by whom they hold for."""

    __slots__ = ("by_target", "masks", "networks")

    def __init__(self) -> None:
        self.by_target: dict[Target, Sanction] = {}
        self.networks: Networks[Sanction] = Networks()
        self.masks: Masks[Sanction] = Masks()

    def add(self, sanction: Sanction) -> None:
        target = sanction.target
        self.by_target[target] = sanction
        if target.kind == "address":
            self.networks.add(target.network, sanction)
        elif target.kind == "mask":
            self.masks.add(target.name, sanction)

    def remove(self, target: Target) -> None:
        del self.by_target[target]
        if target.kind == "address":
            self.networks.remove(target.network)
        elif target.kind == "mask":
            self.masks.remove(target.name)

    def meeting(self, member: Member) -> Iterator[Sanction]:
        account = member.account
        named = Target("account", account) if account else Target("nick", member.folded)
        if (sanction := self.by_target.get(named)) is not None:
            yield sanction
        yield from self.networks.find(member.address)
        yield from self.masks.find(member.nick, member.who.user, member.who.host)


class Sanctions:
    """`bans`, `mutes` and `invitations` have a key for each folded room where there are any, '' for
    everywhere."""

    def __init__(self, database: Database) -> None:
        self.bans: dict[str, _Targets] = {}
        self.mutes: dict[str, _Targets] = {}
        self.invitations: dict[str, _Targets] = {}
        self._by_kind: dict[Kind, dict[str, _Targets]] = {
            "ban": self.bans, "mute": self.mutes, "exception": {}, "speech": {},
            "invitation": self.invitations,
        }  # fmt: skip
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
            self._keep(sanction)
        return sanction

    def _keep(self, sanction: Sanction) -> None:
        id, kind, room, target, until, by_nick, why, created = sanction
        self._database.write(
            "INSERT INTO sanctions (id, kind, room, target, until, by_nick, why, created) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(id, kind, room, str(target)),
            None if until is None else round(until * 1000),
            *(by_nick, why, round(created * 1000)),
        )

    def lift(self, sanction: Sanction) -> None:
        """One is over."""
        by_room = self._by_kind[sanction.kind]
        targets = by_room[sanction.room]
        targets.remove(sanction.target)
        del self._by_id[sanction.id]
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
        targets = self._by_kind[kind].get(room)
        return None if targets is None else self._first(list(targets.meeting(member)), now)

    def against(self, kind: Kind, room: str, member: Member, now: float) -> Sanction | None:
        """The same, but for who is excepted from such in the room."""
        found = self.find(kind, room, member, now)
        if found is None:
            return None
        excepted = any(self.find(each, room, member, now) for each in _AGAINST.get(kind, ()))
        return None if excepted else found

    def from_address(self, kind: Kind, room: str, address: str, now: float) -> Sanction | None:
        """One that holds for whoever comes from this address."""
        targets = self._by_kind[kind].get(room)
        return None if targets is None else self._first(list(targets.networks.find(address)), now)

    def _first(self, found: list[Sanction], now: float) -> Sanction | None:
        # A list, since to lift one that is over is to change what it was found in.
        for sanction in found:
            if not sanction.is_over(now):
                return sanction
            self.lift(sanction)
        return None

    def of(self, kind: Kind, room: str, now: float) -> list[Sanction]:
        """All of one kind in a room, the oldest first."""
        targets = self._by_kind[kind].get(room)
        found = [] if targets is None else targets.by_target.values()
        return sorted(sanction for sanction in found if not sanction.is_over(now))

    def any_in(self, room: str) -> bool:
        """Whether there are any in a room."""
        return room in self._in_room

    def drop_room(self, room: str) -> None:
        """All of a room are over."""
        for sanction in tuple(self._in((room,))):
            self.lift(sanction)

    def rename(self, was: str, room: str) -> None:
        """Those of a folded room are of another now, which had none."""
        for by_room in self._by_kind.values():
            targets = by_room.pop(was, None)
            if targets is None:
                continue
            moved = by_room[room] = _Targets()
            for sanction in targets.by_target.values():
                again = sanction._replace(room=room)
                moved.add(again)
                self._by_id[again.id] = again
        if was in self._in_room:
            self._in_room[room] = self._in_room.pop(was)
            self._database.write("UPDATE sanctions SET room = ? WHERE room = ?", room, was)

    def keep(self, room: str) -> None:
        """Those of a room outlast the server from now on."""
        for sanction in self._in((room,)):
            self._keep(sanction)

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
        targets.add(sanction)
        self._by_id[sanction.id] = sanction
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
