"""What an IRC client is told of the server and the network it is on: settings, declared once."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Network"]


@dataclass(frozen=True, slots=True)
class Network:
    """The section `irc` of the settings."""

    server: str = field(
        default="chatroom.local",
        metadata={"help": "The server's name, as IRC programs see it: with a dot, without spaces."},
    )
    network: str = field(
        default="chatroom",
        metadata={"help": "The network's name, by which IRC programs keep it apart from others."},
    )
    description: str = field(
        default="A chatroom", metadata={"help": "What the server says of itself in a few words."}
    )
    admin: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "Who runs the server and how to reach them, for /admin: up to three lines.",
            "may_be_empty": True,
        },
    )
    password: str | None = field(
        default=None,
        metadata={
            "help": "What every IRC program must give to be let in (PASS); off asks for nothing.",
            "secret": "a text, or off",
        },
    )
    sts_port: int | None = field(
        default=None,
        metadata={
            "help": "The port of a TLS listener that IRC programs are to use from now on (STS): "
            "set it once TLS works for good.",
            "most": 65535,
        },
    )
    sts_duration: int = field(
        default=30 * 86400,
        metadata={"help": "How long they are to remember that.", "span": True},
    )
