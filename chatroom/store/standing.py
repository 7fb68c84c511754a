"""What everyone is in each room: whose it is, who has a say there, and who runs the server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chatroom.authority import Authority
from chatroom.events import Profile, Ruled
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.permissions import Action, Role, must
from chatroom.room import Room
from chatroom.rules import Change, Grant, Rules
from chatroom.store.database import Database
from chatroom.store.roomrules import RoomRules

__all__ = ["Standing"]

_MARKED: Final[tuple[Grant, ...]] = ("operator", "voice")
"""What doors may mark those with who are in a room."""


class Standing(Authority):
    """`accounts` run the server of this hub."""

    def __init__(self, hub: Hub, database: Database, accounts: Iterable[str]) -> None:
        self.hub = hub
        self.rooms = RoomRules(database, hub.lobby)
        self.here: set[Member] = set()
        """Members that run the server until they leave, whatever their account."""
        self.apply(accounts)

    def apply(self, accounts: Iterable[str]) -> None:
        """These accounts run the server from now on."""
        self.accounts = frozenset(map(fold, accounts))

    def role(self, member: Member, room: str) -> Role:
        """What a member is in a folded room, or '' for everywhere. A guest that made a room owns
        it as long as it is connected and the room is not empty."""
        if member in self.here or (member.account and member.account in self.accounts):
            return Role.SERVER
        return self.own_role(member, room)

    def own_role(self, member: Member, room: str) -> Role:
        rules = self.rooms.get(room)
        if rules is None:
            return Role.MEMBER
        owner = rules.owner
        if owner is member or (member.account and owner == member.account):
            return Role.OWNER
        return Role.OPERATOR if rules.has("operator", member) else Role.MEMBER

    def has_voice(self, member: Member, room: str) -> bool:
        rules = self.rooms.get(room)
        return rules is not None and rules.has("voice", member)

    def role_of_account(self, account: str, room: str) -> Role:
        """What a folded account is in a folded room, whoever has it."""
        rules = self.rooms.get(room)
        if not account:
            return Role.MEMBER
        if account in self.accounts:
            return Role.SERVER
        if rules is None:
            return Role.MEMBER
        if rules.owner == account:
            return Role.OWNER
        return Role.OPERATOR if account in rules.grants.get("operator", ()) else Role.MEMBER

    def is_free(self, member: Member, room: str) -> bool:
        """Whether no ban or mute of a folded room ('': everywhere) holds for what it is there."""
        return self.role(member, room) >= (Role.OPERATOR if room else Role.SERVER)

    def must(
        self, action: Action, member: Member, room: Room | None, to: Member | None = None
    ) -> None:
        folded = fold(room.name) if room is not None else ""
        target = None if to is None else self.role(to, folded)
        must(action, self.role(member, folded), target, "" if to is None else to.nick)

    def rules(self, room: Room) -> Rules:
        """Those of a room, to read or to change (then `save`)."""
        return self.rooms.of(room)

    def invitations(self, member: Member) -> list[str]:
        found = []
        for room in self.rooms.invited(member):
            rules, open_ = self.rooms.get(room), self.hub.rooms.get(room)
            if rules is not None and open_ not in member.rooms:
                found.append(rules.name)
        return found

    def registered(self, room: Room) -> tuple[str, float] | None:
        account = self.rooms.registered(fold(room.name))
        nick = self.hub.registrar.nick_of(account) or account
        return (nick, self.rules(room).made) if account else None

    def is_registered_room(self, room: str) -> bool:
        """Whether a folded room's rules outlast it."""
        rules = self.rooms.get(room)
        return rules is not None and rules.is_registered

    def show_own(self, member: Member, room: Room, now: float) -> None:
        """Who has come has a say or a voice there already: tell those who are there, whose doors
        may mark it."""
        if len(room.members) > 1:
            self._show_held(member, room, frozenset(), now)

    def profiled(self, member: Member, event: Profile) -> None:
        """With another account it has a say or a voice elsewhere (as Guard)."""
        if event.was.account != event.who.account:
            for room in member.rooms:
                had = self._held(member, event.was.account, room)
                self._show_held(member, room, had, event.time)

    def _show_held(self, member: Member, room: Room, had: frozenset[Grant], now: float) -> None:
        changed = had ^ self._held(member, member.account, room)
        changes = [Change(g, g not in had, member.nick) for g in _MARKED if g in changed]
        if changes:
            self.hub.ruled(None, room, "", changes, now)

    def _held(self, member: Member, account: str, room: Room) -> frozenset[Grant]:
        """What the room has given to a member, were it logged in to this account."""
        rules = self.rooms.get(fold(room.name))
        if rules is None:
            return frozenset()
        named = {member, account or member}
        held = {grant for grant in _MARKED if not named.isdisjoint(rules.grants.get(grant, ()))}
        return frozenset(held | {"operator"}) if rules.owner in named else frozenset(held)

    def pass_on(self, room: str, now: float) -> Member | None:
        """Give a folded room that is nobody's, and where no operator is, to who has been there
        longest, and tell it; returns who that is, if anyone is there."""
        rules, open_ = self.rooms.get(room), self.hub.rooms.get(room)
        if rules is None or open_ is None or rules.owner is not None:
            return None
        named = rules.grants.get("operator")  # asked only where somebody is: thousands may leave
        if named and any(rules.has("operator", member) for member in open_.members):
            return None
        heir = next(iter(open_.members), None)
        if heir is not None:
            self.rooms.give(room, heir)
            if Ruled not in heir.echoes:  # whoever is shown rules as such reads it there
                self.hub.notify(heir, f"You are the operator of {open_.name} now.", now)
            self.hub.ruled(None, open_, "", [Change("operator", True, heir.nick)], now)
        return heir
