"""Stories of core fleets: they grow on demand as HDFS fills, and shrink where every instance counts the same."""

from dataclasses import replace
from datetime import timedelta

from tests.support.fleet_scenes import SETTLE, inside
from tests.support.stories import OPTED_IN, Story, live
from tests.support.worlds import calm_world, fleet, fleet_cluster

from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy
from emr_simulator.words import InstanceState, Market, Role


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
