"""Back to spot where a limit leaves no room for new nodes: few on-demand nodes are given up for as many on spot.

How it goes where there is room is in spot_return.py; which of the two is taken is decided in toward_spot.py.
"""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.placement import capacity_mib, has_room, place_more
from emr_autoscaler.domain.slots import Limits, Slot, capacity_units
from emr_autoscaler.domain.spot_return import STAY_ON_DEMAND, SpotReturn, movable, worth_it
from emr_autoscaler.domain.task_scene import Scene

EXCHANGED_AT_ONCE = 0.1
"""Part (0-1) of the nodes exchanged in one step, one node at least: they are missed until spot has booted."""

EXCHANGE_RESTS = timedelta(minutes=1)
"""Least time between a step back to spot and a scale-out, where the policy has a shorter cooldown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """On-demand nodes of one group that are given up."""

    group_id: str
    count: int


def exchange(scene: Scene) -> SpotReturn | None:
    """Return the order that exchanges some on-demand nodes for spot at a limit, or None where none may be.

    Never fewer nodes or less memory than before, apart from those that cannot be paid or addressed beside the
    ones that drain: then a single node goes first, and is owed. What is chosen does not depend on the work.
    """
    evidence = scene.evidence
    surplus, slots = movable(scene), _healthy(scene)
    expected = evidence.steps.held_until(evidence.now) is not None
    if expected or evidence.memory.lost or not surplus or not any(slot.open for slot in slots):
        return None
    group_id = next(iter(surplus))  # of the costliest group
    most = evidence.policy.max_step_nodes or math.inf
    few = int(max(1, min(surplus[group_id], most, math.floor(EXCHANGED_AT_ONCE * scene.nodes))))
    # What is given up counts in money and addresses until it is gone.
    beside = replace(scene.limits, max_units=math.inf)
    for count in dict.fromkeys((few, 1)) if has_room(slots, max_nodes=math.inf, limits=beside) else ():
        counts = _filled_up(scene, slots, _Given(group_id=group_id, count=count), scene.limits)
        if counts is not None:
            told = f"no room beside what stands: {count} on demand go for as many on spot"
            return SpotReturn(counts=counts, returning_mib=scene.memory.returning_mib, told=told)
    return _give_one_up(scene, slots, group_id)


def _healthy(scene: Scene) -> tuple[Slot, ...]:
    """Close every group but the spot groups that save enough and have had no trouble for long enough."""
    evidence = scene.evidence

    def is_healthy(slot: Slot) -> bool:
        health = evidence.pools.get(slot.group_id)
        trouble = health.last_trouble_at if health else None
        return trouble is None or evidence.now - trouble >= STAY_ON_DEMAND

    return tuple(slot.open_if(is_healthy(slot)) for slot in worth_it(scene.slots))


def _filled_up(
    scene: Scene, slots: tuple[Slot, ...], given: _Given, limits: Limits, *, gone: bool = False
) -> dict[str, int] | None:
    """Return the counts with spot in the place of ``given``, once that is ``gone`` or while it drains."""
    before = capacity_mib(slots, scene.base)
    left = tuple(_without(slot, given, gone=gone) if slot.group_id == given.group_id else slot for slot in slots)
    counts = place_more(
        left,
        wanted_mib=before,
        min_nodes=scene.nodes,
        max_nodes=scene.nodes,
        on_demand_min_nodes=0,
        limits=replace(limits, spot_share=1.0, min_units=0.0),
    )
    is_whole = sum(counts.values()) == scene.nodes and capacity_mib(slots, counts) >= before
    return counts if is_whole else None


def _without(slot: Slot, given: _Given, *, gone: bool) -> Slot:
    billed = slot.billed - given.count if gone else slot.billed
    return replace(slot, count=slot.count - given.count, billed=max(0, billed))


def _give_one_up(scene: Scene, slots: tuple[Slot, ...], group_id: str) -> SpotReturn | None:
    """Give one node up where spot could be had once it has drained: until then it is paid for."""
    limits, given = scene.limits, _Given(group_id=group_id, count=1)
    slot = next(slot for slot in slots if slot.group_id == group_id)
    units = capacity_units(slots, scene.base) - slot.units
    if scene.nodes <= scene.min_nodes or units < limits.min_units:
        return None
    if limits.free_addresses is not None:
        limits = replace(limits, free_addresses=limits.free_addresses + 1)
    if _filled_up(scene, slots, given, limits, gone=True) is None:
        return None
    return SpotReturn(
        counts={**scene.base, group_id: scene.base[group_id] - 1},
        returning_mib=scene.memory.returning_mib,
        owed_mib=slot.node_mib,
        told="no room beside what stands: 1 on demand goes, one on spot is ordered once it has drained",
    )


def keeps_leaving(scene: Scene) -> frozenset[str]:
    """Return the on-demand groups whose draining nodes are not called back: spot is to take their place."""
    if not scene.memory.owed_mib or not any(slot.open for slot in worth_it(scene.slots)):
        return frozenset()
    return frozenset(slot.group_id for slot in scene.slots if slot.market is Market.ON_DEMAND)
