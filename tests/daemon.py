"""The real daemon in a process of its own, and what tests need around it.

    with Daemon(tmp_path, {"limits": {"lines": None}}) as daemon, Client(daemon.port) as client:
        client.send("hi")

Nothing here sleeps for a fixed time: what is waited for is asked for again and again until it
is there or a deadline has passed. All that a process uses is read from Linux' /proc.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import NamedTuple, Self, TypeVar

__all__ = [
    "KIB",
    "MIB",
    "Baseline",
    "Canary",
    "Client",
    "Daemon",
    "Pair",
    "assert_healthy",
    "certificate",
    "free_port",
    "is_listening",
    "local_client",
    "percentile",
    "proxy_header",
    "wait_for",
    "watched",
    "with_nc",
]

Answer = TypeVar("Answer")

ROOT = Path(__file__).parents[1]
# What is started a hundred times in a run is compiled once, whatever the environment says: that
# took 0.1 of the 0.5 s of CPU of each start.
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
TWISTD = (str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=")
LOOPBACK = ("line=tcp:0:interface=127.0.0.1",)

KIB = 1024
MIB = 1024 * KIB

_LISTENING = re.compile(r"Listening on \S+ port (\d+)")
_TROUBLE = re.compile(
    r"""(?m)^\t?Traceback|^\S+ \[[^\]]*\#(?:error|critical)\]"""
    r"""|^{"time": .*(?:"traceback": |"level": "(?:error|critical)")"""
)
_ARRIVAL = re.compile(r"You are (\S+) in ")
# Whatever the door: `<ann> canary 7 1.5`, `:ann!~ann@host PRIVMSG #lobby :canary 7 1.5`.
_CANARY = re.compile(rb"(?:> |:)canary (\d+) (\S+)\r$")
_RESET = struct.pack("ii", 1, 0)  # for SO_LINGER: on, 0 s


def wait_for(ask: Callable[[], Answer], seconds: float, what: str) -> Answer:
    """The first answer of `ask` that is true. Fails, naming `what`, when `seconds` are over."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)
    return answer


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them (0.99) do not exceed; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


class Baseline(NamedTuple):
    """What a daemon uses at one moment."""

    fds: int
    rss: int


class Daemon:
    """`twistd -n chatroom`, started in `folder`, stopped at the end of the `with`.

    `settings` is the file's content, as YAML or as a mapping (None is `off`). `listen` are its
    listeners; `ports` are theirs, in that order. `options` go to `chatroom`, `wrapper` stands
    before the command (`("sh", "-c", 'ulimit -n 64; exec "$@"', "-")`), `program` is what
    runs the plugin.
    """

    def __init__(
        self,
        folder: Path,
        settings: str | Mapping[str, object] = "",
        *options: str,
        listen: Sequence[str] = LOOPBACK,
        program: Sequence[str] = TWISTD,
        wrapper: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.config = folder / "chatroom.yaml"
        self.config.write_text(settings if isinstance(settings, str) else written(settings))
        self.log_path = folder / "log"
        self._listen = listen
        listeners = [word for each in listen for word in ("--listen", each)]
        command = (*wrapper, *program, "chatroom", "--config", str(self.config))
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                (*command, *listeners, *options),
                cwd=folder,
                env={**ENVIRON, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.pid = self.process.pid
        self._began = time.monotonic()
        self.ports: list[int] = []
        try:
            wait_for(lambda: self._listens(len(listen) or 1), 20, "the daemon listens")
            wait_for(self._waits, 20, "the reactor waits for events")
        except BaseException:
            self.kill()
            raise

    def _waits(self) -> bool:
        """Whether its main thread waits for events, and not for another thread. Where the kernel
        does not tell, two seconds are enough."""
        if "epoll" in Path(f"/proc/{self.pid}/wchan").read_text():
            return True
        return time.monotonic() > self._began + 2 and "sleeping" in self.status("State")

    def _listens(self, doors: int) -> bool:
        assert self.process.poll() is None, f"the daemon ended:\n{self.log}"
        log = self.log
        self.ports = [int(port) for port in _LISTENING.findall(log)]
        return log.count("Listening on ") >= doors and log.endswith("\n")

    @property
    def port(self) -> int:
        """The first listener's."""
        return self.ports[0]

    @property
    def irc(self) -> int:
        """The port of the first listener for IRC."""
        return next(
            port
            for port, listener in zip(self.ports, self._listen, strict=True)
            if listener.startswith("irc=")
        )

    @property
    def log(self) -> str:
        """All that it has logged, and printed."""
        return self.log_path.read_text("utf-8", "backslashreplace")

    def fds(self) -> int:
        """Open descriptors."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def rss(self) -> int:
        """Resident memory, in bytes."""
        return int(self.status("VmRSS").split()[0]) * KIB

    def status(self, name: str) -> str:
        """A line of /proc/PID/status."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return next(line.split(":")[1] for line in text.splitlines() if line.startswith(name))

    def cpu(self) -> float:
        """Seconds of CPU used so far, the kernel's on its behalf among them."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def baseline(self) -> Baseline:
        """What it uses now, to compare with later."""
        return Baseline(self.fds(), self.rss())

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """End it by a signal; its exit status (negative: by which signal it ended)."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End it at once, whatever state it is in."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.kill()
            raise


def written(value: object) -> str:
    """`value` in YAML as the daemon reads it: on, off, quoted texts, numbers."""
    match value:
        case None | False:
            return "off"
        case True:
            return "on"
        case Mapping():
            return f"{{{', '.join(f'{key}: {written(each)}' for key, each in value.items())}}}"
        case list() | tuple():
            return f"[{', '.join(map(written, value))}]"
        case str():
            return json.dumps(value, ensure_ascii=False)
    return repr(value)


def assert_healthy(daemon: Daemon, baseline: Baseline, seconds: float = 30) -> str:
    """The attack is over: the log shows no trouble, descriptors are back at the baseline and
    memory within 10 MiB of it, all within `seconds`. Returns the figures."""
    began = time.monotonic()
    before, now = baseline, daemon.baseline()
    most = Baseline(before.fds, before.rss + 10 * MIB)
    while (now.fds > most.fds or now.rss > most.rss) and time.monotonic() < began + seconds:
        time.sleep(0.05)
        now = daemon.baseline()
    assert now.fds <= most.fds, f"{now.fds} descriptors after {seconds} s, {before.fds} before"
    assert now.rss <= most.rss, f"{now.rss} bytes after {seconds} s, {before.rss} before"
    log = daemon.log
    assert not (trouble := _TROUBLE.search(log)), log[max(0, trouble.start() - 500) :][:5000]
    return (
        f"after {time.monotonic() - began:.1f} s {now.fds} descriptors ({before.fds} before), "
        f"memory {(now.rss - before.rss) / MIB:+.1f} MiB"
    )


class Client:
    """One connection, blocking, each wait with a deadline; it speaks the line protocol.

    `receive_buffer` is the socket's SO_RCVBUF, `source` the address to come from, `proxied`
    the address that a PROXY header tells, `tls` the context of the handshake.
    """

    _fences = count(1)

    def __init__(
        self,
        port: int,
        host: str = "127.0.0.1",
        *,
        receive_buffer: int = 0,
        source: str = "",
        proxied: str = "",
        tls: ssl.SSLContext | None = None,
        seconds: float = 10,
    ) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.settimeout(seconds)
        # What is sent in two pieces goes out in two.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((host, port))
        if proxied:
            self.socket.sendall(proxy_header(proxied))
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket)
        self.nick = ""
        self._read = b""

    def send(self, text: str | bytes, end: bytes = b"\n") -> None:
        """Send one line, or what `text` holds if `end` is empty."""
        data = text.encode() if isinstance(text, str) else text
        self.socket.settimeout(10)
        self.socket.sendall(data + end)

    def line(self, seconds: float = 10) -> str:
        """The next line, which must be UTF-8 and end with CRLF. Fails at the end of all."""
        line = self._line(seconds)
        assert line is not None, "the connection has ended"
        return line

    def _line(self, seconds: float) -> str | None:
        deadline = time.monotonic() + seconds
        while b"\n" not in self._read:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            except TimeoutError:
                raise AssertionError(f"no line within {seconds} s, but {self._read!r}") from None
            if not data:
                return None
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        assert line.endswith(b"\r"), line
        return line[:-1].decode()

    def until(self, part: str, seconds: float = 10) -> list[str]:
        """The lines through the first that holds `part`."""
        deadline = time.monotonic() + seconds
        lines = [self.line(seconds)]
        while part not in lines[-1]:
            lines.append(self.line(max(0.001, deadline - time.monotonic())))
        return lines

    def arrive(self) -> Self:
        """Read all that a newcomer is told, the nick it was given among it."""
        arrival = _ARRIVAL.search(self.until("You are ")[-1])
        assert arrival
        self.nick = arrival[1]
        self.fence()
        return self

    def fence(self, seconds: float = 10) -> list[str]:
        """All lines on their way, up to the reply to something that is asked now."""
        mark = f"/fence-{next(self._fences)}"
        self.send(mark)
        return self.until(f"Unknown command {mark}.", seconds)[:-1]

    def ask(self, command: str, seconds: float = 10) -> list[str]:
        """What comes in answer to a command, and whatever else until then."""
        self.send(command)
        return self.fence(seconds)

    def spoken(self, text: str) -> str:
        """The line that says `text` in the room that it is in."""
        return text

    def move(self, room: str) -> None:
        """Go to another room from the lobby."""
        self.ask(f"/join {room}")
        self.ask("/part #lobby")

    def rest(self, seconds: float = 10) -> list[str]:
        """All lines until the daemon ends the connection, within `seconds`."""
        deadline = time.monotonic() + seconds
        lines = []
        while (line := self._line(max(0.001, deadline - time.monotonic()))) is not None:
            lines.append(line)
        return lines

    def close(self) -> None:
        """Close with FIN (or RST, if something is unread)."""
        self.socket.close()

    def reset(self) -> None:
        """Close with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def proxy_header(address: str) -> bytes:
    """The PROXY header (version 1) of a peer at `address`."""
    kind, local = ("TCP6", "::1") if ":" in address else ("TCP4", "127.0.0.1")
    return f"PROXY {kind} {address} {local} 40000 8000\r\n".encode()


Pair = Callable[[Daemon], tuple[Client, Client]]
"""Makes two healthy clients, who are in the lobby."""


def with_nc(daemon: Daemon) -> tuple[Client, Client]:
    """Two that speak the line protocol."""
    return Client(daemon.port).arrive(), Client(daemon.port).arrive()


class Canary:
    """Two healthy clients that exchange 10 lines a second while the `with` lasts, in the lobby
    unless in a `room` of their own. `pair` makes them.

    At its end nothing may be lost or out of order, p99 of the time to the other is at most
    250 ms, the most 1 s. Each takes 5 lines a second: `limits.lines` MUST allow that.
    """

    P99 = 0.25
    MOST = 1.0
    INTERVAL = 0.1
    LEAST = 5

    def __init__(self, daemon: Daemon, room: str = "", pair: Pair = with_nc) -> None:
        self._clients = pair(daemon)
        for client in self._clients if room else ():
            client.move(room)
        self._sent: dict[int, list[int]] = defaultdict(list)
        self._heard: dict[int, list[int]] = defaultdict(list)
        self._times: list[float] = []
        self._late = 0.0
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, name="canary")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, error: type[BaseException] | None, *rest: object) -> None:
        self._over.set()
        self._thread.join()
        for client in self._clients:
            client.close()
        if error is None:
            self._judge()

    @property
    def figures(self) -> str:
        """The measurement in one line; `late` is the canary's own fault, its thread's wait."""
        return (
            f"canary: {len(self._times)} lines, {self._missing} lost, "
            f"p99 {percentile(self._times, 0.99) * 1000:.0f} ms, "
            f"most {max(self._times, default=0.0) * 1000:.0f} ms "
            f"(its own thread late by {self._late * 1000:.0f} ms at most)"
        )

    @property
    def _missing(self) -> int:
        return sum(map(len, self._sent.values())) - sum(map(len, self._heard.values()))

    def _judge(self) -> None:
        if self._failure is not None:
            raise self._failure
        assert self._heard == self._sent, self.figures
        assert percentile(self._times, 0.99) <= self.P99, self.figures
        assert max(self._times) <= self.MOST, self.figures

    def _guarded(self) -> None:
        try:
            with DefaultSelector() as selector:
                for number, client in enumerate(self._clients):
                    selector.register(client.socket, EVENT_READ, (1 - number, client))
                self._exchange(selector)
        except BaseException as failure:
            self._failure = failure

    def _exchange(self, selector: DefaultSelector) -> None:
        """Send by turns; then wait for what is missing, as long as a line may take."""
        due = time.monotonic()
        for number in count():
            if self._over.is_set() and number >= self.LEAST:
                break
            client = self._clients[number % 2]
            client.send(client.spoken(f"canary {number} {time.monotonic()}"))
            self._sent[number % 2].append(number)
            due += self.INTERVAL
            while (left := due - time.monotonic()) > 0:
                self._listen(selector, left)
            self._late = max(self._late, -left)
        deadline = time.monotonic() + self.MOST
        while self._missing and (left := deadline - time.monotonic()) > 0:
            self._listen(selector, left)

    def _listen(self, selector: DefaultSelector, seconds: float) -> None:
        for key, _ in selector.select(seconds):
            sender, client = key.data
            data = client.socket.recv(1 << 20)
            now = time.monotonic()
            assert data, "a canary was dropped"
            *lines, client._read = (client._read + data).split(b"\n")
            for line in lines:
                if (heard := _CANARY.search(line)) is not None:
                    self._heard[sender].append(int(heard[1]))
                    self._times.append(now - float(heard[2]))


@contextmanager
def watched(daemon: Daemon, what: str, room: str = "", pair: Pair = with_nc) -> Iterator[None]:
    """An attack, which the canary (in `room`) and the daemon must survive; prints the figures of
    both."""
    fds = daemon.fds()
    for end in (Client.close, Client.reset):  # what is made once in a process's life is there
        for client in pair(daemon):
            end(client)
    wait_for(lambda: daemon.fds() <= fds, 10, "they left")
    baseline = daemon.baseline()
    with Canary(daemon, room, pair) as canary:
        yield
    print(f"{what}: {canary.figures}; {assert_healthy(daemon, baseline)}")


with suppress(ImportError, ValueError, OSError):
    import resource

    # Tests open more connections than a shell usually allows.
    _, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))


def certificate(folder: Path, name: str = "localhost") -> Path:
    """A .pem file with a new key and the certificate that it signed itself, for `name`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


def local_client(path: Path) -> Client:
    """A client that comes by a UNIX socket."""
    client = Client.__new__(Client)
    client.socket = socket.socket(socket.AF_UNIX)
    client.socket.settimeout(10)
    client.socket.connect(str(path))
    client.nick, client._read = "", b""
    return client


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Whether anyone accepts connections on a TCP port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
