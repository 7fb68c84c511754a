"""chatroom.service: the options of `twistd chatroom`. tests/test_plugin.py has the real daemon."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chatroom.config import Settings
from chatroom.service import Options

LOCAL = "line=tcp:8000:interface=127.0.0.1"
OPEN = "line=tcp:8000"
OTHER = "line=tcp:8001"


def parsed(*arguments: str) -> Options:
    options = Options()
    options.parseOptions(arguments)
    return options


@pytest.mark.parametrize(
    ("arguments", "listen"),
    [
        ([], [LOCAL]),
        (["--port", "8001"], ["line=tcp:8001:interface=127.0.0.1"]),
        (["-p", "0"], ["line=tcp:0:interface=127.0.0.1"]),
        (["--port=65535", "--interface=0.0.0.0"], ["line=tcp:65535:interface=0.0.0.0"]),
        (["--interface", "::1"], [r"line=tcp:8000:interface=\:\:1"]),
        (["--listen", OTHER, "--listen", OPEN], [OTHER, OPEN]),
        (["--listen", OTHER, "--port", "1"], ["line=tcp:1:interface=127.0.0.1", OTHER]),
    ],
)
def test_options_say_where_to_listen(arguments: list[str], listen: list[str]) -> None:
    assert parsed(*arguments).settings == Settings(listen=tuple(listen))


def test_options_win_over_the_file_also_when_it_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "chatroom.yaml"
    file.write_text(f"welcome: Hello!\nlisten:\n- {OTHER}\n")
    from_file = Settings(welcome="Hello!", listen=(OTHER,))
    assert parsed("--config", str(file)).settings == from_file
    options = parsed("--config", str(file), "--listen", OPEN)
    assert options.settings == replace(from_file, listen=(OPEN,))
    file.write_text(f"motd: Tea!\nlisten:\n- {OTHER}\n")
    assert options.read() == Settings(motd="Tea!", listen=(OPEN,))


def test_the_file_is_found_again_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon changes to another folder after it has read its options."""
    (tmp_path / "chatroom.yaml").write_text("welcome: Hello!\n")
    monkeypatch.chdir(tmp_path)
    options = parsed("--config", "chatroom.yaml")
    monkeypatch.chdir("/")
    assert options.read().welcome == "Hello!"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "x"], "--port x: write a number from 0 to 65535"),
        (["--port", ""], "--port : write a number from 0 to 65535"),
        (["--port", "-1"], "--port -1: write a number from 0 to 65535"),
        (["--port", "65536"], "--port 65536: write a number from 0 to 65535"),
        (["--port", "9" * 5000], f"--port {'9' * 5000}: write a number from 0 to 65535"),
        (
            ["--listen", "8000"],
            "--listen 8000: write PROTOCOL=ENDPOINT with a protocol of line or irc, "
            "as in line=tcp:8000",
        ),
        (
            ["--listen", "line=tcp:x"],
            "--listen line=tcp:x: invalid literal for int() with base 10: 'x'; "
            "write it as in tcp:8000:interface=127.0.0.1",
        ),
        (
            ["--config", "/missing/chatroom.yaml"],
            "/missing/chatroom.yaml:1:1: (file): cannot be read (No such file or directory); "
            "check its name and its permissions",
        ),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_a_bad_value_ends_it_with_one_sentence(arguments: list[str], complaint: str) -> None:
    with pytest.raises(SystemExit) as end:
        parsed(*arguments)
    assert end.value.code == complaint


def test_all_that_is_wrong_with_the_file_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "chatroom.yaml"
    file.write_text("lobby: no room\nlisten: [web=tcp:80, line=tpc:80]\nmotto: x\n")
    with pytest.raises(SystemExit) as end:
        parsed("--config", str(file))
    complaints = str(end.value.code).splitlines()
    assert [line.split(": ")[:2] for line in complaints] == [
        [f"{file}:1:8", "lobby"],
        [f"{file}:2:10", "listen"],
        [f"{file}:2:22", "listen"],
        [f"{file}:3:1", "motto"],
    ]
