"""What user text may contain: cleaned once, at the edge, by one policy.

- A tab becomes one space.
- What a terminal or the bidirectional algorithm (UAX #9) would obey becomes U+FFFD, so that the
  attempt shows: C0, DEL and C1 controls (ESC, bare CR and LF among them), U+2028 and U+2029,
  embeddings, overrides and isolates, interlinear annotation, lone surrogates.
- What shows nothing at all is dropped, since its reader misses nothing: zero-width spaces and
  joiners, byte order marks, soft hyphens, directional marks, tags, invisible operators.
- Two of those stay where a script needs them: U+200D inside an emoji (family, profession), U+200C
  inside a word of an Arabic or Indic script; and so do the tags of an emoji flag (Scotland).
- Everything else stays as it came: no-break spaces, private use, unassigned code points. Text is
  not normalized.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from chatroom.names import NICK_CHARACTERS, fold

__all__ = ["clean", "decode", "decode_plain", "is_clean", "mentions"]

# Ranges, not categories of `unicodedata`: what is refused does not depend on Python's release.
_OBEYED: Final = re.compile(
    r"[\x00-\x08\x0A-\x1F\x7F-\x9F"  # C0 but tab, DEL, C1
    r"\u2028-\u202E\u2066-\u2069"  # line and paragraph separators, bidi
    r"\uFFF9-\uFFFB\uD800-\uDFFF]"  # annotation, surrogates
)
# The blocks that hold the parts of joined emoji, skin tones included.
_EMOJI: Final = r"\u2190-\u21FF\u2300-\u23FF\u2600-\u27BF\u2B00-\u2BFF\U0001F000-\U0001FAFF"
# From Arabic's first letter to the end of Sinhala, by way of all of India.
_JOINING: Final = r"\u0620-\u0DFF"
_FLAG_TAG: Final = r"\U000E0030-\U000E0039\U000E0061-\U000E007A"
# Unicode's Default_Ignorable_Code_Point, less its letters and variation selectors and what is
# obeyed. One character class comes first, so that the search for it is fast.
_UNSEEN: Final = re.compile(
    r"[\u00AD\u061C\u180E\u200B-\u200F\u2060-\u2065\u206A-\u206F\uFEFF\uFFF0-\uFFF8"
    r"\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E00FF\U000E01F0-\U000E0FFF]"
    r"(?P<needed>"
    rf"(?<=[{_EMOJI}\uFE0F]\u200D)(?=[{_EMOJI}])"
    rf"|(?<=[{_JOINING}]\u200C)(?=[{_JOINING}])"
    rf"|(?<=\U0001F3F4[{_FLAG_TAG}])[{_FLAG_TAG}]{{2,5}}\U000E007F"
    r")?"
)

_PLAIN_ASCII: Final = bytes(range(0x20, 0x7F)) + b"\n"


def clean(text: str) -> str:
    """`text` made safe to show to anyone: on one line, never longer, always encodable.

    In UTF-8 it may be longer: U+FFFD has three bytes where a control had one. Cleaning twice is
    cleaning once.
    """
    if text.isprintable():
        return text
    text = _UNSEEN.sub(_needed, text)
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", text).replace("\t", " ")


def _needed(match: re.Match[str]) -> str:
    return match[0] if match.lastgroup else ""


def is_clean(text: str) -> bool:
    """Whether `clean` would leave `text` as it is."""
    return clean(text) == text


def decode(line: bytes) -> str:
    """The clean text of one line of UTF-8; each invalid sequence becomes U+FFFD.

    Sequences are told apart as in the Unicode Standard, section 3.9 ("maximal subparts").
    """
    return clean(line.decode("utf-8", "replace"))


def decode_plain(lines: Sequence[bytes | None]) -> str | None:
    """Several lines of UTF-8, none of them empty, in one text, if `decode` would leave each as it
    is and none ends with a space; None otherwise, and if one is None. It takes a few passes in all
    where `decode` takes some for each."""
    try:
        data = b"\n".join(lines)  # type: ignore[arg-type]
        text = data.decode()
    except (TypeError, UnicodeDecodeError):
        return None
    if " \n" in text or text.endswith(" "):
        return None
    # Of ASCII, to look for the others takes a third of the time.
    is_plain = (
        not data.translate(None, _PLAIN_ASCII)
        if text.isascii()
        else text.replace("\n", "").isprintable()
    )
    return text if is_plain else None


def mentions(text: str, folded_nick: str) -> bool:
    """Whether `text` names the member whose folded nick this is, as a whole word.

    A word ends where neither a character of nicks nor a cased letter goes on: `ana` is not in
    `mañana` but is in `anaさん`.
    """
    folded = fold(text)
    start = folded.find(folded_nick)
    while start >= 0:
        end = start + len(folded_nick)
        if not (_in_word(folded[start - 1 : start]) or _in_word(folded[end : end + 1])):
            return True
        start = folded.find(folded_nick, start + 1)
    return False


def _in_word(neighbor: str) -> bool:
    return neighbor in NICK_CHARACTERS or neighbor.lower() != neighbor.upper()
