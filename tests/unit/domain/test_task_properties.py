"""What holds of every task decision, whatever the groups, metrics, policies, memories and pools."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from tests.support.scenes import (
    NOW,
    draw_any_metrics,
    draw_good_metrics,
    draw_task_evidence,
    ordered,
    task_nodes,
    yarn,
)

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.demand import Demand, read_demand
from emr_autoscaler.domain.limits import units_of
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.node_prices import NO_PRICES
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.task_capacity import TaskVerdict, decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence

SCENES_PER_EXAMPLE = 25

examples = settings(max_examples=20, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def holds_for(
    *draws: Callable[[random.Random], ClusterMetrics],
) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Run a test on five hundred scenes; a failure names the number of its scene."""

    def decorate(test: Callable[..., None]) -> Callable[[], None]:
        @examples
        @given(first=st.integers(0, 2**40))
        def run(first: int) -> None:
            for number in range(first, first + SCENES_PER_EXAMPLE):
                note(f"scene {number}")
                test(draw_task_evidence(number, draws[number % len(draws)]))

        run.__name__ = test.__name__
        run.__doc__ = test.__doc__
        return run

    return decorate


any_scene = holds_for(draw_good_metrics, draw_good_metrics, draw_any_metrics)
good_scene = holds_for(draw_good_metrics)
dark_scene = holds_for(draw_any_metrics)


def touchable(group: InstanceGroup) -> bool:
    return group.role is Role.TASK and not group.has_own_scaling and group.state.may_be_resized


def warned(evidence: TaskEvidence, group: InstanceGroup) -> int:
    return sum(lost.group_id == group.group_id and lost.gone_by > NOW for lost in evidence.memory.lost)


def demand_of(evidence: TaskEvidence) -> Demand | Reason:
    return read_demand(evidence.metrics, now=NOW, max_age=evidence.policy.metrics_max_age, container_mib=None)


def after(evidence: TaskEvidence, verdict: TaskVerdict) -> tuple[InstanceGroup, ...]:
    return ordered(evidence.groups, verdict.decision.targets)


def standing(groups: tuple[InstanceGroup, ...]) -> int:
    """Nodes ordered where orders are ours, and present where they are not."""
    return sum(
        g.requested_count if touchable(g) else max(g.requested_count, g.running_count)
        for g in groups
        if g.role is Role.TASK
    )


@any_scene
def test_no_order_brings_the_cluster_above_its_maximum(evidence: TaskEvidence) -> None:
    before = task_nodes(evidence.groups)
    total = task_nodes(after(evidence, decide_task_capacity(evidence)))
    assert total <= max(before, evidence.policy.max_nodes)


@good_scene
def test_a_shrink_never_goes_below_the_minimum(evidence: TaskEvidence) -> None:
    verdict = decide_task_capacity(evidence)
    if verdict.decision.action is not Action.SCALE_IN:
        return
    if verdict.decision.reason in {Reason.ABOVE_MAXIMUM, Reason.ABOVE_MONEY_CAP}:
        return  # a maximum in units and a cap in money go before a minimum
    if any(g.instance_type == "x9.odd" for g in evidence.groups):
        return  # whether such a group can be ordered depends on what was learned
    assert standing(after(evidence, verdict)) >= min(evidence.policy.min_nodes, standing(evidence.groups))


@good_scene
def test_a_cluster_above_its_maximum_is_never_grown_further(evidence: TaskEvidence) -> None:
    before = task_nodes(evidence.groups)
    if not (before > evidence.policy.max_nodes):
        return
    assert task_nodes(after(evidence, decide_task_capacity(evidence))) <= before


@any_scene
def test_groups_that_may_not_be_touched_are_never_ordered(evidence: TaskEvidence) -> None:
    allowed = {g.group_id for g in evidence.groups if touchable(g)}
    assert {t.group_id for t in decide_task_capacity(evidence).decision.targets} <= allowed


@any_scene
def test_guarded_clusters_get_no_order(evidence: TaskEvidence) -> None:
    if not (evidence.is_paused or evidence.has_managed_scaling or not evidence.state.is_ready):
        return
    assert decide_task_capacity(evidence).decision.targets == ()


@good_scene
def test_more_waiting_work_never_gives_fewer_nodes(evidence: TaskEvidence) -> None:
    more = 10 ** (evidence.policy.max_nodes % 5)
    points = dict(evidence.metrics.series)
    (waiting,) = points[MetricName.CONTAINER_PENDING]
    points[MetricName.CONTAINER_PENDING] = (replace(waiting, value=waiting.value + more),)
    busier = replace(evidence, metrics=replace(evidence.metrics, series=points))
    less = task_nodes(after(evidence, decide_task_capacity(evidence)))
    assert task_nodes(after(busier, decide_task_capacity(busier))) >= less


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
def test_closed_pools_get_nothing_new(evidence: TaskEvidence) -> None:
    closed = {
        g.group_id
        for g in evidence.groups
        if g.group_id in evidence.pools and evidence.pools[g.group_id].is_cooling(NOW) and g.market is Market.SPOT
    }
    running = {g.group_id: g.running_count for g in evidence.groups}
    for target in decide_task_capacity(evidence).decision.targets:
        draining_taken_back = max(target.previous_count, running[target.group_id])
        assert target.group_id not in closed or target.count <= draining_taken_back


@good_scene
def test_on_demand_grows_only_to_its_floor_while_a_spot_pool_is_open(evidence: TaskEvidence) -> None:
    memory = replace(evidence.memory, lost=(), unfulfilled_since={}, storm_until=None)
    policy = replace(evidence.policy, spot_share=1.0, max_usd_per_hour=None)
    evidence = replace(evidence, memory=memory, policy=policy)
    decision = decide_task_capacity(evidence).decision
    running = {g.group_id: g.running_count for g in evidence.groups}
    grown = {t.group_id for t in decision.targets if t.count > max(t.previous_count, running[t.group_id])}
    markets = {g.group_id: g.market for g in evidence.groups}
    since = evidence.memory.unfulfilled_since
    open_spot = [
        g
        for g in evidence.groups
        if touchable(g)
        and g.market is Market.SPOT
        and g.instance_type != "x9.odd"
        and not (g.group_id in evidence.pools and evidence.pools[g.group_id].is_cooling(NOW))
        and g.group_id not in since
    ]
    if not (open_spot and any(markets[group_id] is Market.ON_DEMAND for group_id in grown)):
        return
    counts = {t.group_id: t.count for t in decision.targets}
    on_demand = sum(
        counts.get(g.group_id, g.requested_count)
        for g in evidence.groups
        if touchable(g) and g.market is Market.ON_DEMAND and g.instance_type != "x9.odd"
    )
    assert on_demand <= evidence.policy.on_demand_min_nodes


@good_scene
def test_one_order_never_adds_more_than_the_step_beyond_the_minimum(evidence: TaskEvidence) -> None:
    step = evidence.policy.max_step_nodes
    decision = decide_task_capacity(evidence).decision
    if not (step is not None and decision.reason is Reason.DEMAND_ABOVE_CAPACITY):
        return
    lost = len(evidence.memory.lost)
    stalled = sum(
        max(0, g.requested_count - g.running_count)
        for g in evidence.groups
        if g.group_id in evidence.memory.unfulfilled_since
    )
    added = sum(max(0, t.count - t.previous_count) for t in decision.targets)
    floor = max(evidence.policy.min_nodes, *(s.min_nodes for s in evidence.policy.schedules), 0)
    assert added <= max(step or 0, floor) + lost + stalled


def usd(evidence: TaskEvidence, groups: tuple[InstanceGroup, ...]) -> Decimal | None:
    """What is paid for the task groups an hour, draining nodes included; None where a price is missing."""
    total = Decimal(0)
    for g in groups:
        standing = max(g.requested_count, g.running_count)
        if g.role is not Role.TASK or not standing:
            continue
        price = evidence.prices.of(g, NOW)
        if price is None:
            return None
        total += price.usd_per_hour * standing
    return total


@any_scene
def test_no_order_that_adds_passes_the_cap_in_money(evidence: TaskEvidence) -> None:
    cap, verdict = evidence.policy.max_usd_per_hour, decide_task_capacity(evidence)
    grown = any(t.count > t.previous_count for t in verdict.decision.targets)
    if cap is None or not grown:
        return
    cost, before = usd(evidence, after(evidence, verdict)), usd(evidence, evidence.groups)
    assert cost is not None
    assert before is not None
    assert cost <= max(cap, before)  # taking a drain back costs nothing more


@good_scene
def test_more_than_the_cap_allows_is_given_back_whatever_the_demand(evidence: TaskEvidence) -> None:
    cap = evidence.policy.max_usd_per_hour
    # What may not be touched, or whose size is not known, costs what it costs.
    mine = tuple(
        g for g in evidence.groups if g.role is not Role.TASK or (touchable(g) and g.instance_type != "x9.odd")
    )
    untouched = replace(evidence, groups=mine, memory=replace(evidence.memory, lost=()))
    verdict = decide_task_capacity(untouched)
    if verdict.decision.reason is not Reason.ABOVE_MONEY_CAP or cap is None:
        return
    left = {t.group_id: t.count for t in verdict.decision.targets}
    costs = [
        price.usd_per_hour * left.get(g.group_id, g.requested_count)
        for g in mine
        if g.role is Role.TASK and (price := evidence.prices.of(g, NOW)) is not None
    ]
    assert sum(costs) <= cap


@any_scene
def test_no_order_that_adds_passes_the_maximum_in_units(evidence: TaskEvidence) -> None:
    policy, verdict = evidence.policy, decide_task_capacity(evidence)
    if policy.max_units is None:
        return
    sizes = {
        g.group_id: units_of(policy, g.instance_type, yarn_mib_per_node(g.instance_type, learned=None) or 0.0)
        for g in evidence.groups
        if touchable(g) and g.instance_type != "x9.odd"
    }
    before = sum(sizes[g.group_id] * g.requested_count for g in evidence.groups if g.group_id in sizes)
    left = sum(sizes[g.group_id] * g.requested_count for g in after(evidence, verdict) if g.group_id in sizes)
    assert left <= max(before, policy.max_units)


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


@good_scene
def test_what_is_learned_of_a_node_is_believable(evidence: TaskEvidence) -> None:
    learned = decide_task_capacity(evidence).memory.node_mib
    assert learned is None or (math.isfinite(learned) and learned > 0)


@dark_scene
def test_strange_metrics_teach_no_impossible_node_size(evidence: TaskEvidence) -> None:
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
        policy=TaskPolicy(max_nodes=evidence.policy.max_nodes, objective=evidence.policy.objective),
        is_paused=False,
        has_managed_scaling=False,
    )
    counts = [g.requested_count for g in after(calm, decide_task_capacity(calm))]
    assert max(counts) - min(counts) <= 1
