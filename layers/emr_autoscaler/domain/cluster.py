"""What a cluster is made of, as EMR describes it: roles, markets, states, groups, instances."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from emr_autoscaler.domain.arns import account_of, region_of


class Role(StrEnum):
    """What a group of instances does in its cluster."""

    MASTER = "MASTER"
    CORE = "CORE"
    TASK = "TASK"


class Market(StrEnum):
    """How an instance is bought."""

    ON_DEMAND = "ON_DEMAND"
    SPOT = "SPOT"


class ClusterState(StrEnum):
    """Life cycle of a cluster."""

    STARTING = "STARTING"
    BOOTSTRAPPING = "BOOTSTRAPPING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    TERMINATING = "TERMINATING"
    TERMINATED = "TERMINATED"
    TERMINATED_WITH_ERRORS = "TERMINATED_WITH_ERRORS"

    @property
    def is_ready(self) -> bool:
        """Whether the cluster accepts work, so that scaling it makes sense."""
        return self in {ClusterState.RUNNING, ClusterState.WAITING}

    @property
    def has_ended(self) -> bool:
        """Whether the cluster is gone or going; nothing is decided on it any more."""
        return self in {
            ClusterState.TERMINATING,
            ClusterState.TERMINATED,
            ClusterState.TERMINATED_WITH_ERRORS,
        }


class GroupState(StrEnum):
    """Life cycle of an instance group."""

    PROVISIONING = "PROVISIONING"
    BOOTSTRAPPING = "BOOTSTRAPPING"
    RUNNING = "RUNNING"
    RECONFIGURING = "RECONFIGURING"
    RESIZING = "RESIZING"
    SUSPENDED = "SUSPENDED"
    TERMINATING = "TERMINATING"
    TERMINATED = "TERMINATED"
    ARRESTED = "ARRESTED"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    ENDED = "ENDED"

    @property
    def may_be_resized(self) -> bool:
        """Whether a resize is accepted and safe: settled, or a resize that a newer one replaces."""
        return self in {GroupState.RUNNING, GroupState.RESIZING}


class InstanceState(StrEnum):
    """Life cycle of one instance as EMR reports it."""

    AWAITING_FULFILLMENT = "AWAITING_FULFILLMENT"
    PROVISIONING = "PROVISIONING"
    BOOTSTRAPPING = "BOOTSTRAPPING"
    RUNNING = "RUNNING"
    TERMINATED = "TERMINATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One EBS volume attached to an instance.

    Attributes:
        volume_type: gp2, gp3, io1, io2, st1 or sc1.
        size_gib: Size in GiB.
        iops: Provisioned IOPS, where the type has them.
        throughput_mibps: Provisioned throughput in MiB/s, gp3 only.
    """

    volume_type: str
    size_gib: int
    iops: int | None = None
    throughput_mibps: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceGroup:
    """One instance group as last seen.

    Attributes:
        group_id: EMR's id, ig-...
        role: MASTER, CORE or TASK.
        market: Fixed at creation.
        instance_type: Fixed at creation, for instance m5.xlarge.
        requested_count: Instances EMR was asked for.
        running_count: Instances EMR reports as running.
        state: Life cycle state of the group.
        name: What the operator called it; may be empty.
        has_own_scaling: True where an automatic scaling policy is attached to the group itself.
        volumes: EBS volumes of each instance of the group (root volume not included).
        fleet_id: The fleet of which this is one market, where it is: its nodes are then steps of the fleet.
        node_mib: YARN memory of one such step; None where it is not known.
    """

    group_id: str
    role: Role
    market: Market
    instance_type: str
    requested_count: int
    running_count: int
    state: GroupState
    name: str = ""
    has_own_scaling: bool = False
    volumes: tuple[Volume, ...] = ()
    fleet_id: str = ""
    node_mib: float | None = None

    def __post_init__(self) -> None:
        """Refuse counts that cannot be."""
        if self.requested_count < 0 or self.running_count < 0:
            msg = f"group {self.group_id}: a count below zero"
            raise ValueError(msg)

    @property
    def is_resizing(self) -> bool:
        """Whether EMR still works towards the requested count."""
        return self.state is GroupState.RESIZING or self.requested_count != self.running_count


def owner_in_words(owner_id: str) -> str:
    """Return the group or fleet of an id, for people."""
    return f"{'fleet' if owner_id.startswith('if-') else 'group'} {owner_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance of a cluster, with the moments that matter for money.

    Attributes:
        ec2_instance_id: EC2's id, i-...; empty while the request is unfulfilled.
        group_id: The instance group or instance fleet it belongs to.
        market: How it was bought.
        instance_type: For instance m5.xlarge.
        state: As EMR reports it.
        created_at: When EMR made the instance (its CreationDateTime), UTC.
        ready_at: When it joined the cluster, if it has.
        ended_at: When it was gone, if it is.
        volumes: EBS volumes beyond the root volume.
    """

    ec2_instance_id: str
    group_id: str
    market: Market
    instance_type: str
    state: InstanceState
    created_at: datetime
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    volumes: tuple[Volume, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSummary:
    """The little that a listing says of a cluster."""

    cluster_id: str
    name: str
    state: ClusterState
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One cluster as EMR describes it (without its groups, which are a call of their own).

    Attributes:
        cluster_id: j-...
        arn: The cluster's ARN: account, region and partition are read from it.
        name: What the operator called it.
        state: Life cycle state.
        created_at: UTC.
        ended_at: UTC, if it has ended.
        tags: Tags of the cluster.
        release_label: For instance emr-7.2.0.
        availability_zone: The one zone the cluster lives in; empty while unknown.
        termination_protected: True refuses TerminateJobFlows.
        uses_fleets: True where the cluster has instance fleets instead of groups.
        has_managed_scaling: True where EMR's own managed scaling is on.
        applications: Lower-case names, for instance spark, presto.
        dfs_replication: dfs.replication where a configuration sets it, else None (EMR's default).
        root_volume: The EBS root volume of every instance.
        subnet_id: The subnet its instances take their addresses from; empty while unknown.
    """

    cluster_id: str
    arn: str
    name: str
    state: ClusterState
    created_at: datetime
    ended_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    release_label: str = ""
    availability_zone: str = ""
    termination_protected: bool = False
    uses_fleets: bool = False
    has_managed_scaling: bool = False
    applications: tuple[str, ...] = ()
    dfs_replication: int | None = None
    root_volume: Volume = field(default_factory=lambda: Volume(volume_type="gp2", size_gib=10))
    subnet_id: str = ""

    @property
    def region(self) -> str:
        """AWS region, from the ARN."""
        return region_of(self.arn)

    @property
    def account_id(self) -> str:
        """AWS account, from the ARN."""
        return account_of(self.arn)
