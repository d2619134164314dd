"""EC2 and the published prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.price_book import Price, PriceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeInstance:
    """What EC2 knows of an instance that EMR started, or of a foreign one.

    Attributes:
        ec2_instance_id: i-...
        cluster_id: From the tag aws:elasticmapreduce:job-flow-id; None for foreign instances.
        role: From the tag aws:elasticmapreduce:instance-group-role; None for foreign instances.
        instance_type: For instance m5.xlarge.
        availability_zone: Where it runs.
        market: How it was bought.
        launched_at: EC2's LaunchTime.
        interrupted: Whether the state reason proves a spot interruption.
        is_running: Whether it is charged for still: neither shutting down nor gone.
        ended_at: When it was shut down, where EC2 tells; it does not for every kind of end.
        volume_ids: Its EBS volumes, the root volume first; none once it is gone.
    """

    ec2_instance_id: str
    cluster_id: str | None
    role: Role | None
    instance_type: str
    availability_zone: str
    market: Market
    launched_at: datetime
    interrupted: bool
    is_running: bool = True
    ended_at: datetime | None = None
    volume_ids: tuple[str, ...] = ()


class Compute(Protocol):
    """EC2, looked at."""

    def find_instances(self, ec2_instance_ids: Sequence[str]) -> tuple[ComputeInstance, ...]:
        """Describe the instances that EC2 still knows; unknown ids are left out."""
        ...

    def find_cluster_instances(self, cluster_id: str) -> tuple[ComputeInstance, ...]:
        """Describe every instance of a cluster that EC2 still knows, by its system tag."""
        ...

    def spot_prices(
        self,
        instance_types: Sequence[str],
        availability_zone: str,
        *,
        start: datetime,
        end: datetime,
    ) -> tuple[Price, ...]:
        """Return the price steps of [start, end), the one in force at ``start`` included."""
        ...

    def free_addresses(self, subnet_id: str) -> int:
        """Return how many private addresses a subnet has left. Raises NotFoundError."""
        ...

    def offered_types(self, instance_types: Sequence[str], availability_zone: str) -> frozenset[str]:
        """Return those of ``instance_types`` that EC2 offers in a zone; unknown ones are left out."""
        ...


class PriceList(Protocol):
    """The published price list (EMR fee, EC2 on demand, EBS)."""

    def look_up(self, keys: Sequence[PriceKey]) -> tuple[Price, ...]:
        """Return one price per key.

        Raises:
            PriceMissingError: None is published, or more than one is left: never guessed.
        """
        ...
