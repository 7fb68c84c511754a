"""How a client of each protocol comes in, and how it says a line. A table for each.

The texts are templates: `{nick}` is the speaker, `{room}` its room, `{to}` a partner, `{text}`
what is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["BARE", "DIALECTS", "IRC", "LINE", "LUMPS", "Dialect", "Step", "nick", "room"]


class Step(NamedTuple):
    """Say this, and wait until that has come."""

    say: str
    until: str


@dataclass(frozen=True)
class Dialect:
    """`enter` is everyone's way in; `take_nick` is what those do who speak or are spoken to;
    `move` leads to a room of its own, where there are several. `private` is '' and `rooms` is
    False where there is no such thing.

    `even` is False where a line has no fixed length when it comes: its ends are counted then.
    """

    name: str
    enter: tuple[Step, ...]
    say: str = "{text}\r\n"
    take_nick: tuple[Step, ...] = ()
    move: tuple[Step, ...] = ()
    private: str = ""
    rooms: bool = False
    most_text: int = 1000
    even: bool = True


LINE = Dialect(
    "line",
    enter=(Step("", "Type to talk."),),
    take_nick=(Step("/nick {nick}\r\n", "You are {nick} now."),),
    move=(Step("/join {room}\r\n", " in {room}"), Step("/part #lobby\r\n", "You left #lobby")),
    private="/msg {to} {text}\r\n",
    rooms=True,
)
"""This daemon's line protocol: everyone is in the lobby at once."""

IRC = Dialect(
    "irc",
    enter=(
        Step("NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n", " 001 {nick} "),
        Step("JOIN {room}\r\n", " 366 {nick} "),
    ),
    say="PRIVMSG {room} :{text}\r\n",
    private="PRIVMSG {to} :{text}\r\n",
    rooms=True,
    most_text=400,  # RFC 2812, section 2.3: a message has at most 512 bytes, prefix and all
)

BARE = Dialect("bare", enter=(Step("", "Welcome to this chatroom!"),))
"""One room, and nothing to it but lines."""

LUMPS = Dialect("lumps", enter=BARE.enter, even=False)
"""As BARE, but what was read at once is passed on at once, under one prefix."""

DIALECTS = {dialect.name: dialect for dialect in (LINE, IRC, BARE, LUMPS)}


def nick(number: int) -> str:
    """The nick of a client; all are of one length, and valid everywhere (RFC 1459: 9 letters)."""
    return f"b{number:05}"


def room(number: int) -> str:
    """A room's name; all are of one length."""
    return f"#bench{number:05}"
