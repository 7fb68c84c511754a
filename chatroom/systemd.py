"""What systemd is told: ready, reloading, stopping, still alive.

Knows nothing of the chat. The protocol is one datagram of `NAME=value` lines to the socket that
`$NOTIFY_SOCKET` names; see sd_notify(3) and sd_watchdog_enabled(3). Without that variable, that
is, when something else than systemd started the process, nothing is sent.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping

__all__ = ["notify", "reloading", "watchdog_seconds"]

# systemd empties its socket at once. If it hangs, the chat goes on after a wait that no member
# notices.
_SEND_SECONDS = 0.1


def _ignore(_error: OSError) -> None:
    """What `notify` does about an error unless its caller says otherwise."""


def notify(
    *assignments: str,
    environ: Mapping[str, str] = os.environ,
    on_error: Callable[[OSError], object] = _ignore,
) -> bool:
    """Tell systemd `assignments`, such as `"READY=1", "STATUS=3 members"`, in one datagram.

    Returns whether it was sent: not when nobody asked for it, nor when the socket did not take it.
    Never raises an `OSError`: the reason goes to `on_error`. Waits 0.1 s at most.
    """
    path = environ.get("NOTIFY_SOCKET")
    if not path:
        return False
    # An abstract socket is written with "@" for the NUL byte that its name starts with.
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_SEND_SECONDS)
            sender.sendto("\n".join(assignments).encode(), address)
    except OSError as error:
        on_error(error)
        return False
    return True


def reloading(monotonic_ns: Callable[[], int] = time.monotonic_ns) -> tuple[str, str]:
    """The assignments that open a reload; `READY=1` closes it.

    `Type=notify-reload` tells by the time (microseconds of CLOCK_MONOTONIC) that this reload is
    the answer to its signal and not an earlier one; `Type=notify` does not need it.
    """
    return "RELOADING=1", f"MONOTONIC_USEC={monotonic_ns() // 1000}"


def watchdog_seconds(environ: Mapping[str, str] = os.environ) -> float | None:
    """Seconds between two `WATCHDOG=1`: half of what systemd waits for one, as it recommends.

    None when it does not wait: no `WatchdogSec=`, or one for another process than this.
    """
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    return int(microseconds) / 2 / 1_000_000
