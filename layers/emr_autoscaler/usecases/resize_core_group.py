"""Resize the core group of one cluster; how such a look goes is said by capacity_look.py."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.applications import working_on_nodes
from emr_autoscaler.domain.core_capacity import CoreVerdict, decide_core_capacity
from emr_autoscaler.domain.core_scene import BLOCK_METRICS, YARN_METRICS, CoreEvidence
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.usecases.capacity_look import CapacityLook
from emr_autoscaler.usecases.registry_updates import with_fleet_orders, with_orders
from emr_autoscaler.usecases.unfinished_intents import with_late_changes

RETRY_AFTER_REFUSAL = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeCoreGroup(CapacityLook[CoreEvidence, CoreVerdict]):
    """One look at one cluster's core capacity."""

    kind = DecisionKind.CORE
    evidence_type = CoreEvidence
    metric_names = (MetricName.HDFS_UTILIZATION_PERCENT, *BLOCK_METRICS, *YARN_METRICS)
    window = timedelta(minutes=45)

    def decide(self, evidence: CoreEvidence) -> CoreVerdict:
        """Decide the count of the core group."""
        return decide_core_capacity(evidence)

    def observe(
        self, entry: RegistryEntry, policy: Policy, metrics: ClusterMetrics, now: datetime
    ) -> CoreEvidence:
        """Put together what the decision sees."""
        return CoreEvidence(
            now=now,
            cluster_id=entry.cluster_id,
            state=entry.cluster.state,
            is_paused=entry.is_paused,
            has_managed_scaling=entry.cluster.has_managed_scaling,
            uses_fleets=entry.cluster.uses_fleets,
            groups=entry.groups,
            fleets=entry.fleets,
            dfs_replication=entry.cluster.dfs_replication,
            metrics=metrics,
            policy=policy.core,
            memory=entry.core,
            operator_changes=entry.operator_changes,
            unseen=working_on_nodes(entry.cluster.applications),
            created_at=entry.cluster.created_at,
        )

    def describe_again(self, evidence: CoreEvidence) -> CoreEvidence:
        """Return the evidence with the groups or fleets as EMR describes them now."""
        if evidence.fleets:
            return replace(evidence, fleets=self.reader.list_instance_fleets(evidence.cluster_id))
        return replace(evidence, groups=self.reader.list_instance_groups(evidence.cluster_id))

    def remembered(
        self, entry: RegistryEntry, evidence: CoreEvidence, verdict: CoreVerdict, outcome: Outcome
    ) -> RegistryEntry:
        """Return the entry with the memory of the look and the orders given."""
        if outcome is Outcome.FAILED:
            retry_at = evidence.now + RETRY_AFTER_REFUSAL
            return replace(entry, core=replace(entry.core, next_evaluation_at=retry_at))
        memory = with_late_changes(entry.core, before=evidence.memory, after=verdict.memory)
        entry = replace(entry, core=memory)
        if outcome is not Outcome.DONE:
            return entry
        groups = with_orders(evidence.groups, verdict.decision.targets)
        fleets = with_fleet_orders(evidence.fleets, verdict.decision.targets)
        seen_at = max(entry.groups_seen_at, evidence.now)
        return replace(entry, groups=groups, fleets=fleets, groups_seen_at=seen_at)
