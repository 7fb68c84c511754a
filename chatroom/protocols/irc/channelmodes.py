"""MODE on a channel: shows its modes, changes them one by one, and reads its lists (Modern IRC,
"Channel Modes"). Who may do what is for the hub's authority to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from chatroom import errors
from chatroom.errors import ChatError, NoSuchRoom
from chatroom.names import fold
from chatroom.permissions import Role
from chatroom.protocols.irc import modes, numerics, usermodes
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.modes import BY_LETTER, MOST_A_LINE, ChannelMode
from chatroom.protocols.irc.numerics import Numeric
from chatroom.protocols.irc.talking import room_named
from chatroom.protocols.irc.wire import LINE_BYTES, is_middle
from chatroom.room import Room
from chatroom.rules import Change, Listed, Setting

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS", "Asked", "asked", "is_key"]

_LISTS: Final[dict[Setting, tuple[Numeric, Numeric]]] = {
    "ban": (numerics.RPL_BANLIST, numerics.RPL_ENDOFBANLIST),
    "exception": (numerics.RPL_EXCEPTLIST, numerics.RPL_ENDOFEXCEPTLIST),
    "invitation": (numerics.RPL_INVEXLIST, numerics.RPL_ENDOFINVEXLIST),
}
"""The reply for each entry of a list, and the last one."""

_FOR_ALL: Final[Listed] = "ban"
"""The list that everyone in a channel may read; the others are for its operators."""

_REFUSALS: Final[dict[type[ChatError], tuple[Numeric, tuple[str, ...]]]] = {
    errors.NoSuchMember: (numerics.ERR_NOSUCHNICK, ("value",)),
    errors.NotInRoom: (numerics.ERR_USERNOTINCHANNEL, ("value", "channel")),
    errors.NotAllowed: (numerics.ERR_CHANOPRIVSNEEDED, ("channel",)),
    errors.NotServerOperator: (numerics.ERR_INVALIDMODEPARAM, ("channel", "letter", "value")),
    errors.BadUsage: (numerics.ERR_INVALIDMODEPARAM, ("channel", "letter", "value")),
    errors.TooMany: (numerics.ERR_BANLISTFULL, ("channel", "letter")),
    errors.ChatError: (numerics.ERR_UNKNOWNERROR, ("command",)),
}
"""What tells why a change was refused, and its parameters; the nearest class counts. All that is
for who runs the server alone is what a mask may say."""

_KEY_RULE: Final = "A key has neither a space nor a comma, and no colon in front."
_LONGEST_VALUE: Final = 200


class Asked(NamedTuple):
    """One letter of a MODE; `value` is None where it has none, be it that none was left."""

    letter: str
    on: bool
    value: str | None


def asked(letters: str, values: Iterable[str]) -> Iterable[Asked]:
    """The letters one by one, each with the value that is its own. Without a sign they are
    turned on."""
    on, rest = True, iter(values)
    for letter in letters:
        if letter in "+-":
            on = letter == "+"
            continue
        mode = BY_LETTER.get(letter)
        takes = mode is not None and (mode.kind in "ABP" or (mode.kind == "C" and on))
        yield Asked(letter, on, next(rest, None) if takes else None)


def is_key(text: str) -> bool:
    """Whether JOIN can say it: one word among its parameters, and one of a list."""
    return is_middle(text) and text.isprintable() and "," not in text


def _mode(client: Client, message: Message) -> None:
    target, *params = message.params
    if not target.startswith("#"):
        usermodes.mode(client, target, params)
        return
    try:
        room = room_named(client, target)
    except NoSuchRoom as error:
        client.numeric(numerics.ERR_NOSUCHCHANNEL, target, text=str(error))
        return
    if params:
        _Changing(client, room).run(params)
    else:
        _show(client, room)


def _show(client: Client, room: Room) -> None:
    is_inside = room in client.me.rooms or client.hub.authority.is_server_operator(client.me)
    current = modes.current(room.rules, is_inside=is_inside)
    client.numeric(numerics.RPL_CHANNELMODEIS, room.name, *current.split(" "))
    made = room.made or client.hub.started or client.now  # the lobby is as old as the hub
    client.numeric(numerics.RPL_CREATIONTIME, room.name, str(int(made)))


class _Changing:
    """One MODE of a client's on a channel. What is refused more than once is told once."""

    def __init__(self, client: Client, room: Room) -> None:
        self._client = client
        self._room = room
        self._authority = client.hub.authority
        self._made: list[Change] = []
        self._refused: set[tuple[Numeric, tuple[str, ...]]] = set()
        self._read: set[str] = set()

    def run(self, params: Sequence[str]) -> None:
        """Make the changes that may be, tell the channel of all together, and what was refused."""
        client, room = self._client, self._room
        if room not in client.me.rooms and not self._has_a_say():
            client.numeric(numerics.ERR_NOTONCHANNEL, room.name)
            return
        with_value = 0
        for one in asked(params[0], params[1:]):
            with_value += one.value is not None
            if with_value > MOST_A_LINE:
                text = f"The first {MOST_A_LINE} changes with a value were taken, the others not."
                self._refuse(numerics.ERR_UNKNOWNERROR, "MODE", text=text)
                break
            self._one(one)
        self._tell()

    def _has_a_say(self) -> bool:
        return self._authority.role(self._client.me, fold(self._room.name)) >= Role.OPERATOR

    def _one(self, one: Asked) -> None:
        mode = BY_LETTER.get(one.letter)
        if mode is None:
            self._refuse(numerics.ERR_UNKNOWNMODE, one.letter)
        elif one.value is None and mode.kind == "A":
            self._list(mode)
        elif one.value is None and (mode.kind == "P" or (mode.kind in "BC" and one.on)):
            self._refuse(numerics.ERR_NEEDMOREPARAMS, "MODE")
        else:
            self._change(mode, one)

    def _change(self, mode: ChannelMode, one: Asked) -> None:
        value = one.value or ""
        is_bad_key = mode.setting == "key" and one.on and not is_key(value)
        # The authority is asked also for what can't be: who may not set a key is told that first.
        change = Change(mode.setting, one.on, "" if is_bad_key else value)
        client, room = self._client, self._room
        try:
            made = self._authority.change(client.me, room, change, client.now)
        except ChatError as error:
            numeric, names = next(
                _REFUSALS[kind] for kind in type(error).__mro__ if kind in _REFUSALS
            )
            words = {
                "channel": room.name,
                "letter": mode.letter,
                "value": value if len(value) <= _LONGEST_VALUE else "",
                "command": "MODE",
            }
            text = str(error)
            if mode.setting == "key" and isinstance(error, errors.BadUsage):
                numeric, names = numerics.ERR_INVALIDKEY, ("channel",)
                text = _KEY_RULE if is_bad_key else text
            self._refuse(numeric, *(words[name] for name in names), text=text)
        else:
            if made is not None:
                self._made.append(made)

    def _list(self, mode: ChannelMode) -> None:
        client, room = self._client, self._room
        listed = next(one for one in get_args(Listed) if one == mode.setting)
        if listed != _FOR_ALL and not self._has_a_say():
            self._refuse(numerics.ERR_CHANOPRIVSNEEDED, room.name)
            return
        if listed in self._read:
            return
        self._read.add(listed)
        entry, end = _LISTS[listed]
        for mask in self._authority.masks(room, listed, client.now):
            client.numeric(entry, room.name, mask.mask, mask.by, str(int(mask.since)))
        client.numeric(end, room.name)

    def _refuse(self, numeric: Numeric, *params: str, text: str | None = None) -> None:
        if (numeric, params) not in self._refused:
            self._refused.add((numeric, params))
            self._client.numeric(numeric, *params, text=text)

    def _tell(self) -> None:
        """Tell the channel of what was changed, and the client, should it not be there."""
        client, room = self._client, self._room
        if not self._made:
            return
        self._authority.show(client.me, room, self._made, client.now)
        if room not in client.me.rooms:
            head = f":{client.source} MODE {room.name} "
            most = LINE_BYTES - len(f"{head}\r\n".encode())
            client.reply(*(head + one for one in modes.written(self._made, most)))


COMMANDS = (
    Command("MODE", _mode, 1, usage="CHANNEL|NICK [LETTERS [VALUE...]]",
            help="Shows or changes the modes of a channel, or your own; +b shows who is banned."),
)  # fmt: skip
