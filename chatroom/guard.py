"""What may be attached to a hub: asked before each verb, told of rooms and members that go.

The core knows no accounts, bans or history. Whatever does is a Guard, and a hub without any
is the whole chat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from chatroom.events import Profile, Tagged, Told
    from chatroom.member import Member
    from chatroom.room import Room

__all__ = ["Guard", "Verb"]

Verb = Literal["join", "leave", "say", "act", "tag", "topic", "tell", "rename", "command"]
"""What a member asks for."""


class Guard:
    """Lets everyone do everything: to be subclassed. A guard MUST NOT block, and MUST NOT change
    a hub from within one of these calls, but for telling somebody something."""

    def admit(self, address: str, now: float) -> None:
        """Someone connects from `address` ('' for a UNIX socket). Raises a ChatError to keep it
        out, before it was welcomed."""

    def ask(self, verb: Verb, member: Member, about: str, text: str, now: float) -> None:
        """Raises a ChatError if `member` may not.

        | verb | about | text |
        |---|---|---|
        | join | the room's name | the key it gave |
        | say | the room's name, '' in none | the text, maybe several lines |
        | act, topic | the room's name | the text |
        | tag | the room's name, or the other's nick | |
        | leave | the room's name | the reason, which is left out if it is refused |
        | tell | the other's nick | the text |
        | rename | the new nick | |
        | command | the command's name | |

        What is refused of several lines is asked for again line by line, so nothing may be
        counted before it is allowed as a whole.
        """

    def entered(self, member: Member, now: float) -> None:
        """A member is in the hub now."""

    def renamed(self, member: Member, was: str, now: float) -> None:
        """A member has another nick than it had."""

    def profiled(self, member: Member, event: Profile) -> None:
        """A member is away or back, or somebody else than it was."""

    def room_renamed(self, room: Room, was: str, now: float) -> None:
        """A room has another name than it had."""

    def wrote(self, member: Member, to: Member, event: Told) -> None:
        """A member said something to another alone."""

    def tagged(self, member: Member, to: Member, event: Tagged) -> None:
        """A member's client told another alone something that has no text."""

    def made(self, room: Room, member: Member | None) -> None:
        """A room was made, for `member` to enter; it is empty yet."""

    def joined(self, room: Room, member: Member, now: float) -> None:
        """A member has entered a room."""

    def topic_set(self, room: Room) -> None:
        """A room has another topic."""

    def emptied(self, room: Room) -> None:
        """The last member left a room, which is gone now unless it is the lobby."""

    def left(self, member: Member) -> None:
        """A member is gone for good."""
