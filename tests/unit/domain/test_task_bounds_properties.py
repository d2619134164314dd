"""Of every task decision: it keeps to its bounds, in nodes, units and money, and to what it may touch."""

from dataclasses import replace
from decimal import Decimal

from tests.support.drawn_scenes import any_scene, good_scene
from tests.support.scenes import NOW, after, task_nodes, touchable

from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.limits import units_of
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence


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


@any_scene
def test_groups_that_may_not_be_touched_are_never_ordered(evidence: TaskEvidence) -> None:
    allowed = {g.group_id for g in evidence.groups if touchable(g)}
    assert {t.group_id for t in decide_task_capacity(evidence).decision.targets} <= allowed


@any_scene
def test_guarded_clusters_get_no_order(evidence: TaskEvidence) -> None:
    if not (evidence.is_paused or evidence.has_managed_scaling or not evidence.state.is_ready):
        return
    assert decide_task_capacity(evidence).decision.targets == ()


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
