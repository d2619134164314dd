"""What EC2 shows around a cluster: instances launched, addresses left; prices are watch_market.py's."""

from collections import Counter
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.errors import NotFoundError
from emr_autoscaler.domain.fleet_pools import spot_steps_launched
from emr_autoscaler.domain.fleet_steps import fleet_of, sides_of
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.pool_trouble import DRY_AFTER
from emr_autoscaler.ports import Compute, ComputeInstance

ADDRESSES_KEPT_FOR = timedelta(minutes=5)


def free_addresses(compute: Compute, entry: RegistryEntry) -> int | None:
    """Return how many addresses the cluster's subnet has left; None where the subnet is not known."""
    if not entry.cluster.subnet_id:
        return None
    try:
        return compute.free_addresses(entry.cluster.subnet_id)
    except NotFoundError:
        return None  # a subnet of another account that shares it, or one that is gone


def remembered_addresses(entry: RegistryEntry, now: datetime) -> int | None:
    """Return the addresses as last seen, while that is worth anything."""
    seen_at = entry.free_addresses_at
    return entry.free_addresses if seen_at is not None and now - seen_at < ADDRESSES_KEPT_FOR else None


def launched_instances(
    compute: Compute, entry: RegistryEntry, groups: tuple[InstanceGroup, ...], now: datetime
) -> dict[str, int]:
    """Return what EC2 has launched for spot groups whose requests are old enough to be called dry.

    EMR's counts do not tell a request that waits for capacity from a node that boots; EC2 does. Two groups
    of one type and market cannot be told apart there: they are left out. A task fleet's spot side counts in steps.
    """
    fleet = fleet_of(entry.fleets, Role.TASK)
    if fleet is not None:
        (side,) = (s for s in sides_of(fleet, learned=None) if s.market is Market.SPOT)
        short_since = entry.task.unfulfilled_since.get(side.group_id, now)
        if side.requested_count <= side.running_count or now - short_since < DRY_AFTER:
            return {}
        types = [i.instance_type for i in _running(compute, entry) if i.market is Market.SPOT]
        return {side.group_id: spot_steps_launched(fleet, types)}
    since = entry.task.unfulfilled_since
    if not since:
        return {}
    task = [g for g in groups if g.role is Role.TASK]
    kinds = Counter((g.instance_type, g.market) for g in task)
    spot = [g for g in task if g.market is Market.SPOT and kinds[g.instance_type, g.market] == 1]
    short = [g for g in spot if g.requested_count > g.running_count]
    if not any(now - since.get(g.group_id, now) >= DRY_AFTER for g in short):
        return {}
    found = Counter((i.instance_type, i.market) for i in _running(compute, entry))
    return {g.group_id: found[g.instance_type, g.market] for g in short}


def _running(compute: Compute, entry: RegistryEntry) -> list[ComputeInstance]:
    """Return the task instances that EC2 runs."""
    found = compute.find_cluster_instances(entry.cluster_id)
    return [i for i in found if i.role is Role.TASK and i.is_running]
