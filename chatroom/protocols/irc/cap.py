"""CAP: which capabilities there are, and which a client has (IRCv3 capability negotiation 302)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatroom.protocols.irc import capabilities, lines, numerics, registration
from chatroom.protocols.irc.command import Command

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client
    from chatroom.protocols.irc.wire import Message

__all__ = ["COMMANDS"]

_NOTIFY = "cap-notify"
_WITH_VALUES = 302


def _cap(client: Client, message: Message) -> None:
    subcommand = message.params[0].upper()
    run = _SUBCOMMANDS.get(subcommand)
    if run is None:
        client.numeric(numerics.ERR_INVALIDCAPCMD, message.params[0])
        return
    run(client, message.params[1:])


def _negotiate(client: Client) -> None:
    """The client is welcomed only once it has said CAP END."""
    if client.registration is not None:
        client.registration.negotiating = True


def _ls(client: Client, params: tuple[str, ...]) -> None:
    _negotiate(client)
    version = int(params[0]) if params and params[0].isdecimal() and len(params[0]) < 6 else 301
    if version >= _WITH_VALUES:  # who can read values wants to hear of changes
        client.have(client.caps | {_NOTIFY})
    every = capabilities.listed(client, version)
    fewer = capabilities.listed(client, version, spare=False)
    words = fewer if _lines(client, "LS", every) > 1 == _lines(client, "LS", fewer) else every
    _listed(client, "LS", words, folds=version >= _WITH_VALUES)


def _list(client: Client, params: tuple[str, ...]) -> None:
    names = [name for name in capabilities.ALL if name in client.caps]
    _listed(client, "LIST", names, folds=True)


def _listed(client: Client, subcommand: str, words: list[str], *, folds: bool) -> None:
    """In as many lines as it takes, all but the last with a `*`; in one, with what comes first,
    for who doesn't know that there may be more (version 301)."""
    head = _head(client, subcommand)
    told = lines.words_in_lines(f"{head}* :", words) or [f"{head}* :"]
    *more, last = told if folds else told[:1]
    client.reply(*more, f"{head}:{last.partition(' * :')[2]}")


def _lines(client: Client, subcommand: str, words: list[str]) -> int:
    """How many lines it takes to list them."""
    return len(lines.words_in_lines(f"{_head(client, subcommand)}* :", words))


def _head(client: Client, subcommand: str) -> str:
    return f":{client.factory.server} CAP {client.nick} {subcommand} "


def _req(client: Client, params: tuple[str, ...]) -> None:
    _negotiate(client)
    asked = params[0] if params else ""
    wanted = capabilities.requested(client, asked.split())
    if wanted is None:
        client.say(f"CAP {client.nick} NAK :{asked}")
        return
    on, off = wanted
    client.say(f"CAP {client.nick} ACK :{asked}")
    client.have(client.caps - off | on)


def _end(client: Client, params: tuple[str, ...]) -> None:
    if client.registration is not None:
        client.registration.negotiating = False
        registration.complete(client)


_SUBCOMMANDS = {"LS": _ls, "LIST": _list, "REQ": _req, "END": _end}

COMMANDS = (
    Command(
        "CAP", _cap, 1, False,
        "LS [302] | LIST | REQ :NAMES | END", "Which extensions there are, and which you have.",
        "IRCv3 capability-negotiation",
    ),
)  # fmt: skip
