"""Who a client is: the orders in which it may say so, and what of it is kept."""

from __future__ import annotations

from itertools import permutations

import pytest

from chatroom import __version__
from chatroom.protocols.irc.isupport import REALNAME_BYTES, USER_BYTES
from chatroom.protocols.irc.registration import version
from tests.irc.chatting import Chatting, IRCUser, settings_of

STEPS = ["PASS secret", "NICK ann", "USER ann 0 * :Ann", "CAP LS", "CAP REQ :batch"]


@pytest.mark.parametrize("steps", [*permutations(STEPS)], ids=" ".join)
def test_every_order_ends_in_the_same_welcome(steps: tuple[str, ...]) -> None:
    """Though who has not begun to negotiate is welcomed with NICK and USER, and then needs PASS."""
    chat = Chatting(settings_of({"irc.password": "secret"}))
    ann = IRCUser(chat, "ann")
    said = [step.split(" ")[0] for step in steps]
    ready = max(said.index("NICK"), said.index("USER"))
    ann.says(*steps)
    if "CAP" in said[:ready]:
        assert ann.protocol.member is None
        ann.says("CAP END")
        assert ann.protocol.member is not None
    else:
        assert (ann.protocol.member is not None) == ("PASS" in said[:ready])
    assert not chat.close()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("ann", "~ann"),
        ("~ann", "~ann"),
        ("~~ann", "~ann"),
        ("a!n@n b"[:5], "~ann"),
        ("äann", "~ann"),
        ("a.n-n_1", "~a.n-n_1"),
        ("x" * 40, "~" + "x" * USER_BYTES),
    ],
)
def test_a_user_name_has_what_a_mask_can_have(given: str, kept: str) -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.says("NICK ann", f"USER {given} 0 * :Ann")
    assert ann.protocol.member.who.user == kept
    assert not chat.close()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ann A. Person", "Ann A. Person"),
        ("\x02Ann\x02 \x0304red", "Ann red"),
        ("Ann\x07", "Ann\ufffd"),
    ],
)
def test_a_real_name_is_clean(given: str, kept: str) -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.says("NICK ann", f"USER ann 0 * :{given}")
    assert ann.protocol.member.who.realname == kept
    assert not chat.close()


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_a_real_name_has_a_greatest_length_in_bytes(character: str) -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.says("NICK ann", f"USER ann 0 * :{character * (400 // len(character.encode()))}")
    kept = ann.protocol.member.who.realname
    assert REALNAME_BYTES - 4 < len(kept.encode()) <= REALNAME_BYTES
    assert not chat.close()


def test_the_version_is_one_word() -> None:
    assert version() == f"chatroom-{__version__}"
    assert " " not in version()
