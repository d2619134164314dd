"""The method of backtests: work is conserved, decisions are the deployed function's, gaps hold."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.recordings import BEGIN, CONTAINER_MIB, NODE_MIB, PERIOD, constant, recording

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.errors import PriceMissingError
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.domain.policy import Objective, Policy, TaskPolicy
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_simulator.backtest.document import backtest
from emr_simulator.backtest.replay import ReplaySettings, replay_policy
from emr_simulator.backtest.replayed_nodes import ReplayedGroup
from emr_simulator.backtest.sample import sample_recording
from emr_simulator.backtest.work import estimate_task_seconds, reconstruct_work
from emr_simulator.errors import RecordingError
from emr_simulator.experiment import Setup, run_experiment
from emr_simulator.inprocess.autoscaler import AutoscalerPolicy
from emr_simulator.workloads.synthetic import synthetic_day

BURST = [(4, 12, 0)] * 3 + [(4, 36, 400), (4, 36, 300), (4, 36, 200), (4, 36, 100)] + [(4, 12, 0)] * 12


def replayed(rows_or_recording, policy: TaskPolicy | None = None, *, task_seconds: float = 60.0, boot=None):
    recorded = recording(rows_or_recording) if isinstance(rows_or_recording, list) else rows_or_recording
    work = reconstruct_work(recorded, task_seconds=task_seconds)
    chosen = ReplaySettings(boot=boot) if boot else ReplaySettings()
    return work, replay_policy(recorded, work, policy or TaskPolicy(max_nodes=20), chosen)


rows = st.lists(
    st.none() | st.tuples(st.integers(0, 8), st.integers(0, 60), st.integers(0, 900)), min_size=2, max_size=30
).filter(lambda some: sum(row is not None for row in some) >= 2)


@given(rows, st.sampled_from([1.0, 30.0, 90.0, 600.0]), st.sampled_from(list(Objective)))
@settings(max_examples=60)
def test_work_offered_is_work_served_and_work_left_on_both_sides(some, task_seconds, objective) -> None:
    # More containers than fit are a broken metric, which is left out: keep to what fits.
    fitting = [row and (row[0], min(row[1], (row[0] + 2) * 6), row[2]) for row in some]
    work, replay = replayed(fitting, TaskPolicy(max_nodes=20, objective=objective), task_seconds=task_seconds)
    assert work.offered_mib_seconds == pytest.approx(work.served_mib_seconds + work.remaining_mib_seconds)
    assert work.offered_mib_seconds == pytest.approx(
        replay.served_mib_seconds + replay.remaining_mib_seconds, abs=1.0
    )
    assert work.initial_mib_seconds >= 0
    assert all(interval.offered_mib_seconds >= 0 for interval in work.intervals)
    assert all(look.nodes_after <= max(20, look.nodes_before) for look in replay.looks)


def test_a_constant_load_offers_itself_and_is_served_as_it_was() -> None:
    work, replay = replayed(constant(18), TaskPolicy(min_nodes=4, max_nodes=20))
    assert {i.offered_mib_seconds / i.seconds for i in work.intervals} == {18.0 * CONTAINER_MIB}
    assert {round(state.allocated_mib) for state in replay.states} == {18 * CONTAINER_MIB}


def test_a_constant_load_gives_constant_nodes() -> None:
    policy = TaskPolicy(max_nodes=20, objective=Objective.SPEED, expected_task_seconds=300)
    _, replay = replayed(constant(18), policy, task_seconds=300)
    assert {state.requested_nodes for state in replay.states[12:]} == {1}
    assert all(look.decision.action is Action.HOLD for look in replay.looks[12:])


def test_every_decision_is_that_of_the_deployed_function_on_the_evidence_kept() -> None:
    _, replay = replayed(BURST)
    assert {look.decision.action for look in replay.looks} >= {Action.SCALE_OUT, Action.SCALE_IN, Action.HOLD}
    assert [look.decision for look in replay.looks] == [
        decide_task_capacity(look.evidence).decision for look in replay.looks
    ]


def test_a_decision_sees_only_samples_that_are_published_by_then() -> None:
    _, replay = replayed(BURST)
    for look in replay.looks:
        newest = max(point.at for points in look.evidence.metrics.series.values() for point in points)
        assert look.evidence.now - newest >= timedelta(seconds=120)


def test_an_order_takes_effect_after_the_provisioning_delay_and_is_billed_from_launch() -> None:
    _, slow = replayed(BURST, boot=timedelta(minutes=12))
    order = next(look for look in slow.looks if look.decision.action is Action.SCALE_OUT)
    arrived = next(s.at for s in slow.states if s.at > order.evidence.now and s.task_nodes >= order.nodes_after)
    assert arrived >= order.evidence.now + timedelta(minutes=12)


def test_less_delay_leaves_less_work_waiting() -> None:
    def unmet(minutes: float) -> float:
        policy = Policy(name="p", task=TaskPolicy(max_nodes=20))
        settings = ReplaySettings(boot=timedelta(minutes=minutes))
        return backtest(recording(BURST), policy, task_seconds=60, settings=settings)["replayed"][
            "unmet_mib_hours"
        ]

    assert unmet(2) < unmet(15)


def test_a_gap_holds_and_is_shown_and_paid_on_neither_side() -> None:
    with_gap = [(4, 12, 0)] * 4 + [None] * 6 + [(4, 12, 0)] * 4
    document = backtest(recording(with_gap), Policy(name="p", task=TaskPolicy(min_nodes=4, max_nodes=9)))
    assert (document["gap_hours"], document["hours"]) == (round(35 / 60, 3), 0.5)
    assert document["gaps"] == [{"from": "2026-10-05T00:15:00Z", "to": "2026-10-05T00:50:00Z"}]
    assert [entry["gap_follows"] for entry in document["series"]] == [False] * 3 + [True] + [False] * 4
    assert document["recorded"]["node_hours"] == document["replayed"]["node_hours"] == 2.0


def test_without_samples_the_policy_holds_whatever_it_wants() -> None:
    _, replay = replayed([(4, 36, 400)] * 2 + [None] * 10 + [(4, 36, 400)] * 2)
    late = [
        look for look in replay.looks if BEGIN + timedelta(minutes=20) < look.evidence.now < BEGIN + 12 * PERIOD
    ]
    assert {look.decision.reason for look in late} == {Reason.METRICS_STALE}
    assert all(look.nodes_after == look.nodes_before for look in late)


def test_samples_that_cannot_be_true_are_left_out_and_counted() -> None:
    document = backtest(recording([(4, 12, 0), (4, 12, 0), (0, 60, 0), (4, 12, 0), (4, 12, 0)]), Policy(name="p"))
    assert document["samples_left_out"] == {"METRICS_ABSURD": 1}
    assert len(document["gaps"]) == 1


def test_an_incomplete_sample_is_a_gap() -> None:
    whole = recording([(4, 12, 0)] * 5)
    partial = {k: v for k, v in whole.samples[2].values.items() if k is not MetricName.CONTAINER_PENDING}
    broken = replace(
        whole, samples=(*whole.samples[:2], replace(whole.samples[2], values=partial), *whole.samples[3:])
    )
    document = backtest(broken, Policy(name="p"))
    assert (document["samples"], document["samples_left_out"]) == (4, {"METRICS_STALE": 1})


def test_fewer_than_two_samples_that_can_be_believed_say_nothing() -> None:
    with pytest.raises(RecordingError, match="1 complete samples, at least 2 are needed"):
        backtest(recording([(4, 12, 0), (0, 60, 0)]), Policy(name="p"))


def test_draining_backlogs_show_how_long_containers_run() -> None:
    # 36 containers run; 300 s make room for 90 of those that wait, so each runs 120 s.
    rows = [(4, 36, 900 - 90 * n) for n in range(9)]
    assert estimate_task_seconds(recording(rows)) == 120
    assert estimate_task_seconds(constant(18)) is None


def test_where_applications_are_told_the_length_is_that_of_periods_without_new_ones() -> None:
    quiet = [(4, 36, 900 - 90 * n, 7) for n in range(9)]
    busy = [(4, 36, 900 - 9 * n, 8 + n) for n in range(90)]
    assert estimate_task_seconds(recording(quiet + busy)) == 120
    assert estimate_task_seconds(recording([row[:3] for row in quiet + busy])) != 120


def test_a_replayed_policy_learns_how_long_containers_run_as_it_would_once_deployed() -> None:
    backlog = [(4, 36, 100 - 6 * n) for n in range(16)]
    _, deaf = replayed(backlog, TaskPolicy(max_nodes=20), task_seconds=1800)
    _, told = replayed([(*row, 3) for row in backlog], TaskPolicy(max_nodes=20), task_seconds=1800)
    most = [max(state.requested_nodes for state in replay.states) for replay in (deaf, told)]
    assert most[0] == 4
    assert most[1] > 8


@pytest.mark.parametrize(
    ("rows", "given", "expected"),
    [
        ([(4, 36, 900 - 90 * n) for n in range(9)], None, (120.0, "recording")),
        ([(4, 12, 0)] * 5, None, (30.0, "policy")),
        ([(4, 12, 0)] * 5, 75, (75, "given")),
    ],
)
def test_the_document_says_where_the_length_of_containers_is_from(rows, given, expected) -> None:
    model = backtest(recording(rows), Policy(name="p"), task_seconds=given)["model"]
    assert (model["task_seconds"], model["task_seconds_from"]) == expected


def test_money_is_node_hours_times_the_price() -> None:
    policy = Policy(name="p", task=TaskPolicy(min_nodes=4, max_nodes=4))
    document = backtest(constant(18, samples=25), policy)
    assert document["recorded"]["cost_usd"] == document["replayed"]["cost_usd"] == "1.92"
    assert document["core"] == {"node_hours": 4.0, "cost_usd": "0.96"}
    (price,) = document["prices"]
    assert "on demand 0.192 + EMR fee 0.048" in price["source"]


def test_a_given_price_is_used_and_labelled() -> None:
    policy = Policy(name="p", task=TaskPolicy(min_nodes=4, max_nodes=4))
    document = backtest(constant(18, samples=25), policy, prices={"m5.xlarge": Decimal("0.1")})
    assert document["replayed"]["cost_usd"] == "0.80"
    assert document["prices"][0]["source"] == "given by --price-per-node-hour"


def test_a_type_without_a_price_is_not_guessed() -> None:
    unknown = replace(constant(18), groups=tuple(replace(g, instance_type="z9.mega") for g in constant(1).groups))
    with pytest.raises(PriceMissingError, match=r"z9\.mega"):
        backtest(unknown, Policy(name="p"))
    assert backtest(unknown, Policy(name="p"), prices={"": Decimal(1)})["prices"][0]["usd_per_node_hour"] == "1"


def test_pools_the_policy_would_create_take_part() -> None:
    policy = Policy(name="p", task=TaskPolicy(max_nodes=20, instance_types=("m5.xlarge", "m5a.xlarge")))
    document = backtest(recording(BURST), policy, task_seconds=60)
    groups = {group["group_id"]: group["market"] for group in document["replayed"]["groups"]}
    assert groups == {"on-demand-m5.xlarge": "ON_DEMAND", "spot-m5.xlarge": "SPOT", "spot-m5a.xlarge": "SPOT"}


def test_without_any_task_group_there_is_nothing_to_replay() -> None:
    bare = recording([(0, 6, 0)] * 3)
    bare = replace(bare, groups=tuple(group for group in bare.groups if group.role is Role.CORE))
    with pytest.raises(RecordingError, match="no task group"):
        backtest(bare, Policy(name="p"))


def test_task_nodes_without_a_task_group_contradict_the_recording() -> None:
    bare = constant(6)
    bare = replace(bare, groups=tuple(group for group in bare.groups if group.role is Role.CORE))
    with pytest.raises(RecordingError, match="TaskNodesRunning"):
        backtest(bare, Policy(name="p"))


def test_nodes_boot_drain_and_are_recalled_as_yarn_does() -> None:
    group = ReplayedGroup(
        group_id="g",
        market=Market.SPOT,
        instance_type="m5.xlarge",
        node_mib=NODE_MIB,
        boot=timedelta(minutes=5),
        drain=timedelta(minutes=2),
    )
    group.order(4, BEGIN)
    assert (group.requested, group.present, group.billed(BEGIN)) == (4, 0, 0)
    assert group.billed(BEGIN + timedelta(minutes=1)) == 4
    group.order(3, BEGIN)
    group.advance(BEGIN + timedelta(minutes=5))
    assert (group.requested, group.running) == (3, 3)
    group.order(1, BEGIN)
    assert (group.requested, group.present, group.running) == (1, 3, 1)
    group.order(2, BEGIN)
    assert (group.requested, group.present, group.running) == (2, 3, 2)
    group.advance(BEGIN + timedelta(minutes=2))
    assert (group.present, group.describe().is_resizing) == (2, False)


def test_a_backtest_comes_near_to_the_run_it_stands_for() -> None:
    document = backtest(sample_recording(), Policy(name="p", task=TaskPolicy(max_nodes=30)))
    run = run_experiment(
        policy=AutoscalerPolicy(), workload=synthetic_day(seed=3), seed=3, setup=Setup(maximum_task_count=30)
    )
    assert document["replayed"]["node_hours"] == pytest.approx(run.node_hours, rel=0.3)
