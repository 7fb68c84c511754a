"""What members say: in a room, to some of it, to one alone."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, repeat

from chatroom.accepting import Accepting
from chatroom.errors import CannotSpeak
from chatroom.events import Acted, Said, Tagged, Told, many
from chatroom.identity import PLAIN, Manner
from chatroom.member import Member
from chatroom.room import Room

__all__ = ["Speaking"]


class Speaking(Accepting):
    """The verbs of who speaks. Each asks the guards first, and raises a ChatError if it may not
    be; then nothing has happened."""

    def say(
        self,
        member: Member,
        text: str,
        now: float,
        room: Room | None = None,
        manner: Manner = PLAIN,
        *,
        whole: bool = False,
    ) -> None:
        """Say each line of `text`, or all of it as one `whole`, in a room, which is the current one
        unless given. Raises NotInRoom, and CannotSpeak where only members may and it is none."""
        self._turn.end_early()
        room = room or member.current
        if self.guards:
            self.ask("say", member, "" if room is None else room.name, text, now)
        room = room or self.room_of(member, "")
        self._must_hear(member, room)
        member.spoke = now
        lines = [text] if whole else text.splitlines()
        if len(lines) == 1:  # as most are: in a third of the time that the way of many takes
            about = self._by(member, now, room)
            self._turn.post(member, (room,), Said(*about, lines[0], member.who, manner))
        elif lines:
            by = now, room.name, member.nick, member.shown
            how = repeat(member.who), repeat(manner)
            rows = zip(islice(self._ids, len(lines)), *map(repeat, by), lines, *how, strict=False)
            self._turn.post(member, (room,), *many(Said, rows))

    def act(
        self,
        member: Member,
        text: str,
        now: float,
        room: Room | None = None,
        manner: Manner = PLAIN,
    ) -> None:
        """Tell a room, the current one unless given, what the member does. Raises as `say`."""
        self._turn.end_early()
        room = room or self.room_of(member, "")
        self.ask("act", member, room.name, text, now)
        self._must_hear(member, room)
        member.spoke = now
        about = self._by(member, now, room)
        self._turn.post(member, (room,), Acted(*about, text, member.who, manner))

    def tell(
        self, member: Member, nick: str, text: str, now: float, manner: Manner = PLAIN
    ) -> Member:
        """Say a line to one member alone; returns it. Raises NoSuchMember, NotAccepted."""
        member.must_be_present()
        to = self.find(nick)
        self.ask("tell", member, to.nick, text, now)
        if to.accounts_only:
            self._must_be_accepted(member, to)
        if member.accounts_only and not to.account:
            self._may_answer(member, to)
        member.spoke = now
        about = self._by(member, now)
        if Told in member.echoes:
            self._turn.mail(member, Told(*about, to.nick, text, True, member.who, manner))
        told = heard = Told(*about, to.nick, text, False, member.who, manner)
        if to is member:  # it would read one id once only
            about = self._by(member, now)
            heard = Told(*about, to.nick, text, False, member.who, manner, copy_of=told.id)
        if member.folded not in to.ignored:
            if not manner.notice:
                to.last_from = member
            self._turn.mail(to, heard)
        for guard in self.guards:
            guard.wrote(member, to, told)
        return to

    def tell_some(
        self, member: Member, room: Room, to: str, some: Iterable[Member], text: str, now: float,
        manner: Manner = PLAIN,
    ) -> None:  # fmt: skip
        """Say a line to some of a room; `to` names them (`@#ops`). Raises as `say`."""
        self._turn.end_early()
        self.ask("say", member, room.name, text, now)
        self._must_hear(member, room)
        member.spoke = now
        about = self._by(member, now, room)
        told = Told(*about, to, text, False, member.who, manner)
        for other in some:
            if other is not member and member.folded not in other.ignored:
                self._turn.mail(other, told)
        if Told in member.echoes:
            self._turn.mail(member, Told(*about, to, text, True, member.who, manner))

    def tag(self, member: Member, to: Room | Member, manner: Manner, now: float) -> None:
        """Pass on what a client tells others without a text. Raises as `say` and `tell`."""
        self._turn.end_early()
        if isinstance(to, Member):
            member.must_be_present()
            self.ask("tag", member, to.nick, "", now)
            if to.accounts_only:
                self._must_be_accepted(member, to)
            told = tagged = Tagged(*self._by(member, now), to.nick, member.who, manner)
            if Tagged in member.echoes:
                self._turn.mail(member, tagged)
                if to is member:  # it would read one id once only
                    about = self._by(member, now)
                    tagged = Tagged(*about, to.nick, member.who, manner, copy_of=tagged.id)
            if member.folded not in to.ignored:
                self._turn.mail(to, tagged)
            for guard in self.guards:
                guard.tagged(member, to, told)
            return
        self.ask("tag", member, to.name, "", now)
        self._must_hear(member, to)
        tagged = Tagged(*self._by(member, now, to), to.name, member.who, manner)
        self._turn.post(member, (to,), tagged)

    def _must_hear(self, member: Member, room: Room) -> None:
        if room in member.rooms:
            return
        member.must_be_present()
        if room.rules.members_only:
            raise CannotSpeak(f"You are not in {room.name}. /join it first.")
