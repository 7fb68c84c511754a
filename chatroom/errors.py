"""What can be refused. Each error carries the sentence its user reads: `str(error)`."""

from __future__ import annotations

__all__ = [
    "AccountsOnly",
    "AlreadyInRoom",
    "BadKey",
    "BadName",
    "BadText",
    "BadUsage",
    "Banned",
    "CannotSpeak",
    "ChatError",
    "InviteOnly",
    "NameKept",
    "NameTaken",
    "NoSuchLine",
    "NoSuchMember",
    "NoSuchRoom",
    "NotAccepted",
    "NotAllowed",
    "NotInRoom",
    "NotLoggedIn",
    "NotOperator",
    "NotServerOperator",
    "RoomFull",
    "TooMany",
    "WrongPassword",
]


class ChatError(Exception):
    """A verb was refused; nothing has changed."""


class BadName(ChatError):
    """A nick or a room's name breaks the grammar, or is reserved."""


class NameTaken(ChatError):
    """Another member has this nick."""


class NameKept(NameTaken):
    """The nick is registered, and not by who asks for it."""


class NoSuchMember(ChatError):
    """Nobody here has this nick."""


class NoSuchRoom(ChatError):
    """No room has this name."""


class NoSuchLine(ChatError):
    """No line of this room has this number, or it can't be taken out."""


class NotInRoom(ChatError):
    """The member is not in the room it speaks of."""


class NotAllowed(ChatError):
    """One has to be somebody else for this, or somewhere else, or to wait."""


class NotAccepted(NotAllowed):
    """Only who is logged in may write to that one alone, or whom it accepts."""


class NotLoggedIn(NotAllowed):
    """One has to log in first."""


class NotOperator(NotAllowed):
    """Only an operator of the room may, or one who ranks higher."""


class NotServerOperator(NotAllowed):
    """Only who runs the server may."""


class CannotSpeak(NotAllowed):
    """What the member says is not wanted there: it is muted, or has no voice, or is outside."""


class AccountsOnly(CannotSpeak):
    """Only who is logged in, or has a voice, may speak in the room."""


class Banned(NotAllowed):
    """The member is banned, from the room or from the server."""


class InviteOnly(NotAllowed):
    """The room lets in only who is invited."""


class BadKey(NotAllowed):
    """The room has a key, and this is not it."""


class RoomFull(NotAllowed):
    """As many are in the room as it lets in."""


class WrongPassword(NotAllowed):
    """The name and the password do not belong together, or there is no such name."""


class AlreadyInRoom(ChatError):
    """The member is in this room already."""


class TooMany(ChatError):
    """A limit was met."""


class BadUsage(ChatError):
    """A command is unknown, or its arguments are missing or wrong."""


class BadText(ChatError):
    """There is nothing in this text that can be sent."""
