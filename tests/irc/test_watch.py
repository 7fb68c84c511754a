"""chatroom.protocols.irc.watch: two ways to look at one set of lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatroom.hub import Hub
from chatroom.member import Listener, Member
from chatroom.names import fold
from chatroom.protocols.irc.factory import IRCFactory
from tests.connected import Reactor

NICKS = ["ann", "Ann", "bob", "cara"]
nicks = st.sampled_from(NICKS)
steps = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "clear", "left"]), st.integers(0, 2), nicks)
)


@given(steps)
def test_whom_one_watches_and_who_watches_for_one_agree(
    done: list[tuple[str, int, str]],
) -> None:
    reactor = Reactor()
    watch = IRCFactory(Hub(), reactor, reactor.seconds).watch
    members = [Member(f"w{n}", Listener(lambda event: None), "", 0.0) for n in range(3)]
    known: dict[Member, dict[str, str]] = {member: {} for member in members}
    for what, which, nick in done:
        member = members[which]
        if what == "add":
            watch.add(member, nick)
            known[member].setdefault(fold(nick), nick)
        elif what == "remove":
            watch.remove(member, nick)
            known[member].pop(fold(nick), None)
        else:
            watch.clear(member) if what == "clear" else watch.left(member)
            known[member].clear()
    for member in members:
        assert watch.list_of(member) == list(known[member].values())
        assert all(watch.watches(member, nick) == (fold(nick) in known[member]) for nick in NICKS)
    expected: dict[str, set[Member]] = {}
    for member, watched in known.items():
        for folded in watched:
            expected.setdefault(folded, set()).add(member)
    assert watch._watchers == expected
    assert set(watch._lists) == {member for member in members if known[member]}
