"""What is kept of passwords for SCRAM, and that who is unknown looks like anyone else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from chatroom.registrar import Scram
from chatroom.scram import derive
from chatroom.store.scrams import Scrams, read, written
from tests.registered import got, logged
from tests.stored import Stored

BYTES = st.binary(max_size=40)
RECORD = derive(b"correct-horse", b"0123456789abcdef", 2)


def known(scram: str | None) -> Scrams:
    database = Stored()
    database.write("INSERT INTO accounts VALUES ('ann', 'Ann', 'hash', 0, 0, ?)", scram)
    return Scrams(database, b"key", 2)


def of(scrams: Scrams, account: str) -> Any:
    return got(Deferred.fromCoroutine(scrams.of(account)))


@given(st.builds(Scram, BYTES, st.integers(1, 10**7), BYTES, BYTES))
def test_what_was_written_is_read(record: Scram) -> None:
    assert read(written(record)) == record


@pytest.mark.parametrize("text", ["", "1", "1:a:b", "x:::", "1:!:!:!", "1:::::"])
def test_what_is_damaged_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


def test_of_an_account_it_is_what_was_kept() -> None:
    assert of(known(written(RECORD)), "ann") == RECORD


@pytest.mark.parametrize("account", ["nobody", "ann", "n\0", "\ud800"])
def test_of_others_it_is_always_the_same_and_of_each_another(account: str) -> None:
    scrams, again = known(None), Scrams(Stored(), b"key", 2)
    record = scrams._nobody(account)
    assert again._nobody(account) == record
    if account != "\ud800":  # which no database takes
        assert of(scrams, account) == of(again, account) == record
    assert [*map(len, (record.salt, record.stored_key, record.server_key))] == [16, 32, 32]
    assert len({record.salt, record.stored_key[:16], record.server_key[:16]}) == 3
    assert record != scrams._nobody("other")
    assert record != Scrams(Stored(), b"another", 2)._nobody(account)
    assert record.iterations == RECORD.iterations and len(record.salt) == len(RECORD.salt)


def test_what_is_damaged_is_as_none_and_logged_without_itself() -> None:
    with logged() as events:
        assert of(known("dam:aged"), "ann") == of(known(None), "ann")
    assert len(events) == 1 and "aged" not in str(events[0]["account"])
    assert "dam:aged" not in repr(events)
