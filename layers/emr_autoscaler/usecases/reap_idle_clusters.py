"""Announce idle and overdue clusters, and end them once EMR itself confirms that nothing runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.decision import Action
from emr_autoscaler.domain.errors import BusyError
from emr_autoscaler.domain.idleness import (
    WORK_METRICS,
    IdleEvidence,
    IdleVerdict,
    Recheck,
    decide_reaping,
    is_surely_busy,
)
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.ports import Clock, ClusterActuator, ClusterReader, Leases, MetricsReader, Registry
from emr_autoscaler.usecases.journal import Journal
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.registry_updates import update_entry

METRICS = (MetricName.IS_IDLE, *WORK_METRICS)
RECENT = timedelta(minutes=15)
"""Reaches back to the newest sample, as long as that counts."""

BEYOND_IDLE_TIME = timedelta(minutes=15)
"""Samples a little older than the idle time prove that it was idle at its start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReapIdleClusters:
    """One look at the idleness of some or all enrolled clusters."""

    clock: Clock
    reader: ClusterReader
    actuators: Mapping[Mode, ClusterActuator]
    metrics: MetricsReader
    registry: Registry
    leases: Leases
    policy_in_force: PolicyInForce
    journal: Journal

    def __call__(self, cluster_ids: Sequence[str] | None = None, *, trigger: str) -> tuple[DecisionRecord, ...]:
        """Decide on the clusters named, or on all enrolled ones.

        A cluster that another invocation holds is left for the next schedule: reaping is never urgent.

        Returns:
            The decisions that are more than an unchanged hold.
        """
        entries = [entry for entry in self._entries(cluster_ids) if entry.is_active]
        policies = {entry.cluster_id: self.policy_in_force(entry) for entry in entries}
        wanted = [(entry, policy) for entry in entries if (policy := policies[entry.cluster_id]) is not None]
        if not wanted:
            return ()
        now = self.clock.now()
        longest = max(policy.idle.idle_for for _entry, policy in wanted) + BEYOND_IDLE_TIME
        metrics = self._read([entry.cluster_id for entry, _policy in wanted], now - longest, now)
        records = [self._look(entry, policy, metrics[entry.cluster_id], now, trigger) for entry, policy in wanted]
        return tuple(record for record in records if record is not None)

    def _read(self, cluster_ids: Sequence[str], start: datetime, now: datetime) -> Mapping[str, ClusterMetrics]:
        """Read the newest IsIdle of all, and what proves idleness of those only that it does not call busy.

        CloudWatch charges by the metric, and most clusters work most of the time.
        """
        newest = self.metrics.read_metrics(cluster_ids, (MetricName.IS_IDLE,), start=now - RECENT, end=now)
        quiet = [cluster_id for cluster_id in cluster_ids if not is_surely_busy(newest[cluster_id], now)]
        if not quiet:
            return newest
        return {**newest, **self.metrics.read_metrics(quiet, METRICS, start=start, end=now)}

    def _entries(self, cluster_ids: Sequence[str] | None) -> tuple[RegistryEntry, ...]:
        if cluster_ids is None:
            return self.registry.all()
        found = (self.registry.get(cluster_id) for cluster_id in cluster_ids)
        return tuple(entry for entry in found if entry is not None)

    def _look(
        self, known: RegistryEntry, policy: Policy, metrics: ClusterMetrics, now: datetime, trigger: str
    ) -> DecisionRecord | None:
        """Decide on the entry as it was listed, and again under the lease where something is to be done."""
        if decide_reaping(_evidence(known, policy, metrics, now)).changes_nothing(known.idle):
            return None  # holding on every cluster every five minutes is worth neither a lease nor a record
        try:
            with self.leases.hold(known.cluster_id, owner=trigger):
                entry = self.registry.get(known.cluster_id)
                if entry is None or not entry.is_active:
                    return None
                return self._decide(entry, policy, _evidence(entry, policy, metrics, now), trigger)
        except BusyError:
            return None

    def _decide(
        self, entry: RegistryEntry, policy: Policy, evidence: IdleEvidence, trigger: str
    ) -> DecisionRecord | None:
        verdict = decide_reaping(evidence)
        if verdict.needs_recheck:
            evidence = replace(evidence, recheck=self._ask_emr(entry.cluster_id))
            verdict = decide_reaping(evidence)
        if verdict.changes_nothing(entry.idle):
            return None
        decision = verdict.decision
        if decision.action is Action.ANNOUNCE:
            record = self.journal.reported(decision, trigger=trigger) or self.journal.report(
                decision,
                entry,
                trigger=trigger,
                severity="warning",
                outcome=Outcome.HELD,
                evidence=evidence,
                dry=policy.mode is Mode.DRY_RUN,
            )
        else:
            actuator = self.actuators[policy.mode]
            record = self.journal.carry_out(decision, evidence, entry, actuator, trigger=trigger)
        self._remember(entry, verdict, record)
        return record

    def _ask_emr(self, cluster_id: str) -> Recheck:
        return Recheck(
            cluster=self.reader.describe_cluster(cluster_id),
            has_unfinished_steps=self.reader.has_unfinished_steps(cluster_id),
        )

    def _remember(self, entry: RegistryEntry, verdict: IdleVerdict, record: DecisionRecord) -> None:
        memory = verdict.memory
        if verdict.decision.action is Action.TERMINATE and record.outcome is not Outcome.DONE:
            # Refused or only rehearsed: announce again rather than repeat the order every five minutes.
            memory = replace(memory, announced_at=self.clock.now())
        update_entry(self.registry, entry.cluster_id, lambda current: replace(current, idle=memory))


def _evidence(entry: RegistryEntry, policy: Policy, metrics: ClusterMetrics, now: datetime) -> IdleEvidence:
    return IdleEvidence(
        now=now,
        cluster=entry.cluster,
        is_paused=entry.is_paused,
        metrics=metrics,
        policy=policy.idle,
        memory=entry.idle,
    )
