"""MONITOR: a list of nicks, of which a client is told who comes and goes (IRCv3 monitor)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from chatroom.errors import BadName, BadUsage
from chatroom.names import check_nick, fold
from chatroom.protocols.irc import isupport, lines, numerics
from chatroom.protocols.irc.command import Command, targets
from chatroom.protocols.irc.formatting import plain

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.numerics import Numeric
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS"]


def _monitor(client: Client, message: Message) -> None:
    what, *rest = message.params
    run = _SUBCOMMANDS.get(what.upper())
    if run is None:
        raise BadUsage("MONITOR takes + or - and nicks, or C, L or S. HELP MONITOR tells of it.")
    nicks = [nick for nick in targets(plain(rest[0]) if rest else "") if nick]
    if run in (_add, _remove) and not nicks:
        client.numeric(numerics.ERR_NEEDMOREPARAMS, "MONITOR")
        return
    run(client, nicks)


def _add(client: Client, nicks: list[str]) -> None:
    """Watch for them, and tell at once who is here. Nobody is ever called by what is no nick, such
    as a mask, so that is not kept."""
    watch, me, limit = client.factory.watch, client.me, isupport.MOST_MONITORED
    room = limit - len(watch.list_of(me))
    taken, refused = [], []
    for nick in nicks:
        if not _is_nick(nick) or watch.watches(me, nick):
            taken.append(nick)
        elif room > 0:
            room -= 1
            watch.add(me, nick)
            taken.append(nick)
        else:
            refused.append(nick)
    _tell_status(client, taken)
    for some in _in_lines(client, numerics.ERR_MONLISTFULL, refused, str(limit)):
        client.numeric(numerics.ERR_MONLISTFULL, str(limit), some)


def _is_nick(nick: str) -> bool:
    try:
        check_nick(nick)
    except BadName:
        return False
    return True


def _remove(client: Client, nicks: list[str]) -> None:
    for nick in nicks:
        client.factory.watch.remove(client.me, nick)


def _clear(client: Client, nicks: list[str]) -> None:
    client.factory.watch.clear(client.me)


def _list(client: Client, nicks: list[str]) -> None:
    watched = client.factory.watch.list_of(client.me)
    _tell(client, numerics.RPL_MONLIST, watched)
    client.numeric(numerics.RPL_ENDOFMONLIST)


def _status(client: Client, nicks: list[str]) -> None:
    _tell_status(client, client.factory.watch.list_of(client.me))


def _tell_status(client: Client, nicks: Iterable[str]) -> None:
    here, gone = [], []
    for nick in nicks:
        member = client.hub.members.get(fold(nick))
        if member is None:
            gone.append(nick)
        else:
            here.append(lines.mask(member.nick, member.who))
    _tell(client, numerics.RPL_MONONLINE, here)
    _tell(client, numerics.RPL_MONOFFLINE, gone)


def _tell(client: Client, numeric: Numeric, words: list[str]) -> None:
    for some in _in_lines(client, numeric, words):
        client.numeric(numeric, text=some)


def _in_lines(client: Client, numeric: Numeric, words: list[str], *params: str) -> list[str]:
    """The words with commas between them, so many in each as fit a line of this numeric."""
    around = numeric.line(client.factory.server, client.nick, *params, text=numeric.text) + " "
    return [line[len(around) :] for line in lines.words_in_lines(around, words, ",")]


_SUBCOMMANDS: Final[dict[str, Callable[[Client, list[str]], None]]] = {
    "+": _add,
    "-": _remove,
    "C": _clear,
    "L": _list,
    "S": _status,
}

COMMANDS = (
    Command("MONITOR", _monitor, 1, usage="+ NICK[,NICK...] | - NICK[,NICK...] | C | L | S",
            help="Tells when somebody comes or goes: adds to the list of nicks, takes from it, "
            "clears it, lists it, or tells who of it is here.",
            source="IRCv3 monitor"),
)  # fmt: skip
