"""chatroom.identity: who somebody is and how something was said, unless more is known."""

from __future__ import annotations

import pytest

from chatroom.identity import NOBODY, PLAIN, Identity, Manner


def test_of_nobody_nothing_is_known() -> None:
    assert Identity("", "") == NOBODY
    assert not any(NOBODY)


def test_what_is_plain_has_nothing_beside_its_text() -> None:
    assert Manner() == PLAIN
    assert not any(PLAIN)


def test_neither_can_be_changed() -> None:
    for kept in (NOBODY, PLAIN):
        with pytest.raises(AttributeError):
            setattr(kept, kept._fields[0], "other")
