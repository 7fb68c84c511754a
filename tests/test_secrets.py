"""Keys that the server made up for itself: the same for good, and others for other names."""

from __future__ import annotations

import pytest

from chatroom.store.secrets import secret
from chatroom.store.sqlitefile import StoreError
from tests.stored import Stored


def test_a_secret_is_made_once_and_kept() -> None:
    database = Stored()
    made = secret(database, "cloak")
    assert len(made) == 32
    assert secret(database, "cloak") == made
    assert secret(database, "other") != made
    assert secret(Stored(), "cloak") != made


@pytest.mark.parametrize("value", ["", "zz" * 32, "ab" * 31])
def test_a_damaged_one_is_refused_and_not_replaced(value: str) -> None:
    database = Stored()
    secret(database, "cloak")
    database.write("UPDATE secrets SET value = ?", value)
    with pytest.raises(StoreError, match="damaged"):
        secret(database, "cloak")
    assert database.load("SELECT value FROM secrets") == [(value,)]
