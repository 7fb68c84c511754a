"""A YAML file as nodes that know their line and column, and the complaints that say these.

Knows no setting. It refuses what no setting may be written with (anchors,
aliases, tags, several documents, characters that cannot be seen), and bounds
size, depth and number of values, so that no file costs more than a moment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import yaml

__all__ = [
    "INVISIBLE",
    "Complaint",
    "Complaints",
    "ConfigError",
    "clipped",
    "compose",
    "dotted",
    "is_refused",
    "read_bytes",
]

MOST_BYTES: Final = 64 * 1024
MOST_VALUES: Final = 1_000
MOST_DEPTH: Final = 8

INVISIBLE: Final = re.compile(
    r"[^\t\n\r -~\xA0-\u2027\u202F-\u2065\u206A-\uD7FF\uE000-\uFEFE\uFF00-\uFFF8\uFFFC\uFFFD"
    r"\U00010000-\U0010FFFF]"
)
"""What YAML forbids in a file, and what makes a text look other than it is: controls, line and
paragraph separators, bidi overrides, a stray byte order mark, surrogates, noncharacters."""

# What PyYAML says; what its user can do; and whether the place to look at is where the construct
# began, rather than where it broke. The first that fits is told.
_SYNTAX: Final = (
    ("found character '\\t'", "a tab; use spaces", False),
    ("found unexpected", "this quote is never closed", True),
    ("another document", "a second document; write everything in one", False),
    ("expected ',' or ']'", "a list opens here; a comma or its ] is missing", True),
    ("expected ',' or '}'", "a mapping opens here; a comma or its } is missing", True),
    (
        "mapping values are",
        "no ':' can stand here; quote the value, or look for one missing above",
        False,
    ),
    ("sequence entries are", "a list item can't begin here; give it a line of its own", False),
    ("could not find expected ':'", "neither 'key: value' nor '- item'; mind the spaces", True),
    ("expected <block end>", "not indented like what stands above, or a quote too many", False),
    ("cannot start any token", "a value can't begin with this; put it in quotes", False),
    ("unknown escape", "an escape that YAML does not have; for a backslash write two", False),
    ("escape sequence", "an escape without its digits; for a backslash write two", False),
    ("expected the node content", "a value can't begin with this; put it in quotes", False),
    ("expected '<document start>'", "the document has ended; remove what follows", False),
    ("tag handle", "a tag (!); write the value alone", False),
    ("codec", "a tag (!); write the value alone", False),
)

_REFUSED_TAG: Final = "refused"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a file. Line and column count from 1."""

    file: str
    line: int
    column: int
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.key}: {self.reason}"


class ConfigError(Exception):
    """All that is wrong with a file, in the file's order. `str()` has a complaint on each line."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = sorted(complaints, key=lambda each: (each.line, each.column))
        super().__init__("\n".join(map(str, self.complaints)))


class Complaints:
    """Gathers what is wrong with one file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[Complaint] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, mark: yaml.Mark, key: str, reason: str) -> None:
        """`key` is dotted; an empty one stands for the file itself."""
        key = key or "(file)"
        self._found.append(Complaint(self._file, mark.line + 1, mark.column + 1, key, reason))

    def error(self) -> ConfigError:
        """All of them, to be raised."""
        return ConfigError(self._found)


def clipped(text: str) -> str:
    """A file's own text, quoted, and short, ASCII and on one line whatever it holds."""
    return ascii(text if len(text) <= 40 else f"{text[:37]}...")


def dotted(section: str, name: str) -> str:
    """The key `name` of `section` ("" for the file) as complaints show it."""
    plain = name.isascii() and name.replace("-", "_").isidentifier() and len(name) <= 40
    return f"{section}{'.' * bool(section)}{name if plain else clipped(name)}"


def is_refused(node: yaml.Node) -> bool:
    """Whether this node only stands where an alias was, which has been complained of."""
    return node.tag == _REFUSED_TAG


def read_bytes(path: str | os.PathLike[str], complaints: Complaints) -> bytes:
    """A file's bytes; of a file that is too long, just enough to tell. Raises `ConfigError`."""
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); check its name and its permissions"
        complaints.add(_after(""), "", reason)
        raise complaints.error() from None


def compose(data: bytes, complaints: Complaints) -> yaml.Node | None:
    """The root node of the one document in `data`; None if it has none.

    Adds to `complaints` what is wrong but can be read past, for the caller to
    raise. Raises `ConfigError` for what can't.
    """
    loader = _Loader(_decode(data, complaints), complaints)
    try:
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark, reason = _explain(error)
        complaints.add(mark, loader.key, reason)
    except (ValueError, OverflowError):
        # PyYAML lets these out of int() and chr(): a version of 5,000 digits, "\UFFFFFFFF".
        complaints.add(loader.get_mark(), loader.key, "a number out of range; remove it")
    finally:
        loader.dispose()
    raise complaints.error()


def _decode(data: bytes, complaints: Complaints) -> str:
    """The text in `data`, without a byte order mark. Raises `ConfigError`."""
    if len(data) > MOST_BYTES:
        reason = f"longer than {MOST_BYTES} bytes; no configuration needs that"
        complaints.add(_after(""), "", reason)
        raise complaints.error()
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        valid = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        reason = f"not UTF-8 (byte 0x{data[error.start]:02x}); save the file as UTF-8"
        complaints.add(_after(valid), "", reason)
        raise complaints.error() from None
    if match := INVISIBLE.search(text):
        reason = f"the invisible character U+{ord(match[0]):04X} stands here; remove it"
        complaints.add(_after(text[: match.start()]), "", reason)
        raise complaints.error()
    return text


def _after(text: str) -> yaml.Mark:
    """The place where `text`, from the beginning of a file, ends."""
    lines = re.split("\r\n?|\n", text)
    return yaml.Mark("", len(text), len(lines) - 1, len(lines[-1]), None, 0)


def _explain(error: yaml.MarkedYAMLError) -> tuple[yaml.Mark, str]:
    """Where the syntax breaks, and what to do. Quotes nothing: it could be a password."""
    problem = error.problem or ""
    mark = error.problem_mark or _after("")
    for said, reason, from_start in _SYNTAX:
        if said in problem:
            return (error.context_mark or mark) if from_start else mark, reason
    return mark, f"not valid YAML: {problem.split(', but ')[0]}"


class _Loader(yaml.SafeLoader):
    """Composes nodes, and complains of aliases, anchors and tags as it meets them.

    A refused node then stands where an alias was; an anchor or a tag is taken off.
    """

    def __init__(self, text: str, complaints: Complaints) -> None:
        super().__init__(text)
        self._complaints = complaints
        self._values = 0
        self._keys: list[str] = []  # those of the value being composed and of all around it

    @property
    def key(self) -> str:
        """The dotted key of the value being composed."""
        return self._keys[-1] if self._keys else ""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """A value with all that is in it; in a mapping, `index` is the node of its key."""
        named = isinstance(index, yaml.ScalarNode)
        self._keys.append(dotted(self.key, index.value) if named else self.key)
        self._values += 1
        event = self.peek_event()  # type: ignore[no-untyped-call]
        self._bound(event)
        self._strip(event)
        node = super().compose_node(parent, index)
        self._keys.pop()
        return node

    def _bound(self, event: Any) -> None:
        if len(self._keys) > MOST_DEPTH:
            self._complain(event, f"more than {MOST_DEPTH} levels deep; no setting needs that")
            raise self._complaints.error()
        if self._values > MOST_VALUES:
            self._complain(event, f"more than {MOST_VALUES} values; no configuration needs that")
            raise self._complaints.error()

    def _strip(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._complain(event, "an alias (*); write the value out")
            self.anchors[event.anchor] = yaml.ScalarNode(_REFUSED_TAG, "")
            return
        if event.anchor is not None:
            self._complain(event, "an anchor (&); write the value alone")
            event.anchor = None
        if event.tag is not None:
            self._complain(event, "a tag (!); write the value alone")
            event.tag = None
            if isinstance(event, yaml.ScalarEvent):
                event.implicit = (not event.style, True)

    def _complain(self, event: Any, reason: str) -> None:
        self._complaints.add(event.start_mark, self.key, reason)
