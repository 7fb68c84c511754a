"""Each command that keeps order: who may, what it does, where it shows, what of it is kept."""

from __future__ import annotations

import pytest

from tests.inmemory import STAMP
from tests.moderated import Moderated, classroom, person

# As it is given by an operator of #a, and what the room is then shown.
ACTS = [
    ("/kick bob", "-- bob was kicked by ann (2 here)"),
    ("/kick bob spam", "-- bob was kicked by ann: spam (2 here)"),
    ("/kick #a bob spam", "-- bob was kicked by ann: spam (2 here)"),
    ("/ban bob 10m spam", "-- bob was kicked by ann: banned for 10 minutes: spam (2 here)"),
    ("/ban bob", "-- bob was kicked by ann: banned (2 here)"),
    ("/ban 192.0.2.0/24 spam", "-- bob was kicked by ann: banned: spam (2 here)"),
    ("/ban 198.51.100.1 1h", "-- ann banned 198.51.100.1 for 1 hour"),
    ("/mute bob 10m spam", "-- ann muted bob for 10 minutes: spam"),
    ("/mute bob some 5 times a day", "-- ann muted bob: some 5 times a day"),
    ("/mute all", "-- ann muted everyone who has no voice"),
    ("/mute all exam", "-- ann muted everyone who has no voice: exam"),
    ("/unmute all", "-- ann unmuted everyone"),
    ("/voice bob", "-- ann gave bob a voice"),
    ("/slow 5", "-- ann slowed #a: one line every 5 seconds for each"),
    ("/slow off", "-- ann took the slowness off"),
    ("/lock", "-- ann locked #a: one enters by invitation only"),
    ("/lock sesame", "-- ann locked #a: one enters by invitation or with the key"),
    ("/lock topic", "-- ann locked the topic"),
    ("/unlock", "-- ann unlocked #a"),
    ("/unlock topic", "-- ann unlocked the topic"),
    ("/invite dan", "-- ann invited dan"),
    ("/op bob", "-- ann made bob an operator"),
    ("/keep off", "-- ann chose: what is said here is not kept"),
    ("/keep on", "-- ann chose: what is said here is kept"),
]
NOT_IN_ROOM = (
    "/rename bob rob",
    "/kill bob",
    "/announce hi",
    "/audit",
    "/bans server",
    "/ban server bob",
)
UNDONE = "/unban bob", "/unmute bob", "/unvoice bob", "/deop bob", "/redact 7", "/bans"
SETS = "/set limit 5", "/set secret on", "/set except b!*@*", "/roomname #b", "/registerroom"
ONLY_AUTHOR = "-- Only who said a line can take it out, or an operator of the room: ask one."
ONLY_OPERATOR = "-- Only an operator of the room can do that: ask one."
ONLY_OWNER = "-- Only who made the room can do that, or a server operator: ask one."
ONLY_SERVER = "-- Only a server operator can do that: ask one."


@pytest.mark.parametrize(("command", "shown"), ACTS)
def test_the_room_is_shown_who_did_what_to_whom_and_why(command: str, shown: str) -> None:
    chat = classroom()
    assert person(chat, "ann").gets(command) == [shown]
    assert person(chat, "cy").reads()[:1] == [shown]
    ((by, action, room, _, _),) = chat.audited()
    assert (by, room) == ("ann", "#a") and command.startswith(f"/{action}")


@pytest.mark.parametrize("command", [*(c for c, _ in ACTS), *NOT_IN_ROOM, *UNDONE, *SETS])
def test_who_has_no_say_is_refused_and_nothing_happens(command: str) -> None:
    chat = classroom()
    person(chat, "cy").gets("/join #b")  # where cy has one, which does not count in #a
    person(chat, "cy").gets("/join #a")
    person(chat, "bob").says("a line")
    chat.clear()
    line = chat.hub.rooms["#a"].recent[-1].id
    command = command.replace("/redact 7", f"/redact {line}")
    before = chat.database.connection.total_changes
    reply = person(chat, "cy").gets(command)
    assert reply and reply[0] in (ONLY_AUTHOR, ONLY_OPERATOR, ONLY_OWNER, ONLY_SERVER)
    assert person(chat, "bob").reads() == []
    assert chat.database.connection.total_changes == before


@pytest.mark.parametrize("command", [c for c, _ in ACTS])
def test_a_server_operator_may_from_outside_and_is_told_what_was_done(command: str) -> None:
    chat = classroom()
    zed = chat.logged_in("zed")
    name, _, rest = command.partition(" ")
    rest = rest if rest.startswith("#") else f"#a {rest}"
    (reply,) = zed.gets(f"{name} {rest}")
    assert reply.startswith(("-- You ", "-- zed "))


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("/kick dan", "-- dan is not in #a. /who lists who is."),
        ("/kick eve", "-- Nobody here is called eve. /who lists who is here."),
        ("/kick ann", "-- You can't kick yourself. /part leaves the room."),
        ("/ban ann", "-- You can't do that to ann, only to who ranks below you here."),
        ("/ban 203.0.113.0/24", "-- That would ban you too. Name somebody else, or a smaller "),
        ("/mute 203.0.113.1", "-- That would mute you too. Name somebody else, or a smaller range"),
        ("/ban 0.0.0.0/0", "-- A range has from 8 to 32 bits after the slash of 0.0.0.0/0."),
        (
            "/ban 10.0.0.0/x",
            "-- After the slash of 10.0.0.0/x there has to be a number of",
        ),
        ("/ban ::/16", "-- ::/16 holds this machine's own address, which everyone on it shares."),
        ("/ban 127.0.0.1", "-- That is this machine's own address, which everyone on it shares."),
        ("/ban ::1", "-- That is this machine's own address, which everyone on it shares."),
        ("/ban eve", "-- Nobody here is called eve, and it is no account and no IP address."),
        ("/ban bob 0m", "-- For no time at all is not at all: say 10m, 2h or 30d, or leave it"),
        (
            "/ban bob 1x",
            "-- A length of time is a number and s, m, h or d: 45s, 10m, 2h, 30d. "
            "If 1x begins the reason, put a word before it.",
        ),
        ("/mute bob 99999999999d", "-- A length of time is a number and s, m, h or d"),
        ("/ban bob 9999999999d", "-- The longest time there may be is 36500d."),
        ("/ban", "-- Usage: /ban [server|#ROOM] NICK|MASK|ADDRESS[/BITS] [10m|2h|30d] [WHY]"),
        ("/ban #a", "-- Usage: /ban [server|#ROOM] NICK|MASK|ADDRESS[/BITS] [10m|2h|30d] [WHY]"),
        ("/ban #nowhere bob", "-- Nobody is in #nowhere. /join it first."),
        ("/ban zed", "-- You can't do that to zed, only to who ranks below you here."),
        ("/unban bob", "-- bob is not banned in #a. /bans lists who is."),
        ("/unmute 1", "-- 1 is not muted in #a. /bans lists who is."),
        ("/mute all 10m", "-- /mute all holds until /unmute all: leave out the time."),
        ("/bans", "-- Nobody is banned or muted in #a."),
        ("/unvoice bob", "-- There is nothing to take back: bob was not given it here."),
        ("/voice eve", "-- Nobody here is called eve, and it is no account. /who lists who is"),
        ("/slow 3601", "-- Usage: /slow SECONDS, from 1 to 3600, or /slow off."),
        ("/slow 0", "-- Usage: /slow SECONDS, from 1 to 3600, or /slow off."),
        ("/slow -1", "-- Usage: /slow SECONDS, from 1 to 3600, or /slow off."),
        ("/unlock x", "-- Usage: /unlock, or /unlock topic."),
        ("/invite bob", "-- bob is in #a already."),
        ("/keep maybe", "-- Usage: /keep on, or /keep off."),
        ("/redact x", "-- Usage: /redact ID [WHY]. /timestamp id shows the ids of lines."),
        ("/ban server bob", ONLY_SERVER),
    ],
)
def test_what_can_not_be_is_refused_with_a_sentence(command: str, reply: str) -> None:
    chat = classroom()
    (line,) = person(chat, "ann").gets(command)
    assert line.startswith(reply)
    assert person(chat, "bob").reads() == [] == chat.audited()


def test_who_was_named_is_so_after_a_restart_if_it_has_an_account() -> None:
    chat = Moderated()
    ann = chat.logged_in("ann", "#a")
    ann.gets("/op bob", "/voice cy", "/slow 9", "/lock k", "/mute all")
    rules = chat.restarted().moderation.rooms.get("#a")
    assert rules is not None
    assert rules.grants == {"operator": {"bob"}, "voice": {"cy"}}
    assert (rules.slow, rules.key, rules.invite_only, rules.muted) == (9, "k", False, True)
    ann.gets("/deop bob", "/unvoice cy", "/slow off", "/unlock", "/unmute all")
    rules = chat.restarted().moderation.rooms.get("#a")
    assert rules is not None and rules.is_bare


def test_an_invitation_is_told_and_lost_with_a_kick() -> None:
    chat = classroom()
    ann, dan = person(chat, "ann"), person(chat, "dan")
    ann.gets("/lock", "/invite dan")
    assert dan.reads() == ["-- ann invites you to #a: /join #a"]
    dan.gets("/join #a")
    ann.gets("/kick dan")
    assert dan.gets("/join #a") == ["-- #a is locked: an operator of it has to /invite you."]
    dan.gets("/ignore ann")
    ann.gets("/invite dan")
    assert dan.reads() == []


def test_an_operator_may_redact_which_the_history_does() -> None:
    chat = classroom()
    ann = person(chat, "ann")
    person(chat, "bob").says("darn")
    line = chat.hub.rooms["#a"].recent[-1].id
    shown = f"-- ann took out line {line}, by bob: rude words"
    assert ann.gets(f"/redact #{line} rude words") == [shown]
    assert chat.audited() == [("ann", "redact", "#a", str(line), "rude words")]
    assert ann.gets(f"/redact {line}", "/redact 7") == [
        f"-- #a has no line {id} that could be taken out. /timestamp id shows the numbers of lines."
        for id in (line, 7)
    ]


def test_a_server_operator_announces_to_everyone() -> None:
    chat = classroom()
    zed, dan = chat.logged_in("zed"), person(chat, "dan")
    assert zed.gets("/announce tea!") == ["-- zed announces: tea!"]
    assert dan.reads() == ["-- zed announces: tea!"]


def test_a_server_operator_renames_who_ranks_below() -> None:
    chat = classroom()
    zed, cy = chat.logged_in("zed"), person(chat, "cy")
    assert zed.gets("/rename bob rob rude")[-1] == "-- zed renamed bob to rob: rude"
    assert cy.reads() == [
        "-- bob is now rob",
        "[#lobby] -- zed renamed bob to rob: rude",
        "-- zed renamed bob to rob: rude",
    ]
    assert zed.gets("/rename rob rob", "/rename rob ann", "/rename rob admin") == [
        "-- rob is called so already.",
        "-- ann is registered, and not by rob. Choose another nick.",
        '-- The nick "admin" is reserved: choose another.',
    ]


def test_the_audit_is_read_by_who_runs_the_server() -> None:
    chat = classroom()
    zed, ann = chat.logged_in("zed"), person(chat, "ann")
    when = STAMP[1:-1]
    assert zed.gets("/audit") == ["-- Nothing was done yet."]
    ann.gets("/slow 5", "/kick bob spam")
    kick = f"-- {when} ann (account ann, 203.0.113.1): kick bob in #a: spam"
    assert zed.gets("/audit 1") == [kick]
    assert len(zed.gets("/audit")) == 2
    usage = "-- Usage: /audit [N], with N from 1 on."
    assert zed.gets("/audit 0", "/audit x") == [usage, usage]


def test_a_class_a_teacher_locks_slows_and_mutes_all_but_the_named() -> None:
    chat = Moderated()
    teacher = chat.guest("teacher", "#class", "192.0.2.1")
    ben, eva, tom = (chat.guest(n, "#class", "192.0.2.1") for n in ("ben", "eva", "tom"))
    late = chat.guest("late", address="192.0.2.1")
    teacher.gets("/lock", "/slow 10", "/mute all exam", "/voice eva")
    chat.clear()
    assert late.gets("/join #class") == [
        "-- #class is locked: an operator of it has to /invite you."
    ]
    assert "-- #class is muted" in ben.gets("psst")[0]
    eva.gets("May I?", "Please?")  # a voice need not wait either
    assert teacher.reads() == ["<eva> May I?", "<eva> Please?"]
    teacher.gets("/unmute all", "/invite late")
    late.gets("/join #class")
    assert "one line every 10 seconds" in tom.gets("one", "two")[-1]
    teacher.gets("/mute tom 10m noise")
    assert "-- You are muted in #class by teacher" in tom.gets("three")[0]
    ben.reads()
    assert ben.gets("four") == []
    teacher.gets("/kick ben enough")
    assert "-- #class is locked" in ben.gets("/join #class")[0]
    for someone in (teacher, eva, tom, late):
        someone.gets("/part #class")
    ben.gets("/join #class")
    assert chat.hidden == ["#class"]
    assert "May I?" not in str(ben.reads())


def test_what_guests_do_in_a_room_of_theirs_is_not_audited_but_what_the_server_does() -> None:
    chat = Moderated()
    guest, zed, ann = chat.guest("guest", "#g"), chat.logged_in("zed", "#g"), chat.logged_in("ann")
    chat.guest("troll", "#g", "192.0.2.1")
    guest.gets("/slow 5", "/ban troll", "/unban 1", "/redact 1", "/lock", "/lock topic")
    assert chat.audited() == []
    ann.gets("/join #a", "/slow 5")
    zed.gets("/kick guest")
    assert [act[:3] for act in chat.audited()] == [("ann", "slow", "#a"), ("zed", "kick", "#g")]
