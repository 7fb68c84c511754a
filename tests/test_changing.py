"""How the rules of a room are changed and shown, as every door does it."""

from __future__ import annotations

from typing import get_args

import pytest

from chatroom.cloak import Cloak
from chatroom.errors import (
    BadUsage,
    ChatError,
    NoSuchMember,
    NotAllowed,
    NotInRoom,
    NotOperator,
    NotServerOperator,
)
from chatroom.events import Event, Ruled
from chatroom.permissions import PERMISSIONS, Role
from chatroom.rules import Change, Setting
from chatroom.store.changing import ACTIONS
from tests.inmemory import Person
from tests.moderated import Moderated, classroom, person


def change(
    chat: Moderated, setting: Setting, on: bool = True, value: str = "", by: str = "ann"
) -> Change | None:
    """Made by ann in #a, and shown."""
    member, room = chat.hub.members[by], chat.hub.rooms["#a"]
    made = chat.moderation.change(member, room, Change(setting, on, value), chat.now)
    if made is not None:
        chat.moderation.show(member, room, [made], chat.now)
    return made


def ruled(chat: Moderated) -> list[Ruled]:
    """What is told of rules from now on."""
    told: list[Ruled] = []

    def hear(event: Event) -> None:
        if isinstance(event, Ruled):
            told.append(event)

    chat.hub.observers.append(hear)
    return told


def test_every_setting_says_who_may_and_what_it_does() -> None:
    assert set(ACTIONS) == set(get_args(Setting)) == set(classroom().moderation._changes)


@pytest.mark.parametrize("setting", get_args(Setting))
@pytest.mark.parametrize("on", [True, False])
def test_nobody_changes_anything_without_a_say(setting: Setting, on: bool) -> None:
    chat = classroom()
    with pytest.raises(NotOperator):
        change(chat, setting, on, "5" if setting in ("limit", "slow") else "cy", by="bob")
    assert person(chat, "cy").reads() == [] == chat.audited()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("invite_only", ""), ("muted", ""), ("secret", ""), ("topic_locked", ""), ("no_ctcp", ""),
        ("accounts_only", ""), ("key", "k"), ("limit", "5"), ("slow", "30"), ("operator", "bob"),
        ("voice", "bob"), ("invited", "dan"),
        ("ban", "x!*@*"), ("exception", "x!*@*"), ("invitation", "x!*@*"), ("ban", "~m:x!*@*"),
        ("exception", "~m:x!*@*"), ("ban", "~a:eve"),
    ],
)  # fmt: skip
def test_a_change_is_made_once_shown_to_the_room_and_undone_once(
    setting: Setting, value: str
) -> None:
    chat = classroom()
    told = ruled(chat)
    made = Change(setting, True, value)
    assert change(chat, setting, True, value) == made
    assert change(chat, setting, True, value) is None
    undone = change(chat, setting, False, value)
    assert undone is not None and (undone.setting, undone.on) == (setting, False)
    assert change(chat, setting, False, value) is None
    assert [event.changes for event in told] == [(made,), (undone,)]
    assert [event.sender for event in told] == ["ann", "ann"]
    assert len(chat.audited()) == 2 and "sesame" not in str(chat.audited())
    assert chat.hub.rooms["#a"].rules.is_bare


def test_what_is_on_from_the_start_is_turned_off_and_on_again() -> None:
    chat = classroom()
    for setting in ("members_only", "keeps"):
        made = [change(chat, setting, on) for on in (True, False, False)]
        assert made == [None, Change(setting, False), None]
        assert change(chat, setting) == Change(setting, True)
    chat.end_turn()
    assert chat.hub.rooms["#a"].rules.is_bare


def test_what_is_kept_again_and_not_in_one_turn_is_not_kept() -> None:
    chat = classroom()
    for on in (False, True, False):
        change(chat, "keeps", on)
    chat.end_turn()
    assert not chat.moderation.keeps(chat.hub.rooms["#a"])


def test_changes_of_one_command_are_told_in_one_sentence() -> None:
    chat = classroom()
    ann, room = chat.hub.members["ann"], chat.hub.rooms["#a"]
    wanted = [
        Change("operator", True, "BOB"),
        Change("topic_locked", True),
        Change("limit", True, "9"),
    ]
    made = [chat.moderation.change(ann, room, each, chat.now) for each in wanted]
    chat.moderation.show(ann, room, [each for each in made if each], chat.now)
    chat.moderation.show(ann, room, [], chat.now)
    shown = "-- ann made bob an operator, locked the topic and lets in 9 at most"
    assert person(chat, "cy").reads() == [shown]
    assert [act[1:4] for act in chat.audited()] == [
        ("op", "#a", "bob"), ("lock", "#a", "topic_locked"), ("limit", "#a", "9"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("operator", "eve", NoSuchMember),
        ("operator", "dan", NotInRoom),
        ("voice", "dan", NotInRoom),
        ("invited", "eve", NoSuchMember),
        ("key", "", BadUsage),
        ("key", "x" * 101, BadUsage),
        ("key", "x\n", BadUsage),
        ("limit", "0", BadUsage),
        ("limit", "-1", BadUsage),
        ("limit", "abc", BadUsage),
        ("limit", "100001", BadUsage),
        ("slow", "3601", BadUsage),
        ("ban", "a b", BadUsage),
        ("ban", "*!*@192.0.2.1", NotServerOperator),
        ("invitation", "a b", BadUsage),
    ],
)
def test_what_can_not_be_is_refused(setting: Setting, value: str, error: type[ChatError]) -> None:
    chat = classroom()
    with pytest.raises(error):
        change(chat, setting, True, value)
    assert chat.hub.rooms["#a"].rules.is_bare and chat.audited() == []


def test_every_operator_makes_another_and_only_who_ranks_above_unmakes_it() -> None:
    chat = classroom()
    change(chat, "operator", True, "bob")
    assert change(chat, "operator", True, "cy", by="bob") == Change("operator", True, "cy")
    with pytest.raises(NotOperator):
        change(chat, "operator", False, "cy", by="bob")
    with pytest.raises(NotOperator):
        change(chat, "operator", False, "ann", by="bob")
    assert change(chat, "operator", False, "BOB", by="bob") == Change("operator", False, "bob")
    assert change(chat, "operator", False, "cy") == Change("operator", False, "cy")
    assert PERMISSIONS["op"].least == Role.OPERATOR


def test_a_guest_may_give_its_room_up_and_an_account_may_not() -> None:
    chat = classroom()
    with pytest.raises(NotAllowed, match="ann's for good"):
        change(chat, "operator", False, "ann")
    chat = Moderated()
    bob, cy = chat.guest("bob", "#a"), chat.guest("cy", "#a")
    assert change(chat, "operator", False, "bob", by="bob") == Change("operator", False, "bob")
    assert chat.moderation.role(bob.member, "#a") == Role.MEMBER
    with pytest.raises(NotOperator):
        change(chat, "muted", by="bob")
    bob.gets("/quit")
    assert chat.moderation.role(cy.member, "#a") == Role.OWNER


def test_invitations_are_forgotten_once_nobody_needs_one() -> None:
    chat = classroom()
    change(chat, "invite_only")
    change(chat, "key", True, "k")
    change(chat, "invited", True, "dan")
    change(chat, "invite_only", False)
    assert chat.moderation.invitations(chat.hub.members["dan"]) == ["#a"]
    change(chat, "key", False)
    assert chat.moderation.invitations(chat.hub.members["dan"]) == []


# Lists


def listed(chat: Moderated) -> list[tuple[str, str]]:
    found = chat.moderation.masks(chat.hub.rooms["#a"], "ban", chat.now)
    return [(mask.mask, mask.by) for mask in found]


def test_all_bans_and_mutes_are_listed_as_masks_without_an_address_and_lifted_by_these() -> None:
    chat = classroom()
    chat.hub.cloak = Cloak(b"key")
    chat.registered.add("eve")
    ann = person(chat, "ann")
    ann.gets("/mute bob", "/ban eve 10m", "/ban 192.0.2.128/25", "/mute 198.51.100.7")
    change(chat, "ban", True, "Troll*!*@*")
    masks = [mask for mask, _ in listed(chat)]
    assert masks[0].startswith("~m:*!*@") and masks[0].endswith(".ip")
    assert masks[1] == "~a:eve" and masks[2].endswith(".25.net")
    assert masks[3:] == ["~m:*!*@" + chat.hub.cloak("198.51.100.7"), "troll*!*@*"]
    assert "192.0.2" not in str(masks) and "198.51" not in str(masks)
    (first, *_) = chat.moderation.masks(chat.hub.rooms["#a"], "ban", chat.now)
    assert (first.by, first.since, first.until) == ("ann", chat.now, None)
    for mask in masks:
        assert change(chat, "ban", False, mask.upper().replace("~A", "~a").replace("~M", "~m"))
    assert listed(chat) == [] and len(chat.restarted().moderation.sanctions) == 0


def test_lists_of_a_registered_room_are_there_after_a_restart() -> None:
    chat = classroom()
    for setting in ("ban", "exception", "invitation"):
        change(chat, setting, True, f"{setting}!*@*")
    again = chat.restarted()
    again.logged_in("ann", "#a")
    for setting in ("ban", "exception", "invitation"):
        (mask,) = again.moderation.masks(again.hub.rooms["#a"], setting, chat.now)  # type: ignore[arg-type]
        assert (mask.mask, mask.by, mask.since) == (f"{setting}!*@*", "ann", chat.now)


def test_a_server_operator_names_addresses_and_they_are_meant() -> None:
    chat = classroom()
    chat.hub.cloak = Cloak(b"key")
    chat.logged_in("zed", "#a")
    made = change(chat, "ban", True, "*!*@192.0.2.0/24", by="zed")
    assert (
        made is not None and made.value == "*!*@*." + chat.hub.cloak("192.0.2.1").partition(".")[2]
    )
    assert "banned from #a" in str(person(chat, "bob").gets("hi"))


def says(chat: Moderated, who: str) -> bool:
    """Whether it may speak in #a."""
    return not person(chat, who).gets("hi")


def test_who_is_banned_and_still_there_is_silent_unless_excepted_or_given_a_voice() -> None:
    chat = classroom()
    assert change(chat, "ban", True, "BOB") == Change("ban", True, "bob!*@*")
    assert person(chat, "bob").gets("hi") == ["-- You are banned from #a by ann, for good."]
    assert says(chat, "cy")
    for setting, value in (("exception", "*!~u@*"), ("voice", "bob")):
        change(chat, setting, True, value)  # type: ignore[arg-type]
        assert says(chat, "bob")
        change(chat, setting, False, value)  # type: ignore[arg-type]
        assert not says(chat, "bob")
    change(chat, "exception", True, "~m:bob")
    assert not says(chat, "bob")
    change(chat, "ban", False, "bob!*@*")
    assert says(chat, "bob")


def test_a_mask_that_only_silences_keeps_nobody_out() -> None:
    chat = classroom()
    change(chat, "ban", True, "~m:dan")
    dan = person(chat, "dan")
    dan.gets("/join #a")
    assert "-- You are muted in #a" in dan.gets("hi")[0]
    change(chat, "exception", True, "~m:d*")
    assert says(chat, "dan")


def enters(chat: Moderated, who: str) -> str:
    """What it reads that may not enter #a; '' if it may."""
    dan: Person = person(chat, who)
    lines = dan.gets("/join #a")
    inside = chat.hub.rooms["#a"] in dan.member.rooms
    dan.gets("/part #a")
    return "" if inside else lines[0]


def test_who_comes_in() -> None:
    chat = classroom()
    for setting, value, reply in (
        ("ban", "d?n", "-- You are banned from #a by ann, for good."),
        ("invite_only", "", "-- #a is locked: an operator of it has to /invite you."),
        ("key", "k", "-- #a is locked: /join #a KEY."),
        ("limit", "3", "-- #a is full: it lets in 3. Try again later."),
    ):
        change(chat, setting, True, value)  # type: ignore[arg-type]
        assert enters(chat, "dan") == reply
        change(chat, "exception", True, "dan")
        change(chat, "invitation", True, "dan")
        let_in = setting in ("ban", "invite_only")
        assert enters(chat, "dan") == ("" if let_in else reply)
        change(chat, "exception", False, "dan")
        change(chat, "invitation", False, "dan")
        if setting != "ban":
            change(chat, "invited", True, "dan")
            assert enters(chat, "dan") == ""
            change(chat, "invited", False, "dan")
        change(chat, setting, False, value)  # type: ignore[arg-type]
    assert enters(chat, "dan") == ""
    change(chat, "limit", True, "4")
    assert enters(chat, "dan") == ""
