"""Core capacity: out in time, in by one and only when everything that protects the data allows it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.support.scenes import CLUSTER, NOW, SAMPLED, core_group, minutes, ordered, series, task_group

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.cluster import ClusterState, GroupState
from emr_autoscaler.domain.core_capacity import decide_core_capacity
from emr_autoscaler.domain.core_scene import BLOCK_METRICS, YARN_METRICS, CoreEvidence
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.memory import CoreMemory
from emr_autoscaler.domain.metrics import ClusterMetrics
from emr_autoscaler.domain.policy import CorePolicy

QUIET = {"CONTAINER_PENDING": (0, 0, 0), "YARN_MEMORY_AVAILABLE_PERCENTAGE": (90, 90, 90)}


def hdfs(*percent: float, yarn: Mapping[str, Sequence[float]] = QUIET, **blocks: float) -> ClusterMetrics:
    """Samples of HDFS use, the newest last; blocks at risk are zero and YARN quiet where not given."""
    known: dict[str, Any] = {name.name: [(SAMPLED, blocks.get(name.name, 0.0))] for name in BLOCK_METRICS}
    sampled = {"HDFS_UTILIZATION_PERCENT": percent, **QUIET, **yarn}
    for name, values in sampled.items():
        known[name] = [(SAMPLED - minutes(5 * n), value) for n, value in enumerate(values[::-1])][::-1]
    return series(**known)


LOW = hdfs(10, 10, 10)


def core_evidence(count: int = 5, *, metrics: ClusterMetrics = LOW, **changes: Any) -> CoreEvidence:
    policy = {name: changes.pop(name) for name in tuple(changes) if name in CorePolicy.__dataclass_fields__}
    values: dict[str, Any] = {
        "now": NOW,
        "cluster_id": CLUSTER,
        "state": ClusterState.WAITING,
        "groups": (core_group(count), task_group()),
        "dfs_replication": 2,
        "metrics": metrics,
        "policy": CorePolicy(**policy),
    }
    return CoreEvidence(**values | changes)


def decide(evidence: CoreEvidence) -> Decision:
    return decide_core_capacity(evidence).decision


def outcome(evidence: CoreEvidence) -> tuple[Reason, int | None]:
    decision = decide(evidence)
    return decision.reason, decision.targets[0].count if decision.targets else None


@pytest.mark.parametrize(("count", "percent", "wanted"), [(4, 80, 6), (4, 76, 6), (10, 76, 13), (2, 100, 4)])
def test_a_full_hdfs_gets_the_nodes_that_bring_it_back_to_its_target(
    count: int, percent: float, wanted: int
) -> None:
    # nodes x used / 0.60, rounded up
    assert outcome(core_evidence(count, metrics=hdfs(percent), max_nodes=50)) == (Reason.HDFS_ABOVE_HIGH, wanted)


def test_growth_ends_at_the_maximum() -> None:
    assert outcome(core_evidence(4, metrics=hdfs(95), max_nodes=5)) == (Reason.HDFS_ABOVE_HIGH, 5)
    assert outcome(core_evidence(5, metrics=hdfs(95), max_nodes=5)) == (Reason.AT_MAXIMUM, None)


def test_an_empty_hdfs_loses_one_node_gracefully() -> None:
    decision = decide(core_evidence(8))
    assert (decision.action, decision.reason) == (Action.SCALE_IN, Reason.HDFS_BELOW_LOW)
    assert (decision.targets[0].count, decision.targets[0].decommission_timeout) == (7, timedelta(hours=2))


def test_a_shrink_never_passes_the_minimum() -> None:
    assert outcome(core_evidence(4, min_nodes=4)) == (Reason.AT_MINIMUM, None)


@pytest.mark.parametrize(("replication", "smallest"), [(1, 2), (2, 2), (3, 3), (None, 3)])
def test_a_shrink_never_goes_below_replication(replication: int | None, smallest: int) -> None:
    assert outcome(core_evidence(smallest, dfs_replication=replication, min_nodes=1))[1] in {None, smallest - 1}
    floor = replication or 3
    assert outcome(core_evidence(floor, dfs_replication=replication, min_nodes=1))[1] is None


@pytest.mark.parametrize("name", [metric.name for metric in BLOCK_METRICS])
def test_blocks_in_trouble_forbid_a_shrink(name: str) -> None:
    assert outcome(core_evidence(metrics=hdfs(10, 10, 10, **{name: 1.0}))) == (Reason.HDFS_UNHEALTHY, None)


@pytest.mark.parametrize("name", [metric.name for metric in BLOCK_METRICS])
def test_unknown_blocks_forbid_a_shrink(name: str) -> None:
    metrics = replace(LOW, series={k: v for k, v in LOW.series.items() if k.name != name})
    assert outcome(core_evidence(metrics=metrics)) == (Reason.METRICS_STALE, None)


def test_blocks_that_are_not_a_number_forbid_a_shrink() -> None:
    metrics = hdfs(10, 10, 10, MISSING_BLOCKS=float("nan"))
    assert outcome(core_evidence(metrics=metrics)) == (Reason.HDFS_UNHEALTHY, None)


def test_a_shrink_that_would_fill_the_rest_is_not_made() -> None:
    # 4 nodes at 29 % are 3 at 39 %: above this target
    evidence = core_evidence(4, metrics=hdfs(29, 29, 29), hdfs_target=0.38, hdfs_low=0.30)
    assert outcome(evidence) == (Reason.HDFS_WOULD_FILL, None)


@pytest.mark.parametrize(
    "metrics", [hdfs(10), hdfs(10, 10), hdfs(40, 10, 10), hdfs(10, 40, 10), hdfs(10, float("nan"), 10)]
)
def test_a_shrink_needs_three_low_samples_in_a_row(metrics: ClusterMetrics) -> None:
    assert outcome(core_evidence(metrics=metrics)) == (Reason.HDFS_IN_RANGE, None)


@pytest.mark.parametrize(
    ("yarn", "reason"),
    [
        ({"CONTAINER_PENDING": (0, 0, 1)}, Reason.YARN_BUSY),
        ({"CONTAINER_PENDING": (3, 0, 0)}, Reason.YARN_BUSY),
        ({"YARN_MEMORY_AVAILABLE_PERCENTAGE": (90, 90, 49)}, Reason.YARN_BUSY),
        ({"YARN_MEMORY_AVAILABLE_PERCENTAGE": (20, 90, 90)}, Reason.YARN_BUSY),
        ({"YARN_MEMORY_AVAILABLE_PERCENTAGE": (90, 90, float("nan"))}, Reason.YARN_BUSY),
        ({"CONTAINER_PENDING": ()}, Reason.METRICS_STALE),
        ({"YARN_MEMORY_AVAILABLE_PERCENTAGE": ()}, Reason.METRICS_STALE),
    ],
)
def test_a_busy_yarn_keeps_every_core_node(yarn: Mapping[str, Sequence[float]], reason: Reason) -> None:
    assert outcome(core_evidence(metrics=hdfs(10, 10, 10, yarn=yarn))) == (reason, None)


def test_how_much_memory_must_be_free_is_the_policys() -> None:
    half = {"YARN_MEMORY_AVAILABLE_PERCENTAGE": (40, 40, 40)}
    assert outcome(core_evidence(metrics=hdfs(10, 10, 10, yarn=half), yarn_free_percent=40.0))[1] == 4


def test_a_young_cluster_keeps_its_core_nodes_until_it_has_its_age() -> None:
    young = decide(core_evidence(created_at=NOW - minutes(90)))
    assert (young.reason, young.next_evaluation_at) == (Reason.TOO_YOUNG, NOW + minutes(30))
    assert outcome(core_evidence(created_at=NOW - minutes(120)))[1] == 4


def test_a_young_cluster_that_fills_up_grows_all_the_same() -> None:
    assert outcome(core_evidence(4, created_at=NOW, metrics=hdfs(80)))[0] is Reason.HDFS_ABOVE_HIGH


@pytest.mark.parametrize("percent", [80, 10])
def test_core_resizes_wait_for_their_cooldown(percent: float) -> None:
    memory = CoreMemory(last_resize_at=NOW - minutes(29))
    decision = decide(core_evidence(metrics=hdfs(percent, percent, percent), memory=memory))
    assert (decision.reason, decision.next_evaluation_at) == (Reason.COOLDOWN, NOW + minutes(1))


@pytest.mark.parametrize(
    "metrics",
    [
        series(),
        series(HDFS_UTILIZATION_PERCENT=[(NOW - minutes(13), 90)]),
        series(HDFS_UTILIZATION_PERCENT=[(NOW + minutes(1), 90)]),
        hdfs(float("nan")),
        hdfs(-1),
        hdfs(101),
        hdfs(float("inf")),
    ],
    ids=["missing", "old", "future", "nan", "negative", "above 100", "infinite"],
)
def test_data_that_cannot_be_believed_changes_nothing(metrics: ClusterMetrics) -> None:
    decision = decide(core_evidence(metrics=metrics))
    assert decision.reason in {Reason.METRICS_STALE, Reason.METRICS_ABSURD}
    assert (decision.action, decision.targets) == (Action.HOLD, ())


@pytest.mark.parametrize("metrics", [LOW, hdfs(50), series()], ids=["empty", "in range", "no data"])
def test_the_minimum_is_filled_whatever_the_disks_say(metrics: ClusterMetrics) -> None:
    assert outcome(core_evidence(2, metrics=metrics, min_nodes=4)) == (Reason.BELOW_MINIMUM, 4)


def test_a_full_hdfs_below_the_minimum_gets_what_is_more() -> None:
    assert outcome(core_evidence(2, metrics=hdfs(80), min_nodes=6)) == (Reason.BELOW_MINIMUM, 6)
    assert outcome(core_evidence(3, metrics=hdfs(100), min_nodes=4)) == (Reason.HDFS_ABOVE_HIGH, 5)


def test_an_hdfs_in_range_is_settled() -> None:
    decision = decide(core_evidence(metrics=hdfs(50)))
    assert (decision.reason, decision.next_evaluation_at) == (Reason.HDFS_IN_RANGE, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"enabled": False}, Reason.DISABLED),
        ({"is_paused": True}, Reason.PAUSED),
        ({"state": ClusterState.TERMINATING}, Reason.CLUSTER_NOT_READY),
        ({"has_managed_scaling": True}, Reason.MANAGED_ELSEWHERE),
        ({"uses_fleets": True}, Reason.USES_FLEETS),
        ({"groups": (core_group(5, has_own_scaling=True),)}, Reason.MANAGED_ELSEWHERE),
        ({"groups": (core_group(5, state=GroupState.SUSPENDED),)}, Reason.GROUPS_UNAVAILABLE),
        ({"groups": (core_group(5, state=GroupState.ARRESTED),)}, Reason.GROUPS_UNAVAILABLE),
        ({"groups": (core_group(5, state=GroupState.RECONFIGURING),)}, Reason.GROUPS_UNAVAILABLE),
        ({"groups": ()}, Reason.GROUPS_UNAVAILABLE),
        ({"groups": (core_group(5, running=4),)}, Reason.RESIZING),
        ({"groups": (core_group(5, running=0),)}, Reason.RESIZING),
        ({"groups": (core_group(5, state=GroupState.RESIZING),)}, Reason.RESIZING),
    ],
)
@pytest.mark.parametrize("metrics", [LOW, hdfs(99)], ids=["empty", "full"])
def test_guards_hold_and_name_themselves(changes: dict[str, Any], reason: Reason, metrics: ClusterMetrics) -> None:
    assert outcome(core_evidence(metrics=metrics, **changes)) == (reason, None)


def test_a_shrink_goes_on_while_hdfs_has_room() -> None:
    shrinking = (core_group(4, running=5, state=GroupState.RESIZING),)
    assert outcome(core_evidence(metrics=hdfs(50), groups=shrinking)) == (Reason.RESIZING, None)


def test_a_shrink_is_taken_back_where_hdfs_has_filled_up_since() -> None:
    shrinking = (core_group(4, running=5, state=GroupState.RESIZING),)
    evidence = core_evidence(metrics=hdfs(80), groups=shrinking, memory=CoreMemory(last_resize_at=NOW))
    assert outcome(evidence) == (Reason.HDFS_ABOVE_HIGH, 7)


# --------------------------------------------------------------------------- whatever the scene


def draw_yarn(chance: random.Random) -> dict[str, tuple[float, ...]]:
    pending = tuple(float(chance.choice((0, 0, 0, 0, 5))) for _ in range(3))
    free = tuple(chance.choice((chance.uniform(50, 100),) * 6 + (chance.uniform(0, 100),)) for _ in range(3))
    return {"CONTAINER_PENDING": pending, "YARN_MEMORY_AVAILABLE_PERCENTAGE": free}


def draw_core_evidence(number: int) -> CoreEvidence:
    chance = random.Random(number)
    count = chance.randint(0, 12)
    low, target, high = sorted(chance.sample(range(5, 96, 5), 3))
    strange = (float("nan"), float("inf"), -1.0, 101.0)
    values = [chance.choice((*strange, *(chance.uniform(0, 100) for _ in range(12)))) for _ in range(4)]
    if chance.random() < 0.5:
        values = [chance.uniform(0, low)] * 4
    blocks = {m.name: float(chance.choice((0, 0, 0, 0, 0, 1))) for m in BLOCK_METRICS}
    return CoreEvidence(
        now=NOW,
        cluster_id=CLUSTER,
        state=chance.choice((ClusterState.RUNNING,) * 20 + tuple(ClusterState)),
        groups=(
            core_group(
                count,
                running=chance.choice((count, count, count, chance.randint(0, 12))),
                state=chance.choice((GroupState.RUNNING,) * 20 + tuple(GroupState)),
            ),
        ),
        dfs_replication=chance.choice((None, 1, 2, 3)),
        metrics=hdfs(*values, yarn=draw_yarn(chance), **blocks),
        policy=CorePolicy(
            min_nodes=chance.randint(1, 4),
            max_nodes=chance.randint(4, 15),
            hdfs_low=low / 100,
            hdfs_target=target / 100,
            hdfs_high=high / 100,
        ),
        memory=CoreMemory(last_resize_at=chance.choice((None, NOW - minutes(chance.randint(0, 60))))),
        created_at=chance.choice((None, NOW - minutes(chance.randint(0, 400)))),
    )


@settings(max_examples=60)
@given(first=st.integers(0, 2**40))
def test_every_order_keeps_bounds_replication_blocks_and_disks(first: int) -> None:
    for number in range(first, first + 25):
        note(f"scene {number}")
        evidence = draw_core_evidence(number)
        decision, policy = decide(evidence), evidence.policy
        assert decision.next_evaluation_at is None or decision.next_evaluation_at > NOW
        if not decision.targets:
            assert decision.action is Action.HOLD
            continue
        (target,) = decision.targets
        assert evidence.state.is_ready
        if target.count > target.previous_count:
            assert target.count <= policy.max_nodes
            continue
        assert target.count == target.previous_count - 1
        assert target.count >= max(policy.min_nodes, evidence.dfs_replication or 3)
        assert all(evidence.metrics.series[name][-1].value == 0 for name in BLOCK_METRICS)
        pending, free = (evidence.metrics.series[name] for name in YARN_METRICS)
        assert max(p.value for p in pending) == 0
        assert min(p.value for p in free) >= policy.yarn_free_percent
        assert evidence.created_at is None or NOW - evidence.created_at >= policy.min_age
        used = evidence.metrics.series[next(n for n in evidence.metrics.series if n.name.startswith("HDFS"))]
        assert used[-1].value / 100 * target.previous_count / target.count < policy.hdfs_target


@settings(max_examples=30)
@given(number=st.integers(0, 2**40))
def test_a_core_decision_carried_out_is_a_fixed_point_and_can_be_replayed(number: int) -> None:
    evidence = draw_core_evidence(number)
    verdict = decide_core_capacity(evidence)
    groups = ordered(evidence.groups, verdict.decision.targets)
    assert decide(replace(evidence, groups=groups, memory=verdict.memory)).targets == ()
    replayed = load_evidence(DecisionKind.CORE, dump_evidence(DecisionKind.CORE, evidence))
    assert isinstance(replayed, CoreEvidence)
    assert decide_core_capacity(replayed) == verdict
