"""The commands with a password in them. Knows how they are typed, and nothing of what they do."""

from __future__ import annotations

from chatroom.commands import Command, attach
from chatroom.errors import BadUsage
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.store.logins import Logins

__all__ = ["attach_logins"]


def attach_logins(hub: Hub, logins: Logins) -> None:
    """Give the hub accounts: nicks that are kept, and the commands to have one."""
    hub.guards += [logins.accounts, logins]
    attach(hub, _commands(logins))


def _commands(logins: Logins) -> tuple[Command, ...]:
    def login(hub: Hub, member: Member, rest: str, now: float) -> str:
        """Of the nick that it names, or of the one that the member has."""
        # What another authority knows may have spaces, but not where the nick is left out.
        nick, _, password = rest.partition(" ")
        if not password:
            if member.guest:
                raise BadUsage("You have no nick yet. Usage: /login NICK PASSWORD")
            nick, password = member.nick, nick
        logins.login(hub, member, nick, password.strip(), now)
        return ""

    def register(hub: Hub, member: Member, rest: str, now: float) -> str:
        logins.register(hub, member, rest, now)
        return ""

    def password(hub: Hub, member: Member, rest: str, now: float) -> str:
        old, new = rest.split(None, 1)
        logins.change(hub, member, old, new, now)
        return ""

    def drop(hub: Hub, member: Member, rest: str, now: float) -> str:
        logins.drop(hub, member, rest, now)
        return ""

    def logout(hub: Hub, member: Member, rest: str, now: float) -> str:
        return logins.logout(hub, member, now)

    return (
        Command("register", "PASSWORD", "keeps your nick for you alone.", register, needs=1),
        Command("login", "[NICK] PASSWORD", "proves that a nick is yours.", login, needs=1),
        Command("logout", "", "makes you a guest again.", logout),
        Command("password", "OLD NEW", "changes your password.", password, needs=2),
        Command("drop", "PASSWORD", "deletes your account.", drop, needs=1),
    )
