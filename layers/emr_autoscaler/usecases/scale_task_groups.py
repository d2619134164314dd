"""Scale the task groups of one cluster; how such a look goes is said by capacity_look.py."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.memory import PoolHealth, RegistryEntry
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.domain.pools import cool_pool
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.domain.task_capacity import TaskVerdict, decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.ports import Compute, Pools
from emr_autoscaler.usecases.capacity_look import CapacityLook
from emr_autoscaler.usecases.market_view import free_addresses, launched_instances, remembered_addresses
from emr_autoscaler.usecases.pool_updates import health_of_pools, update_pool
from emr_autoscaler.usecases.registry_updates import with_orders

RETRY_AFTER_REFUSAL = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleTaskGroups(CapacityLook[TaskEvidence, TaskVerdict]):
    """One look at one cluster's task capacity."""

    kind = DecisionKind.TASK
    evidence_type = TaskEvidence
    metric_names = (
        MetricName.MEMORY_TOTAL_MIB,
        MetricName.MEMORY_ALLOCATED_MIB,
        MetricName.CONTAINER_ALLOCATED,
        MetricName.CONTAINER_PENDING,
        MetricName.CORE_NODES_RUNNING,
        MetricName.TASK_NODES_RUNNING,
    )
    window = timedelta(minutes=30)

    pools: Pools
    compute: Compute

    def decide(self, evidence: TaskEvidence) -> TaskVerdict:
        """Decide the counts of the task groups."""
        return decide_task_capacity(evidence)

    def observe(
        self, entry: RegistryEntry, policy: Policy, metrics: ClusterMetrics, now: datetime
    ) -> TaskEvidence:
        """Put together what the decision sees."""
        return TaskEvidence(
            now=now,
            cluster_id=entry.cluster_id,
            state=entry.cluster.state,
            is_paused=entry.is_paused,
            has_managed_scaling=entry.cluster.has_managed_scaling,
            uses_fleets=entry.cluster.uses_fleets,
            groups=entry.groups,
            metrics=metrics,
            policy=policy.task,
            memory=entry.task,
            pools=health_of_pools(self.pools, entry, entry.groups),
            prices=entry.prices,
            free_addresses=remembered_addresses(entry, now),
            launched=launched_instances(self.compute, entry, entry.groups, now),
        )

    def check_again(self, evidence: TaskEvidence) -> TaskEvidence:
        """Return the evidence with the groups as EMR describes them now."""
        groups = self.reader.list_instance_groups(evidence.cluster_id)
        entry = self.registry.get(evidence.cluster_id)
        addresses = None if entry is None else free_addresses(self.compute, entry)
        return replace(evidence, groups=groups, groups_are_fresh=True, free_addresses=addresses)

    def note(self, evidence: TaskEvidence, verdict: TaskVerdict) -> None:
        """Cool the pools whose requests stay unmet; other clusters should not ask them either."""
        for cooled in verdict.pools:

            def change(current: PoolHealth) -> PoolHealth:
                return current if current.is_cooling(evidence.now) else cool_pool(current, evidence.now)

            update_pool(self.pools, cooled.key, change)

    def remembered(
        self, entry: RegistryEntry, evidence: TaskEvidence, verdict: TaskVerdict, outcome: Outcome
    ) -> RegistryEntry:
        """Return the entry with the memory of the look and the orders given."""
        if outcome is Outcome.FAILED:
            retry_at = evidence.now + RETRY_AFTER_REFUSAL
            return replace(entry, task=replace(entry.task, next_evaluation_at=retry_at))
        groups = evidence.groups if evidence.groups_are_fresh else entry.groups
        seen_at = evidence.now if evidence.groups_are_fresh else entry.groups_seen_at
        if outcome is Outcome.DONE:
            groups = with_orders(groups, verdict.decision.targets)
        entry = replace(entry, task=verdict.memory, groups=groups, groups_seen_at=seen_at)
        if evidence.groups_are_fresh:
            entry = replace(entry, free_addresses=evidence.free_addresses, free_addresses_at=evidence.now)
        return entry
