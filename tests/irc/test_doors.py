"""Whoever does something does it at either door alike: the others see the same of it."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from tests.irc.chatting import Chatting, IRCUser, LineUser, User

_HOST = re.compile(r"!\S+@\S+")


class Deed(NamedTuple):
    """What ann, who keeps order in #x, does with nc or on IRC, and what is read at either door by
    the others in #x."""

    name: str
    with_nc: str
    on_irc: str
    read_with_nc: str
    read_on_irc: str


DEEDS = [
    Deed("says", "hi all", "PRIVMSG #x :hi all", "<ann> hi all", ":ann! PRIVMSG #x :hi all"),
    Deed("says emoji", "👩‍👧 é", "PRIVMSG #x :👩‍👧 é", "<ann> 👩‍👧 é", ":ann! PRIVMSG #x :👩‍👧 é"),
    Deed("says a slash", "//x", "PRIVMSG #x :/x", "<ann> /x", ":ann! PRIVMSG #x :/x"),
    Deed("waves", "/me waves", "PRIVMSG #x :\x01ACTION waves\x01", "* ann waves",
         ":ann! PRIVMSG #x :\x01ACTION waves\x01"),
    Deed("rings", "\x07", "PRIVMSG #x :\x07", "<ann> \ufffd", ":ann! PRIVMSG #x :\ufffd"),
    Deed("sets the topic", "/topic new", "TOPIC #x :new", "-- ann set the topic: new",
         ":ann! TOPIC #x :new"),
    Deed("takes a nick", "/nick anna", "NICK anna", "-- ann is now anna", ":ann! NICK anna"),
    Deed("is away", "/away lunch", "AWAY :lunch", "", ":ann! AWAY :lunch"),
    Deed("kicks", "/kick bob out", "KICK #x bob :out", "-- bob was kicked by ann: out (3 here)",
         ":ann! KICK #x bob :out"),
    Deed("kicks without a word", "/kick bob", "KICK #x bob", "-- bob was kicked by ann (3 here)",
         ":ann! KICK #x bob :ann"),
    Deed("quits", "/quit bye", "QUIT :bye", "-- ann left: bye (3 here)", ":ann! QUIT :Quit: bye"),
]  # fmt: skip


def read(user: User) -> str:
    """What it got, without hosts."""
    return "\n".join(_HOST.sub("!", line) for line in user.read())


@pytest.mark.parametrize("door", [LineUser, IRCUser], ids=["with nc", "on IRC"])
@pytest.mark.parametrize("deed", DEEDS, ids=[deed.name for deed in DEEDS])
def test_a_deed_is_seen_alike_whichever_door_it_comes_by(deed: Deed, door: type[User]) -> None:
    chat = Chatting()
    ann, lin = door(chat, "ann"), LineUser(chat, "lin")
    ian, bob = IRCUser(chat, "ian"), IRCUser(chat, "bob")
    for user in (ann, lin, ian, bob):
        user.registers(["away-notify"] if user is ian else [])
        user.says(*(["/join #x", "/part #lobby"] if isinstance(user, LineUser) else ["JOIN #x"]))
    for user in (lin, ian):
        user.read()
    ann.says(deed.with_nc if isinstance(ann, LineUser) else deed.on_irc)
    # Who keeps order next is of no interest here.
    assert read(lin).split("\n")[0] == deed.read_with_nc
    assert read(ian).split("\n")[0] == deed.read_on_irc
    assert not chat.close()


PRIVATE = [
    (LineUser, LineUser, "/msg bob psst", "[ann -> you] psst"),
    (LineUser, IRCUser, "/msg bob psst", ":ann! PRIVMSG bob :psst"),
    (IRCUser, LineUser, "PRIVMSG bob :psst", "[ann -> you] psst"),
    (IRCUser, LineUser, "NOTICE bob :psst", "[ann -> you] psst"),
    (IRCUser, IRCUser, "PRIVMSG bob :psst", ":ann! PRIVMSG bob :psst"),
]


@pytest.mark.parametrize(("door", "other", "line", "shown"), PRIVATE)
def test_a_private_line_reaches_either_door(
    door: type[User], other: type[User], line: str, shown: str
) -> None:
    chat = Chatting()
    ann, bob = door(chat, "ann"), other(chat, "bob")
    ann.registers()
    bob.registers()
    ann.says(line)
    assert read(bob) == shown
    assert not chat.close()


@pytest.mark.parametrize("door", [LineUser, IRCUser], ids=["with nc", "on IRC"])
@pytest.mark.parametrize("quits", ["QUIT", "gone", "lost"])
def test_who_goes_frees_the_nick_for_either_door(quits: str, door: type[User]) -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers()
    if quits == "QUIT":
        ann.says("QUIT")
    elif quits == "gone":
        ann.lose()
    else:
        ann.reset()
    chat.settle()
    again = door(chat, "ann")
    again.registers()
    assert again.protocol.member.nick == "ann"
    assert not chat.close()
