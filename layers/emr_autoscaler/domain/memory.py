"""What the system remembers of a cluster between two looks at it: the registry entry and pool health."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import Cluster, GroupState, InstanceGroup, Market
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.load import Load
from emr_autoscaler.domain.node_prices import NO_PRICES, MarketPrices
from emr_autoscaler.domain.operator_change import OperatorChange
from emr_autoscaler.domain.recorded_look import RecordedLook
from emr_autoscaler.domain.snapshot import Snapshot
from emr_autoscaler.domain.step_queue import StepQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class LostInstance:
    """A task instance that EC2 warned about; its replacement is ordered elsewhere where that can be.

    Attributes:
        ec2_instance_id: i-...
        group_id: The group it leaves; its count is lowered once the instance is gone, or both arrive.
        gone_by: When the two minutes' notice ends.
        replaced: Whether its replacement was ordered in another group.
    """

    ec2_instance_id: str
    group_id: str
    gone_by: datetime
    replaced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCapacity:
    """YARN memory of task nodes that one look needed, of what then stood: what holds back a scale-in."""

    at: datetime
    mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMemory:
    """What task decisions remember.

    Attributes:
        last_scale_out_at: Last ordered scale-out.
        last_scale_in_at: Last ordered scale-in.
        container_mib: Last good estimate of memory per container.
        node_mib: Last good estimate of YARN memory per node, where the type is not in the table.
        unfulfilled_since: Group id to the time since which its requested nodes have been missing.
        wanted: Recent needs, oldest first, as long as they hold back a scale-in; ones that a later look
            exceeded are left out.
        lost: Warned instances whose group still has to be lowered.
        warned_at: When task instances were warned lately: many of them are a storm.
        warned_in: Their pools, in the same order; empty where one is not known.
        storm_until: No spot orders before this time.
        spot_short_since: Since when spot capacity that was ordered could not be had, in one pool or the next.
        on_demand_since: Since when more stands on demand than the policy asks for, or a fleet's spot failed last.
        returning_mib: Spot capacity ordered to take the place of on-demand nodes that are still there.
        owed_mib: On-demand memory that was given up because a limit left no room for spot beside it.
        exchanged_at: Last step back to spot.
        next_evaluation_at: When to look again; None while settled.
        pushed: The last snapshots a probe on the cluster pushed, oldest first.
        recorded: The last look that was recorded.
        load: What was learned of the cluster's load.
    """

    last_scale_out_at: datetime | None = None
    last_scale_in_at: datetime | None = None
    container_mib: float | None = None
    node_mib: float | None = None
    unfulfilled_since: Mapping[str, datetime] = field(default_factory=dict)
    wanted: tuple[WantedCapacity, ...] = ()
    lost: tuple[LostInstance, ...] = ()
    warned_at: tuple[datetime, ...] = ()
    warned_in: tuple[str, ...] = ()
    storm_until: datetime | None = None
    spot_short_since: datetime | None = None
    on_demand_since: datetime | None = None
    returning_mib: float = 0.0
    owed_mib: float = 0.0
    exchanged_at: datetime | None = None
    next_evaluation_at: datetime | None = None
    pushed: tuple[Snapshot, ...] = ()
    recorded: RecordedLook | None = None
    load: Load = field(default_factory=Load)

    def due_at(self, moment: datetime | None) -> "TaskMemory":
        """Return the memory of a cluster that is looked at again at ``moment``."""
        return self if moment == self.next_evaluation_at else replace(self, next_evaluation_at=moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreMemory:
    """What core decisions remember.

    Attributes:
        last_resize_at: The last ordered core resize.
        next_evaluation_at: When to look again; None while settled.
    """

    last_resize_at: datetime | None = None
    next_evaluation_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleMemory:
    """What reaping remembers: since when a cluster was announced."""

    announced_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolKey:
    """A capacity pool: type, zone and market. Interruptions that share one come together.

    An instance fleet's whole spot side is a pool of its own, named by the fleet's id in the type's place.
    """

    instance_type: str
    availability_zone: str
    market: Market = Market.SPOT


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolHealth:
    """How a pool behaved lately.

    Attributes:
        key: The pool.
        cooling_until: No orders before this time.
        cooling_for: Length of the current cooling, doubled while trouble goes on.
        last_trouble_at: Last warning or insufficient capacity.
        rebalance_at: Last rebalance recommendation: lowers the rank, nothing more.
        interruptions: Nodes warned in this pool, faded with a half-life (market.py).
        node_hours: Node-hours seen in this pool, faded alike.
        experience_at: When the two were last faded.
        observed_at: Until when node-hours are counted.
        bucket: The spot advisor's interruption bucket (0-4); None where it is not known.
        version: Raised by every write; a write against an older version is refused.
    """

    key: PoolKey
    cooling_until: datetime | None = None
    cooling_for: timedelta = timedelta(0)
    last_trouble_at: datetime | None = None
    rebalance_at: datetime | None = None
    interruptions: float = 0.0
    node_hours: float = 0.0
    experience_at: datetime | None = None
    observed_at: datetime | None = None
    bucket: int | None = None
    version: int = 0

    def is_cooling(self, now: datetime) -> bool:
        """Whether the pool should not be asked now."""
        return self.cooling_until is not None and now < self.cooling_until


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEntry:
    """One enrolled cluster.

    Attributes:
        cluster: As last described.
        groups: Instance groups as last seen; none where the cluster has fleets.
        fleets: Instance fleets as last seen; none where the cluster has groups.
        groups_seen_at: When EMR last listed them all, or took an order of ours.
        groups_told_at: Group or fleet id to the time of its last event since.
        policy_name: The policy its tag names; empty once it was opted out.
        cost_centre: From the cost centre tag; UNALLOCATED where absent.
        alarms: Names of the alarms this system created for it.
        alarms_made_from: Digest of the policy the alarms were made from; when it changes they are made
            anew, and the cluster is looked at again.
        enrolled_at: When it was enrolled.
        task: Memory of task decisions.
        core: Memory of core decisions.
        idle: Memory of reaping.
        cost_closed: True once the last hour of an ended cluster has been recorded.
        costs_recorded_until: Hours before this one are recorded.
        instances_listed_at: When EMR last listed its instances for cost records; EC2 suffices in between.
        instances_seen_at: When they were last looked at for cost records, in EC2 or by EMR's list.
        warned: EC2 instance id to the time of its spot warning: to be proven or dismissed.
        interrupted: EC2 instance id to the time at which EC2's state reason proved the interruption.
        prices: What a node of each group costs.
        free_addresses: Free addresses of the cluster's subnet, as last seen.
        free_addresses_at: When that was.
        pools_checked: What the task groups wanted at enrolment were last checked to be; they are checked
            once, until the policy names others.
        operator_changes: The newest resize of each group that somebody else ordered.
        reported_states: Group id to the state (SUSPENDED, ARRESTED, RECONFIGURING) that people were told of.
        untold: News of groups that people are about to be told of, to when an invocation took that upon itself;
            what stands here for long was left by one that died, and is told by whoever sees it.
        node_groups: EC2 id to group id, or to the market of a fleet, of task nodes that a probe tells of; it
            never changes.
        node_units: EC2 id to units of those of them that are of a task fleet of several sizes.
        steps: Which steps wait, as events tell.
        groups_told: Names of the task groups whose creation a dry run has told of.
        planned: Task groups that a dry run would have created, empty.
        planned_fleets: The task fleet that a dry run would have created, empty.
        version: Raised by every write of the whole entry; a write against an older version is refused.
        task_version: Raised by every write of the task memory alone; each write of the whole entry begins anew.
    """

    cluster: Cluster
    groups: tuple[InstanceGroup, ...]
    fleets: tuple[InstanceFleet, ...] = ()
    groups_seen_at: datetime
    groups_told_at: Mapping[str, datetime] = field(default_factory=dict)
    policy_name: str
    cost_centre: str
    alarms: tuple[str, ...] = ()
    alarms_made_from: str = ""
    enrolled_at: datetime
    task: TaskMemory = field(default_factory=TaskMemory)
    core: CoreMemory = field(default_factory=CoreMemory)
    idle: IdleMemory = field(default_factory=IdleMemory)
    cost_closed: bool = False
    costs_recorded_until: datetime | None = None
    instances_listed_at: datetime | None = None
    instances_seen_at: datetime | None = None
    warned: Mapping[str, datetime] = field(default_factory=dict)
    interrupted: Mapping[str, datetime] = field(default_factory=dict)
    prices: MarketPrices = NO_PRICES
    free_addresses: int | None = None
    free_addresses_at: datetime | None = None
    pools_checked: str = ""
    operator_changes: tuple[OperatorChange, ...] = ()
    reported_states: Mapping[str, GroupState] = field(default_factory=dict)
    untold: Mapping[str, datetime] = field(default_factory=dict)
    node_groups: Mapping[str, str] = field(default_factory=dict)
    node_units: Mapping[str, int] = field(default_factory=dict)
    steps: StepQueue = field(default_factory=StepQueue)
    groups_told: tuple[str, ...] = ()
    planned: tuple[InstanceGroup, ...] = ()
    planned_fleets: tuple[InstanceFleet, ...] = ()
    version: int = 0
    task_version: int = 0

    @property
    def cluster_id(self) -> str:
        """The cluster's id."""
        return self.cluster.cluster_id

    @property
    def next_evaluation_at(self) -> datetime | None:
        """When to look again although nothing may happen; None while the cluster is settled."""
        times = [t for t in (self.task.next_evaluation_at, self.core.next_evaluation_at) if t]
        return min(times, default=None)

    @property
    def is_active(self) -> bool:
        """Whether anything may be decided on it: opted in, and not ended."""
        return bool(self.policy_name) and not self.cluster.state.has_ended

    @property
    def is_paused(self) -> bool:
        """Whether the operator suspended the cluster with its tag."""
        return self.cluster.tags.get("emr-autoscaler:paused", "").lower() == "true"
