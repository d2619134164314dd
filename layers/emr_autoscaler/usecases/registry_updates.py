"""Changing a registry entry that others change as well: read, change, write, again on a conflict."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.errors import ConflictError
from emr_autoscaler.domain.fleets import FleetTarget, InstanceFleet
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.ports import Registry

ATTEMPTS = 5


def update_entry(
    registry: Registry, cluster_id: str, change: Callable[[RegistryEntry], RegistryEntry]
) -> RegistryEntry | None:
    """Apply ``change`` to the stored entry, again on what somebody else wrote in between.

    Returns:
        The entry as written; None where the cluster is not enrolled.

    Raises:
        ConflictError: It changed under every attempt.
    """
    for attempt in range(ATTEMPTS):
        entry = registry.get(cluster_id)
        if entry is None:
            return None
        changed = change(entry)
        if changed == entry:
            return entry
        try:
            return registry.put(changed)
        except ConflictError:
            if attempt == ATTEMPTS - 1:
                raise
    return None


Target = GroupTarget | FleetTarget


def with_orders(groups: Sequence[InstanceGroup], targets: Sequence[Target]) -> tuple[InstanceGroup, ...]:
    """Return the groups as they are once ``targets`` are ordered, so that the next look sees the order."""
    ordered = {target.group_id: target.count for target in targets if isinstance(target, GroupTarget)}
    return tuple(
        replace(group, requested_count=ordered[group.group_id], state=GroupState.RESIZING)
        if group.group_id in ordered
        else group
        for group in groups
    )


def with_fleet_orders(fleets: Sequence[InstanceFleet], targets: Sequence[Target]) -> tuple[InstanceFleet, ...]:
    """Return the fleets as they are once ``targets`` are ordered."""
    ordered = {target.fleet_id: target for target in targets if isinstance(target, FleetTarget)}
    return tuple(
        replace(
            fleet,
            target_on_demand_units=ordered[fleet.fleet_id].on_demand_units,
            target_spot_units=ordered[fleet.fleet_id].spot_units,
            state=GroupState.RESIZING,
        )
        if fleet.fleet_id in ordered
        else fleet
        for fleet in fleets
    )
