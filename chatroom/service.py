"""The service: the only file that knows everyone. `make_service` is for programs that embed
the chat, `Options` and `makeService` are for `twistd chatroom`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, DeferredList, DeferredLock, maybeDeferred
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import Options as TwistedOptions
from twisted.python.usage import UsageError

from chatroom import systemd
from chatroom.config import ConfigError, Settings, load, needs_restart
from chatroom.errors import ChatError
from chatroom.events import Acted, Event, Said
from chatroom.hub import Hub
from chatroom.listening import Listener, why_not
from chatroom.logs import LoggedService, twistd_logger
from chatroom.names import check_room
from chatroom.process import (
    descriptors_for,
    ignore_signals,
    on_hangup,
    stop_on_terminate,
    use_steady_clock,
)
from chatroom.protocols.line import ChatFactory

__all__ = ["CHECKS", "ChatService", "ListenError", "Options", "makeService", "make_service"]

PROTOCOLS = {"line": ChatFactory}

_FLUSH_SECONDS = 10.0


class ListenError(Exception):
    """A listener can't be opened; the sentence says which, why, and what to do."""


class CannotStart(SystemExit, ListenError):
    """Ends twistd with a sentence and exit status 1. As an Exception it also goes through the
    pipe by which a daemonized twistd tells its parent why it did not start."""

    # That pipe takes 100 bytes, and a class of this module is named with its module.
    __module__ = "builtins"


def _checked(check: Callable[[str], object]) -> Callable[[str], object]:
    def value_error(text: str) -> None:
        try:
            check(text)
        except ChatError as error:
            raise ValueError(str(error)) from None

    return value_error


def _listener(written: str) -> Listener:
    return Listener.parse(written, PROTOCOLS)


# What the configuration can't judge by itself.
CHECKS: dict[str, Callable[[str], object]] = {
    "listen": _listener,
    "lobby": _checked(check_room),
}


class ChatService(Service):
    """A chat with its listeners. `hub` is the chat; `reload` takes other settings while it runs."""

    log = Logger("chatroom")
    error: type[ListenError] = ListenError

    def __init__(self, settings: Settings, reactor: Any) -> None:
        self.settings = settings
        self.reactor = reactor
        self.hub = Hub(
            limits=settings.limits,
            lobby=settings.lobby,
            welcome=settings.welcome,
            motd=settings.motd,
            guests_by_address=settings.guests == "address",
        )
        self.factories = {name: protocol(self.hub, reactor) for name, protocol in PROTOCOLS.items()}
        if settings.log.chat:
            self.hub.listeners.append(self._log_chat)
        self.ports: dict[str, IListeningPort] = {}
        self._listening = False
        self._refusals: list[str] = []
        self._relisten = DeferredLock()

    def privilegedStartService(self) -> None:
        """Listen, while twistd may still bind to ports below 1024. Raises ListenError."""
        Service.privilegedStartService(self)
        self._listening = True
        for written in self.settings.listen:
            if written not in self.ports:
                self._open(written)
        refusals, self._refusals = self._refusals, []
        if refusals:
            self._listening = False
            for port in self.ports.values():
                port.stopListening()
            self.ports.clear()
            raise self.error("\n".join(refusals))

    def startService(self) -> None:
        """Listen, where that was not done yet (`twist`, or a parent that already runs)."""
        if not self._listening:
            self.privilegedStartService()
        self.hub.started = time.time()
        Service.startService(self)

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
        return DeferredList(waiting)

    def reload(self, settings: Settings) -> Deferred[list[str]]:
        """Use other settings from now on, dropping nobody. Fires, once the listeners are those
        of the settings, with the keys that changed but need a restart; these stay as they were."""
        stay = needs_restart(self.settings, settings)
        settings = replace(settings, lobby=self.settings.lobby, log=self.settings.log)
        self.settings = settings
        self.hub.welcome, self.hub.motd = settings.welcome, settings.motd
        self.hub.guests_by_address = settings.guests == "address"
        self.hub.apply(settings.limits)
        for factory in self.factories.values():
            factory.apply(settings.limits)
        listening = self._relisten.run(lambda: Deferred.fromCoroutine(self._listen_anew()))
        return listening.addCallback(lambda _: stay)

    async def _listen_anew(self) -> None:
        """Close first: what is opened may have the port of what is closed."""
        for written in self.ports.keys() - set(self.settings.listen):
            await maybeDeferred(self.ports.pop(written).stopListening)
            self.log.info("No longer listening on {listener}", listener=written)
        for written in self.settings.listen:
            if self._listening and written not in self.ports:
                await self._open(written)

    def _open(self, written: str) -> Deferred[None]:
        """Open one listener. At the start a refusal is kept, to be raised; later it is logged."""

        async def listening() -> None:
            listener = _listener(written)
            port = await listener.listen(self.reactor, self.factories[listener.protocol])
            if not self._listening:  # it took its time, and nobody wants it any more
                await maybeDeferred(port.stopListening)
                return
            self.ports[written] = port
            address, talk = listener.invitation(port.getHost())
            self.log.info("Listening on {address}. To talk: {talk}", address=address, talk=talk)
            if listener.is_local(port.getHost()):
                self.log.info(_LET_IN)

        def refused(failure: Failure) -> None:
            reason = f"Cannot listen on {written}: {why_not(failure)}"
            if self.running:
                self.log.error("{reason}", reason=reason)
            else:
                self._refusals.append(reason)

        return Deferred.fromCoroutine(listening()).addErrback(refused)

    def _log_chat(self, event: Event) -> None:
        if isinstance(event, (Said, Acted)):
            form = "{room} <{nick}> {text}" if isinstance(event, Said) else "{room} * {nick} {text}"
            self.log.info(form, room=event.room, nick=event.sender, text=event.text)


_LET_IN = (
    "Only this machine can connect. To let the network in, give --interface 0.0.0.0, or leave "
    "interface= out of what the file says under listen."
)


def make_service(settings: Settings | None = None, reactor: Any = None) -> ChatService:
    """The chat as a service, to be hung under any other. Without settings, the defaults: the
    line protocol on 127.0.0.1:8000."""
    if reactor is None:
        from twisted.internet import reactor
    return ChatService(settings or Settings(), reactor)


class Options(TwistedOptions):
    """`twistd chatroom`'s options. Those that name a listener replace the file's `listen`."""

    synopsis = "[options]"
    longdesc = "A chat daemon: anyone on the network talks with nc, telnet, or what is at hand."
    optParameters: ClassVar = [
        ["port", "p", None, "Listen on this TCP port. [default: 8000]"],
        ["interface", "i", None, "Listen on this address. [default: 127.0.0.1]"],
        ["config", "c", None, "Read the settings from this YAML file."],
    ]

    def __init__(self) -> None:
        TwistedOptions.__init__(self)
        self["listen"] = []
        self.settings = Settings()

    def parseOptions(self, options: Any = None) -> None:
        """Twisted before 26.10 shows a mistake and ends with the exit status of success."""
        try:
            TwistedOptions.parseOptions(self, options)
        except UsageError as error:
            raise SystemExit(f"{self}\n{error}") from None

    def opt_listen(self, listener: str) -> None:
        """Listen on PROTOCOL=ENDPOINT, as in line=tls:/etc/ssl/private:8001 or
        line=unix:/run/chatroom.sock; may be given several times."""
        try:
            _listener(listener)
        except ValueError as error:
            raise SystemExit(f"--listen {listener}: {error}") from None
        self["listen"].append(listener)

    def postOptions(self) -> None:
        """Read the file. Every complaint about it is shown, and nothing is started."""
        if self["config"] is not None:
            self["config"] = os.path.abspath(self["config"])
        if self["port"] is not None and not _is_port(self["port"]):
            raise SystemExit(f"--port {self['port']}: write a number from 0 to 65535")
        try:
            self.settings = self.read()
        except ConfigError as error:
            raise SystemExit(str(error)) from None

    def read(self) -> Settings:
        """The settings as they are now: the file's, under what the command line says. Raises
        ConfigError."""
        settings = Settings() if self["config"] is None else load(self["config"], CHECKS)
        listen = list(self["listen"])
        if self["port"] is not None or self["interface"] is not None:
            interface = quoteStringArgument(self["interface"] or "127.0.0.1")
            listen.insert(0, f"line=tcp:{self['port'] or 8000}:interface={interface}")
        return replace(settings, listen=tuple(listen)) if listen else settings


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) <= 5 and int(text) <= 65535


class _Daemon(ChatService):
    """The chat as the master of its process: signals, descriptors, systemd."""

    error = CannotStart

    def __init__(self, options: Options, reactor: Any) -> None:
        use_steady_clock(reactor)
        super().__init__(self._fitted(options.settings), reactor)
        self._options = options
        self._complaints: list[str] = []
        self._watchdog = LoopingCall(self._notify, "WATCHDOG=1")
        self._watchdog.clock = reactor
        on_hangup(reactor, self._reread)
        stop_on_terminate(reactor)

    def startService(self) -> None:
        super().startService()
        self.reactor.callWhenRunning(self._ready)

    def stopService(self) -> Deferred[Any]:
        ignore_signals()
        self._notify("STOPPING=1")
        if self._watchdog.running:
            self._watchdog.stop()
        return super().stopService()

    def _ready(self) -> None:
        stop_on_terminate(self.reactor)
        self._notify("READY=1", f"STATUS=Listening on {', '.join(self.ports)}")
        seconds = systemd.watchdog_seconds()
        if seconds is not None:
            self._watchdog.start(seconds)

    def _reread(self) -> None:
        """SIGHUP: take what the file says now, if there is nothing wrong with it."""
        if not self.running:
            return
        self._notify(*systemd.reloading())
        try:
            settings = self._fitted(self._options.read())
        except ConfigError as error:
            self._not_reloaded([str(complaint) for complaint in error.complaints])
        else:
            self._complaints = []
            self.reload(settings).addCallback(self._reloaded)

    def _reloaded(self, stay: list[str]) -> None:
        self.log.info("Reloaded the settings")
        if stay:
            self.log.warn("These wait for a restart: {keys}", keys=", ".join(stay))
        self._notify("READY=1")

    def _not_reloaded(self, complaints: list[str]) -> None:
        if complaints == self._complaints:
            self.log.error("Not reloaded, for the same reasons as the last time")
        else:
            self.log.error("Not reloaded, the old settings stay. What is wrong with the file:")
            for complaint in complaints:
                self.log.error("{complaint}", complaint=complaint)
        self._complaints = complaints
        self._notify("READY=1")

    def _notify(self, *assignments: str) -> None:
        systemd.notify(*assignments, on_error=self._not_notified)

    def _not_notified(self, error: OSError) -> None:
        self.log.warn("systemd was not told: {error}", error=error)

    def _fitted(self, settings: Settings) -> Settings:
        """The settings with no more connections than the process may have open."""
        wanted = settings.limits.connections
        most = descriptors_for(wanted)
        if most == wanted:
            return settings
        self.log.warn("At most {most} connections: this process may open no more files", most=most)
        return replace(settings, limits=replace(settings.limits, connections=most))


def makeService(options: Options) -> IService:
    """What `twistd chatroom` runs."""
    from twisted.internet import reactor

    service = _Daemon(options, reactor)
    log = options.settings.log
    make_observer = twistd_logger(options.parent, log.format, log.level)
    if make_observer is None:
        return service
    logged = LoggedService(make_observer)
    Service.setServiceParent(service, logged)
    return logged
