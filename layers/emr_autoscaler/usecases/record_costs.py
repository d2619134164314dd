"""Record what each cluster-hour cost, whole and from facts; restate hours that later facts change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.billing import (
    FREE_WHEN_INTERRUPTED_WITHIN,
    HOUR,
    MINIMUM,
    bill_instances,
    needed_prices,
)
from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.cost_history import HourBill, HourRevision
from emr_autoscaler.domain.costs import (
    BilledInstance,
    Component,
    HourRecord,
    IdleFigure,
    Price,
    PriceKey,
    RecordStatus,
)
from emr_autoscaler.domain.errors import AutoscalerError
from emr_autoscaler.domain.idle_cost import idle_figure
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.policy import CostPolicy
from emr_autoscaler.domain.price_book import PriceBook
from emr_autoscaler.ports import Clock, ClusterReader, Compute, Costs, MetricsReader, Registry
from emr_autoscaler.usecases.billed_instances import billed_instances, with_memory
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.refresh_prices import RefreshPrices
from emr_autoscaler.usecases.registry_updates import update_entry

RESTATED = timedelta(hours=2)
"""A first-hour interruption is known this long after the end at the latest; until then hours may change."""

REMEMBER_INTERRUPTIONS = timedelta(days=7)

BEFORE_ENROLMENT = timedelta(days=1)
"""How far back an older cluster is recorded: of earlier hours neither instances nor prices are surely known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _HourFacts:
    """What one hour is computed from: what was recorded of it, and the instances as they are known now."""

    hour: datetime
    before: HourRecord | None
    recorded: tuple[HourRevision, ...]
    instances: tuple[BilledInstance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCosts:
    """Records hours of some or all enrolled clusters, opted out ones included until they end."""

    clock: Clock
    reader: ClusterReader
    compute: Compute
    metrics: MetricsReader
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
        if proven:  # at once: EC2 forgets the proof within the hour, and this run may die before its end
            self._note_interruptions(entry.cluster_id, proven)
        instances = billed_instances(entry, listed, seen)
        hours = _hours_to_compute(entry, instances, now)
        written = self._compute(entry, instances, hours, now) if hours else []
        self._remember(entry, hours, now, closed=_is_over(entry, instances))
        return written

    def _note_interruptions(self, cluster_id: str, proven: Mapping[str, datetime]) -> None:
        def change(current: RegistryEntry) -> RegistryEntry:
            return replace(current, interrupted={**proven, **current.interrupted})

        update_entry(self.registry, cluster_id, change)

    def _compute(
        self,
        entry: RegistryEntry,
        instances: Sequence[BilledInstance],
        hours: Sequence[datetime],
        now: datetime,
    ) -> list[HourRecord]:
        facts = self._facts(entry, instances, hours)
        everyone = [i for of_hour in facts for i in of_hour.instances]
        prices = PriceBook(self._prices(entry, everyone, hours[0], hours[-1] + HOUR))
        policy = self.policy_in_force(entry) if entry.policy_name else None
        assumed = policy.cost if policy else CostPolicy()
        metrics = self._memory_metrics(entry.cluster_id, hours[0], hours[-1] + HOUR)
        written = []
        for of_hour in facts:
            hour, before = of_hour.hour, of_hour.before
            region = entry.cluster.region
            bill = bill_instances(hour, of_hour.instances, prices, region=region, policy=assumed)
            idle = idle_figure(hour, bill.lines, [p.instance for p in bill.instances], metrics)
            if not _changes(of_hour, bill, idle, assumed.assumptions):
                continue
            record = HourRecord(
                account_id=entry.cluster.account_id,
                region=region,
                cluster_id=entry.cluster_id,
                cluster_name=entry.cluster.name,
                hour=hour,
                cost_centre=before.cost_centre if before else entry.cost_centre,
                lines=bill.lines,
                idle=idle,
                assumptions=assumed.assumptions,
                recorded_at=now,
            )
            written.append(self.costs.put_hour(record, bill.instances))
        return written

    def _facts(
        self, entry: RegistryEntry, instances: Sequence[BilledInstance], hours: Sequence[datetime]
    ) -> list[_HourFacts]:
        """Return what is known of each hour: from AWS now, and from what was recorded of it and before it."""
        key = (entry.cluster.account_id, entry.cluster.region, entry.cluster_id)
        earlier: tuple[HourRevision, ...] = ()
        if entry.costs_recorded_until is not None:
            earlier = self.costs.revisions(*key, hours[0] - HOUR, latest_only=True)
        facts = []
        for hour in hours:
            before = self.costs.get_hour(*key, hour)
            recorded = () if before is None else self.costs.revisions(*key, hour, latest_only=True)
            present = [i for i in instances if _may_be_billed(i, hour)]
            known = with_memory(present, earlier=earlier, same_hour=recorded)
            facts.append(_HourFacts(hour=hour, before=before, recorded=recorded, instances=known))
            earlier = (*earlier, *recorded)
        return facts

    def _memory_metrics(self, cluster_id: str, start: datetime, end: datetime) -> ClusterMetrics | None:
        """Return YARN's memory. While CloudWatch fails the hour waits: it is caught up with its idle figure."""
        names = (MetricName.MEMORY_TOTAL_MIB, MetricName.MEMORY_ALLOCATED_MIB)
        return self.metrics.read_metrics([cluster_id], names, start=start, end=end).get(cluster_id)

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
        # The hour recorded last is looked at again: instances and ends are sometimes listed late.
        start = max(first, min(entry.costs_recorded_until, last_end) - HOUR)
        for instance in instances:
            if instance.interrupted and _may_be_restated(instance, now):
                start = min(start, _hour_of(instance.started_at))
    return [start + n * HOUR for n in range(max(0, (last_end - start) // HOUR))]


def _may_be_billed(instance: BilledInstance, hour: datetime) -> bool:
    """Whether an instance may have to do with an hour; generous by the minimum, and by a corrected start."""
    ended = instance.ended_at
    return instance.started_at < hour + 2 * HOUR and (ended is None or ended + MINIMUM > hour)


def _changes(of_hour: _HourFacts, bill: HourBill, idle: IdleFigure | None, assumptions: tuple[str, ...]) -> bool:
    """Whether the hour has to be written: it is new, or its facts say otherwise now.

    A policy changed since is no fact of the hour: it holds from the hours recorded next.
    """
    before = of_hour.before
    if before is None:
        return bool(bill.lines)
    if before.status is RecordStatus.RECONCILED:
        return False
    if before.lines == bill.lines:
        return before.idle is None and idle is not None
    same_facts = any(revision.instances == bill.instances for revision in of_hour.recorded)
    return not (same_facts and before.assumptions != assumptions)


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
