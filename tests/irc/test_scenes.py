"""Every scene in `scenes/`, as `scenes.py` says; and that a scene can fail."""

from __future__ import annotations

import pytest

from tests.irc.scenes import Scene, SceneFailed, play, read_scenes


@pytest.mark.parametrize("scene", read_scenes(), ids=str)
def test_a_scene_is_played_as_it_is_written(scene: Scene) -> None:
    play(scene)


def scene(*steps: str) -> Scene:
    return Scene("here", "A scene", tuple(enumerate(steps, 1)))


JOINED = ("ann connects", "ann > JOIN #x")
NAMES = ("ann < :* 353 ann = #x :*ann", "ann < :* 366 ann #x :*")


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (JOINED, "ann got what the scene does not say:\n    :ann!"),
        ((*JOINED, "ann < :ann!* JOIN #x"), "does not say:\n    :chatroom.local 353 ann"),
        ((*JOINED, "ann < :ann!* JOIN #y"), "was to get:\n    :ann!* JOIN #y\n  and"),
        ((*JOINED, "ann < :ann!* JOIN #x", *NAMES, "ann < :*"), "and got:\n    nothing"),
        ((*JOINED, "ann > PING x"), "here:3, A scene"),
        ((*JOINED, "ann < -"), "was to get nothing"),
        ((*JOINED, "ann < ... :* 999 *"), "was to get:\n    :* 999 *"),
        (("bob > JOIN #x",), "bob is not connected"),
        (("ann connects", "ann > QUIT", "ann < ..."), "ann is closed, which"),
        (("ann connects", "ann is closed"), "ann is still connected"),
        (("ann connects", "ann > PRIVMSG bob :$x"), "$x was not found"),
        (("ann dances",), "No such step"),
        (("ann connects with bells",), "was refused something"),
        (("ann connects", "ann > PING a", "ann < :* PONG $s :a", "ann > PING b",
          "ann < :$s PONG $s :c"), "$s is chatroom.local"),
    ],
)  # fmt: skip
def test_a_scene_that_is_played_otherwise_fails(steps: tuple[str, ...], why: str) -> None:
    with pytest.raises(SceneFailed) as raised:
        play(scene(*steps))
    assert why in str(raised.value)
