"""Changing a pool's health, which all clusters of a zone share: read, change, write, again on a conflict."""

from collections.abc import Callable, Sequence
from datetime import datetime

from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.errors import ConflictError
from emr_autoscaler.domain.fleet_pools import health_of_spot_side
from emr_autoscaler.domain.fleet_steps import fleet_of, side_id
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, RegistryEntry
from emr_autoscaler.domain.planned_groups import with_planned_fleets
from emr_autoscaler.ports import Pools

ATTEMPTS = 5


def update_pool(pools: Pools, key: PoolKey, change: Callable[[PoolHealth], PoolHealth]) -> PoolHealth:
    """Apply ``change`` to the stored health, again on what somebody else wrote in between.

    Raises:
        ConflictError: It changed under every attempt.
    """
    attempt = 0
    while True:
        (health,) = pools.get([key])
        changed = change(health)
        if changed == health:
            return health
        try:
            return pools.put(changed)
        except ConflictError:
            attempt += 1
            if attempt == ATTEMPTS:
                raise


def pool_of(entry: RegistryEntry, group: InstanceGroup) -> PoolKey:
    """Return the pool that a group buys from."""
    zone = entry.cluster.availability_zone
    return PoolKey(instance_type=group.instance_type, availability_zone=zone, market=group.market)


def fleet_pool_of(entry: RegistryEntry, fleet: InstanceFleet) -> PoolKey:
    """Return the pool a fleet's whole spot side counts as: dry only once none of its types can be had."""
    return PoolKey(instance_type=fleet.fleet_id, availability_zone=entry.cluster.availability_zone)


def pools_of_types(entry: RegistryEntry, fleet: InstanceFleet) -> tuple[PoolKey, ...]:
    """Return the pools that EMR buys a fleet's spot units from."""
    zone = entry.cluster.availability_zone
    return tuple(PoolKey(instance_type=kind.instance_type, availability_zone=zone) for kind in fleet.types)


def health_of_pools(
    pools: Pools, entry: RegistryEntry, groups: Sequence[InstanceGroup], now: datetime
) -> dict[str, PoolHealth]:
    """Return the health of the pool behind each task group, by group id, or of a task fleet's spot side."""
    fleet = fleet_of(with_planned_fleets(entry.fleets, entry.planned_fleets), Role.TASK)
    if fleet is not None:
        own, *of_types = pools.get([fleet_pool_of(entry, fleet), *pools_of_types(entry, fleet)])
        return {side_id(fleet.fleet_id, Market.SPOT): health_of_spot_side(own, of_types, now)}
    task = [g for g in groups if g.role is Role.TASK]
    healths = pools.get([pool_of(entry, group) for group in task])
    return {group.group_id: health for group, health in zip(task, healths, strict=True)}
