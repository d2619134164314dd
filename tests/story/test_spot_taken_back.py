"""Stories of spot that EC2 takes back: storms, outages of one pool, the place that a pool loses."""

from tests.support.spot_scenes import MINUTE, on_demand, spot, spot_story, warn, zone

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.memory import PoolKey


def test_a_storm_of_warnings_sends_replacements_straight_to_on_demand() -> None:
    story, cluster_id = spot_story(max_nodes=20, min_nodes=10)
    story.run(20 * MINUTE)
    warn(story, cluster_id, m5a=2, m6a=2)
    assert on_demand(story, cluster_id) == 2
    assert story.system.given_up == []


def test_the_outage_of_one_pool_is_no_storm_while_two_others_are_open() -> None:
    story, cluster_id = spot_story(max_nodes=20, min_nodes=10)
    story.run(20 * MINUTE)
    before = spot(story, cluster_id)
    warn(story, cluster_id, m5a=4)
    after = spot(story, cluster_id)
    assert on_demand(story, cluster_id) == 0
    assert sum(after.values()) == sum(before.values()) + 4
    assert after["m5a.xlarge"] == before["m5a.xlarge"]
    story.run(10 * MINUTE)
    assert sum(spot(story, cluster_id).values()) == 10


def test_the_outage_of_one_of_two_pools_is_a_storm() -> None:
    story, cluster_id = spot_story(max_nodes=20, min_nodes=10, instance_types=("m5a.xlarge", "m6a.xlarge"))
    story.run(20 * MINUTE)
    warn(story, cluster_id, m5a=4)
    assert on_demand(story, cluster_id) == 2


def test_pools_that_are_interrupted_lose_their_place() -> None:
    story, cluster_id = spot_story(max_nodes=10, min_nodes=5)
    story.run(30 * MINUTE)
    key = PoolKey(instance_type="m5a.xlarge", availability_zone=zone(story, cluster_id))
    (health,) = story.ports.pools.get([key])
    assert health.node_hours > 0
    node = next(
        n
        for g in story.world.inside(cluster_id).groups.values()
        if g.spec.instance_type == "m5a.xlarge" and g.spec.market == Market.SPOT
        for n in g.nodes
    )
    story.world.warn_spot_interruption(node.ec2_id)
    story.run(10 * MINUTE)
    (health,) = story.ports.pools.get([key])
    assert health.interruptions > 0.9
