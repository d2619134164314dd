"""Back to spot from on-demand: new spot nodes first, then on-demand nodes are given back gracefully."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.leaving_nodes import are_hosts_untold, master_hosts
from emr_autoscaler.domain.placement import capacity_mib, place_more
from emr_autoscaler.domain.slots import Slot, capacity_units
from emr_autoscaler.domain.task_scene import Scene

STAY_ON_DEMAND = timedelta(minutes=30)
"""On-demand nodes that took the place of spot are kept for this long at least: a market that failed may again."""

LEAST_SAVING = 0.2
"""A pool must save this part of the on-demand cost, or the move is not worth its restarts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotReturn:
    """One step of the way back.

    Attributes:
        counts: Counts by group id.
        returning_mib: Spot capacity whose on-demand counterpart is still there afterwards.
    """

    counts: Mapping[str, int]
    returning_mib: float


def is_booting(scene: Scene) -> bool:
    """Whether nodes that were ordered are not there yet."""
    return any(group.requested_count > group.running_count for group in scene.usable)


def return_to_spot(scene: Scene, *, wanted_mib: float) -> SpotReturn | None:
    """Return the next step back to spot, or None where there is none to take now.

    Args:
        scene: Where nothing else is to be done.
        wanted_mib: What a scale-out would want: on-demand nodes are not given back below it.
    """
    evidence = scene.evidence
    if not scene.is_settled or are_hosts_untold(evidence.nodes, evidence.memory.pushed, evidence.now):
        return None
    surplus = _movable(scene)
    if scene.memory.returning_mib:
        return _give_back(scene, surplus, wanted_mib)
    since = scene.memory.on_demand_since
    if not surplus or since is None or scene.evidence.now - since < STAY_ON_DEMAND:
        return None
    slots = _worth_it(scene.slots)
    if not any(slot.open for slot in slots):
        return None
    before = capacity_mib(slots, scene.base)
    counts = place_more(
        slots,
        wanted_mib=before + sum(s.node_mib * surplus.get(s.group_id, 0) for s in slots),
        min_nodes=0,
        max_nodes=scene.room_nodes,
        on_demand_min_nodes=0,
        limits=replace(scene.limits, spot_share=1.0, min_units=0.0),
    )
    added = capacity_mib(slots, counts) - before
    return SpotReturn(counts=counts, returning_mib=added) if added > 0 else None


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


def _movable(scene: Scene) -> dict[str, int]:
    """Return the surplus without the nodes that may not go because an application master runs there."""
    hosts = master_hosts(scene.evidence.nodes, scene.evidence.node_groups)
    counts = scene.base
    found = {i: min(n, counts[i] - hosts.get(i, 0)) for i, n in surplus_on_demand(scene).items()}
    return {group_id: count for group_id, count in found.items() if count > 0}


def _give_back(scene: Scene, surplus: Mapping[str, int], wanted_mib: float) -> SpotReturn | None:
    """Lower on-demand by what has arrived on spot, as far as minimums and want stay met."""
    counts, left = dict(scene.base), scene.memory.returning_mib
    spare_mib = capacity_mib(scene.slots, counts) - wanted_mib
    spare_units = capacity_units(scene.slots, counts) - scene.limits.min_units
    spare_nodes = scene.nodes - scene.min_nodes
    for slot in scene.slots:
        most = min(left, spare_mib) / slot.node_mib, spare_units / slot.units if slot.units else math.inf
        count = max(0, min(surplus.get(slot.group_id, 0), spare_nodes, math.floor(min(most) + 1e-9)))
        counts[slot.group_id] -= count
        left -= count * slot.node_mib
        spare_mib -= count * slot.node_mib
        spare_units -= count * slot.units
        spare_nodes -= count
    if sum(counts.values()) == scene.nodes:
        return None
    return SpotReturn(counts=counts, returning_mib=0.0)


def _worth_it(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Close every group but the spot groups that save enough over on-demand."""
    priced = [s.cost for s in slots if s.market is Market.ON_DEMAND and s.count and s.cost is not None]
    limit = min(priced, default=None)

    def saves(slot: Slot) -> bool:
        cheap = (
            limit is not None and slot.cost is not None and float(slot.cost) <= (1 - LEAST_SAVING) * float(limit)
        )
        return slot.market is Market.SPOT and slot.open and cheap

    return tuple(replace(slot, open=saves(slot)) for slot in slots)


def _costliest_first(slot: Slot) -> tuple[float, str]:
    return (-float(slot.cost or 0), slot.group_id)
