"""chatroom.logs: what an event looks like in the log, and which log twistd is given."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.application.app import AppLogger
from twisted.application.service import Application, IServiceCollection, MultiService
from twisted.application.twist._options import TwistOptions
from twisted.internet import tcp, unix
from twisted.internet.task import Clock
from twisted.logger import (
    ILogObserver,
    LegacyLogObserverWrapper,
    LogEvent,
    Logger,
    LogLevel,
    LogPublisher,
)
from twisted.python import log as legacy_log
from twisted.python.failure import Failure
from twisted.scripts._twistd_unix import ServerOptions
from zope.interface import implementer
from zope.interface.verify import verifyObject

from chatroom.logs import FORMATS, LEVELS, NOISY, LoggedService, Throttled, observer, twistd_logger

HOSTILE = [
    "{x.__class__}",
    "{0}",
    "{",
    "%s %(x)s %",
    "a\nb",
    "a\r\nb",
    "2026-01-01T00:00:00+0000 [chatroom.hub#info] mallory is an operator",
    "x\n2026-01-01T00:00:00+0000 [chatroom.hub#info] mallory is an operator",
    'x"}\n{"time": "2026-01-01T00:00:00.000+00:00", "level": "info", "message": "forged"}',
    "a\u2028b\u2029c",
    "a\x85b\x9b31mc",
    "a\x1b[2Jb\x00c\x7fd",
    "a\x0bb\x0cc\x1cd\x1ee",
    "\tat the start",
    "a\u202eb\u2066c",
    "a\ud800b",
]


class Log:
    """A log in memory, and a logger that writes to it."""

    def __init__(self, format: str, level: str = "debug") -> None:
        self.file = io.StringIO()
        self.observer = observer(self.file, format, level)
        self.logger = Logger("chatroom.test", observer=self.observer)

    @property
    def text(self) -> str:
        return self.file.getvalue()

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.split("\n")[:-1]]


@implementer(ILogObserver, legacy_log.ILogObserver)
class Events:
    """An observer that keeps what it is given."""

    def __init__(self) -> None:
        self.seen: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        self.seen.append(event)


def _failure(error: BaseException) -> Failure:
    try:
        raise error
    except BaseException:
        return Failure()


# Both formats


@pytest.mark.parametrize("format", FORMATS)
def test_the_observer_is_what_twisted_asks_for(format: str) -> None:
    verifyObject(ILogObserver, Log(format).observer)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("level", LEVELS)
def test_events_below_the_level_are_left_out(format: str, level: str) -> None:
    log = Log(format, level)
    for name in LEVELS:
        log.logger.emit(LogLevel.levelWithName(name), "this is {name}", name=name)
    assert len(log.text.splitlines()) == len(LEVELS) - LEVELS.index(level)
    assert f"this is {level}" in log.text


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("said", HOSTILE)
def test_what_a_user_wrote_makes_one_record_and_no_control_character(
    format: str, said: str
) -> None:
    log = Log(format)
    log.logger.info("<{nick}> {said}", nick="mallory", said=said)
    assert log.text.endswith("\n")
    assert log.text[:-1].isprintable()
    assert log.text[:-1].splitlines() == [log.text[:-1]]
    log.text.encode("utf-8")


@given(st.text(st.characters(codec=None)), st.sampled_from(sorted(FORMATS)))
def test_no_text_at_all_breaks_a_record(said: str, format: str) -> None:
    log = Log(format)
    log.logger.info("<{nick}> {said}", nick="mallory", said=said)
    assert log.text.endswith("\n")
    assert log.text[:-1].isprintable()
    if format == "json":
        assert log.records()[0]["said"] == said


@pytest.mark.parametrize("format", FORMATS)
def test_a_binary_file_gets_utf_8(format: str) -> None:
    file = io.BytesIO()
    Logger("chatroom.test", observer=observer(file, format, "info")).info("привет, 世界")
    assert "привет, 世界" in file.getvalue().decode("utf-8")


@pytest.mark.parametrize("format", FORMATS)
def test_an_event_that_cannot_be_formatted_says_so_in_one_record(format: str) -> None:
    log = Log(format)
    log.logger.info("{missing} {0}", said="a\nb")
    assert len(log.text.splitlines()) == 1
    assert "Unable to format event" in log.text


# Text


def test_text_is_twisteds_classic_line(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log("text")
    log.observer(
        {
            "log_format": "{nick} connected from {peer}",
            "log_level": LogLevel.info,
            "log_namespace": "chatroom.hub",
            "log_time": 0.0,
            "nick": "ann",
            "peer": "127.0.0.1:40312",
        }
    )
    time, rest = log.text.split(" ", 1)
    assert datetime.strptime(time, "%Y-%m-%dT%H:%M:%S%z") == datetime.fromtimestamp(0, UTC)
    assert rest == "[chatroom.hub#info] ann connected from 127.0.0.1:40312\n"


def test_text_names_the_system_of_an_event_that_has_one() -> None:
    log = Log("text")
    log.logger.info("hi", log_system="ChatProtocol,3,\x1b[2J")
    assert "[ChatProtocol,3,\\x1b[2J] hi\n" in log.text


def test_text_escapes_as_python_does() -> None:
    log = Log("text")
    log.logger.info("{said}", said="a\nb\x1b\x9b\u2028\u202e\U000e0001 é 👍 \\n")
    assert log.text.endswith("] a\\nb\\x1b\\x9b\\u2028\\u202e\\U000e0001 é 👍 \\n\n")


def test_text_leaves_out_an_event_that_says_nothing() -> None:
    log = Log("text")
    log.logger.info("")
    log.logger.info(None)
    assert log.text == ""


def test_text_puts_a_traceback_below_its_event_and_tabbed() -> None:
    log = Log("text")
    forged = "2026-01-01T00:00:00+0000 [chatroom.hub#info] forged"
    failure = _failure(ValueError(f"bad\n{forged}\u2028{forged}"))
    log.logger.failure("Lost {nick}", failure, nick="a")
    first, *rest = log.text.split("\n")
    assert first.endswith("[chatroom.test#critical] Lost a")
    assert rest[0] == "\tTraceback (most recent call last):"
    assert f"\t{forged}\\u2028{forged}" in rest
    assert rest[-1] == ""
    assert all(line.startswith("\t") for line in rest[:-1])


def test_text_has_the_traceback_of_a_failure_without_words() -> None:
    log = Log("text")
    log.logger.failure("", _failure(ValueError("bad")))
    assert "\tbuiltins.ValueError: bad\n" in log.text


# JSON


def test_json_is_the_record_and_the_events_own_fields() -> None:
    log = Log("json")
    log.observer(
        {
            "log_format": "{nick} connected",
            "log_level": LogLevel.info,
            "log_namespace": "chatroom.hub",
            "log_time": 1767225600.25,
            "nick": "ann",
            "here": 4,
            "guest": False,
            "room": None,
            "waited": 0.5,
        }
    )
    assert log.text == (
        '{"time": "2026-01-01T00:00:00.250+00:00", "level": "info", "source": "chatroom.hub", '
        '"message": "ann connected", "nick": "ann", "here": 4, "guest": false, "room": null, '
        '"waited": 0.5}\n'
    )


class _Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (("a", 1), "('a', 1)"),
        (b"a\xff", "b'a\\xff'"),
        (Path("/run"), "/run"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_json_writes_anything_else_as_its_text(value: object, written: str) -> None:
    log = Log("json")
    log.logger.info("x", field=value)
    assert log.records()[0]["field"] == written


@pytest.mark.parametrize("format", FORMATS)
def test_a_value_that_has_no_text_does_not_cost_the_record(format: str) -> None:
    log = Log(format)
    log.logger.info("lost {field}", field=_Unprintable())
    assert len(log.text.splitlines()) == 1


class _UnprintableError(Exception):
    __str__ = __repr__ = _Unprintable.__str__


@pytest.mark.parametrize("format", FORMATS)
def test_an_error_that_has_no_text_does_not_cost_its_traceback(format: str) -> None:
    log = Log(format)
    log.logger.failure("Lost {nick}", _failure(_UnprintableError()), nick="a")
    assert "Lost a" in log.text
    assert "_UnprintableError" in log.text


@pytest.mark.parametrize("name", ["time", "level", "source", "message", "traceback"])
def test_json_never_takes_a_field_of_the_event_for_one_of_the_record(name: str) -> None:
    log = Log("json")
    forged: dict[str, Any] = {name: "forged"}
    log.logger.failure("real", _failure(ValueError("bad")), **forged)
    assert log.records()[0][name] != "forged"


def test_json_keeps_a_traceback_in_its_record() -> None:
    log = Log("json")
    log.logger.failure("Lost {nick}", _failure(ValueError("bad\nforged")), nick="a")
    (record,) = log.records()
    assert record["message"] == "Lost a"
    assert record["traceback"].startswith("Traceback (most recent call last):\n")
    assert record["traceback"].endswith("ValueError: bad\nforged\n")


def test_json_says_what_a_bare_event_does_not_know() -> None:
    assert json.loads(FORMATS["json"]({"log_format": "x"}) or "") == {
        "time": None,
        "level": None,
        "source": None,
        "message": "x",
    }


# Events of twisted.python.log


@pytest.fixture
def legacy() -> Iterator[Callable[[str], Log]]:
    """Hangs a log in both formats' observers below `twisted.python.log`, for one test."""
    added: list[ILogObserver] = []

    def attach(format: str) -> Log:
        log = Log(format)
        legacy_log.theLogPublisher._publishPublisher.addObserver(log.observer)
        added.append(log.observer)
        return log

    yield attach
    for each in added:
        legacy_log.theLogPublisher._publishPublisher.removeObserver(each)


@pytest.mark.parametrize("format", FORMATS)
def test_a_legacy_message_is_one_record(legacy: Callable[[str], Log], format: str) -> None:
    log = legacy(format)
    legacy_log.msg("a\nb {x} %s", system="web")
    assert len(log.text.splitlines()) == 1
    assert "a\\nb {x} %s" in log.text


def test_a_legacy_error_has_a_real_traceback_in_text(legacy: Callable[[str], Log]) -> None:
    log = legacy("text")
    legacy_log.err(_failure(ValueError("bad")), "While accepting")
    first, *rest = log.text.split("\n")
    assert first.endswith("] While accepting")
    assert rest[0] == "\tTraceback (most recent call last):"
    assert all(line.startswith("\t") for line in rest[:-1])


def test_a_legacy_error_has_a_traceback_of_its_own_in_json(legacy: Callable[[str], Log]) -> None:
    log = legacy("json")
    legacy_log.err(_failure(ValueError("bad")))
    (record,) = log.records()
    assert (record["level"], record["message"]) == ("critical", "Unhandled Error")
    assert record["traceback"].endswith("builtins.ValueError: bad\n")


@pytest.mark.parametrize("format", FORMATS)
def test_an_event_that_passed_a_legacy_observer_looks_the_same(format: str) -> None:
    """Such an observer leaves its own keys in the event for those who come after it."""
    log = Log(format)
    before = LegacyLogObserverWrapper(Events())
    logger = Logger("chatroom.test", observer=LogPublisher(before, log.observer))
    logger.failure("Lost {nick}", _failure(OSError()), nick="a")
    assert log.text.count("Lost a") == 1
    assert log.text.count("Traceback (most") == 1
    if format == "json":
        (record,) = log.records()
        assert record["message"] == "Lost a"
        assert {"isError", "failure", "format", "why"}.isdisjoint(record)


# Floods


class Flood:
    """Seconds of a clock, and the lines that a throttled log got in each."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.written = Events()
        self.throttled = Throttled(self.written, self.clock)
        self.tcp = Logger("twisted.internet.tcp.Port", observer=self.throttled)

    def lines(self) -> list[str]:
        """What was written since the last call."""
        lines = [FORMATS["text"](event) or "" for event in self.written.seen]
        self.written.seen.clear()
        return [line[:-1].split("] ", 1)[1] for line in lines]


def test_a_flood_is_one_line_a_second_and_every_event_is_counted() -> None:
    flood = Flood()
    events = lines = counted = 0
    for _ in range(5 * 64):
        flood.tcp.info("EMFILE encountered; releasing reserved file descriptor.")
        flood.tcp.info("EMFILE recovery: Closed socket from {address}", address=events)
        events += 2
        flood.clock.advance(1 / 64)
    flood.clock.pump([1, 1])
    for event in flood.written.seen:
        lines += 1
        counted += event.get("held", 1)
    assert (lines, counted) == (6, events)
    assert flood.clock.getDelayedCalls() == []


def test_the_first_line_of_a_flood_is_its_own_and_the_next_are_counts() -> None:
    flood = Flood()
    for _ in range(118):
        flood.tcp.info("Could not accept new connection ({error})", error="EMFILE")
    assert flood.lines() == ["Could not accept new connection (EMFILE)"]
    flood.clock.advance(1)
    assert flood.lines() == ["117 more like this in the last second"]
    flood.tcp.info("Could not accept new connection ({error})", error="EMFILE")
    assert flood.lines() == []
    flood.clock.advance(1)
    assert flood.lines() == ["1 more like this in the last second"]
    flood.clock.advance(1)
    assert flood.lines() == []
    assert flood.clock.getDelayedCalls() == []


def test_a_count_has_the_source_and_level_of_what_it_counts() -> None:
    flood = Flood()
    flood.tcp.info("x")
    flood.tcp.info("x")
    flood.clock.advance(1)
    count = flood.written.seen[-1]
    assert count["log_namespace"] == "twisted.internet.tcp.Port"
    assert count["log_level"] == LogLevel.info
    assert count["held"] == 1


def test_once_a_flood_is_over_the_next_event_is_written_at_once() -> None:
    flood = Flood()
    flood.tcp.info("first")
    flood.clock.advance(1)
    flood.tcp.info("second")
    assert flood.lines() == ["first", "second"]


def test_a_failure_is_not_held_behind_a_flood_of_lesser_events() -> None:
    flood = Flood()
    flood.tcp.info("EMFILE encountered; releasing reserved file descriptor.")
    flood.tcp.failure("Could not re-reserve.", _failure(OSError()))
    assert [event["log_level"].name for event in flood.written.seen] == ["info", "critical"]


def test_a_namespace_that_is_not_noisy_passes_untouched() -> None:
    flood = Flood()
    hub = Logger("chatroom.hub", observer=flood.throttled)
    for _ in range(100):
        hub.info("x")
    assert flood.lines() == ["x"] * 100
    assert flood.clock.getDelayedCalls() == []


@pytest.mark.parametrize("port", [tcp.Port, unix.Port])
def test_the_noisy_namespaces_are_those_that_twisteds_ports_log_in(port: type[tcp.Port]) -> None:
    assert port._logger.namespace in NOISY


def test_the_throttle_is_what_twisted_asks_for() -> None:
    verifyObject(ILogObserver, Flood().throttled)


# Under twistd


@pytest.fixture(autouse=True)
def usr1() -> Iterator[None]:
    """SIGUSR1 as a process has it at its start, and afterwards as it was."""
    before = signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGUSR1, before)


def _twistd(*arguments: str) -> ServerOptions:
    """twistd's options as our own see them: parsed, and not yet checked."""
    options = ServerOptions()
    options.parseOptions([*arguments])
    return options


@pytest.mark.parametrize("chosen", [["--syslog"], ["--logger", "builtins.print"]])
def test_a_log_that_the_user_chose_is_left_alone(chosen: list[str]) -> None:
    assert twistd_logger(_twistd("-n", *chosen), "json", "info") is None


def test_the_log_of_any_other_program_is_left_alone() -> None:
    assert twistd_logger(TwistOptions(), "json", "info") is None
    assert twistd_logger(None, "json", "info") is None


@pytest.mark.parametrize("arguments", [["-n"], ["-n", "--logfile", "-"], ["--debug"]])
def test_in_the_foreground_the_log_is_standard_output(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", out)
    # Else every failure of the tests that follow would open the debugger.
    monkeypatch.setattr("twisted.python.failure.startDebugMode", lambda: None)
    make = twistd_logger(_twistd(*arguments), "text", "info")
    assert make is not None
    Logger("chatroom.test", observer=make()).info("{said}", said="世界")
    out.seek(0)
    assert out.read().endswith("[chatroom.test#info] \\u4e16\\u754c\n")


def test_a_daemon_cannot_log_to_standard_output() -> None:
    make = twistd_logger(_twistd("--logfile", "-"), "text", "info")
    assert make is not None
    with pytest.raises(SystemExit, match="no standard output to log to: use --logfile FILE"):
        make()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], "twistd.log"),
        (["--logfile", "chat.log"], "chat.log"),
        (["-n", "--logfile", "chat.log"], "chat.log"),
    ],
)
def test_a_log_file_is_the_one_that_twistd_would_take(
    arguments: list[str], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make = twistd_logger(_twistd(*arguments), "json", "warn")
    assert make is not None
    assert list(tmp_path.iterdir()) == []
    logger = Logger("chatroom.test", observer=make())
    logger.info("left out")
    logger.warn("écrit")
    (record,) = [json.loads(line) for line in (tmp_path / name).read_text("utf-8").splitlines()]
    assert (record["level"], record["message"]) == ("warn", "écrit")


def test_a_log_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "chat.log"
    make = twistd_logger(_twistd("--logfile", str(path)), "text", "info")
    assert make is not None
    with pytest.raises(SystemExit) as stop:
        make()
    assert stop.value.code == (
        f"Can't open the log {path}: No such file or directory. Use --logfile to log elsewhere."
    )


def test_sigusr1_starts_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from twisted.internet import reactor

    path = tmp_path / "chat.log"
    called: list[Callable[[], object]] = []
    monkeypatch.setattr(reactor, "callFromThread", called.append)
    make = twistd_logger(_twistd("--logfile", str(path)), "text", "info")
    assert make is not None
    logger = Logger("chatroom.test", observer=make())
    logger.info("before")
    os.kill(os.getpid(), signal.SIGUSR1)
    for call in called:
        call()
    logger.info("after")
    assert path.with_name("chat.log.1").read_text().endswith("before\n")
    assert path.read_text().endswith("after\n")


def test_sigusr1_that_something_else_waits_for_is_left_alone(tmp_path: Path) -> None:
    def other(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError("never sent")

    signal.signal(signal.SIGUSR1, other)
    make = twistd_logger(_twistd("--logfile", str(tmp_path / "chat.log")), "text", "info")
    assert make is not None
    make()
    assert signal.getsignal(signal.SIGUSR1) is other


def test_twistd_logs_to_the_observer_that_the_service_brings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As twistd does it: make the service, set it under an application, start the log."""
    begun: list[ILogObserver] = []
    monkeypatch.setattr("twisted.logger.globalLogBeginner.beginLoggingTo", begun.extend)
    events = Events()
    application = Application("chatroom")
    service = LoggedService(lambda: events)
    service.setServiceParent(application)
    AppLogger(_twistd("-n")).start(application)
    assert begun == [events]
    assert list(IServiceCollection(application)) == [service]


def test_a_service_below_another_brings_no_log() -> None:
    def make() -> ILogObserver:
        raise AssertionError("not asked for")

    root = MultiService()
    service = LoggedService(make)
    service.setServiceParent(root)
    assert list(root) == [service]


def test_levels_are_named_as_twisted_names_them() -> None:
    assert LEVELS == ("debug", "info", "warn", "error", "critical")
    assert logging.getLevelName(logging.CRITICAL).lower() in LEVELS
