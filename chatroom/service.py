"""The service: the only file that knows everyone. `make_service` is for programs that embed
the chat, `Options` and `makeService` are for `twistd chatroom`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
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
from chatroom.process import descriptors_for, on_hangup, stop_on_terminate, use_steady_clock
from chatroom.protocols.line import ChatFactory

__all__ = ["CHECKS", "ChatService", "ListenError", "Options", "makeService", "make_service"]

PROTOCOLS = {"line": ChatFactory}

_FLUSH_SECONDS = 10.0


class ListenError(Exception):
    """A listener can't be opened; the sentence says which, why, and what to do."""


class CannotStart(SystemExit, ListenError):
    """Ends twistd with a sentence and exit status 1. As an Exception it also goes through the
    pipe by which a daemonized twistd tells its parent why it did not start."""


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

    def privilegedStartService(self) -> None:
        """Listen, while twistd may still bind to ports below 1024. Raises ListenError."""
        Service.privilegedStartService(self)
        failures: list[str] = []
        for written in self.settings.listen:
            if written not in self.ports:
                self._open(written, failures.append)
        if failures:
            for port in self.ports.values():
                port.stopListening()
            self.ports.clear()
            raise self.error("\n".join(failures))

    def startService(self) -> None:
        """Listen, where that was not done yet (`twist`, or a parent that already runs)."""
        if not self.ports:
            self.privilegedStartService()
        Service.startService(self)

    def stopService(self) -> Deferred[Any]:
        """Stop listening, tell everyone, wait until what they are owed is out: 10 s at most."""
        Service.stopService(self)
        ports, self.ports = self.ports, {}
        waiting: list[Deferred[Any]] = [
            maybeDeferred(port.stopListening) for port in ports.values()
        ]
        waiting += [
            factory.close("The server is stopping. Goodbye.", _FLUSH_SECONDS)
            for factory in self.factories.values()
        ]
        return DeferredList(waiting)

    def reload(self, settings: Settings) -> list[str]:
        """Use other settings from now on, dropping nobody; returns the keys that changed but
        need a restart, which stay as they were."""
        stay: list[str] = needs_restart(self.settings, settings)
        settings = replace(settings, lobby=self.settings.lobby, log=self.settings.log)
        self.settings = settings
        self.hub.welcome, self.hub.motd = settings.welcome, settings.motd
        self.hub.guests_by_address = settings.guests == "address"
        self.hub.apply(settings.limits)
        closing = []
        for written in set(self.ports) - set(settings.listen):
            self.log.info("No longer listening on {listener}", listener=written)
            closing.append(maybeDeferred(self.ports.pop(written).stopListening))
        # One that takes over the port of another has to wait for it.
        DeferredList(closing).addCallback(lambda _: self._open_missing())
        return stay

    def _open_missing(self) -> None:
        for written in self.settings.listen:
            if written not in self.ports:
                self._open(written, lambda reason: self.log.error("{reason}", reason=reason))

    def _open(self, written: str, failed: Callable[[str], object]) -> None:
        listener = _listener(written)

        def opened(port: IListeningPort) -> None:
            self.ports[written] = port
            address, talk = listener.invitation(port.getHost())
            self.log.info("Listening on {address}. To talk: {talk}", address=address, talk=talk)
            if listener.is_local(port.getHost()):
                self.log.info(_LET_IN)

        def refused(failure: Failure) -> None:
            failed(f"Cannot listen on {written}: {why_not(failure)}")

        listener.listen(self.reactor, self.factories[listener.protocol]).addCallbacks(
            opened, refused
        )

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

    def opt_listen(self, listener: str) -> None:
        """Listen on PROTOCOL=ENDPOINT, as in line=tls:/etc/ssl/private:8001 or
        line=unix:/run/chatroom.sock; may be given several times."""
        try:
            _listener(listener)
        except ValueError as error:
            raise UsageError(f"--listen {listener}: {error}") from None
        self["listen"].append(listener)

    def postOptions(self) -> None:
        """Read the file. Every complaint about it is shown, and nothing is started."""
        if self["config"] is not None:
            self["config"] = os.path.abspath(self["config"])
        if self["port"] is not None and not self["port"].isdecimal():
            raise UsageError(f"--port {self['port']}: write a number from 0 to 65535")
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


class _Daemon(ChatService):
    """The chat as the master of its process: signals, descriptors, systemd."""

    error = CannotStart

    def __init__(self, options: Options, reactor: Any) -> None:
        super().__init__(self._fitted(options.settings), reactor)
        self._options = options
        self._watchdog = LoopingCall(self._notify, "WATCHDOG=1")
        self._watchdog.clock = reactor
        use_steady_clock(reactor)
        on_hangup(reactor, self._reread)

    def startService(self) -> None:
        super().startService()
        self.reactor.callWhenRunning(self._ready)

    def stopService(self) -> Deferred[Any]:
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
        self._notify(*systemd.reloading())
        try:
            settings = self._fitted(self._options.read())
        except ConfigError as error:
            self.log.error("Not reloaded, the old settings stay: {error}", error=str(error))
        else:
            stay = self.reload(settings)
            self.log.info("Reloaded the settings")
            if stay:
                self.log.warn("These wait for a restart: {keys}", keys=", ".join(stay))
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
