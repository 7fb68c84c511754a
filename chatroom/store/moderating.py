"""Every command that keeps order, as a table; what is done to a room or to somebody in it is in
`ruling` and `sanctioning`."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.commands import Command
from chatroom.errors import BadUsage, ChatError, NameTaken
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import check_nick, fold
from chatroom.store.audit import MOST_LISTED
from chatroom.store.looking import looking
from chatroom.store.moderation import Moderation
from chatroom.store.rulebook import USAGE, Rulebook
from chatroom.store.ruling import Ruling
from chatroom.store.sanctioning import Sanctioning

__all__ = ["commands"]

_LISTED = 20

_log = Logger("chatroom")


@dataclass(frozen=True, slots=True)
class _Running:
    """What is run by the commands of these names."""

    moderation: Moderation

    def redact(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Take a line out of the current room. Raises NotAllowed, BadUsage; answers later."""
        room = hub.room_of(member, "")
        id, _, why = rest.partition(" ")
        id = id.removeprefix("#")
        if not (id.isdecimal() and len(id) < 16):
            raise BadUsage("Usage: /redact ID [WHY]. /timestamp id shows the ids of lines.")
        work = self.moderation.redact(member, room, int(id), why.strip(), now)
        Deferred.fromCoroutine(self._wait(work, hub, member))
        return ""

    def register_room(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Keep the current room's rules for good. Raises NotAllowed, TooMany."""
        self.moderation.register_room(member, hub.room_of(member, ""), now)
        return ""

    def rename_room(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Give the current room another name. Raises NotAllowed, BadName, NameTaken."""
        name, _, why = rest.partition(" ")
        self.moderation.rename_room(member, hub.room_of(member, ""), name, why.strip(), now)
        return ""

    def announce(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Tell everyone something. Raises NotAllowed."""
        self.moderation.announce(member, rest, now)
        return ""

    def kill(self, hub: Hub, member: Member, rest: str, now: float) -> str:
        """Put one out of the server. Raises NotAllowed, NoSuchMember."""
        nick, _, why = rest.partition(" ")
        to = hub.find(nick)
        self.moderation.kill(member, to, why.strip(), now)
        return f"You put {to.nick} out of the server."

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

    async def _wait(self, work: Awaitable[None], hub: Hub, member: Member) -> None:
        """Tell the member what went wrong, if anything did."""
        try:
            await work
        except ChatError as error:
            self._tell(hub, member, str(error))
        except Exception:
            self._failed(Failure(), hub, member)

    def _failed(self, failure: Failure, hub: Hub, member: Member) -> None:
        _log.failure("the store did not answer", failure)
        self._tell(hub, member, "That did not work, and was logged. Try again later.")

    def _tell(self, hub: Hub, member: Member, text: str) -> None:
        if member.present:
            hub.notify(member, text, self.moderation.clock())


def commands(moderation: Moderation) -> list[Command]:
    """All of them."""
    to, of, by = Sanctioning(moderation), Ruling(moderation), _Running(moderation)
    rules = Rulebook(moderation)
    return [
        Command("kick", "[#ROOM] NICK [WHY]", "puts somebody out of the room.", to.kick, (), 1),
        Command(
            "ban",
            "[server|#ROOM] NICK|MASK|ADDRESS[/BITS] [10m|2h|30d] [WHY]",
            "keeps somebody out, of the room or of the server.",
            *(to.ban, (), 1),
        ),
        Command(
            "unban",
            "[server|#ROOM] NICK|MASK|ADDRESS[/BITS]|NUMBER",
            "lets somebody in again, by the name or by the number that /bans shows.",
            *(to.unban, (), 1),
        ),
        Command("bans", "[server|#ROOM]", "lists who is banned or muted, or excepted.", to.bans),
        Command(
            "mute",
            "[server|#ROOM] NICK|MASK|ADDRESS[/BITS]|all [10m|2h|30d] [WHY]",
            "silences somebody, or everyone who was given no voice.",
            *(to.mute, (), 1),
        ),
        Command(
            "unmute",
            "[server|#ROOM] NICK|MASK|ADDRESS[/BITS]|NUMBER|all",
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
        Command(
            "invite",
            "[#ROOM] [NICK]",
            "lets one into a room, or lists where you are let in.",
            of.invite,
        ),
        Command(
            "set",
            USAGE,
            "shows the rules of the room, or sets how many it lets in, who learns of it, "
            "if others may speak there, if only accounts may, if programs may question "
            "those there, who is never banned, who needs no invitation.",
            rules.set,
        ),
        Command("op", "[#ROOM] NICK", "makes one an operator of the room.", of.op, (), 1),
        Command("deop", "[#ROOM] NICK", "takes that back.", of.deop, (), 1),
        Command("keep", "[#ROOM] on|off", "keeps what is said, or does not.", of.keep, (), 1),
        Command("roomname", "NAME [WHY]", "gives the room another name.", by.rename_room, (), 1),
        Command("registerroom", "", "keeps the room and its rules for good.", by.register_room),
        Command("redact", "ID [WHY]", "takes a line out of the history.", by.redact, (), 1),
        Command("announce", "TEXT", "tells everyone on the server.", by.announce, (), 1),
        Command("kill", "NICK [WHY]", "puts somebody out of the server.", by.kill, (), 1),
        Command("rename", "NICK NEWNICK [WHY]", "gives another a nick.", by.rename, (), 2),
        Command("audit", "[N]", "shows who kept order how.", by.audit),
        *looking(moderation),
    ]
