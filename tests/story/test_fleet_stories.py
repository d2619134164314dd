"""Clusters with instance fleets, scaled in units through the in-process World as a user would see it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.fleet_scenes import MIXED, SETTLE, busy, cluster, in_units, inside, orders, targets, task_fleet
from tests.support.stories import OPTED_IN, Story, live, lossy
from tests.support.stormy_days import assert_bill, stormy
from tests.support.worlds import calm_world, fleet, fleet_cluster

from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, Mode, Policy
from emr_simulator.fleet_descriptions import FleetResize
from emr_simulator.settings import UniformDelay
from emr_simulator.words import GroupState, InstanceState, Market, Role
from emr_simulator.workloads.synthetic import synthetic_day


def test_a_task_fleet_is_scaled_out_in_units_under_demand_and_in_when_it_ends() -> None:
    story = Story(calm_world(), live(task=in_units()))
    cluster_id = story.start(cluster(task_fleet()))
    story.world.submit_job(cluster_id, busy(seconds=1800))
    story.run(timedelta(minutes=20))
    assert targets(story, cluster_id) == (0, 12)
    assert inside(story, cluster_id).provisioned(Market.SPOT) == 12
    story.run(timedelta(hours=3))
    assert targets(story, cluster_id) == (0, 0)
    assert inside(story, cluster_id).nodes == []
    assert {Action.SCALE_OUT, Action.SCALE_IN} <= set(story.actions(cluster_id))
    assert all(0 <= order.count <= 12 for order in orders(story.decisions(cluster_id)))
    assert story.system.given_up == []


def test_nothing_is_killed_when_a_fleet_shrinks() -> None:
    story = Story(calm_world(), live(task=in_units()))
    cluster_id = story.start(cluster(task_fleet()))
    story.world.submit_job(cluster_id, busy(seconds=1800))
    story.run(timedelta(hours=4))
    yarn = story.world.yarn(cluster_id)
    assert (len(yarn.ended), yarn.killed_apps) == (1, 0)
    assert all(not node.interrupted for node in inside(story, cluster_id).all_nodes)


def test_the_on_demand_floor_of_the_policy_stands_in_the_fleet() -> None:
    story = Story(calm_world(), live(task=in_units(min_nodes=6, on_demand_min_nodes=4)))
    cluster_id = story.start(cluster(task_fleet()))
    story.run(SETTLE)
    assert targets(story, cluster_id) == (4, 2)


def test_spot_that_cannot_be_had_is_bought_on_demand_under_the_maximum_and_given_back_to_spot_later() -> None:
    world = calm_world()
    story = Story(world, live(task=in_units(max_nodes=8)))
    cluster_id = story.start(cluster(task_fleet()))
    zone = world.inside(cluster_id).zone
    dry_until = world.now + timedelta(hours=1)
    for kind in MIXED:
        world.dry_pool(kind, zone, dry_until)
    world.submit_job(cluster_id, busy(tasks=200, seconds=4 * 3600))
    story.run(timedelta(minutes=40))
    assert targets(story, cluster_id) == (8, 0)
    assert inside(story, cluster_id).provisioned(Market.ON_DEMAND) == 8
    story.run(timedelta(hours=6))
    assert targets(story, cluster_id)[0] == 0
    made = [r.decision.reason for r in story.decisions(cluster_id) if r.decision.targets]
    assert Reason.BACK_TO_SPOT in made
    assert all(order.count <= 8 for order in orders(story.decisions(cluster_id)))


def test_a_warned_spot_instance_is_left_to_the_fleet_which_buys_it_anew() -> None:
    world = calm_world()
    story = Story(world, live(task=in_units(max_nodes=8, min_nodes=6), idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(cluster(task_fleet(spot=6)))
    story.run(SETTLE)
    fleet_inside = inside(story, cluster_id)
    warned = fleet_inside.nodes[0]
    world.dry_pool(warned.instance_type, world.inside(cluster_id).zone, world.now + timedelta(hours=2))
    before = len(orders(story.decisions(cluster_id)))
    world.warn_spot_interruption(warned.ec2_id)
    story.run(timedelta(minutes=30))
    reasons = [r.decision.reason for r in story.decisions(cluster_id)]
    assert Reason.FLEET_REPLACES in reasons
    assert warned.interrupted
    assert fleet_inside.provisioned(Market.SPOT) >= 6
    assert warned.instance_type not in {
        n.instance_type for n in fleet_inside.nodes if n.requested_at > warned.ended_at
    }
    assert len(orders(story.decisions(cluster_id))) == before


def test_a_cluster_with_fleets_and_no_task_fleet_gets_one_from_the_types_of_the_policy() -> None:
    policy = in_units(instance_types=("m5.xlarge", "m5.2xlarge", "r5.xlarge"))
    story = Story(calm_world(), live(task=policy))
    cluster_id = story.start(cluster(None))
    made = inside(story, cluster_id)
    assert {t.instance_type: t.units for t in made.fleet.types} == MIXED
    story.run(SETTLE)
    assert targets(story, cluster_id) == (0, 0)


def test_a_dry_run_orders_nothing_of_a_fleet_and_says_what_it_would() -> None:
    policy = replace(live(task=in_units()), mode=Mode.DRY_RUN)
    story = Story(calm_world(), policy)
    cluster_id = story.start(cluster(task_fleet()))
    story.world.submit_job(cluster_id, busy())
    story.run(SETTLE)
    assert targets(story, cluster_id) == (0, 1)
    assert orders(story.decisions(cluster_id))
    assert any("spot 1 ->" in note.body for note in story.ports.notifier.sent)
    assert not {"ModifyInstanceFleet", "AddInstanceFleet"} & set(story.world.calls)


def test_a_core_fleet_grows_on_demand_when_hdfs_fills_and_shrinks_by_whole_instances() -> None:
    world = calm_world()
    core = fleet(Role.CORE, 8, types={"m5.xlarge": 4})
    spec = fleet_cluster(tags=OPTED_IN)
    spec = replace(spec, fleets=(spec.fleets[0], core))
    story = Story(world, live(core=CorePolicy(min_nodes=8, max_nodes=40), idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(spec, prepare=lambda cid: world.set_hdfs_used_gib(cid, 100))
    story.run(SETTLE)
    grown = inside(story, cluster_id, Role.CORE)
    assert grown.targets == {Market.ON_DEMAND: 12, Market.SPOT: 0}
    assert len(grown.nodes) == 3
    world.set_hdfs_used_gib(cluster_id, 10)
    story.run(timedelta(hours=6))
    assert grown.targets[Market.ON_DEMAND] >= 8
    assert all(node.state is InstanceState.RUNNING for node in grown.nodes)
    assert world.inside(cluster_id).hdfs.missing == 0


def test_a_core_fleet_of_mixed_sizes_only_grows() -> None:
    world = calm_world()
    spec = fleet_cluster(tags=OPTED_IN)
    core = fleet(Role.CORE, 12, types={"m5.xlarge": 1, "m5.2xlarge": 2})
    story = Story(world, live(core=CorePolicy(min_nodes=2, max_nodes=40), idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(replace(spec, fleets=(spec.fleets[0], core)))
    story.run(timedelta(hours=3))
    assert Reason.FLEET_ONLY_GROWS in {r.decision.reason for r in story.decisions(cluster_id)}
    assert inside(story, cluster_id, Role.CORE).targets[Market.ON_DEMAND] == 12


@pytest.mark.parametrize(("seed", "doubled"), [(1, 0.0), (2, 0.3)])
def test_a_stormy_day_of_a_fleet_keeps_its_units_and_its_record_equals_the_bill(
    seed: int, *, doubled: float
) -> None:
    policy = live(
        task=in_units(max_nodes=16, expected_task_seconds=60),
        core=CorePolicy(min_nodes=3, max_nodes=3),
        idle=IdlePolicy(idle_for=timedelta(hours=2)),
    )
    story = Story(stormy(seed), policy, mangle=lossy(seed, doubled=doubled))
    cluster_id = story.start(cluster(task_fleet(spot=2)))
    for work in synthetic_day(seed=seed, start_hour=9, hours=8, scale=2.0).jobs:
        at = story.world.now + timedelta(seconds=work.submit_after_seconds)
        story.world.submit_job(cluster_id, work, at=at)

    def stays_in_bounds() -> None:
        if story.world.inside(cluster_id).is_up:
            assert sum(targets(story, cluster_id)) <= 16

    story.watch = stays_in_bounds
    story.run(timedelta(hours=12))
    reasons = {r.decision.reason for r in story.decisions(cluster_id)}
    assert Reason.DEMAND_ABOVE_CAPACITY in reasons
    assert story.system.given_up == []
    assert_bill(story, cluster_id)


def test_a_fleet_keeps_to_its_cap_in_money_whatever_emr_buys() -> None:
    story = Story(calm_world(), live(task=in_units(max_usd_per_hour=Decimal("1.00"))))
    cluster_id = story.start(cluster(task_fleet()))
    story.run(timedelta(minutes=10))
    story.world.submit_job(cluster_id, busy())
    story.run(SETTLE)
    known = story.ports.registry.get(cluster_id).prices.by_group
    spot = next(price.usd_per_hour for side, price in known.items() if side.endswith("SPOT"))
    # EMR may buy two units where one is missing: that one more is affordable as well.
    assert targets(story, cluster_id) == (0, min(12, int(Decimal("1.00") / spot) - 1))


def test_a_used_up_spot_quota_sends_a_fleets_work_to_on_demand() -> None:
    story = Story(calm_world(spot_quota=2), live(task=in_units(max_nodes=8)))
    cluster_id = story.start(cluster(task_fleet()))
    story.world.submit_job(cluster_id, busy(tasks=200, seconds=4 * 3600))
    story.run(SETTLE)
    found = inside(story, cluster_id)
    assert sum(node.market is Market.SPOT for node in found.nodes) <= 2
    assert found.provisioned(Market.ON_DEMAND) >= 4
    assert sum(targets(story, cluster_id)) == 8


def test_what_events_missed_of_a_fleet_is_seen_by_the_sweep() -> None:
    def without_emr(events: list[dict[str, object]]) -> list[dict[str, object]]:
        return [event for event in events if event["source"] != "aws.emr"]

    story = Story(calm_world(), live(task=in_units()), mangle=without_emr)
    cluster_id = story.start(cluster(task_fleet()))
    story.world.submit_job(cluster_id, busy(seconds=3600))
    story.run(timedelta(minutes=40))
    assert targets(story, cluster_id) == (0, 12)
    (known,) = (f for f in story.ports.registry.get(cluster_id).fleets if f.role == Role.TASK)
    assert (known.target_spot_units, known.provisioned_spot_units) == (12, 12)


def test_an_operators_task_fleet_is_found_when_its_event_comes() -> None:
    story = Story(calm_world(), live(task=in_units()))
    cluster_id = story.start(cluster(None))
    story.world.emr.add_instance_fleet(cluster_id, task_fleet(spot=3))
    story.run(timedelta(minutes=1))
    assert Role.TASK in {f.role for f in story.ports.registry.get(cluster_id).fleets}


def test_units_that_an_operator_ordered_stand_for_their_time() -> None:
    world = calm_world()
    story = Story(world, live(task=in_units(), idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(cluster(task_fleet()))
    story.run(timedelta(minutes=15))
    fleet_id = inside(story, cluster_id).group_id
    world.emr.modify_instance_fleet(cluster_id, FleetResize(fleet_id=fleet_id, on_demand_units=2, spot_units=5))
    story.run(timedelta(minutes=25))
    assert targets(story, cluster_id) == (2, 5)
    assert any(f"fleet {fleet_id} to 7" in note.body for note in story.ports.notifier.sent)
    story.run(timedelta(hours=1))
    assert targets(story, cluster_id) == (0, 0)


def test_a_dry_run_decides_with_the_task_fleet_it_would_have_created() -> None:
    policy = replace(live(task=in_units(min_nodes=3, instance_types=("m5.xlarge",))), mode=Mode.DRY_RUN)
    story = Story(calm_world(), policy)
    cluster_id = story.start(cluster(None))
    story.run(timedelta(minutes=10))
    assert [(o.fleet_id, o.spot_units) for o in orders(story.decisions(cluster_id))][-1] == (
        "planned-task-fleet",
        3,
    )
    assert sum("a task fleet at" in note.body for note in story.ports.notifier.sent) == 1
    assert {f.role for f in story.ports.registry.get(cluster_id).fleets} == {Role.MASTER, Role.CORE}


def test_a_suspended_fleet_is_told_of_once_with_the_command_that_resumes_it() -> None:
    story = Story(calm_world(), live(task=in_units()))
    cluster_id = story.start(cluster(task_fleet(spot=3)))
    fleet_id = inside(story, cluster_id).group_id
    story.world.set_group_state(cluster_id, fleet_id, GroupState.SUSPENDED)
    story.run(timedelta(minutes=20))
    told = [note.body for note in story.ports.notifier.sent if "modify-instance-fleet" in note.body]
    assert len(told) == 1
    assert f"fleet {fleet_id}" in told[0]


def test_an_idle_cluster_with_fleets_is_ended() -> None:
    story = Story(calm_world(), live(task=in_units()))
    cluster_id = story.start(cluster(task_fleet()))
    story.run(timedelta(hours=3))
    assert story.world.emr.describe_cluster(cluster_id).state.value == "TERMINATED"


def test_a_look_that_changes_nothing_makes_no_call_to_emr_and_one_that_acts_makes_two() -> None:
    world = calm_world()
    story = Story(world, live(task=in_units()))
    cluster_id = story.start(cluster(task_fleet()))
    story.run(timedelta(minutes=10))

    def emr_calls() -> int:
        return sum(
            n
            for name, n in world.calls.items()
            if name not in {"GetMetricData", "DescribeInstances", "DescribeSubnets"}
        )

    before = emr_calls()
    story.system.use_cases.scale_task_groups(cluster_id, trigger="nothing to do")
    assert emr_calls() == before
    world.submit_job(cluster_id, busy())
    world.run_for(timedelta(minutes=10))
    record = story.system.use_cases.scale_task_groups(cluster_id, trigger="demand")
    assert record is not None
    assert record.decision.action is Action.SCALE_OUT
    assert emr_calls() == before + 2


def test_the_recorded_cost_of_a_fleet_cluster_is_the_worlds_bill_to_the_cent() -> None:
    world = calm_world(spot_prices_move=True)
    story = Story(world, live(task=in_units(on_demand_min_nodes=2)))
    cluster_id = story.start(cluster(task_fleet()))
    world.submit_job(cluster_id, busy(seconds=1200))
    story.run(timedelta(minutes=25))
    on_spot = [node for node in inside(story, cluster_id).nodes if node.market is Market.SPOT]
    world.warn_spot_interruption(on_spot[0].ec2_id)
    story.run(timedelta(hours=4))
    world.emr.terminate_job_flows([cluster_id])
    story.run(timedelta(hours=5))
    settings = world.settings
    hours = story.ports.costs.hours_of_cluster(settings.account_id, settings.region, cluster_id)
    recorded: dict[tuple[str, str], Decimal] = {}
    for line in (line for hour in hours for line in hour.lines):
        key = (line.group_id, line.component.value)
        recorded[key] = recorded.get(key, Decimal(0)) + line.effective_cost_usd
    billed: dict[tuple[str, str], Decimal] = {}
    for item in world.ledger.bill().lines:
        key = (item.group_id, item.component.value)
        billed[key] = billed.get(key, Decimal(0)) + item.usd
    assert {k: round(v, 6) for k, v in recorded.items()} == {k: round(v, 6) for k, v in billed.items() if v}
    fleet_id = inside(story, cluster_id).group_id
    assert {"EC2_SPOT", "EC2_ON_DEMAND", "EMR_FEE", "EBS"} == {c for g, c in recorded if g == fleet_id}


def dry(**changes: object) -> Policy:
    return replace(live(task=in_units(**changes)), mode=Mode.DRY_RUN)


def test_a_dry_run_knows_what_the_fleet_it_would_have_created_costs() -> None:
    types = ("m5.xlarge", "m5.2xlarge")
    story = Story(calm_world(), dry(min_nodes=3, max_usd_per_hour=Decimal("0.50"), instance_types=types))
    cluster_id = story.start(cluster(None))
    story.run(timedelta(minutes=15))
    ordered = orders(story.decisions(cluster_id))
    assert ordered
    prices = story.ports.registry.get(cluster_id).prices.by_group
    assert 0 < ordered[-1].spot_units * prices["planned-task-fleet/SPOT"].usd_per_hour <= Decimal("0.50")


def test_a_dry_run_counts_on_no_type_that_cannot_be_had() -> None:
    world = calm_world(types_not_offered=("m5.2xlarge",))
    story = Story(world, dry(min_nodes=3, instance_types=("m5.xlarge", "m5.2xlarge")))
    cluster_id = story.start(cluster(None))
    story.run(timedelta(minutes=10))
    record = next(r for r in reversed(story.decisions(cluster_id)) if r.decision.targets)
    planned = record.evidence.fleets[-1]
    assert [kind.instance_type for kind in planned.types] == ["m5.xlarge"]


def test_a_dry_run_forgets_its_fleet_once_somebody_creates_one_or_the_policy_wants_none() -> None:
    story = Story(calm_world(), dry(min_nodes=3, instance_types=("m5.xlarge",)))
    first, second = story.start(cluster(None)), story.start(cluster(None))
    story.world.emr.add_instance_fleet(first, task_fleet(spot=3))
    story.policies.put(dry(min_nodes=0))
    story.run(timedelta(minutes=30))
    assert {f.role for f in story.ports.registry.get(first).fleets} == {Role.MASTER, Role.CORE, Role.TASK}
    for cluster_id in (first, second):
        assert story.ports.registry.get(cluster_id).planned_fleets == ()
        last = story.decisions(cluster_id, DecisionKind.TASK)[-1]
        assert not any(fleet.fleet_id.startswith("planned") for fleet in last.evidence.fleets)


def test_on_the_way_back_to_spot_no_unit_on_demand_leaves_before_those_that_replace_it_work() -> None:
    world = calm_world(provisioning_delay=UniformDelay(low_seconds=720, high_seconds=720))
    story = Story(world, live(task=in_units(max_nodes=20)))
    cluster_id = story.start(cluster(task_fleet()))
    for kind in MIXED:
        world.dry_pool(kind, world.inside(cluster_id).zone, world.now + timedelta(hours=1))
    world.submit_job(cluster_id, busy(tasks=30, seconds=5 * 3600))
    found, crossed = inside(story, cluster_id), []

    def no_gap() -> None:
        leaving = any(node.draining and node.market is Market.ON_DEMAND for node in found.nodes)
        coming = any(n.market is Market.SPOT and n.state is not InstanceState.RUNNING for n in found.nodes)
        if leaving and coming:
            crossed.append(world.now)

    story.run(timedelta(minutes=55))
    assert targets(story, cluster_id)[0] > 0
    story.watch = no_gap
    story.run(timedelta(hours=3))
    assert targets(story, cluster_id)[0] == 0
    assert Reason.BACK_TO_SPOT in {r.decision.reason for r in story.decisions(cluster_id)}
    assert crossed == []


def test_types_that_a_new_fleet_goes_without_are_told_of_by_name() -> None:
    world = calm_world(types_not_offered=("m5.2xlarge",))
    story = Story(world, live(task=in_units(instance_types=("m5.xlarge", "m5.2xlarge", "r5.xlarge"))))
    story.start(cluster(None))
    (told,) = [n for n in story.ports.notifier.sent if n.attributes["reason"] == "POOLS_CHECKED"]
    assert "m5.2xlarge has no pool: not offered in" in told.body
    assert "2 spot pools are left" in told.body
    assert "task fleet" in told.body
