"""Who somebody is beside a nick, and how something was said beside its text."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["MOST_TAGS_KEPT", "NOBODY", "PLAIN", "Identity", "Manner"]


class Identity(NamedTuple):
    """Who somebody is beside a nick: what it calls itself, its address made unreadable, the folded
    account it is logged in to or '', its name or what it says of itself, and if it is a program."""

    user: str
    host: str
    account: str = ""
    realname: str = ""
    bot: bool = False


NOBODY = Identity("", "")
"""The server, and whoever is not known any more."""


class Manner(NamedTuple):
    """How something was said, for doors that can show it. `rich` is the text with its colors and
    other codes, '' if it has none; a `notice` must never be answered by a program; `tags` are what
    clients tell each other beside the text."""

    rich: str = ""
    notice: bool = False
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def light(self) -> Manner:
        """The same, without tags that are too large to be kept in memory: a client may send 4 KB
        of them with each line."""
        size = sum(len(key) + len(value) for key, value in self.tags)
        return self if size <= MOST_TAGS_KEPT else self._replace(tags=())


MOST_TAGS_KEPT = 512
"""Characters of tags that are kept with a line which is shown again."""

PLAIN = Manner()
