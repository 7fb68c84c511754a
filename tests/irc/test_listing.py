"""chatroom.protocols.irc.listing: which channels are wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.member import Listener, Member
from chatroom.protocols.irc.listing import wanted
from chatroom.room import Room

NOW = 10_000.0


def room(name: str, members: int = 1, made: int = 0, topic: int | None = None) -> Room:
    """A room made, and with a topic set, so many minutes before NOW."""
    made_at = NOW - 60 * made - 1
    it = Room(name, 0, made_at)
    for number in range(members):
        it.members[Member(f"m{number}", Listener(lambda event: None), "", NOW)] = None
    if topic is not None:
        it.topic, it.topic_at = "about", NOW - 60 * topic - 1
    return it


ROOMS = [
    room("#chan1", 3, made=0, topic=10),
    room("#Chan2", 1, made=5),
    room("#other", 12, made=60, topic=1),
]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("", "#chan1 #Chan2 #other"),
        ("*", "#chan1 #Chan2 #other"),
        ("#CHAN2", "#Chan2"),
        ("#chan1,#other", "#chan1 #other"),
        ("#nowhere", ""),
        ("#ch*", "#chan1 #Chan2"),
        ("#other,*an1", "#chan1 #other"),
        ("#cha?1", "#chan1"),
        ("!*AN1", "#Chan2 #other"),
        ("!*an1,!*an2", "#other"),
        ("*an*,!*an1", "#Chan2"),
        (">2", "#chan1 #other"),
        (">3", "#other"),
        ("<3", "#Chan2"),
        (">1,<12", "#chan1"),
        ("#chan1,>5", ""),
        ("C>2", "#Chan2 #other"),
        ("c<2", "#chan1"),
        ("C<0", ""),
        ("C>0", "#chan1 #Chan2 #other"),
        ("T>5", "#chan1"),
        ("T<5", "#other"),
        ("T>0", "#chan1 #other"),
        (">x", ""),
        (",", "#chan1 #Chan2 #other"),
    ],
)
def test_conditions(asked: str, names: str) -> None:
    found = wanted(asked)
    assert [each.name for each in ROOMS if found.fits(each, NOW)] == names.split()


def test_a_room_of_which_nobody_knows_when_it_was_made_was_there_from_the_start() -> None:
    lobby = Room("#lobby", 0)
    assert wanted("C>2", started=NOW - 121).fits(lobby, NOW)
    assert not wanted("C>2", started=NOW - 119).fits(lobby, NOW)


@given(st.text())
def test_anything_may_be_asked(asked: str) -> None:
    found = wanted(asked)
    for each in ROOMS:
        assert found.fits(each, NOW) in (True, False)
