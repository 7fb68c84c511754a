"""What serves IRC clients of one hub: their views, and what outlasts a connection."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from secrets import token_bytes
from typing import Any
from weakref import WeakValueDictionary

from twisted.internet.defer import Deferred

from chatroom.cloak import Cloak
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import NICK_LENGTH, fold
from chatroom.network import Network
from chatroom.permissions import Role
from chatroom.protocols.irc import lines, metadata, numerics
from chatroom.protocols.irc.arrivals import Arrivals
from chatroom.protocols.irc.census import Census
from chatroom.protocols.irc.client import Client
from chatroom.protocols.irc.commands import COMMANDS
from chatroom.protocols.irc.kept import Remembering
from chatroom.protocols.irc.past import Past
from chatroom.protocols.irc.portions import Pace
from chatroom.protocols.irc.services import SERVICES
from chatroom.protocols.irc.view import IRCView
from chatroom.protocols.irc.watch import Watch
from chatroom.protocols.serving import HubFactory
from chatroom.room import Room

__all__ = ["IRCFactory"]

_LOOK_SECONDS = 5.0
_LONGEST = "n" * NICK_LENGTH


class IRCFactory(HubFactory):
    """Serves one hub on IRC. `network` says what the server calls itself; `rehash` reads the
    settings again, if there is something that can."""

    protocol: Any = Client
    commands = COMMANDS
    services = SERVICES

    def __init__(
        self,
        hub: Hub,
        reactor: Any = None,
        wall: Callable[[], float] = time.time,
        network: Network | None = None,
    ) -> None:
        super().__init__(hub, reactor, wall)
        if not hub.cloak.has_key:  # where nothing is kept, a key is good for as long as this runs
            hub.cloak = Cloak(token_bytes(32))
        self.network = network or Network()
        self.rehash: Callable[[], object] | None = None
        self.unregistered: set[Client] = set()
        """Connections that have not said yet who they are."""
        self.census = Census(hub, self.seconds)
        self.past = Past(wall)
        self.pace = Pace(self.reactor)
        self.watch = Watch(self)
        self.kept = Remembering(self, metadata.changed)
        hub.guards += [self.past, self.watch, self.kept, Arrivals(self)]
        self._views: WeakValueDictionary[frozenset[str], IRCView] = WeakValueDictionary()
        self._batches = count(1)
        self._looked = 0.0
        # Who came to one room in one turn has one of a few sets of capabilities.
        self._listed: dict[tuple[Room, bool, bool], list[str]] = {}
        self._listed_in = -1  # which turn

    @property
    def server(self) -> str:
        """The server's name."""
        return self.network.server

    def view_for(self, caps: frozenset[str]) -> IRCView:
        """The view of those who have these capabilities, of which only `RENDERED` ones matter."""
        view = self._views.get(caps)
        if view is None:
            view = self._views[caps] = IRCView(self, caps)
        return view

    def batch(self) -> str:
        """A name for a batch that no other has."""
        return f"b{next(self._batches)}"

    # Who is in a room

    def prefix(self, member: Member, room: Room, *, multi: bool = False) -> str:
        """`@` for who keeps order in the room, `+` for who has a voice: the higher, or both."""
        return self.prefixes(room, multi=multi)(member)

    def prefixes(self, room: Room, *, multi: bool = False) -> Callable[[Member], str]:
        """What tells the `prefix` of each of many. That one runs the server counts for nothing:
        it was given no mode in the room, which clients go by."""
        folded = fold(room.name)
        own_role, has_voice = self.hub.authority.own_role, self.hub.authority.has_voice
        operator = Role.OPERATOR

        def prefix(member: Member) -> str:
            if own_role(member, folded) >= operator:
                return "@+" if multi and has_voice(member, folded) else "@"
            return "+" if has_voice(member, folded) else ""

        return prefix

    def names_for(
        self,
        nick: str,
        room: Room,
        *,
        multi_prefix: bool,
        hosts: bool,
        who: Callable[[Member], bool] | None = None,
        telling: bool = False,
    ) -> str:
        """Who is in a room, for who is called `nick`: lines with their ends, without the one that
        says that this is all. `who` leaves some out. `telling`: while a turn is told, in which all
        who came to a room are told the same."""
        head = numerics.RPL_NAMREPLY.line(self.server, _LONGEST, "@", room.name, text="")
        if self._listed_in != self.hub.turn_number:
            self._listed_in = self.hub.turn_number
            self._listed.clear()
        key = (room, multi_prefix, hosts)
        found = self._listed.get(key) if telling else None
        if found is None:
            prefix = self.prefixes(room, multi=multi_prefix)
            words = [
                prefix(member) + (lines.mask(member.nick, member.who) if hosts else member.nick)
                for member in room.members
                if who is None or who(member)
            ]
            found = [line[len(head) :] for line in lines.words_in_lines(head, words)]
            if telling:
                self._listed[key] = found
        symbol = "@" if room.rules.secret else "="
        head = numerics.RPL_NAMREPLY.line(self.server, nick, symbol, room.name, text="")
        return "".join([f"{head}{words}\r\n" for words in found])

    # Connections

    def client_of(self, member: Member) -> Client | None:
        """The IRC client behind a member; None where there is another door."""
        return member.door if isinstance(member.door, Client) else None

    def look_after(self, now: float) -> None:
        """Ask who is silent whether it is still there, and close what never says who it is."""
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        for client in (*self.unregistered, *self._connections()):
            if isinstance(client, Client):
                client.look_after(now)

    def close(self, text: str, seconds: float) -> Deferred[None]:
        """As for every protocol; who has not registered is closed at once."""
        for client in tuple(self.unregistered):
            client.end(text)
        return super().close(text, seconds)
