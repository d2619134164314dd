"""Resize the core group of one cluster: observe, decide, check again, act, record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from emr_autoscaler.domain.core_capacity import (
    BLOCK_METRICS,
    CoreEvidence,
    CoreVerdict,
    decide_core_capacity,
)
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.errors import BusyError
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.ports import (
    Clock,
    ClusterActuator,
    ClusterReader,
    EvaluationQueue,
    Leases,
    MetricsReader,
    Registry,
)
from emr_autoscaler.usecases.journal import Journal
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.registry_updates import update_entry, with_orders

METRICS = (MetricName.HDFS_UTILIZATION_PERCENT, *BLOCK_METRICS)
WINDOW = timedelta(minutes=45)
RETRY_AFTER_REFUSAL = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeCoreGroup:
    """One look at one cluster's core capacity."""

    clock: Clock
    reader: ClusterReader
    actuators: Mapping[Mode, ClusterActuator]
    metrics: MetricsReader
    registry: Registry
    leases: Leases
    queue: EvaluationQueue
    policy_in_force: PolicyInForce
    journal: Journal

    def now_or_queued(self, cluster_id: str, *, trigger: str) -> DecisionRecord | None:
        """Decide now, or queue the look where another invocation holds the cluster."""
        try:
            return self(cluster_id, trigger=trigger)
        except BusyError:
            self.queue.request(cluster_id, DecisionKind.CORE, now=self.clock.now(), cause=trigger)
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
            intent = self.journal.unfinished(cluster_id, DecisionKind.CORE, now=self.clock.now())
            if intent is not None and isinstance(intent.evidence, CoreEvidence):
                finished = self._carry_out(entry, policy, intent.evidence, intent)
                if intent.trigger == trigger:
                    return finished
                entry = self.registry.get(cluster_id) or entry
            return self._decide(entry, policy, trigger)

    def _decide(self, entry: RegistryEntry, policy: Policy, trigger: str) -> DecisionRecord:
        evidence = self._observe(entry, policy)
        if decide_core_capacity(evidence).decision.changes_something:
            # The stored snapshot said act; EMR itself has the last word before anything is ordered.
            evidence = replace(evidence, groups=self.reader.list_instance_groups(entry.cluster_id))
        return self._carry_out(entry, policy, evidence, trigger)

    def _carry_out(
        self, entry: RegistryEntry, policy: Policy, evidence: CoreEvidence, cause: DecisionRecord | str
    ) -> DecisionRecord:
        """Carry out what follows from ``evidence``: for a trigger, or to finish an intent."""
        verdict, actuator = decide_core_capacity(evidence), self.actuators[policy.mode]

        def remember(outcome: Outcome) -> None:
            self._remember(entry.cluster_id, evidence, verdict, outcome)

        if isinstance(cause, DecisionRecord):
            return self.journal.finish(cause, entry, actuator, remember=remember)
        return self.journal.carry_out(
            verdict.decision, evidence, entry, actuator, trigger=cause, remember=remember
        )

    def _observe(self, entry: RegistryEntry, policy: Policy) -> CoreEvidence:
        now = self.clock.now()
        metrics = self.metrics.read_metrics([entry.cluster_id], METRICS, start=now - WINDOW, end=now)
        return CoreEvidence(
            now=now,
            cluster_id=entry.cluster_id,
            state=entry.cluster.state,
            is_paused=entry.is_paused,
            has_managed_scaling=entry.cluster.has_managed_scaling,
            uses_fleets=entry.cluster.uses_fleets,
            groups=entry.groups,
            dfs_replication=entry.cluster.dfs_replication,
            metrics=metrics[entry.cluster_id],
            policy=policy.core,
            memory=entry.core,
        )

    def _remember(self, cluster_id: str, evidence: CoreEvidence, verdict: CoreVerdict, outcome: Outcome) -> None:
        def change(entry: RegistryEntry) -> RegistryEntry:
            if outcome is Outcome.FAILED:
                retry_at = evidence.now + RETRY_AFTER_REFUSAL
                return replace(entry, core=replace(entry.core, next_evaluation_at=retry_at))
            entry = replace(entry, core=verdict.memory)
            if outcome is not Outcome.DONE:
                return entry
            groups = with_orders(evidence.groups, verdict.decision.targets)
            return replace(entry, groups=groups, groups_seen_at=evidence.now)

        update_entry(self.registry, cluster_id, change)
