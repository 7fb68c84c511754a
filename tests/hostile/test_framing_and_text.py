"""Rows 1 to 8 of docs/hostile.md: framing and text, against the real daemon.

What is to arrive in two pieces does: between them, a fence goes to the daemon and back on another
connection, so the first piece has been read by then.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatroom.errors import BadName
from chatroom.names import check_nick
from chatroom.text import decode
from tests.daemon import KIB, MIB, Client, Daemon, watched
from tests.hostile.texts import FORGED, OBEYED, SPELLED, unsafe

SETTINGS = {"limits": {"lines": None, "joins": None, "nick_changes": None}}
LIMIT = 1024
ENDS = (b"\n", b"\r\n")
TAIL = "/msg watcher tail "
REFUSAL = f"-- Line over {LIMIT} bytes, not sent."


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("daemon"), SETTINGS) as daemon:
        yield daemon


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def join(stack: ExitStack, daemon: Daemon, nick: str = "") -> Client:
    client = stack.enter_context(Client(daemon.port)).arrive()
    if nick:
        client.ask(f"/nick {nick}")
    return client


def heard(client: Client) -> list[str]:
    """What was said to `client` privately, or to its room by others than the canary.

    Two fences: the first may be read in one turn with what others sent before it.
    """
    lines = client.fence() + client.fence()
    matches = [re.match(r"(?:\[\S+ -> you\]|<\S+>) (?!canary )(.*)", line) for line in lines]
    return [match[1] for match in matches if match]


# Row 1


def test_row_1_lines_around_the_limit_split_at_every_point(
    daemon: Daemon, stack: ExitStack
) -> None:
    jobs = [
        (f"/msg watcher {size}-{len(end)}-{at} {TAIL * size}"[:size].encode(), end, at)
        for size in (LIMIT - 1, LIMIT, LIMIT + 1)
        for end in ENDS
        for at in range(1, size + len(end))
    ]
    told: list[str] = []
    with watched(daemon, "row 1"):
        watcher = join(stack, daemon, "watcher")
        senders = [join(stack, daemon) for _ in range(100)]
        for start in range(0, len(jobs), len(senders)):
            batch = list(zip(senders, jobs[start:], strict=False))
            for sender, (line, end, at) in batch:
                sender.send((line + end)[:at], b"")
            told += heard(watcher)
            for sender, (line, end, at) in batch:
                sender.send((line + end)[at:], b"")
        refused = sum(sender.fence().count(REFUSAL) for sender in senders)
        told += heard(watcher)
        stack.close()
    whole = [line.decode() for line, _, _ in jobs if len(line) <= LIMIT]
    print(f"row 1: {len(jobs)} lines in two pieces, {len(whole)} delivered, {refused} refused")
    assert Counter(told) == Counter(line.removeprefix("/msg watcher ").rstrip() for line in whole)
    assert refused == len(jobs) - len(whole)


def test_row_1_ten_mebibytes_are_refused_once_and_not_kept(
    daemon: Daemon, stack: ExitStack
) -> None:
    with watched(daemon, "row 1, 10 MiB"):
        watcher = join(stack, daemon, "watcher")
        senders = [join(stack, daemon) for _ in range(10)]
        before = daemon.rss()
        for sender in senders:
            sender.send(TAIL * (10 * MIB // len(TAIL)), b"")
            sender.until(REFUSAL)  # before the line has ended
        watcher.fence()
        grown = daemon.rss() - before
        for number, sender in enumerate(senders):
            sender.send(TAIL, ENDS[number % 2])
            sender.send(f"/msg watcher after {number}")
            assert REFUSAL not in sender.fence()
        assert heard(watcher) == [f"after {number}" for number in range(len(senders))]
        stack.close()
    print(f"row 1: 10 unfinished lines of 10 MiB: memory {grown / KIB:+.0f} KiB")
    # One read is 64 KiB; of each line, 8 KiB may be kept.
    assert grown <= 64 * KIB + len(senders) * 8 * KIB + MIB


# Row 2

SAYS_NOTHING = (
    b"\n", b"\r\n", b"\r", b" \n", b"\x80", b"\xff\xf1", b"\xff\xff", b"\xff\xfa\xff\xf0",
)  # fmt: skip


def test_row_2_a_mebibyte_of_what_says_nothing(daemon: Daemon, stack: ExitStack) -> None:
    used = {}
    with watched(daemon, "row 2"):
        for unit in SAYS_NOTHING:
            flood = join(stack, daemon)
            before = daemon.cpu()
            flood.send(unit * (MIB // len(unit)))
            flood.fence()
            used[unit] = daemon.cpu() - before
        stack.close()
    shown = ", ".join(f"{unit!r}: {seconds * 1000:.0f}" for unit, seconds in used.items())
    print(f"row 2: ms of CPU for 1 MiB of {shown}")
    # At most 64 KiB are read in one turn.
    assert max(used.values()) / 16 <= 0.05


# Rows 3 and 4


def test_rows_3_and_4_utf_8_valid_and_not_and_telnet_split_at_every_byte(
    daemon: Daemon, stack: ExitStack
) -> None:
    splits = max(len(sent) for sent, _ in SPELLED) + 1
    with watched(daemon, "rows 3 and 4"):
        watcher = join(stack, daemon, "watcher")
        senders = [join(stack, daemon) for _ in range(splits)]
        for sent, said in SPELLED:
            for at, sender in enumerate(senders):
                sender.send(b"/msg watcher " + sent[:at], b"")
            watcher.fence()
            for at, sender in enumerate(senders):
                sender.send(sent[at:])
            for sender in senders:
                sender.fence()  # a busy turn may put off what they sent
            assert heard(watcher) == [said] * splits, sent
        # A client reads UTF-8 strictly, and fails at the first byte that is not.
        for first in range(0x80, 0xFF):
            senders[0].send(b"".join(b".%c%c\n" % (first, second) for second in range(256)))
            senders[0].fence()
            assert len(heard(watcher)) >= 256
        stack.close()
    print(f"rows 3 and 4: {len(SPELLED)} texts, each in {splits} splits; every pair of bytes")


# Rows 5 and 6

WAYS = (
    "{}", "//{}", "{} {}", "/{}", "/me {}", "/msg watcher {}", "/reply {}", "/topic {}", "/topic",
    "/away {}", "/whois talker", "/back", "/nick {}", "/join {}", "/join #{}", "/join #side",
    "/part #side {}", "/part {}", "/join #talk", "/who {}", "/whois {}", "/ignore {}", "/ignore",
    "/unignore {}", "/help {}", "/history {}", "/timestamp {}", "/bell {}",
)  # fmt: skip


def test_rows_5_and_6_no_control_character_reaches_anyone_by_any_way(
    daemon: Daemon, stack: ExitStack
) -> None:
    with watched(daemon, "rows 5 and 6"):
        watcher, talker = join(stack, daemon, "watcher"), join(stack, daemon, "talker")
        for client in (watcher, talker):
            client.ask("/join #talk")
        watcher.ask("/msg talker hello")
        seen: list[str] = []
        for char in OBEYED:
            for way in WAYS:
                talker.send(way.replace("{}", f"x{char}y"))
            seen += talker.fence() + watcher.fence()
        quitters = [join(stack, daemon) for _ in OBEYED]
        for char, quitter in zip(OBEYED, quitters, strict=True):
            quitter.send(f"/quit x{char}y")
        for quitter in quitters:
            seen += quitter.rest()
        seen += watcher.fence()
        replayed = join(stack, daemon).ask("/join #talk") + watcher.ask("/rooms")
        stack.close()
    print(f"rows 5 and 6: {len(OBEYED)} characters and sequences by {len(WAYS) + 1} ways")
    assert sum(" left: x" in line for line in seen) >= len(OBEYED)
    assert sum("> x" in line for line in replayed) >= 20
    assert unsafe(seen + replayed) == []


def test_row_6_one_line_out_for_each_line_in(daemon: Daemon, stack: ExitStack) -> None:
    with watched(daemon, "row 6"):
        watcher, talker = join(stack, daemon, "watcher"), join(stack, daemon)
        for number, char in enumerate(OBEYED):
            talker.send(f"{number}:{char}<admin>{char}.")
        talker.fence()
        lines = heard(watcher)
        stack.close()
    assert [int(line.partition(":")[0]) for line in lines] == list(range(len(OBEYED)))


NO_ADDRESSES = (
    "192.0.2.1\x1b[2J", "192.0.2.1\r", "\u202e192.0.2.1", "x y", "<admin>", "", "192.0.2.1\0",
    "fe80::1%\x1b[2J", "1.2.3", "::g",
)  # fmt: skip


def test_row_6_a_proxy_header_forges_nothing(tmp_path: Path) -> None:
    listen = ("line=tcp:0:interface=127.0.0.1", "line=haproxy:tcp:0:interface=127.0.0.1")
    headers = [f"PROXY TCP4 {address} 127.0.0.1 1 2\r\n".encode() for address in NO_ADDRESSES]
    headers += [b"PROXY TCP4 192.0.2.1 127.0.0.1 x 2\r\n", b"PROXY TCP6 \xff ::1 1 2\r\n"]
    headers += [b"PROXY TCP4\r\n", b"PROXY \r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\r\n" * 8]
    headers += [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x01a", b"PROXY " + b"x" * 200]
    with Daemon(tmp_path, {**SETTINGS, "guests": "address"}, listen=listen) as daemon:
        with watched(daemon, "row 6, PROXY"), Client(daemon.port) as watcher:
            watcher.arrive()
            for header in headers:
                with Client(daemon.ports[1]) as talker:
                    talker.send(header + b"forged\r\n", b"")
                    assert talker.rest() == [], "closed without a word"
            with Client(daemon.ports[1], proxied="192.0.2.1") as talker:
                talker.arrive()
                talker.send("hi")
                seen = watcher.until("hi")
        assert seen[-1] == "<192.0.2.1> hi"
        assert not any("forged" in line for line in seen)
        assert unsafe(seen + daemon.log.split("\n")) == []


# Row 7


def test_row_7_no_nick_passes_for_another(daemon: Daemon, stack: ExitStack) -> None:
    fixtures = Path(__file__).parents[1].joinpath("nicks.txt").read_text("ascii").splitlines()
    texts = [line.split("\t")[1] for line in fixtures if line[:1].islower()]
    tried = [nick for text in texts for nick in flat(json.loads(text)) if "\n" not in nick]
    taken = 0
    with watched(daemon, "row 7"):
        taker, rival = join(stack, daemon), join(stack, daemon)
        taker.fence()
        for nick in tried:
            taker.send(f"/nick {nick}".encode("utf-8", "surrogatepass"))
            (reply,) = [line for line in taker.fence() if line.startswith("-- ")]
            if (now := re.fullmatch(r"-- You are (\S+) now\.", reply)) is None:
                continue
            taken += 1
            assert grammatical(now[1]), nick
            # Whoever comes second collides, in whatever case.
            answer = rival.ask(f"/nick {now[1].swapcase()}")
            assert any(" is taken. " in line for line in answer), answer
        stack.close()
    print(f"row 7: of {len(tried)} nicks {len(tried) - taken} refused, {taken} taken only once")
    assert len(tried) - taken >= 180


def flat(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def grammatical(nick: str) -> bool:
    try:
        return check_nick(nick) == nick
    except BadName:
        return False


# Row 8


@pytest.mark.parametrize("form", ["text", "json"])
def test_row_8_no_text_forges_a_log_record(tmp_path: Path, form: str) -> None:
    settings = {**SETTINGS, "log": {"format": form, "level": "debug", "chat": True}}
    with Daemon(tmp_path, settings) as daemon:
        with watched(daemon, f"row 8, {form}"), Client(daemon.port) as talker:
            talker.arrive().ask("/nick talker")
            began = len(daemon.log)
            for text in FORGED:
                talker.send(f"row 8: {text}".encode("utf-8", "surrogatepass"))
            talker.fence()
        records = [line for line in daemon.log[began:].split("\n") if "row 8: " in line]
        assert len(records) == len(FORGED)
        assert unsafe(daemon.log.split("\n")) == []
        for record, text in zip(records, FORGED, strict=True):
            if form == "json":
                fields = json.loads(record)
                assert fields["level"] == "info"
                assert (fields["nick"], fields["room"]) == ("talker", "#lobby")
                assert fields["text"] == f"row 8: {shown(text)}"
            else:
                assert re.match(r"\S+ \[chatroom\S*#info\] #lobby <talker> row 8: ", record)
                assert not re.search(r"(?m)^\S+ \[\S+\] forged", record)
        if form == "json":
            assert all(json.loads(line) for line in daemon.log[began:].splitlines())


def shown(text: str) -> str:
    """`text` as the daemon cleans it."""
    return decode(text.encode("utf-8", "surrogatepass"))
