"""Guessing: how often one may try, and what too many wrong tries bring."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import TooMany
from chatroom.store import guesses as module
from chatroom.store.guesses import BAN_SECONDS, LOGINS_PER_MINUTE, WRONG_IN_A_ROW, Guesses

NOW = 1_790_000_000.0


def wrong(guesses: Guesses, connection: object, address: str, now: float) -> None:
    guesses.ask(connection, address, now)
    guesses.wrong(address, now)


def may(guesses: Guesses, connection: object, address: str, now: float) -> bool:
    try:
        wrong(guesses, connection, address, now)
    except TooMany:
        return False
    return True


@pytest.mark.parametrize(
    ("address", "near", "far"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
        ("", "", "127.0.0.1"),
    ],
)
def test_three_tries_a_minute_from_one_source(address: str, near: str, far: str) -> None:
    guesses = Guesses()
    assert [may(guesses, i, address, NOW + i) for i in range(4)] == [True, True, True, False]
    assert not may(guesses, 5, near, NOW + 59)
    assert may(guesses, 6, far, NOW + 59)
    assert may(guesses, 5, near, NOW + 60)


def test_what_is_refused_says_how_long_to_wait() -> None:
    guesses = Guesses()
    for i in range(3):
        wrong(guesses, i, "192.0.2.1", NOW)
    with pytest.raises(TooMany, match=r"You try to log in too often\. Wait 30 seconds\."):
        guesses.ask(4, "192.0.2.1", NOW + 30)


def test_six_wrong_tries_on_one_connection_however_slow() -> None:
    guesses = Guesses()
    tries = [may(guesses, "one", "192.0.2.1", NOW + 60 * i) for i in range(8)]
    assert tries == [True] * 6 + [False] * 2
    assert may(guesses, "another", "192.0.2.1", NOW + 600)
    guesses.left("one")
    assert may(guesses, "one", "192.0.2.1", NOW + 660)


def right(guesses: Guesses, connection: object, address: str, now: float) -> None:
    guesses.ask(connection, address, now)
    guesses.right(connection, address)


def test_right_ones_leave_room_for_wrong_ones() -> None:
    guesses = Guesses()
    for _ in range(LOGINS_PER_MINUTE - 3):
        right(guesses, "one", "192.0.2.1", NOW)
    assert [may(guesses, "one", "192.0.2.1", NOW) for _ in range(4)] == [True] * 3 + [False]


def test_ten_right_ones_a_minute_from_one_source() -> None:
    guesses = Guesses()
    for i in range(LOGINS_PER_MINUTE):
        right(guesses, i, "192.0.2.1", NOW + i)
    with pytest.raises(TooMany, match=r"You log in too often\. Wait 50 seconds\."):
        guesses.ask("new", "192.0.2.1", NOW + 10)
    right(guesses, "new", "192.0.2.2", NOW + 10)
    right(guesses, "new", "192.0.2.1", NOW + 60)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", ""])
def test_any_number_of_right_ones_from_this_machine(address: str) -> None:
    guesses = Guesses()
    for _ in range(100):
        right(guesses, "one", address, NOW)
    assert may(guesses, "one", address, NOW)


def test_what_was_never_compared_counts_for_nothing() -> None:
    guesses = Guesses()
    for _ in range(100):
        guesses.ask("one", "192.0.2.1", NOW)
        guesses.undo("one", "192.0.2.1")
    assert [may(guesses, "one", "192.0.2.1", NOW) for _ in range(4)] == [True] * 3 + [False]


def test_right_ones_in_between_do_not_make_room_for_more_wrong_ones() -> None:
    guesses = Guesses()
    tried = 0
    for i in range(100):
        guesses.ask("own", "192.0.2.1", NOW + 0.1 * i) if tried < 3 else None
        guesses.right("own", "192.0.2.1") if tried < 3 else None
        tried += may(guesses, "one", "192.0.2.1", NOW + 0.1 * i)
    assert tried == 3


def guessed(address: str, times: int) -> tuple[Guesses, list[tuple[str, float, float]]]:
    """So many wrong tries from there, as fast as they may be."""
    bans: list[tuple[str, float, float]] = []
    guesses = Guesses(lambda *ban: bans.append(ban))
    for i in range(times):
        wrong(guesses, i, address, NOW + 20 * i)
    return guesses, bans


@pytest.mark.parametrize(
    ("address", "source"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::/64")],
)
def test_twenty_wrong_in_a_row_ban_the_source_for_an_hour(address: str, source: str) -> None:
    guesses, bans = guessed(address, WRONG_IN_A_ROW - 1)
    assert bans == []
    then = NOW + 1000
    wrong(guesses, "last", address, then)
    assert bans == [(source, then + BAN_SECONDS, then)]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", ""])
def test_nobody_on_this_machine_locks_out_all_others_there(address: str) -> None:
    guesses, bans = guessed(address, 3 * WRONG_IN_A_ROW)
    assert bans == []
    assert may(guesses, "new", address, NOW + 60 * WRONG_IN_A_ROW)


def test_for_an_hour_nothing_more_is_asked_from_elsewhere() -> None:
    guesses, _ = guessed("192.0.2.1", WRONG_IN_A_ROW)
    then = NOW + 20 * (WRONG_IN_A_ROW - 1)
    with pytest.raises(TooMany, match="Wait 30 minutes"):
        guesses.ask("new", "192.0.2.1", then + 1800)
    assert not may(guesses, "new", "192.0.2.1", then + BAN_SECONDS - 1)
    assert may(guesses, "new", "192.0.2.1", then + BAN_SECONDS)


def test_who_logs_in_rightly_in_between_is_banned_all_the_same() -> None:
    guesses, bans = guessed("192.0.2.1", WRONG_IN_A_ROW - 1)
    right(guesses, "own", "192.0.2.1", NOW + 1000)
    wrong(guesses, "last", "192.0.2.1", NOW + 1001)
    assert len(bans) == 1


def test_after_an_hour_without_a_wrong_one_a_new_row_begins() -> None:
    guesses, bans = guessed("192.0.2.1", WRONG_IN_A_ROW - 1)
    for i in range(WRONG_IN_A_ROW - 1):
        wrong(guesses, i + 100, "192.0.2.1", NOW + 360 + BAN_SECONDS + 20 * i)
    assert bans == []


def test_others_guesses_lock_nobody_out() -> None:
    guesses = Guesses()
    for i in range(1000):
        may(guesses, i, f"198.51.{i % 100}.{i // 100}", NOW)
    assert may(guesses, "owner", "192.0.2.1", NOW)


def test_a_clock_that_steps_back_harms_nobody() -> None:
    guesses, _ = guessed("192.0.2.2", WRONG_IN_A_ROW)
    assert may(guesses, "new", "192.0.2.2", NOW - 86400)
    for i in range(3):
        wrong(guesses, i, "192.0.2.1", NOW)
    assert may(guesses, "new", "192.0.2.1", NOW - 86400)


def test_three_registrations_an_hour_from_one_source_but_not_from_this_machine() -> None:
    guesses = Guesses()
    for _ in range(3):
        guesses.register("192.0.2.1", NOW)
    with pytest.raises(TooMany, match=r"too many nicks\. Wait 59 minutes"):
        guesses.register("192.0.2.1", NOW + 60)
    guesses.register("192.0.2.2", NOW)
    guesses.register("192.0.2.1", NOW + 3600)
    for _ in range(10):
        guesses.register("127.0.0.1", NOW)


def test_its_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SOURCES", 50)
    guesses = Guesses()
    for i in range(500):
        wrong(guesses, i, f"198.51.{i // 100}.{i % 100}", NOW)
        guesses.left(i)
    assert len(guesses._rows) == len(guesses._tries._times) == 50
    assert not guesses._by_connection


def test_who_has_not_tried_for_long_is_forgotten() -> None:
    guesses = Guesses()
    for i in range(500):
        wrong(guesses, i, f"198.51.{i // 100}.{i % 100}", NOW)
    for i in range(500):
        wrong(guesses, i + 500, f"198.52.{i // 100}.{i % 100}", NOW + 7200)
    assert len(guesses._rows) == len(guesses._tries._times) == 500


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 100), st.booleans()), max_size=60))
def test_never_more_than_three_wrong_ones_in_a_minute(
    steps: list[tuple[int, float, bool]],
) -> None:
    guesses, now = Guesses(), NOW
    wrongs: list[float] = []
    for connection, later, right in steps:
        now += later
        try:
            guesses.ask(connection, "192.0.2.1", now)
        except TooMany:
            continue
        if right:
            guesses.right(connection, "192.0.2.1")
        else:
            guesses.wrong("192.0.2.1", now)
            wrongs.append(now)
        assert sum(now - at < 60 for at in wrongs) <= 3
