r"""Masks as IRC writes them, `nick!user@host`: made whole, and compared with those they may mean.

`*` stands for any characters and `?` for one, `\*` and `\?` for themselves; ASCII case does not
matter. None of it takes longer than the mask and what it is compared with are long together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Generic, TypeVar

from chatroom.errors import BadUsage
from chatroom.names import fold

__all__ = ["MASK_LENGTH", "Masks", "glob", "is_mask", "once", "whole"]

MASK_LENGTH: Final = 200
"""Characters in the longest mask, made whole: a nick, a user and a host with room to spare."""

_TOKEN: Final = re.compile(r"\\[*?]|.", re.S)
_SIGNS: Final = frozenset("!@*?")

_Value = TypeVar("_Value")


def is_mask(text: str) -> bool:
    """Whether this can only be meant as a mask: no nick and no address has such characters."""
    return not _SIGNS.isdisjoint(text)


def whole(text: str) -> str:
    """The mask that a user means, folded: `bob` is `bob!*@*`, `u@h` is `*!u@h`, `n!u` is `n!u@*`,
    and what has a dot is a host. Raises BadUsage."""
    before, at, host = text.rpartition("@")
    if not at:
        before, host = (text, "") if "!" in text or "." not in text else ("", text)
    nick, bang, user = before.partition("!")
    if at and not bang:
        nick, user = "", before
    mask = f"{nick or '*'}!{user or '*'}@{host or '*'}"
    if not text or not mask.isprintable() or " " in mask or mask.startswith(":"):
        raise BadUsage("A mask is NICK!USER@HOST without spaces; * stands for anything.")
    if len(mask) > MASK_LENGTH:
        raise BadUsage(f"That mask has {len(mask)} characters; the most there may be are 200.")
    return fold(re.sub(r"\*{2,}", "*", mask))


@lru_cache(4096)
def glob(pattern: str) -> re.Pattern[str]:
    """What matches (`fullmatch`) a folded text that the pattern means. What stands between two
    stars is looked for once, from where the last was found (an atomic group), or a mask of many
    stars would take for ever."""
    pieces, piece = [], ""
    for token in _TOKEN.findall(fold(pattern)):
        if token == "*":
            pieces.append(piece)
            piece = ""
        else:
            piece += "." if token == "?" else re.escape(token[-1])
    if not pieces:
        return re.compile(piece, re.S)
    first, *middle = pieces
    found = "".join(f"(?>.*?{each})" for each in middle if each)
    return re.compile(f"{first}{found}.*{piece}", re.S)


def once(pattern: str) -> re.Pattern[str]:
    """As `glob`, for what somebody asks by the way: a long one takes 14 kB, which nobody keeps."""
    return glob.__wrapped__(pattern)


class Masks(Generic[_Value]):
    """A value for each of many whole masks. Those with a nick or a host in full are found by that;
    only the others are compared one by one."""

    __slots__ = ("_by_part",)

    def __init__(self) -> None:
        self._by_part: dict[tuple[str, str], dict[str, _Value]] = {}

    def add(self, mask: str, value: _Value) -> None:
        """The value of this mask from now on."""
        self._by_part.setdefault(_part(mask), {})[mask] = value

    def remove(self, mask: str) -> None:
        """Forget a mask that is there."""
        part = _part(mask)
        del self._by_part[part][mask]
        if not self._by_part[part]:
            del self._by_part[part]

    def find(self, nick: str, user: str, host: str) -> Iterator[_Value]:
        """The values of those masks that mean this one. Nothing may be added or removed
        meanwhile."""
        if not self._by_part:
            return
        nick, host = fold(nick), fold(host)
        text = f"{nick}!{fold(user)}@{host}"
        for part in (("nick", nick), ("host", host), ("", "")):
            for mask, value in self._by_part.get(part, {}).items():
                if glob(mask).fullmatch(text):
                    yield value


def _part(mask: str) -> tuple[str, str]:
    """That which has no wildcards, if there is one."""
    before, _, host = mask.rpartition("@")
    nick = before.partition("!")[0]
    for name, part in (("nick", nick), ("host", host)):
        if _SIGNS.isdisjoint(part):
            return name, part
    return "", ""
