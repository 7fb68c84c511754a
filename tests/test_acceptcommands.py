"""/private and /accept: the transcripts of transcripts.txt, and with accounts."""

from __future__ import annotations

from tests.moderated import classroom, person


def test_who_is_logged_in_needs_no_acceptance_and_is_listed_by_its_account() -> None:
    chat = classroom()
    ann, bob, eve = person(chat, "ann"), person(chat, "bob"), chat.logged_in("eve")
    assert bob.gets("/private ACCOUNTS") == [
        "-- Only who is logged in may write to you alone, and whom you /accept."
    ]
    assert eve.gets("/msg bob hi") == ["[you -> bob] hi"] and ann.gets("/msg bob hi")
    assert person(chat, "cy").gets("/msg bob hi") == [
        "-- Only who is logged in may write to bob alone: /login or /register first."
    ]
    assert bob.reads() == ["[eve -> you] hi", "[ann -> you] hi"]
    assert bob.gets("/accept eve", "/accept") == [
        "-- eve may write to you alone, logged in or not.", "-- You accept eve.",
    ]  # fmt: skip
