"""What was measured: rows, the figures that are made of them, and the file that keeps them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

__all__ = ["ARRIVAL", "FIGURES", "IDLE", "Case", "Figure", "Results", "Row", "Spread"]

ARRIVAL = "arrival"
IDLE = "idle"


@dataclass(frozen=True)
class Row:
    """One measurement. `load` is ARRIVAL, IDLE or a load's name. Times are in seconds, `late` is
    how far the generator was behind at most; `memory` is the bytes that were added. With an
    `error` the rest means nothing."""

    round: int
    layout: str
    load: str
    peer: str
    people: int
    lines: int = 0
    deliveries: int = 0
    seconds: float = 0.0
    server_cpu: float = 0.0
    generator_cpu: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    late: float = 0.0
    memory: int = 0
    error: str = ""


class Figure(NamedTuple):
    """`of` makes it from a row; `unit` is as formats know it."""

    says: str
    of: Callable[[Row], float]
    unit: str


FIGURES: Mapping[str, Figure] = {
    "per_cpu": Figure(
        "deliveries per second of server CPU", lambda row: row.deliveries / row.server_cpu, "1"
    ),
    "per_second": Figure("deliveries per second", lambda row: row.deliveries / row.seconds, "1"),
    "cpu_per_delivery": Figure(
        "server CPU per delivery", lambda row: row.server_cpu / row.deliveries, "s"
    ),
    "p50": Figure("latency to the last member, p50", lambda row: row.p50, "s"),
    "p99": Figure("latency to the last member, p99", lambda row: row.p99, "s"),
    "memory": Figure("memory per member", lambda row: row.memory / row.people, "B"),
    "arrival_cpu": Figure(
        "server CPU to connect and join, each", lambda row: row.server_cpu / row.people, "s"
    ),
    "arrival_seconds": Figure("time until all had joined", lambda row: row.seconds, "s"),
    "idle_cpu": Figure(
        "server CPU per idle member and hour",
        lambda row: 3600 * row.server_cpu / row.seconds / row.people,
        "s",
    ),
}


class Case(NamedTuple):
    """What was measured of whom."""

    peer: str
    layout: str
    load: str


class Spread(NamedTuple):
    """The rounds' median, least and most. `limited`: the generator cost more than the server."""

    middle: float
    least: float
    most: float
    limited: bool = False

    @classmethod
    def of(cls, values: Iterable[float], limited: bool = False) -> Spread:
        """Of at least one value."""
        ordered = sorted(values)
        return cls(median(ordered), ordered[0], ordered[-1], limited)


@dataclass
class Results:
    """`about` describes the machine, the programs and the run."""

    about: dict[str, Any]
    rows: list[Row] = field(default_factory=list)

    def find(self, *case: str) -> list[Row]:
        """All rounds of one case, failed ones too."""
        return [row for row in self.rows if (row.peer, row.layout, row.load) == case]

    def spread(self, figure: str, *case: str) -> Spread | None:
        """A figure over all rounds; None if no round has one."""
        rows = [row for row in self.find(*case) if not row.error]
        if not rows:
            return None
        limited = median(row.generator_cpu - row.server_cpu for row in rows) > 0
        return Spread.of(
            map(FIGURES[figure].of, rows), limited and rows[0].load not in (ARRIVAL, IDLE)
        )

    def ratio(self, figure: str, one: Case, other: Case) -> Spread | None:
        """How many times the `other` case's figure the one's is, each round by itself, since
        the machine may have changed between them; None if no round has both."""
        of = FIGURES[figure].of
        values = {row.round: of(row) for row in self.find(*other) if not row.error}
        ratios = [
            of(row) / values[row.round]
            for row in self.find(*one)
            if not row.error and values.get(row.round)
        ]
        return Spread.of(ratios) if ratios else None

    def errors(self) -> Iterator[Row]:
        """What could not be measured."""
        return (row for row in self.rows if row.error)

    def write(self, path: Path) -> None:
        """A row on each line, so that a later run differs by lines."""
        names = [each.name for each in fields(Row)]
        rows = ",\n".join(
            json.dumps([_short(value) for value in asdict(row).values()]) for row in self.rows
        )
        about = json.dumps(self.about, indent=1, ensure_ascii=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f'{{"about": {about},\n"columns": {json.dumps(names)},\n"rows": [\n{rows}\n]}}\n'
        )

    @classmethod
    def read(cls, path: Path) -> Results:
        """What `write` wrote."""
        kept = json.loads(path.read_text())
        rows = [Row(**dict(zip(kept["columns"], row, strict=True))) for row in kept["rows"]]
        return cls(kept["about"], rows)


def _short(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value
