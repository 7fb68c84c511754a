"""Every command that keeps order, as a table; what is done to a room or to somebody in it is in
`ruling` and `sanctioning`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.commands import Command
from chatroom.errors import BadUsage, NameTaken
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import check_nick, fold
from chatroom.room import Room
from chatroom.store.audit import MOST_LISTED
from chatroom.store.looking import looking
from chatroom.store.moderation import Moderation
from chatroom.store.ruling import Ruling
from chatroom.store.sanctioning import Sanctioning

__all__ = ["Redact", "commands"]

Redact = Callable[[Member, Room, int, str, Callable[[], object]], object]
"""Takes the line of that id out of a room's history, for a reason or ''. May answer later; calls
the last of these if there was such a line."""

_LISTED = 20

_log = Logger("chatroom")


@dataclass(frozen=True, slots=True)
class _Running:
    """What is run by the commands of these names."""

    moderation: Moderation
    redacts: Redact

    def redact(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Take a line out of the current room. Raises NotAllowed, BadUsage; answers later."""
        room = hub.room_of(member, "")
        self.moderation.must("redact", member, room)
        id, _, why = rest.partition(" ")
        id = id.removeprefix("#")
        if not (id.isdecimal() and len(id) < 16):
            raise BadUsage("Usage: /redact ID [WHY]. /timestamp id shows the ids of lines.")
        write, folded, why = self.moderation.note, fold(room.name), why.strip()
        done = partial(write, member, "redact", folded, id, why, now)
        self.redacts(member, room, int(id), why, done)
        return ""

    def announce(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Tell everyone something. Raises NotAllowed."""
        self.moderation.must("announce", member, None)
        self.moderation.audit.write(member, "announce", "", "", rest, now)
        hub.announce(f"{member.shown} announces: {rest}", now)
        return ""

    def rename(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Give another a nick. Raises NotAllowed, NoSuchMember, BadName, NameTaken, BadUsage."""
        nick, _, new = rest.partition(" ")
        to = hub.find(nick)
        self.moderation.must("rename", member, None, to)
        new, _, why = new.strip().partition(" ")
        if check_nick(new) == to.nick:
            raise BadUsage(f"{to.nick} is called so already.")
        if self.moderation.is_registered(fold(new)) and to.account != fold(new):
            raise NameTaken(f"{new} is registered, and not by {to.nick}. Choose another nick.")
        was = to.nick
        hub.rename(to, new, now, freely=True)
        self.moderation.audit.write(member, "rename", "", f"{was} to {new}", why, now)
        sentence = f"{member.shown} renamed {was} to {new}{f': {why}' if why else ''}"
        for room in to.rooms:
            hub.word(room, sentence, now)
        return "" if to.rooms.keys() & member.rooms.keys() else sentence

    def audit(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Show the last acts. Raises NotAllowed, BadUsage; answers later."""
        self.moderation.must("audit", member, None)
        if rest and not (rest.isdecimal() and int(rest[:9]) > 0 and len(rest) < 9):
            raise BadUsage("Usage: /audit [N], with N from 1 on.")
        reading = self.moderation.audit.last(min(int(rest or _LISTED), MOST_LISTED))
        reading.addCallback(self._audited, hub, member).addErrback(self._failed, hub, member)
        return ""

    def _audited(self, lines: list[str], hub: Hub, member: Member) -> None:
        self._tell(hub, member, "\n".join(lines) or "Nothing was done yet.")

    def _failed(self, failure: Failure, hub: Hub, member: Member) -> None:
        _log.failure("the audit could not be read", failure)
        self._tell(hub, member, "That could not be read, and was logged. Try again later.")

    def _tell(self, hub: Hub, member: Member, text: str) -> None:
        if member.present:
            hub.notify(member, text, self.moderation.clock())


def commands(moderation: Moderation, redact: Redact | None = None) -> list[Command]:
    """All of them; /redact only where there is what takes lines out."""
    to, of = Sanctioning(moderation), Ruling(moderation)
    by = _Running(moderation, redact or _nothing)
    table = [
        Command("kick", "[#ROOM] NICK [WHY]", "puts somebody out of the room.", to.kick, (), 1),
        Command(
            "ban",
            "[server|#ROOM] NICK|ADDRESS[/BITS] [10m|2h|30d] [WHY]",
            "keeps somebody out, of the room or of the server.",
            *(to.ban, (), 1),
        ),
        Command(
            "unban",
            "[server|#ROOM] NICK|ADDRESS[/BITS]|NUMBER",
            "lets somebody in again, by the name or by the number that /bans shows.",
            *(to.unban, (), 1),
        ),
        Command("bans", "[server|#ROOM]", "lists who is banned or muted.", to.bans),
        Command(
            "mute",
            "[server|#ROOM] NICK|ADDRESS[/BITS]|all [10m|2h|30d] [WHY]",
            "silences somebody, or everyone who was given no voice.",
            *(to.mute, (), 1),
        ),
        Command(
            "unmute",
            "[server|#ROOM] NICK|ADDRESS[/BITS]|NUMBER|all",
            "lets somebody speak again, or everyone.",
            *(to.unmute, (), 1),
        ),
        Command("voice", "[#ROOM] NICK", "lets one speak where all are muted.", of.voice, (), 1),
        Command("unvoice", "[#ROOM] NICK", "takes that back.", of.unvoice, (), 1),
        Command("slow", "[#ROOM] SECONDS|off", "spaces out the lines of each.", of.slow, (), 1),
        Command(
            "lock",
            "[#ROOM] [KEY|topic]",
            "lets in only who is invited, or has the key; or keeps the topic as it is.",
            of.lock,
        ),
        Command("unlock", "[#ROOM] [topic]", "lets everyone in, or set the topic.", of.unlock),
        Command("invite", "[#ROOM] NICK", "lets one into a locked room.", of.invite, (), 1),
        Command("op", "[#ROOM] NICK", "makes one an operator of the room.", of.op, (), 1),
        Command("deop", "[#ROOM] NICK", "takes that back.", of.deop, (), 1),
        Command("keep", "[#ROOM] on|off", "keeps what is said, or does not.", of.keep, (), 1),
        Command("redact", "ID [WHY]", "takes a line out of the history.", by.redact, (), 1),
        Command("announce", "TEXT", "tells everyone on the server.", by.announce, (), 1),
        Command("rename", "NICK NEWNICK [WHY]", "gives another a nick.", by.rename, (), 2),
        Command("audit", "[N]", "shows who kept order how.", by.audit),
        *looking(moderation),
    ]
    return [command for command in table if redact is not None or command.name != "redact"]


def _nothing(member: Member, room: Room, id: int, why: str, told: Callable[[], object]) -> None:
    """Nothing is kept."""
