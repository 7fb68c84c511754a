"""Who is measured: a table of servers, how each is started, and what it can do.

Texts are templates: `$port` to listen on, `$spare` another free one, `$folder` the server's
own, `$python`, `$build` where what is compiled lies, `$certificate`, `$key` and `$dh` for TLS.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template

from benchmarks.dialects import BARE, DIALECTS, IRC, LINE, LUMPS, Dialect
from benchmarks.layouts import Layout

__all__ = [
    "C_LINE",
    "C_POLL",
    "HERE",
    "IRC_PEERS",
    "PEERS",
    "Peer",
    "answer",
    "by_name",
    "program",
    "tls",
    "why_absent",
]

HERE = Path(__file__).parent

# Debian keeps daemons where only root looks.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"


@dataclass(frozen=True)
class Peer:
    """`command` starts it, `prepare` goes before. `config` is a file beside this one; it is
    filled in with `listener`: `plain`, or `encrypted` for TLS ('' where there is none).

    `source` has to be compiled; `version` asks for one, whose answer begins with `answers`.
    `unprivileged` servers refuse to run as root. `backlog` is how many connections its `listen`
    lets wait: more at once are refused, and try again a second later. With more than
    `most_members` in one room, or `most_people` in all, it takes minutes until all are in. `store`
    is where this daemon keeps what is said.
    """

    name: str
    says: str
    dialect: Dialect
    command: tuple[str, ...]
    prepare: tuple[str, ...] = ()
    config: str = ""
    plain: str = ""
    encrypted: str = ""
    source: str = ""
    version: tuple[str, ...] = ()
    answers: str = ""
    unprivileged: bool = False
    backlog: int = 1000
    most_members: int = 1_000_000
    most_people: int = 1_000_000
    listener: str = ""
    store: str = "off"

    def fits(self, layout: Layout) -> bool:
        """Whether there is any point in measuring this peer there."""
        dialect = self.dialect
        return (
            self.is_tls == layout.tls
            and layout.members <= self.most_members
            and layout.people <= self.most_people
            and layout.text <= dialect.most_text
            and bool(dialect.private or not layout.private)
            and (dialect.rooms or layout.rooms == 1)
        )

    @property
    def is_tls(self) -> bool:
        """Whether it listens with TLS."""
        return bool(self.encrypted) and self.listener == self.encrypted

    def filled(self, values: dict[str, str]) -> str:
        """Its configuration."""
        text = (HERE / self.config).read_text()
        listener = Template(self.listener).substitute(values)
        return Template(text).substitute(values, listener=listener, store=self.store)


def tls(peer: Peer) -> Peer:
    """The same peer behind its TLS listener."""
    return replace(peer, name=f"{peer.name}-tls", listener=peer.encrypted)


_DAEMON = Peer(
    "chatroom",
    "this daemon",
    LINE,
    (
        str(Path(sys.executable).with_name("twistd")),
        "-n",
        "--pidfile=",
        "chatroom",
        "-c",
        "$config",
    ),
    config="chatroom.yaml",
    version=(sys.executable, "-c", "import chatroom; print(chatroom.__version__)"),
)

# The daemon's doors, each with the dialect that its clients speak. The first needs no suffix.
_DOORS = {"line": DIALECTS["line"], "irc": DIALECTS["irc"]}


def _door(protocol: str, dialect: Dialect) -> Peer:
    here = "$port:backlog=1024:interface=127.0.0.1"
    plain = f"{protocol}=tcp:{here}"
    return replace(
        _DAEMON,
        name=_DAEMON.name if dialect is LINE else f"{_DAEMON.name}-{protocol}",
        says=_DAEMON.says if dialect is LINE else f"{_DAEMON.says}, {protocol}",
        dialect=dialect,
        plain=plain,
        encrypted=f"{protocol}=ssl:{here}:privateKey=$key:certKey=$certificate",
        listener=plain,
    )


C_POLL = Peer(
    "c-poll",
    "C, a send() per poll",
    BARE,
    ("$build/loop", "$port", "poll"),
    source="peers/loop.c",
)
C_LINE = replace(
    C_POLL,
    name="c-line",
    says="C, a send() per line",
    command=("$build/loop", "$port", "line"),
)
_LESSON = Peer(
    "lesson",
    "the lesson's threaded server",
    LUMPS,
    (sys.executable, str(HERE / "lesson.py"), "$port"),
    backlog=100,
    most_people=1000,
)
_LINERECEIVER = Peer(
    "linereceiver",
    "LineReceiver, sendLine",
    BARE,
    (sys.executable, str(HERE / "linereceiver.py"), "$port"),
    backlog=50,
)
_NGIRCD = Peer(
    "ngircd",
    "ngIRCd",
    IRC,
    ("ngircd", "-n", "-f", "$config"),
    config="ngircd.conf",
    plain="[Global]\n    Ports = $port",
    encrypted="[Global]\n    Ports = $spare\n[SSL]\n    Ports = $port\n"
    "    CertFile = $certificate\n    KeyFile = $key\n    DHFile = $dh",
    version=("ngircd", "--version"),
    answers="ngIRCd",
    unprivileged=True,
    backlog=10,
    most_people=1000,
)
_INSPIRCD = Peer(
    "inspircd",
    "InspIRCd",
    IRC,
    ("inspircd", "--config=$config", "--nofork"),
    config="inspircd.conf",
    plain='<bind address="127.0.0.1" port="$port" type="clients">',
    encrypted='<module name="ssl_gnutls">\n'
    '<sslprofile name="bench" provider="gnutls" certfile="$certificate" keyfile="$key">\n'
    '<bind address="127.0.0.1" port="$port" type="clients" sslprofile="bench">',
    version=("inspircd", "--version"),
    answers="InspIRCd",
    unprivileged=True,
    most_members=5000,
)
# Another program, for chemists, is called ergo as well.
_ERGO = Peer(
    "ergo",
    "ergo",
    IRC,
    ("ergo", "run", "--quiet", "--conf", "$config"),
    prepare=("ergo", "initdb", "--quiet", "--conf", "$config"),
    config="ergo.yaml",
    plain="{}",
    encrypted="{tls: {cert: $certificate, key: $key}}",
    version=("ergo", "--version"),
    answers="ergo-",
    most_members=5000,
)


def _listening(peer: Peer) -> Peer:
    return replace(peer, listener=peer.plain)


IRC_PEERS = tuple(map(_listening, (_NGIRCD, _INSPIRCD, _ERGO)))

# The same, with everything that is said on the disk within 100 ms.
_HISTORY = replace(_door("line", LINE), name="chatroom-history", says="this daemon, history on")
_HISTORY = replace(_HISTORY, store="chatroom.db", encrypted="")

_PLAIN = (
    *(_door(protocol, dialect) for protocol, dialect in _DOORS.items()),
    _HISTORY,
    C_POLL,
    C_LINE,
    *IRC_PEERS,
    _LINERECEIVER,
    _LESSON,
)

PEERS = (*_PLAIN, *(tls(peer) for peer in _PLAIN if peer.encrypted))
"""In the order of every table."""

by_name = {peer.name: peer for peer in PEERS}


def program(name: str) -> str | None:
    """Where a program is."""
    return shutil.which(name, path=_PATH)


def why_absent(peer: Peer) -> str:
    """What is missing on this machine for it to run; '' if nothing is."""
    if peer.source:
        return "" if program("cc") else "there is no C compiler (cc)"
    if not program(peer.command[0]):
        return f"{peer.command[0]} is not installed"
    if peer.is_tls and not program("openssl"):
        return "there is no openssl, which makes the certificate"
    if peer.answers and not answer(peer.version).startswith(peer.answers):
        return f"the {peer.command[0]} that is installed is another program"
    return ""


def answer(command: tuple[str, ...]) -> str:
    """The first line that a command prints; '' if it can't be run."""
    name = program(command[0]) if command else None
    if name is None:
        return ""
    root = HERE.parents[1]
    done = subprocess.run(
        (name, *command[1:]), capture_output=True, text=True, timeout=20, cwd=root
    )
    return next(iter((done.stdout or done.stderr).splitlines()), "")
