"""Whom a ban or a mute means: an account, a nick, addresses, or a mask as IRC writes it; and how
each is written as such a mask."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from chatroom.admission import is_loopback
from chatroom.cloak import Cloak
from chatroom.errors import BadUsage, NotServerOperator
from chatroom.masks import glob, whole
from chatroom.member import Member
from chatroom.names import NICK_CHARACTERS, NICK_LENGTH, fold
from chatroom.store.networks import Network, network, number

__all__ = ["ACCOUNT", "Target", "addresses", "mask_of", "target_of"]

ACCOUNT: Final = ("~a:", "$a:")
"""What is written before an account in the place of a mask: the first is what is shown."""

_ANYBODY_AT = "*!*@"
_THIS_MACHINE = ("127.0.0.1", "::1")


class Target(NamedTuple):
    """Whom it holds for. An account and a nick are folded; a nick's is for who is not logged in
    and shares its address with those who are not meant, as all on the server's machine do. A mask
    is whole."""

    kind: Literal["account", "nick", "address", "mask"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def network(self) -> Network:
        """The addresses of one that is for addresses."""
        return network(self.name)

    def holds_for(self, member: Member) -> bool:
        """Whether it means this member as it is now."""
        if self.kind == "account":
            return member.account == self.name
        if self.kind == "nick":
            return not member.account and member.folded == self.name
        if self.kind == "address":
            return self.network.holds(member.address)
        text = fold(f"{member.nick}!{member.who.user}@{member.who.host}")
        return glob(self.name).means(text)

    @classmethod
    def of(cls, member: Member) -> Target:
        """The one that means this member, and nobody else that can be told from it."""
        return cls("account", member.account) if member.account else cls.apart(member)

    @classmethod
    def apart(cls, member: Member) -> Target:
        """The one that means it without its account: its address, or else its nick."""
        try:
            found = network(member.address)
        except ValueError:
            return cls("nick", member.folded)
        if is_loopback(member.address):
            return cls("nick", member.folded)
        return cls("address", str(found))


def mask_of(target: Target, cloak: Cloak) -> str:
    """How it is written for everyone to read: addresses as they are cloaked."""
    if target.kind == "account":
        return ACCOUNT[0] + target.name
    if target.kind == "nick":
        return f"{target.name}!*@*"
    return _ANYBODY_AT + cloak.network(target.name) if target.kind == "address" else target.name


def target_of(text: str, *, may_name_addresses: bool) -> Target:
    """Whom a mask that somebody writes means: an account (`~a:ann`), the addresses of a host, or
    whoever fits. Raises BadUsage, and NotServerOperator where an address is named and may not
    be."""
    for before in ACCOUNT:
        if text.startswith(before):
            return Target("account", _account(text.removeprefix(before)))
    mask = whole(text)
    host = mask.removeprefix(_ANYBODY_AT)
    if number(host.partition("/")[0]) is None:
        return Target("mask", mask)
    if not may_name_addresses:
        raise NotServerOperator(
            "Only a server operator may name addresses in a mask: others take the host that is "
            "shown, or a nick."
        )
    return addresses(host)


def addresses(text: str) -> Target:
    """The target for an address, or a range of them. Raises BadUsage."""
    try:
        target = Target("address", str(network(text)))
    except ValueError as error:
        raise BadUsage(str(error)) from None
    if any(map(target.network.holds, _THIS_MACHINE)):
        what = f"{text} holds" if "/" in text else "That is"
        raise BadUsage(f"{what} this machine's own address, which everyone on it shares.")
    return target


def _account(name: str) -> str:
    if not name or len(name) > NICK_LENGTH or not NICK_CHARACTERS.issuperset(name):
        raise BadUsage(f"After {ACCOUNT[0]} there has to be the name of an account.")
    return fold(name)
