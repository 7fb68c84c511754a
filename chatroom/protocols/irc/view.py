"""How events read on IRC: one or a few lines each, for those who have the same capabilities.

    :alice!~a@host PRIVMSG #ops :hi                 said; `* alice waves` is a CTCP ACTION
    @time=…;msgid=814 :alice!~a@host PRIVMSG …      with server-time and message-tags
    :bob!~u@host JOIN #ops                          and 332, 333, 353, 366 to bob himself
    :chatroom.local NOTICE bob :…                   what the server says

What no capability asked for is not there: not the tag, not the line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chatroom.events import (
    Acted,
    Arrived,
    Event,
    Gone,
    Invited,
    Joined,
    Kicked,
    Left,
    Notice,
    Profile,
    Redacted,
    Renamed,
    Replayed,
    Reply,
    RoomRenamed,
    Ruled,
    Said,
    Tagged,
    Told,
    TopicSet,
    Welcomed,
)
from chatroom.identity import PLAIN, Identity
from chatroom.protocols.irc import labels, lines, markread, modes, numerics
from chatroom.protocols.irc.spoken import NO_ID, ROOM_FOR_TEXT, Spoken
from chatroom.protocols.irc.wire import split_text

if TYPE_CHECKING:
    from chatroom.protocols.irc.factory import IRCFactory

__all__ = ["IRCView"]

# Shorter than this, a text fits a line whatever else stands there: nick, user, host and room have
# at most 32, 12, 40 and 64 bytes, and a character at most four.
_SHORT = 80


class IRCView(Spoken):
    """One way to write events. Made by `IRCFactory.view_for`, so that equal ones are the same."""

    __slots__ = ("__weakref__", "_formats", "_shown_again")

    def __init__(self, factory: IRCFactory, caps: frozenset[str]) -> None:
        super().__init__(factory, caps)
        self._shown_again: tuple[str, tuple[Event, ...], str] = ("", (), "")
        self._formats: dict[type[Event], Callable[[Any], str]] = {
            Said: self._said,
            Acted: self._acted,
            Told: self._told,
            Tagged: self._tagged,
            Joined: self._joined,
            Arrived: self._arrived,
            Left: self._left,
            Gone: self._gone,
            Kicked: self._kicked,
            Redacted: self._redacted,
            Renamed: self._renamed,
            Profile: self._profile,
            TopicSet: self._topic_set,
            Ruled: self._ruled,
            RoomRenamed: self._room_renamed,
            Invited: self._invited,
            Notice: self._notice,
            Replayed: self._replayed,
            Reply: self._reply,
            Welcomed: self._notice,
        }

    # What a turn asks of it

    def render(self, events: Sequence[Event]) -> list[Any]:
        """The lines of each event, in one text; a mark of an answer as it is."""
        frames: list[Any] = []
        is_bare = not (self._times or self._tags or "account-tag" in self._caps)
        for event in events:
            # Most events are these, and this is the way of every line.
            if (
                type(event) is Said
                and event.manner is PLAIN
                and len(event.text) < _SHORT
                and "\n" not in event.text
            ):
                who = event.who
                head = "" if is_bare else self._head(event, who)
                frames.append(
                    f"{head}:{event.sender}!{who.user}@{who.host} PRIVMSG {event.room} "
                    f":{event.text}\r\n"
                )
                continue
            frames.append(self._formats[type(event)](event))
        return frames

    def join(self, frames: Sequence[Any]) -> bytes:
        """The bytes of the frames."""
        try:
            return "".join(frames).encode()
        except TypeError:
            return labels.join(frames, self._factory.server).encode()

    def rest(self, frames: Sequence[Any], start: int) -> Sequence[Any]:
        """The frames from `start` on."""
        return frames[start:]

    def again(self, events: Sequence[Event], batch: str) -> list[str]:
        """Earlier events for one who asked for them, a line each (or more), with their time and
        id; within a batch, if it has a name."""
        found: list[str] = []
        for event in events:
            if type(event) is Left and event.gone:
                event = _gone_again(event)
            written = self._formats[type(event)](event).split("\r\n")[:-1]
            if batch:
                written = [lines.inside(line, batch) for line in written]
            found += written
        return found

    # Coming and going

    def _joined(self, event: Joined, *, own: bool = False) -> str:
        extended = ""
        if "extended-join" in self._caps:
            account = self._account(event.who) if event.who.account else "*"
            extended = f" {account} :{event.who.realname}"
        line = self._line(event, event.who, f"JOIN {event.room}{extended}")
        if own or event.away is None or "away-notify" not in self._caps:
            return line
        return line + self._away(event, event.who, event.away)

    def _arrived(self, event: Arrived) -> str:
        """The own JOIN, the topic and who is there."""
        room, joined = event.place, event.joined
        server, nick = self._factory.server, event.sender
        told = [self._joined(joined, own=True)]
        client = self._factory.client_of(event.member)
        if client is not None and markread.CAPABILITY in self._caps:
            told.append(f"{markread.marker_line(client, room.name)}\r\n")
        if room.topic:
            told += [line + "\r\n" for line in topic_lines(server, nick, room)]
        if "draft/no-implicit-names" not in self._caps:
            told.append(self._names(nick, room))
        return "".join(told)

    def _names(self, nick: str, room: Any) -> str:
        multi, hosts = "multi-prefix" in self._caps, "userhost-in-names" in self._caps
        factory = self._factory
        told = factory.names_for(nick, room, multi_prefix=multi, hosts=hosts, telling=True)
        return f"{told}{numerics.RPL_ENDOFNAMES.line(factory.server, nick, room.name)}\r\n"

    def _left(self, event: Left) -> str:
        if event.gone:  # told once for all rooms, by Gone
            return ""
        reason = f" :{event.reason}" if event.reason else ""
        head = f":{self._source(event, event.who)} PART {event.room}"
        return f"{self._head(event, event.who)}{lines.fit(head, reason)}\r\n"

    def _gone(self, event: Gone) -> str:
        head = f":{self._source(event, event.who)} QUIT :"
        # What the server says of it can't be taken for somebody's own words, nor they for that.
        reason = f"Quit: {event.reason}" if event.said else event.reason or "Connection closed"
        # It is one line live, and in the history one of each room: so it has no id.
        return f"{self._head(event, event.who, NO_ID)}{lines.fit(head, reason)}\r\n"

    def _kicked(self, event: Kicked) -> str:
        kicker = lines.mask(event.kicker, event.kicker_who) if event.kicker else event.by
        head = f":{kicker} KICK {event.room} {event.sender} :"
        reason = event.reason or event.kicker or event.by
        return f"{self._head(event, event.kicker_who)}{lines.fit(head, reason)}\r\n"

    # Being someone

    def _renamed(self, event: Renamed) -> str:
        return self._line(event, event.who, f"NICK {event.nick}")

    def _profile(self, event: Profile) -> str:
        was, who, told = event.was, event.who, []
        if was.account != who.account and "account-notify" in self._caps:
            account = self._account(who) if who.account else "*"
            told.append(self._line(event, who, f"ACCOUNT {account}"))
        if was.realname != who.realname and "setname" in self._caps:
            told.append(self._line(event, who, f"SETNAME :{who.realname}"))
        if (was.user, was.host) != (who.user, who.host) and "chghost" in self._caps:
            told.append(self._line(event, was, f"CHGHOST {who.user} {who.host}"))
        if event.was_away != event.away and "away-notify" in self._caps:
            told.append(self._away(event, who, event.away))
        return "".join(told)

    def _away(self, event: Event, who: Identity, away: str | None) -> str:
        text = "" if away is None else f" :{away or 'Away'}"
        head = f":{self._source(event, who)} AWAY"
        return f"{self._head(event, who)}{lines.fit(head, text)}\r\n"

    # Rooms

    def _topic_set(self, event: TopicSet) -> str:
        head = f":{self._source(event, event.who)} TOPIC {event.room} :"
        return f"{self._head(event, event.who)}{lines.fit(head, event.topic)}\r\n"

    def _ruled(self, event: Ruled) -> str:
        head = f":{self._source(event, event.who)} MODE {event.room} "
        written = modes.written(event.changes, ROOM_FOR_TEXT - len(head.encode()))
        if written:
            tags = self._head(event, event.who)
            return "".join([f"{tags}{head}{one}\r\n" for one in written])
        invited = [change for change in event.changes if change.setting == "invited" and change.on]
        if invited:  # which those who are there are not told, unless they asked for it
            return "".join(
                self._line(event, event.who, f"INVITE {change.value} {event.room}")
                for change in invited
                if "invite-notify" in self._caps
            )
        if not event.text:
            return ""
        notice = f":{self._factory.server} NOTICE {event.room} :"
        text = f"{event.sender} {event.text}" if event.sender else event.text
        return f"{self._head(event, event.who)}{lines.fit(notice, text)}\r\n"

    def _room_renamed(self, event: RoomRenamed) -> str:
        """Who lacks the capability leaves the room and joins the other, as its own connection
        tells it."""
        if "draft/channel-rename" not in self._caps:
            return ""
        return self._line(event, event.who, f"RENAME {event.room} {event.name} :{event.reason}")

    def _invited(self, event: Invited) -> str:
        return self._line(event, event.who, f"INVITE {event.nick} {event.room}")

    def _redacted(self, event: Redacted) -> str:
        if "draft/message-redaction" not in self._caps:
            return ""
        reason = f" :{event.reason}" if event.reason else ""
        target = event.room or event.to or "*"
        id = NO_ID if event.id == event.line else 0  # shown again, it has that of what it took out
        return self._line(event, event.who, f"REDACT {target} {event.line}{reason}", id)

    # The server

    def _notice(self, event: Any) -> str:
        to = event.room or getattr(event, "to", "") or "*"
        head = f":{self._factory.server} NOTICE {to} :"
        times = f"@time={lines.timestamp(event.time)} " if self._times else ""
        return "".join(
            f"{times}{head}{piece}\r\n"
            for piece in split_text(event.text, ROOM_FOR_TEXT - len(head.encode()))
        )

    def _replayed(self, event: Replayed) -> str:
        """Earlier lines: with their time where a client shows that, in words of the server's where
        it would take them for new."""
        room, events = event.room, event.events
        if room is None:
            return self._again(None, events)
        if "draft/chathistory" in self._caps:
            return ""  # it asks for them itself
        # All who come to a room in one turn are shown the same.
        if self._shown_again[:2] != (room, events):
            self._shown_again = (room, events, self._again(room, events))
        return self._shown_again[2]

    def _again(self, room: str | None, events: Sequence[Any]) -> str:
        if room is not None:  # it may have had another name
            events = [each._replace(room=room) if each.room != room else each for each in events]
        if not self._times:
            return "".join(self._retold(each) for each in events)
        batch = f"h{events[-1].id}" if "batch" in self._caps and room is not None else ""
        told = [f"{line}\r\n" for line in self.again(events, batch)]
        server = self._factory.server
        if not batch and room is not None:  # not every client shows the time that a line has
            head = f":{server} NOTICE {room} :"
            return "".join([f"{head}Said earlier:\r\n", *told, f"{head}That was earlier.\r\n"])
        if not batch:
            return "".join(told)
        begin = f":{server} BATCH +{batch} chathistory {room}\r\n"
        return "".join([begin, *told, f":{server} BATCH -{batch}\r\n"])

    def _retold(self, event: Any) -> str:
        when = datetime.fromtimestamp(event.time).strftime("[%Y-%m-%d %H:%M] ")
        to = event.room or getattr(event, "to", "") or "*"
        text, before = getattr(event, "text", ""), f"<{event.sender}>"
        if isinstance(event, Redacted):
            text, before = f"{event.sender} took out line {event.line}, by {event.author}", "--"
        elif isinstance(event, Acted):
            before = f"* {event.sender}"
        head = f":{self._factory.server} NOTICE {to} :{when}{before} "
        # Each line says whose it is, since these are the server's words, not the sender's.
        return "".join(
            f"{head}{piece}\r\n"
            for one in text.split("\n")
            for piece in split_text(one, ROOM_FOR_TEXT - len(head.encode()))
        )

    def _reply(self, event: Reply) -> Any:
        return event.frame


def _gone_again(event: Left) -> Gone:
    """What was told of one who left the chat, from what a room's history has of it. Whose words
    the reason is was not kept: so it is shown as what anybody may say."""
    about = event.id, event.time, event.room, event.sender, event.shown
    return Gone(*about, event.reason, event.who, said=True)


def topic_lines(server: str, nick: str, room: Any) -> list[str]:
    """The topic of a room, who set it and when, without the lines' ends."""
    topic = numerics.RPL_TOPIC.line(server, nick, room.name, text="")
    lines_ = [lines.fit(topic, room.topic)]
    if room.topic_by:
        at = str(int(room.topic_at))
        lines_.append(numerics.RPL_TOPICWHOTIME.line(server, nick, room.name, room.topic_by, at))
    return lines_
