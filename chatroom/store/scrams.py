"""What is kept of passwords for SCRAM-SHA-256, and what is told of those who have none."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from typing import Final

from twisted.logger import Logger

from chatroom.registrar import Scram
from chatroom.store.database import Database

__all__ = ["ITERATIONS", "SALT_BYTES", "Scrams", "read", "written"]

ITERATIONS: Final = 10_000
"""RFC 7677, section 4, asks for 4,096 at least, and names 15,000 for 0.1 s on the computers of its
time; a telephone takes longer."""

SALT_BYTES: Final = 16

_log = Logger("chatroom")


def written(record: Scram) -> str:
    """As it is in the database: `ITERATIONS:SALT:STORED_KEY:SERVER_KEY`, the last three in
    base64."""
    salt, iterations, *keys = record
    return ":".join([str(iterations), *(b64encode(each).decode() for each in (salt, *keys))])


def read(text: str) -> Scram:
    """What was `written`. Raises ValueError."""
    iterations, *parts = text.split(":")
    salt, stored_key, server_key = (b64decode(part, validate=True) for part in parts)
    return Scram(salt, int(iterations), stored_key, server_key)


class Scrams:
    """`key` is the server's secret, from which the answers for unknown names are made: these look
    like any other, and are the same each time."""

    def __init__(self, database: Database, key: bytes, iterations: int = ITERATIONS) -> None:
        self._database = database
        self._key = key
        self._iterations = iterations

    async def of(self, account: str) -> Scram:
        """What is kept of a folded account; one that nothing fits, where that is nothing."""
        nobody = self._nobody(account)
        rows = await self._database.read("SELECT scram FROM accounts WHERE account = ?", account)
        if not rows or rows[0][0] is None:
            return nobody
        try:
            return read(rows[0][0])
        except ValueError:
            _log.error(
                "What is kept of a password for SCRAM is damaged: {account}", account=account
            )
            return nobody

    def _nobody(self, account: str) -> Scram:
        salt, stored, server = (
            hmac.digest(self._key, f"{what}:{account}".encode("utf-8", "surrogatepass"), "sha256")
            for what in ("salt", "stored", "server")
        )
        return Scram(salt[:SALT_BYTES], self._iterations, stored, server)
