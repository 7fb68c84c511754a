"""What one chat keeps: attached when it opens, gone from the hub when it closes, there again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.archive import Kept, Span
from chatroom.config import AccountSettings, HistorySettings, OperatorSettings, Settings
from chatroom.hub import Hub
from chatroom.keeping import Keeping
from chatroom.store.database import Database
from chatroom.store.passwords import Passwords
from chatroom.store.sqlitefile import SQLiteFile, StoreError
from chatroom.store.storedregistrar import StoredRegistrar
from tests.inmemory import STAMP, Chat, Person
from tests.registered import CHEAP, PASSWORD, Threads, logged
from tests.test_database import Reactor


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "chatroom.keeping.Passwords", lambda reactor: Passwords(reactor, CHEAP, Threads())
    )


def attached(chat: Chat) -> tuple[list[object], dict[str, Any], object]:
    """What of a hub shows that something is attached to it."""
    assert isinstance(chat.hub.registrar, StoredRegistrar) is ("login" in chat.hub.commands)
    return list(chat.hub.guards), dict(chat.hub.commands), chat.hub._turn.gate


class Immediate(Clock):
    """A reactor whose threads work at once."""

    def callFromThread(self, f: Callable[..., object], *arguments: Any) -> None:
        f(*arguments)


def in_memory(**settings: Any) -> tuple[Chat, Keeping]:
    chat = Chat()
    kept = Settings(store=None, **settings)
    keeping = Keeping(chat.hub, kept, Immediate(), (), lambda: chat.now)
    return chat, keeping


class Daemon:
    """A chat that keeps what it keeps in a file."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.chat = Chat()
        self.reactor = Reactor()
        settings.setdefault("operators", OperatorSettings(accounts=("ann",)))
        kept = Settings(store=str(path), **settings)
        self.keeping = Keeping(self.chat.hub, kept, self.reactor, (), lambda: self.chat.now)
        self.waiting = 0
        self.keeping.open()
        database: Any = self.keeping._database
        database.read, database.run = self.counted(database.read), self.counted(database.run)

    def counted(self, ask: Callable[..., Deferred[Any]]) -> Callable[..., Deferred[Any]]:
        def answered(result: Any) -> Any:
            self.waiting -= 1
            return result

        def asked(*arguments: Any) -> Deferred[Any]:
            self.waiting += 1
            return ask(*arguments).addBoth(answered)

        return asked

    def enter(self, nick: str = "", address: str = "") -> Person:
        return Person(self.chat, nick, address)

    def reads(self, person: Person) -> list[str]:
        """What it reads once all is written and answered."""
        for _ in range(4):
            self.chat.end_turn()
            if self.keeping._database is not None:
                self.reactor.result(self.keeping._database.flush())
            self.reactor.settle()
            self.reactor.until(lambda: not self.waiting)
            if (history := self.keeping._history) is not None:
                self.reactor.until(lambda: not history._reading)
        return person.reads()

    def gets(self, person: Person, *lines: str) -> list[str]:
        self.reads(person)
        person.says(*lines)
        return self.reads(person)

    def close(self) -> None:
        self.chat.end_turn()
        self.reactor.result(self.keeping.close())


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Any]:
    """Starts one after the other, on one file."""
    running: list[Daemon] = []

    def start(**settings: Any) -> Daemon:
        for each in running:
            each.close()
        running.append(Daemon(tmp_path / "chat.db", **settings))
        return running[-1]

    yield start
    for each in running:
        each.close()


def test_it_leaves_the_hub_as_it_was_and_opens_again() -> None:
    chat, keeping = in_memory()
    before = attached(chat)
    for _ in range(2):
        keeping.open()
        assert attached(chat) != before and "login" in chat.hub.commands
        assert "search" not in chat.hub.commands
        keeping.close()
        assert attached(chat) == before
    keeping.close()


def test_with_a_file_it_leaves_the_hub_as_it_was_and_opens_again(daemons: Any) -> None:
    daemon = daemons()
    for _ in range(2):
        assert "search" in daemon.chat.hub.commands and daemon.chat.hub._turn.gate
        daemon.close()
        assert attached(daemon.chat) == ([], {}, None)
        assert not daemon.reactor.getDelayedCalls()
        daemon.keeping.open()


def test_in_memory_there_are_accounts_and_order_as_long_as_it_runs() -> None:
    chat, keeping = in_memory(operators=OperatorSettings(accounts=("ann",)))
    keeping.open()
    ann = chat.enter()
    replies = ann.gets("/nick ann", f"/register {PASSWORD}")
    assert ann.member.account == "ann", replies
    bob = chat.enter("bob")
    bob.says("rude")
    (line,) = chat.hub.lobby.recent
    ann.gets(f"/redact {line.id}")
    assert "rude" not in str(chat.hub.lobby.recent)
    keeping.close()
    keeping.open()
    assert "Wrong" in chat.enter().gets(f"/login ann {PASSWORD}")[0]
    keeping.close()


def test_an_address_looks_the_same_after_a_restart_and_otherwise_in_another_chat(
    daemons: Any,
) -> None:
    def cloaked(chat: Chat) -> str:
        return chat.enter(address="192.0.2.1").member.who.host

    other, keeping = in_memory()
    bare = cloaked(other)
    keeping.open()
    first, second = cloaked(daemons().chat), cloaked(daemons().chat)
    assert first == second and len({first, cloaked(other), bare}) == 3
    keeping.close()
    assert cloaked(other) == bare


def test_the_shortest_password_is_the_settings() -> None:
    chat, keeping = in_memory(accounts=AccountSettings(shortest_password=3))
    keeping.open()
    assert chat.hub.registrar.shortest == 3
    (line,) = chat.enter("ann").gets("/register no")
    assert "at least 3 characters" in line
    keeping.close()


def test_without_accounts_nobody_logs_in() -> None:
    chat, keeping = in_memory(accounts=AccountSettings(mode="off"))
    keeping.open()
    assert "login" not in chat.hub.commands and "ban" in chat.hub.commands
    keeping.close()


def test_accounts_bans_topics_and_lines_outlive_a_restart(daemons: Any) -> None:
    first = daemons()
    ann = first.enter(address="127.0.0.1")
    first.gets(ann, "/nick ann", f"/register {PASSWORD}")
    assert ann.member.account == "ann"
    first.gets(ann, "/topic tea", "an apple", "/join #tea", "in tea")
    bob = first.enter("bob", "192.0.2.9")
    assert first.gets(ann, "/join #lobby", "/ban bob")[-1]
    first.chat.end_turn()
    assert not bob.member.present or first.chat.hub.lobby not in bob.member.rooms
    second = daemons()
    again = second.enter(address="192.0.2.2")
    lines = second.reads(again)
    assert f"{STAMP} <ann> an apple" in lines and "-- The topic is: tea" in lines
    assert second.gets(again, f"/login ann {PASSWORD}") and again.member.account == "ann"
    assert second.gets(again, "/search apple")[-1] == "-- 1 line found."
    assert f"{STAMP} <ann> in tea" in second.gets(again, "/join #tea")
    assert "192.0.2.9" in str(second.gets(again, "/join #lobby", "/bans"))


def test_durable_before_shows_nothing_that_is_not_stored(daemons: Any, tmp_path: Path) -> None:
    daemon = daemons(history=HistorySettings(durable="before"))
    ann, bob = daemon.enter("ann"), daemon.enter("bob")
    daemon.reads(bob)
    ann.says("hello")
    assert bob.reads() == []
    assert daemon.reads(bob) == ["<ann> hello"]
    other = sqlite3.connect(tmp_path / "chat.db")
    assert other.execute("SELECT text FROM lines WHERE kind = 0").fetchall() == [("hello",)]
    other.close()


def test_what_was_just_said_is_written_when_it_closes(daemons: Any) -> None:
    first = daemons()
    first.enter("ann").says("last words")
    second = daemons()
    assert f"{STAMP} <ann> last words" in second.reads(second.enter("bob"))


def test_what_is_too_old_goes_while_it_runs(daemons: Any) -> None:
    first = daemons(history=HistorySettings(keep=60))
    first.gets(first.enter("ann"), "old")
    first.chat.now += 61
    database = first.keeping._database
    for _ in range(20):
        first.reactor.advance(0.1)
        first.reactor.result(database.run(lambda cursor: None))
    assert first.reactor.result(database.read("SELECT * FROM lines")) == []


def test_a_file_of_anothers_is_refused_and_the_hub_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    file = SQLiteFile(str(path))
    chat = Chat()
    keeping = Keeping(chat.hub, Settings(store=str(path)), Reactor())
    with pytest.raises(StoreError, match="in use by process"):
        keeping.open()
    assert attached(chat) == ([], {}, None)
    keeping.close()
    file.close()
    keeping.open()
    database = keeping._database
    assert isinstance(database, Database)
    keeping.close()
    # What it wrote is answered by no reactor here; its threads would keep the tests from ending.
    database.abandon()


def test_operators_are_told_of_trouble_with_the_disk_and_others_are_not(daemons: Any) -> None:
    daemon = daemons()
    ann, bob = daemon.enter(), daemon.enter("bob")
    daemon.gets(ann, "/nick ann", f"/register {PASSWORD}")
    daemon.reads(bob)
    with logged() as events:
        daemon.keeping._tell("The disk is full.")
    assert ann.reads() == ["-- The disk is full."] and bob.reads() == []
    assert len(events) == 1


def test_operators_may_change_while_it_runs(daemons: Any) -> None:
    daemon = daemons(operators=OperatorSettings())
    ann = daemon.enter()
    daemon.gets(ann, "/nick ann", f"/register {PASSWORD}")
    moderation = daemon.keeping._moderation
    assert not moderation.is_server_operator(ann.member)
    operators = OperatorSettings(accounts=("Ann",))
    daemon.keeping.apply(Settings(store=None, operators=operators))
    assert moderation.is_server_operator(ann.member)


def test_what_is_said_while_nothing_is_kept_is_kept_by_no_later_word(daemons: Any) -> None:
    """Not shown to who comes, and not stored, though the next line of the turn turns it on."""
    daemon = daemons()
    ann = daemon.enter()
    daemon.gets(ann, "/join #q", "/keep off")
    daemon.gets(ann, "between us", "/keep on")
    daemon.gets(ann, "for the record")
    bob = daemon.enter()
    read = "\n".join(daemon.gets(bob, "/join #q", "/history"))
    assert "for the record" in read and "between us" not in read


def test_a_room_where_nothing_is_kept_shows_nothing_to_who_comes(daemons: Any) -> None:
    daemon = daemons()
    ann, bob = daemon.enter(), daemon.enter()
    daemon.gets(ann, "/join #q", "/keep off", "between us")
    daemon.keeping.apply(Settings(store=None))
    daemon.gets(ann, "still between us")
    assert "between us" not in "\n".join(daemon.gets(bob, "/join #q"))


def test_what_was_said_in_a_locked_room_stays_there_when_its_owner_goes(daemons: Any) -> None:
    daemon = daemons()
    eve = daemon.enter()
    ann = daemon.enter()
    daemon.gets(ann, "/nick anna", f"/register {PASSWORD}")
    daemon.gets(ann, "/join #secret", "/lock", "the code is 4711", "/part")
    daemon.gets(ann, f"/drop {PASSWORD}")
    read = daemon.gets(eve, "/join #secret", "/history", "/search code")
    assert "You are" in "\n".join(read) and "4711" not in "\n".join(read)


def test_a_damaged_store_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    SQLiteFile(str(path)).close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    keeping = Keeping(Hub(end_of_turn=print), Settings(store=str(path)), Reactor())
    with pytest.raises(StoreError, match=r"chat\.db can't be (read|used as the store): "):
        keeping.open()


def test_what_was_said_is_not_shown_twice_after_it_stopped_and_started_again(
    daemons: Any,
) -> None:
    daemon = daemons()
    ann = daemon.enter()
    daemon.gets(ann, "once")
    daemon.close()
    daemon.keeping.open()
    assert [event.text for event in daemon.chat.hub.lobby.recent] == ["once"]


# What protocols ask for


def test_protocols_find_what_was_said_and_what_is_kept_after_a_restart(daemons: Any) -> None:
    first = daemons()
    hub = first.chat.hub
    ann, bob = first.enter(address="127.0.0.1"), first.enter(address="127.0.0.1")
    for person, nick in ((ann, "ann"), (bob, "bob")):
        first.gets(person, f"/nick {nick}", f"/register {PASSWORD}")
        hub.archive.keep(f"account:{nick}", "color", "red")
    first.gets(ann, "hello", "/msg bob psst")
    second = daemons(operators=OperatorSettings())
    hub = second.chat.hub
    ann = second.enter(address="127.0.0.1")
    second.gets(ann, f"/login ann {PASSWORD}")

    async def waited(reading: Any) -> list[Any]:
        return [getattr(each, "text", each) for each in await reading]

    def asked(reading: Any) -> Any:
        waiting = Deferred.fromCoroutine(waited(reading))
        second.chat.end_turn()
        return second.reactor.result(waiting)

    assert hub.archive.most == 1000
    assert asked(hub.archive.read(ann.member, "#lobby", Span())) == ["hello"]
    assert asked(hub.archive.read(ann.member, "bob", Span())) == ["psst"]
    assert asked(hub.archive.load("account:ann")) == [Kept("color", "red")]
    second.gets(ann, f"/drop {PASSWORD}")
    bob = second.enter(address="127.0.0.1")
    second.gets(bob, f"/login bob {PASSWORD}")
    assert asked(hub.archive.read(bob.member, "ann", Span())) == []
    assert asked(hub.archive.load("account:bob")) == [Kept("color", "red")]
    assert list(second.keeping._database.load("SELECT owner FROM kept")) == [("account:bob",)]


@pytest.mark.parametrize("private", [True, False])
def test_private_lines_are_in_the_file_unless_that_is_off(daemons: Any, private: bool) -> None:
    daemon = daemons(history=HistorySettings(private=private))
    ann, bob = daemon.enter(address="127.0.0.1"), daemon.enter(address="127.0.0.1")
    for person, nick in ((ann, "ann"), (bob, "bob")):
        daemon.gets(person, f"/nick {nick}", f"/register {PASSWORD}")
    daemon.gets(ann, "/msg bob psst")
    daemon.reactor.result(daemon.keeping._database.flush())
    found = daemon.keeping._database.load("SELECT count(*) FROM lines WHERE text = 'psst'")
    assert found == [(int(private),)]


def test_without_a_store_there_are_the_last_lines_and_the_hub_is_as_it_was_after_it() -> None:
    chat, keeping = in_memory()
    was = chat.hub.archive
    keeping.open()
    archive = chat.hub.archive
    assert archive is not was and archive in chat.hub.guards and archive.most == 50
    keeping.close()
    assert chat.hub.archive is was and archive not in chat.hub.guards


def test_what_was_kept_for_rooms_of_an_account_goes_with_it(daemons: Any) -> None:
    daemon = daemons(operators=OperatorSettings())
    ann = daemon.enter(address="127.0.0.1")
    daemon.gets(ann, "/nick ann", f"/register {PASSWORD}")
    daemon.gets(ann, "/join #tea", "/part #tea")
    daemon.chat.hub.archive.keep("room:#tea", "color", "red")
    daemon.reactor.result(daemon.keeping._database.flush())
    assert len(daemon.keeping._database.load("SELECT * FROM kept")) == 1
    daemon.gets(ann, f"/drop {PASSWORD}")
    daemon.reactor.result(daemon.keeping._database.flush())
    assert daemon.keeping._database.load("SELECT * FROM kept") == []
