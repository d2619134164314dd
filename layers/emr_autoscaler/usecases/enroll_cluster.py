"""Take a cluster in, keep what is known of it, and let it go: registry entry, alarms, task groups or fleet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from emr_autoscaler.domain.cluster import Cluster, ClusterState, InstanceGroup, Role
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.enrolment import (
    WatchedMetric,
    cost_centre_of,
    fingerprint,
    policy_name_of,
    wanted_alarms,
)
from emr_autoscaler.domain.errors import RefusedError, UnavailableError
from emr_autoscaler.domain.fleet_selection import missing_task_fleet
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.planned_groups import plan_fleet, plan_groups
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.domain.pool_selection import (
    Availability,
    WantedGroup,
    pool_warnings,
    select_pools,
    types_in_question,
)
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.ports import (
    Alarms,
    AlarmSpec,
    Clock,
    ClusterActuator,
    ClusterReader,
    Compute,
    EvaluationQueue,
    NewTaskFleet,
    NewTaskGroup,
    Notification,
    Notifier,
    Registry,
)
from emr_autoscaler.usecases.follow_groups import FollowGroups
from emr_autoscaler.usecases.journal import SUBJECT_LIMIT, Journal
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.pool_availability import availability_of
from emr_autoscaler.usecases.registry_updates import update_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollCluster:
    """Keeps the registry true to EMR, and each opted-in cluster's alarms and groups to its policy."""

    clock: Clock
    reader: ClusterReader
    actuators: Mapping[Mode, ClusterActuator]
    alarms: Alarms
    registry: Registry
    queue: EvaluationQueue
    compute: Compute
    notifier: Notifier
    policy_in_force: PolicyInForce
    follow_groups: FollowGroups
    journal: Journal
    prefix: str
    cost_centre_tag: str

    def __call__(self, cluster_id: str) -> RegistryEntry | None:
        """Bring everything up to date with one cluster.

        One that ended before anybody looked is taken in all the same: its cost is recorded, nothing else.

        Returns:
            Its entry; None for a cluster that never opted in.

        Raises:
            NotFoundError: There is no such cluster.
        """
        cluster = self.reader.describe_cluster(cluster_id)
        entry = self.registry.get(cluster_id)
        if entry is None and not policy_name_of(cluster):
            return None
        asked_at = self.clock.now()
        groups = () if cluster.uses_fleets else self._groups(cluster_id)
        fleets = self._fleets(cluster_id, entry) if cluster.uses_fleets else ()
        if entry is None:
            entry = self.registry.put(self._new_entry(cluster, groups, fleets))
        else:
            entry = self._refreshed(cluster, groups, fleets, asked_at) or entry
        if not entry.is_active:
            return self._let_go(entry)
        policy = self.policy_in_force(entry)
        if policy is None or not cluster.state.is_ready:
            return entry
        return self._equip(entry, policy)

    def _groups(self, cluster_id: str) -> tuple[InstanceGroup, ...]:
        try:
            return self.reader.list_instance_groups(cluster_id)
        except RefusedError:
            return ()

    def _fleets(self, cluster_id: str, entry: RegistryEntry | None) -> tuple[InstanceFleet, ...]:
        """Return the fleets; those known where EMR throttles: its quota for this call is the smallest of all."""
        try:
            return self.reader.list_instance_fleets(cluster_id)
        except UnavailableError:
            if entry is None or not entry.fleets:
                raise
            return entry.fleets

    def _new_entry(
        self, cluster: Cluster, groups: tuple[InstanceGroup, ...], fleets: tuple[InstanceFleet, ...]
    ) -> RegistryEntry:
        now = self.clock.now()
        return RegistryEntry(
            cluster=cluster,
            groups=groups,
            fleets=fleets,
            groups_seen_at=now,
            policy_name=policy_name_of(cluster),
            cost_centre=cost_centre_of(cluster, self.cost_centre_tag),
            enrolled_at=now,
        )

    def _refreshed(
        self,
        cluster: Cluster,
        groups: tuple[InstanceGroup, ...],
        fleets: tuple[InstanceFleet, ...],
        asked_at: datetime,
    ) -> RegistryEntry | None:
        def change(entry: RegistryEntry) -> RegistryEntry:
            return replace(
                entry,
                cluster=cluster,
                policy_name=policy_name_of(cluster),
                cost_centre=cost_centre_of(cluster, self.cost_centre_tag),
            )

        entry = update_entry(self.registry, cluster.cluster_id, change)
        self.follow_groups.note_listing(cluster.cluster_id, groups, fleets, at=asked_at)
        return self.registry.get(cluster.cluster_id) or entry

    def _let_go(self, entry: RegistryEntry) -> RegistryEntry:
        """Remove the alarms of a cluster that ended or was opted out, and stop looking at it."""
        self.alarms.delete_alarms(entry.alarms)

        def change(current: RegistryEntry) -> RegistryEntry:
            return replace(
                current,
                alarms=(),
                alarms_made_from="",
                task=replace(current.task, next_evaluation_at=None),
                core=replace(current.core, next_evaluation_at=None),
            )

        return update_entry(self.registry, entry.cluster_id, change) or entry

    def _equip(self, entry: RegistryEntry, policy: Policy) -> RegistryEntry:
        """Give a ready cluster the alarms and task groups its policy wants.

        The alarms come first: a group that EMR refuses must not leave the cluster unwatched.
        """
        entry = self._with_alarms(entry, policy)
        if entry.cluster.uses_fleets:
            return self._with_task_fleet(entry, policy)
        return self._with_task_groups(entry, policy)

    def _with_alarms(self, entry: RegistryEntry, policy: Policy) -> RegistryEntry:
        watched = wanted_alarms(entry.cluster, policy)
        # No event tells of a policy that changed, or of a pause that ended: they are seen here.
        digest = fingerprint(watched, policy.mode, policy.task, policy.core, entry.is_paused)
        if digest == entry.alarms_made_from:
            return entry
        names = tuple(w.name(self.prefix, entry.cluster_id) for w in watched)
        self.alarms.put_alarms([self._spec(w, entry.cluster_id) for w in watched])
        self.alarms.delete_alarms([name for name in entry.alarms if name not in names])
        for kind in (DecisionKind.TASK, DecisionKind.CORE):
            self.queue.request(entry.cluster_id, kind, now=self.clock.now(), cause="enrolled")

        def change(current: RegistryEntry) -> RegistryEntry:
            return replace(current, alarms=names, alarms_made_from=digest)

        return update_entry(self.registry, entry.cluster_id, change) or entry

    def _with_task_groups(self, entry: RegistryEntry, policy: Policy) -> RegistryEntry:
        """Create the task groups the policy wants; keep the groups as EMR then lists them.

        What types can be had is asked once, and again when the policy names others or a group is missing.
        """
        hands_off = entry.is_paused or entry.cluster.has_managed_scaling
        in_question = () if hands_off else types_in_question(policy.task)
        if not in_question:
            return self._without_planned(entry)
        have = sorted((g.instance_type, g.market) for g in entry.groups if g.role is Role.TASK)
        digest = fingerprint(in_question, policy.task.profile, policy.task.on_demand_type, policy.mode, have)
        if digest == entry.pools_checked:
            return entry
        selection = select_pools(entry.groups, policy.task, self._availability(entry, in_question))
        actuator = self.actuators[policy.mode]
        if selection.groups:
            actuator.add_task_groups(
                entry.cluster_id,
                [
                    NewTaskGroup(name=g.name, market=g.market, instance_type=g.instance_type)
                    for g in selection.groups
                ],
            )
            self._tell_of_groups(entry, selection.groups, dry=actuator.is_dry)
        planned = plan_groups(selection.groups) if actuator.is_dry else ()
        created = bool(selection.groups) and not actuator.is_dry
        groups = self._groups(entry.cluster_id) if created else ()
        if selection.warnings:
            self._warn(entry, selection.warnings, "task groups")
        if created:
            after = sorted((g.instance_type, g.market) for g in groups if g.role is Role.TASK)
            digest = fingerprint(in_question, policy.task.profile, policy.task.on_demand_type, policy.mode, after)

        def change(current: RegistryEntry) -> RegistryEntry:
            return replace(current, groups=groups or current.groups, planned=planned, pools_checked=digest)

        return update_entry(self.registry, entry.cluster_id, change) or entry

    def _without_planned(self, entry: RegistryEntry) -> RegistryEntry:
        """Forget the groups a dry run would have created, and that they were checked."""
        if not (entry.planned or entry.planned_fleets):
            return entry

        def change(current: RegistryEntry) -> RegistryEntry:
            return replace(current, planned=(), planned_fleets=(), pools_checked="")

        return update_entry(self.registry, entry.cluster_id, change) or entry

    def _with_task_fleet(self, entry: RegistryEntry, policy: Policy) -> RegistryEntry:
        """Create the task fleet the policy's types make; keep the fleets as EMR then lists them."""
        hands_off = entry.is_paused or entry.cluster.has_managed_scaling
        if hands_off or missing_task_fleet(entry.fleets, policy.task) is None:
            return self._without_planned(entry)
        in_question = types_in_question(policy.task)
        weights = sorted(policy.task.weights.items())
        digest = fingerprint(
            in_question, policy.task.profile, policy.mode, policy.task.unit, weights, "planned fleet"
        )
        if digest == entry.pools_checked:
            return entry
        availability = self._availability(entry, in_question)
        warnings = pool_warnings(policy.task, availability)
        wanted = missing_task_fleet(entry.fleets, policy.task, availability)
        if wanted is None:
            self._warn(entry, warnings, "task fleet")
            return self._with_checked_pools(entry, digest)
        actuator = self.actuators[policy.mode]
        actuator.add_task_fleet(
            entry.cluster_id,
            NewTaskFleet(
                name=wanted.name,
                types=wanted.types,
                on_demand_units=wanted.on_demand_units,
                spot_units=wanted.spot_units,
                give_up_spot_after=policy.task.fallback_after,
            ),
        )
        types = ", ".join(f"{kind.instance_type} x{kind.units}" for kind in wanted.types)
        begins = f"{wanted.on_demand_units} units on demand and {wanted.spot_units} on spot"
        self._tell(entry, (wanted.name, types), f"a task fleet at {begins}: {types}", dry=actuator.is_dry)
        if warnings:
            self._warn(entry, warnings, "task fleet")
        if actuator.is_dry:
            return self._with_checked_pools(entry, digest, (plan_fleet(wanted),))
        fleets = self.reader.list_instance_fleets(entry.cluster_id)
        return (
            update_entry(
                self.registry, entry.cluster_id, lambda now: replace(now, fleets=fleets, planned_fleets=())
            )
            or entry
        )

    def _with_checked_pools(
        self, entry: RegistryEntry, digest: str, planned: tuple[InstanceFleet, ...] = ()
    ) -> RegistryEntry:
        """Remember what was checked: AWS is asked again once the policy names other types, or its mode changes."""

        def change(current: RegistryEntry) -> RegistryEntry:
            return replace(current, pools_checked=digest, planned_fleets=planned)

        return update_entry(self.registry, entry.cluster_id, change) or entry

    def _tell_of_groups(self, entry: RegistryEntry, wanted: Sequence[WantedGroup], *, dry: bool) -> None:
        """Record and announce the groups that were created, or once those that a dry run would have."""
        names = tuple(group.name for group in wanted)
        listed = ", ".join(f"{group.market} {group.instance_type}" for group in wanted)
        self._tell(entry, names, f"{len(names)} task groups at 0 instances: {listed}", dry=dry)

    def _tell(self, entry: RegistryEntry, names: tuple[str, ...], detail: str, *, dry: bool) -> None:
        if dry and names == entry.groups_told:
            return
        decision = Decision(
            kind=DecisionKind.TASK,
            cluster_id=entry.cluster_id,
            decided_at=self.clock.now(),
            action=Action.ADD_GROUPS,
            reason=Reason.TASK_GROUPS_MISSING,
            detail=detail,
        )
        self.journal.write(decision, None, Outcome.DRY_RUN if dry else Outcome.DONE, trigger="enrolment")
        self.journal.announce(decision, entry, severity="info", dry=dry)
        update_entry(self.registry, entry.cluster_id, lambda current: replace(current, groups_told=names))

    def _availability(self, entry: RegistryEntry, types: tuple[str, ...]) -> Availability:
        return availability_of(
            types,
            release_label=entry.cluster.release_label,
            zone=entry.cluster.availability_zone,
            reader=self.reader,
            compute=self.compute,
        )

    def _warn(self, entry: RegistryEntry, warnings: Sequence[str], what: str) -> None:
        name = entry.cluster.name or entry.cluster_id
        self.notifier.notify(
            Notification(
                subject=f"Spot pools of {name} need attention"[:SUBJECT_LIMIT],
                body="\n".join(
                    [
                        f"The {what} of {entry.cluster_id} under policy {entry.policy_name}:",
                        *warnings,
                        "Change task.pools of the policy; the cluster keeps what it has.",
                    ]
                ),
                attributes={
                    "kind": "ENROLMENT",
                    "reason": "POOLS_CHECKED",
                    "cluster_id": entry.cluster_id,
                    "policy": entry.policy_name or "none",
                    "severity": "warning",
                },
            )
        )

    def _spec(self, watched: WatchedMetric, cluster_id: str) -> AlarmSpec:
        return AlarmSpec(
            name=watched.name(self.prefix, cluster_id),
            cluster_id=cluster_id,
            metric=watched.metric,
            comparison="GreaterThanThreshold" if watched.above else "LessThanThreshold",
            threshold=watched.threshold,
            periods=watched.periods,
            description=watched.why,
        )


def active_states() -> tuple[ClusterState, ...]:
    """Return the states of clusters that have not ended."""
    return tuple(state for state in ClusterState if not state.has_ended)


def ended_states() -> tuple[ClusterState, ...]:
    """Return the states of clusters that are gone."""
    return (ClusterState.TERMINATED, ClusterState.TERMINATED_WITH_ERRORS)
