"""Metadata as it is written on IRC, and who is told of it (IRCv3 draft/metadata-2, -3).

Two drafts are in use, and a client has the one it asked for: they differ in some names, and in
that the later one tells of changes by the numerics that answer a question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from chatroom.protocols.irc import lines, numerics
from chatroom.protocols.irc.formatting import plain

if TYPE_CHECKING:
    from chatroom.member import Member
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.factory import IRCFactory
    from chatroom.room import Room

__all__ = [
    "CAPABILITIES", "MOST_BYTES", "MOST_KEYS", "MOST_SUBSCRIBED", "NEWEST", "Dialect",
    "around", "around_batch", "dialect", "fails", "hears", "in_batch", "is_key", "is_no_key",
    "known_of", "news", "of_room", "subscribed", "tell", "tell_whois", "value_line", "values_of",
]  # fmt: skip

MOST_KEYS: Final = 50
"""Keys with a value, of one client or room."""
MOST_SUBSCRIBED: Final = 50
MOST_BYTES: Final = 300
"""In a value, in UTF-8: so many fit a line beside all else that may stand there."""
_KEY: Final = re.compile(r"[a-z0-9_./-][a-z0-9_.:/-]{0,35}")

CAPABILITY: Final = "draft/metadata-2"
NEWEST: Final = "draft/metadata-3"
CAPABILITIES: Final = frozenset({CAPABILITY, NEWEST})

_STATE: Final = "metadata"
_VISIBLE: Final = "*"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Dialect(NamedTuple):
    """What is called otherwise in one of the drafts. `names_key`: whether a value that is refused
    is told with its key."""

    invalid_key: str
    invalid_subcommand: str
    invalid_value: str
    names_key: bool


_DIALECTS: Final = {
    CAPABILITY: Dialect("KEY_INVALID", "SUBCOMMAND_INVALID", "VALUE_INVALID", False),
    NEWEST: Dialect("INVALID_KEY", "INVALID_SUBCOMMAND", "INVALID_VALUE", True),
}


def dialect(client: Client) -> Dialect:
    """That of a client."""
    return _DIALECTS[NEWEST if NEWEST in client.caps else CAPABILITY]


def is_key(key: str) -> bool:
    """Whether this, in lower case, may be a key."""
    return _KEY.fullmatch(key) is not None


def subscribed(client: Client) -> dict[str, None]:
    """The keys that a client wants to hear of, in the order in which it said so."""
    keys: dict[str, None] = client.state.setdefault(_STATE, {})
    return keys


def value_line(client: Client, target: str, key: str, value: str) -> str:
    """The answer to what the value of a key is; '' is none."""
    server, nick = client.factory.server, client.nick
    if not value:
        return numerics.RPL_KEYNOTSET.line(server, nick, target, key)
    return numerics.RPL_KEYVALUE.line(server, nick, target, key, _VISIBLE, text=value)


def news(client: Client, source: str, target: str, key: str, value: str) -> str:
    """What a client is told when a value changes, or of one that it does not know yet; '' is
    none."""
    if NEWEST in client.caps:
        return value_line(client, target, key, value)
    line = f":{source} METADATA {target} {key} {_VISIBLE}"
    return f"{line} :{value}" if value else line


def values_of(factory: IRCFactory, member: Member) -> Mapping[str, str]:
    """What there is of a member: nothing, at another door."""
    client = factory.client_of(member)
    return _NOTHING if client is None else factory.kept.of(client).values


# Replies


def fails(client: Client, code: str, *context: str, text: str) -> str:
    """What is wrong, as a standard reply."""
    reply = lines.standard("FAIL", "METADATA", code, *map(plain, context), text=text)
    return lines.fit("", f":{client.factory.server} {reply}")


def is_no_key(client: Client, key: str) -> str:
    """That this is none."""
    text = "A key is of a-z, 0-9 and _ . : / -, at most 36 of them."
    return fails(client, dialect(client).invalid_key, key, text=text)


def in_batch(client: Client, target: str, told: Iterable[str]) -> None:
    """Tell a client some lines about a target, as one batch."""
    begin, within, end = around_batch(client, target)
    client.reply(*begin, *map(within, told), *end)


def around_batch(
    client: Client, target: str
) -> tuple[Sequence[str], Callable[[str], str], Sequence[str]]:
    """How a batch begins, how each line of it is written, and how it ends; nothing for a client
    that knows no batches."""
    if "batch" not in client.caps:
        return (), str, ()
    server, batch = client.factory.server, client.factory.batch()
    begin, end = f":{server} BATCH +{batch} metadata {target}", f":{server} BATCH -{batch}"
    return (begin,), partial(lines.inside, batch=batch), (end,)


# Who is told of what


def hears(client: Client) -> bool:
    """Whether a client is told of any metadata at all."""
    return bool(client.caps & CAPABILITIES) and bool(client.state.get(_STATE))


def around(factory: IRCFactory, member: Member) -> Iterator[Client]:
    """The clients that are told what becomes of a member, that itself among them: who is in a room
    with it, or watches for it."""
    rooms = chain.from_iterable(room.members for room in member.rooms)
    watching = factory.watch.watchers(member.folded)
    for other in dict.fromkeys(chain((member,), rooms, watching)):
        client = factory.client_of(other)
        if client is not None and hears(client):
            yield client


def tell(clients: Iterable[Client], by: Client, target: str, key: str, value: str) -> None:
    """Tell those who want to hear of the key, but for who has set it."""
    for client in clients:
        if client is not by and key in subscribed(client):
            client.reply(news(client, by.source, target, key, value))


def tell_whois(client: Client, member: Member) -> None:
    """What a member says of itself, to a client that knows of such."""
    if client.caps & CAPABILITIES:
        for key, value in values_of(client.factory, member).items():
            client.numeric(numerics.RPL_WHOISKEYVALUE, member.nick, key, _VISIBLE, text=value)


def known_of(client: Client, target: str, values: Mapping[str, str]) -> list[str]:
    """What of these values a client wants to hear."""
    server = client.factory.server
    return [
        news(client, server, target, key, values[key])
        for key in subscribed(client)
        if key in values
    ]


def of_room(client: Client, room: Room, values: Mapping[str, str]) -> Iterator[str]:
    """What a client wants to hear of a room, which has these values, and of who is there."""
    yield from known_of(client, room.name, values)
    for member in list(room.members):
        if member is not client.member:
            yield from known_of(client, member.nick, values_of(client.factory, member))
