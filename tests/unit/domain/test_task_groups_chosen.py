"""Which task groups get the nodes that are wanted, which give them back, and which are left alone; by example."""

from dataclasses import replace

import pytest
from tests.support.scenes import (
    BUSY,
    CORE_FULL_MIB,
    NODE_MIB,
    NOW,
    SAMPLED,
    cooling,
    core_group,
    counts,
    decide,
    minutes,
    on_demand_group,
    series,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.cluster import GroupState
from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.memory import PoolHealth, PoolKey
from emr_autoscaler.domain.task_capacity import decide_task_capacity


def test_the_emptier_spot_group_is_filled_first() -> None:
    groups = (task_group("ig-A", 4), task_group("ig-B"))
    assert counts(decide(task_evidence(*groups, metrics=BUSY, max_nodes=8))) == {"ig-B": 4}


def test_a_pool_that_ec2_calls_at_risk_comes_last_among_equals() -> None:
    key = PoolKey(instance_type="m5.xlarge", availability_zone="us-east-1a")
    risky = PoolHealth(key=key, rebalance_at=NOW - minutes(5))
    evidence = task_evidence(
        task_group("ig-A"), task_group("ig-B"), metrics=BUSY, max_nodes=1, pools={"ig-A": risky}
    )
    assert counts(decide(evidence)) == {"ig-B": 1}


def test_on_demand_is_the_fallback_while_every_spot_pool_cools() -> None:
    pools = {"ig-A": cooling("ig-A"), "ig-B": cooling("ig-B")}
    groups = (task_group("ig-A"), task_group("ig-B"), on_demand_group())
    assert counts(decide(task_evidence(*groups, metrics=BUSY, pools=pools, max_nodes=4))) == {"ig-D": 4}


def test_without_a_fallback_dry_pools_hold_and_say_so() -> None:
    decision = decide(task_evidence(task_group(), metrics=BUSY, pools={"ig-A": cooling("ig-A")}))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.POOL_DRY)
    assert decision.next_evaluation_at is not None


def test_the_on_demand_floor_is_filled_first() -> None:
    evidence = task_evidence(task_group(), on_demand_group(), metrics=BUSY, max_nodes=5, on_demand_min_nodes=2)
    assert counts(decide(evidence)) == {"ig-A": 3, "ig-D": 2}


def test_the_on_demand_floor_stands_even_without_work() -> None:
    evidence = task_evidence(task_group(), on_demand_group(), on_demand_min_nodes=2)
    assert counts(decide(evidence)) == {"ig-D": 2}


def test_a_cluster_at_its_on_demand_floor_is_settled() -> None:
    evidence = task_evidence(task_group(), on_demand_group(count=2), on_demand_min_nodes=2)
    assert decide(evidence).next_evaluation_at is None


def test_on_demand_above_its_floor_is_given_back_first() -> None:
    work = yarn(allocated_mib=CORE_FULL_MIB + 2 * NODE_MIB, containers=24)
    decision = decide(task_evidence(task_group(count=3), on_demand_group(count=3), metrics=work))
    assert counts(decision) == {"ig-A": 2, "ig-D": 0}


def test_nodes_of_groups_that_may_not_be_touched_count_towards_the_maximum() -> None:
    held = task_group("ig-B", 7, state=GroupState.SUSPENDED)
    assert counts(decide(task_evidence(task_group(), held, metrics=BUSY))) == {"ig-A": 3}


@pytest.mark.parametrize(
    "state", [GroupState.SUSPENDED, GroupState.ARRESTED, GroupState.RECONFIGURING, GroupState.PROVISIONING]
)
def test_a_group_that_may_not_be_resized_is_reported(state: GroupState) -> None:
    decision = decide(task_evidence(task_group(state=state), metrics=BUSY))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.GROUPS_UNAVAILABLE)


def test_groups_with_scaling_of_their_own_are_left_to_it() -> None:
    decision = decide(task_evidence(task_group(has_own_scaling=True), metrics=BUSY))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.MANAGED_ELSEWHERE)


def test_a_type_nobody_knows_is_not_guessed() -> None:
    decision = decide(task_evidence(task_group(instance_type="x9.odd"), metrics=BUSY))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.NO_CAPACITY_KNOWN)


def test_the_memory_of_an_unknown_type_is_learned_from_the_cluster_itself() -> None:
    one_sample = yarn(allocated_mib=40_000, containers=20, pending=500, total_mib=40_000)
    more = series(CORE_NODES_RUNNING=[(SAMPLED, 1.0)], TASK_NODES_RUNNING=[(SAMPLED, 1.0)])
    metrics = replace(one_sample, series={**one_sample.series, **more.series})
    groups = (core_group(1, instance_type="x9.odd"), task_group(count=1, instance_type="x9.odd"))
    verdict = decide_task_capacity(replace(task_evidence(metrics=metrics), groups=groups))
    assert verdict.memory.node_mib == 20_000
    assert verdict.decision.reason is Reason.DEMAND_ABOVE_CAPACITY
