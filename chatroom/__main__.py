"""The `chatroom` command: what an operator does beside running the daemon."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from chatroom import __version__
from chatroom.config import ConfigError, example, load
from chatroom.service import CHECKS

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, or 1 when something is wrong with a file."""
    parser = argparse.ArgumentParser(
        prog="chatroom", description="The daemon itself is started with: twistd -n chatroom"
    )
    parser.add_argument("--version", action="version", version=f"chatroom {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="say what is wrong with a configuration file")
    check.add_argument("file", metavar="FILE")
    check.set_defaults(run=lambda options: _check(options.file))
    shown = commands.add_parser("example", help="print a configuration file with the defaults")
    shown.set_defaults(run=lambda options: _example())
    options = parser.parse_args(argv)
    status: int = options.run(options)
    return status


def _check(path: str) -> int:
    try:
        load(path, CHECKS)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{path}: fine")
    return 0


def _example() -> int:
    print(example(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
