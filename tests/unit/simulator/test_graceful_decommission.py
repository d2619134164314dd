import pytest
from tests.support.simulated import a_cluster, a_job, a_world, group_of, resize, seconds

from emr_simulator.errors import ApiError
from emr_simulator.words import GroupState, Market, Role

LONG = 5000


def busy_world(core=1, task=3, tasks=24, lasting=LONG):
    world = a_world()
    cluster_id = a_cluster(world, core=core, task=task, market=Market.ON_DEMAND)
    world.submit_job(cluster_id, a_job(tasks=tasks, lasting=lasting))
    world.run_for(seconds(10))
    return world, cluster_id


def test_empty_nodes_leave_first_and_at_once():
    world, cluster_id = busy_world(tasks=12)
    empty = {n for n in group_of(world, cluster_id).nodes if not n.yarn.containers}
    group = resize(world, cluster_id, 3 - len(empty))
    world.run_for(seconds(1))
    assert empty
    assert not empty & set(group.nodes)
    assert group.running == 3 - len(empty)


def test_a_draining_node_takes_nothing_new_and_leaves_when_empty():
    world, cluster_id = busy_world(lasting=600, tasks=48)
    group = resize(world, cluster_id, 2)
    (draining,) = [node for node in group.nodes if node.draining]
    world.run_for(seconds(589))
    assert draining.yarn.containers == 6
    world.run_for(seconds(2))
    assert draining.is_gone
    assert world.yarn(cluster_id).lost_container_seconds == 0


def test_a_node_that_is_not_empty_is_forced_out_at_the_timeout():
    world, cluster_id = busy_world()
    group = resize(world, cluster_id, 2, decommission_timeout_seconds=300)
    world.run_for(seconds(299))
    assert len(group.nodes) == 3
    world.run_for(seconds(1))
    assert len(group.nodes) == 2
    assert world.yarn(cluster_id).lost_container_seconds == 6 * 310


def test_the_default_timeout_is_an_hour():
    world, cluster_id = busy_world(lasting=9000)
    group = resize(world, cluster_id, 2)
    world.run_for(seconds(3599))
    assert len(group.nodes) == 3
    world.run_for(seconds(1))
    assert len(group.nodes) == 2


def test_sending_the_current_count_cancels_a_shrink():
    world, cluster_id = busy_world()
    group = resize(world, cluster_id, 1)
    assert (group.state, group.requested) == (GroupState.RESIZING, 1)
    resize(world, cluster_id, 3)
    assert group.state is GroupState.RUNNING
    assert all(node.yarn.accepts for node in group.nodes)
    assert len(group.all_nodes) == 3


def test_sending_the_current_count_cancels_a_growth():
    world, cluster_id = busy_world()
    group = resize(world, cluster_id, 6)
    world.run_for(seconds(100))
    resize(world, cluster_id, 3)
    assert (group.state, group.running, len(group.nodes)) == (GroupState.RUNNING, 3, 3)


def test_a_new_resize_during_a_resize_counts_from_what_is_there():
    world, cluster_id = busy_world()
    group = resize(world, cluster_id, 6)
    world.run_for(seconds(100))
    resize(world, cluster_id, 8)
    world.run_for(seconds(300))
    assert (group.running, len(group.all_nodes)) == (8, 8)


def test_repeating_a_resize_is_harmless():
    world, cluster_id = busy_world()
    resize(world, cluster_id, 6)
    group = resize(world, cluster_id, 6)
    world.run_for(seconds(300))
    assert (group.running, len(group.all_nodes)) == (6, 6)


def test_named_instances_are_drained_first_and_protected_ones_last():
    world, cluster_id = busy_world()
    first, second, third = group_of(world, cluster_id).nodes
    resize(
        world,
        cluster_id,
        1,
        instances_to_terminate=(third.ec2_id,),
        instances_to_protect=(first.ec2_id,),
    )
    assert (first.draining, second.draining, third.draining) == (False, True, True)


def test_named_kills_lower_the_requested_count_and_lose_work():
    world, cluster_id = busy_world()
    group = group_of(world, cluster_id)
    victim = group.nodes[0]
    resize(world, cluster_id, None, ec2_instance_ids_to_terminate=(victim.ec2_id,))
    world.run_for(seconds(1000))
    assert (group.requested, group.running) == (2, 2)
    assert world.yarn(cluster_id).lost_container_seconds == 6 * 10


def hdfs_world(used_gib, core=4):
    """Four m5.xlarge core nodes hold 64 GiB each."""
    world = a_world()
    cluster_id = a_cluster(world, core=core)
    world.set_hdfs_used_gib(cluster_id, used_gib)
    return world, cluster_id


def test_a_core_node_leaves_once_its_blocks_are_copied():
    world, cluster_id = hdfs_world(100.0)
    group = resize(world, cluster_id, 3, Role.CORE)
    copying_seconds = round(25 * 1024 / 100)
    world.run_for(seconds(copying_seconds - 1))
    assert group.running == 4
    assert world.inside(cluster_id).hdfs.under_replicated(0) == 200
    world.run_for(seconds(1))
    assert (group.running, world.inside(cluster_id).hdfs.capacity_gib) == (3, 192)


def test_a_core_shrink_stops_half_way_when_the_rest_cannot_hold_the_blocks():
    world, cluster_id = hdfs_world(150.0)
    group = resize(world, cluster_id, 2, Role.CORE)
    world.run_for(seconds(3 * 3600))
    assert (group.running, group.requested, group.state) == (3, 2, GroupState.RESIZING)
    assert all(node.yarn.accepts for node in group.nodes)


def test_a_stopped_core_shrink_is_settled_by_the_current_count():
    world, cluster_id = hdfs_world(150.0)
    resize(world, cluster_id, 2, Role.CORE)
    world.run_for(seconds(3 * 3600))
    group = resize(world, cluster_id, 3, Role.CORE)
    assert group.state is GroupState.RUNNING


def test_core_may_not_be_asked_below_replication():
    world, cluster_id = hdfs_world(10.0)
    with pytest.raises(ApiError, match="replication"):
        resize(world, cluster_id, 1, Role.CORE)


def test_jobs_leave_data_behind():
    world, cluster_id = hdfs_world(10.0)
    world.submit_job(cluster_id, a_job(hdfs_write_gib=5.0))
    world.run_for(seconds(200))
    assert world.inside(cluster_id).hdfs.used_gib == 15.0


def test_blocks_of_a_lost_core_node_are_missing_without_replicas():
    world = a_world()
    cluster_id = a_cluster(world, core=2)
    world.set_hdfs_used_gib(cluster_id, 20.0)
    world.warn_spot_interruption(group_of(world, cluster_id, Role.CORE).nodes[0].ec2_id)
    world.run_for(seconds(121))
    assert world.inside(cluster_id).hdfs.missing == 80


def test_where_nodes_wait_for_applications_an_empty_one_stays_until_the_last_that_ran_there_has_ended():
    world = a_world(drain_waits_for_applications=True)
    cluster_id = a_cluster(world, core=1, task=3, market=Market.ON_DEMAND)
    world.submit_job(cluster_id, a_job(tasks=24, lasting=100))
    world.submit_job(cluster_id, a_job(tasks=1, lasting=1000))
    world.run_for(seconds(10))
    group = resize(world, cluster_id, 0)
    world.run_for(seconds(80))
    assert group.running == 3
    world.run_for(seconds(20))
    assert group.running == 0


def test_where_nodes_wait_for_applications_the_timeout_still_takes_them():
    world = a_world(drain_waits_for_applications=True)
    cluster_id = a_cluster(world, core=1, task=1, market=Market.ON_DEMAND)
    world.submit_job(cluster_id, a_job(tasks=13, lasting=100))
    world.run_for(seconds(10))
    group = resize(world, cluster_id, 0, decommission_timeout_seconds=120)
    world.run_for(seconds(119))
    assert group.running == 1
    world.run_for(seconds(1))
    assert group.running == 0
    assert world.yarn(cluster_id).lost_container_seconds == 0
