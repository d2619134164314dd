"""What is remembered of the spot pools a task fleet buys from, and what that changes for it and for others."""

from datetime import timedelta

from tests.support.fleet_scenes import MIXED, SETTLE, busy, cluster, in_units, inside, targets, task_fleet
from tests.support.stories import Story, live
from tests.support.worlds import calm_world, fleet

from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.memory import PoolHealth, PoolKey
from emr_autoscaler.domain.policy import IdlePolicy
from emr_autoscaler.domain.pools import cool_pool
from emr_simulator.clusters import Node
from emr_simulator.words import InstanceState, Market, Role

MINUTE = timedelta(minutes=1)


def settled(spot: int = 6, **policy: int) -> tuple[Story, str]:
    """A fleet that stands still, on spot."""
    rules = in_units(**{"max_nodes": 8, "min_nodes": spot, **policy})
    story = Story(calm_world(), live(task=rules, idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(cluster(task_fleet(spot=spot)))
    story.run(SETTLE)
    return story, cluster_id


def key(story: Story, cluster_id: str, instance_type: str) -> PoolKey:
    return PoolKey(instance_type=instance_type, availability_zone=story.world.inside(cluster_id).zone)


def health(story: Story, cluster_id: str, instance_type: str) -> PoolHealth:
    (found,) = story.ports.pools.get([key(story, cluster_id, instance_type)])
    return found


def spot_nodes(story: Story, cluster_id: str) -> list[Node]:
    nodes = inside(story, cluster_id).nodes
    return [n for n in nodes if n.market is Market.SPOT and n.state is InstanceState.RUNNING]


def test_the_nodes_of_a_fleet_are_counted_in_the_pools_of_their_types() -> None:
    story, cluster_id = settled()
    story.run(timedelta(hours=1))
    there = [node.instance_type for node in spot_nodes(story, cluster_id)]
    for instance_type in MIXED:
        hours = health(story, cluster_id, instance_type).node_hours
        count = there.count(instance_type)
        assert count <= hours <= 2.2 * count


def test_a_warned_instance_of_a_fleet_counts_in_the_pool_of_its_type_and_in_no_other() -> None:
    story, cluster_id = settled()
    warned = spot_nodes(story, cluster_id)[0]
    story.world.warn_spot_interruption(warned.ec2_id)
    story.run(MINUTE)
    for instance_type in MIXED:
        found = health(story, cluster_id, instance_type)
        assert (found.interruptions > 0.9) == (instance_type == warned.instance_type)
        assert found.is_cooling(story.world.now) == (instance_type == warned.instance_type)


def test_a_warning_that_is_told_twice_counts_once() -> None:
    story, cluster_id = settled()
    warned = spot_nodes(story, cluster_id)[0]
    interruptions = story.system.use_cases.handle_interruption
    for event in ("first", "second"):
        interruptions.answer_warning(warned.ec2_id, warned_at=story.world.now, trigger=event)
    assert health(story, cluster_id, warned.instance_type).interruptions == 1.0
    assert len(story.ports.registry.get(cluster_id).task.warned_at) == 1
    reasons = {record.decision.reason for record in story.decisions(cluster_id)}
    assert {Reason.FLEET_REPLACES, Reason.ALREADY_REPLACED} <= reasons


def test_half_of_a_fleets_nodes_warned_are_a_storm_however_many_units_they_count() -> None:
    rules = in_units(max_nodes=32, min_nodes=16)
    story = Story(calm_world(), live(task=rules, idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(cluster(fleet(Role.TASK, spot=16, types={"m5.2xlarge": 4})))
    story.run(SETTLE)
    nodes = spot_nodes(story, cluster_id)
    assert len(nodes) == 4
    for node in nodes[:2]:
        story.world.warn_spot_interruption(node.ec2_id)
    story.run(MINUTE)
    assert story.ports.registry.get(cluster_id).task.storm_until is not None


def test_while_every_pool_of_a_fleet_cools_more_is_bought_on_demand() -> None:
    story, cluster_id = settled(spot=2)
    for instance_type in MIXED:
        (found,) = story.ports.pools.get([key(story, cluster_id, instance_type)])
        story.ports.pools.put(cool_pool(found, story.world.now))
    story.world.submit_job(cluster_id, busy(tasks=200))
    story.run(10 * MINUTE)
    assert targets(story, cluster_id) == (6, 2)


def test_a_fleet_whose_nodes_are_taken_all_the_time_is_thought_dearer() -> None:
    story, cluster_id = settled(spot=2)
    side = f"{inside(story, cluster_id).group_id}/SPOT"

    def seen() -> PoolHealth:
        record = story.system.use_cases.scale_task_groups(cluster_id, trigger="look")
        assert record is not None
        return record.evidence.pools[side]

    assert seen().interruptions == 0.0
    assert seen().node_hours > 0.0
    story.world.warn_spot_interruption(spot_nodes(story, cluster_id)[0].ec2_id)
    story.run(MINUTE)
    assert seen().interruptions > 0.9


def test_spot_that_ec2_has_not_launched_for_three_minutes_is_bought_on_demand() -> None:
    story, cluster_id = settled(spot=2)
    zone = story.world.inside(cluster_id).zone
    for instance_type in MIXED:
        story.world.dry_pool(instance_type, zone, story.world.now + timedelta(hours=2))
    story.world.submit_job(cluster_id, busy(tasks=200))

    def no_shortage(events: list[dict[str, object]]) -> list[dict[str, object]]:
        return [event for event in events if event["source"] != "aws.emr"]

    story._mangle = no_shortage
    story.run(12 * MINUTE)
    assert targets(story, cluster_id)[0] == 6
