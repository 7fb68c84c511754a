"""Lengths of time as a user or a settings file writes them: `45s`, `10m`, `2h`, `30d`."""

from __future__ import annotations

import re

__all__ = ["LONGEST", "span", "written"]

_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_SPAN = re.compile(r"([0-9]{1,10})([dhms])")

LONGEST = 36_500 * 86400
"""Seconds in the longest span, some hundred years: what is longer is a typing error."""


def span(text: str) -> int:
    """The seconds that `text` means. Raises ValueError with a sentence."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError("A length of time is a number and s, m, h or d: 45s, 10m, 2h, 30d.")
    seconds = int(match[1]) * _SECONDS[match[2]]
    if seconds > LONGEST:
        raise ValueError(f"The longest time there may be is {written(LONGEST)}.")
    return seconds


def written(seconds: int) -> str:
    """`seconds` in the largest unit that they fill: `600` is `10m`, `90` is `90s`."""
    for unit, size in _SECONDS.items():
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return "0s"
