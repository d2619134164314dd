"""Backtests of clusters with instance fleets: units recorded, replayed and shown."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.fleet_scenes import inside
from tests.support.recordings import BEGIN, CONTAINER_MIB, NODE_MIB, PERIOD
from tests.support.stories import OPTED_IN, Story, live
from tests.support.template import PROJECT
from tests.support.worlds import calm_world, fleet, fleet_cluster

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import Action
from emr_autoscaler.domain.fleets import FleetTarget, FleetType
from emr_autoscaler.domain.policy import IdlePolicy, Objective, Policy, TaskPolicy
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_simulator.backtest.document import backtest
from emr_simulator.backtest.reading import read_recording
from emr_simulator.backtest.recording import NEEDED, RecordedFleet, Recording, Sample, record
from emr_simulator.backtest.replay import replay_policy
from emr_simulator.backtest.sample import FLEET_TYPES, FLEET_UNITS, fleet_sample_recording
from emr_simulator.backtest.sizes import recorded_sizes
from emr_simulator.backtest.work import reconstruct_work
from emr_simulator.errors import RecordingError
from emr_simulator.inprocess.cloudwatch import WorldMetrics
from emr_simulator.inprocess.emr import WorldClusterReader
from emr_simulator.report.backtest_page import backtest_page
from emr_simulator.words import Role as SimulatedRole
from emr_simulator.workloads.synthetic import synthetic_day

SAMPLE = PROJECT / "docs/samples/fleet-day.json"
MIXED = {"m5.xlarge": 1, "m5.2xlarge": 2, "r5.xlarge": 2}
BURST = [(4, 12, 0)] * 3 + [(4, 36, 400), (4, 36, 300), (4, 36, 200), (4, 36, 100)] + [(4, 12, 0)] * 12


def fleet_of(types: dict[str, int], *, role: Role = Role.TASK, on_demand: int = 0, spot: int = 0) -> RecordedFleet:
    kinds = tuple(FleetType(instance_type=t, units=u) for t, u in types.items())
    return RecordedFleet(role=role, types=kinds, on_demand_units=on_demand, spot_units=spot)


CORE = fleet_of({"m5.xlarge": 1}, role=Role.CORE, on_demand=2)


def recorded(
    rows: list[tuple[int, int, int]], task: RecordedFleet | None, *, nodes: int | None = None
) -> Recording:
    """A recording of two core nodes and a task fleet: units there (of 12 GiB), containers running, waiting."""

    def values(units: int, running: int, waiting: int) -> dict[Any, float]:
        present = units if nodes is None or not units else nodes
        numbers = ((2 + units) * NODE_MIB, running * CONTAINER_MIB, running, waiting, 2, present)
        return dict(zip(NEEDED, map(float, numbers), strict=True))

    return Recording(
        source="test",
        cluster_id="j-FLEETS",
        period=PERIOD,
        groups=(),
        fleets=(CORE, *((task,) if task else ())),
        samples=tuple(Sample(at=BEGIN + i * PERIOD, values=values(*row)) for i, row in enumerate(rows)),
    )


def document(recording: Recording, **policy: Any) -> dict[str, Any]:
    rules = Policy(name="p", task=TaskPolicy(**{"max_nodes": 20, **policy}))
    return backtest(recording, rules, task_seconds=60)


def test_units_of_instances_that_count_the_same_are_told_by_their_number() -> None:
    recording = recorded([(6, 12, 0)] * 3, fleet_of({"m5.2xlarge": 3, "r5.2xlarge": 3}), nodes=2)
    assert recorded_sizes(recording, reconstruct_work(recording, task_seconds=60)) == [6.0] * 3


def test_units_of_instances_that_do_not_are_told_by_the_memory_beside_the_core_nodes() -> None:
    recording = recorded([(7, 12, 0), (0, 12, 0), (4, 12, 0)], fleet_of(MIXED), nodes=3)
    assert recorded_sizes(recording, reconstruct_work(recording, task_seconds=60)) == [7.0, 0.0, 4.0]


def test_core_nodes_of_several_types_count_as_the_mean_of_them() -> None:
    made = recorded([(6, 12, 0)] * 3, fleet_of(MIXED), nodes=3)
    core = fleet_of({"m5.xlarge": 1, "m5.2xlarge": 2}, role=Role.CORE, on_demand=3)
    mixed = replace(made, fleets=(core, made.fleets[1]))
    sizes = recorded_sizes(mixed, reconstruct_work(mixed, task_seconds=60))
    assert sizes == [5.0] * 3  # of 8 times 12 GiB two core nodes of 18 GiB are taken


def test_the_policy_orders_units_within_its_bounds_and_both_sides_are_counted_in_them() -> None:
    found = document(recorded(BURST, fleet_of(MIXED, spot=4), nodes=3))
    assert found["counted_in"] == "units"
    assert found["recorded"]["most_nodes"] == 4
    assert 4 < found["replayed"]["most_nodes"] <= 20
    assert found["recorded"]["node_hours"] == pytest.approx(4 * 18 * 5 / 60)
    assert {group["group_id"] for group in found["replayed"]["groups"]} == {"if-task/SPOT", "if-task/ON_DEMAND"}
    assert found["replayed"]["groups"][0]["instance_type"] == "m5.xlarge x1, m5.2xlarge x2, r5.xlarge x2"


def test_every_decision_is_that_of_the_deployed_function_on_fleets() -> None:
    recording = recorded(BURST, fleet_of(MIXED, spot=4), nodes=3)
    work = reconstruct_work(recording, task_seconds=60)
    replay = replay_policy(recording, work, TaskPolicy(max_nodes=20))
    assert {look.decision.action for look in replay.looks} >= {Action.SCALE_OUT, Action.SCALE_IN, Action.HOLD}
    assert [look.decision for look in replay.looks] == [
        decide_task_capacity(look.evidence).decision for look in replay.looks
    ]
    ordered = [target for look in replay.looks for target in look.decision.targets]
    assert ordered
    assert all(isinstance(target, FleetTarget) for target in ordered)


def test_units_are_ordered_in_whole_steps() -> None:
    found = document(recorded(BURST, fleet_of({"m5.xlarge": 4, "m5.2xlarge": 8}, spot=4), nodes=1), max_nodes=42)
    sizes = {entry["replayed"]["requested_nodes"] for entry in found["series"]}
    assert max(sizes) > 4
    assert {size % 4 for size in sizes} == {0}
    assert max(sizes) <= 40


def test_units_stand_on_the_market_they_were_asked_for() -> None:
    found = document(recorded([(4, 24, 0)] * 6, fleet_of({"m5.xlarge": 1}, on_demand=2, spot=2)), min_nodes=4)
    hours = {group["market"]: group["node_hours"] for group in found["replayed"]["groups"]}
    assert hours["ON_DEMAND"] > 0.0
    assert hours["SPOT"] > 0.0


def test_a_unit_costs_the_mean_of_what_the_types_cost_for_it_on_both_sides() -> None:
    task = fleet_of({"m5.xlarge": 1, "m5.2xlarge": 2}, spot=4)
    found = document(recorded([(4, 18, 0)] * 25, task, nodes=3), min_nodes=4, max_nodes=4)
    assert found["recorded"]["cost_usd"] == found["replayed"]["cost_usd"] == "1.92"
    assert {price["instance_type"] for price in found["prices"]} == {"m5.xlarge", "m5.2xlarge"}


def test_a_cap_in_money_holds_whatever_is_bought() -> None:
    free = document(recorded(BURST, fleet_of(MIXED, spot=4), nodes=3))
    capped = document(recorded(BURST, fleet_of(MIXED, spot=4), nodes=3), max_usd_per_hour=Decimal("1.50"))
    assert free["replayed"]["most_nodes"] > capped["replayed"]["most_nodes"]
    ordered = [entry["replayed"]["requested_nodes"] for entry in capped["series"][1:]]
    assert max(ordered) <= 6  # 0.24 USD for a unit of the dearest type


def test_a_task_fleet_that_enrolment_would_create_takes_part() -> None:
    bare = recorded([(0, 6, 0)] * 3 + [(0, 12, 400)] * 6, None)
    found = document(bare, instance_types=("m5.xlarge", "m5.2xlarge"), objective=Objective.SPEED)
    assert found["replayed"]["most_nodes"] > 0
    with pytest.raises(RecordingError, match="no task fleet"):
        document(bare)


def test_task_nodes_without_a_task_fleet_contradict_the_recording() -> None:
    with pytest.raises(RecordingError, match="TaskNodesRunning"):
        document(recorded([(4, 6, 0)] * 3, None))


def test_a_recording_of_fleets_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = recorded(BURST, fleet_of(MIXED, on_demand=1, spot=3), nodes=3)
    path = tmp_path / "recorded.json"
    path.write_text(made.to_text())
    read = read_recording(path)
    assert (read.groups, read.fleets, read.samples) == ((), made.fleets, made.samples)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fleets": []}, "fleets: a list of fleets is expected"),
        ({"groups": []}, "fleets: a cluster has groups or fleets, never both"),
        ({"role": "MASTER"}, "fleets[1]: role: 'MASTER' is not one of CORE, TASK, each once"),
        ({"role": "CORE"}, "fleets[1]: role: 'CORE' is not one of CORE, TASK, each once"),
        ({"types": ["m5.xlarge"]}, "fleets[1]: types: units by type are expected"),
        ({"types": {}}, "fleets[1]: types: units by type are expected"),
        ({"types": {"m5.xlarge": 0}}, "fleets[1]: types.m5.xlarge: a whole number of at least 1"),
        ({"spot_units": -1}, "fleets[1]: spot_units: a whole number of at least 0"),
        ({"on_demand_units": True}, "fleets[1]: on_demand_units: a whole number of at least 0"),
        ({"name": "x"}, "fleets[1]: an object of role, types, on_demand_units, spot_units"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_fleet_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    written = recorded(BURST, fleet_of(MIXED), nodes=3).to_json()
    if set(change) & {"groups", "fleets"}:
        written |= change
    else:
        written["fleets"][1] |= change
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps(written))
    with pytest.raises(RecordingError) as problem:
        read_recording(path)
    assert str(problem.value).startswith(f"{path}: {said}")


def test_a_type_cannot_be_named_beside_fleets(tmp_path: Path) -> None:
    path = tmp_path / "recorded.json"
    path.write_text(recorded(BURST, fleet_of(MIXED), nodes=3).to_text())
    with pytest.raises(RecordingError, match="fleets: says what the nodes are"):
        read_recording(path, instance_type="m5.xlarge")


def test_the_page_speaks_of_units() -> None:
    page = backtest_page(document(recorded(BURST, fleet_of(MIXED, spot=4), nodes=3)))
    for words in ("Task units over time", "task unit-hours", "most task units", "0 to 20 task units"):
        assert words in page
    for words in ("Task nodes over time", "task node-hours", "most task nodes"):
        assert words not in page


def test_the_sample_that_ships_is_what_its_command_writes_and_tells_its_units() -> None:
    made = fleet_sample_recording()
    assert made.to_text() == SAMPLE.read_text()
    assert made.task_fleet == fleet_of(FLEET_TYPES, spot=FLEET_UNITS)
    sizes = recorded_sizes(made, reconstruct_work(made, task_seconds=60))
    assert set(sizes) == {float(FLEET_UNITS)}


def test_a_backtest_comes_near_to_the_fleet_it_stands_for() -> None:
    recording = fleet_sample_recording()
    rules = TaskPolicy(max_nodes=30)
    found = backtest(recording, Policy(name="p", task=rules))
    story = Story(calm_world(metric_period_seconds=300), live(task=rules, idle=IdlePolicy(enabled=False)))
    spec = fleet_cluster(core=2, task=fleet(SimulatedRole.TASK, spot=1, types=FLEET_TYPES), tags=OPTED_IN)
    cluster_id = story.start(spec)
    begin = story.world.now
    for work in synthetic_day(seed=3).jobs:
        story.world.submit_job(cluster_id, work, at=begin + timedelta(seconds=work.submit_after_seconds))
    story.run(timedelta(hours=24))
    paid = 0.0
    for node in inside(story, cluster_id).all_nodes:
        if node.launched_at:
            until = node.ended_at or int(story.world.now.timestamp())
            paid += node.units * (until - node.launched_at) / 3600
    assert found["replayed"]["node_hours"] == pytest.approx(paid, rel=0.25)


def test_a_cluster_with_fleets_is_recorded_with_its_types_and_targets() -> None:
    world = calm_world()
    spec = fleet_cluster(core=2, task=fleet(SimulatedRole.TASK, 1, spot=3, types=FLEET_TYPES))
    cluster_id = world.emr.run_job_flow(spec)
    world.run_for(timedelta(hours=2))
    fleets = WorldClusterReader(world).list_instance_fleets(cluster_id)
    made = record(WorldMetrics(world), cluster_id, (), fleets, start=world.now - timedelta(hours=1), end=world.now)
    assert made.task_fleet == fleet_of(FLEET_TYPES, on_demand=1, spot=3)
    assert [f.role for f in made.fleets] == [Role.CORE, Role.TASK]
