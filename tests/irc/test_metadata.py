"""chatroom.protocols.irc.metadata: its limits, and that what is told fits a line."""

from __future__ import annotations

import pytest

from chatroom.names import NICK_LENGTH, ROOM_LENGTH
from chatroom.protocols.irc.keyvalues import MOST_BYTES, MOST_KEYS, MOST_SUBSCRIBED, is_key
from chatroom.protocols.irc.wire import LINE_BYTES, parse
from tests.irc.chatting import Chatting, IRCUser, settings_of

LONGEST_KEY = "k" * 36
VALUE = "\u00e9" * (MOST_BYTES // 2)


def connected(chat: Chatting, nick: str, draft: str = "draft/metadata-2") -> IRCUser:
    user = IRCUser(chat, nick)
    user.registers(["batch", draft])
    return user


@pytest.mark.parametrize("draft", ["draft/metadata-2", "draft/metadata-3"])
def test_the_longest_value_fits_a_line_whoever_reads_it(draft: str) -> None:
    chat = Chatting(settings_of({"irc.server": "s" * 50 + ".example.com"}))
    ann, bob = connected(chat, "a" * NICK_LENGTH), connected(chat, "b" * NICK_LENGTH, draft)
    room = "#" + "r" * ROOM_LENGTH
    for user in (ann, bob):
        user.says(f"METADATA * SUB {LONGEST_KEY}", f"JOIN {room}")
    ann.read()
    (answer,) = ann.says(f"METADATA {room} SET {LONGEST_KEY} :{VALUE}")
    (told,) = bob.read()
    for line in (answer, told):
        assert len(line.encode()) + 2 <= LINE_BYTES
        assert parse(line.encode()).params[-1] == VALUE
    (refused,) = ann.says(f"METADATA {room} SET {LONGEST_KEY} :{VALUE}x")
    assert " FAIL METADATA VALUE_INVALID :" in refused
    assert not bob.read() and not chat.close()


def test_so_many_keys_and_not_one_more() -> None:
    chat = Chatting()
    ann = connected(chat, "ann")
    for number in range(MOST_KEYS):
        chat.pass_by(1)
        assert " 761 " in ann.says(f"METADATA * SET k{number} v")[0]
    chat.pass_by(60)
    assert ann.says("METADATA * SET more v")[0].startswith(
        ":chatroom.local FAIL METADATA LIMIT_REACHED ann :"
    )
    assert " 761 " in ann.says("METADATA * SET k1 w")[0]


def test_so_many_changes_at_once_and_then_one_a_second() -> None:
    chat = Chatting()
    ann = connected(chat, "ann")
    told = ann.says(*["METADATA * SET color red"] * 31)
    assert [" 761 " in line for line in told] == [True] * 30 + [False]
    assert told[-1].startswith(":chatroom.local FAIL METADATA RATE_LIMITED ann color 1 :")
    assert " RATE_LIMITED ann * 1 :" in ann.says("METADATA * CLEAR")[0]
    chat.pass_by(1)
    assert " 761 " in ann.says("METADATA * SET color red")[0]


def test_so_many_subscriptions_and_the_first_that_is_too_many_is_named() -> None:
    chat = Chatting()
    ann = connected(chat, "ann")
    for start in range(0, MOST_SUBSCRIBED, 10):
        keys = [f"k{number}" for number in range(start, start + 10)]
        assert ann.says(f"METADATA * SUB {' '.join(keys)}") == [
            f":chatroom.local 770 ann {' '.join(keys)}"
        ]
    assert ann.says("METADATA * SUB k1 one two")[1].startswith(
        ":chatroom.local FAIL METADATA TOO_MANY_SUBS one :"
    )
    told = [parse(line.encode()).params[1:] for line in ann.says("METADATA * SUBS")]
    assert [key for keys in told for key in keys] == [f"k{n}" for n in range(MOST_SUBSCRIBED)]


@pytest.mark.parametrize("key", ["a", "a.b/c-d_e:f", "0", LONGEST_KEY])
def test_a_key(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize("key", ["", ":a", "A", "a b", "\u00e9", "a,b", LONGEST_KEY + "k", "a\n"])
def test_no_key(key: str) -> None:
    assert not is_key(key)


def test_who_comes_to_a_large_room_is_told_to_ask_later() -> None:
    chat = Chatting()
    for number in range(201):
        user = IRCUser(chat, f"n{number}", f"192.0.2.{number % 100}")
        user.send(f"NICK n{number}", "USER u 0 * :U", "JOIN #x")
    chat.settle()
    ann = connected(chat, "ann")
    ann.says("METADATA * SUB color")
    assert ann.says("JOIN #x")[-1] == ":chatroom.local 774 ann #x 4"
    chat.users["n0"].says("METADATA * SET color red")
    ann.read()
    begin, line, end = ann.says("METADATA #x SYNC")
    assert " BATCH +" in begin and " METADATA n0 color * :red" in line and " BATCH -" in end
