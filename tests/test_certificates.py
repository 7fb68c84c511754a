"""Certificates that prove an account."""

from __future__ import annotations

import pytest

from chatroom.errors import BadText, NotAllowed, TooMany
from chatroom.store.certificates import MOST_OF_ONE, Certificates
from tests.inmemory import NOW
from tests.stored import Stored

FIRST, SECOND = "ab" * 32, "cd" * 32


def test_a_certificate_proves_the_account_that_it_was_kept_for_also_after_a_restart() -> None:
    database = Stored()
    certificates = Certificates(database)
    certificates.keep("ann", SECOND, NOW)
    certificates.keep("ann", FIRST, NOW + 1)
    for each in (certificates, Certificates(database)):
        assert each.account(FIRST) == each.account(SECOND) == "ann"
        assert each.of("ann") == [SECOND, FIRST] and each.of("bob") == []
        assert each.account("") == each.account("ef" * 32) == ""


def test_it_is_taken_as_programs_print_it() -> None:
    certificates = Certificates(Stored())
    printed = ":".join(["AB"] * 32)
    certificates.keep("ann", printed, NOW)
    assert certificates.of("ann") == [FIRST]
    certificates.forget("ann", printed)
    assert certificates.of("ann") == []


@pytest.mark.parametrize("fingerprint", ["", "ab" * 31, "ab" * 33, "g" * 64, "ab" * 32 + "\n"])
def test_what_is_no_sha_256_is_refused(fingerprint: str) -> None:
    with pytest.raises(BadText, match="64 hexadecimal digits"):
        Certificates(Stored()).keep("ann", fingerprint, NOW)


def test_each_is_of_one_account_and_kept_once() -> None:
    database = Stored()
    certificates = Certificates(database)
    for _ in range(2):
        certificates.keep("ann", FIRST, NOW)
    with pytest.raises(NotAllowed, match="another account"):
        certificates.keep("bob", FIRST, NOW)
    with pytest.raises(NotAllowed, match="no such certificate"):
        certificates.forget("bob", FIRST)
    assert len(database.load("SELECT * FROM certificates")) == 1
    assert certificates.account(FIRST) == "ann"


def test_an_account_has_ten_and_no_more() -> None:
    certificates = Certificates(Stored())
    for number in range(MOST_OF_ONE):
        certificates.keep("ann", f"{number:064x}", NOW)
    with pytest.raises(TooMany, match="10 certificates"):
        certificates.keep("ann", FIRST, NOW)
    certificates.keep("ann", f"{0:064x}", NOW)
    certificates.forget("ann", f"{0:064x}")
    certificates.keep("ann", FIRST, NOW)


def test_all_of_an_account_are_forgotten() -> None:
    database = Stored()
    certificates = Certificates(database)
    certificates.keep("ann", FIRST, NOW)
    certificates.keep("bob", SECOND, NOW)
    certificates.forget_all("ann")
    for each in (certificates, Certificates(database)):
        assert each.account(FIRST) == "" and each.account(SECOND) == "bob"
