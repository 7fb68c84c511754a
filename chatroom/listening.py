"""Listeners: `PROTOCOL=ENDPOINT`, where the endpoint is a string of Twisted's own.

So TLS, UNIX sockets, socket activation and every endpoint plugin work as elsewhere.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import ServerFactory
from twisted.python.failure import Failure

from chatroom.protocols.proxied import ProxiedFactory

__all__ = ["Listener", "why_not"]


@dataclass(frozen=True, slots=True)
class Listener:
    """`PROTOCOL=ENDPOINT`, taken apart: `line=tcp:8000:interface=127.0.0.1`."""

    written: str
    protocol: str
    endpoint: str

    @classmethod
    def parse(cls, written: str, protocols: Collection[str]) -> Listener:
        """Raises ValueError with a sentence, also for a protocol that is not one of these."""
        protocol, _, endpoint = written.partition("=")
        if protocol not in protocols or not endpoint:
            known = " or ".join(protocols)
            raise ValueError(
                f"write PROTOCOL=ENDPOINT with a protocol of {known}, as in line=tcp:8000"
            )
        return cls(written, protocol, endpoint)

    def listen(self, reactor: Any, factory: ServerFactory) -> Deferred[IListeningPort]:
        """Open it. Fails with whatever the endpoint finds wrong."""
        endpoint = self.endpoint
        served: Any = factory
        if endpoint.startswith("haproxy:"):
            endpoint = endpoint.removeprefix("haproxy:")
            served = ProxiedFactory(factory, reactor)

        def opened() -> Deferred[IListeningPort]:
            # What is wrong with the endpoint itself is raised, not given to the Deferred.
            port: Deferred[IListeningPort] = serverFromString(reactor, endpoint).listen(served)
            return port

        return maybeDeferred(opened)

    def invitation(self, host: Any) -> list[str]:
        """Where it listens, how to talk there, and how to let the network in if it can't come."""
        kind = self.endpoint.partition(":")[0]
        if not hasattr(host, "host"):
            where = os.fsdecode(getattr(host, "name", b"") or b"")
            return [f"Listening on {where}. To talk: nc -U {where}"]
        here = "localhost" if host.host in ("0.0.0.0", "::") else host.host
        talk = f"nc {here} {host.port}"
        if kind in ("tls", "ssl"):
            talk = f"openssl s_client -quiet -connect {here}:{host.port}"
        lines = [f"Listening on {host.host} port {host.port}. To talk: {talk}"]
        if host.host in ("127.0.0.1", "::1"):
            lines.append(
                "Only this machine can connect. To let the network in: --interface 0.0.0.0"
            )
        return lines


_HINTS = {
    errno.EADDRINUSE: "Stop the program that listens there, or choose another port.",
    errno.EACCES: "Ports below 1024 and other people's folders take more rights.",
    errno.EADDRNOTAVAIL: "This machine does not have that address.",
}


def why_not(failure: Failure) -> str:
    """What went wrong when listening, and what to do about it."""
    cause = getattr(failure.value, "socketError", failure.value)
    if isinstance(cause, OSError) and cause.errno is not None:
        return f"{cause.strerror}. {_HINTS.get(cause.errno, '')}".rstrip()
    return f"{cause or type(cause).__name__}."
