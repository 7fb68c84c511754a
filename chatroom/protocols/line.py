r"""The line protocol: what `nc` and `telnet` speak.

In:  UTF-8, LF or CRLF; telnet negotiation is taken out. A line that begins with `/` is a
     command, `//` says `/`, anything else is said in the room. The peer is a guest in the
     lobby from the start, and may talk at once.
Out: see `lineview`. No prompt, no echo, no color.

A line over `line_bytes` is refused whole. A peer that sends faster than `lines` is not
read from until it may speak again: nothing is lost, and nobody else waits.
"""

from __future__ import annotations

import re
from typing import Any

from chatroom.commands import speak
from chatroom.errors import ChatError
from chatroom.member import Member
from chatroom.protocols.connection import Connection
from chatroom.protocols.lineview import LineView, line_view
from chatroom.protocols.serving import HubFactory
from chatroom.text import decode, decode_plain

__all__ = ["ChatFactory", "ChatProtocol"]

# First lines of other protocols, and what is said before closing: to a program that
# would have chatted nonsense, or a page in a browser that would have posted it (the
# header follows a request whose path is too long for a line).
_FOREIGN: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"[A-Z]{3,10} \S+ HTTP/\d|Host: \S"), ""),
    (re.compile(rb"\x16\x03|SSH-\d"), ""),
    (
        re.compile(rb"CAP (?:LS|REQ|LIST|END)\b|USER \S+ \S+ \S+ :?\S"),
        "This port is for nc or telnet, not for IRC programs: {irc}.",
    ),
)

# A person may begin so as well, and is told; a program goes on with USER.
_NICK = re.compile(rb"NICK \S+$")

_FIRST_STEPS = "Type to talk. /nick NAME gives you a name, /help lists the commands."


class ChatProtocol(Connection):
    """One connection, and the door of the member behind it."""

    factory: ChatFactory
    _fresh = True

    def admitted(self, peer: str) -> None:
        """Whoever connects is in the lobby at once."""
        hub, now = self.factory.hub, self.factory.wall()
        member = self.member = hub.enter(self, now, address=self.address)
        hub.notify(member, _FIRST_STEPS, now)
        self.factory.log.info(
            "{nick} connected from {peer} ({here} here)",
            nick=member.nick,
            peer=peer,
            here=len(hub.members),
        )

    def server_line(self, sentence: str) -> bytes:
        """As every word of the server's."""
        return f"-- {sentence}\r\n".encode()

    def lineReceived(self, line: bytes) -> None:
        """One whole line, without its end."""
        member = self.member
        if self._fresh and self._foreign(line):
            return
        text = decode(line).rstrip()
        if text and member is not None:
            speak(self.factory.hub, member, text, self.factory.wall())

    def taken_at_once(self, lines: list[bytes | None]) -> bool:
        """Say all the lines of one read in one go, if all they are is something to say.

        Of 51 lines of 64 bytes each took 7 us one by one, to the end of the turn, and takes 2 so.
        """
        hub, member = self.factory.hub, self.member
        if self._fresh or member is None or member.current is None:
            return False
        if hub.observers:  # who may have a word, or the member out of the room, after each line
            return False
        text = decode_plain(lines)
        if text is None or text.startswith("/") or "\n/" in text:
            return False
        try:
            hub.say(member, text, self.factory.wall())
        except ChatError:  # of a guard, which may let some of them through; each is told then
            return False
        return True

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line was too long, and none of it was kept."""
        self.tell(f"Line over {self.framer.line_bytes} bytes, not sent.")

    def _foreign(self, line: bytes) -> bool:
        """Whether this is another protocol's first line; then the connection closes."""
        if _NICK.match(line):
            self.tell(f"IRC programs: {self.factory.irc_door}. To name yourself here: /nick NAME")
            return True
        self._fresh = False
        for pattern, sentence in _FOREIGN:
            if pattern.match(line):
                self.tell(sentence.format(irc=self.factory.irc_door))
                self.go("")
                return True
        return False

    def view(self, member: Member) -> LineView:
        """Members who wish the same and talk in the same room share a view."""
        room = "" if member.current is None else member.current.name
        nick = member.folded if member.bell == "mention" else ""
        return line_view(member.timestamps, room, member.bell, nick)


class ChatFactory(HubFactory):
    """Serves one hub on the line protocol. `irc_door` says where IRC programs are served."""

    protocol: Any = ChatProtocol
    irc_door = "they are not served here"
