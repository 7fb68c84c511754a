"""The units in contrib/: what systemd thinks of them, and that what they start exists."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from twisted.scripts._twistd_unix import ServerOptions

from chatroom.__main__ import main
from chatroom.service import Options

ROOT = Path(__file__).resolve().parent.parent
SERVICE = ROOT / "contrib" / "chatroom.service"
SOCKET = ROOT / "contrib" / "chatroom.socket"

MOST_EXPOSED = 2.0


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    command = [program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _settings(unit: Path) -> dict[str, dict[str, list[str]]]:
    """Every setting of a unit by section and name, with the values it is given, in order."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            section.setdefault(name, []).append(value)
    return sections


def test_the_service_is_exposed_to_2_point_0_at_most() -> None:
    result = _analyze("security", "--offline=true", "--no-pager", str(SERVICE))
    found = re.search(r"Overall exposure level for chatroom\.service: ([\d.]+)", result.stdout)
    assert found, result.stdout + result.stderr
    assert float(found[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", [SERVICE, SOCKET], ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong_but_what_is_not_installed_here(unit: Path) -> None:
    result = _analyze("verify", "--man=no", str(unit))
    missing = re.compile(r".*Command /opt/chatroom/bin/\w+ is not executable: No such file.*")
    # It reads this machine's own units as well, and complains of them by name.
    ours = [line for line in result.stderr.splitlines() if "chatroom" in line]
    assert [line for line in ours if not missing.fullmatch(line)] == []


def test_the_service_is_started_with_options_that_exist() -> None:
    (command,) = _settings(SERVICE)["Service"]["ExecStart"]
    program, *arguments = shlex.split(command)
    at = arguments.index("chatroom")
    assert program == "/opt/chatroom/bin/twistd"
    for words, options in [(arguments[:at], ServerOptions()), (arguments[at + 1 :], Options())]:
        named = {word.partition("=")[0] for word in words if word.startswith("--")}
        known = {f"--{name.rstrip('=')}" for name in options.longOpt}
        assert named <= known
    assert arguments[:at] == ["-n", "--pidfile="]
    assert arguments[at + 1 :] == ["--config", "/etc/chatroom.yaml"]


def test_a_reload_checks_the_file_with_a_command_that_exists_and_only_then_sends_sighup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check, hangup = _settings(SERVICE)["Service"]["ExecReload"]
    assert check == "/opt/chatroom/bin/chatroom check /etc/chatroom.yaml"
    assert hangup == "/bin/kill -HUP $MAINPID"
    scripts = configparser.ConfigParser()
    scripts.read(ROOT / "setup.cfg")
    entry_points = scripts["options.entry_points"]["console_scripts"].split()
    assert entry_points == ["chatroom", "=", "chatroom.__main__:main"]
    broken = tmp_path / "chatroom.yaml"
    broken.write_text("no_such_key: 1\n")
    assert main(["check", str(broken)]) == 1
    assert "no_such_key" in capsys.readouterr().err


def test_the_service_may_do_what_the_daemon_does() -> None:
    """Listen on TCP and UNIX sockets, raise its limit of descriptors, and speak TLS (whose
    callbacks need memory that is writable and executable)."""
    service = _settings(SERVICE)["Service"]
    assert service["RestrictAddressFamilies"] == ["AF_INET AF_INET6 AF_UNIX"]
    assert service["RuntimeDirectory"] == ["chatroom"]
    assert "PrivateNetwork" not in service
    assert "MemoryDenyWriteExecute" not in service
    assert not any("@resources" in value for value in service["SystemCallFilter"])


def test_systemd_waits_longer_for_the_end_than_the_daemon_takes() -> None:
    (seconds,) = _settings(SERVICE)["Service"]["TimeoutStopSec"]
    assert int(seconds) > 10


def test_the_socket_is_one_that_the_documented_listener_takes() -> None:
    """`domain=INET` is IPv4, and one that is not on loopback: the unit is there to be reached."""
    (address,) = _settings(SOCKET)["Socket"]["ListenStream"]
    assert re.fullmatch(r"0\.0\.0\.0:\d+", address)
    documented = "line=systemd:domain=INET:index=0"
    assert documented in SOCKET.read_text()
    assert documented in (ROOT / "docs" / "operating.md").read_text()
