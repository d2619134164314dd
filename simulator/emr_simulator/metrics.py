"""What EMR samples of each cluster and when CloudWatch shows it; alarms are in alarms.py."""

from array import array
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import compress

from emr_simulator.clusters import Cluster
from emr_simulator.engine import to_moment, to_seconds
from emr_simulator.kernel import Kernel
from emr_simulator.words import ClusterState, InstanceState, Role, StepState

_ORDINARY = {ClusterState.RUNNING, ClusterState.WAITING}


def _column() -> "array[float]":
    """Return an empty column of plain doubles: a fleet's day holds millions of samples."""
    return array("d")


class _Samples:
    """The samples of one cluster, oldest first: when taken, when shown by CloudWatch, and a column a metric."""

    __slots__ = ("at", "columns", "hidden", "moments", "shown", "visible_at")

    def __init__(self) -> None:
        self.at: list[int] = []
        self.moments: list[datetime] = []
        self.visible_at: list[int] = []
        self.columns: defaultdict[str, array[float]] = defaultdict(_column)
        self.hidden: list[int] = []
        self.shown = 0

    def add(self, at: int, visible_at: int, values: Mapping[str, float]) -> None:
        self.at.append(at)
        self.moments.append(to_moment(at))
        self.visible_at.append(visible_at)
        for metric, value in values.items():
            self.columns[metric].append(value)
        insort(self.hidden, visible_at)

    def shown_by(self, now: int) -> int:
        """Return how many are published by now; time never goes back."""
        while self.hidden and self.hidden[0] <= now:
            del self.hidden[0]
            self.shown += 1
        return self.shown


def sample_values(cluster: Cluster, now: int) -> dict[str, float]:
    """Return every metric of AWS/ElasticMapReduce that the world models (facts: names and units)."""
    yarn, hdfs = cluster.yarn, cluster.hdfs
    pending, total = yarn.pending, yarn.total_mib
    available = total - yarn.allocated_mib
    waiting = sum(app.started_at is None for app in yarn.live)
    busy = bool(yarn.live) or any(step.state is StepState.RUNNING for step in cluster.steps)
    count = dict.fromkeys(Role, 0)
    running = dict.fromkeys(Role, 0)
    workers = leaving = 0
    for group in cluster.groups.values():
        role = group.spec.role
        count[role] += len(group.nodes)
        for node in group.nodes:
            running[role] += node.state is InstanceState.RUNNING
            if node.yarn is not None:
                workers += 1
                leaving += node.draining or node.warned
    return {
        "IsIdle": 0.0 if busy else 1.0,
        "ContainerAllocated": yarn.running,
        "ContainerReserved": 0,
        "ContainerPending": pending,
        "ContainerPendingRatio": pending / yarn.running if yarn.running else pending,
        "AppsRunning": len(yarn.live) - waiting,
        "AppsPending": waiting,
        "AppsSubmitted": yarn.submitted,
        "AppsCompleted": len(yarn.ended),
        "AppsFailed": 0,
        "AppsKilled": yarn.killed_apps,
        "MemoryTotalMB": total,
        "MemoryAllocatedMB": yarn.allocated_mib,
        "MemoryAvailableMB": available,
        "MemoryReservedMB": 0,
        "YARNMemoryAvailablePercentage": 100.0 * available / total if total else 0.0,
        "CoreNodesRunning": running[Role.CORE],
        "CoreNodesPending": count[Role.CORE] - running[Role.CORE],
        "TaskNodesRunning": running[Role.TASK],
        "TaskNodesPending": count[Role.TASK] - running[Role.TASK],
        "MRTotalNodes": workers,
        "MRActiveNodes": workers - leaving,
        "MRLostNodes": 0,
        "MRUnhealthyNodes": 0,
        "MRDecommissionedNodes": leaving,
        "MRRebootedNodes": 0,
        "HDFSUtilization": hdfs.utilization_percent,
        "CapacityRemainingGB": hdfs.remaining_gib,
        "MissingBlocks": hdfs.missing,
        "CorruptBlocks": hdfs.corrupt,
        "UnderReplicatedBlocks": hdfs.under_replicated(now),
        "PendingDeletionBlocks": 0,
        "LiveDataNodes": 100.0 if running[Role.CORE] else 0.0,
    }


class Metrics:
    """Samples of every cluster."""

    def __init__(self, kernel: Kernel, clusters: Mapping[str, Cluster]) -> None:
        self._kernel = kernel
        self._clusters = clusters
        self._chance = kernel.chance("metrics")
        self._samples: defaultdict[str, _Samples] = defaultdict(_Samples)
        kernel.engine.at(self._next_time(), self._tick)

    def _next_time(self) -> int:
        """Samples are taken on round multiples of the period."""
        period = self._kernel.settings.metric_period_seconds
        return (self._kernel.now // period + 1) * period

    def _tick(self) -> None:
        self._kernel.engine.look(self._sample_all)
        self._kernel.engine.at(self._next_time(), self._tick)

    def _sample_all(self) -> None:
        now, settings = self._kernel.now, self._kernel.settings
        for cluster in self._clusters.values():
            if cluster.state not in _ORDINARY or now < cluster.metrics_held_until:
                continue
            delay = settings.publish_delay.draw(self._chance)
            if self._chance.random() < settings.lost_metric_fraction:
                continue
            self._samples[cluster.cluster_id].add(now, now + delay, sample_values(cluster, now))

    def shown(self, cluster_id: str) -> int:
        """Return how many samples of a cluster CloudWatch shows by now."""
        samples = self._samples.get(cluster_id)
        return 0 if samples is None else samples.shown_by(self._kernel.now)

    def periods(
        self, cluster_id: str, metric: str, *, start: int, end: int, period: int, stat: str
    ) -> tuple[tuple[datetime, float], ...]:
        """Return (period start, statistic) of the periods of [start, end) that have data shown by now."""
        samples = self._samples.get(cluster_id)
        column = None if samples is None else samples.columns.get(metric)
        if samples is None or column is None:
            return ()
        first, last = bisect_left(samples.at, start - start % period), bisect_left(samples.at, end)
        points = tuple(zip(samples.moments[first:last], column[first:last], strict=True))
        now = self._kernel.now
        if samples.shown_by(now) < len(samples.at):
            points = tuple(compress(points, [at <= now for at in samples.visible_at[first:last]]))
        if self._kernel.settings.metric_period_seconds % period == 0 and stat in _OF_ONE:
            return points  # a period holds one sample at most, at its start
        by_period: dict[int, list[float]] = {}
        for moment, value in points:
            at = to_seconds(moment)
            by_period.setdefault(at - at % period, []).append(value)
        return tuple((to_moment(at), STATISTICS[stat](values)) for at, values in by_period.items())

    def latest(
        self, cluster_id: str, metric: str, *, count: int, start: int, end: int, period: int, stat: str
    ) -> list[tuple[int, float]]:
        """Return the last ``count`` of ``periods``, their starts in seconds: what alarms judge."""
        samples = self._samples.get(cluster_id)
        column = None if samples is None else samples.columns.get(metric)
        if samples is None or column is None:
            return []
        if self._kernel.settings.metric_period_seconds % period or stat not in _OF_ONE:
            points = self.periods(cluster_id, metric, start=start, end=end, period=period, stat=stat)
            return [(to_seconds(moment), value) for moment, value in points[-count:]]
        now, at, visible_at = self._kernel.now, samples.at, samples.visible_at
        found: list[tuple[int, float]] = []
        index = len(at)
        while index and len(found) < count and at[index - 1] >= start:
            index -= 1
            if visible_at[index] <= now and at[index] < end:
                found.append((at[index], column[index]))
        found.reverse()
        return found


_OF_ONE = frozenset({"Average", "Sum", "Minimum", "Maximum"})
"""Statistics that a single sample is itself."""

STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Average": lambda values: sum(values) / len(values),
    "Sum": sum,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}
"""CloudWatch's plain statistics by name."""
