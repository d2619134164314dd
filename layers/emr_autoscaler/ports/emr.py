"""EMR, looked at and acted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from emr_autoscaler.domain.cluster import Cluster, ClusterState, ClusterSummary, Instance, InstanceGroup, Market
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.fleets import FleetTarget, FleetType, InstanceFleet


class ClusterReader(Protocol):
    """EMR, looked at. Each call costs quota (facts: 10 burst, 1 or 0.5 a second)."""

    def describe_cluster(self, cluster_id: str) -> Cluster:
        """Describe one cluster, ended ones included. Raises NotFoundError."""
        ...

    def list_clusters(
        self, states: Sequence[ClusterState], *, created_after: datetime | None = None
    ) -> tuple[ClusterSummary, ...]:
        """List the clusters that are in one of ``states``, newest first."""
        ...

    def list_instance_groups(self, cluster_id: str) -> tuple[InstanceGroup, ...]:
        """List a cluster's groups. Raises NotFoundError; RefusedError for clusters with fleets."""
        ...

    def list_instance_fleets(self, cluster_id: str) -> tuple[InstanceFleet, ...]:
        """List a cluster's fleets. Raises NotFoundError; RefusedError for clusters with groups."""
        ...

    def list_instances(self, cluster_id: str) -> tuple[Instance, ...]:
        """List a cluster's instances, those that ended in the last 30 days included."""
        ...

    def supported_types(self, release_label: str) -> frozenset[str]:
        """Return the instance types a release can use. Raises RefusedError for an unknown release."""
        ...

    def has_unfinished_steps(self, cluster_id: str) -> bool:
        """Return whether a step is pending, being cancelled or running. Raises NotFoundError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTaskGroup:
    """A task group to be created, at zero instances."""

    name: str
    market: Market
    instance_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTaskFleet:
    """A task fleet to be created. EMR takes none at zero units.

    Attributes:
        name: For people.
        types: What it may buy from.
        on_demand_units: On-demand units to begin with.
        spot_units: Spot units to begin with.
        give_up_spot_after: When its first provisioning covers on demand what is missing of spot.
    """

    name: str
    types: tuple[FleetType, ...]
    on_demand_units: int
    spot_units: int
    give_up_spot_after: timedelta


class ClusterActuator(Protocol):
    """EMR, acted on. The dry-run actuator accepts the same orders and does nothing."""

    @property
    def is_dry(self) -> bool:
        """Whether orders are only accepted, not carried out."""
        ...

    def resize_groups(self, cluster_id: str, targets: Sequence[GroupTarget]) -> None:
        """Order absolute counts in one atomic call, gracefully. Repeating it is harmless.

        Raises:
            NotFoundError: The cluster or a group does not exist.
            RefusedError: EMR refuses: below replication, a group that may not be resized, ...
        """
        ...

    def resize_fleet(self, cluster_id: str, target: FleetTarget) -> None:
        """Order absolute units of both markets of a fleet in one call. Repeating it is harmless.

        Raises:
            NotFoundError: The cluster or the fleet does not exist.
            RefusedError: EMR refuses: below replication, a fleet that may not be resized, ...
        """
        ...

    def add_task_fleet(self, cluster_id: str, fleet: NewTaskFleet) -> str | None:
        """Create the task fleet of a cluster that has none; return its id, None in a dry run."""
        ...

    def add_task_groups(self, cluster_id: str, groups: Sequence[NewTaskGroup]) -> tuple[str, ...]:
        """Create any number of task groups at zero instances; return their ids in order."""
        ...

    def terminate_cluster(self, cluster_id: str) -> None:
        """End a cluster. Raises RefusedError while termination protection is on."""
        ...
