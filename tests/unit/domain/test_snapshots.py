"""Snapshots that a probe pushed: which count, what is kept of them, and that none brings a cluster to harm."""

import random
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.drawn_scenes import draw_task_evidence
from tests.support.scenes import CLUSTER, NOW, task_evidence, task_group

from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.demand import Demand, read_demand
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint
from emr_autoscaler.domain.recorded_look import RecordedLook, is_news, may_act
from emr_autoscaler.domain.snapshot import (
    NodeLoad,
    NodeState,
    Refusal,
    Snapshot,
    add_to_history,
    as_metrics,
    find_refusal,
    is_pushing,
)
from emr_autoscaler.domain.task_capacity import decide_task_capacity

SECOND = timedelta(seconds=1)
MAX_AGE = timedelta(minutes=12)


def snapshot(at: datetime = NOW, **changes: float | None) -> Snapshot:
    values: dict[str, float | None] = {
        "active_nodes": 4,
        "core_nodes": 2,
        "task_nodes": 2,
        "total_mib": 49_152,
        "allocated_mib": 40_960,
        "available_mib": 8192,
        "pending_mib": 0,
        "containers_allocated": 20,
        "containers_pending": 0,
        "containers_completed": 100,
        "apps_running": 1,
        "apps_pending": 0,
    }
    return Snapshot(at=at, **values | changes)


def demand_of(*snapshots: Snapshot) -> Demand | Reason:
    metrics = as_metrics(CLUSTER, snapshots, now=NOW)
    return read_demand(metrics, now=NOW, max_age=MAX_AGE, container_mib=None)


@pytest.mark.parametrize(
    ("seconds", "refusal"),
    [
        (0, None),
        (5, None),
        (6, Refusal.FROM_THE_FUTURE),
        (-20, Refusal.OVERTAKEN),
        (-19, None),
        (-151, Refusal.TOO_OLD),
    ],
)
def test_a_snapshot_is_used_if_it_is_young_and_newer_than_the_last(seconds: int, refusal: Refusal | None) -> None:
    history = (snapshot(NOW - 20 * SECOND),)
    assert find_refusal(snapshot(NOW + seconds * SECOND), history, NOW) is refusal


def test_a_cluster_pushes_while_its_last_snapshot_is_young() -> None:
    assert not is_pushing((), NOW)
    assert is_pushing((snapshot(NOW - 150 * SECOND),), NOW)
    assert not is_pushing((snapshot(NOW - 151 * SECOND),), NOW)


def test_waiting_memory_is_what_was_pushed() -> None:
    demand = demand_of(snapshot(pending_mib=5000, containers_pending=2))
    assert isinstance(demand, Demand)
    assert (demand.pending_mib, demand.pending_containers, demand.container_mib) == (5000, 2, 2048)


def test_waiting_containers_count_before_their_memory_does() -> None:
    demand = demand_of(snapshot(pending_mib=0, containers_pending=3))
    assert isinstance(demand, Demand)
    assert demand.pending_mib == 3 * 2048


def test_pushed_memory_of_another_moment_than_the_sample_is_not_mixed_in() -> None:
    pushed = as_metrics(CLUSTER, [snapshot(containers_pending=1, pending_mib=9)], now=NOW)
    stale = (MetricPoint(at=NOW - SECOND, value=77_777.0),)
    mixed = replace(pushed, series={**pushed.series, MetricName.PENDING_MIB: stale})
    demand = read_demand(mixed, now=NOW, max_age=MAX_AGE, container_mib=None)
    assert isinstance(demand, Demand)
    assert demand.pending_mib == 2048


def test_a_clock_that_is_ahead_counts_as_now() -> None:
    demand = demand_of(snapshot(NOW + 3 * SECOND))
    assert isinstance(demand, Demand)
    assert demand.at == NOW


@pytest.mark.parametrize(
    "absurd",
    [
        {"pending_mib": -1.0},
        {"total_mib": float("nan")},
        {"allocated_mib": float("inf")},
        {"containers_pending": -3.0},
        {"containers_allocated": 0.0},
        {"allocated_mib": 100_000.0},
        {"pending_mib": 1e13},
        {"total_mib": -5.0},
    ],
    ids=str,
)
def test_figures_that_cannot_be_true_are_absurd_and_hold(absurd: dict[str, float]) -> None:
    assert demand_of(snapshot(**absurd)) is Reason.METRICS_ABSURD
    metrics = as_metrics(CLUSTER, [snapshot(**absurd)], now=NOW)
    decision = decide_task_capacity(task_evidence(task_group(count=5), metrics=metrics)).decision
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.METRICS_ABSURD)


def test_the_period_is_the_spacing_between_ten_seconds_and_a_heartbeat() -> None:
    def period(*ago: int) -> float:
        history = [snapshot(NOW - seconds * SECOND) for seconds in ago]
        return as_metrics(CLUSTER, history, now=NOW).period.total_seconds()

    assert (period(0), period(30, 0), period(3, 0), period(500, 0)) == (10, 30, 10, 60)


def test_ended_containers_are_told_where_the_probe_counts_them() -> None:
    known = as_metrics(CLUSTER, [snapshot(containers_completed=9)], now=NOW).series
    assert [p.value for p in known[MetricName.CONTAINERS_COMPLETED]] == [9]
    unknown = as_metrics(CLUSTER, [snapshot(containers_completed=None)], now=NOW).series
    assert MetricName.CONTAINERS_COMPLETED not in unknown


def test_a_probe_that_cannot_tell_core_from_task_teaches_no_node_size() -> None:
    known = as_metrics(CLUSTER, [snapshot()], now=NOW).series
    assert MetricName.TASK_NODES_RUNNING in known
    unknown = as_metrics(CLUSTER, [snapshot(core_nodes=None)], now=NOW).series
    assert not {MetricName.TASK_NODES_RUNNING, MetricName.CORE_NODES_RUNNING} & set(unknown)


def test_draining_nodes_teach_no_node_size_either() -> None:
    def with_node(state: NodeState) -> Snapshot:
        return replace(snapshot(), nodes=(NodeLoad(ec2_instance_id="i-0", state=state),)).without_nodes()

    assert with_node(NodeState.RUNNING) == replace(snapshot(), tells_nodes=True)
    draining = replace(snapshot(core_nodes=None, task_nodes=None), tells_nodes=True)
    assert with_node(NodeState.DECOMMISSIONING) == draining


def test_the_same_told_again_is_the_same_whenever_and_wherever_it_ran() -> None:
    first = snapshot()
    later = replace(first, at=NOW + SECOND, nodes=(NodeLoad(ec2_instance_id="i-0"),))
    assert first.says_the_same_as(later)
    for field in fields(Snapshot):
        if field.name not in {"at", "nodes"}:
            assert not first.says_the_same_as(replace(first, **{field.name: 7.5}))


@given(gaps=st.lists(st.integers(1, 900), min_size=2, max_size=20))
def test_the_last_two_snapshots_are_kept(gaps: list[int]) -> None:
    history: tuple[Snapshot, ...] = ()
    at = NOW
    for gap in gaps:
        at += gap * SECOND
        history = add_to_history(history, snapshot(at))
    assert [s.at for s in history] == [at - gaps[-1] * SECOND, at]


def test_samples_after_a_moment_are_those_that_are_newer() -> None:
    points = tuple(MetricPoint(at=NOW + n * SECOND, value=n) for n in (-1, 0, 1))
    metrics = ClusterMetrics(
        cluster_id=CLUSTER,
        series={MetricName.IS_IDLE: points, MetricName.APPS_RUNNING: points[:1]},
    )
    assert metrics.after(NOW).series == {MetricName.IS_IDLE: points[2:]}


# ----------------------------------------------------------------- whatever a snapshot says

FIGURES = sorted({field.name for field in fields(Snapshot)} - {"at", "nodes"})
STRANGE = (float("nan"), float("inf"), float("-inf"), -1.0, -0.0, 0.0, 1e308, 1e12, 1e-300, 3.0, 40_960.0)


@settings(max_examples=60)
@given(
    number=st.integers(0, 2**40),
    strange=st.dictionaries(st.sampled_from(FIGURES), st.sampled_from(STRANGE), max_size=6),
    ago=st.integers(-5, 150),
)
def test_an_unbelievable_snapshot_never_lowers_a_count(number: int, strange: dict[str, float], ago: int) -> None:
    told = snapshot(NOW - ago * SECOND, **strange)
    metrics = as_metrics(CLUSTER, [told], now=NOW)
    evidence = replace(draw_task_evidence(number), metrics=metrics)
    demand = read_demand(metrics, now=NOW, max_age=evidence.policy.metrics_max_age, container_mib=None)
    decision = decide_task_capacity(evidence).decision
    if isinstance(demand, Reason):
        assert all(target.count > target.previous_count for target in decision.targets)
    learned = decide_task_capacity(evidence).memory.node_mib
    assert learned is None or 0 < learned < float("inf")


@settings(max_examples=60)
@given(number=st.integers(0, 2**40), more=st.floats(1, 1e9))
def test_more_pushed_memory_never_gives_fewer_nodes(number: int, more: float) -> None:
    chance = random.Random(number)
    waiting = chance.randint(1, 100_000)
    evidence = draw_task_evidence(number)

    def nodes(pending_mib: float) -> int:
        metrics = as_metrics(CLUSTER, [snapshot(pending_mib=pending_mib, containers_pending=9)], now=NOW)
        targets = decide_task_capacity(replace(evidence, metrics=metrics)).decision.targets
        changed = {t.group_id: t.count for t in targets}
        return sum(changed.get(g.group_id, g.requested_count) for g in evidence.groups)

    assert nodes(waiting + more) >= nodes(waiting)


# ----------------------------------------------------------------- what is recorded, and what may be ordered


def decision(action: Action = Action.SCALE_OUT, *, minutes: float = 1) -> Decision:
    return Decision(
        kind=DecisionKind.TASK,
        cluster_id=CLUSTER,
        decided_at=datetime(2026, 10, 5, 12, tzinfo=UTC) + timedelta(minutes=minutes),
        action=action,
        reason=Reason.DEMAND_ABOVE_CAPACITY,
    )


def last(**changes: bool) -> RecordedLook:
    return RecordedLook(at=NOW, action=Action.SCALE_OUT, reason=Reason.DEMAND_ABOVE_CAPACITY, **changes)


def test_a_look_is_news_when_it_is_another_or_five_minutes_have_passed() -> None:
    assert is_news(decision(), None)
    assert not is_news(decision(), last())
    assert is_news(decision(minutes=5), last())
    assert is_news(decision(Action.HOLD), last())
    assert is_news(decision(), replace(last(), reason=Reason.BELOW_MINIMUM))


def test_an_order_is_repeated_unless_it_was_refused_or_a_dry_runs() -> None:
    assert may_act(decision(), None)
    assert may_act(decision(), last(ordered=True))
    assert not may_act(decision(), last())
    assert may_act(decision(), replace(last(), reason=Reason.BELOW_MINIMUM))
    assert not may_act(decision(), replace(last(refused=True), reason=Reason.BELOW_MINIMUM))
    assert may_act(decision(minutes=5), last(refused=True))
