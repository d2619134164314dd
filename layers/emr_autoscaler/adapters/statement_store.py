"""Files for finance on S3: where they lie, and the statement as CSV; its page is statement_page.py's."""

import csv
import gzip
import hashlib
import io
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, ClassVar

from botocore.exceptions import ClientError

from emr_autoscaler.adapters.aws_errors import code_of, domain_errors
from emr_autoscaler.adapters.focus_csv import csv_lines, plain_number
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.adapters.statement_page import index_page, statement_page
from emr_autoscaler.domain.focus import FocusRow
from emr_autoscaler.domain.statement import Statement, StatementRow

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_WRITTEN_AT = "written-at"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_FORMULA = ("=", "+", "-", "@", "\t")
STATEMENT_COLUMNS = (
    "table",
    "key",
    "label",
    "cluster_hours",
    "list_cost_usd",
    "contracted_cost_usd",
    "spot_saving_usd",
    "effective_cost_usd",
    "cost_centre",
    "month_utc",
    "status",
)


class S3Statements:
    """Implements ``ports.Statements``.

    ``focus/billing_period=2026-10/charge_date=2026-10-05/<account>-<region>.csv.gz``,
    ``statements/<account>/2026-10/<cost centre>.html`` and ``.csv``, and ``index.html`` beside them.
    """

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("s3:PutObject",), "write exports and statements"),
        Permission(
            ("s3:GetObject",), "see whether a month's statements were issued, and as of when a day was exported"
        ),
        Permission(("s3:ListBucket",), "be told that a file is missing, not that it is forbidden"),
    )

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put_focus_day(
        self, account_id: str, region: str, day: date, rows: Iterable[FocusRow], *, written_at: datetime
    ) -> str:
        """Write the export of one UTC day as it was known at ``written_at``; return where it lies."""
        with tempfile.TemporaryFile() as packed:
            # Without a date inside, the same rows are the same bytes.
            with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
                for line in csv_lines(rows):
                    file.write(line.encode())
            packed.seek(0)
            told = {_WRITTEN_AT: written_at.astimezone(UTC).isoformat()}
            return self._put(_focus_key(account_id, region, day), packed, "application/gzip", told)

    def focus_day_written_at(self, account_id: str, region: str, day: date) -> datetime | None:
        """Return as of when the export of a day was written, or None where it was not."""
        told = self._told(_focus_key(account_id, region, day))
        written_at = None if told is None else told.get(_WRITTEN_AT)
        return None if written_at is None else datetime.fromisoformat(written_at)

    def put_statement(self, statement: Statement) -> str:
        """Write a statement as CSV and as a page that prints; return where the page lies."""
        base = f"{_folder(statement.account_id, statement.month)}{file_name(statement.cost_centre)}"
        self._put(f"{base}.csv", statement_csv(statement).encode(), "text/csv; charset=utf-8")
        return self._put(f"{base}.html", statement_page(statement).encode(), "text/html; charset=utf-8")

    def put_index(self, account_id: str, month: str, statements: Sequence[Statement]) -> str:
        """Write the page that lists a month's statements, last of all: it marks the month as issued."""
        pages = [f"{file_name(statement.cost_centre)}.html" for statement in statements]
        text = index_page(account_id, month, statements, pages)
        return self._put(f"{_folder(account_id, month)}index.html", text.encode(), "text/html; charset=utf-8")

    def is_issued(self, account_id: str, month: str) -> bool:
        """Return whether the index of a month has been written."""
        return self._told(f"{_folder(account_id, month)}index.html") is not None

    def _told(self, key: str) -> Mapping[str, str] | None:
        """Return what stands beside a file, or None where there is no such file."""
        with domain_errors():
            try:
                return self._client.head_object(Bucket=self._bucket, Key=key)["Metadata"]
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return None
                raise

    def _put(
        self, key: str, body: "bytes | IO[bytes]", content_type: str, told: Mapping[str, str] = _NOTHING
    ) -> str:
        with domain_errors():
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, Metadata=dict(told)
            )
        return f"s3://{self._bucket}/{key}"


def statement_csv(statement: Statement) -> str:
    """Return a statement as CSV: every table below the other, amounts exact."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(STATEMENT_COLUMNS)
    about = (_cell(statement.cost_centre), statement.month, statement.status)
    for table, rows in (
        ("component", statement.by_component),
        ("day", statement.by_day),
        ("cluster", statement.by_cluster),
        ("total", (statement.total,)),
    ):
        for row in rows:
            writer.writerow((table, *_amounts(row), *about))
    for correction in statement.corrections:
        record = correction.record
        amount = plain_number(correction.effective_cost_usd)
        key = f"{record.cluster_id} {record.hour:%Y-%m-%dT%HZ} revision {record.revision}"
        writer.writerow(("correction", key, _cell(record.cluster_name), "", "", "", "", amount, *about))
    for figure, label, counted, usd in (
        ("idle", "", statement.hours_with_idle, statement.idle_cost_usd),
        ("saved by scaling", "estimate", "", statement.scaling_saving_usd),
        ("saved by ending idle clusters", "estimate", "", statement.reaping_saving_usd),
        ("due", "", "", statement.due_usd),
    ):
        writer.writerow((figure, "", label, counted, "", "", "", plain_number(usd), *about))
    return buffer.getvalue()


def file_name(cost_centre: str) -> str:
    """Return a file name for a cost centre: people choose these, so two that look alike must differ."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", cost_centre).strip(".-")[:80]
    if plain == cost_centre:
        return plain
    return f"{plain or 'cost-centre'}-{hashlib.sha256(cost_centre.encode()).hexdigest()[:8]}"


def _amounts(row: StatementRow) -> tuple[str | int, ...]:
    amounts = (row.list_cost_usd, row.contracted_cost_usd, row.spot_saving_usd, row.effective_cost_usd)
    return (_cell(row.key), _cell(row.label), row.cluster_hours, *map(plain_number, amounts))


def _cell(text: str) -> str:
    """Return a name that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _focus_key(account_id: str, region: str, day: date) -> str:
    return f"focus/billing_period={day:%Y-%m}/charge_date={day:%Y-%m-%d}/{account_id}-{region}.csv.gz"


def _folder(account_id: str, month: str) -> str:
    return f"statements/{account_id}/{month}/"
