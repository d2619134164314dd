"""The task decision on a cluster with instance fleets: the decision on groups, asked and answered in steps.

A task fleet is two groups to it, spot and on demand. What is a fleet's own is here: whole instances,
and the way back to spot.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import Action, Decision, GroupTarget, Reason
from emr_autoscaler.domain.fleet_cap import within_cap
from emr_autoscaler.domain.fleet_masters import movable_units, spare_hosts
from emr_autoscaler.domain.fleet_steps import fleet_of, in_words, order_of, sides_of, task_policy_in_steps
from emr_autoscaler.domain.fleets import FleetTarget, InstanceFleet
from emr_autoscaler.domain.memory import TaskMemory
from emr_autoscaler.domain.placement import capacity_mib, place_more
from emr_autoscaler.domain.pool_trouble import is_storm
from emr_autoscaler.domain.slots import Slot
from emr_autoscaler.domain.spot_return import LEAST_SAVING, STAY_ON_DEMAND, surplus_on_demand
from emr_autoscaler.domain.task_scene import Scene, TaskEvidence, learn_node_mib, set_scene

_AT_REST = frozenset(
    {
        Reason.DEMAND_MET,
        Reason.RECENT_DEMAND,
        Reason.DRAINS_BEFORE_HELP,
        Reason.AT_MINIMUM,
        Reason.AT_MAXIMUM,
        Reason.WHOLE_INSTANCES,
    }
)
"""Holds during which units may move from on demand to spot."""


def in_steps(evidence: TaskEvidence) -> TaskEvidence:
    """Return the evidence with the fleets as groups and the policy's units as steps of the task fleet."""
    fleet = fleet_of(evidence.fleets, Role.TASK)
    learned = learn_node_mib(evidence)
    return replace(
        evidence,
        uses_fleets=False,
        fleets=(),
        groups=tuple(
            side
            for each in evidence.fleets
            if each.role is not Role.MASTER
            for side in sides_of(each, learned=learned)
        ),
        policy=evidence.policy if fleet is None else task_policy_in_steps(evidence.policy, fleet.step_units),
    )


def in_units(
    evidence: TaskEvidence, seen: TaskEvidence, decision: Decision, memory: TaskMemory
) -> tuple[Decision, TaskMemory]:
    """Return a decision on ``seen`` as one on the fleet itself, and what to remember.

    Args:
        evidence: The cluster with its fleets.
        seen: The same in steps, as ``in_steps`` made it.
        decision: What was decided on it.
        memory: What that decision remembers.
    """
    fleet = fleet_of(evidence.fleets, Role.TASK)
    if fleet is None:
        return decision, memory
    ordered = [target for target in decision.targets if isinstance(target, GroupTarget)]
    order = order_of(fleet, ordered)
    if ordered and order is None:
        decision, memory = _hold(evidence, decision, memory, Reason.WHOLE_INSTANCES)
    if order is not None and _would_cross(fleet, seen, decision, order):
        order = None
        decision, memory = _hold(evidence, decision, memory, Reason.RESIZING)
    if order is not None:
        order = spare_hosts(fleet, order, evidence)
        if order is None:
            decision, memory = _hold(evidence, decision, memory, Reason.HOSTS_APPLICATION_MASTERS)
    if order is not None:
        order = within_cap(fleet, order, seen)
        if order is None:
            decision, memory = _hold(evidence, decision, memory, Reason.AT_MONEY_CAP)
    moved = _back_to_spot(evidence, fleet, seen, decision, memory)
    back = None if moved is None else order_of(fleet, moved)
    back = None if back is None else spare_hosts(fleet, back, evidence)
    back = None if back is None else within_cap(fleet, back, seen)
    if back is not None:
        order, decision = back, replace(decision, action=Action.REBALANCE, reason=Reason.BACK_TO_SPOT)
    memory = replace(memory, returning_mib=_returning_mib(fleet, seen, memory, back))
    before = _side(seen, Market.ON_DEMAND).requested_count
    after = before if order is None else order.on_demand_units // fleet.step_units
    nodes = fleet.target_units // fleet.step_units if order is None else order.count // fleet.step_units
    kept = _kept_on_demand(seen, nodes)
    since = _on_demand_since(seen, decision, memory, before=before, after=after, kept=kept)
    next_at = _next_look(decision.next_evaluation_at, since, seen.now)
    detail = decision.detail and f"{decision.detail} ({in_words(fleet)})"
    decision = replace(
        decision, targets=() if order is None else (order,), detail=detail, next_evaluation_at=next_at
    )
    return decision, replace(memory, on_demand_since=since, next_evaluation_at=next_at)


def _side(seen: TaskEvidence, market: Market) -> InstanceGroup:
    return next(group for group in seen.groups if group.role is Role.TASK and group.market is market)


def _kept_on_demand(seen: TaskEvidence, nodes: int) -> int:
    """Return how many of ``nodes`` steps the policy wants on demand: the floor, and its share of the rest."""
    floor = min(nodes, seen.policy.on_demand_min_nodes)
    return floor + math.ceil((1 - seen.policy.spot_share) * (nodes - floor) - 1e-9)


def _would_cross(fleet: InstanceFleet, seen: TaskEvidence, decision: Decision, order: FleetTarget) -> bool:
    """Whether on-demand units would go before the spot units have come that are to take their place."""
    spot = _side(seen, Market.SPOT)
    booting = bool(_returning_mib(fleet, seen, seen.memory, None))
    return (
        decision.reason is Reason.DEMAND_BELOW_CAPACITY
        and order.on_demand_units < fleet.target_on_demand_units
        and (booting or spot.requested_count > spot.running_count)
    )


def _returning_mib(
    fleet: InstanceFleet, seen: TaskEvidence, memory: TaskMemory, back: FleetTarget | None
) -> float:
    """Return what was ordered on spot in place of on-demand units and may not work yet.

    Units count as provisioned as soon as EC2 has launched them; the fleet is resizing until they have booted.
    """
    if back is not None:
        steps = (back.spot_units - fleet.target_spot_units) / fleet.step_units
        return steps * (_side(seen, Market.SPOT).node_mib or 0.0)
    return memory.returning_mib if fleet.state is GroupState.RESIZING else 0.0


def _hold(
    evidence: TaskEvidence, decision: Decision, memory: TaskMemory, reason: Reason
) -> tuple[Decision, TaskMemory]:
    """Hold in place of an order, which then starts no cooldown either."""
    held = replace(decision, action=Action.HOLD, reason=reason)
    old = evidence.memory
    return held, replace(memory, last_scale_out_at=old.last_scale_out_at, last_scale_in_at=old.last_scale_in_at)


def _back_to_spot(
    evidence: TaskEvidence, fleet: InstanceFleet, seen: TaskEvidence, decision: Decision, memory: TaskMemory
) -> tuple[GroupTarget, ...] | None:
    """Return counts that order spot in place of on-demand steps above their floor, new ones first.

    The on-demand steps go once the new ones have come, as any surplus does; only where the maximum
    leaves no room is one instance of them given up at once.
    """
    spot, on_demand = _side(seen, Market.SPOT), _side(seen, Market.ON_DEMAND)
    health = seen.pools.get(spot.group_id)
    since = memory.on_demand_since
    if (
        decision.action is not Action.HOLD
        or decision.reason not in _AT_REST
        or spot.is_resizing
        or on_demand.is_resizing
        or (health is not None and health.is_cooling(seen.now))
        or since is None
        or seen.now - since < STAY_ON_DEMAND
        or is_storm(memory, seen.now)
    ):
        return None
    scene = set_scene(seen)
    if isinstance(scene, Reason) or scene.evidence.is_work_unseen or not _saves(scene.slots):
        return None
    surplus = surplus_on_demand(scene).get(on_demand.group_id, 0)
    surplus = movable_units(fleet, surplus * fleet.step_units, evidence) // fleet.step_units
    if not surplus:
        return None
    has_room = scene.nodes < seen.policy.max_nodes
    given_up = 0 if has_room else min(surplus, fleet.largest_units // fleet.step_units)
    moved = _affordable(scene, spot.group_id, given_up or surplus, beyond=given_up)
    if not moved:
        return None
    given_up = min(given_up, moved)
    return (
        GroupTarget(
            group_id=spot.group_id,
            count=spot.requested_count + moved,
            previous_count=spot.requested_count,
        ),
        GroupTarget(
            group_id=on_demand.group_id,
            count=on_demand.requested_count - given_up,
            previous_count=on_demand.requested_count,
            decommission_timeout=seen.policy.decommission_timeout,
        ),
    )


def _saves(slots: Sequence[Slot]) -> bool:
    """Whether spot is enough cheaper than on demand, or no price tells that it is not."""
    cost = {slot.market: slot.cost for slot in slots}
    spot, on_demand = cost.get(Market.SPOT), cost.get(Market.ON_DEMAND)
    return spot is None or on_demand is None or float(spot) <= (1 - LEAST_SAVING) * float(on_demand)


def _affordable(scene: Scene, spot_id: str, steps: int, *, beyond: int) -> int:
    """Return how many spot steps the limits allow beside what stands, ``beyond`` the maximum of nodes."""
    slots = tuple(slot.open_if(slot.group_id == spot_id) for slot in scene.slots)
    spot = next((slot for slot in slots if slot.open), None)
    if spot is None:
        return 0
    counts = place_more(
        slots,
        wanted_mib=capacity_mib(slots, scene.base) + steps * spot.node_mib,
        min_nodes=0,
        max_nodes=max(scene.room_nodes, scene.nodes + beyond),
        on_demand_min_nodes=0,
        limits=replace(scene.limits, spot_share=1.0, min_units=0.0),
    )
    return max(0, counts[spot_id] - spot.count)


def _on_demand_since(
    seen: TaskEvidence, decision: Decision, memory: TaskMemory, *, before: int, after: int, kept: int
) -> datetime | None:
    """Return since when more on-demand steps stand than are ``kept``, counted anew when spot failed again."""
    if after <= kept or seen.is_work_unseen:
        return None
    failed_again = decision.action is Action.REBALANCE and decision.reason is not Reason.BACK_TO_SPOT
    return seen.now if after > before or failed_again else memory.on_demand_since or seen.now


def _next_look(at: datetime | None, since: datetime | None, now: datetime) -> datetime | None:
    """Return when to look again: not later than spot may be tried again."""
    if since is None or since + STAY_ON_DEMAND <= now:
        return at
    return since + STAY_ON_DEMAND if at is None else min(at, since + STAY_ON_DEMAND)
