"""The rules of a room: what may be set there, by every protocol under the same names.

Knows nobody who may set them, and nothing of how a protocol writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from chatroom.phrases import plural

if TYPE_CHECKING:
    from chatroom.member import Member

__all__ = [
    "FLAGS",
    "GRANTS",
    "LISTS",
    "Change",
    "Flag",
    "Grant",
    "Listed",
    "Mask",
    "Named",
    "Rules",
    "Setting",
    "phrase",
]

Flag = Literal[
    "invite_only", "muted", "members_only", "accounts_only", "secret", "topic_locked", "no_ctcp",
]  # fmt: skip
"""What is on or off."""

Grant = Literal["operator", "voice", "invited"]
"""What a member is given in a room."""

Listed = Literal["ban", "exception", "invitation"]
"""Lists of masks: who is kept out, who is not although a ban means it, and who comes in although
only who is invited may."""

Setting = Literal[
    "invite_only", "muted", "members_only", "accounts_only", "secret", "topic_locked", "no_ctcp",
    "operator", "voice", "invited", "ban", "exception", "invitation",
    "key", "limit", "slow", "keeps",
]  # fmt: skip
"""Everything that can be changed in a room."""

FLAGS: Final[tuple[Flag, ...]] = (
    "invite_only", "muted", "members_only", "accounts_only", "secret", "topic_locked", "no_ctcp",
)  # fmt: skip
GRANTS: Final[tuple[Grant, ...]] = ("operator", "voice", "invited")
LISTS: Final[tuple[Listed, ...]] = ("ban", "exception", "invitation")

Named: TypeAlias = "str | Member"
"""A folded account, or for who is not logged in the member itself."""


class Change(NamedTuple):
    """One setting of a room is turned on or off. `value` is a nick for a grant, a mask for a list,
    the key, the limit or the seconds in decimal; '' for a flag."""

    setting: Setting
    on: bool
    value: str = ""


class Mask(NamedTuple):
    """An entry of a list: a mask as IRC writes it, who set it when, and until when it holds (None:
    for good); times are seconds since the epoch."""

    mask: str
    by: str
    since: float
    until: float | None


class Rules:
    """Those of one room. `key` is '' where none is needed, `limit` 0 where there is none; `slow` is
    seconds between the lines of one member. `members_only`: nobody outside may say anything in the
    room; `muted`: only who has a voice may speak; `secret`: who is not in the room does not learn
    that there is one; `no_ctcp`: no program may question those of all others (IRC's CTCP);
    `accounts_only`: who is not logged in needs a voice to speak. `made`, when the room was made,
    and `topic_at` are seconds since the epoch, 0 if not known."""

    __slots__ = (
        "accounts_only", "grants", "invite_only", "keeps", "key", "limit", "made", "members_only",
        "muted", "name", "no_ctcp", "owner", "secret", "slow", "topic", "topic_at", "topic_by",
        "topic_locked",
    )  # fmt: skip

    def __init__(self, name: str, owner: str | Member | None = None) -> None:
        self.name = name
        self.owner = owner
        self.topic = self.topic_by = ""
        self.topic_at = self.made = 0.0
        self.topic_locked = False
        self.invite_only = False
        self.key = ""
        self.limit = 0
        self.slow = 0
        self.muted = False
        self.members_only = True
        self.secret = False
        self.no_ctcp = False
        self.accounts_only = False
        self.keeps = True
        self.grants: dict[Grant, set[str | Member]] = {}

    @property
    def is_registered(self) -> bool:
        """Whether they outlast the room."""
        return isinstance(self.owner, str)

    @property
    def is_locked(self) -> bool:
        """Whether not everyone comes in."""
        return self.invite_only or bool(self.key)

    @property
    def is_bare(self) -> bool:
        """Whether nothing would be lost with them but whose the room is."""
        is_set = (
            self.topic, self.topic_locked, self.invite_only, self.key, self.limit, self.slow,
            self.muted, self.secret, self.no_ctcp, self.accounts_only, any(self.grants.values()),
        )  # fmt: skip
        return not any(is_set) and self.keeps and self.members_only

    def has(self, grant: Grant, member: Member) -> bool:
        """Whether the member was named for it."""
        named = self.grants.get(grant)
        if not named:
            return False
        return member in named or (bool(member.account) and member.account in named)


_PHRASES: Final[dict[Setting, tuple[str, str]]] = {
    "invite_only": ("locked {room}: one enters by invitation only", "unlocked {room}"),
    "key": ("locked {room}: one enters by invitation or with the key", "took the key off"),
    "limit": ("lets in {value} at most", "took the limit off"),
    "muted": ("muted everyone who has no voice", "unmuted everyone"),
    "members_only": ("lets only who is here speak here", "lets who is not here speak here too"),
    "secret": ("hid {room} from who is not here", "shows {room} to everyone"),
    "topic_locked": ("locked the topic", "unlocked the topic"),
    "no_ctcp": (
        "lets no program question those here",
        "lets programs question those here",
    ),
    "accounts_only": (
        "lets only who is logged in speak",
        "lets who is not logged in speak too",
    ),
    "operator": ("made {value} an operator", "made {value} no operator"),
    "voice": ("gave {value} a voice", "took {value}'s voice back"),
    "invited": ("invited {value}", "took {value}'s invitation back"),
    "ban": ("banned {value}", "unbanned {value}"),
    "exception": ("lets {value} in although banned", "lets {value} in no more although banned"),
    "invitation": ("invited all who are {value}", "invites those who are {value} no more"),
    "slow": (
        "slowed {room}: one line every {seconds} for each",
        "took the slowness off",
    ),
    "keeps": (
        "chose: what is said here is kept",
        "chose: what is said here is not kept",
    ),
}


def phrase(change: Change, room: str) -> str:
    """What somebody did who made this change: `made bob an operator`."""
    form = _PHRASES[change.setting][not change.on]
    seconds = plural(int(change.value), "second") if change.value.isdecimal() else ""
    return form.format(room=room, value=change.value, seconds=seconds)
