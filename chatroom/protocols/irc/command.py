"""What a command of IRC is: an entry of the table in `commands`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from chatroom.errors import BadName
from chatroom.names import NICK_CHARACTERS, NICK_LENGTH, check_room

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["Command", "Run", "is_target", "targets"]

Run = Callable[["Client", "Message"], Awaitable[Any] | None]
"""Runs it for a client. What it returns is waited for, and nothing else is taken from the client
until it is there. It may raise a ChatError, which is told."""


class Command(NamedTuple):
    """`least` is how many parameters there must be; `registered` whether only who has registered
    may give it; `usage` and `help` are for /HELP, and `source` is what specifies it."""

    name: str
    run: Run
    least: int = 0
    registered: bool = True
    usage: str = ""
    help: str = ""
    source: str = "Modern IRC"


def targets(listed: str) -> list[str]:
    """The targets of a list with commas, each once."""
    return list(dict.fromkeys(filter(None, listed.split(","))))


def is_target(name: str) -> bool:
    """Whether a channel, or somebody, may be called so; be there such a one or not."""
    if not name.startswith("#"):
        return 0 < len(name) <= NICK_LENGTH and NICK_CHARACTERS.issuperset(name)
    try:
        check_room(name)
    except BadName:
        return False
    return True
