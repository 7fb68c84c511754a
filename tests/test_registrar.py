"""Where nothing knows accounts, nobody has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatroom.errors import NotAllowed
from chatroom.registrar import Login, Registrar
from tests.inmemory import NOW, Chat
from tests.registered import PASSWORD, Peer

ANN = Login("ann", "ann")

VERBS: list[Callable[[Registrar, Peer, Any], object]] = [
    lambda registrar, peer, member: registrar.prove(peer, "ann", PASSWORD, NOW),
    lambda registrar, peer, member: registrar.scram(peer, "ann", NOW),
    lambda registrar, peer, member: registrar.scram_done(peer, "ann", True, NOW),
    lambda registrar, peer, member: registrar.prove_by_certificate(peer, "", NOW),
    lambda registrar, peer, member: registrar.own(member),
    lambda registrar, peer, member: registrar.enter(member, ANN, NOW),
    lambda registrar, peer, member: registrar.make_way(ANN, "ann", NOW),
    lambda registrar, peer, member: registrar.logout(member, NOW),
    lambda registrar, peer, member: registrar.register(peer, "ann", PASSWORD, NOW),
    lambda registrar, peer, member: registrar.change(member, PASSWORD, PASSWORD, NOW),
    lambda registrar, peer, member: registrar.drop(member, PASSWORD, NOW),
    lambda registrar, peer, member: registrar.keep_certificate(member, "ab" * 32, NOW),
    lambda registrar, peer, member: registrar.forget_certificate(member, "ab" * 32),
]


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_can_be_done(verb: Callable[[Registrar, Peer, Any], object]) -> None:
    chat = Chat()
    with pytest.raises(NotAllowed, match="There are no accounts here"):
        verb(chat.hub.registrar, Peer(), chat.enter().member)


def test_nothing_is_known() -> None:
    chat = Chat()
    registrar, peer, member = chat.hub.registrar, Peer(fingerprint="ab" * 32), chat.enter().member
    assert (registrar.mode, registrar.registers) == ("off", False)
    assert registrar.mechanisms(peer) == () and registrar.certificates(member) == []
    assert registrar.nick_of("ann") == "" and registrar.since("ann") is None
    assert not registrar.holds(ANN)
    registrar.may_be_called("ann", "")
    registrar.forget(peer)
