"""How events read on IRC, for who has which capabilities: each event once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.events import Acted, Event, Gone, Kicked, Left, Notice, Profile, Said, Tagged, Told
from chatroom.identity import Identity, Manner
from chatroom.protocols.irc.capabilities import RENDERED
from chatroom.protocols.irc.view import IRCView
from chatroom.protocols.irc.wire import LINE_BYTES, parse
from tests.irc.chatting import Chatting

FACTORY = Chatting().irc
WHO = Identity("~a", "h.example", "", "Ann")
BOT = Identity("~a", "h.example", "acct", "Ann", bot=True)
AT = 1_790_000_000.5
BY = 7, AT, "#x", "ann", "ann"
ALL = sorted(RENDERED)


def lines(event: Event, *caps: str) -> list[str]:
    """What somebody with these capabilities gets."""
    view = FACTORY.view_for(frozenset(caps))
    return view.join(view.render([event])).decode().split("\r\n")[:-1]


SAID = Said(*BY, "hi", WHO)
TAGGED = Manner(tags=(("+x", "1 2"), ("+y", "")))


@pytest.mark.parametrize(
    ("event", "caps", "written"),
    [
        (SAID, "", [":ann!~a@h.example PRIVMSG #x :hi"]),
        (SAID, "server-time", ["@time=2026-09-21T14:13:20.500Z :ann!~a@h.example PRIVMSG #x :hi"]),
        (SAID, "message-tags", ["@msgid=7 :ann!~a@h.example PRIVMSG #x :hi"]),
        (SAID, "account-tag", [":ann!~a@h.example PRIVMSG #x :hi"]),
        (Said(*BY, "hi", BOT), "account-tag", ["@account=acct :ann!~a@h.example PRIVMSG #x :hi"]),
        (Said(*BY, "hi", BOT), "message-tags",
         ["@msgid=7;bot;draft/bot :ann!~a@h.example PRIVMSG #x :hi"]),
        (Said(*BY, "hi", WHO, TAGGED), "message-tags",
         [r"@+x=1\s2;+y;msgid=7 :ann!~a@h.example PRIVMSG #x :hi"]),
        (Said(*BY, "hi", WHO, TAGGED), "", [":ann!~a@h.example PRIVMSG #x :hi"]),
        (Said(*BY, "hi", WHO, Manner("\x02hi", notice=True)), "",
         [":ann!~a@h.example NOTICE #x :\x02hi"]),
        (Said(*BY, "one\ntwo", WHO), "message-tags",
         ["@msgid=7 :ann!~a@h.example PRIVMSG #x :one", ":ann!~a@h.example PRIVMSG #x :two"]),
        (Said(*BY, "one\n\ntwo", WHO), "batch draft/multiline message-tags",
         ["@msgid=7 :ann!~a@h.example BATCH +m7 draft/multiline #x",
          "@batch=m7 :ann!~a@h.example PRIVMSG #x :one",
          "@batch=m7 :ann!~a@h.example PRIVMSG #x :",
          "@batch=m7 :ann!~a@h.example PRIVMSG #x :two",
          ":ann!~a@h.example BATCH -m7"]),
        (Acted(*BY, "waves", WHO), "", [":ann!~a@h.example PRIVMSG #x :\x01ACTION waves\x01"]),
        (Told(7, AT, None, "ann", "ann", "bob", "psst", False, WHO), "message-tags",
         ["@msgid=7 :ann!~a@h.example PRIVMSG bob :psst"]),
        (Told(8, AT, None, "ann", "ann", "ann", "psst", False, WHO, copy_of=7), "message-tags",
         ["@msgid=7 :ann!~a@h.example PRIVMSG ann :psst"]),
        (Tagged(*BY, "#x", WHO, TAGGED), "", []),
        (Tagged(*BY, "#x", WHO, TAGGED), "message-tags",
         [r"@+x=1\s2;+y;msgid=7 :ann!~a@h.example TAGMSG #x"]),
        (Left(*BY, 3, "bye", WHO), "", [":ann!~a@h.example PART #x :bye"]),
        (Left(*BY, 3, "", WHO), "", [":ann!~a@h.example PART #x"]),
        (Kicked(7, AT, "#x", "bob", "bob", 3, "out", "ann", WHO, "ann", WHO), "",
         [":ann!~a@h.example KICK #x bob :out"]),
        (Notice(7, AT, "#x", "", "", "hello"), "", [":chatroom.local NOTICE #x :hello"]),
    ],
)  # fmt: skip
def test_an_event_is_written_for_who_has_these(event: Event, caps: str, written: list[str]) -> None:
    assert lines(event, *caps.split()) == written


def test_a_view_is_the_same_for_who_has_the_same() -> None:
    assert FACTORY.view_for(frozenset({"batch"})) is FACTORY.view_for(frozenset({"batch"}))
    assert FACTORY.view_for(frozenset({"batch"})) is not FACTORY.view_for(frozenset())


def test_the_rest_of_a_batch_is_a_part_of_it() -> None:
    view: IRCView = FACTORY.view_for(frozenset())
    events = [Said(number, AT, "#x", "ann", "ann", "hi", WHO) for number in range(3)]
    frames = view.render(events)
    assert view.join(frames[:1]) + view.join(view.rest(frames, 1)) == view.join(frames)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=700)


@given(TEXTS.filter(str.strip), st.sets(st.sampled_from(ALL)), st.sampled_from([Said, Acted]))
def test_a_text_of_any_length_fits_the_lines_and_nothing_of_it_is_lost(
    text: str, caps: set[str], kind: Any
) -> None:
    event = kind(*BY, text, BOT)
    found = lines(event, *caps)
    shown = ""
    for line in found:
        body = line.partition(" ")[2] if line.startswith("@") else line
        assert len(body.encode()) + 2 <= LINE_BYTES
        message = parse(line.encode())
        shown += _text(message.command, message.params)
    assert shown.replace(" ", "") == text.replace(" ", "")


def _text(command: str, params: Sequence[str]) -> str:
    if command == "BATCH":
        return ""
    assert command == "PRIVMSG"
    return params[1].removeprefix("\x01ACTION ").removesuffix("\x01")


def test_who_goes_is_told_as_QUIT_in_words_that_cannot_be_faked() -> None:
    for said, reason in ((False, "Ping timeout"), (True, "Quit: Ping timeout")):
        gone = Gone(7, AT, None, "ann", "ann", "Ping timeout", WHO, said)
        assert lines(gone) == [f":ann!~a@h.example QUIT :{reason}"]


@pytest.mark.parametrize(
    ("cap", "changed", "away", "written"),
    [
        ("account-notify", {"account": "acct"}, None, [":ann!~a@h.example ACCOUNT acct"]),
        ("setname", {"realname": "A"}, None, [":ann!~a@h.example SETNAME :A"]),
        ("chghost", {"host": "h"}, None, [":ann!~a@h.example CHGHOST ~a h"]),
        ("away-notify", {}, "lunch", [":ann!~a@h.example AWAY :lunch"]),
    ],
)
def test_what_one_is_changes_for_who_has_asked(
    cap: str, changed: dict[str, Any], away: str | None, written: list[str]
) -> None:
    event = Profile(7, AT, None, "ann", "ann", WHO, WHO._replace(**changed), None, away)
    assert lines(event, cap) == written
    others = [
        each for each in ALL if each not in (cap, "message-tags", "server-time", "account-tag")
    ]
    assert lines(event, *others) == []
