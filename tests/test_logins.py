"""Logging in and registering: what it takes, what it changes, and that no password shows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse

from chatroom.commands import speak
from chatroom.errors import NotAllowed, TooMany
from chatroom.store.passwords import MOST_WAITING
from tests.inmemory import NOW, Person
from tests.registered import CHEAP, LOG_IN_FIRST, PASSWORD, Registered, logged
from tests.stored import Stored

WRONG = "-- Wrong nick or password."


def elsewhere(**passwords: bytes) -> list[Any]:
    return [InMemoryUsernamePasswordDatabaseDontUse(**passwords)]


# Logging in


def test_the_owner_logs_in_and_has_its_nick() -> None:
    chat = Registered()
    chat.own("Alice").gets("/quit")
    again = chat.enter()
    was = again.member.nick
    assert again.gets(f"/login alice {PASSWORD}") == ["-- You are logged in as Alice."]
    assert (again.member.account, again.member.nick, again.member.guest) == (
        "alice",
        "Alice",
        False,
    )
    assert was not in chat.hub.members


def test_everyone_else_sees_a_change_of_nick() -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    bob, again = chat.enter("bob"), chat.enter()
    was = again.member.nick
    again.gets(f"/login alice {PASSWORD}")
    assert bob.reads() == [f"-- {was} is now alice"]


@pytest.mark.parametrize("nick", ["alice", "nobody", "n\0body", "guest-7k2", "x" * 200])
def test_wrong_and_unknown_read_alike(nick: str) -> None:
    chat = Registered()
    chat.own("alice")
    eve = chat.enter()
    assert eve.gets(f"/login {nick} wrong-horse") == [WRONG]
    assert eve.member.guest and not eve.member.account


def test_it_can_log_in_under_a_nick_that_it_took() -> None:
    chat = Registered(others=elsewhere(bob=b"from elsewhere"))
    bob = chat.enter("bob")
    assert bob.gets("/login elsewhere") == [WRONG]
    assert bob.gets("/login bob from elsewhere") == ["-- You are logged in as bob."]
    assert bob.member.account == "bob"


def test_who_is_seen_is_noted() -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    chat.enter().gets(f"/login alice {PASSWORD}")
    assert chat.database.load("SELECT created, seen FROM accounts") == [
        (int(NOW * 1000), int(chat.now * 1000))
    ]


def test_one_who_is_logged_in_already_is_told_so() -> None:
    alice = Registered().own("alice")
    assert alice.gets(f"/login {PASSWORD}") == ["-- You are logged in as alice already."]


def test_it_may_log_in_to_another_account() -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    bob = chat.own("bob")
    assert bob.gets(f"/login alice {PASSWORD}") == ["-- You are logged in as alice."]
    assert set(chat.hub.members) == {"alice"}


def test_its_ghost_goes() -> None:
    chat = Registered()
    ghost, bob = chat.own("alice"), chat.enter("bob")
    again = chat.enter()
    was = again.member.nick
    assert again.gets(f"/login alice {PASSWORD}") == [
        "-- alice left: logged in elsewhere (2 here)",
        "-- You are logged in as alice.",
    ]
    assert ghost.reads() == ["-- You logged in from elsewhere, so this connection ends."]
    assert ghost.closed and not ghost.member.present
    assert chat.hub.members["alice"] is again.member
    assert bob.reads() == [
        "-- alice left: logged in elsewhere (2 here)",
        f"-- {was} is now alice",
    ]


def test_who_has_the_nick_of_another_authority_s_account_gives_it_up() -> None:
    chat = Registered(others=elsewhere(bob=b"from elsewhere"))
    squatter, bob = chat.enter("bob"), chat.enter()
    bob.gets("/login bob from elsewhere")
    assert chat.hub.members["bob"] is bob.member
    assert squatter.member.present and squatter.member.guest
    lines = squatter.reads()
    assert lines[0] == "-- bob is registered, and its owner logged in."
    assert f"-- You are {squatter.member.nick} now." in lines
    assert squatter.gets("/nick bob") == [
        "-- bob is registered. If it is yours: /login bob PASSWORD"
    ]


def test_another_authority_s_account_is_known_from_then_on_and_its_password_is_not() -> None:
    chat = Registered(others=elsewhere(bob=b"from elsewhere"))
    chat.enter().gets("/login bob from elsewhere", "/quit")
    assert chat.database.load("SELECT account, nick, hash FROM accounts") == [("bob", "bob", None)]
    assert chat.enter().gets("/nick bob") == [
        "-- bob is registered. If it is yours: /login bob PASSWORD"
    ]
    assert chat.enter().gets("/login bob wrong-horse") == [WRONG]


def test_another_authority_s_owner_wins_over_who_registered_its_nick_here() -> None:
    chat = Registered(others=elsewhere(bob=b"from elsewhere"))
    squatter = chat.own("bob")
    squatter.gets("/nick rob")
    pending, owner = chat.enter(), chat.enter()
    chat.threads.held = True
    owner.gets("/login bob from elsewhere")
    pending.gets(f"/login bob {PASSWORD}")
    chat.threads.let_go()
    assert owner.member.account == "bob" and owner.member.nick == "bob"
    assert not squatter.member.account
    assert "-- The password of bob is kept elsewhere now: you are logged out." in squatter.reads()
    assert WRONG in pending.reads() and owner.member.present
    assert chat.database.load("SELECT hash FROM accounts") == [(None,)]
    assert chat.enter().gets(f"/login bob {PASSWORD}") == [WRONG]


def test_one_who_is_known_by_what_is_no_nick_here_is_told_why() -> None:
    chat = Registered(others=elsewhere(root=b"from elsewhere"))
    (line,) = chat.enter().gets("/login root from elsewhere")
    assert line.startswith("-- You are root, but can't be called that. ")
    assert not chat.accounts.nicks


def test_where_accounts_are_required_it_enters_the_lobby() -> None:
    chat = Registered("required")
    chat.own("alice").gets("/quit")
    again = chat.enter()
    assert again.gets(f"/login alice {PASSWORD}") == [
        "-- You are logged in as alice.",
        "-- You are alice in #lobby, alone.",
    ]


def test_where_they_are_not_it_stays_where_it_is() -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    again = chat.enter()
    again.gets("/join #ops", "/part #lobby", f"/login alice {PASSWORD}")
    assert [room.name for room in again.member.rooms] == ["#ops"]


# While the password is being compared


def compared(chat: Registered, line: str) -> Person:
    """Someone whose password is being compared."""
    chat.own("alice").gets("/quit")
    person = chat.enter()
    chat.threads.held = True
    assert person.gets(line) == []
    return person


def test_one_login_at_a_time() -> None:
    chat = Registered()
    person = compared(chat, f"/login alice {PASSWORD}")
    busy = "-- Your last password is still being looked at. Wait a moment."
    assert person.gets(f"/login alice {PASSWORD}") == [busy]
    chat.threads.let_go()
    assert person.reads() == ["-- You are logged in as alice."]
    assert person.gets("/logout") != [busy]


def test_one_who_leaves_meanwhile_is_told_nothing_and_logged_in_nowhere() -> None:
    chat = Registered()
    person = compared(chat, f"/login alice {PASSWORD}")
    chat.hub.leave(person.member, "", NOW, gone=True)
    chat.threads.let_go()
    assert person.reads() == []
    assert not person.member.account and "alice" not in chat.hub.members


def test_an_account_that_is_dropped_meanwhile_is_not_brought_back() -> None:
    chat = Registered()
    person = compared(chat, f"/login alice {PASSWORD}")
    chat.accounts.drop("alice")
    chat.threads.let_go()
    assert person.reads() == [WRONG]
    assert not chat.accounts.nicks and not chat.database.load("SELECT * FROM accounts")


def test_the_old_password_does_not_open_the_next_owner_s_account() -> None:
    chat = Registered()
    person = compared(chat, f"/login alice {PASSWORD}")
    chat.accounts.drop("alice")
    chat.accounts.add("alice", CHEAP.hash(b"another-one"), NOW)
    chat.threads.let_go()
    assert person.reads() == [WRONG] and not person.member.account


def test_the_old_password_opens_nothing_once_there_is_another() -> None:
    chat = Registered()
    person = compared(chat, f"/login alice {PASSWORD}")
    chat.accounts.change("alice", CHEAP.hash(b"another-one"))
    chat.threads.let_go()
    assert person.reads() == [WRONG] and not person.member.account


MEANWHILE = ["-- Your account was changed meanwhile. Try again."]


@pytest.mark.parametrize("line", [f"/password {PASSWORD} new-password", f"/drop {PASSWORD}"])
@pytest.mark.parametrize("password", ["another-one", PASSWORD])
@pytest.mark.parametrize("anew", [True, False])
def test_what_was_proven_of_an_account_does_not_hold_for_another(
    line: str, password: str, anew: bool
) -> None:
    hash = CHEAP.hash(password.encode())
    chat = Registered()
    alice = chat.own("alice")
    chat.threads.held = True
    alice.says(line)
    if anew:
        chat.accounts.drop("alice")
        chat.accounts.add("alice", hash, NOW)
    else:
        chat.accounts.change("alice", hash)
    chat.threads.let_go()
    assert alice.reads() == MEANWHILE
    assert chat.database.load("SELECT hash FROM accounts") == [(hash,)]


def test_nor_of_one_that_another_authority_knows() -> None:
    chat = Registered(others=elsewhere(bob=b"elsewhere"))
    bob = chat.enter()
    bob.gets("/login bob elsewhere")
    chat.threads.held = True
    bob.says("/drop elsewhere")
    chat.accounts.drop("bob")
    chat.accounts.add("bob", "another's", NOW)
    chat.threads.let_go()
    assert bob.reads() == MEANWHILE and set(chat.accounts.nicks) == {"bob"}


def test_a_password_that_waits_is_not_given_to_the_next_owner() -> None:
    chat = Registered()
    alice = chat.own("alice")
    chat.threads.held = True
    alice.says(f"/password {PASSWORD} new-password")
    chat.threads.step()  # the old one is right, and the new one waits
    chat.accounts.drop("alice")
    chat.accounts.add("alice", "another's", NOW)
    chat.threads.let_go()
    assert alice.reads() == MEANWHILE
    assert chat.database.load("SELECT hash FROM accounts") == [("another's",)]


def test_of_two_who_register_a_nick_the_first_has_it() -> None:
    chat = Registered()
    first, second = chat.enter("alice"), chat.enter()
    chat.threads.held = True
    first.gets(f"/register {PASSWORD}", "/nick al")
    second.gets("/nick alice", "/register another-one")
    first.gets("/quit")
    chat.threads.let_go()
    assert second.member.account == "alice"
    (row,) = chat.database.load("SELECT hash FROM accounts")
    assert CHEAP.verify(row[0], "another-one")


def test_of_two_who_log_in_at_once_the_later_stays() -> None:
    chat = Registered()
    first = compared(chat, f"/login alice {PASSWORD}")
    second = chat.enter()
    second.gets(f"/login alice {PASSWORD}")
    chat.threads.let_go()
    chat.end_turn()
    assert (first.closed, second.closed) == (True, False)
    assert chat.hub.members["alice"] is second.member


def test_when_too_many_log_in_it_is_told_and_no_try_is_counted() -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    chat.threads.held = True
    for _ in range(2 + MOST_WAITING):
        chat.passwords.hash(PASSWORD)
    person = chat.enter()
    for _ in range(10):
        assert person.gets(f"/login alice {PASSWORD}") == [
            "-- Too many are logging in at once. Try again in a moment."
        ]
    chat.threads.let_go()
    assert person.gets(f"/login alice {PASSWORD}") == ["-- You are logged in as alice."]


def test_a_database_that_fails_is_a_sentence_and_logged() -> None:
    class Broken(Stored):
        def read(self, sql: str, *parameters: object) -> Any:
            raise OSError(PASSWORD)

    chat = Registered(database=Broken())
    with logged() as events:
        assert chat.enter().gets(f"/login alice {PASSWORD}") == [
            "-- That could not be done now. Try again in a moment, or tell the operator."
        ]
    assert [event["error"] for event in events] == ["OSError"]


# Too many


def test_the_fourth_wrong_one_in_a_minute_is_not_even_looked_at() -> None:
    chat = Registered()
    eve = chat.enter(address="192.0.2.66")
    assert [eve.gets("/login alice guess") for _ in range(4)] == [
        *[[WRONG]] * 3,
        ["-- You try to log in too often. Wait 1 minute."],
    ]


def test_six_wrong_ones_end_it_for_a_connection() -> None:
    chat = Registered()
    eve = chat.enter()
    for _ in range(6):
        assert eve.gets("/login alice guess") == [WRONG]
        chat.now += 60
    assert eve.gets("/login alice guess") == [
        "-- That was wrong 6 times. Connect anew to try again."
    ]


def test_eleven_right_ones_in_a_minute_are_too_many() -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    for _ in range(10):
        alice = chat.enter(address="192.0.2.66")
        assert alice.gets(f"/login alice {PASSWORD}") == ["-- You are logged in as alice."]
        alice.gets("/quit")
    assert chat.enter(address="192.0.2.66").gets(f"/login alice {PASSWORD}") == [
        "-- You log in too often. Wait 1 minute."
    ]


def test_who_guesses_and_has_an_account_is_banned_as_well() -> None:
    chat = Registered()
    chat.own("mallory").gets("/quit")
    for _ in range(20):
        eve = chat.enter(address="192.0.2.66")
        eve.gets(f"/login mallory {PASSWORD}", "/login alice guess", "/quit")
        chat.now += 60
    assert len(chat.bans) == 1


def test_twenty_wrong_ones_ban_their_source_and_the_owner_logs_in_elsewhere() -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    for _ in range(20):
        eve = chat.enter(address="192.0.2.66")
        assert eve.gets("/login alice guess") == [WRONG]
        eve.gets("/quit")
        chat.now += 60
    then = chat.now - 60
    assert chat.bans == [("192.0.2.66", then + 3600, then)]
    owner = chat.enter(address="192.0.2.1")
    assert owner.gets(f"/login alice {PASSWORD}") == ["-- You are logged in as alice."]


def test_nothing_is_kept_of_who_is_gone() -> None:
    chat = Registered()
    eve = chat.enter()
    eve.gets("/login alice guess", "/quit")
    assert (
        not chat.registrar.proofs._under_way and not chat.registrar.proofs._guesses._by_connection
    )


# Over a connection that others can read


@pytest.mark.parametrize(
    "line", [f"/login alice {PASSWORD}", "/register hunter22", "/password a b", "/drop hunter22"]
)
def test_a_password_in_plain_text_is_not_taken_unless_it_may_be(line: str) -> None:
    chat = Registered()
    chat.own("alice").gets("/quit")
    person = Overheard(chat, "bob", "192.0.2.7")
    (reply,) = person.gets(line)
    assert reply.startswith("-- Your password would cross the network unencrypted")
    assert reply.endswith("Connect by TLS, or ask the operator for accounts: {plaintext: on}.")
    chat.registrar.proofs.plaintext = True
    assert person.gets(line) != [reply]


# Registering


def test_a_guest_registers_the_nick_it_took() -> None:
    chat = Registered()
    alice = chat.enter()
    assert alice.gets(f"/register {PASSWORD}") == ["-- Take a nick first: /nick NAME"]
    assert alice.gets("/nick alice", f"/register {PASSWORD}") == [
        "-- You are alice now.",
        "-- You registered alice, and are logged in.",
    ]
    assert alice.member.account == "alice"
    ((hash,),) = chat.database.load("SELECT hash FROM accounts")
    assert hash.startswith("$argon2id$")


@pytest.mark.parametrize("password", ["short", "x" * 1025])
def test_what_is_no_good_password_is_refused(password: str) -> None:
    chat = Registered()
    alice = chat.enter("alice")
    (line,) = alice.gets(f"/register {password}")
    assert line.startswith("-- A password has at ") and password not in line
    assert not chat.accounts.nicks


def test_who_has_an_account_does_not_register_another() -> None:
    chat = Registered()
    alice = chat.own("alice")
    assert alice.gets("/nick al", f"/register {PASSWORD}") == [
        "-- You are al now.",
        "-- You are logged in as alice. /logout first.",
    ]


def test_where_accounts_are_made_elsewhere_nobody_registers() -> None:
    chat = Registered(others=elsewhere(bob=b"from elsewhere"), registers=False)
    for nick in ("bob", "alice", ""):
        assert chat.enter(nick).gets(f"/register {PASSWORD}") == [
            "-- Accounts are made elsewhere here: ask the operator for one."
        ]
    assert not chat.accounts.nicks


class Overheard(Person):
    is_private = False


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""])
def test_an_operator_s_nick_is_registered_from_this_machine(address: str) -> None:
    chat = Registered(reserved={"root-1"})
    chat.enter("Root-1", address).gets(f"/register {PASSWORD}")
    assert chat.accounts.nicks == {"root-1": "Root-1"}


@pytest.mark.parametrize(
    ("kind", "address"), [(Person, "192.0.2.1"), (Person, "2001:db8::1"), (Overheard, "127.0.0.1")]
)
def test_an_operator_s_nick_is_registered_from_nowhere_else(
    kind: type[Person], address: str
) -> None:
    chat = Registered(reserved={"root-1"})
    chat.registrar.proofs.plaintext = True
    assert kind(chat, "Root-1", address).gets(f"/register {PASSWORD}")[-1] == (
        "-- That nick is kept for the server's operator: register it from the server's own machine."
    )
    kind(chat, "ann", address).gets(f"/register {PASSWORD}")
    assert set(chat.accounts.nicks) == {"ann"}


def test_who_changes_its_nick_meanwhile_registers_nothing() -> None:
    chat = Registered()
    alice = chat.enter("alice")
    chat.threads.held = True
    alice.gets(f"/register {PASSWORD}", "/nick bob")
    chat.threads.let_go()
    assert alice.reads() == ["-- You changed your nick meanwhile: not registered. /register again."]
    assert not chat.accounts.nicks


def test_who_goes_meanwhile_registers_nothing() -> None:
    chat = Registered()
    alice = chat.enter("alice")
    chat.threads.held = True
    alice.gets(f"/register {PASSWORD}", "/quit")
    chat.threads.let_go()
    assert not chat.accounts.nicks


def test_the_fourth_registration_in_an_hour_from_one_source_is_refused() -> None:
    chat = Registered()
    for nick in ("a", "b", "c"):
        person = chat.enter(nick, "192.0.2.9")
        person.gets(f"/register {PASSWORD}")
    fourth = chat.enter("d", "192.0.2.9")
    assert fourth.gets(f"/register {PASSWORD}") == ["-- You register too many nicks. Wait 1 hour."]
    assert set(chat.accounts.nicks) == {"a", "b", "c"}


# Logging out, another password, no account any more


def test_who_logs_out_is_a_guest() -> None:
    chat = Registered()
    alice = chat.own("alice")
    (line,) = alice.gets("/logout")
    assert line == f"-- You are logged out, and are {alice.member.nick} now."
    assert alice.member.guest and not alice.member.account and alice.member.rooms
    assert alice.gets("/logout") == ["-- You are not logged in. /login NICK PASSWORD does."]


def test_where_accounts_are_required_it_is_out_of_its_rooms_then() -> None:
    chat = Registered("required")
    alice = chat.own("alice")
    alice.gets("/join #ops", "/logout")
    assert not alice.member.rooms
    assert alice.gets("/join #lobby") == [LOG_IN_FIRST]


def test_the_new_password_is_right_and_the_old_one_is_not() -> None:
    chat = Registered()
    alice = chat.enter("alice")
    alice.gets("/register old-password")
    assert alice.gets("/password old-password new-password") == ["-- Your password is changed."]
    alice.gets("/quit")
    assert chat.enter().gets("/login alice old-password") == [WRONG]
    assert chat.enter().gets("/login alice new-password") == ["-- You are logged in as alice."]


def test_logging_out_counts_as_a_change_of_nick() -> None:
    chat = Registered()
    alice = chat.own("alice")
    for _ in range(6):
        assert alice.gets("/logout")[0].startswith("-- You are logged out")
        alice.gets(f"/login alice {PASSWORD}")
    assert alice.gets("/logout") == ["-- You log in and out too fast. Wait 10 seconds."]
    assert alice.member.account == "alice"


def sessions(chat: Registered) -> tuple[Person, Person, Person]:
    """Three who are logged in to one account, as al, alex and alice."""
    al = chat.own("alice")
    al.gets("/nick al")
    alex, alice = chat.enter(), chat.enter()
    alex.gets(f"/login alice {PASSWORD}", "/nick alex")
    alice.gets(f"/login alice {PASSWORD}")
    al.reads()
    return al, alex, alice


def test_another_password_logs_out_the_account_s_other_sessions() -> None:
    chat = Registered()
    al, alex, alice = sessions(chat)
    told = "-- The password of alice is changed: you are logged out."
    assert "-- Your password is changed." in al.gets(f"/password {PASSWORD} new-password")
    assert [each.member.account for each in (al, alex, alice)] == ["alice", "", ""]
    assert told in alex.reads() and told in alice.reads()
    assert alex.member.nick == "alex" and alice.member.guest
    assert al.gets("/nick alice") == ["-- You are alice now."]


def test_where_accounts_are_required_they_are_out_of_their_rooms() -> None:
    chat = Registered("required")
    al, alex, alice = sessions(chat)
    alice.gets(f"/password {PASSWORD} new-password")
    assert alice.member.rooms and not al.member.rooms and not alex.member.rooms


def test_an_account_that_is_needed_is_not_dropped() -> None:
    def needed(account: str, now: float) -> None:
        raise NotAllowed(f"{account} owns a room.")

    chat = Registered()
    alice = chat.own("alice")
    chat.accounts.on_before_drop.append(needed)
    assert alice.gets("/drop wrong-one") == ["-- Wrong password."]
    assert alice.gets(f"/drop {PASSWORD}") == ["-- alice owns a room."]
    assert alice.member.account == "alice" and set(chat.accounts.nicks) == {"alice"}
    chat.accounts.on_before_drop.clear()
    assert len(alice.gets(f"/drop {PASSWORD}")) == 2


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("/password wrong-one new-password", "-- Wrong password."),
        ("/drop wrong-one", "-- Wrong password."),
        (
            "/password correct short",
            "-- A password has at least 8 characters. Choose a longer one.",
        ),
    ],
)
def test_nothing_changes_without_the_password(line: str, reply: str) -> None:
    chat = Registered()
    alice = chat.own("alice")
    before = chat.database.load("SELECT * FROM accounts")
    assert alice.gets(line) == [reply]
    assert chat.database.load("SELECT * FROM accounts") == before


def test_a_password_that_is_kept_elsewhere_is_changed_there() -> None:
    chat = Registered(others=elsewhere(bob=b"elsewhere"))
    bob = chat.enter()
    bob.gets("/login bob elsewhere")
    assert bob.gets("/password elsewhere new-password") == [
        "-- Your password is not kept here. Change it where it is."
    ]


def test_who_drops_its_account_keeps_its_nick_while_it_is_here() -> None:
    chat = Registered()
    alice = chat.own("alice")
    assert alice.gets(f"/drop {PASSWORD}") == [
        "-- The account alice is deleted: you are logged out.",
        "-- Anyone may take the nick alice from now on.",
    ]
    assert alice.member.nick == "alice" and not alice.member.account
    assert not chat.accounts.nicks and not chat.database.load("SELECT * FROM accounts")


def test_where_accounts_are_required_it_is_out_of_its_rooms_as_well() -> None:
    chat = Registered("required")
    alice = chat.own("alice")
    alice.gets(f"/drop {PASSWORD}")
    assert not alice.member.rooms


@pytest.mark.parametrize("line", ["/password a new-password", "/drop a"])
def test_who_is_not_logged_in_has_nothing_to_change(line: str) -> None:
    chat = Registered()
    reply = ["-- You are not logged in. /login NICK PASSWORD does."]
    assert chat.enter().gets(line) == reply


# No password shows

SECRETS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=6, max_size=30).map(
    lambda text: f"~{text}~"
)
LINES = (
    "/login {0}", "/login alice {0}", "/login nobody {0}", "/register {0}", "/password {0} {0}",
    "/password {0} correct-horse", "/drop {0}", " /login {0}", "  /register {0}", " /oper bob {0}",
    "/login {0} {0}", "/drop {0} {0}", "/login bob {0}",
)  # fmt: skip


@given(SECRETS, st.sampled_from(LINES), st.booleans(), st.sampled_from(["bob", "alice", ""]))
def test_no_password_is_told_said_logged_or_raised(
    secret: str, line: str, private: bool, nick: str
) -> None:
    chat = Registered(others=elsewhere(bob=secret.encode()))
    chat.own("alice").gets("/quit")
    witness = chat.enter("witness")
    person = chat.enter(nick if nick != "alice" else "")
    if nick == "alice":
        person.gets(f"/login alice {PASSWORD}")
    person.is_private = private
    with logged() as events:
        speak(chat.hub, person.member, line.format(secret), chat.now)
        told = person.reads() + witness.reads()
    stored = chat.database.load("SELECT * FROM accounts")
    assert secret not in "\n".join(told)
    assert secret not in repr(events) and secret not in repr(stored)


def test_a_program_s_password_that_is_no_text_is_refused_without_it() -> None:
    chat = Registered()
    member = chat.enter("bob").member
    with pytest.raises(Exception, match="no text") as caught:
        chat.logins.login(chat.hub, member, "alice", "hunter\ud800", NOW)
    assert "hunter" not in repr(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_what_waits_for_a_login_is_called_with_each() -> None:
    chat = Registered()
    seen: list[str] = []
    chat.registrar.sessions.on_login.append(lambda hub, member, now: seen.append(member.account))
    chat.own("alice").gets("/quit")
    chat.enter().gets(f"/login alice {PASSWORD}")
    assert seen == ["alice", "alice"]


def test_too_many_is_a_chat_error() -> None:
    chat = Registered()
    eve = chat.enter()
    for _ in range(3):
        eve.gets("/login alice guess")
    with pytest.raises(TooMany):
        chat.logins.login(chat.hub, eve.member, "alice", "guess", NOW)
