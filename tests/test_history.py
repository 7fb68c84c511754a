"""What happens in rooms is kept, after it is shown or before, and shown again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import lists, sampled_from
from twisted.internet.defer import Deferred, succeed

from chatroom.errors import TooMany
from chatroom.limits import Limits
from chatroom.room import Room
from chatroom.store.database import Database, Rows, Statement, Trouble
from chatroom.store.history import History
from chatroom.store.lines import source_of
from tests.inmemory import NOW, STAMP, Chat, Person
from tests.registered import logged
from tests.stored import Stored

REFUSED = "-- Not stored, not sent."
SAID = "SELECT text FROM lines WHERE kind = 0 ORDER BY id"
FREE = Limits(joins=None)


class Held(Stored):
    """Commits and reads wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[tuple[Deferred[None], list[Statement]]] = []
        self.reads: list[tuple[Deferred[Rows], str, tuple[object, ...]]] = []
        self.holds_reads = False

    def commit(self, statements: Iterable[Statement]) -> Deferred[None]:
        deferred: Deferred[None] = Deferred()
        self.commits.append((deferred, list(statements)))
        return deferred

    def read(self, sql: str, *parameters: object) -> Deferred[Rows]:
        if not self.holds_reads:
            return super().read(sql, *parameters)
        deferred: Deferred[Rows] = Deferred()
        self.reads.append((deferred, sql, parameters))
        return deferred

    def store(self) -> None:
        deferred, statements = self.commits.pop(0)
        super().commit(statements)
        deferred.callback(None)

    def refuse(self) -> None:
        self.commits.pop(0)[0].errback(Trouble("full"))

    def let_go(self) -> None:
        reads, self.reads, self.holds_reads = self.reads, [], False
        for deferred, sql, parameters in reads:
            super().read(sql, *parameters).chainDeferred(deferred)


class Historic(Chat):
    def __init__(self, database: Database | None = None, **settings: Any) -> None:
        kept = {key: settings.pop(key) for key in ("before", "keeps") if key in settings}
        super().__init__(limits=settings.pop("limits", FREE), **settings)
        self.database = database or Stored()
        self.history = History(self.hub, self.database, lambda: self.now, **kept)
        self.history.attach()

    def said(self) -> list[str]:
        return [text for (text,) in self.database.load(SAID)]


def held(*nicks: str) -> tuple[Historic, Held, list[Person]]:
    """A chat that shows nothing that is not stored, and people in it."""
    database = Held()
    chat = Historic(database, before=True)
    people = []
    for nick in nicks:
        people.append(Person(chat, nick, ""))
        chat.end_turn()
        while database.commits:
            database.store()
            chat.end_turn()
    for person in people:
        person.lines.clear()
    return chat, database, people


def again(*lines: str) -> list[str]:
    return [f"{STAMP} {line}" for line in lines]


# Shown first


def test_a_line_is_shown_whether_it_can_be_stored_or_not() -> None:
    database = Stored()
    chat = Historic(database)
    ann, bob = chat.people("ann", "bob")
    database.trouble = "disk full"
    ann.says("hello")
    assert bob.reads() == ["<ann> hello"] and ann.reads() == []
    assert chat.said() == [] and len(database.waiting) == 1
    database.trouble = ""
    for sql, rows in database.waiting:
        database.add(sql, rows)
    assert chat.said() == ["hello"]


def test_all_that_happens_in_a_room_is_kept_in_its_order() -> None:
    chat = Historic()
    (ann,) = chat.people("ann")
    ann.says("/join #Tea", "hello", "/me waves", "/topic milk", "/nick anne", "/part #tea bye")
    chat.end_turn()
    assert chat.database.load(
        "SELECT kind, nick, text FROM lines WHERE room = '#tea' ORDER BY id"
    ) == [
        (2, "ann", None),
        (0, "ann", "hello"),
        (1, "ann", "waves"),
        (5, "ann", "milk"),
        (4, "ann", "anne"),
        (3, "anne", "bye"),
    ]
    assert chat.database.load("SELECT room, name FROM rooms WHERE room = '#tea'") == [
        ("#tea", "#Tea")
    ]


def test_nothing_is_kept_of_a_room_where_nothing_is_to_be_kept() -> None:
    def keeps(room: Room) -> bool:
        return room.name != "#off"

    chat = Historic(keeps=keeps)
    (ann,) = chat.people("ann")
    ann.says("one", "/join #off", "two", "/join #on", "three")
    chat.end_turn()
    assert chat.said() == ["one", "three"]


def test_a_reader_that_raises_costs_nobody_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Historic()
    ann, bob = chat.people("ann", "bob")
    monkeypatch.setattr(bob.member, "write", lambda data: 1 // 0)
    ann.says("hello")
    with pytest.raises(ExceptionGroup):
        chat.end_turn()
        chat.hub.notify(ann.member, "next", NOW)
        chat.end_turn()
    assert chat.said() == ["hello"]


# Stored first


def test_nobody_is_shown_a_line_before_it_is_stored() -> None:
    chat, database, (ann, bob) = held("ann", "bob")
    ann.says("hello")
    assert bob.reads() == [] and chat.said() == []
    database.store()
    assert bob.reads() == ["<ann> hello"] and ann.reads() == []
    assert chat.said() == ["hello"]


def test_what_is_said_meanwhile_follows_in_its_order() -> None:
    chat, database, (ann, bob) = held("ann", "bob")
    for number in range(3):
        ann.says(f"line {number}")
        chat.end_turn()
    assert len(database.commits) == 1 and bob.reads() == []
    database.store()
    assert bob.reads() == ["<ann> line 0"]
    database.store()
    assert bob.reads() == ["<ann> line 1", "<ann> line 2"]
    assert chat.said() == ["line 0", "line 1", "line 2"]


def test_a_line_that_is_not_stored_is_refused_and_nobody_else_sees_it() -> None:
    chat, database, (ann, bob) = held("ann", "bob")
    ann.says("hello", "/me waves")
    chat.end_turn()
    database.refuse()
    assert (ann.reads(), bob.reads()) == ([REFUSED] * 2, [])
    assert list(chat.hub.lobby.recent) == [] and chat.said() == []
    ann.says("again")
    chat.end_turn()
    database.store()
    assert bob.reads() == ["<ann> again"]


def test_who_comes_and_goes_is_shown_all_the_same_and_stored_later() -> None:
    chat, database, (ann, bob) = held("ann", "bob")
    database.trouble = "disk full"
    cy = Person(chat, "cy", "")
    cy.says("hello")
    chat.end_turn()
    database.refuse()
    assert ann.reads() == bob.reads() == ["-- cy joined (3 here)"]
    assert cy.reads()[-1] == REFUSED
    kinds = [row[3] for sql, rows in database.waiting for row in rows if "lines" in sql]
    assert kinds == [2]


def test_who_came_meanwhile_is_not_shown_what_was_refused() -> None:
    chat, database, (ann, bob) = held("ann", "bob")
    ann.says("good")
    chat.end_turn()
    database.store()
    ann.says("refused")
    chat.end_turn()
    cy = Person(chat, "cy", "")
    bob.says("/history")
    chat.end_turn()
    database.refuse()
    chat.end_turn()
    database.store()
    assert cy.reads() == [
        "Welcome to this chatroom!",
        *again("<ann> good"),
        "-- You are cy in #lobby with ann and bob (3 here).",
    ]
    assert not [line for line in bob.reads() if "refused" in line]


def test_a_turn_in_which_nothing_was_said_waits_for_nothing() -> None:
    chat, database, (ann,) = held("ann")
    assert ann.gets("/version") and not database.commits
    chat = Historic(Held(), before=True, keeps=lambda room: False)
    assert Person(chat, "ann", "").reads()


@settings(max_examples=60)
@given(lists(sampled_from(["a", "b", "end", "store", "refuse"]), max_size=20))
def test_what_others_see_is_what_is_stored_in_its_order(steps: list[str]) -> None:
    chat, database, (ann, bob) = held("ann", "bob")
    people = {"a": ann, "b": bob}
    said: dict[str, list[str]] = {"a": [], "b": []}
    for number, step in enumerate([*steps, *["end", "store"] * len(steps)]):
        if step in people:
            people[step].says(f"{number}")
            said[step].append(f"{number}")
        elif step == "end":
            chat.end_turn()
        elif database.commits:
            database.store() if step == "store" else database.refuse()
    stored = chat.said()
    assert stored == sorted(stored, key=int)
    read = {"a": ann.reads(), "b": bob.reads()}
    for nick, other in (("a", "b"), ("b", "a")):
        seen = [line.split("> ")[1] for line in read[other] if line.startswith("<")]
        assert seen == [text for text in said[nick] if text in stored]
        assert read[nick].count(REFUSED) == len(said[nick]) - len(seen)
    assert [event.text for event in chat.hub.lobby.recent] == stored  # type: ignore[attr-defined]


# Shown again


def test_the_lobbys_last_lines_are_known_when_it_starts_and_ids_go_on() -> None:
    database = Stored()
    chat = Historic(database)
    (ann,) = chat.people("ann")
    ann.says(*(f"line {number}" for number in range(60)))
    chat.end_turn()
    last = database.load("SELECT max(id) FROM lines")[0][0]
    restarted = Historic(database)
    lines = Person(restarted, "bob", "").reads()
    assert lines[1:-1] == again(*(f"<ann> line {number}" for number in range(10, 60)))
    assert restarted.database.load("SELECT max(id) FROM lines")[0][0] > last
    ids = database.load("SELECT id, count(*) FROM lines GROUP BY id HAVING count(*) > 1")
    assert ids == []


def test_another_rooms_last_lines_are_shown_to_who_makes_it_again_and_none_twice() -> None:
    database = Held()
    chat = Historic(database)
    ann, bob = chat.people("ann", "bob")
    ann.gets("/join #tea", "hello")
    ann.gets("/part #tea")
    database.holds_reads = True
    assert bob.gets("/join #Tea") == ["-- You are bob in #Tea, alone."]
    bob.says("new")
    ann.gets("/join #tea")
    bob.reads()
    database.let_go()
    assert bob.reads() == again("<ann> hello")
    assert ann.reads() == again("<ann> hello")
    cy = chat.enter("cy")
    assert cy.gets("/join #tea")[:2] == again("<ann> hello", "<bob> new")


def test_what_was_said_in_a_room_that_is_made_again_in_the_same_turn_is_shown_again() -> None:
    chat = Historic()
    (ann,) = chat.people("ann")
    lines = ann.gets("/join #tea", "hello", "/part #tea", "/join #tea")
    assert lines[-1:] == again("<ann> hello")


def test_what_is_read_for_a_room_that_is_gone_is_shown_nowhere() -> None:
    database = Held()
    chat = Historic(database)
    (ann,) = chat.people("ann")
    ann.gets("/join #tea", "hello", "/part #tea")
    database.holds_reads = True
    ann.gets("/join #tea")
    ann.gets("/part #tea")
    database.let_go()
    assert ann.reads() == []


def test_nothing_is_shown_again_where_recent_is_off() -> None:
    database = Stored()
    for _ in range(2):
        chat = Historic(database, limits=Limits(recent=None))
        ann = Person(chat, "ann", "")
        ann.says("hello", "/join #a", "there", "/part #a", "/join #a")
        assert not [line for line in ann.reads() if line.startswith(STAMP)]


def test_what_is_hidden_is_shown_to_nobody_any_more() -> None:
    database = Stored()
    chat = Historic(database)
    (ann,) = chat.people("ann")
    ann.gets("hidden apple")
    ann.says("hidden too, apple")
    chat.history.hide(chat.hub.lobby)
    ann.gets("open apple")
    found: list[list[str]] = []

    def texts(events: list[Any]) -> None:
        found.append([event.text for event in events])

    for each in (
        chat.history.last("#lobby", None, 9),
        chat.history.search({"#lobby": "#lobby"}, "", ["apple"], 9),
    ):
        each.addCallback(texts)
    chat.end_turn()
    assert found == [["open apple"]] * 2
    for shown in (chat, Historic(database)):
        lines = Person(shown, "bob", "").reads()
        assert [line for line in lines if "apple" in line] == again("<ann> open apple")


# Taken out


def line(chat: Historic, text: str) -> int:
    (found,) = chat.database.load("SELECT id FROM lines WHERE text = ?", text)
    return int(found[0])


def taken_out(chat: Historic, by: Person, line: int, why: str = "") -> list[Any]:
    """What becomes of it, once the database has answered."""
    outcome: list[Any] = []
    work = chat.history.take_out(by.member, chat.hub.lobby, line, why)
    Deferred.fromCoroutine(work).addBoth(outcome.append)
    return outcome


def test_a_line_is_taken_out_everywhere() -> None:
    database = Stored()
    chat = Historic(database)
    ann, bob = chat.people("ann", "bob")
    bob.gets("good apple")
    bob.gets("bad apple")
    bad = line(chat, "bad apple")
    found: list[list[Any]] = []
    rooms = {"#lobby": "#lobby"}
    chat.history.search(rooms, "", ["bad"], 9).addCallback(found.append)
    chat.end_turn()
    done = taken_out(chat, ann, bad, "spam")
    assert not done
    ann.reads()
    chat.history.search(rooms, "", ["bad"], 9).addCallback(found.append)
    chat.end_turn()
    assert [len(each) for each in found] == [1, 0]
    row = database.load("SELECT kind, nick, text, other, source FROM lines WHERE id = ?", bad)
    assert row == [(8, "bob", "spam", "ann", source_of(ann.member.who))]
    word = f"-- ann took out line {bad}, by bob: spam"
    assert bob.reads() == [word] and done == [True]
    for shown in (chat, Historic(database)):
        lines = Person(shown, "cy", "").reads()
        assert "bad apple" not in str(lines) and "good apple" in str(lines)
        assert "took out" in str(lines)


def test_a_line_that_was_just_said_can_be_taken_out() -> None:
    chat = Historic()
    ann, bob = chat.people("ann", "bob")
    bob.says("bad")
    (said,) = chat.hub.lobby.recent
    taken_out(chat, ann, said.id)
    assert bob.reads()[-1].startswith(f"-- ann took out line {said.id}, by bob")
    assert chat.said() == []


@pytest.mark.parametrize("kind", ["none", "joined", "twice", "elsewhere"])
def test_what_is_no_line_of_the_room_can_not_be_taken_out(kind: str) -> None:
    chat = Historic()
    ann, bob = chat.people("ann", "bob")
    bob.gets("bad", "/join #b", "other")
    bad = line(chat, "bad")
    if kind == "twice":
        taken_out(chat, ann, bad)
    ann.reads()
    joined = chat.database.load("SELECT min(id) FROM lines WHERE kind = 2")[0][0]
    ids = {"none": 9999, "joined": joined, "twice": bad, "elsewhere": line(chat, "other")}
    done = taken_out(chat, ann, ids[kind])
    assert ann.reads() == [] and done == [False]


def test_a_database_that_does_not_answer_is_told_of() -> None:
    class Broken(Stored):
        def run(self, work: Any) -> Deferred[Any]:
            return succeed(None).addCallback(lambda _: 1 // 0)

    chat = Historic(Broken())
    (ann,) = chat.people("ann")
    outcome = taken_out(chat, ann, 1)
    assert ann.reads() == []
    (failure,) = outcome
    assert failure.check(ZeroDivisionError)


def room(person: Person, name: str) -> Room:
    (found,) = [room for room in person.member.rooms if room.name == name]
    return found


@pytest.mark.parametrize("before", [False, True])
def test_what_was_said_follows_a_room_that_is_renamed(before: bool) -> None:
    database = Held() if before else Stored()
    chat = Historic(database, before=before)

    def settle() -> None:
        chat.end_turn()
        while before and database.commits:  # type: ignore[attr-defined]
            database.store()  # type: ignore[attr-defined]
            chat.end_turn()

    ann = Person(chat, "ann", "")
    ann.says("/join #old", "apple one")
    settle()
    found: list[list[Any]] = []

    def search(name: str) -> list[str]:
        chat.history.search({name: name}, "", ["apple"], 9).addCallback(found.append)
        settle()
        return [event.text for event in found.pop()]

    assert search("#old") == ["apple one"]
    ann.says("apple two")
    if before:  # the line waits for the disk while the room is renamed
        chat.end_turn()
    chat.hub.rename_room(ann.member, room(ann, "#old"), "#new", "", NOW)
    ann.says("apple three")
    bob = Person(chat, "bob", "")
    bob.says("/join #old", "apple four")
    settle()
    assert search("#new") == ["apple one", "apple two", "apple three"]
    assert search("#old") == ["apple four"]
    names: dict[str, str] = dict(database.load("SELECT room, name FROM rooms"))
    assert names["#new"] == "#new" and names["#old"] == "#old"


def test_what_was_hidden_stays_so_in_a_room_that_is_renamed() -> None:
    chat = Historic()
    (ann,) = chat.people("ann")
    ann.gets("/join #old", "hidden")
    chat.history.hide(room(ann, "#old"))
    ann.gets("open")
    chat.hub.rename_room(ann.member, room(ann, "#old"), "#OLD", "", NOW)
    chat.hub.rename_room(ann.member, room(ann, "#OLD"), "#new", "", NOW)
    found: list[list[Any]] = []
    chat.end_turn()
    chat.history.last("#new", None, 9).addCallback(found.append)
    chat.end_turn()
    assert [event.text for event in found[0]] == ["open"]


def test_no_more_than_so_many_look_back_at_once() -> None:
    chat = Historic()
    for _ in range(64):
        chat.history.last("#lobby", None, 1)
    with pytest.raises(TooMany):
        chat.history.last("#lobby", None, 1)
    chat.end_turn()
    chat.history.last("#lobby", None, 1)


def test_no_fault_holds_a_turn_for_ever() -> None:
    chat, database, (ann, bob) = held("ann", "bob")
    ann.says("one")
    chat.end_turn()
    with logged() as events:
        database.commits.pop(0)[0].errback(RuntimeError("a fault of ours"))
    assert len(events) == 1
    assert ann.reads() == [REFUSED]
    ann.says("two")
    chat.end_turn()
    database.store()
    assert bob.reads() == ["<ann> two"]


def test_what_is_not_to_be_kept_is_not_refused_for_want_of_a_place() -> None:
    """Whatever others said in the same turn."""
    chat, database, (ann, bob, cy) = held("ann", "bob", "cy")
    for who in (ann, bob):
        who.says("/join #q")
    chat.end_turn()
    database.store()
    chat.end_turn()
    bob.lines.clear()
    chat.history._keeps = lambda room: room.name != "#q"
    ann.says("between us")
    cy.says("for all")
    chat.end_turn()
    database.refuse()
    assert "<ann> between us" in bob.reads()
    assert cy.reads() == [REFUSED]
