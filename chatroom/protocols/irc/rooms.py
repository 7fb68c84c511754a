"""JOIN, PART, TOPIC, NAMES, KICK and INVITE (Modern IRC, "Channel Operations")."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from chatroom.errors import AlreadyInRoom, ChatError, NotInRoom, NotOperator
from chatroom.names import fold
from chatroom.protocols.irc import isupport, numerics
from chatroom.protocols.irc.command import Command, targets
from chatroom.protocols.irc.formatting import plain
from chatroom.protocols.irc.talking import room_named
from chatroom.protocols.irc.view import topic_lines
from chatroom.room import Room

if TYPE_CHECKING:
    from chatroom.member import Member
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS", "sees_member"]

_ALL = "0"


def _join(client: Client, message: Message) -> None:
    names = message.params[0].split(",")  # each with the key in its place
    keys = message.params[1].split(",") if len(message.params) > 1 else []
    if names == [_ALL]:
        for each in tuple(client.me.rooms):
            client.hub.part(client.me, each.name, "", client.now)
        return
    wanted: dict[str, tuple[str, str]] = {}  # each once: to refuse one may take a while
    for name, key in zip_longest(names, keys[: len(names)], fillvalue=""):
        wanted.setdefault(fold(name), (name, key))
    for name, key in wanted.values():
        if not name.startswith("#"):
            client.numeric(numerics.ERR_NOSUCHCHANNEL, name)
            continue
        try:
            room = client.hub.rooms.get(fold(name))
            if room is None or room not in client.me.rooms:
                client.hub.join(client.me, name, client.now, key)
        except ChatError as error:
            client.refuse(error, name, about="channel")


def _part(client: Client, message: Message) -> None:
    reason = plain(message.params[1]) if len(message.params) > 1 else ""
    for name in targets(message.params[0]) or [""]:
        try:
            room = room_named(client, name)
            client.hub.part(client.me, room.name, reason, client.now)
        except ChatError as error:
            client.refuse(error, name, about="channel")


def _topic(client: Client, message: Message) -> None:
    name = message.params[0]
    try:
        room = room_named(client, name)
        if room not in client.me.rooms:
            raise NotInRoom(f"You are not in {room.name}. JOIN it first.")
        if len(message.params) == 1:
            _tell_topic(client, room)
            return
        topic = plain(message.params[1])
        if topic == room.topic:  # nothing changes; who may not set it is told so all the same
            client.hub.ask("topic", client.me, room.name, topic, client.now)
        else:
            client.hub.set_topic(client.me, topic, client.now, room)
    except NotOperator as error:
        client.refuse(error, name)
    except ChatError as error:
        client.refuse(error, name, about="channel")


def _tell_topic(client: Client, room: Room) -> None:
    if room.topic:
        client.reply(*topic_lines(client.factory.server, client.nick, room))
    else:
        client.numeric(numerics.RPL_NOTOPIC, room.name)


def _names(client: Client, message: Message) -> None:
    """Who is in some channels (TARGMAX), as far as the client may see that."""
    names = targets(message.params[0] if message.params else "")
    if len(names) > isupport.MOST_TARGETS:
        client.numeric(numerics.ERR_TOOMANYTARGETS, names[isupport.MOST_TARGETS])
        names = names[: isupport.MOST_TARGETS]
    rooms = [client.hub.rooms.get(fold(name)) for name in names]
    for room in rooms:
        if room is not None and client.hub.authority.sees(client.me, room):
            _tell_names(client, room)
    one = rooms[0].name if len(rooms) == 1 and rooms[0] is not None else ""
    client.numeric(numerics.RPL_ENDOFNAMES, one or ",".join(names))


def _tell_names(client: Client, room: Room) -> None:
    told = client.factory.names_for(
        client.nick,
        room,
        multi_prefix="multi-prefix" in client.caps,
        hosts="userhost-in-names" in client.caps,
        who=None if room in client.me.rooms else lambda member: sees_member(client, member),
    )
    if told:
        client.reply(told.removesuffix("\r\n"))


def sees_member(client: Client, member: Member) -> bool:
    """Whether a list shows the client somebody: not who is invisible (+i), unless they are in one
    room, or the client runs the server."""
    modes: set[str] = getattr(member.door, "modes", set())
    if "i" not in modes or member is client.me:
        return True
    return bool(member.rooms.keys() & client.me.rooms.keys()) or (
        client.hub.authority.is_server_operator(client.me)
    )


def _kick(client: Client, message: Message) -> None:
    """Each of several people out of one channel, or each out of the channel beside it."""
    names, nicks = message.params[0].split(","), message.params[1].split(",")
    reason = plain(message.params[2]) if len(message.params) > 2 else ""
    pairs = (
        [(names[0], nick) for nick in nicks]
        if len(names) == 1
        else list(zip(names, nicks, strict=False))
    )
    if len(pairs) > isupport.MOST_TARGETS:
        client.numeric(numerics.ERR_TOOMANYTARGETS, pairs[isupport.MOST_TARGETS][1])
        return
    for name, nick in pairs:
        try:
            room = room_named(client, name)
            if room not in client.me.rooms:
                raise NotInRoom(f"You are not in {room.name}. JOIN it first.")
        except ChatError as error:
            client.refuse(error, name, about="channel")
            continue
        to = client.hub.members.get(fold(nick))
        if to is None:
            client.numeric(numerics.ERR_NOSUCHNICK, nick)
            continue
        try:
            client.hub.authority.kick(client.me, to, room, reason, client.now)
        except NotInRoom:
            client.numeric(numerics.ERR_USERNOTINCHANNEL, nick, room.name)
        except ChatError as error:
            client.refuse(error, room.name)


def _invite(client: Client, message: Message) -> None:
    if not message.params:
        for name in client.hub.authority.invitations(client.me):
            client.numeric(numerics.RPL_INVITELIST, name)
        client.numeric(numerics.RPL_ENDOFINVITELIST)
        return
    if len(message.params) < 2:
        client.numeric(numerics.ERR_NEEDMOREPARAMS, "INVITE")
        return
    nick, name = message.params[:2]
    try:
        room = room_named(client, name)
    except ChatError as error:
        client.refuse(error, name)
        return
    to = client.hub.members.get(fold(nick))
    if room not in client.me.rooms:
        client.numeric(numerics.ERR_NOTONCHANNEL, room.name)
        return
    if to is None:
        client.numeric(numerics.ERR_NOSUCHNICK, nick)
        return
    try:
        client.hub.authority.invite(client.me, to, room, client.now)
    except AlreadyInRoom:
        client.numeric(numerics.ERR_USERONCHANNEL, to.nick, room.name)
    except ChatError as error:
        client.refuse(error, room.name)
    else:
        client.numeric(numerics.RPL_INVITING, to.nick, room.name)
        if to.away is not None:
            client.numeric(numerics.RPL_AWAY, to.nick, text=to.away or "Away")


COMMANDS = (
    Command("JOIN", _join, 1, usage="CHANNEL[,CHANNEL...] [KEY[,KEY...]]",
            help="Enters channels, which are made if need be; JOIN 0 leaves them all."),
    Command("PART", _part, 1, usage="CHANNEL[,CHANNEL...] [:REASON]", help="Leaves channels."),
    Command("TOPIC", _topic, 1, usage="CHANNEL [:TOPIC]",
            help="Shows or sets a channel's topic; an empty one clears it."),
    Command("NAMES", _names, usage="CHANNEL[,CHANNEL...]", help="Lists who is in some channels."),
    Command("KICK", _kick, 2, usage="CHANNEL NICK[,NICK...] [:REASON]",
            help="Puts people out of a channel."),
    Command("INVITE", _invite, usage="[NICK CHANNEL]",
            help="Lets somebody into a channel, or lists where you were invited to."),
)  # fmt: skip
