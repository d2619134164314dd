"""Items of an hour's history: revisions with their instances, corrections, closed months; no calls here."""

import zlib
from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter

from emr_autoscaler.adapters.cost_items import (
    ACCOUNT_MONTH,
    COST_CENTRE_MONTH,
    HOUR_CLUSTER,
    account_month,
    cluster_pk,
    cost_centre_month,
    hour_text,
    stored,
)
from emr_autoscaler.adapters.dynamodb_table import PK, SK, Item, sortable
from emr_autoscaler.domain.cost_history import Correction, HourRevision, MonthClose
from emr_autoscaler.domain.costs import HourRecord

CORRECTIONS: Final = "#CORRECTIONS"
_DETAIL: Final = "detail"
_PART_BYTES = 350_000
"""An item may have 400 KB. 2,000 instances compress to under 200 KB; hours with great churn take more parts."""

_REVISION = TypeAdapter(HourRevision)
_CORRECTION = TypeAdapter(Correction)


def trace_prefix(hour: str, revision: int | None = None) -> str:
    """Return how the sort keys of an hour's revisions begin."""
    return f"TRACE#{hour}#" if revision is None else f"TRACE#{hour}#{revision:06d}#"


def revision_items(revision: HourRevision) -> list[Item]:
    """Build the items of a revision: compressed JSON, in as many parts as it takes."""
    record = revision.record
    detail = zlib.compress(_REVISION.dump_json(revision), 6)
    parts = [detail[at : at + _PART_BYTES] for at in range(0, len(detail), _PART_BYTES)]
    return [
        {
            PK: cluster_pk(record.account_id, record.region, record.cluster_id),
            SK: f"{trace_prefix(hour_text(record.hour), record.revision)}{number:02d}",
            "revision": record.revision,
            "recorded_at": sortable(record.recorded_at),
            "effective_cost_usd": f"{record.effective_cost_usd:f}",
            "instances": len(revision.instances),
            _DETAIL: part,
        }
        for number, part in enumerate(parts)
    ]


def revisions_of(items: Sequence[Item]) -> tuple[HourRevision, ...]:
    """Read revisions back from their parts, which come in the order of their keys."""
    parts: dict[int, list[bytes]] = {}
    for item in items:
        parts.setdefault(int(item["revision"]), []).append(bytes(item[_DETAIL]))
    return tuple(_REVISION.validate_json(zlib.decompress(b"".join(found))) for _, found in sorted(parts.items()))


def correction_sk(record: HourRecord) -> str:
    """Return the sort key of a correction."""
    return f"CORRECTION#{hour_text(record.hour)}#{record.revision:06d}"


def correction_item(correction: Correction) -> Item:
    """Build the item of a correction, found in the month it is booked in."""
    record = correction.record
    return {
        **stored(_CORRECTION.dump_python(correction)),
        "effective_cost_usd": f"{correction.effective_cost_usd:f}",
        PK: cluster_pk(record.account_id, record.region, record.cluster_id),
        SK: correction_sk(record),
        COST_CENTRE_MONTH: cost_centre_month(record.cost_centre, correction.month) + CORRECTIONS,
        ACCOUNT_MONTH: account_month(record.account_id, correction.month) + CORRECTIONS,
        HOUR_CLUSTER: f"{hour_text(record.hour)}#{record.region}#{record.cluster_id}#{record.revision:06d}",
    }


def correction_of(item: Item) -> Correction:
    """Read a correction back."""
    return _CORRECTION.validate_python(item)


def close_key(account_id: str, month: str) -> tuple[str, str]:
    """Return the key of a closed month."""
    return f"CLOSE#{account_id}", month


def close_item(close: MonthClose) -> Item:
    """Build the item of a closed month."""
    pk, sk = close_key(close.account_id, close.month)
    return {PK: pk, SK: sk, "closed_at": sortable(close.closed_at)}
