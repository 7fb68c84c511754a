"""Who may speak, and how often: asked for each line, each topic and each private line."""

from __future__ import annotations

from math import ceil

from chatroom.errors import NotAllowed
from chatroom.member import Member
from chatroom.names import fold
from chatroom.phrases import plural
from chatroom.store.permissions import Role
from chatroom.store.roomrules import Rules
from chatroom.store.sanctions import Sanctions
from chatroom.store.standing import Standing

__all__ = ["Speech"]


class Speech:
    """What is asked takes what `Guard.ask` does, and raises NotAllowed."""

    def __init__(self, standing: Standing, sanctions: Sanctions) -> None:
        self._standing = standing
        self._sanctions = sanctions
        self._spoke: dict[Member, dict[str, float]] = {}  # when, in rooms that are slow

    def speak(self, member: Member, about: str, text: str, now: float) -> None:
        """Say something in a room, or as the reason to leave it, which counts as a line."""
        room = fold(about)
        if self._sanctions.mutes:
            self._must_not_be_muted(member, room, about, now)
        rules = self._standing.rooms.get(room)
        if rules is None or not (rules.muted or rules.slow) or self._has_voice(member, room, rules):
            return
        if rules.muted:
            raise NotAllowed(f"{about} is muted: only who was given a voice may speak.")
        if len(text.splitlines()) > 1:
            raise NotAllowed(_slowly(about, rules.slow))
        spoke = self._spoke.setdefault(member, {})
        silent = now - spoke.get(room, -rules.slow)
        if 0 <= silent < rules.slow:
            left = plural(ceil(rules.slow - silent), "second")
            raise NotAllowed(f"{_slowly(about, rules.slow)} Wait {left}.")
        spoke[room] = now

    def set_topic(self, member: Member, about: str, text: str, now: float) -> None:
        """Set a room's topic."""
        room = fold(about)
        self._must_not_be_muted(member, room, about, now)
        rules = self._standing.rooms.get(room)
        if rules is None:
            return
        if rules.topic_locked and self._standing.role(member, room) < Role.OPERATOR:
            raise NotAllowed(f"The topic of {about} is locked: ask an operator of the room.")
        if rules.muted and not self._has_voice(member, room, rules):
            raise NotAllowed(f"{about} is muted: only who was given a voice may set its topic.")

    def tell(self, member: Member, about: str, text: str, now: float) -> None:
        """Write to one alone."""
        self._must_not_be_muted(member, "", "", now)

    def left(self, member: Member) -> None:
        """A member is gone."""
        self._spoke.pop(member, None)

    # Inside

    def _must_not_be_muted(self, member: Member, room: str, name: str, now: float) -> None:
        if (
            room
            and room in self._sanctions.mutes
            and self._standing.role(member, room) < Role.OPERATOR
        ):
            mute = self._sanctions.find("mute", room, member, now)
            if mute is not None:
                raise mute.refusal(f"You are muted in {name}", now)
        if "" in self._sanctions.mutes and self._standing.role(member, room) < Role.SERVER:
            mute = self._sanctions.find("mute", "", member, now)
            if mute is not None:
                raise mute.refusal("You are muted", now)

    def _has_voice(self, member: Member, room: str, rules: Rules) -> bool:
        return rules.has("voice", member) or self._standing.role(member, room) >= Role.OPERATOR


def _slowly(room: str, seconds: int) -> str:
    return f"{room} is slow: one line every {plural(seconds, 'second')}, for each who speaks."
