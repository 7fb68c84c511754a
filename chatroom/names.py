r"""The grammar of nicks and rooms, and the folding that makes them unique.

A nick is one of IRC's (RFC 2812, section 2.3.1), though up to 32 characters
long, so it is valid at every door. Names are ASCII, hence no Cyrillic letter
passes for a Latin one, and folding is of ASCII case only (IRC's
`CASEMAPPING=ascii`): `[` and `{` are two characters.
"""

from __future__ import annotations

import string
from typing import Final

from chatroom.errors import BadName

__all__ = [
    "GUEST_PREFIX",
    "NICK_CHARACTERS",
    "NICK_LENGTH",
    "NICK_RULE",
    "RESERVED",
    "ROOM_LENGTH",
    "ROOM_RULE",
    "check_nick",
    "check_room",
    "fold",
    "guest_nick",
    "is_guest",
    "room_name",
    "skeleton",
]

NICK_LENGTH: Final = 32
"""Characters in the longest nick."""

ROOM_LENGTH: Final = 63
"""Characters in the longest room name, its `#` not counted."""

_ALPHANUMERIC: Final = string.ascii_letters + string.digits

NICK_CHARACTERS: Final = frozenset(_ALPHANUMERIC + "-[]\\`_^{|}")
_NOT_FIRST: Final = frozenset(string.digits + "-")
_ROOM_CHARACTERS: Final = frozenset(_ALPHANUMERIC + "_.+-")

NICK_RULE: Final = (
    f"A nick is 1 to {NICK_LENGTH} letters, digits or -[]\\`_^{{|}}, "
    "and starts with neither a digit nor a hyphen."
)
ROOM_RULE: Final = f"A room's name is # and 1 to {ROOM_LENGTH} of _ . + -, letters and digits."

RESERVED: Final = frozenset(
    {
        "server", "system", "admin", "root", "operator",  # who runs the place
        "here", "everyone", "all", "you",  # words of the server's own lines
        "nickserv", "chanserv", "memoserv", "operserv", "services", "global",  # of IRC networks
    }
)  # fmt: skip
"""Folded nicks that nobody may take."""

# Who is given passwords: `NickServ_` and `[NickServ]` would be taken for one of these.
_SERVICES: Final = ("nickserv", "chanserv", "memoserv", "operserv")

_SINGLES: Final = str.maketrans("01|i3457", "ollleast")
_PAIRS: Final = (("rn", "m"), ("cl", "d"))

GUEST_PREFIX: Final = "guest-"
# No vowels, so that few words appear, and nothing that looks like another: 2 but no z, 5 but no s.
_GUEST_ALPHABET: Final = "23456789cdhjknprtwx"
_GUEST_LENGTH: Final = 3
_GUEST_STEP: Final = 2_654_435_761  # prime, so coprime to every power of the alphabet's 19


def fold(name: str) -> str:
    """`name` as it is compared: ASCII letters in lower case, the rest as it is."""
    if name.isascii():
        return name.lower()
    return name.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def skeleton(name: str) -> str:
    """`name` with what looks alike made alike: `admin`, `Adm1n` and `adrnin` are all `admln`.

    To compare with reserved words only: two honest nicks may share a skeleton.
    """
    shape = fold(name).translate(_SINGLES)
    for pair, single in _PAIRS:
        shape = shape.replace(pair, single)
    return shape


_SERVICE_SKELETONS: Final = {skeleton(word): word for word in _SERVICES}
_RESERVED_SKELETONS: Final = {skeleton(word): word for word in sorted(RESERVED)}


def check_nick(nick: str) -> str:
    """`nick`, if a member may ask for it; `BadName` says what is wrong with it."""
    if not nick:
        raise BadName(f"That nick is empty. {NICK_RULE}")
    if len(nick) > NICK_LENGTH:
        raise BadName(f"That nick has {len(nick)} characters. {NICK_RULE}")
    for character in nick:
        if character not in NICK_CHARACTERS:
            raise BadName(f"A nick can't hold {_named(character)}. {NICK_RULE}")
    if nick[0] in _NOT_FIRST:
        raise BadName(f"A nick can't start with {_named(nick[0])}. {NICK_RULE}")
    if is_guest(nick):
        raise BadName(f'Nicks with "{GUEST_PREFIX}" in front are given to guests: choose another.')
    shape = skeleton(nick)
    letters = "".join(filter(str.isalpha, shape))
    word = _RESERVED_SKELETONS.get(shape) or _SERVICE_SKELETONS.get(letters)
    if word == fold(nick):
        raise BadName(f'The nick "{nick}" is reserved: choose another.')
    if word is not None:
        raise BadName(f'The nick "{nick}" looks like "{word}", which is reserved: choose another.')
    return nick


def check_room(name: str) -> str:
    """`name`, if a room may have it; `BadName` says what is wrong with it."""
    if not name.startswith("#"):
        raise BadName(f"That room's name lacks its #. {ROOM_RULE}")
    word = name[1:]
    if not word:
        raise BadName(f"That room's name is empty. {ROOM_RULE}")
    if len(word) > ROOM_LENGTH:
        raise BadName(f"That room's name has {len(word)} characters after its #. {ROOM_RULE}")
    for character in word:
        if character not in _ROOM_CHARACTERS:
            raise BadName(f"A room's name can't hold {_named(character)}. {ROOM_RULE}")
    return name


def room_name(text: str) -> str:
    """The room that a user means by `text`: `ops` and `#ops` are both `#ops`. Raises `BadName`."""
    return check_room(text if text.startswith("#") else f"#{text}")


def is_guest(nick: str) -> bool:
    """Whether `nick` is of the form that only `guest_nick` gives out."""
    return fold(nick).startswith(GUEST_PREFIX)


def guest_nick(number: int) -> str:
    """The nick of the guest with this number, from 0 up: `guest-7k2`.

    Distinct numbers have distinct nicks, and neighbors look unlike each other. Numbers below
    19**3 (6,859) make three characters, those below 19**4 make four, and so on.
    """
    length, names = _GUEST_LENGTH, len(_GUEST_ALPHABET) ** _GUEST_LENGTH
    while number >= names:
        length, names = length + 1, names * len(_GUEST_ALPHABET)
    scattered = number * _GUEST_STEP % names
    suffix = ""
    for _ in range(length):
        scattered, index = divmod(scattered, len(_GUEST_ALPHABET))
        suffix = _GUEST_ALPHABET[index] + suffix
    return GUEST_PREFIX + suffix


def _named(character: str) -> str:
    """`character` as a sentence can show it without being bent by it."""
    if character == " ":
        return "a space"
    if character.isascii() and character.isprintable():
        return f'"{character}"'
    code = f"U+{ord(character):04X}"
    return f'"{character}" ({code})' if character.isalpha() else code
