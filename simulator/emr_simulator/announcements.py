"""The events of EMR, EC2, Health and of probes, in their shapes; when they are sent is decided elsewhere."""

import json
from collections.abc import Sequence
from typing import Any

from emr_simulator.clusters import Cluster, Group, Node, StepRun
from emr_simulator.engine import to_moment
from emr_simulator.fleets import Fleet
from emr_simulator.kernel import Kernel
from emr_simulator.words import Market

_NOTICE_SECONDS = 14 * 86400
EMR = "aws.emr"
EC2 = "aws.ec2"
PROBE = "emr-autoscaler.probe"
INSUFFICIENT_CAPACITY = "EC2 provisioning - Insufficient Instance Capacity"
SPOT_QUOTA = "EC2 provisioning - MaxSpotInstanceCountExceeded"
"""EMR's spelling is not documented; the error is EC2's own."""


def _minute(seconds: int) -> str:
    return to_moment(seconds).strftime("%Y-%m-%d %H:%M UTC")


def cluster_changed(kernel: Kernel, cluster: Cluster, message: str) -> None:
    """Send EMR Cluster State Change."""
    reason = {"code": cluster.change_code, "message": cluster.change_message}
    failed = cluster.state.name.endswith("ERRORS")
    kernel.emit(
        "EMR Cluster State Change",
        EMR,
        {
            "severity": "CRITICAL" if failed else "INFO",
            "stateChangeReason": json.dumps({k: v for k, v in reason.items() if v or k == "code"}),
            "name": cluster.spec.name,
            "clusterId": cluster.cluster_id,
            "state": cluster.state.value,
            "message": f"Amazon EMR cluster {cluster.cluster_id} ({cluster.spec.name}) {message}",
        },
    )


def group_changed(kernel: Kernel, group: Group, message: str) -> None:
    """Send EMR Instance Group State Change; counts are strings there. Of a fleet, the fleet's form."""
    cluster = group.cluster
    if isinstance(group, Fleet):
        _fleet_changed(kernel, group, message)
        return
    kernel.emit(
        "EMR Instance Group State Change",
        EMR,
        {
            "market": group.spec.market.value,
            "severity": "INFO",
            "requestedInstanceCount": str(group.requested),
            "instanceType": group.spec.instance_type,
            "instanceGroupType": group.spec.role.value,
            "instanceGroupId": group.group_id,
            "clusterId": cluster.cluster_id,
            "runningInstanceCount": str(group.running),
            "state": group.state.value,
            "message": message.format(
                group=f"instance group {group.group_id} in Amazon EMR cluster "
                f"{cluster.cluster_id} ({cluster.spec.name})"
            ),
        },
    )
    group.message = message.format(group=f"instance group {group.group_id}")


def capacity_missing(kernel: Kernel, group: Group, missing: int, *, over_quota: bool = False) -> None:
    """Send EMR Instance Group Provisioning with the code of a dry pool, or of a spot quota that is used up."""
    cluster = group.cluster
    kernel.emit(
        "EMR Instance Group Provisioning",
        EMR,
        {
            "severity": "ERROR",
            "eventCode": SPOT_QUOTA if over_quota else INSUFFICIENT_CAPACITY,
            "clusterId": cluster.cluster_id,
            "instanceGroupId": group.group_id,
            "instanceGroupType": group.spec.role.value,
            "instanceType": group.spec.instance_type,
            "market": group.spec.market.value,
            "message": f"We are not able to create {missing} {group.spec.instance_type} instances for "
            f"instance group {group.group_id} in Amazon EMR cluster {cluster.cluster_id} "
            f"({cluster.spec.name}): EC2 has insufficient {group.spec.market.value} capacity for it in "
            f"{cluster.zone} at {_minute(kernel.now)}.",
        },
    )


def _fleet_changed(kernel: Kernel, fleet: Fleet, message: str) -> None:
    """Send EMR Instance Fleet State Change; capacities are numbers there (EventBridge's schema registry)."""
    cluster = fleet.cluster
    name = f"instance fleet {fleet.group_id}"
    kernel.emit(
        "EMR Instance Fleet State Change",
        EMR,
        {
            "severity": "INFO",
            "clusterId": cluster.cluster_id,
            "instanceFleetId": fleet.group_id,
            "instanceFleetType": fleet.spec.role.value,
            "state": fleet.state.value,
            "targetOnDemandCapacity": fleet.targets[Market.ON_DEMAND],
            "targetSpotCapacity": fleet.targets[Market.SPOT],
            "provisionedOnDemandCapacity": fleet.provisioned(Market.ON_DEMAND),
            "provisionedSpotCapacity": fleet.provisioned(Market.SPOT),
            "message": message.format(
                group=f"{name} in Amazon EMR cluster {cluster.cluster_id} ({cluster.spec.name})"
            ),
        },
    )
    fleet.message = message.format(group=name)


def fleet_resize_began(kernel: Kernel, fleet: Fleet) -> None:
    """Send EMR Instance Fleet State Change about the beginning of a resize."""
    _fleet_changed(
        kernel,
        fleet,
        f"A resize for {{group}} started at {_minute(kernel.now)}. The instance fleet is resizing from an "
        f"On-Demand capacity of {fleet.provisioned(Market.ON_DEMAND)} to a target of "
        f"{fleet.targets[Market.ON_DEMAND]}, and from a Spot capacity of {fleet.provisioned(Market.SPOT)} to a "
        f"target of {fleet.targets[Market.SPOT]}.",
    )


def fleet_capacity_missing(kernel: Kernel, fleet: Fleet, market: Market, *, over_quota: bool = False) -> None:
    """Send EMR Instance Fleet Provisioning with the code of dry pools, or of a spot quota that is used up."""
    cluster = fleet.cluster
    types = ", ".join(kind.instance_type for kind in fleet.fleet.types)
    kernel.emit(
        "EMR Instance Fleet Provisioning",
        EMR,
        {
            "severity": "WARN",
            "eventCode": SPOT_QUOTA if over_quota else INSUFFICIENT_CAPACITY,
            "clusterId": cluster.cluster_id,
            "instanceFleetId": fleet.group_id,
            "instanceFleetType": fleet.spec.role.value,
            "message": f"We are not able to provision instance fleet {fleet.group_id} of your Amazon EMR cluster "
            f"{cluster.cluster_id} ({cluster.spec.name}): Amazon EC2 has insufficient {market.value} capacity for "
            f"instance types [{types}] in Availability Zones [{cluster.zone}] at {_minute(kernel.now)}.",
        },
    )


def auto_scaling_changed(kernel: Kernel, group: Group, state: str) -> None:
    """Send EMR Auto Scaling Policy State Change."""
    cluster = group.cluster
    kernel.emit(
        "EMR Auto Scaling Policy State Change",
        EMR,
        {
            "severity": "INFO",
            "clusterId": cluster.cluster_id,
            "resourceId": group.group_id,
            "scalingResourceType": "INSTANCE_GROUP",
            "state": state,
            "message": f"The auto scaling policy of instance group {group.group_id} in Amazon EMR cluster "
            f"{cluster.cluster_id} ({cluster.spec.name}) is {state.lower()}.",
        },
    )


def managed_scaling_acted(kernel: Kernel, cluster: Cluster) -> None:
    """Send EMR Managed Scaling Action."""
    kernel.emit(
        "EMR Managed Scaling Action",
        EMR,
        {
            "severity": "INFO",
            "clusterId": cluster.cluster_id,
            "message": f"Managed scaling resizes Amazon EMR cluster {cluster.cluster_id} ({cluster.spec.name}).",
        },
    )


def step_changed(kernel: Kernel, cluster: Cluster, step: StepRun, message: str) -> None:
    """Send EMR Step Status Change."""
    kernel.emit(
        "EMR Step Status Change",
        EMR,
        {
            "severity": "ERROR" if step.state.name == "FAILED" else "INFO",
            "actionOnFailure": step.spec.action_on_failure,
            "stepId": step.step_id,
            "name": step.spec.name,
            "clusterId": cluster.cluster_id,
            "state": step.state.value,
            "message": f"Step {step.step_id} ({step.spec.name}) in Amazon EMR cluster {cluster.cluster_id} "
            f"({cluster.spec.name}) {message} at {_minute(kernel.now)}.",
        },
    )


def instance_arn(zone: str, ec2_id: str) -> str:
    """Return the irregular ARN of spot events: the zone in the region's place, and no account."""
    return f"arn:aws:ec2:{zone}:instance/{ec2_id}"


def spot_warning(kernel: Kernel, zone: str, ec2_id: str) -> None:
    """Send the two-minute warning."""
    detail = {"instance-id": ec2_id, "instance-action": "terminate"}
    kernel.emit("EC2 Spot Instance Interruption Warning", EC2, detail, [instance_arn(zone, ec2_id)])


def rebalance(kernel: Kernel, zone: str, ec2_id: str) -> None:
    """Send a rebalance recommendation."""
    detail = {"instance-id": ec2_id}
    kernel.emit("EC2 Instance Rebalance Recommendation", EC2, detail, [instance_arn(zone, ec2_id)])


def instance_changed(kernel: Kernel, node: Node, state: str) -> None:
    """Send EC2 Instance State-change Notification, where the settings ask for it."""
    if not kernel.settings.ec2_state_events:
        return
    settings = kernel.settings
    kernel.emit(
        "EC2 Instance State-change Notification",
        EC2,
        {"instance-id": node.ec2_id, "state": state},
        [f"arn:aws:ec2:{settings.region}:{settings.account_id}:instance/{node.ec2_id}"],
    )


def yarn_snapshot(kernel: Kernel, detail: dict[str, Any]) -> None:
    """Send YARN Snapshot, as the probe of a cluster does with PutEvents."""
    kernel.emit("YARN Snapshot", PROBE, detail)


def maintenance(kernel: Kernel, ec2_ids: Sequence[str]) -> None:
    """Send AWS Health Event about a scheduled change of instances."""
    code = "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED"
    starts = to_moment(kernel.now + _NOTICE_SECONDS).strftime("%a, %d %b %Y %H:%M:%S GMT")
    region = kernel.settings.region
    kernel.emit(
        "AWS Health Event",
        "aws.health",
        {
            "eventArn": f"arn:aws:health:{region}::event/EC2/{code}/{code}-{kernel.now}",
            "service": "EC2",
            "eventTypeCode": code,
            "eventTypeCategory": "scheduledChange",
            "startTime": starts,
            "eventDescription": [
                {"language": "en_US", "latestDescription": "An instance is scheduled for retirement."}
            ],
            "affectedEntities": [{"entityValue": ec2_id, "tags": {}} for ec2_id in ec2_ids],
        },
        list(ec2_ids),
    )
