"""How one IRC client is answered: at once before it is a member, and then in its place among all
that is told to it; with the label of its command, and also later than that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ISSLTransport
from twisted.python.failure import Failure

from chatroom.errors import ChatError
from chatroom.hub import Hub
from chatroom.member import Member
from chatroom.protocols.connection import Connection
from chatroom.protocols.irc import labels, lines, numerics
from chatroom.protocols.irc.formatting import rich
from chatroom.protocols.irc.labels import Answer, Mark
from chatroom.protocols.irc.numerics import Numeric
from chatroom.protocols.irc.refusals import About, numeric_for, sentence
from chatroom.protocols.irc.registration import Registration

if TYPE_CHECKING:
    from chatroom.protocols.irc.factory import IRCFactory

__all__ = ["Answering"]

_MUCH: Final = 65536
"""Characters of answers after which a client has to take them before it is heard again. Else a few
short commands, whose answers are long, would cost memory for each client that reads nothing."""
_AGAIN_SECONDS: Final = 0.1


class Answering(Connection):
    """What commands ask of a client, and how they answer it. `registration` is how far it has come
    in saying who it is; None once it is a member."""

    factory: IRCFactory
    registration: Registration | None = None
    _answers: list[str] | None = None
    _answer: Answer | None = None
    _is_unanswered = False
    _holds = 0
    _told = 0

    # What commands ask

    @property
    def hub(self) -> Hub:
        """The chat."""
        return self.factory.hub

    @property
    def now(self) -> float:
        """The time of day, in seconds since the epoch."""
        return self.factory.wall()

    @property
    def nick(self) -> str:
        """As it is called in replies: `*` as long as it has no nick."""
        if self.member is not None:
            return self.member.nick
        return (self.registration and self.registration.nick) or "*"

    @property
    def source(self) -> str:
        """`nick!user@host`, as far as it is known."""
        if self.member is not None:
            return lines.mask(self.member.nick, self.member.who)
        user = self.registration.user if self.registration else ""
        return f"{self.nick}!{user or '*'}@{self.hub.cloak(self.address)}"

    @property
    def is_secure(self) -> bool:
        """Whether it came by TLS."""
        return bool(ISSLTransport.providedBy(self.transport))

    @property
    def is_behind(self) -> bool:
        """Whether it has yet to take some of what it was sent."""
        return self._outbox.waits

    @property
    def me(self) -> Member:
        """The member behind it; there is one for every command that asks to have registered."""
        assert self.member is not None
        return self.member

    @property
    def must_log_in(self) -> bool:
        """Whether it has to, before it may do anything else here."""
        is_nobody = self.member is not None and not self.member.account
        return is_nobody and self.hub.registrar.mode == "required"

    # What commands answer

    def numeric(
        self, numeric: Numeric, *params: str, text: str | None = None, **words: object
    ) -> None:
        """Answer with a numeric; see `Numeric.line`. What of it doesn't fit a line is cut, and what
        the client gave is clean, even where only that reads it."""
        text = None if text is None else rich(text)
        shown = map(rich, params)
        line = numeric.line(self.factory.server, self.nick, *shown, text=text, **words)
        self.reply(lines.fit("", line))

    def say(self, rest: str) -> None:
        """Answer with a line from the server. What of it doesn't fit is cut, as of a numeric."""
        self.reply(lines.fit("", f":{self.factory.server} {rich(rest)}"))

    def fail(self, command: str, code: str, *context: str, text: str, kind: str = "FAIL") -> None:
        """Answer with a standard reply (IRCv3 standard-replies): FAIL, WARN or NOTE. What cannot be
        a parameter of the context stands as `*`."""
        self.say(lines.standard(kind, command, code, *map(rich, context), text=text))

    def refuse(self, error: ChatError, *params: str, about: About = "command") -> None:
        """Answer with the numeric that tells of the error, and its sentence. `params` are those
        of the numeric."""
        self.numeric(numeric_for(error, about), *params, text=sentence(error))

    def reply(self, *written: str) -> None:
        """Answer with lines, without their ends."""
        if not written:
            return
        frame = "\r\n".join(written) + "\r\n"
        if self.member is not None and self.member.present:
            self.hub.reply(self.member, frame, self.now)
            self._tells(len(frame))
        elif self._answers is not None:
            self._answers.append(frame)
        elif self.connected:
            self.write(frame.encode())

    def _tells(self, size: int) -> None:
        """It is answered with so many characters, and heard again once it has taken them."""
        was, self._told = self._told, self._told + size
        if was < _MUCH <= self._told:
            self.hold()
            self.hub.after_turn(self._has_taken)

    def _has_taken(self) -> None:
        if not self.connected:
            return
        if self.is_behind:
            self.factory.reactor.callLater(_AGAIN_SECONDS, self._has_taken)
            return
        self._told = 0
        self.release()

    def server_line(self, sentence: str) -> bytes:
        if self._admitted and not self._closing:
            return f":{self.factory.server} NOTICE {self.nick} :{sentence}\r\n".encode()
        return f"ERROR :{sentence}\r\n".encode()

    # Answers, and those that come later

    def answer(self, label: str, run: Callable[[], Awaitable[object] | None]) -> None:
        """Run a command, so that all that it brings about for this client has its label. What it
        does later is done before anything else that the client sends."""
        if label:
            self._begin(Answer(label, self.factory.batch()))
        later = run()
        if later is None:
            self._end()
            return
        self.hold()
        answer = self._answer
        self._end(last=False)
        steps = _in_steps(_Steps(self, _finish(later), answer))
        Deferred.fromCoroutine(steps).addErrback(self._failed).addBoth(self._finished)

    def unanswered(self) -> Answer | None:
        """What answers this command is told by a later one; returns what that has to `answer_to`,
        None if nothing has a label."""
        self._is_unanswered = True
        return self._answer

    def answer_to(self, answer: Answer | None) -> None:
        """What is told from now on answers the earlier command that was `unanswered`."""
        if answer is not None:
            self._end()
            self._begin(answer)

    def answers_as_member(self) -> None:
        """There is a member now: what answers the command under way, also what was told already,
        stands among all that is for that."""
        answers, self._answers = self._answers, None
        if answers is not None and self._answer is not None:
            self._mark(Mark(self._answer, begins=True))
            for frame in answers:
                self.hub.reply(self.me, frame, self.now)

    def _begin(self, answer: Answer | None) -> None:
        self._answer = answer
        if answer is None or self._answers is not None:
            return
        if self.member is None:
            self._answers = []
        else:
            self._mark(Mark(answer, begins=True))

    def _end(self, *, last: bool = True) -> None:
        answer, self._answer = self._answer, None
        last = last and not self._is_unanswered
        self._is_unanswered = False
        if answer is None:
            return
        if self._answers is None:
            self._mark(Mark(answer, begins=False, last=last))
        elif last:  # it began before there was a member
            answers, self._answers = self._answers, None
            marks = Mark(answer, begins=True), Mark(answer, begins=False, last=True)
            if self.connected:
                text = labels.join([marks[0], *answers, marks[1]], self.factory.server)
                self.write(text.encode())

    def _mark(self, mark: Mark) -> None:
        if self.member is not None and self.member.present:
            self.hub.reply(self.member, mark, self.now)

    def _failed(self, failure: Failure) -> None:
        if failure.check(ChatError):
            error: Any = failure.value
            self.refuse(error, "*")
            return
        self.factory.log.failure("A command of an IRC client failed", failure)
        self.numeric(
            numerics.ERR_UNKNOWNERROR, "*", text="That did not work, and was logged. Try again."
        )

    def _finished(self, _: object) -> None:
        if self.connected:
            self._end()
            self.release()

    def hold(self) -> None:
        """Take no more lines until `release`, called as often."""
        self._holds += 1

    def release(self) -> None:
        """What was waited for is there."""
        self._holds -= 1
        waits = self._lines or self._paused
        if waits and not self._holds and self._resume is None and self.is_heard:
            self._wait(0.0)

    @property
    def is_ready(self) -> bool:
        return not self._holds


async def _finish(later: Awaitable[object]) -> object:
    return await later


async def _in_steps(steps: _Steps) -> object:
    return await steps


class _Steps:
    """What is waited for, in steps, in between which others have their turn: what the client is
    told in each of them is a part of the answer. Of the last one the end is for the caller to
    mark."""

    def __init__(
        self, client: Answering, later: Coroutine[Any, Any, object], answer: Answer | None
    ) -> None:
        self._client, self._later, self._answer = client, later, answer

    def __await__(self) -> Generator[Any, Any, object]:
        resume: Callable[[], Any] = partial(self._later.send, None)
        while True:
            self._client._begin(self._answer)
            try:
                step = resume()
            except StopIteration as stop:
                return stop.value
            self._client._end(last=False)
            try:
                value = yield step
            except Exception as error:
                resume = partial(self._later.throw, error)
            else:
                resume = partial(self._later.send, value)
