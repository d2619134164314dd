"""Instance fleets as EMR describes them, in answers that the World does not give, and orders exactly as sent."""

from datetime import UTC, datetime, timedelta

from emr_autoscaler.adapters.emr import EmrClusterReader
from emr_autoscaler.adapters.emr_actuator import LiveActuator
from emr_autoscaler.domain.cluster import GroupState, Role
from emr_autoscaler.domain.fleets import FleetTarget, FleetType
from emr_autoscaler.ports import NewTaskFleet

CREATED = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
ID = {"ClusterId": "j-1"}
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
