"""What a client may ask for: only what is there for it, all or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from chatroom.protocols.irc.capabilities import ALL, RENDERED, listed, requested
from tests.irc.chatting import Chatting, IRCUser, settings_of


def client(*, tls: bool = False, **settings: str) -> Any:
    """Somebody who has not registered yet."""
    chat = Chatting(settings_of({key.replace("__", "."): value for key, value in settings.items()}))
    return IRCUser(chat, "ann", tls=tls).protocol


def test_values_are_for_who_can_read_them() -> None:
    assert not any("=" in word for word in listed(client(), 301))
    assert any(word.startswith("draft/multiline=max-bytes=") for word in listed(client(), 302))


def test_who_knows_no_further_lines_is_told_all_in_one() -> None:
    ann = client(irc__sts_port="6697")
    line = f":{ann.factory.server} CAP {'n' * 32} LS :{' '.join(listed(ann, 301))}"
    assert len(line.encode()) <= 510


@pytest.mark.parametrize(
    ("settings", "hidden"),
    [
        ({"accounts__mode": "off"}, {"sasl", "draft/account-registration"}),
        ({"store": "off"}, {"draft/event-playback"}),
        ({"store": "off", "limits__recent": "off"}, {"draft/chathistory", "draft/event-playback"}),
    ],
)
def test_what_the_settings_turn_off_is_not_there(settings: Any, hidden: set[str]) -> None:
    ann = client(**settings)
    words = {word.partition("=")[0] for word in listed(ann, 302)}
    assert not words & hidden
    for name in hidden:
        assert requested(ann, [name]) is None


def test_where_passwords_can_be_read_along_none_is_taken() -> None:
    words = dict(
        word.partition("=")[::2] for word in listed(client(accounts__plaintext="off"), 302)
    )
    assert words["sasl"] == "SCRAM-SHA-256"
    words = dict(
        word.partition("=")[::2]
        for word in listed(client(accounts__plaintext="off", tls=True), 302)
    )
    assert "PLAIN" in words["sasl"].split(",")


def test_sts_is_told_with_a_port_or_a_duration_and_never_asked_for() -> None:
    insecure, secure = client(irc__sts_port="6697"), client(irc__sts_port="6697", tls=True)
    assert "sts=port=6697" in listed(insecure, 302)
    assert "sts=duration=2592000" in listed(secure, 302)
    assert not any(word.startswith("sts") for word in listed(insecure, 301))
    assert not any(word.startswith("sts") for word in listed(client(), 302))
    assert requested(insecure, ["sts"]) is None


def test_sts_ends_with_a_duration_of_none() -> None:
    settings: Any = {"irc__sts_port": "6697", "irc__sts_duration": "0s"}
    assert "sts=duration=0" in listed(client(tls=True, **settings), 302)
    assert not any(word.startswith("sts") for word in listed(client(**settings), 302))


@pytest.mark.parametrize(
    ("words", "turned"),
    [
        ([], (set(), set())),
        (["batch", "server-time"], ({"batch", "server-time"}, set())),
        (["-batch"], (set(), {"batch"})),
        (["batch", "-batch"], (set(), {"batch"})),
        (["-batch", "batch"], ({"batch"}, set())),
        (["batch", "nothing"], None),
        (["--batch"], None),
        (["Batch"], None),
    ],
)
def test_a_request_is_taken_whole_or_not(words: list[str], turned: object) -> None:
    assert requested(client(), words) == turned


def test_each_has_a_source_and_those_that_are_rendered_are_in_the_table() -> None:
    assert all(capability.source.startswith("IRCv3 ") for capability in ALL.values())
    assert ALL.keys() > RENDERED
