"""What a cluster's metrics say of its work: memory in use, memory waiting, and whether to believe it."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from emr_autoscaler.domain.capacity import FIRST_CONTAINER_MIB
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName

NEEDED = (
    MetricName.MEMORY_TOTAL_MIB,
    MetricName.MEMORY_ALLOCATED_MIB,
    MetricName.CONTAINER_ALLOCATED,
    MetricName.CONTAINER_PENDING,
)
"""All of them, from one sample, or there is no demand to speak of."""

MOST = 1e12
"""More MiB or containers than any cluster has (an exbibyte): a metric that says so is broken."""

LONGEST_GAP = timedelta(minutes=15)
"""Samples further apart say nothing of the time between them."""

OVERCOMMIT = 1.5
"""Allocated memory above this share of the total is a broken metric, not a busy cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One believable sample of a cluster's work.

    Attributes:
        at: When the sample was taken.
        allocated_mib: YARN memory in use.
        pending_mib: Memory of waiting containers: as a probe pushed it, else estimated from their number.
        pending_containers: Waiting containers.
        total_mib: YARN memory of the cluster.
        container_mib: Memory per container the estimate used.
        containers: Containers in use.
        completed: Containers ended since YARN began, where a probe counts them.
        submitted: Applications submitted since YARN began, where the sample tells.
        applications: Applications that run or wait, where the sample tells.
    """

    at: datetime
    allocated_mib: float
    pending_mib: float
    pending_containers: float
    total_mib: float
    container_mib: float
    containers: float
    completed: float | None = None
    submitted: float | None = None
    applications: float | None = None


def read_demand(
    metrics: ClusterMetrics, *, now: datetime, max_age: timedelta, container_mib: float | None
) -> Demand | Reason:
    """Read the newest complete sample.

    Args:
        metrics: Recent metrics of the cluster.
        now: The time to judge age by.
        max_age: Older samples count as missing.
        container_mib: Last good estimate, for samples with nothing allocated.

    Returns:
        The demand; or METRICS_STALE where a needed metric is missing, too old or of another sample
        than the rest; or METRICS_ABSURD where a value cannot be true.
    """
    points = [metrics.latest(name, now=now, max_age=max_age) for name in NEEDED]
    found = [point for point in points if point is not None]
    if len(found) < len(NEEDED) or len({point.at for point in found}) > 1:
        return Reason.METRICS_STALE
    total, allocated, containers, pending = (point.value for point in found)
    at = found[0].at
    told = metrics.latest(MetricName.PENDING_MIB, now=now, max_age=max_age)
    told_mib = told.value if told is not None and told.at == at else 0.0
    values = (total, allocated, containers, pending, told_mib)
    if not all(math.isfinite(value) and 0 <= value <= MOST for value in values):
        return Reason.METRICS_ABSURD
    if allocated > total * OVERCOMMIT or (containers == 0) != (allocated == 0):
        return Reason.METRICS_ABSURD
    size = allocated / containers if containers else container_mib or FIRST_CONTAINER_MIB
    return Demand(
        at=at,
        allocated_mib=allocated,
        # YARN counts containers and memory one after the other: either may be behind for a moment.
        pending_mib=told_mib or pending * size,
        pending_containers=pending,
        total_mib=total,
        container_mib=size,
        containers=containers,
        completed=_counted(metrics, MetricName.CONTAINERS_COMPLETED, at),
        submitted=_counted(metrics, MetricName.APPS_SUBMITTED, at),
        applications=_applications(metrics, at),
    )


def _applications(metrics: ClusterMetrics, at: datetime) -> float | None:
    """Count the applications of that very sample."""
    running, pending = (_counted(metrics, name, at) for name in (MetricName.APPS_RUNNING, MetricName.APPS_PENDING))
    return None if running is None or pending is None else running + pending


def _counted(metrics: ClusterMetrics, name: MetricName, at: datetime) -> float | None:
    """Return a count of that very sample, where it is one."""
    value = next((point.value for point in reversed(metrics.series.get(name, ())) if point.at == at), None)
    return value if value is not None and math.isfinite(value) and 0 <= value <= MOST else None
