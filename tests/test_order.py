"""The order of lines: what several clients do at once, each client's bytes against a plain model.

Clients connect through the real factory and protocol, over a wire whose kernel takes what it
is told to. Their bytes come split at any point, turns end at any moment; some stall, vanish or
quit, one member raises whenever it is written to, and a bot answers from inside a turn's end;
turns in which nothing is said may wait.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.task import Clock

from chatroom import turn
from chatroom.errors import ChatError
from chatroom.events import Event, Said
from chatroom.hub import Hub
from chatroom.limits import Limits
from chatroom.member import Listener, Member
from chatroom.protocols.line import _FIRST_STEPS, ChatFactory, ChatProtocol
from chatroom.turn import Turn
from tests.plainchat import NOW, Peer, PlainChat, facts, written
from tests.wire import Wire

# Small, so that a stalled client meets them within a few lines.
OUTBOX_BYTES = 200
STALL_SECONDS = 3
RECENT = 3
ROOMS = 3

# What clients say; each № becomes a number of its own, so that no two lines are alike.
LINES = (
    *("hi №", "what now №", "bot, are you there? №", "é 漢 🙂 №", "//me is said №", "< bob> №") * 4,
    *("/me waves №", "/me is é 漢 🙂 №", "/nick ann", "/nick bob", "/nick cy", "/nick Ann") * 2,
    *("/join #a", "/join #b", "/join #c", "/join #lobby", "/part", "/part #a see you") * 2,
    *("/msg ann №", "/msg bob №", "/msg bot №", "/msg cy №", "/join #A", "/reply №") * 2,
    *("/ignore ann", "/ignore bob", "/ignore bot", "/unignore ann", "/unignore bob") * 2,
    *("/topic of the day №", "/topic", "/topic -", "/who", "/who #a", "/history 2", "/history 9"),
    *("in haste №\n/nick bob", "in haste №\n/nick rob", "in haste №\n/nick ray\nagain №") * 2,
    *("bot, come №", "bot, come №\n/join #a\nhere I am №", "bot, go №") * 2,
    *("/part #b", "/quit", "/quit it is late", "/away", "/away for №", "/back", "/back"),
)


class Client:
    """One connection, its peer in the model, and the bytes that the model owes it."""

    def __init__(self, protocol: ChatProtocol, member: Member, wire: Wire, peer: Peer) -> None:
        self.protocol = protocol
        self.member = member
        self.wire = wire
        self.peer = peer
        self.expected = bytearray()
        self.missed = 0
        self.unsent = b""
        self.partial = b""
        self.closed = False
        self.stalled: tuple[int, float] | None = None

    def begin(self) -> None:
        """Note how things are before what a turn brought is written."""
        self._was_behind = self.wire.behind
        self._kept = len(self.expected) - len(self.wire.given)

    def owe(self, text: str) -> None:
        """What this turn brought: lines for as long as there is place, then none."""
        data = text.encode()
        full = self._kept + len(data) > OUTBOX_BYTES
        if self._was_behind and data and (self.missed or full):
            self.missed += data.count(b"\n")
        else:
            self.expected += data
        self.closed = not self.peer.present
        if self.closed:
            self._tell_missed()

    def check(self) -> None:
        """What was written so far is what was owed, from the first byte to the last."""
        given, wire = self.wire.given, self.wire
        if not wire.behind or len(given) > len(self.expected):
            self._tell_missed()
        behind = wire.behind and not self.closed
        owed = self.expected[: len(given)] if behind else self.expected
        if given != owed:
            assert given.decode().splitlines() == owed.decode().splitlines()

    def _tell_missed(self) -> None:
        if self.missed:
            lines = "1 line" if self.missed == 1 else f"{self.missed} lines"
            self.expected += f"-- {lines} skipped (/history shows them)\r\n".encode()
            self.missed = 0


class Fault(Exception):
    """What the faulty member raises."""


class FaultyDoor(Listener):
    def write(self, data: Any) -> None:
        raise Fault


class ManyClients(RuleBasedStateMachine):
    """What clients, the network and the clock may do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.due: list[Callable[[], None]] = []
        limits = Limits(
            lines=None,
            outbox_bytes=OUTBOX_BYTES,
            stall_seconds=STALL_SECONDS,
            idle_seconds=None,
            rooms_per_member=ROOMS,
            nick_changes=None,
            joins=None,
            recent=RECENT,
        )
        self.hub = Hub(end_of_turn=self.due.append, limits=limits)
        self.factory = ChatFactory(self.hub, self.clock, wall=lambda: NOW)
        self.plain = PlainChat(RECENT, ROOMS)
        self.clients: list[Client] = []
        self.aborted: list[Wire] = []
        self.heard: list[Event] = []
        self.number = 0
        self.few_are_a_crowd = patch.object(turn, "_WAIT_PER_MEMBER", 0.05)
        self.few_are_a_crowd.start()

    @initialize(
        faulty=st.booleans(),
        bot=st.booleans(),
        grudge=st.booleans(),
        slow=st.booleans(),
        patient=st.booleans(),
        nicks=st.integers(2, 4).map(lambda number: ("ann", "bob", "cy", "dee")[:number]),
        room=st.sampled_from(("#lobby", "#a")),
    )
    def begin(
        self,
        faulty: bool,
        bot: bool,
        grudge: bool,
        slow: bool,
        patient: bool,
        nicks: tuple[str, ...],
        room: str,
    ) -> None:
        if patient:
            self.hub.use_turns(self.due.append, self.later)
        if faulty:
            self.hub.enter(FaultyDoor(print), NOW, "crank")
            self.plain.enter("crank")
        self.bot: Member | None = None
        if bot:
            self.bot = self.hub.enter(Listener(self.bot_hears), NOW, "bot")
            self.plain_bot = self.plain.enter("bot")
        for nick in nicks:
            self.connect()
            self.enter(self.clients[-1], f"/nick {nick}\n/join {room}\n")
        if grudge:
            self.enter(self.clients[0], "/ignore bob\n")
        if slow:
            self.clients[-1].wire.room = 300

    # A bot, and its model

    def bot_hears(self, event: Event) -> None:
        self.heard.append(event)
        if self.bot is None or not isinstance(event, Said) or not event.text.startswith("bot"):
            return
        with suppress(ChatError):  # who spoke may have another nick by now
            if "come" in event.text:
                self.hub.join(self.bot, "#a", NOW)
            if "go" in event.text:
                self.hub.part(self.bot, "#a", "bye", NOW)
            self.hub.say(self.bot, f"here I am, {event.sender}", NOW)
            self.hub.tell(self.bot, event.sender, "and here", NOW)

    def plain_bot_hears(self, heard: tuple[Any, ...]) -> None:
        bot, room = self.plain_bot, self.plain.rooms.get("#a")
        if heard[0] != "said" or not heard[3].startswith("bot"):
            return
        _, _, who, text = heard
        if "come" in text:
            self.plain.join(bot, "#a")
        if "go" in text:
            if room not in bot.rooms or room is None:
                return
            self.plain.part(bot, room, "bye")
        self.plain.say(bot, f"here I am, {who}")
        self.plain.tell(bot, who, "and here")

    # What clients do

    @precondition(lambda self: len(self.clients) < 5)
    @rule()
    def connect(self) -> None:
        wire = Wire(self.aborted)
        protocol = self.factory.buildProtocol(None)
        assert isinstance(protocol, ChatProtocol)
        protocol.makeConnection(wire)
        assert protocol.member is not None
        peer = self.plain.enter(protocol.member.nick, _FIRST_STEPS)
        self.clients.append(Client(protocol, protocol.member, wire, peer))

    @precondition(lambda self: self.clients)
    @rule(
        lines=st.lists(
            st.tuples(st.integers(0, 4), st.sampled_from(LINES)), min_size=2, max_size=10
        ),
        last=st.booleans(),
    )
    def talk(self, lines: list[tuple[int, str]], last: bool) -> None:
        """Lines of several clients arrive in one turn, and may be the last of it."""
        for who, line in lines:
            self.enter(self.clients[who % len(self.clients)], self.numbered(line) + "\n")
        if last:
            self.end_turn()

    @precondition(lambda self: self.clients)
    @rule(
        who=st.integers(0, 4),
        lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=4),
        crlf=st.booleans(),
        cuts=st.lists(st.integers(1, 40), max_size=3),
        held=st.sampled_from((0, 1, 2, 5, 9, 30)),
    )
    def send(self, who: int, lines: list[str], crlf: bool, cuts: list[int], held: int) -> None:
        """Lines arrive in pieces, and the last `held` bytes of them only with the next ones."""
        client = self.clients[who % len(self.clients)]
        end = "\r\n" if crlf else "\n"
        client.unsent += "".join(self.numbered(line) + end for line in lines).encode()
        self.arrive(client, cuts, held)

    @precondition(lambda self: self.clients)
    @rule(who=st.integers(0, 4), text=st.text("ab é漢🙂/\t", min_size=1, max_size=20))
    def say(self, who: int, text: str) -> None:
        """Any text, at once."""
        said = f"x{text}" if text.startswith("/") else text
        self.enter(self.clients[who % len(self.clients)], f"{said}\n")
        self.end_turn()

    def numbered(self, line: str) -> str:
        self.number += 1
        return line.replace("№", str(self.number))

    def enter(self, client: Client, text: str) -> None:
        client.unsent += text.encode()
        self.arrive(client, [], 0)

    def arrive(self, client: Client, cuts: list[int], held: int) -> None:
        if client.closed:
            return
        end = max(0, len(client.unsent) - held)
        data, client.unsent = client.unsent[:end], client.unsent[end:]
        client.partial += data
        for cut in cuts:
            client.protocol.dataReceived(data[:cut])
            data = data[cut:]
        client.protocol.dataReceived(data)
        *lines, client.partial = client.partial.split(b"\n")
        for line in lines:
            text = line.decode().replace("\t", " ").rstrip()
            if text:
                self.plain.line(client.peer, text)

    @precondition(lambda self: len(self.clients) > 2)
    @rule(who=st.integers(0, 4), error=st.sampled_from((None, ConnectionDone, ConnectionLost)))
    def hang_up(self, who: int, error: type[Exception] | None) -> None:
        """The connection is gone or, without an error, the client only shuts its side down."""
        client = self.clients[who % len(self.clients)]
        if error is not None:
            self.clients.remove(client)
            client.wire.lose(client.protocol, error())
        elif not client.closed:
            client.protocol.readConnectionLost()
        self.plain.leave(client.peer, "connection lost" if error is ConnectionLost else "")

    # What the network and the clock do

    @precondition(lambda self: self.clients)
    @rule(who=st.integers(0, 4), room=st.sampled_from((0, 0, 0, 100, 300, None)))
    def kernel(self, who: int, room: int | None) -> None:
        """From now on, the kernel takes so many bytes for this client."""
        client = self.clients[who % len(self.clients)]
        client.wire.room = room
        self.pass_on()

    def end_turn(self) -> None:
        while self.due:
            self.end_one_turn(self.due.pop())
        self.pass_on()
        for client in [c for c in self.clients if c.wire.disconnecting and c.wire.drained]:
            self.clients.remove(client)
            client.wire.lose(client.protocol, ConnectionDone())
        assert not self.due
        self.check_who_is_here()

    def end_one_turn(self, flush: Callable[[], None]) -> None:
        for client in self.clients:
            client.begin()
        served: set[Member] = set()
        with patch.object(self.hub._turn, "_flush_to", partial(self.flush_to, served)):
            try:
                flush()
            except* Fault:
                pass
        waits = self.hub._turn._timer is not None
        for client in self.clients:
            if client.member in served or not waits:
                client.owe(written(client.peer))
                client.peer.takes()
            client.check()
        if self.bot is None or (waits and self.bot not in served):
            return
        heard = self.plain_bot.takes()
        assert [fact for event in self.heard for fact in facts(event)] == heard
        self.heard.clear()
        for each in heard:
            self.plain_bot_hears(each)

    def flush_to(self, served: set[Member], hurried: set[Member]) -> None:
        """The rest of the turn waits; whoever is served gets all that is for it so far."""
        served |= hurried
        Turn._flush_to(self.hub._turn, hurried)

    def later(self, seconds: float, flush: Callable[[], None]) -> Any:
        """A turn in which nothing is said waits, until time passes or something is said."""
        return self.clock.callLater(seconds, self.end_one_turn, flush)

    def pass_on(self) -> None:
        for client in self.clients:
            client.wire.pass_on()
            client.check()

    @rule(seconds=st.integers(1, STALL_SECONDS))
    def time_passes(self, seconds: int) -> None:
        """Who takes nothing for too long is dropped, who does not close in time is, too."""
        self.end_turn()
        for _ in range(seconds):
            self.clock.advance(1)
            given_up = [client for client in self.clients if self.is_given_up(client)]
            aborted = [c for wire in self.aborted for c in self.clients if c.wire is wire]
            self.aborted.clear()
            assert {c for c in aborted if not c.closed} == set(given_up)
            for client in aborted:
                self.clients.remove(client)
                self.plain.leave(client.peer, "not reading")
                client.wire.lose(client.protocol, ConnectionAborted())
            self.end_turn()

    def is_given_up(self, client: Client) -> bool:
        if client.closed or not client.wire.behind:
            return False
        now = self.clock.seconds()
        if client.stalled is None or client.stalled[0] != client.wire.offset:
            client.stalled = client.wire.offset, now
        return now - client.stalled[1] >= STALL_SECONDS

    # At all times

    def check_who_is_here(self) -> None:
        names = {
            room.name: [member.nick for member in room.members] for room in self.hub.rooms.values()
        }
        assert names == {
            room.name: [peer.nick for peer in room.members] for room in self.plain.rooms.values()
        }
        assert {member.nick for member in self.hub.members.values()} == {
            peer.nick for peer in self.plain.peers
        }

    def teardown(self) -> None:
        """In the end everyone catches up, and has seen all or was told how much it missed."""
        for client in self.clients:
            client.wire.room = None
        self.end_turn()
        self.clock.advance(1)
        self.end_turn()
        for client in self.clients:
            assert client.wire.drained and not client.missed
        self.few_are_a_crowd.stop()


TestManyClients = ManyClients.TestCase
