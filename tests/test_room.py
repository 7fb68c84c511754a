"""Rooms: who is in them, what they keep, and who gets what of a turn's batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from chatroom.events import Acted, Event, Joined, Notice, Redacted, Said, Tagged, TopicSet
from chatroom.identity import MOST_TAGS_KEPT, Identity, Manner
from chatroom.member import Listener, Member
from chatroom.room import Batch, Room


class CountingView:
    """Frames are the events' ids; `rendered` counts how often it is asked for them."""

    def __init__(self) -> None:
        self.rendered = 0

    def render(self, events: Sequence[Event]) -> list[int]:
        self.rendered += 1
        return [event.id for event in events]

    def join(self, frames: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(frames)

    def rest(self, frames: Sequence[Any], start: int) -> Sequence[Any]:
        return frames[start:]


def member(nick: str) -> Member:
    return Member(nick, Listener(print), "", 0.0)


def said(id: int, sender: str = "ann") -> Said:
    return Said(id, 0.0, "#a", sender, sender, "hi")


def ids(events: Iterable[Event | int]) -> list[int]:
    """Of events, or of a share's."""
    return [event if isinstance(event, int) else event.id for event in events]


def test_what_is_said_and_done_is_kept_and_nothing_else() -> None:
    room = Room("#a", 10)
    head = (0.0, "#a", "ann", "ann")
    for event in (said(1), Joined(2, *head, 1), Acted(3, *head, "x"), TopicSet(4, *head, "y")):
        room.post(None, event)
    room.post(None, Tagged(5, *head, "#a"))
    assert ids(room.recent) == [1, 3]


@pytest.mark.parametrize(("recent", "kept"), [(0, []), (2, [4, 5]), (9, [1, 2, 3, 4, 5])])
def test_so_many_of_the_last_lines_are_kept(recent: int, kept: list[int]) -> None:
    room = Room("#a", recent)
    for number in range(1, 6):
        room.post(None, said(number))
    assert ids(room.recent) == kept


@pytest.mark.parametrize(("recent", "kept"), [(0, []), (1, [3]), (9, [1, 2, 3])])
def test_how_many_are_kept_can_change_and_the_newest_stay(recent: int, kept: list[int]) -> None:
    room = Room("#a", 3)
    for number in range(1, 4):
        room.post(None, said(number))
    room.keep(recent)
    assert ids(room.recent) == kept


def test_how_many_are_kept_can_change_before_anything_is_said() -> None:
    room = Room("#a", 3)
    room.keep(1)
    for number in range(1, 4):
        room.post(None, said(number))
    assert ids(room.recent) == [3]
    other = Room("#b", 3)
    assert not other.recent, "what one keeps is no other's"


def test_nobody_gets_its_own_lines_back() -> None:
    room, ann, bob = Room("#a", 0), member("ann"), member("bob")
    room.joined(ann)
    room.joined(bob)
    room.post(ann, said(1))
    room.post(bob, said(2, "bob"))
    room.post(None, said(3))
    batch = room.take()
    assert ids(batch.share(ann)) == [2, 3]
    assert ids(batch.share(bob)) == [1, 3]


def test_who_is_to_get_its_own_lines_back_shares_those_of_all() -> None:
    room, ann, bob = Room("#a", 0), member("ann"), member("bob")
    for each in (ann, bob):
        room.joined(each)
    room.post(ann, said(1), said(2), back=True)
    room.post(ann, Joined(3, 0.0, "#a", "ann", "ann", 2))
    batch = room.take()
    assert ids(batch.share(ann)) == [1, 2]
    assert ids(batch.share(bob)) == [1, 2, 3]


@pytest.mark.parametrize("back", [False, True])
def test_whose_a_refused_line_was_is_known_whether_it_was_to_get_it_back(back: bool) -> None:
    room, ann, bob = Room("#a", 0), member("ann"), member("bob")
    room.post(bob, said(1))
    room.post(ann, said(2), said(3), back=back)
    room.post(None, said(4))
    batch = room.take()
    refused = batch.refuse({1, 3, 4})
    assert [(by.nick, event.id) for by, event in refused] == [("bob", 1), ("ann", 3)]
    assert ids(batch.events) == [2]


def test_who_gets_all_of_its_own_back_is_nothing_special() -> None:
    batch, ann = Batch(), member("ann")
    batch.post(ann, said(1), back=True)
    assert not batch.is_special_for(ann)
    batch.post(ann, said(2))
    assert batch.is_special_for(ann)


def test_who_comes_in_the_middle_of_a_turn_gets_what_is_posted_from_then_on() -> None:
    room, ann = Room("#a", 0), member("ann")
    room.post(None, said(1))
    room.joined(ann)
    room.post(None, said(2))
    assert ids(room.take().share(ann)) == [2]


def test_what_is_coming_is_given_once() -> None:
    room, ann = Room("#a", 0), member("ann")
    assert room.coming(ann) == []
    room.joined(ann)
    room.post(None, said(1))
    room.post(ann, said(2))
    assert ids(room.coming(ann)) == [1]
    assert room.coming(ann) == []
    room.post(None, said(3))
    assert ids(room.take().share(ann)) == [3]


def test_who_leaves_and_comes_back_in_a_turn_misses_what_was_between() -> None:
    room, ann = Room("#a", 0), member("ann")
    room.joined(ann)
    room.post(None, said(1))
    room.left(ann)
    room.post(None, said(2))
    room.joined(ann)
    room.post(None, said(3))
    assert ids(room.take().share(ann)) == [3]


def test_a_batch_is_taken_once_and_what_follows_is_the_next() -> None:
    room = Room("#a", 0)
    room.post(None, said(1))
    assert ids(room.take().events) == [1]
    assert room.take().events == []
    room.post(None, said(2))
    assert ids(room.take().events) == [2]


def test_what_an_ignored_member_says_is_hidden_whatever_the_case_of_its_nick() -> None:
    """Only what it says: that it comes, goes or sets the topic is still shown."""
    batch, ann = Batch(), member("ann")
    ann.ignored = frozenset({"bob"})
    head = (0.0, "#a", "Bob", "Bob")
    events = [said(1, "Bob"), Acted(2, *head, "x"), Joined(3, *head, 2), TopicSet(4, *head, "t")]
    events += [said(5, "bobby"), Notice(6, 0.0, "#a", "", "", "n"), Tagged(7, *head, "#a")]
    for event in events:
        batch.post(None, event)
    assert ids(batch.share(ann)) == [3, 4, 5, 6]


def test_a_batch_is_rendered_once_for_each_view_whoever_asks() -> None:
    """The same object goes to all who have the view; who spoke gets the shared frames."""
    batch, one, two = Batch(), CountingView(), CountingView()
    ann = member("ann")
    ann.view = one
    for number, origin in ((1, None), (2, ann), (3, None)):
        batch.post(origin, said(number))
    assert batch[one] == (1, 2, 3)
    assert batch[one] is batch[one]
    assert batch.share(ann) == {1: 1, 3: 3}
    assert one.rendered == 1
    assert batch[two] is not batch[one]
    assert two.rendered == 1


def test_who_said_all_there_is_gets_nothing() -> None:
    batch, ann = Batch(), member("ann")
    batch.post(ann, said(1))
    assert batch.share(ann) == {}


def test_a_room_has_another_name_also_in_what_is_shown_again() -> None:
    room = Room("#a", 2, made=5.0)
    room.rename("#b")
    assert not room.recent, "nothing was said"
    for number in range(3):
        room.post(None, said(number))
    room.rename("#c")
    assert (room.name, room.rules.name, room.made) == ("#c", "#c", 5.0)
    assert [(line.id, line.room) for line in room.recent] == [(1, "#c"), (2, "#c")]
    room.post(None, said(3))
    assert ids(room.recent) == [2, 3]


def test_who_took_a_line_out_is_told_of_where_it_stood() -> None:
    room, who = Room("#a", 2), Identity("~bob", "k2f9.ip")
    room.post(None, said(1))
    room.redact(Redacted(9, 5.0, "#a", "bob", "bob", 1, "ann", "rude", who))
    (shown,) = room.recent
    assert isinstance(shown, Redacted)
    assert (shown.id, shown.time, shown.sender, shown.who) == (1, 0.0, "bob", who)


@pytest.mark.parametrize(("over", "kept"), [(-2, True), (-1, False)])
def test_large_tags_are_passed_on_and_not_kept_with_the_line(over: int, kept: bool) -> None:
    """Fifty lines with 4 KB each, in twenty rooms, would be 4 MiB for one who says them."""
    room, ann = Room("#a", 10), member("ann")
    room.joined(ann)
    tags = (("+x", "v" * (MOST_TAGS_KEPT + over)),)
    line = Said(1, 0.0, "#a", "bob", "bob", "hi", manner=Manner(tags=tags))
    room.post(None, line)
    (again,) = room.recent
    assert isinstance(again, Said)
    assert (again.manner.tags == tags) == kept
    assert (again.id, again.text) == (1, "hi")
    assert room.take().events == [line]
