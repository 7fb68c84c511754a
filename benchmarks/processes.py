"""Processes that end with the benchmark, whatever happens to it; files that they need."""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import program

__all__ = ["ROOT", "Failure", "build", "certificate", "free_ports", "start", "stop"]

ROOT = Path(__file__).parents[1]
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """Something could not be measured; the sentence says why."""


def start(
    command: Sequence[str], cpus: set[int], user: str = "", **more: Any
) -> subprocess.Popen[Any]:
    """Start a program of a process group of its own, on these CPUs, as `user` if it is given."""
    found = program(command[0])
    if found is None:
        raise Failure(f"{command[0]} is not installed.")
    if user:
        more |= {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    return subprocess.Popen(
        (found, *command[1:]),
        process_group=0,
        # The one thread that there is in this process makes this safe.
        preexec_fn=_tied(cpus),
        **more,
    )


def _tied(cpus: set[int]) -> Callable[[], None]:
    def tie() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, cpus)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    return tie


def stop(process: subprocess.Popen[Any]) -> None:
    """End it and all that it started, at once."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
    process.wait()


def free_ports(number: int) -> list[int]:
    """Ports of the loopback that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def build(source: str, folder: Path) -> Path | None:
    """Compile a C file of this package into `folder`; None where there is no compiler."""
    target = folder / Path(source).stem
    compiler = program("cc")
    if compiler is None:
        return None
    if not target.exists():
        here = Path(__file__).parent
        subprocess.run((compiler, "-O2", "-o", target, here / source), check=True, timeout=60)
    return target


def certificate(folder: Path) -> dict[str, str]:
    """A certificate of our own with its key, and the parameters (RFC 7919) that GnuTLS may ask
    for; their paths, by the names that templates know them by."""
    paths = {name: str(folder / f"{name}.pem") for name in ("certificate", "key", "dh")}
    openssl = program("openssl")
    if openssl is None:
        return paths
    for command in (
        f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=localhost -keyout {paths['key']} -out {paths['certificate']}",
        f"genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out {paths['dh']}",
    ):
        words = (openssl, *command.split())
        subprocess.run(words, check=True, timeout=60, capture_output=True)
    for path in paths.values():
        os.chmod(path, 0o644)  # servers that run as somebody else read it
    return paths
