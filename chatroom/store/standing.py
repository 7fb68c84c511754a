"""What everyone is in each room: whose it is, who has a say there, and who runs the server."""

from __future__ import annotations

from collections.abc import Iterable

from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.room import Room
from chatroom.store.database import Database
from chatroom.store.permissions import Action, Role, must
from chatroom.store.roomrules import RoomRules, Rules

__all__ = ["Standing"]


class Standing:
    """`accounts` run the server of this hub."""

    def __init__(self, hub: Hub, database: Database, accounts: Iterable[str]) -> None:
        self.hub = hub
        self.rooms = RoomRules(database, fold(hub.lobby.name), hub.lobby.name)
        self.here: set[Member] = set()
        """Members that run the server until they leave, whatever their account."""
        self.apply(accounts)

    def apply(self, accounts: Iterable[str]) -> None:
        """These accounts run the server from now on."""
        self.accounts = frozenset(map(fold, accounts))

    def role(self, member: Member, room: str) -> Role:
        """What a member is in a folded room, or '' for everywhere. A guest that made a room owns
        it as long as it is connected and the room is not empty."""
        if member in self.here:
            return Role.SERVER
        rules = self.rooms.get(room)
        if rules is not None and rules.owner is member:
            return max(Role.OWNER, self.role_of_account(member.account, room))
        if rules is not None and rules.has("operator", member):
            return max(Role.OPERATOR, self.role_of_account(member.account, room))
        return self.role_of_account(member.account, room)

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

    def is_server_operator(self, member: Member) -> bool:
        """Whether the member runs the server."""
        return self.role(member, "") == Role.SERVER

    def must(
        self, action: Action, member: Member, room: Room | None, to: Member | None = None
    ) -> None:
        """Raises NotAllowed unless the member may do it in the room (None is everywhere), to this
        one if to anyone."""
        folded = fold(room.name) if room is not None else ""
        target = None if to is None else self.role(to, folded)
        must(action, self.role(member, folded), target, "" if to is None else to.nick)

    def rules(self, room: Room) -> Rules:
        """Those of a room, to read or to change (then `save`)."""
        return self.rooms.of(fold(room.name), room.name)

    def is_registered_room(self, room: str) -> bool:
        """Whether a folded room's rules outlast it."""
        rules = self.rooms.get(room)
        return rules is not None and rules.is_registered

    def pass_on(self, room: str) -> Member | None:
        """Give a folded room that is nobody's, and where no operator is, to who has been there
        longest; returns who that is, if anyone is there."""
        rules, open_ = self.rooms.get(room), self.hub.rooms.get(room)
        if rules is None or open_ is None or rules.owner is not None:
            return None
        if any(rules.has("operator", member) for member in open_.members):
            return None
        heir = next(iter(open_.members), None)
        if heir is not None:
            self.rooms.give(room, heir)
        return heir
