"""chatroom.protocols.irc.markread: any time comes back as it was given, and nothing goes back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.protocols.irc.lines import timestamp
from tests.inmemory import NOW
from tests.irc.chatting import Chatting, IRCUser

CHAT = Chatting()
ANN = IRCUser(CHAT, "ann")
ANN.registers()


@settings(max_examples=settings().max_examples // 2)
@given(st.lists(st.floats(0, NOW), min_size=1, max_size=4))
def test_the_latest_of_all_times_is_kept(times: list[float]) -> None:
    ANN.protocol.state.clear()
    latest = ""
    for time in times:
        written = timestamp(time)
        latest = max(latest, written)
        assert ANN.says(f"MARKREAD bob timestamp={written}") == [
            f":chatroom.local MARKREAD bob timestamp={latest}"
        ]
