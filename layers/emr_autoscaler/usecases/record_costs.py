"""Record what each cluster-hour cost, whole and from facts; restate hours that later facts change."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.billing import HOUR, MINIMUM, bill_instances, instances_in
from emr_autoscaler.domain.cost_history import HourBill, HourRevision
from emr_autoscaler.domain.costs import BilledInstance, HourRecord, RecordStatus
from emr_autoscaler.domain.errors import AutoscalerError, UnavailableError
from emr_autoscaler.domain.idle_cost import idle_figure
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.policy import CostPolicy, Mode
from emr_autoscaler.domain.price_book import PRICE_ASSUMED, PriceBook
from emr_autoscaler.domain.restatement import has_same_facts
from emr_autoscaler.ports import Clock, ClusterReader, Compute, Costs, Decisions, MetricsReader, Registry
from emr_autoscaler.usecases.billed_instances import with_memory
from emr_autoscaler.usecases.hour_prices import FindPrices
from emr_autoscaler.usecases.hour_savings import SavingsOfHours
from emr_autoscaler.usecases.hours_due import RESTATED, hours_to_compute, is_over
from emr_autoscaler.usecases.instance_facts import FindInstances, InstanceFacts, due_for_a_list
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.refresh_prices import RefreshPrices
from emr_autoscaler.usecases.registry_updates import update_entry

REMEMBER_INTERRUPTIONS = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class _HourFacts:
    """What one hour is computed from: what was recorded of it, and the instances as they are known now."""

    hour: datetime
    before: HourRecord | None
    recorded: tuple[HourRevision, ...]
    instances: tuple[BilledInstance, ...]

    def as_recorded(self, prices: PriceBook) -> HourRevision | None:
        """Return what is recorded, where instances and prices known now make no other hour.

        The instances are those known now: what they do in later hours is no reason to restate this one.
        """
        latest = self.recorded[-1] if self.recorded else None
        if self.before is None or latest is None or latest.record.revision != self.before.revision:
            return None
        if not has_same_facts(latest, self.instances, prices):
            return None
        known = {i.ec2_instance_id: i for i in instances_in(self.hour, self.instances)}
        parts = (replace(part, instance=known[part.instance.ec2_instance_id]) for part in latest.instances)
        return replace(latest, instances=tuple(parts))


@dataclass(slots=True, kw_only=True)
class _Run:
    """What the clusters of one run share, and what came of it."""

    find_instances: FindInstances
    find_prices: FindPrices
    written: list[HourRecord] = field(default_factory=list)
    failures: list[AutoscalerError] = field(default_factory=list)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Keep an error for the end: one cluster's trouble must not cost the others their hour."""
        try:
            yield
        except AutoscalerError as error:
            self.failures.append(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCosts:
    """Records hours of some or all enrolled clusters, opted out ones included until they end."""

    clock: Clock
    reader: ClusterReader
    compute: Compute
    metrics: MetricsReader
    registry: Registry
    costs: Costs
    decisions: Decisions
    refresh_prices: RefreshPrices
    policy_in_force: PolicyInForce

    def __call__(self, cluster_ids: Sequence[str] | None = None) -> tuple[HourRecord, ...]:
        """Record every finished hour not recorded yet; for ended clusters the last one as well.

        Args:
            cluster_ids: Clusters whose instances EMR is to list; None for all, mostly from what EC2 knows.

        Returns:
            The hours written or restated.

        Raises:
            PriceMissingError: A price cannot be traced; hours of other clusters are recorded first.
        """
        entries = self.registry.all() if cluster_ids is None else self._named(cluster_ids)
        run = _Run(
            find_instances=FindInstances(reader=self.reader, compute=self.compute, costs=self.costs),
            find_prices=FindPrices(
                clock=self.clock, costs=self.costs, compute=self.compute, refresh_prices=self.refresh_prices
            ),
        )
        if cluster_ids is not None:
            self._list(entries, run)
        else:
            # What EC2 tells comes first: a cluster that waits for EMR's quota keeps no other waiting.
            open_ids = {entry.cluster_id for entry in entries if not self._carry(entry, run)}
            self._list([entry for entry in entries if entry.cluster_id in open_ids], run)
            self._list_by_turns([entry for entry in entries if entry.cluster_id not in open_ids], run)
        if run.failures:
            raise run.failures[0]
        return tuple(run.written)

    def _carry(self, entry: RegistryEntry, run: _Run) -> bool:
        """Record a cluster from what EC2 knows; return False where EMR has to be asked."""
        with run.going_on():
            facts = run.find_instances.carried(entry, self.clock.now())
            if facts is None:
                return False
            run.written += self._record(entry, facts, run)
        return True

    def _list(self, entries: Sequence[RegistryEntry], run: _Run) -> None:
        """Record clusters from what EMR lists."""
        for entry in entries:
            with run.going_on():
                known = self._ended(entry)
                run.written += self._record(known, run.find_instances.listed(known), run)

    def _list_by_turns(self, entries: Sequence[RegistryEntry], run: _Run) -> None:
        """Let EMR list clusters that it has not listed for long; a throttled one waits for the next run."""
        for waiting in due_for_a_list(entries, self.clock.now()):
            entry = self.registry.get(waiting.cluster_id)
            if entry is None:
                continue
            try:
                facts = run.find_instances.listed(entry)
            except UnavailableError:
                return
            with run.going_on():
                run.written += self._record(entry, facts, run)

    def _named(self, cluster_ids: Sequence[str]) -> tuple[RegistryEntry, ...]:
        found = (self.registry.get(cluster_id) for cluster_id in cluster_ids)
        return tuple(entry for entry in found if entry is not None and not entry.cost_closed)

    def _ended(self, entry: RegistryEntry) -> RegistryEntry:
        """Return an entry that knows when its cluster ended, where it has."""
        if entry.cluster.state.has_ended and entry.cluster.ended_at is None:
            return replace(entry, cluster=self.reader.describe_cluster(entry.cluster_id))
        return entry

    def _record(self, entry: RegistryEntry, facts: InstanceFacts, run: _Run) -> list[HourRecord]:
        now = self.clock.now()
        proven = {i: now for i in facts.proven if i not in entry.interrupted}
        entry = replace(entry, interrupted={**entry.interrupted, **proven})
        if proven:  # at once: EC2 forgets the proof within the hour, and this run may die before its end
            self._note_interruptions(entry.cluster_id, proven)
        hours = hours_to_compute(entry, facts, now)
        written = self._compute(entry, facts.instances, hours, run, now) if hours else []
        self._remember(entry, facts, hours, now)
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
        run: _Run,
        now: datetime,
    ) -> list[HourRecord]:
        region = entry.cluster.region
        facts = self._facts(entry, instances, hours)
        everyone = [i for of_hour in facts for i in of_hour.instances]
        prices = run.find_prices(everyone, region, hours[0], hours[-1] + HOUR)
        policy = self.policy_in_force(entry) if entry.policy_name else None
        assumed = policy.cost if policy else CostPolicy()
        metrics = self._memory_metrics(entry.cluster_id, hours[0], hours[-1] + HOUR)
        live = policy is not None and policy.mode is Mode.LIVE
        saved = SavingsOfHours(costs=self.costs, decisions=self.decisions, entry=entry, live=live)
        written = []
        for of_hour in facts:
            hour, before = of_hour.hour, of_hour.before
            kept = of_hour.as_recorded(prices.book)
            if kept is not None:
                bill = HourBill(lines=kept.record.lines, instances=kept.instances)
                labels, idle = kept.record.assumptions, kept.record.idle
            else:
                bill = bill_instances(hour, of_hour.instances, prices.book, region=region, policy=assumed)
                sources = {line.price_source for line in bill.lines}
                labels, idle = (*assumed.assumptions, *prices.assumptions(hour, sources)), None
            present = [part.instance for part in bill.instances]
            record = HourRecord(
                account_id=entry.cluster.account_id,
                region=region,
                cluster_id=entry.cluster_id,
                cluster_name=entry.cluster.name,
                hour=hour,
                cost_centre=before.cost_centre if before else entry.cost_centre,
                lines=bill.lines,
                idle=idle or idle_figure(hour, bill.lines, present, metrics),
                savings=saved(hour, bill.lines, present, before),
                assumptions=labels,
                recorded_at=now,
            )
            if _changes(of_hour, bill, record):
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

    def _remember(
        self, entry: RegistryEntry, facts: InstanceFacts, hours: Sequence[datetime], now: datetime
    ) -> None:
        until = hours[-1] + HOUR if hours else entry.costs_recorded_until
        # An ended cluster stays open for as long as a restatement of its last hours is possible.
        closed = is_over(entry, facts.instances)
        closed = closed and entry.cluster.ended_at is not None and now >= entry.cluster.ended_at + RESTATED

        def change(current: RegistryEntry) -> RegistryEntry:
            known = {**current.interrupted, **entry.interrupted}
            return replace(
                current,
                cluster=entry.cluster if entry.cluster.state.has_ended else current.cluster,
                costs_recorded_until=until,
                instances_listed_at=now if facts.listed else current.instances_listed_at,
                instances_seen_at=now,
                interrupted={i: at for i, at in known.items() if now - at < REMEMBER_INTERRUPTIONS},
                cost_closed=closed,
            )

        update_entry(self.registry, entry.cluster_id, change)


def _may_be_billed(instance: BilledInstance, hour: datetime) -> bool:
    """Whether an instance may have to do with an hour; generous by the minimum, and by a corrected start."""
    ended = instance.ended_at
    return instance.started_at < hour + 2 * HOUR and (ended is None or ended + MINIMUM > hour)


def _changes(of_hour: _HourFacts, bill: HourBill, record: HourRecord) -> bool:
    """Whether the hour has to be written: it is new, or its facts say otherwise now.

    A policy changed since is no fact of the hour: it holds from the hours recorded next.
    """
    before = of_hour.before
    if before is None:
        return bool(record.lines)
    if before.status is RecordStatus.RECONCILED:
        return False
    if before.lines == record.lines:
        known_since = before.idle is None and record.idle is not None
        return known_since or (not before.reaping_saving_usd and bool(record.reaping_saving_usd))
    same_facts = any(revision.instances == bill.instances for revision in of_hour.recorded)
    return not (same_facts and _configured(before) != _configured(record))


def _configured(record: HourRecord) -> list[str]:
    """Return the assumptions that the policy made; a price that was assumed is a fact that was missing."""
    return [text for text in record.assumptions if not text.startswith(PRICE_ASSUMED)]
