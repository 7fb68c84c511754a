"""YAML with places: what is no YAML, what is refused of it, and how little any file costs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from chatroom.yamlfile import (
    MOST_BYTES,
    Complaint,
    Complaints,
    ConfigError,
    clipped,
    compose,
    dotted,
    is_refused,
    read_bytes,
)


def composed(text: str | bytes) -> tuple[yaml.Node | None, list[str]]:
    """The root, if it came to that, and the complaints as `line:column: key: reason`."""
    complaints = Complaints("x")
    root = None
    try:
        root = compose(text.encode() if isinstance(text, str) else text, complaints)
        error = complaints.error()
    except ConfigError as raised:
        error = raised
    return root, [str(each).removeprefix("x:") for each in error.complaints]


def test_a_node_knows_its_place() -> None:
    root, found = composed("a: 1\nb:\n  - c\n  - [d]\n")
    assert not found
    assert isinstance(root, yaml.MappingNode)
    (_, one), (_, items) = root.value
    assert (one.start_mark.line, one.start_mark.column) == (0, 3)
    assert (items.value[1].start_mark.line, items.value[1].start_mark.column) == (3, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\tb: c", "2:1: a: a tab; use spaces"),
        ("a: |\n\tb", "2:1: (file): a tab; use spaces"),
        ("a: 'b\n---\n", "1:4: a: this quote is never closed"),
        ('a: "b', "1:4: a: this quote is never closed"),
        ("a: [b\nc: d", "1:4: a: a list opens here; a comma or its ] is missing"),
        ("a: {b: c\nd: e", "1:4: a: a mapping opens here; a comma or its } is missing"),
        (
            "a: b: c",
            "1:5: (file): no ':' can stand here; quote the value, or look for one missing above",
        ),
        ("a: - b", "1:4: a: a list item can't begin here; give it a line of its own"),
        ("a: b\nc", "2:1: (file): neither 'key: value' nor '- item'; mind the spaces"),
        (
            "a:\n  b: c\n d: e",
            "3:2: (file): not indented like what stands above, or a quote too many",
        ),
        ("a: 'b'c'", "1:7: (file): not indented like what stands above, or a quote too many"),
        ("a: `b`", "1:4: a: a value can't begin with this; put it in quotes"),
        ("a: %b", "1:4: a: a value can't begin with this; put it in quotes"),
        ("a: }", "1:4: a: a value can't begin with this; put it in quotes"),
        (r'a: "\q"', "1:6: a: an escape that YAML does not have; for a backslash write two"),
        (r'a: "\x1"', "1:7: a: an escape without its digits; for a backslash write two"),
        (r'a: "\UFFFFFFFF"', "1:7: a: a number out of range; remove it"),
        ("%YAML 1." + "1" * 5000 + "\n---", "1:9: (file): a number out of range; remove it"),
        ("%YAML 9.1\n---", "1:1: (file): not valid YAML: found incompatible YAML document"),
        ("a\n...\nb", "3:1: (file): the document has ended; remove what follows"),
        ("a\n---\nb", "2:1: (file): a second document; write everything in one"),
        ("a: !x!y b", "1:4: a: a tag (!); write the value alone"),
        ("a: !<%ff> b", "1:6: a: a tag (!); write the value alone"),
    ],
)
def test_what_is_no_yaml_is_told_with_a_remedy(text: str, expected: str) -> None:
    root, found = composed(text)
    assert root is None
    assert [each.partition(" (version")[0] for each in found] == [expected]


@pytest.mark.parametrize(
    "text", ["!hunter2!x", "a: !hunter2!x", "&hunter2 a: @", "hunter2: 'a", "hunter2 @: %"]
)
def test_a_syntax_error_does_not_quote_the_file(text: str) -> None:
    _, found = composed(f"password: {text}")
    assert found
    assert "hunter2" not in "".join(found)


def test_what_can_be_read_past_is_told_all_at_once() -> None:
    root, found = composed("a: &x [1, *x, !!str 5]\nb: !foo {c: &y d}\n? *x\n: e\n")
    assert found == [
        "1:4: a: an anchor (&); write the value alone",
        "1:11: a: an alias (*); write the value out",
        "1:15: a: a tag (!); write the value alone",
        "2:4: b: a tag (!); write the value alone",
        "2:13: b.c: an anchor (&); write the value alone",
        "3:3: (file): an alias (*); write the value out",
    ]
    assert isinstance(root, yaml.MappingNode)
    items = root.value[0][1].value
    assert [is_refused(item) for item in items] == [False, True, False]


def test_an_anchor_that_is_set_twice_is_an_anchor_like_others() -> None:
    _, found = composed("[&a b, &a c]")
    assert [each[:4] for each in found] == ["1:2:", "1:8:"]


def test_without_its_tag_a_value_is_what_it_looks_like() -> None:
    root, _ = composed("[!!str 5, !!int 'five', ! 6]")
    assert isinstance(root, yaml.SequenceNode)
    assert [item.tag.rpartition(":")[2] for item in root.value] == ["int", "str", "int"]


@pytest.mark.parametrize(
    ("data", "place", "byte"),
    [
        ("caf\u00e9: \u00e9\n\u00e9 \u00e9".encode()[:-1], "2:3", "c3"),
        ("a: b".encode("utf-16"), "1:1", "ff"),
        (b"\xef\xbb\xbfa: \xff", "1:4", "ff"),
        ("a: \ud800".encode("utf-8", "surrogatepass"), "1:4", "ed"),
    ],
)
def test_what_is_not_utf_8_is_told_in_place(data: bytes, place: str, byte: str) -> None:
    reason = f"not UTF-8 (byte 0x{byte}); save the file as UTF-8"
    assert composed(data) == (None, [f"{place}: (file): {reason}"])


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("a: b\n# c\x1b[2J", "2:4", "001B"),
        ("a: b\rc: d\r\ne: \0", "3:4", "0000"),
        ("a: \ufeff", "1:4", "FEFF"),
        ("\ufeff\ufeffa: b", "1:1", "FEFF"),
        ("a: \u2028", "1:4", "2028"),
        ("a: \u2066", "1:4", "2066"),
        ("a: \ufff9", "1:4", "FFF9"),
        ("\U0001f600: \x85", "1:4", "0085"),
        ("a: \uffff", "1:4", "FFFF"),
    ],
)
def test_what_cannot_be_seen_is_told_in_place(text: str, place: str, code: str) -> None:
    reason = f"the invisible character U+{code} stands here; remove it"
    assert composed(text) == (None, [f"{place}: (file): {reason}"])


@pytest.mark.parametrize(
    "text", ["\u00a0", "\u2027", "\ufffd", "\U0001f468\u200d\U0001f469", "\u0622\u200c\u0628"]
)
def test_writing_of_every_kind_may_stand_in_a_file(text: str) -> None:
    root, found = composed(f"'{text}'")
    assert not found
    assert root is not None
    assert root.value == text


N = MOST_BYTES
BOMB = "a0: &a0 [lol]\n" + "".join(f"a{n + 1}: &a{n + 1} [{f'*a{n}, ' * 9}]\n" for n in range(60))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * (N + 1), "longer than 65536 bytes"),
        ("[" * N, "more than 8 levels deep"),
        ("{" * N, "more than 8 levels deep"),
        ("- " * (N // 2), "more than 8 levels deep"),
        ("? " * (N // 2), "more than 8 levels deep"),
        ("{a: " * (N // 4), "more than 8 levels deep"),
        ("- a\n" * (N // 4), "more than 1000 values"),
        ("a: b\n" * (N // 5), "more than 1000 values"),
        ("[" + "a," * (N // 2 - 1) + "]", "more than 1000 values"),
        ("a: [" + "*a," * (N // 3 - 2) + "]", "more than 1000 values"),
        ("a: " + "&a " * (N // 3 - 1), "not indented"),
        (BOMB, "an alias"),
        ('"' + "\n" * (N - 1), "this quote is never closed"),
        ("%A\n" * (N // 3), "the document has ended"),
        ("a: !<" + "%41" * (N // 3 - 2), "not valid YAML"),
    ],
    ids=lambda value: value[:8],
)
def test_no_file_costs_more_than_a_moment(text: str, reason: str) -> None:
    began = time.process_time()
    _, found = composed(text)
    assert time.process_time() - began < 1
    assert reason in found[-1]


def test_read_takes_no_more_of_a_file_than_shows_that_it_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x" * (2 * MOST_BYTES))
    assert len(read_bytes(path, Complaints("x"))) == MOST_BYTES + 1


def test_complaints_come_in_the_order_of_the_file() -> None:
    error = ConfigError([Complaint("x", 2, 1, "b", "no"), Complaint("x", 1, 9, "a", "no")])
    assert str(error) == "x:1:9: a: no\nx:2:1: b: no"
    assert [each.key for each in error.complaints] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abc", "'abc'"),
        ("a\nb\x1b", r"'a\nb\x1b'"),
        ("\u00e9\u202e", r"'\xe9\u202e'"),
        ("x" * 40, "'" + "x" * 40 + "'"),
        ("x" * 41, "'" + "x" * 37 + "...'"),
    ],
)
def test_a_quoted_text_is_short_and_on_one_line(text: str, shown: str) -> None:
    assert clipped(text) == shown


@pytest.mark.parametrize(
    ("section", "name", "shown"),
    [
        ("", "lobby", "lobby"),
        ("limits", "line-bytes", "limits.line-bytes"),
        ("limits", "a: b", "limits.'a: b'"),
        ("", "caf\u00e9", r"'caf\xe9'"),
        ("", "x" * 50, "'" + "x" * 37 + "...'"),
        ("a", "", "a.''"),
    ],
)
def test_a_key_is_shown_as_it_is_only_if_it_is_a_word(section: str, name: str, shown: str) -> None:
    assert dotted(section, name) == shown
