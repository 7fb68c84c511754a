"""The IRC programs that people have, against the real daemon: irssi and WeeChat, and what a person
reads on their screens while somebody with nc is in the same room."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from tests.daemon import Client, Daemon, wait_for

LISTEN = ("line=tcp:0:interface=127.0.0.1", "irc=tcp:0:interface=127.0.0.1")
SETTINGS = {
    "limits": {"lines": None, "joins": None},
    "motd": "Be kind.",
    "operators": {"accounts": ["cara"]},
}
SECRET = "correct-horse-9"
SPOKEN = "žluťoučký kůň 你好"
WIDTH, HEIGHT = 150, 50


class Terminal:
    """A program at a terminal that tmux draws: what is typed goes in, `screen` is what is seen.

    `folder` becomes its home, so that nothing of the user who tests is read or written.
    """

    def __init__(self, folder: Path, *command: str) -> None:
        self._tmux = ("tmux", "-f", "/dev/null", "-S", str(folder / "tmux"))
        self._environ = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        self._ask("new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), shlex.join(command))

    def _ask(self, *words: str) -> str:
        done = subprocess.run(
            (*self._tmux, *words), env=self._environ, capture_output=True, text=True, timeout=10
        )
        assert done.returncode == 0, f"tmux {words}: {done.stderr}"
        return done.stdout

    @property
    def screen(self) -> str:
        """What a person sees now."""
        return self._ask("capture-pane", "-p")

    def type(self, *lines: str) -> None:
        """Type lines, each with Enter."""
        for line in lines:
            self._ask("send-keys", "-l", "--", line, ";", "send-keys", "Enter")

    def shows(self, *patterns: str, seconds: float = 10) -> None:
        """Wait until the screen has something for each of the regular expressions."""
        for pattern in patterns:
            try:
                wait_for(partial(self._has, re.compile(pattern, re.MULTILINE)), seconds, pattern)
            except AssertionError:
                raise AssertionError(f"{pattern!r} is not on the screen:\n{self.screen}") from None

    def _has(self, pattern: re.Pattern[str]) -> bool:
        return pattern.search(self.screen) is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        subprocess.run((*self._tmux, "kill-server"), capture_output=True, timeout=10)


@dataclass(frozen=True)
class Program:
    """An IRC program. `command` starts it, with `$home` its folder; it is `ready` when that is on
    its screen; `login` is typed then, `welcomed` is seen when that went well.

    `reads` are the lines of the screen, by what they tell: `{nick}`, `{text}` stand in them.
    """

    name: str
    nick: str
    command: tuple[str, ...]
    files: Mapping[str, str]
    ready: str
    login: tuple[str, ...]
    welcomed: tuple[str, ...]
    windows: Mapping[str, tuple[str, str]]
    reads: Mapping[str, str]

    def read(self, what: str, text: str = "", nick: str = "cara") -> str:
        """The regular expression of a line."""
        return self.reads[what].format(nick=nick, text=re.escape(text), me=self.nick)


IRSSI = Program(
    "irssi",
    "ann",
    ("irssi", "--home={home}", "--noconnect"),
    {"startup": "/set cmds_max_at_once 100\n/set paste_verify_line_count 0\n"},
    r"\[\(status\)\]",
    (
        "/network add -nick {nick} -sasl_mechanism PLAIN -sasl_username {nick}"
        " -sasl_password {secret} chat",
        "/server add -network chat 127.0.0.1 {port}",
        "/connect chat",
    ),
    ("You are now logged in as ann", "SASL authentication succeeded", "Be kind"),
    {
        "#lobby": ("/window goto #lobby", r"^\[#lobby\]"),
        "cara": ("/window goto cara", r"^\[cara\]"),
        "server": ("/window goto 1", r"^\[\(status\)\]"),
    },
    {
        "said": r"< ?{nick}> {text}$",
        "did": r"\* {nick} {text}$",
        "joined": r"-!- {nick} .*has joined #lobby",
        "topic": r"-!- {nick} changed the topic of #lobby to: {text}$",
        "kicked": r"-!- {me} was kicked from #lobby by {nick} \[{text}\]",
        "away": r"-!- {nick} is away: {text}$",
        "is away": r"-!-  away     : {text}$",
        "account": r"-!-  account  : {text}$",
    },
)
WEECHAT = Program(
    "weechat",
    "bob",
    (
        *("weechat", "--dir", "{home}/weechat", "--no-script", "--plugins", "irc"),
        *("--run-command", "/set irc.server_default.anti_flood_prio_high 0"),
        *("--run-command", "/set weechat.look.paste_max_lines -1"),
        *("--run-command", "/set weechat.bar.nicklist.hidden on"),
    ),
    {},
    "nicklist.hidden = on",
    (
        "/server add chat 127.0.0.1/{port} -notls -nicks={nick} -sasl_username={nick}"
        " -sasl_password={secret}",
        "/connect chat",
        "/buffer irc.server.chat",
    ),
    ("You are now logged in as bob", "SASL authentication successful", "Be kind"),
    {
        "#lobby": ("/buffer #lobby", r"\] \d+:#lobby"),
        "cara": ("/buffer cara", r"\] \d+:cara"),
        "server": ("/buffer irc.server.chat", r"\] \d+:server\[chat\]"),
    },
    {
        "said": r"{nick} \| {text}$",
        "did": r"\* \| {nick} {text}$",
        "joined": r"--> \| {nick} .*has joined #lobby",
        "topic": r"-- \| {nick} has changed topic for #lobby from .* to \"{text}\"$",
        "kicked": r"<-- \| {nick} has kicked {me} \({text}\)",
        "away": r"-- \| \[{nick}\] is away: {text}$",
        "is away": r"-- \| \[{nick}\] is away: {text}$",
        "account": r"-- \| \[{nick}\] is logged in as {text}",
    },
)


@dataclass
class Scene:
    """cara, who has nc, and the other, who has an IRC program; both are in #lobby."""

    program: Program
    other: Terminal
    cara: Terminal

    def go_to(self, window: str) -> None:
        """Let the other look at a room, at what cara says to her alone, or at the server."""
        typed, seen = self.program.windows[window]
        self.other.type(typed)
        self.other.shows(seen)

    def other_reads(self, what: str, text: str = "", nick: str = "cara") -> None:
        self.other.shows(self.program.read(what, text, nick))


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, stack: ExitStack) -> Daemon:
    folder = tmp_path_factory.mktemp("daemon")
    daemon = stack.enter_context(Daemon(folder, SETTINGS, listen=LISTEN))
    for nick in ("ann", "bob"):
        with Client(daemon.port).arrive() as client:
            client.ask(f"/nick {nick}")
            client.send(f"/register {SECRET}")
            client.until("You registered")
    return daemon


@pytest.fixture(scope="module")
def cara(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory, stack: ExitStack) -> Terminal:
    for needed in ("tmux", "nc"):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed")
    folder = tmp_path_factory.mktemp("cara")
    cara = stack.enter_context(Terminal(folder, "nc", "127.0.0.1", str(daemon.port)))
    cara.shows("Type to talk")
    cara.type("/nick cara", f"/register {SECRET}")
    cara.shows("You registered cara")
    cara.type(f"before: {SPOKEN}", "/me waited")
    return cara


@pytest.fixture(scope="module", params=[IRSSI, WEECHAT], ids=lambda program: program.name)
def scene(
    request: pytest.FixtureRequest,
    daemon: Daemon,
    cara: Terminal,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    """One who has logged in by SASL, and joined."""
    program: Program = request.param
    if shutil.which(program.name) is None:
        pytest.skip(f"{program.name} is not installed")
    home = tmp_path_factory.mktemp(program.nick)
    for name, text in program.files.items():
        (home / name).write_text(text)
    command = [word.format(home=home) for word in program.command]
    with Terminal(home, *command) as other:
        other.shows(program.ready)
        about = {"nick": program.nick, "secret": SECRET, "port": daemon.ports[1]}
        other.type(*(line.format_map(about) for line in program.login))
        other.shows(*program.welcomed)
        other.type("/join #lobby")
        scene = Scene(program, other, cara)
        scene.go_to("#lobby")
        yield scene


def test_who_joins_sees_what_was_said_before(scene: Scene) -> None:
    scene.other_reads("joined", nick=scene.program.nick)
    scene.other_reads("said", f"before: {SPOKEN}")
    scene.other_reads("did", "waited")


def test_both_hear_what_the_other_says_and_does(scene: Scene) -> None:
    me = scene.program.nick
    scene.cara.type(f"hi {me} {SPOKEN}", f"/me nods to {me}")
    scene.other_reads("said", f"hi {me} {SPOKEN}")
    scene.other_reads("did", f"nods to {me}")
    scene.other.type(f"hi cara {SPOKEN}", "/me bows")
    scene.cara.shows(rf"^<{me}> hi cara {SPOKEN}$", rf"^\* {me} bows$")


def test_both_see_that_the_other_sets_the_topic(scene: Scene) -> None:
    me = scene.program.nick
    scene.cara.type(f"/topic Tea for {me}")
    scene.other_reads("topic", f"Tea for {me}")
    scene.other.type(f"/topic Coffee of {me}")
    scene.cara.shows(rf"^-- {me} set the topic: Coffee of {me}$")


def test_both_learn_who_the_other_is(scene: Scene) -> None:
    me = scene.program.nick
    scene.cara.type(f"/whois {me}")
    scene.cara.shows(rf"^-- {me} is in #lobby\.$", rf"^-- Logged in to the account {me}\.$")
    scene.go_to("server")
    scene.other.type("/whois cara")
    scene.other_reads("account", "cara")
    scene.go_to("#lobby")


def test_who_writes_to_one_who_is_away_is_told_so(scene: Scene) -> None:
    me = scene.program.nick
    scene.cara.type(f"/away lunch with {me}")
    scene.cara.shows("You are away")
    scene.go_to("server")
    scene.other.type("/whois cara")
    scene.other_reads("is away", f"lunch with {me}")
    scene.other.type("/query cara are you there?")
    scene.cara.shows(rf"^\[{me} -> you\] are you there\?$")
    scene.go_to("cara")
    scene.other_reads("away", f"lunch with {me}")
    scene.cara.type("/back", f"/msg {me} now I am")
    scene.other_reads("said", "now I am")
    scene.go_to("#lobby")


def test_who_is_kicked_reads_by_whom_and_why_and_may_come_again(scene: Scene) -> None:
    me = scene.program.nick
    scene.cara.type(f"/kick {me} too loud")
    scene.other_reads("kicked", "too loud")
    scene.other.type("/join #lobby")
    scene.cara.shows(rf"(?s)^-- {me} was kicked by cara: too loud .*^-- {me} joined")
    scene.go_to("#lobby")
    scene.other.type("I am quiet now")
    scene.cara.shows(rf"^<{me}> I am quiet now$")


def test_who_quits_is_seen_to_leave_with_its_reason(scene: Scene) -> None:
    scene.other.type("/quit off to bed")
    scene.cara.shows(rf"^-- {scene.program.nick} left: off to bed \(1 here\)$")
