"""Limits and the buckets that count: a burst at once, then a steady rate, on any clock."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.limits import Limits, Rate, TokenBucket

DEFAULTS = {
    "connections": 4096,
    "connections_per_address": 64,
    "line_bytes": 1024,
    "lines": Rate(10, 2),
    "outbox_bytes": 1048576,
    "stall_seconds": 30,
    "idle_seconds": 86400,
    "rooms_per_member": 20,
    "nick_changes": 6,
    "joins": 20,
    "recent": 50,
}

rates = st.builds(Rate, st.integers(1, 50), st.sampled_from([0.1, 0.5, 1.0, 2.0, 7.0, 100.0]))


def taken(bucket: TokenBucket, now: float, most: int = 1000) -> int:
    """How many tokens there are at once."""
    return next((number for number in range(most) if not bucket.take(now)), most)


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_are_those_that_are_promised(name: str) -> None:
    assert getattr(Limits(), name) == DEFAULTS[name]


@pytest.mark.parametrize("limit", fields(Limits), ids=lambda limit: str(limit.name))
def test_every_limit_says_what_it_limits_in_a_sentence_and_can_be_off(limit: object) -> None:
    name, metadata = getattr(limit, "name"), getattr(limit, "metadata")  # noqa: B009
    assert metadata["help"].endswith(".")
    assert getattr(Limits(**{name: None}), name) is None


def test_a_burst_goes_through_and_then_the_rate() -> None:
    bucket = TokenBucket(Rate(3, 2), 100.0)
    assert taken(bucket, 100.0) == 3
    assert not bucket.take(100.25)
    assert bucket.take(100.5)
    assert not bucket.take(100.5)
    assert taken(bucket, 101.5) == 2


def test_no_more_than_the_burst_is_saved_up() -> None:
    bucket = TokenBucket(Rate(3, 2), 0.0)
    assert taken(bucket, 1_000_000.0) == 3


def test_a_refusal_costs_nothing() -> None:
    """Asking again and again does not put the next token off."""
    bucket = TokenBucket(Rate(1, 1), 0.0)
    bucket.take(0.0)
    for tenth in range(1, 10):
        assert not bucket.take(tenth / 10)
    assert bucket.take(1.01)


def test_wait_tells_how_long_until_the_next_token() -> None:
    bucket = TokenBucket(Rate(2, 0.5), 0.0)
    assert bucket.wait() == 0.0
    assert taken(bucket, 0.0) == 2
    assert bucket.wait() == 2.0
    assert not bucket.take(1.5)
    assert bucket.wait() == 0.5


def test_a_clock_that_is_set_back_costs_nobody_anything() -> None:
    """The bucket takes the new time as its own: what was there stays, and refills from now."""
    bucket = TokenBucket(Rate(2, 1), 1_000_000.0)
    assert bucket.take(1_000_000.0)
    assert bucket.take(5.0)
    assert not bucket.take(5.0)
    assert bucket.take(6.0)


@given(rates, st.lists(st.floats(0.0, 3.0), max_size=60))
def test_never_more_than_the_burst_and_the_rate(rate: Rate, pauses: list[float]) -> None:
    """Over any stretch of time from the start: at most burst + rate times its length."""
    bucket = TokenBucket(rate, 0.0)
    now, got = 0.0, 0
    for pause in pauses:
        now += pause
        got += bucket.take(now)
        assert got <= rate.burst + now * rate.per_second + 1e-6


@given(rates, st.floats(0.0, 1e9))
def test_who_waits_as_long_as_told_gets_a_token(rate: Rate, start: float) -> None:
    bucket = TokenBucket(rate, start)
    taken(bucket, start)
    wait = bucket.wait()
    assert 0.0 < wait <= 1.0 / rate.per_second + 1e-9
    assert not bucket.take(start + wait * 0.9)
    assert bucket.take(start + wait + 1e-6)
