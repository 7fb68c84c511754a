"""chatroom.protocols.irc.past: who was here, within bounds."""

from __future__ import annotations

from chatroom.identity import Identity
from chatroom.member import Listener, Member
from chatroom.protocols.irc.past import Past, Was

NOW = 1000.0


def someone(nick: str, number: int = 0) -> Member:
    who = Identity(f"~u{number}", "host")
    return Member(nick, Listener(lambda event: None), "192.0.2.1", NOW, who)


def test_who_left_is_remembered_the_last_one_first() -> None:
    past = Past(lambda: NOW)
    past.left(someone("ann", 1))
    past.left(someone("Ann", 2))
    assert past.of("ANN") == [
        Was("Ann", Identity("~u2", "host"), "192.0.2.1", NOW),
        Was("ann", Identity("~u1", "host"), "192.0.2.1", NOW),
    ]
    assert past.of("bob") == []


def test_another_nick_is_remembered_but_not_another_case() -> None:
    past = Past(lambda: 0.0)
    past.renamed(someone("bob"), "ann", NOW)
    past.renamed(someone("BOB"), "bob", NOW)
    assert [was.until for was in past.of("ann")] == [NOW]
    assert past.of("bob") == []


def test_of_one_nick_only_the_last_ten_are_remembered() -> None:
    past = Past(lambda: NOW)
    for number in range(12):
        past.left(someone("ann", number))
    assert [was.who.user for was in past.of("ann")] == [f"~u{n}" for n in range(11, 1, -1)]


def test_of_all_nicks_the_last_2000_are_remembered() -> None:
    past = Past(lambda: NOW)
    for number in range(2000):
        past.left(someone(f"nick{number}"))
    past.left(someone("nick0"))
    past.left(someone("one-more"))
    assert len(past.of("nick0")) == 2
    assert past.of("nick1") == []
    assert past.of("nick2") and past.of("one-more")
