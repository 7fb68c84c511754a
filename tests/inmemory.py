"""A hub in memory, and people in it whose lines can be read: for the tests of the core."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from chatroom.commands import speak
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.protocols.lineview import LineView, line_view

__all__ = ["NOW", "STAMP", "Chat", "Person"]

NOW = 1_790_000_000.0
STAMP = datetime.fromtimestamp(NOW).strftime("[%Y-%m-%d %H:%M]")


class Chat:
    """A hub of these settings. Its turns end when told, and its time is `now`."""

    def __init__(self, **settings: Any) -> None:
        self.now = NOW
        self.due: list[Callable[[], None]] = []
        self.hub = Hub(end_of_turn=self.due.append, **settings)

    def end_turn(self) -> None:
        while self.due:
            self.due.pop(0)()

    def enter(self, nick: str = "", address: str = "") -> Person:
        """Someone enters; what everyone got until then is read."""
        person = Person(self, nick, address)
        self.end_turn()
        for member in self.hub.members.values():
            if isinstance(member.door, Person):
                member.door.lines.clear()
        return person

    def people(self, *nicks: str) -> list[Person]:
        return [self.enter(nick) for nick in nicks]


class Person:
    """A member and its door, which writes as the line protocol does."""

    def __init__(self, chat: Chat, nick: str, address: str) -> None:
        self.chat = chat
        self.lines: list[str] = []
        self.closed = False
        self.member = chat.hub.enter(self, chat.now, nick, address)

    is_private = True

    def view(self, member: Member) -> LineView:
        room = "" if member.current is None else member.current.name
        return line_view(member.timestamps, room, member.bell, member.folded)

    def write(self, data: bytes) -> None:
        assert not self.closed, "written to after it was closed"
        self.lines += data.decode().split("\r\n")[:-1]

    def close(self) -> None:
        self.closed = True

    def says(self, *lines: str) -> None:
        for line in lines:
            speak(self.chat.hub, self.member, line, self.chat.now)

    def reads(self) -> list[str]:
        """The turn ends; what came since the last time."""
        self.chat.end_turn()
        lines, self.lines = self.lines, []
        return lines

    def gets(self, *lines: str) -> list[str]:
        """Says these lines, all in one turn; what it reads then, older lines left out."""
        self.reads()
        self.says(*lines)
        return self.reads()
