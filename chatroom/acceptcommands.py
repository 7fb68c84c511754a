"""What `/private` and `/accept` do: who may write to one alone, at the line protocol."""

from __future__ import annotations

from typing import Final

from chatroom.accepting import MOST_ACCEPTED
from chatroom.errors import BadUsage
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.phrases import listed

__all__ = ["CHOICES", "accept", "private"]

CHOICES: Final = {"all": False, "accounts": True}
"""What `/private` takes, and whether only who is logged in may write then."""


def private(hub: Hub, member: Member, rest: str, now: float) -> str:
    """Choose who may write to the member alone, or tell. Raises BadUsage."""
    if rest:
        if rest.lower() not in CHOICES:
            raise BadUsage(f"Usage: /private [{'|'.join(CHOICES)}]")
        hub.let_write(member, accounts_only=CHOICES[rest.lower()])
    if member.accounts_only:
        return "Only who is logged in may write to you alone, and whom you /accept."
    return "Everyone may write to you alone."


def accept(hub: Hub, member: Member, rest: str, now: float) -> str:
    """Let one write to the member though it is not logged in, or no more; or list them. Raises
    NoSuchMember, TooMany."""
    if not rest:
        names = hub.accepted(member)
        return f"You accept {listed(names, most=2 * MOST_ACCEPTED)}." if names else _NOBODY
    nick = rest.removeprefix("-")
    if nick == rest:
        return f"{'' if hub.accept(member, nick) else _ALREADY}{_MAY.format(nick)}"
    if hub.accept_no_more(member, nick):
        return f"{nick} may write to you alone no more without being logged in."
    return f"You do not accept {nick}. /accept lists whom you do."


_NOBODY: Final = "You accept nobody. /accept NICK lets one write to you without being logged in."
_MAY: Final = "{} may write to you alone, logged in or not."
_ALREADY: Final = "That is so already: "
