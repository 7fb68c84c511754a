"""Every setting of the daemon, declared once, and the loader of the file that holds them.

The file is YAML (docs/configuration.md); `chatroom.schema` reads it by the
declarations here, from which the example file and the table of options are
written as well.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, Literal

from chatroom.kinds import Check, Choice, Switch
from chatroom.limits import Limits
from chatroom.network import Network
from chatroom.schema import Option, Section, read, section
from chatroom.yamlfile import Complaint, Complaints, ConfigError, compose, read_bytes

__all__ = [
    "AccountSettings",
    "Check",
    "Complaint",
    "ConfigError",
    "HistorySettings",
    "LogSettings",
    "OperatorSettings",
    "Settings",
    "example",
    "load",
    "needs_restart",
    "parse",
    "reference",
]


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written to the log, and how."""

    format: Literal["text", "json"] = field(
        default="text", metadata={"help": "Lines for people, or on each a record for programs."}
    )
    level: Literal["debug", "info", "warn", "error", "critical"] = field(
        default="info", metadata={"help": "The least important records that are written."}
    )
    chat: bool = field(
        default=False, metadata={"help": "Whether what members say is written, too."}
    )


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """What is kept of what was said."""

    durable: Literal["after", "before"] = field(
        default="after",
        metadata={
            "help": "Whether lines are on the disk within 100 ms after they are shown, or before "
            "anybody is shown them: then none is lost, and all come a little later."
        },
    )
    keep: int | None = field(
        default=30 * 86400,
        metadata={"help": "How long lines are kept; off is for good.", "span": True},
    )
    keep_lines: int | None = field(
        default=100_000, metadata={"help": "How many lines of each room are kept."}
    )
    private: bool = field(
        default=True,
        metadata={
            "help": "Whether private lines between two accounts are kept for both; whoever can "
            "read the store can read them."
        },
    )


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """Whether nicks can be registered."""

    mode: Literal["required", "optional", "off"] = field(
        default="optional",
        metadata={
            "help": "Whether people must log in before they may talk, can register their nick, or "
            "neither. `accounts: required` says the same in one line.",
        },
    )
    plaintext: bool = field(
        default=False,
        metadata={
            "help": "Whether passwords are taken over connections that others on the network can "
            "read: neither TLS nor from this machine."
        },
    )
    shortest_password: int = field(
        default=8,
        metadata={"help": "The fewest characters of a new password.", "most": 128},
    )


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """Who runs the place."""

    accounts: tuple[str, ...] = field(
        default=(),
        metadata={"help": "The accounts of the server's operators.", "may_be_empty": True},
    )
    passwords: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "For /oper NAME PASSWORD: texts as NAME:HASH, the hash as `chatroom "
            "hash-password` prints it.",
            "may_be_empty": True,
            "secret": "a list of texts NAME:HASH, the hash from `chatroom hash-password`",
        },
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an operator can set."""

    listen: tuple[str, ...] = field(
        default=("line=tcp:8000:interface=127.0.0.1",),
        metadata={
            "help": "Where it listens: PROTOCOL=ENDPOINT, the endpoint in Twisted's notation. "
            "Without interface=127.0.0.1 the whole network is let in."
        },
    )
    welcome: str = field(
        default="Welcome to this chatroom!",
        metadata={"help": "The first line that everyone reads; if it is empty, there is none."},
    )
    motd: str = field(
        default="",
        metadata={
            "help": "The message of the day, shown after the welcome and by /motd; it may have "
            "several lines.",
            "multiline": True,
        },
    )
    lobby: str = field(
        default="#lobby",
        metadata={"help": "The room that everyone enters first.", "restart": True},
    )
    guests: Literal["nick", "address"] = field(
        default="nick",
        metadata={"help": "How a guest is shown: by its nick, or by the address it comes from."},
    )
    store: str | None = field(
        default="chatroom.db",
        metadata={
            "help": "The file of history, accounts and bans, which only the daemon's user may "
            "read; off keeps accounts and bans in memory, and history not at all.",
            "restart": True,
        },
    )
    history: HistorySettings = field(
        default=HistorySettings(),
        metadata={"help": "What is kept of what was said.", "restart": True},
    )
    accounts: AccountSettings = field(
        default=AccountSettings(),
        metadata={"help": "Nicks with a password.", "restart": True, "short": "mode"},
    )
    operators: OperatorSettings = field(
        default=OperatorSettings(), metadata={"help": "Who runs the place."}
    )
    irc: Network = field(
        default=Network(),
        metadata={"help": "What IRC programs are told, where they are let in.", "restart": True},
    )
    log: LogSettings = field(default=LogSettings(), metadata={"help": "The log.", "restart": True})
    limits: Limits = field(
        default=Limits(),
        metadata={
            "help": "What one peer may ask of everyone else. Each takes a number, or off.",
        },
    )


SCHEMA: Final = section(Settings())


def load(path: str | os.PathLike[str], checks: Mapping[str, Check] | None = None) -> Settings:
    """The settings in a file; `parse` says the rest. A file that can't be read is a complaint."""
    complaints = Complaints(os.fspath(path))
    return _settings(read_bytes(path, complaints), checks or {}, complaints)


def parse(text: str, name: str, checks: Mapping[str, Check] | None = None) -> Settings:
    """The settings in the text of the file `name`; what it leaves out has its default.

    `checks` go by dotted key, for what only others can judge: each is called
    with the option's text, or with each text in its list, and raises
    `ValueError` with the reason against it. Raises `ConfigError` with all
    that is wrong.
    """
    return _settings(text.encode("utf-8", "surrogatepass"), checks or {}, Complaints(name))


def _settings(data: bytes, checks: Mapping[str, Check], complaints: Complaints) -> Settings:
    settings: Settings = read(SCHEMA, compose(data, complaints), checks, complaints)
    if complaints:
        raise complaints.error()
    return settings


def needs_restart(old: Settings, new: Settings) -> list[str]:
    """The dotted keys that differ and are heeded at the start only."""
    return [
        option.key
        for option in SCHEMA.options()
        if option.restart and attrgetter(option.key)(old) != attrgetter(option.key)(new)
    ]


_HEADING: Final = """\
# Every option of chatroom, each at its default: leave out what you don't change.
# `chatroom check FILE` tests a file; a running daemon reads its own again on SIGHUP.
# docs/configuration.md says how values are written.
"""


def example(settings: Settings | None = None) -> str:
    """A commented file that parses to these settings; without any, to the defaults."""
    values = settings or Settings()
    return _HEADING + "".join(
        f"\n{_entry(member, name, getattr(values, name))}"
        for name, member in SCHEMA.members.items()
    )


def reference() -> str:
    """The table of all options, in Markdown."""
    rows = ["| Key | Default | Takes | Applied | Meaning |", "|---|---|---|---|---|"]
    for option in SCHEMA.options():
        default = option.kind.write(option.default).strip()
        when = "at the start" if option.restart else "on SIGHUP"
        cells = f"`{option.key}`", f"`{default}`", str(option.kind), when, option.help
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _entry(member: Option | Section, name: str, value: object) -> str:
    """A setting in YAML, a comment with its help above it."""
    if isinstance(member, Section):
        told = member.help
        inner = (_entry(each, key, getattr(value, key)) for key, each in member.members.items())
        text = "\n" + textwrap.indent("".join(inner), "  ").rstrip("\n")
    else:
        takes = f" ({member.kind})" if isinstance(member.kind, Choice | Switch) else ""
        told = f"{member.help}{takes}{' Needs a restart.' * member.restart}"
        written = member.kind.write(value)
        text = textwrap.indent(written, "  ") if "\n" in written else f" {written}"
    comment = textwrap.fill(told, 90, initial_indent="# ", subsequent_indent="# ")
    return f"{comment}\n{name}:{text}\n"
