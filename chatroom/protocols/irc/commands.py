"""Every command of IRC, by its name: the table that a client's messages are run by."""

from __future__ import annotations

from typing import Final

from chatroom.protocols.irc import (
    accept,
    accounts,
    cap,
    channelmodes,
    chathistory,
    info,
    listing,
    markread,
    metadata,
    monitor,
    multiline,
    operators,
    people,
    redact,
    renaming,
    rooms,
    sasl,
    server,
    services,
    talking,
    who,
    whois,
)
from chatroom.protocols.irc.command import Command

__all__ = ["BEFORE_LOGIN", "COMMANDS"]

_MODULES: Final = (
    accept,
    accounts,
    cap,
    channelmodes,
    chathistory,
    info,
    listing,
    markread,
    metadata,
    monitor,
    multiline,
    operators,
    people,
    redact,
    renaming,
    rooms,
    sasl,
    server,
    services,
    talking,
    who,
    whois,
)

COMMANDS: Final[dict[str, Command]] = {
    command.name: command for module in _MODULES for command in module.COMMANDS
}
"""By name, in upper case."""

BEFORE_LOGIN: Final = frozenset(
    {
        "ADMIN", "AUTHENTICATE", "CAP", "HELP", "INFO", "MOTD", "NICK", "NICKSERV", "NS", "OPER",
        "PASS", "PING", "PONG", "QUIT", "REGISTER", "TIME", "USER", "VERIFY", "VERSION",
        "JOIN", "NOTICE", "PRIVMSG", "TAGMSG",  # which the hub refuses itself
    }
)  # fmt: skip
"""What there is, where accounts are required, for who has not logged in."""
