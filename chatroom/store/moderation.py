"""Who may come in and who may speak: the guard that asks rules, bans and mutes.

Also says what a member is in a room (`role`), for the commands that change any of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from math import ceil

from chatroom.errors import NotAllowed
from chatroom.guard import Guard, Verb
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.phrases import plural
from chatroom.room import Room
from chatroom.store.audit import Audit
from chatroom.store.database import Database
from chatroom.store.networks import network
from chatroom.store.permissions import Action, Role, must
from chatroom.store.roomrules import MOST_OWNED, RoomRules, Rules
from chatroom.store.sanctions import Sanctions, Target

__all__ = ["Moderation"]

_KEYS_A_MINUTE = 6


class Moderation(Guard):
    """Keeps order in `hub`: attach it with `attach`.

    `accounts` run the server. `is_registered` tells of a folded nick whether it is an account's;
    `hide` is called with a locked room that nobody owns any more, so that what was said there
    stays among those who were let in.
    """

    def __init__(
        self,
        hub: Hub,
        database: Database,
        clock: Callable[[], float],
        *,
        accounts: Iterable[str] = (),
        is_registered: Callable[[str], bool] = lambda account: False,
        hide: Callable[[Room], object] = lambda room: None,
    ) -> None:
        self.hub = hub
        self.is_registered = is_registered
        self.rooms = RoomRules(database, fold(hub.lobby.name), hub.lobby.name)
        self.sanctions = Sanctions(database)
        self.audit = Audit(database)
        self.here: set[Member] = set()
        """Members that run the server until they leave, whatever their account."""
        self._hide = hide
        self.clock = clock
        self._spoke: dict[Member, dict[str, float]] = {}  # when, in rooms that are slow
        # Rooms of guests that are gone. At most 256 members leave in one turn.
        self._unkept: deque[Room] = deque(maxlen=512)
        self._asked: dict[Verb, Callable[[Member, str, str, float], None]] = {
            "join": self._join,
            "say": self._speak,
            "act": self._speak,
            "topic": self._set_topic,
            "tell": self._tell,
            "rename": self._rename,
        }
        self.apply(accounts)

    def attach(self) -> None:
        """Begin, with the lobby's topic as it was."""
        self._restore(self.hub.lobby, self.rules(self.hub.lobby))
        self.hub.guards.append(self)

    def detach(self) -> None:
        """End: the hub is guarded by this no more."""
        self.hub.guards.remove(self)

    def apply(self, accounts: Iterable[str]) -> None:
        """These accounts run the server from now on."""
        self._accounts = frozenset(map(fold, accounts))

    # What is so

    def role(self, member: Member, room: str) -> Role:
        """What a member is in a folded room, or '' for everywhere. A guest that made a room owns
        it as long as it is connected and the room is not empty."""
        if member in self.here:
            return Role.SERVER
        rules = self.rooms.get(room)
        if rules is not None and rules.owner is member:
            return max(Role.OWNER, self.role_of_account(member.account, room))
        if rules is not None and rules.has("operator", member):
            return max(Role.OPERATOR, self.role_of_account(member.account, room))
        return self.role_of_account(member.account, room)

    def role_of_account(self, account: str, room: str) -> Role:
        """What a folded account is in a folded room, whoever has it."""
        rules = self.rooms.get(room)
        if not account:
            return Role.MEMBER
        if account in self._accounts:
            return Role.SERVER
        if rules is None:
            return Role.MEMBER
        if rules.owner == account:
            return Role.OWNER
        return Role.OPERATOR if account in rules.grants.get("operator", ()) else Role.MEMBER

    def must(
        self, action: Action, member: Member, room: Room | None, to: Member | None = None
    ) -> None:
        """Raises NotAllowed unless the member may do it in the room (None is everywhere), to this
        one if to anyone."""
        folded = fold(room.name) if room is not None else ""
        target = None if to is None else self.role(to, folded)
        must(action, self.role(member, folded), target, "" if to is None else to.nick)

    def rules(self, room: Room) -> Rules:
        """Those of a room, to read or to change (then `save`)."""
        return self.rooms.of(fold(room.name), room.name)

    def keeps(self, room: Room) -> bool:
        """Whether what is said in a room is to be kept: also of one that is gone since, for the
        lines of its last turn."""
        if room in self._unkept:
            return False
        rules = self.rooms.get(fold(room.name))
        return rules is None or rules.keeps

    def is_server_operator(self, member: Member) -> bool:
        """Whether the member runs the server."""
        return self.role(member, "") == Role.SERVER

    # What is done

    def ban_source(self, source: str, until: float, now: float) -> None:
        """The server bans an address or a range that guessed too many passwords; does nothing where
        it is no such. Raises TooMany."""
        why = "too many wrong passwords"
        try:
            target = Target("address", str(network(source)))
        except ValueError:
            return
        self.sanctions.impose("ban", "", target, until, "the server", why, now)
        self.audit.write(None, "ban", "", str(target), why, now)

    def logged_in(self, hub: Hub, member: Member, now: float) -> None:
        """A member has logged in: if its account is banned everywhere, it is told and put out."""
        ban = self.sanctions.find("ban", "", member, now)
        if ban is not None and not self.is_server_operator(member):
            hub.notify(member, str(ban.refusal("This account is banned", now)), now)
            hub.leave(member, "banned", now)

    def forget_account(self, account: str) -> None:
        """A folded account is no more: it has a say nowhere, and its rooms are nobody's."""
        for room in self.rooms.forget_account(account):
            self.sanctions.drop_room(room)

    def tidy(self, now: float) -> None:
        """Forget what is over: now and then."""
        self.sanctions.tidy(now)

    # The guard

    def admit(self, address: str, now: float) -> None:
        ban = self.sanctions.meeting("ban", "", now, "", "", address)
        if ban is not None:
            raise ban.refusal("Your address is banned", now)

    def ask(self, verb: Verb, member: Member, about: str, text: str, now: float) -> None:
        asked = self._asked.get(verb)
        if asked is not None:
            asked(member, about, text, now)

    def made(self, room: Room, member: Member | None) -> None:
        folded = fold(room.name)
        rules = self.rooms.get(folded)
        if rules is not None:
            self._restore(room, rules)
        elif member is not None:
            self._make_way(member.account)
            kept = self.rooms.made(folded, room.name, member)
            if member.account and not kept:
                self.hub.notify(
                    member,
                    f"{MOST_OWNED} rooms of yours are kept already, the most there may be: "
                    "this one is until you leave.",
                    self.clock(),
                )

    def emptied(self, room: Room) -> None:
        folded = fold(room.name)
        rules = self.rooms.get(folded)
        if rules is None or rules.is_registered:
            return
        if rules.lock_key is not None:
            self._hide(room)
        if not rules.keeps:
            room.recent.clear()
            self._unkept.append(room)
        self.sanctions.drop_room(folded)
        self.rooms.drop(folded)

    def left(self, member: Member) -> None:
        self.rooms.left(member)
        self.here.discard(member)
        self._spoke.pop(member, None)

    # Asked of it

    def _join(self, member: Member, about: str, key: str, now: float) -> None:
        room = fold(about)
        bans, rules = self.sanctions.bans, self.rooms.get(room)
        if room in bans and self.role(member, room) < Role.OPERATOR:
            ban = self.sanctions.find("ban", room, member, now)
            if ban is not None:
                raise ban.refusal(f"You are banned from {about}", now)
        if "" in bans and self.role(member, room) < Role.SERVER:
            ban = self.sanctions.find("ban", "", member, now)
            if ban is not None:
                raise ban.refusal("You are banned", now)
        if rules is None or rules.lock_key is None or rules.has("invited", member):
            return
        if self.role(member, room) >= Role.OPERATOR or (key and key == rules.lock_key):
            return
        if key and rules.lock_key:
            member.spend("keys", _KEYS_A_MINUTE, now, "You try keys too fast.")
            raise NotAllowed(f"That is not the key of {about}. Ask one of its operators.")
        how = f"/join {about} KEY" if rules.lock_key else "an operator of it has to /invite you"
        raise NotAllowed(f"{about} is locked: {how}.")

    def _speak(self, member: Member, about: str, text: str, now: float) -> None:
        room = fold(about)
        if self.sanctions.mutes:
            self._must_not_be_muted(member, room, about, now)
        rules = self.rooms.get(room)
        if rules is None or not (rules.muted or rules.slow) or self._has_voice(member, room, rules):
            return
        if rules.muted:
            raise NotAllowed(f"{about} is muted: only who was given a voice may speak.")
        if len(text.splitlines()) > 1:
            raise NotAllowed(_slowly(about, rules.slow))
        spoke = self._spoke.setdefault(member, {})
        silent = now - spoke.get(room, -rules.slow)
        if 0 <= silent < rules.slow:
            left = plural(ceil(rules.slow - silent), "second")
            raise NotAllowed(f"{_slowly(about, rules.slow)} Wait {left}.")
        spoke[room] = now

    def _set_topic(self, member: Member, about: str, text: str, now: float) -> None:
        room = fold(about)
        self._must_not_be_muted(member, room, about, now)
        rules = self.rooms.get(room)
        if rules is None:
            return
        if rules.topic_locked and self.role(member, room) < Role.OPERATOR:
            raise NotAllowed(f"The topic of {about} is locked: ask an operator of the room.")
        if rules.muted and not self._has_voice(member, room, rules):
            raise NotAllowed(f"{about} is muted: only who was given a voice may set its topic.")

    def _tell(self, member: Member, about: str, text: str, now: float) -> None:
        self._must_not_be_muted(member, "", "", now)

    def _rename(self, member: Member, about: str, text: str, now: float) -> None:
        """Who is muted by a nick, having nothing else to know it by, keeps that."""
        for room in ("", *(fold(room.name) for room in member.rooms)):
            for kind in ("mute", "ban"):
                for nick in (member.folded, fold(about)):
                    found = self.sanctions.meeting(kind, room, now, member.account, nick)
                    if found is not None and found.target.kind == "nick":
                        raise found.refusal(
                            f"The nick {nick} is kept as it is: it was {_DONE[kind]}", now
                        )

    # Inside

    def _must_not_be_muted(self, member: Member, room: str, name: str, now: float) -> None:
        if room and room in self.sanctions.mutes and self.role(member, room) < Role.OPERATOR:
            mute = self.sanctions.find("mute", room, member, now)
            if mute is not None:
                raise mute.refusal(f"You are muted in {name}", now)
        if "" in self.sanctions.mutes and self.role(member, room) < Role.SERVER:
            mute = self.sanctions.find("mute", "", member, now)
            if mute is not None:
                raise mute.refusal("You are muted", now)

    def _has_voice(self, member: Member, room: str, rules: Rules) -> bool:
        return rules.has("voice", member) or self.role(member, room) >= Role.OPERATOR

    def _make_way(self, account: str) -> None:
        """Where an account has as many rooms as it may, one that has no rules makes way."""
        owned = list(self.rooms.owned(account))
        if len(owned) < MOST_OWNED:
            return
        for room in owned:
            rules = self.rooms.get(room)
            bare = rules is not None and rules.is_bare
            banned = room in self.sanctions.bans or room in self.sanctions.mutes
            if bare and not banned and room not in self.hub.rooms:
                self.rooms.drop(room)
                return

    def _restore(self, room: Room, rules: Rules) -> None:
        room.topic, room.topic_by = rules.topic, rules.topic_by

    def topic_set(self, room: Room) -> None:
        """Keep it, for when the room is made again."""
        folded = fold(room.name)
        rules = self.rooms.get(folded)
        if rules is not None:
            rules.topic, rules.topic_by = room.topic, room.topic_by
            self.rooms.save(folded)

    def joined(self, room: Room, member: Member, now: float) -> None:
        """Say so where nothing is kept."""
        if not self.keeps(room):
            self.hub.notify(member, "Nothing said here is kept.", now)


_DONE = {"mute": "muted", "ban": "banned"}


def _slowly(room: str, seconds: int) -> str:
    return f"{room} is slow: one line every {plural(seconds, 'second')}, for each who speaks."
