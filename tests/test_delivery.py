"""chatroom.delivery: turns that a gate holds, and lines that it refuses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.commands import speak
from chatroom.errors import ChatError
from chatroom.events import Acted, Event, Notice, Replayed, Said, TopicSet
from chatroom.hub import Hub
from chatroom.limits import Limits
from chatroom.member import Listener, Member
from chatroom.room import Room
from tests.inmemory import NOW, Chat, Person

Release = Callable[[Collection[int]], None]


class Held(Chat):
    """A chat whose turns wait until they are let go."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.held: list[tuple[list[Event], Release]] = []
        self.hub.use_gate(self._hold)

    def _hold(self, posted: Mapping[Room, Sequence[Event]], release: Release) -> None:
        self.held.append(([event for events in posted.values() for event in events], release))

    def let_go(self, *, refuse: bool = False) -> None:
        """The first turn that waits goes out, with or without what was said in it."""
        events, release = self.held.pop(0)
        release([e.id for e in events if refuse and isinstance(e, (Said, Acted))])

    def let_all_go(self) -> None:
        self.end_turn()
        while self.held:
            self.let_go()
            self.end_turn()


def held(*nicks: str) -> tuple[Held, list[Person]]:
    chat = Held()
    people = [Person(chat, nick, "") for nick in nicks]
    chat.let_all_go()
    for person in people:
        person.lines.clear()
    return chat, people


def test_nobody_reads_anything_of_a_turn_that_is_held() -> None:
    chat, (ann, bob) = held("ann", "bob")
    ann.says("hello", "/nick anna")
    assert ann.reads() == bob.reads() == []
    chat.let_go()
    assert bob.reads() == ["<ann> hello", "-- ann is now anna"]
    assert ann.reads() == ["-- You are anna now."]


def test_what_comes_meanwhile_waits_for_its_turn() -> None:
    chat, (ann, bob) = held("ann", "bob")
    ann.says("one")
    chat.end_turn()
    ann.says("two", "/version")
    chat.end_turn()
    assert len(chat.held) == 1
    chat.let_go()
    assert bob.lines == ["<ann> one"]
    chat.let_all_go()
    assert bob.lines == ["<ann> one", "<ann> two"]
    assert ann.lines[0].startswith("-- chatroom ")


def test_a_turn_with_nothing_but_replies_is_not_held() -> None:
    _, (ann,) = held("ann")
    assert ann.gets("/nick") == ["-- You are ann."]


def test_who_joins_while_a_turn_is_held_is_not_told_it_twice() -> None:
    chat, (ann, bob) = held("ann", "bob")
    ann.says("one")
    chat.end_turn()
    cy = Person(chat, "cy", "")
    chat.let_all_go()
    assert [line for line in cy.lines if "one" in line] == cy.lines[1:2]
    assert bob.lines == ["<ann> one", "-- cy joined (3 here)"]


def test_who_leaves_while_a_turn_is_held_still_gets_it() -> None:
    chat, (ann, bob) = held("ann", "bob")
    ann.says("one")
    chat.end_turn()
    bob.says("/quit")
    chat.let_all_go()
    assert bob.lines == ["<ann> one", "-- Bye."]
    assert bob.closed


def test_a_refused_line_is_shown_to_nobody_and_its_sender_is_told() -> None:
    chat, (ann, bob) = held("ann", "bob")
    ann.says("/topic tea", "hello")
    chat.end_turn()
    chat.let_go(refuse=True)
    chat.let_all_go()
    assert ann.lines == ["-- You set the topic of #lobby: tea", "-- Not stored, not sent."]
    assert bob.lines == ["-- ann set the topic: tea"]
    assert not chat.hub.lobby.recent


def test_who_is_told_back_what_it_says_is_told_that_it_was_refused() -> None:
    """And only that, where the others read nothing; what was not refused it reads in its place."""
    chat = Held()
    heard: list[Event] = []
    door = Listener(heard.append)
    setattr(door, "echoes", frozenset({Said, TopicSet}))  # noqa: B010
    bot = chat.hub.enter(door, NOW, nick="bot")
    bob = Person(chat, "bob", "")
    chat.let_all_go()
    heard.clear()
    bob.lines.clear()
    chat.hub.set_topic(bot, "tea", NOW)
    chat.hub.say(bot, "one\ntwo", NOW)
    chat.end_turn()
    chat.let_go(refuse=True)
    chat.let_all_go()
    assert [content(event)[::3] for event in heard] == [
        (TopicSet, ""),
        (Notice, "Not stored, not sent."),
        (Notice, "Not stored, not sent."),
    ]
    assert [event.to for event in heard if isinstance(event, Notice)] == ["bot", "bot"]
    assert bob.lines == ["-- bot set the topic: tea"]
    chat.hub.say(bot, "three", NOW)
    chat.let_all_go()
    assert isinstance(heard[-1], Said) and bob.lines[-1] == "<bot> three"


def test_a_refused_line_is_not_shown_again_to_who_came_meanwhile() -> None:
    chat, (ann,) = held("ann")
    ann.says("hello")
    chat.end_turn()
    cy = Person(chat, "cy", "")
    chat.let_go(refuse=True)
    chat.let_all_go()
    dee = Person(chat, "dee", "")
    chat.let_all_go()
    assert not [line for line in cy.lines + dee.lines if "hello" in line]


def test_who_came_in_the_middle_of_a_turn_with_refused_lines_gets_the_rest_of_it() -> None:
    chat, (ann, bob) = held("ann", "bob")
    ann.says("before")
    cy = Person(chat, "cy", "")
    bob.says("/topic after")
    chat.end_turn()
    chat.let_go(refuse=True)
    chat.let_all_go()
    assert cy.lines == [
        "Welcome to this chatroom!",
        "-- You are cy in #lobby with ann and bob (3 here).",
        "-- bob set the topic: after",
    ]


def test_the_author_of_a_refused_line_may_be_gone_and_the_rest_of_the_turn_goes_out() -> None:
    """In a large lobby whoever is to be told at once is, and only that part of a turn is held."""
    chat = Held()
    chat.hub.use_turns(chat.due.append, lambda seconds, call: Timer())
    people = [Person(chat, f"p{number}", "") for number in range(450)]
    chat.let_all_go()
    a, b, q = people[:3]
    a.says("/join small")
    b.says("/join small")
    chat.hub._turn.flush()
    chat.let_all_go()
    b.lines.clear()
    Person(chat, "late", "")
    a.says("hello")
    chat.hub.leave(a.member, "", NOW, gone=True)
    q.says("/quit")
    chat.end_turn()
    chat.let_go(refuse=True)
    chat.let_all_go()
    assert q.closed
    assert "-- p0 left (1 here)" in b.lines
    assert not [line for line in b.lines if "hello" in line]


class Timer:
    """One that never fires."""

    def cancel(self) -> None:
        pass


def test_a_gate_that_raises_holds_nothing() -> None:
    chat, (ann, bob) = held("ann", "bob")

    def broken(posted: object, release: object) -> None:
        raise RuntimeError

    chat.hub.use_gate(broken)
    ann.says("hello")
    with pytest.raises(ExceptionGroup):
        chat.end_turn()
    assert bob.lines == ["<ann> hello"]


def test_to_let_a_turn_go_twice_does_nothing_more() -> None:
    chat, (ann, bob) = held("ann", "bob")
    ann.says("hello")
    chat.end_turn()
    _, release = chat.held[0]
    release(())
    release(())
    assert bob.lines == ["<ann> hello"]


def test_what_is_to_be_done_after_a_turn_waits_for_it() -> None:
    chat, (ann, bob) = held("ann", "bob")
    ann.says("hello")
    seen: list[list[str]] = []
    chat.hub.after_turn(lambda: seen.append(list(bob.lines)))
    chat.end_turn()
    assert seen == []
    chat.let_go()
    assert seen == [["<ann> hello"]]


LINES = ["hi", "/me waves", "/join #a", "/join #b", "/join #lobby", "/part", "/topic tea", "/quit"]
LINES += ["/msg m1 hi", "/ignore m0", "/unignore m0", "/nick n1", "/who"]
STEP = st.tuples(st.integers(0, 3), st.sampled_from(LINES)) | st.sampled_from(["end", "let go"])


def story(steps: Sequence[Any], gated: bool) -> list[list[tuple[Any, ...]]]:
    """What each of four reads, by its content, when turns may be held and when they can't be."""
    due: list[Callable[[], None]] = []
    waiting: list[Release] = []
    hub = Hub(end_of_turn=due.append, limits=Limits(joins=None, nick_changes=None, recent=3))
    if gated:
        hub.use_gate(lambda posted, release: waiting.append(release))
    heard: list[list[Event]] = [[] for _ in range(4)]
    members = [hub.enter(Listener(h.append), NOW, nick=f"m{i}") for i, h in enumerate(heard)]

    def end() -> None:
        while due:
            due.pop(0)()

    for number, step in enumerate(steps):
        if step == "end":
            end()
        elif step == "let go":
            if waiting:
                waiting.pop(0)(())
        else:
            who, line = step
            said(hub, members[who], line if line.startswith("/") else f"{line} {number}")
    while due or waiting:
        end()
        while waiting:
            waiting.pop(0)(())
    for events in heard:
        ids = [event.id for event in events]
        assert ids == sorted(ids)
    return [[content(event) for event in events] for events in heard]


def said(hub: Hub, member: Member, line: str) -> None:
    with suppress(ChatError):
        speak(hub, member, line, NOW)


def content(event: Any) -> tuple[Any, ...]:
    if isinstance(event, Replayed):
        return (Replayed, *map(content, event.events))
    # Who the rest are when one joins is told as it is at that moment.
    return (type(event), event.room, event.sender, getattr(event, "text", ""))


@given(st.lists(STEP, max_size=40))
def test_a_gate_changes_when_things_are_read_not_what(steps: list[Any]) -> None:
    assert story(steps, gated=True) == story(steps, gated=False)


def test_each_of_two_reads_what_one_told_the_other_as_it_is_for_it() -> None:
    """Although it has one id, and both have the same view."""
    chat = Chat()
    ann, bob = chat.people("ann", "bob")
    ann.member.view = bob.member.view
    ann.says("/msg bob one")
    bob.says("/msg ann two")
    assert ann.reads() == ["[you -> bob] one", "[bob -> you] two"]
    assert bob.reads() == ["[ann -> you] one", "[you -> ann] two"]


def test_who_is_not_shown_anything_of_a_turn_is_not_written_to() -> None:
    """As when somebody is away, of whom the line protocol says nothing."""
    chat = Chat()
    ann, bob, cy = chat.people("ann", "bob", "cy")
    cy.gets("/join #a", "/ignore ann")
    written: list[bytes] = []
    for person in (bob, cy):
        person.member.write = written.append
    chat.hub.set_away(ann.member, "for lunch", NOW)
    chat.end_turn()
    assert written == []
    ann.says("hi")
    chat.end_turn()
    assert written == [b"<ann> hi\r\n"]


def test_notices_are_of_the_same_kind_as_others() -> None:
    chat, (ann, _) = held("ann", "bob")
    heard: list[Event] = []
    bot = chat.hub.enter(Listener(heard.append), NOW, nick="bot")
    chat.let_all_go()
    chat.hub.say(bot, "one\ntwo", NOW)
    chat.end_turn()
    chat.let_go(refuse=True)
    assert [e.text for e in heard if isinstance(e, Notice)][-2:] == ["Not stored, not sent."] * 2
    assert ann.lines[-1] == "-- bot joined (3 here)"
