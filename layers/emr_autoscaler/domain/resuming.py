"""Nodes that are draining and are wanted again: they are kept before any new one is bought."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from emr_autoscaler.domain.cluster import InstanceGroup
from emr_autoscaler.domain.memory import LostInstance
from emr_autoscaler.domain.placement import Slot


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
    slots: Sequence[Slot], draining: Mapping[str, int], *, wanted_mib: float, min_nodes: int, max_nodes: int
) -> tuple[Slot, ...]:
    """Return the slots with as many draining nodes counted in as are wanted, largest group of them first.

    A closed slot is no obstacle: its pool sells nothing, and these nodes are there already.
    """
    counts = {slot.group_id: slot.count for slot in slots}
    nodes = sum(counts.values())
    memory = sum(slot.node_mib * slot.count for slot in slots)
    for slot in sorted(slots, key=lambda s: (-draining.get(s.group_id, 0), s.group_id)):
        for _ in range(draining.get(slot.group_id, 0)):
            if nodes >= max_nodes or (memory >= wanted_mib and nodes >= min_nodes):
                break
            counts[slot.group_id] += 1
            nodes += 1
            memory += slot.node_mib
    return tuple(replace(slot, count=counts[slot.group_id]) for slot in slots)
