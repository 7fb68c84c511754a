"""chatroom.systemd, against a real datagram socket where systemd's would be."""

from __future__ import annotations

import errno
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.systemd import notify, reloading, watchdog_seconds


def _listen(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        receiver.setblocking(False)
        yield receiver


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    # A relative path keeps the address within the 104 bytes that some systems allow.
    monkeypatch.chdir(tmp_path)
    yield from _listen("notify")


def test_assignments_go_out_as_the_lines_of_one_datagram(receiver: socket.socket) -> None:
    assert notify("READY=1", "STATUS=3 members, ünïcode", environ={"NOTIFY_SOCKET": "notify"})
    assert receiver.recv(4096).decode() == "READY=1\nSTATUS=3 members, ünïcode"
    with pytest.raises(BlockingIOError):
        receiver.recv(4096)


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="abstract sockets are Linux's")
def test_an_at_sign_names_an_abstract_socket() -> None:
    name = f"chatroom-{uuid.uuid4()}"
    for receiver in _listen(f"\0{name}"):
        assert notify("STOPPING=1", environ={"NOTIFY_SOCKET": f"@{name}"})
        assert receiver.recv(4096) == b"STOPPING=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}])
def test_without_a_socket_nothing_is_sent_and_nothing_is_wrong(environ: dict[str, str]) -> None:
    errors: list[OSError] = []
    assert not notify("READY=1", environ=environ, on_error=errors.append)
    assert errors == []


@pytest.mark.parametrize(
    ("path", "code"),
    [("missing", errno.ENOENT), ("notify/under", errno.ENOTDIR), ("x" * 200, None)],
)
def test_an_error_goes_to_the_caller_and_is_not_raised(
    receiver: socket.socket, path: str, code: int | None
) -> None:
    errors: list[OSError] = []
    assert not notify("READY=1", environ={"NOTIFY_SOCKET": path}, on_error=errors.append)
    assert [error.errno for error in errors] == [code]
    assert not notify("READY=1", environ={"NOTIFY_SOCKET": path})


def test_a_socket_that_takes_nothing_more_is_an_error_soon(receiver: socket.socket) -> None:
    """A systemd that hangs must not hang the chat: its queue fills, and the send gives up."""
    errors: list[OSError] = []
    environ = {"NOTIFY_SOCKET": "notify"}
    sent = 0
    while notify("WATCHDOG=1", environ=environ, on_error=errors.append):
        sent += 1
        assert sent < 1_000_000
    assert len(errors) == 1


def test_reloading_gives_the_monotonic_clock_in_microseconds() -> None:
    assert reloading(lambda: 12_345_678_901) == ("RELOADING=1", "MONOTONIC_USEC=12345678")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "500000"}, 0.25),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getppid())}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_PID": str(os.getpid())}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_twice_an_interval_if_systemd_waits_for_this_process(
    environ: dict[str, str], seconds: float | None
) -> None:
    assert watchdog_seconds(environ) == seconds
