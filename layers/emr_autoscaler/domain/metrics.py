"""What CloudWatch knows of a cluster: series of points, and how old a point may be to count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise


class MetricName(StrEnum):
    """The metrics of AWS/ElasticMapReduce that decisions read (EMR Management Guide, metrics), and a probe's."""

    IS_IDLE = "IsIdle"
    APPS_RUNNING = "AppsRunning"
    APPS_PENDING = "AppsPending"
    APPS_SUBMITTED = "AppsSubmitted"
    CONTAINER_ALLOCATED = "ContainerAllocated"
    CONTAINER_PENDING = "ContainerPending"
    MEMORY_TOTAL_MIB = "MemoryTotalMB"
    MEMORY_ALLOCATED_MIB = "MemoryAllocatedMB"
    MEMORY_AVAILABLE_MIB = "MemoryAvailableMB"
    YARN_MEMORY_AVAILABLE_PERCENTAGE = "YARNMemoryAvailablePercentage"
    CORE_NODES_RUNNING = "CoreNodesRunning"
    TASK_NODES_RUNNING = "TaskNodesRunning"
    HDFS_UTILIZATION_PERCENT = "HDFSUtilization"
    MISSING_BLOCKS = "MissingBlocks"
    CORRUPT_BLOCKS = "CorruptBlocks"
    UNDER_REPLICATED_BLOCKS = "UnderReplicatedBlocks"
    ACTIVE_NODES = "MRActiveNodes"
    # Known only where a probe on the cluster pushes them; CloudWatch has none of these.
    PENDING_MIB = "PendingMB"
    CONTAINERS_COMPLETED = "ContainersCompleted"


PUSHED_ONLY = frozenset({MetricName.PENDING_MIB, MetricName.CONTAINERS_COMPLETED})
"""What no metric of CloudWatch tells."""

FIVE_MINUTES = timedelta(minutes=5)
ONE_MINUTE = timedelta(minutes=1)

FINE_FOR = timedelta(hours=3)
"""Longer windows are read in steps of five minutes: a week of samples a minute is more than anybody needs."""

_GAPS_JUDGED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """One sample: the time it was taken (not published) and its value."""

    at: datetime
    value: float


def step_of(start: datetime, end: datetime) -> timedelta:
    """Return the step to read a window in: fine enough to show samples of every minute where there are some."""
    return ONE_MINUTE if end - start <= FINE_FOR else FIVE_MINUTES


def spacing_of(series: Mapping[MetricName, Sequence[MetricPoint]]) -> timedelta:
    """Return how far apart the newest samples are: a minute, or five where it is more or cannot be told.

    Args:
        series: Points by metric, oldest first. The metric with most of them is judged, by the median of its
            last gaps, so that neither a lost sample nor a doubled one misleads.
    """
    points = max(series.values(), key=len, default=())
    newest = [point.at for point in points[-1 - _GAPS_JUDGED :]]
    gaps = sorted(later - earlier for earlier, later in pairwise(newest))
    return ONE_MINUTE if gaps and gaps[len(gaps) // 2] < 2 * ONE_MINUTE else FIVE_MINUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterMetrics:
    """The recent metrics of one cluster.

    Attributes:
        cluster_id: j-...
        period: Spacing of the samples: 5 min ordinarily, 1 min with managed scaling, 10 s to 1 min
            where a probe pushes them.
        series: Points by metric, oldest first. A metric that has none may be absent.
    """

    cluster_id: str
    period: timedelta = FIVE_MINUTES
    series: Mapping[MetricName, tuple[MetricPoint, ...]] = field(default_factory=dict)

    def since(self, name: MetricName, start: datetime) -> tuple[MetricPoint, ...]:
        """Return the points of ``name`` taken at or after ``start``, oldest first."""
        return tuple(point for point in self.series.get(name, ()) if point.at >= start)

    def after(self, at: datetime) -> "ClusterMetrics":
        """Return the metrics without what was sampled at ``at`` or before."""
        newer = {name: tuple(p for p in points if p.at > at) for name, points in self.series.items()}
        return replace(self, series={name: points for name, points in newer.items() if points})

    def latest(self, name: MetricName, *, now: datetime, max_age: timedelta) -> MetricPoint | None:
        """Return the newest point of ``name``, or None where it is missing, too old or from the future."""
        points = self.series.get(name, ())
        if not points:
            return None
        newest = points[0] if len(points) == 1 else max(points, key=lambda point: point.at)
        if newest.at > now or now - newest.at > max_age:
            return None
        return newest
