"""IRC's wire format: from bytes to messages and back. Does no I/O.

A line is `[@tags SPACE] [:source SPACE] command {SPACE param} [SPACE :trailing]`, in UTF-8, and
ends with CRLF or LF (Modern IRC, "Message Format"; IRCv3 message-tags). What is one message is
one line, both ways: `parse` and `write` are inverses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from unicodedata import category

from chatroom.protocols.framing import LineFramer

__all__ = [
    "LINE_BYTES",
    "MOST_PARAMS",
    "NO_TAGS",
    "TAGS_BYTES",
    "TAG_DATA_BYTES",
    "Framer",
    "Malformed",
    "Message",
    "NoCommand",
    "NotUTF8",
    "check_frame",
    "client_tags",
    "escape",
    "is_middle",
    "parse",
    "split_text",
    "unescape",
    "write",
]

LINE_BYTES: Final = 512
"""Bytes in the longest line, its CRLF counted, its tags not (RFC 2812, section 2.3)."""

TAG_DATA_BYTES: Final = 4094
"""Bytes of tags that a client may send, and that a server may add: what stands between the `@`
and the space (IRCv3 message-tags, "Size limit")."""

TAGS_BYTES: Final = 8191
"""Bytes of tags in the longest line that a server sends: `@`, its own, `;`, a client's, a space."""

MOST_PARAMS: Final = 15
"""Parameters in one message (RFC 2812, section 2.3.1)."""

NO_TAGS: Final[Mapping[str, str]] = MappingProxyType({})

_END_BYTES: Final = len(b"\r\n")


class Message(NamedTuple):
    """One message. Only the last parameter may be empty, hold spaces or begin with a colon."""

    command: str
    """Upper-case letters, or three digits."""
    params: tuple[str, ...] = ()
    source: str = ""
    """Who it is from, without the colon; empty if that is not said."""
    tags: Mapping[str, str] = NO_TAGS
    """Values by key, unescaped; a key without a value has the empty one."""


class Malformed(ValueError):
    """The line is no message; says why."""


class NoCommand(Malformed):
    """What stands for a command is none. `message` is the line all the same, with it as it is."""

    def __init__(self, message: Message) -> None:
        super().__init__(f"{message.command} is no command.")
        self.message = message


class NotUTF8(ValueError):
    """The line is not UTF-8. `command` is its command in upper case, or empty if it has none."""

    def __init__(self, command: str) -> None:
        super().__init__("A line has to be UTF-8.")
        self.command = command


def parse(line: bytes) -> Message:
    """The message in one line, which is given without its end.

    Leading, trailing and repeated spaces between the parts are let pass. The fifteenth parameter
    takes all the rest, with or without a colon. Raises Malformed or NotUTF8.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise NotUTF8(_command_of(line)) from None
    if "\0" in text or "\r" in text or "\n" in text:
        raise Malformed("NUL, CR and LF cannot stand in a line.")
    tags, source = NO_TAGS, ""
    if text[:1] in _BEFORE_COMMAND:
        tags, source, text = _head(text)
    before, colon, trailing = text.partition(" :")
    command, *params = before.split(" ")
    if "" in params:
        params = list(filter(None, params))
    if not command:
        raise Malformed("The line has no command.")
    if not (command.isascii() and (command.isalpha() or _is_numeric(command))):
        raise NoCommand(Message(command, tuple(params), source, tags))
    if len(params) >= MOST_PARAMS:
        params = _many(text)
    elif colon:
        params.append(trailing)
    return Message(command.upper(), tuple(params), source, tags)


_BEFORE_COMMAND: Final = frozenset("@: ")


def _is_numeric(command: str) -> bool:
    return len(command) == 3 and command.isdigit()


def _head(text: str) -> tuple[Mapping[str, str], str, str]:
    """The tags, the source and the rest of a line."""
    tags, source = NO_TAGS, ""
    text = text.lstrip(" ")
    if text.startswith("@"):
        section, _, text = text[1:].partition(" ")
        text = text.lstrip(" ")
        tags = _tags(section)
    if text.startswith(":"):
        source, _, text = text[1:].partition(" ")
        text = text.lstrip(" ")
    return tags, source, text


def _tags(section: str) -> Mapping[str, str]:
    pairs = (tag.partition("=") for tag in section.split(";"))
    return {key: unescape(value) for key, _, value in pairs if key} or NO_TAGS


def _many(text: str) -> list[str]:
    """The parameters of a line that has too many: the last takes the rest, colons and all."""
    params = []
    for _ in range(MOST_PARAMS):
        _, _, text = text.partition(" ")
        text = text.lstrip(" ")
        params.append(text.partition(" ")[0])
    params[-1] = text
    return params


def _command_of(line: bytes) -> str:
    try:
        return parse(line.decode(errors="replace").encode()).command
    except Malformed:
        return ""


def write(message: Message, *, trailing: bool = False) -> str:
    """The line of `message`, without its end. The last parameter follows a colon if it has to,
    and with `trailing` in any case. Length is for the caller to mind.

    Raises ValueError for what no line can say.
    """
    command, params, source, tags = message
    is_letters = command.isascii() and command.isalpha() and command.isupper()
    if not (is_letters or (command.isascii() and _is_numeric(command))):
        raise ValueError(f"{command!r} is no command")
    if len(params) > MOST_PARAMS:
        raise ValueError(f"{len(params)} parameters are too many")
    if " " in source:
        raise ValueError(f"{source!r} is no source")
    words = [f":{source}", command] if source else [command]
    if tags:
        words.insert(0, "@" + ";".join(_tag(key, value) for key, value in tags.items()))
    if params:
        *middle, last = params
        for param in middle:
            if not is_middle(param):
                raise ValueError(f"{param!r} can only be the last parameter")
        words += middle
        words.append(last if is_middle(last) and not trailing else f":{last}")
    return check_frame(" ".join(words))


def is_middle(param: str) -> bool:
    """Whether `param` may stand anywhere among the parameters, not only last."""
    return bool(param) and param[0] != ":" and " " not in param


def check_frame(line: str) -> str:
    """`line`, if it is one line; raises ValueError if it holds NUL, CR or LF, or is not Unicode."""
    if "\0" in line or "\r" in line or "\n" in line:
        raise ValueError(f"{line!r} is not one line")
    if not line.isascii():
        line.encode()
    return line


# Tags

_KEY: Final = re.compile(r"[^ ;=]+")
_CLIENT_KEY: Final = re.compile(r"\+(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")
_ESCAPES: Final = {";": r"\:", " ": r"\s", "\\": r"\\", "\r": r"\r", "\n": r"\n"}
_ESCAPE_TABLE: Final = str.maketrans(_ESCAPES)
_UNESCAPES: Final = {sequence[1]: character for character, sequence in _ESCAPES.items()}
_escape_sequence: Final = re.compile(r"\\(.?)", re.DOTALL)


def escape(value: str) -> str:
    """A tag's value as it is written (IRCv3 message-tags, "Escaping values")."""
    return value.translate(_ESCAPE_TABLE)


def unescape(value: str) -> str:
    """A tag's value as it is meant. A backslash that escapes nothing is dropped."""
    if "\\" not in value:
        return value
    return _escape_sequence.sub(lambda match: _UNESCAPES.get(match[1], match[1]), value)


def client_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Those of `tags` that a server passes on for a client: `+`, perhaps a vendor's host and `/`,
    and letters, digits or hyphens (IRCv3 message-tags, "Client-only tags")."""
    return {key: value for key, value in tags.items() if _CLIENT_KEY.fullmatch(key)}


def _tag(key: str, value: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no tag")
    return f"{key}={escape(value)}" if value else key


# Lines


class Framer(LineFramer):
    """What a client sent, in lines, as `LineFramer` gives them: None stands for one over
    `LINE_BYTES`, or with more than `TAG_DATA_BYTES` of tags, and none of it is a line.

    Here is no telnet, and the limits are the protocol's own: what a connection sets `line_bytes`
    to is for the line protocol, and changes nothing. Of an unfinished line it holds at most 4096
    bytes of tags, 510 others and a CR.
    """

    __slots__ = ()

    def __init__(self, line_bytes: int | None = None) -> None:
        super().__init__(line_bytes)

    @property
    def line_bytes(self) -> int:
        """Bytes in the longest line, neither its end nor its tags counted."""
        return LINE_BYTES - _END_BYTES

    @line_bytes.setter
    def line_bytes(self, line_bytes: int | None) -> None: ...

    def _bounded(self, lines: list[bytes | None], most: int) -> list[bytes | None]:
        if lines and max(map(len, filter(None, lines))) > most:
            lines = [line if line and not _is_over(line, most) else None for line in lines]
        if not self.more and _is_over(self.pending.removesuffix(b"\r"), most):
            self.pending = b""
            self._discarding = True
            lines.append(None)
        return lines

    def _without_telnet(self, data: bytes) -> bytes:
        return data


def _is_over(line: bytes, most: int) -> bool:
    """Whether a line is too long already, finished or not."""
    if not line.startswith(b"@"):
        return len(line) > most
    space = line.find(b" ")
    tag_data = (len(line) if space < 0 else space) - 1
    return tag_data > TAG_DATA_BYTES or len(line) - 1 - tag_data - 1 > most


# Text

_ZWJ: Final = "\N{ZERO WIDTH JOINER}"
_FLAG_LETTERS: Final = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_EXTENDING: Final = re.compile(
    r"[\u200C\u200D\U0001F3FB-\U0001F3FF\U000E0020-\U000E007F]"  # joiners, skin tones, flags' tags
)
_LONGEST_CODE_POINT: Final = 4


def split_text(text: str, most: int, *, keeps_spaces: bool = False) -> list[str]:
    """`text` in pieces of at most `most` bytes of UTF-8, `most` being 4 or more.

    A piece ends at a space, which is left out, if there is one in its latter half; else anywhere
    between code points, though not inside a combining sequence, a flag or a joined emoji if a cut
    before it leaves half of the piece. Text that fits is one piece, even if it is empty. With
    `keeps_spaces` nothing is left out: the space ends the piece before it.
    """
    if most < _LONGEST_CODE_POINT:
        raise ValueError(f"no piece of text has to fit {most} bytes")
    data = text.encode()
    pieces = []
    start = 0
    while len(data) - start > most:
        space = data.rfind(b" ", start + most // 2, start + most + (not keeps_spaces))
        if space >= 0 and space + 1 < len(data):
            pieces.append(data[start : space + keeps_spaces])
            start = space + 1
        else:
            end = _cut(data, start, start + most)
            pieces.append(data[start:end])
            start = end
    pieces.append(data[start:])
    return [piece.decode() for piece in pieces]


def _cut(data: bytes, start: int, end: int) -> int:
    """Where to cut what begins at `start`, at `end` or before it; more follows."""
    while data[end] & 0xC0 == 0x80:  # inside a code point
        end -= 1
    text = data[start : end + _LONGEST_CODE_POINT].decode(errors="ignore")
    whole = at = len(data[start:end].decode())
    while at > whole // 2 and _is_inside(text, at):
        at -= 1
    return end if at <= whole // 2 else end - len(text[at:whole].encode())


def _is_inside(text: str, at: int) -> bool:
    """Whether a cut before `text[at]` parts what is shown as one."""
    before, after = text[at - 1], text[at]
    if after in _FLAG_LETTERS:  # a flag is two of them
        head = text[:at]
        return (len(head) - len(head.rstrip(_FLAG_LETTERS))) % 2 == 1
    return before == _ZWJ or category(after)[0] == "M" or bool(_EXTENDING.match(after))
