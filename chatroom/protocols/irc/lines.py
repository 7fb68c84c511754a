"""Lines of IRC put together: tags in front, and what fits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from chatroom.events import milliseconds, seconds
from chatroom.identity import Identity
from chatroom.protocols.irc.wire import LINE_BYTES, escape, is_middle

__all__ = [
    "fit",
    "inside",
    "mask",
    "middle",
    "stamp",
    "standard",
    "tag",
    "tagged",
    "timestamp",
    "words_in_lines",
]

_END: Final = "\r\n"
_MOST: Final = LINE_BYTES - len(_END)
_CUT: Final = "…"


def mask(nick: str, who: Identity) -> str:
    """`nick!user@host`."""
    return f"{nick}!{who.user}@{who.host}"


def middle(address: str) -> str:
    """An address as it may stand among the parameters: `::1` is `0::1` (Modern IRC)."""
    return f"0{address}" if address.startswith(":") else address


@lru_cache(64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def timestamp(time: float) -> str:
    """A time in seconds as IRCv3 server-time writes it: `2026-11-22T12:03:00.123Z`."""
    whole, thousandths = divmod(milliseconds(time), 1000)
    return f"{_second(whole)}.{thousandths:03}Z"


def stamp(written: str) -> float | None:
    """The time in seconds that is so written; None if it is no time."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return seconds(round(moment.timestamp() * 1000))


def tag(line: str, *tags: str) -> str:
    """A line with further tags, each as it is written (`batch=7`)."""
    more = ";".join(tags)
    return f"@{more};{line[1:]}" if line.startswith("@") else f"@{more} {line}"


def inside(line: str, batch: str) -> str:
    """A line as one of a batch, unless it belongs already to one that is inside that."""
    if line.startswith("@"):
        tags = line[1:].partition(" ")[0].split(";")
        if any(each.startswith("batch=") for each in tags):
            return line
    return tag(line, f"batch={batch}")


def standard(kind: str, command: str, code: str, *context: str, text: str) -> str:
    """A standard reply (IRCv3 standard-replies), without its source: FAIL, WARN or NOTE. What
    cannot be a parameter of the context stands as `*`."""
    middle = [param if is_middle(param) else "*" for param in context]
    return " ".join([kind, command, code, *middle, f":{text}"])


def tagged(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Tags by key and value, each as it is written."""
    return [f"{key}={escape(value)}" if value else key for key, value in pairs]


def fit(head: str, text: str) -> str:
    """A line of `head`, which ends where the text begins, and as much of the text as fits; what is
    cut ends with an ellipsis, so that nobody takes it for the whole. Without the line's end."""
    if len(head) + 4 * len(text) <= _MOST or len((head + text).encode()) <= _MOST:
        return head + text
    return head + cut(text, _MOST - len(head.encode()))


def cut(text: str, most: int) -> str:
    """What of the text has at most so many bytes, with an ellipsis if that is not all of it."""
    if len(text.encode()) <= most:
        return text
    room = max(0, most - len(_CUT.encode()))
    return text.encode()[:room].decode(errors="ignore") + _CUT


def words_in_lines(head: str, words: Sequence[str], between: str = " ") -> list[str]:
    """Lines that all begin with `head` and hold the words, as many as fit in each."""
    room = _MOST - len(head.encode())
    lines: list[str] = []
    some: list[str] = []
    taken = 0
    for word in words:
        size = len(word.encode()) + len(between)
        if some and taken + size > room:
            lines.append(head + between.join(some))
            some, taken = [], 0
        some.append(word)
        taken += size
    if some:
        lines.append(head + between.join(some))
    return lines
