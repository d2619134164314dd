"""What every decision is: an action, one reason, its targets, and when to look again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from emr_autoscaler.domain.fleets import FleetTarget


class DecisionKind(StrEnum):
    """Which question was decided."""

    TASK = "TASK"
    CORE = "CORE"
    INTERRUPTION = "INTERRUPTION"
    IDLE = "IDLE"
    POLICY = "POLICY"


class Action(StrEnum):
    """What is to be done. HOLD is a decision as well."""

    HOLD = "HOLD"
    SCALE_OUT = "SCALE_OUT"
    SCALE_IN = "SCALE_IN"
    REBALANCE = "REBALANCE"
    REPLACE = "REPLACE"
    ALERT = "ALERT"
    ANNOUNCE = "ANNOUNCE"
    ADD_GROUPS = "ADD_GROUPS"
    TERMINATE = "TERMINATE"


class Reason(StrEnum):
    """Why. The same word stands in the log, the metric, the stored record and docs/reasons.md."""

    # Guards, in order of safety; all of them hold.
    CLUSTER_NOT_READY = "CLUSTER_NOT_READY"
    PAUSED = "PAUSED"
    MANAGED_ELSEWHERE = "MANAGED_ELSEWHERE"
    USES_FLEETS = "USES_FLEETS"
    GROUPS_UNAVAILABLE = "GROUPS_UNAVAILABLE"
    RESIZING = "RESIZING"
    METRICS_STALE = "METRICS_STALE"
    METRICS_ABSURD = "METRICS_ABSURD"
    COOLDOWN = "COOLDOWN"
    AT_MAXIMUM = "AT_MAXIMUM"
    AT_MONEY_CAP = "AT_MONEY_CAP"
    PRICES_MISSING = "PRICES_MISSING"
    NO_FREE_ADDRESSES = "NO_FREE_ADDRESSES"
    AT_MINIMUM = "AT_MINIMUM"
    DISABLED = "DISABLED"
    OPERATOR_RESIZED = "OPERATOR_RESIZED"
    POLICY_INVALID = "POLICY_INVALID"
    NO_CAPACITY_KNOWN = "NO_CAPACITY_KNOWN"
    # Task capacity.
    DEMAND_MET = "DEMAND_MET"
    DEMAND_ABOVE_CAPACITY = "DEMAND_ABOVE_CAPACITY"
    DEMAND_BELOW_CAPACITY = "DEMAND_BELOW_CAPACITY"
    DRAINS_BEFORE_HELP = "DRAINS_BEFORE_HELP"
    CONTAINERS_LARGER_THAN_NODES = "CONTAINERS_LARGER_THAN_NODES"
    RECENT_DEMAND = "RECENT_DEMAND"
    CHANGE_TOO_SMALL = "CHANGE_TOO_SMALL"
    STEP_EXPECTED = "STEP_EXPECTED"
    HOSTS_APPLICATION_MASTERS = "HOSTS_APPLICATION_MASTERS"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    ABOVE_MAXIMUM = "ABOVE_MAXIMUM"
    SCHEDULED_MINIMUM = "SCHEDULED_MINIMUM"
    ABOVE_MONEY_CAP = "ABOVE_MONEY_CAP"
    POOL_DRY = "POOL_DRY"
    BACK_TO_SPOT = "BACK_TO_SPOT"
    LOST_CAPACITY_SETTLED = "LOST_CAPACITY_SETTLED"
    WHOLE_INSTANCES = "WHOLE_INSTANCES"
    # Core capacity.
    HDFS_ABOVE_HIGH = "HDFS_ABOVE_HIGH"
    HDFS_BELOW_LOW = "HDFS_BELOW_LOW"
    HDFS_IN_RANGE = "HDFS_IN_RANGE"
    HDFS_UNHEALTHY = "HDFS_UNHEALTHY"
    REPLICATION_FLOOR = "REPLICATION_FLOOR"
    HDFS_WOULD_FILL = "HDFS_WOULD_FILL"
    FLEET_ONLY_GROWS = "FLEET_ONLY_GROWS"
    YARN_BUSY = "YARN_BUSY"
    TASK_GROUPS_MISSING = "TASK_GROUPS_MISSING"
    # Groups that nobody may resize; reported once for each episode.
    GROUP_SUSPENDED = "GROUP_SUSPENDED"
    GROUP_ARRESTED = "GROUP_ARRESTED"
    GROUP_RECONFIGURING = "GROUP_RECONFIGURING"
    # Interruptions.
    TASK_INTERRUPTED = "TASK_INTERRUPTED"
    NO_ROOM_FOR_REPLACEMENT = "NO_ROOM_FOR_REPLACEMENT"
    CORE_INTERRUPTED = "CORE_INTERRUPTED"
    MASTER_INTERRUPTED = "MASTER_INTERRUPTED"
    ALREADY_REPLACED = "ALREADY_REPLACED"
    FLEET_REPLACES = "FLEET_REPLACES"
    MAINTENANCE_SCHEDULED = "MAINTENANCE_SCHEDULED"
    # Idle clusters.
    BUSY = "BUSY"
    TOO_YOUNG = "TOO_YOUNG"
    NOT_IDLE_LONG_ENOUGH = "NOT_IDLE_LONG_ENOUGH"
    IDLE_ANNOUNCED = "IDLE_ANNOUNCED"
    LIFETIME_ANNOUNCED = "LIFETIME_ANNOUNCED"
    WARNING_PERIOD = "WARNING_PERIOD"
    IDLE_CONFIRMED = "IDLE_CONFIRMED"
    LIFETIME_EXCEEDED = "LIFETIME_EXCEEDED"
    KEPT_BY_TAG = "KEPT_BY_TAG"
    PROTECTED = "PROTECTED"
    WORK_NOT_VISIBLE_TO_YARN = "WORK_NOT_VISIBLE_TO_YARN"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTarget:
    """The count one instance group is to have.

    Attributes:
        group_id: ig-...
        count: Wanted instances, an absolute number.
        previous_count: Requested instances when this was decided.
        decommission_timeout: How long nodes may drain before they are taken, on a shrink.
        leave_first: EC2 ids of the nodes to take on a shrink, where it is known what runs on them.
        protected: EC2 ids of the nodes not to take on a shrink: they host application masters.
    """

    group_id: str
    count: int
    previous_count: int
    decommission_timeout: timedelta | None = None
    leave_first: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse counts that cannot be, and a shrink that would not be graceful."""
        if self.count < 0:
            msg = f"group {self.group_id}: a target below zero"
            raise ValueError(msg)
        if self.count < self.previous_count and self.decommission_timeout is None:
            msg = f"group {self.group_id}: a shrink needs a decommission timeout"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome of one look at one cluster.

    Attributes:
        kind: The question.
        cluster_id: j-...
        decided_at: The ``now`` the decision was made with.
        action: What is to be done.
        reason: Why, exactly one.
        targets: Counts of groups or units of a fleet to order, empty for anything but a resize.
        detail: One line of arithmetic in words, for people; never parsed.
        next_evaluation_at: When to look again although nothing may happen; None where settled.
    """

    kind: DecisionKind
    cluster_id: str
    decided_at: datetime
    action: Action
    reason: Reason
    targets: tuple[GroupTarget | FleetTarget, ...] = ()
    detail: str = ""
    next_evaluation_at: datetime | None = None

    @property
    def changes_something(self) -> bool:
        """Whether acting on it would write to EMR."""
        return bool(self.targets) or self.action is Action.TERMINATE


def order_in_words(target: GroupTarget | FleetTarget) -> str:
    """Return what is ordered, for people."""
    if isinstance(target, FleetTarget):
        return (
            f"fleet {target.fleet_id}: on demand {target.previous_on_demand_units} -> {target.on_demand_units}, "
            f"spot {target.previous_spot_units} -> {target.spot_units} units"
        )
    return f"group {target.group_id}: {target.previous_count} -> {target.count}"
