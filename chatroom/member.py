"""A member: a nick, the rooms it is in, and the door its events go out by.

Knows no wire format. A door (a protocol's connection, or a program in this
process) supplies a view, which renders events, and takes what the view made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, Protocol

from chatroom.errors import NoSuchMember, TooMany
from chatroom.events import Event, Told
from chatroom.identity import Identity
from chatroom.limits import Rate, TokenBucket
from chatroom.names import fold
from chatroom.phrases import plural

if TYPE_CHECKING:
    from chatroom.room import Room

__all__ = ["ECHOES", "LINE_USER", "Bell", "Door", "Listener", "Member", "Timestamps", "View"]

Timestamps = Literal["off", "time", "datetime", "id"]
Bell = Literal["off", "msg", "mention", "all"]

_NOBODY: frozenset[str] = frozenset()  # once for all: each takes 216 bytes
_NONE_ACCEPTED: Mapping[str | Member, bool] = {}

ECHOES: frozenset[type[Event]] = frozenset({Told})
"""Of what a member does, what its door is told back like everyone else, unless it says otherwise:
what else there is, the reply to the command says."""

LINE_USER = "~u"
"""What a member calls itself beside its nick where its protocol asks for no such thing."""


class View(Protocol):
    """One wire format. Members that share a view object share the rendered bytes,
    so doors hand out the same object for the same format. MUST NOT have effects."""

    def render(self, events: Sequence[Event]) -> Sequence[Any]:
        """A frame for each event, in their order, whatever stands beside it: who gets some of
        them gets these very frames."""

    def join(self, frames: Sequence[Any]) -> Any:
        """What `write` is given for these frames, made by this view."""

    def rest(self, frames: Sequence[Any], start: int) -> Sequence[Any]:
        """What `render` made, from `start` on, or fewer frames that read the same: for one who
        came in the middle of a turn."""


class Door(Protocol):
    """How the hub reaches the one behind a member. It may have `echoes`, as `ECHOES`, and with
    `replays` False it shows a room's last lines by itself; `most_joins` is how many may come to a
    room in one turn where each is told singly to all others."""

    @property
    def is_private(self) -> bool:
        """Whether nobody on the network can read along: TLS, or the same machine."""

    def view(self, member: Member) -> View:
        """The view for this member as it is now (its room, nick and wishes)."""

    def write(self, data: Any) -> object:
        """Take what the view rendered. MUST NOT block; what it raises costs nobody else."""

    def close(self) -> object:
        """Close, once what was written is out."""


class Member:
    """Someone in the chat. Only the Hub changes it, but for how it wants its events written.

    `account` is the folded name of the account it has proven to be, or ''; `who` is what there is
    to know of it beside its nick. `echoes` are the kinds of events that it is told back when it
    brings them about. Where `accounts_only`, only who is logged in may write to it alone, and who
    is `accepted`: an account or a member, and whether it asked for that. `why_left` is the reason,
    once it is `present` no more.
    """

    __slots__ = (
        "_who",
        "accepted",
        "account",
        "accounts_only",
        "address",
        "away",
        "bell",
        "buckets",
        "current",
        "door",
        "echoes",
        "folded",
        "guest",
        "ignored",
        "last_from",
        "nick",
        "present",
        "rooms",
        "shown",
        "since",
        "spoke",
        "timestamps",
        "view",
        "why_left",
        "write",
    )

    def __init__(
        self, nick: str, door: Door, address: str, now: float, who: Identity | None = None
    ) -> None:
        self.nick = self.shown = nick
        self.folded = fold(nick)
        self.door = door
        self.address = address
        self.write: Callable[[Any], object] = door.write
        self._who = who or Identity(LINE_USER, "")
        self.account = self._who.account
        self.echoes: frozenset[type[Event]] = getattr(door, "echoes", ECHOES)
        self.guest = False
        self.present = True
        self.why_left = ""
        self.rooms: dict[Room, None] = {}
        self.current: Room | None = None
        self.ignored = _NOBODY
        self.accounts_only = False
        self.accepted = _NONE_ACCEPTED
        self.away: str | None = None
        self.last_from: Member | None = None
        self.timestamps: Timestamps = "off"
        self.bell: Bell = "off"
        self.since = self.spoke = now
        self.buckets: dict[str, TokenBucket] | None = None
        self.view = door.view(self)

    @property
    def who(self) -> Identity:
        """Its identity as it is now: the same object until something of it changes."""
        who = self._who
        if who.account != self.account:
            who = self._who = who._replace(account=self.account)
        return who

    @who.setter
    def who(self, who: Identity) -> None:
        self._who = who
        self.account = who.account

    def must_be_present(self) -> None:
        """Raises NoSuchMember: a program's member may go on calling verbs after it left."""
        if not self.present:
            raise NoSuchMember(f"{self.nick} has left, and can do no more here.")

    def spend(self, what: str, per_minute: int | None, now: float, refusal: str) -> None:
        """Count one more of `what` against its limit. Raises TooMany with `refusal`."""
        if per_minute is None:
            return
        self.buckets = self.buckets or {}
        bucket = self.buckets.get(what)
        if bucket is None:
            bucket = self.buckets[what] = TokenBucket(Rate(per_minute, per_minute / 60), now)
        if not bucket.take(now):
            raise TooMany(f"{refusal} Wait {plural(ceil(bucket.wait()), 'second')}.")

    def wish(self, *, timestamps: Timestamps | None = None, bell: Bell | None = None) -> None:
        """How this member wants its events written."""
        self.timestamps = timestamps or self.timestamps
        self.bell = bell or self.bell
        self.refresh()

    def refresh(self) -> None:
        """Ask the door for the view anew, after something that it may depend on changed."""
        self.view = self.door.view(self)


class _Events:
    """Shows the events as they are."""

    def render(self, events: Sequence[Event]) -> Sequence[Event]:
        return events

    def join(self, frames: Sequence[Event]) -> Sequence[Event]:
        return frames

    def rest(self, frames: Sequence[Event], start: int) -> Sequence[Event]:
        return frames[start:]


class Listener:
    """A door for a program in this process (a bot): each event is given to a callable."""

    _EVENTS = _Events()
    is_private = True

    def __init__(self, heard: Callable[[Event], object]) -> None:
        self._heard = heard

    def view(self, member: Member) -> View:
        return self._EVENTS

    def write(self, data: Sequence[Event]) -> None:
        """Give each event to the callable. What that raises comes after the last, together."""
        failures: list[Exception] = []
        for event in data:
            try:
                self._heard(event)
            except Exception as error:
                failures.append(error)
        if failures:
            raise ExceptionGroup("a listener raised at some events", failures)

    def close(self) -> None:
        """Nothing is open."""
