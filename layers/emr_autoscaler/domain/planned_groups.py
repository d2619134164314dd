"""Task groups and fleets that a dry run would have created: it decides with them as if they were there, empty."""

from collections.abc import Sequence

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Role
from emr_autoscaler.domain.fleet_selection import WantedFleet
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.pool_selection import WantedGroup

PLANNED = "planned-"
"""Ids of such groups begin so; EMR's begin with ig-."""


def plan_groups(wanted: Sequence[WantedGroup]) -> tuple[InstanceGroup, ...]:
    """Return the groups as they would be right after their creation."""
    return tuple(
        InstanceGroup(
            group_id=f"{PLANNED}{group.market.lower().replace('_', '-')}-{group.instance_type}",
            role=Role.TASK,
            market=group.market,
            instance_type=group.instance_type,
            requested_count=0,
            running_count=0,
            state=GroupState.RUNNING,
            name=group.name,
        )
        for group in wanted
    )


def with_planned(groups: Sequence[InstanceGroup], planned: Sequence[InstanceGroup]) -> tuple[InstanceGroup, ...]:
    """Return the groups, and those planned beside them that nobody has created meanwhile."""
    there = without_planned(groups)
    have = {(group.role, group.market, group.instance_type) for group in there}
    missing = (group for group in planned if (group.role, group.market, group.instance_type) not in have)
    return (*there, *missing) if there else ()


def without_planned(groups: Sequence[InstanceGroup]) -> tuple[InstanceGroup, ...]:
    """Return the groups that EMR knows."""
    return tuple(group for group in groups if not group.group_id.startswith(PLANNED))


def planned_of(groups: Sequence[InstanceGroup]) -> tuple[InstanceGroup, ...]:
    """Return the groups that a dry run would have created."""
    return tuple(group for group in groups if group.group_id.startswith(PLANNED))


def plan_fleet(wanted: WantedFleet) -> InstanceFleet:
    """Return the task fleet as it would be once the first look has given its first unit back."""
    return InstanceFleet(
        fleet_id=f"{PLANNED}task-fleet",
        role=Role.TASK,
        state=GroupState.RUNNING,
        target_on_demand_units=0,
        target_spot_units=0,
        provisioned_on_demand_units=0,
        provisioned_spot_units=0,
        types=wanted.types,
        name=wanted.name,
    )


def with_planned_fleets(
    fleets: Sequence[InstanceFleet], planned: Sequence[InstanceFleet]
) -> tuple[InstanceFleet, ...]:
    """Return the fleets, and one planned beside them where nobody has created a fleet of its role meanwhile."""
    there = without_planned_fleets(fleets)
    have = {fleet.role for fleet in there}
    return (*there, *(fleet for fleet in planned if fleet.role not in have)) if there else ()


def without_planned_fleets(fleets: Sequence[InstanceFleet]) -> tuple[InstanceFleet, ...]:
    """Return the fleets that EMR knows."""
    return tuple(fleet for fleet in fleets if not fleet.fleet_id.startswith(PLANNED))


def planned_fleets_of(fleets: Sequence[InstanceFleet]) -> tuple[InstanceFleet, ...]:
    """Return the fleet that a dry run would have created."""
    return tuple(fleet for fleet in fleets if fleet.fleet_id.startswith(PLANNED))
