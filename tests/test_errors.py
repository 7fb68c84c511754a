"""Every refusal is a ChatError that carries its sentence."""

from __future__ import annotations

import pytest

from chatroom import errors

NAMES = [name for name in errors.__all__ if name != "ChatError"]


@pytest.mark.parametrize("name", NAMES)
def test_each_error_is_a_chat_error_with_its_sentence(name: str) -> None:
    error = getattr(errors, name)("Room #ops is full.")
    assert isinstance(error, errors.ChatError)
    assert str(error) == "Room #ops is full."


# Who asks for the one on the right is given these as well: reasons why somebody may not, and a nick
# that is taken for good.
KINDS = {
    **dict.fromkeys(
        ("BadKey", "Banned", "CannotSpeak", "InviteOnly", "NotAccepted", "NotLoggedIn",
         "NotOperator", "NotServerOperator", "RoomFull", "WrongPassword"),
        errors.NotAllowed,
    ),
    "NameKept": errors.NameTaken,
    "AccountsOnly": errors.CannotSpeak,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_one_error_is_not_caught_as_another(name: str) -> None:
    assert getattr(errors, name).__bases__ == (KINDS.get(name, errors.ChatError),)


def test_all_names_every_error_of_the_module() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert defined == set(errors.__all__)
