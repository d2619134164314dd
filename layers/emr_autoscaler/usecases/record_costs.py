"""Record what each cluster-hour cost, whole and from facts; restate hours that later facts change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.billing import FREE_WHEN_INTERRUPTED_WITHIN, HOUR, bill_hour, needed_prices
from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.costs import BilledInstance, Component, HourRecord, Price, PriceKey
from emr_autoscaler.domain.errors import AutoscalerError
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.policy import CostPolicy
from emr_autoscaler.domain.price_book import PriceBook
from emr_autoscaler.ports import Clock, ClusterReader, Compute, Costs, Registry
from emr_autoscaler.usecases.billed_instances import billed_instances
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.refresh_prices import RefreshPrices
from emr_autoscaler.usecases.registry_updates import update_entry

RESTATED = timedelta(hours=2)
"""A first-hour interruption is known this long after the end at the latest; until then hours may change."""

REMEMBER_INTERRUPTIONS = timedelta(days=7)

BEFORE_ENROLMENT = timedelta(days=1)
"""How far back an older cluster is recorded: of earlier hours neither instances nor prices are surely known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCosts:
    """Records hours of some or all enrolled clusters, opted out ones included until they end."""

    clock: Clock
    reader: ClusterReader
    compute: Compute
    registry: Registry
    costs: Costs
    refresh_prices: RefreshPrices
    policy_in_force: PolicyInForce

    def __call__(self, cluster_ids: Sequence[str] | None = None) -> tuple[HourRecord, ...]:
        """Record every finished hour not recorded yet; for ended clusters the last one as well.

        Returns:
            The hours written or restated.

        Raises:
            PriceMissingError: A price cannot be traced; hours of other clusters are recorded first.
        """
        entries = self.registry.all() if cluster_ids is None else self._named(cluster_ids)
        written: list[HourRecord] = []
        failures: list[AutoscalerError] = []
        for entry in entries:
            try:
                written += self._record(entry)
            except AutoscalerError as error:
                failures.append(error)  # one cluster's trouble must not cost the others their hour
        if failures:
            raise failures[0]
        return tuple(written)

    def _named(self, cluster_ids: Sequence[str]) -> tuple[RegistryEntry, ...]:
        found = (self.registry.get(cluster_id) for cluster_id in cluster_ids)
        return tuple(entry for entry in found if entry is not None and not entry.cost_closed)

    def _record(self, entry: RegistryEntry) -> list[HourRecord]:
        now = self.clock.now()
        if entry.cluster.state.has_ended and entry.cluster.ended_at is None:
            entry = replace(entry, cluster=self.reader.describe_cluster(entry.cluster_id))
        listed = self.reader.list_instances(entry.cluster_id)
        seen = {i.ec2_instance_id: i for i in self.compute.find_cluster_instances(entry.cluster_id)}
        proven = {i: now for i, known in seen.items() if known.interrupted and i not in entry.interrupted}
        entry = replace(entry, interrupted={**entry.interrupted, **proven})
        instances = billed_instances(entry, listed, seen)
        hours = _hours_to_compute(entry, instances, now)
        written = self._compute(entry, instances, hours, now) if hours else []
        self._remember(entry, hours, now, closed=_is_over(entry, instances))
        return written

    def _compute(
        self,
        entry: RegistryEntry,
        instances: Sequence[BilledInstance],
        hours: Sequence[datetime],
        now: datetime,
    ) -> list[HourRecord]:
        start, end = hours[0], hours[-1] + HOUR
        alive = [i for i in instances if i.started_at < end and (i.ended_at is None or i.ended_at >= start - HOUR)]
        prices = PriceBook(self._prices(entry, alive, start, end))
        policy = self.policy_in_force(entry) if entry.policy_name else None
        assumptions = policy.cost if policy else CostPolicy()
        written = []
        for hour in hours:
            lines = bill_hour(hour, alive, prices, region=entry.cluster.region, policy=assumptions)
            before = self.costs.get_hour(entry.cluster.account_id, entry.cluster.region, entry.cluster_id, hour)
            if (before is not None and before.lines == lines) or (before is None and not lines):
                continue
            record = HourRecord(
                account_id=entry.cluster.account_id,
                region=entry.cluster.region,
                cluster_id=entry.cluster_id,
                cluster_name=entry.cluster.name,
                hour=hour,
                cost_centre=before.cost_centre if before else entry.cost_centre,
                lines=lines,
                revision=before.revision + 1 if before else 1,
                recorded_at=now,
            )
            written.append(self.costs.put_hour(record))
        return written

    def _prices(
        self, entry: RegistryEntry, instances: Sequence[BilledInstance], start: datetime, end: datetime
    ) -> tuple[Price, ...]:
        """Return the prices in force over [start, end): the book's, the missing ones looked up first."""
        keys = needed_prices(instances, entry.cluster.region)
        fixed = [key for key in keys if key.component is not Component.EC2_SPOT]
        known = self.costs.prices(fixed, start=start, end=end)
        in_force = {p.key for p in known if p.effective_from <= start}
        missing = [key for key in fixed if key not in in_force]
        if missing:
            self.refresh_prices.look_up(missing)
            known = self.costs.prices(fixed, start=start, end=end)
        return (*known, *self._spot_prices(keys, start, end))

    def _spot_prices(self, keys: Sequence[PriceKey], start: datetime, end: datetime) -> tuple[Price, ...]:
        by_zone: dict[str, list[str]] = {}
        for key in keys:
            if key.component is Component.EC2_SPOT:
                by_zone.setdefault(key.availability_zone, []).append(key.item)
        prices: list[Price] = []
        for zone, types in by_zone.items():
            prices += self.compute.spot_prices(types, zone, start=start, end=end)
        if prices:
            self.costs.put_prices(prices)
        return tuple(prices)

    def _remember(self, entry: RegistryEntry, hours: Sequence[datetime], now: datetime, *, closed: bool) -> None:
        until = hours[-1] + HOUR if hours else entry.costs_recorded_until
        # An ended cluster stays open for as long as a restatement of its last hours is possible.
        closed = closed and entry.cluster.ended_at is not None and now >= entry.cluster.ended_at + RESTATED

        def change(current: RegistryEntry) -> RegistryEntry:
            known = {**current.interrupted, **entry.interrupted}
            return replace(
                current,
                cluster=entry.cluster if entry.cluster.state.has_ended else current.cluster,
                costs_recorded_until=until,
                interrupted={i: at for i, at in known.items() if now - at < REMEMBER_INTERRUPTIONS},
                cost_closed=closed,
            )

        update_entry(self.registry, entry.cluster_id, change)


def _hours_to_compute(entry: RegistryEntry, instances: Sequence[BilledInstance], now: datetime) -> list[datetime]:
    """Return the hours to compute, oldest first: the unrecorded ones and those a late fact may change."""
    started = min((i.started_at for i in instances), default=entry.cluster.created_at)
    first = _hour_of(max(started, entry.enrolled_at - BEFORE_ENROLMENT))
    last_end = _hour_of(now)
    if _is_over(entry, instances):
        ends = [i.ended_at for i in instances if i.ended_at is not None]
        # A minute's minimum may spill into the next hour, and the hour of the end is complete by now.
        last_end = _hour_of(max(ends) + timedelta(seconds=59)) + HOUR if ends else last_end
    start = first
    if entry.costs_recorded_until is not None:
        start = max(first, min(entry.costs_recorded_until, last_end))
        for instance in instances:
            if instance.interrupted and _may_be_restated(instance, now):
                start = min(start, _hour_of(instance.started_at))
    return [start + n * HOUR for n in range(max(0, (last_end - start) // HOUR))]


def _may_be_restated(instance: BilledInstance, now: datetime) -> bool:
    ended = instance.ended_at
    return (
        instance.market is Market.SPOT
        and ended is not None
        and ended - instance.started_at < FREE_WHEN_INTERRUPTED_WITHIN
        and now - ended < RESTATED
    )


def _is_over(entry: RegistryEntry, instances: Sequence[BilledInstance]) -> bool:
    """Whether the cluster and all its instances are gone."""
    return entry.cluster.state.has_ended and all(i.ended_at is not None for i in instances)


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
