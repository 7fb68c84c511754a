"""Who may do what to whom: every cell."""

from __future__ import annotations

from itertools import product
from typing import cast, get_args

import pytest

from chatroom.errors import NotOperator, NotServerOperator
from chatroom.permissions import PERMISSIONS, Action, Role, may, must

# For each action, for each role (member, operator, owner, server) of who does it: to whom of
# these roles it may be done.  "-" is to nobody, "*" to everybody.
MATRIX = """
kick        -   mow mow mow
ban         -   m   mo  mow
unban       -   *   *   *
bans        -   *   *   *
mute        -   m   mo  mow
unmute      -   *   *   *
voice       -   *   *   *
unvoice     -   *   *   *
slow        -   *   *   *
lock        -   *   *   *
unlock      -   *   *   *
invite      -   *   *   *
op          -   *   *   *
deop        -   -   mo  mow
topic       -   *   *   *
limit       -   *   *   *
secret      -   *   *   *
outside     -   *   *   *
accounts    -   *   *   *
ctcp        -   *   *   *
except      -   *   *   *
keep        -   -   *   *
register    -   -   *   *
roomname    -   -   *   *
redact      -   *   *   *
announce    -   -   -   *
rename      -   -   -   mow
kill        -   -   -   mow
wallops     -   -   -   *
rehash      -   -   -   *
audit       -   -   -   *
serverban   -   -   -   mow
"""
LETTERS = {"m": Role.MEMBER, "o": Role.OPERATOR, "w": Role.OWNER, "s": Role.SERVER}
CELLS = {
    (words[0], actor): "mows" if cell == "*" else cell
    for words in (line.split() for line in MATRIX.strip().splitlines())
    for actor, cell in zip(LETTERS.values(), words[1:], strict=True)
}


def test_the_matrix_has_every_action_and_role() -> None:
    assert set(CELLS) == set(product(get_args(Action), Role))
    assert set(PERMISSIONS) == set(get_args(Action))


@pytest.mark.parametrize(("action", "actor", "target"), [*product(get_args(Action), Role, LETTERS)])
def test_every_cell(action: str, actor: Role, target: str) -> None:
    allowed = target in CELLS[action, actor]
    assert may(cast("Action", action), actor, LETTERS[target]) == allowed
    if allowed:
        must(cast("Action", action), actor, LETTERS[target], "bob")
    else:
        for_server = PERMISSIONS[cast("Action", action)].least == Role.SERVER
        error = NotServerOperator if for_server else NotOperator
        with pytest.raises(error, match=r"^(Only|You can't) .*\.$"):
            must(cast("Action", action), actor, LETTERS[target], "bob")


@pytest.mark.parametrize(("action", "actor"), [*product(get_args(Action), Role)])
def test_what_is_done_to_nobody_takes_the_role_alone(action: str, actor: Role) -> None:
    assert may(cast("Action", action), actor) == (CELLS[action, actor] != "-")
