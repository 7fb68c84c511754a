"""How the rules of a room are changed, by whatever door: one change at a time, then all are shown.

What each setting takes and does is a table; who may is asked of the permissions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from chatroom.errors import BadUsage, NotAllowed, NotInRoom
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.permissions import Action, Role
from chatroom.phrases import listed as in_words
from chatroom.room import Room
from chatroom.rules import FLAGS, GRANTS, LISTS, Change, Grant, Listed, Mask, Named, Setting, phrase
from chatroom.store.audit import Audit
from chatroom.store.database import Database
from chatroom.store.sanctions import Kind, Sanctions
from chatroom.store.standing import Standing
from chatroom.store.targets import Target, mask_of, target_of

__all__ = ["ACTIONS", "MOST_LET_IN", "MUTE", "SLOWEST", "Changing"]

SLOWEST: Final = 3600
MOST_LET_IN: Final = 100_000
KEY_LENGTH: Final = 100

MUTE: Final = ("~m:", "$m:")
"""What is written before a mask that only silences, or excepts only from that."""

ACTIONS: Final[dict[Setting, tuple[Action, Action]]] = {
    "invite_only": ("lock", "unlock"),
    "key": ("lock", "unlock"),
    "topic_locked": ("lock", "unlock"),
    "limit": ("limit", "limit"),
    "muted": ("mute", "unmute"),
    "members_only": ("outside", "outside"),
    "secret": ("secret", "secret"),
    "no_ctcp": ("ctcp", "ctcp"),
    "accounts_only": ("accounts", "accounts"),
    "slow": ("slow", "slow"),
    "keeps": ("keep", "keep"),
    "operator": ("op", "deop"),
    "voice": ("voice", "unvoice"),
    "invited": ("invite", "invite"),
    "ban": ("ban", "unban"),
    "exception": ("except", "except"),
    "invitation": ("invite", "invite"),
}
"""What one has to be allowed, to turn it on and to turn it off."""

_KINDS: Final[dict[Listed, tuple[Kind, ...]]] = {
    "ban": ("ban", "mute"),
    "exception": ("exception", "speech"),
    "invitation": ("invitation",),
}
"""What the entries of a list are; the second, where there is one, is of those that only silence."""

_Changes = Callable[[Member, Room, Change, float], Change | None]


class Changing(Standing):
    """What `change` and `show` of the Authority do, and what the lists have."""

    def __init__(self, hub: Hub, database: Database, accounts: Iterable[str]) -> None:
        super().__init__(hub, database, accounts)
        self.database = database
        self.sanctions = Sanctions(database)
        self.audit = Audit(database)
        self._kept_again: set[Room] = set()  # once the turn is over
        self._changes: dict[Setting, _Changes] = {
            **dict.fromkeys(FLAGS, self._flag),
            **dict.fromkeys(GRANTS, self._grant),
            **dict.fromkeys(LISTS, self._list),
            "key": self._key,
            "limit": partial(self._number, most=MOST_LET_IN),
            "slow": partial(self._number, most=SLOWEST),
            "keeps": self._keeps,
        }

    # The verbs

    def change(self, member: Member, room: Room, change: Change, now: float) -> Change | None:
        if not (change.setting == "operator" and self._gives_up(member, room, change)):
            self.must(ACTIONS[change.setting][not change.on], member, room)
        made = self._changes[change.setting](member, room, change, now)
        if made is not None:
            self.rooms.save(fold(room.name))
        return made

    def show(self, member: Member, room: Room, changes: Sequence[Change], now: float) -> None:
        for change in changes:
            action = ACTIONS[change.setting][not change.on]
            what = "with a key" if change.setting == "key" else change.value
            self.note(member, action, fold(room.name), what or change.setting, "", now)
        if changes:
            done = [phrase(self._as_shown(change), room.name) for change in changes]
            self.hub.ruled(member, room, in_words(done, most=len(done)), changes, now)

    def masks(self, room: Room, listed: Listed, now: float) -> list[Mask]:
        found = [s for kind in _KINDS[listed] for s in self.sanctions.of(kind, _of(room), now)]
        masks: dict[str, Mask] = {}
        for one in sorted(found):
            mask = self.written(one.kind, one.target)
            masks.setdefault(mask, Mask(mask, one.by_nick, one.created, one.until))
        return list(masks.values())

    # For those who write commands

    def note(
        self, by: Member | None, action: str, room: str, target: str, why: str, now: float
    ) -> None:
        """Keep in the audit who did what, unless it was in a room that is not kept either, where
        any guest could fill the disk."""
        if not room or self.is_registered_room(room) or (by and self.is_server_operator(by)):
            self.audit.write(by, action, room, target, why, now)

    def written(self, kind: Kind, target: Target) -> str:
        """A mask as lists and changes have it."""
        before = MUTE[0] if kind in ("mute", "speech") else ""
        return before + mask_of(target, self.hub.cloak)

    def name(self, room: Room, grant: Grant, named: Sequence[Named], *, on: bool) -> bool:
        """Give a grant to the first of these, or take it from whichever has it; whether that is
        new. Raises TooMany."""
        self.rules(room)
        if on:
            return self.rooms.grant(_of(room), grant, named[0])
        return self.rooms.revoke(_of(room), grant, *named)

    def impose(
        self,
        kind: Kind,
        member: Member,
        room: str,
        targets: Sequence[Target],
        until: float | None,
        why: str,
        now: float,
    ) -> None:
        """It holds from now on: of somebody's account, if that comes first, and of what else means
        it. `until` is seconds since the epoch, None for good. Raises TooMany. A ban ends the
        invitations of those it means, which would pass it."""
        self.sanctions.impose(
            *(kind, room, targets[0], until, member.shown, why, now),
            also=targets[1] if len(targets) > 1 else None,
            kept=not room or self.is_registered_room(room),
            rooms=self.rooms.of_one(room),
            forced=True,
        )
        if kind == "ban" and room:
            self._uninvite(room, targets)

    def _uninvite(self, room: str, targets: Sequence[Target]) -> None:
        """Those who are meant, and here, are invited to a folded room no more."""
        rules = self.rooms.get(room)
        if rules is None or not rules.grants.get("invited"):
            return
        meant: list[Named] = [target.name for target in targets if target.kind == "account"]
        for one in self.hub.members.values():
            if rules.has("invited", one) and any(target.holds_for(one) for target in targets):
                meant += (one, one.account)
        self.rooms.revoke(room, "invited", *meant)

    # Each kind of setting

    def _flag(self, member: Member, room: Room, change: Change, now: float) -> Change | None:
        rules, flag = self.rules(room), change.setting
        if getattr(rules, flag) == change.on:
            return None
        setattr(rules, flag, change.on)
        if flag == "invite_only":
            self._opened(room)
        return Change(flag, change.on)

    def _key(self, member: Member, room: Room, change: Change, now: float) -> Change | None:
        rules, key = self.rules(room), change.value if change.on else ""
        if change.on and not key:
            raise BadUsage("A key can't be empty.")
        if len(key) > KEY_LENGTH or not (key.isprintable()):
            raise BadUsage(f"A key has at most {KEY_LENGTH} characters.")
        if rules.key == key:
            return None
        rules.key = key
        self._opened(room)
        return Change("key", change.on, key)

    def _opened(self, room: Room) -> None:
        """Invitations are of no use any more where nobody needs one."""
        rules = room.rules
        if not rules.is_locked and not rules.limit:
            self.rooms.clear(_of(room), "invited")

    def _number(
        self, member: Member, room: Room, change: Change, now: float, most: int
    ) -> Change | None:
        rules, setting, value = self.rules(room), change.setting, change.value
        number = int(value) if value.isdecimal() and len(value) < 10 else 0
        if not change.on:
            number = 0
        elif not 1 <= number <= most:
            raise BadUsage(f"That is a number from 1 to {most}.")
        if getattr(rules, setting) == number:
            return None
        setattr(rules, setting, number)
        return Change(setting, change.on, str(number) if change.on else "")

    def _keeps(self, member: Member, room: Room, change: Change, now: float) -> Change | None:
        rules = self.rules(room)
        if change.on == (rules.keeps or room in self._kept_again):
            return None
        if change.on:
            # What was said until now was said while it was off.
            self._kept_again.add(room)
            self.hub.after_turn(partial(self._keep_again, room))
        else:
            self._kept_again.discard(room)
            rules.keeps = False
            room.keep(0)
        return Change("keeps", change.on)

    def _keep_again(self, room: Room) -> None:
        if room in self._kept_again:
            self._kept_again.discard(room)
            self.rules(room).keeps = True
            self.rooms.save(_of(room))
            room.keep(self.hub.limits.recent or 0)

    def _grant(self, member: Member, room: Room, change: Change, now: float) -> Change | None:
        """By nick: who has a say or a voice has to be in the room."""
        to, on = self.hub.find(change.value), change.on
        grant = next(grant for grant in GRANTS if grant == change.setting)
        if grant != "invited" and room not in to.rooms:
            raise NotInRoom(f"{to.nick} is not in {room.name}. /who lists who is.")
        made = Change(grant, on, to.nick)
        if grant == "operator":
            if on and self.own_role(to, _of(room)) >= Role.OPERATOR:
                return None
            if not on and self.own_role(to, _of(room)) == Role.OWNER:
                return made if self._disown(member, room, to) else None
            if not on and to is not member:
                self.must("deop", member, room, to)
        named: list[Named] = [to.account, to] if to.account else [to]
        return made if self.name(room, grant, named, on=on) else None

    def _gives_up(self, member: Member, room: Room, change: Change) -> bool:
        """Whether who is an operator of the room wants to be none any more."""
        gives_up = not change.on and fold(change.value) == member.folded
        return gives_up and self.own_role(member, _of(room)) >= Role.OPERATOR

    def _disown(self, member: Member, room: Room, owner: Member) -> bool:
        """A guest gives its room up; an account's is its own as long as there is the account."""
        if self.is_registered_room(_of(room)):
            raise NotAllowed(f"{room.name} is {owner.nick}'s for good: it was registered.")
        if owner is not member:
            self.must("deop", member, room, owner)
        self.rules(room).owner = None
        self.rooms.revoke(_of(room), "operator", owner, owner.account)
        return True

    def _list(self, member: Member, room: Room, change: Change, now: float) -> Change | None:
        listed = next(listed for listed in LISTS if listed == change.setting)
        kinds, text = _KINDS[listed], change.value
        kind = kinds[0]
        for before in MUTE if len(kinds) > 1 else ():
            if text.startswith(before):
                kind, text = kinds[1], text.removeprefix(before)
        target = target_of(text, may_name_addresses=self.is_server_operator(member))
        mask = self.written(kind, target)
        there = [
            one
            for one in self.sanctions.of(kind, _of(room), now)
            if self.written(kind, one.target) == mask
        ]
        if change.on == bool(there):
            return None
        if change.on:
            self.rules(room)
            self.impose(kind, member, _of(room), [target], None, "", now)
        for one in there:
            self.sanctions.lift(one)
        return Change(listed, change.on, mask)

    def _as_shown(self, change: Change) -> Change:
        """With the name that the room sees, of who is here."""
        to = self.hub.members.get(fold(change.value)) if change.setting in GRANTS else None
        return change if to is None else change._replace(value=to.shown)


def _of(room: Room) -> str:
    return fold(room.name)
