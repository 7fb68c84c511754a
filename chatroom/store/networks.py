"""Ranges of IP addresses, and which of thousands an address is in. Knows no sockets.

An IPv4 address written as an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 address.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, Generic, NamedTuple, TypeVar

__all__ = ["Network", "Networks", "network", "number"]

_LEAST: Final = {32: 8, 128: 16}
_MAPPED: Final = 0xFFFF << 32  # ::ffff:0:0/96

_Value = TypeVar("_Value")


class Network(NamedTuple):
    """Addresses of `bits` bits (32 or 128) that begin with the `length` bits `prefix`."""

    bits: int
    length: int
    prefix: int

    def __str__(self) -> str:
        first = self.prefix << self.bits - self.length
        # Below 2**32, a number alone would be taken for an IPv4 address.
        return f"{ip_address(first) if self.bits == 32 else IPv6Address(first)}/{self.length}"

    def holds(self, address: str) -> bool:
        """Whether an address ('' is none) is in it."""
        found = number(address)
        return (
            found is not None
            and found[0] == self.bits
            and found[1] >> self.bits - self.length == self.prefix
        )


@lru_cache(1024)
def network(text: str) -> Network:
    """The range that `text` means: `192.0.2.7` is itself, `192.0.2.7/24` the 256 around it, and
    of IPv6 it is the /64 unless it says how many bits. Raises ValueError with a sentence."""
    address, slash, length = text.partition("/")
    found = number(address)
    if found is None:
        raise ValueError(f"{text} is no IP address, nor a range of them like 192.0.2.0/24.")
    bits, value = found
    before = 96 if ":" in address and bits == 32 else 0  # of one that is written as an IPv6 one
    if not slash:
        length = str(min(bits, 64) + before)
    least, most = _LEAST[bits] + before, bits + before
    if not (length.isdecimal() and len(length) < 4):
        raise ValueError(
            f"After the slash of {text} there has to be a number of bits, from {least} to {most}."
        )
    if not least <= int(length) <= most:
        raise ValueError(f"A range has from {least} to {most} bits after the slash of {text}.")
    return Network(bits, int(length) - before, value >> most - int(length))


@lru_cache(1024)
def number(address: str) -> tuple[int, int] | None:
    """How many bits the address has, and the number they are; None if it is no IP address."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    value = int(ip)
    if ip.version == 6 and value >> 32 == _MAPPED >> 32:
        return 32, value & 0xFFFF_FFFF
    return ip.max_prefixlen, value


class Networks(Generic[_Value]):
    """A value for each of many ranges.

    By their length, so that to find an address takes one look for each length there is, and not
    one for each range.
    """

    def __init__(self) -> None:
        self._by_length: dict[tuple[int, int], dict[int, _Value]] = {}

    def add(self, network: Network, value: _Value) -> None:
        """The value of this range from now on."""
        self._by_length.setdefault(network[:2], {})[network.prefix] = value

    def remove(self, network: Network) -> None:
        """Forget a range that is there."""
        same_length = self._by_length[network[:2]]
        del same_length[network.prefix]
        if not same_length:
            del self._by_length[network[:2]]

    def find(self, address: str) -> Iterator[_Value]:
        """The values of those ranges that an address is in. Nothing may be added or removed
        meanwhile."""
        if not self._by_length:
            return
        found = number(address)
        if found is None:
            return
        for (bits, length), ranges in self._by_length.items():
            if bits == found[0] and (value := ranges.get(found[1] >> bits - length)) is not None:
                yield value
