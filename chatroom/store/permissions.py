"""Who may do what, as one table. Knows roles, and nobody who has them.

The one rule about rank: what is done to somebody may be done only to who ranks below. So a
server operator may act on anyone but another server operator, whom the settings alone unmake.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Literal, NamedTuple

from chatroom.errors import NotAllowed

__all__ = ["PERMISSIONS", "Action", "Permission", "Role", "may", "must"]


class Role(IntEnum):
    """What one is in one room. A voice is no rank."""

    MEMBER = 0
    OPERATOR = 1
    """Named by the owner."""
    OWNER = 2
    """Who made the room."""
    SERVER = 3
    """Runs the server, and may in every room what its owner may."""


Action = Literal[
    "kick", "ban", "unban", "bans", "mute", "unmute", "voice", "unvoice", "slow", "lock", "unlock",
    "invite", "op", "deop", "topic", "keep", "redact", "announce", "rename", "audit", "serverban",
]  # fmt: skip
"""`topic` is to set a topic that is locked; `serverban` is any ban or mute that holds everywhere,
to see them and to lift them."""


class Permission(NamedTuple):
    """The least role that may, and whether whom it is done to has to rank below."""

    least: Role
    below: bool = False


PERMISSIONS: Final[dict[Action, Permission]] = {
    "kick": Permission(Role.OPERATOR, below=True),
    "ban": Permission(Role.OPERATOR, below=True),
    "unban": Permission(Role.OPERATOR),
    "bans": Permission(Role.OPERATOR),
    "mute": Permission(Role.OPERATOR, below=True),
    "unmute": Permission(Role.OPERATOR),
    "voice": Permission(Role.OPERATOR),
    "unvoice": Permission(Role.OPERATOR),
    "slow": Permission(Role.OPERATOR),
    "lock": Permission(Role.OPERATOR),
    "unlock": Permission(Role.OPERATOR),
    "invite": Permission(Role.OPERATOR),
    "op": Permission(Role.OWNER),
    "deop": Permission(Role.OWNER, below=True),
    "topic": Permission(Role.OPERATOR),
    "keep": Permission(Role.OWNER),
    "redact": Permission(Role.OPERATOR),
    "announce": Permission(Role.SERVER),
    "rename": Permission(Role.SERVER, below=True),
    "audit": Permission(Role.SERVER),
    "serverban": Permission(Role.SERVER, below=True),
}

_ONLY: Final = {
    Role.OPERATOR: "Only an operator of the room can do that: ask one.",
    Role.OWNER: "Only who made the room can do that, or a server operator: ask one.",
    Role.SERVER: "Only a server operator can do that: ask one.",
}


def may(action: Action, actor: Role, target: Role | None = None) -> bool:
    """Whether who has the role `actor` may do it, to who has the role `target` if to anyone."""
    least, below = PERMISSIONS[action]
    return actor >= least and not (below and target is not None and target >= actor)


def must(action: Action, actor: Role, target: Role | None = None, name: str = "") -> None:
    """Raises NotAllowed where `may` says no; `name` is whom it would be done to."""
    if not may(action, actor):
        raise NotAllowed(_ONLY[PERMISSIONS[action].least])
    if not may(action, actor, target):
        raise NotAllowed(f"You can't do that to {name}, only to who ranks below you here.")
