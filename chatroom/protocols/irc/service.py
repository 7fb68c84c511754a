"""What a service is: it answers under a nick, and does what its table says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from chatroom.errors import BadUsage, ChatError, NotLoggedIn
from chatroom.events import Told
from chatroom.protocols.irc import lines
from chatroom.protocols.irc.formatting import plain
from chatroom.protocols.irc.refusals import sentence
from chatroom.protocols.irc.sasl import is_here

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client

__all__ = ["Order", "Run", "Service", "Words"]

Words = tuple[str, ...]
Run = Callable[["Client", Words], Awaitable[str] | str]


class Order(NamedTuple):
    """What one may order a service to do. `least` is how many words there must be. Who has to log
    in yet may give it if it is `open`."""

    name: str
    usage: str
    help: str
    run: Run
    least: int = 0
    open: bool = False


class Service:
    """Who answers under a nick."""

    def __init__(self, nick: str, orders: Iterable[Order]) -> None:
        self.nick = nick
        self._orders = {order.name: order for order in orders}

    def hear(self, client: Client, text: str) -> Awaitable[None] | None:
        """As `run`; who is told back what it says is told this as well."""
        if Told in client.me.echoes:
            hub, me = client.hub, client.me
            about = hub.mark(), client.now, None, me.nick, me.shown
            hub.mail(me, Told(*about, self.nick, text, True, me.who))
        return self.run(client, text)

    def run(self, client: Client, text: str) -> Awaitable[None] | None:
        """Do what the text says. What takes a moment is answered later."""
        name, *words = text.split() or ["HELP"]
        name = name.upper()
        try:
            if name == "HELP":
                self.say(client, *self._help(words))
                return None
            answer = self._order(client, name, words).run(client, tuple(words))
        except ChatError as error:
            self.say(client, sentence(error))
            return None
        if isinstance(answer, str):
            self.say(client, *answer.splitlines())
            return None
        return self._later(client, answer)

    def _order(self, client: Client, name: str, words: list[str]) -> Order:
        order = self._orders.get(name)
        if order is None:
            raise BadUsage(f"There is no {name}. /msg {self.nick} HELP lists what there is.")
        if client.must_log_in and not order.open:
            raise NotLoggedIn
        if len(words) < order.least:
            raise BadUsage(f"Usage: {order.name} {order.usage}")
        return order

    async def _later(self, client: Client, answer: Awaitable[str]) -> None:
        try:
            told = await answer
        except ChatError as error:
            told = sentence(error)
        self.say(client, *told.splitlines())

    def say(self, client: Client, *told: str) -> None:
        """Answer with lines, each a notice."""
        if is_here(client):
            head = f":{self.nick}!{self.nick}@{client.factory.server} NOTICE {client.nick} :"
            written = [lines.fit(head, plain(line)) for line in told]
            if "server-time" in client.caps:
                written = [
                    lines.tag(line, f"time={lines.timestamp(client.now)}") for line in written
                ]
            client.reply(*written)

    def _help(self, words: list[str]) -> list[str]:
        order = self._orders.get(words[0].upper()) if words else None
        if order is not None:
            return [f"{order.name} {order.usage}".rstrip(), order.help]
        return [
            f"{self.nick} takes these commands:",
            *(f"{f'{each.name} {each.usage}'.rstrip()}: {each.help}"
              for each in self._orders.values()),
        ]  # fmt: skip
