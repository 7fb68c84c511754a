"""chatroom.__main__: the `chatroom` command."""

from __future__ import annotations

import io
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from chatroom import __version__
from chatroom.__main__ import main
from chatroom.config import Settings, example, load
from chatroom.store.sqlitefile import SQLiteFile

ROOT = Path(__file__).parents[1]


def test_check_says_that_a_file_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "chatroom.yaml"
    file.write_text("welcome: Hello!\n")
    assert main(["check", str(file)]) == 0
    assert capsys.readouterr() == (f"{file}: fine\n", "")


def test_check_says_all_that_is_wrong_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also what only the daemon can judge: its listeners, and the name of a room."""
    file = tmp_path / "chatroom.yaml"
    file.write_text("welcome: no\nlobby: no room\nlisten:\n- web=tcp:80\n- line=tpc:80\n")
    assert main(["check", str(file)]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    complaints = [line.removeprefix(f"{file}:").split(": ")[:2] for line in errors.splitlines()]
    assert complaints == [
        ["1:10", "welcome"],
        ["2:8", "lobby"],
        ["4:3", "listen"],
        ["5:3", "listen"],
    ]


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_check_says_what_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    file = tmp_path / name
    assert main(["check", str(file)]) == 1
    assert capsys.readouterr().err.startswith(f"{file}:1:1: (file): cannot be read (")


def test_example_prints_a_file_with_the_defaults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["example"]) == 0
    printed = capsys.readouterr().out
    assert printed == example()
    file = tmp_path / "chatroom.yaml"
    file.write_text(printed)
    assert load(file) == Settings()
    assert main(["check", str(file)]) == 0


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"chatroom {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["chekc"], ["check"], ["example", "x"]])
def test_what_it_does_not_understand_shows_how_it_is_used(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("usage: chatroom ")


def test_help_names_the_commands_and_how_to_start_the_daemon(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "twistd -n chatroom" in shown
    assert "check" in shown
    assert "example" in shown


def test_python_runs_it_as_a_module_and_gives_its_status_on(tmp_path: Path) -> None:
    file = tmp_path / "chatroom.yaml"
    file.write_text("nonsense: 1\n")
    ended = subprocess.run(
        [sys.executable, "-m", "chatroom", "check", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"{file}:1:1: nonsense: unknown key; ")


# The store


def said(folder: Path) -> Path:
    """A store in which two have spoken."""
    path = folder / "chatroom.db"
    SQLiteFile(str(path)).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO rooms (room, name) VALUES ('#ops', '#Ops')")
        rows = [(1, 0, "ann", "hello"), (2, 1, "bob", "waves"), (3, 2, "cy", None)]
        connection.executemany(
            "INSERT INTO lines VALUES ('#ops', ?, 1790000000000, ?, ?, NULL, ?, NULL, NULL)", rows
        )
        connection.execute(
            "INSERT INTO audit VALUES (1, 1790000000000, 'ann', 'ann', '', 'kick', '#ops', 'x', '')"
        )
    return path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(words)
    return status, *capsys.readouterr()


def test_export_prints_what_was_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = f"--store={said(tmp_path)}"
    status, output, _ = run(capsys, "export", store, "--room", "OPS")
    assert status == 0
    texts = [line.split("] ", 2)[2] for line in output.splitlines()]
    assert texts == ["<ann> hello", "* bob waves", "-- cy joined"]
    assert run(capsys, "export", store, "--since", "10m") == (0, "", "")
    assert run(capsys, "export", store, "--since", "2020-01-01")[1] == output


def test_what_was_exported_can_be_imported_and_only_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = f"--store={said(tmp_path)}"
    _, output, _ = run(capsys, "export", store, "--format", "json")
    file, new = tmp_path / "said.jsonl", tmp_path / "new.db"
    file.write_text(output)
    SQLiteFile(str(new)).close()
    added = run(capsys, "import", f"--store={new}", str(file))
    assert added == (0, "3 added, 0 were there already\n", "")
    again = run(capsys, "import", f"--store={new}", str(file))
    assert again == (0, "0 added, 3 were there already\n", "")
    assert run(capsys, "export", f"--store={new}", "--format=json")[1] == output


def test_backup_copies_the_store_but_over_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, copy = f"--store={said(tmp_path)}", tmp_path / "copy.db"
    assert run(capsys, "backup", store, str(copy)) == (0, "", "")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert run(capsys, "export", f"--store={copy}") == run(capsys, "export", store)
    status, _, error = run(capsys, "backup", store, str(copy))
    assert (status, error) == (1, f"{copy} is there already. Choose a file that is not.\n")


def test_audit_prints_what_operators_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, output, _ = run(capsys, "audit", f"--store={said(tmp_path)}")
    assert status == 0
    assert output.endswith("ann (account ann): kick x in #ops\n")


@pytest.mark.parametrize("command", ["export", "audit", "backup", "import"])
def test_a_store_that_is_not_there_is_said_so(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    words = [str(file)] if command in ("backup", "import") else []
    if command == "backup":
        file.unlink()
    missing = tmp_path / "none.db"
    status, output, error = run(capsys, command, f"--store={missing}", *words)
    assert (status, output, error) == (1, "", f"There is no {missing}.\n")
    assert not missing.exists()


def test_a_file_that_cannot_be_imported_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = f"--store={said(tmp_path)}"
    missing, broken = tmp_path / "none", tmp_path / "broken"
    broken.write_text('\n{"room": "#ops"}\n')
    assert (
        run(capsys, "import", store, str(missing))[2] == f"{missing}: No such file or directory\n"
    )
    assert run(capsys, "import", store, str(broken))[2].startswith(f"{broken}:2: ")


def test_hash_password_prints_a_hash_that_fits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct-horse\n"))
    status, output, _ = run(capsys, "hash-password")
    assert status == 0
    assert PasswordHasher().verify(output.strip(), "correct-horse")
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    status, output, error = run(capsys, "hash-password")
    assert (status, output) == (1, "")
    assert "at least 8" in error and "short" not in error
