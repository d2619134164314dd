"""How many task nodes a cluster should have, and in which groups.

Work waiting is weighed by how long it takes to drain: nodes are bought when the present ones would
need longer than the objective allows. Nodes are given back only when their memory is free and no
recent look wanted them. docs/scaling.md tells the whole rule with an example.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain import fleet_capacity, schedules
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, GroupTarget, Reason
from emr_autoscaler.domain.demand import Demand, read_demand
from emr_autoscaler.domain.memory import TaskMemory, WantedCapacity
from emr_autoscaler.domain.placement import capacity_mib, place_fewer, place_more
from emr_autoscaler.domain.policy import Objective
from emr_autoscaler.domain.task_scene import Scene, TaskEvidence, find_guard, set_scene

DRAIN_WITHIN: Mapping[Objective, timedelta] = {
    Objective.COST: timedelta(seconds=480),
    Objective.BALANCED: timedelta(seconds=240),
    Objective.SPEED: timedelta(seconds=60),
}
"""Waiting work may take this long to drain before nodes are bought for it."""

HOLD_FOR: Mapping[Objective, timedelta] = {
    Objective.COST: timedelta(seconds=60),
    Objective.BALANCED: timedelta(seconds=180),
    Objective.SPEED: timedelta(seconds=420),
}
"""Nodes that a look this recent wanted are kept."""

RUNNING_WORK_LEFT = 0.5
"""A container seen running is on average half done."""

PUBLISH_LAG = timedelta(seconds=150)
"""A sample is visible this long after it was taken, or it is late."""

SOON = timedelta(minutes=1)
LATER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskVerdict:
    """The decision, and what to remember once it is carried out (or held)."""

    decision: Decision
    memory: TaskMemory


def decide_task_capacity(evidence: TaskEvidence) -> TaskVerdict:
    """Decide the counts of a cluster's task groups, or the units of its task fleet."""
    if evidence.fleets:
        return _decide_task_fleet(evidence)
    guard = find_guard(evidence)
    if guard is not None:
        return _held(evidence, evidence.memory, guard, next_at=None)
    scene = set_scene(evidence)
    if isinstance(scene, Reason):
        return _held(evidence, evidence.memory, scene, next_at=evidence.now + LATER)
    demand = read_demand(
        evidence.metrics,
        now=evidence.now,
        max_age=evidence.policy.metrics_max_age,
        container_mib=scene.memory.container_mib,
    )
    if isinstance(demand, Reason):
        scene = scene.without_lowering()
        choice = _reach_minimum(scene) or _Choice(reason=demand, counts=scene.base)
        return _conclude(scene, choice, None)
    scene = replace(scene, memory=_learn(scene, demand))
    choice = _scale_out(scene, demand) or _scale_in(scene, demand)
    return _conclude(scene, choice, demand)


def _decide_task_fleet(evidence: TaskEvidence) -> TaskVerdict:
    """Decide as on groups, with the two markets of the task fleet in their place."""
    seen = fleet_capacity.in_steps(evidence)
    verdict = decide_task_capacity(seen)
    decision, memory = fleet_capacity.in_units(evidence, seen, verdict.decision, verdict.memory)
    return replace(verdict, decision=decision, memory=memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    reason: Reason
    counts: Mapping[str, int]
    retry_at: datetime | None = None


def _wanted_mib(scene: Scene, demand: Demand) -> float:
    """Return the memory task nodes need so that the work drains within the objective's time."""
    policy = scene.evidence.policy
    work = (demand.pending_mib + RUNNING_WORK_LEFT * demand.allocated_mib) * policy.expected_task_seconds
    return max(0.0, work / DRAIN_WITHIN[policy.objective].total_seconds() - scene.elsewhere_mib)


def _learn(scene: Scene, demand: Demand) -> TaskMemory:
    """Remember the container size and this look's want for as long as the hold window lasts."""
    seen = WantedCapacity(at=demand.at, mib=_wanted_mib(scene, demand))
    recent = tuple(
        w
        for w in scene.memory.wanted
        if w.at != demand.at and w.at >= _held_since(scene) and w.at <= scene.evidence.now
    )
    return replace(scene.memory, container_mib=demand.container_mib, wanted=(*recent, seen))


def _held_since(scene: Scene) -> datetime:
    return scene.evidence.now - HOLD_FOR[scene.evidence.policy.objective] - scene.evidence.metrics.period


def _place_more(scene: Scene, wanted_mib: float, max_nodes: int) -> dict[str, int]:
    return place_more(
        scene.slots,
        wanted_mib=wanted_mib,
        min_nodes=scene.min_nodes,
        max_nodes=max_nodes,
        on_demand_min_nodes=scene.evidence.policy.on_demand_min_nodes,
    )


def _reach_minimum(scene: Scene) -> _Choice | None:
    """Fill the minimum, which needs no metrics."""
    counts = _place_more(scene, 0.0, scene.room_nodes)
    if sum(counts.values()) <= scene.nodes:
        return None
    scheduled = scene.scheduled_nodes > scene.evidence.policy.min_nodes
    return _Choice(reason=Reason.SCHEDULED_MINIMUM if scheduled else Reason.BELOW_MINIMUM, counts=counts)


def _scale_out(scene: Scene, demand: Demand) -> _Choice | None:
    """Choose more nodes, or hold where more are wanted and may not be had; None where none are wanted."""
    policy, now = scene.evidence.policy, scene.evidence.now
    minimum = _reach_minimum(scene)
    wanted = _wanted_mib(scene, demand)
    limit = scene.room_nodes
    if policy.max_step_nodes is not None:
        limit = min(limit, max(scene.nodes + policy.max_step_nodes, scene.min_nodes))
    counts = _place_more(scene, wanted, limit)
    if sum(counts.values()) > scene.nodes:
        if minimum is not None and sum(minimum.counts.values()) >= sum(counts.values()):
            return minimum
        ready_at = _cooled(scene.memory.last_scale_out_at, policy.scale_out_cooldown)
        if ready_at is not None and ready_at > now:
            return minimum or _Choice(reason=Reason.COOLDOWN, counts=scene.base, retry_at=ready_at)
        return _Choice(reason=Reason.DEMAND_ABOVE_CAPACITY, counts=counts)
    if capacity_mib(scene.slots, scene.base) >= wanted:
        return None
    if scene.nodes > scene.max_nodes:
        return None
    at_maximum = scene.nodes >= scene.room_nodes
    return _Choice(reason=Reason.AT_MAXIMUM if at_maximum else Reason.POOL_DRY, counts=scene.base)


def _scale_in(scene: Scene, demand: Demand) -> _Choice:
    """Choose fewer nodes, or hold and say why."""
    policy, now = scene.evidence.policy, scene.evidence.now
    in_use = max(0.0, demand.allocated_mib - scene.elsewhere_mib)
    recent = max((w.mib for w in scene.memory.wanted), default=0.0)
    above = scene.nodes > scene.max_nodes
    counts = _place_fewer(scene, max(in_use, recent))
    if sum(counts.values()) >= scene.nodes:
        return _Choice(reason=_why_held(scene, demand, in_use), counts=scene.base)
    resizing = any(g.is_resizing for g in scene.usable)
    last = max(filter(None, (scene.memory.last_scale_out_at, scene.memory.last_scale_in_at)), default=None)
    ready_at = _cooled(last, policy.scale_in_cooldown)
    if not resizing and (ready_at is None or ready_at <= now):
        return _Choice(reason=Reason.ABOVE_MAXIMUM if above else Reason.DEMAND_BELOW_CAPACITY, counts=counts)
    if above:
        # Nothing is a reason to stay above the maximum, only not to go further than it.
        return _Choice(reason=Reason.ABOVE_MAXIMUM, counts=_place_fewer(scene, math.inf))
    if resizing:
        return _Choice(reason=Reason.RESIZING, counts=scene.base)
    return _Choice(reason=Reason.COOLDOWN, counts=scene.base, retry_at=ready_at)


def _place_fewer(scene: Scene, keep_mib: float) -> dict[str, int]:
    return place_fewer(
        scene.slots,
        wanted_mib=keep_mib,
        min_nodes=scene.min_nodes,
        max_nodes=scene.max_nodes,
        on_demand_min_nodes=scene.evidence.policy.on_demand_min_nodes,
    )


def _why_held(scene: Scene, demand: Demand, in_use: float) -> Reason:
    if demand.pending_containers > 0:
        return Reason.DRAINS_BEFORE_HELP
    now_only = _place_fewer(scene, max(in_use, _wanted_mib(scene, demand)))
    if sum(now_only.values()) < scene.nodes:
        return Reason.RECENT_DEMAND
    return Reason.AT_MINIMUM if scene.nodes <= scene.min_nodes else Reason.DEMAND_MET


def _cooled(last: datetime | None, cooldown: timedelta) -> datetime | None:
    return None if last is None else last + cooldown


def _conclude(scene: Scene, choice: _Choice, demand: Demand | None) -> TaskVerdict:
    """Turn counts into orders, and say when to look again."""
    evidence, now = scene.evidence, scene.evidence.now
    targets = _targets(scene, choice.counts)
    gone = demand is not None  # without data nothing is lowered, and nothing is settled
    lost = tuple(entry for entry in evidence.memory.lost if entry.gone_by > now or not gone)
    change = sum(choice.counts.values()) - scene.nodes if targets else 0
    action = Action.SCALE_OUT if change > 0 else Action.SCALE_IN if change < 0 else Action.HOLD
    reason = choice.reason
    if change == 0 and targets:
        action = Action.REBALANCE
        settled = len(lost) < len(evidence.memory.lost)
        reason = Reason.LOST_CAPACITY_SETTLED if settled else Reason.POOL_DRY
    grown = {target.group_id: now for target in targets if target.count > target.previous_count}
    memory = replace(
        scene.memory,
        lost=lost,
        last_scale_out_at=now if change > 0 else scene.memory.last_scale_out_at,
        last_scale_in_at=now if change < 0 else scene.memory.last_scale_in_at,
        # A new order deserves its whole time to arrive: while demand grows some request is always unmet.
        unfulfilled_since={**scene.memory.unfulfilled_since, **grown},
    )
    next_at = _next_evaluation(scene, memory, choice, demand, acted=bool(targets))
    return TaskVerdict(
        decision=Decision(
            kind=DecisionKind.TASK,
            cluster_id=evidence.cluster_id,
            decided_at=now,
            action=action,
            reason=reason,
            targets=targets,
            detail=_arithmetic(scene, choice, demand),
            next_evaluation_at=next_at,
        ),
        memory=replace(memory, next_evaluation_at=next_at),
    )


def _targets(scene: Scene, counts: Mapping[str, int]) -> tuple[GroupTarget, ...]:
    targets = []
    for group in scene.usable:
        count = counts[group.group_id] + scene.warned[group.group_id]
        if count != group.requested_count:
            shrinks = count < group.requested_count
            targets.append(
                GroupTarget(
                    group_id=group.group_id,
                    count=count,
                    previous_count=group.requested_count,
                    decommission_timeout=scene.evidence.policy.decommission_timeout if shrinks else None,
                )
            )
    return tuple(targets)


def _next_evaluation(
    scene: Scene, memory: TaskMemory, choice: _Choice, demand: Demand | None, *, acted: bool
) -> datetime | None:
    """Return when to look again: at the next sample while unsettled, else when a schedule changes."""
    now, evidence = scene.evidence.now, scene.evidence
    if demand is None:
        return now + LATER
    moving = acted or bool(memory.lost) or any(g.is_resizing for g in scene.usable)
    wanting = demand.pending_containers > 0 or choice.reason in {Reason.COOLDOWN, Reason.POOL_DRY}
    reducible = sum(_place_fewer(scene, 0.0).values()) < scene.nodes
    if not (moving or wanting or reducible):
        return schedules.next_change(evidence.policy.schedules, now)
    visible = demand.at + evidence.metrics.period + PUBLISH_LAG
    moments = [
        visible if visible > now else now + SOON,
        choice.retry_at,
        *(lost.gone_by for lost in memory.lost),
        *(since + evidence.policy.fallback_after for since in memory.unfulfilled_since.values()),
    ]
    return min(moment for moment in moments if moment is not None and moment > now)


def _arithmetic(scene: Scene, choice: _Choice, demand: Demand | None) -> str:
    """Put the arithmetic in words."""
    standing = f"{scene.nodes} task nodes ordered, bounds {scene.min_nodes}-{scene.max_nodes}"
    if demand is None:
        return standing
    policy = scene.evidence.policy
    return (
        f"{demand.allocated_mib:.0f} MiB in use and {demand.pending_mib:.0f} MiB waiting "
        f"({demand.pending_containers:.0f} containers of {demand.container_mib:.0f} MiB, "
        f"{policy.expected_task_seconds} s each) need {_wanted_mib(scene, demand):.0f} MiB of task nodes to "
        f"drain within {DRAIN_WITHIN[policy.objective].total_seconds():.0f} s; {standing} "
        f"-> {sum(choice.counts.values())}"
    )


def _held(evidence: TaskEvidence, memory: TaskMemory, reason: Reason, *, next_at: datetime | None) -> TaskVerdict:
    decision = Decision(
        kind=DecisionKind.TASK,
        cluster_id=evidence.cluster_id,
        decided_at=evidence.now,
        action=Action.HOLD,
        reason=reason,
        next_evaluation_at=next_at,
    )
    return TaskVerdict(decision=decision, memory=replace(memory, next_evaluation_at=next_at))
