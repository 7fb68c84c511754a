"""Who may speak, and how often: asked for each line, each topic and each private line."""

from __future__ import annotations

from math import ceil
from typing import Final

from chatroom.errors import AccountsOnly, CannotSpeak, NotOperator
from chatroom.member import Member
from chatroom.names import fold
from chatroom.permissions import Role
from chatroom.phrases import plural
from chatroom.rules import Rules
from chatroom.store.sanctions import Kind, Sanctions
from chatroom.store.standing import Standing

__all__ = ["Speech"]


class Speech:
    """What is asked takes what `Guard.ask` does, and raises CannotSpeak; for a topic that is locked
    NotOperator."""

    def __init__(self, standing: Standing, sanctions: Sanctions) -> None:
        self._standing = standing
        self._sanctions = sanctions
        self._spoke: dict[Member, dict[str, float]] = {}  # when, in rooms that are slow

    def speak(self, member: Member, about: str, text: str, now: float) -> None:
        """Say something in a room, or as the reason to leave it, which counts as a line."""
        room = fold(about)
        rules = self._may_speak(member, room, about, now)
        if rules is None or not rules.slow:
            return
        if len(text.splitlines()) > 1:
            raise CannotSpeak(_slowly(about, rules.slow))
        self._must_not_wait(member, room, about, rules, now)
        self._spoke.setdefault(member, {})[room] = now

    def tag(self, member: Member, about: str, text: str, now: float) -> None:
        """Let others know something without a line, which counts as none: that one types."""
        if not about.startswith("#"):
            self.tell(member, about, text, now)
            return
        room = fold(about)
        rules = self._may_speak(member, room, about, now)
        if rules is not None and rules.slow:
            self._must_not_wait(member, room, about, rules, now)

    def set_topic(self, member: Member, about: str, text: str, now: float) -> None:
        """Set a room's topic."""
        room = fold(about)
        self._must_be_heard(member, room, about, now)
        rules = self._standing.rooms.get(room)
        if rules is None:
            return
        if rules.topic_locked and self._standing.role(member, room) < Role.OPERATOR:
            raise NotOperator(f"The topic of {about} is locked: ask an operator of the room.")
        if rules.muted and not self._has_voice(member, room):
            raise CannotSpeak(f"{about} is muted: only who was given a voice may set its topic.")
        if rules.accounts_only and not (member.account or self._has_voice(member, room)):
            raise _no_account(about)

    def tell(self, member: Member, about: str, text: str, now: float) -> None:
        """Write to one alone."""
        self._must_be_heard(member, "", "", now)

    def left(self, member: Member) -> None:
        """A member is gone."""
        self._spoke.pop(member, None)

    # Inside

    def _may_speak(self, member: Member, room: str, name: str, now: float) -> Rules | None:
        """The rules of a folded room, if there is one that matters to this member."""
        if self._sanctions.mutes or self._sanctions.bans:
            self._must_be_heard(member, room, name, now)
        rules = self._standing.rooms.get(room)
        is_free = rules is None or not (rules.muted or rules.slow or rules.accounts_only)
        if rules is None or is_free or self._has_voice(member, room):
            return None
        if rules.muted:
            raise CannotSpeak(f"{name} is muted: only who was given a voice may speak.")
        if rules.accounts_only and not member.account:
            raise _no_account(name)
        return rules

    def _must_not_wait(
        self, member: Member, room: str, name: str, rules: Rules, now: float
    ) -> None:
        silent = now - self._spoke.get(member, {}).get(room, -rules.slow)
        if 0 <= silent < rules.slow:
            left = plural(ceil(rules.slow - silent), "second")
            raise CannotSpeak(f"{_slowly(name, rules.slow)} Wait {left}.")

    def _must_be_heard(self, member: Member, room: str, name: str, now: float) -> None:
        """Raises CannotSpeak for who is muted, or banned but still there; a voice lifts that, and
        not what holds everywhere."""
        sanctions, standing = self._sanctions, self._standing
        there_are = room and (room in sanctions.mutes or room in sanctions.bans)
        if there_are and not self._has_voice(member, room):
            self._must_not_be_kept_out(member, room, name, now)
        if "" in sanctions.mutes and standing.role(member, "") < Role.SERVER:
            mute = sanctions.find("mute", "", member, now)
            if mute is not None:
                raise mute.refusal("You are muted", now, CannotSpeak)

    def _must_not_be_kept_out(self, member: Member, room: str, name: str, now: float) -> None:
        for kind, done in _SILENCED.items():
            found = self._sanctions.against(kind, room, member, now)
            if found is not None:
                raise found.refusal(f"You are {done} {name}", now, CannotSpeak)

    def _has_voice(self, member: Member, room: str) -> bool:
        standing = self._standing
        return standing.has_voice(member, room) or standing.role(member, room) >= Role.OPERATOR


_SILENCED: Final[dict[Kind, str]] = {"mute": "muted in", "ban": "banned from"}


def _no_account(room: str) -> AccountsOnly:
    return AccountsOnly(f"Only who is logged in may speak in {room}: /login or /register first.")


def _slowly(room: str, seconds: int) -> str:
    return f"{room} is slow: one line every {plural(seconds, 'second')}, for each who speaks."
