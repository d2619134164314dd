"""EC2, looked at: the port Compute. Nothing here changes an instance."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.price_book import Component, Price, PriceKey
from emr_autoscaler.ports import ComputeInstance

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.literals import InstanceTypeType
    from mypy_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef

CLUSTER_TAG = "aws:elasticmapreduce:job-flow-id"
ROLE_TAG = "aws:elasticmapreduce:instance-group-role"
INTERRUPTION_CODES = frozenset({"Server.SpotInstanceTermination", "Server.SpotInstanceShutdown"})
"""State reasons that prove an interruption; a warning alone does not."""

_RUNNING = frozenset({"pending", "running"})
_SHUT_DOWN_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)$")
"""How EC2 dates a shutdown in StateTransitionReason: "User initiated (2026-10-05 12:31:07 GMT)"."""

_PRODUCT = "Linux/UNIX"
_VALUES_PER_FILTER = 200


class Ec2Compute:
    """Compute on the EC2 API."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(
            actions=("ec2:DescribeInstances",),
            why="find the cluster behind an interruption warning, and when instances were launched",
        ),
        Permission(
            actions=("ec2:DescribeSpotPriceHistory",),
            why="bill spot capacity at its price steps, and place it where it costs least",
        ),
        Permission(actions=("ec2:DescribeSubnets",), why="order no more nodes than the subnet has addresses for"),
        Permission(
            actions=("ec2:DescribeInstanceTypeOfferings",),
            why="create no pool of a type that the cluster's zone does not have",
        ),
    )

    def __init__(self, client: "EC2Client") -> None:
        self._client = client

    def find_instances(self, ec2_instance_ids: Sequence[str]) -> tuple[ComputeInstance, ...]:
        """Describe the instances that EC2 still knows; unknown ids are left out."""
        # By filter, because InstanceIds fails as a whole on one unknown id.
        ids = list(dict.fromkeys(ec2_instance_ids))
        return tuple(
            found
            for start in range(0, len(ids), _VALUES_PER_FILTER)
            for found in self._find({"Name": "instance-id", "Values": ids[start : start + _VALUES_PER_FILTER]})
        )

    def find_cluster_instances(self, cluster_id: str) -> tuple[ComputeInstance, ...]:
        """Describe every instance of a cluster that EC2 still knows, by its system tag."""
        return self._find({"Name": f"tag:{CLUSTER_TAG}", "Values": [cluster_id]})

    def _find(self, condition: "FilterTypeDef") -> tuple[ComputeInstance, ...]:
        with domain_errors():
            answers = self._client.get_paginator("describe_instances").paginate(Filters=[condition])
            return tuple(
                _compute_instance(instance)
                for answer in answers
                for reservation in answer.get("Reservations", [])
                for instance in reservation.get("Instances", [])
            )

    def spot_prices(
        self,
        instance_types: Sequence[str],
        availability_zone: str,
        *,
        start: datetime,
        end: datetime,
    ) -> tuple[Price, ...]:
        """Return the price steps of [start, end), the one in force at ``start`` included.

        They are sorted by type and time. EC2 keeps 90 days.
        """
        if not instance_types:
            return ()  # EC2 takes an empty list for every type
        # Plain strings: EC2 knows types that no list of ours does.
        types: list[InstanceTypeType] = list(dict.fromkeys(instance_types))  # type: ignore[arg-type]
        region = self._client.meta.region_name
        with domain_errors():
            answers = self._client.get_paginator("describe_spot_price_history").paginate(
                InstanceTypes=types,
                AvailabilityZone=availability_zone,
                ProductDescriptions=[_PRODUCT],
                StartTime=start,
                EndTime=end,
            )
            steps = [step for answer in answers for step in answer.get("SpotPriceHistory", [])]
        prices = {
            (step["InstanceType"], step["Timestamp"]): Price(
                key=PriceKey(
                    component=Component.EC2_SPOT,
                    region=region,
                    item=step["InstanceType"],
                    availability_zone=availability_zone,
                ),
                usd=Decimal(step["SpotPrice"]),
                unit="Hours",
                effective_from=step["Timestamp"].astimezone(UTC),
                source=(
                    f"ec2:DescribeSpotPriceHistory {availability_zone} {step['InstanceType']} {_PRODUCT}"
                    f" {step['Timestamp'].astimezone(UTC).isoformat()}"
                ),
            )
            for step in steps
            if step["Timestamp"] < end
        }
        return tuple(price for _, price in sorted(prices.items()))

    def free_addresses(self, subnet_id: str) -> int:
        """Return how many private addresses a subnet has left.

        Raises:
            NotFoundError: EC2 does not know the subnet.
        """
        with domain_errors():
            (subnet,) = self._client.describe_subnets(SubnetIds=[subnet_id])["Subnets"]
        return subnet["AvailableIpAddressCount"]

    def offered_types(self, instance_types: Sequence[str], availability_zone: str) -> frozenset[str]:
        """Return those of ``instance_types`` that EC2 offers in a zone; unknown ones are left out."""
        names = list(dict.fromkeys(instance_types))
        found: set[str] = set()
        for start in range(0, len(names), _VALUES_PER_FILTER):
            with domain_errors():
                answers = self._client.get_paginator("describe_instance_type_offerings").paginate(
                    LocationType="availability-zone",
                    Filters=[
                        {"Name": "location", "Values": [availability_zone]},
                        {"Name": "instance-type", "Values": names[start : start + _VALUES_PER_FILTER]},
                    ],
                )
                found.update(
                    offer["InstanceType"] for answer in answers for offer in answer["InstanceTypeOfferings"]
                )
        return frozenset(found)


def _compute_instance(instance: "InstanceTypeDef") -> ComputeInstance:
    tags = {tag.get("Key", ""): tag.get("Value", "") for tag in instance.get("Tags", [])}
    role = tags.get(ROLE_TAG, "")
    running = instance.get("State", {}).get("Name", "running") in _RUNNING
    return ComputeInstance(
        ec2_instance_id=instance["InstanceId"],
        cluster_id=tags.get(CLUSTER_TAG),
        role=Role(role) if role in set(Role) else None,
        instance_type=instance["InstanceType"],
        availability_zone=instance.get("Placement", {}).get("AvailabilityZone", ""),
        market=Market.SPOT if instance.get("InstanceLifecycle") == "spot" else Market.ON_DEMAND,
        launched_at=instance["LaunchTime"].astimezone(UTC),
        interrupted=instance.get("StateReason", {}).get("Code", "") in INTERRUPTION_CODES,
        is_running=running,
        ended_at=None if running else shut_down_at(instance.get("StateTransitionReason", "")),
        volume_ids=_volume_ids(instance),
    )


def shut_down_at(transition_reason: str) -> datetime | None:
    """Read when an instance was shut down; None where EC2 does not say: the text is not a documented format."""
    found = _SHUT_DOWN_AT.search(transition_reason)
    return None if found is None else datetime.fromisoformat(found[1]).replace(tzinfo=UTC)


def _volume_ids(instance: "InstanceTypeDef") -> tuple[str, ...]:
    """Return the ids of the volumes, the root volume first, the others in the order of their devices."""
    root = instance.get("RootDeviceName", "")
    mapped = [
        (device.get("DeviceName", ""), volume_id)
        for device in instance.get("BlockDeviceMappings", [])
        if (volume_id := device.get("Ebs", {}).get("VolumeId"))
    ]
    return tuple(volume_id for name, volume_id in sorted(mapped, key=lambda found: (found[0] != root, found[0])))
