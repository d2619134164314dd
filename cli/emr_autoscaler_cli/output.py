"""How results are shown: one JSON document, or tables for people. What is shown is decided by each command."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_json(document: Any) -> None:  # noqa: ANN401 (any JSON)
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(document, indent=2, default=_plain, allow_nan=False) + "\n")


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    right: Sequence[str] = (),
    total: Sequence[str] | None = None,
) -> None:
    """Print a table; the columns named in ``right`` hold numbers, ``total`` is its last row."""
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    if total is not None:
        table.add_section()
        table.add_row(*(Text(cell, style="bold") for cell in total))
    _console().print(table)


def print_facts(facts: Mapping[str, str], *, title: str = "") -> None:
    """Print names and values, one a line."""
    table = Table(title=title or None, title_justify="left", box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, Text(value))
    _console().print(table)


def print_line(text: str = "") -> None:
    """Print one line of text as it is."""
    _console().print(Text(text), soft_wrap=True)


def tell(text: str) -> None:
    """Tell of progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def moment(at: datetime | None) -> str:
    """Return a time for people: UTC, to the second; a dash for none."""
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _console() -> Console:
    # Made for each use: a test, or a pipe, may have put another stdout in place.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")  # a string: a float would not be the same amount
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    msg = f"{type(value).__name__} has no JSON form"
    raise TypeError(msg)
