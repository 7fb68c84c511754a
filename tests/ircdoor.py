"""A client at the IRC door of a real daemon, and two healthy ones at both doors."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Self

from tests import daemon
from tests.daemon import Client, Daemon

__all__ = ["BOTH", "LOBBY", "IRCClient", "registration", "watched"]

# Connects that arrive at once wait in the backlog; what does not fit is tried again by TCP, a
# second later.
BOTH = (
    "line=tcp:0:interface=127.0.0.1:backlog=2000",
    "irc=tcp:0:interface=127.0.0.1:backlog=2000",
)
LOBBY = "#lobby"


def registration(nick: str) -> str:
    """The lines by which a client says who it is, the last without its end."""
    return f"NICK {nick}\nUSER {nick} 0 * :{nick.capitalize()}"


class IRCClient(Client):
    """One connection that speaks IRC."""

    _nicks = count(1)
    room = LOBBY

    def arrive(self, nick: str = "", room: str = LOBBY, caps: str = "") -> Self:
        """Register, and join `room`, unless it is empty. `caps` are the capabilities to ask for."""
        self.nick = nick or f"irc{next(self._nicks)}"
        asked = f"CAP REQ :{caps}\n" if caps else ""
        self.send(f"{asked}{registration(self.nick)}\n{'CAP END' if caps else ''}")
        told = self.fence()
        assert any(f" 001 {self.nick} " in line for line in told), told
        if room:
            self.room = room
            assert any(f" JOIN {room}" in line for line in self.ask(f"JOIN {room}"))
        return self

    def fence(self, seconds: float = 10) -> list[str]:
        """All lines on their way, up to the reply to something that is asked now."""
        mark = f"fence-{next(self._fences)}"
        self.send(f"PING {mark}")
        return self.until(f" :{mark}", seconds)[:-1]

    def spoken(self, text: str) -> str:
        """The line that says `text` in the room that it is in."""
        return f"PRIVMSG {self.room} :{text}"

    def move(self, room: str) -> None:
        """Go to another room from the one that it is in."""
        self.ask(f"JOIN {room}\nPART {self.room}")
        self.room = room


def _with_both(daemon: Daemon) -> tuple[Client, Client]:
    """One that speaks the line protocol and one that speaks IRC, in the lobby."""
    return Client(daemon.port).arrive(), IRCClient(daemon.irc).arrive()


watched = partial(daemon.watched, pair=_with_both)
"""`tests.daemon.watched` with a canary of which one half is at each door."""
