"""The turn: everything accepted in it goes out at its end, once, in order, whoever fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from chatroom import turn as module
from chatroom.errors import NoSuchMember
from chatroom.events import (
    Arrived,
    Event,
    Gone,
    Joined,
    Left,
    Notice,
    Profile,
    Renamed,
    Reply,
    RoomRenamed,
    Ruled,
    Said,
    Tagged,
    Told,
    TopicSet,
)
from chatroom.hub import Hub
from chatroom.identity import NOBODY
from chatroom.limits import Limits
from chatroom.member import Listener, Member
from chatroom.room import Batch, Room
from chatroom.turn import Turn
from tests.inmemory import NOW, Chat, Person


class Ear(Listener):
    """Keeps each batch that was written to it; raises `fault` if it has one."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.batches: list[Any] = []
        self.closed_after: int | None = None
        self.fault = fault

    def write(self, data: Any) -> None:
        self.batches.append(data)
        if self.fault is not None:
            raise self.fault

    def close(self) -> None:
        self.closed_after = len(self.batches)
        if self.fault is not None:
            raise self.fault


class Scene:
    """A turn, with rooms and members that no hub knows of."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []
        self.turn = Turn(self.due.append)
        self.posted = 0

    def member(self, *rooms: Room, fault: Exception | None = None) -> tuple[Member, Ear]:
        ear = Ear(fault)
        member = Member("nick", ear, "", 0.0)
        for room in rooms:
            room.joined(member)
            member.rooms[room] = None
        return member, ear

    def say(self, room: Room, origin: Member | None = None) -> int:
        self.posted += 1
        event = Said(self.posted, 0.0, room.name, "x", "x", "hi")
        self.turn.post(origin, (room,), event)
        return self.posted

    def mail(self, member: Member) -> int:
        self.posted += 1
        self.turn.mail(member, Notice(self.posted, 0.0, None, "", "", "hi"))
        return self.posted


def ids(ear: Ear) -> list[list[int]]:
    return [[event.id for event in batch] for batch in ear.batches]


def test_the_end_of_the_turn_is_asked_for_once_a_turn_and_not_without_need() -> None:
    scene, room = Scene(), Room("#a", 0)
    assert not scene.due
    member, _ = scene.member(room)
    scene.say(room)
    scene.mail(member)
    scene.say(room)
    assert len(scene.due) == 1
    scene.due.pop()()
    assert not scene.due
    scene.say(room)
    assert len(scene.due) == 1


def test_nothing_is_written_before_the_end_of_the_turn() -> None:
    scene, room = Scene(), Room("#a", 0)
    member, ear = scene.member(room)
    scene.say(room)
    scene.mail(member)
    assert not ear.batches
    scene.turn.flush()
    assert ids(ear) == [[1, 2]]


def test_members_with_the_same_view_get_the_same_object() -> None:
    scene, room = Scene(), Room("#a", 0)
    ears = [scene.member(room)[1] for _ in range(3)]
    scene.say(room)
    scene.turn.flush()
    assert ears[0].batches[0] is ears[1].batches[0] is ears[2].batches[0]


def test_a_turn_is_rendered_once_however_many_speak_in_it() -> None:
    """Who spoke gets the others' lines from the frames that all share."""
    rendered: list[int] = []

    class Counting(Ear):
        def view(self, member: Member) -> Any:
            return shared

        def render(self, events: list[Event]) -> list[Event]:
            rendered.append(len(events))
            return events

        def join(self, frames: list[Event]) -> list[Event]:
            return frames

    scene, room, shared = Scene(), Room("#a", 0), Counting()
    ears = [Counting() for _ in range(5)]
    members = [Member("nick", ear, "", 0.0) for ear in ears]
    for member in members:
        room.joined(member)
        member.rooms[room] = None
    for speaker in members[:3]:
        scene.say(room, speaker)
    scene.turn.flush()
    assert rendered == [3]
    assert [ids(ear) for ear in ears] == [[[2, 3]], [[1, 3]], [[1, 2]], [[1, 2, 3]], [[1, 2, 3]]]


def test_rooms_mail_and_replies_are_merged_in_the_order_of_acceptance_in_one_write() -> None:
    scene, a, b = Scene(), Room("#a", 0), Room("#b", 0)
    member, ear = scene.member(b, a)
    _, only_a = scene.member(a)
    scene.say(a)
    scene.mail(member)
    scene.say(b)
    scene.say(a, member)
    scene.mail(member)
    scene.say(a)
    scene.turn.flush()
    assert ids(ear) == [[1, 2, 3, 5, 6]]
    assert ids(only_a) == [[1, 4, 6]]


def test_who_is_in_several_busy_rooms_gets_one_write() -> None:
    scene, a, b = Scene(), Room("#a", 0), Room("#b", 0)
    _, both = scene.member(a, b)
    scene.say(b)
    scene.say(a)
    scene.say(b)
    scene.turn.flush()
    assert ids(both) == [[1, 2, 3]]


def test_members_of_the_same_rooms_get_the_same_object_when_several_are_busy() -> None:
    """But for one who spoke, who came in the middle of the turn, who ignores, or has mail."""
    scene, a, b = Scene(), Room("#a", 0), Room("#b", 0)
    speaker, spoke = scene.member(a, b)
    ignorer, ignores = scene.member(a, b)
    ignorer.ignored = frozenset({"x"})
    _, one = scene.member(a, b)
    _, another = scene.member(a, b)
    reader, mail = scene.member(a, b)
    scene.say(a, speaker)
    _, late = scene.member(a, b)
    scene.say(b)
    scene.mail(reader)
    scene.turn.flush()
    assert one.batches[0] is another.batches[0]
    assert ids(one) == [[1, 2]]
    assert [ids(ear) for ear in (spoke, late, mail)] == [[[2]], [[2]], [[1, 2, 3]]]
    assert not ignores.batches


def test_an_event_that_was_posted_to_several_rooms_is_told_once() -> None:
    scene, a, b = Scene(), Room("#a", 0), Room("#b", 0)
    _, both = scene.member(a, b)
    _, one = scene.member(b)
    scene.turn.post(None, (a, b), Notice(1, 0.0, None, "", "", "to all"))
    scene.turn.flush()
    assert ids(both) == ids(one) == [[1]]


def test_who_wants_told_back_what_it_does_is_told_once_and_in_its_place() -> None:
    scene, a, b = Scene(), Room("#a", 0), Room("#b", 0)
    member, ear = scene.member(a, b)
    other, others = scene.member(a, b)
    member.echoes = frozenset({Renamed})
    scene.say(a, member)
    scene.say(b, other)
    renamed = Renamed(3, 0.0, None, "x", "x", "y")
    scene.turn.post(member, (a, b), renamed)
    scene.posted += 1
    scene.say(b, member)
    scene.say(a, other)
    scene.turn.flush()
    assert ids(ear) == [[2, 3, 5]]
    assert ids(others) == [[1, 3, 4]]


def test_a_member_for_whom_there_is_nothing_is_not_written_to() -> None:
    scene, room = Scene(), Room("#a", 0)
    member, ear = scene.member(room)
    scene.turn.mail(member)
    scene.turn.flush()
    scene.say(room, member)
    scene.turn.flush()
    assert not ear.batches


@pytest.mark.parametrize("apart", [False, True], ids=["shared", "apart"])
def test_a_member_whose_write_raises_costs_nobody_a_line(apart: bool) -> None:
    """What was raised comes after everyone was written to, and the next turn is as any."""
    scene, room = Scene(), Room("#a", 0)
    fault = ValueError("broken")
    people = [scene.member(room, fault=fault if number == 1 else None) for number in range(3)]
    for turn in (1, 2):
        scene.say(room)
        for member, _ in people if apart else ():
            scene.turn.mail(member)
        with pytest.raises(ExceptionGroup) as raised:
            scene.turn.flush()
        assert raised.value.exceptions == (fault,)
        assert [len(ear.batches) for _, ear in people] == [turn] * 3


def test_a_view_that_raises_costs_nobody_a_line() -> None:
    class Broken(Ear):
        def view(self, member: Member) -> Any:
            return self

        def render(self, events: list[Event]) -> Any:
            raise ValueError("broken")

    scene, room = Scene(), Room("#a", 0)
    room.joined(Member("broken", Broken(), "", 0.0))
    _, ear = scene.member(room)
    scene.say(room)
    with pytest.raises(ExceptionGroup):
        scene.turn.flush()
    assert ids(ear) == [[1]]


def test_doors_are_closed_after_the_turn_was_written_and_each_of_them() -> None:
    """Also if the first one raises when it is closed."""
    scene, room = Scene(), Room("#a", 0)
    leavers = [scene.member(room, fault=fault) for fault in (ValueError("broken"), None)]
    for member, _ in leavers:
        scene.mail(member)
        scene.turn.close(member)
        scene.mail(member)
    with pytest.raises(ExceptionGroup) as raised:
        scene.turn.flush()
    assert len(raised.value.exceptions) == 2, "one written to, one closed"
    assert [ear.closed_after for _, ear in leavers] == [1, 1]
    scene.say(room)
    with pytest.raises(ExceptionGroup) as raised:
        scene.turn.flush()
    assert len(raised.value.exceptions) == 1, "a door is closed once"


def test_observers_hear_at_once_and_one_that_raises_costs_nobody() -> None:
    scene, room = Scene(), Room("#a", 0)
    _, ear = scene.member(room)
    heard: list[Event] = []
    faults: list[Exception] = []

    def broken(event: Event) -> None:
        faults.append(ValueError(event.id))
        raise faults[-1]

    scene.turn.observers += [heard.append, broken, heard.append]
    scene.say(room)
    assert [event.id for event in heard] == [1, 1]
    scene.say(room)
    with pytest.raises(ExceptionGroup) as raised:
        scene.turn.flush()
    assert list(raised.value.exceptions) == faults
    assert ids(ear) == [[1, 2]]
    assert not scene.turn.failures


# A program that acts while the turn goes out to it


def program(chat: Chat, acts: Callable[[Hub, Member], object]) -> tuple[Person, list[str]]:
    """Ann, in #a and the lobby; and what a bot heard said that acts when it hears `now`."""
    heard: list[str] = []

    def hears(event: Event) -> None:
        if isinstance(event, Said):
            heard.append(event.text)
            if event.text == "now":
                acts(chat.hub, bot)

    ann = chat.enter("ann")
    bot = chat.hub.enter(Listener(hears), NOW, "bot")
    ann.gets("/join #a", "/join #lobby")
    return ann, heard


def test_what_is_said_while_a_turn_goes_out_belongs_to_the_next() -> None:
    """In the order in which it was said, also to one that this turn still has to reach."""

    def acts(hub: Hub, bot: Member) -> None:
        hub.say(bot, "first", NOW)
        hub.tell(bot, "ann", "second", NOW)
        hub.say(bot, "third", NOW)

    ann, _ = program(Chat(), acts)
    assert ann.gets("/me calls", "now") == ["<bot> first", "[bot -> you] second", "<bot> third"]


def test_who_joins_while_a_turn_goes_out_gets_nothing_of_it_from_there() -> None:
    """And what it gets from elsewhere, once."""

    def acts(hub: Hub, bot: Member) -> None:
        hub.join(bot, "#a", NOW)

    ann, heard = program(Chat(), acts)
    ann.gets("now", "/join #a", "only in #a")
    assert heard == ["now"]


def test_who_is_made_to_join_while_a_turn_goes_out_gets_nothing_of_it_from_there() -> None:
    chat = Chat()
    bob = chat.enter("bob")

    def acts(hub: Hub, bot: Member) -> None:
        hub.join(bob.member, "#a", NOW)

    ann, _ = program(chat, acts)
    ann.says("now", "/join #a", "only in #a")
    bob.says("/version")
    lines = bob.reads()
    assert [line for line in lines if line.startswith(("<ann>", "[#a]"))] == ["<ann> now"]
    assert sum("only in #a" in line for line in lines) == 1, "shown again, on joining"


def test_who_leaves_while_a_turn_goes_out_still_gets_it() -> None:
    chat = Chat()
    bob = chat.enter("bob")

    def acts(hub: Hub, bot: Member) -> None:
        hub.leave(bob.member, "kicked", NOW)

    ann, _ = program(chat, acts)
    bob.reads()
    ann.says("before", "now", "after")
    assert bob.reads() == ["<ann> before", "<ann> now", "<ann> after"]
    assert bob.closed
    assert ann.reads() == ["-- bob left: kicked (2 here)"]


# Turns that wait


class Patience:
    """A scene whose turns may wait, and a room in which it takes a while to tell everyone."""

    def __init__(self, size: int = 2000) -> None:
        self.scene = Scene()
        self.clock = Clock()
        self.scene.turn.later = self.clock.callLater
        self.room = Room("#a", 0)
        self.elsewhere = Room("#b", 0)
        self.member, self.ear = self.scene.member(self.room)
        for _ in range(size - 1):
            self.scene.member(self.room)

    def comes(self) -> int:
        self.scene.posted += 1
        event = Joined(self.scene.posted, 0.0, "#a", "x", "x", 9)
        self.scene.turn.post(None, (self.room,), event)
        return self.scene.posted

    def turn(self) -> list[list[int]]:
        """What was written once the reactor's turn is over."""
        while self.scene.due:
            self.scene.due.pop()()
        written = ids(self.ear)
        self.ear.batches.clear()
        return written


def test_a_turn_in_which_people_only_come_and_go_waits_where_a_room_is_large() -> None:
    """For 25 us a member: five times what it takes to tell them, so that others get on."""
    chat = Patience()
    chat.comes()
    assert chat.turn() == []
    chat.clock.advance(0.02)
    chat.comes()
    chat.scene.mail(chat.member)
    assert chat.turn() == []
    chat.clock.advance(0.029)
    assert chat.turn() == []
    chat.clock.advance(0.001)
    assert chat.turn() == [[1, 2, 3]]
    chat.comes()
    assert chat.turn() == []
    chat.clock.advance(0.05)
    assert chat.turn() == [[4]]
    assert not chat.clock.getDelayedCalls()


def test_it_waits_a_quarter_of_a_second_at_most() -> None:
    chat = Patience(20_000)
    chat.comes()
    chat.turn()
    chat.clock.advance(0.25)
    assert chat.turn() == [[1]]


@pytest.mark.parametrize("size", [1, 399])
def test_where_few_have_to_be_told_nobody_waits(size: int) -> None:
    chat = Patience(size)
    chat.comes()
    assert chat.turn() == [[1]]
    assert not chat.clock.getDelayedCalls()


def test_without_a_clock_nobody_waits() -> None:
    chat = Patience()
    chat.scene.turn.later = None
    chat.comes()
    assert chat.turn() == [[1]]


@pytest.mark.parametrize("waits", [False, True])
def test_what_is_said_does_not_wait_nor_does_what_came_before_it(waits: bool) -> None:
    chat = Patience()
    chat.comes()
    assert not waits or chat.turn() == []
    chat.scene.say(chat.room)
    chat.comes()
    assert chat.turn() == [[1, 2, 3]]
    assert not chat.clock.getDelayedCalls()
    chat.comes()
    assert chat.turn() == [], "the next turn may wait again"


WAITING = [
    Gone(1, 0.0, None, "x", "x", "bye"),
    Left(1, 0.0, "#a", "x", "x", 9, "bye"),
    Renamed(1, 0.0, None, "x", "x", "y"),
    Profile(1, 0.0, None, "x", "x", NOBODY, NOBODY, None, "for lunch"),
]
NOT_WAITING = [
    Tagged(1, 0.0, "#a", "x", "x", "#a"),
    Ruled(1, 0.0, "#a", "x", "x", "muted everyone"),
    TopicSet(1, 0.0, "#a", "x", "x", "tea"),
    RoomRenamed(1, 0.0, "#b", "x", "x", "#a", ""),
]


@pytest.mark.parametrize("event", WAITING + NOT_WAITING)
def test_only_what_is_no_news_of_what_is_said_and_ruled_may_wait(event: Event) -> None:
    chat = Patience()
    chat.scene.turn.post(None, (chat.room,), event)
    assert chat.turn() == ([] if event in WAITING else [[1]])
    chat.clock.advance(0.051)
    assert chat.turn() == ([[1]] if event in WAITING else [])


def test_where_one_is_and_what_a_reply_is_part_of_goes_out_at_once_or_with_the_rest() -> None:
    chat = Patience()
    joined = Joined(1, 0.0, "#a", "x", "x", 9)
    chat.scene.turn.post(None, (chat.room,), joined)
    arrived = Arrived(2, 0.0, None, "x", "x", "here", chat.room, joined, chat.member)
    chat.scene.turn.mail(chat.member, arrived)
    assert chat.turn() == []
    chat.scene.turn.mail(chat.member, Reply(3, 0.0, None, "", "", "PONG"))
    assert chat.turn() == [[1, 2, 3]]


def whispers(chat: Patience) -> None:
    chat.scene.posted += 1
    told = Told(chat.scene.posted, 0.0, None, "x", "x", "y", "hi", echo=False)
    chat.scene.turn.mail(chat.member, told)


def closes(chat: Patience) -> None:
    chat.scene.mail(chat.member)
    chat.scene.turn.close(chat.member)


def says_elsewhere(chat: Patience) -> None:
    """In a small room, where this member is as well."""
    if chat.elsewhere not in chat.member.rooms:
        chat.elsewhere.joined(chat.member)
        chat.member.rooms[chat.elsewhere] = None
    chat.scene.say(chat.elsewhere)


@pytest.mark.parametrize("hurries", [whispers, closes, says_elsewhere])
@pytest.mark.parametrize("waits", [False, True])
def test_what_is_for_few_is_not_held_up_by_what_many_have_to_be_told(
    hurries: Callable[[Patience], None], waits: bool
) -> None:
    """They get all that is for them so far, in order; the others get it when it is due."""
    chat = Patience()
    other, ear = chat.scene.member(chat.room)
    chat.scene.mail(other)
    chat.comes()
    assert not waits or chat.turn() == []
    hurries(chat)
    chat.comes()
    assert chat.turn() == [[2, 3, 4]]
    assert not ear.batches
    chat.comes()
    hurries(chat)
    assert chat.turn() == [[5, 6]]
    chat.clock.advance(0.051)
    assert chat.turn() == []
    assert [[id for id in batch if id not in (3, 6)] for batch in ids(ear)] == [[1, 2, 4, 5]]
    assert not chat.clock.getDelayedCalls()


def test_of_very_many_who_come_and_go_in_one_turn_it_ends_early() -> None:
    """Each of them is told of the others, which takes the square of their number."""
    chat = Patience(3)
    for _ in range(256):
        assert not chat.ear.batches
        chat.scene.turn.end_early()
        chat.comes()
    chat.scene.turn.end_early()
    assert ids(chat.ear) == [list(range(1, 257))]
    chat.ear.batches.clear()
    chat.comes()
    assert chat.turn() == [[257]]


def test_where_all_only_join_more_of_them_fit_into_a_turn() -> None:
    """What each is told of the others takes no longer for that. One who leaves changes it."""
    chat = Patience(3)
    line = Listener(lambda event: None)  # it says nothing of how many may be told of in one turn
    for _ in range(2048):
        chat.scene.turn.end_early(joins=line)
        chat.comes()
    assert not chat.ear.batches
    chat.scene.turn.end_early(joins=line)
    assert ids(chat.ear) == [list(range(1, 2049))]
    for _ in range(256):
        chat.comes()
    chat.scene.turn.end_early(joins=line)
    assert len(chat.ear.batches) == 1
    chat.scene.turn.end_early()
    assert len(chat.ear.batches) == 2


def test_a_door_may_say_how_many_come_in_one_turn_where_each_is_told_singly() -> None:
    chat = Patience(3)
    line, single = Listener(lambda event: None), Listener(lambda event: None)
    vars(single)["most_joins"] = 100
    for _ in range(100):
        chat.comes()
    chat.scene.turn.end_early(joins=line)
    assert not chat.ear.batches
    chat.scene.turn.end_early(joins=single)
    assert len(chat.ear.batches) == 1


def test_what_is_raised_when_a_turn_ends_early_is_told_with_the_next() -> None:
    """It is no fault of who comes then."""
    chat = Patience(3)
    chat.ear.fault = ValueError("broken")
    for _ in range(256):
        chat.comes()
    chat.scene.turn.end_early()
    chat.ear.fault = None
    chat.comes()
    with pytest.raises(ExceptionGroup) as raised:
        chat.turn()
    assert [str(error) for error in raised.value.exceptions] == ["broken"]


# A program that acts while a turn ends early, at the start of a verb


def full_turn(acts: Callable[[Hub], object]) -> tuple[Chat, Person]:
    """Ann, in a chat whose turn is full; a bot acts once, when it is delivered."""
    chat = Chat(limits=Limits(nick_changes=None, joins=None))
    acted: list[Event] = []

    def hears(event: Event) -> None:
        if isinstance(event, Joined) and not acted:
            acted.append(event)
            acts(chat.hub)

    ann = chat.enter("ann")
    chat.enter("bob")
    chat.hub.enter(Listener(hears), NOW, "bot")
    chat.end_turn()
    gone = chat.hub.enter(Listener(print), NOW, "gone")
    for number in range(254):
        chat.hub.enter(Listener(print), NOW, f"crowd{number}")
    chat.hub.leave(gone, "", NOW)  # where all only join, more of them fit
    return chat, ann


def kicks_ann(hub: Hub) -> None:
    hub.leave(hub.members["ann"], "kicked", NOW)


def test_who_is_kicked_while_the_turn_ends_cannot_leave_again() -> None:
    chat, ann = full_turn(kicks_ann)
    chat.hub.leave(ann.member, "", NOW)
    assert "ann" not in chat.hub.members
    assert ann.member not in chat.hub.lobby.members


@pytest.mark.parametrize("verb", [Hub.join, Hub.rename])
def test_who_is_kicked_while_the_turn_ends_can_do_no_more(verb: Callable[..., object]) -> None:
    chat, ann = full_turn(kicks_ann)
    with pytest.raises(NoSuchMember):
        verb(chat.hub, ann.member, "#ghost" if verb is Hub.join else "ghost", NOW)
    assert "#ghost" not in chat.hub.rooms and not ann.member.rooms
    assert not {"ann", "ghost"} & chat.hub.members.keys()


def test_who_is_ignored_cannot_be_seen_by_changing_its_nick_while_the_turn_goes_out() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")

    def hears(event: Event) -> None:
        if isinstance(event, Said) and event.sender == "ann":
            chat.hub.rename(bot, "other", NOW)

    bot = chat.hub.enter(Listener(hears), NOW, "bot")
    assert bob.gets("/ignore bot")
    ann.says("hi")
    chat.hub.say(bot, "spam", NOW)
    assert [line for line in bob.reads() if line.startswith("<")] == ["<ann> hi"]


def test_an_observer_that_acts_makes_nobody_read_its_own_lines() -> None:
    chat, ann = full_turn(lambda hub: None)
    chat.end_turn()
    ann.reads()
    for nick in ["bob", *(f"crowd{number}" for number in range(254))]:
        chat.hub.rename(chat.hub.members[nick], f"new-{nick}", NOW)
    comes = iter(["late"])

    def observes(event: Event) -> None:
        if nick := next(comes, ""):
            chat.hub.enter(Listener(print), NOW, nick)

    chat.hub.observers.append(observes)
    ann.says("/nick anna")
    assert not [line for line in ann.reads() if "ann is now anna" in line]


def test_a_hub_that_learns_late_how_turns_end_delivers_what_was_there() -> None:
    hub = Hub()
    heard: list[Event] = []
    with pytest.raises(RuntimeError):
        hub.enter(Listener(heard.append), NOW, "ann")
    due: list[Callable[[], None]] = []
    hub.use_turns(due.append)
    for each in due:
        each()
    assert heard


def test_a_program_that_ends_the_process_leaves_the_turn_as_any() -> None:
    """Turns that would grow without end would be the price of an exit that was stopped."""
    chat = Patience(3)
    chat.ear.fault = cast(Any, SystemExit())
    for _ in range(256):
        chat.comes()
    with pytest.raises(SystemExit):
        chat.scene.turn.end_early()
    chat.ear.fault = None
    chat.ear.batches.clear()
    for _ in range(256):
        chat.comes()
    chat.scene.turn.end_early()
    assert len(chat.ear.batches) == 1


# One who came in the middle of a turn, and what else it is told in it


def test_what_a_member_said_before_it_was_told_of_the_rest_is_no_matter() -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    ann.says("hi", "/ignore bob", "/unignore bob")
    assert ann.reads() == [
        "-- You no longer see what bob says. /unignore bob shows it again.",
        "-- You see what bob says again.",
    ]
    assert bob.reads() == ["<ann> hi"]


@pytest.mark.parametrize(
    ("commands", "says", "heard"),
    [
        (["/ignore ann", "/unignore ann"], "yo", ["<ann> hi"]),
        (["/ignore ann"], "", []),
    ],
)
def test_neither_what_a_member_says_then_nor_who_it_ignores_is_of_the_rest(
    commands: list[str], says: str, heard: list[str]
) -> None:
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    bob.says(*commands)
    ann.says("hi")
    if says:
        bob.says(says)
    assert bob.reads()[len(commands) :] == heard


def test_one_event_of_two_rooms_is_told_once_where_it_is_mail_twice() -> None:
    chat = Chat()
    ann, bob, _ = chat.people("ann", "bob", "dave")
    for person in (ann, bob):
        person.says("/join #x")
    chat.end_turn()
    bob.reads()
    ann.says("/nick anna")
    bob.says("/ignore dave", "/unignore dave", "/part #x")
    assert len([line for line in bob.reads() if "anna" in line]) == 1


def waiting_chat(size: int) -> tuple[Chat, list[Callable[[], None]]]:
    """One whose turns may wait, with so many in its lobby; what is due when they are over."""
    chat, due = Chat(limits=Limits(nick_changes=None, joins=None)), list[Callable[[], None]]()

    class NoTimer:
        def cancel(self) -> None:
            due.clear()

    def later(seconds: float, end: Callable[[], None]) -> NoTimer:
        due.append(end)
        return NoTimer()

    for number in range(size):
        chat.hub.enter(Listener(lambda event: None), NOW, f"crowd{number}")
    chat.end_turn()
    chat.hub.use_turns(chat.due.append, later)
    return chat, due


def test_one_event_of_two_rooms_is_told_once_where_it_is_mail_and_in_a_batch() -> None:
    chat, _ = waiting_chat(500)
    ann, bob, dave = chat.people("ann", "bob", "dave")
    for person in (ann, dave):
        person.says("/join #x")
    chat.end_turn()
    bob.reads()
    dave.says("first")
    bob.says("/join #x")
    ann.says("/nick anna")
    dave.says("hi")
    assert len([line for line in bob.reads() if "anna" in line]) == 1


def test_one_who_was_told_of_some_while_the_turn_waits_is_told_of_the_rest() -> None:
    chat, due = waiting_chat(500)
    (ann,) = chat.people("ann")
    chat.end_turn()
    while due:
        due.pop()()
    bob = Person(chat, "bob", "")
    chat.end_turn()
    ann.says("/msg bob psst")
    chat.end_turn()
    bob.reads()
    bob.says("/motd")
    chat.end_turn()
    while due:
        due.pop()()
    assert bob.reads()


def test_who_came_before_and_after_one_was_told_of_some_is_told_together() -> None:
    chat = Chat()
    _, bob = chat.people("alice", "bob")
    Person(chat, "ann", "")
    chat.hub.ignore(bob.member, "alice")
    chat.hub.unignore(bob.member, "alice")
    Person(chat, "cat", "")
    assert bob.reads() == ["-- ann and cat joined (4 here)"]


def test_what_is_said_after_very_many_joined_goes_out_after_them() -> None:
    """Not with them, since there are shares that take long then."""
    chat, ann = full_turn(lambda hub: None)
    ann.says("hi")
    assert not chat.hub._turn._moves


SAYINGS = (
    "hi", "/join #a", "/join #b", "/part", "/part #a", "/nick {}", "/msg n1 yo", "/ignore n0",
    "/unignore n0", "/quit", "/who", "/history", "/topic x",
)  # fmt: skip
STEPS = st.one_of(
    st.just(("enter", 0, ())),
    st.sampled_from([("turn", 0, ()), ("time", 0, ())]),
    st.tuples(
        st.just("say"),
        st.integers(0, 5),
        st.lists(st.sampled_from(SAYINGS), min_size=1, max_size=3).map(tuple),
    ),
)


def what_each_reads(steps: list[tuple[str, int, tuple[str, ...]]]) -> list[list[str]]:
    chat, due = waiting_chat(0)
    people = [Person(chat, f"n{number}", "") for number in range(3)]
    for number, (step, who, lines) in enumerate(steps):
        if step == "enter":
            people.append(Person(chat, f"late{number}", ""))
        elif step == "turn":
            chat.end_turn()
        elif step == "time":
            while due:
                due.pop()()
        else:
            people[who % len(people)].says(*(line.format(f"q{number}") for line in lines))
    chat.end_turn()
    while due:
        due.pop()()
    return [person.reads() for person in people]


@settings(max_examples=200)
@given(st.lists(STEPS, max_size=16))
def test_the_short_way_for_who_came_in_the_middle_makes_no_difference(
    steps: list[tuple[str, int, tuple[str, ...]]],
) -> None:
    with patch.object(module, "_WAIT_PER_MEMBER", 0.02):
        short = what_each_reads(steps)
        with patch.object(Batch, "rest", lambda *_: None):
            assert what_each_reads(steps) == short
