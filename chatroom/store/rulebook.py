"""`/set`: all the rules of a room, in sentences, and those that no command of their own sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chatroom.errors import BadUsage
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.phrases import listed, plural
from chatroom.room import Room
from chatroom.rules import Change, Listed, Setting
from chatroom.store.moderation import Moderation
from chatroom.store.orders import place

__all__ = ["USAGE", "Rulebook"]

USAGE: Final = (
    "[#ROOM] [limit N|off] [secret on|off] [outside on|off] [accounts on|off] [ctcp on|off] "
    "[except MASK [off]] [invite MASK [off]]"
)
_USAGE = f"Usage: /set {USAGE}"

_SWITCHES: Final[dict[str, tuple[Setting, bool]]] = {
    "secret": ("secret", True),
    "outside": ("members_only", False),
    "accounts": ("accounts_only", True),
    "ctcp": ("no_ctcp", False),
}
"""What each word sets, and whether to on or to off when it is turned on."""

_LISTS: Final[dict[str, Listed]] = {"except": "exception", "invite": "invitation"}
_ON: Final = {"on": True, "off": False}

_MOST_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What is run by `/set`."""

    moderation: Moderation

    def set(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Show the rules of a room to who is in it, or change one. Raises NotAllowed, NotInRoom,
        BadUsage, TooMany."""
        room, rest = place(hub, member, rest)
        assert room is not None
        if not rest:
            if not self.moderation.is_server_operator(member):
                hub.room_of(member, room.name)
            return "\n".join(self._sentences(room, now))
        change = _change(rest.split())
        made = self.moderation.change(member, room, change, now)
        if made is None:
            return f"That is so in {room.name} already."
        self.moderation.show(member, room, [made], now)
        return "" if room in member.rooms else f"That is so in {room.name} now."

    def _sentences(self, room: Room, now: float) -> list[str]:
        rules = room.rules
        registered = self.moderation.registered(room)
        owner = rules.owner.nick if isinstance(rules.owner, Member) else ""
        slow = plural(rules.slow, "second")
        told = [
            (owner, f"{room.name} is {owner}'s."),
            (registered, _registered(room, registered)),
            (rules.invite_only, "One enters by invitation only."),
            (rules.key, "One enters by invitation or with the key."),
            (rules.limit, f"It lets in {rules.limit} at most."),
            (rules.secret, "Who is not here does not learn that there is this room."),
            (not rules.members_only, "Who is not here may speak here too."),
            (rules.muted, "Only who was given a voice may speak."),
            (rules.slow, f"Each may say one line every {slow}."),
            (rules.accounts_only, "Only who is logged in may speak, or was given a voice."),
            (rules.no_ctcp, "No program may question those here."),
            (rules.topic_locked, "Only operators set the topic."),
            (not rules.keeps, "What is said here is not kept."),
        ]
        sentences = [sentence for is_so, sentence in told if is_so]
        for word, listed_ in _LISTS.items():
            masks = [mask.mask for mask in self.moderation.masks(room, listed_, now)]
            if masks:
                sentences.append(f"{word}: {listed(masks, most=_MOST_SHOWN)}")
        return sentences or [f"{room.name} has no rules: everyone may come in and speak."]


def _registered(room: Room, registered: tuple[str, float] | None) -> str:
    if registered is None:
        return ""
    nick, since = registered
    when = f" since {datetime.fromtimestamp(since).strftime('%Y-%m-%d')}" if since else ""
    return f"{room.name} is {nick}'s for good{when}."


def _change(words: list[str]) -> Change:
    """The change that these words mean. Raises BadUsage."""
    name, *values = words
    value = values[0] if values else ""
    last = values[-1].lower() if values else ""
    if name in _SWITCHES and len(values) == 1 and last in _ON:
        setting, on = _SWITCHES[name]
        return Change(setting, _ON[last] == on)
    if name == "limit" and len(values) == 1:
        return Change("limit", last != "off", "" if last == "off" else value)
    if name in _LISTS and (len(values) == 1 or (len(values) == 2 and last in _ON)):
        return Change(_LISTS[name], len(values) == 1 or _ON[last], value)
    raise BadUsage(_USAGE)
