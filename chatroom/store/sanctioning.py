"""The commands that keep somebody out or silent: /kick, /ban, /mute, and those that undo it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chatroom.errors import BadUsage, NoSuchMember, NotAllowed
from chatroom.hub import Hub
from chatroom.masks import is_mask
from chatroom.member import Member
from chatroom.names import fold
from chatroom.permissions import Action, Role, must
from chatroom.phrases import listed, plural
from chatroom.room import Room
from chatroom.rules import Change, Grant, phrase
from chatroom.store.moderation import Moderation
from chatroom.store.networks import network, number
from chatroom.store.orders import Order, order, place, show
from chatroom.store.sanctions import Kind, Sanction
from chatroom.store.targets import ACCOUNT, Target, addresses, mask_of, target_of

__all__ = ["Sanctioning"]

_MOST_LISTED = 100
_ALL = "all"
_Silencing = Literal["ban", "mute"]
_DONE: dict[_Silencing, str] = {"ban": "banned", "mute": "muted"}
_LISTED: dict[Kind, str] = {
    "ban": "banned",
    "mute": "muted",
    "exception": "excepted from bans and mutes",
    "speech": "excepted from mutes",
    "invitation": "invited",
}


@dataclass(frozen=True, slots=True)
class Sanctioning:
    """What is run by the commands of these names."""

    moderation: Moderation

    def kick(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Put one out of a room. Raises NotAllowed, NoSuchMember, NotInRoom."""
        about = order(hub, member, "kick", rest)
        assert about.room is not None
        to = hub.find(about.who)
        if to is member:
            raise BadUsage("You can't kick yourself. /part leaves the room.")
        self.moderation.kick(member, to, about.room, about.why, now)
        return "" if about.room in member.rooms else f"You kicked {to.nick} out."

    def ban(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Keep somebody out. Raises NotAllowed, NoSuchMember, BadUsage, TooMany."""
        about = order(hub, member, "ban", rest, everywhere=True, timed=True)
        return self._impose("ban", hub, member, about, now)

    def mute(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Silence somebody, or all. Raises NotAllowed, NoSuchMember, BadUsage, TooMany."""
        about = order(hub, member, "mute", rest, everywhere=True, timed=True)
        if about.who.lower() != _ALL:
            return self._impose("mute", hub, member, about, now)
        if about.seconds is not None:
            raise BadUsage("/mute all holds until /unmute all: leave out the time.")
        return self._mute_all(member, about, now, muted=True)

    def unban(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Let somebody in again. Raises NotAllowed, BadUsage."""
        return self._lift(
            "ban", hub, member, order(hub, member, "unban", rest, everywhere=True), now
        )

    def unmute(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Let somebody speak again, or all. Raises NotAllowed, BadUsage."""
        about = order(hub, member, "unmute", rest, everywhere=True)
        if about.who.lower() == _ALL:
            return self._mute_all(member, about, now, muted=False)
        return self._lift("mute", hub, member, about, now)

    def bans(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """List who is banned or muted, or excepted from that. Raises NotAllowed."""
        room, _ = place(hub, member, rest, everywhere=True)
        self.moderation.must("serverban" if room is None else "bans", member, room)
        about = Order(room, "", None, "")
        sanctions = self.moderation.sanctions
        found = [s for kind in _LISTED for s in sanctions.of(kind, about.folded, now)]
        if not found:
            return f"Nobody is banned or muted {about.place}."
        lines = [self._line(member, sanction, now) for sanction in found[-_MOST_LISTED:]]
        if len(found) > _MOST_LISTED:
            lines.append(f"and {plural(len(found) - _MOST_LISTED, 'older one')}.")
        return "\n".join(lines)

    # Imposing

    def _impose(self, kind: _Silencing, hub: Hub, member: Member, about: Order, now: float) -> str:
        to = hub.members.get(fold(about.who))
        action: Action = "serverban" if about.room is None else kind
        self.moderation.must(action, member, about.room, to)
        targets = self._targets(member, about, to, kind)
        account = targets[0].name if targets[0].kind == "account" else ""
        self._check_account(action, member, about, account)
        if about.room is not None and self._role(about, to, account) == Role.OWNER:
            raise NotAllowed(
                f"{about.who} made {about.room.name}, where that holds for no owner: "
                f"/{kind} server {about.who} would."
            )
        hit = self._hit(action, hub, member, about, targets, to)
        until = None if about.seconds is None else now + about.seconds
        self.moderation.impose(kind, member, about.folded, targets, until, about.why, now)
        name = about.who if to is None else to.shown
        whom = f"{name} ({', '.join(map(str, targets))})"
        self.moderation.note(member, kind, about.folded, whom, about.noted, now)
        if about.room is None:
            self._tell_everywhere(kind, hub, member, about, hit, name, now)
        else:
            changes = self._changes(kind, about.room, targets, to, account)
            self._tell(kind, hub, member, about, about.room, hit, name, changes, now)
        seen = about.room is not None and about.room in member.rooms
        reply = "" if seen else f"You {_DONE[kind]} {name} {about.place}{about.term}\n"
        others = [other.nick for other in hit if other is not to]
        if to is None or not others:
            return reply
        return f"{reply}That holds for {listed(others)} too, who came from the same address."

    def _changes(
        self, kind: _Silencing, room: Room, targets: list[Target], to: Member | None, account: str
    ) -> list[Change]:
        """What it changes in a room: who is kept out or silent there has no say any more, and who
        is silent no voice."""
        self.moderation.rules(room)
        masks = (self.moderation.written(kind, target) for target in targets)
        changes = [Change("ban", True, mask) for mask in masks]
        lost: tuple[Grant, ...] = ("operator", "voice") if kind == "mute" else ("operator",)
        for grant in lost:
            if self._take_back(grant, room, to, account) and to is not None and room in to.rooms:
                changes.append(Change(grant, False, to.nick))
        return changes

    def _targets(
        self, member: Member, about: Order, to: Member | None, kind: _Silencing
    ) -> list[Target]:
        """Whom it shall hold for: of who is logged in the account first, then what means it
        without. Raises NoSuchMember, BadUsage."""
        if to is None:
            targets = [self._named(member, about.who)]
        else:
            apart = Target.apart(to)
            if apart.kind == "address" and self._is_shared(apart, about, member, to):
                apart = Target("nick", to.folded)
            targets = [Target.of(to), apart] if to.account else [apart]
        if about.room is None and targets[0].kind == "mask":
            raise BadUsage("A mask holds in a room. Name an account or an address for the server.")
        if any(target.holds_for(member) for target in targets):
            raise BadUsage(f"That would {kind} you too. Name somebody else, or a smaller range.")
        return targets

    def _is_shared(self, target: Target, about: Order, member: Member, to: Member) -> bool:
        """Whether somebody has the same address who ranks no lower than who gives the order."""
        role, room = self.moderation.role, about.folded
        here = self.moderation.hub.members.values() if about.room is None else about.room.members
        least = role(member, room)
        others = (other for other in (member, *here) if other is not to)
        return any(role(other, room) >= least and target.holds_for(other) for other in others)

    def _named(self, member: Member, who: str) -> Target:
        """The one that is not here, the addresses, or whom a mask means. Raises NoSuchMember,
        BadUsage, NotServerOperator."""
        if number(who.partition("/")[0]) is not None:
            return addresses(who)
        if is_mask(who) or who.startswith(ACCOUNT):
            runs = self.moderation.is_server_operator(member)
            return target_of(who, may_name_addresses=runs)
        if self.moderation.is_registered(fold(who)):
            return Target("account", fold(who))
        raise NoSuchMember(f"Nobody here is called {who}, and it is no account and no IP address.")

    def _check_account(self, action: Action, member: Member, about: Order, account: str) -> None:
        """Raises NotAllowed where the folded account ranks no lower than the member."""
        role = self.moderation.role_of_account(account, about.folded)
        must(action, self.moderation.role(member, about.folded), role, about.who)

    def _role(self, about: Order, to: Member | None, account: str) -> Role:
        if to is not None:
            return self.moderation.role(to, about.folded)
        return self.moderation.role_of_account(account, about.folded)

    def _hit(
        self,
        action: Action,
        hub: Hub,
        member: Member,
        about: Order,
        targets: list[Target],
        to: Member | None,
    ) -> list[Member]:
        """Who is here and meant by it. In a room it passes by its operators, but for whom it is
        about; everywhere, it may not meet who ranks no lower. Raises NotAllowed."""
        here = hub.members.values() if about.room is None else about.room.members
        hit = [other for other in here if any(target.holds_for(other) for target in targets)]
        if about.room is None:
            for other in hit:
                self.moderation.must(action, member, None, other)
            return hit
        role = self.moderation.role
        return [one for one in hit if one is to or role(one, about.folded) < Role.OPERATOR]

    def _tell(
        self,
        kind: _Silencing,
        hub: Hub,
        member: Member,
        about: Order,
        room: Room,
        hit: list[Member],
        name: str,
        changes: list[Change],
        now: float,
    ) -> None:
        """Show it in the room, and put out who is banned, which says so too."""
        kicks = kind == "ban" and hit
        text = "" if kicks else f"{_DONE[kind]} {name}{about.term}"
        hub.ruled(member, room, text, changes, now)
        for other in hit if kicks else ():
            self._take_back("invited", room, other, other.account)
            hub.kick(member, other, room, f"{_DONE[kind]}{about.term}", now)

    def _tell_everywhere(
        self,
        kind: _Silencing,
        hub: Hub,
        member: Member,
        about: Order,
        hit: list[Member],
        name: str,
        now: float,
    ) -> None:
        """Put out who is banned, and show in the rooms of who is muted that it is."""
        by = f"{_DONE[kind]} by {member.shown}{about.term}"
        if kind == "ban":
            for other in hit:
                hub.notify(other, f"You were {by}", now)
                hub.leave(other, by, now)
            return
        for room in {room: None for other in hit for room in other.rooms}:
            hub.word(room, f"{member.shown} {_DONE[kind]} {name}{about.term}", now)

    def _take_back(self, grant: Grant, room: Room, to: Member | None, account: str) -> bool:
        whom = [account] if to is None else [to, to.account]
        return self.moderation.rooms.revoke(fold(room.name), grant, *whom)

    def _mute_all(self, member: Member, about: Order, now: float, *, muted: bool) -> str:
        if about.room is None:
            raise BadUsage("Everyone can be muted in one room only: leave out server.")
        change = Change("muted", muted)
        made = self.moderation.change(member, about.room, change, now)
        done = phrase(change, about.room.name) + about.term
        changes = [] if made is None else [made]
        action = "mute" if muted else "unmute"
        return show(self.moderation, member, action, about, done, now, changes=changes)

    # Lifting

    def _lift(self, kind: _Silencing, hub: Hub, member: Member, about: Order, now: float) -> str:
        action: Action = "unban" if kind == "ban" else "unmute"
        self.moderation.must("serverban" if about.room is None else action, member, about.room)
        sanctions = self.moderation.sanctions
        meant = [
            sanction
            for sanction in sanctions.of(kind, about.folded, now)
            if self._is_meant(hub, sanction, about.who)
        ]
        # An account and its address were banned at once, and are let in at once.
        found = list(dict.fromkeys(each for one in meant for each in sanctions.together(one)))
        if not found:
            everywhere = " server" if about.room is None else ""
            raise BadUsage(
                f"{about.who} is not {_DONE[kind]} {about.place}. /bans{everywhere} lists who is."
            )
        for sanction in found:
            sanctions.lift(sanction)
        name = self._label(found[0], Role.MEMBER) if about.who.isdecimal() else about.who
        whom = ", ".join(str(sanction.target) for sanction in found[:10])
        masks = (self.moderation.written(kind, sanction.target) for sanction in found)
        changes = [Change("ban", False, mask) for mask in dict.fromkeys(masks)]
        done = f"un{_DONE[kind]} {name}{about.term}"
        return show(self.moderation, member, action, about, done, now, whom, changes)

    def _is_meant(self, hub: Hub, sanction: Sanction, who: str) -> bool:
        """Whether `who` is the sanction's number, whom it names, or somebody it holds for."""
        if who.isdecimal():
            return str(sanction.id) == who
        if sanction.target.kind == "address":
            try:
                if str(network(who)) == sanction.target.name:
                    return True
            except ValueError:
                pass  # it is a nick, then
        elif sanction.target.name == fold(who):
            return True
        if is_mask(who) or who.startswith(ACCOUNT):
            named = target_of(who, may_name_addresses=True)
            cloak = self.moderation.hub.cloak
            return mask_of(sanction.target, cloak) == mask_of(named, cloak)
        to = hub.members.get(fold(who))
        return to is not None and sanction.target.holds_for(to)

    def _line(self, member: Member, sanction: Sanction, now: float) -> str:
        name = self._label(sanction, self.moderation.role(member, ""))
        why = f": {sanction.why}" if sanction.why else ""
        done = _LISTED[sanction.kind]
        return f"{sanction.id}: {name}, {done} {sanction.term(now)} by {sanction.by_nick}{why}"

    def _label(self, sanction: Sanction, role: Role) -> str:
        """Whose address is whose is for nobody but who runs the server: anyone can make a room,
        and ban whoever comes there."""
        if sanction.target.kind == "address" and role < Role.SERVER:
            return "an address"
        return sanction.target.name
