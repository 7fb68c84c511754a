"""/kick, /ban and /mute: whom they meet, until when, and what undoes them."""

from __future__ import annotations

import pytest

from chatroom.store import sanctions
from tests.moderated import Moderated, classroom, person


def test_who_is_banned_may_come_back_in_time_or_when_that_is_lifted() -> None:
    chat = classroom()
    ann, bob = person(chat, "ann"), person(chat, "bob")
    ann.gets("/ban bob 10m spam")
    assert bob.reads()[0] == "-- You were kicked from #a by ann: banned for 10 minutes: spam"
    chat.now += 60
    assert bob.gets("/join #a") == ["-- You are banned from #a by ann, for another 9 minutes: spam"]
    again = chat.restarted()
    bob_again = again.guest("bob2", address="192.0.2.1")
    assert again.now == chat.now and "banned from #a" in bob_again.gets("/join #a")[0]
    chat.now += 540
    bob.gets("/join #a")
    ann.gets("/ban bob")
    assert ann.gets("/unban bob sorry") == ["-- ann unbanned bob: sorry"]
    bob.gets("/join #a")
    assert bob.member in chat.hub.rooms["#a"].members


def test_who_is_muted_may_speak_in_time_or_when_that_is_lifted() -> None:
    chat = classroom()
    ann, bob = person(chat, "ann"), person(chat, "bob")
    ann.gets("/mute bob 10m spam")
    assert bob.gets("hi") == ["-- You are muted in #a by ann, for another 10 minutes: spam"]
    bob.gets("/part", "/join #a")
    assert "-- You are muted" in bob.gets("hi")[0]
    again = chat.restarted()
    muted = again.guest("bob", "#a", "192.0.2.1")
    assert "-- You are muted" in muted.gets("hi")[0]
    again.now += 600
    assert muted.gets("hi") == []
    ann.gets("/unmute bob")
    bob.reads()
    assert bob.gets("hi") == []


def test_an_account_is_banned_by_its_name_when_it_is_away() -> None:
    chat = classroom()
    ann = person(chat, "ann")
    chat.registered.add("eve")
    assert ann.gets("/ban Eve 1h") == ["-- ann banned Eve for 1 hour"]
    eve = chat.logged_in("eve", address="192.0.2.99")
    assert eve.gets("/join #a") == ["-- You are banned from #a by ann, for another 1 hour."]
    eve.member.account = ""
    eve.gets("/join #a")
    assert eve.member in chat.hub.rooms["#a"].members


def test_a_guest_behind_the_address_of_who_bans_it_is_banned_by_its_nick_alone() -> None:
    chat = Moderated()
    ann = chat.logged_in("ann", "#a", "192.0.2.1")
    bob, cy = chat.guest("pupil", "#a", "192.0.2.1"), chat.guest("other", "#a", "192.0.2.1")
    ann.gets("/ban pupil")
    assert set(chat.hub.rooms["#a"].members) == {ann.member, cy.member}
    assert "-- You are banned from #a" in bob.gets("/join #a")[0]


def test_who_shares_the_address_of_who_is_banned_goes_too_and_that_is_said() -> None:
    chat = classroom()
    chat.guest("eve", "#a", "192.0.2.1")
    ann = person(chat, "ann")
    lines = ann.gets("/ban bob")
    assert lines[-1] == "-- That holds for eve too, who came from the same address."
    assert {member.nick for member in chat.hub.rooms["#a"].members} == {"ann", "cy"}


def test_who_is_an_operator_ceases_to_be_one_when_banned_and_an_owner_can_not_be() -> None:
    chat = classroom()
    ann, bob, zed = person(chat, "ann"), person(chat, "bob"), chat.logged_in("zed", "#a")
    ann.gets("/op bob", "/mute bob")
    assert "-- You are muted" in bob.gets("hi")[0]
    assert zed.gets("/ban ann") == [
        "-- ann made #a, where that holds for no owner: /ban server ann would."
    ]


def test_a_range_passes_by_the_operators_of_a_room() -> None:
    chat = classroom()
    ann = person(chat, "ann")
    ann.gets("/op cy", "/ban 198.51.100.0/24")
    assert "cy" in {member.nick for member in chat.hub.rooms["#a"].members}


def test_a_ban_from_the_server_puts_out_all_it_meets_and_shows_why() -> None:
    chat = classroom()
    zed, ann, bob = chat.logged_in("zed"), person(chat, "ann"), person(chat, "bob")
    assert zed.gets("/ban server bob 2h spam")[-1] == (
        "-- You banned bob everywhere for 2 hours: spam"
    )
    assert bob.reads() == ["-- You were banned by zed for 2 hours: spam"] and bob.closed
    assert ann.reads()[-1] == "-- bob left: banned by zed for 2 hours: spam (2 here)"
    for known in (chat, chat.restarted()):
        with pytest.raises(Exception, match="Your address is banned by zed"):
            known.moderation.admit("192.0.2.1", chat.now)
    assert zed.gets("/bans server") == [
        "-- 1: 192.0.2.1/32, banned for another 2 hours by zed: spam"
    ]
    zed.gets("/unban server 192.0.2.1")
    chat.moderation.admit("192.0.2.1", chat.now)


def test_no_ban_from_the_server_meets_another_server_operator() -> None:
    chat = Moderated()
    zed, other = chat.logged_in("zed"), chat.guest("other", address="192.0.2.1")
    chat.moderation.here.add(other.member)
    no = "-- You can't do that to other, only to who ranks below you here."
    assert zed.gets("/ban server other", "/ban server 192.0.2.0/24") == [no, no]


def test_the_list_shows_no_address_to_who_does_not_run_the_server() -> None:
    chat = classroom()
    ann = person(chat, "ann")
    ann.gets("/ban bob 10m spam", "/mute cy")
    assert ann.gets("/bans") == [
        "-- 1: an address, banned for another 10 minutes by ann: spam",
        "-- 2: an address, muted for good by ann",
    ]
    zed = chat.logged_in("zed", "#a")
    assert "192.0.2.1/32" in zed.gets("/bans")[0]
    ann.reads()
    assert ann.gets("/unban 2") == ["-- 2 is not banned in #a. /bans lists who is."]
    assert ann.gets("/unban 1", "/unmute cy") == [
        "-- ann unbanned an address",
        "-- ann unmuted cy",
    ]
    assert chat.audited()[-2][3] == "address:192.0.2.1/32"


def test_who_is_banned_from_the_server_by_its_nick_is_let_into_no_room_under_it() -> None:
    chat = Moderated()
    zed = chat.logged_in("zed")
    chat.guest("bob")
    zed.gets("/ban server bob")
    back = chat.guest("bob")
    assert back.member.current is None
    assert back.gets("/join #a") == ["-- You are banned by zed, for good."]


@pytest.mark.parametrize(("address", "bans"), [("192.0.2.50", "an address"), ("", "eve")])
def test_who_is_logged_in_gains_nothing_by_logging_out_or_coming_back(
    address: str, bans: str
) -> None:
    chat = classroom()
    ann, eve = person(chat, "ann"), chat.logged_in("eve", "#a", address)
    chat.registered.add("eve")
    assert ann.gets("/ban eve")[0].startswith("-- eve was kicked")
    assert ann.gets("/bans") == [
        "-- 1: eve, banned for good by ann",
        f"-- 2: {bans}, banned for good by ann",
    ]
    eve.member.account = ""
    assert "-- You are banned from #a" in eve.gets("/join #a")[0]
    eve.gets("/quit")
    assert ann.gets("/unban eve") == ["-- ann unbanned eve"]
    assert ann.gets("/bans") == ["-- Nobody is banned or muted in #a."]


def test_both_are_lifted_by_the_number_of_one_and_after_a_restart() -> None:
    chat = classroom()
    chat.logged_in("bo", "#a", "192.0.2.50")
    person(chat, "ann").gets("/mute bo spam")
    again = chat.restarted()
    ann = again.logged_in("ann", "#a")
    assert ann.gets("/unmute 2") == ["-- ann unmuted an address"]
    assert len(again.moderation.sanctions) == len(again.restarted().moderation.sanctions) == 0


def test_no_address_is_banned_that_who_ranks_no_lower_shares() -> None:
    chat = classroom()
    eve = chat.logged_in("eve", "#a", "192.0.2.50")
    ann, cy = person(chat, "ann"), chat.guest("helper", "#a", "192.0.2.50")
    ann.gets("/op helper")
    cy.gets("/ban eve")
    targets = {str(one.target) for one in chat.moderation.sanctions.of("ban", "#a", chat.now)}
    assert targets == {"account:eve", "nick:eve"}
    assert eve.member.rooms.keys() == {chat.hub.lobby}


def test_one_account_fills_its_own_rooms_with_bans_and_nobody_elses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sanctions, "MOST_OF_ONE", 3)
    chat = classroom()
    ann, bob = person(chat, "ann"), person(chat, "bob")
    ann.gets("/join #b", "/ban 192.0.2.100", "/ban 192.0.2.101", "/ban 192.0.2.102")
    full = "-- There are 3 bans and mutes in this room and the others of who made it, the most"
    assert ann.gets("/ban #a 192.0.2.103")[0].startswith(full)
    bob.gets("/join #bobs")
    assert bob.gets("/ban 192.0.2.103") == ["-- bob banned 192.0.2.103"]


def test_a_ban_from_the_server_is_never_refused_for_there_being_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sanctions, "MOST_EVERYWHERE", 2)
    chat = classroom()
    zed, bob = chat.logged_in("zed"), person(chat, "bob")
    zed.gets("/ban server 192.0.2.100", "/ban server 192.0.2.101 1h")
    zed.gets("/ban server bob")
    assert not bob.member.present
    assert [line.split(",")[0] for line in zed.gets("/bans server")] == [
        "-- 1: 192.0.2.100/32",
        "-- 3: 192.0.2.1/32",
    ]


def test_a_mask_is_banned_and_lifted_as_it_is_written_or_by_its_number() -> None:
    chat = classroom()
    ann, dan = person(chat, "ann"), person(chat, "dan")
    assert ann.gets("/ban D?N!*@* 10m spam") == ["-- ann banned D?N!*@* for 10 minutes: spam"]
    banned = "-- You are banned from #a by ann, for another 10 minutes: spam"
    assert dan.gets("/join #a") == [banned]
    assert ann.gets("/bans") == ["-- 1: d?n!*@*, banned for another 10 minutes by ann: spam"]
    assert ann.gets("/unban d?n!") == ["-- ann unbanned d?n!"]
    assert ann.gets("/ban *!~u@*") == [
        "-- That would ban you too. Name somebody else, or a smaller range."
    ]
    assert ann.gets("/ban b*!*@*")[0].startswith("-- bob was kicked by ann: banned")
    assert ann.gets("/unban 2") == ["-- ann unbanned b*!*@*"]
    zed = chat.logged_in("zed")
    assert zed.gets("/ban server b*!*@*")[0].startswith("-- A mask holds in a room.")
