"""The package's front door: three names for who embeds it, loaded when they are first used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import chatroom


@pytest.mark.parametrize("name", chatroom.__all__)
def test_each_name_is_the_one_of_its_home(name: str) -> None:
    found = getattr(chatroom, name)
    assert found.__name__ == name
    assert found is getattr(sys.modules[found.__module__], name)


def test_the_names_are_those_that_are_promised() -> None:
    assert {"Hub", "ChatFactory", "make_service"} <= set(chatroom.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error_that_tells_it() -> None:
    with pytest.raises(AttributeError, match=r"module 'chatroom' has no attribute 'Chat'"):
        chatroom.Chat  # noqa: B018
    assert not hasattr(chatroom, "hubs")


def test_the_core_is_imported_without_twisted() -> None:
    """In a fresh interpreter: a program that only needs the hub does not pay for the rest."""
    program = (
        "import sys; from chatroom import Hub, Listener; import chatroom.commands; "
        "print(Hub.__name__, [m for m in ('twisted', 'yaml', 'zope') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(chatroom.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split(None, 1) == ["Hub", "[]\n"]


def test_the_version_is_one() -> None:
    assert [part.isdecimal() for part in chatroom.__version__.split(".")] == [True] * 3
