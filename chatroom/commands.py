"""The slash commands, as a table. Each runs verbs of the hub and returns its reply.

A command raises a ChatError where it knows that something is wrong; `speak` alone
replies. `/help` is made from the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from textwrap import wrap
from typing import get_args

from chatroom import __version__
from chatroom.acceptcommands import CHOICES, accept, private
from chatroom.errors import BadUsage, ChatError, NoSuchMember, NoSuchRoom
from chatroom.hub import MOST_IGNORED, Hub
from chatroom.member import Bell, Member, Timestamps
from chatroom.names import fold, room_name
from chatroom.phrases import duration, listed, plural
from chatroom.room import Room

__all__ = ["COMMANDS", "Command", "attach", "find", "speak"]

# What a command returns is shown to who gave it: nothing, or some lines.
Run = Callable[[Hub, Member, str, float], str]

_MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Command:
    """`usage` is what follows the name; `needs` how many words of it must be there."""

    name: str
    usage: str
    help: str
    run: Run
    aliases: tuple[str, ...] = ()
    needs: int = 0

    @property
    def written(self) -> str:
        """`/msg NICK TEXT`."""
        return f"/{self.name} {self.usage}".rstrip()


def attach(hub: Hub, commands: Iterable[Command]) -> None:
    """Give one hub further commands, in the place of those that have the same name."""
    for command in commands:
        hub.commands |= dict.fromkeys((command.name, *command.aliases), command)


def speak(hub: Hub, member: Member, text: str, now: float) -> None:
    """One line from a member, cleaned: a command, or something to say in its room.

    `//text` says `/text`. Whatever is refused is told to the member, and said to nobody.
    What follows a /quit is for nobody.
    """
    if not member.present:
        return
    try:
        if not text.startswith("/"):
            hub.say(member, text, now)
            return
        if text.startswith("//"):
            hub.say(member, text[1:], now)
            return
        name, _, rest = text[1:].partition(" ")
        rest = rest.strip()
        command = find(hub, name)
        if len(rest.split()) < command.needs:
            raise BadUsage(f"Usage: {command.written}")
        hub.ask("command", member, command.name, "", now)
        reply = command.run(hub, member, rest, now)
    except ChatError as error:
        reply = str(error)
    hub.notify(member, reply, now)


def find(hub: Hub, name: str) -> Command:
    """The command of that name, or alias. Raises BadUsage with the one that is meant."""
    folded = name.lower()
    command: Command | None = hub.commands.get(folded) or _BY_NAME.get(folded)
    if command is None:
        near = get_close_matches(folded, [*_BY_NAME, *hub.commands], 1)
        hint = f"Did you mean /{near[0]}?" if near else "/help lists the commands."
        raise BadUsage(f"Unknown command /{name}. {hint}")
    return command


def _help(hub: Hub, member: Member, rest: str, now: float) -> str:
    if not rest:
        more = [c.name for c in hub.commands.values() if c.name not in _BY_NAME]
        names = " ".join(f"/{name}" for name in dict.fromkeys([*_NAMES, *more]))
        return "\n".join(
            [
                "What does not start with / is said to the room. The commands:",
                *wrap(names, 76),
                "/help COMMAND tells more.",
            ]
        )
    command = find(hub, rest.removeprefix("/"))
    also = f" (also {', '.join(f'/{alias}' for alias in command.aliases)})"
    return f"{command.written}{also if command.aliases else ''}: {command.help}"


def _nick(hub: Hub, member: Member, rest: str, now: float) -> str:
    if not rest:
        return f"You are {member.nick}."
    hub.rename(member, rest, now)
    return f"You are {member.nick} now."


def _me(hub: Hub, member: Member, rest: str, now: float) -> str:
    hub.act(member, rest, now)
    return ""


def _msg(hub: Hub, member: Member, rest: str, now: float) -> str:
    nick, _, text = rest.partition(" ")
    return _tell(hub, member, nick, text.strip(), now)


def _reply(hub: Hub, member: Member, rest: str, now: float) -> str:
    last = member.last_from
    if last is None:
        raise NoSuchMember("Nobody has written to you privately yet. /msg NICK TEXT does.")
    if not last.present:
        raise NoSuchMember(f"{last.nick} has left, your line was not sent.")
    return _tell(hub, member, last.nick, rest, now)


def _tell(hub: Hub, member: Member, nick: str, text: str, now: float) -> str:
    to = hub.tell(member, nick, text, now)
    return "" if to.away is None else _away_line(to)


def _away_line(member: Member) -> str:
    return f"{member.nick} is away{': ' + member.away if member.away else '.'}"


def _join(hub: Hub, member: Member, rest: str, now: float) -> str:
    was_in = len(member.rooms)
    name, _, key = rest.partition(" ")
    room = hub.join(member, name, now, key.strip())
    return f"You talk in {room.name} now." if len(member.rooms) == was_in else ""


def _part(hub: Hub, member: Member, rest: str, now: float) -> str:
    name, _, reason = rest.partition(" ")
    if not name.startswith("#"):
        name, reason = "", rest
    room = hub.part(member, name, reason.strip(), now)
    if member.current is None:
        return f"You left {room.name}, and are in no room. /join {hub.lobby.name} to talk."
    return f"You left {room.name}, and talk in {member.current.name} now."


def _rooms(hub: Hub, member: Member, rest: str, now: float) -> str:
    sees = hub.authority.sees
    rooms = [room for room in hub.rooms.values() if sees(member, room)]
    rooms.sort(key=lambda room: (-len(room.members), room.name))
    lines = [
        f"{room.name} ({len(room.members)} here){': ' + room.topic if room.topic else ''}"
        for room in rooms[:_MOST_LISTED]
    ]
    if len(rooms) > _MOST_LISTED:
        lines.append(f"and {plural(len(rooms) - _MOST_LISTED, 'smaller room')}.")
    return "\n".join(lines)


def _who(hub: Hub, member: Member, rest: str, now: float) -> str:
    room = _room(hub, member, rest)
    names = [_in_list(other) for other in sorted(room.members, key=lambda other: other.folded)]
    here = f"{room.name} ({len(names)} here)"
    return f"{here}: {listed(names, most=_MOST_LISTED)}" if names else here


def _in_list(member: Member) -> str:
    return member.nick if member.away is None else f"{member.nick} (away)"


def _room(hub: Hub, member: Member, name: str) -> Room:
    """The room to look at: the current one, or any by its name."""
    if not name:
        return hub.room_of(member, "")
    room = hub.rooms.get(fold(room_name(name)))
    if room is None or not hub.authority.sees(member, room):
        raise NoSuchRoom(f"There is no room {room_name(name)}. /rooms lists them all.")
    return room


def _whois(hub: Hub, member: Member, rest: str, now: float) -> str:
    other = hub.find(rest)
    seen = [room.name for room in other.rooms if hub.authority.sees(member, room)]
    rooms = listed(seen) if seen else "no room"
    lines = [
        f"{other.nick}{' (a guest)' if other.guest else ''} is in {rooms}.",
        f"Connected for {duration(now - other.since)}, silent for {duration(now - other.spoke)}.",
    ]
    if other.account:
        lines.insert(1, f"Logged in to the account {other.account}.")
    return "\n".join(lines + ([] if other.away is None else [_away_line(other)]))


def _topic(hub: Hub, member: Member, rest: str, now: float) -> str:
    room = hub.room_of(member, "")
    if not rest:
        if not room.topic:
            return f"{room.name} has no topic. /topic TEXT sets one."
        return f"The topic of {room.name} is: {room.topic} (set by {room.topic_by})"
    hub.set_topic(member, "" if rest == "-" else rest, now)
    return f"You set the topic of {room.name}: {rest}" if room.topic else "You cleared the topic."


def _history(hub: Hub, member: Member, rest: str, now: float) -> str:
    room = hub.room_of(member, "")
    most = int(rest) if rest.isdecimal() and len(rest) < 10 else 0
    if rest and not most:
        raise BadUsage(f"Usage: {_BY_NAME['history'].written}, with N from 1 on.")
    if not hub.limits.recent:
        return "No lines are kept here."
    shown = hub.replay(member, room, most or len(room.recent), now)
    if shown < (most or 1):
        return f"That is all that is kept of {room.name}." if shown else "Nothing was said yet."
    return ""


def _away(hub: Hub, member: Member, rest: str, now: float) -> str:
    hub.set_away(member, rest, now)
    return "You are away: who writes to you privately is told. /back when you are."


def _back(hub: Hub, member: Member, rest: str, now: float) -> str:
    if member.away is None:
        return "You were not away."
    hub.set_away(member, None, now)
    return "Welcome back."


def _ignore(hub: Hub, member: Member, rest: str, now: float) -> str:
    if not rest:
        names = sorted(member.ignored)
        return f"You ignore {listed(names, most=MOST_IGNORED)}." if names else "You ignore nobody."
    hub.ignore(member, rest)
    return f"You no longer see what {rest} says. /unignore {rest} shows it again."


def _unignore(hub: Hub, member: Member, rest: str, now: float) -> str:
    hub.unignore(member, rest)
    return f"You see what {rest} says again."


def _timestamp(hub: Hub, member: Member, rest: str, now: float) -> str:
    for choice in get_args(Timestamps):
        if rest.lower() == choice:
            member.wish(timestamps=choice)
    return _chosen("timestamp", rest, member.timestamps)


def _bell(hub: Hub, member: Member, rest: str, now: float) -> str:
    for choice in get_args(Bell):
        if rest.lower() == choice:
            member.wish(bell=choice)
    return _chosen("bell", rest, member.bell)


def _chosen(command: str, rest: str, is_now: str) -> str:
    if rest.lower() not in ("", is_now):
        raise BadUsage(f"Usage: {_BY_NAME[command].written}")
    return f"/{command} is {is_now}."


def _motd(hub: Hub, member: Member, rest: str, now: float) -> str:
    return hub.motd or "There is no message of the day."


def _version(hub: Hub, member: Member, rest: str, now: float) -> str:
    return f"chatroom {__version__}"


def _uptime(hub: Hub, member: Member, rest: str, now: float) -> str:
    up = duration(now - (hub.started or now))
    return f"Up for {up}, {len(hub.members)} here in {plural(len(hub.rooms), 'room')}."


def _quit(hub: Hub, member: Member, rest: str, now: float) -> str:
    hub.notify(member, "Bye.", now)
    hub.leave(member, rest, now, said=True)
    return ""


_PRIVATE = "lets all write to you alone, or only who is logged in."
_ACCEPT = "lets somebody write to you without being logged in, or no more; or lists them."

COMMANDS = (
    Command("help", "[COMMAND]", "lists the commands, or explains one.", _help),
    Command("nick", "[NICK]", "names you, or tells your nick.", _nick),
    Command("me", "TEXT", "tells the room what you do: * alice waves.", _me, needs=1),
    Command("msg", "NICK TEXT", "says something to one person alone.", _msg, ("m",), needs=2),
    Command("reply", "TEXT", "answers who last wrote to you alone.", _reply, ("r",), needs=1),
    Command(
        "join",
        "ROOM [KEY]",
        "enters a room, made if need be, or talks there again.",
        _join,
        ("j",),
        1,
    ),
    Command("part", "[#ROOM] [REASON]", "leaves a room, this one unless named.", _part),
    Command("rooms", "", "lists the rooms, their members counted.", _rooms, ("list",)),
    Command("who", "[ROOM]", "lists who is in this room, or in another.", _who, ("names",)),
    Command("whois", "NICK", "tells about one person.", _whois, needs=1),
    Command("topic", "[TEXT]", "shows or sets the room's topic; /topic - clears it.", _topic),
    Command("history", "[N]", "shows the last lines of the room again.", _history),
    Command("away", "[TEXT]", "marks you as away.", _away),
    Command("back", "", "marks you as here again.", _back),
    Command("ignore", "[NICK]", "hides what somebody says, or lists whom you ignore.", _ignore),
    Command("unignore", "NICK", "shows what somebody says again.", _unignore, needs=1),
    Command("private", f"[{'|'.join(CHOICES)}]", _PRIVATE, private),
    Command("accept", "[[-]NICK]", _ACCEPT, accept),
    Command(
        "timestamp",
        "[off|time|datetime|id]",
        "puts times before lines, or times and numbers.",
        _timestamp,
    ),
    Command(
        "bell",
        "[off|msg|mention|all]",
        "rings your terminal's bell: for private lines, "
        "also when your nick is said, or for every line.",
        _bell,
    ),
    Command("motd", "", "shows the message of the day.", _motd),
    Command("version", "", "tells what runs here.", _version),
    Command("uptime", "", "tells since when.", _uptime),
    Command("quit", "[REASON]", "leaves.", _quit),
)

_NAMES = [command.name for command in COMMANDS]
_BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
