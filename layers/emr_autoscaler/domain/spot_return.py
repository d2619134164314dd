"""Back to spot from on-demand: new spot nodes first, then on-demand nodes are given back gracefully.

Where a limit leaves no room for new nodes spot_exchange.py has the rule.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.leaving_nodes import are_hosts_untold, master_hosts
from emr_autoscaler.domain.placement import capacity_mib, has_room, place_more
from emr_autoscaler.domain.slots import Slot, capacity_units
from emr_autoscaler.domain.task_scene import Scene

STAY_ON_DEMAND = timedelta(minutes=30)
"""On-demand nodes that took the place of spot are kept for this long at least: a market that failed may again."""

LEAST_SAVING = 0.2
"""A pool must save this part of the on-demand cost, or the move is not worth its restarts."""


_ROUNDING = 1e-6
"""Sums of MiB and units that differ by less are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotReturn:
    """One step of the way back.

    Attributes:
        counts: Counts by group id.
        returning_mib: Spot capacity whose on-demand counterpart is still there afterwards.
        owed_mib: On-demand capacity given up for which no spot could be ordered yet.
        told: What is done, in words.
    """

    counts: Mapping[str, int]
    returning_mib: float = 0.0
    owed_mib: float = 0.0
    told: str


def is_booting(scene: Scene) -> bool:
    """Whether nodes that were ordered are not there yet."""
    return any(group.requested_count > group.running_count for group in scene.usable)


def may_step(scene: Scene) -> bool:
    """Whether the scene is at rest, and long enough after the last resize, so that groups may be exchanged."""
    evidence, policy = scene.evidence, scene.evidence.policy
    last = max(filter(None, (scene.memory.last_scale_out_at, scene.memory.last_scale_in_at)), default=None)
    cooldown = max(policy.scale_out_cooldown, policy.scale_in_cooldown)
    return (
        scene.is_settled
        and not are_hosts_untold(evidence.nodes, evidence.memory.pushed, evidence.now)
        and (last is None or last + cooldown <= evidence.now)
    )


def has_stood(scene: Scene) -> bool:
    """Whether the surplus on demand has stood for long enough to go back."""
    since = scene.memory.on_demand_since
    return since is not None and scene.evidence.now - since >= STAY_ON_DEMAND


def order_spot(scene: Scene, *, returning_mib: float = 0.0) -> SpotReturn | None:
    """Order spot for the surplus on demand that may go, as far as limits and the step leave room for it.

    Args:
        scene: As it is.
        returning_mib: Spot capacity that was ordered for it before, and comes.
    """
    surplus = movable(scene)
    slots = worth_it(scene.slots)
    wanted = sum(s.node_mib * surplus.get(s.group_id, 0) for s in slots) - returning_mib + scene.memory.owed_mib
    if wanted <= _ROUNDING or not has_room(slots, max_nodes=scene.room_nodes, limits=scene.limits):
        return None
    step, before = scene.evidence.policy.max_step_nodes, capacity_mib(slots, scene.base)
    counts = place_more(
        slots,
        wanted_mib=before + wanted,
        min_nodes=0,
        max_nodes=scene.room_nodes if step is None else min(scene.room_nodes, scene.nodes + step),
        on_demand_min_nodes=0,
        limits=replace(scene.limits, spot_share=1.0, min_units=0.0),
    )
    added = capacity_mib(slots, counts) - before
    if added <= 0:
        return None
    nodes = sum(counts.values()) - scene.nodes
    return SpotReturn(
        counts=counts,
        returning_mib=max(0.0, returning_mib + added - scene.memory.owed_mib),
        told=f"{nodes} on spot for on-demand nodes that stood in for it",
    )


def surplus_on_demand(scene: Scene) -> dict[str, int]:
    """Return how many on-demand nodes each group has beyond the floor and the share of the policy.

    A cluster without a spot group has nowhere to return to: none of its nodes is too many.
    """
    if not any(slot.market is Market.SPOT for slot in scene.slots):
        return {}
    on_demand = [slot for slot in scene.slots if slot.market is Market.ON_DEMAND and slot.count]
    nodes = sum(slot.count for slot in on_demand)
    floor = min(nodes, scene.evidence.policy.on_demand_min_nodes)
    held = sum(slot.node_mib * slot.count for slot in on_demand)
    floor_mib = held * floor / nodes if nodes else 0.0
    total = capacity_mib(scene.slots, scene.base)
    shared = (1 - scene.evidence.policy.spot_share) * (total - floor_mib)
    left_mib, left = held - floor_mib - shared, nodes - floor
    surplus = {}
    for slot in sorted(on_demand, key=_costliest_first):
        count = max(0, min(slot.count, left, math.floor(left_mib / slot.node_mib + 1e-9)))
        if count:
            surplus[slot.group_id] = count
            left -= count
            left_mib -= count * slot.node_mib
    return surplus


def movable(scene: Scene) -> dict[str, int]:
    """Return the surplus without the nodes that may not go because an application master runs there."""
    hosts = master_hosts(scene.evidence.nodes, scene.evidence.node_groups)
    counts = scene.base
    found = {i: min(n, counts[i] - hosts.get(i, 0)) for i, n in surplus_on_demand(scene).items()}
    return {group_id: count for group_id, count in found.items() if count > 0}


def give_back(scene: Scene, *, needed_mib: float, keep_nodes: int) -> SpotReturn | None:
    """Lower on-demand by what has arrived on spot, as far as nothing that is in use or waits loses its place.

    Nodes go in an order that does not depend on the work, until one would be missed: so more work never
    leaves fewer of them.

    Args:
        scene: Where nothing else is to be done.
        needed_mib: What runs and waits.
        keep_nodes: As many nodes as a scale-in would leave for it.
    """
    counts, returning = dict(scene.base), scene.memory.returning_mib
    spare_mib, spare_nodes = capacity_mib(scene.slots, counts) - needed_mib, scene.nodes - keep_nodes
    for slot in _leaving_in_turn(scene):
        spare_mib -= slot.node_mib
        spare_nodes -= 1
        if spare_mib < -_ROUNDING or spare_nodes < 0:
            break
        counts[slot.group_id] -= 1
        returning -= slot.node_mib
    gone = scene.nodes - sum(counts.values())
    if not gone:
        return None
    smallest = min(slot.node_mib for slot in scene.slots)
    returning = returning if returning >= smallest else 0.0  # the rest of a node has no counterpart
    return SpotReturn(
        counts=counts, returning_mib=returning, told=f"{gone} on demand go, their work has nodes on spot"
    )


def _leaving_in_turn(scene: Scene) -> Iterator[Slot]:
    """Yield the group of each on-demand node that has its counterpart on spot, one after the other."""
    surplus, left = movable(scene), scene.memory.returning_mib
    spare_units = capacity_units(scene.slots, scene.base) - scene.limits.min_units
    spare_nodes = scene.nodes - scene.min_nodes
    for slot in sorted(scene.slots, key=_costliest_first):
        for _ in range(surplus.get(slot.group_id, 0)):
            left -= slot.node_mib
            spare_units -= slot.units
            spare_nodes -= 1
            if left < -_ROUNDING or spare_units < -_ROUNDING or spare_nodes < 0:
                return
            yield slot


def worth_it(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Close every group but the spot groups that save enough over on-demand."""
    priced = [s.cost for s in slots if s.market is Market.ON_DEMAND and s.count and s.cost is not None]
    limit = min(priced, default=None)

    def saves(slot: Slot) -> bool:
        cheap = (
            limit is not None and slot.cost is not None and float(slot.cost) <= (1 - LEAST_SAVING) * float(limit)
        )
        return slot.market is Market.SPOT and cheap

    return tuple(slot.open_if(saves(slot)) for slot in slots)


def _costliest_first(slot: Slot) -> tuple[float, str]:
    return (-float(slot.cost or 0), slot.group_id)
