r"""Scenes: who sends what, and what each then gets, in files `scenes/*.txt` of this folder.

    == Setting a topic shows it to all, with who and when
    ann connects                                what it is welcomed with is thrown away
    bob connects with server-time message-tags  it has these capabilities
    cara connects by line                       with nc; her nick is cara
    ann > JOIN #x                               ann sends a line
    ann < :ann!* JOIN #x                        ann gets these, in this order
    ann < ...                                   and others, whatever they are
    ann, bob < :ann!* TOPIC #x hello            each of them gets this

Each scene has a chat of its own, in memory, with accounts, moderation and history, and begins with
`==` and its title. A line that begins with `# `, or what follows two spaces and `# `, is a comment.

What is got
    Before anybody sends, before time passes and at the end, everyone must have got just what the
    lines with `<` say: nothing is missing, nothing more is there.
    `ann < -`          nothing is there
    `ann < ...`        skip the rest of what is there
    `ann < ... LINE`   skip up to the first that fits, and that one
    In a line `*` fits anything, also nothing; `$name` takes what stands there up to a space or
    `;`, and must be the same from then on; `\*` and `$$` are the characters themselves.
    `@{time=*,msgid=$id} :ann!* ...` are just these tags, in any order; without braces tags are
    compared as they are written, and whoever has no tags gets none.

What is sent
    `ann > LINE`       everything that comes of it has happened before the next line of the scene
    `ann >> LINE`      the next line happens in the same turn of the reactor
    `$name` stands for what was found.

In both `\xNN` is a byte that can't be shown (`\x02` is bold, `\x20` a space at the end of a line),
and `{x*500}` is 500 times `x`.

Who is there
    ann connects                         by IRC: NICK ann, USER ann 0 * :Ann
    ann connects by line                 by the line protocol: /nick ann
    ann connects raw                     says nothing yet; what she is greeted with is to be read
    ann connects over tls                is_secure, without a certificate
    ann connects from 203.0.113.7        else each has an address of her own: 192.0.2.1, .2, ...
    ann connects as ann secret-password  logged in to that account, by SASL PLAIN or /login
    ann connects with CAPABILITY...      by CAP REQ
                                         in this order, as far as they are there
    ann is gone                          she closes the connection
    ann is lost                          the connection breaks
    ann is closed                        the server has closed it; that has to be said

What there is (at the top of a scene)
    settings KEY=VALUE                   as in the configuration file, the key with dots, the value
                                         in YAML: `settings irc.password=secret`
    account ann secret-password          a registered nick
    operator oper operpassword           who may become operator by OPER or /oper
    pass 60 seconds                      (anywhere) time goes by, a second at a time

A scene that fails shows its line, what was to be got and what was got.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from twisted.logger import LogLevel, formatEvent

from tests.irc.chatting import Chatting, IRCUser, LineUser, settings_of
from tests.registered import CHEAP, logged

__all__ = ["Scene", "SceneFailed", "Wanted", "play", "read_scenes"]

SCENES = Path(__file__).with_suffix("")


class SceneFailed(AssertionError):
    """Says what was expected, and what was there."""


class Scene(NamedTuple):
    """A title, and the lines below it with their numbers in the file."""

    file: str
    title: str
    steps: tuple[tuple[int, str], ...]

    def __str__(self) -> str:
        return f"{self.file}:{self.title}"


_COMMENT = re.compile(r"(?:^|\s\s)\s*# .*$|^#$")


def read_scenes(folder: Path = SCENES) -> list[Scene]:
    """The scenes in all files of a folder."""
    return [scene for path in sorted(folder.glob("*.txt")) for scene in _in_file(path)]


def _in_file(path: Path) -> Iterator[Scene]:
    title = ""
    steps: list[tuple[int, str]] = []
    for number, line in enumerate([*path.read_text().splitlines(), "== "], 1):
        if line.startswith("== "):
            if title:
                yield Scene(path.name, title, tuple(steps))
            elif steps:
                raise ValueError(f"{path}:{steps[0][0]} stands before the first title")
            title, steps = line[3:].strip(), []
        elif step := _COMMENT.sub("", line).rstrip():
            steps.append((number, step))


# What a line has to be like

_TIMES = re.compile(r"\{([^{}*]+)\*(\d+)\}")
_BYTE = re.compile(r"\\x([0-9a-f]{2})")
_TOKEN = re.compile(r"\\\*|\*|\$\$|\$[a-z]\w*")
_TAG_SET = re.compile(r"@\{(.*?)\} ")
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f]| $")


def _repeated(text: str) -> str:
    return _TIMES.sub(lambda match: match[1] * int(match[2]), text)


def _shown(line: str) -> str:
    """A line as a scene writes it."""
    return _UNSHOWN.sub(lambda match: f"\\x{ord(match[0]):02x}", line)


class Wanted:
    """What a line has to be like; `found` are the names that have a value already."""

    def __init__(self, text: str, found: dict[str, str]) -> None:
        self._found = found
        self._tags: list[str] | None = None
        text = _repeated(text)
        if match := _TAG_SET.match(text):
            text = text[match.end() :]
            self._tags = sorted(filter(None, re.split("[;,]", match[1])))
        self._text = text

    def fits(self, line: str) -> bool:
        """Whether the line is so; names in it have a value then."""
        found = dict(self._found)
        if self._tags is not None:
            section, _, line = line.partition(" ")
            tags = section.removeprefix("@").split(";") if section.startswith("@") else [section]
            if sorted(map(_key, tags)) != sorted(map(_key, self._tags)):
                return False
            by_key = {_key(tag): tag for tag in tags}
            if not all(_fits(wanted, by_key[_key(wanted)], found) for wanted in self._tags):
                return False
        if not _fits(self._text, _shown(line), found):
            return False
        self._found.update(found)
        return True


def _key(tag: str) -> str:
    return tag.partition("=")[0]


def _fits(wanted: str, line: str, found: dict[str, str]) -> bool:
    parts, at, names = [], 0, set()
    for token in _TOKEN.finditer(wanted):
        parts.append(re.escape(wanted[at : token.start()]))
        at = token.end()
        name = token[0][1:]
        if token[0] == "*":
            parts.append(".*")
        elif token[0] in (r"\*", "$$"):
            parts.append(re.escape(name))
        elif name in found:
            parts.append(re.escape(found[name]))
        else:
            parts.append(f"(?P={name})" if name in names else f"(?P<{name}>[^ ;]+)")
            names.add(name)
    parts.append(re.escape(wanted[at:]))
    match = re.fullmatch("".join(parts), line)
    if match:
        found.update(match.groupdict())
    return match is not None


# Playing

_STEPS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"(?P<names>[\w-]+(?:, ?[\w-]+)*) (?P<sign>>>|>|<)(?: (?P<text>.*))?"), "said"),
    (
        re.compile(
            r"(?P<name>[\w-]+) connects(?P<raw> raw)?(?P<line> by line)?(?P<tls> over tls)?"
            r"(?: from (?P<address>\S+))?(?: as (?P<account>\S+) (?P<password>\S+))?"
            r"(?: with (?P<caps>.+))?"
        ),
        "connects",
    ),
    (re.compile(r"(?P<name>[\w-]+) is (?P<how>gone|lost|closed)"), "goes"),
    (re.compile(r"pass (?P<number>\d+) (?P<unit>second|minute|hour|day)s?"), "passes"),
    (re.compile(r"settings (?P<key>[\w.]+)=(?P<value>.*)"), "sets"),
    (re.compile(r"operator (?P<name>\S+) (?P<password>\S+)"), "operator"),
    (re.compile(r"account (?P<name>\S+) (?P<password>\S+)"), "account"),
]
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


class _Stage:
    """A chat while a scene is played on it."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.unread: dict[str, list[str]] = {}
        self.changes: dict[str, str] = {}
        self.gone: set[str] = set()
        self.is_turning = False
        self._chat: Chatting | None = None

    @property
    def chat(self) -> Chatting:
        if self._chat is None:
            self._chat = Chatting(settings_of(self.changes))
        return self._chat

    def read(self) -> None:
        """All that is due happens, and is read."""
        self.is_turning = False
        self.chat.settle()
        for name, user in self.chat.users.items():
            self.unread.setdefault(name, []).extend(user.read())

    def done(self) -> None:
        """Everyone has got what the scene says, and nothing else."""
        if self.is_turning:
            return
        self.read()
        for name, lines in self.unread.items():
            if lines:
                raise SceneFailed(f"{name} got what the scene does not say:{_listed(lines)}")
        for name, user in self.chat.users.items():
            if user.is_closed and name not in self.gone:
                raise SceneFailed(f"{name} is closed, which the scene does not say")

    # The steps

    def sets(self, key: str, value: str) -> None:
        assert self._chat is None, "settings stand at the top of the scene"
        self.changes[key] = value

    def operator(self, name: str, password: str) -> None:
        assert self._chat is None, "operators stand at the top of the scene"
        known = json.loads(self.changes.get("operators.passwords", "[]"))
        known.append(f"{name}:{CHEAP.hash(password)}")
        self.changes["operators.passwords"] = json.dumps(known)

    def account(self, name: str, password: str) -> None:
        self.chat.account(name, password)

    def connects(
        self, name: str, raw: str, line: str, tls: str, address: str, account: str,
        password: str, caps: str,
    ) -> None:  # fmt: skip
        self.done()
        self.gone.discard(name)
        kind = LineUser if line else IRCUser
        user = kind(self.chat, name, address or "", tls=bool(tls))
        if raw:
            return
        login = (account, password) if account else None
        user.says()
        lines = user.registers((caps or "").split(), login)
        if isinstance(user, IRCUser) and user.protocol.member is None:
            raise SceneFailed(f"{name} was not welcomed:{_listed(lines)}")
        if refused := [each for each in lines if " NAK " in each or " 904 " in each]:
            raise SceneFailed(f"{name} was refused something:{_listed(refused)}")

    def goes(self, name: str, how: str) -> None:
        user = self.chat.users[name]
        self.gone.add(name)
        if how == "closed":
            self.read()
            if not user.is_closed:
                raise SceneFailed(f"{name} is still connected")
        else:
            self.done()
            user.reset() if how == "lost" else user.lose()

    def passes(self, number: str, unit: str) -> None:
        self.done()
        self.chat.pass_by(int(number) * _SECONDS[unit])

    def said(self, names: str, sign: str, text: str) -> None:
        for name in re.split(", ?", names):
            if name not in self.chat.users:
                raise SceneFailed(f"{name} is not connected")
            step = self._gets if sign == "<" else self._sends
            step(name, text or "", sign)

    def _sends(self, name: str, text: str, sign: str) -> None:
        self.done()
        text = _TOKEN.sub(self._value, _repeated(text))
        parts = _BYTE.split(text)
        data = b"".join(
            bytes([int(part, 16)]) if number % 2 else part.encode()
            for number, part in enumerate(parts)
        )
        self.chat.users[name].send(data)
        self.is_turning = sign == ">>"

    def _value(self, token: re.Match[str]) -> str:
        if not token[0].startswith("$"):
            return token[0]
        if token[0] == "$$":
            return "$"
        if token[0][1:] not in self.found:
            raise SceneFailed(f"{token[0]} was not found before; write $$ for a $")
        return self.found[token[0][1:]]

    def _gets(self, name: str, text: str, sign: str) -> None:
        self.read()
        lines = self.unread[name]
        if text == "-":
            if lines:
                raise SceneFailed(f"{name} was to get nothing, and got:{_listed(lines)}")
        elif text == "...":
            lines.clear()
        elif text.startswith("... "):
            self._skips(name, text[4:])
        elif not lines or not Wanted(text, self.found).fits(lines[0]):
            raise SceneFailed(_difference(name, text, lines, self.found))
        else:
            del lines[0]

    def _skips(self, name: str, text: str) -> None:
        lines = self.unread[name]
        for number, line in enumerate(lines):
            if Wanted(text, self.found).fits(line):
                del lines[: number + 1]
                return
        raise SceneFailed(_difference(name, text, lines, self.found))


def _listed(lines: list[str]) -> str:
    return "".join(f"\n    {_shown(line)}" for line in lines) or "\n    nothing"


def _difference(name: str, text: str, lines: list[str], found: dict[str, str]) -> str:
    known = "".join(f"\n    ${key} is {value}" for key, value in found.items() if f"${key}" in text)
    return f"{name} was to get:\n    {text}{known}\n  and got:{_listed(lines)}"


def _step(stage: _Stage, step: str) -> Callable[[], None]:
    for pattern, name in _STEPS:
        if match := pattern.fullmatch(step):
            words = match.groupdict()
            return lambda: getattr(stage, name)(**words)
    raise SceneFailed("No such step. The top of scenes.py says which there are.")


def play(scene: Scene) -> None:
    """Play a scene. Raises SceneFailed."""
    stage, number, step = _Stage(), 0, ""
    with logged() as events:
        try:
            try:
                for number, step in scene.steps:  # noqa: B007
                    _step(stage, step)()
                step = "the end"
                stage.is_turning = False
                stage.done()
            finally:
                timers = stage.chat.close()
            if timers:
                raise SceneFailed(f"timers are left:{_listed(timers)}")
            if told := _wrong(events):
                raise SceneFailed(told)
        except Exception as error:
            own = isinstance(error, SceneFailed)
            why = str(error) if own else f"{type(error).__name__}: {error}"
            told = f"{scene.file}:{number}, {scene.title}\n  {step}\n  {why}"
            raise SceneFailed(f"{told}\n{_wrong(events)}") from (None if own else error)


def _wrong(events: list[Any]) -> str:
    """What went wrong behind the scene, as it was logged."""
    told = ""
    for event in events:
        if event["log_level"] >= LogLevel.error:
            failure = event.get("log_failure")
            told += f"this was logged: {formatEvent(event)}\n"
            told += "" if failure is None else failure.getTraceback()
    return told
