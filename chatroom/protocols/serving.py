"""What serves one hub on any number of ports: the timers and counts of its connections.

The clients that a factory shares are the hub's members; there is no second list.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from chatroom.errors import ChatError, TooMany
from chatroom.hub import Hub
from chatroom.limits import Limits
from chatroom.phrases import plural
from chatroom.protocols.connection import Connection
from chatroom.protocols.outbox import Outbox

__all__ = ["HubFactory"]

# How long a closed connection may take to pass on what it was still owed, in seconds.
_CLOSE_SECONDS = 4.0

_SWEEP_SECONDS = 1.0

# What peers send is taken for so many seconds, then the rest of them waits until the reactor has
# looked around: of 1,000 who join in one turn, the last would keep all others waiting for 0.2 s.
_LONG_TURN_SECONDS = 0.02


class HubFactory(ServerFactory):
    """Serves `hub`; what `protocol` builds is a Connection.

    `connections` counts those that are open; `each_second`, if set, is called about so often
    while there are any, and when the last has gone.

    `reactor` is Twisted's own unless given; `wall` tells the time of day, in seconds since
    the epoch.
    """

    noisy = False
    close_seconds = _CLOSE_SECONDS

    def __init__(
        self, hub: Hub, reactor: Any = None, wall: Callable[[], float] = time.time
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self.log = Logger("chatroom")  # as a class attribute it would be named by the class
        self.hub = hub
        self.reactor = reactor
        self.wall = wall
        self.seconds: Callable[[], float] = reactor.seconds
        self.behind: set[Outbox] = set()
        self.each_second: Callable[[], object] | None = None
        self._refused: Counter[str] = Counter()
        self.connections = 0
        self._all_lost: list[Deferred[None]] = []
        self._sweeping: IDelayedCall | None = None
        self._idle_checked = 0.0
        self._waiting: deque[Connection] = deque()
        self.turn_is_long = False
        self._spent = 0.0
        if hub.needs_turns:
            hub.use_turns(self._after_another_look, reactor.callLater)

    def _after_another_look(self, end: Callable[[], None]) -> None:
        """Call `end` when the reactor has looked once more, without waiting, for what has come
        meanwhile: that takes 15 us, and lines found so are told with those of this turn, for one
        send to each member. With 64 under way among 100 members that is a fifth more in all."""
        self.reactor.callLater(0, self.reactor.callLater, 0, end)

    def spend(self, seconds: float) -> None:
        """So long was spent on what one peer sent. After some of it `turn_is_long`, until the
        reactor's next turn."""
        self._spent += seconds
        if self._spent >= _LONG_TURN_SECONDS and not self.turn_is_long:
            self.turn_is_long = True
            self.reactor.callLater(0, self._begin_turn)

    def queue(self, connection: Connection) -> None:
        """Let a connection go on (`go_on`) in the reactor's next turn, after those before it."""
        self._waiting.append(connection)

    def _begin_turn(self) -> None:
        self.turn_is_long = False
        self._spent = 0.0
        while self._waiting and not self.turn_is_long:
            try:
                self._waiting.popleft().go_on()
            except Exception:  # no reason to let the others wait for ever
                self.log.failure("What a peer sent could not be taken")

    def opened(self) -> None:
        """A connection was made."""
        self.connections += 1
        if self._sweeping is None:
            self._sweeping = self.reactor.callLater(_SWEEP_SECONDS, self._sweep)

    def admit(self, address: str) -> None:
        """Count a connection from `address`. Raises a ChatError, which tells it why not."""
        if self._all_lost:
            raise TooMany("The server is stopping. Try again later.")
        try:
            now = self.wall()
            for guard in self.hub.guards:
                guard.admit(address, now)
            self.hub.admission.admit(address)
        except ChatError as refusal:
            self._refused["the limit is met" if isinstance(refusal, TooMany) else "banned"] += 1
            raise

    def lost(self) -> None:
        """A connection is gone."""
        self.connections -= 1
        if self.connections:
            return
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweep()
        while self._all_lost:
            self._all_lost.pop(0).callback(None)

    def close(self, text: str, seconds: float) -> Deferred[None]:
        """Tell everyone `text` and close every connection; who takes longer than `seconds`
        to read what it is owed is dropped. Fires when all are gone."""
        self.close_seconds = seconds
        done: Deferred[None] = Deferred()
        if not self.connections:
            done.callback(None)
            return done
        self._all_lost.append(done)
        members = [connection.member for connection in self._connections()]
        self.hub.dismiss(text, self.wall(), [member for member in members if member is not None])
        return done

    def apply(self, limits: Limits) -> None:
        """Hold every connection to other limits from now on."""
        for connection in self._connections():
            connection.apply(limits)

    def _connections(self) -> list[Connection]:
        doors = [member.door for member in self.hub.members.values()]
        return [door for door in doors if isinstance(door, Connection) and door.factory is self]

    def look_after(self, now: float) -> None:
        """What else a protocol does for its connections, about once a second."""

    def _sweep(self) -> None:
        """Once a second while there are connections, and when the last is gone: the timers of
        them all in one."""
        self._sweeping = (
            self.reactor.callLater(_SWEEP_SECONDS, self._sweep) if self.connections else None
        )
        if self.each_second is not None:
            self.each_second()
        now = self.seconds()
        limits = self.hub.limits
        if limits.stall_seconds is not None:
            for outbox in tuple(self.behind):
                outbox.check(now, limits.stall_seconds)
        if limits.idle_seconds is not None and now - self._idle_checked >= limits.idle_seconds / 20:
            self._idle_checked = now
            for connection in self._connections():
                connection.check_idle(now, limits.idle_seconds)
        self.look_after(now)
        for why, number in self._refused.items():
            self.log.warn("{number} refused: {why}", number=plural(number, "connection"), why=why)
        self._refused.clear()
