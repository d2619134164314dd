"""An instance fleet as the groups that decisions know, counted in steps, and their counts as its targets again.

A step is the smallest change a fleet can buy: what the units of all its instances are a multiple of.
Which fleets are decided on, and when, is in fleet_capacity.py and core_capacity.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.fleets import FleetTarget, InstanceFleet
from emr_autoscaler.domain.memory import PoolKey
from emr_autoscaler.domain.policy import CapacityUnit, CorePolicy, TaskPolicy


def fleet_of(fleets: Sequence[InstanceFleet], role: Role) -> InstanceFleet | None:
    """Return the fleet of a role; a cluster has one at most."""
    return next((fleet for fleet in fleets if fleet.role is role), None)


def side_id(fleet_id: str, market: Market) -> str:
    """Return the name under which one market of a fleet is remembered."""
    return f"{fleet_id}/{market}"


def pool_of(fleet_id: str, availability_zone: str) -> PoolKey:
    """Return the pool a fleet's whole spot side counts as: dry only once none of its types can be had."""
    return PoolKey(instance_type=fleet_id, availability_zone=availability_zone)


def unit_mib(fleet: InstanceFleet, *, learned: float | None) -> float | None:
    """Return the YARN memory one unit surely brings, whatever type EMR buys for it.

    Args:
        fleet: The fleet.
        learned: MiB per node measured on the cluster; it tells of units where all instances count the same.

    Returns:
        MiB; None where no type is known and nothing was learned.
    """
    known = [
        mib / kind.units
        for kind in fleet.types
        if (mib := yarn_mib_per_node(kind.instance_type, learned=None)) is not None
    ]
    if known:
        return min(known)
    if learned is None or not fleet.types or not fleet.has_one_size:
        return None
    return learned / fleet.types[0].units


def sides_of(fleet: InstanceFleet, *, learned: float | None) -> tuple[InstanceGroup, ...]:
    """Return a fleet as two groups, spot and on demand, whose nodes are steps.

    What a settled fleet has above its target, because instances come whole, counts as asked for: it
    is there, and EMR does not take it away.
    """
    mib = unit_mib(fleet, learned=learned)
    return tuple(
        InstanceGroup(
            group_id=side_id(fleet.fleet_id, market),
            fleet_id=fleet.fleet_id,
            role=fleet.role,
            market=market,
            instance_type="",
            requested_count=_standing_steps(fleet, market),
            running_count=_in_steps(fleet.provisioned_of(market), fleet),
            state=fleet.state,
            name=fleet.name,
            node_mib=None if mib is None else mib * fleet.step_units,
        )
        for market in (Market.SPOT, Market.ON_DEMAND)
    )


def whole_of(fleet: InstanceFleet) -> InstanceGroup:
    """Return a fleet as one group whose nodes are steps of either market."""
    spot, on_demand = sides_of(fleet, learned=None)
    return replace(
        on_demand,
        group_id=fleet.fleet_id,
        requested_count=spot.requested_count + on_demand.requested_count,
        running_count=spot.running_count + on_demand.running_count,
    )


def in_whole_units(fleet: InstanceFleet) -> InstanceGroup:
    """Return a fleet as one group whose nodes are its units, as EMR tells them."""
    return InstanceGroup(
        group_id=fleet.fleet_id,
        fleet_id=fleet.fleet_id,
        role=fleet.role,
        market=Market.ON_DEMAND,
        instance_type="",
        requested_count=fleet.target_units,
        running_count=fleet.provisioned_units,
        state=fleet.state,
        name=fleet.name,
    )


def order_of(fleet: InstanceFleet, targets: Iterable[GroupTarget]) -> FleetTarget | None:
    """Return the targets that bring the sides of a fleet to their counts; None where nothing can change.

    A side that is given back to no less than its target keeps it: what stands above are whole
    instances that EMR would not take.
    """
    counts = {target.group_id: target.count for target in targets}
    units, changes = {}, False
    for market in Market:
        standing = _standing_steps(fleet, market)
        count = counts.get(side_id(fleet.fleet_id, market), standing)
        units[market] = count * fleet.step_units
        if count < standing and units[market] >= fleet.target_of(market):
            units[market] = fleet.target_of(market)
        elif count != standing:
            changes = True
    return _target(fleet, units[Market.ON_DEMAND], units[Market.SPOT]) if changes else None


def core_order_of(fleet: InstanceFleet, count: int) -> FleetTarget:
    """Return the targets that bring a core fleet to ``count`` steps: out on demand, in from spot first."""
    spot, on_demand = (_standing_steps(fleet, market) for market in (Market.SPOT, Market.ON_DEMAND))
    change = count - spot - on_demand
    if change > 0:
        on_demand += change
    else:
        from_spot = min(spot, -change)
        spot, on_demand = spot - from_spot, on_demand + change + from_spot
    return _target(fleet, on_demand * fleet.step_units, spot * fleet.step_units)


def task_policy_in_steps(policy: TaskPolicy, step_units: int) -> TaskPolicy:
    """Return a policy whose numbers of nodes, units of a fleet, are turned into steps; never above its maximum."""
    most = policy.max_nodes // step_units
    floor = min(most, -(-policy.on_demand_min_nodes // step_units))
    on_demand_most = policy.on_demand_max_nodes
    if policy.unit is CapacityUnit.UNITS:
        # A fleet says itself what its types weigh; a step then weighs one.
        min_units, max_units = -(-policy.min_units // step_units), policy.max_units
        max_units = None if max_units is None else max_units // step_units
        policy = replace(policy, weights={}, max_units=max_units, min_units=min(min_units, max_units or min_units))
    return replace(
        policy,
        max_nodes=most,
        min_nodes=min(most, -(-policy.min_nodes // step_units)),
        on_demand_min_nodes=floor,
        on_demand_max_nodes=None if on_demand_most is None else max(floor, on_demand_most // step_units),
        max_step_nodes=None if policy.max_step_nodes is None else max(1, policy.max_step_nodes // step_units),
        schedules=tuple(
            replace(window, min_nodes=-(-window.min_nodes // step_units)) for window in policy.schedules
        ),
    )


def core_policy_in_steps(policy: CorePolicy, step_units: int) -> CorePolicy:
    """Return a policy whose numbers of nodes, units of a fleet, are turned into steps."""
    most = max(1, policy.max_nodes // step_units)
    return replace(policy, max_nodes=most, min_nodes=min(most, -(-policy.min_nodes // step_units)))


def in_words(fleet: InstanceFleet) -> str:
    """Return what a node means in the arithmetic of a decision on a fleet."""
    step = fleet.step_units
    return f"in fleet {fleet.fleet_id} {'1 unit counts' if step == 1 else f'{step} units count'} as a node"


def _target(fleet: InstanceFleet, on_demand_units: int, spot_units: int) -> FleetTarget:
    return FleetTarget(
        fleet_id=fleet.fleet_id,
        on_demand_units=on_demand_units,
        spot_units=spot_units,
        previous_on_demand_units=fleet.target_on_demand_units,
        previous_spot_units=fleet.target_spot_units,
    )


def _in_steps(units: int, fleet: InstanceFleet) -> int:
    return -(-units // fleet.step_units)


def _standing_steps(fleet: InstanceFleet, market: Market) -> int:
    """Return the steps asked for, or there are where a settled fleet has more."""
    asked, there = fleet.target_of(market), fleet.provisioned_of(market)
    return _in_steps(max(asked, there) if fleet.state is GroupState.RUNNING else asked, fleet)
