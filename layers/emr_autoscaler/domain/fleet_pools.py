"""How a fleet's spot side does, from what its own requests and the pools of its types went through.

EMR buys a fleet's spot units in the pool of whichever type it likes best: trouble of one type is no trouble of
the fleet's, but what its nodes live through is. How one pool's health changes is in pools.py and market.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.fleet_steps import fleet_of
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.market import faded_experience
from emr_autoscaler.domain.memory import PoolHealth


def health_of_spot_side(own: PoolHealth, of_types: Sequence[PoolHealth], now: datetime) -> PoolHealth:
    """Return the health of a fleet's spot side.

    It cools while its own requests stay unmet, or while the pool of each of its types cools. Its experience is
    that of all these pools, and it is thought as risky as the riskiest of them where none was seen: whatever
    type EMR buys, the cost is not told too low.

    Args:
        own: What became of the fleet's own requests.
        of_types: The pools of its types, in the cluster's zone.
        now: Experience fades until then.
    """
    seen = [faded_experience(health, now) for health in (own, *of_types)]
    buckets = [health.bucket for health in seen if health.bucket is not None]
    coolings = [health.cooling_until for health in of_types if health.cooling_until and health.is_cooling(now)]
    all_cool = bool(of_types) and len(coolings) == len(of_types)
    until = (own.cooling_until, min(coolings) if all_cool else None)
    return replace(
        own,
        cooling_until=max(filter(None, until), default=None),
        interruptions=sum(health.interruptions for health in seen),
        node_hours=sum(health.node_hours for health in seen),
        experience_at=now,
        bucket=max(buckets, default=None),
    )


def task_nodes_in_size_of(fleets: Sequence[InstanceFleet], instance_type: str) -> int:
    """Return how many task nodes there would be, were all of one type: what a storm is measured by."""
    fleet = fleet_of(fleets, Role.TASK)
    if fleet is None:
        return 1
    units = next((kind.units for kind in fleet.types if kind.instance_type == instance_type), 1)
    return max(1, -(-fleet.target_units // units))


def spot_steps_launched(fleet: InstanceFleet, instance_types: Iterable[str]) -> int:
    """Return what instances of these types are in steps of the fleet; one of another type counts one unit."""
    units = {kind.instance_type: kind.units for kind in fleet.types}
    return sum(units.get(name, 1) for name in instance_types) // fleet.step_units


def has_spot_units(fleet: InstanceFleet) -> bool:
    """Whether a fleet has nodes whose pools' experience grows."""
    return fleet.role is Role.TASK and fleet.provisioned_of(Market.SPOT) > 0
