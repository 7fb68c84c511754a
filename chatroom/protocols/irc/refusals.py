"""Which numeric tells which refusal, and by which sentence: tables from the core's errors, the
nearest class first."""

from __future__ import annotations

from typing import Final, Literal

from chatroom import errors
from chatroom.errors import ChatError
from chatroom.protocols.irc import numerics
from chatroom.protocols.irc.numerics import Numeric

__all__ = ["About", "numeric_for", "sentence"]

About = Literal["channel", "nick", "speech", "command"]
"""What is refused: something done with a channel or a person, something said, or else."""

_ALWAYS: Final[dict[type[ChatError], Numeric]] = {
    errors.NameTaken: numerics.ERR_NICKNAMEINUSE,
    errors.NoSuchMember: numerics.ERR_NOSUCHNICK,
    errors.NoSuchRoom: numerics.ERR_NOSUCHCHANNEL,
    errors.NotInRoom: numerics.ERR_NOTONCHANNEL,
    errors.NotOperator: numerics.ERR_CHANOPRIVSNEEDED,
    errors.NotServerOperator: numerics.ERR_NOPRIVILEGES,
    errors.WrongPassword: numerics.ERR_PASSWDMISMATCH,
    errors.NotAccepted: numerics.ERR_NEEDREGGEDNICK,
    errors.CannotSpeak: numerics.ERR_CANNOTSENDTOCHAN,
    errors.InviteOnly: numerics.ERR_INVITEONLYCHAN,
    errors.BadKey: numerics.ERR_BADCHANNELKEY,
    errors.RoomFull: numerics.ERR_CHANNELISFULL,
    errors.Banned: numerics.ERR_BANNEDFROMCHAN,
    errors.AlreadyInRoom: numerics.ERR_USERONCHANNEL,
}

_BY_ABOUT: Final[dict[About, dict[type[ChatError], Numeric]]] = {
    "channel": {
        errors.BadName: numerics.ERR_NOSUCHCHANNEL,
        errors.TooMany: numerics.ERR_TOOMANYCHANNELS,
        errors.NotAllowed: numerics.ERR_NEEDREGGEDNICK,
    },
    "nick": {
        errors.BadName: numerics.ERR_ERRONEUSNICKNAME,
        errors.NotAllowed: numerics.ERR_ERRONEUSNICKNAME,
        errors.TooMany: numerics.ERR_UNAVAILRESOURCE,
    },
    "speech": {
        errors.NotAllowed: numerics.ERR_CANNOTSENDTOCHAN,
        errors.NotLoggedIn: numerics.ERR_NEEDREGGEDNICK,
        errors.TooMany: numerics.ERR_CANNOTSENDTOCHAN,
    },
    "command": {},
}

_LOG_IN: Final = "by SASL, or with /msg NickServ IDENTIFY NICK PASSWORD"

# Where the core's own sentence tells of commands that are the line protocol's.
_SENTENCES: Final[dict[type[ChatError], str]] = {
    errors.NotLoggedIn: f"Log in first: {_LOG_IN}.",
    errors.NotAccepted: f"Only who is logged in may write there (+R): {_LOG_IN}.",
    errors.AccountsOnly: f"Only who is logged in may speak there (+M): {_LOG_IN}.",
    errors.NameKept: f"That nick is registered. If it is yours, log in: {_LOG_IN}.",
}


def sentence(error: ChatError) -> str:
    """What an IRC client is told of the error."""
    return _SENTENCES.get(type(error)) or str(error)


def numeric_for(error: ChatError, about: About) -> Numeric:
    """The numeric that tells of the error; ERR_UNKNOWNERROR where none is nearer."""
    for kind in type(error).__mro__:
        for table in (_BY_ABOUT[about], _ALWAYS):
            if kind in table:
                return table[kind]
    return numerics.ERR_UNKNOWNERROR
