"""The benchmark's own parts, and small runs of the whole: figures are worth what these hold."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks import peers as peers_module
from benchmarks.chart import _LABEL, _apart
from benchmarks.client import Place, Task, line_of, places, steps_of, text_of
from benchmarks.dialects import DIALECTS, IRC, nick, room
from benchmarks.generator import Window, share
from benchmarks.layouts import FULL, QUICK, Layout, Load, Plan
from benchmarks.measure import Bench, measure, too_late
from benchmarks.peers import HERE, PEERS, by_name, why_absent
from benchmarks.processes import Failure, build
from benchmarks.publish import CHARTS, DOCUMENT, PUBLISHED, figures, publish
from benchmarks.quantities import quantity, spread
from benchmarks.report import VIEWS, replace_figures, report, table, verdicts
from benchmarks.results import ARRIVAL, FIGURES, IDLE, Case, Results, Row, Spread
from benchmarks.targets import QUICK_TARGETS, TARGETS, Target, Verdict, judge
from benchmarks.usage import Usage, group, used_by
from chatroom.config import parse
from chatroom.names import check_nick, check_room
from chatroom.service import CHECKS

LAYOUTS = {layout.name: layout for layout in FULL.layouts}
VALUES = {
    name: f"/{name}" for name in ("folder", "certificate", "key", "dh", "config", "build")
} | {"port": "4001", "spare": "4002"}


def task(**more: Any) -> Task:
    given: dict[str, Any] = {
        "port": 1,
        "dialect": "line",
        "members": 100,
        "senders": 10,
        "rooms": 1,
        "text": 64,
        "slow": 0,
        "private": False,
        "tls": False,
        "at_once": 1000,
        "seconds": 60.0,
        "generator": "",
        "table": "",
    }
    return Task(**given | more)


def row(peer: str, number: int = 1, **more: Any) -> Row:
    given: dict[str, Any] = {
        "layout": "room-100",
        "load": "W=64",
        "people": 100,
        "lines": 1000,
        "deliveries": 99_000,
        "seconds": 1.0,
        "server_cpu": 0.5,
        "generator_cpu": 0.1,
        "p50": 0.001,
        "p99": 0.002,
    }
    return Row(round=number, peer=peer, **given | more)


# Tables


def loads_of(layout: Layout) -> set[str]:
    idle = {IDLE} if layout.idle_seconds else set()
    return {ARRIVAL, *(load.name for load in layout.loads)} | idle


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_speaks_of_what_is_measured(target: Target) -> None:
    assert target.figure in FIGURES
    assert (target.least is None) != (target.most is None)
    bases = [target.base] if target.base else target.cases
    everyone = [(target.peer, target.cases), *((other, bases) for other in target.others)]
    for name, cases in everyone:
        for layout, load in cases:
            assert load in loads_of(LAYOUTS[layout])
            assert by_name[name].fits(LAYOUTS[layout])


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.title)
def test_a_table_s_columns_are_measured_and_its_figures_known(view: Any) -> None:
    for column in view.columns:
        assert column.figure in FIGURES
        assert column.load in loads_of(LAYOUTS[column.layout])


def test_each_measurement_is_shown_in_a_table() -> None:
    shown = {(column.layout, column.load) for view in VIEWS for column in view.columns}
    every = {(layout.name, load.name) for layout in FULL.layouts for load in layout.loads}
    assert every <= shown


def test_the_quick_form_measures_the_same_things_under_the_same_names() -> None:
    for layout in QUICK.layouts:
        assert replace(layout, loads=()) == replace(LAYOUTS[layout.name], loads=())
        assert loads_of(layout) <= loads_of(LAYOUTS[layout.name])


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.config], ids=lambda p: p.name)
def test_a_configuration_is_filled_in(peer: Any) -> None:
    text = peer.filled(VALUES)
    assert "$" not in text
    assert "4001" in text
    assert ("/certificate" in text) == peer.is_tls


def test_this_daemon_takes_its_configuration() -> None:
    for peer in PEERS:
        if peer.config == "chatroom.yaml":
            settings = parse(peer.filled(VALUES), "chatroom.yaml", CHECKS)
            assert settings.limits.lines is None
            assert "4001" in settings.listen[0]


def test_a_peer_is_measured_only_where_that_makes_sense() -> None:
    fits = {name: {x.name for x in FULL.layouts if by_name[name].fits(x)} for name in by_name}
    assert fits["chatroom"] == set(LAYOUTS) - {"tls-100"}
    assert fits["chatroom-tls"] == {"tls-100"}
    assert "private" not in fits["c-poll"]
    assert "rooms-1000" not in fits["linereceiver"]
    assert "text-512" not in fits["inspircd"]
    assert "room-5000" not in fits["lesson"]


def test_another_program_of_the_same_name_is_not_taken_for_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers_module, "_PATH", str(tmp_path))
    ergo = by_name["ergo"]
    assert why_absent(ergo) == "ergo is not installed"
    (tmp_path / "ergo").write_text("#!/bin/sh\necho quantum chemistry\n")
    (tmp_path / "ergo").chmod(0o755)
    assert why_absent(ergo) == "the ergo that is installed is another program"
    (tmp_path / "ergo").write_text("#!/bin/sh\necho ergo-2.14.0\n")
    assert why_absent(ergo) == ""


# Clients


def test_nicks_and_rooms_are_valid_and_of_one_length() -> None:
    assert {len(check_nick(nick(number))) for number in (0, 9, 10, 99_999)} == {6}
    assert {len(check_room(room(number))) for number in (0, 999, 9999)} == {11}


@pytest.mark.parametrize("size", [1, 16, 64, 400, 512])
def test_a_text_has_the_length_that_is_asked_for(size: int) -> None:
    assert len(text_of(task(text=size))) == size


def test_a_relayed_irc_line_stays_within_the_protocol_s_512_bytes() -> None:
    line = line_of(task(dialect="irc", text=IRC.most_text), Place(1, 0, True, False))
    prefix = f":{nick(1)}!~{nick(1)}@{'h' * 63} "
    assert len(prefix) + len(line) <= 512


def test_speakers_come_first_and_slow_readers_last() -> None:
    everyone = list(places(task(rooms=3, members=4, senders=2, slow=1)))
    assert [place.speaks for place in everyone] == [True] * 6 + [False] * 7
    assert [place.room for place in everyone[:12]] == [0, 1, 2] * 4
    assert [place.slow for place in everyone] == [False] * 12 + [True]


def test_a_pair_writes_to_its_own_other_half() -> None:
    pairs = task(private=True, rooms=50, members=2, senders=1)
    speaker, *_, partner = [place for place in places(pairs) if place.room == 7]
    assert line_of(pairs, speaker).startswith(f"/msg {nick(partner.number)} ".encode())
    assert steps_of(pairs, partner)[-1].until == f"You are {nick(partner.number)} now."


def test_who_only_listens_in_the_lobby_just_connects() -> None:
    assert steps_of(task(), Place(50, 0, False, False)) == list(DIALECTS["line"].enter)


# Generator


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5)), max_size=60))
def test_a_line_has_arrived_when_the_last_has_read_it(steps: list[tuple[int, int]]) -> None:
    window = Window(4)
    come = [0] * 4
    for who, lines in steps:
        if who == 4:
            window.send(float(window.sent))
            continue
        lines = min(lines, window.sent - come[who])
        before = min(come)
        arrived = list(window.move(come[who], lines))
        come[who] += lines
        assert arrived == [float(line) for line in range(before, min(come))]
        assert window.low == min(come)


def test_more_lines_than_were_sent_are_an_error() -> None:
    window = Window(2)
    window.send(0.0)
    with pytest.raises(Failure, match="more came than was sent"):
        list(window.move(0, 2))


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert share([], 0.99) == 0.0
    assert share([1.0], 0.5) == 1.0
    assert share([float(n) for n in range(200)], 0.99) == 198.0


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no compiler")
@pytest.mark.parametrize("source", ["generator.c", "peers/loop.c"])
def test_the_c_sources_compile_without_a_warning(source: str, tmp_path: Path) -> None:
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    subprocess.run(["cc", *flags, HERE.parent / source], check=True, timeout=60)


# /proc


def process(proc: Path, pid: int, name: str, pgrp: int, *nanoseconds: int) -> None:
    folder = proc / str(pid)
    for number, used in enumerate(nanoseconds):
        (folder / "task" / str(pid + number)).mkdir(parents=True)
        (folder / "task" / str(pid + number) / "schedstat").write_text(f"{used} 7 9\n")
    (folder / "stat").write_text(f"{pid} ({name}) S 1 {pgrp} {pgrp} 0\n")
    (folder / "statm").write_text("900 3 1 1 0 1 0\n")


def test_what_all_threads_of_a_group_s_processes_used_is_added(tmp_path: Path) -> None:
    process(tmp_path, 10, "server", 10, 1_000_000_000, 500_000_000)
    process(tmp_path, 12, "a) S 1 99 (b", 10, 250_000_000)
    process(tmp_path, 14, "stranger", 99, 8_000_000_000)
    (tmp_path / "self").mkdir()
    pids = group(10, tmp_path)
    assert sorted(pids) == [10, 12]
    page = used_by([10], tmp_path).memory // 3
    assert used_by([*pids, 77], tmp_path) == Usage(1.75, 6 * page)


# Results


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = Results({"machine": {"cpus": "2"}}, [row("chatroom"), row("c-poll", error="no | é")])
    results.write(tmp_path / "new" / "results.json")
    assert Results.read(tmp_path / "new" / "results.json") == results


def test_a_spread_is_the_median_with_the_farthest_rounds_on_each_side() -> None:
    rows = [row("chatroom", n, server_cpu=cpu) for n, cpu in enumerate((1.0, 3.0, 2.0))]
    rows.append(row("chatroom", 4, error="it ended"))
    found = Results({}, rows).spread("cpu_per_delivery", "chatroom", "room-100", "W=64")
    assert found == Spread(2 / 99_000, 1 / 99_000, 3 / 99_000)
    assert Results({}, rows[3:]).spread("p50", "chatroom", "room-100", "W=64") is None


def test_a_generator_that_cost_more_than_the_server_is_marked() -> None:
    limited = Results({}, [row("c-poll", generator_cpu=0.6)])
    found = limited.spread("per_cpu", "c-poll", "room-100", "W=64")
    assert found is not None
    assert spread(found, "1") == "198 k ±0 %†"


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine is three times as slow in the second round, and the ratio is not.
    rows = [row("chatroom", 1, server_cpu=1.0), row("c-poll", 1, server_cpu=2.0)]
    rows += [row("chatroom", 2, server_cpu=3.0), row("c-poll", 2, server_cpu=6.0)]
    rows += [row("chatroom", 3, server_cpu=99.0), row("c-poll", 3, error="it ended")]
    one, other = (Case(name, "room-100", "W=64") for name in ("chatroom", "c-poll"))
    assert Results({}, rows).ratio("per_cpu", one, other) == Spread(2.0, 2.0, 2.0)


def test_a_target_is_met_by_the_median_and_open_while_not_measured() -> None:
    least = Target("per_cpu", (("room-100", "W=64"),), ("c-poll", "ngircd"), least=1.0)
    results = Results({}, [row("chatroom", server_cpu=1.0), row("c-poll", server_cpu=0.6)])
    against_c, against_irc = judge(results, (least,))
    assert against_c.met() is False
    assert against_c.met(leniency=2.0) is True
    assert against_irc.met() is None
    memory = Target("memory", (("room-100", ARRIVAL),), most=4096)
    arrival = row("chatroom", load=ARRIVAL, memory=409_601)
    (own,) = judge(Results({}, [arrival]), (memory,))
    assert own.met() is False
    assert "4.00 KiB" in verdicts([own])


def test_a_target_is_met_once_if_the_best_round_meets_it() -> None:
    case = Case("chatroom", "room-100", "W=1")
    at_least = Target("per_cpu", (("room-100", "W=1"),), ("c-poll",), least=1.0)
    at_most = Target("p99", (("room-100", "W=1"),), ("c-poll",), most=1.0)
    value = Spread(1.5, 0.9, 2.5)
    assert Verdict(at_least, case, case, value).met_once()
    assert Verdict(at_most, case, case, value).met_once()
    assert not Verdict(at_least, case, case, Spread(0.5, 0.4, 0.9)).met_once()
    assert Verdict(at_least, case, case, Spread(0.45, 0.4, 0.5)).met_once(leniency=2.0)
    assert not Verdict(at_most, case, case, Spread(3, 2.1, 4)).met_once(leniency=2.0)
    assert Verdict(at_most, case, case, None).met_once() is None


def test_the_quick_form_fails_only_below_half_of_a_target() -> None:
    target = Target("p99", (("room-100", "200/s"),), ("c-poll",), most=1.5)
    assert target.met_by(2.9, leniency=2.0)
    assert not target.met_by(3.1, leniency=2.0)


def test_the_quick_form_takes_the_median_latency_since_a_hundred_lines_have_no_p99() -> None:
    assert {target.figure for target in QUICK_TARGETS} >= {"per_cpu", "p50"}
    assert "p99" not in {target.figure for target in QUICK_TARGETS}
    assert len(QUICK_TARGETS) == sum(target.is_ratio for target in TARGETS)


# Words and pictures


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (1_234_567, "1", "1.23 M"),
        (999, "1", "999"),
        (12_345, "1", "12.3 k"),
        (0.00012, "s", "120 µs"),
        (9.999e-8, "s", "100 ns"),
        (1536, "B", "1.50 KiB"),
        (0.0, "s", "0.00 ns"),
        (0.85, "x", "0.85 x"),
    ],
)
def test_a_quantity_has_three_digits_and_a_unit(value: float, unit: str, words: str) -> None:
    assert quantity(value, unit) == words


def test_a_table_s_columns_line_up() -> None:
    lines = table(["", "W=1"], [["this daemon", "1"], ["C", "2.00 M"]]).splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}


def measured() -> Results:
    rows = [
        row(peer, load=load, server_cpu=cpu)
        for peer, cpu in (("chatroom", 0.5), ("c-poll", 0.4), ("linereceiver", 2.0))
        for load in ("W=1", "W=8", "W=64", "200/s")
    ]
    return Results({"command": "python -m benchmarks"}, [*rows, row("ngircd", error="it | ended")])


def test_a_report_tells_what_was_measured_and_what_failed() -> None:
    text = report(measured())
    assert "| this daemon " in text
    assert r"it \| ended" in text
    assert "over that of" in text
    assert "Over TLS" not in text


def test_charts_are_well_formed_and_name_everyone() -> None:
    for name in ("lines", "latency"):
        words = [text.text for text in ElementTree.fromstring(CHARTS[name](measured())).iter()]
        assert "this daemon" in words
        assert "LineReceiver, sendLine" in words
    assert CHARTS["members"](measured()) == ""


@given(st.lists(st.floats(0, 400), min_size=1, max_size=8).map(sorted))
def test_names_beside_lines_do_not_overlap(places: list[float]) -> None:
    moved = _apart(places)
    assert all(below - above > _LABEL - 0.01 for above, below in pairwise(moved))


def test_publishing_changes_the_page_between_its_marks_alone(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(DOCUMENT.read_text())
    written = publish(measured(), page, tmp_path / "published.json")
    assert [path.name for path in written[2:]] == [
        "performance-lines.svg",
        "performance-latency.svg",
    ]
    text = page.read_text()
    assert "performance-lines.svg" in text
    assert text.partition("<!--")[0] == DOCUMENT.read_text().partition("<!--")[0]
    publish(measured(), page, tmp_path / "published.json")
    assert page.read_text() == text
    with pytest.raises(ValueError, match="lacks"):
        replace_figures("no marks", "")


def test_the_page_shows_what_is_published() -> None:
    if PUBLISHED.exists():
        page = DOCUMENT.read_text()
        assert page == replace_figures(page, figures(Results.read(PUBLISHED)))


# The command


def test_the_command_line_chooses_what_is_measured() -> None:
    plan = command.plan_of(command.options(["--layouts", "room-100,private", "--rounds", "2"]))
    assert [layout.name for layout in plan.layouts] == ["room-100", "private"]
    assert (plan.rounds, plan.seconds) == (2, FULL.seconds)
    assert command.plan_of(command.options(["--quick"])) == QUICK


@pytest.mark.parametrize("words", [["--peers", "nobody"], ["--layouts", "room-7"]])
def test_an_unknown_name_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.options(words)
    assert f"there is no {words[1]}" in capsys.readouterr().err


def test_no_round_is_begun_that_would_end_too_late() -> None:
    plan = QUICK._replace(most_seconds=60.0)
    assert not too_late(plan, 1, 0.0)
    assert not too_late(plan, 3, 40.0)
    assert too_late(plan, 3, 41.0)


# The whole, small


SMALL = (
    Layout("room", "", (Load("closed", 4), Load("open", 200)), members=5, senders=2),
    Layout("rooms", "", (Load("closed", 1),), members=3, senders=1, rooms=3),
    Layout("pairs", "", (Load("closed", 1),), members=2, senders=1, rooms=3, private=True),
)
# The lesson's chat, with its sends that wait, stops for ever behind one that never reads.
WITH_SLOW = (replace(SMALL[0], slow=1), *SMALL[1:])


def small_run(peer: str, bench: Bench, layouts: tuple[Layout, ...]) -> Iterator[Row]:
    results = Results({})
    plan = Plan(layouts, 1, 0.05, 0.05, 0.02, 60.0)
    for _ in measure(bench, plan, [by_name[peer]], results, lambda row: None):
        pass
    return iter(results.rows)


@pytest.mark.parametrize(
    ("peer", "layouts", "source"),
    [("chatroom", WITH_SLOW, "generator.c"), ("lesson", SMALL, "")],
)
def test_every_line_of_a_small_run_comes_to_everyone(
    peer: str, layouts: tuple[Layout, ...], source: str, tmp_path: Path
) -> None:
    generator = build(source, tmp_path) if source else None
    rows = list(small_run(peer, Bench({}, str(generator or ""), *Bench.cpus()), layouts))
    assert [row.error for row in rows if row.error] == []
    assert len(rows) == (7 if peer == "chatroom" else 3)
    others = {"room": 4, "rooms": 2, "pairs": 1}
    for each in rows:
        if each.load != ARRIVAL:
            assert each.deliveries == each.lines * others[each.layout] > 0
            assert each.server_cpu > 0


def test_a_server_that_can_t_be_measured_is_a_row_that_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(by_name["lesson"], command=("sh", "-c", "echo no luck; exit 1"))
    monkeypatch.setitem(by_name, "lesson", broken)
    rows = list(small_run("lesson", Bench({}, "", *Bench.cpus()), SMALL[:1]))
    assert [row.load for row in rows] == [ARRIVAL, "W=4", "200/s"]
    assert {row.error for row in rows} == {"It ended at its start: no luck"}
