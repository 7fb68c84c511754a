"""The settings: a broken file is told whole and in place, a good one is what it looks like."""

from __future__ import annotations

import errno
import os
import re
import time
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.config import (
    SCHEMA,
    Complaint,
    ConfigError,
    LogSettings,
    Settings,
    example,
    load,
    needs_restart,
    parse,
    reference,
)
from chatroom.kinds import Choice, Number, OrOff, Period, Record, Switch, Text, Texts
from chatroom.limits import Limits, Rate
from chatroom.schema import Option, Section
from chatroom.spans import LONGEST
from chatroom.yamlfile import INVISIBLE

ROOT = Path(__file__).parents[1]
BROKEN = sorted((ROOT / "tests" / "broken").glob("*.yaml"))
EXPECTED = re.compile(r"#! (\d+):(\d+) (\S+): (.+)")


def complaints(text: str, **checks: Any) -> list[str]:
    """What is wrong with a text, as `line:column: key: reason`."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "x.yaml", {key.replace("__", "."): check for key, check in checks.items()})
    return [str(each).removeprefix("x.yaml:") for each in caught.value.complaints]


# Broken files. Each begins with what is expected: "#! line:column key: part of the reason".


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_is_told_in_place(path: Path) -> None:
    head = path.read_text(encoding="utf-8", errors="replace").split("\n")
    expected = [match.groups() for match in map(EXPECTED.fullmatch, head) if match]
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert time.process_time() - began < 1
    found = caught.value.complaints
    assert [(str(c.line), str(c.column), c.key) for c in found] == [e[:3] for e in expected]
    for complaint, (*_, reason) in zip(found, expected, strict=True):
        assert reason in complaint.reason
        assert len(complaint.reason) < 200
    lines = [f"{path}:{c.line}:{c.column}: {c.key}: {c.reason}" for c in found]
    assert str(caught.value) == "\n".join(lines)


def test_there_are_sixty_broken_files() -> None:
    assert len(BROKEN) == 60


def test_a_file_of_ten_megabytes_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(b"motd: x\n" * 1_310_720)
    began = time.process_time()
    with pytest.raises(ConfigError, match=r"big\.yaml:1:1: \(file\): longer than 65536 bytes"):
        load(path)
    assert time.process_time() - began < 0.1


def test_a_file_that_is_not_there_is_a_complaint(tmp_path: Path) -> None:
    reason = r"cannot be read \(No such file or directory\); check its name and its permissions"
    with pytest.raises(ConfigError, match=rf"/missing\.yaml:1:1: \(file\): {reason}$"):
        load(tmp_path / "missing.yaml")


def test_a_folder_is_a_complaint(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r":1:1: \(file\): cannot be read \(Is a directory\)"):
        load(tmp_path)


def test_a_file_of_someone_else_is_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(path: str, mode: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr("chatroom.yamlfile.open", locked, raising=False)
    with pytest.raises(
        ConfigError, match=r"^x:1:1: \(file\): cannot be read \(Permission denied\)"
    ):
        load("x")


# What parses.


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "# nothing\n",
        "---\n",
        "---\n...\n",
        "\ufeff",
        "limits:\nlog:\n",
        "{}",
        "limits: {}",
    ],
)
def test_what_sets_nothing_is_the_defaults(text: str) -> None:
    assert parse(text, "x.yaml") == Settings()


def test_every_option_can_be_set() -> None:
    text = """\
listen:
- line=tcp:8000
- "line=unix:/run/chatroom.sock"
welcome: Hello, world
motd: |
  one: # no comment
  two
lobby: '#hall'
guests: address
log: {format: json, level: "debug", chat: on}
limits:
  connections: 1
  connections_per_address: off
  lines: [5, 0.5]
  recent: off
"""
    settings = parse(text, "x.yaml")
    assert settings.listen == ("line=tcp:8000", "line=unix:/run/chatroom.sock")
    assert settings.welcome == "Hello, world"
    assert settings.motd == "one: # no comment\ntwo\n"
    assert settings.lobby == "#hall"
    assert settings.guests == "address"
    assert settings.log == LogSettings("json", "debug", True)
    assert settings.limits == Limits(
        connections=1, connections_per_address=None, lines=Rate(5, 0.5), recent=None
    )


def test_a_byte_order_mark_moves_no_column(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("\ufeffmotto: hi\r\nmotd: caf\u00e9\r\n".encode())
    with pytest.raises(ConfigError, match=r"x\.yaml:1:1: motto: unknown key") as caught:
        load(path)
    assert len(caught.value.complaints) == 1


def test_half_a_character_is_not_utf_8() -> None:
    assert complaints("motd: \ud83d") == [
        "1:7: (file): not UTF-8 (byte 0xed); save the file as UTF-8"
    ]


def test_load_and_parse_agree(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(example(Settings(welcome="Gr\u00fc\u00df dich")), encoding="utf-8")
    assert load(path) == load(str(path)) == Settings(welcome="Gr\u00fc\u00df dich")


# What only others can judge.


def no_spaces(text: str) -> None:
    if " " in text:
        raise ValueError("no\nspaces\u00a0please")


def test_a_check_complains_where_the_text_stands() -> None:
    found = complaints('lobby: "a b"\nlisten:\n- x\n- y z\n', lobby=no_spaces, listen=no_spaces)
    assert found == ["1:8: lobby: no spaces please", "4:3: listen: no spaces please"]


def test_a_check_sees_only_what_the_file_sets() -> None:
    assert parse("motd: a b", "x.yaml", {"lobby": no_spaces, "welcome": no_spaces})


@pytest.mark.parametrize("key", ["loby", "limits.recent", "limits"])
def test_a_check_that_could_never_be_called_is_a_mistake(key: str) -> None:
    with pytest.raises(ValueError, match=key):
        parse("", "x.yaml", {key: no_spaces})


# Restart or reload.

CHANGED = Settings(
    listen=("line=tcp:1",),
    welcome="",
    motd="new",
    lobby="#new",
    guests="address",
    log=LogSettings("json", "warn", True),
    limits=Limits(recent=None),
)


def test_only_the_lobby_and_the_log_need_a_restart() -> None:
    assert needs_restart(Settings(), CHANGED) == ["lobby", "log.format", "log.level", "log.chat"]
    assert needs_restart(CHANGED, replace(CHANGED, log=LogSettings("json"))) == [
        "log.level",
        "log.chat",
    ]
    assert needs_restart(CHANGED, CHANGED) == []


# What is generated.

REGENERATE = "run: python -m chatroom example > config.example.yaml"


def test_the_example_file_is_the_defaults() -> None:
    assert (ROOT / "config.example.yaml").read_text() == example(), REGENERATE
    assert load(ROOT / "config.example.yaml") == parse(example(), "x.yaml") == Settings()


def test_the_example_has_every_key_below_its_help() -> None:
    text = " ".join(example().replace("#", " ").split())
    for option in SCHEMA.options():
        name = option.key.rpartition(".")[2]
        assert re.search(rf"{re.escape(option.help)}[^:]* {name}:", text), option.key


def test_the_example_is_narrow_enough_for_a_terminal() -> None:
    assert max(map(len, example().splitlines())) <= 100


def test_the_documents_have_the_table_of_options() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    table = text.partition("<!-- options -->\n")[2].partition("<!-- end of options -->")[0]
    assert table == reference(), "put the output of chatroom.config.reference() between the marks"


def test_what_the_documents_show_parses() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    blocks = re.findall("```yaml\n(.*?)```", text, re.S)
    listen, motd, irc = (parse(block, "x.yaml") for block in blocks)
    assert len(listen.listen) == 7
    assert motd.motd.count("\n") == 2
    assert irc.irc.network == "Example" and len(irc.irc.admin) == 2


def test_the_table_has_a_row_of_five_cells_for_each_option() -> None:
    head, _, *rows = reference().splitlines()
    assert [row.split("`")[1] for row in rows] == [option.key for option in SCHEMA.options()]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in [head, *rows]} == {6}


def test_every_field_is_an_option_with_help() -> None:
    keys = set()
    for each in fields(Settings):
        inner = getattr(Settings(), each.name)
        keys |= (
            {f"{each.name}.{x.name}" for x in fields(inner)} if is_dataclass(inner) else {each.name}
        )
    assert {option.key for option in SCHEMA.options()} == keys
    assert all(option.help.endswith(".") for option in SCHEMA.options())


# Anything at all.

VISIBLE = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]).filter(
    lambda character: not INVISIBLE.search(character)
)


def values(kind: object) -> st.SearchStrategy[Any]:
    """What an option of this kind may be."""
    match kind:
        case OrOff(inner):
            return st.none() | values(inner)
        case Number(whole, least, most):
            number: Any = st.integers if whole else st.floats
            return number(least, most)  # type: ignore[no-any-return]
        case Text(multiline):
            return st.text(VISIBLE | st.just("\n") if multiline else VISIBLE)
        case Texts(text, may_be_empty):
            least = 0 if may_be_empty else 1
            return st.lists(values(text), min_size=least, max_size=5, unique=True).map(tuple)
        case Period():
            return st.integers(0, LONGEST)
        case Choice(choices):
            return st.sampled_from(choices)
        case Switch():
            return st.booleans()
        case Record(form, parts):
            return st.tuples(*map(values, parts.values())).map(lambda each: form(*each))
    raise AssertionError(kind)


def settings_of(section: Section) -> st.SearchStrategy[Any]:
    members = {
        name: values(member.kind) if isinstance(member, Option) else settings_of(member)
        for name, member in section.members.items()
    }
    return st.builds(type(section.default), **members)


@given(settings_of(SCHEMA))
def test_any_settings_are_read_back_as_they_were_written(settings: Settings) -> None:
    assert parse(example(settings), "x.yaml") == settings


WORDS = st.sampled_from(
    r"""
    listen welcome motd lobby guests log limits recent lines chat level loby limits.recent
    : : : : - - , [ ] { } & * ! !!str !!int &a *a <<: ? | > |2 ' " \ \x \U # % @ ` --- ... %YAML
    ~ null on off yes no 010 1e3 0x1f 22:30 2024-02-29 = .inf 5 0.5 "5" 99999999999 #lobby line=tcp
    """.strip().split()
)
SPACES = st.sampled_from(
    ["\n", "\n", "\n  ", "\n- ", " ", " ", "", ": ", "\t", "\r\n", "\0", "\x85", "\ufeff"]
)
YAMLISH = st.lists(st.tuples(WORDS, SPACES).map("".join), max_size=60).map("".join)


def is_well_formed(complaint: Complaint, text: str) -> bool:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return (
        complaint.file == "x.yaml"
        and 1 <= complaint.line <= len(lines)
        and 1 <= complaint.column <= len(lines[complaint.line - 1]) + 1
        and bool(complaint.key and complaint.reason)
        and str(complaint).isprintable()
        and len(str(complaint)) < 400
    )


@given(st.text() | YAMLISH | YAMLISH.map(lambda text: example() + text))
def test_any_text_is_settings_or_complaints(text: str) -> None:
    try:
        settings = parse(text, "x.yaml")
    except ConfigError as error:
        assert error.complaints
        assert all(is_well_formed(each, text) for each in error.complaints)
        places = [(each.line, each.column) for each in error.complaints]
        assert places == sorted(places)
    else:
        assert isinstance(settings, Settings)
        assert parse(example(settings), "x.yaml") == settings


@given(data=st.binary() | YAMLISH.map(str.encode))
def test_any_bytes_are_settings_or_complaints(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    try:
        settings = load(path)
    except ConfigError as error:
        assert all(str(each).startswith(f"{path}:{each.line}:") for each in error.complaints)
    else:
        assert parse(data.decode("utf-8"), "x.yaml") == settings
