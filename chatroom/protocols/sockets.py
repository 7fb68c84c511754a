"""The socket of a connection: how it is told to behave, and how its peer is written."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IAddress

__all__ = ["tune", "written"]

# A vanished peer is noticed within 150 seconds: 60 later its connection is probed, and fails at
# TCP_USER_TIMEOUT (RFC 5482), in milliseconds; or it was written to before, where no probe is
# sent, and fails that long after. Where there is no such option, five probes have to do.
# Of what a peer does not take, the kernel keeps 64 KiB, not megabytes: they cost memory, and hide
# for a minute that it is behind.
_TCP_OPTIONS = {
    "TCP_KEEPIDLE": 60,
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 5,
    "TCP_USER_TIMEOUT": 85000,
    "TCP_NOTSENT_LOWAT": 65536,
}


def written(peer: IAddress) -> str:
    """Where a peer comes from, as the log has it."""
    host = getattr(peer, "host", None)
    return "a UNIX socket" if host is None else f"{host}:{getattr(peer, 'port', '?')}"


def tune(transport: Any) -> None:
    """No delay, and notice of a peer that vanished or is behind; for a TCP connection, under
    whatever wraps it, or for a port, whose connections Linux gives the same: to ask one whether it
    has them takes 1 us, to set them 20."""
    handle = getattr(transport, "socket", None)
    if handle is None or handle.family == getattr(socket, "AF_UNIX", None) or _is_tuned(handle):
        return
    options = [(socket.SOL_SOCKET, "SO_KEEPALIVE", 1), (socket.IPPROTO_TCP, "TCP_NODELAY", 1)]
    options += [(socket.IPPROTO_TCP, name, value) for name, value in _TCP_OPTIONS.items()]
    for level, name, value in options:
        # Not every system knows them all, and some mind that the peer is gone already.
        with suppress(AttributeError, OSError):
            handle.setsockopt(level, getattr(socket, name), value)


def _is_tuned(handle: Any) -> bool:
    """By the option that is set last."""
    if sys.platform != "linux":
        return False
    with suppress(OSError):
        name, value = next(reversed(_TCP_OPTIONS.items()))
        tuned: bool = handle.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value
        return tuned
    return False
