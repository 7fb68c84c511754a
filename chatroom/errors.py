"""What can be refused. Each error carries the sentence its user reads: `str(error)`."""

from __future__ import annotations

__all__ = [
    "AlreadyInRoom",
    "BadName",
    "BadText",
    "BadUsage",
    "ChatError",
    "NameTaken",
    "NoSuchMember",
    "NoSuchRoom",
    "NotAllowed",
    "NotInRoom",
    "TooMany",
]


class ChatError(Exception):
    """A verb was refused; nothing has changed."""


class BadName(ChatError):
    """A nick or a room's name breaks the grammar, or is reserved."""


class NameTaken(ChatError):
    """Another member has this nick."""


class NoSuchMember(ChatError):
    """Nobody here has this nick."""


class NoSuchRoom(ChatError):
    """No room has this name."""


class NotInRoom(ChatError):
    """The member is not in the room it speaks of."""


class NotAllowed(ChatError):
    """One has to be somebody else for this, or somewhere else, or to wait."""


class AlreadyInRoom(ChatError):
    """The member is in this room already."""


class TooMany(ChatError):
    """A limit was met."""


class BadUsage(ChatError):
    """A command is unknown, or its arguments are missing or wrong."""


class BadText(ChatError):
    """There is nothing in this text that can be sent."""
