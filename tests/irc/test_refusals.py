"""Each of the core's errors has a numeric, whatever it is about."""

from __future__ import annotations

from typing import get_args

import pytest

from chatroom import errors
from chatroom.errors import ChatError
from chatroom.protocols.irc import numerics
from chatroom.protocols.irc.numerics import Numeric
from chatroom.protocols.irc.refusals import About, numeric_for, sentence


@pytest.mark.parametrize(
    ("error", "about", "numeric"),
    [
        (errors.NameTaken, "nick", numerics.ERR_NICKNAMEINUSE),
        (errors.BadName, "nick", numerics.ERR_ERRONEUSNICKNAME),
        (errors.BadName, "channel", numerics.ERR_NOSUCHCHANNEL),
        (errors.TooMany, "channel", numerics.ERR_TOOMANYCHANNELS),
        (errors.TooMany, "nick", numerics.ERR_UNAVAILRESOURCE),
        (errors.TooMany, "speech", numerics.ERR_CANNOTSENDTOCHAN),
        (errors.NotAllowed, "speech", numerics.ERR_CANNOTSENDTOCHAN),
        (errors.NotLoggedIn, "speech", numerics.ERR_NEEDREGGEDNICK),
        (errors.NotLoggedIn, "channel", numerics.ERR_NEEDREGGEDNICK),
        (errors.NameKept, "nick", numerics.ERR_NICKNAMEINUSE),
        (errors.NotAccepted, "speech", numerics.ERR_NEEDREGGEDNICK),
        (errors.AccountsOnly, "speech", numerics.ERR_CANNOTSENDTOCHAN),
        (errors.CannotSpeak, "channel", numerics.ERR_CANNOTSENDTOCHAN),
        (errors.NoSuchMember, "command", numerics.ERR_NOSUCHNICK),
        (errors.NoSuchRoom, "command", numerics.ERR_NOSUCHCHANNEL),
        (errors.NotInRoom, "command", numerics.ERR_NOTONCHANNEL),
        (errors.NotOperator, "command", numerics.ERR_CHANOPRIVSNEEDED),
        (errors.NotServerOperator, "command", numerics.ERR_NOPRIVILEGES),
        (errors.Banned, "channel", numerics.ERR_BANNEDFROMCHAN),
        (errors.BadKey, "channel", numerics.ERR_BADCHANNELKEY),
        (errors.RoomFull, "channel", numerics.ERR_CHANNELISFULL),
        (errors.InviteOnly, "channel", numerics.ERR_INVITEONLYCHAN),
        (errors.BadText, "command", numerics.ERR_UNKNOWNERROR),
    ],
)
def test_an_error_is_told_by_the_nearest_numeric(
    error: type[ChatError], about: About, numeric: Numeric
) -> None:
    assert numeric_for(error("Why."), about) is numeric


def kinds(kind: type[ChatError] = ChatError) -> list[type[ChatError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in kinds(below))]


@pytest.mark.parametrize("about", get_args(About))
@pytest.mark.parametrize("kind", kinds())
def test_every_error_has_one_and_an_error_numeric(kind: type[ChatError], about: About) -> None:
    assert numeric_for(kind("Why."), about).code >= "400"


def test_who_has_to_log_in_is_told_how_one_does_that_on_irc() -> None:
    for kind in (errors.NotLoggedIn, errors.NameKept):
        assert "/msg NickServ IDENTIFY" in sentence(kind("/login NICK PASSWORD"))
    assert sentence(errors.NameTaken("ann is taken.")) == "ann is taken."
