"""Rows 1 to 8 of docs/hostile.md at the IRC door: framing and text, against the real daemon.

One half of the canary is there, the other speaks the line protocol. What is to arrive in two pieces
does: between them, a fence goes to the daemon and back on another connection.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from chatroom.names import check_nick
from chatroom.protocols.irc.capabilities import ALL
from chatroom.text import clean
from tests.daemon import KIB, MIB, Client, Daemon
from tests.hostile.load import Crowd, has_ended
from tests.hostile.texts import FORGED, OBEYED, SPELLED, unsafe
from tests.ircdoor import BOTH, LOBBY, IRCClient, watched

SETTINGS = {"limits": {"lines": None, "joins": None, "nick_changes": None}}
LINE = 512  # with its end, CRLF; one that ends with LF alone may not have more before it
TAG_DATA = 4094
ENDS = (b"\n", b"\r\n")
TAIL = b"PRIVMSG watcher :tail "
TOO_LONG = " 417 "
EVERYTHING = " ".join(name for name in ALL if name not in ("sasl", "sts"))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("daemon"), SETTINGS, listen=BOTH) as daemon:
        yield daemon


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def join(stack: ExitStack, daemon: Daemon, nick: str = "", room: str = "") -> IRCClient:
    return stack.enter_context(IRCClient(daemon.irc)).arrive(nick, room)


def heard(client: Client) -> list[str]:
    """What was said to `client` by others than the canary.

    Two fences: the first may be read in one turn with what others sent before it.
    """
    lines = client.fence() + client.fence()
    said = (re.match(r"(?:@\S+ )?:\S+ PRIVMSG \S+ :(?!canary )(.*)", line) for line in lines)
    return [match[1] for match in said if match]


def count(lines: list[str], part: str) -> int:
    return sum(part in line for line in lines)


# Row 1


def message(size: int, tags: int, text: str) -> bytes:
    """A line of `size` bytes, its end counted, behind so many bytes of tags; blanks fill it."""
    before, after = "PRIVMSG watcher ", f" :{text}"
    line = before.ljust(size - len("\r\n") - len(after)) + after
    return f"@+x={'y' * (tags - len('+x='))} {line}".encode() if tags else line.encode()


def split_at(stack: ExitStack, daemon: Daemon, lines: list[tuple[bytes, int]]) -> tuple[int, int]:
    """Send each in two pieces; those that fit must be delivered, in order for each sender, the
    others refused. How many were which."""
    watcher = join(stack, daemon, "watcher")
    senders = [join(stack, daemon) for _ in range(100)]
    told: list[str] = []
    for start in range(0, len(lines), len(senders)):
        batch = list(zip(senders, lines[start:], strict=False))
        for sender, (line, at) in batch:
            sender.send(line[:at], b"")
        told += heard(watcher)
        for sender, (line, at) in batch:
            sender.send(line[at:], b"")
    refused = sum(count(sender.fence(), TOO_LONG) for sender in senders)
    told += heard(watcher)
    stack.close()
    fitting = [line for line, _ in lines if fits(line)]
    assert Counter(told) == Counter(line.decode().split(" :")[1].strip() for line in fitting)
    assert refused == len(lines) - len(fitting)
    return len(fitting), refused


def fits(line: bytes) -> bool:
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    tags, _, rest = line.partition(b" ") if line.startswith(b"@") else (b"", b"", line)
    return len(tags) <= 1 + TAG_DATA and len(rest) + len("\r\n") <= LINE


def test_row_1_lines_around_the_limit_split_at_every_point(
    daemon: Daemon, stack: ExitStack
) -> None:
    lines = [
        (message(size, 0, f"{size}-{len(end)}-{at}") + end, at)
        for size in (LINE - 1, LINE, LINE + 1)
        for end in ENDS
        for at in range(1, size - 2 + len(end))
    ]
    with watched(daemon, "row 1"):
        delivered, refused = split_at(stack, daemon, lines)
    print(f"row 1: {len(lines)} lines in two pieces, {delivered} delivered, {refused} refused")


@pytest.mark.parametrize("step", [25, pytest.param(1, marks=pytest.mark.long)])
def test_row_1_tags_around_the_limit_split(daemon: Daemon, stack: ExitStack, step: int) -> None:
    """Between any two bytes near one of the limits, and in every so many places elsewhere."""
    lines = []
    for tags in (TAG_DATA - 1, TAG_DATA, TAG_DATA + 1):
        for size in (LINE, LINE + 1):
            for end in ENDS:
                whole = len(message(size, tags, "")) + len(end)
                near = {at + by for at in (2, tags, whole - 4) for by in range(-1, 4)}
                for at in sorted(near | set(range(1, whole, step))):
                    lines.append((message(size, tags, f"{tags}-{size}-{len(end)}-{at}") + end, at))
    with watched(daemon, "row 1, tags"):
        delivered, refused = split_at(stack, daemon, lines)
    print(f"row 1, tags: {len(lines)} in two pieces, {delivered} delivered, {refused} refused")


@pytest.mark.parametrize("begin", [b"", b"@+x="], ids=["line", "tags"])
def test_row_1_ten_mebibytes_are_refused_once_and_not_kept(
    daemon: Daemon, stack: ExitStack, begin: bytes
) -> None:
    unit = TAIL.replace(b" ", b"_") if begin else TAIL
    with watched(daemon, "row 1, 10 MiB"):
        watcher = join(stack, daemon, "watcher")
        senders = [join(stack, daemon) for _ in range(10)]
        before = daemon.rss()
        for sender in senders:
            sender.send(begin + unit * (10 * MIB // len(unit)), b"")
            sender.until(TOO_LONG)  # before the line has ended
        watcher.fence()
        grown = daemon.rss() - before
        for number, sender in enumerate(senders):
            sender.send(TAIL, ENDS[number % 2])
            sender.send(f"PRIVMSG watcher :after {number}")
            assert not count(sender.fence(), TOO_LONG)
        assert heard(watcher) == [f"after {number}" for number in range(len(senders))]
        stack.close()
    print(f"row 1: 10 unfinished lines of 10 MiB: memory {grown / KIB:+.0f} KiB")
    # One read is 64 KiB; of each line, 8 KiB may be kept.
    assert grown <= 64 * KIB + len(senders) * 8 * KIB + MIB


# Row 2

SAYS_NOTHING = (
    b"\n", b"\r\n", b" \n", b"\r\r\n", b"\0\n", b"@a \n", b":a\n", b"@a=b;c :d \n", b"@;;;;;;;;\n",
    b"PONG\n", b"x" * 600 + b"\n", b"\xff\n",
)  # fmt: skip
MOST_LINES = 512  # are taken in one turn


@pytest.mark.parametrize("size", [MIB // 8, pytest.param(MIB, marks=pytest.mark.long)])
def test_row_2_a_mebibyte_of_what_says_nothing(daemon: Daemon, stack: ExitStack, size: int) -> None:
    """Or next to nothing: the last of them are refused, each by a line."""
    used = {}
    with watched(daemon, "row 2"):
        for unit in SAYS_NOTHING:
            before = daemon.cpu()
            flood(daemon, unit * (size // len(unit)) + b"QUIT\n")
            used[unit] = daemon.cpu() - before
    shown = ", ".join(f"{unit[:9]!r}: {seconds * 1000:.0f}" for unit, seconds in used.items())
    print(f"row 2: ms of CPU for {size / MIB} MiB of {shown}")
    # At most 64 KiB are read in one turn, and so many lines of them taken.
    turns = {unit: max(size / (64 * KIB), size / len(unit) / MOST_LINES) for unit in SAYS_NOTHING}
    assert max(used[unit] / turns[unit] for unit in SAYS_NOTHING) <= 0.05


def flood(daemon: Daemon, data: bytes) -> None:
    """Send it all at once as a client that reads, until the daemon ends the connection."""
    with IRCClient(daemon.irc).arrive(room="") as client, Crowd() as crowd:
        crowd.add(client)
        client.socket.setblocking(False)
        left, deadline = memoryview(data), time.monotonic() + 120
        while not has_ended(client):
            assert time.monotonic() < deadline
            with suppress(BlockingIOError):
                left = left[client.socket.send(left[: 64 * KIB]) :]
            crowd.pump(0.01)


# Row 4


def test_row_4_utf_8_valid_and_not_split_at_every_byte(daemon: Daemon, stack: ExitStack) -> None:
    """What is no UTF-8 is refused whole; a telnet command is none."""
    splits = max(len(sent) for sent, _ in SPELLED) + 1
    with watched(daemon, "row 4"):
        watcher = join(stack, daemon, "watcher")
        senders = [join(stack, daemon) for _ in range(splits)]
        for sent, said in SPELLED:
            sent = sent.replace(b"\n", b"")
            for at, sender in enumerate(senders):
                sender.send(b"PRIVMSG watcher :" + sent[:at], b"")
            watcher.fence()
            for at, sender in enumerate(senders):
                sender.send(sent[at:])
            is_text = sent == said.encode()
            told = [sender.fence() for sender in senders]  # a busy turn may put off what they sent
            assert heard(watcher) == [said] * splits * is_text, sent
            for lines in told:
                assert count(lines, " INVALID_UTF8 ") == (not is_text)
        # A client reads UTF-8 strictly, and fails at the first byte that is not.
        for first in range(0x80, 0x100):
            pairs = (b"%c%c" % (first, second) for second in range(256) if second not in b"\r\n\0")
            senders[0].send(b"".join(b"PRIVMSG watcher :.%b\n" % pair for pair in pairs))
            valid = 64 if 0xC2 <= first < 0xE0 else 0
            assert count(senders[0].fence(), "INVALID_UTF8") == 253 - valid
            assert len(heard(watcher)) == valid
        stack.close()


# Rows 5 and 6

ENDED = ("\0", "\r")  # which no line may hold: such a one is none
WAYS = (
    "PRIVMSG #talk :{}", "NOTICE #talk :{}", "PRIVMSG @#talk :{}", "PRIVMSG watcher :{}",
    "NOTICE watcher :{}", "PRIVMSG #talk :\x01ACTION {}\x01", "PRIVMSG #talk :\x01{}\x01",
    "PRIVMSG watcher :\x01ACTION {}\x01", "NOTICE watcher :\x01{} {}\x01", "PRIVMSG {} :hi",
    "@+x={} PRIVMSG #talk :tagged", "@+draft/reply={};+x\\r\\n TAGMSG #talk", "@+{}=1 TAGMSG #talk",
    "TAGMSG {}", "TAGMSG :x {}", "TOPIC #talk :{}", "TOPIC #talk", "TOPIC #{}", "AWAY :{}",
    "WHOIS talker", "WHOIS {}", "AWAY", "SETNAME :{}", "WHO #talk", "WHO {}", "WHO #talk {}",
    "NICK {}", "NICK :{} {}", "JOIN {}", "JOIN #{}", "JOIN #talk {}", "JOIN #side",
    "PART #side :{}", "PART {}", "NAMES {}", "LIST {}", "LIST", "KICK #talk {} :{}",
    "INVITE watcher {}", "INVITE {} #talk", "MODE #talk +b {}", "MODE #talk +b", "MODE #talk +k {}",
    "MODE #talk -k {}", "MODE #talk +{}", "MODE #talk +l {}", "MODE #talk +o {}", "MODE {}",
    "MODE talker +{}", "METADATA * SET key :{}", "METADATA * SET {} :x", "METADATA * GET {}",
    "METADATA #talk SET key :{}", "METADATA * LIST", "METADATA * SUB {}", "MONITOR + {}",
    "MONITOR L", "HELP {}", "MOTD {}", "PING :{}", "PONG {}", "{}", "{} x", ":{} PING x", "CAP {}",
    "CAP REQ :{}", "AUTHENTICATE {}", "PASS {}", "USER {} 0 * :{}", "REGISTER {} {} {}",
    "VERIFY {} {}", "REDACT #talk {} :{}", "CHATHISTORY LATEST #talk {} 5", "CHATHISTORY {} {} {}",
    "MARKREAD #talk {}", "MARKREAD {}", "RENAME #talk #{} :{}", "BATCH +{} draft/multiline #talk",
    "@batch={} PRIVMSG #talk :{}", "BATCH -{}", "BATCH +{} {}", "PRIVMSG NickServ :{}",
    "PRIVMSG ChanServ :{} {}", "NICKSERV {}", "CHANSERV {}", "USERHOST {}", "WHOWAS {}", "STATS {}",
    "INFO {}", "ADMIN {}", "KILL watcher :{}", "VERSION {}", "TIME {}", "WALLOPS :{}", "LUSERS {}",
    "MODE #talk -ilmst", "MODE #talk -k *",
)  # fmt: skip
_CODES = re.compile(r"[\x02-\x04\x0F\x11\x16\x1D-\x1F]")  # of IRC's own, in what is said
_CTCP = re.compile(r" :\x01([^\x01]*)\x01$")
_SAYS = re.compile(r"(?:@\S+ )?:\S+ (?:PRIVMSG|NOTICE|FAIL|BATCH|CAP|PONG|[0-9]{3}) ")


def unsafe_on_irc(lines: list[str]) -> list[str]:
    """As `unsafe`, but where something is said, and where one is told what one sent oneself, IRC's
    codes and the ends of a CTCP message may stand."""
    shown = (
        _CTCP.sub(r" :\1", _CODES.sub("", line)) if _SAYS.match(line) else line for line in lines
    )
    return unsafe(shown)


def test_rows_5_and_6_no_control_character_reaches_anyone_by_any_way(
    daemon: Daemon, stack: ExitStack
) -> None:
    with watched(daemon, "rows 5 and 6"):
        reader = stack.enter_context(Client(daemon.port)).arrive()
        talker, watcher, modern = (stack.enter_context(IRCClient(daemon.irc)) for _ in range(3))
        talker.arrive("talker", "#talk", EVERYTHING)
        watcher.arrive("watcher", "#talk")
        modern.arrive("modern", "#talk", EVERYTHING)
        kicked = join(stack, daemon, "kicked", "#talk")
        for client in (reader, watcher):
            client.send("/join #talk" if client is reader else "PRIVMSG talker :hello")
        seen, replayed, read = list[str](), list[str](), list[str]()
        for char in OBEYED:
            for way in WAYS:
                talker.send(way.replace("{}", f"x{char}y"))
            seen += talker.fence()
            replayed += kicked.ask("JOIN #talk")
            talker.send(f"KICK #talk kicked :x{char}y")
            seen += talker.fence() + watcher.fence() + modern.fence() + kicked.fence()
            replayed += modern.ask("CHATHISTORY LATEST #talk * 100")
            read += reader.ask("/history")
        left = sayers(stack, daemon)
        for client in left:
            seen += client.rest()
        seen += watcher.fence() + modern.fence()
        read += reader.fence()
        seen += modern.ask("WHOIS talker\nLIST\nNAMES #talk\nWHO #talk")
        stack.close()
    print(f"rows 5 and 6: {len(OBEYED)} characters and sequences by {len(WAYS) + 2} ways")
    assert count(seen, " KICK #talk kicked :x") >= len(OBEYED)
    assert count(seen, " QUIT :Quit: x") + count(seen, " QUIT :x") >= len(left)
    assert count(replayed, " :x") >= 30 * len(OBEYED)
    assert unsafe_on_irc(seen + replayed) == []
    assert unsafe(read) == []
    assert unsafe(daemon.log.split("\n")) == []


def sayers(stack: ExitStack, daemon: Daemon) -> list[IRCClient]:
    """Those who came with such a real name, and went with such a reason."""
    clients = []
    for number, char in enumerate(OBEYED):
        client = stack.enter_context(IRCClient(daemon.irc))
        client.send(f"USER x{char}y 0 * :x{char}y\nUSER ann 0 * :x{char}y\nNICK x{char}y")
        client.send(f"USER ann 0 * :ann\nNICK sayer{number}\nJOIN #talk\nQUIT :x{char}y")
        if any(end in char for end in ENDED):
            client.send("QUIT :xy")
        clients.append(client)
    return clients


def test_row_6_one_line_out_for_each_line_in(daemon: Daemon, stack: ExitStack) -> None:
    """With text, tags and labels; the escapes of a line's end are a part of the value that they
    stand in. NUL and CR, unescaped, are in no line."""
    escaped = r"a\r\nPRIVMSG\s#talk\s:b\0"
    with watched(daemon, "row 6"):
        modern = stack.enter_context(IRCClient(daemon.irc)).arrive("modern", "#talk", EVERYTHING)
        watcher = join(stack, daemon, "watcher", "#talk")
        talker = stack.enter_context(IRCClient(daemon.irc)).arrive("talker", "#talk", EVERYTHING)
        for number, char in enumerate(OBEYED):
            tags = f"+x={escaped};label=l{number}{escaped}"
            talker.send(f"@{tags} PRIVMSG #talk :{number}:{char}:tail PRIVMSG #talk {char}.")
        told, lines, texts = talker.fence(), modern.fence() + modern.fence(), heard(watcher)
        stack.close()
    whole = [
        str(number) for number, char in enumerate(OBEYED) if not any(end in char for end in ENDED)
    ]
    assert [text.partition(":")[0] for text in texts] == whole
    tagged = [line for line in lines if ":talker!" in line and " PRIVMSG #talk :" in line]
    assert [line.partition(" PRIVMSG #talk :")[2].partition(":")[0] for line in tagged] == whole
    assert all(r"+x=a\r\nPRIVMSG\s#talk\s:b0" in line for line in tagged)
    assert count(told, "@label=l") + count(told, ";label=l") == len(whole)


# Row 7

# Either a nick is taken, which is told, or it is refused.
_ANSWER = re.compile(r":\S+ (?:NICK :?(\S+)$|417 |43[1237] |FAIL NICK INVALID_UTF8 )")


def test_row_7_no_nick_passes_for_another(daemon: Daemon, stack: ExitStack) -> None:
    """Neither by the NICK of a member nor by that of who is none yet, nor at the other door."""
    fixtures = Path(__file__).parents[1].joinpath("nicks.txt").read_text("ascii").splitlines()
    values = [json.loads(line.split("\t")[1]) for line in fixtures if line[:1].islower()]
    tried = [nick for value in values for nick in ([value] if isinstance(value, str) else value)]
    # Each once: who has a nick is told nothing when it asks for that one.
    tried = [nick for nick in dict.fromkeys(tried) if not any(end in nick for end in "\0\r\n")]
    taken = 0
    with watched(daemon, "row 7"):
        taker, rival = join(stack, daemon), join(stack, daemon)
        newcomer = stack.enter_context(IRCClient(daemon.irc))
        reader = stack.enter_context(Client(daemon.port)).arrive()
        for nick in tried:
            line = f"NICK :{nick}".encode("utf-8", "surrogatepass")
            newcomer.send(line)
            at_first = [said for said in newcomer.fence() if _ANSWER.match(said)]
            taker.send(line)
            told = taker.fence()
            (now,) = [said[1] for line in told if (said := _ANSWER.match(line))]
            if now is None:
                assert len(at_first) == 1, nick
                continue
            taken += 1
            # A nick in another case is its own, and nobody else's.
            assert count(at_first, " 433 ") == len(at_first), nick
            assert now == nick == check_nick(nick)
            # Whoever comes second collides, in whatever case.
            again = f"NICK {nick.swapcase()}"
            for other in (rival, newcomer):
                assert count(other.ask(again), " 433 ") == 1, again
            assert count(reader.ask(f"/nick {nick.swapcase()}"), " is taken. ") == 1
        stack.close()
    print(f"row 7: of {len(tried)} nicks {len(tried) - taken} refused, {taken} taken only once")
    assert len(tried) - taken >= 175


# Row 8

# All that a text can be beside what is said, which alone is logged.
NOT_LOGGED = (
    "NICK {}", "NICK :{}", "PASS :{}", "CAP REQ :{}", "AUTHENTICATE :{}", "OPER {} :{}", "{}",
    "AWAY :{}", "SETNAME :{}", "TOPIC #lobby :{}", "JOIN #lobby :{}", "JOIN {}", "PRIVMSG {} :hi",
    "WHOIS :{}", "MODE #lobby +k :{}", "METADATA * SET key :{}", "@+x={} TAGMSG #lobby",
    "PRIVMSG NickServ :IDENTIFY {}", "VERIFY {0} {0}", "CHATHISTORY LATEST {} * 5", "MARKREAD {}",
    "RENAME #lobby #{0} :{0}", "REDACT #lobby {0} :{0}", "MONITOR + :{}",
)  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json"])
def test_row_8_nothing_forges_a_log_record(tmp_path: Path, stack: ExitStack, form: str) -> None:
    """One comes with each text for its nick, user name, real name and password, says it, with it
    in a tag and a label, and goes with it."""
    settings = {**SETTINGS, "log": {"format": form, "level": "debug", "chat": True}}
    texts = [text for text in FORGED if is_text(text)]
    with Daemon(tmp_path, settings, listen=BOTH) as daemon:
        # Passwords are compared in 19 MiB, which the allocator keeps from the second on.
        with IRCClient(daemon.irc, source="127.0.0.2").arrive() as guesser:
            guesser.ask("OPER root wrong\nOPER root wrong")
        with watched(daemon, f"row 8, {form}"):
            began, number = len(daemon.log), 0
            for number, text in enumerate(FORGED):
                forge(stack.enter_context(IRCClient(daemon.irc)), f"forger{number}", text)
            join(stack, daemon).fence()
            stack.close()
        log = daemon.log[began:]
    assert unsafe(log.split("\n")) == []
    # What a canary, and the one that waited, did.
    records = [line for line in log.splitlines() if not re.search(r"canary|guest-|\birc\d", line)]
    if form == "json":
        assert all(json.loads(line)["level"] == "info" for line in log.splitlines())
        records = [json.loads(line)["message"] for line in records]
    else:
        begins = r"\S+ \[chatroom\S*#info\] "
        assert all(re.match(begins, line) for line in log.splitlines())
        records = [re.sub(begins, "", line, count=1) for line in records]
    came, gone, guessed = (
        [record for record in records if re.fullmatch(shape, record)]
        for shape in (
            r"forger\d+ connected from 127\.0\.0\.1:\d+ \(\d here\)",
            r"\S+ disconnected \(\d here\)",
            r"A wrong (?:login|password for /oper) from 127\.0\.0\.1",
        )
    )
    assert len(came) == len(gone) == len(FORGED)
    assert len(guessed) == 3  # at so many of a minute it is looked
    assert any(record.startswith("{x} disconnected") for record in gone)  # some text is a nick
    said = [record for record in records if record not in {*came, *gone, *guessed}]
    assert len(said) == 2 * len(texts)
    for record, text in zip(said[::2], texts, strict=True):
        assert re.match(r"#lobby <forger\d+> row 8: ", record)
        assert form == "text" or record.endswith(f"> row 8: {clean(text)}"), record
    assert all(re.match(r"#lobby \* forger\d+ row 8: ", record) for record in said[1::2])


def is_text(text: str) -> bool:
    """Whether a line of IRC can hold it."""
    return clean(text) == clean(text.encode(errors="replace").decode()) and not any(
        end in text for end in ENDED
    )


def forge(client: IRCClient, nick: str, text: str) -> None:
    """Send `text` by all ways, its surrogates as such."""
    spaceless = text.replace(" ", "_")
    for line in (
        f"PASS :{text}", f"CAP REQ :{text}", f"CAP REQ :{EVERYTHING}", f"NICK :{text}",
        f"USER {spaceless} 0 * :{text}", f"USER {nick} 0 * :{nick}", f"NICK {nick}", "CAP END",
        f"JOIN {LOBBY}",
        f"@+x={spaceless};label={spaceless} PRIVMSG {LOBBY} :row 8: {text}",
        f"PRIVMSG {LOBBY} :\x01ACTION row 8: {text}\x01",
        *(way.format(text) if "0" in way else way.replace("{}", text) for way in NOT_LOGGED),
    ):  # fmt: skip
        client.send(line.encode("utf-8", "surrogatepass"))
    client.fence()
    client.send(f"QUIT :{text}".encode("utf-8", "surrogatepass"))
    client.send("QUIT")
    client.rest()
