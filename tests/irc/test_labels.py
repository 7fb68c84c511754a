"""Which lines get a label: one, a batch of them, or that there are none."""

from __future__ import annotations

import pytest

from chatroom.protocols.irc.labels import Answer, Copied, Mark, join


def told(*frames: str) -> list[str]:
    """The lines of one answer with these frames."""
    answer = Answer("7", "b1")
    marked = [Mark(answer, begins=True), *frames, Mark(answer, begins=False, last=True)]
    return join(marked, "s").split("\r\n")[:-1]


BEGIN, END = "@label=7 :s BATCH +b1 labeled-response", ":s BATCH -b1"


@pytest.mark.parametrize(
    ("frames", "lines"),
    [
        ([], ["@label=7 :s ACK"]),
        ([":s A\r\n"], ["@label=7 :s A"]),
        (["@time=x :s A\r\n"], ["@label=7;time=x :s A"]),
        ([":s A\r\n:s B\r\n"], [BEGIN, "@batch=b1 :s A", "@batch=b1 :s B", END]),
        ([":s A\r\n", ":s B\r\n"], [BEGIN, "@batch=b1 :s A", "@batch=b1 :s B", END]),
        (
            [":s BATCH +x type\r\n@batch=x :s A\r\n:s BATCH -x\r\n"],
            ["@label=7 :s BATCH +x type", "@batch=x :s A", ":s BATCH -x"],
        ),
        (
            [":s BATCH +x type\r\n@batch=x :s A\r\n:s BATCH -x\r\n", ":s B\r\n"],
            [BEGIN, "@batch=b1 :s BATCH +x type", "@batch=x :s A", "@batch=b1 :s BATCH -x",
             "@batch=b1 :s B", END],
        ),
        ([":me PRIVMSG me :x\r\n", Copied(":me PRIVMSG me :x\r\n")],
         ["@label=7 :me PRIVMSG me :x", ":me PRIVMSG me :x"]),
        ([Copied(":me PRIVMSG me :x\r\n")], ["@label=7 :s ACK", ":me PRIVMSG me :x"]),
    ],
)  # fmt: skip
def test_an_answer_has_its_label(frames: list[str], lines: list[str]) -> None:
    assert told(*frames) == lines


def test_what_is_outside_of_marks_has_none() -> None:
    answer = Answer("a b", "b1")
    frames = [":s A\r\n", Mark(answer, begins=True), ":s B\r\n",
              Mark(answer, begins=False, last=True), ":s C\r\n"]  # fmt: skip
    assert join(frames, "s") == ":s A\r\n@label=a\\sb :s B\r\n:s C\r\n"


def test_an_answer_in_parts_is_one_batch() -> None:
    answer = Answer("7", "b1")
    begins, ends, last = Mark(answer, True), Mark(answer, False), Mark(answer, False, last=True)
    assert join([begins, ends], "s") == ""
    assert join([begins, ":s A\r\n", ends, ":s other\r\n"], "s").split("\r\n") == [
        BEGIN, "@batch=b1 :s A", ":s other", "",
    ]  # fmt: skip
    assert join([begins, ":s B\r\n", last], "s").split("\r\n") == ["@batch=b1 :s B", END, ""]


def test_a_turn_that_ends_early_keeps_the_batch_open() -> None:
    answer = Answer("7", "b1")
    assert join([Mark(answer, True), ":s A\r\n"], "s").split("\r\n") == [
        BEGIN,
        "@batch=b1 :s A",
        "",
    ]
    assert join([Mark(answer, False, last=True)], "s") == f"{END}\r\n"
