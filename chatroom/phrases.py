"""Turns of phrase that several sentences share."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["duration", "listed", "plural"]

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def plural(number: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], total: int | None = None, most: int = 10) -> str:
    """`ann`, `ann and bob`, `ann, bob and 38 others`: at most `most` parts.

    `total` says how many there are when `names` are just the first of them.
    """
    total = len(names) if total is None else total
    if total > min(most, len(names)):
        shown = names[: most - 1]
        last = plural(total - len(shown), "other")
    else:
        shown, last = names[:-1], names[-1]
    return f"{', '.join(shown)} and {last}" if shown else last


def duration(seconds: float) -> str:
    """The two largest units of a length of time: `3 days 2 hours`, `12 seconds`."""
    left = max(0, int(seconds))
    parts = []
    for size, noun in _UNITS:
        number, left = divmod(left, size)
        if number:
            parts.append(plural(number, noun))
    return " ".join(parts[:2]) or "0 seconds"
