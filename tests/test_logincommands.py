"""The commands with a password in them: how they are typed."""

from __future__ import annotations

import pytest

from tests.registered import PASSWORD, Registered


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        ("/login", "/login [NICK] PASSWORD"),
        ("/register", "/register PASSWORD"),
        ("/password one", "/password OLD NEW"),
        ("/drop", "/drop PASSWORD"),
    ],
)
def test_without_a_password_it_is_told_how(line: str, usage: str) -> None:
    assert Registered().enter("ann").gets(line) == [f"-- Usage: {usage}"]


def test_one_word_is_the_password_of_the_nick_one_has() -> None:
    chat = Registered()
    alice = chat.enter("alice")
    alice.gets("/register one-word")
    alice.member.account = ""
    assert alice.gets("/login one-word") == ["-- You are logged in as alice."]


def test_a_guest_has_no_nick_to_log_in_to() -> None:
    assert Registered().enter().gets("/login secret-word") == [
        "-- You have no nick yet. Usage: /login NICK PASSWORD"
    ]


@pytest.mark.parametrize(
    "line",
    ["/register  two  words ", "/password correct-horse two words", "/password a b\u3000cdefghi"],
)
def test_a_password_with_spaces_is_refused(line: str) -> None:
    chat = Registered()
    alice = chat.own("alice") if "password" in line else chat.enter("alice")
    assert alice.gets(line) == ["-- A password can't hold spaces. Choose another."]


def test_spaces_around_one_are_none_of_it() -> None:
    chat = Registered()
    alice = chat.enter("alice")
    alice.gets("/register  one-word ")
    assert alice.gets("/password  one-word   another-one ") == ["-- Your password is changed."]
    alice.gets("/quit")
    assert chat.enter().gets("/login  alice   another-one ") == ["-- You are logged in as alice."]


def test_help_lists_them_and_explains_each() -> None:
    ann = Registered().enter("ann")
    listed = " ".join(ann.gets("/help"))
    for name in ("register", "login", "logout", "password", "drop"):
        assert f"/{name}" in listed
        assert ann.gets(f"/help {name}")[0].startswith(f"-- /{name}")


def test_dropping_takes_the_whole_password() -> None:
    alice = Registered().own("alice")
    assert alice.gets("/drop correct") == ["-- Wrong password."]
    assert len(alice.gets(f"/drop {PASSWORD}")) == 2
