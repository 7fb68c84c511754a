"""METADATA: what clients say of themselves and of channels, by key (IRCv3 draft/metadata-2, -3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from chatroom.errors import TooMany
from chatroom.limits import Rate, TokenBucket
from chatroom.names import fold
from chatroom.permissions import Role
from chatroom.protocols.irc import keyvalues, numerics, portions
from chatroom.protocols.irc.command import Command
from chatroom.protocols.irc.formatting import plain
from chatroom.protocols.irc.kept import Kept
from chatroom.protocols.irc.keyvalues import MOST_BYTES, MOST_KEYS, MOST_SUBSCRIBED, fails
from chatroom.room import Room

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.numerics import Numeric
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS", "changed", "welcome"]

_NAME: Final = "METADATA"
_OWN: Final = "*"
_RATE: Final = Rate(30, 1)
"""Changes at once, and then a second: each may be told to very many."""
_KEYS_A_LINE: Final = 10


class _Target(NamedTuple):
    """Whose metadata it is, as it is called in replies. `kept` is a client's own, `room` a room;
    with neither it is somebody else's. `may_set`: whether who asks may change it."""

    name: str
    values: Mapping[str, str]
    kept: Kept | None = None
    room: Room | None = None
    may_set: bool = False


async def _metadata(client: Client, message: Message) -> None:
    name, subcommand, *params = message.params
    entry = _SUBCOMMANDS.get(subcommand.upper())
    if entry is None:
        code = keyvalues.dialect(client).invalid_subcommand
        text = f"There is {', '.join(_SUBCOMMANDS)}."
        client.fail(_NAME, code, subcommand, text=text)
        return
    run, least = entry
    if len(params) < least:
        client.numeric(numerics.ERR_NEEDMOREPARAMS, _NAME)
        return
    target = await _target(client, name)
    if target is None:
        client.fail(_NAME, "INVALID_TARGET", name, text="You can't see that there is such a one.")
        return
    await run(client, target, params)


async def _target(client: Client, name: str) -> _Target | None:
    """None for what is not there, and what the client may not see."""
    remembering, hub = client.factory.kept, client.hub
    own = remembering.of(client)
    if name == _OWN or fold(name) == fold(client.nick):
        return _Target(client.nick, own.values, own, may_set=True)
    if client.member is None:
        return None
    if name.startswith("#"):
        room = hub.rooms.get(fold(name))
        if room is None or not _sees(client, room):
            return None
        values = await remembering.values_of(fold(room.name))
        may_set = hub.authority.role(client.me, fold(room.name)) >= Role.OPERATOR
        return _Target(room.name, values, room=room, may_set=may_set)
    member = hub.members.get(fold(name))
    if member is None:
        return None
    return _Target(member.nick, keyvalues.values_of(client.factory, member))


def _sees(client: Client, room: Room) -> bool:
    """Who is outside sees nothing of a room that does not let everyone in."""
    authority = client.hub.authority
    if room in client.me.rooms or authority.is_server_operator(client.me):
        return True
    return authority.sees(client.me, room) and not room.rules.is_locked


# Looking


async def _get(client: Client, target: _Target, params: Sequence[str]) -> None:
    keyvalues.in_batch(client, target.name, [_found(client, target, key.lower()) for key in params])


def _found(client: Client, target: _Target, key: str) -> str:
    if not keyvalues.is_key(key):
        return keyvalues.is_no_key(client, key)
    return keyvalues.value_line(client, target.name, key, target.values.get(key, ""))


async def _list(client: Client, target: _Target, params: Sequence[str]) -> None:
    keyvalues.in_batch(client, target.name, [_found(client, target, key) for key in target.values])


async def _sync(client: Client, target: _Target, params: Sequence[str]) -> None:
    if target.room is None:
        keyvalues.in_batch(
            client, target.name, keyvalues.known_of(client, target.name, target.values)
        )
        return
    begin, within, end = keyvalues.around_batch(client, target.name)
    client.reply(*begin)
    found = keyvalues.of_room(client, target.room, target.values)
    later = portions.tell(client, map(within, found), lambda: client.reply(*end))
    if later is not None:
        await later


# Setting


async def _set(client: Client, target: _Target, params: Sequence[str]) -> None:
    key, value = params[0].lower(), plain(params[1]) if len(params) > 1 else ""
    refused = _refused(client, target, key, value)
    if refused:
        client.reply(refused)
        return
    if value or key in target.values:
        try:
            _change(client, target, key, value)
        except TooMany as error:
            client.fail(_NAME, "LIMIT_REACHED", target.name, text=str(error))
            return
    client.reply(keyvalues.value_line(client, target.name, key, value))


def _refused(client: Client, target: _Target, key: str, value: str) -> str:
    """Why a value can't be set, as it is told; '' if it can."""
    if not keyvalues.is_key(key):
        return keyvalues.is_no_key(client, key)
    if not target.may_set:
        return _may_not(client, target, key)
    if len(value.encode()) > MOST_BYTES:
        dialect = keyvalues.dialect(client)
        context = (key,) if dialect.names_key else ()
        text = f"A value has at most {MOST_BYTES} bytes."
        return fails(client, dialect.invalid_value, *context, text=text)
    if value and key not in target.values and len(target.values) >= MOST_KEYS:
        text = f"There are {MOST_KEYS} keys, the most there may be."
        return fails(client, "LIMIT_REACHED", target.name, text=text)
    return _too_fast(client, target, key)


def _may_not(client: Client, target: _Target, key: str) -> str:
    text = "You may not set that: it is for who it is of, or who keeps order there."
    return fails(client, "KEY_NO_PERMISSION", target.name, key, text=text)


def _too_fast(client: Client, target: _Target, key: str) -> str:
    now = client.factory.seconds()
    bucket: TokenBucket = client.state.setdefault("metadata rate", TokenBucket(_RATE, now))
    if bucket.take(now):
        return ""
    wait = str(ceil(bucket.wait()))
    return fails(client, "RATE_LIMITED", target.name, key, wait, text="You set values too fast.")


def _change(client: Client, target: _Target, key: str, value: str) -> None:
    """Change a value, and tell those who want to hear of it. Raises TooMany."""
    factory = client.factory
    if target.room is not None:
        factory.kept.set_of(fold(target.room.name), key, value)
        there = map(factory.client_of, target.room.members)
        hearing = [each for each in there if each is not None and keyvalues.hears(each)]
        keyvalues.tell(hearing, client, target.name, key, value)
    elif target.kept is not None:
        factory.kept.set(target.kept, key, value)
        for own in target.kept.clients:
            if own.member is not None:
                clients = keyvalues.around(factory, own.member)
                keyvalues.tell(clients, client, own.nick, key, value)


async def _clear(client: Client, target: _Target, params: Sequence[str]) -> None:
    refused = _too_fast(client, target, _OWN)
    if not target.may_set:
        refused = _may_not(client, target, _OWN)
    if refused:
        client.reply(refused)
        return
    keys = list(target.values)
    for key in keys:
        _change(client, target, key, "")
    keyvalues.in_batch(client, target.name, [
        keyvalues.value_line(client, target.name, key, "") for key in keys
    ])  # fmt: skip


# What one wants to hear of


async def _sub(client: Client, target: _Target, params: Sequence[str]) -> None:
    keys = keyvalues.subscribed(client)
    taken: dict[str, None] = {}
    refused = []
    for key in map(str.lower, params):
        if not keyvalues.is_key(key):
            refused.append(keyvalues.is_no_key(client, key))
        elif key not in keys and len(keys) >= MOST_SUBSCRIBED:
            text = f"You hear of {MOST_SUBSCRIBED} keys, the most there may be."
            refused.append(fails(client, "TOO_MANY_SUBS", key, text=text))
            break
        else:
            keys[key] = taken[key] = None
    _tell_keys(client, numerics.RPL_METADATASUBOK, taken)
    client.reply(*refused)
    if keyvalues.NEWEST in client.caps and client.member is not None:
        await _tell_where(client, taken)


async def _tell_where(client: Client, keys: Iterable[str]) -> None:
    """In which of its rooms there is something to learn under these keys, by SYNC."""
    me, factory, wanted = client.me, client.factory, set(keys)
    for room in list(me.rooms):
        values = await factory.kept.values_of(fold(room.name))
        there = (keyvalues.values_of(factory, each) for each in room.members if each is not me)
        if any(wanted & found.keys() for found in chain((values,), there)):
            client.numeric(numerics.RPL_METADATASYNCLATER, room.name)


async def _unsub(client: Client, target: _Target, params: Sequence[str]) -> None:
    taken: dict[str, None] = {}
    refused = []
    for key in map(str.lower, params):
        if keyvalues.is_key(key):
            keyvalues.subscribed(client).pop(key, None)
            taken[key] = None
        else:
            refused.append(keyvalues.is_no_key(client, key))
    _tell_keys(client, numerics.RPL_METADATAUNSUBOK, taken)
    client.reply(*refused)


async def _subs(client: Client, target: _Target, params: Sequence[str]) -> None:
    _tell_keys(client, numerics.RPL_METADATASUBS, keyvalues.subscribed(client))


def _tell_keys(client: Client, numeric: Numeric, keys: Iterable[str]) -> None:
    told = list(keys)
    for at in range(0, len(told), _KEYS_A_LINE):
        client.numeric(numeric, *told[at : at + _KEYS_A_LINE])


# What is told without being asked for


def welcome(client: Client) -> None:
    """Tell a client that has just come what its own metadata are, once that is known."""
    if client.caps & keyvalues.CAPABILITIES:
        client.factory.kept.when_known(client, partial(_tell_own, client))


def _tell_own(client: Client) -> None:
    if client.member is None or not client.member.present:
        return
    values = client.factory.kept.of(client).values
    told = [
        keyvalues.news(client, client.factory.server, client.nick, key, value)
        for key, value in values.items()
    ]
    keyvalues.in_batch(client, client.nick, told)


def changed(client: Client, was: Mapping[str, str]) -> None:
    """Tell the others, after a client has logged in or out, what of its metadata is so no more."""
    if client.member is None:
        return
    values = client.factory.kept.of(client).values
    clients = list(keyvalues.around(client.factory, client.member))
    for key in {**was, **values}:
        if was.get(key) != values.get(key):
            keyvalues.tell(clients, client, client.nick, key, values.get(key, ""))


_Run = Callable[["Client", _Target, Sequence[str]], Awaitable[None]]
_SUBCOMMANDS: Final[dict[str, tuple[_Run, int]]] = {
    "GET": (_get, 1),
    "LIST": (_list, 0),
    "SET": (_set, 1),
    "CLEAR": (_clear, 0),
    "SUB": (_sub, 1),
    "UNSUB": (_unsub, 1),
    "SUBS": (_subs, 0),
    "SYNC": (_sync, 0),
}
"""Each with the least parameters that have to follow it."""

COMMANDS = (
    Command("METADATA", _metadata, 2, False,
            "*|NICK|CHANNEL GET|LIST|SET|CLEAR|SUB|UNSUB|SUBS|SYNC [KEY [:VALUE]]",
            "Tells or sets what clients say of themselves and of channels.",
            "IRCv3 draft/metadata-2"),
)  # fmt: skip
