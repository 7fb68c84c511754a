"""A chat daemon on Twisted: one hub, many doors.

A program that embeds it needs three names: `Hub`, `ChatFactory` and `make_service`.
They are loaded when first used, so that the core can be imported without Twisted.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["ChatFactory", "Hub", "Listener", "Settings", "make_service"]

if TYPE_CHECKING:
    from chatroom.chatservice import make_service
    from chatroom.config import Settings
    from chatroom.hub import Hub
    from chatroom.member import Listener
    from chatroom.protocols.line import ChatFactory

_HOMES = {
    "ChatFactory": "chatroom.protocols.line",
    "Hub": "chatroom.hub",
    "Listener": "chatroom.member",
    "Settings": "chatroom.config",
    "make_service": "chatroom.chatservice",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
