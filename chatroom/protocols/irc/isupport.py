"""What this server is like, for clients to go by: ISUPPORT (Modern IRC, RPL_ISUPPORT)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatroom.hub import TOPIC_BYTES
from chatroom.names import NICK_LENGTH, ROOM_LENGTH
from chatroom.protocols.irc import modes

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client

__all__ = [
    "AWAY_BYTES",
    "KICK_BYTES",
    "MOST_MONITORED",
    "MOST_TARGETS",
    "REALNAME_BYTES",
    "USER_BYTES",
    "tokens",
]

USER_BYTES = 12
"""In the longest user name, its `~` not counted (RFC 1459 has nine, most servers ten to twelve)."""
REALNAME_BYTES = 150
AWAY_BYTES = 200
KICK_BYTES = 300
MOST_MONITORED = 100
MOST_TARGETS = 4
"""Targets of one message."""
_MOST_LISTED = 500
_TOKENS_A_LINE = 12


def tokens(client: Client) -> list[str]:
    """Every token, as it is true for this client."""
    prefixes = modes.PREFIXES
    letters = "".join(mode.letter for mode in prefixes)
    signs = "".join(mode.prefix for mode in prefixes)
    kinds = ",".join(modes.of_kind(kind) for kind in ("A", "B", "C", "D"))
    most_rooms = client.hub.limits.rooms_per_member
    limits = (
        f"JOIN:,PART:,KICK:{MOST_TARGETS},NAMES:{MOST_TARGETS},LIST:,WHOIS:1,WHOWAS:1,"
        f"PRIVMSG:{MOST_TARGETS},NOTICE:{MOST_TARGETS},TAGMSG:{MOST_TARGETS},MONITOR:{MOST_MONITORED},"
        "ACCEPT:"
    )
    found = [
        f"ACCOUNTEXTBAN={ACCOUNT_BAN}",
        f"AWAYLEN={AWAY_BYTES}",
        "BOT=B",
        "CASEMAPPING=ascii",
        f"CHANLIMIT=#:{'' if most_rooms is None else most_rooms}",
        f"CHANMODES={kinds}",
        f"CHANNELLEN={ROOM_LENGTH + 1}",
        "CHANTYPES=#",
        "ELIST=MNUCT",
        "EXCEPTS=e",
        f"EXTBAN=~,{ACCOUNT_BAN}{MUTE_BAN}",
        f"HOSTLEN={HOST_BYTES}",
        "INVEX=I",
        f"KICKLEN={KICK_BYTES}",
        f"MAXLIST=beI:{_MOST_LISTED}",
        f"MODES={modes.MOST_A_LINE}",
        f"MONITOR={MOST_MONITORED}",
        f"NAMELEN={REALNAME_BYTES}",
        f"NETWORK={_escaped(client.factory.network.network)}",
        f"NICKLEN={NICK_LENGTH}",
        f"PREFIX=({letters}){signs}",
        f"STATUSMSG={signs}",
        f"TARGMAX={limits}",
        f"TOPICLEN={TOPIC_BYTES}",
        f"USERLEN={USER_BYTES + 1}",
        "UTF8ONLY",
        "WHOX",
    ]
    if client.hub.archive.most:
        found += [f"CHATHISTORY={client.hub.archive.most}", "MSGREFTYPES=msgid,timestamp"]
    return found


ACCOUNT_BAN = "a"
MUTE_BAN = "m"
HOST_BYTES = 40


def in_lines(found: list[str]) -> list[list[str]]:
    """The tokens, so many as fit a line: with the server, a nick and the text, twelve do."""
    return [found[at : at + _TOKENS_A_LINE] for at in range(0, len(found), _TOKENS_A_LINE)]


def _escaped(value: str) -> str:
    return "".join(
        character if character.isascii() and character.isprintable() and character not in " =\\"
        else "".join(f"\\x{byte:02X}" for byte in character.encode())
        for character in value
    )  # fmt: skip
