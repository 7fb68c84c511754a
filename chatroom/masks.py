r"""Masks as IRC writes them, `nick!user@host`: made whole, and compared with those they may mean.

`*` stands for any characters and `?` for one, `\*` and `\?` for themselves; ASCII case does not
matter. None of it takes longer than the mask and what it is compared with are long together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Generic, TypeAlias, TypeVar

from chatroom.errors import BadUsage
from chatroom.names import fold

__all__ = ["MASK_LENGTH", "Glob", "Masks", "glob", "is_mask", "whole"]

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


_Piece: TypeAlias = "str | tuple[str | None, ...]"
"""What stands between two stars; where any character may stand, a tuple with None for that."""


class Glob:
    """A pattern, to be compared with folded texts. It is taken apart, which takes some us and a
    few hundred bytes, and made into no regular expression: that takes a ms and 14 kB for a long
    one, and whoever fills a few lists with such makes each line in a room wait for hundreds."""

    __slots__ = ("_first", "_last", "_least", "_middle")

    def __init__(self, pattern: str) -> None:
        pieces: list[_Piece] = [_piece(tokens) for tokens in _between_stars(pattern)]
        self._first, *rest = pieces
        self._last = rest.pop() if rest else None  # there is no star
        self._middle = tuple(piece for piece in rest if piece)
        self._least = sum(map(len, pieces))

    def means(self, text: str) -> bool:
        """Whether the pattern means all of the text. Each piece is looked for once, from where the
        one before it was found: if it fits anywhere, it also does so there."""
        first, last = self._first, self._last
        if len(text) < self._least:
            return False
        if last is None:
            return len(text) == len(first) and _stands(first, text, 0)
        at, end = len(first), len(text) - len(last)
        if not (_stands(first, text, 0) and _stands(last, text, end)):
            return False
        for piece in self._middle:
            at = _find(piece, text, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True


def glob(pattern: str) -> Glob:
    """What a pattern means, whatever its case."""
    return Glob(fold(pattern))


def _between_stars(pattern: str) -> Iterator[list[str]]:
    tokens: list[str] = []
    for token in _TOKEN.findall(pattern):
        if token == "*":
            yield tokens
            tokens = []
        else:
            tokens.append(token)
    yield tokens


def _piece(tokens: list[str]) -> _Piece:
    if "?" in tokens:
        return tuple(None if token == "?" else token[-1] for token in tokens)
    return "".join(token[-1] for token in tokens)


def _stands(piece: _Piece, text: str, at: int) -> bool:
    """Whether a piece stands there; the text is long enough."""
    if isinstance(piece, str):
        return text.startswith(piece, at)
    return all(one is None or one == text[at + offset] for offset, one in enumerate(piece))


def _find(piece: _Piece, text: str, start: int, end: int) -> int:
    """Where a piece stands first between these places; -1 if nowhere. Of a tuple all places are
    looked at together, a bit for each."""
    if isinstance(piece, str):
        return text.find(piece, start, end)
    number = end - len(piece) - start + 1
    if number <= 0:
        return -1
    found, places = (1 << number) - 1 << start, _places(text)
    for offset, one in enumerate(piece):
        if one is not None:
            found &= places.get(one, 0) >> offset
            if not found:
                return -1
    return (found & -found).bit_length() - 1


@lru_cache(16)
def _places(text: str) -> dict[str, int]:
    """Where each character stands: the bit of each place."""
    places: dict[str, int] = {}
    for place, character in enumerate(text):
        places[character] = places.get(character, 0) | 1 << place
    return places


class Masks(Generic[_Value]):
    """A value for each of many whole masks. Those with a nick or a host in full are found by that;
    only the others are compared one by one."""

    __slots__ = ("_by_part",)

    def __init__(self) -> None:
        self._by_part: dict[tuple[str, str], dict[str, tuple[Glob, _Value]]] = {}

    def add(self, mask: str, value: _Value) -> None:
        """The value of this mask from now on."""
        self._by_part.setdefault(_part(mask), {})[mask] = glob(mask), value

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
            for pattern, value in self._by_part.get(part, {}).values():
                if pattern.means(text):
                    yield value


def _part(mask: str) -> tuple[str, str]:
    """That which has no wildcards, if there is one."""
    before, _, host = mask.rpartition("@")
    nick = before.partition("!")[0]
    for name, part in (("nick", nick), ("host", host)):
        if _SIGNS.isdisjoint(part):
            return name, part
    return "", ""
