"""Whose nicks are, and who may do what before logging in."""

from __future__ import annotations

import pytest

from chatroom.errors import NameTaken
from chatroom.member import Listener
from chatroom.store.accounts import Accounts
from tests.inmemory import NOW, Chat
from tests.registered import LOG_IN_FIRST, PASSWORD, Registered

TAKEN = "-- {0} is registered. If it is yours: /login {0} PASSWORD"


@pytest.mark.parametrize("nick", ["alice", "Alice", "ALICE"])
def test_a_registered_nick_is_refused_to_others_also_while_nobody_has_it(nick: str) -> None:
    chat = Registered()
    alice, bob = chat.own("alice"), chat.enter()
    alice.gets("/quit")
    assert bob.gets(f"/nick {nick}") == [TAKEN.format(nick)]
    assert bob.member.guest


def test_its_owner_takes_another_nick_and_comes_back_to_it() -> None:
    chat = Registered()
    alice, bob = chat.own("alice"), chat.enter()
    assert alice.gets("/nick al") == ["-- You are al now."]
    assert bob.gets("/nick alice") == [TAKEN.format("alice")]
    assert alice.gets("/nick Alice") == ["-- You are Alice now."]


def test_one_who_is_logged_in_to_another_account_is_refused_as_well() -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    assert chat.own("bob").gets("/nick alice") == [TAKEN.format("alice")]


def test_other_nicks_are_anyone_s() -> None:
    chat = Registered()
    chat.own("alice")
    assert chat.enter().gets("/nick bob") == ["-- You are bob now."]


def test_what_is_registered_stays_so_after_a_restart() -> None:
    first = Registered()
    first.own("Alice")
    again = Registered(database=first.database)
    assert again.accounts.nicks == {"alice": "Alice"}
    assert again.enter().gets("/nick alice") == [TAKEN.format("alice")]


def test_a_dropped_account_is_forgotten_and_whoever_keeps_of_it_is_told() -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    dropped: list[str] = []
    chat.accounts.on_drop.append(dropped.append)
    chat.accounts.drop("alice")
    assert dropped == ["alice"] and not chat.accounts.nicks
    assert chat.database.load("SELECT * FROM accounts") == []
    assert chat.enter().gets("/nick alice") == ["-- You are alice now."]


def test_an_account_has_another_version_whenever_it_is_another_or_changed() -> None:
    accounts = Registered().accounts
    versions = [accounts.version("ann")]
    for hash in ("one", "two"):
        accounts.add("Ann", hash, NOW)
        versions.append(accounts.version("ann"))
        accounts.change("ann", "three")
        versions.append(accounts.version("ann"))
        accounts.saw("ann", NOW)
        assert accounts.version("ann") == versions[-1]
        accounts.drop("ann")
    assert len(set(versions)) == 5 and accounts.version("ann") == versions[0]


def test_an_account_of_before_the_start_has_a_version_as_well() -> None:
    first = Registered()
    first.own("ann")
    accounts = Registered(database=first.database).accounts
    before = accounts.version("ann")
    accounts.drop("ann")
    assert accounts.version("ann") != before


def test_it_knows_which_have_a_password_here() -> None:
    chat = Registered()
    chat.accounts.add("Ann", "hash", NOW)
    chat.accounts.add("bob", None, NOW)
    for accounts in (chat.accounts, Registered(database=chat.database).accounts):
        assert accounts.has_password("ann") and not accounts.has_password("bob")
        accounts.change("ann", None)
        assert not accounts.has_password("ann")
        accounts.change("ann", "hash")
    chat.accounts.drop("ann")
    assert not chat.accounts.has_password("ann")


def test_each_account_has_its_times_in_milliseconds() -> None:
    chat = Registered()
    accounts = Accounts(chat.database, "optional")
    accounts.add("Ann", None, NOW)
    accounts.saw("ann", NOW + 1.5)
    accounts.change("ann", "hash")
    row = ("ann", "Ann", "hash", int(NOW * 1000), int(NOW * 1000) + 1500)
    assert chat.database.load("SELECT account, nick, hash, created, seen FROM accounts") == [row]


# Where accounts are required


@pytest.mark.parametrize(
    "line",
    [
        "/me waves", "/msg bob psst", "/join #ops", "/topic x", "/who", "/rooms",
        "/whois bob", "/history", "/away", "/uptime", "/list", "/M bob psst",
    ],
)  # fmt: skip
def test_who_has_not_logged_in_may_do_nothing(line: str) -> None:
    chat = Registered("required")
    chat.own("bob")
    guest = chat.enter()
    named = chat.enter()
    named.gets("/nick cy")
    for person in (guest, named):
        assert person.gets(line) == [LOG_IN_FIRST]
        assert not person.member.rooms


@pytest.mark.parametrize("line", ["hello", "//hello"])
def test_nor_say_anything(line: str) -> None:
    chat = Registered("required")
    bob, guest = chat.own("bob"), chat.enter()
    assert guest.gets(line) == [
        "-- Log in first: /login NICK PASSWORD, or /register PASSWORD after /nick NAME."
    ]
    assert bob.reads() == []


@pytest.mark.parametrize("line", ["/help", "/motd", "/version", "/nick", "/nick al", "/quit"])
def test_but_for_finding_its_way_in_and_out(line: str) -> None:
    chat = Registered("required")
    assert LOG_IN_FIRST not in chat.enter().gets(line)


def test_it_is_told_so_when_it_enters_and_hears_nothing() -> None:
    chat = Registered("required")
    alice = chat.own("alice")
    guest = chat.enter()
    assert chat.hub.lobby.members.keys() == {alice.member}
    alice.says("a secret")
    assert guest.reads() == []


def test_it_registers_and_is_in_the_lobby() -> None:
    chat = Registered("required")
    alice = chat.enter()
    assert alice.gets("/nick alice", f"/register {PASSWORD}") == [
        "-- You are alice now.",
        "-- You registered alice, and are logged in.",
        "-- You are alice in #lobby, alone.",
    ]
    assert alice.gets("hello") == []


def test_a_program_of_this_process_need_not_log_in() -> None:
    chat = Registered("required")
    bot = chat.hub.enter(Listener(lambda event: None), NOW, "bot")
    assert bot.current is chat.hub.lobby
    chat.hub.say(bot, "hello", NOW)


def test_nothing_of_it_holds_where_accounts_are_off() -> None:
    chat = Chat()
    chat.hub.guards.append(Accounts(Registered().database, "off"))
    assert chat.enter().gets("/nick alice", "hello") == ["-- You are alice now."]


# Passwords that are almost said aloud


@pytest.mark.parametrize("space", [" ", "   ", "\u00a0"])
@pytest.mark.parametrize("command", ["login", "register", "password", "drop", "oper", "LOGIN"])
def test_a_password_after_a_space_is_not_said(space: str, command: str) -> None:
    chat = Registered()
    alice, bob = chat.own("alice"), chat.own("bob")
    bob.reads()
    name = command.lower()
    assert alice.gets(f"{space}/{command} hunter22") == [
        f"-- There is a space before /{name}, so it was almost said aloud. Without it, please."
    ]
    assert bob.reads() == []


def test_also_among_several_lines() -> None:
    chat = Registered()
    alice = chat.own("alice")
    with pytest.raises(Exception, match="almost said aloud"):
        chat.hub.say(alice.member, "hello\n /login hunter22\nbye", NOW)


@pytest.mark.parametrize("text", [" hello", " /loginx y", "see /login", "a /login b", "x\n/login"])
def test_what_only_looks_a_little_like_it_is_said(text: str) -> None:
    chat = Registered()
    alice = chat.own("alice")
    chat.hub.say(alice.member, text, NOW)


def test_another_s_nick_is_refused_by_an_error_of_its_own() -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    with pytest.raises(NameTaken):
        chat.hub.rename(chat.enter().member, "alice", NOW)
