"""From a stream of bytes to lines. Does no I/O.

A line ends with LF or CRLF. Telnet's negotiation (RFC 854: IAC and what follows it)
is taken out, wherever the stream is split. Blank lines say nothing and are left out.
"""

from __future__ import annotations

import re

__all__ = ["LineFramer"]

_IAC = b"\xff"
_SB = b"\xff\xfa"
# Regular expressions, since a read may be full of commands and must not take long.
# A subnegotiation up to its end, IAC SE; IAC and any other byte belong to it. A line's end ends
# it too: we never ask for one, and what is none (Latin-1 has these bytes) must not swallow lines.
_UNENDED = rb"\xff\xfa[^\xff\n]*+(?:\xff[^\xf0\n][^\xff\n]*+)*+"
# A whole command: a subnegotiation; WILL, WONT, DO or DONT and an option; IAC and another byte.
_COMMAND = rb"(?:%b(?:\xff\xf0|\xff?(?=\n))|\xff[\xfb-\xfe].|\xff[^\xfa-\xfe])" % _UNENDED

_unended = re.compile(_UNENDED, re.DOTALL)
_whole = re.compile(rb"(?:[^\xff]++|%b)*+" % _COMMAND, re.DOTALL)
_command = re.compile(rb"\xff(\xff)|%b" % _COMMAND, re.DOTALL)  # IAC twice is data


class LineFramer:
    """Give it what was read, and it gives back the lines that are whole.

    Holds at most `line_bytes` + 2 bytes of an unfinished line, however long it gets.
    """

    __slots__ = ("_discarding", "_held", "line_bytes", "pending")

    def __init__(self, line_bytes: int | None) -> None:
        self.line_bytes = line_bytes
        self.pending = b""
        self._discarding = False
        self._held = b""  # the start of a telnet command

    @property
    def more(self) -> bool:
        """Whether whole lines wait that the last `feed` did not give."""
        return b"\n" in self.pending

    def feed(self, data: bytes, most: int = -1) -> list[bytes | None]:
        """The lines that `data` completes, without their ends. None stands for a line over
        `line_bytes`: it is thrown away through its end, and none of it is a line.

        With `most`, so many at a time: what waits takes no more memory than the bytes it has."""
        if _IAC in data or self._held:
            data = self._without_telnet(data)
        if self._discarding:
            _, end, data = data.partition(b"\n")
            if not end:
                return []
            self._discarding = False
        before = self.pending
        if before.endswith(b"\r"):  # it may yet turn out to belong to the line's end
            before, data = before[:-1], b"\r" + data
        # One pass in C: a line at a time would be quadratic in the chunk.
        chunks = (before + data.replace(b"\r\n", b"\n")).split(b"\n", most)
        self.pending = chunks.pop()
        lines: list[bytes | None] = list(filter(None, chunks))
        return lines if self.line_bytes is None else self._bounded(lines, self.line_bytes)

    def _bounded(self, lines: list[bytes | None], most: int) -> list[bytes | None]:
        if lines and max(map(len, filter(None, lines))) > most:
            lines = [line if line and len(line) <= most else None for line in lines]
        if len(self.pending) - self.pending.endswith(b"\r") > most and not self.more:
            self.pending = b""
            self._discarding = True
            lines.append(None)
        return lines

    def _without_telnet(self, data: bytes) -> bytes:
        data = self._held + data
        whole = _whole.match(data)
        end = whole.end() if whole else 0
        self._held = data[end:]
        if unended := _unended.match(self._held):
            self._held = _SB + self._held[unended.end() :]
        return b"".join(filter(None, _command.split(data[:end])))
