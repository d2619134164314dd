"""How far a task fleet may shrink while its nodes host application masters: nobody can name the nodes that leave.

EMR takes the nodes with the fewest tasks first, so nodes on which nothing runs are sure to go before any other.
A fleet is therefore shrunk by what such nodes count, and by no more; where no node hosts a master it may shrink
as it likes.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.fleet_steps import side_id
from emr_autoscaler.domain.fleets import FleetTarget, InstanceFleet
from emr_autoscaler.domain.leaving_nodes import are_hosts_untold
from emr_autoscaler.domain.snapshot import NodeLoad, NodeState
from emr_autoscaler.domain.task_scene import TaskEvidence


def spare_hosts(fleet: InstanceFleet, order: FleetTarget, evidence: TaskEvidence) -> FleetTarget | None:
    """Return the order with as many units left standing as it takes to lose no application master.

    Args:
        fleet: The task fleet.
        order: What would be ordered.
        evidence: What a probe told of the nodes, and which of them are the fleet's.

    Returns:
        The order, or one that shrinks less; None where nothing of it is left, or where units were to move from one
        market to the other and cannot go.
    """
    wanted = {Market.ON_DEMAND: order.on_demand_units, Market.SPOT: order.spot_units}
    kept = {market: _kept_units(fleet, market, units, evidence) for market, units in wanted.items()}
    if kept == wanted:
        return order
    grows = any(wanted[market] > fleet.target_of(market) for market in Market)
    if grows or all(kept[market] == fleet.target_of(market) for market in Market):
        return None
    return replace(order, on_demand_units=kept[Market.ON_DEMAND], spot_units=kept[Market.SPOT])


def movable_units(fleet: InstanceFleet, units: int, evidence: TaskEvidence) -> int:
    """Return how many of these on-demand units of a fleet may go without a host of an application master."""
    wanted = max(0, fleet.target_on_demand_units - units)
    return fleet.target_on_demand_units - _kept_units(fleet, Market.ON_DEMAND, wanted, evidence)


def _kept_units(fleet: InstanceFleet, market: Market, wanted: int, evidence: TaskEvidence) -> int:
    """Return the target of a market that is no lower than idle nodes allow, nor above what it is now."""
    side = [node for node in evidence.nodes if _is_of(node, fleet, market, evidence)]
    draining = [node for node in side if node.state is NodeState.DECOMMISSIONING]
    working = fleet.provisioned_of(market) - sum(_units(fleet, draining, evidence.node_units))
    leaving = working - wanted
    if leaving <= 0 or wanted >= fleet.target_of(market) or not _may_host(side, evidence):
        return wanted
    idle = [
        node
        for node in side
        if node.state is NodeState.RUNNING and not (node.containers or node.application_masters)
    ]
    going = sure_units(_units(fleet, idle, evidence.node_units), leaving)
    return max(wanted, min(fleet.target_of(market), working - going))


def _is_of(node: NodeLoad, fleet: InstanceFleet, market: Market, evidence: TaskEvidence) -> bool:
    return evidence.node_groups.get(node.ec2_instance_id) == side_id(fleet.fleet_id, market)


def _may_host(side: Sequence[NodeLoad], evidence: TaskEvidence) -> bool:
    """Whether a node of one market may host a master; one that EC2, once asked, does not know of may be here."""
    if are_hosts_untold(evidence.nodes, evidence.memory.pushed, evidence.now):
        return True
    unknown = [node for node in evidence.nodes if node.ec2_instance_id not in evidence.node_groups]
    hosts = (*side, *(unknown if evidence.groups_are_fresh else ()))
    return any(node.application_masters and node.state is NodeState.RUNNING for node in hosts)


def _units(fleet: InstanceFleet, nodes: Iterable[NodeLoad], node_units: Mapping[str, int]) -> list[int]:
    """Return the units of nodes; of one that nobody knows in a fleet of several sizes the least."""
    least = min((kind.units for kind in fleet.types), default=1)
    return [node_units.get(node.ec2_instance_id, least) for node in nodes]


def sure_units(idle: Sequence[int], most: int) -> int:
    """Return the largest number of units, up to ``most``, that idle nodes give in whatever order they are taken.

    Nodes are taken one after the other while they fit into what is left. Some order leaves a rest of r units where
    all idle nodes of up to r units are taken and others add up to what is missing: then a node that is not idle
    would go for the rest.

    Args:
        idle: Units of each node on which nothing runs.
        most: Units that shall go.
    """
    if sum(idle) <= most:
        return sum(idle)
    sizes = Counter(idle)
    unsure, step = 0, math.gcd(*sizes)  # bit s is set where s units leave a rest in some order
    for lower, upper in itertools.pairwise((0, *sorted(sizes))):
        taken = sum(size * count for size, count in sizes.items() if size <= lower)
        sums = _sums({size: count for size, count in sizes.items() if size > lower}, most)
        for rest in range(max(lower, step), upper, step):
            unsure |= sums << (taken + rest)
    some = _sums(sizes, most) & ~unsure
    return (some & ((1 << (most + 1)) - 1)).bit_length() - 1


def _sums(sizes: Mapping[int, int], most: int) -> int:
    """Return the sums of up to ``most`` that some of these nodes have, as the bits of a number."""
    found, limit = 1, (1 << (most + 1)) - 1
    for size, count in sizes.items():
        left, part = count, 1
        while left > 0:
            part = min(part, left)
            found |= (found << (size * part)) & limit
            left -= part
            part *= 2
    return found
