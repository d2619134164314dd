"""How many task nodes waiting work buys and a surplus gives back: one rule, one scene, one sentence."""

from datetime import timedelta

import pytest
from tests.support.scenes import (
    BUSY,
    CORE_FULL_MIB,
    NODE_MIB,
    SAMPLED,
    counts,
    decide,
    minutes,
    on_demand_group,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.decision import Action, Decision, Reason
from emr_autoscaler.domain.load import Load
from emr_autoscaler.domain.memory import TaskMemory, WantedCapacity
from emr_autoscaler.domain.policy import Objective


def test_waiting_work_buys_nodes_up_to_the_maximum() -> None:
    decision = decide(task_evidence(task_group(), metrics=BUSY))
    assert (decision.action, decision.reason) == (Action.SCALE_OUT, Reason.DEMAND_ABOVE_CAPACITY)
    assert counts(decision) == {"ig-A": 10}


def test_work_that_drains_before_help_comes_buys_nothing() -> None:
    few = yarn(allocated_mib=CORE_FULL_MIB, containers=12, pending=5)
    decision = decide(task_evidence(task_group(), metrics=few))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.DRAINS_BEFORE_HELP)
    assert decision.next_evaluation_at is not None


@pytest.mark.parametrize(
    ("objective", "nodes"), [(Objective.COST, 2), (Objective.BALANCED, 9), (Objective.SPEED, 22)]
)
def test_the_objective_says_how_soon_work_has_to_drain(objective: Objective, nodes: int) -> None:
    work = yarn(allocated_mib=CORE_FULL_MIB, containers=12, pending=480)
    # ((480 x 2048 + 0.7 x 24576) MiB x 30 s - 24576 MiB x 150 s) / drain time - 24576 MiB of core,
    # in nodes of 12288 MiB, rounded up
    decision = decide(task_evidence(task_group(), metrics=work, objective=objective, max_nodes=50))
    assert counts(decision) == {"ig-A": nodes}


@pytest.mark.parametrize(("seconds", "nodes"), [(60, 34), (90, 22), (150, 13), (550, 2), (1200, 0)])
def test_a_drain_time_of_ones_own_takes_the_place_of_the_objective(seconds: int, nodes: int) -> None:
    work = yarn(allocated_mib=CORE_FULL_MIB, containers=12, pending=480)
    knob = timedelta(seconds=seconds)
    decision = decide(task_evidence(task_group(), metrics=work, drain_within=knob, max_nodes=50))
    assert counts(decision) == ({"ig-A": nodes} if nodes else {})


def long_containers(*, ended: float) -> TaskMemory:
    """Containers of 1000 s, as far as those that ended show it."""
    return TaskMemory(load=Load(at=SAMPLED, seen_seconds=1000.0 * 200, seen_containers=ended))


@pytest.mark.parametrize(
    ("objective", "nodes"), [(Objective.COST, 4), (Objective.BALANCED, 6), (Objective.SPEED, 10)]
)
def test_who_waits_for_long_containers_waits_as_much_longer_as_the_objective_says(
    objective: Objective, nodes: int
) -> None:
    work = yarn(allocated_mib=CORE_FULL_MIB, containers=12, pending=60)
    memory = long_containers(ended=200)
    decision = decide(task_evidence(task_group(), metrics=work, memory=memory, objective=objective, max_nodes=50))
    assert counts(decision) == {"ig-A": nodes}


def test_nobody_waits_for_containers_that_never_end() -> None:
    work = yarn(allocated_mib=CORE_FULL_MIB, containers=12, pending=6)
    for ended, expected in ((200, {}), (0, {"ig-A": 1})):
        evidence = task_evidence(task_group(), metrics=work, memory=long_containers(ended=ended), max_nodes=50)
        assert counts(decide(evidence)) == expected


def test_free_nodes_are_given_back_gracefully_down_to_the_minimum() -> None:
    decision = decide(task_evidence(task_group(count=6), min_nodes=2))
    assert (decision.action, decision.reason) == (Action.SCALE_IN, Reason.DEMAND_BELOW_CAPACITY)
    assert counts(decision) == {"ig-A": 2}
    assert decision.targets[0].decommission_timeout == timedelta(hours=1)


def test_nodes_whose_memory_is_in_use_are_kept() -> None:
    work = yarn(allocated_mib=CORE_FULL_MIB + 3 * NODE_MIB + 1, containers=30)
    assert counts(decide(task_evidence(task_group(count=6), metrics=work))) == {"ig-A": 4}


def needed(nodes: int, minutes_ago: float) -> TaskMemory:
    return TaskMemory(wanted=(WantedCapacity(at=SAMPLED - minutes(minutes_ago), mib=nodes * NODE_MIB),))


FOUR_IN_USE = yarn(allocated_mib=CORE_FULL_MIB + 4 * NODE_MIB)


def test_a_small_surplus_is_kept_until_it_has_lasted() -> None:
    decision = decide(task_evidence(task_group(count=6), metrics=FOUR_IN_USE, memory=needed(6, 9)))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.RECENT_DEMAND)


def test_a_small_surplus_that_has_lasted_is_given_back() -> None:
    decision = decide(task_evidence(task_group(count=6), metrics=FOUR_IN_USE, memory=needed(6, 11)))
    assert counts(decision) == {"ig-A": 4}


def test_a_large_surplus_is_given_back_at_once() -> None:
    assert counts(decide(task_evidence(task_group(count=6), memory=needed(6, 2)))) == {"ig-A": 0}


def test_what_was_needed_lately_is_held_where_speed_is_wanted() -> None:
    evidence = task_evidence(task_group(count=6), memory=needed(6, 3), objective=Objective.SPEED)
    assert decide(evidence).reason is Reason.RECENT_DEMAND


def test_nothing_is_given_back_while_what_waits_would_not_fit_on_the_rest() -> None:
    waiting = yarn(allocated_mib=CORE_FULL_MIB, containers=12, pending=36)
    decision = decide(task_evidence(task_group(count=6), metrics=waiting))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.DRAINS_BEFORE_HELP)


def test_containers_that_fit_on_no_task_node_are_said_to_be_what_waits() -> None:
    waiting = yarn(allocated_mib=CORE_FULL_MIB, containers=1, pending=1)
    larger = task_evidence(task_group(count=2), metrics=waiting)
    assert decide(larger).reason is Reason.CONTAINERS_LARGER_THAN_NODES
    fits = task_evidence(task_group(count=2), task_group("ig-B", 0, instance_type="m5.4xlarge"), metrics=waiting)
    assert decide(fits).reason is Reason.DRAINS_BEFORE_HELP


def test_growth_of_less_than_a_tenth_is_not_worth_a_resize() -> None:
    def look(nodes: int) -> Decision:
        busy = yarn(allocated_mib=20 * NODE_MIB, containers=120, pending=1520, total_mib=20 * NODE_MIB)
        return decide(task_evidence(task_group(count=nodes), metrics=busy, max_nodes=50))

    wanted = counts(look(0))["ig-A"]
    assert look(wanted - 1).reason is Reason.CHANGE_TOO_SMALL
    assert counts(look(wanted // 2)) == {"ig-A": wanted}


def test_headroom_stays_free_above_what_is_in_use() -> None:
    evidence = task_evidence(task_group(count=4), metrics=FOUR_IN_USE, headroom_percent=50)
    assert counts(decide(evidence)) == {"ig-A": 7}


def test_nodes_that_still_boot_are_given_back_as_well() -> None:
    assert counts(decide(task_evidence(task_group(count=6, running=2)))) == {"ig-A": 0}


def test_more_is_ordered_while_a_resize_runs() -> None:
    decision = decide(task_evidence(task_group(count=6, running=2), metrics=BUSY))
    assert counts(decision) == {"ig-A": 10}


def test_a_cluster_above_its_maximum_is_brought_back_to_it_even_while_it_works() -> None:
    decision = decide(task_evidence(task_group(count=12), metrics=BUSY))
    assert (decision.reason, counts(decision)) == (Reason.ABOVE_MAXIMUM, {"ig-A": 10})


def test_a_maximum_that_was_lowered_during_a_resize_is_kept_at_once() -> None:
    decision = decide(task_evidence(on_demand_group(count=12, running=5), metrics=BUSY))
    assert (decision.reason, counts(decision)) == (Reason.ABOVE_MAXIMUM, {"ig-D": 10})


def test_one_order_is_no_larger_than_the_step() -> None:
    assert counts(decide(task_evidence(task_group(count=1), metrics=BUSY, max_step_nodes=3))) == {"ig-A": 4}
