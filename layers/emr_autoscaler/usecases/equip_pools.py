"""Give an enrolled cluster the task groups or the task fleet its policy wants, and say which were created."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from emr_autoscaler.domain.cluster import InstanceGroup, Role
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.enrolment import (
    fingerprint,
)
from emr_autoscaler.domain.errors import RefusedError
from emr_autoscaler.domain.fleet_selection import TASK_FLEET_NAME, missing_task_fleet
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
    Clock,
    ClusterActuator,
    ClusterReader,
    Compute,
    NewTaskFleet,
    NewTaskGroup,
    Notification,
    Notifier,
    Registry,
)
from emr_autoscaler.usecases.journal import Journal, record_of
from emr_autoscaler.usecases.notices import SUBJECT_LIMIT
from emr_autoscaler.usecases.pool_availability import availability_of
from emr_autoscaler.usecases.registry_updates import update_entry

TRIGGER = "enrolment"


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipPools:
    """Creates what is missing of a policy's pools, all of it at zero; a dry run plans it instead."""

    clock: Clock
    reader: ClusterReader
    actuators: Mapping[Mode, ClusterActuator]
    registry: Registry
    compute: Compute
    notifier: Notifier
    journal: Journal

    def __call__(self, entry: RegistryEntry, policy: Policy) -> RegistryEntry:
        """Return the entry with what was created or planned for a ready cluster.

        Raises:
            RefusedError: EMR does not create them.
        """
        if entry.cluster.uses_fleets:
            return self._with_task_fleet(entry, policy)
        return self._with_task_groups(entry, policy)

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
        self.journal.tell_of_untold(entry, trigger=TRIGGER, now=self.clock.now())
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
        groups = groups_or_none(self.reader, entry.cluster_id) if created else ()
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
            if not entry.groups_told and any(fleet.name == TASK_FLEET_NAME for fleet in entry.fleets):
                self._tell_of_fleet(entry)
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

    def _tell_of_fleet(self, entry: RegistryEntry) -> None:
        """Tell of a task fleet that was created by an invocation that could not tell of it any more."""
        self.journal.tell_of_untold(entry, trigger=TRIGGER, now=self.clock.now())
        told = (TASK_FLEET_NAME,)
        update_entry(self.registry, entry.cluster_id, lambda current: replace(current, groups_told=told))

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
        outcome = Outcome.DRY_RUN if dry else Outcome.DONE
        self.journal.tell(record_of(decision, None, outcome, trigger=TRIGGER, is_dry=dry), entry)
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


def groups_or_none(reader: ClusterReader, cluster_id: str) -> tuple[InstanceGroup, ...]:
    """Return the groups of a cluster; none where EMR refuses to list those of one that is gone."""
    try:
        return reader.list_instance_groups(cluster_id)
    except RefusedError:
        return ()
