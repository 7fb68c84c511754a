"""The programs that people have, against the real daemon: nc, telnet, openssl s_client."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest
from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.plugin import getPlugins

from tests.daemon import Client, Daemon, certificate, wait_for

SPOKEN = "žluťoučký kůň 🐎 你好"
ENVIRON = {**os.environ, "LC_ALL": "C.UTF-8"}


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


class Program:
    """A program at a terminal: what is typed goes in, what it shows is `shown`."""

    def __init__(self, *command: str | Path) -> None:
        self._terminal, inside = pty.openpty()
        self._process = subprocess.Popen(
            [str(word) for word in command],
            env=ENVIRON,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        os.set_blocking(self._terminal, False)
        self._shown = b""

    @property
    def shown(self) -> str:
        """All that it has shown, what was typed among it."""
        try:
            while data := os.read(self._terminal, 65536):
                self._shown += data
        except (BlockingIOError, OSError):
            pass  # nothing more for now, or for ever
        return self._shown.decode("utf-8", "replace")

    def lines(self) -> list[str]:
        """What it has shown, line by line."""
        return [line.rstrip("\r") for line in self.shown.split("\n")]

    def type(self, text: str) -> None:
        """Type a line, and Enter."""
        os.write(self._terminal, text.encode() + b"\n")

    def hears(self, line: str, seconds: float = 10) -> None:
        """Wait for a whole line, a regular expression."""
        found = re.compile(line).fullmatch
        wait_for(lambda: any(map(found, self.lines())), seconds, f"{line!r} in {self.shown!r}")

    def arrive(self) -> str:
        """The nick that it was given, once it was told."""
        self.hears("-- Type to talk.*")
        found = re.search(r"You are (\S+) in ", self.shown)
        assert found
        return found[1]

    def ended(self, seconds: float = 10) -> int:
        """Its exit status, once it has ended."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < deadline:
            self.shown  # noqa: B018 (a terminal that nobody reads would hold it up)
            time.sleep(0.01)
        return self._process.wait(0.1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        os.close(self._terminal)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, pem: Path) -> Iterator[Daemon]:
    """One that listens on TCP, on TLS (twice, where Twisted has `tls:`), and on a UNIX socket."""
    folder = tmp_path_factory.mktemp("daemon")
    listen = [
        "line=tcp:0:interface=127.0.0.1",
        f"line=ssl:0:interface=127.0.0.1:privateKey={pem}:certKey={pem}",
        f"line=unix:{folder}/chat.sock",
    ]
    if "tls" in {plugin.prefix for plugin in getPlugins(IStreamServerEndpointStringParser)}:
        listen.append(f"line=tls:{pem.parent}:0:interface=127.0.0.1")
    with Daemon(folder, listen=listen) as daemon:
        yield daemon


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def nc(stack: ExitStack, daemon: Daemon) -> Program:
    return stack.enter_context(Program("nc", "127.0.0.1", str(daemon.port)))


@needs("nc")
def test_what_is_piped_into_nc_is_heard_by_an_nc_that_is_connected(
    daemon: Daemon, stack: ExitStack
) -> None:
    """`echo hi | nc -N 127.0.0.1 PORT`, the shortest conversation there is."""
    listener = nc(stack, daemon)
    listener.arrive()
    command = f"echo 'hi {SPOKEN}' | nc -N 127.0.0.1 {daemon.port}"
    said = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, timeout=10, check=True
    )
    listener.hears(rf"<guest-\w+> hi {SPOKEN}")
    listener.hears(r"-- guest-\w+ left \(1 here\)")
    assert said.stdout.splitlines()[0] == "Welcome to this chatroom!"


@needs("nc")
@needs("telnet")
def test_two_nc_and_a_telnet_talk_in_utf_8(daemon: Daemon, stack: ExitStack) -> None:
    telnet = stack.enter_context(Program("telnet", "127.0.0.1", str(daemon.port)))
    people = [nc(stack, daemon), nc(stack, daemon), telnet]
    nicks = [person.arrive() for person in people]
    for speaker, nick in zip(people, nicks, strict=True):
        speaker.type(f"{SPOKEN} from {nick}")
        for other in people:
            if other is not speaker:
                other.hears(rf"<{nick}> {SPOKEN} from {nick}")
    # Nobody reads what they said a second time, but for what their terminal echoed.
    for person, nick in zip(people, nicks, strict=True):
        assert f"<{nick}>" not in person.shown


@needs("telnet")
def test_telnet_commands_and_leaves(daemon: Daemon, stack: ExitStack) -> None:
    telnet = stack.enter_context(Program("telnet", "127.0.0.1", str(daemon.port)))
    telnet.arrive()
    telnet.type("/nick ann")
    telnet.hears("-- You are ann now.")
    telnet.type("/who")
    telnet.hears(r"-- #lobby \(\d+ here\): .*\bann\b.*")
    telnet.type("/quit")
    telnet.hears("-- Bye.")
    telnet.hears("Connection closed by foreign host.")
    telnet.ended()


@needs("openssl")
@pytest.mark.parametrize("endpoint", ["ssl", "tls"])
def test_openssl_s_client_talks_through_tls(
    daemon: Daemon, stack: ExitStack, pem: Path, endpoint: str
) -> None:
    ports = dict(zip(["tcp", "ssl", "tls"], daemon.ports, strict=False))
    if endpoint not in ports:
        pytest.skip("Twisted 25.5 and older have no tls endpoint")
    listener = stack.enter_context(Client(daemon.port)).arrive()
    secure = stack.enter_context(
        Program(
            *("openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", pem),
            *("-servername", "localhost", "-connect", f"127.0.0.1:{ports[endpoint]}"),
        )
    )
    nick = secure.arrive()
    secure.type(f"{SPOKEN} in secret")
    assert listener.until("secret")[-1] == f"<{nick}> {SPOKEN} in secret"
    listener.send("understood")
    secure.hears(f"<{listener.nick}> understood")
    secure.type("/quit")
    secure.hears("-- Bye.")
    secure.ended()
    assert listener.until(f"{nick} left")


@needs("nc")
def test_nc_talks_through_a_unix_socket(daemon: Daemon, stack: ExitStack) -> None:
    listener = stack.enter_context(Client(daemon.port)).arrive()
    local = stack.enter_context(Program("nc", "-U", daemon.config.with_name("chat.sock")))
    nick = local.arrive()
    local.type(f"{SPOKEN} from here")
    assert listener.until("from here")[-1] == f"<{nick}> {SPOKEN} from here"
    listener.send("understood")
    local.hears(f"<{listener.nick}> understood")


@needs("nc")
def test_everyone_is_told_when_the_daemon_stops(tmp_path: Path, stack: ExitStack) -> None:
    with Daemon(tmp_path) as daemon:
        listener = nc(stack, daemon)
        listener.arrive()
        assert daemon.stop() == 0
    listener.hears("-- The server is stopping. Goodbye.")
