"""One server that is measured: a process of its own on a port of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Any, Self

from benchmarks.peers import Peer
from benchmarks.processes import ROOT, Failure, free_ports, start, stop
from benchmarks.usage import Usage, group, used_by

__all__ = ["Server"]

_START_SECONDS = 20.0
_SETTLE_SECONDS = 120.0
_CALM_SECONDS = 0.05
_CALM_CPU = 0.0005


class Server:
    """`peer`, started in `folder`, on `cpus`; ended with the `with`. Raises Failure."""

    def __init__(self, peer: Peer, folder: Path, files: Mapping[str, str], cpus: set[int]) -> None:
        self.port, spare = free_ports(2)
        self._log = folder / "log"
        values = {
            **files,
            "port": str(self.port),
            "spare": str(spare),
            "folder": str(folder),
            "config": str(folder / "config"),
        }
        if peer.config:
            (folder / "config").write_text(peer.filled(values))
        user = "nobody" if peer.unprivileged and os.geteuid() == 0 else ""
        folder.chmod(0o777 if user else 0o755)
        with self._log.open("wb") as log:
            common: dict[str, Any] = {
                "cpus": cpus,
                "user": user,
                "cwd": folder,
                "env": {**os.environ, "PYTHONPATH": str(ROOT)},
                "stdin": subprocess.DEVNULL,
                "stdout": log,
                "stderr": subprocess.STDOUT,
            }
            if peer.prepare:
                start(_with(peer.prepare, values), **common).wait(_START_SECONDS)
            self._process = start(_with(peer.command, values), **common)

    def __enter__(self) -> Self:
        try:
            self._wait_for_port()
        except BaseException:
            stop(self._process)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        stop(self._process)

    def _wait_for_port(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with (
                suppress(ConnectionRefusedError),
                socket.create_connection(("127.0.0.1", self.port)),
            ):
                break
            if self._process.poll() is not None:
                raise Failure(f"It ended at its start: {self._last_words()}")
            if time.monotonic() > deadline:
                raise Failure(f"It did not listen within {_START_SECONDS:.0f} s.")
            time.sleep(0.02)
        self.settle()

    def _last_words(self) -> str:
        return " ".join(self._log.read_text("utf-8", "replace").split())[-300:]

    def used(self) -> Usage:
        """What it used so far, with all that it started."""
        return used_by(group(self._process.pid))

    def settle(self) -> None:
        """Wait until it has nothing more to do."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        calm = 0
        last = self.used().cpu
        while calm < 2:
            if time.monotonic() > deadline:
                raise Failure(f"It was not at rest within {_SETTLE_SECONDS:.0f} s.")
            time.sleep(_CALM_SECONDS)
            cpu = self.used().cpu
            calm = calm + 1 if cpu - last < _CALM_CPU else 0
            last = cpu


def _with(command: tuple[str, ...], values: Mapping[str, str]) -> list[str]:
    return [Template(word).substitute(values) for word in command]
