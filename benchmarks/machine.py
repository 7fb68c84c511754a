"""The machine and the programs that figures belong to."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers import Peer, answer

__all__ = ["describe"]


def describe(peers: Iterable[Peer], command: str) -> dict[str, Any]:
    """What a reader needs to know about a run by `command`, in words."""
    programs = {
        peer.name.removesuffix("-tls"): answer(peer.version) for peer in peers if peer.version
    }
    kibibytes = _first(r"MemTotal:\s*(\d+)", "/proc/meminfo") or "0"
    return {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "processor": _first(r"model name\s*: (.+)", "/proc/cpuinfo") or platform.machine(),
            "cpus": str(len(os.sched_getaffinity(0))),
            "memory": f"{int(kibibytes) / 2**20:.0f} GiB",
            "system": f"{platform.system()} {platform.release()}",
        },
        "programs": {
            **programs,
            "Python": platform.python_version(),
            "Twisted": version("twisted"),
            "C compiler": answer(("cc", "--version")),
        },
    }


def _first(pattern: str, path: str) -> str:
    match = re.search(pattern, Path(path).read_text())
    return match[1].strip() if match else ""
