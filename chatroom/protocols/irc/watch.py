"""Who watches for whom, by nick, at whatever door that one is (IRCv3 monitor, extended-monitor)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from chatroom.events import Profile
from chatroom.guard import Guard
from chatroom.member import Member
from chatroom.names import fold
from chatroom.protocols.irc import lines, numerics, usermodes

if TYPE_CHECKING:
    from chatroom.protocols.irc.factory import IRCFactory
    from chatroom.protocols.irc.numerics import Numeric

__all__ = ["Watch"]

_EXTENDED: Final = "extended-monitor"
_SETNAME: Final = "setname"


class Watch(Guard):
    """The lists of all clients. Those who watch are told when somebody takes a nick or gives it
    up, which a change of its case alone is not."""

    def __init__(self, factory: IRCFactory) -> None:
        self._factory = factory
        self._lists: dict[Member, dict[str, str]] = {}
        self._watchers: dict[str, set[Member]] = {}

    # The lists

    def list_of(self, member: Member) -> list[str]:
        """The nicks that a member watches for, as it wrote them."""
        return list(self._lists.get(member, {}).values())

    def watches(self, member: Member, nick: str) -> bool:
        """Whether it watches for this nick."""
        return fold(nick) in self._lists.get(member, {})

    def watchers(self, folded: str) -> Iterable[Member]:
        """Who watches for a folded nick."""
        return self._watchers.get(folded, ())

    def add(self, member: Member, nick: str) -> None:
        """Watch for a nick; it may be on the list."""
        self._lists.setdefault(member, {}).setdefault(fold(nick), nick)
        self._watchers.setdefault(fold(nick), set()).add(member)

    def remove(self, member: Member, nick: str) -> None:
        """Watch for it no more; it may not be on the list."""
        nicks, folded = self._lists.get(member, {}), fold(nick)
        if nicks.pop(folded, None) is None:
            return
        watchers = self._watchers[folded]
        watchers.discard(member)
        if not watchers:
            del self._watchers[folded]
        if not nicks:
            del self._lists[member]

    def clear(self, member: Member) -> None:
        """Watch for nobody any more."""
        for nick in self.list_of(member):
            self.remove(member, nick)

    # What happens (as Guard)

    def entered(self, member: Member, now: float) -> None:
        self._tell_is_here(member, now)

    def renamed(self, member: Member, was: str, now: float) -> None:
        if fold(was) != member.folded:
            self._tell(fold(was), numerics.RPL_MONOFFLINE, was, now)
            self._tell_is_here(member, now)

    def left(self, member: Member) -> None:
        self.clear(member)
        self._tell(member.folded, numerics.RPL_MONOFFLINE, member.nick, self._factory.wall())

    def profiled(self, member: Member, event: Profile) -> None:
        """Who watches for it and asked for that is told, unless it is in a room with it and so is
        told anyway. Its own new name is told to whoever has taken one by SETNAME, and to an
        IRC client that it is logged in no more, whatever brought that."""
        hub = self._factory.hub
        client = self._factory.client_of(member)
        if client is not None and event.was.account and not event.who.account:
            client.numeric(numerics.RPL_LOGGEDOUT, client.source)
        if client is not None and event.was.account != event.who.account:
            usermodes.tell_operator(client)
        if event.was.realname != event.who.realname and _has(member, _SETNAME):
            hub.mail(member, event)
        for watcher in self.watchers(member.folded):
            apart = watcher is not member and not (watcher.rooms.keys() & member.rooms.keys())
            if apart and _has(watcher, _EXTENDED):
                hub.mail(watcher, event)

    def _tell_is_here(self, member: Member, now: float) -> None:
        if member.folded in self._watchers:
            mask = lines.mask(member.nick, member.who)
            self._tell(member.folded, numerics.RPL_MONONLINE, mask, now)

    def _tell(self, folded: str, numeric: Numeric, text: str, now: float) -> None:
        for watcher in self.watchers(folded):
            line = numeric.line(self._factory.server, watcher.nick, text=text)
            self._factory.hub.reply(watcher, f"{line}\r\n", now)


def _has(member: Member, capability: str) -> bool:
    return capability in getattr(member.door, "caps", ())
