"""Cost records and the price book in memory; their sums are taken when they are asked for."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from emr_autoscaler.domain.costs import HourRecord, MonthTotal, Price, PriceKey, exact_sum

_ClusterKey = tuple[str, str, str]
_HourKey = tuple[datetime, str, str, str]


class MemoryCosts:
    """Implements ``ports.Costs``."""

    def __init__(self) -> None:
        self._hours: defaultdict[_ClusterKey, dict[datetime, HourRecord]] = defaultdict(dict)
        self._months: defaultdict[tuple[str, str], dict[_HourKey, HourRecord]] = defaultdict(dict)
        self._prices: defaultdict[PriceKey, dict[datetime, Price]] = defaultdict(dict)
        self._dates: dict[PriceKey, list[datetime]] = {}

    def get_hour(self, account_id: str, region: str, cluster_id: str, hour: datetime) -> HourRecord | None:
        """Return the latest revision of a cluster-hour."""
        return self._hours[account_id, region, cluster_id].get(_whole(hour))

    def put_hour(self, record: HourRecord) -> HourRecord:
        """Write an hour; what is already stored changes nothing. Its month total follows."""
        hours = self._hours[record.account_id, record.region, record.cluster_id]
        key = _key(record)
        stored = hours.get(_whole(record.hour))
        if stored is not None:
            if stored == replace(record, revision=stored.revision, recorded_at=stored.recorded_at):
                return stored
            del self._months[stored.cost_centre, _month(stored.hour)][key]
            # The empty month stays: its total is zero, which is not the same as never written.
        new = replace(record, revision=1 if stored is None else stored.revision + 1)
        hours[record.hour] = new
        self._months[new.cost_centre, _month(new.hour)][key] = new
        return new

    def hours_of_cluster(
        self,
        account_id: str,
        region: str,
        cluster_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> tuple[HourRecord, ...]:
        """Return a cluster's hours in [start, end), oldest first."""
        hours = self._hours[account_id, region, cluster_id]
        return tuple(
            hours[hour]
            for hour in sorted(hours)
            if (start is None or start <= hour) and (end is None or hour < end)
        )

    def hours_of_cost_centre(self, cost_centre: str, month: str) -> tuple[HourRecord, ...]:
        """Return the hours of a cost centre in a month (2026-10), oldest first."""
        return _in_order(self._months.get((cost_centre, month), {}).values())

    def hours_of_account(self, account_id: str, month: str) -> tuple[HourRecord, ...]:
        """Return the hours of an account in a month (2026-10), oldest first."""
        return _in_order(
            record
            for (account, _, _), hours in self._hours.items()
            if account == account_id
            for record in hours.values()
            if _month(record.hour) == month
        )

    def month_total(self, cost_centre: str, month: str) -> MonthTotal | None:
        """Return the total of a cost centre and month (2026-10), or None where no hour was ever written."""
        hours = self._months.get((cost_centre, month))
        if hours is None:
            return None
        return MonthTotal(
            cost_centre=cost_centre,
            month=month,
            effective_cost_usd=exact_sum(record.effective_cost_usd for record in hours.values()),
            list_cost_usd=exact_sum(record.list_cost_usd for record in hours.values()),
            hours=len(hours),
        )

    def put_prices(self, prices: Sequence[Price]) -> None:
        """Add prices to the price book; the same key and date replaces."""
        for price in prices:
            self._prices[price.key][price.effective_from] = price
            self._dates.pop(price.key, None)

    def prices(self, keys: Sequence[PriceKey], *, start: datetime, end: datetime) -> tuple[Price, ...]:
        """Return every price of ``keys`` in force at some time in [start, end), oldest first by key."""
        if start >= end:
            return ()
        return tuple(price for key in dict.fromkeys(keys) for price in self._in_force(key, start, end))

    def _in_force(self, key: PriceKey, start: datetime, end: datetime) -> list[Price]:
        history = self._prices.get(key, {})
        if key not in self._dates:
            self._dates[key] = sorted(history)
        dates = self._dates[key]
        first = max(bisect_right(dates, start) - 1, 0)
        return [history[date] for date in dates[first : bisect_left(dates, end)]]


def _whole(hour: datetime) -> datetime:
    if hour.tzinfo is None or (hour.minute, hour.second, hour.microsecond) != (0, 0, 0):
        msg = f"{hour.isoformat()} is not the start of an hour in UTC"
        raise ValueError(msg)
    return hour


def _month(hour: datetime) -> str:
    return hour.astimezone(UTC).strftime("%Y-%m")


def _key(record: HourRecord) -> _HourKey:
    return (record.hour, record.region, record.cluster_id, record.account_id)


def _in_order(records: Iterable[HourRecord]) -> tuple[HourRecord, ...]:
    return tuple(sorted(records, key=_key))
