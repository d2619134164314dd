"""Answer what EC2 and EMR say of capacity that goes or does not come: replace, cool, alert."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import Market, Role
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
from emr_autoscaler.usecases.journal import Journal
from emr_autoscaler.usecases.market_view import free_addresses
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.pool_updates import fleet_pool_of, health_of_pools, pool_of, update_pool
from emr_autoscaler.usecases.registry_updates import update_entry, with_orders
from emr_autoscaler.usecases.scale_task_groups import groups_of

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
            intent = self.journal.unfinished(entry.cluster_id, DecisionKind.INTERRUPTION, now=self.clock.now())
            if intent is not None and isinstance(intent.evidence, InterruptionEvidence):
                finished = self._carry_out(entry, policy, intent.evidence, intent)
                if intent.trigger == trigger:
                    return finished
                entry = self.registry.get(entry.cluster_id) or entry
            evidence = self._observe(entry, policy, instance, warned_at)
            if decide_replacement(evidence).decision.changes_something:
                listed = self.reader.list_instance_groups(entry.cluster_id)
                evidence = replace(
                    evidence,
                    groups=(*listed, *planned_of(evidence.groups)),
                    free_addresses=free_addresses(self.compute, entry),
                )
            return self._carry_out(entry, policy, evidence, trigger)

    def _carry_out(
        self, entry: RegistryEntry, policy: Policy, evidence: InterruptionEvidence, cause: DecisionRecord | str
    ) -> DecisionRecord:
        """Carry out what follows from ``evidence``: for a trigger, or to finish an intent."""
        verdict, actuator = decide_replacement(evidence), self.actuators[policy.mode]

        def remember(outcome: Outcome) -> None:
            self._remember(entry.cluster_id, evidence, verdict, outcome)

        self._note_trouble(evidence, verdict)
        if isinstance(cause, DecisionRecord):
            return self.journal.finish(cause, entry, actuator, remember=remember)
        record = self.journal.carry_out(
            verdict.decision, evidence, entry, actuator, trigger=cause, remember=remember
        )
        if verdict.decision.action is Action.ALERT:
            self.journal.announce(verdict.decision, entry, severity="critical")
        return record

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

    def note_insufficient_capacity(self, cluster_id: str, group_id: str | None, *, trigger: str) -> bool:
        """Cool the pools that EMR could not buy from, and look at the cluster again.

        Args:
            cluster_id: j-...
            group_id: The group, where the event named one; else every spot group short of nodes.
            trigger: What caused the look.

        Returns:
            Whether the cluster is one of ours.
        """

        def dry(entry: RegistryEntry) -> Iterable[PoolKey]:
            return (
                pool_of(entry, g)
                for g in entry.groups
                if g.market is Market.SPOT
                and (g.group_id == group_id if group_id else g.requested_count > g.running_count)
            )

        return self._cool_and_look(cluster_id, dry, trigger)

    def note_spot_quota(self, cluster_id: str, *, trigger: str) -> bool:
        """Cool every pool of a cluster that reached the account's quota of spot instances, and look again.

        No other pool would help: with all of them cooling the fallback is on-demand.

        Returns:
            Whether the cluster is one of ours.
        """

        def spot(entry: RegistryEntry) -> Iterable[PoolKey]:
            groups = (g for g in entry.groups if g.market is Market.SPOT and g.role is Role.TASK)
            yield from (pool_of(entry, g) for g in groups)
            yield from (fleet_pool_of(entry, fleet) for fleet in entry.fleets if fleet.role is Role.TASK)

        return self._cool_and_look(cluster_id, spot, trigger)

    def note_fleet_shortage(self, cluster_id: str, fleet_id: str | None, *, trigger: str) -> bool:
        """Cool the spot side of a fleet that EMR could not fill from any type, and look at the cluster again.

        Args:
            cluster_id: j-...
            fleet_id: The fleet, where the event named one; else every fleet short of spot units.
            trigger: What caused the look.

        Returns:
            Whether the cluster is one of ours.
        """

        def short(entry: RegistryEntry) -> Iterable[PoolKey]:
            return (
                fleet_pool_of(entry, fleet)
                for fleet in entry.fleets
                if fleet_id in {None, fleet.fleet_id} and fleet.target_spot_units > fleet.provisioned_spot_units
            )

        return self._cool_and_look(cluster_id, short, trigger)

    def _cool_and_look(
        self, cluster_id: str, pools_of: Callable[[RegistryEntry], Iterable[PoolKey]], trigger: str
    ) -> bool:
        """Cool these pools of a cluster of ours, and have it looked at again."""
        entry = self.registry.get(cluster_id)
        if entry is None or not entry.is_active:
            return False
        now = self.clock.now()
        for key in sorted(set(pools_of(entry)), key=lambda k: k.instance_type):
            update_pool(self.pools, key, lambda health: cool_pool(health, now))
        self.queue.request(cluster_id, DecisionKind.TASK, now=now, cause=trigger)
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
            self.journal.write(decision, None, Outcome.DONE, trigger=trigger)
            self.journal.announce(decision, entry, severity="warning")
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
        cluster_id: str,
        evidence: InterruptionEvidence,
        verdict: InterruptionVerdict,
        outcome: Outcome,
    ) -> None:
        def change(entry: RegistryEntry) -> RegistryEntry:
            warned = {**entry.warned, evidence.ec2_instance_id: evidence.now}
            entry = replace(entry, warned=warned, task=verdict.memory)
            if outcome is not Outcome.DONE:
                return entry
            groups = with_orders(evidence.groups, verdict.decision.targets)
            return replace(entry, groups=groups, groups_seen_at=evidence.now)

        update_entry(self.registry, cluster_id, change)
