"""How many task nodes a cluster should have, and in which groups: from evidence to orders.

Which counts are chosen is in task_choice.py, on wants that want.py weighs; docs/scaling.md tells the
whole rule with an example.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain import fleet_capacity, schedules
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, GroupTarget, Reason
from emr_autoscaler.domain.demand import Demand, read_demand
from emr_autoscaler.domain.leaving_nodes import Leaving, name_leaving
from emr_autoscaler.domain.load import learn_load
from emr_autoscaler.domain.memory import PoolHealth, TaskMemory
from emr_autoscaler.domain.operator_hold import hold_for_operator
from emr_autoscaler.domain.pool_trouble import moments_of_truth
from emr_autoscaler.domain.slots import capacity_mib
from emr_autoscaler.domain.task_choice import (
    Choice,
    choose,
    choose_without_demand,
    fewest_nodes,
    remember_need,
)
from emr_autoscaler.domain.task_scene import Scene, TaskEvidence, set_scene
from emr_autoscaler.domain.toward_spot import toward_spot
from emr_autoscaler.domain.tuning import PRESENT_NODES_WORK
from emr_autoscaler.domain.want import Want, find_want, finishing_time, tuning_now

PUBLISH_LAG = timedelta(seconds=150)
"""A sample is visible this long after it was taken, or it is late."""

_OPEN_WISHES = frozenset(
    {
        Reason.COOLDOWN,
        Reason.POOL_DRY,
        Reason.CHANGE_TOO_SMALL,
        Reason.AT_MONEY_CAP,
        Reason.PRICES_MISSING,
        Reason.NO_FREE_ADDRESSES,
    }
)
"""What stands in the way of these may go without anything happening on the cluster."""

_BOUNDS = frozenset({Reason.ABOVE_MAXIMUM, Reason.ABOVE_MONEY_CAP})
"""What is above a bound has the policy's time to go, and no more."""

SOON = timedelta(minutes=1)
LATER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskVerdict:
    """The decision, and what to remember once it is carried out (or held).

    Attributes:
        decision: What is ordered.
        memory: Of the cluster.
        pools: Pools whose health this look changed.
    """

    decision: Decision
    memory: TaskMemory
    pools: tuple[PoolHealth, ...] = ()


def decide_task_capacity(evidence: TaskEvidence) -> TaskVerdict:
    """Decide the counts of a cluster's task groups, or the units of its task fleet."""
    if evidence.fleets:
        return _decide_task_fleet(evidence)
    guard = evidence.find_guard(enabled=evidence.policy.enabled)
    if guard is not None:
        return _held(evidence, evidence.memory, guard, next_at=None)
    held = hold_for_operator(evidence)
    if held is not None:
        return TaskVerdict(decision=held.decision, memory=held.memory)
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
        return _conclude(scene, choose_without_demand(scene, demand), None, None)
    load = learn_load(scene.memory.load, demand, expected_seconds=evidence.policy.expected_task_seconds)
    want = find_want(demand, load, evidence.policy, elsewhere_mib=scene.elsewhere_mib, now=evidence.now)
    wanted = remember_need(scene, demand, want)
    memory = replace(scene.memory, container_mib=demand.container_mib, wanted=wanted, load=load)
    scene = replace(scene, memory=memory)
    return _conclude(*toward_spot(scene, choose(scene, demand, want), want), demand, want)


def _decide_task_fleet(evidence: TaskEvidence) -> TaskVerdict:
    """Decide as on groups, with the two markets of the task fleet in their place."""
    seen = fleet_capacity.in_steps(evidence)
    verdict = decide_task_capacity(seen)
    decision, memory = fleet_capacity.in_units(evidence, seen, verdict.decision, verdict.memory)
    return replace(verdict, decision=decision, memory=memory)


def _conclude(scene: Scene, choice: Choice, demand: Demand | None, want: Want | None) -> TaskVerdict:
    """Turn counts into orders, and say when to look again."""
    evidence, now = scene.evidence, scene.evidence.now
    targets = _targets(scene, choice)
    gone = demand is not None  # without data nothing is lowered, and nothing is settled
    lost = tuple(entry for entry in evidence.memory.lost if entry.gone_by > now or not gone)
    change = sum(choice.counts.values()) - scene.nodes if targets else 0
    action = Action.SCALE_OUT if change > 0 else Action.SCALE_IN if change < 0 else Action.HOLD
    reason = choice.reason
    if targets and choice.reason is Reason.BACK_TO_SPOT:
        action = Action.REBALANCE
    elif change == 0 and targets:
        action = Action.REBALANCE
        settled = len(lost) < len(evidence.memory.lost)
        reason = Reason.LOST_CAPACITY_SETTLED if settled else Reason.POOL_DRY
    memory = scene.memory
    if targets or lost != memory.lost:
        exchanged = change == 0 and bool(targets) and reason is Reason.BACK_TO_SPOT
        running = {group.group_id: group.running_count for group in scene.usable}
        bought = {t.group_id: now for t in targets if t.count > max(t.previous_count, running[t.group_id])}
        memory = replace(
            memory,
            lost=lost,
            last_scale_out_at=now if change > 0 else memory.last_scale_out_at,
            last_scale_in_at=now if change < 0 or exchanged else memory.last_scale_in_at,
            exchanged_at=now if targets and reason is Reason.BACK_TO_SPOT else memory.exchanged_at,
            # A new order deserves its whole time to arrive: while demand grows some request is always unmet.
            unfulfilled_since={**memory.unfulfilled_since, **bought},
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
            detail=_arithmetic(scene, choice, demand, want),
            next_evaluation_at=next_at,
        ),
        memory=memory.due_at(next_at),
        pools=scene.cooled,
    )


def _targets(scene: Scene, choice: Choice) -> tuple[GroupTarget, ...]:
    targets, evidence = [], scene.evidence
    timeout = evidence.policy.decommission_timeout
    if choice.reason not in _BOUNDS:
        timeout = finishing_time(evidence.policy, scene.memory.load)
    for group in scene.usable:
        count = choice.counts[group.group_id] + scene.warned[group.group_id]
        if count != group.requested_count:
            shrinks = count < group.requested_count
            leaving = name_leaving(group, count, evidence.nodes, evidence.node_groups) if shrinks else Leaving()
            targets.append(
                GroupTarget(
                    group_id=group.group_id,
                    count=count,
                    previous_count=group.requested_count,
                    decommission_timeout=timeout if shrinks else None,
                    leave_first=leaving.first,
                    protected=leaving.protected,
                )
            )
    return tuple(targets)


def _next_evaluation(
    scene: Scene, memory: TaskMemory, choice: Choice, demand: Demand | None, *, acted: bool
) -> datetime | None:
    """Return when to look again: at the next sample while unsettled, else when a schedule changes."""
    now, evidence = scene.evidence.now, scene.evidence
    if demand is None:
        return now + LATER
    moving = acted or bool(memory.lost) or any(g.is_resizing for g in scene.usable)
    # A cap, and a way back to spot, are looked at again although nothing happens on the cluster: prices move.
    wanting = (
        demand.pending_containers > 0
        or choice.reason in _OPEN_WISHES
        or memory.on_demand_since is not None
        or (scene.limits.max_usd_per_hour is not None and scene.nodes > 0)
    )
    surplus = fewest_nodes(scene) < scene.nodes and not scene.evidence.is_work_unseen
    if not (moving or wanting or surplus):
        planned = (schedules.next_change(evidence.policy.schedules, now), _next_busy_hour(scene))
        return min((moment for moment in planned if moment is not None), default=None)
    visible = demand.at + evidence.metrics.period + PUBLISH_LAG
    moments = [
        visible if visible > now else now + SOON,
        choice.retry_at,
        *(lost.gone_by for lost in memory.lost),
        *moments_of_truth(scene.usable, memory, evidence.policy.fallback_after),
    ]
    return min(moment for moment in moments if moment is not None and moment > now)


def _next_busy_hour(scene: Scene) -> datetime | None:
    """Return when an hour of the week is near for which more nodes are usually kept than stand here."""
    share = tuning_now(scene.evidence.policy, scene.memory.load).usual_share
    standing = scene.elsewhere_mib + capacity_mib(scene.slots, scene.base)
    return scene.memory.load.next_look_above(standing / share, scene.evidence.now) if share else None


def _arithmetic(scene: Scene, choice: Choice, demand: Demand | None, want: Want | None) -> str:
    """Put the arithmetic in words."""
    standing = f"{scene.nodes} task nodes ordered, bounds {scene.min_nodes}-{scene.max_nodes}"
    if demand is None or want is None:
        return standing
    kept = [
        f"{what} {mib:.0f} MiB"
        for what, mib in (("the usual load", want.usual_mib), ("the headroom", want.spare_mib))
        if mib > want.drain_mib
    ]
    return (
        f"{demand.allocated_mib:.0f} MiB in use and {demand.pending_mib:.0f} MiB waiting "
        f"({demand.pending_containers:.0f} containers of {demand.container_mib:.0f} MiB, "
        f"{want.task_seconds:.0f} s each); what the present {demand.total_mib:.0f} MiB leave over after "
        f"{PRESENT_NODES_WORK.total_seconds():.0f} s needs {want.drain_mib:.0f} MiB of task nodes to drain within "
        f"{want.tuning.drain_within.total_seconds():.0f} s{''.join(f', {text}' for text in kept)}; {standing} -> "
        f"{sum(choice.counts.values())}{choice.told and f'; {choice.told}'}"
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
    return TaskVerdict(decision=decision, memory=memory.due_at(next_at))
