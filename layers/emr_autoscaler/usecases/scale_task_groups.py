"""Scale the task groups of one cluster; how such a look goes is said by capacity_look.py."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.applications import working_on_nodes
from emr_autoscaler.domain.cluster import InstanceGroup
from emr_autoscaler.domain.decision import Decision, DecisionKind
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.memory import PoolHealth, RegistryEntry, TaskMemory
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.planned_groups import (
    planned_fleets_of,
    planned_of,
    with_planned,
    with_planned_fleets,
    without_planned,
    without_planned_fleets,
)
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.domain.pools import cool_pool
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.domain.recorded_look import RecordedLook
from emr_autoscaler.domain.snapshot import NodeLoad, as_metrics, is_pushing, last_pushed_at
from emr_autoscaler.domain.task_capacity import TaskVerdict, decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.ports import Compute, Pools
from emr_autoscaler.usecases.capacity_look import CapacityLook
from emr_autoscaler.usecases.market_view import free_addresses, launched_instances, remembered_addresses
from emr_autoscaler.usecases.node_groups import find_node_groups, task_nodes, with_fleet_nodes
from emr_autoscaler.usecases.pool_updates import health_of_pools, update_pool
from emr_autoscaler.usecases.registry_updates import with_fleet_orders, with_orders
from emr_autoscaler.usecases.unfinished_intents import with_late_changes

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
        MetricName.APPS_SUBMITTED,
        MetricName.APPS_RUNNING,
        MetricName.APPS_PENDING,
    )
    window = timedelta(minutes=30)

    pools: Pools
    compute: Compute

    def decide(self, evidence: TaskEvidence) -> TaskVerdict:
        """Decide the counts of the task groups."""
        return decide_task_capacity(evidence)

    def read_metrics(self, entry: RegistryEntry, now: datetime) -> ClusterMetrics:
        """Return what a probe pushed; where it is silent what CloudWatch has that is newer than its last word."""
        pushed = entry.task.pushed
        if is_pushing(pushed, now):
            return as_metrics(entry.cluster_id, pushed, now=now)
        read = self.read_cloudwatch(entry.cluster_id, now)
        return read.after(pushed[-1].at) if pushed else read

    def observe(
        self,
        entry: RegistryEntry,
        policy: Policy,
        metrics: ClusterMetrics,
        now: datetime,
        *,
        memory: TaskMemory | None = None,
        nodes: tuple[NodeLoad, ...] = (),
    ) -> TaskEvidence:
        """Put together what the decision sees.

        Args:
            entry: What is stored of the cluster.
            policy: In force.
            metrics: Of the cluster.
            now: The time of the look.
            memory: What is remembered, where it is more than the entry has.
            nodes: What runs on each node, where the metrics are a snapshot that tells.
        """
        groups = groups_of(entry, policy)
        return TaskEvidence(
            now=now,
            cluster_id=entry.cluster_id,
            state=entry.cluster.state,
            is_paused=entry.is_paused,
            has_managed_scaling=entry.cluster.has_managed_scaling,
            uses_fleets=entry.cluster.uses_fleets,
            groups=groups,
            fleets=fleets_of(entry, policy),
            metrics=metrics,
            policy=policy.task,
            memory=memory or entry.task,
            steps=entry.steps,
            operator_changes=entry.operator_changes,
            unseen=working_on_nodes(entry.cluster.applications),
            node_groups=entry.node_groups,
            node_units=entry.node_units,
            pools=health_of_pools(self.pools, entry, groups, now),
            prices=entry.prices,
            free_addresses=remembered_addresses(entry, now),
            launched=launched_instances(self.compute, entry, groups, now),
            nodes=nodes,
        )

    def describe_again(self, evidence: TaskEvidence) -> TaskEvidence:
        """Return the evidence with the groups or fleets as EMR describes them now."""
        if evidence.fleets:
            listed_fleets = self.reader.list_instance_fleets(evidence.cluster_id)
            fleets = with_planned_fleets(listed_fleets, planned_fleets_of(evidence.fleets))
            return replace(evidence, fleets=fleets, groups_are_fresh=True)
        listed = self.reader.list_instance_groups(evidence.cluster_id)
        return replace(evidence, groups=(*listed, *planned_of(evidence.groups)), groups_are_fresh=True)

    def check_again(self, evidence: TaskEvidence) -> TaskEvidence:
        """Return the evidence with groups or fleets and their nodes as they are now, and free addresses."""
        evidence = self.describe_again(evidence)
        if evidence.fleets:
            evidence = with_fleet_nodes(evidence, self.compute)
        else:
            found = find_node_groups(evidence, evidence.groups, self.compute, self.reader)
            evidence = replace(evidence, node_groups=found)
        entry = self.registry.get(evidence.cluster_id)
        return replace(evidence, free_addresses=None if entry is None else free_addresses(self.compute, entry))

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
        pushed = max(entry.task.pushed, evidence.memory.pushed, key=last_pushed_at)
        seen, last = recorded_look(verdict.decision, outcome), entry.task.recorded
        recorded = last if last is not None and last.at > seen.at else seen
        if outcome is Outcome.FAILED:
            retry_at = evidence.now + RETRY_AFTER_REFUSAL
            memory = replace(entry.task, next_evaluation_at=retry_at, pushed=pushed, recorded=recorded)
            return replace(entry, task=memory)
        groups = without_planned(evidence.groups) if evidence.groups_are_fresh else entry.groups
        fleets = without_planned_fleets(evidence.fleets) if evidence.groups_are_fresh else entry.fleets
        seen_at = max(evidence.now, entry.groups_seen_at) if evidence.groups_are_fresh else entry.groups_seen_at
        if outcome is Outcome.DONE:
            groups = with_orders(groups, verdict.decision.targets)
            fleets = with_fleet_orders(fleets, verdict.decision.targets)
        memory = with_late_changes(entry.task, before=evidence.memory, after=verdict.memory)
        memory = replace(memory, pushed=pushed, recorded=recorded)
        entry = replace(entry, task=memory, groups=groups, fleets=fleets, groups_seen_at=seen_at)
        if evidence.nodes:
            found = task_nodes(evidence)
            units = {ec2_id: count for ec2_id, count in evidence.node_units.items() if ec2_id in found}
            entry = replace(entry, node_groups=found, node_units=units)
        if evidence.groups_are_fresh:
            entry = replace(entry, free_addresses=evidence.free_addresses, free_addresses_at=evidence.now)
        return entry


def groups_of(entry: RegistryEntry, policy: Policy) -> tuple[InstanceGroup, ...]:
    """Return the groups to decide with: a dry run counts those in that it would have created."""
    return with_planned(entry.groups, entry.planned) if policy.mode is Mode.DRY_RUN else entry.groups


def fleets_of(entry: RegistryEntry, policy: Policy) -> tuple[InstanceFleet, ...]:
    """Return the fleets to decide with: a dry run counts the task fleet in that it would have created."""
    return with_planned_fleets(entry.fleets, entry.planned_fleets) if policy.mode is Mode.DRY_RUN else entry.fleets


def recorded_look(decision: Decision, outcome: Outcome) -> RecordedLook:
    """Return what is remembered of a recorded decision."""
    return RecordedLook(
        at=decision.decided_at,
        action=decision.action,
        reason=decision.reason,
        ordered=outcome is Outcome.DONE,
        refused=outcome is Outcome.FAILED,
    )
