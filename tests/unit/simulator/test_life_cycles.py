import json

from tests.support.simulated import (
    a_cluster,
    a_job,
    a_step,
    a_world,
    events_of,
    group_of,
    resize,
    seconds,
)

from emr_simulator.descriptions import GroupSpec, StepSpec
from emr_simulator.words import ClusterState, GroupState, InstanceState, Market, Role, StepState


def test_a_long_running_cluster_starts_bootstraps_and_waits():
    world = a_world()
    cluster_id = a_cluster(world, up=False)
    states = [world.emr.describe_cluster(cluster_id).state]
    world.run_for(seconds(60))
    states.append(world.emr.describe_cluster(cluster_id).state)
    world.run_for(seconds(240))
    states.append(world.emr.describe_cluster(cluster_id).state)
    assert states == [ClusterState.STARTING, ClusterState.BOOTSTRAPPING, ClusterState.WAITING]


def test_every_state_of_a_cluster_is_announced_in_order():
    world = a_world()
    cluster_id = a_cluster(world)
    world.emr.terminate_job_flows([cluster_id])
    world.run_for(seconds(300))
    events = events_of(world, "EMR Cluster State Change")
    assert [event["detail"]["state"] for event in events] == [
        "STARTING", "RUNNING", "WAITING", "TERMINATING", "TERMINATED",
    ]  # fmt: skip
    assert {event["detail"]["clusterId"] for event in events} == {cluster_id}
    assert all(event["source"] == "aws.emr" and event["resources"] == [] for event in events)
    assert json.loads(events[-1]["detail"]["stateChangeReason"])["code"] == "USER_REQUEST"


def test_a_transient_cluster_ends_with_its_last_step():
    world = a_world()
    steps = (a_step(name="one"), StepSpec(name="two", seconds=30))
    cluster_id = a_cluster(world, steps=steps, auto_terminate=True)
    assert world.emr.describe_cluster(cluster_id).state is ClusterState.RUNNING
    world.run_for(seconds(130))
    assert world.emr.describe_cluster(cluster_id).state is ClusterState.TERMINATING
    world.run_for(seconds(90))
    cluster = world.emr.describe_cluster(cluster_id)
    assert (cluster.state, cluster.state_change_code) == (ClusterState.TERMINATED, "ALL_STEPS_COMPLETED")
    states = [step.state for step in world.emr.list_steps(cluster_id)]
    assert states == [StepState.COMPLETED, StepState.COMPLETED]


def test_steps_run_one_after_the_other():
    world = a_world()
    cluster_id = a_cluster(world, steps=(a_step(name="one"), a_step(name="two")))
    newest, oldest = world.emr.list_steps(cluster_id)
    assert (oldest.state, newest.state) == (StepState.RUNNING, StepState.PENDING)
    world.run_for(seconds(101))
    newest, oldest = world.emr.list_steps(cluster_id)
    assert (oldest.state, newest.state) == (StepState.COMPLETED, StepState.RUNNING)


def test_terminating_a_cluster_cancels_what_is_left_of_its_steps():
    world = a_world()
    cluster_id = a_cluster(world, steps=(a_step(name="one"), a_step(name="two")))
    world.emr.terminate_job_flows([cluster_id])
    states = [step.state for step in world.emr.list_steps(cluster_id)]
    assert states == [StepState.CANCELLED, StepState.INTERRUPTED]


def test_a_waiting_cluster_may_still_process_jobs_that_are_not_steps():
    world = a_world()
    cluster_id = a_cluster(world)
    world.submit_job(cluster_id, a_job())
    world.run_for(seconds(10))
    assert world.emr.describe_cluster(cluster_id).state is ClusterState.WAITING
    assert world.yarn(cluster_id).running == 6


def test_a_new_node_is_created_after_a_minute_and_useful_after_the_drawn_delay():
    world = a_world()
    cluster_id = a_cluster(world)
    group = resize(world, cluster_id, 1)
    (before,) = world.emr.list_instances(cluster_id, group_id=group.group_id)
    assert (before.state, before.ec2_instance_id) == (InstanceState.AWAITING_FULFILLMENT, "")
    asked_at = world.now
    world.run_for(seconds(299))
    (booting,) = world.emr.list_instances(cluster_id, group_id=group.group_id)
    assert booting.state is InstanceState.BOOTSTRAPPING
    assert booting.created_at == asked_at + seconds(60)
    world.run_for(seconds(1))
    (running,) = world.emr.list_instances(cluster_id, group_id=group.group_id)
    assert (running.state, running.ready_at) == (InstanceState.RUNNING, asked_at + seconds(300))


def test_a_resize_is_announced_when_it_begins_and_when_it_is_done():
    world = a_world()
    cluster_id = a_cluster(world)
    world.take_events()
    resize(world, cluster_id, 3)
    world.run_for(seconds(300))
    began, done = events_of(world, "EMR Instance Group State Change")
    assert (began["detail"]["state"], done["detail"]["state"]) == ("RESIZING", "RUNNING")
    assert began["detail"]["requestedInstanceCount"] == "3"
    assert (began["detail"]["runningInstanceCount"], done["detail"]["runningInstanceCount"]) == ("0", "3")


def test_a_group_added_at_zero_is_soon_ready_to_be_resized():
    world = a_world()
    cluster_id = a_cluster(world)
    spec = GroupSpec(role=Role.TASK, market=Market.SPOT, instance_type="r5.xlarge", count=0, name="pool")
    (group_id,) = world.emr.add_instance_groups(cluster_id, [spec])
    assert world.inside(cluster_id).groups[group_id].state is GroupState.PROVISIONING
    world.run_for(seconds(10))
    assert world.inside(cluster_id).groups[group_id].state is GroupState.RUNNING


def test_ec2_knows_the_instances_of_a_cluster_by_emrs_system_tags():
    world = a_world()
    cluster_id = a_cluster(world, core=2)
    world.add_foreign_instance("m5.xlarge", "us-east-1a")
    found = world.ec2.describe_instances(tags={"aws:elasticmapreduce:job-flow-id": [cluster_id]})
    roles = sorted(instance.tags["aws:elasticmapreduce:instance-group-role"] for instance in found)
    assert roles == ["CORE", "CORE", "MASTER"]


def test_ec2_forgets_a_terminated_instance_after_an_hour():
    world = a_world()
    cluster_id = a_cluster(world, task=1)
    (node,) = group_of(world, cluster_id).nodes
    resize(world, cluster_id, 0)
    world.run_for(seconds(3599))
    tag = {"aws:elasticmapreduce:instance-group-role": ["TASK"]}
    assert [i.state for i in world.ec2.describe_instances(instance_ids=[node.ec2_id])] == ["terminated"]
    world.run_for(seconds(1))
    assert world.ec2.describe_instances(tags=tag) == ()


def test_a_held_group_orders_what_it_lost_once_it_is_let_go():
    world = a_world()
    cluster_id = a_cluster(world, task=2)
    group = group_of(world, cluster_id)
    world.set_group_state(cluster_id, group.group_id, GroupState.RECONFIGURING)
    world.warn_spot_interruption(group.nodes[0].ec2_id)
    world.run_for(seconds(600))
    assert len(group.nodes) == 1
    world.set_group_state(cluster_id, group.group_id, GroupState.RUNNING)
    world.run_for(seconds(300))
    assert group.running == 2


def test_lost_events_never_arrive():
    world = a_world(lost_event_fraction=1.0)
    a_cluster(world)
    assert world.take_events() == []


def test_time_stops_at_events_when_asked_to():
    world = a_world()
    a_cluster(world)
    world.take_events()
    cluster_id = a_cluster(world, up=False)
    world.take_events()
    began_at = world.now
    assert world.run_until(began_at + seconds(600), stop_at_events=True) == began_at + seconds(10)
    assert world.inside(cluster_id).state is ClusterState.STARTING
