"""The letters of IRC's modes, in tables: a channel's onto the settings of a room, a user's onto
what is known of a member (Modern IRC, "Modes")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from chatroom.protocols.irc.wire import is_middle
from chatroom.rules import Change, Rules, Setting

__all__ = [
    "BY_LETTER",
    "BY_SETTING",
    "CHANNEL_MODES",
    "MOST_A_LINE",
    "PREFIXES",
    "USER_BY_LETTER",
    "USER_MODES",
    "ChannelMode",
    "UserMode",
    "current",
    "of_kind",
    "written",
]

MOST_A_LINE: Final = 12
"""Changes with a value in one MODE (ISUPPORT MODES)."""

CHANNEL_DEFS: Final = "irc-defs, Channel Modes (defs.ircdocs.horse)"
USER_DEFS: Final = "irc-defs, User Modes (defs.ircdocs.horse)"
"""What tells how servers understand a letter that Modern IRC does not have."""

Kind = Literal["A", "B", "C", "D", "P"]
"""As ISUPPORT's CHANMODES has them: a list; always with a value; with one while it is turned on;
never; and a prefix of members."""


class ChannelMode(NamedTuple):
    """One mode of channels."""

    letter: str
    setting: Setting
    kind: Kind
    help: str
    prefix: str = ""
    source: str = "Modern IRC, Channel Modes"


CHANNEL_MODES: Final = (
    ChannelMode("o", "operator", "P", "keeps order in the channel", "@"),
    ChannelMode("v", "voice", "P", "may speak where it is moderated", "+"),
    ChannelMode("b", "ban", "A", "keeps out whom a mask means"),
    ChannelMode("e", "exception", "A", "lets in whom a mask means, though banned"),
    ChannelMode("I", "invitation", "A", "lets in whom a mask means, without an invitation"),
    ChannelMode("k", "key", "B", "lets in who knows a key"),
    ChannelMode("l", "limit", "C", "lets in so many at most"),
    ChannelMode("C", "no_ctcp", "D", "lets no CTCP through but actions", source=CHANNEL_DEFS),
    ChannelMode(
        "M",
        "accounts_only",
        "D",
        "lets only who is logged in, or has a voice, speak",
        source=CHANNEL_DEFS,
    ),
    ChannelMode("i", "invite_only", "D", "lets in only who is invited"),
    ChannelMode("m", "muted", "D", "lets only who has a voice speak"),
    ChannelMode("n", "members_only", "D", "lets only who is in it speak"),
    ChannelMode("s", "secret", "D", "is not shown to who is not in it"),
    ChannelMode("t", "topic_locked", "D", "lets only operators set the topic"),
)
BY_LETTER: Final = {mode.letter: mode for mode in CHANNEL_MODES}
BY_SETTING: Final[dict[Setting, ChannelMode]] = {mode.setting: mode for mode in CHANNEL_MODES}
PREFIXES: Final = tuple(mode for mode in CHANNEL_MODES if mode.prefix)


class UserMode(NamedTuple):
    """One mode of users. `own`: whether who has it may turn it on by itself."""

    letter: str
    help: str
    own: bool = True
    source: str = "Modern IRC, User Modes"


USER_MODES: Final = (
    UserMode("B", "is a program"),
    UserMode(
        "R", "is written to alone only by who is logged in, or whom it accepts", source=USER_DEFS
    ),
    UserMode("i", "is shown to those in its channels alone"),
    UserMode("o", "runs the server", own=False),
    UserMode("w", "is told what operators tell each other"),
)
USER_BY_LETTER: Final = {mode.letter: mode for mode in USER_MODES}


def of_kind(*kinds: Kind) -> str:
    """The letters of these kinds, in the order of the alphabet."""
    return "".join(sorted(mode.letter for mode in CHANNEL_MODES if mode.kind in kinds))


def current(rules: Rules, *, is_inside: bool) -> str:
    """The modes of a room with their values, `+knt key`, or `+` where there are none. Who is not
    inside does not learn the key."""
    changes = []
    for mode in sorted(CHANNEL_MODES):
        value = getattr(rules, mode.setting) if mode.kind in "BCD" else ""
        if value:
            shown = "" if mode.kind == "B" and not is_inside else str(value)
            changes.append(Change(mode.setting, True, shown))
    return _line(changes) or "+"


def written(changes: Iterable[Change], most: int) -> list[str]:
    """What follows MODE and the channel, in a few lines if need be, of at most `most` bytes each;
    nothing for what has no letter."""
    told: list[str] = []
    some: list[Change] = []
    for change in changes:
        if change.setting not in BY_SETTING:
            continue
        longer = _line([*some, change])
        if some and (len(longer.encode()) > most or longer.count(" ") > MOST_A_LINE):
            told.append(_line(some))
            some = []
        some.append(change)
    return [*told, _line(some)] if some else told


def _line(changes: Sequence[Change]) -> str:
    letters, values, sign = "", [], ""
    for change in changes:
        mode = BY_SETTING[change.setting]
        now = "+" if change.on else "-"
        if now != sign:
            letters += now
            sign = now
        letters += mode.letter
        if mode.kind in "ABP" or (mode.kind == "C" and change.on):
            # Another door's key may have a space in it, which no line of IRC's could say.
            values.append(change.value if is_middle(change.value) else "*")
    return " ".join([letters, *values])
