"""What comes before demand in a task decision: guards, cooldowns, data missing or not believed; by example."""

from dataclasses import replace

import pytest
from tests.support.scenes import (
    BUSY,
    CORE_FULL_MIB,
    NOW,
    SAMPLED,
    counts,
    decide,
    minutes,
    series,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.cluster import ClusterState
from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.memory import TaskMemory


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
