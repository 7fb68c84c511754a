"""The commands that set the rules of a room: who has a say or a voice, who may come in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from chatroom.errors import BadUsage, NoSuchMember
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.phrases import plural
from chatroom.room import Room
from chatroom.store.moderation import Moderation
from chatroom.store.orders import Order, order, place, show
from chatroom.store.permissions import Action, Role
from chatroom.store.roomrules import Grant, Named, Rules

__all__ = ["SLOWEST", "Ruling"]

SLOWEST = 3600
_TOPIC = "topic"
_INVITES_A_MINUTE = 20


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
        return self._grant("op", "operator", hub, member, rest, "made {} an operator", now)

    def deop(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Take that back. Raises NotAllowed, NoSuchMember, BadUsage."""
        return self._revoke("deop", "operator", hub, member, rest, "made {} no operator", now)

    def voice(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Let one speak where all are muted. Raises NotAllowed, NoSuchMember, BadUsage."""
        return self._grant("voice", "voice", hub, member, rest, "gave {} a voice", now)

    def unvoice(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Take that back. Raises NotAllowed, NoSuchMember, BadUsage."""
        return self._revoke("unvoice", "voice", hub, member, rest, "took {}'s voice back", now)

    def invite(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Let one in that is locked out, and tell it. Raises NotAllowed, BadUsage, TooMany."""
        about, to, _ = self._about("invite", hub, member, rest)
        assert about.room is not None
        self.moderation.must("invite", member, about.room)
        if to is not None and about.room in to.rooms:
            raise BadUsage(f"{to.nick} is {about.place} already.")
        member.spend("invites", _INVITES_A_MINUTE, now, "You invite too many.")
        reply = self._grant("invite", "invited", hub, member, rest, "invited {}", now)
        if to is not None and member.folded not in to.ignored:
            name = about.room.name
            hub.notify(to, f"{member.shown} invites you to {name}: /join {name}", now)
        return reply

    # Who may speak, and come in

    def slow(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Space out the lines of each member. Raises NotAllowed, BadUsage."""
        about, word = self._here("slow", hub, member, rest)
        seconds = int(word) if word.isdecimal() and len(word) < 6 else 0
        if word != "off" and not 1 <= seconds <= SLOWEST:
            raise BadUsage(f"Usage: /slow SECONDS, from 1 to {SLOWEST}, or /slow off.")
        self._rules(about).slow = seconds
        shown = f"slowed {_name(about)}: one line every {plural(seconds, 'second')} for each"
        shown = shown if seconds else "took the slowness off"
        return self._set("slow", member, about, shown, now, word)

    def lock(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Let in only some, or keep the topic as it is. Raises NotAllowed."""
        about, key = self._here("lock", hub, member, rest)
        rules = self._rules(about)
        if key.lower() == _TOPIC:
            rules.topic_locked = True
            return self._set("lock", member, about, "locked the topic", now, _TOPIC)
        rules.lock_key = key
        how = "by invitation or with the key" if key else "by invitation only"
        shown = f"locked {_name(about)}: one enters {how}"
        return self._set("lock", member, about, shown, now, "with a key" if key else "")

    def unlock(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Let everyone in, or set the topic. Raises NotAllowed, BadUsage."""
        about, what = self._here("unlock", hub, member, rest)
        rules = self._rules(about)
        if what.lower() == _TOPIC:
            rules.topic_locked = False
            return self._set("unlock", member, about, "unlocked the topic", now, _TOPIC)
        if what:
            raise BadUsage("Usage: /unlock, or /unlock topic.")
        rules.lock_key = None
        self.moderation.rooms.clear(about.folded, "invited")
        return self._set("unlock", member, about, f"unlocked {_name(about)}", now)

    def keep(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Keep what is said from now on, or do not. Raises NotAllowed, BadUsage."""
        about, word = self._here("keep", hub, member, rest)
        if word not in ("on", "off"):
            raise BadUsage("Usage: /keep on, or /keep off.")
        room = about.room
        assert room is not None
        if word == "off":
            self._rules(about).keeps = False
            room.keep(0)
        else:
            # What was said until now was said while it was off.
            hub.after_turn(partial(self._keep_again, hub, about, room))
        shown = "kept" if word == "on" else "not kept"
        return self._set("keep", member, about, f"chose: what is said here is {shown}", now, word)

    def _keep_again(self, hub: Hub, about: Order, room: Room) -> None:
        self._rules(about).keeps = True
        self.moderation.rooms.save(about.folded)
        room.keep(hub.limits.recent or 0)

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
        return any(account in named for named in self._rules(about).grants.values())

    def _grant(
        self,
        action: Action,
        grant: Grant,
        hub: Hub,
        member: Member,
        rest: str,
        done: str,
        now: float,
    ) -> str:
        about, to, named = self._about(action, hub, member, rest)
        self.moderation.must(action, member, about.room, to)
        self._rules(about)
        name = about.who if to is None else to.shown
        if not self.moderation.rooms.grant(about.folded, grant, named[0]) and grant != "invited":
            raise BadUsage(f"You did that already: {name} has it.")
        sentence = f"{member.shown} {done.format(name)}{about.term}"
        return show(self.moderation, member, action, about, sentence, now, name)

    def _revoke(
        self,
        action: Action,
        grant: Grant,
        hub: Hub,
        member: Member,
        rest: str,
        done: str,
        now: float,
    ) -> str:
        about, to, named = self._about(action, hub, member, rest)
        self.moderation.must(action, member, about.room, to)
        name = about.who if to is None else to.shown
        if not self.moderation.rooms.revoke(about.folded, grant, *named):
            raise BadUsage(f"There is nothing to take back: {name} was not given it here.")
        sentence = f"{member.shown} {done.format(name)}{about.term}"
        return show(self.moderation, member, action, about, sentence, now, name)

    def _here(self, action: Action, hub: Hub, member: Member, rest: str) -> tuple[Order, str]:
        """The room that is meant, where the member may do that, and what follows it."""
        room, word = place(hub, member, rest)
        self.moderation.must(action, member, room)
        return Order(room, "", None, ""), word

    def _rules(self, about: Order) -> Rules:
        assert about.room is not None
        return self.moderation.rules(about.room)

    def _set(
        self, action: Action, member: Member, about: Order, done: str, now: float, target: str = ""
    ) -> str:
        self.moderation.rooms.save(about.folded)
        sentence = f"{member.shown} {done}"
        return show(self.moderation, member, action, about, sentence, now, target)


def _name(about: Order) -> str:
    return "" if about.room is None else about.room.name
