"""What was said, for who asks for a part of it; and values that clients keep here."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis.strategies import booleans, integers, lists, none, sampled_from
from twisted.internet.defer import Deferred

from chatroom.archive import MOST_BYTES, Archive, Kept, Now, Span, Talk
from chatroom.errors import NotAllowed, NotInRoom, TooMany
from chatroom.events import Acted, Event, Joined, Redacted, Said, Tagged, Told
from chatroom.identity import Manner
from chatroom.limits import Limits
from chatroom.member import Listener, Member
from chatroom.store import excerpt, kept
from chatroom.store.archive import StoredArchive
from chatroom.store.history import History
from chatroom.store.kept import KeptValues
from tests.inmemory import NOW, Chat, Person
from tests.stored import Stored

Got = TypeVar("Got")


class Archived(Chat):
    """A chat whose archive is at hand: in memory, or of a store."""

    def __init__(self, kind: str, database: Stored | None = None, *, private: bool = True) -> None:
        super().__init__(limits=Limits(joins=None, nick_changes=None))
        self.database = database or Stored()
        self.archive = Archive(self.hub)
        if kind == "store":
            self.history = History(self.hub, self.database, lambda: self.now)
            self.history.attach()
            self.archive = StoredArchive(self.history, private=private)
        self.hub.archive = self.archive
        self.hub.guards.append(self.archive)

    def got(self, asked: Awaitable[Got]) -> Got:
        """What comes of it once the turn is over. Raises what it raises."""

        async def wait() -> Got:
            return await asked

        results: list[Any] = []
        Deferred.fromCoroutine(wait()).addBoth(results.append)
        self.end_turn()
        (result,) = results
        if hasattr(result, "raiseException"):
            result.raiseException()
        return result  # type: ignore[no-any-return]

    def read(self, person: Person, target: str, **span: Any) -> Sequence[Event]:
        return self.got(self.archive.read(person.member, target, Span(**span)))

    def own(self, nick: str, account: str = "") -> Person:
        """Someone with an account."""
        person = self.enter(nick)
        self.hub.identify(person.member, self.now, account=account or nick)
        self.end_turn()
        return person

    def tell(self, person: Person, nick: str, *texts: str) -> list[int]:
        """The ids of what was told."""
        for text in texts:
            self.now += 1
            self.hub.tell(person.member, nick, text, self.now)
        read = self.read(person, nick, most=len(texts))
        return [event.id for event in read]


def listens(person: Person, mail: list[Event]) -> None:
    """From now on it gets the events themselves."""
    listener = Listener(mail.append)
    person.member.view = listener.view(person.member)
    person.member.write = listener.write


KINDS = pytest.mark.parametrize("kind", ["memory", "store"])


def texts(events: Sequence[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, (Said, Acted, Told))]


def said(chat: Archived, number: int, room: str = "") -> tuple[Person, list[Event]]:
    """Someone, and lines it said, a second apart."""
    ann = chat.enter("ann")
    for each in range(number):
        ann.says(f"line {each}")
        chat.now += 1
        chat.end_turn()
    return ann, list(chat.hub.lobby.recent)


# Rooms


@KINDS
def test_the_last_lines_or_the_first_are_read_in_their_order(kind: str) -> None:
    chat = Archived(kind)
    ann, lines = said(chat, 10)
    assert [event.id for event in chat.read(ann, "#LOBBY")] == [line.id for line in lines]
    assert texts(chat.read(ann, "#lobby", most=2)) == ["line 8", "line 9"]
    assert texts(chat.read(ann, "#lobby", most=2, first=True)) == ["line 0", "line 1"]
    for most in (0, -5):
        assert chat.read(ann, "#lobby", most=most) == []


def test_of_very_long_lines_fewer_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excerpt, "_MOST_CHARACTERS", 20)
    chat = Archived("store")
    ann, lines = said(chat, 10)  # of six characters each
    assert texts(chat.read(ann, "#lobby")) == [f"line {n}" for n in (6, 7, 8, 9)]
    assert texts(chat.read(ann, "#lobby", first=True)) == [f"line {n}" for n in range(4)]
    around = chat.read(ann, "#lobby", around=lines[5].id)
    assert texts(around) == [f"line {n}" for n in range(1, 9)]
    monkeypatch.setattr(excerpt, "_MOST_CHARACTERS", 1)
    assert texts(chat.read(ann, "#lobby")) == ["line 9"]


@KINDS
def test_what_is_read_is_as_it_was_said(kind: str) -> None:
    chat = Archived(kind)
    ann = chat.own("ann")
    manner = Manner("\x02one\x02\ntwo", tags=(("+draft/reply", "1"),))
    chat.now += 0.0017
    chat.hub.say(ann.member, "one\ntwo", chat.now, manner=manner, whole=True)
    (line,) = chat.read(ann, "#lobby")
    assert isinstance(line, Said)
    (live,) = chat.hub.lobby.recent
    assert int(line.time * 1000) == int(live.time * 1000)
    who = ann.member.who._replace(realname="", bot=False)
    assert (line.id, line.text, line.manner, line.who) == (live.id, "one\ntwo", manner, who)


@KINDS
def test_bounds_are_left_out_by_id_and_by_time(kind: str) -> None:
    chat = Archived(kind)
    ann, lines = said(chat, 10)
    for name, of in (("", "id"), ("_time", "time")):
        at = [getattr(line, of) for line in lines]
        after: Any = {f"after{name}": at[3]}
        before: Any = {f"before{name}": at[6]}
        assert texts(chat.read(ann, "#lobby", most=2, **before)) == ["line 4", "line 5"]
        assert texts(chat.read(ann, "#lobby", most=2, first=True, **after)) == ["line 4", "line 5"]
        assert texts(chat.read(ann, "#lobby", most=2, **after)) == ["line 8", "line 9"]
        assert texts(chat.read(ann, "#lobby", **after, **before)) == ["line 4", "line 5"]
        for most, expected in ((1, [7]), (3, [6, 7, 8]), (4, [5, 6, 7, 8])):
            around: Any = {f"around{name}": at[7]}
            read = chat.read(ann, "#lobby", most=most, **around)
            assert texts(read) == [f"line {each}" for each in expected]
    assert texts(chat.read(ann, "#lobby", after=2**80)) == []
    assert len(chat.read(ann, "#lobby", before=2**80, after=-(2**80))) == 10
    assert len(chat.read(ann, "#lobby", before_time=float("inf"), after_time=-1e99)) == 10


BOUNDS = none() | integers(-2, 12)


@settings(max_examples=60, deadline=None)
@given(
    lists(sampled_from([0.0, 0.001, 1.0]), min_size=1, max_size=9),
    BOUNDS, BOUNDS, BOUNDS, BOUNDS, integers(0, 6), booleans(), booleans(), BOUNDS, BOUNDS,
)  # fmt: skip
def test_the_store_reads_what_a_list_would(
    steps: list[float],
    after: int | None,
    before: int | None,
    after_time: int | None,
    before_time: int | None,
    most: int,
    first: bool,
    all_kinds: bool,
    around: int | None,
    around_time: int | None,
) -> None:
    """`Archive` chooses from the last lines what `StoredArchive` finds in the database."""
    chat = Archived("store")
    ann = chat.enter("ann")
    for step in steps:
        chat.now += step
        ann.says("x")
        chat.end_turn()
    lines = list(chat.hub.lobby.recent)

    def at(number: int | None, name: str) -> Any:
        if number is None:
            return None
        line = lines[min(max(number, 0), len(lines) - 1)]
        past = number - min(max(number, 0), len(lines) - 1)
        return getattr(line, name) + past / (1 if name == "id" else 1000)

    span = Span(
        after if after is None else int(at(after, "id")),
        before if before is None else int(at(before, "id")),
        at(after_time, "time"),
        at(before_time, "time"),
        most,
        first,
        False,
        around if around is None else int(at(around, "id")),
        at(around_time, "time"),
    )
    if span.around is not None:
        span = span._replace(around_time=None)
    in_memory = chat.got(Archive(chat.hub).read(ann.member, "#lobby", span))
    stored = chat.got(chat.archive.read(ann.member, "#lobby", span))
    assert [event.id for event in stored] == [event.id for event in in_memory]
    if all_kinds:
        everything = chat.read(ann, "#lobby", all_kinds=True)
        assert [type(event) for event in everything] == [Joined, *[Said] * len(lines)]


def test_after_the_clock_was_set_back_lines_are_read_by_their_ids() -> None:
    chat = Archived("store")
    ann, lines = said(chat, 5)
    chat.now -= 100
    ann.says("later")
    assert texts(chat.read(ann, "#lobby", after=lines[-1].id)) == ["later"]
    assert "later" not in texts(chat.read(ann, "#lobby", after_time=lines[2].time))


@KINDS
def test_what_was_said_in_the_same_turn_is_read_and_nothing_later(kind: str) -> None:
    chat = Archived(kind)
    ann = chat.enter("ann")
    ann.says("before")
    reading = chat.archive.read(ann.member, "#lobby", Span())
    assert texts(chat.got(reading)) == ["before"]


@KINDS
def test_only_who_is_in_a_room_reads_it_and_who_runs_the_server(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = Archived(kind)
    ann, bob = chat.people("ann", "bob")
    ann.gets("/join #tea", "milk")
    for target in ("#tea", "#none", "#"):
        with pytest.raises(NotInRoom, match="not in"):
            chat.read(bob, target)
        with pytest.raises(NotInRoom):
            chat.got(chat.archive.find(bob.member, target, 1))

    def runs(member: Member) -> bool:
        return member is bob.member

    monkeypatch.setattr(chat.hub.authority, "is_server_operator", runs)
    (line,) = chat.read(bob, "#TEA")
    assert line.room == "#tea" and texts([line]) == ["milk"]
    assert chat.read(bob, "#none") == []
    ann.gets("/part #tea")
    assert texts(chat.read(bob, "#tea")) == (["milk"] if kind == "store" else [])


@KINDS
def test_whom_one_ignores_is_left_out_and_does_not_count(kind: str) -> None:
    chat = Archived(kind)
    ann, bob, cy = chat.people("ann", "bob", "Cy")
    for text in "abc":
        cy.says(f"noise {text}")
        bob.says(text)
    ann.gets("/ignore cy")
    assert texts(chat.read(ann, "#lobby", most=2)) == ["b", "c"]
    assert len(chat.read(bob, "#lobby")) == 6


def test_who_came_and_went_is_read_where_it_is_asked_for() -> None:
    chat = Archived("store")
    ann, bob = chat.people("ann", "bob")
    bob.gets("/topic tea", "hi", "/quit bye")
    kinds = [type(event).__name__ for event in chat.read(ann, "#lobby", all_kinds=True)]
    assert kinds == ["Joined", "Joined", "TopicSet", "Said", "Left"]
    assert chat.read(ann, "#lobby", all_kinds=True)[-1].gone  # type: ignore[attr-defined]
    assert texts(chat.read(ann, "#lobby")) == ["hi"]


LIKES = Manner(tags=(("+draft/react", "x"),))
TYPES = Manner(tags=(("+typing", "active"),))


def test_what_clients_tell_each_other_in_a_room_is_read_with_all_else_that_happened() -> None:
    chat = Archived("store")
    ann, bob = chat.people("ann", "bob")
    assert chat.archive.all_kinds and not Archived("memory").archive.all_kinds
    ann.says("hi")
    for manner in (LIKES, TYPES):
        chat.hub.tag(bob.member, chat.hub.lobby, manner, chat.now)
    (tagged,) = chat.read(ann, "#lobby", all_kinds=True, most=1)
    assert isinstance(tagged, Tagged) and (tagged.manner, tagged.to) == (LIKES, "#lobby")
    assert texts(chat.read(ann, "#lobby", most=1)) == ["hi"]
    chat.hub.rename_room(ann.member, chat.hub.lobby, "#hall", "", chat.now)
    tags = [each for each in chat.read(ann, "#hall", all_kinds=True) if isinstance(each, Tagged)]
    assert [each.to for each in tags] == ["#hall"]
    ann.gets("/ignore bob")
    assert not any(isinstance(event, Tagged) for event in chat.read(ann, "#hall", all_kinds=True))


@KINDS
@pytest.mark.parametrize("own", [False, True])
def test_and_so_is_what_they_tell_each_other_alone(kind: str, own: bool) -> None:
    chat = Archived(kind)
    enter = chat.own if own else chat.enter
    ann, bob = enter("ann"), enter("bob")
    for manner in (LIKES, TYPES):
        chat.hub.tag(ann.member, bob.member, manner, chat.now)
    for reader, nick in ((ann, "bob"), (bob, "ann")):
        (tagged,) = chat.read(reader, nick, all_kinds=True)
        assert isinstance(tagged, Tagged)
        assert (tagged.sender, tagged.to, tagged.manner) == ("ann", "bob", LIKES)
        assert chat.read(reader, nick) == []
    talks = chat.got(chat.archive.talks(ann.member, 0.0, chat.now + 9, 5))
    assert "bob" not in {talk.name for talk in talks}


@KINDS
def test_what_was_hidden_or_never_kept_is_not_read(kind: str) -> None:
    chat = Archived(kind)
    ann, lines = said(chat, 2)
    if kind == "store":
        chat.history.hide(chat.hub.lobby)
    chat.hub.lobby.recent.clear()
    ann.says("new")
    assert texts(chat.read(ann, "#lobby")) == ["new"]
    assert chat.got(chat.archive.find(ann.member, "#lobby", lines[0].id)) is None


@KINDS
def test_a_line_is_found_by_its_id(kind: str) -> None:
    chat = Archived(kind)
    ann, lines = said(chat, 3)

    def find(target: str, id: int) -> Event | None:
        return chat.got(chat.archive.find(ann.member, target, id))

    found = find("#lobby", lines[1].id)
    assert found is not None and texts([found]) == ["line 1"]
    for id in (0, -1, 2**80):
        assert find("#lobby", id) is None
    ann.gets("/join #other")
    assert find("#other", lines[1].id) is None and find("ann", lines[1].id) is None


def test_no_more_than_so_many_read_at_once() -> None:
    chat = Archived("store")
    ann, _ = said(chat, 1)
    for _ in range(64):
        chat.archive.read(ann.member, "#lobby", Span())
    with pytest.raises(TooMany):
        chat.archive.read(ann.member, "#lobby", Span())
    chat.end_turn()
    assert len(chat.read(ann, "#lobby")) == 1


def test_how_many_are_read_at_once() -> None:
    assert Archive().most == 0 and Archived("store").archive.most == 1000
    assert Archived("memory").archive.most == 50
    with pytest.raises(NotInRoom):
        Archive().read(Archived("memory").enter("ann").member, "#none", Span())


@KINDS
def test_a_room_that_is_renamed_keeps_its_lines(kind: str) -> None:
    chat = Archived(kind)
    ann = chat.enter("ann")
    ann.gets("/join #old", "one")
    (room,) = [room for room in ann.member.rooms if room.name == "#old"]
    ann.says("two")
    chat.hub.rename_room(ann.member, room, "#new", "", chat.now)
    ann.says("three")
    bob = chat.enter("bob")
    bob.gets("/join #old", "another")
    read = chat.read(ann, "#new")
    assert texts(read) == ["one", "two", "three"]
    assert {event.room for event in read} == {"#new"}
    assert texts(chat.read(bob, "#old")) == ["another"]
    with pytest.raises(NotInRoom):
        chat.read(ann, "#old")


# Private lines


@KINDS
@pytest.mark.parametrize("logged_in", [True, False])
def test_private_lines_are_read_by_both_and_by_nobody_else(kind: str, logged_in: bool) -> None:
    chat = Archived(kind)
    who = chat.own if logged_in else chat.enter
    ann, bob, cy = who("ann"), who("bob"), who("cy")
    chat.tell(ann, "bob", "hi bob")
    chat.tell(bob, "ann", "hi ann", "bye")
    chat.tell(ann, "cy", "other")
    for person, other, echoes in ((ann, "BOB", [1, 0, 0]), (bob, "ann", [0, 1, 1])):
        read: Any = chat.read(person, other)
        assert [(line.sender, line.to, line.text) for line in read] == [
            ("ann", "bob", "hi bob"), ("bob", "ann", "hi ann"), ("bob", "ann", "bye"),
        ]  # fmt: skip
        assert [line.echo for line in read] == echoes
        assert texts(chat.read(person, other, after=read[0].id, most=1)) == ["bye"]
        found = chat.got(chat.archive.find(person.member, other, read[1].id))
        assert found is not None and texts([found]) == ["hi ann"]
    assert texts(chat.read(cy, "ann")) == ["other"]
    assert chat.read(cy, "bob") == chat.read(cy, "nobody") == []
    assert chat.got(chat.archive.find(cy.member, "bob", read[1].id)) is None


@KINDS
def test_what_one_writes_to_itself_is_read_once(kind: str) -> None:
    chat = Archived(kind)
    ann = chat.own("ann")
    mail: list[Event] = []
    listens(ann, mail)
    chat.tell(ann, "ann", "a note")
    echo, copy = mail
    (line,) = chat.read(ann, "ann")
    assert isinstance(line, Told) and isinstance(copy, Told)
    assert (line.text, line.echo, line.copy_of) == ("a note", False, 0)
    assert line.id == echo.id == copy.copy_of


def test_they_are_kept_by_account_whatever_the_nicks() -> None:
    database = Stored()
    chat = Archived("store", database)
    ann, bob = chat.own("ann"), chat.own("bobby", account="bob")
    chat.tell(ann, "bobby", "one")
    bob.gets("/nick other", "/quit")
    assert texts(chat.read(ann, "bob")) == ["one"]
    assert chat.read(ann, "bobby") == []
    again = Archived("store", database)
    bob, stranger = again.own("bob"), again.enter("ann")
    assert texts(again.read(bob, "ann")) == []  # that is somebody else
    stranger.gets("/quit")
    assert texts(again.read(bob, "ann")) == ["one"]


@KINDS
def test_who_takes_a_nick_later_reads_nothing(kind: str) -> None:
    chat = Archived(kind)
    ann, bob = chat.own("ann"), chat.enter("bob")
    chat.tell(ann, "bob", "for the first bob")
    assert texts(chat.read(ann, "bob")) == ["for the first bob"]
    bob.gets("/quit")
    bob = chat.own("bob")
    assert chat.read(bob, "ann") == chat.read(ann, "bob") == []


def test_they_stay_out_of_the_file_where_that_is_not_wanted() -> None:
    chat = Archived("store", private=False)
    ann, bob = chat.own("ann"), chat.own("bob")
    chat.tell(ann, "bob", "one")
    assert texts(chat.read(bob, "ann")) == ["one"]
    assert chat.database.load("SELECT * FROM lines WHERE kind = 10") == []
    bob.gets("/quit")
    assert chat.read(ann, "bob") == []


def test_of_an_account_that_is_dropped_nothing_is_left() -> None:
    chat = Archived("store")
    ann, bob, cy = chat.own("ann"), chat.own("bob"), chat.own("cy")
    chat.tell(ann, "bob", "one")
    chat.tell(cy, "ann", "two")
    chat.tell(bob, "cy", "three")
    chat.archive.keep("account:ann", "color", "red")
    chat.archive.forget_account("ann")
    assert chat.read(bob, "ann") == chat.read(ann, "cy") == []
    assert texts(chat.read(bob, "cy")) == ["three"]
    assert "ann" not in str(chat.database.load("SELECT * FROM talks"))
    assert [room for (room,) in chat.database.load("SELECT room FROM rooms")].count(":bob:cy") == 1
    assert chat.got(chat.archive.load("account:ann")) == ()


def test_a_flood_of_private_lines_makes_older_ones_give_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatroom.archive._MOST_TALKS", 2)
    chat = Archived("memory")
    ann, *_ = chat.people("ann", "bob", "cy", "dan")
    for nick in ("bob", "cy", "bob", "dan"):
        chat.tell(ann, nick, "x")
    assert [len(chat.read(ann, nick)) for nick in ("bob", "cy", "dan")] == [2, 0, 1]
    for _ in range(60):
        chat.tell(ann, "bob", "x")
    assert len(chat.read(ann, "bob")) == 50


# Where there was something


@KINDS
def test_where_there_was_something_is_told_by_the_last_line(kind: str) -> None:
    chat = Archived(kind)
    ann, bob, cy = chat.own("ann"), chat.own("bob"), chat.enter("cy")
    chat.now = NOW + 10
    ann.gets("/join #tea", "first")
    chat.now = NOW + 20
    chat.hub.tell(bob.member, "ann", "second", chat.now)
    chat.now = NOW + 30
    bob.gets("third")
    chat.now = NOW + 40
    chat.hub.tell(ann.member, "cy", "fourth", chat.now)
    chat.now = NOW + 50
    ann.gets("/join #empty", "/topic x")

    def talks(after: float, before: float, most: int = 9) -> Sequence[Talk]:
        return chat.got(chat.archive.talks(ann.member, after, before, most))

    every = [("#tea", NOW + 10), ("bob", NOW + 20), ("#lobby", NOW + 30), ("cy", NOW + 40)]
    assert talks(0, 9e9) == every
    assert talks(0, 9e9, 2) == every[:2]
    assert talks(NOW + 10, NOW + 40) == every[1:3]
    assert talks(NOW + 9.999, NOW + 40.001) == every
    assert chat.got(chat.archive.talks(cy.member, 0, 9e9, 9)) == [every[2], ("ann", NOW + 40)]


def test_an_account_that_is_not_here_is_called_by_its_nick() -> None:
    chat = Archived("store")
    ann, bob = chat.own("ann"), chat.own("bobby", account="bob")
    chat.tell(ann, "bobby", "x")
    bob.gets("/quit")
    talks = chat.archive.talks(ann.member, 0, 9e9, 9)
    assert [talk.name for talk in chat.got(talks)] == ["bob"]
    chat.database.write("INSERT INTO accounts VALUES ('bob', 'Bob', NULL, 0, 0, NULL)")
    talks = chat.archive.talks(ann.member, 0, 9e9, 9)
    assert [talk.name for talk in chat.got(talks)] == ["Bob"]


# Taken out


@KINDS
def test_a_line_of_a_room_is_taken_out(kind: str) -> None:
    chat = Archived(kind)
    ann, lines = said(chat, 3)
    bob = chat.enter("bob")

    def redact(line: int) -> bool:
        done = chat.archive.redact(bob.member, chat.hub.lobby, line, "spam", chat.now)
        return chat.got(done)

    assert redact(lines[1].id) and not redact(lines[1].id) and not redact(9999)
    assert ann.reads() == [f"-- bob took out line {lines[1].id}, by ann: spam"]
    assert texts(chat.read(ann, "#lobby")) == ["line 0", "line 2"]
    redacted: Any = [
        event for event in chat.read(ann, "#lobby", all_kinds=True) if isinstance(event, Redacted)
    ]
    (event,) = redacted
    assert (event.id, event.line, event.author, event.reason) == (*[lines[1].id] * 2, "ann", "spam")
    assert (event.sender, event.who) == ("bob", bob.member.who)


@KINDS
@pytest.mark.parametrize("logged_in", [True, False])
def test_a_private_line_is_taken_out_by_who_said_it(kind: str, logged_in: bool) -> None:
    chat = Archived(kind)
    who = chat.own if logged_in else chat.enter
    ann, bob, cy = who("ann"), who("bob"), who("cy")
    first, _ = chat.tell(ann, "bob", "one", "two")
    told: dict[str, list[Event]] = {"ann": [], "bob": [], "cy": []}
    for person in (ann, bob, cy):
        listens(person, told[person.member.nick])

    def redact(by: Person, nick: str, line: int) -> bool:
        return chat.got(chat.archive.redact_private(by.member, nick, line, "typo", chat.now))

    with pytest.raises(NotAllowed, match="Only who said it"):
        redact(bob, "ann", first)
    assert not redact(cy, "ann", first) and not redact(ann, "cy", first)
    assert not redact(ann, "nobody", first) and not redact(ann, "bob", 2**80)
    assert told == {"ann": [], "bob": [], "cy": []}
    assert redact(ann, "BOB", first)
    assert not redact(ann, "bob", first)
    for nick in ("ann", "bob"):
        (event,) = told[nick]
        assert isinstance(event, Redacted)
        assert (event.room, event.to, event.line, event.sender) == (None, "bob", first, "ann")
        assert (event.reason, event.who) == ("typo", ann.member.who)
    assert told["cy"] == []
    assert texts(chat.read(bob, "ann")) == ["two"]
    again: Any = chat.read(bob, "ann", all_kinds=True)[0]
    assert isinstance(again, Redacted)
    assert (again.id, again.line, again.to, again.room) == (first, first, "bob", None)
    assert (again.sender, again.reason) == ("ann", "typo")


# Values


@KINDS
def test_values_are_kept_by_owner_and_key(kind: str) -> None:
    database = Stored()
    chat = Archived(kind, database)
    archive = chat.archive
    assert list(chat.got(archive.load("account:ann"))) == []
    archive.keep("account:ann", "color", "red")
    archive.keep("account:ann", "avatar", "x")
    archive.keep("account:ann", "color", "blue")
    archive.keep("account:ann", "avatar", "")
    archive.keep("account:ann", "avatar", "")
    archive.keep("account:bob", "color", "green")
    assert list(chat.got(archive.load("account:ann"))) == [Kept("color", "blue")]
    archive.move("account:ann", "account:cy")
    assert list(chat.got(archive.load("account:ann"))) == []
    assert list(chat.got(archive.load("account:cy"))) == [Kept("color", "blue")]
    archive.forget("account:cy")
    assert list(chat.got(archive.load("account:cy"))) == []
    if kind == "store":
        rows = database.load("SELECT * FROM kept")
        assert rows == [("account:bob", "color", "green")]
        again = Archived(kind, database).archive
        assert list(chat.got(again.load("account:bob"))) == [Kept("color", "green")]


@KINDS
def test_no_more_is_kept_than_may_be(kind: str) -> None:
    chat = Archived(kind)
    archive = chat.archive
    for number in range(200):
        archive.keep("account:ann", f"key{number}", "x")
    chat.got(archive.load("account:ann"))
    with pytest.raises(TooMany, match="200 values, or 64 KiB"):
        archive.keep("account:ann", "more", "x")
    archive.keep("account:ann", "key0", "y")
    archive.keep("account:ann", "key1", "")
    archive.keep("account:ann", "more", "x")
    with pytest.raises(TooMany):
        archive.keep("account:bob", "k", "é" * (MOST_BYTES // 2))
    archive.keep("account:bob", "k", "x" * (MOST_BYTES - 1))
    chat.got(archive.load("account:bob"))
    with pytest.raises(TooMany):
        archive.keep("account:bob", "l", "x")
    archive.keep("account:bob", "k", "x")
    assert len(chat.got(archive.load("account:ann"))) == 200


@KINDS
def test_those_of_a_room_follow_its_name_and_go_with_it(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = Archived(kind)
    ann = chat.enter("ann")
    ann.gets("/join #Tea")
    (room,) = [room for room in ann.member.rooms if room.name == "#Tea"]
    chat.archive.keep("room:#tea", "color", "red")
    chat.archive.keep("room:#lobby", "color", "blue")
    chat.hub.rename_room(ann.member, room, "#TEA", "", chat.now)
    assert list(chat.got(chat.archive.load("room:#tea"))) == [Kept("color", "red")]
    chat.hub.rename_room(ann.member, room, "#Milk", "", chat.now)
    assert list(chat.got(chat.archive.load("room:#tea"))) == []
    assert list(chat.got(chat.archive.load("room:#milk"))) == [Kept("color", "red")]
    monkeypatch.setattr(chat.hub.authority, "registered", lambda room: ("ann", 0.0))
    ann.gets("/part #milk")
    assert list(chat.got(chat.archive.load("room:#milk"))) == [Kept("color", "red")]
    monkeypatch.setattr(chat.hub.authority, "registered", lambda room: None)
    ann.gets("/join #milk", "/part #milk", "/part #lobby")
    assert list(chat.got(chat.archive.load("room:#milk"))) == []
    assert list(chat.got(chat.archive.load("room:#lobby"))) == [Kept("color", "blue")]


def test_those_of_a_room_that_is_nobodys_do_not_outlast_a_daemon_that_was_killed() -> None:
    database = Stored()
    chat = Archived("store", database)
    for room in ("#ours", "#guests", "#lobby"):
        chat.archive.keep(f"room:{room}", "color", "red")
    database.write("INSERT INTO rooms (room, name, owner) VALUES ('#ours', '#ours', 'ann')")
    again = Archived("store", database).archive
    kept = [list(chat.got(again.load(f"room:{room}"))) for room in ("#ours", "#guests", "#lobby")]
    assert [len(each) for each in kept] == [1, 0, 1]
    assert database.load("SELECT owner FROM kept ORDER BY owner") == [
        ("room:#lobby",), ("room:#ours",),
    ]  # fmt: skip


class Slow(Stored):
    """Reads wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[tuple[Deferred[Any], tuple[Any, ...]]] = []

    def read(self, sql: str, *parameters: object) -> Deferred[Any]:
        waiting: Deferred[Any] = Deferred()
        self.reads.append((waiting, (self.load(sql, *parameters))))  # type: ignore[arg-type]
        return waiting


def started(chat: Archived, values: KeptValues, owner: str) -> list[Any]:
    async def wait() -> None:
        got.append(await values.load(owner))

    got: list[Any] = []
    Deferred.fromCoroutine(wait()).addErrback(lambda failure: got.append(failure.type))
    return got


def test_what_changes_while_values_are_read_is_not_lost() -> None:
    database = Slow()
    database.write("INSERT INTO kept VALUES ('a', 'x', '1'), ('a', 'y', '2'), ('b', 'x', '1')")
    chat, values = Archived("memory"), KeptValues(database, "#lobby")
    first, second = started(chat, values, "a"), started(chat, values, "a")
    values.keep("a", "x", "")
    values.keep("a", "z", "3")
    third = started(chat, values, "b")
    values.forget("b")
    values.keep("b", "new", "1")
    assert len(database.reads) == 2
    for waiting, rows in database.reads:
        waiting.callback(rows)
    expected = [[Kept("y", "2"), Kept("z", "3")]]
    assert first == second == expected and third == [[Kept("new", "1")]]
    assert started(chat, values, "a") == expected and len(database.reads) == 2
    assert database.load("SELECT * FROM kept ORDER BY owner, key") == [
        ("a", "y", "2"), ("a", "z", "3"), ("b", "new", "1"),
    ]  # fmt: skip


def test_values_that_can_not_be_read_are_asked_for_again() -> None:
    database = Slow()
    database.write("INSERT INTO kept VALUES ('a', 'x', '1')")
    chat, values = Archived("memory"), KeptValues(database, "#lobby")
    first = started(chat, values, "a")
    database.reads.pop()[0].errback(OSError("disk"))
    assert first == [OSError]
    second = started(chat, values, "a")
    waiting, rows = database.reads.pop()
    waiting.callback(rows)
    assert second == [[Kept("x", "1")]]


def test_only_so_many_owners_are_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST_OWNERS", 2)
    chat = Archived("store")
    for owner in "abc":
        chat.archive.keep(owner, "x", owner)
        chat.got(chat.archive.load(owner))
    values = chat.archive._values  # type: ignore[attr-defined]
    assert list(values._owners) == ["b", "c"]
    chat.archive.keep("a", "x", "new")
    chat.archive.keep("a", "y", "")
    assert list(chat.got(chat.archive.load("a"))) == [Kept("x", "new")]


def test_what_is_there_at_once_is_awaited_at_once() -> None:
    async def wait() -> int:
        return await Now(5)

    got: list[int] = []
    Deferred.fromCoroutine(wait()).addCallback(got.append)
    assert got == [5]
