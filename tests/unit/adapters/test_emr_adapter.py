from datetime import UTC, datetime, timedelta, timezone

import pytest

from emr_autoscaler.adapters.emr import EmrClusterReader
from emr_autoscaler.adapters.emr_actuator import LiveActuator
from emr_autoscaler.domain.cluster import ClusterState, GroupState, Market, Role
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.errors import RefusedError
from emr_autoscaler.domain.fleets import FleetTarget, FleetType
from emr_autoscaler.ports import NewTaskFleet, NewTaskGroup

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


FLEET = {
    "Id": "if-1",
    "InstanceFleetType": "TASK",
    "Status": {"State": "RUNNING"},
    "TargetSpotCapacity": 8,
    "ProvisionedSpotCapacity": 10,
    "InstanceTypeSpecifications": [
        {"InstanceType": "m5.xlarge"},
        {
            "InstanceType": "m5.2xlarge",
            "WeightedCapacity": 5,
            "EbsBlockDevices": [{"VolumeSpecification": {"VolumeType": "gp3", "SizeInGB": 100}}],
        },
    ],
}


def fleet_instance(instance_type, state="RUNNING", **fields):
    return {
        "InstanceFleetId": "if-1",
        "Market": "SPOT",
        "InstanceType": instance_type,
        "Status": {"State": state, "Timeline": {"CreationDateTime": CREATED}},
        **fields,
    }


def test_a_fleet_is_read_with_units_weights_and_volumes_and_what_is_left_out_is_zero_or_one(stubbed):
    client, stub = stubbed("emr")
    stub.add_response("list_instance_fleets", {"InstanceFleets": [FLEET]}, ID)
    (fleet,) = EmrClusterReader(client).list_instance_fleets("j-1")
    assert (fleet.role, fleet.state, fleet.name) == (Role.TASK, GroupState.RUNNING, "")
    assert (fleet.target_on_demand_units, fleet.target_spot_units) == (0, 8)
    assert (fleet.provisioned_on_demand_units, fleet.provisioned_spot_units) == (0, 10)
    small, large = fleet.types
    assert (small.units, [v.size_gib for v in small.volumes]) == (1, [32, 32])
    assert (large.units, [(v.volume_type, v.size_gib) for v in large.volumes]) == (5, [("gp3", 100)])


def test_fleets_of_further_pages_are_read(stubbed):
    client, stub = stubbed("emr")
    stub.add_response("list_instance_fleets", {"InstanceFleets": [FLEET], "Marker": "next"}, ID)
    stub.add_response(
        "list_instance_fleets", {"InstanceFleets": [{**FLEET, "Id": "if-2"}]}, {**ID, "Marker": "next"}
    )
    assert [f.fleet_id for f in EmrClusterReader(client).list_instance_fleets("j-1")] == ["if-1", "if-2"]


def test_instances_of_a_fleet_have_the_volumes_of_their_type_and_the_fleet_is_asked_once(stubbed):
    client, stub = stubbed("emr")
    answer = {"Instances": [fleet_instance("m5.xlarge", "AWAITING_FULFILLMENT"), fleet_instance("m5.2xlarge")]}
    stub.add_response("list_instances", answer, ID)
    stub.add_response("list_instance_fleets", {"InstanceFleets": [FLEET]}, ID)
    stub.add_response("list_instances", answer, ID)
    reader = EmrClusterReader(client)
    for _ in range(2):
        small, large = reader.list_instances("j-1")
        assert (small.group_id, small.ec2_instance_id) == ("if-1", "")
        assert [v.size_gib for v in small.volumes] == [32, 32]
        assert [v.size_gib for v in large.volumes] == [100]


def test_both_targets_of_a_fleet_are_always_sent(stubbed):
    client, stub = stubbed("emr")
    order = {"InstanceFleetId": "if-1", "TargetOnDemandCapacity": 0, "TargetSpotCapacity": 6}
    stub.add_response("modify_instance_fleet", {}, {**ID, "InstanceFleet": order})
    LiveActuator(client).resize_fleet(
        "j-1",
        FleetTarget(
            fleet_id="if-1", on_demand_units=0, spot_units=6, previous_on_demand_units=0, previous_spot_units=8
        ),
    )


def test_a_new_task_fleet_never_ends_its_cluster_for_want_of_spot(stubbed):
    client, stub = stubbed("emr")
    config = {
        "Name": "task",
        "InstanceFleetType": "TASK",
        "TargetOnDemandCapacity": 0,
        "TargetSpotCapacity": 1,
        "InstanceTypeConfigs": [{"InstanceType": "m5.xlarge", "WeightedCapacity": 1}],
        "LaunchSpecifications": {
            "SpotSpecification": {
                "TimeoutDurationMinutes": 5,
                "TimeoutAction": "SWITCH_TO_ON_DEMAND",
                "AllocationStrategy": "capacity-optimized",
            }
        },
    }
    stub.add_response(
        "add_instance_fleet", {"ClusterId": "j-1", "InstanceFleetId": "if-9"}, {**ID, "InstanceFleet": config}
    )
    new = NewTaskFleet(
        name="task",
        types=(FleetType(instance_type="m5.xlarge"),),
        on_demand_units=0,
        spot_units=1,
        give_up_spot_after=timedelta(minutes=2),
    )
    assert LiveActuator(client).add_task_fleet("j-1", new) == "if-9"


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


def test_a_shrink_is_sent_with_its_timeout_and_a_growth_without(stubbed):
    client, stub = stubbed("emr")
    stub.add_response(
        "modify_instance_groups",
        {},
        {
            "ClusterId": "j-1",
            "InstanceGroups": [
                {
                    "InstanceGroupId": "ig-1",
                    "InstanceCount": 2,
                    "ShrinkPolicy": {"DecommissionTimeout": 1800},
                },
                {"InstanceGroupId": "ig-2", "InstanceCount": 5},
            ],
        },
    )
    half_an_hour = timedelta(minutes=30)
    LiveActuator(client).resize_groups(
        "j-1",
        [
            GroupTarget(group_id="ig-1", count=2, previous_count=4, decommission_timeout=half_an_hour),
            GroupTarget(group_id="ig-2", count=5, previous_count=1, decommission_timeout=half_an_hour),
        ],
    )


def test_nodes_that_are_known_are_named_in_the_shrink_policy(stubbed):
    client, stub = stubbed("emr")
    named = {
        "DecommissionTimeout": 600,
        "InstanceResizePolicy": {
            "InstancesToTerminate": ["i-1", "i-2"],
            "InstanceTerminationTimeout": 600,
            "InstancesToProtect": ["i-9"],
        },
    }
    kept = {"DecommissionTimeout": 600, "InstanceResizePolicy": {"InstancesToProtect": ["i-8"]}}
    stub.add_response(
        "modify_instance_groups",
        {},
        {
            "ClusterId": "j-1",
            "InstanceGroups": [
                {"InstanceGroupId": "ig-1", "InstanceCount": 2, "ShrinkPolicy": named},
                {"InstanceGroupId": "ig-2", "InstanceCount": 1, "ShrinkPolicy": kept},
            ],
        },
    )
    ten_minutes = timedelta(minutes=10)
    LiveActuator(client).resize_groups(
        "j-1",
        [
            GroupTarget(
                group_id="ig-1",
                count=2,
                previous_count=4,
                decommission_timeout=ten_minutes,
                leave_first=("i-1", "i-2"),
                protected=("i-9",),
            ),
            GroupTarget(
                group_id="ig-2", count=1, previous_count=2, decommission_timeout=ten_minutes, protected=("i-8",)
            ),
        ],
    )


def test_a_new_task_group_is_asked_for_at_zero_and_without_a_bid(stubbed):
    client, stub = stubbed("emr")
    stub.add_response(
        "add_instance_groups",
        {"InstanceGroupIds": ["ig-9"]},
        {
            "JobFlowId": "j-1",
            "InstanceGroups": [
                {
                    "Name": "pool",
                    "Market": "SPOT",
                    "InstanceRole": "TASK",
                    "InstanceType": "m5.xlarge",
                    "InstanceCount": 0,
                }
            ],
        },
    )
    new = NewTaskGroup(name="pool", market=Market.SPOT, instance_type="m5.xlarge")
    assert LiveActuator(client).add_task_groups("j-1", [new]) == ("ig-9",)
