"""Keys and items of the cost table: how hours, rollups and prices are written; no calls are made here.

===========================================  ============================  =====================
PK                                           SK                            what
===========================================  ============================  =====================
``CLUSTER#<account>#<region>#<cluster>``     ``HOUR#2026-10-05T13Z``       one cluster-hour
``ROLLUP#CC#<cost centre>``                  ``2026-10``                   month of a cost centre
``PRICE#<component>#<region>#<item>[#<az>]`` ``<effective from>``          one price
===========================================  ============================  =====================

Index ``by-cost-centre``: ``CC#<cost centre>#2026-10``, index ``by-account``: ``ACCOUNT#<account>#2026-10``,
both sorted by ``2026-10-05T13Z#<region>#<cluster>``. Amounts are DynamoDB numbers, never rounded.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal, localcontext
from enum import Enum
from typing import Any, Final

from pydantic import TypeAdapter

from emr_autoscaler.adapters.dynamodb_table import PK, SK, Item, sortable
from emr_autoscaler.domain.costs import HourRecord, MonthTotal, Price, PriceKey, exact_sum

COST_CENTRE_INDEX: Final = "by-cost-centre"
COST_CENTRE_MONTH: Final = "cost_centre_month"
ACCOUNT_INDEX: Final = "by-account"
ACCOUNT_MONTH: Final = "account_month"
HOUR_CLUSTER: Final = "hour_cluster"

HOUR_PREFIX: Final = "HOUR#"

_HOUR = TypeAdapter(HourRecord)
_HOUR_LENGTH = timedelta(hours=1)
_LEADING_DECIMALS = Decimal(1).scaleb(-18)
_WORKING_DIGITS = 200


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
        **_stored(_HOUR.dump_python(record)),
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


class RollupMove:
    """How far a rollup moves when one revision of an hour gives way to another.

    Months add up amounts of many magnitudes, more digits than a DynamoDB number keeps. Each sum is
    therefore kept in two numbers, the first 18 decimals and the rest, and both add without rounding.
    """

    def __init__(self) -> None:
        self._effective: list[Decimal] = []
        self._list: list[Decimal] = []
        self._hours = 0

    def add(self, record: HourRecord) -> None:
        """Count an hour in."""
        self._effective.append(record.effective_cost_usd)
        self._list.append(record.list_cost_usd)
        self._hours += 1

    def remove(self, record: HourRecord) -> None:
        """Count an hour out."""
        self._effective.append(record.effective_cost_usd.copy_negate())
        self._list.append(record.list_cost_usd.copy_negate())
        self._hours -= 1

    @property
    def values(self) -> Mapping[str, Any]:
        """Placeholders of ``ROLLUP_UPDATE``."""
        effective, effective_rest = _split(exact_sum(self._effective))
        at_list, list_rest = _split(exact_sum(self._list))
        return {
            ":effective": effective,
            ":effective_rest": effective_rest,
            ":list": at_list,
            ":list_rest": list_rest,
            ":hours": self._hours,
        }


ROLLUP_UPDATE: Final = (
    "ADD effective_cost_usd :effective, effective_cost_usd_rest :effective_rest, "
    "list_cost_usd :list, list_cost_usd_rest :list_rest, hours_recorded :hours"
)


def month_total_of(cost_centre: str, month: str, item: Item) -> MonthTotal:
    """Read a rollup back."""
    return MonthTotal(
        cost_centre=cost_centre,
        month=month,
        effective_cost_usd=exact_sum((item["effective_cost_usd"], item["effective_cost_usd_rest"])),
        list_cost_usd=exact_sum((item["list_cost_usd"], item["list_cost_usd_rest"])),
        hours=int(item["hours_recorded"]),
    )


def _split(amount: Decimal) -> tuple[Decimal, Decimal]:
    with localcontext() as context:
        context.prec = _WORKING_DIGITS
        leading = amount.quantize(_LEADING_DECIMALS, rounding=ROUND_DOWN)
        return leading, amount - leading


def _stored(value: Any) -> Any:  # noqa: ANN401  any field of a dataclass
    match value:
        case Enum():
            return value.value
        case datetime():
            return sortable(value)
        case Mapping():
            return {name: _stored(part) for name, part in value.items()}
        case tuple() | list():
            return [_stored(part) for part in value]
        case _:
            return value
