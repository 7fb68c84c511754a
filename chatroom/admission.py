"""Who may connect: so many in all, so many from one address. Counts, and knows no sockets."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from chatroom.errors import TooMany
from chatroom.limits import Limits
from chatroom.phrases import plural

__all__ = ["Admission", "is_loopback", "source_of"]


class Admission:
    """Counts the connections of every protocol together. Holds nothing for who is gone."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.connected = 0
        self._from: dict[str, int] = {}

    def admit(self, address: str) -> None:
        """Count one connection from `address` ('' where there is none, as for a UNIX
        socket). Raises TooMany, and then counts nothing."""
        most = self.limits.connections
        if most is not None and self.connected >= most:
            raise TooMany(f"The server is full ({plural(most, 'connection')}). Try again later.")
        source = source_of(address)
        most = self.limits.connections_per_address
        here = self._from.get(source, 0)
        if source and most is not None and here >= most:
            raise TooMany(f"Too many connections from {source} ({most} may be). Close one first.")
        self.connected += 1
        if source:
            self._from[source] = here + 1

    def release(self, address: str) -> None:
        """One that was admitted is gone."""
        self.connected -= 1
        source = source_of(address)
        here = self._from.pop(source, 0)
        if here > 1:
            self._from[source] = here - 1


def is_loopback(address: str) -> bool:
    """Whether it is an IP address of this machine's loopback."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


@lru_cache(1024)
def source_of(address: str) -> str:
    """What counts as one source: an IPv4 address, an IPv6 /64; nothing for loopback."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is None:
            return "" if ip.is_loopback else f"{IPv6Address(int(ip) >> 64 << 64)}/64"
        ip = ip.ipv4_mapped
    return "" if ip.is_loopback else str(ip)
