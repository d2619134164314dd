"""An instance fleet as the groups that decisions know, counted in steps, and their counts as its targets again.

A step is the smallest change a fleet can buy: what the units of all its instances are a multiple of.
Which fleets are decided on, and when, is in fleet_capacity.py and core_capacity.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_UP, Decimal

from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.fleets import FleetTarget, InstanceFleet
from emr_autoscaler.domain.node_prices import NodePrice
from emr_autoscaler.domain.policy import CorePolicy, TaskPolicy

_SMALLEST_USD = Decimal("0.000001")


def fleet_of(fleets: Sequence[InstanceFleet], role: Role) -> InstanceFleet | None:
    """Return the fleet of a role; a cluster has one at most."""
    return next((fleet for fleet in fleets if fleet.role is role), None)


def side_id(fleet_id: str, market: Market) -> str:
    """Return the name under which one market of a fleet is remembered."""
    return f"{fleet_id}/{market}"


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


def step_price(fleet: InstanceFleet, of_types: Sequence[NodePrice | None]) -> NodePrice | None:
    """Return the most that a step of a fleet may cost: whatever type EMR buys, a cap in money holds.

    Args:
        fleet: The fleet.
        of_types: The price of one instance of each of its types; one that is not known makes the whole unknown.
    """
    priced = [price for price in of_types if price is not None]
    if not fleet.types or len(priced) < len(fleet.types):
        return None
    shares = [_part(price, fleet.step_units, kind.units) for price, kind in zip(priced, fleet.types, strict=True)]
    return max(shares, key=lambda price: price.usd_per_hour)


def _part(price: NodePrice, units: int, of_units: int) -> NodePrice:
    def part(usd: Decimal) -> Decimal:
        return (usd * units / of_units).quantize(_SMALLEST_USD, rounding=ROUND_UP)

    return replace(
        price,
        ec2_usd=part(price.ec2_usd),
        emr_usd=part(price.emr_usd),
        volumes_usd=None if price.volumes_usd is None else part(price.volumes_usd),
    )


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
    return replace(
        policy,
        max_nodes=most,
        min_nodes=min(most, -(-policy.min_nodes // step_units)),
        on_demand_min_nodes=min(most, -(-policy.on_demand_min_nodes // step_units)),
        on_demand_max_nodes=None
        if policy.on_demand_max_nodes is None
        else policy.on_demand_max_nodes // step_units,
        max_step_nodes=None if policy.max_step_nodes is None else max(1, policy.max_step_nodes // step_units),
        weights={"": step_units},  # of a side of a fleet, whose instance type is empty: its units are the fleet's
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
