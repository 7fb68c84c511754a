"""TLS certificates of clients that prove an account in the place of its password."""

from __future__ import annotations

import re
from typing import Final

from chatroom.errors import BadText, NotAllowed, TooMany
from chatroom.store.database import Database

__all__ = ["MOST_OF_ONE", "Certificates"]

MOST_OF_ONE: Final = 10
"""Certificates of one account."""

_SHA256: Final = re.compile("[0-9a-f]{64}")


class Certificates:
    """Which fingerprint proves which account: each of them one. All in memory, since one too many
    is refused at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._accounts: dict[str, str] = dict(
            database.load(
                "SELECT fingerprint, account FROM certificates ORDER BY created, fingerprint"
            )
        )

    def account(self, fingerprint: str) -> str:
        """The folded account that it proves; '' if none."""
        return self._accounts.get(fingerprint, "")

    def of(self, account: str) -> list[str]:
        """The fingerprints of a folded account, the oldest first."""
        return [each for each, proven in self._accounts.items() if proven == account]

    def keep(self, account: str, fingerprint: str, now: float) -> None:
        """Let it prove the account; again changes nothing. Raises BadText for what is none,
        NotAllowed for another's, TooMany."""
        fingerprint = _plain(fingerprint)
        if not _SHA256.fullmatch(fingerprint):
            raise BadText("A certificate's fingerprint is its SHA-256: 64 hexadecimal digits.")
        proven = self.account(fingerprint)
        if proven == account:
            return
        if proven:
            raise NotAllowed("That certificate is for another account. Make one for each.")
        if len(self.of(account)) >= MOST_OF_ONE:
            raise TooMany(
                f"Your account has {MOST_OF_ONE} certificates, the most there may be. Forget one "
                "first."
            )
        self._accounts[fingerprint] = account
        self._database.write(
            "INSERT INTO certificates (fingerprint, account, created) VALUES (?, ?, ?)",
            fingerprint,
            account,
            int(now * 1000),
        )

    def forget(self, account: str, fingerprint: str) -> None:
        """Let it prove nothing. Raises NotAllowed if it does not prove this account."""
        fingerprint = _plain(fingerprint)
        if self.account(fingerprint) != account:
            raise NotAllowed("Your account has no such certificate.")
        del self._accounts[fingerprint]
        self._database.write("DELETE FROM certificates WHERE fingerprint = ?", fingerprint)

    def forget_all(self, account: str) -> None:
        """The account is no more, or somebody else's."""
        for fingerprint in self.of(account):
            self.forget(account, fingerprint)


def _plain(fingerprint: str) -> str:
    """As programs print it: `AB:CD:...`."""
    return fingerprint.replace(":", "").lower()
