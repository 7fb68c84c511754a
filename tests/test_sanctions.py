"""Bans and mutes: whom they hold for, until when, how many there may be, what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, sampled_from, tuples

from chatroom.errors import TooMany
from chatroom.member import Listener, Member
from chatroom.store import sanctions as module
from chatroom.store.sanctions import MOST_EVERYWHERE, MOST_OF_ONE, Sanctions
from chatroom.store.targets import Target
from tests.inmemory import NOW
from tests.stored import Stored

ANN = Target("account", "ann")
WHY = "spam"


def somebody(nick: str, address: str = "", account: str = "") -> Member:
    member = Member(nick, Listener(print), address, NOW)
    member.account = account
    return member


def fill(sanctions: Sanctions, room: str, names: Iterable[int], until: float | None = None) -> None:
    for name in names:
        target = Target("account", f"a{name}")
        sanctions.impose("ban", room, target, until, "ann", WHY, NOW, kept=False)


@pytest.mark.parametrize(
    ("member", "target"),
    [
        (somebody("ann", "192.0.2.1", "ann"), "account:ann"),
        (somebody("Bob", "192.0.2.1"), "address:192.0.2.1/32"),
        (somebody("Bob", "2001:db8::7"), "address:2001:db8::/64"),
        (somebody("Bob", "::ffff:192.0.2.1"), "address:192.0.2.1/32"),
        (somebody("Bob", "127.0.0.1"), "nick:bob"),
        (somebody("Bob", "::1"), "nick:bob"),
        (somebody("Bob"), "nick:bob"),
    ],
)
def test_a_member_is_known_by_its_account_or_address_or_else_by_its_nick(
    member: Member, target: str
) -> None:
    assert str(Target.of(member)) == target
    assert Target.of(member).holds_for(member)
    assert Target.apart(member).kind != "account"


@pytest.mark.parametrize(
    ("target", "member"),
    [
        (Target("nick", "bob"), somebody("bob", account="bob")),
        (Target("nick", "bob"), somebody("cy")),
        (Target("account", "bob"), somebody("bob")),
        (Target("address", "192.0.2.0/24"), somebody("bob", "192.0.3.1")),
        (Target("address", "192.0.2.0/24"), somebody("bob")),
    ],
)
def test_it_holds_for_nobody_else(target: Target, member: Member) -> None:
    assert not target.holds_for(member)
    sanctions = Sanctions(Stored())
    sanctions.impose("ban", "#a", target, None, "ann", WHY, NOW)
    assert sanctions.find("ban", "#a", member, NOW) is None


def test_it_holds_in_its_room_and_of_its_kind_alone() -> None:
    sanctions = Sanctions(Stored())
    sanction = sanctions.impose("ban", "#a", ANN, None, "bob", WHY, NOW)
    member = somebody("ann", account="ann")
    assert sanctions.find("ban", "#a", member, NOW) is sanction
    assert sanctions.find("ban", "#b", member, NOW) is None
    assert sanctions.find("ban", "", member, NOW) is None
    assert sanctions.find("mute", "#a", member, NOW) is None


def test_it_is_over_in_time_and_then_forgotten() -> None:
    database = Stored()
    sanctions = Sanctions(database)
    sanctions.impose("mute", "#a", ANN, NOW + 600, "bob", WHY, NOW)
    member = somebody("ann", account="ann")
    assert sanctions.find("mute", "#a", member, NOW + 599.9)
    assert sanctions.find("mute", "#a", member, NOW + 600) is None
    assert len(sanctions) == 0 and not sanctions.mutes
    assert len(Sanctions(database)) == 0


def test_what_is_over_is_tidied_away() -> None:
    sanctions = Sanctions(Stored())
    fill(sanctions, "#a", range(3), NOW + 1)
    fill(sanctions, "#a", range(3, 5))
    sanctions.tidy(NOW + 1)
    assert [s.target.name for s in sanctions.of("ban", "#a", NOW)] == ["a3", "a4"]


def test_one_on_the_same_target_takes_the_place_of_the_earlier() -> None:
    database = Stored()
    sanctions = Sanctions(database)
    sanctions.impose("ban", "", ANN, NOW + 1, "bob", WHY, NOW)
    sanctions.impose("ban", "", ANN, None, "cy", "", NOW)
    for known in (sanctions, Sanctions(database)):
        (only,) = known.of("ban", "", NOW + 9)
        assert (only.by_nick, only.why, only.until) == ("cy", "", None)


def test_it_is_known_after_a_restart_to_the_millisecond() -> None:
    database = Stored()
    made = Sanctions(database).impose(
        "mute", "#a", Target("address", "2001:db8::/64"), NOW + 0.25, "bob", WHY, NOW
    )
    again = Sanctions(database)
    assert again.of("mute", "#a", NOW) == [made]
    assert again.find("mute", "#a", somebody("x", "2001:db8::5"), NOW) == made
    assert again.impose("ban", "", ANN, None, "bob", WHY, NOW).id > made.id


def test_a_room_that_is_gone_takes_its_own_along() -> None:
    sanctions = Sanctions(Stored())
    fill(sanctions, "#a", range(3))
    fill(sanctions, "#b", range(3))
    sanctions.drop_room("#a")
    assert len(sanctions) == 3 and set(sanctions.bans) == {"#b"}


def test_so_many_may_be_in_the_rooms_of_one_and_those_over_count_no_more() -> None:
    sanctions = Sanctions(Stored())
    mine = {"#a", "#b"}
    fill(sanctions, "#a", range(MOST_OF_ONE - 2))
    fill(sanctions, "#b", [-2])
    fill(sanctions, "#b", [-1], NOW + 5)
    for room in mine:
        with pytest.raises(TooMany, match="500 bans and mutes in this room and the others of who"):
            sanctions.impose("mute", room, ANN, None, "bob", WHY, NOW, rooms=mine)
    sanctions.impose("mute", "#others", ANN, None, "bob", WHY, NOW, rooms={"#others"})
    address = Target("address", "192.0.2.1/32")
    with pytest.raises(TooMany):
        sanctions.impose("mute", "#a", ANN, None, "bob", WHY, NOW + 5, rooms=mine, also=address)
    sanctions.impose("mute", "#a", ANN, None, "bob", WHY, NOW + 5, rooms=mine)
    sanctions.impose("mute", "#a", ANN, None, "bob", "again", NOW + 5, rooms=mine)


def test_nobody_is_hindered_by_how_many_there_are_in_others_rooms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_IN_ROOMS", 10)
    sanctions = Sanctions(Stored())
    fill(sanctions, "", range(5))
    fill(sanctions, "#full", range(8), NOW + 9)
    fill(sanctions, "#full", [8], NOW + 5)
    fill(sanctions, "#small", range(3))
    assert [len(sanctions.of("ban", room, NOW)) for room in ("", "#full", "#small")] == [5, 7, 3]
    assert {one.until for one in sanctions.of("ban", "#full", NOW)} == {NOW + 9}


def test_where_the_server_has_too_many_a_forced_one_ends_what_would_end_soonest() -> None:
    sanctions = Sanctions(Stored())
    fill(sanctions, "", range(MOST_EVERYWHERE - 1))
    fill(sanctions, "", [-1], NOW + 60)
    with pytest.raises(TooMany, match="10000 bans and mutes on the server, the most there may be"):
        sanctions.impose("ban", "", ANN, None, "bob", WHY, NOW)
    address = Target("address", "192.0.2.1/32")
    sanctions.impose("ban", "", ANN, None, "bob", WHY, NOW, also=address, forced=True)
    known = {one.target.name for one in sanctions.of("ban", "", NOW)}
    assert {"ann", address.name, "a1"} <= known and not {"a0", "a-1"} & known
    assert len(sanctions) == MOST_EVERYWHERE


def test_an_account_and_its_address_are_known_to_belong_together_after_a_restart() -> None:
    database = Stored()
    sanctions = Sanctions(database)
    address = Target("address", "192.0.2.1/32")
    by = None, "bob", WHY, NOW
    sanctions.impose("ban", "#a", Target("account", "cy"), *by)
    sanctions.impose("ban", "#a", Target("address", "192.0.2.2/32"), *by)
    sanctions.impose("ban", "#a", ANN, *by, also=address)
    sanctions.impose("ban", "#a", Target("nick", "dan"), *by)
    for known in (sanctions, Sanctions(database)):
        together = [
            {other.target.name for other in known.together(one)}
            for one in known.of("ban", "#a", NOW)
        ]
        pair = {"ann", address.name}
        assert together == [{"cy"}, {"192.0.2.2/32"}, pair, pair, {"dan"}]


def test_those_on_a_target_are_found_wherever_they_hold() -> None:
    sanctions = Sanctions(Stored())
    sanctions.impose("ban", "#a", ANN, NOW + 5, "bob", WHY, NOW)
    sanctions.impose("mute", "", ANN, None, "bob", WHY, NOW)
    fill(sanctions, "#b", [1])
    assert [one.room for one in sanctions.on(ANN, NOW)] == ["#a", ""]
    assert [one.room for one in sanctions.on(ANN, NOW + 5)] == [""]


def test_those_of_a_room_that_is_registered_no_more_do_not_outlast_the_server() -> None:
    database = Stored()
    sanctions = Sanctions(database)
    sanctions.impose("ban", "#a", ANN, None, "bob", WHY, NOW)
    sanctions.keep_no_more("#a")
    assert len(sanctions) == 1 and len(Sanctions(database)) == 0


def test_no_more_than_a_thousand_are_tidied_away_at_once() -> None:
    sanctions = Sanctions(Stored())
    fill(sanctions, "", range(1500), NOW + 1)
    for left in (500, 0):
        sanctions.tidy(NOW + 1)
        assert len(sanctions) == left


@given(
    lists(
        tuples(integers(0, 255), sampled_from([24, 28, 30, 32]), sampled_from([None, 1, 5])),
        max_size=20,
    ),
    integers(0, 255),
    integers(0, 6),
)
def test_an_address_is_found_as_by_looking_at_each(
    ranges: list[tuple[int, int, int | None]], last: int, later: int
) -> None:
    sanctions, naive = Sanctions(Stored()), {}
    for byte, bits, seconds in ranges:
        range_ = str(ip_network(f"192.0.2.{byte}/{bits}", strict=False))
        until = None if seconds is None else NOW + seconds
        sanctions.impose("ban", "", Target("address", range_), until, "ann", "", NOW, kept=False)
        naive[range_] = until
    address = f"192.0.2.{last}"
    expected = any(
        ip_address(address) in ip_network(range_) and (until is None or until > NOW + later)
        for range_, until in naive.items()
    )
    found = sanctions.find("ban", "", somebody("x", address), NOW + later)
    assert (found is not None) == expected


def test_a_mask_is_met_by_whom_it_fits_and_not_by_who_is_excepted() -> None:
    database = Stored()
    sanctions = Sanctions(database)
    by = None, "bob", WHY, NOW
    sanctions.impose("ban", "#a", Target("mask", "b*!*@*"), *by)
    sanctions.impose("mute", "#a", Target("mask", "*!~u@*"), *by)
    member = somebody("Ben")
    for known in (sanctions, Sanctions(database)):
        assert known.against("ban", "#a", member, NOW) and known.against("mute", "#a", member, NOW)
        assert not known.against("ban", "#a", somebody("Ann"), NOW)
    excepted = sanctions.impose("speech", "#a", Target("nick", "ben"), *by)
    assert sanctions.against("ban", "#a", member, NOW)
    assert not sanctions.against("mute", "#a", member, NOW)
    sanctions.lift(excepted)
    sanctions.impose("exception", "#a", Target("mask", "ben!*@*"), NOW + 5, "bob", WHY, NOW)
    for later, holds in ((0, False), (5, True)):
        assert bool(sanctions.against("ban", "#a", member, NOW + later)) == holds
        assert bool(sanctions.against("mute", "#a", member, NOW + later)) == holds
    for one in sanctions.of("ban", "#a", NOW):
        sanctions.lift(one)
    assert sanctions.find("ban", "#a", member, NOW) is None


def test_those_of_a_room_follow_it_to_another_name_and_are_kept_when_it_is_registered() -> None:
    database = Stored()
    sanctions = Sanctions(database)
    kept = sanctions.impose("ban", "#a", ANN, None, "bob", WHY, NOW)
    sanctions.rename("#a", "#b")
    fill(sanctions, "#c", range(2))
    sanctions.keep("#c")
    for known in (sanctions, Sanctions(database)):
        assert known.of("ban", "#b", NOW) == [kept._replace(room="#b")]
        assert len(known.of("ban", "#c", NOW)) == 2 and not known.any_in("#a")
    for one in sanctions.of("ban", "#b", NOW):
        sanctions.lift(one)
    assert not sanctions.any_in("#b")
