"""Exports, imports and backups, also of a store that a daemon writes to."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import DrawFn, composite, integers, lists, none, sampled_from, text

from chatroom.store import words
from chatroom.store.database import Database
from chatroom.store.lines import ADD
from chatroom.store.sqlitefile import SQLiteFile, StoreError, reading
from chatroom.store.transfer import ImportFault, backup, export, import_lines
from chatroom.text import clean
from tests.test_database import Reactor

Row = tuple[Any, ...]
KNOW = "INSERT INTO rooms (room, name) VALUES (?, ?) ON CONFLICT DO NOTHING"
NOON = int(datetime(2026, 3, 1, 12, 0).timestamp() * 1000)
TALK: list[Row] = [
    ("#a", 1, NOON, 2, "ann", None, None, None, None),
    ("#a", 2, NOON, 0, "ann", None, "hi *there* <b>", None, None),
    ("#b", 3, NOON, 1, "bob", "192.0.2.1", "waves", None, None),
    ("#a", 4, NOON + 60_000, 5, "ann", None, "tea", None, None),
    ("#a", 5, NOON + 60_000, 5, "ann", None, "", None, None),
    ("#a", 6, NOON + 60_000, 4, "ann", None, "anne", None, None),
    ("#a", 7, NOON + 60_000, 6, "", None, "The room is slow.", None, None),
    ("#a", 8, NOON + 60_000, 7, "bob", None, "spam", "anne", None),
    ("#a", 9, NOON + 60_000, 8, "bob", None, "rude", "anne", None),
    ("#a", 10, NOON + 86_400_000, 3, "anne", None, "", None, None),
    ("#a", 11, NOON + 86_400_000, 9, "bob", None, "locks the room", '[["key",true,"*"]]', None),
    ("#a", 12, NOON + 86_400_000, 7, "cy", None, "", "anne anne ~u host anne", "~u host "),
    ("#a", 13, NOON + 86_400_000, 0, "bob", None, "one\n\ntwo", '{"notice":true}', "~u host bob"),
]


def store(path: Path | str, *rows: Row) -> str:
    file = SQLiteFile(str(path))
    file.close()
    with contextual(str(path)) as connection:
        connection.executemany(KNOW, {(row[0], row[0].upper()) for row in rows})
        connection.executemany(ADD, rows)
    return str(path)


@contextmanager
def contextual(path: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def rows(path: str) -> list[Row]:
    with contextual(path) as connection:
        return connection.execute("SELECT * FROM lines ORDER BY room, id").fetchall()


def found(path: str, word: str, room: str = "#a") -> list[int]:
    """The ids that a search in the room finds."""
    connection = reading(path)
    cursor = connection.cursor()
    while words.index(cursor, room, 100):
        pass
    ids = [row[1] for row in words.search(cursor, [room], "", [word], 100)]
    connection.commit()
    connection.close()
    return ids


def told(path: str, form: str = "json", room: str = "", since: float = 0) -> list[str]:
    return list(export(path, room, since, form))


def test_text_is_for_people(tmp_path: Path) -> None:
    path = store(tmp_path / "chat.db", *TALK)
    assert told(path, "text") == [
        "[2026-03-01 12:00] [#A] -- ann joined\n",
        "[2026-03-01 12:00] [#A] <ann> hi *there* <b>\n",
        "[2026-03-01 12:01] [#A] -- ann set the topic: tea\n",
        "[2026-03-01 12:01] [#A] -- ann cleared the topic\n",
        "[2026-03-01 12:01] [#A] -- ann is now anne\n",
        "[2026-03-01 12:01] [#A] -- The room is slow.\n",
        "[2026-03-01 12:01] [#A] -- bob was kicked by anne: spam\n",
        "[2026-03-01 12:01] [#A] -- anne took out a line by bob: rude\n",
        "[2026-03-02 12:00] [#A] -- anne left\n",
        "[2026-03-02 12:00] [#A] -- bob locks the room\n",
        "[2026-03-02 12:00] [#A] -- cy was kicked by anne\n",
        "[2026-03-02 12:00] [#A] <bob> one\n",
        "[2026-03-02 12:00] [#A] <bob> \n",
        "[2026-03-02 12:00] [#A] <bob> two\n",
        "[2026-03-01 12:00] [#B] * 192.0.2.1 waves\n",
    ]


def test_markdown_has_rooms_and_days_and_shows_text_as_it_is(tmp_path: Path) -> None:
    path = store(tmp_path / "chat.db", *TALK)
    whole = "".join(told(path, "md"))
    assert whole.startswith(
        "# \\#A\n\n## 2026-03-01\n\n- 12:00 *-- ann joined*\n"
        "- 12:00 **ann**: hi \\*there\\* \\<b\\>\n"
    )
    assert "\n## 2026-03-02\n\n- 12:00 *-- anne left*\n" in whole
    assert "- 12:00 **bob**: one\n- 12:00 **bob**\n- 12:00 **bob**: two\n# \\#B\n" in whole


def test_one_room_and_a_time_narrow_it_down(tmp_path: Path) -> None:
    path = store(tmp_path / "chat.db", *TALK)
    assert [json.loads(line)["id"] for line in told(path, room="#B")] == [3]
    late = [json.loads(line)["id"] for line in told(path, since=NOON / 1000 + 61)]
    assert late == [10, 11, 12, 13]
    with pytest.raises(StoreError, match="Nothing is kept of a room #none"):
        told(path, room="#none")


SOURCES = [None, "~u host ", "~u host ann", "  ann"]
OTHER: dict[int, list[Any]] = {  # what there may be beside the text, by the kind
    0: [None, '{"rich":"\\u0002hi\\u000bho","tags":[["+draft/reply","6"]]}', '{"notice":true}'],
    1: [None, '{"notice":true}'],
    3: [None, "gone"],
    7: ["bob", "bob bob ~u host bob"],
    8: ["bob"],
    9: ["[]", '[["muted",true,""],["key",true,"*"]]'],
    11: ['{"tags":[["+draft/react","x"]]}'],
}


@composite
def talks(draw: DrawFn) -> list[Row]:
    """Rows of some rooms, of every kind, as a daemon writes them."""
    clean_text = text(max_size=20).map(clean)
    lines = lists(clean_text, min_size=1, max_size=3).map("\n".join).filter(str.strip)
    made = []
    for id in sorted(draw(lists(integers(-50, 50), unique=True, max_size=8))):
        kind = draw(sampled_from([*range(10), 11]))
        texts = {0: lines, 1: clean_text.filter(bool), 11: none()}
        said = draw(texts.get(kind, none() | clean_text))
        nick = draw(sampled_from(["ann", "b-b[]", "guest-7k2"]))
        shown = draw(none() | sampled_from(["192.0.2.1", "2001:db8::1"]))
        time, room = draw(integers(0, 2**42)), draw(sampled_from(["#a", "#b"]))
        other, source = draw(sampled_from(OTHER.get(kind, [None]))), draw(sampled_from(SOURCES))
        made.append((room, id, time, kind, nick, shown, said, other, source))
    return sorted(made, key=lambda row: row[:2])


@settings(max_examples=25)
@given(talks())
def test_an_export_that_is_imported_gives_the_same_and_twice_adds_nothing(talk: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = store(f"{folder}/first.db", *talk)
        second = store(f"{folder}/second.db")
        lines = told(first)
        assert import_lines(second, lines, "x") == (len(talk), 0)
        assert rows(second) == talk == rows(first)
        assert import_lines(second, lines, "x") == (0, len(talk))
        assert import_lines(first, lines, "x") == (0, len(talk))
        assert rows(second) == talk


def test_in_a_room_that_has_lines_it_comes_before_them_and_is_found(tmp_path: Path) -> None:
    old = store(tmp_path / "old.db", *TALK)
    new = store(tmp_path / "new.db", ("#a", 3, NOON, 0, "cy", None, "hi again", None, None))
    assert found(new, "hi") == [3]
    assert import_lines(new, told(old), "x") == (13, 0)
    assert [row[6] for row in rows(new) if row[0] == "#a" and row[3] == 0] == [
        "hi *there* <b>",
        "one\n\ntwo",
        "hi again",
    ]
    ids = [row[1] for row in rows(new)]
    assert len(set(ids)) == len(ids) == 14 and max(ids) == 3
    assert len(found(new, "hi")) == 2 and len(found(new, "waves", "#b")) == 1


def test_lines_of_two_stores_are_not_mixed_up(tmp_path: Path) -> None:
    to = store(tmp_path / "to.db")
    for room, said in (("#a", "apple"), ("#b", "pear")):
        from_ = store(tmp_path / f"{said}.db", (room, 1, NOON, 0, "ann", None, said, None, None))
        assert import_lines(to, told(from_), "x") == (1, 0)
    assert len({row[1] for row in rows(to)}) == 2
    assert found(to, "apple", "#a") and found(to, "pear", "#b")
    assert not found(to, "apple", "#b") and not found(to, "pear", "#a")


def test_different_lines_with_one_id_are_all_added(tmp_path: Path) -> None:
    to = store(tmp_path / "to.db")
    lines: list[str] = []
    for room, said in (("#a", "apple"), ("#a", "pear"), ("#b", "plum")):
        from_ = store(tmp_path / f"{said}.db", (room, 1, NOON, 0, "ann", None, said, None, None))
        lines += told(from_) * 2
    assert import_lines(to, lines, "x")[0] == 3
    assert sorted(row[6] for row in rows(to)) == ["apple", "pear", "plum"]
    assert import_lines(to, lines, "x")[0] == 0


def test_what_is_imported_where_all_lines_are_gone_is_found(tmp_path: Path) -> None:
    to = store(tmp_path / "to.db", ("#a", 100, NOON, 0, "ann", None, "gone", None, None))
    assert found(to, "gone") == [100]
    with contextual(to) as connection:
        connection.execute("DELETE FROM lines")
    from_ = store(tmp_path / "from.db", *TALK)
    import_lines(to, told(from_), "x")
    assert len(found(to, "there")) == 1


GOOD: dict[str, Any] = {
    "room": "#a",
    "id": 1,
    "time": 1.5,
    "kind": "said",
    "nick": "ann",
    "text": "hi",
}
WRONG: dict[str, list[Any]] = {
    "text": ["", None, 5, "\n", "a\r\nb", "a\nb\x1b[31m", "\u202e", "\ud800"],
    "other": [
        5,
        "a\nb",
        "x",
        '{"rich":5}',
        '{"rich":"a\\r\\nQUIT"}',
        '{"rich":"a\\nb"}',
        '{"rich":"\\u202e"}',
        '{"tags":[["a b","c"]]}',
        '{"tags":[["a","\\u0000"]]}',
        '{"tags":[["a\\n","c"]]}',
    ],
    "source": [
        5,
        "ann",
        "a b",
        "a b c d",
        "a!b c d",
        "a@b c d",
        "a\rb c d",
        "a b c\n",
        "x" * 65 + " b c",
        "a " + "x" * 257 + " c",
        "a b ann@",
    ],
    "shown": [5, "a\x07", ["x"]],
    "nick": ["", "a b", "é", 5, None, "x" * 33],
    "room": ["a", "", "#", "#a b", 5, None, "#" + "x" * 64],
    "id": ["1", 1.5, True, None, 2**60],
    "time": ["1", -1, True, None, 1e300, float("nan")],
    "kind": ["told", "", 0, None, []],
}


def without(key: str) -> str:
    return json.dumps({name: value for name, value in GOOD.items() if name != key})


def with_(**other: Any) -> str:
    return json.dumps(GOOD | other)


@pytest.mark.parametrize(
    "wrong",
    [
        *(without(key) for key in GOOD),
        *(with_(**{key: value}) for key, values in WRONG.items() for value in values),
        "",
        "{",
        "[]",
        "5",
        "null",
        '"text"',
        "[" * 100_000,
        "not json",
    ],
    ids=lambda wrong: wrong[:70].encode("unicode_escape").decode(),
)
def test_what_is_wrong_is_refused_with_its_line_and_nothing_is_added(wrong: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = store(f"{folder}/chat.db")
        lines = [with_(id=7), "\n", wrong]
        if not wrong:  # an empty line is passed over
            assert import_lines(path, lines, "old.json") == (1, 0)
            return
        with pytest.raises(ImportFault, match=r"^old\.json:3: ."):
            import_lines(path, lines, "old.json")
        assert rows(path) == []
        with contextual(path) as connection:
            assert connection.execute("SELECT * FROM rooms").fetchall() == []


@pytest.mark.parametrize(
    "wrong",
    [
        with_(kind="acted", text="a\nb"),
        with_(kind="topicset", text="a\nb"),
        with_(kind="ruled", other="x"),
        with_(kind="ruled", other='[["mute",true,""]]'),
        with_(kind="told", other="bob"),
        with_(kind="tagged", text=None),
        with_(kind="tagged", other='{"tags":[["+draft/react","x"]]}'),
        with_(room=":ann:bob", kind="told", other="bob"),
    ],
)
def test_what_no_line_of_a_room_can_be_is_refused(wrong: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = store(f"{folder}/chat.db")
        with pytest.raises(ImportFault, match=r"^x:1: ."):
            import_lines(path, [wrong], "x")


def test_private_lines_are_not_exported(tmp_path: Path) -> None:
    row = (":ann:bob", 50, NOON, 10, "ann", None, "psst", "bob", "~u host ann")
    path = store(tmp_path / "chat.db", *TALK, row)
    assert len(told(path)) == len(TALK) and "psst" not in "".join(told(path, "text"))


def test_what_has_nothing_to_read_is_in_json_alone(tmp_path: Path) -> None:
    other = '{"tags":[["+draft/react","x"]]}'
    path = store(tmp_path / "chat.db", ("#a", 1, NOON, 11, "ann", None, None, other, None))
    (line,) = told(path)
    assert json.loads(line)["kind"] == "tagged" and json.loads(line)["other"] == other
    assert told(path, "text") == [] and "ann" not in "".join(told(path, "md"))


def test_a_notice_needs_no_nick(tmp_path: Path) -> None:
    path = store(tmp_path / "chat.db")
    assert import_lines(path, [with_(kind="notice", nick="")], "x") == (1, 0)


def test_a_backup_is_a_store_only_for_who_made_it(tmp_path: Path) -> None:
    path, to = store(tmp_path / "chat.db", *TALK), str(tmp_path / "copy.db")
    backup(path, to)
    assert rows(to) == rows(path) and stat.S_IMODE(os.stat(to).st_mode) == 0o600
    SQLiteFile(to).close()
    with pytest.raises(StoreError, match="is there already"):
        backup(path, to)
    with pytest.raises(StoreError, match="can't be written"):
        backup(path, str(tmp_path / "none" / "copy.db"))
    with pytest.raises(StoreError, match="There is no"):
        backup(str(tmp_path / "none.db"), str(tmp_path / "other.db"))
    assert not (tmp_path / "other.db").exists()


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path, to = store(tmp_path / "chat.db", *TALK), tmp_path / "copy.db"
    with contextual(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[: len(whole) // 2 + 100])  # its end is missing
    with pytest.raises(StoreError):
        backup(path, str(to))
    assert not to.exists()


def test_a_store_that_a_daemon_writes_is_exported_imported_and_copied(tmp_path: Path) -> None:
    path, reactor = str(tmp_path / "chat.db"), Reactor()
    other = store(tmp_path / "other.db", *TALK)
    database = Database(SQLiteFile(path), reactor, print)
    try:
        for number in range(1, 4):
            database.write(KNOW, "#a", "#a")
            database.write(ADD, "#a", number, NOON, 0, "cy", None, f"line {number}", None, None)
            reactor.result(database.flush())
            assert len(told(path)) == number
        assert import_lines(path, told(other), "x") == (13, 0)
        database.write(ADD, "#a", 4, NOON, 0, "cy", None, "line 4", None, None)
        reactor.result(database.flush())
        backup(path, str(tmp_path / "copy.db"))
        assert len(told(path)) == len(rows(str(tmp_path / "copy.db"))) == 17
        ids = [row[1] for row in reactor.result(database.read("SELECT * FROM lines"))]
        assert len(set(ids)) == 17 and sum(id > 0 for id in ids) == 4
    finally:
        reactor.result(database.close())


def test_while_a_daemon_runs_ids_are_left_to_it(tmp_path: Path) -> None:
    path, other = str(tmp_path / "chat.db"), store(tmp_path / "other.db", *TALK)
    file = SQLiteFile(path)
    try:
        import_lines(path, told(other), "x")
    finally:
        file.close()
    assert max(row[1] for row in rows(path)) <= 0
