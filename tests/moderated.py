"""A chat in memory where order is kept, and which can be started anew."""

from __future__ import annotations

from typing import Any

from chatroom.archive import Archive
from chatroom.commands import attach
from chatroom.names import fold
from chatroom.store.moderating import commands
from chatroom.store.moderation import Moderation
from tests.inmemory import Chat, Person
from tests.stored import Stored

__all__ = ["Moderated", "classroom", "person"]


class Moderated(Chat):
    """`zed` runs the server; `registered` are the accounts. What was asked to be hidden is in
    `hidden`."""

    def __init__(self, database: Stored | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.database = database or Stored()
        self.registered = {"zed", "ann", "bob", "cy"}
        self.hidden: list[str] = []
        self.moderation = Moderation(
            self.hub,
            self.database,
            lambda: self.now,
            accounts=("Zed",),
            is_registered=lambda account: account in self.registered,
            hide=lambda room: self.hidden.append(room.name),
            hide_room=self.hidden.append,
        )
        self.moderation.attach()
        self.hub.archive = Archive(self.hub)
        attach(self.hub, commands(self.moderation))

    def logged_in(self, nick: str, room: str = "", address: str = "") -> Person:
        """Someone who is logged in to the account of its nick, and in this room."""
        person = self.enter(nick, address)
        person.member.account = fold(nick)
        if room:
            person.gets(f"/join {room}")
        return person

    def guest(self, nick: str, room: str = "", address: str = "") -> Person:
        """Someone who is not logged in, and in this room."""
        person = self.enter(nick, address)
        if room:
            person.gets(f"/join {room}")
        return person

    def clear(self) -> None:
        """What everyone got until now is read."""
        self.end_turn()
        for member in self.hub.members.values():
            if isinstance(member.door, Person):
                member.door.lines.clear()

    def restarted(self) -> Moderated:
        """Another server with what was kept."""
        again = Moderated(self.database)
        again.now = self.now
        return again

    def audited(self) -> list[tuple[str, ...]]:
        """Who did what where to whom and why."""
        return self.database.load(
            "SELECT by_nick, action, room, target, why FROM audit ORDER BY id"
        )


def classroom() -> Moderated:
    """ann owns #a; bob and cy, guests, are there, and dan is not."""
    chat = Moderated()
    chat.logged_in("ann", "#a", "203.0.113.1")
    chat.guest("bob", "#a", "192.0.2.1")
    chat.guest("cy", "#a", "198.51.100.7")
    chat.guest("dan", address="198.51.100.8")
    chat.registered -= {"bob", "cy"}
    chat.clear()
    return chat


def person(chat: Moderated, nick: str) -> Person:
    door = chat.hub.members[nick].door
    assert isinstance(door, Person)
    return door
