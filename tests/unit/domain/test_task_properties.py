"""Of every task decision: what it does with work, time and memory; its bounds have properties of their own."""

import math
from dataclasses import replace
from datetime import timedelta

from tests.support.drawn_scenes import (
    any_scene,
    dark_scene,
    good_scene,
)
from tests.support.scenes import NOW, after, task_nodes, touchable, yarn

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.cluster import InstanceGroup, Market
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.demand import Demand, read_demand
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.domain.node_prices import NO_PRICES
from emr_autoscaler.domain.policy import Objective, TaskPolicy
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.domain.tuning import tuning_of


def warned(evidence: TaskEvidence, group: InstanceGroup) -> int:
    return sum(lost.group_id == group.group_id and lost.gone_by > NOW for lost in evidence.memory.lost)


def demand_of(evidence: TaskEvidence) -> Demand | Reason:
    return read_demand(evidence.metrics, now=NOW, max_age=evidence.policy.metrics_max_age, container_mib=None)


@good_scene
def test_more_waiting_work_never_gives_fewer_nodes(evidence: TaskEvidence) -> None:
    more = 10 ** (evidence.policy.max_nodes % 5)
    points = dict(evidence.metrics.series)
    (waiting,) = points[MetricName.CONTAINER_PENDING]
    points[MetricName.CONTAINER_PENDING] = (replace(waiting, value=waiting.value + more),)
    busier = replace(evidence, metrics=replace(evidence.metrics, series=points))
    less = task_nodes(after(evidence, decide_task_capacity(evidence)))
    assert task_nodes(after(busier, decide_task_capacity(busier))) >= less


@good_scene
def test_a_shorter_drain_time_never_gives_fewer_nodes(evidence: TaskEvidence) -> None:
    asked = tuning_of(evidence.policy).drain_within
    found = []
    for drain_within in (asked, asked * 0.7):
        hurried = replace(evidence, policy=replace(evidence.policy, drain_within=drain_within))
        found.append(task_nodes(after(hurried, decide_task_capacity(hurried))))
    assert found[0] <= found[1]


@good_scene
def test_a_quicker_objective_never_gives_fewer_nodes(evidence: TaskEvidence) -> None:
    found = []
    for objective in (Objective.COST, Objective.BALANCED, Objective.SPEED):
        asked = replace(evidence, policy=replace(evidence.policy, drain_within=None, objective=objective))
        found.append(task_nodes(after(asked, decide_task_capacity(asked))))
    assert found == sorted(found)


@any_scene
def test_a_decision_carried_out_is_a_fixed_point(evidence: TaskEvidence) -> None:
    cooldown = max(evidence.policy.scale_in_cooldown, timedelta(minutes=1))
    evidence = replace(
        evidence,
        policy=replace(evidence.policy, max_step_nodes=None, scale_in_cooldown=cooldown),
        memory=replace(evidence.memory, returning_mib=0.0),  # a return to spot has a second step
    )
    leaving = {lost.group_id for lost in evidence.memory.lost}
    if any(g.group_id in leaving and g.running_count > g.requested_count for g in evidence.groups):
        return  # a warned instance that was leaving anyway is in nobody's order
    if any(warned(evidence, g) > g.requested_count for g in evidence.groups):
        return  # the same of one that was never seen running
    verdict = decide_task_capacity(evidence)
    targets, settled = verdict.decision.targets, len(verdict.memory.lost) < len(evidence.memory.lost)
    if settled and (not targets or any(t.count < t.previous_count for t in targets)):
        return  # EMR tells that the lost instance no longer runs; here it still seems to drain
    if verdict.decision.action is Action.SCALE_IN and evidence.policy.on_demand_min_nodes:
        return  # the maximum and the cap are kept first, the floor is filled from what is then free
    if verdict.decision.reason in {Reason.ABOVE_MAXIMUM, Reason.ABOVE_MONEY_CAP}:
        return  # smaller nodes may fit into what the last large one left free
    cooled = {health.key: health for health in verdict.pools}
    again = replace(
        evidence,
        groups=after(evidence, verdict),
        memory=verdict.memory,
        groups_are_fresh=False,
        pools={group_id: cooled.get(health.key, health) for group_id, health in evidence.pools.items()},
    )
    assert decide_task_capacity(again).decision.targets == ()


@dark_scene
def test_missing_or_absurd_metrics_never_lower_a_count(evidence: TaskEvidence) -> None:
    if not (isinstance(demand_of(evidence), Reason)):
        return
    for target in decide_task_capacity(evidence).decision.targets:
        assert target.count > target.previous_count


@good_scene
def test_no_node_is_given_back_for_what_yarn_says_where_it_does_not_see_all_work(
    evidence: TaskEvidence,
) -> None:
    unseen = replace(evidence, unseen=("trino",))
    decision = decide_task_capacity(unseen).decision
    assert decision.reason not in {Reason.DEMAND_BELOW_CAPACITY, Reason.BACK_TO_SPOT}
    trusting = replace(unseen, policy=replace(unseen.policy, trust_yarn=True))
    assert decide_task_capacity(trusting).decision == decide_task_capacity(evidence).decision


@any_scene
def test_cooldowns_are_kept(evidence: TaskEvidence) -> None:
    decision = decide_task_capacity(evidence).decision
    last_out, last_in = evidence.memory.last_scale_out_at, evidence.memory.last_scale_in_at
    if decision.reason is Reason.DEMAND_ABOVE_CAPACITY and last_out is not None:
        assert last_out + evidence.policy.scale_out_cooldown <= NOW
    if decision.reason is Reason.DEMAND_BELOW_CAPACITY:
        for last in filter(None, (last_out, last_in)):
            assert last + evidence.policy.scale_in_cooldown <= NOW


@good_scene
def test_memory_in_use_is_never_given_back(evidence: TaskEvidence) -> None:
    verdict = decide_task_capacity(evidence)
    demand = demand_of(evidence)
    if not (verdict.decision.reason is Reason.DEMAND_BELOW_CAPACITY and isinstance(demand, Demand)):
        return
    kept = sum(
        (yarn_mib_per_node(g.instance_type, learned=verdict.memory.node_mib) or 0)
        * (g.requested_count if touchable(g) else g.running_count)
        for g in after(evidence, verdict)
    )
    assert kept >= demand.allocated_mib - 1e-6


@any_scene
def test_the_next_look_is_always_in_the_future(evidence: TaskEvidence) -> None:
    verdict = decide_task_capacity(evidence)
    next_at = verdict.decision.next_evaluation_at
    assert next_at is None or next_at > NOW
    assert verdict.memory.next_evaluation_at == next_at


@any_scene
def test_an_action_has_orders_and_a_hold_has_none(evidence: TaskEvidence) -> None:
    decision = decide_task_capacity(evidence).decision
    assert (decision.action is Action.HOLD) == (decision.targets == ())


@any_scene
def test_every_order_changes_a_count(evidence: TaskEvidence) -> None:
    counts = {g.group_id: g.requested_count for g in evidence.groups}
    for target in decide_task_capacity(evidence).decision.targets:
        assert target.previous_count == counts[target.group_id] != target.count


@good_scene
def test_lost_instances_are_settled_once_they_are_gone_and_kept_until_then(evidence: TaskEvidence) -> None:
    verdict = decide_task_capacity(evidence)
    if verdict.memory == replace(evidence.memory, next_evaluation_at=verdict.memory.next_evaluation_at):
        return
    assert verdict.memory.lost == tuple(lost for lost in evidence.memory.lost if lost.gone_by > NOW)


@any_scene
def test_metrics_however_strange_teach_no_impossible_node_size(evidence: TaskEvidence) -> None:
    learned = decide_task_capacity(evidence).memory.node_mib
    assert learned is None or (math.isfinite(learned) and learned > 0)


@any_scene
def test_a_stored_decision_can_be_replayed(evidence: TaskEvidence) -> None:
    stored = dump_evidence(DecisionKind.TASK, evidence)
    replayed = load_evidence(DecisionKind.TASK, stored)
    assert isinstance(replayed, TaskEvidence)
    assert decide_task_capacity(replayed) == decide_task_capacity(evidence)


@good_scene
def test_the_sum_over_pools_is_even_when_they_start_empty(evidence: TaskEvidence) -> None:
    groups = tuple(
        replace(g, requested_count=0, running_count=0, instance_type="m5.xlarge", market=Market.SPOT)
        for g in evidence.groups
        if touchable(g)
    )
    if not (len(groups) > 1):
        return
    calm = replace(
        evidence,
        groups=groups,
        pools={},
        memory=replace(evidence.memory, lost=(), unfulfilled_since={}, last_scale_out_at=None, storm_until=None),
        metrics=yarn(pending=1000),
        prices=NO_PRICES,
        policy=TaskPolicy(
            max_nodes=evidence.policy.max_nodes,
            objective=evidence.policy.objective,
            drain_within=evidence.policy.drain_within,
        ),
        is_paused=False,
        has_managed_scaling=False,
    )
    counts = [g.requested_count for g in after(calm, decide_task_capacity(calm))]
    assert max(counts) - min(counts) <= 1
