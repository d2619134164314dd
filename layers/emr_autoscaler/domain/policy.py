"""What an operator may wish for a cluster. The JSON form and its checks live in messages/policy.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum


class Mode(StrEnum):
    """Whether decisions are carried out."""

    DRY_RUN = "dry_run"
    LIVE = "live"


class Objective(StrEnum):
    """A named point on the curve of cost against waiting; docs/scaling.md gives the numbers."""

    COST = "cost"
    BALANCED = "balanced"
    SPEED = "speed"


class CapacityUnit(StrEnum):
    """What ``min_units`` and ``max_units`` of a task policy count."""

    YARN_MIB = "yarn_mib"
    UNITS = "units"


class WorkloadProfile(StrEnum):
    """What the work of a cluster is made of, where the operator leaves the instance types to the system."""

    GENERAL = "general"
    COMPUTE = "compute"
    MEMORY = "memory"
    NETWORK = "network"
    EXTERNAL_WAIT = "external-wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledMinimum:
    """A time of the week in which a minimum of task nodes stands ready.

    Attributes:
        weekdays: 0 is Monday, 6 is Sunday.
        start_minute: Minute of the local day at which the window opens, 0-1439.
        end_minute: Minute of the local day at which it closes, 1-1440; after start_minute.
        time_zone: IANA name, for instance Europe/Berlin; daylight saving follows it.
        min_nodes: Task nodes wanted at least while the window is open.
    """

    weekdays: frozenset[int]
    start_minute: int
    end_minute: int
    time_zone: str
    min_nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPolicy:
    """How task capacity follows demand. Nodes are counted over all task groups.

    Attributes:
        enabled: False leaves task groups alone.
        min_nodes: Never fewer task nodes than this.
        max_nodes: Never more task nodes than this.
        objective: One knob for cost against waiting, by the name of a point.
        drain_within: The same knob as a time, in place of ``objective``: how long work that the present nodes
            leave over may take before nodes are bought for it; None for the objective's.
        expected_task_seconds: How long one container typically runs, until a probe or a backlog shows it, and
            without a probe the least it is taken to run; turns MiB into work.
        headroom_percent: Memory kept free, as a percentage of the memory in use.
        max_step_nodes: Never more nodes than this in one order; None for no limit.
        scale_out_cooldown: Least time between any resize and the next scale-out.
        scale_in_cooldown: Least time between a scale-out or scale-in and the next scale-in.
        decommission_timeout: How long a leaving node may drain; more where containers were seen to run for longer.
        metrics_max_age: Older samples count as missing.
        unit: What the bounds in units count.
        min_units: Never less task capacity than this, in ``unit``; in addition to ``min_nodes``.
        max_units: Never more task capacity than this, in ``unit``; None for no bound but ``max_nodes``.
        weights: Units of one node by instance type, for CapacityUnit.UNITS; others weigh 1.
        max_usd_per_hour: Task nodes never cost more than this at current prices; None for no cap.
        on_demand_min_nodes: Task nodes that are always bought on demand.
        on_demand_max_nodes: Never more on-demand task nodes than this; None for no bound of their own.
        spot_share: Part (0-1) of the capacity above the on-demand floor that is bought on spot.
        fallback_after: How long spot may stay unfulfilled before on-demand is ordered instead.
        schedules: Windows with a minimum of their own.
        instance_types: Spot pools to create at enrolment, one task group each; empty creates none.
        profile: Takes the place of ``instance_types``: the system knows which types suit such work.
        on_demand_type: Instance type of the on-demand task group; empty for the first spot type.
        operator_hold: How long a count that somebody else ordered stands before this system decides again.
        trust_yarn: True gives nodes back although applications work on them that YARN does not see.
    """

    enabled: bool = True
    min_nodes: int = 0
    max_nodes: int = 10
    objective: Objective = Objective.BALANCED
    drain_within: timedelta | None = None
    expected_task_seconds: int = 30
    headroom_percent: float = 0.0
    max_step_nodes: int | None = None
    scale_out_cooldown: timedelta = timedelta(minutes=1)
    scale_in_cooldown: timedelta = timedelta(minutes=2)
    decommission_timeout: timedelta = timedelta(hours=1)
    metrics_max_age: timedelta = timedelta(minutes=12)
    unit: CapacityUnit = CapacityUnit.YARN_MIB
    min_units: int = 0
    max_units: int | None = None
    weights: Mapping[str, int] = field(default_factory=dict)
    max_usd_per_hour: Decimal | None = None
    on_demand_min_nodes: int = 0
    on_demand_max_nodes: int | None = None
    spot_share: float = 1.0
    fallback_after: timedelta = timedelta(minutes=5)
    schedules: tuple[ScheduledMinimum, ...] = ()
    instance_types: tuple[str, ...] = ()
    profile: WorkloadProfile | None = None
    on_demand_type: str = ""
    operator_hold: timedelta = timedelta(minutes=30)
    trust_yarn: bool = False

    def __post_init__(self) -> None:
        """Refuse bounds that cannot be kept."""
        if not 0 <= self.min_nodes <= self.max_nodes:
            msg = "task bounds: 0 <= min_nodes <= max_nodes is needed"
            raise ValueError(msg)
        if self.on_demand_min_nodes > self.max_nodes:
            msg = "task bounds: on_demand_min_nodes is above max_nodes"
            raise ValueError(msg)
        if self.on_demand_max_nodes is not None and self.on_demand_max_nodes < self.on_demand_min_nodes:
            msg = "task bounds: on_demand_min_nodes is above on_demand_max_nodes"
            raise ValueError(msg)
        if self.min_units < 0 or (self.max_units is not None and self.min_units > self.max_units):
            msg = "task bounds: 0 <= min_units <= max_units is needed"
            raise ValueError(msg)
        if not 0 <= self.spot_share <= 1:
            msg = "task: spot_share is a fraction from 0 to 1"
            raise ValueError(msg)
        if self.drain_within is not None and self.drain_within <= timedelta(0):
            msg = "task: drain_within must be above zero"
            raise ValueError(msg)
        if self.max_usd_per_hour is not None and self.max_usd_per_hour < 0:
            msg = "task: max_usd_per_hour is below zero"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorePolicy:
    """How core capacity follows HDFS. Fractions are 0-1 of HDFS capacity.

    Attributes:
        enabled: False leaves core groups alone.
        min_nodes: Never fewer core nodes than this.
        max_nodes: Never more core nodes than this.
        hdfs_high: Above it, core nodes are added.
        hdfs_target: Where adding aims, and what a shrink must stay below.
        hdfs_low: Below it, one core node may go.
        cooldown: Least time between two core resizes.
        decommission_timeout: How long a leaving node may copy its blocks away.
        metrics_max_age: Older samples count as missing.
        min_age: A cluster younger than this keeps its core nodes.
        yarn_free_percent: A core node goes only while at least this much of YARN's memory is free, 0-100:
            core nodes run containers, too.
        operator_hold: How long a count that somebody else ordered stands before this system decides again.
        trust_yarn: True takes nodes away although applications work on them that YARN does not see.
    """

    enabled: bool = True
    min_nodes: int = 2
    max_nodes: int = 10
    hdfs_high: float = 0.75
    hdfs_target: float = 0.60
    hdfs_low: float = 0.30
    cooldown: timedelta = timedelta(minutes=30)
    decommission_timeout: timedelta = timedelta(hours=2)
    metrics_max_age: timedelta = timedelta(minutes=12)
    min_age: timedelta = timedelta(hours=2)
    yarn_free_percent: float = 50.0
    operator_hold: timedelta = timedelta(minutes=30)
    trust_yarn: bool = False

    def __post_init__(self) -> None:
        """Refuse bounds and marks that contradict each other."""
        if not 1 <= self.min_nodes <= self.max_nodes:
            msg = "core bounds: 1 <= min_nodes <= max_nodes is needed"
            raise ValueError(msg)
        if not 0 < self.hdfs_low < self.hdfs_target < self.hdfs_high < 1:
            msg = "core marks: 0 < hdfs_low < hdfs_target < hdfs_high < 1 is needed"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdlePolicy:
    """When an idle or overdue cluster is ended.

    Attributes:
        enabled: False never reaps.
        idle_for: How long it must have been idle, without a gap in the metrics.
        min_age: Younger clusters are left alone.
        warning_period: Time between announcement and termination.
        max_lifetime: Older clusters are announced and ended once no work runs; None for no limit.
        trust_isidle: True reaps clusters with applications whose work YARN does not see.
    """

    enabled: bool = True
    idle_for: timedelta = timedelta(minutes=60)
    min_age: timedelta = timedelta(minutes=60)
    warning_period: timedelta = timedelta(minutes=15)
    max_lifetime: timedelta | None = None
    trust_isidle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPolicy:
    """Assumptions of the cost records that AWS does not state.

    Attributes:
        first_hour_fee: Whether the EMR fee is charged for a spot instance that AWS interrupts in
            its first hour (its EC2 charge is not).
        emr_discount_percent: Negotiated discount on the EMR fee, 0-100.
        ec2_discount_percent: Negotiated discount on EC2 on demand, 0-100; spot has none.
        ebs_discount_percent: Negotiated discount on EBS, 0-100.
        ec2_covered_percent: Part of EC2 on-demand use that a savings plan or reservation covers, 0-100.
        ec2_covered_discount_percent: What covered use costs less than list, 0-100.
    """

    first_hour_fee: bool = True
    emr_discount_percent: Decimal = Decimal(0)
    ec2_discount_percent: Decimal = Decimal(0)
    ebs_discount_percent: Decimal = Decimal(0)
    ec2_covered_percent: Decimal = Decimal(0)
    ec2_covered_discount_percent: Decimal = Decimal(0)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is configured here rather than known, as it is written beside the figures."""
        stated = []
        for percent, what in (
            (self.emr_discount_percent, "EMR fee"),
            (self.ec2_discount_percent, "EC2 on demand"),
            (self.ebs_discount_percent, "EBS"),
        ):
            if percent:
                stated.append(f"{percent:f} % discount on {what}")
        if self.ec2_covered_percent:
            saved = f"{self.ec2_covered_discount_percent:f} % below list"
            stated.append(f"{self.ec2_covered_percent:f} % of EC2 on demand covered by commitments at {saved}")
        if not self.first_hour_fee:
            stated.append("no EMR fee for spot instances interrupted in their first hour")
        return tuple(stated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything an operator decides for the clusters that name this policy."""

    name: str
    mode: Mode = Mode.DRY_RUN
    task: TaskPolicy = field(default_factory=TaskPolicy)
    core: CorePolicy = field(default_factory=CorePolicy)
    idle: IdlePolicy = field(default_factory=IdlePolicy)
    cost: CostPolicy = field(default_factory=CostPolicy)
