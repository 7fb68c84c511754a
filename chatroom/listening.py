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

    def invitation(self, host: Any) -> tuple[str, str]:
        """Where it listens, given the address that it got, and the command to talk there."""
        if not hasattr(host, "host"):
            path = os.fsdecode(getattr(host, "name", b"") or b"")
            return path, f"nc -U {path}"
        here = "localhost" if host.host in ("0.0.0.0", "::") else host.host
        if self._kind in ("tls", "ssl"):
            talk = f"openssl s_client -quiet -connect {here}:{host.port}"
        else:
            talk = f"nc {here} {host.port}"
        return f"{host.host} port {host.port}", talk

    def is_local(self, host: Any) -> bool:
        """Whether its own interface lets in nobody but this machine."""
        here = getattr(host, "host", "") in ("127.0.0.1", "::1")
        return here and "interface=" in self.endpoint

    @property
    def _kind(self) -> str:
        return self.endpoint.partition(":")[0]


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
