"""Clusters, groups and steps as EMR describes them, in the answers that the World does not give."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from emr_autoscaler.adapters.emr import EmrClusterReader
from emr_autoscaler.domain.cluster import ClusterState
from emr_autoscaler.domain.errors import RefusedError

TOKYO = timezone(timedelta(hours=9))
CREATED = datetime(2026, 10, 5, 21, 0, tzinfo=TOKYO)
ID = {"ClusterId": "j-1"}


def described(**changes):
    return {
        "Cluster": {
            "Id": "j-1",
            "Name": "etl",
            "ClusterArn": "arn:aws-cn:elasticmapreduce:cn-north-1:111122223333:cluster/j-1",
            "Status": {"State": "WAITING", "Timeline": {"CreationDateTime": CREATED}},
            "ReleaseLabel": "emr-7.2.0",
            **changes,
        }
    }


def read(stubbed, answer, *, policy=None):
    client, stub = stubbed("emr")
    stub.add_response("describe_cluster", answer, ID)
    if policy is not None:
        stub.add_response("get_managed_scaling_policy", policy, ID)
    return EmrClusterReader(client).describe_cluster("j-1")


def test_a_sparse_description_is_enough(stubbed):
    cluster = read(stubbed, described(), policy={})
    assert cluster.created_at == datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
    assert cluster.created_at.utcoffset() == timedelta(0)
    assert (cluster.region, cluster.account_id) == ("cn-north-1", "111122223333")
    assert cluster.tags == {}
    assert cluster.availability_zone == ""
    assert (cluster.termination_protected, cluster.uses_fleets) == (False, False)
    assert cluster.has_managed_scaling is False


@pytest.mark.parametrize("release", ["emr-5.29.0", "emr-4.9.6"])
def test_releases_without_managed_scaling_are_not_asked_for_it(stubbed, release):
    assert not read(stubbed, described(ReleaseLabel=release)).has_managed_scaling


def test_an_ended_cluster_is_not_asked_for_its_managed_scaling(stubbed):
    ended = described(
        Status={"State": "TERMINATED", "Timeline": {"CreationDateTime": CREATED, "EndDateTime": CREATED}}
    )
    assert read(stubbed, ended).ended_at == CREATED


def test_a_cluster_that_may_not_be_looked_at_is_refused(stubbed):
    client, stub = stubbed("emr")
    stub.add_response("describe_cluster", described(), ID)
    stub.add_client_error("get_managed_scaling_policy", "AccessDeniedException", http_status_code=400)
    with pytest.raises(RefusedError, match="AccessDeniedException"):
        EmrClusterReader(client).describe_cluster("j-1")


@pytest.mark.parametrize(
    ("configurations", "replication"),
    [
        ([], None),
        ([{"Classification": "core-site", "Properties": {"dfs.replication": "9"}}], None),
        ([{"Classification": "hdfs-site", "Properties": {"dfs.blocksize": "1"}}], None),
        ([{"Classification": "hdfs-site", "Properties": {"dfs.replication": " 3 "}}], 3),
        ([{"Classification": "hdfs-site", "Properties": {"dfs.replication": "many"}}], None),
        (
            [
                {"Classification": "yarn-site", "Properties": {}},
                {"Classification": "hdfs-site", "Properties": {"dfs.replication": "2"}},
            ],
            2,
        ),
    ],
)
def test_replication_is_read_from_the_hdfs_configuration(stubbed, configurations, replication):
    cluster = read(stubbed, described(Configurations=configurations), policy={})
    assert cluster.dfs_replication == replication


def group(**changes):
    return {
        "Id": "ig-1",
        "Market": "SPOT",
        "InstanceGroupType": "TASK",
        "InstanceType": "m5.xlarge",
        "RequestedInstanceCount": 1,
        "RunningInstanceCount": 1,
        "Status": {"State": "RUNNING"},
        **changes,
    }


@pytest.mark.parametrize(("state", "own"), [("ATTACHED", True), ("PENDING", True), ("DETACHED", False)])
def test_a_scaling_policy_counts_until_it_is_gone(stubbed, state, own):
    client, stub = stubbed("emr")
    answer = {"InstanceGroups": [group(AutoScalingPolicy={"Status": {"State": state}})]}
    stub.add_response("list_instance_groups", answer, ID)
    (listed,) = EmrClusterReader(client).list_instance_groups("j-1")
    assert listed.has_own_scaling is own


def test_groups_are_read_over_all_pages(stubbed):
    client, stub = stubbed("emr")
    stub.add_response("list_instance_groups", {"InstanceGroups": [group()], "Marker": "next"}, ID)
    stub.add_response("list_instance_groups", {"InstanceGroups": [group(Id="ig-2")]}, {**ID, "Marker": "next"})
    assert [g.group_id for g in EmrClusterReader(client).list_instance_groups("j-1")] == ["ig-1", "ig-2"]


def test_clusters_are_put_in_order_whatever_order_they_come_in(stubbed):
    client, stub = stubbed("emr")

    def summary(cluster_id, minutes):
        timeline = {"CreationDateTime": CREATED + timedelta(minutes=minutes)}
        return {"Id": cluster_id, "Status": {"State": "RUNNING", "Timeline": timeline}}

    stub.add_response("list_clusters", {"Clusters": [summary("j-old", 0), summary("j-new", 5)]})
    listed = EmrClusterReader(client).list_clusters([ClusterState.RUNNING])
    assert [s.cluster_id for s in listed] == ["j-new", "j-old"]


def test_a_step_on_a_later_page_is_seen(stubbed):
    client, stub = stubbed("emr")
    wanted = {**ID, "StepStates": ["PENDING", "CANCEL_PENDING", "RUNNING"]}
    stub.add_response("list_steps", {"Steps": [], "Marker": "next"}, wanted)
    stub.add_response("list_steps", {"Steps": [{"Id": "s-1"}]}, {**wanted, "Marker": "next"})
    assert EmrClusterReader(client).has_unfinished_steps("j-1")
