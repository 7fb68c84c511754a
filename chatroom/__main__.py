"""The `chatroom` command: what an operator does beside running the daemon."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from getpass import getpass

from chatroom import __version__
from chatroom.config import AccountSettings, ConfigError, Settings, example, load
from chatroom.errors import ChatError
from chatroom.names import room_name
from chatroom.service import CHECKS
from chatroom.spans import span
from chatroom.store import audit, transfer
from chatroom.store.passwords import fits, hash_now
from chatroom.store.sqlitefile import StoreError, reading

__all__ = ["main"]

_DB = Settings().store or ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, or 1 when something is wrong with a file."""
    options = _parser().parse_args(argv)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except (ConfigError, StoreError, transfer.ImportFault, ChatError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # `| head` has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        told = str(error)
        if isinstance(error, OSError) and error.filename:
            told = f"{error.filename}: {error.strerror}"
        print(told, file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chatroom", description="The daemon itself is started with: twistd -n chatroom"
    )
    parser.add_argument("--version", action="version", version=f"chatroom {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], help: str
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
        made.set_defaults(run=run)
        return made

    def of_store(
        name: str, run: Callable[[argparse.Namespace], int], help: str
    ) -> argparse.ArgumentParser:
        made = command(name, run, help)
        made.add_argument("--store", metavar="DB", default=_DB, help="[default: %(default)s]")
        return made

    check = command("check", _check, "say what is wrong with a configuration file")
    check.add_argument("file", metavar="FILE")
    command("example", _example, "print a configuration file with the defaults")
    command("hash-password", _hash, "ask for a password, and print what `operators` takes")
    export = of_store("export", _export, "print what was said, also while the daemon runs")
    export.add_argument("--room", default="", help="only this one")
    export.add_argument(
        "--since", type=_since, default=0.0, help="as 2026-11-22, or 10m, 2h, 30d ago"
    )
    export.add_argument("--format", choices=[*transfer.FORMATS], default="text")
    read = of_store("import", _import, "add what was exported as JSON, also while it runs")
    read.add_argument("file", metavar="FILE", help="- is the standard input")
    copy = of_store("backup", _backup, "copy the store to a new file, also while it runs")
    copy.add_argument("file", metavar="FILE")
    acts = of_store("audit", _audit, "print what operators did")
    acts.add_argument("--last", type=int, default=100, metavar="N", help="[default: %(default)s]")
    return parser


def _since(text: str) -> float:
    with suppress(ValueError):
        return datetime.fromisoformat(text).timestamp()
    with suppress(ValueError):
        return time.time() - span(text)
    raise argparse.ArgumentTypeError(f"{text} is neither a day, as 2026-11-22, nor a time, as 10m")


def _check(options: argparse.Namespace) -> int:
    load(options.file, CHECKS)
    print(f"{options.file}: fine")
    return 0


def _example(options: argparse.Namespace) -> int:
    print(example(), end="")
    return 0


def _hash(options: argparse.Namespace) -> int:
    """Nothing is echoed, and nothing is left in the shell's history."""
    if sys.stdin.isatty():
        password = getpass("Password: ")
        if getpass("Again: ") != password:
            raise StoreError("They differ.")
    else:
        password = sys.stdin.readline().rstrip("\n")
    fits(password, AccountSettings().shortest_password)
    print(hash_now(password))
    return 0


def _export(options: argparse.Namespace) -> int:
    room = room_name(options.room) if options.room else ""
    for line in transfer.export(options.store, room, options.since, options.format):
        sys.stdout.write(line)
    return 0


def _import(options: argparse.Namespace) -> int:
    if options.file == "-":
        added, there = transfer.import_lines(options.store, sys.stdin, "standard input")
    else:
        with open(options.file, encoding="utf-8", errors="surrogateescape") as lines:
            added, there = transfer.import_lines(options.store, lines, options.file)
    print(f"{added} added, {there} were there already")
    return 0


def _backup(options: argparse.Namespace) -> int:
    transfer.backup(options.store, options.file)
    return 0


def _audit(options: argparse.Namespace) -> int:
    connection = reading(options.store)
    try:
        for row in reversed(connection.execute(audit.LAST, (options.last,)).fetchall()):
            print(audit.line(row))
    finally:
        connection.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
