"""The kinds of value that an option takes, each read from a YAML node and written back.

A value is what it looks like. What YAML 1.1 would make of a plain word (`no` a
switch, `010` eight, `22:30` a number, `=` who knows) only serves to refuse it
where a text is due; numbers and switches are read from their characters alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Final, Literal, Protocol, get_args, get_origin, get_type_hints

import yaml

from chatroom.spans import span, written
from chatroom.yamlfile import INVISIBLE, clipped, is_refused

__all__ = ["Check", "Choice", "Kind", "Refused", "Switch", "Text", "Texts", "kind_of"]

Check = Callable[[str], object]
"""Takes a text; raises `ValueError`, with the reason, if it won't do."""

_TAG: Final = "tag:yaml.org,2002:"
_TAKEN_FOR: Final = {
    f"{_TAG}bool": "a switch",
    f"{_TAG}float": "a number",
    f"{_TAG}int": "a number",
    f"{_TAG}null": "nothing",
    f"{_TAG}timestamp": "a date",
}
_SWITCHES: Final = {
    **dict.fromkeys(("on", "true", "yes", "y"), "on"),
    **dict.fromkeys(("off", "false", "no", "n", "none", "null", "~"), "off"),
}
_LARGEST: Final = 2**31 - 1


class Refused(Exception):
    """A value that won't do: `faults` are the nodes to blame, each with the reason."""

    def __init__(self, *faults: tuple[yaml.Node, str]) -> None:
        super().__init__(*faults)
        self.faults = faults


class Kind(Protocol):
    """What an option takes; `str()` says it, as in "on or off"."""

    def read(self, node: yaml.Node, check: Check) -> object:
        """The value that a node stands for; each text in it must pass `check`. Raises `Refused`."""

    def write(self, value: Any) -> str:
        """The value in YAML, on one line; of a list, on a line for each item."""


def kind_of(hint: Any, metadata: Mapping[str, Any]) -> Kind:
    """The kind for a field of this type.

    Of `metadata`, these count: `multiline`, of a text; `least` and `most`, of numbers.
    """
    arguments = get_args(hint)
    if isinstance(hint, UnionType) and NoneType in arguments:
        return OrOff(kind_of(arguments[0], metadata))
    if get_origin(hint) is Literal:
        return Choice(arguments)
    if hint == tuple[str, ...]:
        return Texts(Text(), metadata.get("may_be_empty", False))
    if hint is bool:
        return Switch()
    if hint is str:
        return Text(metadata.get("multiline", False))
    if metadata.get("span"):
        return Period()
    if hint is int or hint is float:
        whole = hint is int
        least = metadata.get("least", 1 if whole else 0.01)
        return Number(whole, least, metadata.get("most", _LARGEST))
    if isinstance(hint, type) and issubclass(hint, tuple):
        parts = get_type_hints(hint).items()
        return Record(hint, {name: kind_of(part, metadata) for name, part in parts})
    raise TypeError(f"an option can't be of type {hint!r}")


@dataclass(frozen=True, slots=True)
class Text:
    """Free text, on one line unless `multiline`."""

    multiline: bool = False

    def __str__(self) -> str:
        return "text" if self.multiline else "text in quotes"

    def read(self, node: yaml.Node, check: Check) -> str:
        """The text as it stands there. Raises Refused where YAML would take it for another."""
        text, _ = _scalar(node, self)
        if node.tag != f"{_TAG}str":
            taken = _TAKEN_FOR.get(node.tag, "a sign of its own")
            raise Refused((node, f"YAML takes this for {taken}; write {self.write(text[:40])}"))
        controls = "[\t\r]" if self.multiline else "[\t\r\n]"
        if unfit := INVISIBLE.search(text) or re.search(controls, text):
            raise Refused((node, f"must not hold the character U+{ord(unfit[0]):04X}; remove it"))
        try:
            check(text)
        except ValueError as error:
            # It may quote the text; a complaint is one line that can be printed.
            reason = "".join(c if c.isprintable() else " " for c in str(error))
            raise Refused((node, " ".join(reason.split()))) from None
        return text

    def write(self, value: str) -> str:
        return json.dumps(value, ensure_ascii=False)  # JSON's strings are YAML's, too


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    choices: tuple[str, ...]

    def __str__(self) -> str:
        *most, last = self.choices
        return f"{', '.join(most)} or {last}"

    def read(self, node: yaml.Node, check: Check) -> str:
        text, _ = _scalar(node, self)
        if text not in self.choices:
            raise Refused((node, f"{clipped(text)} is not {self}"))
        return text

    def write(self, value: str) -> str:
        return value


@dataclass(frozen=True, slots=True)
class Switch:
    """`on` or `off`."""

    def __str__(self) -> str:
        return "on or off"

    def read(self, node: yaml.Node, check: Check) -> bool:
        text, quoted = _scalar(node, self)
        if quoted or text not in ("on", "off"):
            meant = _SWITCHES.get(text.lower(), "on or off")
            raise Refused((node, f"write {meant}, without quotes, not {clipped(text)}"))
        return text == "on"

    def write(self, value: bool) -> str:
        return "on" if value else "off"


@dataclass(frozen=True, slots=True)
class Number:
    """A number in plain decimal digits; with a fraction unless it is to be `whole`."""

    whole: bool
    least: float
    most: float

    def __str__(self) -> str:
        return f"a {'whole ' * self.whole}number from {self.least} to {self.most}"

    def read(self, node: yaml.Node, check: Check) -> float:
        """The number, in decimal digits and within its bounds. Raises Refused."""
        text, quoted = _scalar(node, self)
        if quoted:
            raise Refused((node, f"{clipped(text)} is in quotes, so text; write it without"))
        form = "0|[1-9][0-9]*" if self.whole else r"(0|[1-9][0-9]*)(\.[0-9]+)?"
        if not re.fullmatch(form, text):
            raise Refused((node, f"{clipped(text)} is not {self}{self._advice(text)}"))
        # Compared as a float: int() refuses what has over 4,300 digits.
        if not self.least <= float(text) <= self.most:
            raise Refused((node, f"must be {self}"))
        return int(text) if self.whole else float(text)

    def write(self, value: float) -> str:
        return repr(value).removesuffix(".0")

    def _advice(self, text: str) -> str:
        """What to write instead, if it can be told what number is meant."""
        try:
            number = float(int(text, 0) if text[:2] in ("0x", "0o", "0b") else text)
        except (ValueError, OverflowError):
            return ""
        if not self.least <= number <= self.most or (self.whole and number % 1):
            return ""
        return f"; write {self.write(number)}"


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time, as `30d`; its value is in seconds."""

    def __str__(self) -> str:
        return "a number of seconds, minutes, hours or days, as 30d"

    def read(self, node: yaml.Node, check: Check) -> int:
        """The seconds. Raises Refused."""
        text, quoted = _scalar(node, self)
        if quoted:
            raise Refused((node, f"{clipped(text)} is in quotes; write it without"))
        try:
            return span(text)
        except ValueError:
            raise Refused((node, f"{clipped(text)} is not {self}")) from None

    def write(self, value: int) -> str:
        return written(value)


@dataclass(frozen=True, slots=True)
class OrOff:
    """Another kind, or `off`, which is None."""

    kind: Kind

    def __str__(self) -> str:
        return f"{self.kind}, or off"

    def read(self, node: yaml.Node, check: Check) -> object:
        """None for `off`, otherwise what the other kind reads. Raises Refused."""
        if isinstance(node, yaml.ScalarNode):
            if node.value == "off" and not node.style:
                return None
            if _SWITCHES.get(node.value.lower()) == "off":
                raise Refused((node, f"write off, without quotes, not {clipped(node.value)}"))
        try:
            return self.kind.read(node, check)
        except Refused as refused:
            faults = ((at, f"{why}, or off" if at is node else why) for at, why in refused.faults)
            raise Refused(*faults) from None

    def write(self, value: object) -> str:
        return "off" if value is None else self.kind.write(value)


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts, none twice; at least one, unless it `may_be_empty`."""

    text: Text
    may_be_empty: bool = False

    def __str__(self) -> str:
        return "a list, each item on a line of its own after '- '"

    def read(self, node: yaml.Node, check: Check) -> tuple[str, ...]:
        """The texts in their order. Raises Refused with what is wrong with each."""
        items = _value(node, yaml.SequenceNode, self)
        if not items and not self.may_be_empty:
            raise Refused((node, "has no item; write one at least"))
        texts = _each([(self.text, item) for item in items], check)
        seen = set()
        for item, text in zip(items, texts, strict=True):
            if text in seen:
                raise Refused((item, "is in the list already; remove it"))
            seen.add(text)
        return tuple(texts)

    def write(self, value: tuple[str, ...]) -> str:
        return "".join(f"\n- {self.text.write(text)}" for text in value) or "[]"


@dataclass(frozen=True, slots=True)
class Record:
    """A named tuple, written as a list of its fields' values."""

    form: Callable[..., object]
    fields: Mapping[str, Kind]

    def __str__(self) -> str:
        return f"[{', '.join(self.fields)}]"

    def read(self, node: yaml.Node, check: Check) -> object:
        items = _value(node, yaml.SequenceNode, self)
        if len(items) != len(self.fields):
            raise Refused((node, f"must be {self}"))
        return self.form(*_each(list(zip(self.fields.values(), items, strict=True)), check))

    def write(self, value: tuple[object, ...]) -> str:
        parts = zip(self.fields.values(), value, strict=True)
        return f"[{', '.join(kind.write(part) for kind, part in parts)}]"


def _each(pairs: list[tuple[Kind, yaml.Node]], check: Check) -> list[Any]:
    """The value of each node, read as its kind; raises what all of them raise."""
    values: list[Any] = []
    faults: list[tuple[yaml.Node, str]] = []
    for kind, node in pairs:
        try:
            values.append(kind.read(node, check))
        except Refused as refused:
            faults.extend(refused.faults)
    if len(values) < len(pairs):
        raise Refused(*faults)
    return values


def _scalar(node: yaml.Node, kind: Kind) -> tuple[str, bool]:
    """A scalar's text, and whether it is in quotes (or a block, which is as good)."""
    text = _value(node, yaml.ScalarNode, kind)
    quoted = bool(getattr(node, "style", None))
    if not text and not quoted:
        raise Refused((node, f'has no value ("#" begins a comment); write {kind}'))
    return text, quoted


def _value(node: yaml.Node, form: type[yaml.Node], kind: Kind) -> Any:
    """What the node holds, if it has this form. An alias is refused without a word more."""
    if is_refused(node):
        raise Refused
    if not isinstance(node, form):
        raise Refused((node, f"must be {kind}"))
    return node.value
