"""chatroom.protocols.irc.monitor: what scenes can't say: limits, and what does not fit a line."""

from __future__ import annotations

from chatroom.protocols.irc.isupport import MOST_MONITORED
from chatroom.protocols.irc.wire import LINE_BYTES, parse
from tests.irc.chatting import Chatting, IRCUser


def named(numbers: range) -> list[str]:
    return [f"n{number:0>20}" for number in numbers]


def test_a_list_holds_so_many_and_what_is_over_is_told() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers()
    for start in range(0, MOST_MONITORED, 20):
        ann.says(f"MONITOR + {','.join(named(range(start, start + 20)))}")
    (offline, full) = ann.says(f"MONITOR + {named(range(1))[0]},one,two")
    assert parse(offline.encode()).params[1:] == (named(range(1))[0],)
    assert parse(full.encode()).params[:3] == ("ann", str(MOST_MONITORED), "one,two")
    ann.says(f"MONITOR - {named(range(1))[0]}")
    assert [line.split(" ")[1] for line in ann.says("MONITOR + one,two")] == ["731", "734"]
    chat.close()


def test_a_long_list_is_told_in_lines_that_fit() -> None:
    chat = Chatting()
    ann = IRCUser(chat, "ann")
    ann.registers()
    for start in range(0, MOST_MONITORED, 20):
        ann.says(f"MONITOR + {','.join(named(range(start, start + 20)))}")
    *listed, _ = ann.says("MONITOR L")
    assert all(len(line.encode()) + 2 <= LINE_BYTES for line in listed)
    told = [nick for line in listed for nick in parse(line.encode()).params[1].split(",")]
    assert told == named(range(MOST_MONITORED))
    many = [f"m{number}" for number in range(118)]
    full = [line for line in ann.says(f"MONITOR + {','.join(many)}") if " 734 " in line]
    assert len(full) > 1 and all(len(line.encode()) + 2 <= LINE_BYTES for line in full)
    refused = [nick for line in full for nick in parse(line.encode()).params[2].split(",")]
    assert refused == many
    chat.close()
