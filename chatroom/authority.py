"""Whom a hub asks who has a say where, and through whom every protocol keeps order.

An Authority is attached to a hub as `hub.authority`. This one is what a hub has without any: all
are members alike, and nobody may do anything to another.
"""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Sequence
from typing import TYPE_CHECKING

from chatroom.errors import NotOperator, NotServerOperator
from chatroom.permissions import Action, Role, must
from chatroom.rules import Change, Listed, Mask

if TYPE_CHECKING:
    from chatroom.member import Member
    from chatroom.room import Room

__all__ = ["Authority"]

_NOBODY = "Nobody keeps order here: this chat has no operators."


class Authority:
    """What is asked for a room takes its folded name, '' for everywhere, or the Room itself."""

    # What is so

    def role(self, member: Member, room: str) -> Role:
        """What a member is in a folded room, or '' for everywhere."""
        return Role.MEMBER

    def own_role(self, member: Member, room: str) -> Role:
        """What the room itself has made of it: as `role`, but that it runs the server counts for
        nothing."""
        return Role.MEMBER

    def has_voice(self, member: Member, room: str) -> bool:
        """Whether a member was given a voice in a folded room; operators are not asked about."""
        return False

    def is_server_operator(self, member: Member) -> bool:
        """Whether the member runs the server."""
        return self.role(member, "") >= Role.SERVER

    def sees(self, member: Member, room: Room) -> bool:
        """Whether the member may learn that there is this room, and who is in it."""
        return room in member.rooms or not room.rules.secret or self.is_server_operator(member)

    def must(
        self, action: Action, member: Member, room: Room | None, to: Member | None = None
    ) -> None:
        """Raises NotAllowed unless the member may do it in the room (None is everywhere), to this
        one if to anyone."""
        must(action, Role.MEMBER)

    def masks(self, room: Room, listed: Listed, now: float) -> list[Mask]:
        """A list of the room, the oldest entry first. Accounts are written `~a:ann`; before what
        only silences stands `~m:`, as it does before what excepts only from that."""
        return []

    def invitations(self, member: Member) -> list[str]:
        """The names of the rooms that a member was invited to."""
        return []

    def registered(self, room: Room) -> tuple[str, float] | None:
        """The account that a room is registered for, and since when (seconds since the epoch)."""
        return None

    # What is done: each raises a ChatError where it may not be

    def change(self, member: Member, room: Room, change: Change, now: float) -> Change | None:
        """Make one change, and return it as it was made (a nick as its owner writes it, a mask
        made whole), or None where all is so already. Who gives a room up may do that, whatever it
        is there. Tells nobody: see `show`. Raises NotOperator, NoSuchMember, NotInRoom, BadUsage,
        TooMany."""
        raise NotOperator(_NOBODY)

    def show(self, member: Member, room: Room, changes: Sequence[Change], now: float) -> None:
        """Tell the room of changes that `change` has made, all at once, and keep who did it."""

    def kick(self, member: Member, to: Member, room: Room, reason: str, now: float) -> None:
        """Put one out of a room. Raises NotOperator, NotInRoom."""
        raise NotOperator(_NOBODY)

    def invite(self, member: Member, to: Member, room: Room, now: float) -> None:
        """Let one in, and tell it and the room. Who has no say in a room that is open only tells
        it. Raises NotOperator, AlreadyInRoom, NotInRoom, TooMany."""
        raise NotOperator(_NOBODY)

    def register_room(self, member: Member, room: Room, now: float) -> None:
        """Keep a room's rules for its owner's account for good. Raises NotAllowed, TooMany."""
        raise NotOperator(_NOBODY)

    def rename_room(self, member: Member, room: Room, name: str, why: str, now: float) -> None:
        """Give a room another name. Raises NotOperator, NotAllowed, BadName, NameTaken."""
        raise NotOperator(_NOBODY)

    def redact(
        self, member: Member, room: Room, line: int, why: str, now: float
    ) -> Awaitable[None]:
        """Take a line out of what is shown again, and tell the room. Who said it may, and who keeps
        order there. Raises NotAllowed, at once or later NoSuchLine."""
        raise NotOperator(_NOBODY)

    def kill(self, member: Member, to: Member, reason: str, now: float) -> None:
        """Put one out of the server. Raises NotServerOperator."""
        raise NotServerOperator(_NOBODY)

    def resign(self, member: Member, now: float) -> None:
        """Be a server operator no more. Raises NotServerOperator, and NotAllowed where its account
        makes it one."""
        raise NotServerOperator(_NOBODY)

    def announce(self, member: Member, text: str, now: float) -> None:
        """Tell everyone something. Raises NotServerOperator."""
        raise NotServerOperator(_NOBODY)

    def try_password(self, door: Hashable, address: str, right: bool, now: float) -> bool:
        """Count a try at a password that is nobody's account, by a connection from an address;
        returns whether it was right. Raises TooMany, right or wrong, where there were too many."""
        return right

    def oper(self, member: Member, name: str, password: str, now: float) -> Awaitable[None]:
        """Make the member a server operator until it leaves. Raises WrongPassword, NotAllowed or
        TooMany, at once or later."""
        raise NotServerOperator(_NOBODY)
