"""What was said and done in rooms, as rows of the table `lines`, and back as events.

A row is `(room, id, time, kind, nick, shown, text, other, source)`. Private lines are in rooms of
their own, whose names no room can have (`talk`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, get_args

from chatroom.events import (
    Acted,
    Event,
    Joined,
    Kicked,
    Left,
    Notice,
    Redacted,
    Renamed,
    Ruled,
    Said,
    Tagged,
    Told,
    TopicSet,
    lasts,
    seconds,
)
from chatroom.identity import NOBODY, PLAIN, Identity, Manner
from chatroom.rules import Change, Setting
from chatroom.store.database import Row

__all__ = [
    "ADD", "COLUMNS", "KINDS", "PRIVATE", "SHOWN", "TAGS", "TAKEN_OUT", "changes_of", "event",
    "events", "is_talk", "manner_of", "rows", "source_of", "talk", "who_of",
]  # fmt: skip

KINDS: tuple[type[Event], ...] = (
    Said, Acted, Joined, Left, Renamed, TopicSet, Notice, Kicked, Redacted, Ruled, Told,
    Tagged,
)  # fmt: skip
"""By the number that stands for each in the database: MUST NOT be reordered."""

_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_SAID = _NUMBERS[Said]
TAKEN_OUT = _NUMBERS[Redacted]
PRIVATE = _NUMBERS[Told]
TAGS = _NUMBERS[Tagged]

SHOWN = "(0, 1, 8)"
"""In SQL, the kinds that are shown again to members: what was said, and what was taken out."""

ADD = "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
COLUMNS = "id, time, kind, nick, shown, text, other, source"
"""What `event` takes."""

_MOST_SOURCES = 4096
_GONE = "gone"
_HIDDEN = "*"
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
_SETTINGS = frozenset(get_args(Setting))


def talk(one: str, other: str) -> str:
    """The room of what two folded accounts write to each other alone, or one to itself."""
    return f":{min(one, other)}:{max(one, other)}"


def is_talk(room: str) -> bool:
    """Whether a room is one of those."""
    return room.startswith(":")


# What stands beside the text


def _manner(manner: Manner) -> str | None:
    """As JSON, without what is usual; None for nothing."""
    if manner == PLAIN:
        return None
    usual = PLAIN._asdict()
    return _ENCODE({key: said for key, said in manner._asdict().items() if said != usual[key]})


def manner_of(other: str | None) -> Manner:
    """The Manner of what a row has for it. Raises ValueError."""
    if not other:
        return PLAIN
    try:
        told = json.loads(other)
        manner = Manner(**(told | {"tags": tuple((key, to) for key, to in told.get("tags", ()))}))
    except (ValueError, TypeError, AttributeError):
        raise ValueError("other is no manner of saying something") from None
    texts = manner.rich, *(part for tag in manner.tags for part in tag)
    if type(manner.notice) is not bool or not all(type(text) is str for text in texts):
        raise ValueError("other is no manner of saying something")
    return manner


def _changes(changes: Sequence[Change]) -> str:
    """As JSON. The key of a room does not outlast it here."""
    return _ENCODE(
        [(each.setting, each.on, _HIDDEN if each.setting == "key" else each.value)
         for each in changes]
    )  # fmt: skip


def changes_of(other: str | None) -> tuple[Change, ...]:
    """The changes of what a row has for them. Raises ValueError."""
    try:
        changes = tuple(Change(*each) for each in json.loads(other or "[]"))
    except (ValueError, TypeError):
        raise ValueError("other is no change of a room's rules") from None
    for setting, on, value in changes:
        if setting not in _SETTINGS or type(on) is not bool or type(value) is not str:
            raise ValueError("other is no change of a room's rules")
    return changes


class _Sources(dict[Identity, str | None]):
    """`USER HOST ACCOUNT` of each, any of them maybe empty; None for nobody. In a tenth of the
    time that it takes to make it, since each says more than one line."""

    def __missing__(self, who: Identity) -> str | None:
        if len(self) >= _MOST_SOURCES:
            self.clear()
        source = f"{who.user} {who.host} {who.account}"
        made = self[who] = None if source == "  " else source
        return made


_SOURCES = _Sources()


def source_of(who: Identity) -> str | None:
    """`USER HOST ACCOUNT`, as a row has it; None for nobody."""
    return _SOURCES[who]


@lru_cache(1024)
def who_of(source: str | None) -> Identity:
    """The Identity of such a text, as far as it says."""
    user, host, account = (*(source or "").split(" ", 2), "", "")[:3]
    return Identity(user, host, account) if source else NOBODY


def _kicker(event: Kicked) -> str:
    """`BY NICK USER HOST ACCOUNT`, or only the first."""
    source = source_of(event.kicker_who)
    return event.by if source is None else f"{event.by} {event.kicker} {source}"


# What `text` and `other` hold of each kind; of a line that was taken out, why, and who did it.
_HELD: dict[type[Event], Callable[[Any], tuple[str | None, str | None]]] = {
    Said: lambda event: (event.text, _manner(event.manner)),
    Acted: lambda event: (event.text, _manner(event.manner)),
    Joined: lambda event: (None, None),
    Left: lambda event: (event.reason, _GONE if event.gone else None),
    Renamed: lambda event: (event.nick, None),
    TopicSet: lambda event: (event.topic, None),
    Notice: lambda event: (event.text, None),
    Kicked: lambda event: (event.reason, _kicker(event)),
    Ruled: lambda event: (event.text, _changes(event.changes)),
    Told: lambda event: (event.text, " ".join(filter(None, (event.to, _manner(event.manner))))),
    Tagged: lambda event: (None if event.room else event.to, _manner(event.manner)),
}


def rows(room: str, posted: Sequence[Any]) -> list[Row]:
    """A row for each event that was posted to a room, by its folded name, but for those that are
    not kept. That a line was taken out is told by the line's own row."""
    found: list[Row] = []
    add, sources = found.append, _SOURCES
    for event in posted:
        kind = type(event)
        if kind is Said:  # this is the way of every line
            id, time, _, nick, shown, text, who, manner = event
            number, other = _SAID, None if manner is PLAIN else _manner(manner)
        elif kind in _HELD and (kind is not Tagged or lasts(event)):
            id, time, _, nick, shown = event[:5]
            who = NOBODY if kind is Notice else event.who
            number, (text, other) = _NUMBERS[kind], _HELD[kind](event)
        else:
            continue
        shown = None if shown == nick else shown
        add((room, id, int(time * 1000), number, nick, shown, text, other, sources[who]))
    return found


# Back as events

_Values = tuple[str, str]
_MADE: dict[type[Event], Callable[[_Values, Identity], tuple[Any, ...]]] = {
    Said: lambda held, who: (held[0], who, _lenient(held[1])),
    Acted: lambda held, who: (held[0], who, _lenient(held[1])),
    Joined: lambda held, who: (0, who),
    Left: lambda held, who: (0, held[0], who, held[1] == _GONE),
    Renamed: lambda held, who: (held[0], who),
    TopicSet: lambda held, who: (held[0], who),
    Notice: lambda held, who: (held[0],),
    Kicked: lambda held, who: (0, held[0], *_kicked(held[1], who)),
    Ruled: lambda held, who: (held[0], _lenient_changes(held[1]), who),
    Told: lambda held, who: _told(*held, who),
    Tagged: lambda held, who: (held[0], who, _lenient(held[1])),
}


def _lenient(other: str) -> Manner:
    """A line that somebody wrote into the file otherwise is plain."""
    try:
        return manner_of(other)
    except ValueError:
        return PLAIN


def _lenient_changes(other: str) -> tuple[Change, ...]:
    try:
        return changes_of(other)
    except ValueError:
        return ()


def _kicked(other: str, who: Identity) -> tuple[str, Identity, str, Identity]:
    by, _, kicker = other.partition(" ")
    nick, _, source = kicker.partition(" ")
    return by, who, nick, who_of(source if source.count(" ") == 2 else None)


def _told(text: str, other: str, who: Identity) -> tuple[str, str, bool, Identity, Manner]:
    to, _, manner = other.partition(" ")
    return to, text, False, who, _lenient(manner)


def event(room: str | None, row: Sequence[Any]) -> Event:
    """The event of a row without its first column; `room` is the room's name, None for what was
    written to one alone."""
    id, milliseconds, number, nick, shown, text, other, source = row
    kind: Any = KINDS[number]
    time = seconds(milliseconds)
    who = who_of(source)
    if kind is Redacted:
        to, _, by = (other or "").rpartition(" ") if room is None else ("", "", other or "")
        return Redacted(id, time, room, by, by, id, shown or nick, text or "", who, to)
    text = room if kind is Tagged and room else text or ""
    made: Event = kind(id, time, room, nick, shown or nick, *_MADE[kind]((text, other or ""), who))
    return made


def events(room: str | None, found: Iterable[Sequence[Any]]) -> list[Event]:
    """Rows that were read newest first, as events in their order."""
    return [event(room, row) for row in found][::-1]
