"""The PROXY protocol in front of another one: the peer is who the proxy says it is.

Twisted's own `haproxy:` endpoint introduces the connection before the header has come,
when its peer is still the proxy. Limits and logs need to know better, so here the
protocol behind is connected once the header is whole.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, cast

from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IProtocolFactory,
    ITransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.haproxy._wrapper import HAProxyProtocolWrapper, HAProxyWrappingFactory
from twisted.python.failure import Failure
from zope.interface import implementer

__all__ = ["ProxiedFactory"]

_HEADER_SECONDS = 10.0


# How a header of each version begins, and the most bytes that one of version 1 may have (the
# PROXY protocol, sections 2.1 and 2.2).
_V1 = b"PROXY "
_V2 = b"\r\n\r\n\0\r\nQUIT\n"
_V1_BYTES = 107

# Proxies say so when they only look whether anyone is there. Twisted's parser wants a space.
_UNKNOWN = {b"PROXY UNKNOWN\r\n": b"PROXY UNKNOWN \r\n"}


def _header(read: bytes) -> bytes:
    """The header that `read` begins with, empty while it is not whole: Twisted's parsers take
    what comes first for all of it. Raises ValueError if there is none."""
    if read[: len(_V2)] == _V2[: len(read)]:
        size = 16 + int.from_bytes(read[14:16], "big")
        return read[:size] if len(read) >= max(size, 16) else b""
    end = read.find(b"\r\n", 0, _V1_BYTES) + 2
    if read[: len(_V1)] != _V1[: len(read)] or (end == 1 and len(read) >= _V1_BYTES):
        raise ValueError("no PROXY header")
    return read[:end] if end > 1 else b""


@implementer(IHalfCloseableProtocol)
class _Proxied(HAProxyProtocolWrapper):
    """One connection that begins with a PROXY header, within a few seconds."""

    _deadline: IDelayedCall | None = None
    _read = b""

    def makeConnection(self, transport: ITransport) -> None:
        self._behind: Any = self.wrappedProtocol
        self.wrappedProtocol = Protocol()
        HAProxyProtocolWrapper.makeConnection(self, transport)
        self._deadline = cast(ProxiedFactory, self.factory).reactor.callLater(
            _HEADER_SECONDS, self.abortConnection
        )

    def dataReceived(self, data: bytes) -> None:
        """Keep what comes until the header is whole, then pass everything on."""
        if self._deadline is None:
            super().dataReceived(data)
            return
        self._read += data
        try:
            header = _header(self._read)
            if header:
                super().dataReceived(_UNKNOWN.get(header, header))
                self._check_source()
        except (OSError, ValueError):
            self.abortConnection()
            return
        if self._proxyInfo is None:
            return
        self._stop_waiting()
        rest, behind = self._read[len(header) :], self._behind
        self._read, self._behind, self.wrappedProtocol = b"", None, behind
        behind.makeConnection(self)
        if rest:
            behind.dataReceived(rest)

    def readConnectionLost(self) -> None:
        """The peer has nothing more to say. Who has not even said who it is goes at once."""
        behind = IHalfCloseableProtocol(self.wrappedProtocol, None)
        if behind is None:
            self.loseConnection()
        else:
            behind.readConnectionLost()

    def writeConnectionLost(self) -> None:
        """The connection is as good as lost; `connectionLost` follows."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stop_waiting()
        HAProxyProtocolWrapper.connectionLost(self, reason)

    def _check_source(self) -> None:
        """Raises OSError or ValueError unless the peer's address is one: Twisted's parser takes
        any text for it, and limits, logs and members would read that."""
        host = getattr(self._proxyInfo and self._proxyInfo.source, "host", None)
        if host is not None:
            inet_pton(AF_INET6 if ":" in host else AF_INET, host)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            if self._deadline.active():
                self._deadline.cancel()
            self._deadline = None


class ProxiedFactory(HAProxyWrappingFactory):
    """Wraps `factory`, whose protocols then speak to whom the proxy speaks for."""

    protocol: Any = _Proxied
    noisy = False

    def __init__(self, factory: IProtocolFactory, reactor: Any) -> None:
        cast(Any, HAProxyWrappingFactory).__init__(self, factory)
        self.reactor = reactor
