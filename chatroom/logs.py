"""The daemon's log: one event is one line of text, or one JSON record.

Knows nothing of the chat. What users wrote reaches an event as a field, never as its format, and
whatever a field holds, it can't end its line or start another: only the tabbed lines of a
traceback follow an event.
"""

from __future__ import annotations

import io
import json
import math
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import IO, Any, cast

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    formatTime,
)
from twisted.python.components import Componentized
from twisted.python.failure import Failure
from twisted.python.logfile import LogFile
from twisted.python.reflect import safe_str
from twisted.python.usage import Options
from zope.interface import implementer

__all__ = ["FORMATS", "LEVELS", "LoggedService", "Throttled", "observer", "twistd_logger"]


# One event, one line


def _printable(text: str, escape: Callable[[str], str]) -> str:
    """`text` with every character that does not print (as Python's repr sees it) escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else escape(char) for char in text)


def _escape_text(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _escape_json(char: str) -> str:
    return json.dumps(char)[1:-1]


def _message_and_failure(event: LogEvent) -> tuple[str, Failure | None]:
    """An event's text, and what failed if something did.

    `twisted.python.log.err` formats the traceback into the text: it is taken apart again.
    """
    failure = event.get("log_failure")
    if failure is None and event.get("isError") and isinstance(event.get("failure"), Failure):
        return safe_str(event.get("why") or "Unhandled Error"), event["failure"]
    return formatEvent(event), failure


def _level(event: LogEvent) -> str | None:
    level = event.get("log_level")
    return level.name if level else None


def _text(event: LogEvent) -> str | None:
    """Twisted's classic line: `TIME [SOURCE] MESSAGE`, and below it, tabbed, a traceback."""
    message, failure = _message_and_failure(event)
    if not message and failure is None:
        return None
    source = f"{event.get('log_namespace', '-')}#{_level(event) or '-'}"
    source = safe_str(event.get("log_system", source))
    lines = [f"{formatTime(event.get('log_time'))} [{source}] {message}"]
    if failure is not None:
        lines += failure.getTraceback().rstrip("\n").split("\n")
    return "\n\t".join(_printable(line, _escape_text) for line in lines) + "\n"


def _utc(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _field(value: object) -> object:
    """`value` as JSON has it, if it is a scalar; otherwise what `str` makes of it."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return safe_str(value)


# What twisted.python.log and its observers put into an event, `isError` always among it.
_LEGACY = frozenset({"failure", "format", "isError", "message", "time", "why"})


def _json(event: LogEvent) -> str:
    """One record: time, level, source and message, then the event's own fields."""
    message, failure = _message_and_failure(event)
    record: dict[str, object] = {
        "time": _utc(event.get("log_time")),
        "level": _level(event),
        "source": event.get("log_namespace"),
        "message": message,
    }
    if failure is not None:
        record["traceback"] = failure.getTraceback()
    foreign = _LEGACY if "isError" in event else frozenset()
    for name, value in event.items():
        if not name.startswith("log_") and name not in foreign:
            record.setdefault(name, _field(value))
    return _printable(json.dumps(record, ensure_ascii=False), _escape_json) + "\n"


FORMATS: dict[str, Callable[[LogEvent], str | None]] = {"text": _text, "json": _json}
LEVELS = tuple(level.name for level in LogLevel.iterconstants())


def observer(file: IO[Any], format: str, level: str) -> ILogObserver:
    """What writes events of `level` (one of `LEVELS`) and above to `file` in one of `FORMATS`.

    `file` takes text if it is a text stream, otherwise UTF-8; it is flushed after each event.
    """
    return FilteringLogObserver(
        FileLogObserver(file, FORMATS[format]),
        [LogLevelFilterPredicate(LogLevel.levelWithName(level))],
    )


# Floods

# What logs each connection that it refuses: with a full descriptor table, Twisted's ports write
# two lines for every turn of the reactor and one for every connection they close.
NOISY = frozenset({"twisted.internet.tcp.Port", "twisted.internet.unix.Port"})


@implementer(ILogObserver)
class Throttled:
    """Passes one event a second for each noisy namespace and level, and counts the others.

    The count is the next second's one line: `117 more like this in the last second`.
    The namespaces in `NOISY` MUST log in the reactor's thread alone; all others pass untouched.
    """

    def __init__(self, target: ILogObserver, clock: IReactorTime) -> None:
        self._target = target
        self._clock = clock
        self._held: dict[tuple[str, LogLevel], int] = {}

    def __call__(self, event: LogEvent) -> None:
        """Pass `event` on, or count it."""
        namespace = event.get("log_namespace", "")
        if namespace not in NOISY:
            self._target(event)
            return
        source = (namespace, event.get("log_level", LogLevel.info))
        if source in self._held:
            self._held[source] += 1
            return
        self._hold(source)
        self._target(event)

    def _hold(self, source: tuple[str, LogLevel]) -> None:
        self._held[source] = 0
        self._clock.callLater(1, self._release, source)

    def _release(self, source: tuple[str, LogLevel]) -> None:
        held = self._held.pop(source)
        if not held:
            return
        self._hold(source)
        namespace, level = source
        logger = Logger(namespace, observer=self._target)
        logger.emit(level, "{held} more like this in the last second", held=held)


# Under twistd


def twistd_logger(
    parent: Options | None, format: str, level: str
) -> Callable[[], ILogObserver] | None:
    """What makes twistd's log observer, with `--logfile` and `--nodaemon` as twistd takes them.

    `parent` is the options of the program that runs us. None when the log is not ours to set:
    the user chose another with `--logger` or `--syslog`; or it is not twistd (`twist` has its own
    `--log-level` and `--log-format`; an application of which we are a part has its own log).
    Call what it returns once, before twistd forks; it exits with a sentence if the log can't be
    opened.
    """
    if parent is None or "logger" not in parent or parent["logger"] or parent.get("syslog"):
        return None
    path: str = parent["logfile"] or ""
    foreground: bool = parent["nodaemon"] or parent["debug"]

    def make() -> ILogObserver:
        from twisted.internet import reactor

        return Throttled(observer(_open_log(path, foreground), format, level), reactor)

    return make


def _open_log(path: str, foreground: bool) -> IO[Any]:
    if path == "-" and not foreground:
        sys.exit("A daemon has no standard output to log to: use --logfile FILE, or --nodaemon.")
    if path == "-" or (foreground and not path):
        return _standard_output()
    path = path or "twistd.log"
    try:
        file: LogFile = LogFile.fromFullPath(path)
    except OSError as error:
        sys.exit(f"Can't open the log {path}: {error.strerror}. Use --logfile to log elsewhere.")
    _rotate_on_signal(file)
    return cast(IO[Any], file)


def _standard_output() -> IO[Any]:
    # A terminal in another encoding than UTF-8 shows an escape for what it lacks.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return sys.stdout


def _rotate_on_signal(file: LogFile) -> None:
    """Rotate at SIGUSR1, unless something else already waits for it."""
    if signal.getsignal(signal.SIGUSR1):
        return

    def rotate(_signal: int, _frame: FrameType | None) -> None:
        from twisted.internet import reactor

        cast(IReactorFromThreads, reactor).callFromThread(file.rotate)

    signal.signal(signal.SIGUSR1, rotate)


class LoggedService(MultiService):
    """A service that brings its application's log.

    twistd asks the application for its observer (the component `ILogObserver`) right after the
    service is made and set under it. Under any other parent this is a plain `MultiService`.
    """

    def __init__(self, make_observer: Callable[[], ILogObserver]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._make_observer = make_observer

    def setServiceParent(self, parent: object) -> None:
        """Give `parent` the observer, if it is an application, and hang below it."""
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._make_observer())
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]
