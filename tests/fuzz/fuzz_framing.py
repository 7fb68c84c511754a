"""The framer: the same lines however the stream is split, and never much of it held.

The first byte is `line_bytes` (0: off), the second the size of the pieces, the rest the stream.
"""

from __future__ import annotations

import re

from chatroom.protocols.framing import LineFramer

# RFC 854 and 855, the other way about: what a whole stream may hold, not one byte after another.
TELNET = re.compile(
    rb"\xff(?:"
    # A subnegotiation, or its beginning; a line's end ends it as well.
    rb"\xfa(?:[^\xff\n]|\xff[^\xf0\n])*(?:\xff\xf0|\xff?(?=\n)|\xff?\Z)"
    rb"|[\xfb-\xfe](?:.|\Z)"  # WILL, WONT, DO, DONT and an option
    rb"|(?P<data>\xff)"
    rb"|[^\xfa-\xff]"
    rb"|\Z)",
    re.DOTALL,
)


def one_input(data: bytes) -> None:
    line_bytes, size, stream = data[0:1], data[1:2], data[2:]
    if not stream:
        return
    most = ord(line_bytes) or None
    expected = lines_of(stream, most)
    for piece in (len(stream), 1, ord(size) or 256):
        assert framed(stream, most, piece) == expected, piece


def framed(stream: bytes, most: int | None, piece: int) -> list[bytes | None]:
    framer = LineFramer(most)
    lines: list[bytes | None] = []
    for start in range(0, len(stream), piece):
        lines += framer.feed(stream[start : start + piece])
        assert b"\n" not in framer.pending
        assert most is None or len(framer.pending) <= most + 2
    return lines


def lines_of(stream: bytes, most: int | None) -> list[bytes | None]:
    """What the framer must make of the whole stream."""
    *whole, rest = TELNET.sub(lambda match: match["data"] or b"", stream).split(b"\n")
    lines: list[bytes | None] = [line.removesuffix(b"\r") for line in whole]
    if most is None:
        return [line for line in lines if line]
    if len(rest.removesuffix(b"\r")) > most:
        lines.append(rest)
    return [line if len(line) <= most else None for line in lines if line]
