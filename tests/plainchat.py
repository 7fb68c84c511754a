"""A chat without turns, views or sockets, to hold the real one against.

Whatever is accepted is put at once on the list of everyone who is to see it, in the one order
in which things happen: so nothing here can be late, lost or reordered. Facts are tuples, the
kind first and the room second.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chatroom.events import (
    Acted,
    Arrived,
    Event,
    Gone,
    Joined,
    Left,
    Notice,
    Profile,
    Renamed,
    Replayed,
    Said,
    Told,
    TopicSet,
    Welcomed,
)

__all__ = ["NOW", "Peer", "PlainChat", "facts", "written"]

Fact = tuple[Any, ...]

NOW = 1_790_000_000.0
_STAMP = datetime.fromtimestamp(NOW).strftime("[%Y-%m-%d %H:%M] ")
_NOWHERE = "You are in no room. /join #lobby to talk."


class Peer:
    """`seen` is what this turn brings."""

    def __init__(self, nick: str) -> None:
        self.nick = nick
        self.present = True
        self.rooms: list[Room] = []
        self.current: Room | None = None
        self.ignored: set[str] = set()
        self.last_from: Peer | None = None
        self.away: str | None = None
        self.seen: list[Fact] = []

    def mail(self, *facts: Fact) -> None:
        self.seen += facts

    def takes(self) -> list[Fact]:
        """What the turn brought, at its end."""
        seen, self.seen = self.seen, []
        return seen


class Room:
    def __init__(self, name: str) -> None:
        self.name = name
        self.members: list[Peer] = []
        self.topic = ""
        self.topic_by = ""
        self.recent: list[Fact] = []


class PlainChat:
    """`recent` and `rooms` are the limits of those names."""

    def __init__(self, recent: int, rooms: int) -> None:
        self.recent = recent
        self.most_rooms = rooms
        self.peers: list[Peer] = []
        self.lobby = Room("#lobby")
        self.rooms = {"#lobby": self.lobby}

    def post(self, fact: Fact, by: Peer | None, *rooms: Room) -> None:
        for peer in dict.fromkeys(peer for room in rooms for peer in room.members):
            if peer is not by and not _hidden(peer, fact):
                peer.seen.append(fact)
        for room in rooms:
            if fact[0] in ("said", "acted"):
                room.recent = [*room.recent, fact][-self.recent :]

    # Coming and going

    def enter(self, nick: str, hint: str = "") -> Peer:
        peer = Peer(nick)
        self.peers.append(peer)
        peer.mail(("welcomed", None, "Welcome to this chatroom!"))
        self.join(peer, "#lobby")
        if hint:
            peer.mail(("notice", None, hint))
        return peer

    def leave(self, peer: Peer, reason: str) -> None:
        if peer.present:
            peer.present = False
            self.peers.remove(peer)
            for room in list(peer.rooms):
                self.part(peer, room, reason)

    def join(self, peer: Peer, name: str) -> str:
        room = self.rooms.get(name.lower(), Room(name))
        if room in peer.rooms:
            peer.current = room
            return f"You talk in {room.name} now."
        if len(peer.rooms) >= self.most_rooms:
            return f"You are in {self.most_rooms} rooms, the most there may be. /part one first."
        self.rooms[name.lower()] = room
        self.again(peer, room, self.recent)
        room.members.append(peer)
        peer.rooms.append(room)
        peer.current = room
        here = len(room.members)
        self.post(("joined", room.name, peer.nick, here), peer, room)
        others = [other.nick for other in room.members[:-1]]
        company = f" with {_listed(others)} ({here} here)" if others else ", alone"
        peer.mail(("notice", None, f"You are {peer.nick} in {room.name}{company}."))
        if room.topic:
            peer.mail(("notice", None, f"The topic is: {room.topic}"))
        return ""

    def part(self, peer: Peer, room: Room, reason: str) -> str:
        room.members.remove(peer)
        peer.rooms.remove(room)
        self.post(("left", room.name, peer.nick, len(room.members), reason), None, room)
        if not room.members and room is not self.lobby:
            del self.rooms[room.name.lower()]
        if peer.present and peer.current is room:
            peer.current = peer.rooms[-1] if peer.rooms else None
        if peer.current is None:
            return f"You left {room.name}, and are in no room. /join #lobby to talk."
        return f"You left {room.name}, and talk in {peer.current.name} now."

    # Lines

    def line(self, peer: Peer, text: str) -> None:
        """What a client sent: a command, or something to say."""
        if not peer.present:
            return
        if not text.startswith("/") or text.startswith("//"):
            reply = self.say(peer, text.removeprefix("/"))
        else:
            name, _, rest = text[1:].partition(" ")
            reply = getattr(self, f"do_{name}")(peer, rest)
        if reply:
            peer.mail(("notice", None, reply))

    def say(self, peer: Peer, text: str, kind: str = "said") -> str:
        if peer.current is None:
            return _NOWHERE
        self.post((kind, peer.current.name, peer.nick, text), peer, peer.current)
        return ""

    def tell(self, peer: Peer, nick: str, text: str) -> str:
        to = self.find(nick)
        if to is None:
            return _nobody(nick)
        peer.mail(("echo", None, to.nick, text))
        if peer.nick.lower() not in to.ignored:
            to.last_from = peer
            to.mail(("told", None, peer.nick, text))
        return ""

    def again(self, peer: Peer, room: Room, most: int) -> int:
        shown = [fact for fact in room.recent if not _hidden(peer, fact)][-most:]
        if shown:
            peer.mail(*(("again", room.name, fact) for fact in shown))
        return len(shown)

    def find(self, nick: str) -> Peer | None:
        return next((peer for peer in self.peers if peer.nick.lower() == nick.lower()), None)

    # Commands

    def do_me(self, peer: Peer, rest: str) -> str:
        return self.say(peer, rest, "acted")

    def do_msg(self, peer: Peer, rest: str) -> str:
        nick, _, text = rest.partition(" ")
        return self.tell(peer, nick, text) or self.away_line(nick)

    def do_reply(self, peer: Peer, rest: str) -> str:
        last = peer.last_from
        if last is None:
            return "Nobody has written to you privately yet. /msg NICK TEXT does."
        if not last.present:
            return f"{last.nick} has left, your line was not sent."
        return self.tell(peer, last.nick, rest) or self.away_line(last.nick)

    def away_line(self, nick: str) -> str:
        to = self.find(nick)
        if to is None or to.away is None:
            return ""
        return f"{to.nick} is away: {to.away}" if to.away else f"{to.nick} is away."

    def do_away(self, peer: Peer, rest: str) -> str:
        peer.away = rest
        return "You are away: who writes to you privately is told. /back when you are."

    def do_back(self, peer: Peer, rest: str) -> str:
        was, peer.away = peer.away, None
        return "You were not away." if was is None else "Welcome back."

    def do_nick(self, peer: Peer, nick: str) -> str:
        if nick == peer.nick:
            return f"You are {nick} already."
        if self.find(nick) not in (None, peer):
            return f"{nick} is taken. Choose another nick."
        self.post(("renamed", None, peer.nick, nick), peer, *peer.rooms)
        for other in self.peers:
            if peer.nick.lower() in other.ignored:
                other.ignored = other.ignored - {peer.nick.lower()} | {nick.lower()}
        peer.nick = nick
        return f"You are {nick} now."

    def do_join(self, peer: Peer, rest: str) -> str:
        return self.join(peer, rest)

    def do_part(self, peer: Peer, rest: str) -> str:
        name, _, reason = rest.partition(" ")
        room = self.rooms.get(name.lower()) if name else peer.current
        if not name and room is None:
            return _NOWHERE
        if room not in peer.rooms or room is None:
            return f"You are not in {name}. /join it first."
        return self.part(peer, room, reason)

    def do_topic(self, peer: Peer, rest: str) -> str:
        room = peer.current
        if room is None:
            return _NOWHERE
        if not rest and room.topic:
            return f"The topic of {room.name} is: {room.topic} (set by {room.topic_by})"
        if not rest:
            return f"{room.name} has no topic. /topic TEXT sets one."
        room.topic, room.topic_by = ("" if rest == "-" else rest), peer.nick
        self.post(("topic", room.name, peer.nick, room.topic), peer, room)
        return (
            f"You set the topic of {room.name}: {rest}" if room.topic else "You cleared the topic."
        )

    def do_who(self, peer: Peer, rest: str) -> str:
        room = self.rooms.get(rest.lower()) if rest else peer.current
        if room is None:
            return f"There is no room {rest}. /rooms lists them all." if rest else _NOWHERE
        here = f"{room.name} ({len(room.members)} here)"
        peers = sorted(room.members, key=lambda peer: peer.nick.lower())
        names = [f"{peer.nick} (away)" if peer.away is not None else peer.nick for peer in peers]
        return f"{here}: {_listed(names)}" if names else here

    def do_history(self, peer: Peer, rest: str) -> str:
        room = peer.current
        if room is None:
            return _NOWHERE
        shown = self.again(peer, room, int(rest))
        if shown == int(rest):
            return ""
        return f"That is all that is kept of {room.name}." if shown else "Nothing was said yet."

    def do_ignore(self, peer: Peer, nick: str) -> str:
        other = self.find(nick)
        if other is None:
            return _nobody(nick)
        if other is peer:
            return "You cannot ignore yourself. /ignore NICK hides what another says."
        peer.ignored.add(other.nick.lower())
        return f"You no longer see what {nick} says. /unignore {nick} shows it again."

    def do_unignore(self, peer: Peer, nick: str) -> str:
        if nick.lower() not in peer.ignored:
            return f"You do not ignore {nick}. /ignore lists whom you do."
        peer.ignored.remove(nick.lower())
        return f"You see what {nick} says again."

    def do_quit(self, peer: Peer, rest: str) -> str:
        peer.mail(("notice", None, "Bye."))
        self.leave(peer, rest)
        return ""


def facts(event: Event) -> list[Fact]:
    """What an event of the real chat says: one thing, or all that it shows again, or nothing."""
    match event:
        case Replayed():
            return [("again", each.room, _fact(each)) for each in event.events]
        case Arrived():
            return [("notice", None, line) for line in event.text.split("\n")]
        case Gone() | Profile():  # for other doors: of who is gone, the room was told already
            return []
    return [_fact(event)]


def _fact(event: Event) -> Fact:
    match event:
        case Said() | Acted():
            return type(event).__name__.lower(), event.room, event.sender, event.text
        case Told():
            head = ("echo", None, event.to) if event.echo else ("told", None, event.sender)
            return *head, event.text
        case Joined():
            return "joined", event.room, event.sender, event.here
        case Left():
            return "left", event.room, event.sender, event.here, event.reason
        case Renamed():
            return "renamed", None, event.sender, event.nick
        case TopicSet():
            return "topic", event.room, event.sender, event.topic
        case Notice() | Welcomed():
            return type(event).__name__.lower(), None, event.text
    raise TypeError(f"no fact tells of {event!r}")


def written(peer: Peer) -> str:
    """This turn's lines as the line protocol writes them, now that the turn is over.

    Joins and leaves are told together where nothing stands between them: for each room who
    joined, then who left, by reason, and last how many are there. Who left and joins again begins
    anew.
    """
    runs: list[list[Fact]] = []
    for fact in peer.seen:
        run = runs[-1] if runs else []
        again = fact[0] == "joined" and ("left", *fact[1:3]) in {each[:3] for each in run}
        if run and {fact[0], run[-1][0]} <= {"joined", "left"} and not again:
            run.append(fact)
        else:
            runs.append([fact])
    room = peer.current.name if peer.current else None
    return "".join(
        f"{_STAMP if first[0] == 'again' else ''}"
        f"{'' if first[1] in (None, room) else f'[{first[1]}] '}{_text(first, *others)}\r\n"
        for run in runs
        for first, *others in _told(run)
    )


def _told(run: list[Fact]) -> list[list[Fact]]:
    if run[0][0] not in ("joined", "left"):
        return [run]
    rooms = list(dict.fromkeys(fact[1] for fact in run))
    here = {fact[1]: fact[3] for fact in run}
    now = [(*fact[:3], here[fact[1]], *fact[4:]) for fact in run]
    kinds = dict.fromkeys((fact[1], fact[0], *fact[4:]) for fact in now)
    return [
        [fact for fact in now if (fact[1], fact[0], *fact[4:]) == kind]
        for kind in sorted(kinds, key=lambda kind: (rooms.index(kind[0]), kind[1]))
    ]


def _text(fact: Fact, *others: Fact) -> str:
    match fact:
        case ("said", _, who, text):
            return f"<{who}> {text}"
        case ("acted", _, who, text):
            return f"* {who} {text}"
        case ("told", _, who, text):
            return f"[{who} -> you] {text}"
        case ("echo", _, to, text):
            return f"[you -> {to}] {text}"
        case ("joined" | "left" as did, _, who, here, *reason):
            who = _listed([who, *(other[2] for other in others)], most=5)
            return f"-- {who} {did}{f': {reason[0]}' if any(reason) else ''} ({here} here)"
        case ("renamed", _, old, new):
            return f"-- {old} is now {new}"
        case ("topic", _, who, topic):
            return f"-- {who} set the topic: {topic}" if topic else f"-- {who} cleared the topic"
        case ("notice", _, text):
            return f"-- {text}"
        case ("welcomed", _, text):
            return str(text)
        case ("again", _, said):
            return _text(said)
    raise ValueError(fact)


def _hidden(peer: Peer, fact: Fact) -> bool:
    return fact[0] in ("said", "acted") and fact[2].lower() in peer.ignored


def _listed(names: list[str], most: int = 10) -> str:
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} others"]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _nobody(nick: str) -> str:
    return f"Nobody here is called {nick}. /who lists who is here."
