"""Compare recorded hours with AWS's billing export: estimates become reconciled, differences are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from emr_autoscaler.domain.costs import HourRecord, exact_sum
from emr_autoscaler.domain.price_book import Component
from emr_autoscaler.domain.reconciliation import (
    BilledAmount,
    BillKey,
    Comparison,
    Outcome,
    compare_with_bill,
)
from emr_autoscaler.ports import BillingExport, Clock, Costs, Notification, Notifier

SETTLED_AFTER = timedelta(days=2)
"""AWS goes on adding lines to an hour for about a day; a younger one is left alone."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_SHOWN = 10
_KEPT = 1000


@dataclass(slots=True, kw_only=True)
class Reconciled:
    """What one run found.

    Attributes:
        hours: Cluster-hours written as reconciled.
        unchanged: Cluster-hours that were reconciled before, with the same bill.
        outcomes: Every compared hour by outcome.
        differences: Bill less estimate by component, of the hours written.
        moved: How many of the hours written cost something else now.
        largest: The largest of these differences, and a few more.
    """

    hours: int = 0
    unchanged: int = 0
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    differences: dict[Component, Decimal] = field(default_factory=dict)
    moved: int = 0
    largest: list[tuple[Decimal, str]] = field(default_factory=list)

    def keep_largest(self) -> None:
        """Sort the differences, largest first, and forget those that nobody will be told of."""
        self.largest.sort(key=lambda each: (-abs(each[0]), each[1]))
        del self.largest[_SHOWN:]

    missing: set[Component] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileCosts:
    """Looks at this month and the last one; what a closed month gets is a correction."""

    clock: Clock
    costs: Costs
    export: BillingExport
    notifier: Notifier
    account_id: str

    def __call__(self) -> Reconciled:
        """Reconcile what the export can prove; nothing happens where no export is configured."""
        now = self.clock.now().astimezone(UTC)
        this_month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        found = Reconciled()
        until = (now - SETTLED_AFTER).replace(minute=0, second=0, microsecond=0)
        try:
            for first in ((this_month - _DAY).replace(day=1), this_month):
                for day, amounts in self.export.days(f"{first:%Y-%m}"):
                    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
                    if start < until:
                        self._day(start, min(start + _DAY, until), amounts, found)
        finally:  # a retry finds these hours unchanged, and would not tell of them
            if found.hours:
                self._tell(found)
        return found

    def _day(
        self, start: datetime, end: datetime, amounts: Mapping[BillKey, BilledAmount], found: Reconciled
    ) -> None:
        """Compare the hours of a day, one hour of all clusters at a time."""
        bill: dict[tuple[str, datetime], dict[Component, BilledAmount]] = {}
        for key, amount in amounts.items():
            bill.setdefault((key.cluster_id, key.hour), {})[key.component] = amount
        hour = start
        while hour < end:
            booked = self.costs.hours_of_account(self.account_id, f"{start:%Y-%m}", start=hour, end=hour + _HOUR)
            for record in booked:
                self._hour(record, bill.get((record.cluster_id, hour), {}), found)
            hour += _HOUR

    def _hour(self, booked: HourRecord, bill: Mapping[Component, BilledAmount], found: Reconciled) -> None:
        before, comparison = booked, compare_with_bill(booked, bill)
        key = (booked.account_id, booked.region, booked.cluster_id, booked.hour)
        if _is_news(comparison, before):
            # What is booked may have been corrected since its month was closed.
            before = self.costs.get_hour(*key) or booked
            comparison = compare_with_bill(before, bill)
        found.outcomes[comparison.outcome] = found.outcomes.get(comparison.outcome, 0) + 1
        found.missing.update(comparison.missing)
        if comparison.outcome not in {Outcome.PROVEN, Outcome.DIFFERS}:
            return
        if not _is_news(comparison, before):
            found.unchanged += 1
            return
        instances = [part for r in self.costs.revisions(*key, latest_only=True) for part in r.instances]
        now = self.clock.now()
        record = comparison.record
        self.costs.put_hour(replace(record, recorded_at=now), instances)
        found.hours += 1
        moved = exact_sum((record.effective_cost_usd, before.effective_cost_usd.copy_negate()))
        for component, difference in comparison.differences.items():
            known = found.differences.get(component, Decimal(0))
            found.differences[component] = exact_sum((known, difference))
        if moved:
            found.moved += 1
            found.largest.append((moved, f"{record.cluster_id} {record.hour:%Y-%m-%dT%HZ}"))
            if len(found.largest) > _KEPT:
                found.keep_largest()

    def _tell(self, found: Reconciled) -> None:
        found.keep_largest()
        lines = [f"{found.hours} cluster-hours were compared with the billing export and are reconciled now."]
        lines += [f"{c.value}: bill less estimate {_usd(d)} USD" for c, d in sorted(found.differences.items())]
        lines += [f"{name}: moved by {_usd(moved)} USD" for moved, name in found.largest[:_SHOWN]]
        if found.moved > _SHOWN:
            lines.append(f"and {found.moved - _SHOWN} more hours; each names its difference in its lines")
        if found.missing:
            names = ", ".join(sorted(found.missing))
            lines.append(
                f"Some hours stay estimated, for the bill lacks {names} of them; is the cost allocation tag "
                "aws:elasticmapreduce:job-flow-id active?"
            )
        self.notifier.notify(
            Notification(
                subject=f"EMR costs: {found.hours} cluster-hours reconciled with the bill",
                body="\n".join(lines),
                attributes={"kind": "RECONCILIATION", "severity": "info"},
            )
        )


def _is_news(comparison: Comparison, before: HourRecord) -> bool:
    return comparison.outcome in {Outcome.PROVEN, Outcome.DIFFERS} and comparison.record != before


def _usd(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.0001')):,f}"
