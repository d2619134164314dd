"""Answer what EC2 says of instances that go: replace, alert; capacity that does not come is in cool_pools.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import InstanceGroup, Role
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.fleet_steps import fleet_of
from emr_autoscaler.domain.interruption import InterruptionEvidence, InterruptionVerdict, decide_replacement
from emr_autoscaler.domain.market import with_interruption
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, RegistryEntry
from emr_autoscaler.domain.planned_groups import planned_of
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.domain.pools import cool_pool, note_rebalance
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.ports import (
    Clock,
    ClusterActuator,
    ClusterReader,
    Compute,
    ComputeInstance,
    EvaluationQueue,
    Leases,
    Pools,
    Registry,
)
from emr_autoscaler.usecases.journal import Journal, Remember
from emr_autoscaler.usecases.market_view import free_addresses
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.pool_updates import health_of_pools, update_pool
from emr_autoscaler.usecases.registry_updates import update_entry, with_orders
from emr_autoscaler.usecases.scale_task_groups import ScaleTaskGroups, groups_of
from emr_autoscaler.usecases.unfinished_intents import OVERTAKEN, Progress, progress_of, with_late_changes

WAIT_FOR_LEASE = timedelta(seconds=20)
"""A warning has two minutes: waiting a little beats the minute until a failed invocation is retried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleInterruption:
    """Answers to warnings, recommendations, dry pools and maintenance."""

    clock: Clock
    reader: ClusterReader
    compute: Compute
    actuators: Mapping[Mode, ClusterActuator]
    registry: Registry
    pools: Pools
    leases: Leases
    queue: EvaluationQueue
    policy_in_force: PolicyInForce
    journal: Journal
    scale_task_groups: ScaleTaskGroups

    def answer_warning(self, ec2_instance_id: str, *, warned_at: datetime, trigger: str) -> DecisionRecord | None:
        """Replace a warned task instance; alert for a core or master one.

        Returns:
            What was decided; None for an instance that is none of ours.
        """
        instance = self._find(ec2_instance_id)
        if instance is None or instance.cluster_id is None or instance.role is None:
            return None
        with self.leases.hold(instance.cluster_id, owner=trigger, wait=WAIT_FOR_LEASE):
            entry = self.registry.get(instance.cluster_id)
            if entry is None or not entry.is_active:
                return None
            policy = self.policy_in_force(entry)
            if policy is None:
                return None
            earlier = self._settle_earlier(entry, policy, trigger)
            if earlier is not None and earlier.trigger == trigger:
                return earlier
            entry = self.registry.get(entry.cluster_id) or entry
            evidence = self._observe(entry, policy, instance, warned_at)
            if decide_replacement(evidence).decision.changes_something:
                listed = self.reader.list_instance_groups(entry.cluster_id)
                evidence = replace(
                    evidence,
                    groups=(*listed, *planned_of(evidence.groups)),
                    free_addresses=free_addresses(self.compute, entry),
                )
            verdict, remember = self._conclude(evidence)
            if verdict.decision.action is Action.ALERT:
                return self._alert(verdict.decision, evidence, entry, remember, trigger)
            return self.journal.carry_out(
                verdict.decision, evidence, entry, self.actuators[policy.mode], trigger=trigger, remember=remember
            )

    def _alert(
        self,
        decision: Decision,
        evidence: InterruptionEvidence,
        entry: RegistryEntry,
        remember: Remember,
        trigger: str,
    ) -> DecisionRecord:
        """Tell people before anything is remembered: a warning that comes again tells what could not be told."""
        record = self.journal.reported(decision, trigger=trigger) or self.journal.report(
            decision, entry, trigger=trigger, severity="critical", outcome=Outcome.HELD, evidence=evidence
        )
        remember(record.outcome)
        return record

    def _settle_earlier(self, entry: RegistryEntry, policy: Policy, trigger: str) -> DecisionRecord | None:
        """Finish what a died invocation left, or return what this trigger has led to already."""
        kind, now = DecisionKind.INTERRUPTION, self.clock.now()
        earlier = self.journal.led_to(entry.cluster_id, kind, trigger=trigger, now=now)
        if earlier is None:
            return None
        if earlier.outcome is not Outcome.INTENDED:
            return self.journal.tell(earlier, entry)
        evidence, actuator = earlier.evidence, self.actuators[policy.mode]
        if not isinstance(evidence, InterruptionEvidence):
            return self.scale_task_groups.settle(entry, policy, earlier)
        progress, listed = Progress.OPEN, entry.groups
        if not (earlier.is_dry and actuator.is_dry):
            listed = self.reader.list_instance_groups(entry.cluster_id)
            progress = progress_of(earlier.decision, listed)
        if progress is Progress.OVERTAKEN:
            self.journal.close_unknown(earlier, entry, OVERTAKEN)
            return None
        remember = self._conclude(evidence, seen=listed)[1]
        is_there = progress is Progress.THERE
        return self.journal.finish(earlier, entry, actuator, remember=remember, is_there=is_there)

    def _conclude(
        self, evidence: InterruptionEvidence, *, seen: Sequence[InstanceGroup] | None = None
    ) -> tuple[InterruptionVerdict, Remember]:
        """Decide, note what that says of the pool, and return how it is remembered.

        Args:
            evidence: What is decided on.
            seen: The groups where they were looked at since.
        """
        verdict = decide_replacement(evidence)
        self._note_trouble(evidence, verdict)

        def remember(outcome: Outcome) -> None:
            self._remember(evidence, verdict, outcome, evidence.groups if seen is None else seen)

        return verdict, remember

    def _note_trouble(self, evidence: InterruptionEvidence, verdict: InterruptionVerdict) -> None:
        """Write what a warning did to its pool; what other clusters wrote meanwhile stays."""

        def change(current: PoolHealth) -> PoolHealth:
            if verdict.pool == evidence.pool or current.last_trouble_at == verdict.pool.last_trouble_at:
                return current
            if current == evidence.pool:
                return verdict.pool
            return with_interruption(cool_pool(current, evidence.now), evidence.now)

        update_pool(self.pools, evidence.pool.key, change)

    def note_rebalance(self, ec2_instance_id: str) -> bool:
        """Lower the rank of a pool that EC2 calls at risk; return whether it was one of ours."""
        instance = self._find(ec2_instance_id)
        if instance is None or instance.cluster_id is None or self.registry.get(instance.cluster_id) is None:
            return False
        key = PoolKey(instance_type=instance.instance_type, availability_zone=instance.availability_zone)
        now = self.clock.now()
        update_pool(self.pools, key, lambda health: note_rebalance(health, now))
        return True

    def note_maintenance(self, ec2_instance_ids: Sequence[str], *, trigger: str) -> int:
        """Alert for every enrolled cluster that has one of these instances; return how many."""
        by_cluster: dict[str, list[str]] = {}
        for instance in self.compute.find_instances(ec2_instance_ids):
            if instance.cluster_id is not None:
                by_cluster.setdefault(instance.cluster_id, []).append(
                    f"{instance.role} {instance.ec2_instance_id}"
                )
        alerted = 0
        for cluster_id, who in sorted(by_cluster.items()):
            entry = self.registry.get(cluster_id)
            if entry is None or not entry.is_active:
                continue
            decision = Decision(
                kind=DecisionKind.INTERRUPTION,
                cluster_id=cluster_id,
                decided_at=self.clock.now(),
                action=Action.ALERT,
                reason=Reason.MAINTENANCE_SCHEDULED,
                detail=f"AWS scheduled maintenance of {', '.join(sorted(who))}",
            )
            if self.journal.reported(decision, trigger=trigger) is None:
                self.journal.report(decision, entry, trigger=trigger, severity="warning")
            alerted += 1
        return alerted

    def _find(self, ec2_instance_id: str) -> ComputeInstance | None:
        return next(iter(self.compute.find_instances([ec2_instance_id])), None)

    def _observe(
        self, entry: RegistryEntry, policy: Policy, instance: ComputeInstance, warned_at: datetime
    ) -> InterruptionEvidence:
        now = self.clock.now()
        key = PoolKey(
            instance_type=instance.instance_type,
            availability_zone=instance.availability_zone,
            market=instance.market,
        )
        return InterruptionEvidence(
            now=now,
            warned_at=warned_at,
            cluster_id=entry.cluster_id,
            ec2_instance_id=instance.ec2_instance_id,
            role=instance.role or Role.TASK,
            group_id=self._group_of(entry, instance),
            is_paused=entry.is_paused,
            has_managed_scaling=entry.cluster.has_managed_scaling,
            uses_fleets=entry.cluster.uses_fleets,
            was_warned=instance.ec2_instance_id in entry.warned,
            groups=groups_of(entry, policy),
            fleets=entry.fleets,
            policy=policy.task,
            memory=entry.task,
            pool=self.pools.get([key])[0],
            pools=health_of_pools(self.pools, entry, groups_of(entry, policy), now),
            prices=entry.prices,
        )

    def _group_of(self, entry: RegistryEntry, instance: ComputeInstance) -> str:
        """Return the instance's group or fleet: from the registry where only one fits, else from EMR."""
        fleet = fleet_of(entry.fleets, instance.role or Role.TASK)
        if fleet is not None:
            return fleet.fleet_id
        fitting = [
            g.group_id
            for g in entry.groups
            if (g.role, g.instance_type, g.market) == (instance.role, instance.instance_type, instance.market)
        ]
        if len(fitting) == 1:
            return fitting[0]
        listed = self.reader.list_instances(entry.cluster_id)
        return next((i.group_id for i in listed if i.ec2_instance_id == instance.ec2_instance_id), "")

    def _remember(
        self,
        evidence: InterruptionEvidence,
        verdict: InterruptionVerdict,
        outcome: Outcome,
        groups: Sequence[InstanceGroup],
    ) -> None:
        """Keep what is known, before the order already: whoever comes next does not replace the instance again."""

        def change(entry: RegistryEntry) -> RegistryEntry:
            warned = {**entry.warned, evidence.ec2_instance_id: evidence.now}
            memory = with_late_changes(entry.task, before=evidence.memory, after=verdict.memory)
            entry = replace(entry, warned=warned, task=memory)
            if outcome is not Outcome.DONE:
                return entry
            ordered = with_orders(groups, verdict.decision.targets)
            return replace(entry, groups=ordered, groups_seen_at=max(entry.groups_seen_at, evidence.now))

        update_entry(self.registry, evidence.cluster_id, change)
