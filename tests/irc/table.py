"""The tables of docs/irc.md: every command, numeric, mode and capability, what specifies it, and a
scene that shows it. `python -m tests.irc.table` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from chatroom.protocols.irc import modes, numerics
from chatroom.protocols.irc.capabilities import ALL as CAPABILITIES
from chatroom.protocols.irc.commands import COMMANDS
from tests.irc.scenes import Scene, read_scenes

__all__ = ["DOCUMENT", "MISSING", "tables", "written"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "irc.md"
MISSING = "none yet"
_BEGIN, _END = "<!-- The tables are made by tests/irc/table.py. -->", "<!-- End of the tables. -->"

# What needs more than one process, or a real connection: shown by these instead.
ELSEWHERE: dict[str, str] = {
    "REHASH": "test_operators.py",
    "sts": "test_capabilities.py",
    "RPL_WHOISCERTFP": "test_whois.py",
    "ERR_ACCEPTFULL": "test_accept.py",
    "ERR_TOOMANYMATCHES": "test_who.py",
    "ERR_MONLISTFULL": "test_monitor.py",
    "ERR_NICKLOCKED": "test_sasl.py",
}


def _first(scenes: Iterable[Scene], shows: Callable[[str], object]) -> str:
    """The first scene with such a step."""
    for scene in scenes:
        if any(shows(step) for _, step in scene.steps):
            return f"{scene.file}: {scene.title}"
    return MISSING


def _shown(name: str, scenes: Iterable[Scene], pattern: str) -> str:
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    return _first(scenes, re.compile(pattern).search)


def _table(head: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    columns = head.split("|")
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def tables() -> str:
    """All of them, in Markdown."""
    scenes = read_scenes()
    out = ["## Commands", ""]
    out += _table(
        "Command|What it does|Specification|Shown by",
        (
            (f"`{f'{name} {each.usage}'.strip()}`", each.help, each.source,
             _shown(name, scenes, rf" >>? (@\S+ )?(?i:{name})( |$)"))
            for name, each in sorted(COMMANDS.items())
        ),
    )  # fmt: skip
    out += ["## Numerics", ""]
    out += _table(
        "Code|Name|Parameters|Specification|Shown by",
        (
            (each.code, f"`{name}`", f"`{' '.join(each.params)}`" if each.params else "",
             each.source, _shown(name, scenes, rf" < .*:\S+ {each.code} "))
            for name, each in sorted(numerics.ALL.items(), key=lambda item: item[1].code)
        ),
    )  # fmt: skip
    out += ["## Modes of channels", ""]
    out += _table(
        "Mode|What it does|Line protocol|Specification|Shown by",
        (
            (f"`{each.letter}`", each.help, f"`{each.setting}`", each.source,
             _shown(each.letter, scenes, rf" MODE #\S+ \S*[+-]\w*{each.letter}"))
            for each in modes.CHANNEL_MODES
        ),
    )  # fmt: skip
    out += ["## Modes of users", ""]
    out += _table(
        "Mode|What it says|Specification|Shown by",
        (
            (f"`{each.letter}`", each.help, each.source,
             _shown(each.letter, scenes, rf" MODE [a-z]\S* :?[+-]\w*{each.letter}"))
            for each in modes.USER_MODES
        ),
    )  # fmt: skip
    out += ["## Capabilities", ""]
    out += _table(
        "Capability|Specification|Shown by",
        (
            (f"`{name}`", each.source,
             _shown(name, scenes, rf"(connects .*with|CAP REQ).*[ :]{re.escape(name)}( |$)"))
            for name, each in CAPABILITIES.items()
        ),
    )  # fmt: skip
    return "\n".join(out)


def written(document: str) -> str:
    """The document with the tables as they are now."""
    before, _, rest = document.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n\n{tables()}\n{_END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
