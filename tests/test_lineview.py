"""chatroom.protocols.lineview: how each event reads, and who shares the bytes."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom import events
from chatroom.events import (
    Acted,
    Arrived,
    Event,
    Gone,
    Invited,
    Joined,
    Kicked,
    Left,
    Notice,
    Profile,
    Redacted,
    Renamed,
    Replayed,
    Reply,
    RoomRenamed,
    Ruled,
    Said,
    Tagged,
    Told,
    TopicSet,
    Welcomed,
)
from chatroom.identity import NOBODY
from chatroom.member import Bell, Listener, Member, Timestamps
from chatroom.protocols import lineview
from chatroom.protocols.lineview import LineView, line_view
from chatroom.room import Room

NOON = datetime(2026, 11, 22, 12, 3, 59, tzinfo=UTC).timestamp()


def said(text: str = "hi", *, room: str = "#lobby", when: float = NOON, by: str = "alice") -> Said:
    return Said(1, when, room, by, by, text)


def acted(text: str = "waves") -> Acted:
    return Acted(1, NOON, "#lobby", "alice", "alice", text)


def told(text: str = "hi", *, echo: bool = False) -> Told:
    return Told(1, NOON, None, "alice", "alice", "bob", text, echo)


def joined(nick: str, here: int = 4, room: str = "#lobby") -> Joined:
    return Joined(1, NOON, room, nick, nick, here)


def left(nick: str, here: int = 4, reason: str = "", room: str = "#lobby") -> Left:
    return Left(1, NOON, room, nick, nick, here, reason)


def notice(text: str = "So it is.") -> Notice:
    return Notice(1, NOON, None, "", "", text)


def kicked(nick: str, reason: str = "") -> Kicked:
    return Kicked(1, NOON, "#lobby", nick, nick, 4, reason, "alice")


def redacted(reason: str = "") -> Redacted:
    return Redacted(1, NOON, "#lobby", "alice", "alice", 7, "bob", reason)


def renamed() -> Renamed:
    return Renamed(1, NOON, None, "alice", "alice", "carol")


def topic(text: str, room: str = "#lobby") -> TopicSet:
    return TopicSet(1, NOON, room, "alice", "alice", text)


def welcomed() -> Welcomed:
    return Welcomed(1, NOON, None, "", "", "Welcome to this chatroom!")


def arrived(text: str = "You are alice in #lobby, alone.") -> Arrived:
    member = Member("alice", Listener(print), "", NOON)
    room = Room("#lobby", 0)
    return Arrived(1, NOON, None, "alice", "alice", text, room, joined("alice"), member)


def ruled(text: str = "muted everyone") -> Ruled:
    return Ruled(1, NOON, "#lobby", "alice", "alice", text)


def room_renamed() -> RoomRenamed:
    return RoomRenamed(1, NOON, "#lobby", "alice", "alice", "#hall", "")


def replayed(event: Event) -> Replayed:
    return Replayed(2, NOON + 86400, event.room, "", "", (event,))


def view(
    timestamps: Timestamps = "off", room: str = "#lobby", bell: Bell = "off", nick: str = ""
) -> LineView:
    return line_view(timestamps, room, bell, nick)


def written(*events: Event, by: LineView | None = None) -> str:
    shown = by or view()
    data = shown.join(shown.render(events))
    assert isinstance(data, bytes)
    return data.decode("utf-8")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as context:
        local(context, "UTC")
        yield
    time.tzset()
    lineview._stamp.cache_clear()
    lineview._again.cache_clear()


def local(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    lineview._stamp.cache_clear()
    lineview._again.cache_clear()


# Each event


EVENTS = [
    (said(), "<alice> hi"),
    (said("/me", by="b]"), "<b]> /me"),
    (acted(), "* alice waves"),
    (told(), "[alice -> you] hi"),
    (told(echo=True), "[you -> bob] hi"),
    (joined("bob"), "-- bob joined (4 here)"),
    (left("bob"), "-- bob left (4 here)"),
    (left("bob", reason="off to bed"), "-- bob left: off to bed (4 here)"),
    (kicked("bob"), "-- bob was kicked by alice (4 here)"),
    (kicked("bob", reason="spam"), "-- bob was kicked by alice: spam (4 here)"),
    (redacted(), "-- alice took out line 7, by bob"),
    (redacted("spam"), "-- alice took out line 7, by bob: spam"),
    (renamed(), "-- alice is now carol"),
    (topic("tea"), "-- alice set the topic: tea"),
    (topic(""), "-- alice cleared the topic"),
    (arrived(), "-- You are alice in #lobby, alone."),
    (ruled(), "-- alice muted everyone"),
    (room_renamed(), "-- alice renamed this room to #hall"),
    (notice(), "-- So it is."),
    (welcomed(), "Welcome to this chatroom!"),
    (replayed(said()), "[2026-11-22 12:03] <alice> hi"),
    (replayed(acted()), "[2026-11-22 12:03] * alice waves"),
]


BY_ALICE = (1, NOON, "#lobby", "alice", "alice")
SILENT = [
    Gone(*BY_ALICE, "good night"),
    Profile(*BY_ALICE, NOBODY, NOBODY, None, "for lunch"),
    Tagged(*BY_ALICE, "#lobby"),
    Invited(*BY_ALICE, "bob"),
    Reply(*BY_ALICE, object()),
]
"""What is for other doors."""


@pytest.mark.parametrize(("event", "line"), EVENTS)
def test_an_event_is_one_line_that_ends_with_crlf(event: Event, line: str) -> None:
    assert written(event) == f"{line}\r\n"


def test_there_is_a_line_for_every_kind_of_event() -> None:
    kinds = {
        kind
        for name in events.__all__
        if isinstance(kind := getattr(events, name), type) and kind is not Event
    }
    shown = {type(event) for event, _ in EVENTS}
    silent = {type(event) for event in SILENT}
    assert shown | silent == kinds and not shown & silent


@pytest.mark.parametrize("event", SILENT)
def test_what_is_for_other_doors_has_a_frame_and_no_line(event: Event) -> None:
    loudest = view("id", "#ops", "all", "alice")
    assert len(view().render([event])) == 1
    assert written(event) == written(event, by=loudest) == written(replayed(event)) == ""
    assert written(said("one"), event, said("two")) == "<alice> one\r\n<alice> two\r\n"


@pytest.mark.parametrize("event", SILENT)
def test_what_is_for_other_doors_parts_nobody_who_is_told_of_together(event: Event) -> None:
    assert written(left("ann", 3), event, left("bob", 2)) == "-- ann and bob left (2 here)\r\n"
    assert written(event, joined("ann"), event, event) == "-- ann joined (4 here)\r\n"


@pytest.mark.parametrize("text", ["one\ntwo", "one\n\ntwo", "\n"])
def test_what_is_said_in_several_lines_is_as_many_each_with_all_that_stands_before_one(
    text: str,
) -> None:
    lines = text.split("\n")
    for event, form in [
        (said(text), "<alice> {}"),
        (acted(text), "* alice {}"),
        (told(text), "[alice -> you] {}"),
        (told(text, echo=True), "[you -> bob] {}"),
        (arrived(text), "-- {}"),
        (notice(text), "-- {}"),
    ]:
        for before, by in [("", view()), ("[12:03] ", view("time")), ("[12:03 #1] ", view("id"))]:
            expected = [f"{before}{form.format(line)}" for line in lines]
            assert written(event, by=by).split("\r\n")[:-1] == expected
        again = [f"[2026-11-22 12:03] {form.format(line)}" for line in lines]
        assert written(replayed(event)).split("\r\n")[:-1] == again
    in_ops = [f"[#ops] <alice> {line}" for line in lines]
    assert written(said(text, room="#ops")).split("\r\n")[:-1] == in_ops


def test_lines_stand_in_the_order_of_the_events() -> None:
    assert written(said("one"), acted("two"), notice("three"), said("four")) == (
        "<alice> one\r\n* alice two\r\n-- three\r\n<alice> four\r\n"
    )


def test_what_is_shown_of_a_guest_may_be_its_address() -> None:
    event = Said(1, NOON, "#lobby", "guest-7k2", "127.0.0.1", "hi")
    assert written(event, replayed(event)) == (
        "<127.0.0.1> hi\r\n[2026-11-22 12:03] <127.0.0.1> hi\r\n"
    )


def test_lines_are_utf_8() -> None:
    assert view().join(view().render([said("mañana 😀")])) == "<alice> mañana 😀\r\n".encode()


def test_nothing_is_written_of_nothing() -> None:
    assert written() == ""


# Rooms


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (said(room="#ops"), "[#ops] <alice> hi"),
        (joined("bob", room="#ops"), "[#ops] -- bob joined (4 here)"),
        (left("bob", room="#ops"), "[#ops] -- bob left (4 here)"),
        (topic("tea", room="#ops"), "[#ops] -- alice set the topic: tea"),
        (replayed(said(room="#ops")), "[2026-11-22 12:03] [#ops] <alice> hi"),
        (told(), "[alice -> you] hi"),
        (kicked("bob"), "-- bob was kicked by alice (4 here)"),
        (kicked("bob", reason="spam"), "-- bob was kicked by alice: spam (4 here)"),
        (redacted(), "-- alice took out line 7, by bob"),
        (redacted("spam"), "-- alice took out line 7, by bob: spam"),
        (renamed(), "-- alice is now carol"),
        (notice(), "-- So it is."),
    ],
)
def test_a_line_from_another_room_has_its_name(event: Event, line: str) -> None:
    assert written(event) == f"{line}\r\n"


def test_in_no_room_every_room_is_another() -> None:
    assert written(said(), by=view(room="")) == "[#lobby] <alice> hi\r\n"


# Times


@pytest.mark.parametrize(("event", "line"), EVENTS[:-2])
def test_times_come_before_every_line(event: Event, line: str) -> None:
    assert written(event, by=view("time")) == f"[12:03] {line}\r\n"
    assert written(event, by=view("datetime")) == f"[2026-11-22 12:03] {line}\r\n"


@pytest.mark.parametrize("timestamps", ["off", "time", "datetime"])
def test_a_line_that_is_shown_again_has_the_day_and_time_it_was_said(
    timestamps: Timestamps,
) -> None:
    assert written(replayed(said()), by=view(timestamps)) == "[2026-11-22 12:03] <alice> hi\r\n"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC", "2026-11-22 12:03"),
        ("Europe/Berlin", "2026-11-22 13:03"),
        ("Asia/Kolkata", "2026-11-22 17:33"),
        ("Pacific/Kiritimati", "2026-11-23 02:03"),
        ("America/St_Johns", "2026-11-22 08:33"),
    ],
)
def test_times_are_those_of_the_servers_zone(
    zone: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    local(monkeypatch, zone)
    assert written(said(), by=view("datetime")) == f"[{shown}] <alice> hi\r\n"


def test_minutes_are_whole() -> None:
    start = NOON - 59
    shown = [
        written(said(when=start + seconds), by=view("time")) for seconds in (-0.01, 0, 59.9, 60)
    ]
    assert [line[1:6] for line in shown] == ["12:02", "12:03", "12:03", "12:04"]


def test_the_time_follows_the_zones_summer(monkeypatch: pytest.MonkeyPatch) -> None:
    local(monkeypatch, "Europe/Berlin")
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    shown = [written(said(when=before + hours * 3600), by=view("time")) for hours in range(3)]
    assert [line[1:6] for line in shown] == ["02:30", "02:30", "03:30"]


# Presence


def test_joins_that_stand_together_are_told_together() -> None:
    assert written(joined("ann", 2), joined("bob", 3)) == "-- ann and bob joined (3 here)\r\n"
    assert written(joined("ann", 2), joined("bob", 3), joined("eve", 4)) == (
        "-- ann, bob and eve joined (4 here)\r\n"
    )


def test_a_crowd_is_counted() -> None:
    crowd = [joined(f"m{number}", number) for number in range(1, 413)]
    assert written(*crowd) == "-- m1, m2, m3, m4 and 408 others joined (412 here)\r\n"
    assert written(*crowd[:5]) == "-- m1, m2, m3, m4 and m5 joined (5 here)\r\n"
    assert written(*crowd[:6]) == "-- m1, m2, m3, m4 and 2 others joined (6 here)\r\n"


def test_leaves_are_told_together_when_they_give_the_same_reason() -> None:
    assert written(left("ann", 3), left("bob", 2)) == "-- ann and bob left (2 here)\r\n"
    assert written(left("ann", 3, "lunch"), left("bob", 2, "lunch")) == (
        "-- ann and bob left: lunch (2 here)\r\n"
    )
    assert written(left("ann", 3, "lunch"), left("bob", 2, "bed")) == (
        "-- ann left: lunch (2 here)\r\n-- bob left: bed (2 here)\r\n"
    )


def test_joins_are_told_before_leaves_however_they_come_and_each_line_has_the_last_count() -> None:
    assert written(left("ann", 1), joined("bob", 2), left("cat", 1), joined("eve", 2)) == (
        "-- bob and eve joined (2 here)\r\n-- ann and cat left (2 here)\r\n"
    )


def test_a_rush_of_those_who_come_and_go_is_told_in_few_lines() -> None:
    """Otherwise 10,000 lines to each of 10,000."""
    rush: list[Event] = []
    for number in range(100):
        reason = "connection lost" if number % 2 else ""
        rush += [joined(f"m{number}", 2), left(f"m{number}", 1, reason)]
    assert written(*rush) == (
        "-- m0, m1, m2, m3 and 96 others joined (1 here)\r\n"
        "-- m0, m2, m4, m6 and 46 others left (1 here)\r\n"
        "-- m1, m3, m5, m7 and 46 others left: connection lost (1 here)\r\n"
    )


def test_who_left_and_joins_again_is_told_of_in_that_order() -> None:
    assert written(left("ann", 1), joined("bob", 2), joined("ann", 3), joined("eve", 4)) == (
        "-- bob joined (2 here)\r\n-- ann left (2 here)\r\n-- ann and eve joined (4 here)\r\n"
    )
    assert written(joined("ann", 2), left("ann", 1)) == (
        "-- ann joined (1 here)\r\n-- ann left (1 here)\r\n"
    )


def test_what_is_said_between_keeps_its_place() -> None:
    assert written(said("1"), joined("ann", 2), said("2"), joined("bob", 3), said("3")) == (
        "<alice> 1\r\n-- ann joined (2 here)\r\n<alice> 2\r\n-- bob joined (3 here)\r\n"
        "<alice> 3\r\n"
    )


def test_rooms_are_told_apart() -> None:
    assert written(joined("ann", 2), joined("ann", 7, "#ops")) == (
        "-- ann joined (2 here)\r\n[#ops] -- ann joined (7 here)\r\n"
    )


def test_joins_told_together_have_the_last_ones_time() -> None:
    late = Joined(2, NOON + 60, "#lobby", "bob", "bob", 3)
    assert written(joined("ann", 2), late, by=view("time")) == (
        "[12:04] -- ann and bob joined (3 here)\r\n"
    )


def test_whoever_gets_some_of_the_frames_is_told_of_just_those_together() -> None:
    """Such as one of them, who is not told that it joined itself."""
    frames = view().render([said(), joined("ann", 2), joined("bob", 3), joined("cat", 4)])
    assert view().join(frames[2:]) == b"-- bob and cat joined (4 here)\r\n"
    assert view().join([frames[1], frames[3]]) == b"-- ann and cat joined (4 here)\r\n"
    assert view().join(frames[:2]) == b"<alice> hi\r\n-- ann joined (2 here)\r\n"


PRESENCE = st.builds(joined, st.sampled_from(["ann", "bob"]), st.integers(1, 9)) | st.builds(
    left, st.sampled_from(["ann", "bob"]), st.integers(1, 9), st.sampled_from(["", "bed"])
)
ANY = PRESENCE | st.sampled_from([event for event, _ in EVENTS]) | st.sampled_from(SILENT)


@given(st.lists(ANY, max_size=12), st.sampled_from([view(), view("time", "#ops", "all")]))
def test_there_is_a_frame_for_each_event_whatever_stands_beside_it(
    events: list[Event], by: LineView
) -> None:
    frames = by.render(events)
    assert len(frames) == len(events)
    alone = [frame for event in events for frame in by.render([event])]
    assert by.join(frames) == by.join(alone)
    lines = by.join(frames).decode().splitlines(keepends=True)
    assert all(line.endswith("\r\n") for line in lines)
    shown = [event for event in events if event not in SILENT]
    others = [event for event in shown if not isinstance(event, (Joined, Left))]
    assert len(others) <= len(lines) <= len(shown)


# The bell


BELL = "\a"


@pytest.mark.parametrize(
    ("event", "rings"),
    [
        (told(), {"msg", "mention", "all"}),
        (told("bob"), {"msg", "mention", "all"}),
        (told("bob", echo=True), set()),
        (said("bob: hi"), {"mention", "all"}),
        (acted("waves at Bob"), {"mention", "all"}),
        (said("hi"), {"all"}),
        (acted("waves"), {"all"}),
        (said("bob", room="#ops"), {"mention", "all"}),
        (replayed(said("bob")), set()),
        (joined("bob"), set()),
        (left("bob", reason="bob"), set()),
        (topic("bob"), set()),
        (notice("bob"), set()),
        (arrived("You are bob in #lobby."), set()),
        (ruled("made bob an operator"), set()),
        (renamed(), set()),
        (welcomed(), set()),
    ],
)
def test_the_bell_rings_once_in_front_of_the_line(event: Event, rings: set[str]) -> None:
    modes: tuple[Bell, ...] = ("off", "msg", "mention", "all")
    plain = written(event)
    for bell in modes:
        assert written(event, by=view(bell=bell, nick="bob")) == BELL * (bell in rings) + plain


def test_the_bell_rings_once_for_what_was_said_in_several_lines() -> None:
    for event in (said("hi\nbob\nbob"), told("bob\nbob"), acted("waves\nat bob")):
        assert written(event, by=view(bell="all", nick="bob")) == BELL + written(event)
        assert written(event, by=view(bell="mention", nick="bob")) == BELL + written(event)


def test_the_bell_comes_before_the_time_and_the_room() -> None:
    line = written(said("bob", room="#ops"), by=view("time", bell="mention", nick="bob"))
    assert line == "\a[12:03] [#ops] <alice> bob\r\n"


@pytest.mark.parametrize(
    ("text", "rings"),
    [
        ("bob", True),
        ("BoB!", True),
        ("(bob)", True),
        ("hi bob, hi", True),
        ("bob's", True),
        ("bobさん", True),
        ("@bob", True),
        ("bobby", False),
        ("kebob", False),
        ("bob-2", False),
        ("bob_", False),
        ("bøbob", False),
        ("bobé", False),
        ("b o b", False),
        ("", False),
    ],
)
def test_a_nick_is_mentioned_as_a_whole_word(text: str, rings: bool) -> None:
    assert written(said(text), by=view(bell="mention", nick="bob")).startswith(BELL) == rings


# Sharing


def test_the_same_wishes_have_the_same_view() -> None:
    assert view() is view()
    assert view("time", "#ops", "mention", "bob") is view("time", "#ops", "mention", "bob")


def test_a_view_that_nobody_uses_any_more_is_not_kept() -> None:
    gc.collect()
    before = len(lineview._views)
    kept = view(room="#made")
    view(room="#made-and-emptied")
    gc.collect()
    assert len(lineview._views) == before + 1
    assert view(room="#made") is kept


def test_other_wishes_have_another_view() -> None:
    wishes: list[Any] = [
        view(),
        view("time"),
        view("datetime"),
        view(room="#ops"),
        view(bell="msg"),
        view(bell="mention", nick="ann"),
        view(bell="mention", nick="bob"),
    ]
    assert len({id(each) for each in wishes}) == len(wishes)


# What users wrote


HOSTILE = ["{0}", "{x.__class__}", "%s %(x)s", "%Y-%m-%d", "\\n", "-- the server", "<bob> hi", "]"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_literal_and_never_begins_a_line(text: str) -> None:
    for event, line in [
        (said(text), f"<alice> {text}"),
        (acted(text), f"* alice {text}"),
        (told(text), f"[alice -> you] {text}"),
        (told(text, echo=True), f"[you -> bob] {text}"),
        (left("bob", reason=text), f"-- bob left: {text} (4 here)"),
        (topic(text), f"-- alice set the topic: {text}"),
        (notice(text), f"-- {text}"),
    ]:
        assert written(event) == f"{line}\r\n"
        assert written(event, by=view("time")) == f"[12:03] {line}\r\n"


# One who came in the middle


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(["joins"] * 4 + ["leaves", "says", "takes a nick", "is away"]), max_size=12
    ),
    st.sampled_from(["off", "datetime"]),
)
def test_the_rest_reads_as_the_frames_it_stands_for(kinds: list[str], wish: Timestamps) -> None:
    view = line_view(wish, "#lobby", "off", "")
    happened: list[Event] = []
    for number, kind in enumerate(kinds):
        nick = f"nick{number}"
        match kind:
            case "joins":
                happened.append(joined(nick, here=number))
            case "leaves":
                happened.append(left(f"nick{number // 2}", here=number))
            case "says":
                happened.append(said(f"{number}"))
            case "is away":
                happened.append(SILENT[1])
            case _:
                happened.append(renamed())
    frames = view.render(happened)
    for start in range(len(frames)):
        assert view.join(view.rest(frames, start)) == view.join(frames[start:])


@pytest.mark.parametrize("after", [[], [said()]])
def test_of_a_thousand_who_join_each_is_told_in_a_line_or_two(after: list[Event]) -> None:
    view = line_view("off", "#lobby", "off", "")
    crowd = [joined(f"nick{number}", here=number) for number in range(1000)]
    frames = view.render([*crowd, *after])
    assert all(len(view.rest(frames, start)) == 1 + len(after) for start in range(999))
