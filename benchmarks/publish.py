"""Writes docs/performance.md and its charts from results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from benchmarks.chart import Line, Range, lines_chart, ranges_chart
from benchmarks.peers import PEERS
from benchmarks.processes import ROOT
from benchmarks.quantities import quantity
from benchmarks.report import replace_figures, report
from benchmarks.results import Case, Results

__all__ = ["CHARTS", "DOCUMENT", "PUBLISHED", "figures", "publish"]

DOCUMENT = ROOT / "docs" / "performance.md"
PUBLISHED = ROOT / "benchmarks" / "results" / "published.json"

_WINDOWS = {size: ("room-100", f"W={size}") for size in (1, 8, 16, 64, 512)}
_MEMBERS = {size: (f"room-{size}", "W=16") for size in (2, 10, 100, 1000, 5000, 10000)}


def _lines(results: Results, cases: Mapping[int, tuple[str, str]]) -> Iterator[Line]:
    for peer in PEERS:
        spreads = {x: results.spread("per_cpu", peer.name, *case) for x, case in cases.items()}
        points = [(x, value) for x, value in spreads.items() if value is not None]
        if len(points) > 1:
            yield Line(peer.says, points)


def _lines_chart(
    results: Results, title: str, x_says: str, cases: Mapping[int, tuple[str, str]]
) -> str:
    lines = list(_lines(results, cases))
    return lines_chart(title, x_says, lines, partial(_short, unit="1")) if lines else ""


def _latency_chart(results: Results) -> str:
    ranges = []
    for peer in PEERS:
        case = Case(peer.name, "room-100", "200/s")
        low, high = results.spread("p50", *case), results.spread("p99", *case)
        if low is not None and high is not None:
            ranges.append(Range(peer.says, low.middle, high.middle))
    title = "Latency to the last of 100 members, 200 lines a second: p50 to p99"
    return ranges_chart(title, ranges, partial(_short, unit="s")) if ranges else ""


def _short(value: float, unit: str) -> str:
    """Without zeros that say nothing: 1 M, 10 k."""
    number, _, name = quantity(value, unit).partition(" ")
    number = number.rstrip("0").rstrip(".") if "." in number else number
    return f"{number} {name}".rstrip()


CHARTS: Mapping[str, Callable[[Results], str]] = {
    "lines": lambda results: _lines_chart(
        results,
        "Lines delivered per second of server CPU, 100 members",
        "lines under way (W)",
        _WINDOWS,
    ),
    "members": lambda results: _lines_chart(
        results, "Lines delivered per second of server CPU, W = 16", "members", _MEMBERS
    ),
    "latency": _latency_chart,
}


def publish(results: Results, document: Path = DOCUMENT, published: Path = PUBLISHED) -> list[Path]:
    """Keep the results, put them into the document, draw its charts beside it; what was
    written."""
    results.write(published)
    results = Results.read(published)  # as anyone else will have them
    charts = {f"{document.stem}-{name}.svg": draw(results) for name, draw in CHARTS.items()}
    written = [published, document]
    for name, svg in charts.items():
        if svg:
            written.append(document.with_name(name))
            written[-1].write_text(svg)
    document.write_text(replace_figures(document.read_text(), figures(results)))
    return written


def figures(results: Results) -> str:
    """What the document shows: the charts, and all tables."""
    title = {"lines": "by lines under way", "members": "by members", "latency": "latency"}
    shown = [
        f"![{title[name]}]({DOCUMENT.stem}-{name}.svg)"
        for name, draw in CHARTS.items()
        if draw(results)
    ]
    return "\n\n".join([*shown, report(results)])
