"""What `twistd chatroom` runs: its options, and the chat as the master of its process."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from twisted.application.service import IService, Service
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.strcred import AuthOptionMixin
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import Options as TwistedOptions
from twisted.python.usage import UsageError

from chatroom import systemd
from chatroom.chatservice import CHECKS, ChatService, ListenError, listener, make_service
from chatroom.config import ConfigError, Settings, load
from chatroom.logs import LoggedService, twistd_logger
from chatroom.process import (
    Tidying,
    collect_rarely,
    descriptors_for,
    ignore_signals,
    on_hangup,
    stop_on_terminate,
    use_steady_clock,
)
from chatroom.protocols.irc.factory import IRCFactory
from chatroom.protocols.serving import HubFactory

__all__ = ["CHECKS", "ChatService", "ListenError", "Options", "makeService", "make_service"]

_log = Logger("chatroom")


class CannotStart(SystemExit, ListenError):
    """Ends twistd with a sentence and exit status 1. As an Exception it also goes through the
    pipe by which a daemonized twistd tells its parent why it did not start."""

    # That pipe takes 100 bytes, and a class of this module is named with its module.
    __module__ = "builtins"


class Options(TwistedOptions, AuthOptionMixin):
    """`twistd chatroom`'s options. Those that name a listener replace the file's `listen`. With
    `--auth`, nicks and passwords of an existing deployment are good here, too."""

    supportedInterfaces = (IUsernamePassword,)
    authOutput = sys.stdout

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

    def opt_listen(self, written: str) -> None:
        """Listen on PROTOCOL=ENDPOINT, as in line=tls:/etc/ssl/private:8001 or
        line=unix:/run/chatroom.sock; may be given several times."""
        try:
            listener(written)
        except ValueError as error:
            raise SystemExit(f"--listen {written}: {error}") from None
        self["listen"].append(written)

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
    let_in = (
        "Only this machine can connect. To let the network in, give --interface 0.0.0.0, or leave "
        "interface= out of what the file says under listen."
    )

    def __init__(self, options: Options, reactor: Any) -> None:
        use_steady_clock(reactor)
        checkers = options.get("credCheckers", ())
        super().__init__(self._fitted(options.settings), reactor, checkers)
        self._options = options
        self._complaints: list[str] = []
        self._watchdog = LoopingCall(self._notify, "WATCHDOG=1")
        self._watchdog.clock = reactor
        on_hangup(reactor, self._reread)
        stop_on_terminate(reactor)

    def fit(self, factory: HubFactory) -> None:
        factory.each_second = Tidying(partial(getattr, factory, "connections"))
        if isinstance(factory, IRCFactory):
            factory.rehash = self._reread

    def startService(self) -> None:
        super().startService()
        self.reactor.callWhenRunning(collect_rarely)
        self.reactor.callWhenRunning(self._ready)

    def stopService(self) -> Deferred[Any]:
        ignore_signals()
        self._notify("STOPPING=1")
        if self._watchdog.running:
            self._watchdog.stop()
        return super().stopService()

    def _ready(self) -> None:
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
            self.reload(settings).addCallbacks(self._reloaded, self._reload_failed)

    def _reloaded(self, stay: list[str]) -> None:
        _log.info("Reloaded the settings")
        if stay:
            _log.warn("These wait for a restart: {keys}", keys=", ".join(stay))
        self._notify("READY=1")

    def _reload_failed(self, failure: Failure) -> None:
        _log.failure("Reloaded the settings, but not all listeners", failure)
        self._notify("READY=1")

    def _not_reloaded(self, complaints: list[str]) -> None:
        if complaints == self._complaints:
            _log.error("Not reloaded, for the same reasons as the last time")
        else:
            _log.error("Not reloaded, the old settings stay. What is wrong with the file:")
            for complaint in complaints:
                _log.error("{complaint}", complaint=complaint)
        self._complaints = complaints
        self._notify("READY=1")

    def _notify(self, *assignments: str) -> None:
        systemd.notify(*assignments, on_error=self._not_notified)

    def _not_notified(self, error: OSError) -> None:
        _log.warn("systemd was not told: {error}", error=error)

    def _fitted(self, settings: Settings) -> Settings:
        """The settings with no more connections than the process may have open."""
        wanted = settings.limits.connections
        most = descriptors_for(wanted)
        if most == wanted:
            return settings
        _log.warn("At most {most} connections: this process may open no more files", most=most)
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
