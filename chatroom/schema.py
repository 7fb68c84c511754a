"""Frozen dataclasses as the schema of a YAML file: each field is an option, or a section of them.

Metadata of a field: `help`; what `kind_of` reads; `secret`, no complaint shows
the value, and this may say instead what it must be; `restart`, a change waits
for the next start, of a section: for all in it; `short`, of a section: the
option that a single word in the section's place sets.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_type_hints

import yaml

from chatroom.kinds import Check, Kind, Refused, Text, Texts, kind_of
from chatroom.yamlfile import Complaints, dotted, is_refused

__all__ = ["Option", "Section", "read", "section"]

_MERGE_TAG: Final = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class Option:
    """One value: its dotted key, and all that was declared of it."""

    key: str
    kind: Kind
    default: object
    help: str
    secret: bool | str
    restart: bool


@dataclass(frozen=True, slots=True)
class Section:
    """Options and further sections by name. Its key is empty if it is the whole file."""

    key: str
    default: Any
    help: str
    members: Mapping[str, Option | Section]
    short: str = ""

    def options(self) -> Iterator[Option]:
        """Those of this section and of all in it, in the order of their declaration."""
        for member in self.members.values():
            if isinstance(member, Section):
                yield from member.options()
            else:
                yield member


def section(default: Any, key: str = "", metadata: Mapping[str, Any] | None = None) -> Section:
    """The schema that `default`, an instance of a dataclass, declares."""
    given = metadata or {}
    hints = get_type_hints(type(default))
    members: dict[str, Option | Section] = {}
    for field in dataclasses.fields(default):
        told = {"secret": False, "restart": given.get("restart", False), **field.metadata}
        member, value = dotted(key, field.name), getattr(default, field.name)
        if dataclasses.is_dataclass(value):
            members[field.name] = section(value, member, told)
            continue
        kind = kind_of(hints[field.name], told)
        members[field.name] = Option(
            member, kind, value, told["help"], told["secret"], told["restart"]
        )
    return Section(key, default, given.get("help", ""), members, given.get("short", ""))


def read(
    schema: Section, root: yaml.Node | None, checks: Mapping[str, Check], complaints: Complaints
) -> Any:
    """`schema.default` with what the file sets: to be used only if there are no complaints.

    `checks` go by dotted key, and see each text of that option. `ValueError`
    if one could never see any.
    """
    texts = {each.key for each in schema.options() if isinstance(each.kind, Text | Texts)}
    if idle := checks.keys() - texts:
        raise ValueError(f"no text to check has a key of {sorted(idle)}")
    if root is None:
        return schema.default
    return _Reading(schema, checks, complaints).section(schema, root)


class _Reading:
    """The reading of one file."""

    def __init__(
        self, schema: Section, checks: Mapping[str, Check], complaints: Complaints
    ) -> None:
        self._schema = schema
        self._checks = checks
        self._complaints = complaints

    def section(self, section: Section, node: yaml.Node) -> Any:
        """The section's default with what the node sets. An empty node sets nothing."""
        if isinstance(node, yaml.MappingNode):
            found = self._members(section, node)
            values = {name: self._value(section.members[name], value) for name, value in found}
            return dataclasses.replace(section.default, **values)
        if section.short and isinstance(node, yaml.ScalarNode) and node.value:
            option = section.members[section.short]
            return dataclasses.replace(
                section.default, **{section.short: self._value(option, node)}
            )
        if node.value or not isinstance(node, yaml.ScalarNode) or node.style:
            reason = "must be settings, each 'key: value' on a line of its own"
            self._complaints.add(node.start_mark, section.key, reason)
        return section.default

    def _members(self, section: Section, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
        """The keys that the section has, once each; of the others it complains."""
        lines: dict[str, int] = {}
        for key, value in node.value:
            if is_refused(key):
                continue
            if reason := self._key_fault(section, key, lines):
                scalar = isinstance(key, yaml.ScalarNode)
                where = dotted(section.key, key.value) if scalar else section.key
                self._complaints.add(key.start_mark, where, reason)
                continue
            lines[key.value] = key.start_mark.line + 1
            yield key.value, value

    def _key_fault(self, section: Section, key: yaml.Node, lines: Mapping[str, int]) -> str:
        """What is wrong with a key, if it is, given the lines of those before it."""
        if not isinstance(key, yaml.ScalarNode):
            return "a key must be a single word"
        if key.tag == _MERGE_TAG:
            return "a merge key (<<); write the values out"
        if key.value not in section.members:
            return f"unknown key; {self._known(section, key.value)}"
        if key.value in lines:
            return f"is set twice; remove this or line {lines[key.value]}"
        return ""

    def _known(self, section: Section, name: str) -> str:
        """The key that is meant by an unknown one, or else those that there are."""
        places = {}
        for option in self._schema.options():
            parent, _, last = option.key.rpartition(".")
            place = f"{last} under {parent}" if parent else f"{last} at the left margin"
            places[last] = places[option.key] = place
        places |= {member: member for member in section.members}
        likely = name[:64].lower().replace("-", "_")
        for match in difflib.get_close_matches(likely, places, n=1):
            return f"did you mean {places[match]}?"
        return f"the keys here are {', '.join(section.members)}"

    def _value(self, member: Option | Section, node: yaml.Node) -> object:
        if isinstance(member, Section):
            return self.section(member, node)
        try:
            return member.kind.read(node, self._checks.get(member.key, str))
        except Refused as refused:
            for fault, reason in refused.faults:
                told = reason
                if member.secret:
                    told = f"must be {member.secret if member.secret is not True else member.kind}"
                self._complaints.add(fault.start_mark, member.key, told)
            return member.default
