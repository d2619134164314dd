"""What calls to the simulated AWS take and return: frozen values in AWS's words, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from emr_simulator.words import ClusterState, GroupState, InstanceState, Market, Role, StepState
from emr_simulator.workloads.model import Job

if TYPE_CHECKING:
    from emr_simulator.fleet_descriptions import FleetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSpec:
    """One EBS volume of every instance of a group."""

    volume_type: str
    size_gib: int
    iops: int | None = None
    throughput_mibps: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSpec:
    """An instance group to be created.

    Attributes:
        volumes: Data volumes; None takes EMR's default for the type.
        has_auto_scaling_policy: The group carries an automatic scaling policy of its own.
    """

    role: Role
    market: Market
    instance_type: str
    count: int
    name: str = ""
    bid_price_usd: Decimal | None = None
    volumes: tuple[VolumeSpec, ...] | None = None
    has_auto_scaling_policy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """A step to be run: a YARN job, or ``seconds`` of work that YARN does not see."""

    name: str
    job: Job | None = None
    seconds: int = 60
    action_on_failure: str = "CONTINUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedScaling:
    """The limits of a managed scaling policy."""

    minimum_units: int
    maximum_units: int
    unit_type: str = "Instances"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """A cluster to be run.

    Attributes:
        groups, fleets: One or the other, never both.
        auto_terminate: True ends it with its last step (a transient cluster).
        dfs_replication: From a configuration; None takes EMR's default for the core count.
        root_volume: None takes EMR's default for the release.
        availability_zone: None takes the first zone of the world.
        has_probe: Its primary node runs the probe, where the world's settings give probes a period.
    """

    name: str
    groups: tuple[GroupSpec, ...] = ()
    fleets: "tuple[FleetSpec, ...]" = ()
    steps: tuple[StepSpec, ...] = ()
    release_label: str = "emr-7.2.0"
    applications: tuple[str, ...] = ("Hadoop", "Spark")
    tags: Mapping[str, str] = field(default_factory=dict)
    termination_protected: bool = False
    auto_terminate: bool = False
    availability_zone: str | None = None
    dfs_replication: int | None = None
    root_volume: VolumeSpec | None = None
    managed_scaling: ManagedScaling | None = None
    has_probe: bool = True

    @property
    def uses_fleets(self) -> bool:
        """Whether the cluster has instance fleets: calls about groups are refused."""
        return bool(self.fleets)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupResize:
    """One entry of a ModifyInstanceGroups call.

    Attributes:
        count: Absolute target; None where only instances are named.
        decommission_timeout_seconds: YARN's graceful timeout; None takes 3600 s.
        instances_to_terminate: EC2 ids to drain first.
        instances_to_protect: EC2 ids not to drain while others are left.
        instance_termination_timeout_seconds: Overrides the timeout for the named instances.
        ec2_instance_ids_to_terminate: EC2 ids to kill at once, whatever runs there.
    """

    group_id: str
    count: int | None = None
    decommission_timeout_seconds: int | None = None
    instances_to_terminate: tuple[str, ...] = ()
    instances_to_protect: tuple[str, ...] = ()
    instance_termination_timeout_seconds: int | None = None
    ec2_instance_ids_to_terminate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDescription:
    """A cluster as DescribeCluster and ListClusters show it."""

    cluster_id: str
    arn: str
    name: str
    state: ClusterState
    state_change_code: str
    state_change_message: str
    created_at: datetime
    ready_at: datetime | None
    ended_at: datetime | None
    release_label: str
    applications: tuple[str, ...]
    tags: Mapping[str, str]
    termination_protected: bool
    auto_terminate: bool
    availability_zone: str
    dfs_replication: int | None
    root_volume: VolumeSpec
    uses_fleets: bool
    normalized_instance_hours: int
    master_public_dns: str
    subnet_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDescription:
    """An instance group as ListInstanceGroups shows it."""

    group_id: str
    name: str
    role: Role
    market: Market
    instance_type: str
    requested_count: int
    running_count: int
    state: GroupState
    state_change_message: str
    created_at: datetime
    ready_at: datetime | None
    ended_at: datetime | None
    volumes: tuple[VolumeSpec, ...]
    bid_price_usd: Decimal | None
    has_auto_scaling_policy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceDescription:
    """An instance as ListInstances shows it. ``ec2_instance_id`` is empty until EC2 launched it.

    Attributes:
        in_fleet: The cluster has fleets, so ``group_id`` is shown as that of a fleet.
    """

    instance_id: str
    ec2_instance_id: str
    group_id: str
    role: Role
    market: Market
    instance_type: str
    state: InstanceState
    state_change_code: str
    created_at: datetime
    ready_at: datetime | None
    ended_at: datetime | None
    volume_ids: tuple[str, ...]
    private_ip: str
    in_fleet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDescription:
    """A step as ListSteps shows it."""

    step_id: str
    name: str
    state: StepState
    action_on_failure: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ec2Volume:
    """One EBS volume attached to an EC2 instance, the root volume included."""

    volume_id: str
    device: str
    volume_type: str
    size_gib: int
    iops: int | None
    throughput_mibps: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ec2Instance:
    """An instance as DescribeInstances shows it: pending, running, shutting-down or terminated."""

    ec2_instance_id: str
    instance_type: str
    availability_zone: str
    market: Market
    state: str
    state_reason_code: str
    state_reason_message: str
    state_transition_reason: str
    launched_at: datetime
    tags: Mapping[str, str]
    volumes: tuple[Ec2Volume, ...]
    private_ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotPrice:
    """One step of a pool's price, in force from ``at`` on."""

    at: datetime
    instance_type: str
    availability_zone: str
    usd_per_hour: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricAlarm:
    """An alarm to be put: one metric of one cluster (namespace AWS/ElasticMapReduce)."""

    name: str
    cluster_id: str
    metric: str
    comparison: str
    threshold: float
    period_seconds: int = 300
    evaluation_periods: int = 1
    datapoints_to_alarm: int | None = None
    statistic: str = "Average"
    treat_missing_data: str = "missing"
    description: str = ""
    actions_enabled: bool = True
    alarm_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmDescription:
    """An alarm as DescribeAlarms shows it."""

    alarm: MetricAlarm
    arn: str
    state: str
    state_reason: str
    state_reason_data: str
    state_updated_at: datetime
    configuration_updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuery:
    """One query of a GetMetricData call."""

    query_id: str
    metric: str
    cluster_id: str
    period_seconds: int = 300
    stat: str = "Average"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSeries:
    """The answer to one query: periods that have data, oldest first."""

    query_id: str
    points: tuple[tuple[datetime, float], ...]
