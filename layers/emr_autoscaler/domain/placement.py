"""Where task nodes stand: a wanted amount of memory spread over the cluster's task groups."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emr_autoscaler.domain.cluster import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One task group as placement sees it.

    Attributes:
        group_id: ig-...
        market: Spot groups come first, on-demand groups are floor and fallback.
        node_mib: YARN memory of one of its nodes.
        count: Nodes it has or was asked for.
        open: False where no nodes may be added now: its pool is cooling, or the group is stuck.
        rank: Lower is asked first among equals.
    """

    group_id: str
    market: Market
    node_mib: float
    count: int
    open: bool = True
    rank: int = 0


def capacity_mib(slots: Sequence[Slot], counts: Mapping[str, int]) -> float:
    """Return the YARN memory of ``counts`` nodes, in MiB."""
    return sum(slot.node_mib * counts[slot.group_id] for slot in slots)


def place_more(
    slots: Sequence[Slot], *, wanted_mib: float, min_nodes: int, max_nodes: int, on_demand_min_nodes: int
) -> dict[str, int]:
    """Add nodes until ``wanted_mib``, ``min_nodes`` and the on-demand floor are met; never take one away.

    The on-demand floor is filled first; then the open spot group with the least memory, so that
    one pool never holds most of the cluster; on-demand groups only when no spot group is open.

    Returns:
        Counts by group id. They stay below the want where ``max_nodes`` or closed pools end it.
    """
    counts = {slot.group_id: slot.count for slot in slots}
    on_demand = [s for s in slots if s.market is Market.ON_DEMAND and s.open]
    spot = [s for s in slots if s.market is Market.SPOT and s.open]
    on_demand_nodes = sum(counts[s.group_id] for s in slots if s.market is Market.ON_DEMAND)
    nodes = sum(counts.values())
    memory = capacity_mib(slots, counts)

    def queue_of(group: Sequence[Slot]) -> list[tuple[float, int, str, float]]:
        entries = [(s.node_mib * s.count, s.rank, s.group_id, s.node_mib) for s in group]
        heapq.heapify(entries)
        return entries

    spot_queue, on_demand_queue = queue_of(spot), queue_of(on_demand)
    while nodes < max_nodes:
        floor_unmet = on_demand_nodes < on_demand_min_nodes and bool(on_demand_queue)
        if memory >= wanted_mib and nodes >= min_nodes and not floor_unmet:
            break
        queue = on_demand_queue if floor_unmet or not spot_queue else spot_queue
        if not queue:
            break
        held, order, group_id, node_mib = queue[0]
        heapq.heapreplace(queue, (held + node_mib, order, group_id, node_mib))
        counts[group_id] += 1
        nodes += 1
        memory += node_mib
        on_demand_nodes += queue is on_demand_queue
    return counts


def place_fewer(
    slots: Sequence[Slot], *, wanted_mib: float, min_nodes: int, max_nodes: int, on_demand_min_nodes: int
) -> dict[str, int]:
    """Take nodes away while ``wanted_mib`` and ``min_nodes`` stay met; never add one.

    On-demand nodes above their floor go first because they cost most, then those of the spot group
    with the most memory. Above ``max_nodes`` nodes go even where the want is not met.
    """
    counts = {slot.group_id: slot.count for slot in slots}
    nodes = sum(counts.values())
    memory = capacity_mib(slots, counts)
    on_demand_nodes = sum(counts[s.group_id] for s in slots if s.market is Market.ON_DEMAND)

    def queue_of(market: Market) -> list[tuple[float, str, float]]:
        entries = [
            (-s.node_mib * s.count, s.group_id, s.node_mib) for s in slots if s.market is market and s.count
        ]
        heapq.heapify(entries)
        return entries

    spot_queue, on_demand_queue = queue_of(Market.SPOT), queue_of(Market.ON_DEMAND)
    while nodes > min_nodes:
        above_floor = on_demand_nodes > on_demand_min_nodes
        queue = on_demand_queue if on_demand_queue and (above_floor or not spot_queue) else spot_queue
        if queue is on_demand_queue and not above_floor and nodes <= max_nodes:
            break
        if not queue:
            break
        held, group_id, node_mib = queue[0]
        if nodes <= max_nodes and memory - node_mib < wanted_mib:
            break
        heapq.heappop(queue)
        counts[group_id] -= 1
        if counts[group_id]:
            heapq.heappush(queue, (held + node_mib, group_id, node_mib))
        nodes -= 1
        memory -= node_mib
        on_demand_nodes -= queue is on_demand_queue
    return counts
