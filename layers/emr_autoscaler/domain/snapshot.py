"""What a probe on the cluster says of its YARN, and how long that counts; the event is in messages."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint

PUSHED_EVERY = timedelta(seconds=10)
"""What a probe does while anything changes."""

HEARTBEAT = timedelta(minutes=1)
"""What it does at least."""

FRESH_FOR = timedelta(seconds=150)
"""A push older than two heartbeats and a half has ended: CloudWatch is asked again."""

CLOCK_SKEW = timedelta(seconds=5)
"""A cluster's clock may be ahead by this much; what lies further in the future is not believed."""

KEPT = 2
"""Of the snapshots used the last is kept, and the one before it: how far they are apart is the metrics' period."""


class NodeState(StrEnum):
    """Whether YARN gives a node new containers."""

    RUNNING = "RUNNING"
    DECOMMISSIONING = "DECOMMISSIONING"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLoad:
    """What runs on one node.

    Attributes:
        ec2_instance_id: i-...
        state: As YARN has it.
        containers: Running containers, application masters included.
        application_masters: How many of them are application masters: losing one ends its application.
        used_mib: YARN memory in use.
    """

    ec2_instance_id: str
    state: NodeState = NodeState.RUNNING
    containers: int = 0
    application_masters: int = 0
    used_mib: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The figures of YARN's ResourceManager at one moment, as they were pushed: nothing is judged here.

    Attributes:
        at: When they were taken.
        active_nodes: Nodes that take containers.
        core_nodes: Of them core nodes, where the probe can tell.
        task_nodes: Of them task nodes, likewise.
        total_mib: YARN memory.
        allocated_mib: Of it in use.
        available_mib: Of it free.
        pending_mib: Memory that waiting containers ask for.
        containers_allocated: Running containers.
        containers_pending: Waiting containers.
        containers_completed: Containers that have ended since the ResourceManager began; it begins anew at 0.
        apps_running: Running applications.
        apps_pending: Waiting applications.
        nodes: What runs on each node, where the probe tells; not kept as history.
        tells_nodes: Whether the probe told of them, where they are not kept.
    """

    at: datetime
    active_nodes: float
    core_nodes: float | None = None
    task_nodes: float | None = None
    total_mib: float
    allocated_mib: float
    available_mib: float
    pending_mib: float
    containers_allocated: float
    containers_pending: float
    containers_completed: float | None = None
    apps_running: float
    apps_pending: float
    nodes: tuple[NodeLoad, ...] = ()
    tells_nodes: bool = False

    def without_nodes(self) -> "Snapshot":
        """Return the snapshot as it is kept for later.

        While nodes drain, YARN counts their memory in use and not the nodes: nothing can be learned of the size
        of a node then, so their number is left out.
        """
        if not self.nodes:
            return self
        if all(node.state is NodeState.RUNNING for node in self.nodes):
            return replace(self, nodes=(), tells_nodes=True)
        return replace(self, nodes=(), tells_nodes=True, core_nodes=None, task_nodes=None)

    def says_the_same_as(self, other: "Snapshot") -> bool:
        """Whether the figures are the same, whenever they were taken and whatever runs on each node."""
        return _FIGURES(self) == _FIGURES(other)


_FIGURES = attrgetter(*(field.name for field in fields(Snapshot) if field.name not in {"at", "nodes"}))


class Refusal(StrEnum):
    """Why a snapshot is not even looked at."""

    FROM_THE_FUTURE = "FROM_THE_FUTURE"
    TOO_OLD = "TOO_OLD"
    OVERTAKEN = "OVERTAKEN"


def find_refusal(snapshot: Snapshot, history: Sequence[Snapshot], now: datetime) -> Refusal | None:
    """Return why a snapshot may not be used, if so.

    Args:
        snapshot: The one that arrived.
        history: Those used before, oldest first.
        now: The time of arrival.
    """
    if snapshot.at > now + CLOCK_SKEW:
        return Refusal.FROM_THE_FUTURE
    if now - snapshot.at > FRESH_FOR:
        return Refusal.TOO_OLD
    if history and snapshot.at <= history[-1].at:
        return Refusal.OVERTAKEN
    return None


def is_pushing(history: Sequence[Snapshot], now: datetime) -> bool:
    """Whether the last snapshot is young enough to speak for the cluster."""
    return bool(history) and now - history[-1].at <= FRESH_FOR


def last_pushed_at(history: Sequence[Snapshot]) -> datetime:
    """Return when the last snapshot was taken; the beginning of time where there is none."""
    return history[-1].at if history else datetime.min.replace(tzinfo=UTC)


def add_to_history(history: Sequence[Snapshot], snapshot: Snapshot) -> tuple[Snapshot, ...]:
    """Return what is kept once one more snapshot was used, oldest first."""
    return (*history[1 - KEPT :], snapshot.without_nodes())


def as_metrics(cluster_id: str, snapshots: Sequence[Snapshot], *, now: datetime) -> ClusterMetrics:
    """Return snapshots, oldest first and at least one, as the metrics of the cluster.

    A clock that is ahead is set right here: no sample is later than ``now``.
    """
    last = snapshots[-1]
    at = min(last.at, now)

    def newest(value: float) -> tuple[MetricPoint, ...]:
        return (MetricPoint(at=at, value=value),)

    series = {
        MetricName.MEMORY_TOTAL_MIB: newest(last.total_mib),
        MetricName.MEMORY_ALLOCATED_MIB: newest(last.allocated_mib),
        MetricName.MEMORY_AVAILABLE_MIB: newest(last.available_mib),
        MetricName.PENDING_MIB: newest(last.pending_mib),
        MetricName.CONTAINER_ALLOCATED: newest(last.containers_allocated),
        MetricName.CONTAINER_PENDING: newest(last.containers_pending),
        MetricName.APPS_RUNNING: newest(last.apps_running),
        MetricName.APPS_PENDING: newest(last.apps_pending),
        MetricName.ACTIVE_NODES: newest(last.active_nodes),
    }
    if last.containers_completed is not None:
        series[MetricName.CONTAINERS_COMPLETED] = newest(last.containers_completed)
    if last.core_nodes is not None and last.task_nodes is not None:
        series[MetricName.CORE_NODES_RUNNING] = newest(last.core_nodes)
        series[MetricName.TASK_NODES_RUNNING] = newest(last.task_nodes)
    gap = last.at - snapshots[-2].at if len(snapshots) > 1 else PUSHED_EVERY
    return ClusterMetrics(cluster_id=cluster_id, period=min(max(gap, PUSHED_EVERY), HEARTBEAT), series=series)
