"""Record what each cluster-hour cost, whole and from facts; restate hours that later facts change."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.billing import HOUR, bill_hour
from emr_autoscaler.domain.cost_history import HourBill
from emr_autoscaler.domain.costs import BilledInstance, HourRecord
from emr_autoscaler.domain.errors import AutoscalerError, UnavailableError
from emr_autoscaler.domain.idle_cost import idle_figure
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.policy import CostPolicy, Mode
from emr_autoscaler.ports import Clock, ClusterReader, Compute, Costs, Decisions, MetricsReader, Registry
from emr_autoscaler.usecases.hour_facts import find_hour_facts
from emr_autoscaler.usecases.hour_prices import FindPrices
from emr_autoscaler.usecases.hour_savings import SavingsOfHours
from emr_autoscaler.usecases.hours_due import RESTATED, hours_to_compute, is_over
from emr_autoscaler.usecases.instance_facts import FindInstances, InstanceFacts, due_for_a_list
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.refresh_prices import RefreshPrices
from emr_autoscaler.usecases.registry_updates import update_entry

REMEMBER_INTERRUPTIONS = timedelta(days=7)


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
        facts = find_hour_facts(self.costs, entry, instances, hours)
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
                bill = bill_hour(hour, of_hour.instances, prices.book, region=region, policy=assumed)
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
            if of_hour.is_changed_by(bill, record):
                written.append(self.costs.put_hour(record, bill.instances))
        return written

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
