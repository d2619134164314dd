"""Task nodes that were ordered and are not there: warned, lost, or never come; by example."""

from dataclasses import replace

from tests.support.scenes import (
    BUSY,
    CORE_FULL_MIB,
    NODE_MIB,
    NOW,
    cooling,
    core_group,
    counts,
    decide,
    minutes,
    on_demand_group,
    ordered,
    series,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.memory import LostInstance, TaskMemory
from emr_autoscaler.domain.task_capacity import decide_task_capacity


def lost(group_id: str = "ig-A", *, gone_in_minutes: float, name: str = "i-0") -> LostInstance:
    return LostInstance(ec2_instance_id=name, group_id=group_id, gone_by=NOW + minutes(gone_in_minutes))


def test_a_lost_instance_is_not_counted_out_of_the_maximum_while_data_is_missing() -> None:
    memory = TaskMemory(lost=(lost(gone_in_minutes=-1),))
    groups = (task_group("ig-A", 5), task_group("ig-B"))
    evidence = task_evidence(*groups, metrics=series(), min_nodes=5, max_nodes=5, memory=memory)
    assert counts(decide(evidence)) == {}


def test_a_warned_instance_stays_ordered_until_it_is_gone() -> None:
    work = yarn(allocated_mib=CORE_FULL_MIB + 5 * NODE_MIB, containers=42)
    memory = TaskMemory(lost=(lost(gone_in_minutes=1),))
    groups = (task_group("ig-A", 5), task_group("ig-B", 1))
    assert decide(task_evidence(*groups, metrics=work, memory=memory)).targets == ()


def test_a_lost_instance_lowers_its_group_once_and_is_forgotten() -> None:
    work = yarn(allocated_mib=CORE_FULL_MIB + 5 * NODE_MIB, containers=42)
    memory = TaskMemory(lost=(lost(gone_in_minutes=-1),))
    groups = (task_group("ig-A", 5, running=4), task_group("ig-B", 1))
    pools = {"ig-A": cooling("ig-A")}
    evidence = task_evidence(*groups, metrics=work, memory=memory, pools=pools, groups_are_fresh=True)
    verdict = decide_task_capacity(evidence)
    assert counts(verdict.decision) == {"ig-A": 4}
    assert (verdict.decision.action, verdict.decision.reason) == (Action.REBALANCE, Reason.LOST_CAPACITY_SETTLED)
    assert verdict.memory.lost == ()
    again = replace(evidence, groups=ordered(evidence.groups, verdict.decision.targets), memory=verdict.memory)
    assert decide(again).targets == ()


def test_an_instance_that_emr_already_replaced_is_not_lowered_again() -> None:
    memory = TaskMemory(lost=(lost(gone_in_minutes=-1),))
    work = yarn(allocated_mib=CORE_FULL_MIB + 5 * NODE_MIB, containers=42)
    evidence = task_evidence(task_group(count=5), metrics=work, memory=memory, groups_are_fresh=True)
    verdict = decide_task_capacity(evidence)
    assert (verdict.decision.targets, verdict.memory.lost) == ((), ())


def test_capacity_for_warned_instances_is_not_ordered_past_the_maximum() -> None:
    memory = TaskMemory(lost=(lost(gone_in_minutes=1), lost(gone_in_minutes=1, name="i-1")))
    groups = (task_group("ig-A", 10), task_group("ig-B"))
    decision = decide(task_evidence(*groups, metrics=BUSY, memory=memory, pools={"ig-A": cooling("ig-A")}))
    assert (decision.targets, decision.reason) == ((), Reason.AT_MAXIMUM)


def test_once_warned_instances_are_gone_their_place_is_filled_elsewhere() -> None:
    memory = TaskMemory(lost=(lost(gone_in_minutes=-1), lost(gone_in_minutes=-1, name="i-1")))
    groups = (task_group("ig-A", 10, running=8), task_group("ig-B"))
    pools = {"ig-A": cooling("ig-A")}
    evidence = task_evidence(*groups, metrics=BUSY, memory=memory, pools=pools, groups_are_fresh=True)
    assert counts(decide(evidence)) == {"ig-A": 8, "ig-B": 2}


def test_missing_data_keeps_lost_instances_to_be_settled_later() -> None:
    memory = TaskMemory(lost=(lost(gone_in_minutes=-1),))
    verdict = decide_task_capacity(task_evidence(task_group(count=5), metrics=series(), memory=memory))
    assert verdict.memory.lost == memory.lost


def test_a_request_unmet_in_a_cooling_pool_moves_after_the_fallback_time() -> None:
    memory = TaskMemory(unfulfilled_since={"ig-A": NOW - minutes(5)})
    groups = (task_group("ig-A", 5, running=2), on_demand_group())
    work = yarn(allocated_mib=CORE_FULL_MIB + 2 * NODE_MIB, containers=24, pending=1000)
    evidence = task_evidence(*groups, metrics=work, memory=memory, pools={"ig-A": cooling("ig-A")}, max_nodes=5)
    decision = decide(evidence)
    assert counts(decision) == {"ig-A": 2, "ig-D": 3}


def test_a_request_unmet_for_a_shorter_time_is_left_to_emr() -> None:
    memory = TaskMemory(unfulfilled_since={"ig-A": NOW - minutes(4)})
    groups = (task_group("ig-A", 5, running=2), on_demand_group())
    evidence = task_evidence(*groups, metrics=BUSY, memory=memory, pools={"ig-A": cooling("ig-A")}, max_nodes=5)
    assert decide(evidence).targets == ()


def test_a_silent_pool_counts_as_dry_after_a_quarter_of_an_hour() -> None:
    memory = TaskMemory(unfulfilled_since={"ig-A": NOW - minutes(15)})
    groups = (task_group("ig-A", 5, running=2), task_group("ig-B"))
    work = yarn(allocated_mib=CORE_FULL_MIB + 2 * NODE_MIB, containers=24, pending=1000)
    assert counts(decide(task_evidence(*groups, metrics=work, memory=memory, max_nodes=5))) == {
        "ig-A": 2,
        "ig-B": 3,
    }


def test_a_request_that_was_given_up_is_not_made_again_at_once() -> None:
    memory = TaskMemory(unfulfilled_since={"ig-A": NOW - minutes(15)})
    evidence = task_evidence(task_group("ig-A", 5, running=2), metrics=BUSY, memory=memory)
    verdict = decide_task_capacity(evidence)
    assert counts(verdict.decision) == {"ig-A": 2}
    later = NOW + minutes(5)
    again = replace(
        evidence,
        now=later,
        groups=(core_group(), task_group("ig-A", 2)),
        memory=verdict.memory,
        metrics=replace(BUSY),
    )
    assert decide(again).targets == ()
    much_later = replace(again, now=NOW + minutes(10), memory=decide_task_capacity(again).memory)
    assert counts(decide(much_later)) == {"ig-A": 10}


def test_a_group_that_keeps_growing_is_not_taken_for_a_dry_one() -> None:
    memory = TaskMemory(unfulfilled_since={"ig-A": NOW - minutes(14)}, last_scale_out_at=NOW - minutes(5))
    grown = decide_task_capacity(task_evidence(task_group("ig-A", 5, running=3), metrics=BUSY, memory=memory))
    assert counts(grown.decision) == {"ig-A": 10}
    two_minutes_on = task_evidence(
        task_group("ig-A", 10, running=4), metrics=BUSY, memory=grown.memory, now=NOW + minutes(2)
    )
    assert decide(two_minutes_on).targets == ()
