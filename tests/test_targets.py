"""Whom a mask means, and how whom a ban means is written as one."""

from __future__ import annotations

import pytest

from chatroom.cloak import Cloak
from chatroom.errors import BadUsage, NotServerOperator
from chatroom.identity import Identity
from chatroom.member import Listener, Member
from chatroom.store.targets import Target, addresses, mask_of, target_of
from tests.inmemory import NOW

CLOAK = Cloak(b"key")


def somebody(address: str, account: str = "") -> Member:
    who = Identity("~evan", CLOAK(address), account)
    return Member("Bob", Listener(print), address, NOW, who)


@pytest.mark.parametrize(
    ("written", "target", "shown"),
    [
        ("bob", Target("mask", "bob!*@*"), "bob!*@*"),
        ("*!~EVAN@*", Target("mask", "*!~evan@*"), "*!~evan@*"),
        ("~a:Ann", Target("account", "ann"), "~a:ann"),
        ("$a:Ann", Target("account", "ann"), "~a:ann"),
    ],
)
def test_a_mask_means_whom_it_fits_or_an_account(written: str, target: Target, shown: str) -> None:
    assert target_of(written, may_name_addresses=False) == target
    assert mask_of(target, CLOAK) == shown
    assert target_of(shown, may_name_addresses=False) == target


@pytest.mark.parametrize("written", ["~a:", "~a:x y", "~a:*", "$a:" + "x" * 99, "", "a b"])
def test_what_means_nobody_is_refused(written: str) -> None:
    with pytest.raises(BadUsage):
        target_of(written, may_name_addresses=True)


def test_only_who_runs_the_server_may_name_addresses() -> None:
    for written in ("*!*@192.0.2.0/24", "192.0.2.7"):
        with pytest.raises(NotServerOperator, match="take the host that is shown"):
            target_of(written, may_name_addresses=False)
    target = target_of("*!*@192.0.2.99/24", may_name_addresses=True)
    assert target == Target("address", "192.0.2.0/24") == addresses("192.0.2.0/24")
    with pytest.raises(BadUsage, match="this machine's own address"):
        target_of("*!*@127.0.0.1", may_name_addresses=True)
    with pytest.raises(BadUsage, match="from 8 to 32 bits"):
        target_of("*!*@0.0.0.0/0", may_name_addresses=True)


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        ("192.0.2.7/32", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.0/24", "192.0.2.7", "192.0.3.7"),
        ("192.0.0.0/16", "192.0.2.7", "192.1.2.7"),
        ("2001:db8:0:1::/64", "2001:db8:0:1::7", "2001:db8:0:2::7"),
        ("2001:db8:5::/48", "2001:db8:5:9::7", "2001:db8:6:9::7"),
    ],
)
def test_a_range_is_written_as_a_mask_that_means_the_same(
    range_: str, inside: str, outside: str
) -> None:
    mask = mask_of(Target("address", range_), CLOAK)
    same = target_of(mask, may_name_addresses=False)
    assert same.kind == "mask"
    assert same.holds_for(somebody(inside)) and not same.holds_for(somebody(outside))


def test_a_range_of_another_width_is_written_as_a_text_that_is_its_alone() -> None:
    ranges = ["192.0.2.0/25", "192.0.2.0/26", "192.0.2.128/25", "2001:db8::/128", "2001:db8::1/128"]
    masks = [mask_of(Target("address", range_), CLOAK) for range_ in ranges]
    assert len({*masks}) == len(ranges)
    assert not any(
        range_.partition("/")[0] in mask for range_, mask in zip(ranges, masks, strict=True)
    )
    assert not Target("mask", masks[0]).holds_for(somebody("192.0.2.7"))


def test_a_nick_is_written_as_the_mask_that_it_is() -> None:
    assert mask_of(Target("nick", "bob"), CLOAK) == "bob!*@*"


def test_a_mask_means_nick_user_and_host_as_they_are_shown() -> None:
    bob = somebody("192.0.2.7")
    host = CLOAK("192.0.2.7")
    for mask in ("bob!*@*", "*!~evan@*", f"*!*@{host}", f"b?b!*@*.{host.partition('.')[2]}"):
        assert Target("mask", mask).holds_for(bob)
    for mask in ("bo!*@*", "*!evan@*", "*!*@x.ip"):
        assert not Target("mask", mask).holds_for(bob)
