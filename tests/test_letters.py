"""Private lines that wait for their account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from chatroom.errors import NotAllowed
from chatroom.guard import Guard
from chatroom.store.letters import MOST_FROM_ONE, MOST_WAITING
from tests.inmemory import Person
from tests.registered import LOG_IN_FIRST, PASSWORD, Registered
from tests.stored import Stored

WAITS = "-- alice is not here. Your line waits for alice."


def away(chat: Registered) -> Registered:
    chat.own("alice").gets("/quit")
    return chat


def back(chat: Registered) -> list[str]:
    """Alice logs in; what waited for her, and the line before it."""
    return chat.enter().gets(f"/login alice {PASSWORD}")[1:]


def waiting(chat: Registered) -> int:
    ((number,),) = chat.database.load("SELECT COUNT(*) FROM letters")
    assert isinstance(number, int)
    return number


def stamp(now: float) -> str:
    return datetime.fromtimestamp(now).strftime("[%Y-%m-%d %H:%M]")


def test_a_line_to_a_registered_nick_waits_and_is_shown_with_its_time() -> None:
    chat = away(Registered())
    bob = chat.enter("bob")
    assert bob.gets("/msg ALICE hello  there", "/m alice bye") == [WAITS] * 2
    then, chat.now = chat.now, chat.now + 86400
    assert back(chat) == [
        "-- 2 lines waited for you:",
        f"{stamp(then)} [bob -> you] hello  there",
        f"{stamp(then)} [bob -> you] bye",
    ]
    assert waiting(chat) == 0


def test_it_is_shown_once() -> None:
    chat = away(Registered())
    chat.enter("bob").gets("/msg alice hello")
    assert back(chat)[0] == "-- 1 line waited for you:"
    chat.hub.leave(chat.hub.find("alice"), "", chat.now)
    assert back(chat) == []


def test_it_waits_across_a_restart() -> None:
    first = away(Registered())
    bob = first.enter("bob")
    for _ in range(MOST_FROM_ONE):
        bob.gets("/msg alice hello")
    again = Registered(database=first.database)
    assert again.enter("bob").gets("/msg alice hello")[0].endswith("lines of yours wait: not sent.")
    assert again.enter("cy", "192.0.2.5").gets("/msg alice last") == [WAITS]
    assert len(back(again)) == MOST_FROM_ONE + 2


def test_who_is_here_gets_it_at_once() -> None:
    chat = Registered()
    alice, bob = chat.own("alice"), chat.enter("bob")
    alice.gets("/away for lunch")
    assert bob.gets("/msg alice hello") == ["[you -> alice] hello", "-- alice is away: for lunch"]
    assert alice.reads()[-1] == "[bob -> you] hello"
    assert waiting(chat) == 0


def test_for_a_nick_that_is_not_registered_nothing_waits() -> None:
    chat = Registered()
    assert chat.enter("bob").gets("/msg nobody hello") == [
        "-- Nobody here is called nobody. /who lists who is here."
    ]
    assert chat.enter("cy").gets("/msg alice") == ["-- Usage: /msg NICK TEXT"]


def test_each_sender_may_have_so_many_waiting_and_others_are_not_kept_from_it() -> None:
    chat = away(Registered())
    bob, cy = chat.enter("bob", "192.0.2.2"), chat.enter("cy", "192.0.2.3")
    for _ in range(MOST_FROM_ONE):
        assert bob.gets("/msg alice hello") == [WAITS]
    assert bob.gets("/msg alice hello") == [
        "-- alice is not here, and 20 lines of yours wait: not sent."
    ]
    assert chat.enter("b2", "192.0.2.2").gets("/msg alice hello") != [WAITS]
    assert cy.gets("/msg alice hello") == [WAITS]
    back(chat)
    assert chat.hub.find("alice").account == "alice"
    chat.hub.leave(chat.hub.find("alice"), "", chat.now)
    assert bob.gets("/msg alice hello") == [WAITS]


def test_each_account_may_have_so_many_waiting() -> None:
    chat = away(Registered())
    for i in range(MOST_WAITING):
        sender = chat.enter(f"s{i}", f"192.0.2.{i}")
        assert sender.gets("/msg alice hello") == [WAITS]
    assert chat.enter("bob", "198.51.100.1").gets("/msg alice hello") == [
        "-- alice is not here, and too many lines wait already: not sent."
    ]
    assert waiting(chat) == MOST_WAITING
    assert back(chat)[0] == f"-- {MOST_WAITING} lines waited for you:"


def test_who_is_logged_in_is_counted_by_its_account() -> None:
    chat = away(Registered())
    bob, cy = chat.own("bob", "192.0.2.2"), chat.own("cy", "192.0.2.2")
    for _ in range(MOST_FROM_ONE):
        bob.gets("/msg alice hello")
    assert cy.gets("/msg alice hello") == [WAITS]


def test_the_guards_are_asked_first() -> None:
    class Muted(Guard):
        def ask(self, verb: str, member: Any, about: str, text: str, now: float) -> None:
            if verb == "tell":
                raise NotAllowed(f"Not to {about}: {text}")

    chat = away(Registered())
    bob = chat.enter("bob")
    chat.hub.guards.append(Muted())
    assert bob.gets("/msg ALICE hello") == ["-- Not to alice: hello"]
    assert waiting(chat) == 0


def test_where_accounts_are_required_one_logs_in_first() -> None:
    chat = away(Registered("required"))
    assert chat.enter().gets("/msg alice hello") == [LOG_IN_FIRST]
    assert waiting(chat) == 0


def test_lines_of_who_is_ignored_are_not_shown() -> None:
    chat = away(Registered())
    bob, cy = chat.enter("bob"), chat.enter("cy")
    bob.gets("/msg alice hello")
    cy.gets("/msg alice hello")
    alice = chat.enter()
    assert alice.gets("/ignore bob", f"/login alice {PASSWORD}")[2:] == [
        "-- 1 line waited for you:",
        f"{stamp(chat.now)} [cy -> you] hello",
    ]
    assert waiting(chat) == 0


def test_a_dropped_account_s_lines_are_deleted() -> None:
    chat = away(Registered())
    chat.enter("bob").gets("/msg alice hello")
    chat.accounts.drop("alice")
    assert waiting(chat) == 0
    assert chat.enter("alice").gets(f"/register {PASSWORD}") == [
        "-- You registered alice, and are logged in."
    ]


class Slow(Stored):
    """Reads letters when told."""

    def __init__(self) -> None:
        super().__init__()
        self.read_now: list[Any] = []

    def read(self, sql: str, *parameters: object) -> Any:
        if "letters" not in sql:
            return super().read(sql, *parameters)
        later: Deferred[Any] = Deferred()
        self.read_now.append(lambda: later.callback(self.load(sql, *parameters)))
        self.fail = later.errback
        return later


def slow() -> tuple[Registered, Slow, Person]:
    """Alice has logged in, and her letter is being read."""
    database = Slow()
    chat = away(Registered(database=database))
    chat.enter("bob").gets("/msg alice hello")
    alice = chat.enter()
    assert alice.gets(f"/login alice {PASSWORD}") == ["-- You are logged in as alice."]
    return chat, database, alice


def test_who_goes_before_it_was_read_gets_it_the_next_time() -> None:
    chat, database, alice = slow()
    alice.gets("/quit")
    database.read_now.pop()()
    assert waiting(chat) == 1
    again = chat.enter()
    again.gets(f"/login alice {PASSWORD}")
    database.read_now.pop()()
    assert len(again.reads()) == 2 and waiting(chat) == 0


def test_what_comes_while_it_is_read_waits_on() -> None:
    chat, database, alice = slow()
    rows = database.load("SELECT id, time, nick, shown, source, text FROM letters")
    chat.letters.keep(chat.hub, chat.enter("cy").member, "alice", "later", chat.now)
    database.load = lambda sql, *parameters: rows  # type: ignore[method-assign]
    database.read_now.pop()()
    del database.load
    assert alice.reads()[-1].endswith("[bob -> you] hello")
    assert database.load("SELECT text FROM letters") == [("later",)]


def test_what_can_t_be_read_waits_on() -> None:
    chat, database, alice = slow()
    database.fail(OSError("disk"))
    assert alice.reads() == [] and waiting(chat) == 1


# To who is here under another nick, and to who was


def test_who_is_logged_in_under_another_nick_gets_it_at_once() -> None:
    chat = Registered()
    alice, bob = chat.own("alice"), chat.enter("bob")
    alice.gets("/nick al")
    assert bob.gets("/msg Alice hello  there") == ["[you -> al] hello  there"]
    assert alice.reads()[-1] == "[bob -> you] hello  there"
    assert waiting(chat) == 0


def test_a_reply_to_a_registered_one_who_left_waits() -> None:
    chat = Registered()
    alice, bob = chat.own("alice"), chat.enter("bob")
    alice.gets("/nick al", "/msg bob hello", "/quit")
    assert bob.gets("/reply so  long") == [WAITS]
    assert back(chat)[-1].endswith("[bob -> you] so  long")


def test_a_reply_to_one_who_came_back_under_another_nick_reaches_it() -> None:
    chat = Registered()
    alice, bob = chat.own("alice"), chat.enter("bob")
    alice.gets("/msg bob hello", "/quit")
    again = chat.enter()
    again.gets(f"/login alice {PASSWORD}", "/nick al")
    assert bob.gets("/r hello") == ["[you -> al] hello"]
    assert again.reads() == ["[bob -> you] hello"]


def test_a_reply_to_any_other_who_left_is_not_sent() -> None:
    chat = Registered()
    bob, cy = chat.enter("bob"), chat.enter("cy")
    assert bob.gets("/reply hello") == [
        "-- Nobody has written to you privately yet. /msg NICK TEXT does."
    ]
    cy.gets("/msg bob hello")
    assert bob.gets("/reply hello") == ["[you -> cy] hello"]
    cy.gets("/quit")
    assert bob.gets("/reply hello") == ["-- cy has left, your line was not sent."]
    chat.own("cy").gets("/quit")  # not who wrote
    assert bob.gets("/reply hello") == ["-- cy has left, your line was not sent."]
    assert waiting(chat) == 0


@pytest.mark.parametrize("command", ["msg", "m"])
def test_help_tells_of_it(command: str) -> None:
    (line,) = Registered().enter("ann").gets(f"/help {command}")
    assert "whose nick is registered gets it later" in line
