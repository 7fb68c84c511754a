"""What an IRC client may ask to be told beside plain IRC: a table (IRCv3 capability negotiation).

A capability that changes how events are written has an effect in `view`, one that lets a client do
something more, in the command that does it. Nothing is listed here that is not done in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from chatroom.protocols.irc.keyvalues import MOST_KEYS, MOST_SUBSCRIBED

if TYPE_CHECKING:
    from chatroom.protocols.irc.client import Client

__all__ = ["ALL", "RENDERED", "Capability", "listed", "requested"]

_VALUE_VERSION: Final = 302
"""From this version of CAP LS on, a client understands values."""


class Capability(NamedTuple):
    """`rendered`: whether events are written otherwise for who has it. `value` makes what is told
    to who asks with version 302; None hides the capability from this client. `asked`: whether it
    may be asked for, or is only told. `spare`: few clients look for it, and it is not listed where
    all the others fit one line without it: some clients read only one. It is there all the same.
    """

    name: str
    source: str
    rendered: bool = False
    value: Callable[[Client], str | None] = lambda client: ""
    asked: bool = True
    spare: bool = False


def _sasl(client: Client) -> str | None:
    return ",".join(client.hub.registrar.mechanisms(client)) or None


def _registration(client: Client) -> str | None:
    """Where a password is asked for at the door, nobody gets an account without it."""
    registrar = client.hub.registrar
    if not registrar.registers or "PLAIN" not in registrar.mechanisms(client):
        return None
    return "before-connect" if client.factory.network.password is None else ""


def _sts(client: Client) -> str | None:
    """A duration of none ends what was told before: then nobody is sent to the port any more."""
    network = client.factory.network
    if network.sts_port is None or not (client.is_secure or network.sts_duration):
        return None
    return f"duration={network.sts_duration}" if client.is_secure else f"port={network.sts_port}"


def _history(client: Client) -> str | None:
    return "" if client.hub.archive.most else None


def _events(client: Client) -> str | None:
    return "" if client.hub.archive.all_kinds else None


def _metadata(client: Client) -> str | None:
    return f"before-connect,max-subs={MOST_SUBSCRIBED},max-keys={MOST_KEYS}"


def _multiline(client: Client) -> str | None:
    return f"max-bytes={MULTILINE_BYTES},max-lines={MULTILINE_LINES}"


MULTILINE_BYTES: Final = 4096
MULTILINE_LINES: Final = 32

ALL: Final[dict[str, Capability]] = {
    capability.name: capability
    for capability in (
        Capability("account-notify", "IRCv3 account-notify", rendered=True),
        Capability("account-tag", "IRCv3 account-tag", rendered=True),
        Capability("away-notify", "IRCv3 away-notify", rendered=True),
        Capability("batch", "IRCv3 batch", rendered=True),
        Capability("cap-notify", "IRCv3 capability-negotiation", spare=True),
        Capability("chghost", "IRCv3 chghost", rendered=True),
        Capability("echo-message", "IRCv3 echo-message"),
        Capability("extended-join", "IRCv3 extended-join", rendered=True),
        Capability("extended-monitor", "IRCv3 extended-monitor"),
        Capability("invite-notify", "IRCv3 invite-notify", rendered=True),
        Capability("labeled-response", "IRCv3 labeled-response"),
        Capability("message-tags", "IRCv3 message-tags", rendered=True),
        Capability("multi-prefix", "IRCv3 multi-prefix", rendered=True),
        Capability("sasl", "IRCv3 sasl-3.2", value=_sasl),
        Capability("server-time", "IRCv3 server-time", rendered=True),
        Capability("setname", "IRCv3 setname", rendered=True),
        Capability("standard-replies", "IRCv3 standard-replies"),
        Capability("sts", "IRCv3 sts", value=_sts, asked=False),
        Capability("userhost-in-names", "IRCv3 userhost-in-names", rendered=True),
        Capability(
            "draft/account-registration", "IRCv3 draft/account-registration", value=_registration
        ),
        Capability("draft/channel-rename", "IRCv3 draft/channel-rename", rendered=True),
        Capability("draft/chathistory", "IRCv3 draft/chathistory", rendered=True, value=_history),
        Capability("draft/event-playback", "IRCv3 draft/event-playback", value=_events),
        Capability("draft/message-redaction", "IRCv3 draft/message-redaction", rendered=True),
        Capability("draft/metadata-2", "IRCv3 draft/metadata-2", value=_metadata),
        Capability("draft/metadata-3", "IRCv3 draft/metadata-3", value=_metadata, spare=True),
        Capability("draft/multiline", "IRCv3 draft/multiline", rendered=True, value=_multiline),
        Capability(
            "draft/no-implicit-names", "IRCv3 draft/no-implicit-names", rendered=True, spare=True
        ),
        Capability("draft/pre-away", "IRCv3 draft/pre-away", spare=True),
        Capability("draft/read-marker", "IRCv3 draft/read-marker", rendered=True),
    )
}
"""By name, in the order in which they are told."""

RENDERED: Final = frozenset(name for name, capability in ALL.items() if capability.rendered)
"""Those that a view depends on."""


def listed(client: Client, version: int, *, spare: bool = True) -> list[str]:
    """What there is for this client, as CAP LS writes it to one of that version, with those that
    are `spare` or without."""
    words = []
    for name, capability in ALL.items():
        value = capability.value(client)
        if capability.spare and not spare:
            continue
        if value is None or (version < _VALUE_VERSION and not capability.asked):
            continue
        words.append(f"{name}={value}" if value and version >= _VALUE_VERSION else name)
    return words


def requested(client: Client, words: Iterable[str]) -> tuple[set[str], set[str]] | None:
    """What a CAP REQ turns on and off; None if it asks for anything that is not there: all of it
    is refused then."""
    on: set[str] = set()
    off: set[str] = set()
    for word in words:
        name = word.removeprefix("-")
        capability = ALL.get(name)
        if capability is None or not capability.asked or capability.value(client) is None:
            return None
        into, from_ = (off, on) if word.startswith("-") else (on, off)
        into.add(name)
        from_.discard(name)
    return on, off
