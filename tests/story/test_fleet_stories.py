"""Stories of task fleets, scaled in units: out and in, spot and on demand, as a user would see it."""

from datetime import timedelta

from tests.support.fleet_scenes import MIXED, SETTLE, busy, cluster, in_units, inside, orders, targets, task_fleet
from tests.support.stories import Story, live
from tests.support.worlds import calm_world

from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.policy import IdlePolicy
from emr_simulator.settings import UniformDelay
from emr_simulator.words import InstanceState, Market


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


def test_a_used_up_spot_quota_sends_a_fleets_work_to_on_demand() -> None:
    story = Story(calm_world(spot_quota=2), live(task=in_units(max_nodes=8)))
    cluster_id = story.start(cluster(task_fleet()))
    story.world.submit_job(cluster_id, busy(tasks=200, seconds=4 * 3600))
    story.run(SETTLE)
    found = inside(story, cluster_id)
    assert sum(node.market is Market.SPOT for node in found.nodes) <= 2
    assert found.provisioned(Market.ON_DEMAND) >= 4
    assert sum(targets(story, cluster_id)) == 8


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
