"""What processes have used, from Linux' /proc.

CPU is from schedstat, in nanoseconds and charged by the scheduler at each switch: a busy
neighbor does not count, and nothing is lost to the 10 ms tick of /proc/PID/stat.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

__all__ = ["PROC", "Usage", "group", "used_by"]

PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage(NamedTuple):
    """CPU in seconds since the start, resident memory in bytes."""

    cpu: float
    memory: int


def used_by(pids: Iterable[int], proc: Path = PROC) -> Usage:
    """What these processes used together; one that is gone counts nothing."""
    nanoseconds = pages = 0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            pages += int((proc / str(pid) / "statm").read_text().split()[1])
            for task in (proc / str(pid) / "task").iterdir():
                with suppress(FileNotFoundError, ProcessLookupError):
                    nanoseconds += int((task / "schedstat").read_text().split()[0])
    return Usage(nanoseconds / 1e9, pages * _PAGE)


def group(leader: int, proc: Path = PROC) -> list[int]:
    """The processes of a process group: a server, and what it started."""
    found = []
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):
                # What stands before the last ")" is the program's name, and may hold anything.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[2]) == leader:
                    found.append(int(entry.name))
    return found
