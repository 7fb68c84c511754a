"""Who may write to a member alone, where only who is logged in may: whom it accepts besides."""

from __future__ import annotations

from typing import Any, Final

from chatroom.errors import NotAccepted, TooMany
from chatroom.host import Host
from chatroom.member import Member
from chatroom.names import fold
from chatroom.rules import Named

__all__ = ["MOST_ACCEPTED", "Accepting"]

MOST_ACCEPTED: Final = 100
"""Whom one member accepts; and so many more to whom it wrote itself, who may answer."""


class Accepting(Host):
    """Verbs of one member about others. Whom it accepts is known by the account where there is
    one, else as itself, and never by the nick, which may be another's later."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._accepted_by: dict[Member, set[Member]] = {}

    def let_write(self, member: Member, *, accounts_only: bool) -> None:
        """Whether only who is logged in may write to the member alone, or everyone."""
        member.accounts_only = accounts_only

    def accepted(self, member: Member) -> list[str]:
        """The nicks of those that a member accepts, and of those that may answer it."""
        nick_of = self.registrar.nick_of
        return [
            who.nick if isinstance(who, Member) else nick_of(who) or who for who in member.accepted
        ]

    def accept(self, member: Member, nick: str) -> bool:
        """Let one of that nick write, logged in or not; whether that is new. Raises NoSuchMember,
        TooMany."""
        to = self.find(nick)
        known = [who for who in (to, to.account) if who in member.accepted]
        if to is member or any(member.accepted[who] for who in known):
            return False
        self._remember(member, to, asked=True)
        return True

    def accept_no_more(self, member: Member, nick: str) -> bool:
        """Take that back; whether there was anything. Of who is not here the account is meant."""
        to, folded = self.members.get(fold(nick)), fold(nick)
        among = (folded,) if to is None else (to, to.account, folded)
        found = next((who for who in among if who in member.accepted), None)
        if found is not None:
            self._forget(member, found)
        return found is not None

    # Inside

    def _must_be_accepted(self, member: Member, to: Member) -> None:
        """Asked where `to` is written to by accounts alone."""
        if member.account or member is to or member in to.accepted:
            return
        if not self.authority.is_server_operator(member):
            raise NotAccepted(
                f"Only who is logged in may write to {to.nick} alone: /login or /register first."
            )

    def _may_answer(self, member: Member, to: Member) -> None:
        """The member, to whom accounts alone write, has written to one that has none."""
        if to not in member.accepted and to is not member:
            self._remember(member, to, asked=False)

    def _remember(self, member: Member, to: Member, *, asked: bool) -> None:
        """One more, who was accepted because the member `asked` for it; or may answer, for whom the
        oldest of these makes way."""
        alike = [who for who, was_asked in member.accepted.items() if was_asked == asked]
        if len(alike) >= MOST_ACCEPTED:
            if asked:
                raise TooMany(
                    f"You accept {MOST_ACCEPTED}, the most there may be. /accept -NICK drops one."
                )
            self._forget(member, alike[0])
        self._forget(member, to, to.account)  # if it was known as something else
        who = to.account or to
        member.accepted = {**member.accepted, who: asked}
        if isinstance(who, Member):
            self._accepted_by.setdefault(who, set()).add(member)

    def _forget(self, member: Member, *whom: Named) -> None:
        member.accepted = {who: how for who, how in member.accepted.items() if who not in whom}
        for who in whom:
            by = self._accepted_by.get(who) if isinstance(who, Member) else None
            if by is not None and isinstance(who, Member):
                by.discard(member)
                if not by:
                    del self._accepted_by[who]

    def _forget_accepted(self, member: Member) -> None:
        """The member is gone: nobody accepts it any more, nor it anybody."""
        for other in tuple(self._accepted_by.get(member, ())):
            self._forget(other, member)
        if member.accepted:
            self._forget(member, *member.accepted)
