"""Addresses made unreadable: everyone sees that two come from one place, nobody from which.

What a mask is made of on IRC is public, and so must not be an address. It is a keyed hash, in parts
from the narrowest network to the widest, so that a mask may mean a whole network: `*.k2f9.8qzt.ip`.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

__all__ = ["LOCAL", "Cloak"]

LOCAL = "local"
"""The host of who comes by a UNIX socket, or is a program of the daemon's own process."""

_CHARACTERS = 8
# 40 bits of each: who has no key can't try all addresses, and a mask stays short enough to type.
_V4_BITS = (32, 24, 16)
_V6_BITS = (64, 48, 32)  # one IPv6 /64 is one source, as for the limits


class Cloak:
    """Of an address, what is shown in its place. `key` is the server's secret: with the same key an
    address has the same cloak, and without it nobody can tell which."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cloaked = lru_cache(4096)(self._make)

    @property
    def has_key(self) -> bool:
        """Whether nobody else can make the same of an address."""
        return bool(self._key)

    def __call__(self, address: str) -> str:
        """The cloak of an IP address, with or without a zone; LOCAL for what is none."""
        return self._cloaked(address)

    def network(self, network: str) -> str:
        """The host in a mask that stands for a range of addresses (`192.0.2.0/24`): what all who
        come from it have in common, or for a range of another width a text that is its alone."""
        range_ = ip_network(network)
        bits = _V4_BITS if range_.version == 4 else _V6_BITS
        if range_.prefixlen not in bits:
            return f"{self._part(network)}.{range_.prefixlen}.net"
        before = bits.index(range_.prefixlen)
        parts = self(str(range_.network_address)).split(".")[before:]
        return ".".join(["*"] * bool(before) + parts)

    def _make(self, address: str) -> str:
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return LOCAL
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        bits = _V4_BITS if ip.version == 4 else _V6_BITS
        return ".".join([*(self._part(f"{ip}/{width}") for width in bits), "ip"])

    def _part(self, network: str) -> str:
        digest = hmac.digest(self._key, str(ip_network(network, strict=False)).encode(), sha256)
        return b32encode(digest).decode().lower()[:_CHARACTERS]
