"""FOCUS rows as CSV text: column names, and how values are written; files are statement_store.py's."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

from emr_autoscaler.domain.focus import FocusRow


def column_of(field: str) -> str:
    """Return the column of a field: billing_period_start is BillingPeriodStart, x_cost_centre x_CostCentre."""
    own, words = ("x_", field[2:]) if field.startswith("x_") else ("", field)
    return own + "".join(word.capitalize() for word in words.split("_"))


FIELDS = tuple(field.name for field in fields(FocusRow))
COLUMNS = tuple(column_of(name) for name in FIELDS)
_VALUES = attrgetter(*FIELDS)


def csv_lines(rows: Iterable[FocusRow]) -> Iterator[str]:
    """Yield the header and one line for each row, each with its line break. Null is an empty field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    yield _taken(buffer)
    for row in rows:
        # Most values are texts, which the writer takes as they are; an export may have millions of rows.
        writer.writerow([v if type(v) is str else value_text(v) for v in _VALUES(row)])
        yield _taken(buffer)


def value_text(value: object) -> str:
    """Write a value: times in ISO 8601 with Z, numbers in full without exponent."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain_number(value)
    return _time_text(value) if isinstance(value, datetime) else str(value)


@lru_cache(maxsize=1024)
def _time_text(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain_number(value: Decimal) -> str:
    """Write an exact number without exponent and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
