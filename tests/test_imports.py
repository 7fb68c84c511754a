"""Who may import whom, read from the source: the core knows no one, the service everyone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "chatroom").rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def names(text: str, of: str = "") -> frozenset[str]:
    return frozenset(of + name for name in text.split())


STDLIB = frozenset(sys.stdlib_module_names)
TWISTED = STDLIB | {"twisted", "zope"}
# What the core may use of the standard library: nothing that does I/O, tells the time or logs.
DATA = names(
    "__future__ bisect collections dataclasses difflib enum functools heapq ipaddress itertools "
    "base64 hashlib hmac math operator re string textwrap types typing unicodedata"
)

CORE = names(
    "acceptcommands accepting admission archive authority cloak commands delivery directory errors "
    "events guard host hub identity limits masks member names network permissions phrases "
    "registrar room rules scram spans speaking text turn __version__",
    of="chatroom.",
)
FRAMES = names(
    ".connection .direct .framing .outbox .proxied .serving .sockets", of="chatroom.protocols"
) | {"chatroom.protocols"}
LINE = names(".line .lineview", of="chatroom.protocols")
IRC = frozenset(name for name in map(name_of, FILES) if name.startswith("chatroom.protocols.irc"))
CONFIG = names("config kinds schema yamlfile", of="chatroom.")
PROCESS = names("logs process", of="chatroom.")
STORE = frozenset(name for name in map(name_of, FILES) if name.startswith("chatroom.store"))
LISTENING = frozenset(["chatroom.listening"])
SYSTEMD = frozenset(["chatroom.systemd"])
EVERYONE = names(
    "chatroom chatroom.__main__ chatroom.chatservice chatroom.keeping chatroom.service"
)


class Part(NamedTuple):
    modules: frozenset[str]
    ours: frozenset[str]
    """What it may import of chatroom."""
    others: frozenset[str] | None
    """What else it may import, by the first name; None is anything."""


PARTS = (
    Part(CORE, CORE, DATA),
    Part(FRAMES, CORE | FRAMES, TWISTED),
    Part(LINE, CORE | FRAMES | LINE, TWISTED),
    Part(IRC, CORE | FRAMES | IRC, TWISTED),
    Part(
        CONFIG,
        CONFIG | {"chatroom.limits", "chatroom.network", "chatroom.spans"},
        STDLIB | {"yaml"},
    ),
    Part(STORE, CORE | STORE, TWISTED | {"argon2"}),
    Part(PROCESS, PROCESS, TWISTED),
    Part(SYSTEMD, SYSTEMD, STDLIB),
    Part(LISTENING, LISTENING | FRAMES, TWISTED),
    Part(
        EVERYONE,
        CORE | FRAMES | LINE | IRC | CONFIG | STORE | PROCESS | SYSTEMD | LISTENING | EVERYONE,
        None,
    ),
)


PACKAGES = frozenset(name_of(path) for path in FILES if path.stem == "__init__")


def imported(source: str) -> Iterator[str]:
    """The full names that `source` imports, anywhere, also for the type checker alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, "imports are absolute here"
            # Of a package, what is named may be a module of its own.
            package = node.module in PACKAGES
            yield from (f"{node.module}.{a.name}" if package else node.module for a in node.names)


def refused(part: Part, source: str) -> list[str]:
    """What `source`, as a module of `part`, imports and may not."""
    return [
        name
        for name in imported(source)
        if (
            name not in part.ours
            if name.split(".")[0] == "chatroom"
            else part.others is not None and name.split(".")[0] not in part.others
        )
    ]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_imports_only_what_its_part_may(path: Path) -> None:
    parts = [part for part in PARTS if name_of(path) in part.modules]
    assert len(parts) == 1, f"{name_of(path)} belongs to one part: name it in this file"
    assert refused(parts[0], path.read_text()) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("chatroom.hub", "import time"),
        ("chatroom.hub", "def f():\n    import os.path"),
        ("chatroom.room", "from twisted.logger import Logger"),
        ("chatroom.room", "from chatroom.protocols.line import ChatProtocol"),
        ("chatroom.room", "from chatroom import service"),
        ("chatroom.room", "from chatroom import Hub"),
        ("chatroom.protocols.line", "from chatroom import config"),
        ("chatroom.protocols.line", "import yaml"),
        ("chatroom.protocols.outbox", "from chatroom.protocols import line"),
        ("chatroom.config", "from chatroom.hub import Hub"),
        ("chatroom.config", "import twisted"),
        ("chatroom.hub", "from chatroom.store.history import History"),
        ("chatroom.protocols.line", "from chatroom.store import words"),
        ("chatroom.protocols.line", "from chatroom.protocols.irc import wire"),
        ("chatroom.protocols.outbox", "from chatroom.protocols import irc"),
        ("chatroom.protocols.irc.wire", "from chatroom.protocols import line"),
        ("chatroom.protocols.irc.wire", "from chatroom.store import words"),
        ("chatroom.store.history", "from chatroom.protocols import line"),
        ("chatroom.store.history", "from chatroom.config import Settings"),
        ("chatroom.systemd", "from twisted.internet import reactor"),
    ],
)
def test_what_a_part_may_not_import_is_found(module: str, source: str) -> None:
    (part,) = (part for part in PARTS if module in part.modules)
    assert refused(part, source)


def loaded_by(modules: Iterable[str]) -> set[str]:
    """The modules that a fresh interpreter has loaded after it imported `modules`."""
    code = f"import sys, {', '.join(modules)}\nprint(*sys.modules)"
    command = [sys.executable, "-c", code]
    return set(subprocess.check_output(command, cwd=ROOT, text=True, timeout=60).split())


def test_importing_everything_leaves_the_choice_of_a_reactor_to_twistd() -> None:
    every = [*map(name_of, FILES), "twisted.plugins.chatroom_plugin"]
    loaded = loaded_by(every)
    assert loaded >= set(every)
    assert "twisted.internet.reactor" not in loaded


def test_the_core_runs_without_twisted_and_yaml() -> None:
    assert not {"twisted", "yaml"} & loaded_by(CORE - {"chatroom.__version__"})


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_short_enough_to_read_in_one_go(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 350
