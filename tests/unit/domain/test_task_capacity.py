"""Task capacity by example: one rule, one scene, one sentence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.scenes import (
    NODE_MIB,
    NOW,
    SAMPLED,
    cooling,
    core_group,
    minutes,
    on_demand_group,
    ordered,
    series,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.cluster import ClusterState, GroupState
from emr_autoscaler.domain.decision import Action, Decision, Reason
from emr_autoscaler.domain.memory import LostInstance, PoolHealth, PoolKey, TaskMemory, WantedCapacity
from emr_autoscaler.domain.policy import Objective, ScheduledMinimum
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence

CORE_FULL_MIB = 2 * NODE_MIB


def decide(evidence: TaskEvidence) -> Decision:
    return decide_task_capacity(evidence).decision


def counts(decision: Decision) -> dict[str, int]:
    return {target.group_id: target.count for target in decision.targets}


def lost(group_id: str = "ig-A", *, gone_in_minutes: float, name: str = "i-0") -> LostInstance:
    return LostInstance(ec2_instance_id=name, group_id=group_id, gone_by=NOW + minutes(gone_in_minutes))


BUSY = yarn(allocated_mib=CORE_FULL_MIB, containers=12, pending=5000)
"""Core is full and 5000 containers of 2 GiB wait: more than any maximum here serves in time."""


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


def test_new_nodes_are_spread_evenly_over_spot_groups() -> None:
    groups = (task_group("ig-A"), task_group("ig-B"), task_group("ig-C"), on_demand_group())
    assert counts(decide(task_evidence(*groups, metrics=BUSY, max_nodes=9))) == {"ig-A": 3, "ig-B": 3, "ig-C": 3}


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


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_paused": True}, Reason.PAUSED),
        ({"has_managed_scaling": True}, Reason.MANAGED_ELSEWHERE),
        ({"uses_fleets": True}, Reason.USES_FLEETS),
        ({"state": ClusterState.BOOTSTRAPPING}, Reason.CLUSTER_NOT_READY),
        ({"enabled": False}, Reason.DISABLED),
    ],
)
def test_guards_hold_and_name_themselves(changes: dict[str, object], reason: Reason) -> None:
    decision = decide(task_evidence(task_group(), metrics=BUSY, **changes))
    assert (decision.action, decision.reason, decision.next_evaluation_at) == (Action.HOLD, reason, None)


def test_scaling_out_waits_for_its_cooldown_and_comes_back_for_it() -> None:
    memory = TaskMemory(last_scale_out_at=NOW - minutes(0.5))
    decision = decide(task_evidence(task_group(count=1), metrics=BUSY, memory=memory))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.COOLDOWN)
    assert decision.next_evaluation_at == NOW + minutes(0.5)


def test_a_group_does_not_grow_right_after_it_shrank() -> None:
    memory = TaskMemory(last_scale_in_at=NOW - minutes(0.5))
    decision = decide(task_evidence(task_group(count=1), metrics=BUSY, memory=memory))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.COOLDOWN)


def test_a_cooldown_is_waited_for_even_when_nothing_waits_in_the_queue() -> None:
    memory = TaskMemory(last_scale_out_at=NOW - minutes(0.5))
    nothing_waits = yarn(allocated_mib=CORE_FULL_MIB, containers=12)
    evidence = task_evidence(task_group(), metrics=nothing_waits, memory=memory, headroom_percent=100)
    assert decide(evidence).next_evaluation_at == NOW + minutes(0.5)


@pytest.mark.parametrize("last", ["last_scale_out_at", "last_scale_in_at"])
def test_scaling_in_waits_for_its_cooldown(last: str) -> None:
    memory = TaskMemory(**{last: NOW - minutes(1.5)})
    decision = decide(task_evidence(task_group(count=6), memory=memory))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.COOLDOWN)


def test_the_minimum_does_not_wait_for_a_cooldown() -> None:
    memory = TaskMemory(last_scale_out_at=NOW)
    decision = decide(task_evidence(task_group(), min_nodes=2, memory=memory))
    assert (decision.reason, counts(decision)) == (Reason.BELOW_MINIMUM, {"ig-A": 2})


def test_one_order_is_no_larger_than_the_step() -> None:
    assert counts(decide(task_evidence(task_group(count=1), metrics=BUSY, max_step_nodes=3))) == {"ig-A": 4}


@pytest.mark.parametrize(
    "metrics",
    [
        series(),
        yarn(pending=500, at=NOW - minutes(13)),
        yarn(pending=500, at=NOW + minutes(1)),
        yarn(allocated_mib=float("nan"), pending=500),
        yarn(pending=-1),
        yarn(pending=float("inf")),
        yarn(allocated_mib=2048, containers=0),
        yarn(allocated_mib=0, containers=3),
        yarn(allocated_mib=5000, total_mib=2000),
        series(MEMORY_TOTAL_MIB=[(SAMPLED, 1.0)], CONTAINER_PENDING=[(SAMPLED, 500)]),
    ],
    ids=[
        "missing",
        "old",
        "future",
        "nan",
        "negative",
        "infinite",
        "no containers",
        "no memory",
        "over",
        "partial",
    ],
)
def test_data_that_cannot_be_believed_changes_nothing(metrics: object) -> None:
    decision = decide(replace(task_evidence(task_group(count=5)), metrics=metrics))
    assert decision.action is Action.HOLD
    assert decision.reason in {Reason.METRICS_STALE, Reason.METRICS_ABSURD}
    assert decision.next_evaluation_at is not None


def test_the_minimum_is_filled_without_any_data() -> None:
    decision = decide(task_evidence(task_group(count=1), metrics=series(), min_nodes=3))
    assert (decision.reason, counts(decision)) == (Reason.BELOW_MINIMUM, {"ig-A": 3})


def test_a_lost_instance_is_not_counted_out_of_the_maximum_while_data_is_missing() -> None:
    memory = TaskMemory(lost=(lost(gone_in_minutes=-1),))
    groups = (task_group("ig-A", 5), task_group("ig-B"))
    evidence = task_evidence(*groups, metrics=series(), min_nodes=5, max_nodes=5, memory=memory)
    assert counts(decide(evidence)) == {}


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


# --------------------------------------------------------------------------- warned and lost instances


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


# --------------------------------------------------------------------------- requests that never come


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


# --------------------------------------------------------------------------- schedules and settling


def window(*, start: int, end: int, nodes: int = 4, zone: str = "UTC") -> ScheduledMinimum:
    return ScheduledMinimum(
        weekdays=frozenset(range(7)), start_minute=start, end_minute=end, time_zone=zone, min_nodes=nodes
    )


def test_a_scheduled_minimum_is_filled_while_its_window_is_open() -> None:
    decision = decide(task_evidence(task_group(), schedules=(window(start=720, end=780),)))
    assert (decision.reason, counts(decision)) == (Reason.SCHEDULED_MINIMUM, {"ig-A": 4})


def test_a_scheduled_minimum_never_passes_the_maximum() -> None:
    evidence = task_evidence(task_group(), schedules=(window(start=720, end=780, nodes=40),), max_nodes=6)
    assert counts(decide(evidence)) == {"ig-A": 6}


def test_a_settled_cluster_is_looked_at_when_a_window_opens() -> None:
    decision = decide(task_evidence(task_group(), schedules=(window(start=780, end=840),)))
    assert decision.next_evaluation_at == NOW + minutes(60)


def test_a_cluster_at_its_scheduled_minimum_is_looked_at_when_the_window_closes() -> None:
    decision = decide(task_evidence(task_group(count=4), schedules=(window(start=700, end=750),)))
    assert (decision.action, decision.next_evaluation_at) == (Action.HOLD, NOW + minutes(30))


@pytest.mark.parametrize(
    ("day", "hour_utc"), [(24, 6), (26, 7)], ids=["summer time in Berlin", "after the change of the clocks"]
)
def test_schedules_follow_daylight_saving(day: int, hour_utc: int) -> None:
    now = datetime(2026, 10, day, 0, 0, tzinfo=UTC)
    evidence = task_evidence(
        task_group(),
        now=now,
        metrics=yarn(at=now - minutes(2)),
        schedules=(window(start=480, end=600, zone="Europe/Berlin"),),
    )
    assert decide(evidence).next_evaluation_at == datetime(2026, 10, day, hour_utc, 0, tzinfo=UTC)


def test_a_cluster_with_nothing_to_do_at_its_minimum_is_settled() -> None:
    decision = decide(task_evidence(task_group(count=2), min_nodes=2))
    assert (decision.reason, decision.next_evaluation_at) == (Reason.AT_MINIMUM, None)


def test_a_cluster_with_work_is_looked_at_again_when_the_next_sample_is_visible() -> None:
    decision = decide(task_evidence(task_group(count=10), metrics=BUSY))
    assert decision.next_evaluation_at == SAMPLED + minutes(5) + timedelta(seconds=150)
