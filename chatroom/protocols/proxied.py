"""The PROXY protocol in front of another one: the peer is who the proxy says it is.

Twisted's own `haproxy:` endpoint introduces the connection before the header has come,
when its peer is still the proxy. Limits and logs need to know better, so here the
protocol behind is connected once the header is whole.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, cast

from twisted.internet.interfaces import IDelayedCall, IProtocolFactory, ITransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.haproxy._wrapper import HAProxyProtocolWrapper, HAProxyWrappingFactory
from twisted.python.failure import Failure

__all__ = ["ProxiedFactory"]

_HEADER_SECONDS = 10.0


class _Unread(Protocol):
    """Stands in until the header has come, and keeps what was read behind it."""

    read = b""

    def dataReceived(self, data: bytes) -> None:
        self.read += data


class _Proxied(HAProxyProtocolWrapper):
    """One connection that begins with a PROXY header, within a few seconds."""

    _deadline: IDelayedCall | None = None

    def makeConnection(self, transport: ITransport) -> None:
        self._behind: Any = self.wrappedProtocol
        self._early = self.wrappedProtocol = _Unread()
        HAProxyProtocolWrapper.makeConnection(self, transport)
        self._deadline = cast(ProxiedFactory, self.factory).reactor.callLater(
            _HEADER_SECONDS, self.abortConnection
        )

    def dataReceived(self, data: bytes) -> None:
        if self._deadline is None:
            super().dataReceived(data)
            return
        try:
            super().dataReceived(data)
            self._check_source()
        except (OSError, ValueError):
            self.abortConnection()
            return
        if self._proxyInfo is None:
            return
        self._stop_waiting()
        self.wrappedProtocol = self._behind
        self._behind.makeConnection(self)
        if self._early.read:
            self._behind.dataReceived(self._early.read)

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
