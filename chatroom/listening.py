"""Listeners: `PROTOCOL=ENDPOINT`, where the endpoint is a string of Twisted's own.

So TLS, UNIX sockets, socket activation and every endpoint plugin work as elsewhere.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpointStringParser
from twisted.internet.protocol import ServerFactory
from twisted.plugin import getPlugins
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
        listener = cls(written, protocol, endpoint)
        listener._check()
        return listener

    def _check(self) -> None:
        """Raises ValueError for what no machine could open."""
        if self._kind not in _kinds():
            known = ", ".join(_kinds())
            raise ValueError(f"there is no endpoint {self._kind!r}; choose from {known}")
        form = _FORMS.get(self._kind)
        if form is None:
            return
        try:
            serverFromString(cast(Any, None), self._bare)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{error}; write it as in {form}") from None
        except Exception:
            return  # what it lacks, a certificate say, may be there when it is opened

    def listen(self, reactor: Any, factory: ServerFactory) -> Deferred[IListeningPort]:
        """Open it. Fails with whatever the endpoint finds wrong."""
        served: Any = ProxiedFactory(factory, reactor) if self._proxied else factory

        def opened() -> Deferred[IListeningPort]:
            if self._kind == "tls":
                _check_folder(self._bare.split(":")[1])
            # What is wrong with the endpoint itself is raised, not given to the Deferred.
            endpoint = serverFromString(reactor, self._bare + self._backlog)
            port: Deferred[IListeningPort] = endpoint.listen(served)
            return port

        return maybeDeferred(opened)

    @property
    def _backlog(self) -> str:
        """Twisted's own 50 would make who comes in a rush wait a second for a retransmission."""
        takes_it = self._kind in ("ssl", "tcp", "tcp6", "unix")
        return ":backlog=1024" if takes_it and ":backlog=" not in self._bare else ""

    def invitation(self, host: Any) -> tuple[str, str]:
        """Where it listens, given the address that it got, and how to talk there."""
        path = os.fsdecode(getattr(host, "name", b"") or b"")
        where = f"{host.host} port {host.port}" if hasattr(host, "host") else path
        if self._proxied:
            return where, "through its proxy"
        if where == path:
            return where, f"nc -U {path}"
        here = "localhost" if host.host in ("0.0.0.0", "::") else host.host
        if self.protocol == "irc":
            tls = " --tls" if self._kind in ("tls", "ssl") else ""
            return where, f"irssi{tls} -c {here} -p {host.port}, or any IRC program"
        if self._kind in ("tls", "ssl"):
            return where, f"openssl s_client -quiet -connect {here}:{host.port}"
        return where, f"nc {here} {host.port}"

    def is_local(self, host: Any) -> bool:
        """Whether its own interface lets in nobody but this machine."""
        here = getattr(host, "host", "") in ("127.0.0.1", "::1")
        return here and "interface=" in self.endpoint and not self._proxied

    @property
    def _proxied(self) -> bool:
        return self.endpoint != self._bare

    @property
    def _bare(self) -> str:
        """The endpoint below the PROXY protocol, which is ours to speak."""
        return self.endpoint.removeprefix("haproxy:")

    @property
    def _kind(self) -> str:
        return self._bare.partition(":")[0]


@cache
def _kinds() -> list[str]:
    """The endpoints that there are: Twisted's, and those of plugins."""
    plugins = {plugin.prefix for plugin in getPlugins(IStreamServerEndpointStringParser)}
    return sorted(plugins | {"ssl", "tcp", "unix"})


def _check_folder(folder: str) -> None:
    """Raises ValueError where Twisted would listen, and fail every handshake."""
    if not any(Path(folder).glob("*.pem")):
        raise ValueError(f"There is no certificate in {folder}: put it and its key there, as .pem")


# How Twisted's own endpoints are written. Others may look at the machine when they are read.
_FORMS = {
    "ssl": "ssl:8001:privateKey=key.pem:certKey=cert.pem",
    "systemd": "systemd:domain=INET:index=0",
    "tcp": "tcp:8000:interface=127.0.0.1",
    "tcp6": "tcp6:8000:interface=\\:\\:1",
    "tls": "tls:/etc/ssl/private:8001",
    "unix": "unix:/run/chatroom.sock",
}

_HINTS = {
    errno.EADDRINUSE: "Stop the program that listens there, or choose another port.",
    errno.EACCES: "Ports below 1024 and other people's folders take more rights.",
    errno.EADDRNOTAVAIL: "This machine does not have that address.",
    socket.EAI_NONAME: "An interface is named by an address, as in 127.0.0.1.",
}


def why_not(failure: Failure) -> str:
    """What went wrong when listening, and what to do about it."""
    cause = getattr(failure.value, "socketError", failure.value)
    if isinstance(cause, OSError) and cause.errno is not None:
        return f"{cause.strerror}. {_HINTS.get(cause.errno, '')}".rstrip()
    if isinstance(cause, (ImportError, NameError)):
        return f"{cause}. TLS needs more packages: pip install 'chatroom[tls]'."
    if isinstance(cause, LookupError):
        return "systemd passed no such socket. A .socket unit has to open it: docs/operating.md."
    return f"{str(cause).rstrip('.') or type(cause).__name__}."
