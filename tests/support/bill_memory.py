"""Measures what reading a billing export of a million lines takes: memory and processor.

``.venv/bin/python -m tests.support.bill_memory [csv|parquet] [lines]``. Nearly every line is a cluster-hour and
component of its own, which is the worst case for adding up.
"""

import csv
import gzip
import io
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from arro3.core import Array, DataType, RecordBatch, RecordBatchReader
from arro3.io import write_parquet

from emr_autoscaler.adapters.billing_export import S3BillingExport

LINES = 1_000_000
AT_ONCE = 50_000
CLUSTERS = 500
HOURS = 720
FIRST = datetime(2026, 10, 1, tzinfo=UTC)
NAMES = (
    "line_item_usage_start_date",
    "line_item_product_code",
    "line_item_usage_type",
    "line_item_line_item_type",
    "line_item_resource_id",
    "line_item_unblended_cost",
    "resource_tags",
    "product_comment",
)
KINDS = (
    ("ElasticMapReduce", "EUC1-BoxUsage:m5.xlarge"),
    ("AmazonEC2", "EUC1-BoxUsage:m5.xlarge"),
    ("AmazonEC2", "EUC1-SpotUsage:m5.xlarge"),
    ("AmazonEC2", "EUC1-EBS:VolumeUsage.gp3"),
)


def lines(count: int) -> Iterator[tuple[str, ...]]:
    """Yield the lines of a bill in no order that would help."""
    for number in range(count):
        place, hour = divmod(number, HOURS)
        cluster = f"j-{place % CLUSTERS:013d}"
        start = FIRST + timedelta(hours=hour)
        service, usage = KINDS[place // CLUSTERS % len(KINDS)]
        arn = f"arn:aws:elasticmapreduce:eu-central-1:123456789012:cluster/{cluster}"
        yield (
            f"{start:%Y-%m-%d %H:%M:%S}.000",
            service,
            usage,
            "Usage",
            arn if service == "ElasticMapReduce" else f"i-{number:017x}",
            f"0.0{number % 9973:04d}",
            f'{{"aws_elasticmapreduce_job_flow_id": "{cluster}", "user_team": "team {number % 40}"}}',
            f"what AWS says of line {number % 1000}",
        )


def write(path: Path, count: int) -> None:
    """Write a bill of ``count`` lines as the path's ending says."""
    if path.suffix == ".gz":
        with gzip.open(path, "wt", newline="", compresslevel=1) as file:
            writer = csv.writer(file)
            writer.writerow(NAMES)
            writer.writerows(lines(count))
        return
    kinds = {name: DataType.string() for name in NAMES}
    schema = RecordBatch.from_pydict({name: Array([], type=kind) for name, kind in kinds.items()}).schema
    reader = RecordBatchReader.from_batches(schema, _batches(count))
    write_parquet(reader, path, compression="snappy", max_row_group_size=AT_ONCE)


def _batches(count: int) -> Iterator[RecordBatch]:
    pending: list[tuple[str, ...]] = []
    for line in lines(count):
        pending.append(line)
        if len(pending) == AT_ONCE:
            yield _batch(pending)
            pending.clear()
    if pending:
        yield _batch(pending)


def _batch(rows: list[tuple[str, ...]]) -> RecordBatch:
    columns = zip(NAMES, zip(*rows, strict=True), strict=True)
    return RecordBatch.from_pydict({name: Array(list(column), type=DataType.string()) for name, column in columns})


class FolderAsS3:
    """A folder that answers as S3 does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_paginator(self, _operation: str) -> "FolderAsS3":
        return self

    def paginate(self, **_options: str) -> list[dict[str, Any]]:
        found = [
            {"Key": f"BILLING_PERIOD=2026-10/{p.name}", "LastModified": FIRST} for p in self._folder.iterdir()
        ]
        return [{"Contents": found}]

    def get_object(self, **options: str) -> dict[str, io.BufferedReader]:
        return {"Body": (self._folder / Path(options["Key"]).name).open("rb")}


def main(form: str = "csv", count: int = LINES) -> int:
    """Write a bill in a process of its own, read it in this one, and tell what that took."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / ("bill.csv.gz" if form == "csv" else "bill.parquet")
        writer = multiprocessing.get_context("spawn").Process(target=write, args=(path, count))
        writer.start()
        writer.join()
        before, began = _peak_mib(), time.process_time()
        days = keys = read = 0
        for _day, amounts in S3BillingExport(FolderAsS3(Path(name)), "bill", "").days("2026-10"):
            days, keys = days + 1, keys + len(amounts)
            read += sum(amount.line_items for amount in amounts.values())
        took = time.process_time() - began
        sys.stdout.write(
            f"{read:,} lines of {path.stat().st_size / 2**20:.0f} MiB in {form}: {keys:,} amounts of {days} days, "
            f"peak {_peak_mib():.0f} MiB of memory ({before:.0f} MiB before), {took:.0f} s of processor\n"
        )
    return 0


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2], *map(int, sys.argv[2:3])))
