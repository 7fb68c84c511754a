"""What was done, written and read back as lines."""

from __future__ import annotations

from chatroom.store.audit import LAST, MOST_KEPT, Audit, line
from tests.inmemory import NOW, STAMP, Chat
from tests.stored import Stored

WHEN = STAMP[1:-1]


def test_a_line_says_who_did_what_to_whom_where_and_why() -> None:
    row = (NOW * 1000, "Ann", "ann", "192.0.2.1", "mute", "#ops", "bob", "spam")
    assert line(row) == f"{WHEN} Ann (account ann, 192.0.2.1): mute bob in #ops: spam"


def test_a_line_leaves_out_what_there_is_not() -> None:
    assert line((NOW * 1000, "ann", "", "", "slow", "#a", "", "")) == f"{WHEN} ann: slow in #a"
    assert line((NOW * 1000, "", "", "", "ban", "", "x", "")) == f"{WHEN} the server: ban x"


def test_the_last_are_read_in_their_order_also_after_a_restart() -> None:
    database = Stored()
    found: list[list[str]] = []
    ann = Chat().enter("ann").member
    for action in ("kick", "ban"):
        Audit(database).write(ann, action, "#a", "bob", "", NOW)
    audit = Audit(database)
    audit.write(None, "ban", "", "address:192.0.2.1/32", "guessing", NOW)
    audit.last(2).addCallback(found.append)
    assert found[0] == [
        f"{WHEN} ann: ban bob in #a",
        f"{WHEN} the server: ban address:192.0.2.1/32: guessing",
    ]
    assert [line(row) for row in database.load(LAST, 1)] == found[0][1:]


def test_so_many_of_the_last_acts_are_kept() -> None:
    database = Stored()
    for id in (1, 1000, 1001, MOST_KEPT + 999):
        database.write(
            "INSERT INTO audit (id, time, by_nick, by_account, by_address, action, room, target, "
            "why) VALUES (?, 0, '', '', '', 'kick', '', '', '')",
            id,
        )
    audit = Audit(database)
    audit.write(None, "ban", "", "x", "", NOW)
    audit.write(None, "ban", "", "y", "", NOW)
    ids = [id for (id,) in database.load("SELECT id FROM audit ORDER BY id")]
    assert ids == [1001, MOST_KEPT + 999, MOST_KEPT + 1000, MOST_KEPT + 1001]
