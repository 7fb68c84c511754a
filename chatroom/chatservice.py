"""The chat as a service: one hub, the factories that serve it, and their listeners.

It is the same under any parent: nothing here touches signals, the clock or the process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from twisted.application.service import Service
from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred, DeferredList, DeferredLock, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.config import Settings, needs_restart
from chatroom.errors import ChatError
from chatroom.events import Acted, Event, Said
from chatroom.hub import Hub
from chatroom.keeping import Keeping
from chatroom.listening import Listener, why_not
from chatroom.names import check_nick, check_room
from chatroom.protocols.irc.factory import IRCFactory
from chatroom.protocols.line import ChatFactory
from chatroom.protocols.serving import HubFactory
from chatroom.protocols.sockets import tune
from chatroom.store.sqlitefile import StoreError

__all__ = ["CHECKS", "ChatService", "ListenError", "listener", "make_service"]

PROTOCOLS: dict[str, Callable[[Hub, Any, Settings], HubFactory]] = {
    "line": lambda hub, reactor, settings: ChatFactory(hub, reactor),
    "irc": lambda hub, reactor, settings: IRCFactory(hub, reactor, network=settings.irc),
}

_FLUSH_SECONDS = 10.0

_log = Logger("chatroom")


class ListenError(Exception):
    """It can't start: a listener or the store can't be opened. The sentence says which, why, and
    what to do."""


def _checked(check: Callable[[str], object]) -> Callable[[str], object]:
    def value_error(text: str) -> None:
        try:
            check(text)
        except ChatError as error:
            raise ValueError(str(error)) from None

    return value_error


def _named_hash(text: str) -> None:
    name, _, hash = text.partition(":")
    if not name or " " in name or not hash.startswith("$argon2"):
        raise ValueError("must be NAME:HASH, the hash from `chatroom hash-password`")


def listener(written: str) -> Listener:
    """A listener of one of the protocols that there are. Raises ValueError with a sentence."""
    return Listener.parse(written, PROTOCOLS)


# What the configuration can't judge by itself.
CHECKS: dict[str, Callable[[str], object]] = {
    "listen": listener,
    "lobby": _checked(check_room),
    "operators.accounts": _checked(check_nick),
    "operators.passwords": _named_hash,
}


class ChatService(Service):
    """A chat with its listeners. `hub` is the chat; `reload` takes other settings while it runs."""

    error: type[ListenError] = ListenError
    let_in = ""

    def __init__(
        self, settings: Settings, reactor: Any, checkers: Sequence[ICredentialsChecker] = ()
    ) -> None:
        self.settings = settings
        self.reactor = reactor
        self.hub = Hub(
            limits=settings.limits,
            lobby=settings.lobby,
            welcome=settings.welcome,
            motd=settings.motd,
            guests_by_address=settings.guests == "address",
        )
        self.keeping = Keeping(self.hub, settings, reactor, checkers)
        self.factories: dict[str, HubFactory] = {}
        line: Any = self.factory("line")
        self._line: ChatFactory = line
        if settings.log.chat:
            self.hub.observers.append(self._log_chat)
        self.ports: dict[str, IListeningPort] = {}
        self._listening = False
        self._refusals: list[str] = []
        self._tell_later: list[tuple[Listener, IListeningPort]] = []
        self._relisten = DeferredLock()

    def factory(self, protocol: str) -> HubFactory:
        """What serves a protocol: made when that is first listened for, since what it remembers and
        watches for costs those at the other doors something."""
        found = self.factories.get(protocol)
        if found is None:
            found = PROTOCOLS[protocol](self.hub, self.reactor, self.settings)
            self.factories[protocol] = found
            self.fit(found)
        return found

    def fit(self, factory: HubFactory) -> None:
        """Give a factory what only this service has."""

    def privilegedStartService(self) -> None:
        """Listen, while twistd may still bind to ports below 1024. Raises ListenError."""
        Service.privilegedStartService(self)
        self._listening = True
        for written in self.settings.listen:
            if written not in self.ports:
                self._open(written)
        refusals, self._refusals = self._refusals, []
        if refusals:
            self._stop_listening()
            raise self.error("\n".join(refusals))

    def _stop_listening(self) -> None:
        self._listening = False
        self._tell_later.clear()
        for port in self.ports.values():
            port.stopListening()
        self.ports.clear()

    def startService(self) -> None:
        """Listen, where that was not done yet (`twist`, or a parent that already runs)."""
        if not self._listening:
            self.privilegedStartService()
        try:  # only now, since twistd has given up its privileges, and the file is the daemon's
            self.keeping.open()
        except StoreError as error:
            self._stop_listening()
            raise self.error(str(error)) from None
        self.hub.started = time.time()
        Service.startService(self)
        self._tell_where()

    def stopService(self) -> Deferred[Any]:
        """Stop listening, tell everyone, wait until what they are owed is out: 10 s at most."""
        Service.stopService(self)
        self._listening = False
        ports, self.ports = self.ports, {}
        waiting: list[Deferred[Any]] = [
            maybeDeferred(port.stopListening) for port in ports.values()
        ]
        waiting += [
            factory.close("The server is stopping. Goodbye.", _FLUSH_SECONDS)
            for factory in self.factories.values()
        ]
        return DeferredList(waiting).addCallback(lambda _: self.keeping.close())

    def reload(self, settings: Settings) -> Deferred[list[str]]:
        """Use other settings from now on, dropping nobody. Fires, once the listeners are those
        of the settings, with the keys that changed but need a restart; these stay as they were."""
        stay = needs_restart(self.settings, settings)
        kept = {key.partition(".")[0] for key in stay}
        settings = replace(settings, **{key: getattr(self.settings, key) for key in kept})
        self.settings = settings
        self.hub.welcome, self.hub.motd = settings.welcome, settings.motd
        self.hub.show_guests(by_address=settings.guests == "address")
        self.hub.apply(settings.limits)
        self.keeping.apply(settings)
        for factory in self.factories.values():
            factory.apply(settings.limits)
        listening = self._relisten.run(lambda: Deferred.fromCoroutine(self._listen_anew()))
        return listening.addCallback(lambda _: stay)

    async def _listen_anew(self) -> None:
        """Close first: what is opened may have the port of what is closed."""
        for written in self.ports.keys() - set(self.settings.listen):
            port = self.ports.pop(written, None)
            if port is None:  # the service stopped meanwhile
                continue
            await maybeDeferred(port.stopListening)
            _log.info("No longer listening on {listener}", listener=written)
        for written in self.settings.listen:
            if self._listening and written not in self.ports:
                await self._open(written)

    def _tell_where(self) -> None:
        """Where it listens, once nothing can fail any more."""
        told, self._tell_later = self._tell_later, []
        for door, port in told:
            address, talk = door.invitation(port.getHost())
            if door.protocol == "irc":
                self._line.irc_door = f"connect them to {address}"
            _log.info("Listening on {address}. To talk: {talk}", address=address, talk=talk)
            if self.let_in and door.is_local(port.getHost()):
                _log.info(self.let_in)

    def _open(self, written: str) -> Deferred[None]:
        """Open one listener. At the start a refusal is kept, to be raised; later it is logged."""

        async def listening() -> None:
            """Wait for the port, and keep it unless the service stopped meanwhile."""
            door = listener(written)
            port = await door.listen(self.reactor, self.factory(door.protocol))
            if not self._listening:  # it took its time, and nobody wants it any more
                await maybeDeferred(port.stopListening)
                return
            self.ports[written] = port
            tune(port)
            self._tell_later.append((door, port))
            if self.running:
                self._tell_where()

        def refused(failure: Failure) -> None:
            reason = f"Cannot listen on {written}: {why_not(failure)}"
            if self.running:
                _log.error("{reason}", reason=reason)
            else:
                self._refusals.append(reason)

        return Deferred.fromCoroutine(listening()).addErrback(refused)

    def _log_chat(self, event: Event) -> None:
        if isinstance(event, (Said, Acted)):
            form = "{room} <{nick}> {text}" if isinstance(event, Said) else "{room} * {nick} {text}"
            _log.info(form, room=event.room, nick=event.sender, text=event.text)


def make_service(
    settings: Settings | None = None,
    reactor: Any = None,
    checkers: Sequence[ICredentialsChecker] = (),
) -> ChatService:
    """The chat as a service, to be hung under any other. Without settings, the defaults: the
    line protocol on 127.0.0.1:8000, and what is kept in chatroom.db. `checkers` know further
    nicks and passwords."""
    if reactor is None:
        from twisted.internet import reactor
    return ChatService(settings or Settings(), reactor, checkers)
