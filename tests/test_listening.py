"""chatroom.listening: which listeners can be written, what they say, and why one can't open."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.internet.protocol import ServerFactory
from twisted.internet.testing import MemoryReactorClock
from twisted.plugin import getPlugins
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chatroom.listening import _FORMS, Listener, why_not
from chatroom.protocols.proxied import ProxiedFactory

PROTOCOLS = ("line", "irc")
_CASE = SynchronousTestCase()


def parse(written: str) -> Listener:
    return Listener.parse(written, PROTOCOLS)


def failure(written: str, reactor: Any) -> Failure:
    """Why it does not open."""
    found: Failure = _CASE.failureResultOf(parse(written).listen(reactor, ServerFactory()))
    return found


def has_tls() -> bool:
    return "tls" in {each.prefix for each in getPlugins(IStreamServerEndpointStringParser)}


# How they are written


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp:8000",
        "tcp:8000:interface=127.0.0.1",
        "tcp6:8000:interface=\\:\\:1",
        "unix:/run/chatroom.sock:mode=600",
        "systemd:domain=INET:index=0",
        "ssl:8001:privateKey=/missing/key.pem:certKey=/missing/cert.pem",
        "haproxy:tcp:8000",
        "haproxy:unix:/run/chatroom.sock",
    ],
)
def test_an_endpoint_of_twisted_is_taken_also_when_its_files_are_missing(endpoint: str) -> None:
    listener = parse(f"irc={endpoint}")
    assert (listener.written, listener.protocol, listener.endpoint) == (
        f"irc={endpoint}",
        "irc",
        endpoint,
    )


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "write PROTOCOL=ENDPOINT with a protocol of line or irc, as in line=tcp:8000"),
        ("line", "write PROTOCOL=ENDPOINT with a protocol of line or irc, as in line=tcp:8000"),
        ("line=", "write PROTOCOL=ENDPOINT with a protocol of line or irc, as in line=tcp:8000"),
        ("tcp:8000", "write PROTOCOL=ENDPOINT with a protocol of line or irc"),
        ("web=tcp:8000", "write PROTOCOL=ENDPOINT with a protocol of line or irc"),
        ("LINE=tcp:8000", "write PROTOCOL=ENDPOINT with a protocol of line or irc"),
        ("line=8000", "there is no endpoint '8000'; choose from "),
        ("line=tpc:8000", "there is no endpoint 'tpc'; choose from "),
        ("line=haproxy:", "there is no endpoint ''; choose from "),
        ("line=tcp:80oo", "'80oo'; write it as in tcp:8000:interface=127.0.0.1"),
        ("line=tcp", "'port'; write it as in tcp:8000:interface=127.0.0.1"),
        ("line=tcp:1:iface=::1", "; write it as in tcp:8000:interface=127.0.0.1"),
        ("line=haproxy:tcp:x", "'x'; write it as in tcp:8000:interface=127.0.0.1"),
        ("line=systemd:domain=INET", "; write it as in systemd:domain=INET:index=0"),
    ],
)
def test_what_no_machine_could_open_is_refused_with_what_to_write(
    written: str, reason: str
) -> None:
    with pytest.raises(ValueError) as refusal:
        parse(written)
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("kind", _FORMS)
def test_what_it_says_to_write_can_be_written(kind: str) -> None:
    if kind == "tls" and not has_tls():
        pytest.skip("Twisted 25.5 and older have no tls endpoint")
    assert parse(f"line={_FORMS[kind]}").endpoint == _FORMS[kind]


# Opening


def test_it_opens_where_the_endpoint_says() -> None:
    reactor = MemoryReactorClock()
    factory = ServerFactory()
    _CASE.successResultOf(parse("line=tcp:8000:interface=127.0.0.1").listen(reactor, factory))
    ((port, served, _backlog, interface),) = reactor.tcpServers
    assert (port, served, interface) == (8000, factory, "127.0.0.1")


def test_behind_a_proxy_the_protocol_is_wrapped_in_ours() -> None:
    reactor = MemoryReactorClock()
    _CASE.successResultOf(parse("line=haproxy:tcp:8000").listen(reactor, ServerFactory()))
    ((_port, served, *_),) = reactor.tcpServers
    assert isinstance(served, ProxiedFactory)


def test_what_an_endpoint_raises_is_a_failure_like_any_other(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    reason = why_not(failure(f"line=ssl:8001:privateKey={key}", MemoryReactorClock()))
    assert reason == "No such file or directory."


def test_an_endpoint_of_systemd_needs_a_socket_from_it() -> None:
    for index in ("index=0", "name=chat"):
        reason = why_not(failure(f"line=systemd:domain=INET:{index}", MemoryReactorClock()))
        assert reason.startswith("systemd passed no such socket. ")


# What they say


@pytest.mark.parametrize(
    ("endpoint", "address", "where", "talk", "local"),
    [
        (
            "tcp:8000:interface=127.0.0.1",
            IPv4Address("TCP", "127.0.0.1", 8000),
            "127.0.0.1 port 8000",
            "nc 127.0.0.1 8000",
            True,
        ),
        (
            "tcp:0",
            IPv4Address("TCP", "0.0.0.0", 41234),
            "0.0.0.0 port 41234",
            "nc localhost 41234",
            False,
        ),
        (
            "tcp6:8000:interface=\\:\\:1",
            IPv6Address("TCP", "::1", 8000),
            "::1 port 8000",
            "nc ::1 8000",
            True,
        ),
        ("tcp6:8000", IPv6Address("TCP", "::", 8000), ":: port 8000", "nc localhost 8000", False),
        (
            "tcp:8000:interface=192.0.2.1",
            IPv4Address("TCP", "192.0.2.1", 8000),
            "192.0.2.1 port 8000",
            "nc 192.0.2.1 8000",
            False,
        ),
        (
            "ssl:8001:privateKey=/missing",
            IPv4Address("TCP", "0.0.0.0", 8001),
            "0.0.0.0 port 8001",
            "openssl s_client -quiet -connect localhost:8001",
            False,
        ),
        (
            "systemd:domain=INET:index=0",
            IPv4Address("TCP", "127.0.0.1", 8000),
            "127.0.0.1 port 8000",
            "nc 127.0.0.1 8000",
            False,
        ),
        (
            "haproxy:tcp:8000:interface=127.0.0.1",
            IPv4Address("TCP", "127.0.0.1", 8000),
            "127.0.0.1 port 8000",
            "through its proxy",
            False,
        ),
        (
            "haproxy:unix:/run/chat.sock",
            UNIXAddress(b"/run/chat.sock"),
            "/run/chat.sock",
            "through its proxy",
            False,
        ),
        (
            "unix:/run/chat.sock",
            UNIXAddress(b"/run/chat.sock"),
            "/run/chat.sock",
            "nc -U /run/chat.sock",
            False,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value else "",
)
def test_it_says_where_it_listens_how_to_talk_and_whether_others_can(
    endpoint: str, address: Any, where: str, talk: str, local: bool
) -> None:
    listener = parse(f"line={endpoint}")
    assert listener.invitation(address) == (where, talk)
    assert listener.is_local(address) is local


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            CannotListenError(
                "127.0.0.1", 8000, OSError(errno.EADDRINUSE, "Address already in use")
            ),
            "Address already in use. Stop the program that listens there, or choose another port.",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "Permission denied. Ports below 1024 and other people's folders take more rights.",
        ),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "Name or service not known. An interface is named by an address, as in 127.0.0.1.",
        ),
        (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)), "No such file or directory."),
        (OverflowError("bind(): port must be 0-65535."), "bind(): port must be 0-65535."),
        (RuntimeError("no entropy"), "no entropy."),
        (RuntimeError(), "RuntimeError."),
    ],
)
def test_why_not_is_a_sentence_and_what_to_do_where_that_is_known(
    error: Exception, reason: str
) -> None:
    assert why_not(Failure(error)) == reason
