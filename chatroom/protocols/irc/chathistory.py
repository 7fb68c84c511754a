"""CHATHISTORY: what was said in a room, or with somebody alone (IRCv3 draft/chathistory).

A place in the history is written `timestamp=2026-11-22T12:03:00.123Z` or `msgid=814`; every place
that is given is excluded from the answer, but for the one that lines are asked for around.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from chatroom.archive import Span
from chatroom.errors import ChatError, NotInRoom
from chatroom.events import milliseconds
from chatroom.protocols.irc import lines
from chatroom.protocols.irc.command import Command, is_target

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS"]

_NAME: Final = "CHATHISTORY"
_BATCH: Final = "chathistory"
_TARGETS_BATCH: Final = "draft/chathistory-targets"
_EVENTS: Final = "draft/event-playback"
_MOST_DIGITS: Final = 18
_MOST_TALKS: Final = 100_000
_ANY: Final = "*"


class _Place(NamedTuple):
    """One place in the history: a line by its id, or a time in seconds."""

    id: int | None = None
    time: float | None = None


class _Refused(Exception):
    """What was asked can't be answered: a code of the specification, what it is about, and why."""

    def __init__(self, code: str, *context: str, text: str) -> None:
        super().__init__(text)
        self.code, self.context = code, context


_Placed = Callable[["Client", str, Sequence[_Place]], Awaitable[Span | None]]
"""The span that is asked for by one or two places; None if there can be nothing in it."""


async def _latest(client: Client, target: str, places: Sequence[_Place]) -> Span:
    after = places[0]
    return Span(after=after.id, after_time=after.time)


async def _after(client: Client, target: str, places: Sequence[_Place]) -> Span:
    return (await _latest(client, target, places))._replace(first=True)


async def _before(client: Client, target: str, places: Sequence[_Place]) -> Span:
    before = places[0]
    return Span(before=before.id, before_time=before.time)


async def _around(client: Client, target: str, places: Sequence[_Place]) -> Span:
    around = places[0]
    return Span(around=around.id, around_time=around.time)


async def _between(client: Client, target: str, places: Sequence[_Place]) -> Span | None:
    """From the first place on towards the second, be that later or earlier."""
    one, other = places
    is_forward = await _comes_before(client, target, one, other)
    if is_forward is None:
        return None
    low, high = (one, other) if is_forward else (other, one)
    return Span(
        after=low.id,
        after_time=low.time,
        before=high.id,
        before_time=high.time,
        first=is_forward,
    )


async def _comes_before(client: Client, target: str, one: _Place, other: _Place) -> bool | None:
    """None if it can't be known, since there is no line of such an id."""
    if one.id is not None and other.id is not None:
        return one.id < other.id
    times = []
    for place in (one, other):
        time = place.time
        if place.id is not None:
            line = await client.hub.archive.find(client.me, target, place.id)
            time = None if line is None else line.time
        if time is None:
            return None
        times.append(milliseconds(time))
    return times[0] < times[1]


class _Subcommand(NamedTuple):
    """How many places it takes, and whether `*` may stand for one."""

    span: _Placed
    places: int = 1
    any_place: bool = False


_SUBCOMMANDS: Final = {
    "LATEST": _Subcommand(_latest, any_place=True),
    "BEFORE": _Subcommand(_before),
    "AFTER": _Subcommand(_after),
    "AROUND": _Subcommand(_around),
    "BETWEEN": _Subcommand(_between, places=2),
}
_TARGETS: Final = "TARGETS"


async def _chathistory(client: Client, message: Message) -> None:
    name, *params = message.params
    name = name.upper()
    answer = _targets if name == _TARGETS else _lines
    if name != _TARGETS and name not in _SUBCOMMANDS:
        known = ", ".join([*_SUBCOMMANDS, _TARGETS])
        client.fail(_NAME, "INVALID_PARAMS", name, text=f"There is {known}.")
        return
    try:
        await answer(client, name, params)
    except _Refused as refused:
        client.fail(_NAME, refused.code, name, *refused.context, text=str(refused))


# What was said


async def _lines(client: Client, name: str, params: list[str]) -> None:
    subcommand = _SUBCOMMANDS[name]
    if len(params) != subcommand.places + 2:
        raise _Refused("INVALID_PARAMS", text=_usage(name))
    target, *written, limit = params
    if not is_target(target):
        raise _Refused("INVALID_TARGET", target, text="That is no channel or nick.")
    most = _limit(client, limit)
    places = [_place(target, each, any_place=subcommand.any_place) for each in written]
    try:
        span = await subcommand.span(client, target, places)
        found = []
        if span is not None and client.member is not None:
            span = span._replace(most=most, all_kinds=_EVENTS in client.caps)
            found = list(await client.hub.archive.read(client.me, target, span))
    except NotInRoom as error:
        raise _Refused("INVALID_TARGET", target, text=str(error)) from None
    except ChatError as error:
        raise _Refused("MESSAGE_ERROR", target, text=str(error)) from None
    except Exception:
        client.factory.log.failure("What was said can't be read")
        text = "What was said can't be read now. Try again."
        raise _Refused("MESSAGE_ERROR", target, text=text) from None
    if client.member is not None:
        batch = client.factory.batch() if "batch" in client.caps else ""
        told = client.view(client.me).again(found, batch)
        _tell(client, batch, f"{_BATCH} {target}", told)


def _tell(client: Client, batch: str, kind: str, told: Iterable[str]) -> None:
    """Answer with lines: as a batch, if it has a name."""
    if not batch:
        client.reply(*told)
        return
    server = client.factory.server
    client.reply(f":{server} BATCH +{batch} {kind}", *told, f":{server} BATCH -{batch}")


# With whom, and where


async def _targets(client: Client, name: str, params: list[str]) -> None:
    """The rooms and people where the last line was said between two times."""
    if len(params) != 3:
        raise _Refused("INVALID_PARAMS", text=_usage(name))
    one, other = (_time(written) for written in params[:2])
    most = _limit(client, params[2])
    is_forward = one <= other
    try:
        talks = await client.hub.archive.talks(
            client.me, min(one, other), max(one, other), most if is_forward else _MOST_TALKS
        )
    except ChatError as error:
        raise _Refused("MESSAGE_ERROR", _ANY, text=str(error)) from None
    batch = client.factory.batch() if "batch" in client.caps else ""
    head = f":{client.factory.server} {_NAME} {_TARGETS}"
    told = [f"{head} {talk.name} {lines.timestamp(talk.time)}" for talk in talks[-most:]]
    if batch:
        told = [lines.inside(line, batch) for line in told]
    _tell(client, batch, _TARGETS_BATCH, told)


# What is written in the parameters


def _usage(name: str) -> str:
    if name == _TARGETS:
        return "Give two times as timestamp=2026-11-22T12:03:00.000Z, and how many targets."
    count = "two places" if _SUBCOMMANDS[name].places == 2 else "a place"
    place = "timestamp=2026-11-22T12:03:00.000Z or msgid=814"
    return f"Give a target, {count} as {place}, and how many lines."


def _limit(client: Client, written: str) -> int:
    """How many lines are wanted; no more than are given at once."""
    if not _is_number(written) or int(written) < 1:
        raise _Refused("INVALID_PARAMS", written, text="Say how many, in digits.")
    return min(int(written), client.hub.archive.most)


def _place(target: str, written: str, *, any_place: bool) -> _Place:
    kind, _, value = written.partition("=")
    if any_place and written == _ANY:
        return _Place()
    if kind == "timestamp":
        return _Place(time=_time(written))
    if kind != "msgid":
        text = "A place is written msgid= or timestamp=."
        raise _Refused("INVALID_MSGREFTYPE", target, written, text=text)
    if not _is_number(value):
        raise _Refused("MESSAGE_ERROR", target, written, text="There is no such line.")
    return _Place(id=int(value))


def _time(written: str) -> float:
    kind, _, value = written.partition("=")
    time = lines.stamp(value) if kind == "timestamp" else None
    if time is None:
        text = "That is no time. Write it as timestamp=2026-11-22T12:03:00.000Z."
        raise _Refused("INVALID_PARAMS", written, text=text)
    return time


def _is_number(written: str) -> bool:
    return written.isascii() and written.isdigit() and len(written) <= _MOST_DIGITS


COMMANDS = (
    Command("CHATHISTORY", _chathistory, 1,
            usage="LATEST|BEFORE|AFTER|AROUND TARGET PLACE LIMIT | BETWEEN TARGET PLACE PLACE LIMIT"
            " | TARGETS TIME TIME LIMIT",
            help="Shows what was said before.", source="IRCv3 draft/chathistory"),
)  # fmt: skip
