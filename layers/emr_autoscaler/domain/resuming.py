"""Nodes that are draining and are wanted again: they are kept before any new one is bought."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from emr_autoscaler.domain.cluster import InstanceGroup, Market
from emr_autoscaler.domain.ladder import Bounds
from emr_autoscaler.domain.memory import LostInstance
from emr_autoscaler.domain.slots import NO_LIMITS, Limits, Slot, capacity_mib, capacity_units


def draining_nodes(groups: Sequence[InstanceGroup], lost: Sequence[LostInstance]) -> dict[str, int]:
    """Count the nodes of each group that run and are no longer asked for, warned ones left out.

    EMR takes a shrink back, node by node, when the group is asked for more: the nodes get work again.
    """
    return {
        group.group_id: max(
            0,
            group.running_count - group.requested_count - sum(entry.group_id == group.group_id for entry in lost),
        )
        for group in groups
    }


def resume_draining(
    slots: Sequence[Slot],
    draining: Mapping[str, int],
    *,
    wanted_mib: float,
    min_nodes: int,
    max_nodes: int,
    limits: Limits = NO_LIMITS,
) -> tuple[Slot, ...]:
    """Return the slots with as many draining nodes counted in as are wanted, largest group of them first.

    A closed slot is no obstacle: its pool sells nothing, and these nodes are there already. The limits are:
    a node that is kept is ordered as one that is bought.
    """
    unpriced = limits.max_usd_per_hour is not None and limits.prices_missing
    if unpriced or not any(draining.get(slot.group_id, 0) for slot in slots):
        return tuple(slots)
    bounds = Bounds(slots, max_nodes, limits, with_billed=True)
    counts = {slot.group_id: slot.count for slot in slots}
    on_demand = sum(slot.count for slot in slots if slot.market is Market.ON_DEMAND)

    def is_enough() -> bool:
        return (
            sum(counts.values()) >= min_nodes
            and capacity_mib(slots, counts) >= wanted_mib
            and capacity_units(slots, counts) >= limits.min_units
        )

    for slot in sorted(slots, key=lambda s: (-draining.get(s.group_id, 0), s.group_id)):
        for _ in range(draining.get(slot.group_id, 0)):
            bounded = slot.market is Market.ON_DEMAND and limits.on_demand_max_nodes is not None
            more = {**counts, slot.group_id: counts[slot.group_id] + 1}
            if (
                is_enough()
                or (bounded and on_demand >= (limits.on_demand_max_nodes or 0))
                or not bounds.keep(more)
            ):
                break
            counts = more
            on_demand += slot.market is Market.ON_DEMAND
    return tuple(replace(slot, count=counts[slot.group_id]) for slot in slots)
