"""chatroom.protocols.sockets: what a socket is told, and how its peer is written. That every
connection is told is in test_transports.py."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from chatroom.protocols.sockets import tune, written


@pytest.mark.parametrize(
    ("peer", "shown"),
    [
        (IPv4Address("TCP", "192.0.2.1", 49152), "192.0.2.1:49152"),
        (IPv6Address("TCP", "2001:db8::1", 1), "2001:db8::1:1"),
        (UNIXAddress(b"/run/chatroom.sock"), "a UNIX socket"),
    ],
)
def test_a_peer_is_written_by_its_address(peer: IAddress, shown: str) -> None:
    assert written(peer) == shown


class Wrapped:
    """A transport with this socket."""

    def __init__(self, handle: Any) -> None:
        self.socket = handle


def test_a_tcp_socket_notices_a_peer_that_vanished() -> None:
    with socket.socket() as handle:
        tune(Wrapped(handle))
        assert handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_has_no_tcp_socket_is_left_alone() -> None:
    tune(object())
    with socket.socket(socket.AF_UNIX) as handle:
        tune(Wrapped(handle))
        assert not handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
