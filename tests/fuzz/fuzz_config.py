"""The configuration loader: settings, or complaints that each name a place in the file."""

from __future__ import annotations

import re

from chatroom.config import ConfigError, example, parse

COMPLAINT = re.compile(r"fuzz\.yaml:\d+:\d+: .+: .+")


def one_input(data: bytes) -> None:
    # What is not UTF-8 stays so: lone surrogates are not UTF-8 either.
    try:
        settings = parse(data.decode("utf-8", "surrogateescape"), "fuzz.yaml")
    except ConfigError as error:
        lines = str(error).split("\n")
        assert all(line.isprintable() and COMPLAINT.fullmatch(line) for line in lines), lines
    else:
        assert parse(example(settings), "fuzz.yaml") == settings
