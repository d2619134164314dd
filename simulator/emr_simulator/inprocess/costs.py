"""Cost records and the price book in memory; their sums are taken when they are asked for."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from emr_autoscaler.domain.cost_history import (
    Correction,
    HourRevision,
    InstanceCharges,
    MonthClose,
    correct,
    next_revision,
    says_the_same,
)
from emr_autoscaler.domain.costs import HourRecord, MonthTotal, RecordStatus, exact_sum
from emr_autoscaler.domain.price_book import Price, PriceKey

_ClusterKey = tuple[str, str, str]
_HourKey = tuple[datetime, str, str, str]


class MemoryCosts:
    """Implements ``ports.Costs``."""

    def __init__(self) -> None:
        self._hours: defaultdict[_ClusterKey, dict[datetime, HourRecord]] = defaultdict(dict)
        self._latest: dict[_HourKey, HourRecord] = {}
        self._revisions: defaultdict[_HourKey, list[HourRevision]] = defaultdict(list)
        self._closed: dict[tuple[str, str], MonthClose] = {}
        self._corrections: list[Correction] = []
        self._months: defaultdict[tuple[str, str], dict[_HourKey, HourRecord]] = defaultdict(dict)
        self._prices: defaultdict[PriceKey, dict[datetime, Price]] = defaultdict(dict)
        self._dates: dict[PriceKey, list[datetime]] = {}

    def get_hour(self, account_id: str, region: str, cluster_id: str, hour: datetime) -> HourRecord | None:
        """Return the latest revision of a cluster-hour, corrections included."""
        return self._latest.get((_whole(hour), region, cluster_id, account_id))

    def put_hour(self, record: HourRecord, instances: Sequence[InstanceCharges] = ()) -> HourRecord:
        """Write an hour; what is already stored changes nothing. Its month total follows."""
        _whole(record.hour)
        key = _key(record)
        latest = self._latest.get(key)
        if latest is not None and says_the_same(latest, record):
            return latest
        closed = self.month_close(record.account_id, _month(record.hour)) is not None
        new = next_revision(latest, record, closed=closed)
        hours = self._hours[record.account_id, record.region, record.cluster_id]
        if closed:
            self._corrections.append(correct(latest, new, _month(new.recorded_at)))
            self._months.setdefault((new.cost_centre, _month(new.recorded_at)), {})
            hours.setdefault(record.hour, replace(new, lines=(), idle=None, revision=0))
        else:
            if latest is not None:
                del self._months[latest.cost_centre, _month(latest.hour)][key]
                # The empty month stays: its total is zero, which is not the same as never written.
            hours[record.hour] = new
            self._months[new.cost_centre, _month(new.hour)][key] = new
        self._latest[key] = new
        self._revisions[key].append(HourRevision(record=new, instances=tuple(instances)))
        return new

    def revisions(
        self, account_id: str, region: str, cluster_id: str, hour: datetime, *, latest_only: bool = False
    ) -> tuple[HourRevision, ...]:
        """Return every revision of an hour, or the latest one only, oldest first."""
        found = self._revisions.get((_whole(hour), region, cluster_id, account_id), [])
        return tuple(found[-1:] if latest_only else found)

    def close_month(self, close: MonthClose) -> MonthClose:
        """Close a month, or return how it was closed before: once closed it stays."""
        return self._closed.setdefault((close.account_id, close.month), close)

    def month_close(self, account_id: str, month: str) -> MonthClose | None:
        """Return when a month of an account was closed, or None while it is open."""
        return self._closed.get((account_id, month))

    def corrections_of_cost_centre(self, cost_centre: str, month: str) -> tuple[Correction, ...]:
        """Return the corrections booked for a cost centre in a month (2026-11), by corrected hour."""
        found = [c for c in self._corrections if (c.record.cost_centre, c.month) == (cost_centre, month)]
        return tuple(sorted(found, key=lambda c: (_key(c.record), c.record.revision)))

    def corrections_of_account(self, account_id: str, month: str) -> tuple[Correction, ...]:
        """Return the corrections booked in an account and month (2026-11), by corrected hour."""
        found = [c for c in self._corrections if (c.record.account_id, c.month) == (account_id, month)]
        return tuple(sorted(found, key=lambda c: (_key(c.record), c.record.revision)))

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

    def hours_of_cost_centre(
        self, cost_centre: str, month: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[HourRecord, ...]:
        """Return the hours of a cost centre in a month (2026-10) and in [start, end), oldest first."""
        found = self._months.get((cost_centre, month), {}).values()
        return _in_order(record for record in found if _within(record, start, end))

    def hours_of_account(
        self, account_id: str, month: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[HourRecord, ...]:
        """Return the hours of an account in a month (2026-10) and in [start, end), oldest first."""
        return _in_order(
            record
            for (_, of_month), hours in self._months.items()
            if of_month == month
            for record in hours.values()
            if record.account_id == account_id and _within(record, start, end)
        )

    def month_totals(self, month: str) -> tuple[MonthTotal, ...]:
        """Return the totals of every cost centre in a month (2026-10), by name."""
        centres = sorted(centre for centre, of_month in self._months if of_month == month)
        return tuple(total for centre in centres if (total := self.month_total(centre, month)) is not None)

    def month_total(self, cost_centre: str, month: str) -> MonthTotal | None:
        """Return the total of a cost centre and month (2026-10), or None where no hour was ever written."""
        if (cost_centre, month) not in self._months:
            return None
        records = self._months[cost_centre, month].values()
        corrections = self.corrections_of_cost_centre(cost_centre, month)
        return MonthTotal(
            cost_centre=cost_centre,
            month=month,
            effective_cost_usd=exact_sum(record.effective_cost_usd for record in records),
            contracted_cost_usd=exact_sum(record.contracted_cost_usd for record in records),
            list_cost_usd=exact_sum(record.list_cost_usd for record in records),
            spot_saving_usd=exact_sum(record.spot_saving_usd for record in records),
            idle_cost_usd=exact_sum(r.idle_cost_usd for r in records if r.idle_cost_usd is not None),
            scaling_saving_usd=exact_sum(record.scaling_saving_usd for record in records),
            reaping_saving_usd=exact_sum(record.reaping_saving_usd for record in records),
            instances_replaced=sum(record.instances_replaced for record in records),
            hours=len(records),
            hours_with_idle=sum(record.idle is not None for record in records),
            hours_reconciled=sum(record.status is RecordStatus.RECONCILED for record in records),
            correction_usd=exact_sum(correction.effective_cost_usd for correction in corrections),
            corrections=len(corrections),
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


def _within(record: HourRecord, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or start <= record.hour) and (end is None or record.hour < end)


def _month(hour: datetime) -> str:
    return hour.astimezone(UTC).strftime("%Y-%m")


def _key(record: HourRecord) -> _HourKey:
    return (record.hour, record.region, record.cluster_id, record.account_id)


def _in_order(records: Iterable[HourRecord]) -> tuple[HourRecord, ...]:
    return tuple(sorted(records, key=_key))
