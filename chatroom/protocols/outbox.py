"""What is on its way to one peer, within bounds.

Twisted's `transport.write` keeps whatever it is given, and a peer that never reads
would cost memory without end. The rules kept here:
- While the transport is behind, the outbox keeps references to the shared batches,
  at most `limit` bytes of them; then whole batches are skipped and counted, until
  the peer has caught up and is told.
- A peer that takes nothing for a while is given up.
- Nothing is reordered, ever.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from chatroom.protocols.direct import NO_ROOM, direct_send

__all__ = ["Outbox"]

if sys.platform == "win32":  # pragma: no cover

    def _unacknowledged(transport: Any) -> int:
        return 0
else:
    from fcntl import ioctl
    from termios import TIOCOUTQ

    def _unacknowledged(transport: Any) -> int:
        """Bytes that the kernel holds for the peer; 0 where it does not say, or nobody is there
        to take them."""
        try:
            # Fails after a reset, which leaves the count as it was.
            os.write(transport.fileno(), b"")
            answer = ioctl(transport.fileno(), TIOCOUTQ, b"\0\0\0\0")
        except (OSError, AttributeError, TypeError, ValueError):
            return 0
        return int.from_bytes(answer, sys.byteorder)


def _unsent(transport: Any) -> int:
    """Bytes that the transport holds for the peer; 0 where it does not say."""
    try:
        unsent: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
    except AttributeError:
        return 0
    return unsent


# What is kept for most peers, who are never behind; an empty deque of one's own takes 770 bytes.
_NOTHING: deque[bytes] = deque(maxlen=0)


@implementer(IPushProducer)
class Outbox:
    """Writes to `transport`, of which it is the only writer.

    `behind` is a set that holds this outbox while its peer is behind; `skipped` makes
    the line that tells the peer how many lines it missed; `give_up` is called when the
    peer takes nothing any more.
    """

    __slots__ = (
        "_behind",
        "_closed",
        "_direct",
        "_give_up",
        "_kept",
        "_kept_bytes",
        "_moved",
        "_passed_on",
        "_paused",
        "_send",
        "_skipped",
        "_skipped_line",
        "_taken",
        "_transport",
        "limit",
    )

    def __init__(
        self,
        transport: Any,
        limit: int | None,
        behind: set[Outbox],
        skipped: Callable[[int], bytes],
        give_up: Callable[[], None],
    ) -> None:
        self.limit = limit
        self._transport = transport
        self._behind = behind
        # Nothing, as the transport, once the connection is lost.
        self._skipped_line: Any = skipped
        self._give_up: Any = give_up
        self._direct = self._send = direct_send(transport)
        self._kept = _NOTHING
        self._kept_bytes = 0
        self._skipped = 0
        self._paused = False
        self._closed = False
        self._passed_on = 0
        self._taken: int | None = None
        self._moved = 0.0
        self._transport.registerProducer(self, True)

    @property
    def closed(self) -> bool:
        """Whether nothing more will reach the peer."""
        return self._closed

    def write(self, data: bytes) -> None:
        """To the kernel at once, or kept, or skipped. MUST NOT block, MUST NOT reorder."""
        send = self._send
        if send is None:
            self._write_behind(data)
            return
        try:
            sent = send(data)
            if sent == len(data):
                return
        except OSError as error:
            if error.errno not in NO_ROOM:
                # What the peer sent before it went may still wait to be read; reading, not
                # writing, ends the connection (and whoever does not read it, asks `closed`).
                self._send = self._direct = None
                self._closed = True
                return
            sent = getattr(error, "characters_written", 0)
        self._send = None
        self._behind.add(self)
        if sent < len(data):
            self._pass_on(data[sent:])

    def _write_behind(self, data: bytes) -> None:
        if self._closed:
            return
        if self._caught_up():
            self.write(data)
        elif not self._paused:
            self._pass_on(data)
        elif self._skipped or (
            self.limit is not None and self._kept_bytes + len(data) > self.limit
        ):
            self._skipped += data.count(b"\n")
        else:
            if not self._kept:
                self._kept = deque()
            self._kept.append(data)
            self._kept_bytes += len(data)

    def _pass_on(self, data: bytes) -> None:
        self._passed_on += len(data)
        self._transport.write(data)

    def _caught_up(self) -> bool:
        """Go back to direct sends, if one would overtake nothing."""
        if self._direct is None or self._paused:
            return False
        if self._transport.dataBuffer or self._transport._tempDataBuffer:
            return False
        self._send = self._direct
        self._not_behind()
        return True

    def _not_behind(self) -> None:
        self._behind.discard(self)
        self._taken = None

    def pauseProducing(self) -> None:
        """The transport is behind."""
        self._paused = True
        self._behind.add(self)

    def resumeProducing(self) -> None:
        """The transport has passed on all that it was given."""
        self._paused = False
        while self._kept and not self._paused:
            data = self._kept.popleft()
            self._kept_bytes -= len(data)
            self._pass_on(data)
        if not self._paused and self._skipped:
            skipped, self._skipped = self._skipped, 0
            self._pass_on(self._skipped_line(skipped))
        if not self._paused and self._direct is None:
            self._not_behind()

    def stopProducing(self) -> None:
        """The connection is lost. Twice does no harm."""
        self._closed = True
        self._send = self._direct = None
        self._kept.clear()
        self._behind.discard(self)
        # Whose these are does not have to wait for the garbage collector.
        self._transport = self._give_up = self._skipped_line = None

    def check(self, now: float, seconds: float) -> None:
        """Give the peer up if it is behind and has taken nothing for `seconds`. Asked every
        so often while it is behind, with `now` of a clock that does not step."""
        if self._caught_up():
            return
        # Only the peer makes this grow: what is passed on waits in the transport, then in
        # the kernel, until the peer has taken it.
        transport = self._transport
        taken = self._passed_on - _unsent(transport) - _unacknowledged(transport)
        before, self._taken = self._taken, taken
        if before is None or taken > before:
            self._moved = now
        elif now - self._moved >= seconds:
            self._not_behind()
            self._give_up()

    @property
    def waits(self) -> bool:
        """Whether some of what was written waits in this process for the peer to take it."""
        return self._paused or bool(_unsent(self._transport))

    @property
    def delivered(self) -> bool:
        """Whether the peer has all that was passed on, as far as anyone can tell."""
        return not _unsent(self._transport) and not _unacknowledged(self._transport)

    def close(self) -> None:
        """Pass on what is kept. Nothing is written after it."""
        if self._closed:
            return
        self._closed = True
        self._send = self._direct = None
        self._not_behind()
        self._transport.unregisterProducer()
        for data in self._kept:
            self._transport.write(data)
        if self._skipped:
            self._transport.write(self._skipped_line(self._skipped))
        self._kept.clear()
