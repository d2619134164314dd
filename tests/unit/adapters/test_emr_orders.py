"""Orders on instance groups, exactly as they are sent to EMR."""

from datetime import timedelta

from emr_autoscaler.adapters.emr_actuator import LiveActuator
from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.ports import NewTaskGroup


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
