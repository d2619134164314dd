import pytest
from tests.support.simulated import a_cluster, a_world, seconds

from emr_simulator.errors import ApiError


def calls_until_throttled(call, most=100):
    for done in range(most):
        try:
            call()
        except ApiError as error:
            return done if error.code == "ThrottlingException" else -1
    return most


def test_a_burst_of_ten_describes_passes_and_the_next_is_throttled():
    world = a_world()
    cluster_id = a_cluster(world)
    assert calls_until_throttled(lambda: world.emr.describe_cluster(cluster_id)) == 10


def test_tokens_come_back_in_virtual_time():
    world = a_world()
    cluster_id = a_cluster(world)
    calls_until_throttled(lambda: world.emr.list_instances(cluster_id))
    world.run_for(seconds(4))
    assert calls_until_throttled(lambda: world.emr.list_instances(cluster_id)) == 2


def test_all_calls_together_share_a_bucket():
    world = a_world()
    cluster_id = a_cluster(world)

    def look_everywhere():
        world.emr.describe_cluster(cluster_id)
        world.emr.list_clusters()
        world.emr.list_instance_groups(cluster_id)

    assert calls_until_throttled(look_everywhere) == 8


def test_refused_calls_are_counted_too():
    world = a_world()
    cluster_id = a_cluster(world)
    calls_until_throttled(lambda: world.emr.describe_cluster(cluster_id))
    assert world.calls["DescribeCluster"] == 11


def test_a_world_without_quotas_never_throttles():
    world = a_world(enforce_quotas=False)
    cluster_id = a_cluster(world)
    assert calls_until_throttled(lambda: world.emr.describe_cluster(cluster_id)) == 100


def test_a_throttled_call_changes_nothing():
    world = a_world()
    cluster_id = a_cluster(world)
    calls_until_throttled(lambda: world.emr.add_tags(cluster_id, {"a": "1"}))
    with pytest.raises(ApiError, match="Rate exceeded"):
        world.emr.add_tags(cluster_id, {"b": "2"})
    assert "b" not in world.inside(cluster_id).tags
