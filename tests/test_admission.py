"""Who may connect: so many in all, so many from one address, and nothing kept of who is gone."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.admission import Admission
from chatroom.errors import TooMany
from chatroom.limits import Limits


def admission(connections: int | None = None, per_address: int | None = None) -> Admission:
    return Admission(Limits(connections=connections, connections_per_address=per_address))


def refusal(door: Admission, address: str) -> str:
    with pytest.raises(TooMany) as caught:
        door.admit(address)
    return str(caught.value)


def test_a_full_server_says_so_and_has_room_again_when_someone_goes() -> None:
    door = admission(connections=2)
    door.admit("192.0.2.1")
    door.admit("")
    assert refusal(door, "192.0.2.3") == "The server is full (2 connections). Try again later."
    door.release("192.0.2.1")
    door.admit("192.0.2.3")
    assert door.connected == 2


def test_one_address_has_so_many_connections_and_others_do_not_mind() -> None:
    door = admission(per_address=2)
    door.admit("192.0.2.1")
    door.admit("192.0.2.1")
    assert refusal(door, "192.0.2.1") == (
        "Too many connections from 192.0.2.1 (2 may be). Close one first."
    )
    door.admit("192.0.2.2")
    door.release("192.0.2.1")
    door.admit("192.0.2.1")


def test_who_is_refused_is_not_counted() -> None:
    door = admission(connections=2, per_address=1)
    door.admit("192.0.2.1")
    for _ in range(5):
        refusal(door, "192.0.2.1")
    assert door.connected == 1
    door.release("192.0.2.1")
    door.admit("192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("2001:db8:0:0:1::", "2001:db8::2"),
        ("fe80::1%eth0", "fe80::2%eth1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_these_are_one_source(one: str, other: str) -> None:
    """An IPv6 /64 is one, and an IPv4 address is the same in both notations."""
    door = admission(per_address=1)
    door.admit(one)
    assert "Too many connections from" in refusal(door, other)


@pytest.mark.parametrize(
    ("one", "other"), [("2001:db8:0:1::1", "2001:db8:0:2::1"), ("192.0.2.1", "192.0.2.2")]
)
def test_these_are_two_sources(one: str, other: str) -> None:
    door = admission(per_address=1)
    door.admit(one)
    door.admit(other)
    assert door.connected == 2


def test_an_ipv6_source_is_named_by_its_64_bits() -> None:
    door = admission(per_address=1)
    door.admit("2001:db8::1")
    assert "from 2001:db8::/64 (1 may be)" in refusal(door, "2001:db8::2")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "", "x"])
def test_loopback_and_what_has_no_address_count_only_in_all(address: str) -> None:
    door = admission(connections=3, per_address=1)
    for _ in range(3):
        door.admit(address)
    assert refusal(door, address).startswith("The server is full")
    door.release(address)
    door.admit(address)


def test_off_admits_everyone() -> None:
    door = admission()
    for _ in range(10_000):
        door.admit("192.0.2.1")
    assert door.connected == 10_000


def test_lowered_limits_hold_for_who_comes_next_and_drop_nobody() -> None:
    door = admission(per_address=5)
    for _ in range(4):
        door.admit("192.0.2.1")
    door.limits = Limits(connections_per_address=2)
    refusal(door, "192.0.2.1")
    for _ in range(3):
        door.release("192.0.2.1")
    door.admit("192.0.2.1")


SOURCES = ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8::2", "127.0.0.1", ""]
COUNTED = ["192.0.2.1", "192.0.2.1", "2001:db8::/64", "2001:db8::/64", "", ""]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, len(SOURCES) - 1)), max_size=80))
def test_counts_are_those_of_who_is_connected(steps: list[tuple[bool, int]]) -> None:
    """Against a plain list of who is connected; and when all have gone, nothing is kept."""
    door = admission(connections=8, per_address=3)
    here: list[int] = []
    for comes, source in steps:
        if comes:
            sources = Counter(COUNTED[other] for other in here)
            fits = len(here) < 8 and not (COUNTED[source] and sources[COUNTED[source]] >= 3)
            if fits:
                door.admit(SOURCES[source])
                here.append(source)
            else:
                refusal(door, SOURCES[source])
        elif source in here:
            door.release(SOURCES[source])
            here.remove(source)
        assert door.connected == len(here)
    for source in here:
        door.release(SOURCES[source])
    assert door.connected == 0
    assert not door._from
