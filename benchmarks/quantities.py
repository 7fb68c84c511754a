"""Figures as people read them: three digits and a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.results import Spread

__all__ = ["quantity", "spread"]

# By unit, from the largest: from how much on, divided by what, called what.
_SCALES: Mapping[str, Sequence[tuple[float, float, str]]] = {
    "1": ((1e6, 1e6, " M"), (1e3, 1e3, " k"), (0.0, 1.0, "")),
    "s": ((1.0, 1.0, " s"), (1e-3, 1e-3, " ms"), (1e-6, 1e-6, " µs"), (0.0, 1e-9, " ns")),
    "B": ((2.0**20, 2.0**20, " MiB"), (2.0**10, 2.0**10, " KiB"), (0.0, 1.0, " B")),
    "x": ((0.0, 1.0, " x"),),
}


def quantity(value: float, unit: str) -> str:
    """`quantity(1234567, "1")` is `1.23 M`. The units are those of _SCALES."""
    for least, size, name in _SCALES[unit]:
        if abs(value) >= least:
            return f"{_three_digits(value / size)}{name}"
    raise ValueError(f"not a number: {value}")


def _three_digits(value: float) -> str:
    for digits in (2, 1):
        if abs(round(value, digits)) < 10 ** (3 - digits):
            return f"{value:.{digits}f}"
    return f"{value:.0f}"


def spread(values: Spread, unit: str) -> str:
    """The median, how far the rounds are from it at most, and † where the generator cost more
    than the server."""
    off = max(values.most - values.middle, values.middle - values.least)
    share = 100 * off / values.middle if values.middle else 0.0
    return f"{quantity(values.middle, unit)} ±{share:.0f} %{'†' * values.limited}"
