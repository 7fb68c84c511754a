"""Long answers, a portion at a time: between two of them others have their turn, and the next is
made only when the reader has taken the last. So a list may be as long as the server is large."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client

__all__ = ["PORTION", "Pace", "tell"]

PORTION: Final = 500
"""Entries that are looked at in one go: 2 to 5 ms."""

_AGAIN_SECONDS: Final = 0.1
"""How often it is looked whether who was behind has caught up."""


class Pace:
    """Of all the long answers that are under way, one goes on in each turn of the `reactor`: else
    all others would wait for a portion of each."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._went_on = False

    def may_go_on(self) -> bool:
        """Whether it is this one that goes on now."""
        if self._went_on:
            return False
        self._went_on = True
        self._reactor.callLater(0, self._next)
        return True

    def _next(self) -> None:
        self._went_on = False


def tell(
    client: Client, found: Iterable[str | None], end: Callable[[], None]
) -> Awaitable[None] | None:
    """Answer with the lines found, then do what the `end` is. None among them is an entry that was
    looked at and is not shown. Returns what a command returns: what is to be waited for, if it
    takes more than one portion. Then people come and go while `found` is gone through."""
    entries = iter(found)
    first = list(islice(entries, PORTION))
    if len(first) == PORTION:
        return _tell_more(client, first, entries, end)
    _tell(client, first)
    end()
    return None


async def _tell_more(
    client: Client,
    portion: list[str | None],
    entries: Iterator[str | None],
    end: Callable[[], None],
) -> None:
    while portion:
        _tell(client, portion)
        await _others(client)
        if client.member is None or not client.member.present:
            return
        portion = list(islice(entries, PORTION))
    end()


def _tell(client: Client, portion: list[str | None]) -> None:
    client.reply(*[line for line in portion if line is not None])


async def _others(client: Client) -> None:
    """Let others have their turn, and the client take what it was told."""
    seconds = 0.0
    while True:
        turn: Deferred[None] = Deferred()
        client.factory.reactor.callLater(seconds, turn.callback, None)
        await turn
        if not client.connected:
            return
        seconds = _AGAIN_SECONDS if client.is_behind else 0.0
        if not seconds and client.factory.pace.may_go_on():
            return
