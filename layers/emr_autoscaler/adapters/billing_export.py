"""AWS's billing export in S3, CUR 2.0 or FOCUS 1.2: its files are found, its lines understood and added up by day.

How files are read is bill_rows.py's, how a month is kept off memory bill_spool.py's.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from typing import TYPE_CHECKING, ClassVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.bill_rows import ENDINGS, Cell, Row, read_rows
from emr_autoscaler.adapters.bill_spool import BillSpool
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.domain.errors import InvalidInputError
from emr_autoscaler.domain.price_book import Component
from emr_autoscaler.domain.reconciliation import BilledAmount, BillKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CLUSTER_IN_ARN = re.compile(r":cluster/(j-[A-Z0-9]+)")
_JOB_FLOW_TAG = "elasticmapreduce_job_flow_id"
_LAST_WORD = "flow"

_CUR_NEEDED = (
    "line_item_usage_start_date",
    "line_item_product_code",
    "line_item_usage_type",
    "line_item_line_item_type",
    "line_item_resource_id",
    "line_item_unblended_cost",
)
_FOCUS_NEEDED = (
    "ChargePeriodStart",
    "ChargeCategory",
    "EffectiveCost",
    "ResourceId",
    "x_ServiceCode",
    "x_UsageType",
)

_CUR_EFFECTIVE = {
    "Usage": "line_item_unblended_cost",
    "SavingsPlanCoveredUsage": "savings_plan_savings_plan_effective_cost",
    "DiscountedUsage": "reservation_effective_cost",
}
"""The column with the effective cost of a line, by the kind of line."""

_CUR_WANTED = (*_CUR_NEEDED, *_CUR_EFFECTIVE.values(), "resource_tags")
_FOCUS_WANTED = (*_FOCUS_NEEDED, "Tags")


class S3BillingExport:
    """Implements ``ports.BillingExport``.

    Args:
        client: S3.
        bucket: Where the export lies; empty where there is none.
        prefix: How its keys begin; months are found by ``BILLING_PERIOD=2026-10`` (any case) in the key.
    """

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("s3:ListBucket",), "find the files of a month of the billing export"),
        Permission(("s3:GetObject",), "read them"),
    )

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def days(self, month: str) -> Iterator[tuple[date, Mapping[BillKey, BilledAmount]]]:
        """Yield what a month was billed, day by day; nothing without an export.

        Files are read line by line, and what they add up to lies on disk until its day comes: however long the
        bill, memory holds one day of cluster-hours.
        """
        if not self._bucket:
            return
        with BillSpool() as spool:
            for key in self._keys(month):
                for row in read_rows(self._client, self._bucket, key, partial(_columns, key)):
                    read = _amount_of(row, key)
                    if read is not None:
                        spool.add(*read, key)
            yield from spool.days()

    def _keys(self, month: str) -> list[str]:
        """Return the newest version of a month: an export may keep every run in a folder of its own."""
        period = f"billing_period={month}"
        folders: dict[str, list[tuple[datetime, str]]] = {}
        with domain_errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for page in pages:
                for item in page.get("Contents", []):
                    key = item["Key"]
                    if period in key.lower() and key.lower().endswith(ENDINGS):
                        folders.setdefault(key.rpartition("/")[0], []).append((item["LastModified"], key))
        if not folders:
            return []
        newest = max(folders.values(), key=max)
        return sorted(key for _, key in newest)


def _columns(key: str, names: Sequence[str]) -> list[str]:
    """Return the columns that are wanted of those of a file.

    Raises:
        InvalidInputError: One that is needed is not there; names it.
    """
    focus = "ChargePeriodStart" in names
    missing = [name for name in (_FOCUS_NEEDED if focus else _CUR_NEEDED) if name not in names]
    if missing:
        wanted = "export CUR 2.0 or FOCUS 1.2 with resource ids"
        msg = f"billing export {key}: lacks the column {missing[0]}; {wanted}"
        raise InvalidInputError(msg)
    known = dict.fromkeys(_FOCUS_WANTED if focus else _CUR_WANTED)
    return [name for name in names if name in known or _is_tag(name)]


def _amount_of(row: Row, key: str) -> tuple[BillKey, Decimal] | None:
    """Return what a line says of a cluster-hour; None for lines of anything else."""
    read: Callable[[Row], tuple[str, str, str, str, Cell] | None]
    read = _focus if "ChargePeriodStart" in row else _cur
    told = read(row)
    if told is None:
        return None
    start, service, usage_type, amount, tags = told
    component = _component(service, usage_type)
    if component is None or not start:
        return None
    cluster_id = _cluster_id(_text(row, "line_item_resource_id") or _text(row, "ResourceId"), tags)
    if cluster_id is None:
        return None
    try:
        usd = Decimal(amount) if amount else Decimal(0)
        at = datetime.fromisoformat(start)
    except (InvalidOperation, ValueError) as error:
        msg = f"billing export {key}: {start!r} or {amount!r} cannot be read"
        raise InvalidInputError(msg) from error
    hour = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return BillKey(cluster_id=cluster_id, hour=hour, component=component), usd


def _text(row: Row, name: str) -> str:
    """Return a text; empty for null."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _cur(row: Row) -> tuple[str, str, str, str, Cell] | None:
    """Read a line of CUR 2.0; the effective cost depends on what covers the use."""
    effective = _CUR_EFFECTIVE.get(_text(row, "line_item_line_item_type"))
    if effective is None:
        return None
    # A tag may have a column of its own as well.
    own = next(
        ({name: value} for name, value in row.items() if isinstance(value, str) and value and _is_tag(name)), None
    )
    return (
        _text(row, "line_item_usage_start_date"),
        _text(row, "line_item_product_code"),
        _text(row, "line_item_usage_type"),
        _text(row, effective),
        own or row.get("resource_tags"),
    )


def _focus(row: Row) -> tuple[str, str, str, str, Cell] | None:
    if row.get("ChargeCategory") != "Usage":
        return None
    return (
        _text(row, "ChargePeriodStart"),
        _text(row, "x_ServiceCode"),
        _text(row, "x_UsageType"),
        _text(row, "EffectiveCost"),
        row.get("Tags"),
    )


def _component(service: str, usage_type: str) -> Component | None:
    if service == "ElasticMapReduce":
        return Component.EMR_FEE
    if service != "AmazonEC2":
        return None
    for part, component in (
        ("SpotUsage", Component.EC2_SPOT),
        ("BoxUsage", Component.EC2_ON_DEMAND),
        ("EBS:Volume", Component.EBS),
    ):
        if part in usage_type:
            return component
    return None


def _cluster_id(resource_id: str, tags: Cell) -> str | None:
    """Find the cluster in the resource's ARN, or in the tag that EMR gives its instances and volumes."""
    found = _CLUSTER_IN_ARN.search(resource_id)
    if found:
        return found[1]
    named: object = tags
    if isinstance(tags, str):
        if _LAST_WORD not in tags:
            return None  # most lines of a bill are not EMR's: reading their tags would take most of the time
        try:
            named = json.loads(tags)
        except json.JSONDecodeError:
            return None
    if not isinstance(named, Mapping):
        return None
    return next((str(value) for name, value in named.items() if value and _is_tag(str(name))), None)


@lru_cache(maxsize=4096)
def _is_tag(name: str) -> bool:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).endswith(_JOB_FLOW_TAG)
