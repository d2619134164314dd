"""Keys and items of the cost table: how hours, rollups and prices are written; no calls are made here.

===========================================  ==================================  ==============================
PK                                           SK                                  what
===========================================  ==================================  ==============================
``CLUSTER#<account>#<region>#<cluster>``     ``HOUR#2026-10-05T13Z``             one cluster-hour
the same                                     ``TRACE#2026-10-05T13Z#000001#00``  a revision with its instances
the same                                     ``CORRECTION#2026-10-05T13Z#000002``  what a closed hour is now
``ROLLUP#CC#<cost centre>``                  ``2026-10``                         month of a cost centre
``CLOSE#<account>``                          ``2026-10``                         a month that moves no more
``PRICE#<component>#<region>#<item>[#<az>]`` ``<effective from>``                one price
===========================================  ==================================  ==============================

Index ``by-cost-centre``: ``CC#<cost centre>#2026-10``, index ``by-account``: ``ACCOUNT#<account>#2026-10``,
both sorted by ``2026-10-05T13Z#<region>#<cluster>``; corrections stand in the partitions of the month they are
booked in, with ``#CORRECTIONS`` at the end; the rollups of a month in ``ROLLUPS#2026-10`` of ``by-account``.
Amounts of hours are DynamoDB numbers, never rounded. Items of history are built in cost_history_items.py.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from pydantic import TypeAdapter

from emr_autoscaler.adapters.dynamodb_table import PK, SK, Item, sortable
from emr_autoscaler.domain.cost_history import Correction
from emr_autoscaler.domain.costs import HourRecord, MonthTotal, RecordStatus, exact_sum
from emr_autoscaler.domain.price_book import Price, PriceKey

COST_CENTRE_INDEX: Final = "by-cost-centre"
COST_CENTRE_MONTH: Final = "cost_centre_month"
ACCOUNT_INDEX: Final = "by-account"
ACCOUNT_MONTH: Final = "account_month"
HOUR_CLUSTER: Final = "hour_cluster"

INDEX_ATTRIBUTES: Final = frozenset({COST_CENTRE_MONTH, ACCOUNT_MONTH, HOUR_CLUSTER})

HOUR_PREFIX: Final = "HOUR#"
CORRECTED_REVISION: Final = "corrected_revision"
"""On the hour item of a closed month: the revision of its latest correction."""
ROLLUP_REVISION: Final = "rollup_revision"

_HOUR_SUMS = (
    "effective_cost_usd",
    "contracted_cost_usd",
    "list_cost_usd",
    "spot_saving_usd",
    "idle_cost_usd",
    "scaling_saving_usd",
    "reaping_saving_usd",
)
_HOUR_COUNTS = ("hours", "hours_with_idle", "hours_reconciled", "instances_replaced")
_SUMS = (*_HOUR_SUMS, "correction_usd")
_COUNTS = (*_HOUR_COUNTS, "corrections")

_HOUR = TypeAdapter(HourRecord)
_HOUR_LENGTH = timedelta(hours=1)


def cluster_pk(account_id: str, region: str, cluster_id: str) -> str:
    """Return the partition of a cluster's hours."""
    return f"CLUSTER#{account_id}#{region}#{cluster_id}"


def rollup_pk(cost_centre: str) -> str:
    """Return the partition of a cost centre's months."""
    return f"ROLLUP#CC#{cost_centre}"


def price_pk(key: PriceKey) -> str:
    """Return the partition of one price's history."""
    pk = f"PRICE#{key.component}#{key.region}#{key.item}"
    return f"{pk}#{key.availability_zone}" if key.availability_zone else pk


def cost_centre_month(cost_centre: str, month: str) -> str:
    """Return the index partition of a cost centre's hours in a month."""
    return f"CC#{cost_centre}#{month}"


def account_month(account_id: str, month: str) -> str:
    """Return the index partition of an account's hours in a month."""
    return f"ACCOUNT#{account_id}#{month}"


def month_rollups(month: str) -> str:
    """Return the index partition of a month's rollups."""
    return f"ROLLUPS#{month}"


def month_of(hour: datetime) -> str:
    """Return the UTC month of an hour: 2026-10."""
    return hour.astimezone(UTC).strftime("%Y-%m")


def hour_text(hour: datetime) -> str:
    """Write a whole hour: 2026-10-05T13Z.

    Raises:
        ValueError: It is not the start of an hour, or has no time zone.
    """
    if hour.tzinfo is None or hour != start_of_hour(hour):
        msg = f"{hour.isoformat()} is not the start of an hour in UTC"
        raise ValueError(msg)
    return hour.astimezone(UTC).strftime("%Y-%m-%dT%HZ")


def start_of_hour(at: datetime) -> datetime:
    """Return the last whole hour at or before a time."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def first_hour_from(at: datetime) -> datetime:
    """Return the first whole hour at or after a time."""
    start = start_of_hour(at)
    return start if start == at else start + _HOUR_LENGTH


def hour_item(record: HourRecord) -> Item:
    """Build the item of a cluster-hour, its amounts as numbers and its lines as readable maps."""
    hour = hour_text(record.hour)
    month = month_of(record.hour)
    return {
        **stored(_HOUR.dump_python(record)),
        # For people who read the table: exact sums of the lines.
        "effective_cost_usd": f"{record.effective_cost_usd:f}",
        "list_cost_usd": f"{record.list_cost_usd:f}",
        PK: cluster_pk(record.account_id, record.region, record.cluster_id),
        SK: f"{HOUR_PREFIX}{hour}",
        COST_CENTRE_MONTH: cost_centre_month(record.cost_centre, month),
        ACCOUNT_MONTH: account_month(record.account_id, month),
        HOUR_CLUSTER: f"{hour}#{record.region}#{record.cluster_id}",
    }


def hour_of(item: Item) -> HourRecord:
    """Read a cluster-hour back."""
    return _HOUR.validate_python(item)


def price_item(price: Price) -> Item:
    """Build the item of a price."""
    return {
        PK: price_pk(price.key),
        SK: sortable(price.effective_from),
        "component": str(price.key.component),
        "region": price.key.region,
        "item": price.key.item,
        "availability_zone": price.key.availability_zone,
        "usd": price.usd,
        "unit": price.unit,
        "source": price.source,
    }


def price_of(key: PriceKey, item: Item) -> Price:
    """Read a price back."""
    return Price(
        key=key,
        usd=item["usd"],
        unit=item["unit"],
        effective_from=datetime.fromisoformat(item[SK]),
        source=item["source"],
    )


def rollup_item(total: MonthTotal, *, revision: int) -> Item:
    """Build the item of a month's rollup.

    A sum of many exact amounts may have more digits than a DynamoDB number keeps, and adding in the
    database would round it: the sums are texts, replaced under the rollup's revision.
    """
    return {
        PK: rollup_pk(total.cost_centre),
        SK: total.month,
        ACCOUNT_MONTH: month_rollups(total.month),
        HOUR_CLUSTER: total.cost_centre,
        "cost_centre": total.cost_centre,
        "total_usd": f"{total.total_usd:f}",
        **{name: f"{getattr(total, name):f}" for name in _SUMS},
        **{name if name != "hours" else "hours_recorded": getattr(total, name) for name in _COUNTS},
        ROLLUP_REVISION: revision,
    }


def month_total_of(cost_centre: str, month: str, item: Item | None) -> MonthTotal:
    """Read a rollup back; one that was never written is zero."""
    read = {} if item is None else item
    sums: dict[str, Any] = {name: Decimal(read.get(name, 0)) for name in _SUMS}
    counts: dict[str, Any] = {
        name: int(read.get(name if name != "hours" else "hours_recorded", 0)) for name in _COUNTS
    }
    return MonthTotal(cost_centre=cost_centre, month=month, **sums, **counts)


def moved(total: MonthTotal, *, out: HourRecord | None, into: HourRecord | None) -> MonthTotal:
    """Return a rollup after a revision of an hour left it and another joined it."""
    sums = {name: [getattr(total, name)] for name in _HOUR_SUMS}
    counts: dict[str, Any] = {name: getattr(total, name) for name in _HOUR_COUNTS}
    for record, sign in ((out, -1), (into, 1)):
        if record is None:
            continue
        for name, amounts in sums.items():
            amount = getattr(record, name) or Decimal(0)
            amounts.append(amount.copy_negate() if sign < 0 else amount)
        counts["hours"] += sign
        counts["hours_with_idle"] += sign * (record.idle is not None)
        counts["hours_reconciled"] += sign * (record.status is RecordStatus.RECONCILED)
        counts["instances_replaced"] += sign * record.instances_replaced
    changes: dict[str, Any] = {name: exact_sum(amounts) for name, amounts in sums.items()}
    return replace(total, **changes, **counts)


def booked(total: MonthTotal, correction: Correction) -> MonthTotal:
    """Return a rollup after a correction was booked in it."""
    return replace(
        total,
        correction_usd=exact_sum((total.correction_usd, correction.effective_cost_usd)),
        corrections=total.corrections + 1,
    )


def stored(value: Any) -> Any:  # noqa: ANN401  any field of a dataclass
    """Turn a dumped dataclass into what an item holds: enums by value, times as sortable texts."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return sortable(value)
        case Mapping():
            return {name: stored(part) for name, part in value.items()}
        case tuple() | list():
            return [stored(part) for part in value]
        case _:
            return value
