"""Which lines answer which command, where a client gave that a label (IRCv3 labeled-response)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from chatroom.protocols.irc.lines import inside, tag
from chatroom.protocols.irc.wire import escape

__all__ = ["Answer", "Copied", "Mark", "join"]

_END: Final = "\r\n"


class Copied(str):
    """Lines that look like part of an answer and are none: what one wrote to oneself, arriving."""

    __slots__ = ()


class Answer:
    """All that answers one command, given in one part or in several. `batch` is a batch's name that
    nobody else has, and `is_open` whether that has begun, since more than one part has lines."""

    __slots__ = ("batch", "is_open", "label")

    def __init__(self, label: str, batch: str) -> None:
        self.label = label
        self.batch = batch
        self.is_open = False


class Mark(NamedTuple):
    """Stands among the frames of one member where a part of an answer begins, and where it ends.
    `last`: there is no further part."""

    answer: Answer
    begins: bool
    last: bool = False


def join(frames: Sequence[Any], server: str) -> str:
    """One text of the frames, the answers among them labeled."""
    out: list[str] = []
    answer: Answer | None = None
    lines: list[str] = []
    apart: list[str] = []
    for frame in frames:
        if isinstance(frame, Mark):
            if answer is not None or frame.last:
                out += _part(answer or frame.answer, lines, server, last=frame.last)
            out += apart
            answer = frame.answer if frame.begins else None
            lines, apart = [], []
        elif answer is None:
            out.append(frame)
        elif isinstance(frame, Copied):
            apart.append(frame)
        else:
            lines += frame.split(_END)[:-1]
    if answer is not None:  # the turn ended early, in the middle of it
        out += [*_part(answer, lines, server, last=False), *apart]
    return "".join(out)


def _part(answer: Answer, lines: list[str], server: str, *, last: bool) -> list[str]:
    """The lines of a part, with their ends. Of an answer that has one part alone: one line with the
    label, or a batch with it, or that there is none."""
    label = f"label={escape(answer.label)}"
    if last and not answer.is_open:
        if not lines:
            return [f"@{label} :{server} ACK{_END}"]
        if len(lines) == 1 or _is_batch(lines):
            return [f"{line}{_END}" for line in (tag(lines[0], label), *lines[1:])]
    told = []
    if lines and not answer.is_open:
        answer.is_open = True
        told.append(f"@{label} :{server} BATCH +{answer.batch} labeled-response")
    told += [inside(line, answer.batch) for line in lines]
    if last:
        told.append(f":{server} BATCH -{answer.batch}")
    return [line + _END for line in told]


def _is_batch(lines: list[str]) -> bool:
    """Whether all of it is one batch already."""
    first, last = (_words(line) for line in (lines[0], lines[-1]))
    if first[:1] != ["BATCH"] or last[:1] != ["BATCH"]:
        return False
    return first[1][:1] == "+" and last[1] == f"-{first[1][1:]}"


def _words(line: str) -> list[str]:
    """The command and its parameters."""
    words = line.split(" ")
    while words and words[0][:1] in ("@", ":"):
        del words[0]
    return words
