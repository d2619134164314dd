"""The worked example of docs/scaling.md, computed by the functions that decide; and its table of constants."""

from datetime import UTC, datetime

import pytest
from tests.support.template import PROJECT

from emr_autoscaler.domain.cluster import ClusterState, GroupState, InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import Action, Decision, Reason
from emr_autoscaler.domain.market import GAP_HOURS, LOST_WORK_HOURS
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint
from emr_autoscaler.domain.policy import Objective, TaskPolicy
from emr_autoscaler.domain.pool_trouble import DRY_AFTER, STALLED_AFTER, STORM_WARNINGS, STORM_WINDOW
from emr_autoscaler.domain.spot_return import LEAST_SAVING, STAY_ON_DEMAND
from emr_autoscaler.domain.task_capacity import PUBLISH_LAG, decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.domain.tuning import (
    ENDED_TASKS,
    EXPECTED_TASKS,
    LARGE_SURPLUS,
    LEAST_GROWTH,
    OBJECTIVES,
    PRESENT_NODES_WORK,
    PROFILE_LEAD,
    RUNNING_WORK_LEFT,
    SMALL_SURPLUS_WAITS,
    TASK_LENGTH_OVER,
    TYPICAL_BOOT,
    USUAL_LOAD_OVER,
)

SAMPLED_AT = datetime(2026, 10, 5, 13, 0, tzinfo=UTC)
NOW = datetime(2026, 10, 5, 13, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def page() -> str:
    return (PROJECT / "docs/scaling.md").read_text()


def group(group_id: str, role: Role, market: Market, instance_type: str, count: int) -> InstanceGroup:
    return InstanceGroup(
        group_id=group_id,
        role=role,
        market=market,
        instance_type=instance_type,
        requested_count=count,
        running_count=count,
        state=GroupState.RUNNING,
    )


def decide(pending: int) -> Decision:
    groups = (
        group("core", Role.CORE, Market.ON_DEMAND, "m5.xlarge", 2),
        group("spot-m5", Role.TASK, Market.SPOT, "m5.xlarge", 4),
        group("spot-c5", Role.TASK, Market.SPOT, "c5.2xlarge", 0),
        group("on-demand", Role.TASK, Market.ON_DEMAND, "m5.xlarge", 0),
    )
    values = {
        MetricName.MEMORY_TOTAL_MIB: 6 * 12288,
        MetricName.MEMORY_ALLOCATED_MIB: 36 * 2048,
        MetricName.CONTAINER_ALLOCATED: 36,
        MetricName.CONTAINER_PENDING: pending,
    }
    series = {name: (MetricPoint(at=SAMPLED_AT, value=value),) for name, value in values.items()}
    evidence = TaskEvidence(
        now=NOW,
        cluster_id="j-EXAMPLE",
        state=ClusterState.RUNNING,
        groups=groups,
        metrics=ClusterMetrics(cluster_id="j-EXAMPLE", series=series),
        policy=TaskPolicy(max_nodes=20),
    )
    return decide_task_capacity(evidence).decision


def test_what_drains_in_time_is_held_as_the_page_says(page: str) -> None:
    decision = decide(200)
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.DRAINS_BEFORE_HELP)
    assert decision.detail in page


def test_what_does_not_is_bought_as_the_page_says(page: str) -> None:
    decision = decide(600)
    assert (decision.action, decision.reason) == (Action.SCALE_OUT, Reason.DEMAND_ABOVE_CAPACITY)
    assert decision.detail in page
    assert {t.group_id: t.count for t in decision.targets} == {"spot-m5": 5, "spot-c5": 5}
    assert "c5.2xlarge and m5.xlarge are ordered to 5 each" in page


@pytest.mark.parametrize("objective", list(Objective))
def test_the_numbers_of_each_objective_are_those_of_the_code(page: str, objective: Objective) -> None:
    tuning = OBJECTIVES[objective]
    drain, hold, usual = tuning.drain_within.seconds, tuning.hold.seconds, tuning.usual_share
    assert f"| `{objective}` | {drain} s | {tuning.drain_lengths:g} | {hold} s | {usual:g} |" in page


def test_the_other_constants_are_those_of_the_code(page: str) -> None:
    assert f"a period and {PUBLISH_LAG.seconds} s" in page
    assert f"({RUNNING_WORK_LEFT:g} of its time is still to come)" in page
    assert f"x {PRESENT_NODES_WORK.seconds} s" in page
    assert f"time constant of {USUAL_LOAD_OVER.seconds // 3600} h" in page
    assert f"{PROFILE_LEAD.seconds // 60} minutes from now" in page
    assert f"{EXPECTED_TASKS} containers" in page
    assert f"half-forgotten after {round(TASK_LENGTH_OVER.seconds / 60 * 0.693)} minutes" in page
    assert f"by {TYPICAL_BOOT.seconds} s / length" in page
    assert f"({ENDED_TASKS} of them count\nhalf" in page
    assert f"{LEAST_GROWTH:.0%}".replace("%", " %") in page
    assert f"{LARGE_SURPLUS:.0%}".replace("%", " %") in page
    assert f"{SMALL_SURPLUS_WAITS.seconds // 60} minutes" in page
    spot = (PROJECT / "docs/spot.md").read_text()
    assert f"for them {STALLED_AFTER.seconds // 60} min count" in spot
    assert f"has not met for {DRY_AFTER.seconds // 60} min" in spot
    assert f"{STORM_WARNINGS} warnings within {STORM_WINDOW.seconds // 60} min" in spot
    assert f"have stood for {STAY_ON_DEMAND.seconds // 60} min" in spot
    assert f"saves at least {LEAST_SAVING:.0%}".replace("%", " %") in spot
    assert f"{LOST_WORK_HOURS:g} h + {GAP_HOURS:g} h" in spot
