"""The slash commands: for each one what it does, to whom, and what it refuses, as transcripts
(transcripts.txt); and what holds for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom import __version__
from chatroom.commands import COMMANDS, Command
from chatroom.limits import Limits
from chatroom.names import NICK_RULE, ROOM_RULE
from tests.inmemory import STAMP, Chat

NAMES = [command.name for command in COMMANDS]
BY_NAME = {command.name: command for command in COMMANDS}

WORDS = {
    "{BELL}": "\a",
    "{STAMP}": STAMP,
    "{TIME}": f"[{STAMP.split()[1]}",
    "{VERSION}": __version__,
    "{NICK_RULE}": NICK_RULE,
    "{ROOM_RULE}": ROOM_RULE,
}
STEP = re.compile(r"(\w+) ([<>]) (.*)")
Step = tuple[str, str, str]


def transcripts() -> Iterator[tuple[str, str, list[Step]]]:
    """Of each transcript: the command, what it does, and the steps."""
    text = Path(__file__).with_name("transcripts.txt").read_text("utf-8")
    for word, stands_for in WORDS.items():
        text = text.replace(word, stands_for)
    for section in text.split("\n== ")[1:]:
        title, *lines = filter(None, section.split("\n"))
        name, _, does = title.partition(": ")
        steps = [(m[1], m[2], m[3]) for line in lines if (m := STEP.fullmatch(line))]
        assert len(steps) == len(lines), f"{title}: each line is WHO > TEXT or WHO < TEXT"
        yield name, does, steps


TRANSCRIPTS = tuple(transcripts())


@pytest.mark.parametrize(
    "steps", [pytest.param(steps, id=f"{name}: {does}") for name, does, steps in TRANSCRIPTS]
)
def test_transcript(steps: list[Step]) -> None:
    """After each line that is said, everyone has read what is written there, and no more."""
    chat = Chat(motd="Be kind.\nHave fun.")
    people = dict(zip(("ann", "bob", "cy"), chat.people("ann", "bob", "cy"), strict=True))
    said, due = "", dict[str, list[str]]()
    for who, mark, text in [*steps, ("", ">", "")]:
        if mark == "<":
            due.setdefault(who, []).append(text)
            continue
        read = {nick: lines for nick, person in people.items() if (lines := person.reads())}
        assert read == due, f"after {said}"
        said, due = f"{who} > {text}", {}
        if who:
            people[who].says(text)


def test_every_command_has_transcripts_and_nothing_else_has() -> None:
    assert list(dict.fromkeys(name for name, _, _ in TRANSCRIPTS)) == NAMES


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_each_name_of_a_command_is_used_in_a_transcript(command: Command) -> None:
    said = {
        text.split()[0] for _, _, steps in TRANSCRIPTS for _, mark, text in steps if mark == ">"
    }
    assert {f"/{name}" for name in (command.name, *command.aliases)} <= said


# What holds for all of them


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_help_tells_usage_aliases_and_what_it_does(command: Command) -> None:
    (ann,) = Chat().people("ann")
    (line,) = ann.gets(f"/help {command.name}")
    assert line.startswith(f"-- /{command.name}")
    assert f"{command.usage}" in line
    assert line.endswith(f": {command.help}")
    assert command.help.endswith(".") and command.help[0].islower()
    for alias in command.aliases:
        assert f"/{alias}" in line
        assert ann.gets(f"/help /{alias}") == [line]


def test_help_lists_every_command_once_in_lines_that_fit_a_terminal() -> None:
    (ann,) = Chat().people("ann")
    first, *names, last = ann.gets("/help")
    assert first == "-- What does not start with / is said to the room. The commands:"
    assert last == "-- /help COMMAND tells more."
    assert " ".join(line.removeprefix("-- ") for line in names) == " ".join(
        f"/{name}" for name in NAMES
    )
    assert max(len(line) for line in (first, *names, last)) < 80


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.needs], ids=[c.name for c in COMMANDS if c.needs]
)
def test_what_is_missing_is_answered_with_the_usage_and_reaches_nobody(command: Command) -> None:
    for words in range(command.needs):
        ann, bob = Chat().people("ann", "bob")
        line = " ".join([f"/{command.name}", *["bob"] * words])
        assert ann.gets(line) == [f"-- Usage: /{command.name} {command.usage}"]
        assert bob.reads() == []


def test_names_are_unique_and_typed_easily() -> None:
    names = [name for command in COMMANDS for name in (command.name, *command.aliases)]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.islower() and name.isalpha() for name in names)


def test_usage_says_how_many_words_are_needed() -> None:
    for command in COMMANDS:
        required = [word for word in command.usage.split() if not word.startswith("[")]
        assert command.needs == len(required), command.name


# Lines that are no commands, or no known ones


def test_what_is_no_command_is_said() -> None:
    ann, bob = Chat().people("ann", "bob")
    assert ann.gets("hi", "~/nick", "< bob> hi") == []
    assert bob.reads() == ["<ann> hi", "<ann> ~/nick", "<ann> < bob> hi"]


def test_two_slashes_say_one() -> None:
    ann, bob = Chat().people("ann", "bob")
    assert ann.gets("//nick zoe", "///", "//") == []
    assert bob.reads() == ["<ann> /nick zoe", "<ann> //", "<ann> /"]


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("/jion #a", "Unknown command /jion. Did you mean /join?"),
        ("/whoi", "Unknown command /whoi. Did you mean /whois?"),
        ("/MSSG bob hi", "Unknown command /MSSG. Did you mean /msg?"),
        ("/zzzzzz", "Unknown command /zzzzzz. /help lists the commands."),
        ("/", "Unknown command /. /help lists the commands."),
        ("/ nick zoe", "Unknown command /. /help lists the commands."),
        ("/usr/bin/env is a path", "Unknown command /usr/bin/env. /help lists the commands."),
        ("/{0.__class__} %s", "Unknown command /{0.__class__}. /help lists the commands."),
    ],
)
def test_an_unknown_command_is_never_said_aloud(line: str, reply: str) -> None:
    ann, bob = Chat().people("ann", "bob")
    assert ann.gets(line) == [f"-- {reply}"]
    assert bob.reads() == []


@pytest.mark.parametrize("name", NAMES)
def test_capitals_do_not_matter(name: str) -> None:
    ann, _ = Chat().people("ann", "bob")
    zoe, _ = Chat().people("ann", "bob")
    line = f" {'x ' * BY_NAME[name].needs}"
    assert ann.gets(f"/{name.upper()}{line}") == zoe.gets(f"/{name}{line}")


def test_spaces_around_words_do_not_matter() -> None:
    ann, bob = Chat().people("ann", "bob")
    assert ann.gets("/nick   zoe  ", "/msg  bob   a  b ") == [
        "-- You are zoe now.",
        "[you -> bob] a  b",
    ]
    assert bob.reads()[-1] == "[zoe -> you] a  b"


def test_user_text_is_never_a_format() -> None:
    ann, bob = Chat().people("ann", "bob")
    text = "{x.__class__} {} %s %d {0} \\r"
    ann.gets(text, f"/me {text}", f"/topic {text}", f"/msg bob {text}", f"/away {text}")
    bob.says("/msg ann hi")
    assert bob.reads() == [
        f"<ann> {text}",
        f"* ann {text}",
        f"-- ann set the topic: {text}",
        f"[ann -> you] {text}",
        "[you -> ann] hi",
        f"-- ann is away: {text}",
    ]


# What takes time, limits or many people


def test_whois_and_uptime_tell_how_long() -> None:
    chat = Chat()
    ann = chat.enter("ann")
    chat.now += 90.0
    guest = chat.enter()
    ann.gets("hi")
    chat.now += 86400.0 + 3600.0
    assert guest.gets("/whois ann") == [
        "-- ann is in #lobby.",
        "-- Connected for 1 day 1 hour, silent for 1 day 1 hour.",
    ]
    assert ann.gets(f"/whois {guest.member.nick}")[0] == (
        f"-- {guest.member.nick} (a guest) is in #lobby."
    )
    ann.gets("/part")
    assert guest.gets("/whois ann")[0] == "-- ann is in no room."
    chat.now += 60.0
    assert guest.gets("/uptime") == ["-- Up for 1 day 1 hour, 2 here in 1 room."]


@pytest.mark.parametrize("line", ["hi", "/me waves", "/msg bob hi", "/m bob hi"])
def test_who_speaks_in_any_way_is_not_silent(line: str) -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    chat.now += 60.0
    ann.gets(line)
    assert "silent for 0 seconds." in bob.gets("/whois ann")[-1]


def test_limits_refuse_and_say_how_long_to_wait() -> None:
    chat = Chat(limits=Limits(nick_changes=1, joins=2, rooms_per_member=3))
    ann, bob = chat.people("ann", "bob")
    ann.gets("/nick zoe", "/join #a", "/join #b")
    bob.reads()
    assert ann.gets("/nick ann", "/join #c", "/part #a", "/join #c") == [
        "-- You change nicks too fast. Wait 60 seconds.",
        "-- You are in 3 rooms, the most there may be. /part one first.",
        "-- You left #a, and talk in #b now.",
        "-- You join rooms too fast. Wait 30 seconds.",
    ]
    assert bob.reads() == []
    chat.now += 61.0
    assert ann.gets("/nick ann", "/join #c") == [
        "-- You are ann now.",
        "-- You are ann in #c, alone.",
    ]


def test_history_says_when_no_lines_are_kept() -> None:
    (ann,) = Chat(limits=Limits(recent=None)).people("ann")
    assert ann.gets("hi", "/history") == ["-- No lines are kept here."]


def test_motd_says_when_there_is_none() -> None:
    (ann,) = Chat().people("ann")
    assert ann.gets("/motd") == ["-- There is no message of the day."]


def test_long_lists_are_cut_with_a_count() -> None:
    chat = Chat(limits=Limits(rooms_per_member=None, joins=None))
    (ann,) = chat.people("ann")
    for number in range(204):
        if number == 199:
            assert len(ann.gets("/rooms")) == 200
        chat.hub.join(ann.member, f"#r{number:03}", chat.now)
        chat.hub.enter(ann, chat.now, f"n{number:03}")
    rooms = ann.gets("/rooms")
    assert len(rooms) == 201
    assert rooms[-1] == "-- and 5 smaller rooms."
    (who,) = ann.gets("/who #lobby")
    assert who.startswith("-- #lobby (205 here): ann, n000, n001, ")
    assert who.endswith(", n197 and 6 others")


def test_what_follows_a_quit_is_for_nobody() -> None:
    """No ghost stays behind in a room, and no nick in the hub."""
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    ann.says("/quit", "/join #lobby", "/nick zoe", "/msg bob hi", "hi", "/quit")
    assert bob.reads() == ["-- ann left (1 here)"]
    assert ann.reads() == ["-- Bye."]
    assert bob.gets("/who", "/rooms") == ["-- #lobby (1 here): bob", "-- #lobby (1 here)"]
    assert list(chat.hub.members) == ["bob"]
