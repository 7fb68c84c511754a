"""chatroom.__main__: the `chatroom` command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chatroom import __version__
from chatroom.__main__ import main
from chatroom.config import Settings, example, load

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
