"""Who may do what, as one table. Knows roles, and nobody who has them.

The one rule about rank: what is done to somebody may be done only to who ranks below. So a
server operator may act on anyone but another server operator, whom the settings alone unmake. A
kick alone, which is over at once, meets everyone who does not run the server.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Literal, NamedTuple

from chatroom.errors import NotAllowed, NotOperator, NotServerOperator

__all__ = ["PERMISSIONS", "Action", "Permission", "Role", "may", "must"]


class Role(IntEnum):
    """What one is in one room. A voice is no rank."""

    MEMBER = 0
    OPERATOR = 1
    """Named by the owner, or by another operator."""
    OWNER = 2
    """Who made the room."""
    SERVER = 3
    """Runs the server, and may in every room what its owner may."""


Action = Literal[
    "kick", "ban", "unban", "bans", "mute", "unmute", "voice", "unvoice", "slow", "lock", "unlock",
    "invite", "op", "deop", "topic", "limit", "secret", "outside", "accounts", "ctcp",
    "except", "keep", "register", "roomname", "redact", "announce", "rename", "kill", "wallops",
    "rehash", "audit", "serverban",
]  # fmt: skip
"""`topic` is to set a topic that is locked, `redact` to take out what another said; `outside` is
whether who is not in a room may speak there, `accounts` whether who is not logged in may, `ctcp`
whether programs may question those there, `except` who may whatever bans say, `roomname` to give a
room another name; `serverban` is any ban or mute that holds everywhere, to see them and to lift
them."""


class Permission(NamedTuple):
    """The least role that may, and the role that whom it is done to must not have: that of who
    does it and those above (`below`), or this one and those above (`spares`)."""

    least: Role
    below: bool = False
    spares: Role | None = None


PERMISSIONS: Final[dict[Action, Permission]] = {
    "kick": Permission(Role.OPERATOR, spares=Role.SERVER),
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
    "op": Permission(Role.OPERATOR),
    "deop": Permission(Role.OWNER, below=True),
    "topic": Permission(Role.OPERATOR),
    "limit": Permission(Role.OPERATOR),
    "secret": Permission(Role.OPERATOR),
    "outside": Permission(Role.OPERATOR),
    "accounts": Permission(Role.OPERATOR),
    "ctcp": Permission(Role.OPERATOR),
    "except": Permission(Role.OPERATOR),
    "keep": Permission(Role.OWNER),
    "register": Permission(Role.OWNER),
    "roomname": Permission(Role.OWNER),
    "redact": Permission(Role.OPERATOR),
    "announce": Permission(Role.SERVER),
    "rename": Permission(Role.SERVER, below=True),
    "kill": Permission(Role.SERVER, below=True),
    "wallops": Permission(Role.SERVER),
    "rehash": Permission(Role.SERVER),
    "audit": Permission(Role.SERVER),
    "serverban": Permission(Role.SERVER, below=True),
}

_ONLY: Final[dict[Role, tuple[type[NotAllowed], str]]] = {
    Role.OPERATOR: (NotOperator, "Only an operator of the room can do that: ask one."),
    Role.OWNER: (
        NotOperator,
        "Only who made the room can do that, or a server operator: ask one.",
    ),
    Role.SERVER: (NotServerOperator, "Only a server operator can do that: ask one."),
}


def may(action: Action, actor: Role, target: Role | None = None) -> bool:
    """Whether who has the role `actor` may do it, to who has the role `target` if to anyone."""
    least, below, spares = PERMISSIONS[action]
    if actor < least or target is None:
        return actor >= least
    return not (below and target >= actor) and not (spares is not None and target >= spares)


def must(action: Action, actor: Role, target: Role | None = None, name: str = "") -> None:
    """Raises NotOperator or NotServerOperator where `may` says no; `name` is whom it would be done
    to."""
    error, only = _ONLY[PERMISSIONS[action].least]
    if not may(action, actor):
        raise error(only)
    if not may(action, actor, target):
        raise error(f"You can't do that to {name}, only to who ranks below you here.")
