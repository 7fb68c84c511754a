"""What is said in one word to several."""

from __future__ import annotations

import pytest

from chatroom.protocols.irc.command import targets


@pytest.mark.parametrize(
    ("listed", "found"),
    [("a", ["a"]), ("a,b,a", ["a", "b"]), (",a,,", ["a"]), ("", []), (",", [])],
)
def test_targets_are_each_there_once(listed: str, found: list[str]) -> None:
    assert targets(listed) == found
