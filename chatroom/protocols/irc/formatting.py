"""Text as IRC's clients write it: colors and other codes, and CTCP (Modern IRC, "Formatting" and
"CTCP"). Taken apart once, at the edge: what everyone can read, and what IRC readers see."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from chatroom.text import clean

__all__ = ["JOINT", "Text", "action", "plain", "read", "rich"]

# Bold, color, hex color, reset, monospace, reverse, italic, strikethrough, underline.
_CODE: Final = re.compile(
    r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?"
    r"|[\x02\x0F\x11\x16\x1D\x1E\x1F]"
)
JOINT: Final = "\x0b"
"""Where one line goes on that its sender had to send in several (IRCv3 draft/multiline-concat): in
rich text alone, into which no client can put it."""

_CTCP: Final = "\x01"
_ACTION: Final = "ACTION"


class Text(NamedTuple):
    """`plain` is for every door, `rich` for IRC's, '' where it is the same. `ctcp` is the command
    of a CTCP message, '' if it is none."""

    plain: str
    rich: str = ""
    ctcp: str = ""


def plain(text: str) -> str:
    """The text without IRC's codes, clean for anyone."""
    return text if text.isprintable() else clean(_CODE.sub("", text))


def rich(text: str) -> str:
    """The text with IRC's codes, and else clean."""
    if text.isprintable():
        return text
    parts = _CODE.split(text)
    codes = [*_CODE.findall(text), ""]
    return "".join(clean(part) + code for part, code in zip(parts, codes, strict=True))


def read(text: str) -> Text:
    """What a client sent as the text of a message."""
    if text.isprintable():
        return Text(text)
    if text.startswith(_CTCP):
        return _ctcp(text.strip(_CTCP))
    shown = plain(text)
    written = rich(text)
    return Text(shown, written if written != shown else "")


def _ctcp(body: str) -> Text:
    command, _, rest = body.partition(" ")
    command = clean(command).upper()
    if command == _ACTION:
        shown, written = plain(rest), rich(rest)
        return Text(shown, written if written != shown else "", _ACTION)
    whole = f"{command} {rich(rest)}".rstrip()
    return Text(f"CTCP {plain(whole)}".rstrip(), f"{_CTCP}{whole}{_CTCP}", command or "?")


def action(text: str) -> str:
    """What somebody does, as a message."""
    return f"{_CTCP}{_ACTION} {text}{_CTCP}"
