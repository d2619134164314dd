from dataclasses import replace

import pytest
from tests.support.simulated import a_cluster, a_world, group_of, groups, resize, seconds
from tests.support.worlds import fleet_cluster

from emr_simulator.descriptions import ClusterSpec, GroupResize, GroupSpec
from emr_simulator.errors import ApiError
from emr_simulator.words import GroupState, Market, Role

TASK_GROUP = GroupSpec(role=Role.TASK, market=Market.SPOT, instance_type="m5.xlarge", count=0)


def refused(call, *args, **named):
    with pytest.raises(ApiError) as refusal:
        call(*args, **named)
    return refusal.value


def test_an_unknown_cluster_is_an_invalid_request_in_aws_words():
    error = refused(a_world().emr.describe_cluster, "j-NONE")
    assert (error.code, error.message) == ("InvalidRequestException", "Cluster id 'j-NONE' is not valid.")


def test_an_unknown_group_is_refused():
    world = a_world()
    cluster_id = a_cluster(world)
    order = GroupResize(group_id="ig-NONE", count=1)
    assert refused(world.emr.modify_instance_groups, cluster_id, [order]).code == "InvalidRequestException"


@pytest.mark.parametrize(("created", "replication"), [(1, 1), (3, 1), (4, 2), (9, 2), (10, 3)])
def test_core_is_refused_below_the_replication_of_its_creation(created, replication):
    world = a_world()
    cluster_id = a_cluster(world, core=created)
    with pytest.raises(ApiError, match="replication factor"):
        resize(world, cluster_id, replication - 1, Role.CORE)
    if created > replication:
        resize(world, cluster_id, replication, Role.CORE)


def test_one_bad_entry_refuses_the_whole_modify_call():
    world = a_world()
    cluster_id = a_cluster(world)
    task, core = group_of(world, cluster_id), group_of(world, cluster_id, Role.CORE)
    orders = [GroupResize(group_id=task.group_id, count=5), GroupResize(group_id=core.group_id, count=0)]
    refused(world.emr.modify_instance_groups, cluster_id, orders)
    assert task.requested == 0


@pytest.mark.parametrize("state", [GroupState.RECONFIGURING, GroupState.ARRESTED, GroupState.PROVISIONING])
def test_a_group_that_is_not_resizable_is_refused(state):
    world = a_world()
    cluster_id = a_cluster(world)
    world.set_group_state(cluster_id, group_of(world, cluster_id).group_id, state)
    with pytest.raises(ApiError, match="cannot be resized"):
        resize(world, cluster_id, 2)


def test_a_count_resumes_a_suspended_group():
    world = a_world()
    cluster_id = a_cluster(world)
    world.set_group_state(cluster_id, group_of(world, cluster_id).group_id, GroupState.SUSPENDED)
    group = resize(world, cluster_id, 1)
    world.run_for(seconds(300))
    assert (group.state, group.running) == (GroupState.RUNNING, 1)


def test_the_master_group_and_negative_counts_are_refused():
    world = a_world()
    cluster_id = a_cluster(world)
    with pytest.raises(ApiError, match="master"):
        resize(world, cluster_id, 2, Role.MASTER)
    with pytest.raises(ApiError, match="below 0"):
        resize(world, cluster_id, -1)


def test_more_than_five_groups_in_one_call_are_refused():
    world = a_world()
    cluster_id = a_cluster(world)
    assert refused(world.emr.add_instance_groups, cluster_id, [TASK_GROUP] * 6).code == "ValidationException"
    assert len(world.emr.add_instance_groups(cluster_id, [TASK_GROUP] * 5)) == 5


def test_a_cluster_holds_48_task_groups_and_no_more():
    world = a_world(enforce_quotas=False)
    cluster_id = a_cluster(world)
    for _ in range(9):
        world.emr.add_instance_groups(cluster_id, [TASK_GROUP] * 5)
    with pytest.raises(ApiError, match="at most 48"):
        world.emr.add_instance_groups(cluster_id, [TASK_GROUP] * 3)


def test_only_task_groups_of_known_types_may_be_added():
    world = a_world()
    cluster_id = a_cluster(world)
    for wrong in (replace(TASK_GROUP, role=Role.CORE), replace(TASK_GROUP, instance_type="x9.huge")):
        assert refused(world.emr.add_instance_groups, cluster_id, [wrong]).code == "ValidationException"


def test_a_protected_cluster_refuses_to_end_until_protection_is_off():
    world = a_world()
    cluster_id = a_cluster(world, termination_protected=True)
    assert "termination protected" in refused(world.emr.terminate_job_flows, [cluster_id]).message
    world.emr.set_termination_protection([cluster_id], protected=False)
    world.emr.terminate_job_flows([cluster_id])
    assert world.inside(cluster_id).state.name == "TERMINATING"


def test_more_than_ten_clusters_in_one_termination_are_refused():
    assert refused(a_world().emr.terminate_job_flows, ["j-1"] * 11).code == "ValidationException"


def test_an_ended_cluster_is_described_and_not_changed():
    world = a_world()
    cluster_id = a_cluster(world)
    group = group_of(world, cluster_id)
    world.emr.terminate_job_flows([cluster_id])
    world.run_for(seconds(300))
    order = GroupResize(group_id=group.group_id, count=1)
    assert "may not be modified" in refused(world.emr.modify_instance_groups, cluster_id, [order]).message
    assert world.emr.describe_cluster(cluster_id).ended_at is not None


def test_calls_about_groups_are_refused_on_clusters_with_fleets():
    world = a_world()
    cluster_id = world.emr.run_job_flow(fleet_cluster())
    assert "mutually exclusive" in refused(world.emr.list_instance_groups, cluster_id).message


def test_a_cluster_without_core_may_not_have_task_groups():
    master, _, task = groups()
    spec = ClusterSpec(name="bad", groups=(master, task))
    assert refused(a_world().emr.run_job_flow, spec).code == "ValidationException"


def test_an_unknown_ec2_instance_is_not_found():
    error = refused(a_world().ec2.describe_instances, instance_ids=["i-1"])
    assert (error.code, error.message) == (
        "InvalidInstanceID.NotFound",
        "The instance ID 'i-1' does not exist",
    )
