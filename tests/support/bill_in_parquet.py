"""Writes the bills in tests/support/bills, with another library than the one that reads them.

It runs in the validator's environment, which has pyarrow (make test-focus makes it):
``.venv/envs/focus/bin/python tests/support/bill_in_parquet.py``. The shapes are those of AWS's exports in Parquet:
Snappy, costs in double precision, times in milliseconds, tags as maps, nulls wherever nothing applies.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).parent / "bills"
CLUSTER = "j-2AXXXXXXGAPLF"
ARN = f"arn:aws:elasticmapreduce:eu-central-1:123456789012:cluster/{CLUSTER}"
TAGS = pa.map_(pa.string(), pa.string())
HOUR = datetime(2026, 10, 5, 13, tzinfo=UTC)
JOB_FLOW = [("aws_elasticmapreduce_job_flow_id", CLUSTER), ("user_team", None)]

CUR = pa.schema(
    [
        ("line_item_usage_start_date", pa.timestamp("ms")),
        ("line_item_product_code", pa.string()),
        ("line_item_usage_type", pa.string()),
        ("line_item_line_item_type", pa.string()),
        ("line_item_resource_id", pa.string()),
        ("line_item_unblended_cost", pa.float64()),
        ("savings_plan_savings_plan_effective_cost", pa.float64()),
        ("reservation_effective_cost", pa.float64()),
        ("resource_tags", TAGS),
        ("product", TAGS),
        ("bill_payer_account_name", pa.string()),
    ]
)
FOCUS = pa.schema(
    [
        ("ChargePeriodStart", pa.timestamp("ms", tz="UTC")),
        ("ChargeCategory", pa.string()),
        ("EffectiveCost", pa.decimal128(38, 12)),
        ("ResourceId", pa.string()),
        ("x_ServiceCode", pa.string()),
        ("x_UsageType", pa.string()),
        ("Tags", TAGS),
        ("SubAccountName", pa.string()),
    ]
)


def main() -> int:
    """Write both bills."""
    at = HOUR.replace(tzinfo=None)
    box, spot, disk = "EUC1-BoxUsage:m5.xlarge", "EUC1-SpotUsage:m5.xlarge", "EUC1-EBS:VolumeUsage.gp3"
    ec2 = (at, "AmazonEC2")
    cur = [
        (at, "ElasticMapReduce", box, "Usage", ARN, 0.048, None, None, None, None, None),
        (at, "ElasticMapReduce", box, "Usage", ARN, 0.0012345678901234, None, None, [], None, None),
        (*ec2, box, "SavingsPlanCoveredUsage", "i-0abc", 0.23, 0.1, None, JOB_FLOW, [("region", None)], "payer"),
        (*ec2, box, "DiscountedUsage", "i-0abd", 0.0, None, 0.05, JOB_FLOW, None, None),
        (*ec2, spot, "Usage", "i-0abe", 1e-07, None, None, JOB_FLOW, None, None),
        (*ec2, disk, "Usage", "vol-0abc", None, None, None, JOB_FLOW, None, None),
        (*ec2, box, "Usage", None, 5.0, None, None, None, None, None),
        (None, "AmazonEC2", box, "Usage", "i-0abf", 5.0, None, None, JOB_FLOW, None, None),
        (at, "AmazonS3", "Requests", "Usage", "bucket", 5.0, None, None, None, None, None),
        (at, None, None, "Tax", None, 5.0, None, None, None, None, None),
    ]
    tag = [("aws:elasticmapreduce:job-flow-id", CLUSTER)]
    focus = [
        (HOUR, "Usage", 200_000_000_001, "i-0abc", "AmazonEC2", box, tag, "research"),
        (HOUR, "Usage", None, "i-0abd", "AmazonEC2", box, tag, None),
        (HOUR, "Usage", 48_000_000_000, ARN, "ElasticMapReduce", box, None, None),
        (HOUR, "Tax", 9_000_000_000_000, None, None, None, None, None),
    ]
    _write("cur.parquet", CUR, cur)
    scaled = [tuple(None if v is None else _usd(v) if n == 2 else v for n, v in enumerate(row)) for row in focus]
    _write("focus.parquet", FOCUS, scaled)
    return 0


def _usd(picos: int) -> object:
    return pa.scalar(picos).cast(pa.decimal128(38, 0)).as_py().scaleb(-12)


def _write(name: str, schema: pa.Schema, rows: list[tuple[object, ...]]) -> None:
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), schema.types, strict=True)]
    FOLDER.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns, schema=schema), FOLDER / name, compression="snappy", row_group_size=4)


if __name__ == "__main__":
    sys.exit(main())
