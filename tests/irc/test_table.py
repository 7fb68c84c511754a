"""docs/irc.md: its tables are those of the program, and a scene shows each row."""

from __future__ import annotations

from tests.irc.table import DOCUMENT, MISSING, tables, written


def test_the_document_has_the_tables_of_the_program() -> None:
    """`python -m tests.irc.table` brings it up to date."""
    document = DOCUMENT.read_text()
    assert document == written(document)


def test_every_row_is_shown_by_a_scene() -> None:
    assert [row for row in tables().splitlines() if MISSING in row] == []
