"""Members and doors: who someone is, and where its events go out."""

from __future__ import annotations

from typing import Any

import pytest

from chatroom.events import Event, Joined, Said, Told
from chatroom.identity import Identity
from chatroom.member import (
    ECHOES,
    LINE_USER,
    Bell,
    Door,
    Listener,
    Member,
    Timestamps,
    View,
)


class Views(Listener):
    """Gives out a new view each time, and counts."""

    def __init__(self) -> None:
        super().__init__(print)
        self.asked: list[tuple[str, str]] = []

    def view(self, member: Member) -> View:
        self.asked.append((member.timestamps, member.bell))
        return super().view(member)


def said(number: int) -> Said:
    return Said(number, 0.0, "#lobby", "bob", "bob", f"line {number}")


def test_a_new_member_is_present_in_no_room_and_wants_nothing_special() -> None:
    member = Member("Ann", Listener(print), "192.0.2.1", 5.0)
    assert (member.nick, member.shown, member.folded) == ("Ann", "Ann", "ann")
    assert (member.address, member.since, member.spoke) == ("192.0.2.1", 5.0, 5.0)
    assert member.present and not member.guest and not member.rooms and member.current is None
    assert (member.timestamps, member.bell, member.away) == ("off", "off", None)


def test_nothing_is_known_of_who_it_is_unless_that_is_given() -> None:
    assert Member("ann", Listener(print), "192.0.2.1", 0.0).who == Identity(LINE_USER, "")
    who = Identity("ann", "k2f9.ip", "ann", "Ann")
    member = Member("zoe", Listener(print), "192.0.2.1", 0.0, who)
    assert member.who is who and member.account == "ann"


def test_who_it_is_and_its_account_are_one_thing_whichever_is_set() -> None:
    member = Member("ann", Listener(print), "", 0.0)
    first = member.who
    assert member.who is first
    member.account = "ann"
    second = member.who
    assert second == first._replace(account="ann")
    assert member.who is second, "the same until something of it changes"
    member.who = Identity("ann", "k2f9.ip", "zoe")
    assert member.account == member.who.account == "zoe"
    member.account = ""
    assert member.who == Identity("ann", "k2f9.ip")


def test_its_door_says_what_it_is_told_back_or_it_is_told_its_private_lines() -> None:
    door = Listener(print)
    assert Member("ann", door, "", 0.0).echoes is ECHOES == {Told}
    wishes = frozenset({Joined, Said})
    setattr(door, "echoes", wishes)  # noqa: B010
    assert Member("ann", door, "", 0.0).echoes is wishes


@pytest.mark.parametrize(
    ("wish", "then"),
    [
        ({}, ("time", "msg")),
        ({"timestamps": "datetime"}, ("datetime", "msg")),
        ({"bell": "all"}, ("time", "all")),
        ({"timestamps": "off", "bell": "off"}, ("off", "off")),
    ],
)
def test_a_wish_changes_what_it_names_and_the_door_is_asked_for_the_view_anew(
    wish: dict[str, Any], then: tuple[Timestamps, Bell]
) -> None:
    door = Views()
    member = Member("ann", door, "", 0.0)
    member.wish(timestamps="time", bell="msg")
    member.wish(**wish)
    assert (member.timestamps, member.bell) == then
    assert door.asked[-1] == then
    assert len(door.asked) == 3


def test_a_member_refuses_what_it_has_no_place_for() -> None:
    """A member costs no dictionary: ten thousand of them wait here."""
    member = Member("ann", Listener(print), "", 0.0)
    assert not hasattr(member, "__dict__")


def test_a_listener_gives_each_event_to_its_callable_in_order() -> None:
    heard: list[Event] = []
    door: Door = Listener(heard.append)
    view = door.view(Member("bot", door, "", 0.0))
    events = [said(1), said(2)]
    door.write(view.join(view.render(events)))
    assert heard == events


def test_a_listener_that_raises_at_one_event_still_hears_the_rest_of_the_turn() -> None:
    heard: list[int] = []

    def hears(event: Event) -> None:
        heard.append(event.id)
        if event.id != 2:
            raise ValueError(event.id)

    with pytest.raises(ExceptionGroup) as raised:
        Listener(hears).write([said(1), said(2), said(3)])
    assert heard == [1, 2, 3]
    assert [error.args for error in raised.value.exceptions] == [(1,), (3,)]


def test_all_listeners_share_one_view_so_their_events_are_rendered_once() -> None:
    one, two = (Member(nick, Listener(print), "", 0.0) for nick in ("one", "two"))
    assert one.view is two.view


def test_a_listener_has_nothing_to_close() -> None:
    door = Listener(print)
    door.close()
    door.write([said(1)])


def test_a_listener_that_raises_at_one_event_hears_the_next() -> None:
    heard: list[int] = []

    def hear(event: Event) -> None:
        heard.append(event.id)
        if event.id == 1:
            raise ValueError("one")

    with pytest.raises(ExceptionGroup) as caught:
        Listener(hear).write([said(1), said(2)])
    assert heard == [1, 2]
    assert [str(error) for error in caught.value.exceptions] == ["one"]
