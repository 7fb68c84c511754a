"""What text must survive: UTF-8 that is none, telnet's commands, and what a terminal obeys, a
format stands for, or a log's record begins with."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

__all__ = ["FORGED", "OBEYED", "SPELLED", "WHOLE", "unsafe"]

WHOLE = "aé€😀\u0301é€a😀€éa"
# What is sent, and what is said then. Invalid UTF-8 is replaced as the Unicode Standard recommends
# (section 3.9, "maximal subparts"); of telnet's commands (RFC 854) nothing is left.
SPELLED: tuple[tuple[bytes, str], ...] = (
    (WHOLE.encode(), WHOLE),
    (b"a\x80b", "a\ufffdb"),
    (b"a\xc0\xafb", "a\ufffd\ufffdb"),  # overlong "/"
    (b"a\xe0\x80\xafb", "a\ufffd\ufffd\ufffdb"),
    (b"a\xf0\x80\x80\xafb", "a\ufffd\ufffd\ufffd\ufffdb"),
    (b"a\xed\xa0\x80\xed\xb0\x80b", "a" + "\ufffd" * 6 + "b"),  # surrogates
    (b"a\xf4\x90\x80\x80b", "a\ufffd\ufffd\ufffd\ufffdb"),  # beyond U+10FFFF
    (b"a\xf8\x88\x80\x80\x80b", "a" + "\ufffd" * 5 + "b"),
    (b"a\xe2\x82b", "a\ufffdb"),  # cut short
    (b"a\xf0\x9f\x98", "a\ufffd"),
    (b"a\xc2\xc3\xa9", "a\ufffdé"),
    (b"a\xff\xf1b", "ab"),  # NOP
    (b"a\xff\xf4\xff\xfd\x06b", "ab"),  # interrupt, DO TIMING-MARK
    (b"\xff\xfb\x1f\xff\xfc\x20a\xff\xfe\x01b", "ab"),  # WILL, WONT, DONT
    (b"a\xff\xfd\nb", "ab"),  # an option that is called as LF
    (b"a\xff\xfa\x1f\x00P\x00\x18\xff\xf0b", "ab"),  # the window's size
    (b"a\xff\xfa\x18\x00x/quit\xff\xff\xff\xf0b", "ab"),
    (b"a\xff\xffb", "a\ufffdb"),  # an escaped 0xFF is not UTF-8
    ("é€".encode()[:1] + b"\xff\xf1" + "é€".encode()[1:], "é€"),  # inside a code point
)

OBEYED = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)]
OBEYED += [chr(code) for code in (0x061C, 0x200B, 0x200D, 0x200E, 0x200F, *range(0x2028, 0x202F))]
OBEYED += [chr(code) for code in (*range(0x2066, 0x206A), 0xFEFF)]
OBEYED += ["\x1b[31m", "\x9b31m", "\x1b]0;title\x07", "\x1bP1$r\x1b\\", "\r<admin> hi", "\r\r"]

FORGED = (
    "{x.__class__}", "{x}", "{0}", "{}", "{log_format}", "%s", "%(text)s", "%n%n%n", "{{", "}}",
    "{nick.__init__.__globals__}", "2026-01-01T00:00:00+0000 [chatroom#critical] forged", "\\n",
    '", "level": "critical", "x": "', "a\r2026-01-01T00:00:00+0000 [-] forged", "\u2028[-] forged",
    "\x85forged", "\x1b[2Jforged", "\ud800",
)  # fmt: skip


def unsafe(lines: Iterable[str]) -> list[str]:
    """Those of `lines` that hold what a terminal or the bidirectional algorithm would obey."""
    obeyed = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [line for line in lines if any(unicodedata.category(char) in obeyed for char in line)]
