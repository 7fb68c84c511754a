"""IRC's lines: the same however the stream is split, and each refused or written back.

The first byte is the size of the pieces, the second how long a piece of text may be, the rest the
stream.
"""

from __future__ import annotations

from chatroom.protocols.irc.wire import (
    LINE_BYTES,
    MOST_PARAMS,
    TAG_DATA_BYTES,
    Framer,
    Malformed,
    NotUTF8,
    client_tags,
    parse,
    split_text,
    write,
)


def one_input(data: bytes) -> None:
    size, most, stream = data[0:1], data[1:2], data[2:]
    if not stream:
        return
    expected = lines_of(stream)
    for piece in (len(stream), 1, ord(size) or 256):
        assert framed(stream, piece) == expected, piece
    for line in expected:
        if line is not None:
            written_back(line, max(4, ord(most)))


def framed(stream: bytes, piece: int) -> list[bytes | None]:
    framer = Framer()
    lines: list[bytes | None] = []
    for start in range(0, len(stream), piece):
        lines += framer.feed(stream[start : start + piece])
        assert b"\n" not in framer.pending
        assert len(framer.pending) <= TAG_DATA_BYTES + 2 + LINE_BYTES
    return lines


def lines_of(stream: bytes) -> list[bytes | None]:
    """What the framer must make of the whole stream."""
    *whole, rest = stream.split(b"\n")
    lines: list[bytes | None] = [line.removesuffix(b"\r") for line in whole]
    if not fits(rest.removesuffix(b"\r")):
        lines.append(rest)
    return [line if fits(line) else None for line in lines if line]


def fits(line: bytes) -> bool:
    tags, _, others = line.partition(b" ") if line[:1] == b"@" else (b"", b"", line)
    return len(tags) <= 1 + TAG_DATA_BYTES and len(others) + len(b"\r\n") <= LINE_BYTES


def written_back(line: bytes, most: int) -> None:
    try:
        message = parse(line)
    except NotUTF8 as refusal:
        assert refusal.command == refusal.command.upper()
        return
    except Malformed:
        return
    assert len(message.params) <= MOST_PARAMS
    for trailing in (False, True):
        assert parse(write(message, trailing=trailing).encode()) == message
    assert client_tags(message.tags).items() <= message.tags.items()
    for param in message.params:
        pieces = split_text(param, most)
        assert all(len(piece.encode()) <= most for piece in pieces)
        assert "".join(pieces).replace(" ", "") == param.replace(" ", "")
