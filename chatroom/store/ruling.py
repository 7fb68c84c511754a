"""The commands that set the rules of a room: who has a say or a voice, who may come in."""

from __future__ import annotations

from dataclasses import dataclass

from chatroom.errors import BadUsage, NoSuchMember
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.permissions import Action, Role
from chatroom.phrases import listed
from chatroom.room import Room
from chatroom.rules import Change, Grant, Named, phrase
from chatroom.store.changing import ACTIONS, SLOWEST
from chatroom.store.moderation import Moderation
from chatroom.store.orders import Order, order, place, show

__all__ = ["Ruling"]

_TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is run by the commands of these names."""

    moderation: Moderation

    # Who has a say

    def op(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Name an operator. Raises NotAllowed, NoSuchMember, BadUsage."""
        about, to, _ = self._about("op", hub, member, rest)
        if to is not None and self.moderation.role(to, about.folded) > Role.OPERATOR:
            raise BadUsage(f"{to.nick} may do all that already.")
        return self._grant("operator", hub, member, rest, now)

    def deop(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Take that back, or give it up. Raises NotAllowed, NoSuchMember, BadUsage."""
        return self._revoke("operator", hub, member, rest, now)

    def voice(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Let one speak where all are muted. Raises NotAllowed, NoSuchMember, BadUsage."""
        return self._grant("voice", hub, member, rest, now)

    def unvoice(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Take that back. Raises NotAllowed, NoSuchMember, BadUsage."""
        return self._revoke("voice", hub, member, rest, now)

    def invite(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Let one in that is locked out, and tell it. Raises NotAllowed, BadUsage, TooMany."""
        if not rest:
            names = self.moderation.invitations(member)
            return f"You are invited to {listed(names) if names else 'no room'}."
        about, to, _ = self._about("invite", hub, member, rest)
        room = _room(about)
        self.moderation.must("invite", member, room)
        if to is None:
            return self._grant("invited", hub, member, rest, now)
        self.moderation.invite(member, to, room, now)
        return "" if room in member.rooms else f"{member.shown} invited {to.shown}"

    # Who may speak, and come in

    def slow(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Space out the lines of each member. Raises NotAllowed, BadUsage."""
        about, word = self._here("slow", hub, member, rest)
        seconds = int(word) if word.isdecimal() and len(word) < 6 else 0
        if word != "off" and not 1 <= seconds <= SLOWEST:
            raise BadUsage(f"Usage: /slow SECONDS, from 1 to {SLOWEST}, or /slow off.")
        change = Change("slow", bool(seconds), str(seconds) if seconds else "")
        return self._set(member, about, [change], now, word)

    def lock(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Let in only some, or keep the topic as it is. Raises NotAllowed, BadUsage."""
        about, key = self._here("lock", hub, member, rest)
        if key.lower() == _TOPIC:
            return self._set(member, about, [Change("topic_locked", True)], now, _TOPIC)
        if not key:
            changes = [Change("invite_only", True), Change("key", False)]
            return self._set(member, about, changes, now)
        changes = [Change("key", True, key), Change("invite_only", False)]
        return self._set(member, about, changes, now, "with a key")

    def unlock(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Let everyone in, or set the topic. Raises NotAllowed, BadUsage."""
        about, what = self._here("unlock", hub, member, rest)
        if what.lower() == _TOPIC:
            return self._set(member, about, [Change("topic_locked", False)], now, _TOPIC)
        if what:
            raise BadUsage("Usage: /unlock, or /unlock topic.")
        return self._set(member, about, [Change("invite_only", False), Change("key", False)], now)

    def keep(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Keep what is said from now on, or do not. Raises NotAllowed, BadUsage."""
        about, word = self._here("keep", hub, member, rest)
        if word not in ("on", "off"):
            raise BadUsage("Usage: /keep on, or /keep off.")
        return self._set(member, about, [Change("keeps", word == "on")], now, word)

    # Inside

    def _about(
        self, name: str, hub: Hub, member: Member, rest: str
    ) -> tuple[Order, Member | None, list[Named]]:
        """What was ordered, of whom if that is here, and as whom it is named. Raises
        NoSuchMember where that is neither here nor an account."""
        about = order(hub, member, name, rest)
        to = hub.members.get(fold(about.who))
        if to is not None:
            return about, to, [to.account, to] if to.account else [to]
        account = fold(about.who)
        if not (self.moderation.is_registered(account) or self._is_named(about, account)):
            raise NoSuchMember(
                f"Nobody here is called {about.who}, and it is no account. /who lists who is here."
            )
        return about, None, [account]

    def _is_named(self, about: Order, account: str) -> bool:
        return any(account in named for named in _room(about).rules.grants.values())

    def _grant(self, grant: Grant, hub: Hub, member: Member, rest: str, now: float) -> str:
        action = ACTIONS[grant][0]
        about, to, named = self._about(action, hub, member, rest)
        room = _room(about)
        self.moderation.must(action, member, room, to)
        name = about.who if to is None else to.shown
        if not self.moderation.name(room, grant, named, on=True) and grant != "invited":
            raise BadUsage(f"You did that already: {name} has it.")
        return self._granted(member, about, to, Change(grant, True, name), now)

    def _revoke(self, grant: Grant, hub: Hub, member: Member, rest: str, now: float) -> str:
        action = ACTIONS[grant][1]
        about, to, named = self._about(action, hub, member, rest)
        name = about.who if to is None else to.shown
        change = Change(grant, False, name)
        if to is member:
            made = self.moderation.change(member, _room(about), change._replace(value=to.nick), now)
            taken = made is not None
        else:
            self.moderation.must(action, member, about.room, to)
            taken = self.moderation.name(_room(about), grant, named, on=False)
        if not taken:
            raise BadUsage(f"There is nothing to take back: {name} was not given it here.")
        return self._granted(member, about, to, change, now)

    def _granted(
        self, member: Member, about: Order, to: Member | None, change: Change, now: float
    ) -> str:
        """Show it; doors that show marks before nicks are told of who is there."""
        room = _room(about)
        self.moderation.rooms.save(about.folded)
        here = to is not None and (room in to.rooms or change.setting == "invited")
        changes = [change._replace(value=to.nick)] if here and to is not None else []
        action, done = ACTIONS[change.setting][not change.on], phrase(change, room.name)
        done += about.term
        return show(self.moderation, member, action, about, done, now, change.value, changes)

    def _here(self, action: Action, hub: Hub, member: Member, rest: str) -> tuple[Order, str]:
        """The room that is meant, where the member may do that, and what follows it."""
        room, word = place(hub, member, rest)
        self.moderation.must(action, member, room)
        return Order(room, "", None, ""), word

    def _set(
        self, member: Member, about: Order, changes: list[Change], now: float, target: str = ""
    ) -> str:
        """Make these changes, of which the first says what was done."""
        room, change = _room(about), self.moderation.change
        made = [one for each in changes if (one := change(member, room, each, now)) is not None]
        action = ACTIONS[changes[0].setting][not changes[0].on]
        done = phrase(changes[0], room.name)
        return show(self.moderation, member, action, about, done, now, target, made)


def _room(about: Order) -> Room:
    assert about.room is not None
    return about.room
