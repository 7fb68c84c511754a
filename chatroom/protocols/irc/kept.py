"""What is kept for a client beside what is said: how far it has read, and its metadata. Of its
account, where it is logged in, and then the same for all its connections; else as long as it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred

from chatroom.errors import TooMany
from chatroom.guard import Guard

if TYPE_CHECKING:
    from chatroom.events import Profile
    from chatroom.member import Member
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.factory import IRCFactory

__all__ = ["MOST_MARKERS", "Kept", "Remembering"]

MOST_MARKERS: Final = 100
"""Rooms and people of whom it is kept how far somebody has read: the one read longest ago makes
way for another."""

_STATE: Final = "kept"
_READ: Final = "read:"
_VALUE: Final = "meta:"


class Kept:
    """`markers` are milliseconds by folded target, `values` are metadata by key, and `clients` are
    all whose they are. `account` is folded, '' for who has none."""

    __slots__ = ("account", "clients", "markers", "values", "waiting")

    def __init__(self, account: str = "") -> None:
        self.account = account
        self.markers: dict[str, int] = {}
        self.values: dict[str, str] = {}
        self.clients: dict[Client, None] = {}
        self.waiting: list[Callable[[], object]] | None = None
        """What is to be called once it is known; None once it is."""


class Remembering(Guard):
    """Has what is kept of everyone who is here at this door. `changed` is called with a client, and
    what its metadata were, when it is somebody else's client than before."""

    def __init__(
        self, factory: IRCFactory, changed: Callable[[Client, Mapping[str, str]], object]
    ) -> None:
        self._factory = factory
        self._changed = changed
        self._accounts: dict[str, Kept] = {}

    def of(self, client: Client) -> Kept:
        """All there is of a client."""
        kept: Kept | None = client.state.get(_STATE)
        if kept is None:
            kept = client.state[_STATE] = Kept()
            kept.clients[client] = None
        return kept

    def when_known(self, client: Client, call: Callable[[], object]) -> None:
        """Call this, at once unless it is still to be read."""
        waiting = self.of(client).waiting
        if waiting is None:
            call()
        else:
            waiting.append(call)

    # What changes

    def mark(self, kept: Kept, target: str, read: int) -> None:
        """A folded target was read up to this time, in milliseconds."""
        if target not in kept.markers and len(kept.markers) >= MOST_MARKERS:
            oldest = min(kept.markers, key=lambda each: kept.markers[each])
            del kept.markers[oldest]
            self._keep(kept, _READ + oldest, "")
        kept.markers[target] = read
        self._keep(kept, _READ + target, str(read))

    def set(self, kept: Kept, key: str, value: str) -> None:
        """Metadata: '' is none. Raises TooMany."""
        self._keep(kept, _VALUE + key, value)
        if value:
            kept.values[key] = value
        else:
            kept.values.pop(key, None)

    def _keep(self, kept: Kept, key: str, value: str) -> None:
        if kept.account:
            self._factory.hub.archive.keep(f"account:{kept.account}", key, value)

    # Of a room, as long as it is kept at all

    async def values_of(self, room: str) -> dict[str, str]:
        """The metadata of a room, by its folded name."""
        found = await self._factory.hub.archive.load(f"room:{room}")
        return {key.removeprefix(_VALUE): value for key, value in found if key.startswith(_VALUE)}

    def set_of(self, room: str, key: str, value: str) -> None:
        """The same, one of them; '' is none. Raises TooMany."""
        self._factory.hub.archive.keep(f"room:{room}", _VALUE + key, value)

    # Who logs in or out (as Guard)

    def profiled(self, member: Member, event: Profile) -> None:
        client = self._factory.client_of(member)
        if client is not None and self.of(client).account != event.who.account:
            self._move(client, event.who.account)

    def left(self, member: Member) -> None:
        client = self._factory.client_of(member)
        if client is not None:
            self._take_off(client)

    def _take_off(self, client: Client) -> Kept:
        kept = self.of(client)
        kept.clients.pop(client, None)
        if not kept.clients and self._accounts.get(kept.account) is kept:
            del self._accounts[kept.account]
        return kept

    def _move(self, client: Client, account: str) -> None:
        was = self._take_off(client)
        own = {} if was.account else was.values
        kept = self._accounts.get(account)
        if kept is None:
            kept = Kept(account)
            if account:
                self._accounts[account] = kept
                self._load(kept)
        kept.clients[client] = None
        client.state[_STATE] = kept
        if kept.waiting is not None:
            client.hold()  # so that all it does from now on is done with what is kept
            kept.waiting.append(client.release)
        self.when_known(client, lambda: self._moved(client, kept, own, was.values))

    def _moved(
        self, client: Client, kept: Kept, own: Mapping[str, str], was: Mapping[str, str]
    ) -> None:
        """It is known now. What a client had set before it logged in is its account's."""
        if kept.account and self.of(client) is kept:
            for key, value in own.items():
                try:
                    self.set(kept, key, value)
                except TooMany:
                    break
        self._changed(client, was)

    def _load(self, kept: Kept) -> None:
        waiting = kept.waiting = []

        async def load() -> None:
            for key, value in await self._factory.hub.archive.load(f"account:{kept.account}"):
                if key.startswith(_READ) and value.isdecimal():
                    kept.markers[key.removeprefix(_READ)] = int(value)
                elif key.startswith(_VALUE):
                    kept.values[key.removeprefix(_VALUE)] = value

        def known(_: object) -> None:
            kept.waiting = None
            for call in waiting:
                call()

        loading = Deferred.fromCoroutine(load())
        loading.addErrback(
            lambda failure: self._factory.log.failure("What is kept can't be read", failure)
        )
        loading.addCallback(known)
