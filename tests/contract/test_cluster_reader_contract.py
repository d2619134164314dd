from datetime import timedelta

import pytest
from tests.support.worlds import START, calm_world, cluster, fleet_cluster, group, run_cluster

from emr_autoscaler.domain.cluster import ClusterState, GroupState, InstanceState, Market, Role, Volume
from emr_autoscaler.domain.errors import NotFoundError, RefusedError, UnavailableError
from emr_simulator import words
from emr_simulator.catalogue import TYPES
from emr_simulator.descriptions import ManagedScaling, StepSpec, VolumeSpec

ALIVE = (ClusterState.STARTING, ClusterState.BOOTSTRAPPING, ClusterState.RUNNING, ClusterState.WAITING)
UNKNOWN = "j-NOSUCHCLUSTER"


@pytest.mark.parametrize(
    "call", ["describe_cluster", "list_instance_groups", "list_instances", "has_unfinished_steps"]
)
def test_an_unknown_cluster_is_not_found(aws, call):
    with pytest.raises(NotFoundError, match=UNKNOWN):
        getattr(aws.reader, call)(UNKNOWN)


def test_a_cluster_is_described_in_full(aws):
    spec = cluster(
        name="nightly",
        tags={"emr-autoscaler:policy": "etl", "cost-centre": "finance"},
        release_label="emr-7.2.0",
        applications=("Hadoop", "Spark"),
        dfs_replication=2,
        termination_protected=True,
        availability_zone="us-east-1b",
    )

    described = aws.reader.describe_cluster(run_cluster(aws.world, spec))

    assert described.name == "nightly"
    assert described.state is ClusterState.WAITING
    assert described.tags == {"emr-autoscaler:policy": "etl", "cost-centre": "finance"}
    assert described.release_label == "emr-7.2.0"
    assert described.applications == ("hadoop", "spark")
    assert described.dfs_replication == 2
    assert described.termination_protected
    assert not described.uses_fleets
    assert not described.has_managed_scaling
    assert described.availability_zone == "us-east-1b"
    assert described.region == "us-east-1"
    assert described.account_id == "123456789012"
    assert described.created_at == START
    assert described.created_at.utcoffset() == timedelta(0)
    assert described.ended_at is None
    assert described.root_volume.volume_type == "gp3"
    assert described.root_volume.size_gib == 15


def test_a_cluster_without_a_configured_replication_says_nothing_of_it(aws):
    assert aws.reader.describe_cluster(run_cluster(aws.world)).dfs_replication is None


def test_an_old_release_has_the_small_old_root_volume(aws):
    cluster_id = run_cluster(aws.world, cluster(release_label="emr-6.9.0"))
    assert aws.reader.describe_cluster(cluster_id).root_volume == Volume(volume_type="gp2", size_gib=10)


def test_a_cluster_is_running_while_a_step_runs(aws):
    spec = cluster(auto_terminate=True, steps=(StepSpec(name="long", seconds=36000),))
    assert aws.reader.describe_cluster(run_cluster(aws.world, spec)).state is ClusterState.RUNNING


def test_an_ended_cluster_is_still_described_with_its_end(aws):
    cluster_id = run_cluster(aws.world)
    aws.actuator.terminate_cluster(cluster_id)
    aws.world.run_for(timedelta(minutes=10))

    described = aws.reader.describe_cluster(cluster_id)

    assert described.state is ClusterState.TERMINATED
    assert described.ended_at is not None
    assert described.created_at < described.ended_at <= aws.world.now


def test_managed_scaling_is_seen(aws):
    spec = cluster(managed_scaling=ManagedScaling(minimum_units=2, maximum_units=10))
    assert aws.reader.describe_cluster(run_cluster(aws.world, spec)).has_managed_scaling


def test_fleets_are_seen_and_have_no_groups(aws):
    cluster_id = run_cluster(aws.world, fleet_cluster())
    assert aws.reader.describe_cluster(cluster_id).uses_fleets
    with pytest.raises(RefusedError):
        aws.reader.list_instance_groups(cluster_id)


def test_instances_of_fleets_are_listed_all_the_same(aws):
    instances = aws.reader.list_instances(run_cluster(aws.world, fleet_cluster(core=2)))
    assert len(instances) == 3
    assert all(i.group_id and i.ec2_instance_id for i in instances)
    assert {tuple(v.size_gib for v in i.volumes) for i in instances} == {(32, 32)}


def test_groups_are_listed_with_role_market_counts_and_state(aws):
    groups = aws.reader.list_instance_groups(run_cluster(aws.world, cluster(core=3, task=2, spot=1)))

    seen = {
        (g.name, g.role, g.market, g.instance_type, g.requested_count, g.running_count, g.state) for g in groups
    }
    assert seen == {
        ("master", Role.MASTER, Market.ON_DEMAND, "m5.xlarge", 1, 1, GroupState.RUNNING),
        ("core", Role.CORE, Market.ON_DEMAND, "m5.xlarge", 3, 3, GroupState.RUNNING),
        ("task", Role.TASK, Market.ON_DEMAND, "m5.xlarge", 2, 2, GroupState.RUNNING),
        ("spot", Role.TASK, Market.SPOT, "m5.xlarge", 1, 1, GroupState.RUNNING),
    }
    assert len({g.group_id for g in groups}) == 4
    assert not any(g.has_own_scaling or g.is_resizing for g in groups)


def test_a_group_that_provisions_is_resizing(aws):
    cluster_id = aws.world.emr.run_job_flow(cluster())
    aws.world.run_for(timedelta(seconds=10))
    assert all(g.is_resizing for g in aws.reader.list_instance_groups(cluster_id))


def test_a_group_with_a_scaling_policy_of_its_own_says_so(aws):
    groups = (
        group(words.Role.MASTER, 1),
        group(words.Role.CORE, 2),
        group(words.Role.TASK, 1, has_auto_scaling_policy=True),
    )
    listed = aws.reader.list_instance_groups(run_cluster(aws.world, cluster(groups=groups)))
    assert {g.role: g.has_own_scaling for g in listed} == {
        Role.MASTER: False,
        Role.CORE: False,
        Role.TASK: True,
    }


def test_the_volumes_asked_for_are_those_of_groups_and_instances(aws):
    volumes = (VolumeSpec(volume_type="gp3", size_gib=100, iops=4000, throughput_mibps=250),) * 2
    groups = (group(words.Role.MASTER, 1), group(words.Role.CORE, 2, volumes=volumes))
    cluster_id = run_cluster(aws.world, cluster(groups=groups))
    expected = (Volume(volume_type="gp3", size_gib=100, iops=4000, throughput_mibps=250),) * 2

    (core,) = (g for g in aws.reader.list_instance_groups(cluster_id) if g.role is Role.CORE)

    assert core.volumes == expected
    instances = [i for i in aws.reader.list_instances(cluster_id) if i.group_id == core.group_id]
    assert [i.volumes for i in instances] == [expected, expected]


def test_a_type_without_disks_has_emrs_default_volumes(aws):
    groups = aws.reader.list_instance_groups(run_cluster(aws.world))
    assert {tuple(v.size_gib for v in g.volumes) for g in groups} == {(32, 32)}


def test_instances_carry_the_moments_that_matter_for_money(aws):
    cluster_id = run_cluster(aws.world, cluster(core=2, spot=1))
    groups = {g.group_id: g for g in aws.reader.list_instance_groups(cluster_id)}

    instances = aws.reader.list_instances(cluster_id)

    assert len(instances) == 4
    assert len({i.ec2_instance_id for i in instances}) == 4
    for instance in instances:
        assert instance.state is InstanceState.RUNNING
        assert instance.instance_type == "m5.xlarge"
        assert instance.market is groups[instance.group_id].market
        assert instance.ready_at is not None
        assert START <= instance.created_at < instance.ready_at <= aws.world.now
        assert instance.created_at.utcoffset() == timedelta(0)
        assert instance.ended_at is None


def test_the_groups_are_asked_for_their_volumes_once(aws):
    cluster_id = run_cluster(aws.world)
    for _ in range(3):
        aws.reader.list_instances(cluster_id)
    assert aws.world.calls["ListInstances"] == 3
    assert aws.world.calls["ListInstanceGroups"] == 1


def test_both_faces_cost_the_same_quota(aws):
    cluster_id = run_cluster(aws.world)
    before = dict(aws.world.calls)
    aws.reader.describe_cluster(cluster_id)
    aws.reader.list_clusters(ALIVE)
    aws.reader.has_unfinished_steps(cluster_id)
    spent = {name: times - before.get(name, 0) for name, times in aws.world.calls.items()}
    assert {name: times for name, times in spent.items() if times} == {
        "DescribeCluster": 1,
        "GetManagedScalingPolicy": 1,
        "ListClusters": 1,
        "ListSteps": 1,
    }


def test_instances_that_ended_stay_listed(aws):
    cluster_id = run_cluster(aws.world, cluster(core=2))
    aws.actuator.terminate_cluster(cluster_id)
    aws.world.run_for(timedelta(days=29))

    instances = aws.reader.list_instances(cluster_id)

    assert len(instances) == 3
    assert {i.state for i in instances} == {InstanceState.TERMINATED}
    assert all(i.ended_at is not None and i.ended_at > i.created_at for i in instances)


def test_more_instances_than_one_page_holds_are_each_listed_once(aws):
    cluster_id = run_cluster(aws.world, cluster(core=2, task=600))
    ids = [i.ec2_instance_id for i in aws.reader.list_instances(cluster_id)]
    assert len(ids) == len(set(ids)) == 603


def test_more_clusters_than_one_page_holds_are_listed_newest_first(aws):
    started = []
    for _ in range(55):
        started.append(aws.world.emr.run_job_flow(cluster(core=1)))
        aws.world.run_for(timedelta(seconds=1))

    listed = aws.reader.list_clusters(ALIVE)

    assert [summary.cluster_id for summary in listed] == started[::-1]
    assert {summary.name for summary in listed} == {"etl"}


def test_clusters_are_listed_by_state(aws):
    ended, waiting = run_cluster(aws.world), run_cluster(aws.world)
    aws.actuator.terminate_cluster(ended)
    aws.world.run_for(timedelta(minutes=10))

    assert [s.cluster_id for s in aws.reader.list_clusters([ClusterState.WAITING])] == [waiting]
    assert [s.cluster_id for s in aws.reader.list_clusters([ClusterState.TERMINATED])] == [ended]
    assert aws.reader.list_clusters([ClusterState.WAITING])[0].state is ClusterState.WAITING
    assert aws.reader.list_clusters([]) == ()


def test_clusters_are_listed_by_creation(aws):
    run_cluster(aws.world)
    between = aws.world.now
    aws.world.run_for(timedelta(minutes=1))
    younger = run_cluster(aws.world)

    (summary,) = aws.reader.list_clusters(ALIVE, created_after=between)

    assert summary.cluster_id == younger
    assert summary.created_at == between + timedelta(minutes=1)


def test_a_step_that_runs_is_unfinished_until_it_ends(aws):
    cluster_id = run_cluster(aws.world)
    assert not aws.reader.has_unfinished_steps(cluster_id)
    aws.world.add_step(cluster_id, StepSpec(name="report", seconds=120))
    assert aws.reader.has_unfinished_steps(cluster_id)
    aws.world.run_for(timedelta(minutes=30))
    assert not aws.reader.has_unfinished_steps(cluster_id)


def test_too_many_calls_are_unavailable_for_now(aws_of):
    aws = aws_of(calm_world(enforce_quotas=True))
    cluster_id = run_cluster(aws.world)

    for _ in range(10):
        aws.reader.describe_cluster(cluster_id)
    with pytest.raises(UnavailableError, match="ThrottlingException"):
        aws.reader.describe_cluster(cluster_id)

    aws.world.run_for(timedelta(minutes=1))
    assert aws.reader.describe_cluster(cluster_id).cluster_id == cluster_id


def test_the_types_of_a_release_are_all_found_page_by_page(aws):
    found = aws.reader.supported_types("emr-7.2.0")
    assert found == frozenset(TYPES)
    assert len(found) > 20


def test_an_unknown_release_is_refused(aws):
    with pytest.raises(RefusedError):
        aws.reader.supported_types("emr-next")


def test_a_cluster_tells_its_subnet(aws):
    cluster_id = run_cluster(aws.world)
    assert aws.reader.describe_cluster(cluster_id).subnet_id.startswith("subnet-")
