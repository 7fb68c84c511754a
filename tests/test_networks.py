"""Ranges of addresses: what may be written, and that finding agrees with looking at each."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis.strategies import builds, integers, ip_addresses, lists, one_of, sampled_from

from chatroom.store.networks import Networks, network, number

# Few bits differ, so that many addresses are in many ranges.
NEAR = one_of(
    builds(lambda n: str(ip_address(0xC0000200 + n)), integers(0, 1023)),
    builds(lambda n: str(ip_address((0x20010DB8 << 96) + (n << 60))), integers(0, 1023)),
    ip_addresses().filter(lambda ip: getattr(ip, "ipv4_mapped", None) is None).map(str),
)
RANGES = one_of(
    builds("{}/{}".format, NEAR.filter(lambda a: ":" not in a), sampled_from([8, 16, 22, 30, 32])),
    builds("{}/{}".format, NEAR.filter(lambda a: ":" in a), sampled_from([16, 32, 58, 64, 128])),
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::1/128", "2001:db8::1/128"),
        ("2001:db8:5::/32", "2001:db8::/32"),
        ("::1:0:1/128", "::1:0:1/128"),
        ("::5/128", "::5/128"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
        ("10.1.2.3/8", "10.0.0.0/8"),
    ],
)
def test_a_range_is_an_address_and_how_many_bits_of_it_count(text: str, written: str) -> None:
    assert str(network(text)) == written
    assert network(written) == network(text)


@pytest.mark.parametrize(
    "text",
    ["", "bob", "192.0.2", "12", "192.0.2.0/7", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/x",
     "192.0.2.0/-1", "2001:db8::/15", "2001:db8::/129", "::ffff:192.0.2.7/64", "192.0.2.0/²",
     "192.0.2.0/" + "9" * 9999],
)  # fmt: skip
def test_what_is_no_range_or_too_wide_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)^.*(no IP address|A range|After).*\.$"):
        network(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "10.0.0.0/x",
            "After the slash of 10.0.0.0/x there has to be a number of bits, from 8 to 32.",
        ),
        ("10.0.0.0/7", "A range has from 8 to 32 bits after the slash of 10.0.0.0/7."),
        (
            "2001::/x",
            "After the slash of 2001::/x there has to be a number of bits, from 16 to 128.",
        ),
        ("::ffff:0:0/96", "A range has from 104 to 128 bits after the slash of ::ffff:0:0/96."),
    ],
)
def test_it_is_said_how_many_bits_there_may_be(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        network(text)
    assert str(caught.value) == sentence


def test_a_scope_does_not_matter_and_no_address_is_in_no_range() -> None:
    assert number("fe80::1%eth0") == number("fe80::1")
    assert network("fe80::/16").holds("fe80::1%eth0")
    assert not network("10.0.0.0/8").holds("")


@given(lists(RANGES, max_size=30), NEAR)
def test_finding_agrees_with_looking_at_each_range(texts: list[str], address: str) -> None:
    networks: Networks[str] = Networks()
    for text in texts:
        networks.add(network(text), str(network(text)))
    ip = ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    in_them = {str(network(text)) for text in texts if ip in ip_network(text, strict=False)}
    assert set(networks.find(address)) == in_them
    assert in_them == {str(network(text)) for text in texts if network(text).holds(address)}


@given(lists(RANGES, max_size=30, unique_by=network), NEAR)
def test_a_range_that_was_removed_is_found_no_more(texts: list[str], address: str) -> None:
    networks: Networks[str] = Networks()
    for text in texts:
        networks.add(network(text), text)
    for text in texts[::2]:
        networks.remove(network(text))
    left = {text for text in texts[1::2] if network(text).holds(address)}
    assert set(networks.find(address)) == left
