"""The commands that keep somebody out or silent: /kick, /ban, /mute, and those that undo it."""

from __future__ import annotations

from dataclasses import dataclass

from chatroom.errors import BadUsage, NoSuchMember, NotAllowed, NotInRoom
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.phrases import listed, plural
from chatroom.store.moderation import Moderation
from chatroom.store.networks import network, number
from chatroom.store.orders import Order, order, place, show
from chatroom.store.permissions import Action, Role, must
from chatroom.store.roomrules import Grant
from chatroom.store.sanctions import Kind, Sanction, Target

__all__ = ["Sanctioning"]

_MOST_LISTED = 100
_ALL = "all"
_DONE: dict[Kind, str] = {"ban": "banned", "mute": "muted"}
_THIS_MACHINE = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Sanctioning:
    """What is run by the commands of these names."""

    moderation: Moderation

    def kick(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Put one out of a room. Raises NotAllowed, NoSuchMember, NotInRoom."""
        about = order(hub, member, "kick", rest)
        assert about.room is not None
        to = hub.find(about.who)
        if about.room not in to.rooms:
            raise NotInRoom(f"{to.nick} is not {about.place}. /who lists who is.")
        self.moderation.must("kick", member, about.room, to)
        self._take_back("invited", about, to, to.account)
        self.moderation.note(member, "kick", about.folded, to.nick, about.why, now)
        hub.kick(member, to, about.room, about.why, now)
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
        """List who is banned or muted. Raises NotAllowed."""
        room, _ = place(hub, member, rest, everywhere=True)
        self.moderation.must("serverban" if room is None else "bans", member, room)
        about = Order(room, "", None, "")
        sanctions = self.moderation.sanctions
        found = [s for kind in _DONE for s in sanctions.of(kind, about.folded, now)]
        if not found:
            return f"Nobody is banned or muted {about.place}."
        lines = [self._line(member, sanction, now) for sanction in found[-_MOST_LISTED:]]
        if len(found) > _MOST_LISTED:
            lines.append(f"and {plural(len(found) - _MOST_LISTED, 'older one')}.")
        return "\n".join(lines)

    # Imposing

    def _impose(self, kind: Kind, hub: Hub, member: Member, about: Order, now: float) -> str:
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
        self._begin(kind, member, about, targets, now)
        if about.room is not None:
            self._take_back("operator", about, to, account)
        name = about.who if to is None else to.shown
        whom = f"{name} ({', '.join(map(str, targets))})"
        self.moderation.note(member, kind, about.folded, whom, about.noted, now)
        self._tell(kind, hub, member, about, hit, name, now)
        seen = about.room is not None and about.room in member.rooms
        reply = "" if seen else f"You {_DONE[kind]} {name} {about.place}{about.term}\n"
        others = [other.nick for other in hit if other is not to]
        if to is None or not others:
            return reply
        return f"{reply}That holds for {listed(others)} too, who came from the same address."

    def _begin(
        self, kind: Kind, member: Member, about: Order, targets: list[Target], now: float
    ) -> None:
        """It holds from now on. Raises TooMany."""
        until = None if about.seconds is None else now + about.seconds
        room = about.folded
        self.moderation.sanctions.impose(
            *(kind, room, targets[0], until, member.shown, about.why, now),
            also=targets[1] if len(targets) > 1 else None,
            kept=not room or self.moderation.is_registered_room(room),
            rooms=self.moderation.rooms.of_one(room),
            forced=True,
        )

    def _targets(self, member: Member, about: Order, to: Member | None, kind: Kind) -> list[Target]:
        """Whom it shall hold for: of who is logged in the account first, then what means it
        without. Raises NoSuchMember, BadUsage."""
        if to is None:
            targets = [self._named(about.who)]
        else:
            apart = Target.apart(to)
            if apart.kind == "address" and self._is_shared(apart, about, member, to):
                apart = Target("nick", to.folded)
            targets = [Target.of(to), apart] if to.account else [apart]
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

    def _named(self, who: str) -> Target:
        """The one that is not here, or the addresses. Raises NoSuchMember, BadUsage."""
        if number(who.partition("/")[0]) is not None:
            return self._addresses(who)
        if self.moderation.is_registered(fold(who)):
            return Target("account", fold(who))
        raise NoSuchMember(f"Nobody here is called {who}, and it is no account and no IP address.")

    def _addresses(self, who: str) -> Target:
        try:
            target = Target("address", str(network(who)))
        except ValueError as error:
            raise BadUsage(str(error)) from None
        if any(map(target.network.holds, _THIS_MACHINE)):
            what = f"{who} holds" if "/" in who else "That is"
            raise BadUsage(f"{what} this machine's own address, which everyone on it shares.")
        return target

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
        kind: Kind,
        hub: Hub,
        member: Member,
        about: Order,
        hit: list[Member],
        name: str,
        now: float,
    ) -> None:
        """Show it where it can be seen, and put out who is banned."""
        by = f"{_DONE[kind]} by {member.shown}{about.term}"
        if kind == "ban" and hit:
            for other in hit:
                self._take_back("invited", about, other, other.account)
                if about.room is not None:
                    hub.kick(member, other, about.room, f"{_DONE[kind]}{about.term}", now)
                else:
                    hub.notify(other, f"You were {by}", now)
                    hub.leave(other, by, now)
            return
        rooms = {room: None for other in hit for room in other.rooms}
        for room in rooms if about.room is None else (about.room,):
            hub.word(room, f"{member.shown} {_DONE[kind]} {name}{about.term}", now)

    def _take_back(self, grant: Grant, about: Order, to: Member | None, account: str) -> None:
        whom = [account] if to is None else [to, to.account]
        self.moderation.rooms.revoke(about.folded, grant, *whom)

    def _mute_all(self, member: Member, about: Order, now: float, *, muted: bool) -> str:
        if about.room is None:
            raise BadUsage("Everyone can be muted in one room only: leave out server.")
        self.moderation.must("mute" if muted else "unmute", member, about.room)
        rules = self.moderation.rules(about.room)
        rules.muted = muted
        self.moderation.rooms.save(about.folded)
        action = "mute" if muted else "unmute"
        except_ = " who has no voice" if muted else ""
        sentence = f"{member.shown} {action}d everyone{except_}{about.term}"
        return show(self.moderation, member, action, about, sentence, now)

    # Lifting

    def _lift(self, kind: Kind, hub: Hub, member: Member, about: Order, now: float) -> str:
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
        sentence = f"{member.shown} un{_DONE[kind]} {name}{about.term}"
        whom = ", ".join(str(sanction.target) for sanction in found[:10])
        return show(self.moderation, member, action, about, sentence, now, whom)

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
        to = hub.members.get(fold(who))
        return to is not None and sanction.target.holds_for(to)

    def _line(self, member: Member, sanction: Sanction, now: float) -> str:
        name = self._label(sanction, self.moderation.role(member, ""))
        why = f": {sanction.why}" if sanction.why else ""
        done = _DONE[sanction.kind]
        return f"{sanction.id}: {name}, {done} {sanction.term(now)} by {sanction.by_nick}{why}"

    def _label(self, sanction: Sanction, role: Role) -> str:
        """Whose address is whose is for nobody but who runs the server: anyone can make a room,
        and ban whoever comes there."""
        if sanction.target.kind == "address" and role < Role.SERVER:
            return "an address"
        return sanction.target.name
