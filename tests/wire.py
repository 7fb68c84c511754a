"""A transport in memory, whose kernel takes as many bytes as it is told to."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocol
from twisted.python.failure import Failure

__all__ = ["Wire"]

# Twisted's own transports are behind from 64 KiB on.
TRANSPORT_BYTES = 100


class Wire:
    """A transport: as Twisted's, it keeps what the kernel does not take, and tells its producer
    when that is much. The kernel takes `room` more bytes, or whatever comes if that is None."""

    _tempDataLen = 0

    def __init__(self, aborted: list[Wire]) -> None:
        self.given = self.dataBuffer = bytearray()
        self.offset = 0  # bytes of it that the kernel took
        self.room: int | None = None
        self.behind = False
        self.connected = True
        self.disconnecting = False
        self._aborted = aborted
        self._producer: Any = None

    def getPeer(self) -> None: ...

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert streaming
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None

    def write(self, data: bytes) -> None:
        assert self.connected and not self.disconnecting
        self.given += data
        if self._producer is not None and len(self.given) - self.offset > TRANSPORT_BYTES:
            self.behind = True
            self._producer.pauseProducing()

    def loseConnection(self) -> None:
        self.disconnecting = True

    def abortConnection(self) -> None:
        self._aborted.append(self)

    def pass_on(self) -> None:
        """The kernel takes what it can, and what that makes the producer write, too."""
        while self.connected and self.offset < len(self.given) and self.room != 0:
            waiting = len(self.given) - self.offset
            taken = waiting if self.room is None else min(waiting, self.room)
            self.offset += taken
            if self.room is not None:
                self.room -= taken
            if self.offset == len(self.given) and self.behind and self._producer is not None:
                self.behind = False
                self._producer.resumeProducing()

    @property
    def drained(self) -> bool:
        return self.offset == len(self.given)

    def lose(self, protocol: IProtocol, error: Exception) -> None:
        self.connected = False
        if self._producer is not None:
            self._producer.stopProducing()
        protocol.connectionLost(Failure(error))
