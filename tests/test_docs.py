"""What README.md and docs/ say, held against the code: commands, options, settings, files, links,
and the session that the README shows, which is held again here."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from twisted.application.service import IServiceCollection
from twisted.application.twist._options import TwistOptions
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.usage import Options as TwistedOptions
from twisted.scripts._twistd_unix import ServerOptions

from chatroom import ChatFactory, Hub, Listener
from chatroom.__main__ import main
from chatroom.chatservice import CHECKS, PROTOCOLS
from chatroom.commands import COMMANDS, Command, attach
from chatroom.config import SCHEMA, Settings, parse
from chatroom.events import Event, Said
from chatroom.keeping import Keeping
from chatroom.limits import Limits
from chatroom.service import Options
from chatroom.store.reading import Reading

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, *sorted(DOCS.glob("*.md"))]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def fences(page: Path, language: str) -> list[str]:
    """The contents of the page's fenced blocks of one language."""
    return [text for of, text in FENCE.findall(page.read_text()) if of == language]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return FENCE.sub("", page.read_text())


def code(page: Path) -> list[str]:
    """Each line of code on a page, in blocks and inline; a command over several lines is one."""
    blocks = "".join(text for _, text in FENCE.findall(page.read_text()))
    inline = re.findall(r"(`+)(.+?)\1", prose(page))
    return blocks.replace("\\\n", " ").splitlines() + [text for _, text in inline]


def names(options: TwistedOptions) -> set[str]:
    return {f"--{name.rstrip('=')}" for name in options.longOpt}


# The session


class Screen:
    """What one of them sees: a terminal's own lines, what was typed, and what came in."""

    ITS_OWN = ("$ ", "Trying ", "Connected to ", "Escape character ")
    SERVERS = ("Welcome ", "-- ", "<", "* ", "[")

    def __init__(self, shown: str) -> None:
        self.shown = [line for line in shown.splitlines() if not line.startswith(self.ITS_OWN)]
        self.typed = iter(line for line in self.shown if not line.startswith(self.SERVERS))
        self.lines: list[str] = []


# Who did something, in order: first everyone connects, then types a line.
TURNS = "ann ann ann bob bob bob ann cara cara cara ann bob bob bob cara cara"


def screens() -> dict[str, Screen]:
    """The README's screens, by the nick that is taken in each."""
    shown = [text for text in fences(README, "") if text.startswith(("$ nc", "$ telnet"))]
    return {re.findall(r"^/nick (\w+)$", text, re.M)[0]: Screen(text) for text in shown}


def test_the_session_in_the_readme_is_what_its_three_would_see() -> None:
    shown = screens()
    (then,) = {at for text in fences(README, "") for at in re.findall(r"^\[(\d.*?)\]", text, re.M)}
    wall = datetime.strptime(then, "%Y-%m-%d %H:%M").timestamp()
    clock = Clock()
    factory = ChatFactory(Hub(), clock, lambda: wall)
    connected: dict[str, tuple[Any, StringTransport]] = {}
    for who in TURNS.split():
        if who not in connected:
            connected[who] = factory.buildProtocol(None), StringTransport()
            connected[who][0].makeConnection(connected[who][1])
        else:
            line = next(shown[who].typed)
            shown[who].lines.append(line)
            connected[who][0].dataReceived(f"{line}\r\n".encode())
        clock.advance(1)
        for reader, (_, transport) in connected.items():
            shown[reader].lines += transport.value().decode().splitlines()
            transport.clear()
    for screen in shown.values():
        assert screen.lines == screen.shown
    assert set(shown) == set(TURNS.split())


# Commands


def every_command() -> list[Command]:
    """The core's, and those of what is kept, which are in the place of those of the same name."""
    hub: Any = Hub(end_of_turn=print)
    keeping = Keeping(hub, Settings(store=None), Clock())
    keeping.open()
    attach(hub, Reading(None, time.time).commands())  # type: ignore[arg-type]
    usual = [hub.commands.get(command.name, command) for command in COMMANDS]
    return [*dict.fromkeys([*usual, *hub.commands.values()])]


def table_of_commands() -> str:
    """The table in docs/commands.md."""
    rows = ["| Command | Also | What it does |", "|---|---|---|"]
    for command in every_command():
        also = " ".join(f"`/{alias}`" for alias in command.aliases)
        written = command.written.replace("|", r"\|")
        rows.append(f"| `{written}` | {also} | {command.help[0].upper()}{command.help[1:]} |")
    return "\n".join(rows) + "\n"


def test_the_table_of_commands_is_what_the_code_declares() -> None:
    _, _, rest = (DOCS / "commands.md").read_text().partition("<!-- commands -->\n")
    table, end, _ = rest.partition("<!-- end of commands -->")
    assert end
    assert table == table_of_commands()


def test_the_refusals_that_are_listed_are_what_is_said() -> None:
    text = (DOCS / "commands.md").read_text().partition("## What may be refused")[2]
    listed = re.findall(r"\| `([^`]+)` \|", text)
    attempts = [
        ["x" * 1025],
        [f"/nick n{number}" for number in range(7)],
        [f"/{verb} r" for _ in range(20) for verb in ("join", "part")] + ["/join r"],
        [f"/join r{number}" for number in range(20)],
        ["/msg bob hi"],
    ]
    clock, limits = Clock(), Limits(lines=None)
    said = []
    for lines in attempts:
        transport = StringTransport()
        protocol: Any = ChatFactory(Hub(limits=limits), clock, lambda: 0.0).buildProtocol(None)
        protocol.makeConnection(transport)
        protocol.dataReceived("".join(f"{line}\n" for line in lines).encode())
        clock.advance(0)
        said.append(transport.value().decode().splitlines()[-1].removeprefix("-- "))
    assert listed == said


@each_page
def test_each_command_that_is_named_exists(page: Path) -> None:
    known = {name for command in every_command() for name in (command.name, *command.aliases)}
    named = set(re.findall(r"`/([a-z]+)(?=[ `])", prose(page)))
    # Two folders, what `//text` says, and what IRC programs themselves understand.
    of_others = {"home", "root", "text", "connect", "quote", "save", "server"}
    assert named - of_others <= known


@each_page
def test_each_use_of_the_chatroom_command_is_one_that_it_has(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in code(page):
        for word in re.findall(r"(?:^|/|\$ )chatroom ([a-z-]+)", line):
            with pytest.raises(SystemExit) as end:
                main([word, "--help"])
            assert end.value.code == 0, line


# Options and settings

# What the pages name of other programs, beside twistd and twist.
OF_OTHERS = {
    "--help": "any",
    "--hypothesis-profile": "pytest",
    "--now": "systemctl",
    "--offline": "systemd-analyze",
    "--send-only": "ncat",
    "--ssl": "ncat",
    "--system": "useradd",
}


@each_page
def test_each_option_that_is_named_exists(page: Path) -> None:
    known = names(Options()) | names(ServerOptions()) | names(TwistOptions()) | set(OF_OTHERS)
    for program in ("benchmarks/__main__.py", "chatroom/__main__.py"):
        known |= set(re.findall(r'"(--[a-z-]+)"', (ROOT / program).read_text()))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join(code(page))))
    assert named <= known


@each_page
def test_each_command_line_is_one_that_twistd_takes(page: Path) -> None:
    for line in code(page):
        found = re.search(r"(?:^|[ /])twistd( .*?)? chatroom( .*)?$", line)
        if found is None:
            continue
        before, after = (shlex.split(part or "", comments=True) for part in found.groups())
        assert {word.partition("=")[0] for word in before if word[:2] == "--"} <= names(
            ServerOptions()
        )
        assert {word.partition("=")[0] for word in after if word[:2] == "--"} <= names(Options())


@each_page
def test_each_setting_that_is_named_exists(page: Path) -> None:
    keys = {option.key for option in SCHEMA.options()}
    sections = {key.partition(".")[0] for key in keys if "." in key}
    named = re.findall(rf"`((?:{'|'.join(sections)})\.(?!py`)\w+)`", page.read_text())
    assert set(named) <= keys


def has_a_protocol(listener: str) -> None:
    """Not that it has an endpoint: Twisted's oldest release lacks one that is documented."""
    if listener.partition("=")[0] not in PROTOCOLS:
        raise ValueError("has no protocol of ours")


@each_page
def test_each_example_of_a_file_is_a_good_one(page: Path) -> None:
    for text in fences(page, "yaml"):
        parse(text, page.name, {**CHECKS, "listen": has_a_protocol})


def test_the_design_says_why_of_every_limit() -> None:
    reasons = re.findall(r"^\| `limits\.(\w+)` \|", (DOCS / "design.md").read_text(), re.M)
    assert reasons == [field.name for field in fields(Limits)]


# Files and links


def anchor(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def links(page: Path) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)\s]+)\)", prose(page))


@each_page
def test_each_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, fragment = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if fragment:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.M)
            assert fragment in map(anchor, headings), link


@each_page
def test_each_file_of_ours_that_is_named_exists(page: Path) -> None:
    parts = "benchmarks|chatroom|contrib|docs|tests"
    for name in re.findall(rf"`((?:{parts})/[\w./-]+)`", page.read_text()):
        assert (ROOT / name).exists(), name


def test_the_index_lists_every_page() -> None:
    pages = {page.name for page in PAGES if page.parent == DOCS} - {"README.md"}
    assert pages <= set(links(DOCS / "README.md"))


def test_the_design_lists_every_module() -> None:
    text = (DOCS / "design.md").read_text()
    listed = re.findall(r"^\| `(chatroom/[\w/]+\.py)` \|", text, re.M)
    sources = (ROOT / "chatroom").rglob("*.py")
    ours = {str(path.relative_to(ROOT)) for path in sources} - {"chatroom/protocols/__init__.py"}
    assert sorted(listed) == sorted(ours)


def test_the_picture_is_of_modules_that_exist() -> None:
    picture = ElementTree.parse(DOCS / "line.svg")
    text = " ".join(picture.getroot().itertext())
    files = set(re.findall(r"\w+\.py", text))
    assert files
    assert files <= {path.name for path in (ROOT / "chatroom").rglob("*.py")}


# The README's two commands, and its examples


@pytest.mark.parametrize("ending", ["-m pytest", "twistd -n chatroom --port 8000"])
def test_one_line_starts_it_and_one_tests_it(ending: str) -> None:
    lines = [line for text in fences(README, "sh") for line in text.splitlines()]
    assert len([line for line in lines if re.match(rf"python3 -m venv.*{ending}$", line)]) == 1
    assert README.read_text().count("-m pytest") == 1


def test_the_bot_of_the_example_answers() -> None:
    (example,) = fences(README, "python")
    assert "make_service()" in example
    reactor = MemoryReactorClock()
    scope: dict[str, Any] = {"reactor": reactor}
    exec(example.replace("make_service()", "make_service(reactor=reactor)"), scope)
    hub = scope["chat"].hub
    heard: list[Event] = []
    ann = hub.enter(Listener(heard.append), 0.0, nick="ann")
    hub.say(ann, "!time", 0.0)
    reactor.pump([0, 0])
    assert [event.sender for event in heard if isinstance(event, Said)] == ["clock"]
    assert scope["chat"] in IServiceCollection(scope["application"])
