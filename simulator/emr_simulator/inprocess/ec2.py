"""The port Compute on the World."""

from collections.abc import Sequence
from datetime import UTC, datetime

from emr_autoscaler.adapters.ec2 import CLUSTER_TAG, INTERRUPTION_CODES, ROLE_TAG, shut_down_at
from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.errors import NotFoundError
from emr_autoscaler.domain.price_book import Component, Price, PriceKey
from emr_autoscaler.ports import ComputeInstance
from emr_simulator.descriptions import Ec2Instance
from emr_simulator.inprocess.refusals import domain_errors
from emr_simulator.world import World

_ROLES = {str(role): role for role in Role}


class WorldCompute:
    """Compute on the World's EC2."""

    def __init__(self, world: World) -> None:
        self._ec2 = world.ec2
        self._region = world.settings.region

    def find_instances(self, ec2_instance_ids: Sequence[str]) -> tuple[ComputeInstance, ...]:
        """Describe the instances that EC2 still knows; unknown ids are left out."""
        if not ec2_instance_ids:
            return ()
        wanted = tuple(dict.fromkeys(ec2_instance_ids))
        try:
            with domain_errors("DescribeInstances"):
                known = self._ec2.describe_instances(instance_ids=wanted)
        except NotFoundError:
            # The call fails as a whole on one unknown id; looking through all is slower, and rare.
            with domain_errors("DescribeInstances"):
                known = self._ec2.describe_instances()
        return tuple(_compute(instance) for instance in known if instance.ec2_instance_id in wanted)

    def find_cluster_instances(self, cluster_id: str) -> tuple[ComputeInstance, ...]:
        """Describe every instance of a cluster that EC2 still knows, by its system tag."""
        with domain_errors("DescribeInstances"):
            known = self._ec2.describe_instances(tags={CLUSTER_TAG: (cluster_id,)})
        return tuple(map(_compute, known))

    def spot_prices(
        self,
        instance_types: Sequence[str],
        availability_zone: str,
        *,
        start: datetime,
        end: datetime,
    ) -> tuple[Price, ...]:
        """Return the price steps of [start, end), the one in force at ``start`` included."""
        if not instance_types:
            return ()
        with domain_errors("DescribeSpotPriceHistory"):
            steps = self._ec2.describe_spot_price_history(
                instance_types=tuple(dict.fromkeys(instance_types)),
                availability_zone=availability_zone,
                start=start,
                end=end,
            )
        return tuple(
            Price(
                key=PriceKey(
                    component=Component.EC2_SPOT,
                    region=self._region,
                    item=step.instance_type,
                    availability_zone=availability_zone,
                ),
                usd=step.usd_per_hour,
                unit="Hours",
                effective_from=step.at,
                source=(
                    f"ec2:DescribeSpotPriceHistory {availability_zone} {step.instance_type} Linux/UNIX"
                    f" {step.at.astimezone(UTC).isoformat()}"
                ),
            )
            for step in sorted(steps, key=lambda step: (step.instance_type, step.at))
            if step.at < end
        )

    def free_addresses(self, subnet_id: str) -> int:
        """Return how many private addresses a subnet has left. Raises NotFoundError."""
        with domain_errors("DescribeSubnets"):
            ((_name, _zone, free),) = self._ec2.describe_subnets((subnet_id,))
        return free

    def offered_types(self, instance_types: Sequence[str], availability_zone: str) -> frozenset[str]:
        """Return those of ``instance_types`` that EC2 offers in a zone; unknown ones are left out."""
        if not instance_types:
            return frozenset()
        with domain_errors("DescribeInstanceTypeOfferings"):
            offers = self._ec2.describe_instance_type_offerings(tuple(instance_types), (availability_zone,))
        return frozenset(name for name, _zone in offers)


def _compute(instance: Ec2Instance) -> ComputeInstance:
    return ComputeInstance(
        ec2_instance_id=instance.ec2_instance_id,
        cluster_id=instance.tags.get(CLUSTER_TAG),
        role=_ROLES.get(instance.tags.get(ROLE_TAG, "")),
        instance_type=instance.instance_type,
        availability_zone=instance.availability_zone,
        market=Market(instance.market),
        launched_at=instance.launched_at,
        interrupted=instance.state_reason_code in INTERRUPTION_CODES,
        is_running=instance.state in {"pending", "running"},
        ended_at=shut_down_at(instance.state_transition_reason),
        volume_ids=tuple(v.volume_id for v in instance.volumes) if instance.state == "running" else (),
    )
