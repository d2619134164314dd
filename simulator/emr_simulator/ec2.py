"""EC2 as far as EMR's users look at it: instances with EMR's system tags, and spot price history."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from emr_simulator.catalogue import TYPES
from emr_simulator.clusters import ForeignInstance, Node
from emr_simulator.descriptions import Ec2Instance, SpotPrice
from emr_simulator.engine import to_moment, to_seconds
from emr_simulator.errors import ApiError
from emr_simulator.instances import INTERRUPTED, Instances
from emr_simulator.kernel import Kernel
from emr_simulator.words import InstanceState

REMEMBERED_SECONDS = 3600
"""EC2 shows a terminated instance for about an hour."""
HISTORY_SECONDS = 90 * 86400
CLUSTER_TAG = "aws:elasticmapreduce:job-flow-id"
SUBNET_PREFIX = "subnet-0"
ROLE_TAG = "aws:elasticmapreduce:instance-group-role"


def subnet_of(zone: str) -> str:
    """Return the id of a zone's one subnet."""
    return SUBNET_PREFIX + hashlib.sha256(zone.encode()).hexdigest()[:16]


class Ec2Api:
    """The calls of EC2 that the world answers."""

    def __init__(self, kernel: Kernel, instances: Instances) -> None:
        self._kernel = kernel
        self._instances = instances
        self.foreign: dict[str, ForeignInstance] = {}

    def describe_instances(
        self,
        *,
        instance_ids: Sequence[str] = (),
        tags: Mapping[str, Sequence[str]] | None = None,
        states: Sequence[str] = (),
    ) -> tuple[Ec2Instance, ...]:
        """Return the instances that match every argument given.

        Args:
            instance_ids: EC2 ids; all instances where empty.
            tags: Allowed values by tag key.
            states: Allowed states.

        Raises:
            ApiError: InvalidInstanceID.NotFound for an id EC2 does not know (any more).
        """
        self._kernel.calls["DescribeInstances"] += 1
        clusters = None if instance_ids else (tags or {}).get(CLUSTER_TAG)
        known = {shown.ec2_instance_id: shown for shown in self._all(instance_ids, clusters)}
        unknown = [ec2_id for ec2_id in instance_ids if ec2_id not in known]
        if unknown:
            listed = ", ".join(unknown)
            word = "ID" if len(unknown) == 1 else "IDs"
            verb = "does" if len(unknown) == 1 else "do"
            raise ApiError("InvalidInstanceID.NotFound", f"The instance {word} '{listed}' {verb} not exist")
        return tuple(
            shown
            for shown in known.values()
            if all(shown.tags.get(key) in values for key, values in (tags or {}).items())
            and (not states or shown.state in states)
        )

    def describe_spot_price_history(
        self,
        *,
        instance_types: Sequence[str],
        availability_zone: str | None = None,
        start: datetime,
        end: datetime,
    ) -> tuple[SpotPrice, ...]:
        """Return price steps of [start, end), newest first, those in force at ``start`` included."""
        self._kernel.calls["DescribeSpotPriceHistory"] += 1
        zones = (availability_zone,) if availability_zone else self._kernel.settings.zones
        first = max(to_seconds(start), self._kernel.now - HISTORY_SECONDS)
        last = min(to_seconds(end), self._kernel.now + 1)
        steps = [
            SpotPrice(at=to_moment(at), instance_type=name, availability_zone=zone, usd_per_hour=usd)
            for name in instance_types
            if name in TYPES
            for zone in zones
            for at, usd in self._instances.pools.steps(name, zone).between(first, last)
        ]
        return tuple(sorted(steps, key=lambda step: step.at, reverse=True))

    def describe_subnets(self, subnet_ids: Sequence[str]) -> tuple[tuple[str, str, int], ...]:
        """Return id, zone and free addresses of each subnet; every zone has one.

        Raises:
            ApiError: InvalidSubnetID.NotFound for an id EC2 does not know.
        """
        self._kernel.calls["DescribeSubnets"] += 1
        zones = {subnet_of(zone): zone for zone in self._kernel.settings.zones}
        for subnet_id in subnet_ids:
            if subnet_id not in zones:
                raise ApiError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")
        return tuple(
            (name, zones[name], self._instances.free_addresses(zones[name])) for name in subnet_ids or zones
        )

    def describe_instance_type_offerings(
        self, instance_types: Sequence[str], zones: Sequence[str]
    ) -> tuple[tuple[str, str], ...]:
        """Return type and zone of what is offered, as far as both were asked for; all where empty."""
        self._kernel.calls["DescribeInstanceTypeOfferings"] += 1
        missing = set(self._kernel.settings.types_not_offered)
        return tuple(
            (name, zone)
            for zone in self._kernel.settings.zones
            for name in sorted(TYPES)
            if name not in missing
            and (not instance_types or name in instance_types)
            and (not zones or zone in zones)
        )

    def _all(self, instance_ids: Sequence[str], cluster_ids: Sequence[str] | None) -> list[Ec2Instance]:
        """Return what EC2 shows of the ids, or else of the clusters, or else of everything."""
        nodes = self._instances.by_ec2_id
        if cluster_ids is not None:
            of_cluster = self._instances.of_cluster
            found = [node for cluster_id in dict.fromkeys(cluster_ids) for node in of_cluster.get(cluster_id, ())]
        else:
            found = [nodes[i] for i in instance_ids if i in nodes] if instance_ids else list(nodes.values())
        horizon = self._kernel.now - REMEMBERED_SECONDS
        shown = [self._show(node) for node in found if node.ended_at is None or node.ended_at > horizon]
        foreign = (
            [self.foreign[i] for i in instance_ids if i in self.foreign] if instance_ids else self.foreign.values()
        )
        return shown + [self._show_foreign(instance) for instance in foreign]

    def _show(self, node: Node) -> Ec2Instance:
        group, cluster = node.group, node.group.cluster
        state = "running" if node.state is not InstanceState.TERMINATED else "terminated"
        message = {
            "": "",
            INTERRUPTED: f"{INTERRUPTED}: Spot instance termination",
        }.get(node.end_code, f"{node.end_code}: User initiated shutdown")
        return Ec2Instance(
            ec2_instance_id=node.ec2_id,
            instance_type=node.instance_type,
            availability_zone=cluster.zone,
            market=node.market,
            state=state,
            state_reason_code=node.end_code,
            state_reason_message=message,
            state_transition_reason=_transition_reason(node),
            launched_at=to_moment(node.launched_at or 0),
            tags={
                **cluster.tags,
                CLUSTER_TAG: cluster.cluster_id,
                ROLE_TAG: group.spec.role.value,
            },
            volumes=node.volumes,
            private_ip=node.private_ip,
        )

    @staticmethod
    def _show_foreign(instance: ForeignInstance) -> Ec2Instance:
        return Ec2Instance(
            ec2_instance_id=instance.ec2_id,
            instance_type=instance.instance_type,
            availability_zone=instance.zone,
            market=instance.market,
            state="running",
            state_reason_code="",
            state_reason_message="",
            state_transition_reason="",
            launched_at=to_moment(instance.launched_at),
            tags={"Name": "not-emr"},
            volumes=(),
            private_ip="10.9.9.9",
        )


def _transition_reason(node: Node) -> str:
    """Tell how an instance came to its state: EC2 dates a shutdown that was ordered, not one of its own."""
    if node.ended_at is None:
        return ""
    if node.end_code == INTERRUPTED:
        return INTERRUPTED
    return f"User initiated ({to_moment(node.ended_at).isoformat(' ')[: len('2026-10-05 13:00:00')]} GMT)"
