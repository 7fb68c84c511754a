"""chatroom.cloak: what is shown of an address: that two come from one place, not from which."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.cloak import LOCAL, Cloak

KEY = b"a key of the server's"
CLOAK = Cloak(KEY)
V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
# Not those that stand for an IPv4 address.
V6 = st.integers(0, 2**128 - 1).map(IPv6Address).filter(lambda ip: ip.ipv4_mapped is None)
WIDTHS = {4: (32, 24, 16), 6: (64, 48, 32)}


def parts(address: IPv4Address | IPv6Address | str) -> list[str]:
    """The parts of a cloak, the narrowest network's first."""
    *networks, end = CLOAK(str(address)).split(".")
    assert end == "ip"
    return networks


def networks(ip: IPv4Address | IPv6Address) -> list[int]:
    """What the networks of an address have in common, from the narrowest to the widest."""
    return [int(ip) >> (ip.max_prefixlen - width) for width in WIDTHS[ip.version]]


@given(V4 | V6)
def test_an_address_has_one_cloak_from_which_nothing_can_be_read(
    ip: IPv4Address | IPv6Address,
) -> None:
    cloak = CLOAK(str(ip))
    assert cloak == Cloak(KEY)(str(ip)) == CLOAK(ip.exploded)
    assert re.fullmatch(r"([a-z2-7]{8}\.){3}ip", cloak)


@given(V4 | V6, st.binary(max_size=40))
def test_with_another_key_every_part_is_another(ip: IPv4Address | IPv6Address, key: bytes) -> None:
    # HMAC fills up a short key with zeros (RFC 2104, section 2).
    if key.rstrip(b"\0") != KEY:
        assert not set(Cloak(key)(str(ip)).split(".")[:-1]) & set(parts(ip))


@given(st.tuples(V4, V4) | st.tuples(V6, V6), st.integers(0, 128))
def test_two_share_the_parts_of_the_networks_that_they_share_and_no_other(
    two: tuple[IPv4Address, IPv4Address] | tuple[IPv6Address, IPv6Address], common: int
) -> None:
    one, other = two
    bits = max(one.max_prefixlen - common, 0)
    neighbor = type(one)(int(one) >> bits << bits | int(other) & (1 << bits) - 1)
    same = [a == b for a, b in zip(parts(one), parts(neighbor), strict=True)]
    assert same == [a == b for a, b in zip(networks(one), networks(neighbor), strict=True)]
    assert len({*parts(one)}) == 3, "no two parts of one address are alike"


@given(V6, st.integers(0, 2**64 - 1))
def test_all_of_an_ipv6_64_are_one(ip: IPv6Address, interface: int) -> None:
    other = IPv6Address(int(ip) >> 64 << 64 | interface)
    assert other.ipv4_mapped is not None or CLOAK(str(ip)) == CLOAK(str(other))


@given(V4)
def test_an_ipv4_address_is_the_same_when_it_comes_over_ipv6(ip: IPv4Address) -> None:
    assert CLOAK(f"::ffff:{ip}") == CLOAK(str(ip))


@given(V6, st.text("abcdefgh0123456789", min_size=1))
def test_a_zone_makes_no_difference(ip: IPv6Address, zone: str) -> None:
    assert CLOAK(f"{ip}%{zone}") == CLOAK(str(ip))


@given(V4, V6)
def test_ipv4_and_ipv6_never_share_a_part(four: IPv4Address, six: IPv6Address) -> None:
    assert not {*parts(four)} & {*parts(six)}


@pytest.mark.parametrize("address", ["", "/run/chat.sock", "local", "300.1.1.1", "192.0.2.1:80"])
def test_what_is_no_address_is_local(address: str) -> None:
    assert CLOAK(address) == LOCAL


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("192.0.2.1", "192.0.2.2", 2),
        ("192.0.2.1", "192.0.3.1", 1),
        ("192.0.2.1", "192.1.2.1", 0),
        ("2001:db8:1:2::1", "2001:db8:1:2::2", 3),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", 2),
        ("2001:db8:1:2::1", "2001:db8:2:2::1", 1),
        ("2001:db8:1:2::1", "2001:db9:1:2::1", 0),
    ],
)
def test_a_mask_of_the_last_parts_means_a_whole_network(one: str, other: str, shared: int) -> None:
    assert len(set(parts(one)) & set(parts(other))) == shared
    assert parts(one)[3 - shared :] == parts(other)[3 - shared :]


def test_who_does_not_know_the_key_cannot_find_the_address_among_all_of_its_network() -> None:
    seen = CLOAK("192.0.2.77")
    guesses = {Cloak(b"a guess")(str(ip)) for ip in IPv4Network("192.0.2.0/24")}
    assert seen not in guesses
    assert seen in {CLOAK(str(ip)) for ip in IPv4Network("192.0.2.0/24")}
