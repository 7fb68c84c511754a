"""Charts as SVG: lines over two logarithmic axes, and ranges on one.

A hundred lines of our own instead of a plotting library: there are two kinds of chart, the text
of an SVG shows in a diff what changed, and who reruns the benchmark has nothing to install.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from benchmarks.results import Spread

__all__ = ["Line", "Range", "lines_chart", "ranges_chart"]

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 200, 56, 48
_LABEL = 16
# Okabe and Ito's colors, which people who are color-blind can tell apart; ours comes first.
_COLORS = ("#d55e00", "#000000", "#7a7a7a", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#b09000")


@dataclass(frozen=True)
class Line:
    """One peer's values by x."""

    name: str
    points: Sequence[tuple[float, Spread]]


@dataclass(frozen=True)
class Range:
    """One peer's two values."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class _Axis:
    """Maps `least` to `most`, logarithmically, to pixels."""

    least: float
    most: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        share = (log10(value) - log10(self.least)) / (log10(self.most) - log10(self.least))
        return round(self.begin + share * (self.end - self.begin), 1)

    def powers(self) -> list[float]:
        return [10.0**n for n in range(ceil(log10(self.least)), floor(log10(self.most)) + 1)]


def lines_chart(
    title: str, x_says: str, lines: Sequence[Line], show: Callable[[float], str]
) -> str:
    """Each line with its rounds' spread; `show` writes values of y."""
    xs = sorted({x for line in lines for x, _ in line.points})
    spreads = [value for line in lines for _, value in line.points]
    x_axis = _Axis(xs[0], xs[-1], _LEFT, _WIDTH - _RIGHT)
    y_axis = _decades(spreads, _HEIGHT - _BOTTOM, _TOP)
    parts = [_text(_LEFT, 26, title, weight="bold", size=15)]
    for power in y_axis.powers():
        parts.append(_rule(_LEFT, y_axis.at(power), _WIDTH - _RIGHT, y_axis.at(power)))
        parts.append(_text(_LEFT - 8, y_axis.at(power) + 4, show(power), anchor="end"))
    for x in xs:
        parts.append(_text(x_axis.at(x), _HEIGHT - _BOTTOM + 20, f"{x:,.0f}", anchor="middle"))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(_text(middle, _HEIGHT - 8, x_says, anchor="middle"))
    for number, line in reversed(list(enumerate(lines))):
        parts.append(_drawn(line, _COLORS[number % len(_COLORS)], number == 0, x_axis, y_axis))
    parts += _names(lines, x_axis, y_axis)
    return _svg(_HEIGHT, parts)


def _drawn(line: Line, color: str, ours: bool, x_axis: _Axis, y_axis: _Axis) -> str:
    dots = [(x_axis.at(x), y_axis.at(value.middle)) for x, value in line.points]
    path = " ".join(f"{x},{y}" for x, y in dots)
    width = 3.5 if ours else 1.8
    parts = [f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"/>']
    for (x, y), (_, value) in zip(dots, line.points, strict=True):
        low, high = y_axis.at(value.least), y_axis.at(value.most)
        parts.append(f'<line x1="{x}" y1="{low}" x2="{x}" y2="{high}" stroke="{color}"/>')
        parts.append(f'<circle cx="{x}" cy="{y}" r="{width + 0.7}" fill="{color}"/>')
    return "\n".join(parts)


def _names(lines: Sequence[Line], x_axis: _Axis, y_axis: _Axis) -> list[str]:
    """Each line's name beside its end, moved where two would overlap."""
    ends = [(y_axis.at(line.points[-1][1].middle), number) for number, line in enumerate(lines)]
    parts = []
    for place, (_, number) in zip(_apart([y for y, _ in sorted(ends)]), sorted(ends), strict=True):
        color = _COLORS[number % len(_COLORS)]
        weight = "normal" if number else "bold"
        parts.append(_text(x_axis.end + 14, place + 4, lines[number].name, color, weight=weight))
    return parts


def _apart(places: Sequence[float]) -> list[float]:
    """Ascending places, each at least a label's height from the next."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + _LABEL) if moved else place)
    drift = (sum(moved) - sum(places)) / len(places)
    return [place - drift for place in moved]


def ranges_chart(title: str, ranges: Sequence[Range], show: Callable[[float], str]) -> str:
    """A bar from `low` to `high` for each, both values written at its ends."""
    height = _TOP + 30 * len(ranges) + _BOTTOM
    values = [Spread(each.low, each.low, each.high) for each in ranges]
    axis = _decades(values, _RIGHT, _WIDTH - _LEFT)
    parts = [_text(20, 26, title, weight="bold", size=15)]
    for power in axis.powers():
        parts.append(_rule(axis.at(power), _TOP - 14, axis.at(power), height - _BOTTOM))
        parts.append(_text(axis.at(power), height - _BOTTOM + 20, show(power), anchor="middle"))
    for number, each in enumerate(ranges):
        y = _TOP + 30 * number
        low, high = axis.at(each.low), axis.at(each.high)
        color = _COLORS[0] if number == 0 else _COLORS[3]
        weight = "normal" if number else "bold"
        width = max(3.0, round(high - low, 1))
        parts.append(_text(20, y + 4, each.name, weight=weight))
        parts.append(f'<rect x="{low}" y="{y - 6}" width="{width}" height="12" fill="{color}"/>')
        parts.append(_text(low - 6, y + 4, show(each.low), anchor="end", size=11))
        parts.append(_text(low + width + 6, y + 4, show(each.high), size=11))
    return _svg(height, parts)


def _decades(values: Sequence[Spread], begin: float, end: float) -> _Axis:
    """An axis with room for all, from one power of ten to another."""
    least = floor(log10(min(value.least for value in values)))
    most = ceil(log10(max(value.most for value in values)))
    return _Axis(10.0**least, 10.0 ** max(most, least + 1), begin, end)


def _text(
    x: float,
    y: float,
    text: str,
    color: str = "#222",
    *,
    anchor: str = "start",
    weight: str = "normal",
    size: int = 12,
) -> str:
    style = f'text-anchor="{anchor}" font-weight="{weight}" font-size="{size}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" {style}>{escape(text)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#ddd"/>'


def _svg(height: int, parts: Sequence[str]) -> str:
    """White behind it, so that it reads in a dark page as well."""
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>\n"])
