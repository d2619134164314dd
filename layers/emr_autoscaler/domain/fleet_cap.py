"""A cap in money on what EMR may really buy for a fleet: whole instances, which may count more than was asked for.

What one step costs is in fleet_steps.py; how a cap bounds what is asked for is in placement.py.
"""

from dataclasses import replace
from decimal import Decimal

from emr_autoscaler.domain.cluster import GroupState, Market
from emr_autoscaler.domain.fleet_steps import side_id
from emr_autoscaler.domain.fleets import FleetTarget, InstanceFleet
from emr_autoscaler.domain.task_scene import TaskEvidence


def within_cap(fleet: InstanceFleet, order: FleetTarget, seen: TaskEvidence) -> FleetTarget | None:
    """Return the order with no more units added than the cap allows, should EMR buy the largest instance last.

    Args:
        fleet: The task fleet.
        order: What would be ordered.
        seen: The cluster in steps, with what a step of each market costs.

    Returns:
        The order, or one that adds less, spot given up first; None where nothing of it is left.
    """
    cap, over = seen.policy.max_usd_per_hour, fleet.largest_units - fleet.step_units
    units = {Market.SPOT: order.spot_units, Market.ON_DEMAND: order.on_demand_units}
    if cap is None or not over or all(count <= fleet.target_of(market) for market, count in units.items()):
        return order
    usd = {market: _unit_usd(fleet, market, seen) for market in units}

    def at_worst(market: Market) -> Decimal:
        there, asked = fleet.provisioned_of(market), units[market]
        return usd[market] * (asked + over if asked > there else there)

    for market in (Market.SPOT, Market.ON_DEMAND):
        asked = units[market]
        while units[market] > fleet.target_of(market) and sum(map(at_worst, units)) > cap:
            units[market] = max(fleet.target_of(market), units[market] - fleet.step_units)
        if (
            fleet.state is GroupState.RUNNING
            and units[market] < asked
            and units[market] <= fleet.provisioned_of(market)
        ):
            units[market] = fleet.target_of(market)  # what stands above the target needs no order
    if all(count == fleet.target_of(market) for market, count in units.items()):
        return None
    return replace(order, spot_units=units[Market.SPOT], on_demand_units=units[Market.ON_DEMAND])


def _unit_usd(fleet: InstanceFleet, market: Market, seen: TaskEvidence) -> Decimal:
    """Return what a unit costs; nothing where no price is known, and then a cap lets none be added."""
    side = next(group for group in seen.groups if group.group_id == side_id(fleet.fleet_id, market))
    price = seen.prices.of(side, seen.now)
    return Decimal(0) if price is None else price.usd_per_hour / fleet.step_units
