from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.worlds import calm_world, cluster, fleet_cluster, run_cluster

from emr_autoscaler.adapters.emr_actuator import DryRunActuator
from emr_autoscaler.domain.cluster import ClusterState, GroupState, Market, Role
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.errors import NotFoundError, RefusedError, UnavailableError
from emr_autoscaler.ports import NewTaskGroup
from emr_simulator import words

UNKNOWN = "j-NOSUCHCLUSTER"
HOUR = timedelta(hours=1)


def group_of(aws, cluster_id, name):
    (found,) = (g for g in aws.reader.list_instance_groups(cluster_id) if g.name == name)
    return found


def target(group, count, *, timeout=HOUR):
    return GroupTarget(
        group_id=group.group_id,
        count=count,
        previous_count=group.requested_count,
        decommission_timeout=timeout,
    )


def test_a_scale_out_is_ordered_at_once_and_arrives_later(aws):
    cluster_id = run_cluster(aws.world, cluster(task=1))
    aws.actuator.resize_groups(cluster_id, [target(group_of(aws, cluster_id, "task"), 4)])

    ordered = group_of(aws, cluster_id, "task")
    assert (ordered.requested_count, ordered.running_count) == (4, 1)
    assert ordered.state is GroupState.RESIZING

    aws.world.run_for(timedelta(minutes=30))
    arrived = group_of(aws, cluster_id, "task")
    assert (arrived.requested_count, arrived.running_count, arrived.state) == (4, 4, GroupState.RUNNING)


def test_repeating_a_resize_changes_nothing(aws):
    cluster_id = run_cluster(aws.world, cluster(task=1))
    order = [target(group_of(aws, cluster_id, "task"), 3)]
    aws.actuator.resize_groups(cluster_id, order)
    aws.actuator.resize_groups(cluster_id, order)
    aws.world.run_for(timedelta(minutes=30))
    aws.actuator.resize_groups(cluster_id, order)
    aws.world.run_for(timedelta(minutes=30))

    assert group_of(aws, cluster_id, "task").running_count == 3
    assert len(aws.reader.list_instances(cluster_id)) == 1 + 3 + 3


def test_a_resize_of_several_groups_is_one_call(aws):
    cluster_id = run_cluster(aws.world, cluster(task=1, spot=1))
    before = aws.world.calls["ModifyInstanceGroups"]
    aws.actuator.resize_groups(
        cluster_id,
        [target(group_of(aws, cluster_id, "task"), 2), target(group_of(aws, cluster_id, "spot"), 3)],
    )
    assert aws.world.calls["ModifyInstanceGroups"] == before + 1
    assert group_of(aws, cluster_id, "task").requested_count == 2
    assert group_of(aws, cluster_id, "spot").requested_count == 3


def test_an_order_without_targets_is_no_call(aws):
    aws.actuator.resize_groups("j-ANY", [])
    assert aws.world.calls["ModifyInstanceGroups"] == 0


def test_an_idle_group_scales_in(aws):
    cluster_id = run_cluster(aws.world, cluster(task=4))
    aws.actuator.resize_groups(cluster_id, [target(group_of(aws, cluster_id, "task"), 1)])
    aws.world.run_for(timedelta(minutes=30))
    shrunk = group_of(aws, cluster_id, "task")
    assert (shrunk.requested_count, shrunk.running_count, shrunk.state) == (1, 1, GroupState.RUNNING)


def test_a_scale_in_lets_running_work_end(aws, busy_job):
    cluster_id = run_cluster(aws.world, cluster(core=1, task=3))
    aws.world.submit_job(cluster_id, busy_job)
    aws.world.run_for(timedelta(minutes=5))

    aws.actuator.resize_groups(cluster_id, [target(group_of(aws, cluster_id, "task"), 0)])
    aws.world.run_for(timedelta(minutes=10))
    draining = group_of(aws, cluster_id, "task")
    assert draining.is_resizing
    assert draining.running_count == 3

    aws.world.run_for(timedelta(minutes=40))
    assert group_of(aws, cluster_id, "task").running_count == 0


def nodes_of(aws, cluster_id, group_id):
    listed = [i for i in aws.reader.list_instances(cluster_id) if i.group_id == group_id]
    return {i.ec2_instance_id for i in listed if i.ended_at is None}


def test_named_nodes_leave_and_protected_ones_stay(aws):
    cluster_id = run_cluster(aws.world, cluster(task=4))
    group = group_of(aws, cluster_id, "task")
    first, second, third, _fourth = sorted(nodes_of(aws, cluster_id, group.group_id))
    order = replace(target(group, 2), leave_first=(third,), protected=(first, second))
    aws.actuator.resize_groups(cluster_id, [order])
    aws.world.run_for(timedelta(minutes=10))
    assert nodes_of(aws, cluster_id, group.group_id) == {first, second}


def test_a_named_node_drains_as_long_as_any_other(aws, busy_job):
    cluster_id = run_cluster(aws.world, cluster(core=1, task=3))
    aws.world.submit_job(cluster_id, busy_job)
    aws.world.run_for(timedelta(minutes=5))
    group = group_of(aws, cluster_id, "task")
    named = min(nodes_of(aws, cluster_id, group.group_id))
    aws.actuator.resize_groups(cluster_id, [replace(target(group, 2), leave_first=(named,))])
    aws.world.run_for(timedelta(minutes=10))
    assert named in nodes_of(aws, cluster_id, group.group_id)
    aws.world.run_for(timedelta(minutes=40))
    assert named not in nodes_of(aws, cluster_id, group.group_id)


def test_a_drain_is_taken_back_by_asking_for_more(aws, busy_job):
    cluster_id = run_cluster(aws.world, cluster(core=1, task=3))
    aws.world.submit_job(cluster_id, busy_job)
    aws.world.run_for(timedelta(minutes=5))
    group = group_of(aws, cluster_id, "task")
    before = nodes_of(aws, cluster_id, group.group_id)
    aws.actuator.resize_groups(cluster_id, [target(group, 0)])
    aws.world.run_for(timedelta(minutes=5))
    aws.actuator.resize_groups(cluster_id, [target(group_of(aws, cluster_id, "task"), 3)])
    aws.world.run_for(timedelta(minutes=60))
    assert nodes_of(aws, cluster_id, group.group_id) == before


def test_lowering_a_group_that_boots_gives_up_what_has_not_come_first(aws):
    cluster_id = run_cluster(aws.world, cluster(task=2))
    group = group_of(aws, cluster_id, "task")
    before = nodes_of(aws, cluster_id, group.group_id)
    aws.actuator.resize_groups(cluster_id, [target(group, 8)])
    aws.world.run_for(timedelta(minutes=2))
    aws.actuator.resize_groups(cluster_id, [target(group_of(aws, cluster_id, "task"), 2)])
    aws.world.run_for(timedelta(minutes=30))
    assert nodes_of(aws, cluster_id, group.group_id) == before


def test_a_scale_in_waits_no_longer_than_its_timeout(aws, busy_job):
    cluster_id = run_cluster(aws.world, cluster(core=1, task=3))
    aws.world.submit_job(cluster_id, busy_job)
    aws.world.run_for(timedelta(minutes=5))
    short = target(group_of(aws, cluster_id, "task"), 0, timeout=timedelta(minutes=2))
    aws.actuator.resize_groups(cluster_id, [short])
    aws.world.run_for(timedelta(minutes=10))
    assert group_of(aws, cluster_id, "task").running_count == 0


def test_an_unknown_group_is_not_found_and_nothing_else_is_resized(aws):
    cluster_id = run_cluster(aws.world, cluster(task=1))
    unknown = GroupTarget(group_id="ig-NOSUCHGROUP", count=2, previous_count=1)
    with pytest.raises(NotFoundError):
        aws.actuator.resize_groups(cluster_id, [target(group_of(aws, cluster_id, "task"), 3), unknown])
    assert group_of(aws, cluster_id, "task").requested_count == 1


def test_resizing_an_unknown_cluster_is_not_found(aws):
    with pytest.raises(NotFoundError):
        aws.actuator.resize_groups(UNKNOWN, [GroupTarget(group_id="ig-1", count=2, previous_count=1)])


def test_core_below_replication_is_refused(aws):
    cluster_id = run_cluster(aws.world, cluster(core=4, dfs_replication=3))
    with pytest.raises(RefusedError):
        aws.actuator.resize_groups(cluster_id, [target(group_of(aws, cluster_id, "core"), 2)])
    assert group_of(aws, cluster_id, "core").requested_count == 4


def test_a_group_that_reconfigures_is_not_resized(aws):
    cluster_id = run_cluster(aws.world, cluster(task=1))
    group = group_of(aws, cluster_id, "task")
    aws.world.set_group_state(cluster_id, group.group_id, words.GroupState.RECONFIGURING)
    with pytest.raises(RefusedError):
        aws.actuator.resize_groups(cluster_id, [target(group, 3)])


def test_an_ended_cluster_is_not_resized(aws):
    cluster_id = run_cluster(aws.world, cluster(task=1))
    group = group_of(aws, cluster_id, "task")
    aws.actuator.terminate_cluster(cluster_id)
    aws.world.run_for(timedelta(minutes=10))
    with pytest.raises(RefusedError):
        aws.actuator.resize_groups(cluster_id, [target(group, 3)])


def test_too_many_resizes_are_unavailable_for_now(aws_of):
    aws = aws_of(calm_world(enforce_quotas=True))
    cluster_id = run_cluster(aws.world, cluster(task=1))
    order = [target(group_of(aws, cluster_id, "task"), 2)]
    for _ in range(5):
        aws.actuator.resize_groups(cluster_id, order)
    with pytest.raises(UnavailableError, match="ThrottlingException"):
        aws.actuator.resize_groups(cluster_id, order)


def test_task_groups_are_created_at_zero_and_their_ids_come_in_order(aws):
    cluster_id = run_cluster(aws.world)
    wanted = [
        NewTaskGroup(name=f"pool-{number}", market=Market.SPOT, instance_type=instance_type)
        for number, instance_type in enumerate(("m5.xlarge", "m5.2xlarge", "r5.xlarge"))
    ]

    ids = aws.actuator.add_task_groups(cluster_id, wanted)

    groups = {g.group_id: g for g in aws.reader.list_instance_groups(cluster_id)}
    assert [groups[i].name for i in ids] == ["pool-0", "pool-1", "pool-2"]
    assert [groups[i].instance_type for i in ids] == ["m5.xlarge", "m5.2xlarge", "r5.xlarge"]
    assert {(groups[i].role, groups[i].market, groups[i].requested_count) for i in ids} == {
        (Role.TASK, Market.SPOT, 0)
    }


def test_more_than_five_task_groups_take_more_than_one_call(aws):
    cluster_id = run_cluster(aws.world)
    wanted = [NewTaskGroup(name=f"g{n}", market=Market.ON_DEMAND, instance_type="m5.xlarge") for n in range(7)]
    ids = aws.actuator.add_task_groups(cluster_id, wanted)
    assert len(set(ids)) == 7
    assert aws.world.calls["AddInstanceGroups"] == 2


def test_task_groups_of_an_unknown_cluster_are_not_found(aws):
    wanted = [NewTaskGroup(name="g", market=Market.SPOT, instance_type="m5.xlarge")]
    with pytest.raises(NotFoundError):
        aws.actuator.add_task_groups(UNKNOWN, wanted)


def test_a_cluster_with_fleets_gets_no_groups(aws):
    cluster_id = run_cluster(aws.world, fleet_cluster())
    wanted = [NewTaskGroup(name="g", market=Market.SPOT, instance_type="m5.xlarge")]
    with pytest.raises(RefusedError):
        aws.actuator.add_task_groups(cluster_id, wanted)


def test_a_cluster_is_terminated_and_takes_a_while(aws):
    cluster_id = run_cluster(aws.world)
    aws.actuator.terminate_cluster(cluster_id)
    assert aws.reader.describe_cluster(cluster_id).state is ClusterState.TERMINATING
    aws.world.run_for(timedelta(minutes=10))
    assert aws.reader.describe_cluster(cluster_id).state is ClusterState.TERMINATED


def test_a_protected_cluster_is_not_terminated(aws):
    cluster_id = run_cluster(aws.world, cluster(termination_protected=True))
    with pytest.raises(RefusedError):
        aws.actuator.terminate_cluster(cluster_id)
    aws.world.run_for(timedelta(minutes=10))
    assert aws.reader.describe_cluster(cluster_id).state is ClusterState.WAITING


def test_terminating_an_unknown_cluster_is_not_found(aws):
    with pytest.raises(NotFoundError):
        aws.actuator.terminate_cluster(UNKNOWN)


def test_a_live_actuator_says_that_it_is_not_dry(aws):
    assert not aws.actuator.is_dry


def test_a_dry_run_accepts_every_order_and_changes_nothing(aws):
    dry = DryRunActuator()
    cluster_id = run_cluster(aws.world, cluster(task=2))
    before = (aws.reader.describe_cluster(cluster_id), aws.reader.list_instance_groups(cluster_id))

    dry.resize_groups(cluster_id, [target(group_of(aws, cluster_id, "task"), 9)])
    assert dry.add_task_groups(cluster_id, [NewTaskGroup(name="g", market=Market.SPOT, instance_type="x")]) == ()
    dry.terminate_cluster(cluster_id)

    assert dry.is_dry
    assert (aws.reader.describe_cluster(cluster_id), aws.reader.list_instance_groups(cluster_id)) == before
