"""The daemon, whole, as twistd and twist start it: listeners, signals, systemd, its log."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.plugin import getPlugins

from tests.daemon import (
    ENVIRON,
    TWISTD,
    Client,
    Daemon,
    certificate,
    free_port,
    is_listening,
    local_client,
    wait_for,
)

SCRIPTS = Path(sys.executable).parent
TWIST = (str(SCRIPTS / "twist"), "--log-format=text")
LOCAL = "line=tcp:0:interface=127.0.0.1"

# What systemd does: an open socket as descriptor 3, and the word of it to this process alone.
ACTIVATED = """
import os, socket, sys
opened = socket.create_server(("127.0.0.1", 0))
os.dup2(opened.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="chat")
os.execv(sys.argv[1], sys.argv[1:])
"""


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself; both its outputs are in `stdout`."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=ENVIRON,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def logged(daemon: Daemon, part: str, seconds: float = 10) -> str:
    """The first record that holds `part`, once it is there."""
    wait_for(lambda: part in daemon.log, seconds, f"{part!r} is logged")
    return next(line for line in daemon.log.splitlines() if part in line)


def reload(daemon: Daemon, settings: str, said: str = "Reloaded the settings") -> None:
    """Change the file, and have it read; returns once the log has `said` once more."""
    daemon.config.write_text(settings)
    before = daemon.log.count(said)
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: daemon.log.count(said) > before, 10, f"another {said!r} is logged")


# Starting and stopping


@pytest.mark.parametrize(
    ("program", "host"), [(TWISTD, "127.0.0.1"), (TWIST, "::1")], ids=["twistd -n", "twist"]
)
def test_it_starts_talks_and_stops_with_exit_status_0(
    tmp_path: Path, program: Sequence[str], host: str
) -> None:
    options = ("--port", "0", "--interface", host)
    with (
        Daemon(tmp_path, "", *options, listen=(), program=program) as daemon,
        Client(daemon.port, host) as ann,
        Client(daemon.port, host) as bob,
    ):
        record = logged(daemon, "Listening on ")
        assert f"{host} port {daemon.port}. To talk: nc {host} {daemon.port}" in record
        assert "To let the network in, give --interface 0.0.0.0" in daemon.log
        ann.arrive(), bob.arrive()
        ann.send("hello")
        assert bob.line() == f"<{ann.nick}> hello"
        record = logged(daemon, f"{ann.nick} connected")
        assert f"connected from {host}:{ann.socket.getsockname()[1]} (1 here)" in record
        assert daemon.stop() == 0
        assert bob.rest()[-1] == "-- The server is stopping. Goodbye."
        assert ann.rest()[-1] == "-- The server is stopping. Goodbye."
    assert "hello" not in daemon.log
    assert "Traceback" not in daemon.log


def test_daemonized_it_keeps_its_pid_and_its_log_in_files(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "chatroom.yaml").write_text("welcome: One\n")
    pidfile, log = tmp_path / "run" / "pid", tmp_path / "run" / "log"
    pidfile.parent.mkdir()
    # Relative to this folder, and still found by the daemon, which goes to /.
    started = run(
        *(SCRIPTS / "twistd", f"--pidfile={pidfile}", f"--logfile={log}", "--rundir=/"),
        *("chatroom", "--config=chatroom.yaml", f"--port={port}"),
        folder=tmp_path,
    )
    # It returns once the daemon listens.
    assert (started.returncode, started.stdout) == (0, "")
    pid = int(pidfile.read_text())
    try:
        with Client(port) as client:
            assert client.line() == "One"
            assert f"Listening on 127.0.0.1 port {port}. " in log.read_text()
            (tmp_path / "chatroom.yaml").write_text("welcome: Two\n")
            os.kill(pid, signal.SIGHUP)
            wait_for(lambda: "Reloaded the settings" in log.read_text(), 10, "the file is read")
            os.kill(pid, signal.SIGUSR1)
            wait_for(lambda: log.with_name("log.1").exists(), 10, "the log is rotated")
            with Client(port) as newcomer:
                assert newcomer.line() == "Two"
            os.kill(pid, signal.SIGTERM)
            assert client.rest()[-1] == "-- The server is stopping. Goodbye."
            wait_for(lambda: not is_alive(pid), 10, "the daemon has ended")
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not pidfile.exists()
    assert "Server Shut Down" in log.read_text()


@pytest.mark.parametrize(
    "program",
    [
        TWISTD,
        (SCRIPTS / "twistd", "--pidfile=pid", "--logfile=log"),
        TWIST,
    ],
    ids=["twistd -n", "twistd", "twist"],
)
def test_a_busy_port_is_one_clear_line_and_exit_status_1(
    tmp_path: Path, program: Sequence[str | Path]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = run(*program, "chatroom", f"--port={port}", folder=tmp_path)
    assert ended.returncode == 1
    listener = f"line=tcp:{port}:interface=127.0.0.1"
    sentence = (
        f"Cannot listen on {listener}: Address already in use. "
        "Stop the program that listens there, or choose another port."
    )
    log = tmp_path / "log"
    records = (log.read_text() if log.exists() else ended.stdout).splitlines()
    assert [line for line in records if line.endswith(sentence)] == [
        line for line in records if "Address" in line
    ]
    assert "Traceback" not in ended.stdout + "".join(records)
    # Twisted lets 100 bytes of the reason through to who starts a daemon, and points to the log.
    assert f"Cannot listen on {listener}: Address already in use." in ended.stdout
    # The daemon takes it away after it has told its parent how it ended.
    wait_for(lambda: not (tmp_path / "pid").exists(), 10, "the file of its pid is gone")


@pytest.mark.parametrize(
    "program", [TWISTD, pytest.param(TWIST, marks=pytest.mark.long)], ids=["twistd -n", "twist"]
)
def test_a_bad_value_is_one_sentence_and_exit_status_1(
    tmp_path: Path, program: Sequence[str]
) -> None:
    ended = run(*program, "chatroom", "--listen=line=tpc:80", folder=tmp_path)
    assert ended.returncode == 1
    (line,) = ended.stdout.splitlines()
    assert line.startswith("--listen line=tpc:80: there is no endpoint 'tpc'; choose from ")


def test_an_option_that_there_is_not_shows_those_that_there_are(tmp_path: Path) -> None:
    ended = run(*TWISTD, "chatroom", "--prot=80", folder=tmp_path)
    assert ended.returncode == 1
    assert "option --prot not recognized" in ended.stdout
    for option in ("--port", "--interface", "--listen", "--config"):
        assert option in ended.stdout
    assert "Traceback" not in ended.stdout


# Where it listens


def test_it_listens_on_every_kind_of_endpoint_at_once(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    sock = tmp_path / "chat.sock"
    listen = [
        "line=tcp6:0:interface=\\:\\:1",
        f"line=ssl:0:privateKey={pem}:certKey={pem}:interface=127.0.0.1",
        "line=haproxy:tcp:0:interface=127.0.0.1",
        "line=systemd:domain=INET:index=0",
        f"line=unix:{sock}",
    ]
    if "tls" in {plugin.prefix for plugin in getPlugins(IStreamServerEndpointStringParser)}:
        # The last of those with a port. Twisted 25.5 and older do not have it.
        listen.insert(4, f"line=tls:{tmp_path}:0:interface=127.0.0.1")
    wrapper = (sys.executable, "-c", ACTIVATED)
    trusting = ssl.create_default_context(cafile=pem)
    trusting.check_hostname = False
    with Daemon(tmp_path, "guests: address", listen=listen, wrapper=wrapper) as daemon:
        six, tls, proxy, activated, *more = daemon.ports
        clients = [
            Client(six, "::1"),
            Client(tls, tls=trusting),
            Client(proxy, proxied="192.0.2.7"),
            Client(activated),
            *(Client(port, tls=trusting) for port in more),
            local_client(sock),
        ]
        shown = ["::1", "127.0.0.1", "192.0.2.7", "127.0.0.1", *("127.0.0.1" for _ in more), ""]
        for client in clients:
            client.arrive()
        shown[-1] = clients[-1].nick  # who comes by a UNIX socket has no address
        for speaker, name in zip(clients, shown, strict=True):
            speaker.send(f"hello from {speaker.nick}")
            for other in clients:
                if other is not speaker:
                    assert other.until("hello")[-1] == f"<{name}> hello from {speaker.nick}"
        log = daemon.log
        assert f"Listening on {sock}. To talk: nc -U {sock}" in log
        assert f"To talk: openssl s_client -quiet -connect 127.0.0.1:{tls}" in log
        assert f"Listening on 127.0.0.1 port {proxy}. To talk: through its proxy" in log
        assert f"{clients[-1].nick} connected from a UNIX socket" in log
        assert f"{clients[2].nick} connected from 192.0.2.7:40000" in log
        daemon.process.send_signal(signal.SIGTERM)
        for client in clients:
            assert client.rest()[-1] == "-- The server is stopping. Goodbye."
            client.close()
        assert daemon.process.wait(5) == 0
    assert not sock.exists()


# SIGTERM and SIGHUP


def test_who_goes_and_talks_on_is_told_all_that_it_is_owed(tmp_path: Path) -> None:
    """It reads slowly, so some is still on its way; something unread must not cost it that."""
    settings = {"limits": {"lines": None}}
    with (
        Daemon(tmp_path, settings) as daemon,
        Client(daemon.port, receive_buffer=2048) as slow,
        Client(daemon.port) as talker,
    ):
        slow.arrive(), talker.arrive()
        for number in range(200):
            talker.send(f"{number} ".ljust(1000, "x"))
        talker.fence()
        slow.send("/quit\nbut one more thing")
        talker.until(f"{slow.nick} left")
        slow.send("and another")
        assert [line.split()[1] for line in slow.rest() if "xxx" in line] == [
            str(number) for number in range(200)
        ]


def test_more_signals_do_no_harm_to_the_end(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon, Client(daemon.port, receive_buffer=2048) as silent:
        silent.arrive()
        while daemon.process.poll() is None:
            daemon.process.send_signal(signal.SIGTERM)
            daemon.process.send_signal(signal.SIGHUP)
            time.sleep(0.001)
        assert daemon.process.returncode == 0
        assert silent.rest()[-1] == "-- The server is stopping. Goodbye."
    assert "Traceback" not in daemon.log


def test_a_reload_changes_all_but_what_needs_a_restart_and_drops_nobody(tmp_path: Path) -> None:
    kept, dropped, added, busy = (free_port() for _ in range(4))
    listen = "listen: ['line=tcp:{}', 'line=tcp:{}:interface=127.0.0.1']\n"
    settings = f"welcome: One\n{listen.format(kept, dropped)}"
    with (
        Daemon(tmp_path, settings, listen=()) as daemon,
        Client(kept) as ann,
        Client(dropped) as bob,
    ):
        assert ann.line() == "One"
        ann.arrive(), bob.arrive()
        reload(
            daemon,
            "welcome: Two\nmotd: Tea at five.\nguests: address\nlobby: '#foyer'\n"
            f"limits: {{line_bytes: 64}}\nlog: {{chat: on}}\n{listen.format(kept, added)}",
        )
        with Client(added) as cid:
            assert [cid.line() for _ in range(2)] == ["Two", "-- Tea at five."]
            assert "in #lobby" in cid.until("You are ")[-1]
            cid.send("hello")
            for client in (ann, bob):
                assert client.until("hello")[-1] == "<127.0.0.1> hello"
        for client in (ann, bob):
            assert client.ask("x" * 65)[-1] == "-- Line over 64 bytes, not sent."
        assert not is_listening(dropped)
        assert "These wait for a restart: lobby, log.chat" in daemon.log
        assert f"No longer listening on line=tcp:{dropped}:interface=127.0.0.1" in daemon.log
        # A port that is taken costs only that listener, and the next reload tries again.
        with socket.create_server(("127.0.0.1", busy)):
            reload(daemon, listen.format(kept, busy))
        assert (
            f"Cannot listen on line=tcp:{busy}:interface=127.0.0.1: Address already" in daemon.log
        )
        # The port of a listener that goes is free for one that comes.
        reload(daemon, f"listen: ['line=tcp:{kept}:interface=127.0.0.1', 'line=tcp:{busy}']\n")
        with Client(busy, "127.0.0.1") as dan, Client(kept) as eve:
            dan.arrive(), eve.arrive()
            ann.send("still here")
            assert dan.until("still")[-1] == f"<{ann.nick}> still here"
        assert "still" in bob.until("still")[-1]


def test_a_broken_file_changes_nothing_and_says_all_that_is_wrong_once(tmp_path: Path) -> None:
    broken = "welcome: no\nmoto: x\n"
    complaints = [
        ':1:10: welcome: YAML takes this for a switch; write "no"',
        ":2:1: moto: unknown key; did you mean motd?",
    ]
    with Daemon(tmp_path, "welcome: One\n") as daemon:
        reload(daemon, broken, "Not reloaded, ")
        for _ in range(3):
            reload(daemon, broken, "Not reloaded, for the same reasons as the last time")
        for complaint in complaints:
            assert daemon.log.count(f"{daemon.config}{complaint}\n") == 1
        with Client(daemon.port) as client:
            assert client.line() == "One"
        reload(daemon, "welcome: Two\n")
        reload(daemon, broken, "Not reloaded, the old settings stay.")
        assert daemon.log.count(complaints[0]) == 2
        daemon.config.unlink()
        daemon.process.send_signal(signal.SIGHUP)
        logged(daemon, ": (file): cannot be read (No such file or directory)")
        with Client(daemon.port) as client:
            assert client.line() == "Two"
    assert "Traceback" not in daemon.log


# systemd


def test_systemd_is_told_when_it_is_ready_reloads_lives_and_stops(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        told: list[str] = []

        def hear(part: str) -> list[str]:
            """What systemd is told from now on, through what begins with `part`."""
            heard = [systemd.recv(4096).decode()]
            while not heard[-1].startswith(part):
                heard.append(systemd.recv(4096).decode())
            told.extend(heard)
            return heard

        with Daemon(tmp_path, environ=environ) as daemon:
            assert hear("READY=1") == [f"READY=1\nSTATUS=Listening on {LOCAL}"]
            hear("WATCHDOG=1"), hear("WATCHDOG=1")
            daemon.process.send_signal(signal.SIGHUP)
            assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", hear("RELOADING=1")[-1])
            hear("READY=1")
            reload(daemon, "no_such_key: 1", "Not reloaded")
            hear("RELOADING=1"), hear("READY=1")
            hear("WATCHDOG=1"), hear("WATCHDOG=1")
            assert daemon.stop() == 0
            assert hear("STOPPING=1")
    assert {line.partition("=")[0] for line in told} == {
        "READY",
        "RELOADING",
        "WATCHDOG",
        "STOPPING",
    }


# Descriptors


@pytest.mark.parametrize(
    ("limit", "said", "soft"),
    [
        pytest.param("ulimit -Sn 64", "", 4128, id="raised"),
        pytest.param("ulimit -n 100", "At most 68 connections: this process may", 100, id="fit"),
    ],
)
def test_the_connections_fit_into_the_table_of_descriptors(
    tmp_path: Path, limit: str, said: str, soft: int
) -> None:
    wrapper = ("sh", "-c", f'{limit}; exec "$@"', "-")
    with Daemon(tmp_path, wrapper=wrapper) as daemon:
        limits = Path(f"/proc/{daemon.pid}/limits").read_text()
        assert re.search(rf"Max open files +{soft} ", limits)
        assert ("At most " in daemon.log) == bool(said)
        assert said in daemon.log


# The log


HOSTILE = [
    "{text.__class__} %s %(x)s",
    "x\x1b[2J\x00\u202e\u2028y",
    'z"}\r{"level": "critical", "message": "forged"}',
    "2026-01-01T00:00:00+0000 [chatroom#info] root is an operator",
]


def test_a_json_log_is_one_record_on_each_line_with_what_is_said_as_a_field(
    tmp_path: Path,
) -> None:
    settings = "log: {format: json, level: debug, chat: on}\nlimits: {lines: off}"
    with Daemon(tmp_path, settings) as daemon, Client(daemon.port) as client:
        client.arrive()
        for line in HOSTILE:
            client.send(line)
        client.fence()
        host, port = client.socket.getsockname()
    records = [json.loads(line) for line in daemon.log.splitlines()]
    assert all({"time", "level", "source", "message"} <= record.keys() for record in records)
    (connected,) = [record for record in records if "connected from" in record["message"]]
    assert (connected["nick"], connected["peer"]) == (client.nick, f"{host}:{port}")
    said = [record for record in records if "text" in record]
    assert [record["text"] for record in said] == [
        HOSTILE[0],
        "x\ufffd[2J\ufffd\ufffd\ufffdy",
        HOSTILE[2].replace("\r", "\ufffd"),
        HOSTILE[3],
    ]
    assert {(each["room"], each["nick"], each["level"]) for each in said} == {
        ("#lobby", client.nick, "info")
    }
    assert said[0]["message"] == f"#lobby <{client.nick}> {HOSTILE[0]}"
    assert not [record for record in records if record["level"] == "critical"]


def test_a_text_log_has_each_record_on_a_line_and_none_below_its_level(tmp_path: Path) -> None:
    with (
        Daemon(tmp_path, "log: {chat: on}\nlimits: {lines: off}") as daemon,
        Client(daemon.port) as client,
    ):
        client.arrive()
        for line in HOSTILE:
            client.send(line)
        client.fence()
    lines = daemon.log.splitlines()
    record = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[[^\]]+\] .+")
    assert all(record.fullmatch(line) for line in lines)
    assert all(line.isprintable() for line in lines)
    assert len([line for line in lines if f"] #lobby <{client.nick}> " in line]) == len(HOSTILE)


def test_a_log_of_warnings_alone_keeps_silent_about_who_comes_and_goes(tmp_path: Path) -> None:
    """As that systemd hears nothing, which is no reason not to run."""
    port = free_port()
    config, log = tmp_path / "chatroom.yaml", tmp_path / "log"
    config.write_text(f"listen: ['line=tcp:{port}:interface=127.0.0.1']\nlog: {{level: warn}}")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*TWISTD, "chatroom", f"--config={config}"],
            cwd=tmp_path,
            env={**ENVIRON, "NOTIFY_SOCKET": str(tmp_path / "missing")},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        wait_for(lambda: is_listening(port), 20, "it listens")
        with Client(port) as client:
            client.arrive()
        config.write_text("nonsense: 1")
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: "nonsense" in log.read_text(), 10, "it complains")
        process.terminate()
        assert process.wait(20) == 0
    assert "nonsense: unknown key" in log.read_text()
    told = [line.split("] ")[1] for line in log.read_text().splitlines()]
    assert {line.partition(":")[0] for line in told} == {
        "systemd was not told",
        "Not reloaded, the old settings stay. What is wrong with the file",
        str(config),
    }
