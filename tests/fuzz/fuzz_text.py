"""The text cleaner: what is safe stays, what is not goes, and cleaning again changes nothing."""

from __future__ import annotations

import re
import unicodedata

from chatroom.names import fold
from chatroom.text import clean, decode, is_clean, mentions

UNSAFE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
UNSAFE = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


def one_input(data: bytes) -> None:
    check(decode(data), most=len(data))
    # Not every door starts from bytes, and a lone surrogate comes through no decoder.
    raw = data.decode("utf-8", "surrogateescape")
    check(clean(raw), most=len(raw))
    left, _, right = raw.partition(" ")
    mentions(raw, fold(left))
    assert not left or mentions(f"{right} {left} {right}", fold(left))


def check(text: str, most: int) -> None:
    assert is_clean(text)
    assert clean(text) == text
    assert len(text) <= most
    assert text.encode("utf-8").decode("utf-8") == text
    assert len(text.splitlines()) <= 1
    assert UNSAFE_CATEGORIES.isdisjoint(map(unicodedata.category, text))
    assert not UNSAFE.search(text)
