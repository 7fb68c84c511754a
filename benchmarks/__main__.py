"""`python -m benchmarks`: measure, show, publish."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.layouts import FULL, QUICK, Plan
from benchmarks.machine import describe
from benchmarks.measure import Bench, measure
from benchmarks.peers import PEERS, Peer, why_absent
from benchmarks.processes import ROOT, build, certificate
from benchmarks.publish import publish
from benchmarks.report import report, verdicts
from benchmarks.results import Results, Row
from benchmarks.targets import QUICK_TARGETS, judge

# Slow in comparison, and in no target: the quick form leaves them out.
_QUICK_TLS = {"chatroom-tls", "ngircd-tls", "inspircd-tls", "ergo-tls"}
_QUICK_PEERS = {"chatroom", "chatroom-irc", "c-poll", "ngircd", "inspircd", "ergo"} | _QUICK_TLS
_QUICK_LENIENCY = 2.0


def options(words: Sequence[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    layouts = ", ".join(layout.name for layout in FULL.layouts)
    peers = ", ".join(peer.name for peer in PEERS)
    add = parser.add_argument
    add("--quick", action="store_true", help="about a minute, and ratios only: for CI")
    add("--rounds", type=int, help="how often everything is measured")
    add("--seconds", type=float, help="for how long each load runs")
    add("--peers", metavar="NAMES", help=f"only these, by commas: {peers}")
    add("--layouts", metavar="NAMES", help=f"only these, by commas: {layouts}")
    add("--python", action="store_true", help="use the generator in Python")
    add("--output", type=Path, help="the file of results (JSON)")
    add("--show", type=Path, metavar="FILE", help="measure nothing, show these results")
    add("--publish", type=Path, metavar="FILE", help="write docs/performance.md from these")
    given = parser.parse_args(words)
    known = {"peers": {p.name for p in PEERS}, "layouts": {x.name for x in FULL.layouts}}
    for option, names in known.items():
        unknown = set(_names(getattr(given, option))) - names
        if unknown:
            parser.error(f"--{option}: there is no {', '.join(sorted(unknown))}")
    return given


def _names(given: str | None) -> list[str]:
    return given.split(",") if given else []


def plan_of(given: argparse.Namespace) -> Plan:
    """What is to be measured."""
    plan = QUICK if given.quick else FULL
    wanted = _names(given.layouts) or [layout.name for layout in plan.layouts]
    layouts = tuple(layout for layout in plan.layouts if layout.name in wanted)
    plan = plan._replace(layouts=layouts, rounds=given.rounds or plan.rounds)
    return plan._replace(seconds=given.seconds or plan.seconds)


def peers_of(given: argparse.Namespace, plan: Plan) -> list[Peer]:
    """Who is measured; says who is not, and why."""
    wanted = set(_names(given.peers)) or {
        peer.name for peer in PEERS if not given.quick or peer.name in _QUICK_PEERS
    }
    present = []
    for peer in PEERS:
        if peer.name in wanted and any(map(peer.fits, plan.layouts)):
            absent = why_absent(peer)
            if absent:
                print(f"Without {peer.name}: {absent}.", file=sys.stderr)
            else:
                present.append(peer)
    return present


def run(given: argparse.Namespace, words: Sequence[str]) -> Results:
    """Measure, and keep what there is after each round."""
    plan = plan_of(given)
    peers = peers_of(given, plan)
    command = shlex.join(["python", "-m", "benchmarks", *words])
    results = Results(describe(peers, command))
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    output = given.output or ROOT / "benchmarks" / "results" / name
    with TemporaryDirectory(prefix="chatroom-bench-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        build("peers/loop.c", folder)
        generator = None if given.python else build("generator.c", folder)
        files = {**certificate(folder), "build": str(folder)}
        bench = Bench(files, str(generator or ""), *Bench.cpus())
        for number in measure(bench, plan, peers, results, _Progress()):
            results.write(output)
            print(f"Round {number} of {plan.rounds} is in {output}", file=sys.stderr)
    return results


class _Progress:
    """A line for each measurement."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, row: Row) -> None:
        clock = f"{time.monotonic() - self._began:6.1f} s"
        what = f"{row.layout:12} {row.peer:14} {row.load:8}"
        print(f"{clock}  round {row.round}  {what}  {row.error}".rstrip(), file=sys.stderr)


def main(words: Sequence[str]) -> int:
    """The exit status: 1 when the quick form finds a ratio under half of its target in each of
    its rounds, which are short, on a machine that others may use."""
    if sys.platform != "linux":
        print("The benchmark reads Linux' /proc, and runs nowhere else.", file=sys.stderr)
        return 2
    # So that every `with` ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    given = options(words)
    if given.publish:
        for path in publish(Results.read(given.publish)):
            print(path)
        return 0
    results = Results.read(given.show) if given.show else run(given, words)
    if not given.quick:
        print(report(results))
        return 0
    judged = list(judge(results, QUICK_TARGETS))
    print(verdicts(judged, missing=False))
    failed = [verdict for verdict in judged if verdict.met_once(_QUICK_LENIENCY) is False]
    if failed:
        print(f"\nUnder half of the target in every round:\n\n{verdicts(failed, _QUICK_LENIENCY)}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
