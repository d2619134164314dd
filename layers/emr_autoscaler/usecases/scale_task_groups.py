"""Scale the task groups of one cluster: observe, decide, check again, act, record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.errors import BusyError
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, RegistryEntry
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.domain.task_capacity import TaskVerdict, decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.ports import (
    Clock,
    ClusterActuator,
    ClusterReader,
    EvaluationQueue,
    Leases,
    MetricsReader,
    Pools,
    Registry,
)
from emr_autoscaler.usecases.journal import Journal
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.registry_updates import update_entry, with_orders

METRICS = (
    MetricName.MEMORY_TOTAL_MIB,
    MetricName.MEMORY_ALLOCATED_MIB,
    MetricName.CONTAINER_ALLOCATED,
    MetricName.CONTAINER_PENDING,
    MetricName.CORE_NODES_RUNNING,
    MetricName.TASK_NODES_RUNNING,
)

WINDOW = timedelta(minutes=30)
RETRY_AFTER_REFUSAL = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleTaskGroups:
    """One look at one cluster's task capacity."""

    clock: Clock
    reader: ClusterReader
    actuators: Mapping[Mode, ClusterActuator]
    metrics: MetricsReader
    registry: Registry
    pools: Pools
    leases: Leases
    queue: EvaluationQueue
    policy_in_force: PolicyInForce
    journal: Journal

    def now_or_queued(self, cluster_id: str, *, trigger: str) -> DecisionRecord | None:
        """Decide now, or queue the look where another invocation holds the cluster."""
        try:
            return self(cluster_id, trigger=trigger)
        except BusyError:
            self.queue.request(cluster_id, DecisionKind.TASK, now=self.clock.now(), cause=trigger)
            return None

    def __call__(self, cluster_id: str, *, trigger: str, wait: timedelta = timedelta(0)) -> DecisionRecord | None:
        """Decide and act.

        Args:
            cluster_id: j-...
            trigger: What caused the look.
            wait: How long to wait for another invocation to let go of the cluster.

        Returns:
            What was decided; None for a cluster that is not enrolled, has ended, or has no usable policy.

        Raises:
            BusyError: Another invocation still holds the cluster after ``wait``.
        """
        with self.leases.hold(cluster_id, owner=trigger, wait=wait):
            entry = self.registry.get(cluster_id)
            if entry is None or not entry.is_active:
                return None
            policy = self.policy_in_force(entry)
            if policy is None:
                return None
            intent = self.journal.unfinished(cluster_id, DecisionKind.TASK, now=self.clock.now())
            if intent is not None and isinstance(intent.evidence, TaskEvidence):
                finished = self._carry_out(entry, policy, intent.evidence, intent)
                if intent.trigger == trigger:
                    return finished
                entry = self.registry.get(cluster_id) or entry
            return self._decide(entry, policy, trigger)

    def _decide(self, entry: RegistryEntry, policy: Policy, trigger: str) -> DecisionRecord:
        evidence = self._observe(entry, policy)
        if decide_task_capacity(evidence).decision.changes_something:
            # The stored snapshot said act; EMR itself has the last word before anything is ordered.
            groups = self.reader.list_instance_groups(entry.cluster_id)
            evidence = replace(evidence, groups=groups, groups_are_fresh=True)
        return self._carry_out(entry, policy, evidence, trigger)

    def _carry_out(
        self, entry: RegistryEntry, policy: Policy, evidence: TaskEvidence, cause: DecisionRecord | str
    ) -> DecisionRecord:
        """Carry out what follows from ``evidence``: for a trigger, or to finish an intent."""
        verdict, actuator = decide_task_capacity(evidence), self.actuators[policy.mode]

        def remember(outcome: Outcome) -> None:
            self._remember(entry.cluster_id, evidence, verdict, outcome)

        if isinstance(cause, DecisionRecord):
            return self.journal.finish(cause, entry, actuator, remember=remember)
        return self.journal.carry_out(
            verdict.decision, evidence, entry, actuator, trigger=cause, remember=remember
        )

    def _observe(self, entry: RegistryEntry, policy: Policy) -> TaskEvidence:
        now = self.clock.now()
        metrics = self.metrics.read_metrics([entry.cluster_id], METRICS, start=now - WINDOW, end=now)
        return TaskEvidence(
            now=now,
            cluster_id=entry.cluster_id,
            state=entry.cluster.state,
            is_paused=entry.is_paused,
            has_managed_scaling=entry.cluster.has_managed_scaling,
            uses_fleets=entry.cluster.uses_fleets,
            groups=entry.groups,
            metrics=metrics[entry.cluster_id],
            policy=policy.task,
            memory=entry.task,
            pools=health_of_pools(self.pools, entry, entry.groups),
        )

    def _remember(self, cluster_id: str, evidence: TaskEvidence, verdict: TaskVerdict, outcome: Outcome) -> None:
        def change(entry: RegistryEntry) -> RegistryEntry:
            if outcome is Outcome.FAILED:
                retry_at = evidence.now + RETRY_AFTER_REFUSAL
                return replace(entry, task=replace(entry.task, next_evaluation_at=retry_at))
            groups = evidence.groups if evidence.groups_are_fresh else entry.groups
            seen_at = evidence.now if evidence.groups_are_fresh else entry.groups_seen_at
            if outcome is Outcome.DONE:
                groups = with_orders(groups, verdict.decision.targets)
            return replace(entry, task=verdict.memory, groups=groups, groups_seen_at=seen_at)

        update_entry(self.registry, cluster_id, change)


def health_of_pools(
    pools: Pools, entry: RegistryEntry, groups: tuple[InstanceGroup, ...]
) -> dict[str, PoolHealth]:
    """Return the health of the pool behind each spot task group, by group id."""
    spot = [g for g in groups if g.role is Role.TASK and g.market is Market.SPOT]
    keys = [
        PoolKey(instance_type=g.instance_type, availability_zone=entry.cluster.availability_zone) for g in spot
    ]
    return {group.group_id: health for group, health in zip(spot, pools.get(keys), strict=True)}
