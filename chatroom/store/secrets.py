"""What the server made up for itself once, and must not forget: keys that nobody else knows."""

from __future__ import annotations

from secrets import token_bytes
from typing import Final

from chatroom.store.database import Database
from chatroom.store.sqlitefile import StoreError

__all__ = ["secret"]

_BYTES: Final = 32


def secret(database: Database, name: str) -> bytes:
    """The secret of that name, made the first time it is asked for: 32 bytes. For the start. Raises
    StoreError for one that is damaged: with another, nothing that was made by it would fit."""
    rows = database.load("SELECT value FROM secrets WHERE name = ?", name)
    if not rows:
        made = token_bytes(_BYTES)
        database.write("INSERT INTO secrets (name, value) VALUES (?, ?)", name, made.hex())
        return made
    try:
        kept = bytes.fromhex(rows[0][0])
    except (TypeError, ValueError):
        kept = b""
    if len(kept) != _BYTES:
        raise StoreError(
            f"The secret {name!r} in the store is damaged. Restore a backup, or delete it from the "
            "table secrets and get a new one."
        )
    return kept
