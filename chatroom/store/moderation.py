"""Who may come in and who may speak: the guard that asks rules, bans and mutes.

What a member is in a room is in `Standing`, which the commands ask as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from hmac import compare_digest

from twisted.logger import Logger

from chatroom.authority import Authority
from chatroom.errors import BadKey, Banned, InviteOnly, NotAllowed, RoomFull, TooMany
from chatroom.guard import Guard, Verb
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.names import fold
from chatroom.permissions import Role
from chatroom.room import Room
from chatroom.rules import Rules
from chatroom.store.acting import Acting
from chatroom.store.database import Database
from chatroom.store.networks import network
from chatroom.store.roomrules import MOST_OWNED
from chatroom.store.sanctions import Sanction
from chatroom.store.speech import Speech
from chatroom.store.targets import Target

__all__ = ["Moderation"]

_KEYS_A_MINUTE = 6
_LOGINS = frozenset({"login", "register"})

_log = Logger("chatroom")


class Moderation(Acting, Guard):
    """Keeps order in `hub`, and is its Authority: attach it with `attach`.

    `accounts` run the server. `is_registered` tells of a folded nick whether it is an account's;
    `hide` is called with a locked or secret room that nobody owns any more, so that what was said
    there stays among those who were let in; `hide_room` with the folded name of one whose account
    is no more, be it open or not.
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
        hide_room: Callable[[str], object] = lambda room: None,
    ) -> None:
        super().__init__(hub, database, accounts)
        self.is_registered = is_registered
        self._hide = hide
        self._hide_name = hide_room
        self.clock = clock
        self._speech = speech = Speech(self, self.sanctions)
        self._called: dict[Member, str] = {}  # when it asked to log in
        self._put_out: Member | None = None
        # Rooms of guests that are gone. At most 256 members leave in one turn.
        self._unkept: deque[Room] = deque(maxlen=512)
        self._asked: dict[Verb, Callable[[Member, str, str, float], None]] = {
            "join": self._join,
            "leave": self._leave,
            "say": speech.speak,
            "act": speech.speak,
            "tag": speech.tag,
            "topic": speech.set_topic,
            "tell": speech.tell,
            "rename": self._rename,
            "command": self._command,
        }

    def attach(self) -> None:
        """Begin, with the lobby's topic as it was."""
        self._restore(self.hub.lobby, self.rules(self.hub.lobby))
        self.hub.guards.append(self)
        self.hub.authority = self

    def detach(self) -> None:
        """End: the hub is guarded by this no more."""
        self.hub.guards.remove(self)
        self.hub.authority = Authority()

    # What is so

    def keeps(self, room: Room) -> bool:
        """Whether what is said in a room is to be kept: also of one that is gone since, for the
        lines of its last turn."""
        if room in self._unkept:
            return False
        rules = self.rooms.get(fold(room.name))
        return rules is None or rules.keeps

    # What is done

    def ban_source(self, source: str, until: float, now: float) -> None:
        """The server bans an address or a range that guessed too many passwords; does nothing where
        it is no such, and logs it where there are too many."""
        why = "too many wrong passwords"
        try:
            target = Target("address", str(network(source)))
            self.sanctions.impose("ban", "", target, until, "the server", why, now)
        except ValueError:
            return
        except TooMany as error:
            _log.warn("{source} was not banned: {error}", source=source, error=error)
            return
        self.audit.write(None, "ban", "", str(target), why, now)

    def logged_in(self, hub: Hub, member: Member, now: float) -> None:
        """A member has logged in: what held for the nick it had holds for its account, and it is
        put out of wherever that is banned."""
        nick = Target("nick", self._called.pop(member, member.folded))
        for sanction in self.sanctions.on(nick, now):
            self._move(sanction, member, now)
        ban = self.sanctions.find("ban", "", member, now)
        if ban is not None and not self.is_server_operator(member):
            hub.notify(member, str(ban.refusal("This account is banned", now)), now)
            hub.leave(member, _BANNED, now)
            return
        for room in tuple(member.rooms):
            ban = self.sanctions.against("ban", fold(room.name), member, now)
            if ban is not None and not self.is_free(member, fold(room.name)):
                hub.notify(member, str(ban.refusal(f"You are banned from {room.name}", now)), now)
                self._put_out = member
                hub.part(member, room.name, _BANNED, now)
                self._put_out = None

    def may_drop(self, account: str, now: float) -> None:
        """Raises NotAllowed where a folded account may not be deleted: what it is barred from,
        or may do, would be anyone's who takes its name."""
        if account in self.accounts:
            raise NotAllowed(f"{account} runs the server: take it out of operators.accounts first.")
        for sanction in self.sanctions.on(Target("account", account), now):
            if not sanction.room:
                done = f"{account} can't be deleted as long as it is {_DONE[sanction.kind]}"
                raise sanction.refusal(f"{done} everywhere", now)

    def forget_account(self, account: str) -> None:
        """A folded account is no more: it has a say nowhere, and its rooms are nobody's. The
        rules of those that are open last until they are empty."""
        for sanction in self.sanctions.on(Target("account", account)):
            if sanction.room:
                self.sanctions.lift(sanction)
        owned = {room: self.rooms.get(room) for room in self.rooms.owned(account)}
        self.rooms.forget_account(account, self.hub.rooms)
        for room, rules in owned.items():
            if rules is not None and (rules.is_locked or rules.secret):
                self._hide_name(room)
            if room in self.hub.rooms:
                self.sanctions.keep_no_more(room)
            else:
                self.sanctions.drop_room(room)

    def tidy(self, now: float) -> None:
        """Forget some of what is over: now and then."""
        self.sanctions.tidy(now)

    # The guard

    def admit(self, address: str, now: float) -> None:
        ban = self.sanctions.from_address("ban", "", address, now)
        if ban is not None:
            raise ban.refusal("Your address is banned", now, Banned)

    def ask(self, verb: Verb, member: Member, about: str, text: str, now: float) -> None:
        asked = self._asked.get(verb)
        if asked is not None:
            asked(member, about, text, now)

    def made(self, room: Room, member: Member | None) -> None:
        """Its rules are back, if it has any; or it is the own of who made it."""
        folded = fold(room.name)
        rules = self.rooms.get(folded)
        if rules is not None:
            self._restore(room, rules)
        elif member is not None:
            self._make_way(member.account)
            room.rules.made = room.made
            kept = self.rooms.made(folded, room.rules, member)
            if member.account and not kept:
                self.hub.notify(
                    member,
                    f"{MOST_OWNED} rooms of yours are kept already, the most there may be: "
                    "this one is until you leave.",
                    self.clock(),
                )

    def emptied(self, room: Room) -> None:
        """Rules that nobody registered go, and what was said while it was locked with them."""
        folded = fold(room.name)
        rules = self.rooms.get(folded)
        if rules is None or rules.is_registered:
            return
        if rules.is_locked or rules.secret:
            self._hide(room)
        if not rules.keeps:
            room.recent.clear()
            self._unkept.append(room)
        self.sanctions.drop_room(folded)
        self.rooms.drop(folded)

    def left(self, member: Member) -> None:
        """What it was in each room goes with it; a room without an operator is passed on."""
        for room in self.rooms.left(member):
            self.pass_on(room, self.clock())
        self.here.discard(member)
        self._speech.left(member)
        self._called.pop(member, None)

    # Asked of it

    def _join(self, member: Member, about: str, key: str, now: float) -> None:
        room = fold(about)
        bans, rules = self.sanctions.bans, self.rooms.get(room)
        # Whoever keeps order has invited it after the ban, which else had ended that.
        is_invited = rules is not None and rules.has("invited", member)
        if room in bans and not is_invited and self.role(member, room) < Role.OPERATOR:
            ban = self.sanctions.against("ban", room, member, now)
            if ban is not None:
                raise ban.refusal(f"You are banned from {about}", now, Banned)
        if "" in bans and self.role(member, room) < Role.SERVER:
            ban = self.sanctions.find("ban", "", member, now)
            if ban is not None:
                raise ban.refusal("You are banned", now, Banned)
        if rules is None or is_invited or not (rules.is_locked or rules.limit):
            return
        if self.role(member, room) < Role.OPERATOR:
            self._enter(member, about, rules, key, now)

    def _enter(self, member: Member, about: str, rules: Rules, key: str, now: float) -> None:
        """Enter a room that not everyone may, having no say there and no invitation."""
        room = fold(about)
        if rules.invite_only and not self.sanctions.find("invitation", room, member, now):
            raise InviteOnly(f"{about} is locked: an operator of it has to /invite you.")
        if rules.key and not key:
            raise BadKey(f"{about} is locked: /join {about} KEY.")
        if rules.key and not compare_digest(key.encode(), rules.key.encode()):
            member.spend("keys", _KEYS_A_MINUTE, now, "You try keys too fast.")
            raise BadKey(f"That is not the key of {about}. Ask one of its operators.")
        open_ = self.hub.rooms.get(room)
        if rules.limit and open_ is not None and len(open_.members) >= rules.limit:
            raise RoomFull(f"{about} is full: it lets in {rules.limit}. Try again later.")

    def _leave(self, member: Member, about: str, reason: str, now: float) -> None:
        """The reason is its own words, unless it is put out."""
        if member is not self._put_out:
            self._speech.speak(member, about, reason, now)

    def _rename(self, member: Member, about: str, text: str, now: float) -> None:
        """Who is banned or muted by a nick, having nothing else to know it by, keeps that."""
        if member.account:
            return
        rooms = {"", *(fold(room.name) for room in member.rooms)}
        for nick in (member.folded, fold(about)):
            for found in self.sanctions.on(Target("nick", nick), now):
                # Its own follows it to rooms that it left; another's matters where it is.
                if nick == member.folded or found.room in rooms:
                    raise found.refusal(
                        f"The nick {nick} is kept as it is: it was {_DONE[found.kind]}", now
                    )

    def _command(self, member: Member, about: str, text: str, now: float) -> None:
        """Remember the nick of who logs in, which has that of its account afterwards."""
        if about in _LOGINS:
            self._called[member] = member.folded

    # Inside

    def _move(self, sanction: Sanction, member: Member, now: float) -> None:
        """What holds for a nick holds for the account of who had it as well."""
        kind, room, target = sanction.kind, sanction.room, Target("account", member.account)
        if (
            not member.account
            or self.is_free(member, room)
            or self.sanctions.at(kind, room, target)
        ):
            return
        term = sanction.until, sanction.by_nick, sanction.why
        kept = not room or self.is_registered_room(room)
        of_one = self.rooms.of_one(room)
        try:
            self.sanctions.impose(kind, room, target, *term, now, kept=kept, rooms=of_one)
        except TooMany as error:
            _log.warn("No {kind} of {target}: {error}", kind=kind, target=target, error=error)

    def _restore(self, room: Room, rules: Rules) -> None:
        room.rules = rules
        room.topic, room.topic_by, room.topic_at = rules.topic, rules.topic_by, rules.topic_at
        room.made = rules.made = rules.made or room.made
        if not rules.keeps:
            room.keep(0)

    def topic_set(self, room: Room) -> None:
        """Keep it, for when the room is made again."""
        folded = fold(room.name)
        rules = self.rooms.get(folded)
        if rules is not None:
            rules.topic, rules.topic_by, rules.topic_at = room.topic, room.topic_by, room.topic_at
            self.rooms.save(folded)

    def joined(self, room: Room, member: Member, now: float) -> None:
        """Say so where nothing is kept, and what it is there already."""
        if not self.keeps(room):
            self.hub.notify(member, "Nothing said here is kept.", now)
        self.show_own(member, room, now)


_BANNED = "banned"
_DONE = {"mute": "muted", "ban": "banned"}
