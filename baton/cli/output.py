"""What the commands write: tables for people, JSON for programs, errors on stderr."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["AsJson", "ResultAsJson", "build_table", "console", "errors", "print_json", "to_one_line", "to_printable"]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table; refusals too.")]
ResultAsJson = Annotated[
    bool,
    typer.Option("--json", help="Print the result, or why there is none, as JSON. It takes no value: see ANSWERS."),
]

# Piped, a table gets the room that its cells need: an address broken in two is of no use to grep.
_PIPED_COLUMNS = 1000
console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _PIPED_COLUMNS)
errors = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: object) -> None:
    """Print one JSON document on stdout, without colours or wrapping."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def build_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a plain table; cells are texts, never markup: names come from models and people."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row))
    return drawn


def to_printable(text: str) -> str:
    """Return a text of somebody else without what would steer the terminal; lines and tabs stay."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else " " for sign in text)


def to_one_line(text: str, length: int = 80) -> str:
    """Return the beginning of a text, for a cell of a table."""
    line = re.sub(r"\s+", " ", to_printable(text)).strip()
    return line if len(line) <= length else f"{line[: length - 1]}…"
