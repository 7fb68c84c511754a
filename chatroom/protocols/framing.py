"""From a stream of bytes to lines. Does no I/O.

A line ends with LF or CRLF. Telnet's negotiation (RFC 854: IAC and what follows it)
is taken out, wherever the stream is split. Blank lines say nothing and are left out.
"""

from __future__ import annotations

__all__ = ["LineFramer"]

_IAC = b"\xff"
_SE = 0xF0
_SB = 0xFA
_NEGOTIATION = range(0xFB, 0xFF)  # WILL, WONT, DO, DONT: one option follows


class LineFramer:
    """Give it what was read, and it gives back the lines that are whole.

    Holds at most `line_bytes` + 2 bytes of an unfinished line, however long it gets.
    """

    __slots__ = ("_discarding", "_held", "_in_subnegotiation", "line_bytes", "pending")

    def __init__(self, line_bytes: int | None) -> None:
        self.line_bytes = line_bytes
        self.pending = b""
        self._discarding = False
        self._held = b""  # the start of a telnet command
        self._in_subnegotiation = False

    def feed(self, data: bytes) -> list[bytes | None]:
        """The lines that `data` completes, without their ends. None stands for a line over
        `line_bytes`: it is thrown away through its end, and none of it is a line."""
        if _IAC in data or self._held or self._in_subnegotiation:
            data = self._without_telnet(data)
        if self._discarding:
            _, end, data = data.partition(b"\n")
            if not end:
                return []
            self._discarding = False
        if self.pending:
            data = self.pending + data
        # One pass in C: a line at a time would be quadratic in the chunk.
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        chunks = data.split(b"\n")
        self.pending = chunks.pop()
        lines: list[bytes | None] = list(filter(None, chunks))
        return lines if self.line_bytes is None else self._bounded(lines, self.line_bytes)

    def _bounded(self, lines: list[bytes | None], most: int) -> list[bytes | None]:
        if any(len(line) > most for line in lines if line):
            lines = [line if line and len(line) <= most else None for line in lines]
        # A CR may yet turn out to belong to the line's end.
        if len(self.pending) - self.pending.endswith(b"\r") > most:
            self.pending = b""
            self._discarding = True
            lines.append(None)
        return lines

    def _without_telnet(self, data: bytes) -> bytes:
        data, self._held = self._held + data, b""
        kept = []
        at = 0
        while at < len(data):
            iac = data.find(_IAC, at)
            end = len(data) if iac < 0 else iac
            if not self._in_subnegotiation:
                kept.append(data[at:end])
            if iac < 0:
                break
            command = data[iac + 1] if iac + 1 < len(data) else None
            size = 3 if command in _NEGOTIATION and not self._in_subnegotiation else 2
            if len(data) - iac < size:
                self._held = data[iac:]
                break
            if self._in_subnegotiation:
                self._in_subnegotiation = command != _SE
            elif command == _SB:
                self._in_subnegotiation = True
            elif command == 0xFF:  # an escaped 0xFF is data
                kept.append(_IAC)
            at = iac + size
        return b"".join(kept)
