"""PRIVMSG, NOTICE and TAGMSG: what is said to rooms and people (Modern IRC; message-tags)."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING

from chatroom.errors import CannotSpeak, ChatError, NoSuchMember, NoSuchRoom, NotAccepted
from chatroom.identity import PLAIN, Manner
from chatroom.member import Member
from chatroom.names import fold
from chatroom.protocols.irc import formatting, isupport, modes, numerics
from chatroom.protocols.irc.command import Command, targets
from chatroom.protocols.irc.formatting import Text
from chatroom.protocols.irc.wire import (
    LINE_BYTES,
    NO_TAGS,
    Message,
    client_tags,
    escape,
    unescape,
)
from chatroom.room import Room
from chatroom.text import clean

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client

__all__ = ["COMMANDS", "manner_of", "send", "tagged"]

_SIGNS = frozenset(mode.prefix for mode in modes.PREFIXES)
_ACTION = "ACTION"
_OPERATORS = "@"


def _privmsg(client: Client, message: Message) -> Awaitable[None] | None:
    if _is_of_batch(client, message):
        return None
    if len(message.params) > 1 and not message.params[0].startswith("#"):
        service = client.factory.services.get(fold(message.params[0]))
        if service is not None and message.params[1]:
            return service.hear(client, formatting.plain(message.params[1]))
    _speak(client, message, notice=False)
    return None


def _notice(client: Client, message: Message) -> None:
    if not _is_of_batch(client, message):
        _speak(client, message, notice=True)


def _speak(client: Client, message: Message, *, notice: bool) -> None:
    params = message.params
    text = formatting.read(params[1] if len(params) > 1 else "")
    if not text.plain:
        if not notice:  # a NOTICE is never answered, not even with an error
            has_target = params and params[0]
            missing = numerics.ERR_NOTEXTTOSEND if has_target else numerics.ERR_NORECIPIENT
            client.numeric(missing, command=message.command)
        return
    tags = tagged(client, message)
    for target in _targets(client, params[0], quiet=notice):
        if _is_too_long(client, message.command, target, params[1]):
            client.numeric(numerics.ERR_INPUTTOOLONG)
            continue
        _to_one(client, target, text, manner_of(text, tags, notice=notice))


def _is_of_batch(client: Client, message: Message) -> bool:
    if "BATCH" not in client.state and "batch" not in message.tags:
        return False
    from chatroom.protocols.irc import multiline

    return multiline.takes(client, message)


def _targets(client: Client, listed: str, *, quiet: bool) -> list[str]:
    if "," not in listed:
        return [listed]
    found = targets(listed)
    if len(found) > isupport.MOST_TARGETS:
        if not quiet:
            client.numeric(numerics.ERR_TOOMANYTARGETS, found[isupport.MOST_TARGETS])
        return []
    return found


def _is_too_long(client: Client, command: str, target: str, text: str) -> bool:
    """Whether it would have to be cut on its way to the others, whose lines begin with who it is
    from."""
    if len(text) < 64:
        return False
    line = f":{client.source} {command} {target} :{text}\r\n"
    return len(line.encode()) > LINE_BYTES


def tagged(client: Client, message: Message) -> tuple[tuple[str, str], ...]:
    """What the client tells other clients beside the text, clean as the text is; an end of line,
    which is not one where it stands, may be in it."""
    if message.tags is NO_TAGS or "message-tags" not in client.caps:
        return ()
    return tuple(
        (key, value if value.isprintable() else unescape(clean(escape(value))))
        for key, value in client_tags(message.tags).items()
    )


def manner_of(text: Text, tags: tuple[tuple[str, str], ...], *, notice: bool) -> Manner:
    """How something is said: PLAIN itself where there is nothing to it."""
    if not (text.rich or tags or notice):
        return PLAIN
    return Manner(text.rich, notice, tags)


def _to_one(client: Client, target: str, text: Text, manner: Manner) -> None:
    """Say it to one target; what is refused is told, but for a notice."""
    try:
        send(client, target, text, manner)
    except ChatError as error:
        if not manner.notice:
            client.refuse(error, target, about="speech")


def send(
    client: Client, target: str, text: Text, manner: Manner = PLAIN, *, whole: bool = False
) -> None:
    """Say it to a room (`#ops`), to those who have a say there (`@#ops`), or to a nick. Raises a
    ChatError."""
    hub, member, now = client.hub, client.me, client.now
    sign, name = (target[0], target[1:]) if target[:1] in _SIGNS else ("", target)
    if not name.startswith("#"):
        _tell(client, target, text, manner)
        return
    room = room_named(client, name)
    if text.ctcp and text.ctcp != _ACTION and room.rules.no_ctcp:
        raise CannotSpeak(f"{room.name} lets no CTCP through but actions (+C).")
    if sign:
        some = _with_sign(client, room, sign)
        shown, manner = _told(client, text, manner)
        hub.tell_some(member, room, f"{sign}{room.name}", some, shown, now, manner)
    elif text.ctcp == _ACTION:
        hub.act(member, text.plain, now, room, manner)
    else:
        hub.say(member, text.plain, now, room, manner, whole=whole)


def room_named(client: Client, name: str) -> Room:
    """The room of that name, if the client may know that there is one. Raises NoSuchRoom."""
    room = client.hub.rooms.get(fold(name))
    if room is None or not client.hub.authority.sees(client.me, room):
        raise NoSuchRoom(f"There is no room {name}. LIST shows those that there are.")
    return room


def _with_sign(client: Client, room: Room, sign: str) -> Iterable[Member]:
    """Who keeps order in the room, or also who has a voice."""
    wanted = _OPERATORS if sign == _OPERATORS else "".join(_SIGNS)
    prefix = client.factory.prefixes(room, multi=True)
    return [member for member in room.members if any(one in wanted for one in prefix(member))]


def _told(client: Client, text: Text, manner: Manner) -> tuple[str, Manner]:
    """What is told to some alone: of an action too, which the line protocol shows as it is."""
    if text.ctcp != _ACTION:
        return text.plain, manner
    rich = formatting.action(text.rich or text.plain)
    return f"* {client.nick} {text.plain}", manner._replace(rich=rich)


def _tell(client: Client, nick: str, text: Text, manner: Manner) -> None:
    shown, manner = _told(client, text, manner)
    try:
        to = client.hub.tell(client.me, nick, shown, client.now, manner)
    except NoSuchMember:
        if not manner.notice:
            _write(client, nick, shown)
        return
    if to.away is not None and not manner.notice:
        client.numeric(numerics.RPL_AWAY, to.nick, text=to.away or "Away")


def _write(client: Client, nick: str, text: str) -> None:
    """To the account of a nick that nobody has now, if there is one."""
    try:
        told = client.hub.registrar.write_to(client.me, nick, text, client.now)
    except NoSuchMember:
        client.numeric(numerics.ERR_NOSUCHNICK, nick)
    else:
        if told:
            client.say(f"NOTICE {client.nick} :{told}")


def _tagmsg(client: Client, message: Message) -> None:
    """Only what clients tell each other, such as that somebody types."""
    tags = tagged(client, message)
    if not tags:
        return
    manner = Manner(tags=tags)
    for target in _targets(client, message.params[0], quiet=False):
        if fold(target) in client.factory.services:  # which has no eyes
            continue
        try:
            sign, name = (target[0], target[1:]) if target[:1] in _SIGNS else ("", target)
            to: Room | Member = (
                room_named(client, name) if name.startswith("#") else client.hub.find(target)
            )
            if not sign:
                client.hub.tag(client.me, to, manner, client.now)
        except NotAccepted:  # which who only types has no use for: the line itself is answered
            continue
        except ChatError as error:
            client.refuse(error, target, about="speech")


COMMANDS = (
    Command("PRIVMSG", _privmsg, usage="TARGET[,TARGET...] :TEXT",
            help="Says something to a channel or to people."),
    Command("NOTICE", _notice, usage="TARGET[,TARGET...] :TEXT",
            help="The same as PRIVMSG, for programs: it is never answered."),
    Command("TAGMSG", _tagmsg, 1, usage="TARGET[,TARGET...]",
            help="Tells clients something that has no text.", source="IRCv3 message-tags"),
)  # fmt: skip
