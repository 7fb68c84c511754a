"""Results as tables: in Markdown, which reads well enough in a terminal, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from benchmarks.layouts import FULL, Layout
from benchmarks.peers import PEERS
from benchmarks.quantities import quantity, spread
from benchmarks.results import ARRIVAL, FIGURES, IDLE, Results
from benchmarks.targets import Verdict, judge

__all__ = ["VIEWS", "Column", "View", "replace_figures", "report", "table", "verdicts"]

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


class Column(NamedTuple):
    """One figure of one case, for every peer."""

    heading: str
    figure: str
    layout: str
    load: str


class View(NamedTuple):
    """A table: a row for each peer that has anything in its columns."""

    title: str
    columns: tuple[Column, ...]


def _by_window(figure: str) -> tuple[Column, ...]:
    loads = [f"W={size}" for size in (1, 8, 16, 64, 512)]
    return tuple(Column(load, figure, "room-100", load) for load in loads)


def _by_members(figure: str) -> tuple[Column, ...]:
    sizes = (2, 10, 100, 1000, 5000, 10000)
    return tuple(Column(f"{size:,}", figure, f"room-{size}", "W=16") for size in sizes)


def _arrivals(layout: str) -> tuple[Column, ...]:
    figures = ("CPU each", "arrival_cpu"), ("all in after", "arrival_seconds"), ("memory", "memory")
    people = f"{int(layout.partition('-')[2]):,}"
    return tuple(Column(f"{people}: {head}", figure, layout, ARRIVAL) for head, figure in figures)


VIEWS = (
    View("Lines delivered per second of server CPU, 100 members, by W", _by_window("per_cpu")),
    View("Lines delivered per second, 100 members, by W", _by_window("per_second")),
    View("Lines delivered per second of server CPU, W = 16, by members", _by_members("per_cpu")),
    View("Latency to the last member, W = 16, p99, by members", _by_members("p99")),
    View(
        "Latency to the last of 100 members, 200 lines a second",
        (Column("p50", "p50", "room-100", "200/s"), Column("p99", "p99", "room-100", "200/s")),
    ),
    View(
        "Lines delivered per second of server CPU, other company and other lines",
        (
            Column("1,000 rooms of 10", "per_cpu", "rooms-1000", "W=1"),
            Column("private, 50 pairs", "per_cpu", "private", "W=1"),
            Column("16 bytes", "per_cpu", "text-16", "W=64"),
            Column("64 bytes", "per_cpu", "room-100", "W=64"),
            Column("400 bytes", "per_cpu", "text-400", "W=64"),
            Column("and a slow reader", "per_cpu", "slow-reader", "W=64"),
            Column("512 bytes", "per_cpu", "text-512", "W=64"),
        ),
    ),
    View(
        "Over TLS: lines delivered per second of server CPU, and what a connection takes",
        (
            Column("W=8", "per_cpu", "tls-100", "W=8"),
            Column("W=64", "per_cpu", "tls-100", "W=64"),
            Column("CPU to connect", "arrival_cpu", "tls-100", ARRIVAL),
            Column("memory", "memory", "tls-100", ARRIVAL),
        ),
    ),
    View(
        "To connect and join one room, all at once",
        (
            *_arrivals("room-1000"),
            *_arrivals("room-10000"),
            Column("10,000: idle CPU each, an hour", "idle_cpu", "room-10000", IDLE),
        ),
    ),
)

_NOTES = (
    "Each figure is the median of {rounds} rounds, ± how far off the farthest round was. "
    "† The generator took more CPU than the server. - Not measured."
)


def report(results: Results) -> str:
    """All of it: the targets, the tables, what failed, on which machine."""
    parts = ["### What is measured", described()]
    parts += ["### What it must reach", verdicts(judge(results))]
    for view in VIEWS:
        rows = list(_rows(view, results))
        if rows:
            parts += [f"### {view.title}", table(["", *(c.heading for c in view.columns)], rows)]
    parts.append(_NOTES.format(rounds=max((row.round for row in results.rows), default=0)))
    failures = list(_failures(results))
    if failures:
        parts += ["### What did not work", table(["", "where", "what happened"], failures)]
    about = (
        (name, value)
        for part in ("machine", "programs")
        for name, value in results.about.get(part, {}).items()
    )
    parts += ["### On what", table(["", ""], [list(pair) for pair in about])]
    parts.append(f"`{results.about.get('command', '')}`, {results.about.get('date', '')}")
    return "\n\n".join(parts) + "\n"


def _rows(view: View, results: Results) -> Iterator[list[str]]:
    for peer in PEERS:
        cells = []
        for column in view.columns:
            values = results.spread(column.figure, peer.name, column.layout, column.load)
            failed = values is None and results.find(peer.name, column.layout, column.load)
            missing = "failed" if failed else "-"
            cells.append(missing if values is None else spread(values, FIGURES[column.figure].unit))
        if set(cells) != {"-"}:
            yield [f"{peer.says}{' (TLS)' * peer.is_tls}", *cells]


def _failures(results: Results) -> Iterator[list[str]]:
    seen = {(row.peer, row.layout, row.error) for row in results.errors()}
    return ([peer, layout, error.replace("|", r"\|")] for peer, layout, error in sorted(seen))


def verdicts(given: Iterable[Verdict], leniency: float = 1.0, missing: bool = True) -> str:
    """A table of targets; with `missing`, those that were not measured, too."""
    rows = []
    for verdict in given:
        target, met = verdict.target, verdict.met(leniency)
        if met is None and not missing:
            continue
        unit = "x" if target.is_ratio else FIGURES[target.figure].unit
        word, bound = ("least", target.least) if target.most is None else ("most", target.most)
        value = "-" if verdict.value is None else spread(verdict.value, unit)
        answer = {True: "yes", False: "**no**", None: "-"}[met]
        must = f"at {word} {quantity(bound or 0.0, unit)}"
        says = FIGURES[target.figure].says
        rows.append([", ".join(verdict.case), says, verdict.against, must, value, answer])
    reached = "reached" if leniency == 1.0 else f"within {leniency:g} x"
    return table(["", "figure", "over that of", "must be", "is", reached], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    widths = [max(3, *(len(row[i]) for row in (head, *rows))) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, rows)])


def described(layouts: Iterable[Layout] = FULL.layouts) -> str:
    """What is measured, as a table."""
    rows = [
        [layout.name, layout.says, ", ".join(load.name for load in layout.loads)]
        for layout in layouts
    ]
    return table(["", "who is there", "loads"], rows)


def replace_figures(document: str, figures: str) -> str:
    """The document with `figures` between its markers. Raises ValueError if it has none."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the document lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n\n{figures}\n{END}{after}"
