"""The rules of a room, and how what was done to them is told."""

from __future__ import annotations

from typing import get_args

import pytest

from chatroom.member import Listener, Member
from chatroom.rules import FLAGS, GRANTS, LISTS, Change, Flag, Grant, Listed, Rules, Setting, phrase


def test_every_setting_is_told_in_words_both_ways() -> None:
    for setting in get_args(Setting):
        value = "7" if setting in ("slow", "limit") else "bob"
        on, off = (phrase(Change(setting, way, value), "#a") for way in (True, False))
        assert on and off and on != off and "{" not in on + off


def test_no_key_is_told() -> None:
    assert "sesame" not in phrase(Change("key", True, "sesame"), "#a")


def test_the_lists_of_settings_are_whole() -> None:
    assert (get_args(Flag), get_args(Grant), get_args(Listed)) == (FLAGS, GRANTS, LISTS)
    assert {*FLAGS, *GRANTS, *LISTS} < {*get_args(Setting)}


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("topic", "tea"),
        ("topic_locked", True),
        ("invite_only", True),
        ("key", "k"),
        ("limit", 2),
        ("slow", 2),
        ("muted", True),
        ("secret", True),
        ("no_ctcp", True),
        ("accounts_only", True),
        ("keeps", False),
        ("members_only", False),
        ("grants", {"voice": {"ann"}}),
    ],
)
def test_rules_are_bare_until_anything_is_set(attribute: str, value: object) -> None:
    rules = Rules("#a", "ann")
    assert rules.is_bare and rules.is_registered and not rules.is_locked
    setattr(rules, attribute, value)
    assert not rules.is_bare
    assert rules.is_locked == (attribute in ("invite_only", "key"))


def test_who_was_named_is_known_by_its_account_or_as_itself() -> None:
    rules = Rules("#a")
    ann, guest = (Member(nick, Listener(print), "", 0.0) for nick in ("ann", "guest"))
    rules.grants["voice"] = {"ann", guest}
    assert rules.has("voice", guest) and not rules.has("voice", ann)
    ann.account = "ann"
    assert rules.has("voice", ann) and not rules.has("operator", ann)
