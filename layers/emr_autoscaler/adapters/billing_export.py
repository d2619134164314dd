"""AWS's billing export in S3, CUR 2.0 or FOCUS 1.2 as CSV: files are found, read and added up by cluster-hour."""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.domain.costs import Component, exact_sum
from emr_autoscaler.domain.errors import InvalidInputError
from emr_autoscaler.domain.reconciliation import BilledAmount, BillKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CLUSTER_IN_ARN = re.compile(r":cluster/(j-[A-Z0-9]+)")
_JOB_FLOW_TAG = "elasticmapreduce_job_flow_id"
_ENDINGS = (".csv", ".csv.gz")

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

Row = Mapping[str, str]


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

    def amounts(self, month: str) -> Mapping[BillKey, BilledAmount]:
        """Return what a month was billed by cluster, hour and component; empty without an export."""
        found: dict[BillKey, BilledAmount] = {}
        if not self._bucket:
            return found
        for key in self._keys(month):
            for row in self._rows(key):
                read = _amount_of(row, key)
                if read is None:
                    continue
                place, usd = read
                known = found.get(place, BilledAmount(effective_usd=Decimal(0), line_items=0, source=key))
                found[place] = replace(
                    known, effective_usd=exact_sum((known.effective_usd, usd)), line_items=known.line_items + 1
                )
        return found

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
                    if period in key.lower() and key.lower().endswith(_ENDINGS):
                        folders.setdefault(key.rpartition("/")[0], []).append((item["LastModified"], key))
        if not folders:
            return []
        newest = max(folders.values(), key=max)
        return sorted(key for _, key in newest)

    def _rows(self, key: str) -> Iterator[Row]:
        with domain_errors():
            body: Any = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        raw: Any = gzip.GzipFile(fileobj=body) if key.lower().endswith(".gz") else body
        text = io.TextIOWrapper(
            io.BufferedReader(raw) if hasattr(raw, "readinto") else raw, "utf-8-sig", newline=""
        )
        reader = csv.DictReader(text)
        names = set(reader.fieldnames or ())
        needed = _FOCUS_NEEDED if "ChargePeriodStart" in names else _CUR_NEEDED
        missing = [name for name in needed if name not in names]
        if missing:
            wanted = "export CUR 2.0 or FOCUS 1.2 with resource ids"
            msg = f"billing export {key}: lacks the column {missing[0]}; {wanted}"
            raise InvalidInputError(msg)
        yield from reader


def _amount_of(row: Row, key: str) -> tuple[BillKey, Decimal] | None:
    """Return what a line says of a cluster-hour; None for lines of anything else."""
    read: Callable[[Row], tuple[str, str, str, str, str] | None]
    read = _focus if "ChargePeriodStart" in row else _cur
    told = read(row)
    if told is None:
        return None
    start, service, usage_type, amount, tags = told
    component = _component(service, usage_type)
    cluster_id = _cluster_id(row.get("line_item_resource_id") or row.get("ResourceId") or "", tags)
    if component is None or cluster_id is None or not start:
        return None
    try:
        usd = Decimal(amount) if amount else Decimal(0)
        at = datetime.fromisoformat(start)
    except (InvalidOperation, ValueError) as error:
        msg = f"billing export {key}: {start!r} or {amount!r} cannot be read"
        raise InvalidInputError(msg) from error
    hour = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return BillKey(cluster_id=cluster_id, hour=hour, component=component), usd


def _cur(row: Row) -> tuple[str, str, str, str, str] | None:
    """Read a line of CUR 2.0; the effective cost depends on what covers the use."""
    kind = row.get("line_item_line_item_type") or ""
    columns = {
        "Usage": "line_item_unblended_cost",
        "SavingsPlanCoveredUsage": "savings_plan_savings_plan_effective_cost",
        "DiscountedUsage": "reservation_effective_cost",
    }
    if kind not in columns:
        return None
    tags = [row.get("resource_tags") or ""]
    tags += [json.dumps({name: value}) for name, value in row.items() if name and _is_tag(name) and value]
    return (
        row.get("line_item_usage_start_date") or "",
        row.get("line_item_product_code") or "",
        row.get("line_item_usage_type") or "",
        row.get(columns[kind]) or "",
        next((text for text in reversed(tags) if text), ""),
    )


def _focus(row: Row) -> tuple[str, str, str, str, str] | None:
    if row.get("ChargeCategory") != "Usage":
        return None
    return (
        row.get("ChargePeriodStart") or "",
        row.get("x_ServiceCode") or "",
        row.get("x_UsageType") or "",
        row.get("EffectiveCost") or "",
        row.get("Tags") or "",
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


def _cluster_id(resource_id: str, tags: str) -> str | None:
    """Find the cluster in the resource's ARN, or in the tag that EMR gives its instances and volumes."""
    found = _CLUSTER_IN_ARN.search(resource_id)
    if found:
        return found[1]
    try:
        named = json.loads(tags) if tags else {}
    except json.JSONDecodeError:
        return None
    if not isinstance(named, dict):
        return None
    return next((str(value) for name, value in named.items() if value and _is_tag(str(name))), None)


def _is_tag(name: str) -> bool:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).endswith(_JOB_FLOW_TAG)
