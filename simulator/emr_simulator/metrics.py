"""What EMR samples of each cluster and when CloudWatch shows it; alarms are in alarms.py."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emr_simulator.clusters import Cluster
from emr_simulator.kernel import Kernel
from emr_simulator.words import ClusterState, InstanceState, Role, StepState

_ORDINARY = {ClusterState.RUNNING, ClusterState.WAITING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """All metrics of one cluster at one time.

    Attributes:
        at: When it was taken.
        visible_at: When CloudWatch shows it.
    """

    at: int
    visible_at: int
    values: Mapping[str, float]


def sample_values(cluster: Cluster, now: int) -> dict[str, float]:
    """Return every metric of AWS/ElasticMapReduce that the world models (facts: names and units)."""
    yarn, hdfs = cluster.yarn, cluster.hdfs
    pending, total = yarn.pending, yarn.total_mib
    available = total - yarn.allocated_mib
    waiting = sum(app.started_at is None for app in yarn.live)
    busy = bool(yarn.live) or any(step.state is StepState.RUNNING for step in cluster.steps)
    nodes = {role: [n for g in cluster.groups.values() if g.spec.role is role for n in g.nodes] for role in Role}
    running = {role: sum(n.state is InstanceState.RUNNING for n in some) for role, some in nodes.items()}
    workers = [n for role in (Role.CORE, Role.TASK) for n in nodes[role] if n.yarn is not None]
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
        "CoreNodesPending": len(nodes[Role.CORE]) - running[Role.CORE],
        "TaskNodesRunning": running[Role.TASK],
        "TaskNodesPending": len(nodes[Role.TASK]) - running[Role.TASK],
        "MRTotalNodes": len(workers),
        "MRActiveNodes": sum(not n.draining and not n.warned for n in workers),
        "MRLostNodes": 0,
        "MRUnhealthyNodes": 0,
        "MRDecommissionedNodes": sum(n.draining or n.warned for n in workers),
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
        self._samples: dict[str, list[Sample]] = {}
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
            self._samples.setdefault(cluster.cluster_id, []).append(
                Sample(at=now, visible_at=now + delay, values=sample_values(cluster, now))
            )

    def published(self, cluster_id: str, metric: str, start: int, end: int) -> list[tuple[int, float]]:
        """Return (time, value) of the samples of [start, end) that CloudWatch shows by now."""
        samples = self._samples.get(cluster_id, [])
        first = bisect_left(samples, start, key=lambda sample: sample.at)
        points = []
        for sample in samples[first:]:
            if sample.at >= end:
                break
            if sample.visible_at <= self._kernel.now and metric in sample.values:
                points.append((sample.at, sample.values[metric]))
        return points

    def periods(
        self, cluster_id: str, metric: str, *, start: int, end: int, period: int, stat: str
    ) -> list[tuple[int, float]]:
        """Return (period start, statistic) of the periods of [start, end) that have data."""
        points = self.published(cluster_id, metric, start - start % period, end)
        by_period: dict[int, list[float]] = {}
        for at, value in points:
            by_period.setdefault(at - at % period, []).append(value)
        return [(at, STATISTICS[stat](values)) for at, values in by_period.items()]


STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Average": lambda values: sum(values) / len(values),
    "Sum": sum,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}
"""CloudWatch's plain statistics by name."""
