"""EC2's operations in botocore's shapes; what they do is the World's."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from emr_simulator.apis.operations import OperationTable, Parameters, Result, page, present, tag_list
from emr_simulator.descriptions import Ec2Instance, SpotPrice
from emr_simulator.ec2 import Ec2Api
from emr_simulator.errors import ApiError
from emr_simulator.words import Market

INSTANCES_PER_PAGE = 1000
PRICES_PER_PAGE = 1000
OFFERINGS_PER_PAGE = 100
PRODUCT = "Linux/UNIX"
_HISTORY = timedelta(days=90)

_STATE_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}

# Filters that the World does not take, each as what it reads of an instance.
_FILTERS: Mapping[str, Callable[[Ec2Instance], Sequence[str]]] = {
    "availability-zone": lambda instance: (instance.availability_zone,),
    "instance-id": lambda instance: (instance.ec2_instance_id,),
    "instance-lifecycle": lambda instance: ("spot",) if instance.market is Market.SPOT else (),
    "instance-type": lambda instance: (instance.instance_type,),
    "state-reason-code": lambda instance: (instance.state_reason_code,),
    "tag-key": lambda instance: tuple(instance.tags),
}


class Ec2Operations(OperationTable):
    """The EC2 API of a World."""

    def __init__(self, ec2: Ec2Api, *, owner_id: str, now: Callable[[], datetime]) -> None:
        self._ec2 = ec2
        self._now = now
        self._owner_id = owner_id
        super().__init__(
            {
                "DescribeInstances": self._describe_instances,
                "DescribeInstanceTypeOfferings": self._describe_instance_type_offerings,
                "DescribeSpotPriceHistory": self._describe_spot_price_history,
                "DescribeSubnets": self._describe_subnets,
            }
        )

    def _describe_instances(self, parameters: Parameters) -> Result:
        tags: dict[str, Sequence[str]] = {}
        states: Sequence[str] = ()
        others: list[tuple[Callable[[Ec2Instance], Sequence[str]], frozenset[str]]] = []
        for condition in parameters.get("Filters", ()):
            name, values = condition.get("Name", ""), condition.get("Values", [])
            if name.startswith("tag:"):
                tags[name.removeprefix("tag:")] = values
            elif name == "instance-state-name":
                states = values
            elif name in _FILTERS:
                others.append((_FILTERS[name], frozenset(values)))
            else:
                raise ApiError("InvalidParameterValue", f"The filter '{name}' is invalid")
        instances = [
            instance
            for instance in self._ec2.describe_instances(
                instance_ids=parameters.get("InstanceIds", ()), tags=tags, states=states
            )
            if all(values.intersection(read(instance)) for read, values in others)
        ]
        chosen, token = page(
            instances,
            name=lambda instance: instance.ec2_instance_id,
            after=parameters.get("NextToken"),
            size=min(parameters.get("MaxResults", INSTANCES_PER_PAGE), INSTANCES_PER_PAGE),
            refusal=_bad_token,
        )
        return present(Reservations=[self._reservation(instance) for instance in chosen], NextToken=token)

    def _reservation(self, instance: Ec2Instance) -> Result:
        return {
            "ReservationId": f"r-{instance.ec2_instance_id.removeprefix('i-')}",
            "OwnerId": self._owner_id,
            "Groups": [],
            "Instances": [_instance(instance)],
        }

    def _describe_instance_type_offerings(self, parameters: Parameters) -> Result:
        if parameters.get("LocationType", "region") != "availability-zone":
            raise ApiError("UnsupportedOperation", "only offerings by availability zone are simulated")
        wanted: dict[str, Sequence[str]] = {}
        for condition in parameters.get("Filters", ()):
            if condition.get("Name") not in {"location", "instance-type"}:
                raise ApiError("InvalidParameterValue", f"The filter '{condition.get('Name')}' is invalid")
            wanted[condition["Name"]] = condition.get("Values", [])
        offers = self._ec2.describe_instance_type_offerings(
            wanted.get("instance-type", ()), wanted.get("location", ())
        )
        chosen, token = page(
            offers,
            name="|".join,
            after=parameters.get("NextToken"),
            size=min(parameters.get("MaxResults", OFFERINGS_PER_PAGE), OFFERINGS_PER_PAGE),
            refusal=_bad_token,
        )
        listed = [
            {"InstanceType": name, "LocationType": "availability-zone", "Location": zone} for name, zone in chosen
        ]
        return present(InstanceTypeOfferings=listed, NextToken=token)

    def _describe_subnets(self, parameters: Parameters) -> Result:
        if parameters.get("Filters"):
            raise ApiError("UnsupportedOperation", "filters of subnets are not simulated")
        subnets = self._ec2.describe_subnets(parameters.get("SubnetIds", ()))
        return {
            "Subnets": [
                {"SubnetId": name, "AvailabilityZone": zone, "AvailableIpAddressCount": free, "State": "available"}
                for name, zone, free in subnets
            ]
        }

    def _describe_spot_price_history(self, parameters: Parameters) -> Result:
        if any(condition.get("Name") != "product-description" for condition in parameters.get("Filters", ())):
            raise ApiError("UnsupportedOperation", "filters of the price history are not simulated")
        end = parameters.get("EndTime") or self._now()
        start = parameters.get("StartTime", end - _HISTORY)
        products = parameters.get("ProductDescriptions", [PRODUCT])
        prices: Sequence[SpotPrice] = ()
        if PRODUCT in products:
            prices = self._ec2.describe_spot_price_history(
                instance_types=parameters.get("InstanceTypes", ()),
                availability_zone=parameters.get("AvailabilityZone"),
                start=start,
                end=end,
            )
        chosen, token = page(
            prices,
            name=lambda price: f"{price.at.isoformat()}|{price.instance_type}|{price.availability_zone}",
            after=parameters.get("NextToken"),
            size=min(parameters.get("MaxResults", PRICES_PER_PAGE), PRICES_PER_PAGE),
            refusal=_bad_token,
        )
        # EC2 sends an empty token with the last page, not none.
        return {"SpotPriceHistory": [_spot_price(price) for price in chosen], "NextToken": token or ""}


def _bad_token(token: str) -> ApiError:
    return ApiError("InvalidNextToken", f"The token '{token}' is invalid.")


def _instance(instance: Ec2Instance) -> Result:
    reason = None
    if instance.state_reason_code:
        reason = {"Code": instance.state_reason_code, "Message": instance.state_reason_message}
    return present(
        InstanceId=instance.ec2_instance_id,
        InstanceType=instance.instance_type,
        LaunchTime=instance.launched_at,
        Placement={"AvailabilityZone": instance.availability_zone, "Tenancy": "default"},
        PrivateIpAddress=instance.private_ip or None,
        State={"Code": _STATE_CODES[instance.state], "Name": instance.state},
        StateReason=reason,
        StateTransitionReason=instance.state_transition_reason or None,
        InstanceLifecycle="spot" if instance.market is Market.SPOT else None,
        RootDeviceType="ebs",
        RootDeviceName=instance.volumes[0].device if instance.volumes else None,
        BlockDeviceMappings=[
            {"DeviceName": volume.device, "Ebs": {"VolumeId": volume.volume_id, "Status": "attached"}}
            for volume in instance.volumes
            if instance.state == "running"
        ],
        Tags=tag_list(instance.tags),
    )


def _spot_price(price: SpotPrice) -> Result:
    return {
        "AvailabilityZone": price.availability_zone,
        "InstanceType": price.instance_type,
        "ProductDescription": PRODUCT,
        "SpotPrice": f"{price.usd_per_hour:f}",
        "Timestamp": price.at,
    }
