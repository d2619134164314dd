"""What a core decision stands on: its evidence, and what that says of HDFS and YARN. No count is decided here."""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from emr_autoscaler.domain.capacity_evidence import CapacityEvidence
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.memory import CoreMemory
from emr_autoscaler.domain.metrics import MetricName, MetricPoint
from emr_autoscaler.domain.policy import CorePolicy

LOW_SAMPLES = 3
"""A shrink needs this many samples in a row below the low mark, and YARN quiet in as many."""

YARN_METRICS = (MetricName.CONTAINER_PENDING, MetricName.YARN_MEMORY_AVAILABLE_PERCENTAGE)
"""What tells whether the containers of a core node are needed."""

BLOCK_METRICS = (
    MetricName.MISSING_BLOCKS,
    MetricName.CORRUPT_BLOCKS,
    MetricName.UNDER_REPLICATED_BLOCKS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreEvidence(CapacityEvidence):
    """Everything the decision sees: what every decision on capacity does, and this.

    Attributes:
        dfs_replication: Where a configuration states it.
        policy: The core section of the policy.
        memory: What earlier decisions left behind.
        created_at: When the cluster was made; None in evidence of older releases, which did not ask.
    """

    dfs_replication: int | None = None
    policy: CorePolicy
    memory: CoreMemory = field(default_factory=CoreMemory)
    created_at: datetime | None = None


def used_fraction(evidence: CoreEvidence) -> float | Reason:
    """Return how full HDFS is, 0-1, or why that is not known."""
    point = evidence.metrics.latest(
        MetricName.HDFS_UTILIZATION_PERCENT, now=evidence.now, max_age=evidence.policy.metrics_max_age
    )
    if point is None:
        return Reason.METRICS_STALE
    if not math.isfinite(point.value) or not 0 <= point.value <= 100:  # noqa: PLR2004 (a percentage)
        return Reason.METRICS_ABSURD
    return point.value / 100


def block_trouble(evidence: CoreEvidence) -> Reason | None:
    """Return why blocks forbid a shrink: any that are missing, corrupt or under-replicated, or unknown."""
    for name in BLOCK_METRICS:
        point = evidence.metrics.latest(name, now=evidence.now, max_age=evidence.policy.metrics_max_age)
        if point is None:
            return Reason.METRICS_STALE
        if point.value != 0:
            return Reason.HDFS_UNHEALTHY
    return None


def yarn_trouble(evidence: CoreEvidence) -> Reason | None:
    """Return why YARN forbids a shrink: its containers need the node, or nobody knows.

    A cluster where nothing is published of YARN is not known to be quiet.
    """
    for name in YARN_METRICS:
        if evidence.metrics.latest(name, now=evidence.now, max_age=evidence.policy.metrics_max_age) is None:
            return Reason.METRICS_STALE
    pending, free = (_newest(evidence, name) for name in YARN_METRICS)
    quiet = all(p.value == 0 for p in pending) and all(p.value >= evidence.policy.yarn_free_percent for p in free)
    return None if quiet else Reason.YARN_BUSY


def low_for_long(evidence: CoreEvidence) -> bool:
    """Whether HDFS has been below its low mark in as many samples as a shrink needs."""
    newest = _newest(evidence, MetricName.HDFS_UTILIZATION_PERCENT)
    return len(newest) == LOW_SAMPLES and all(p.value / 100 < evidence.policy.hdfs_low for p in newest)


def _newest(evidence: CoreEvidence, name: MetricName) -> tuple[MetricPoint, ...]:
    """Return the newest samples of a metric that a shrink is judged by, at most LOW_SAMPLES."""
    window = evidence.policy.metrics_max_age + LOW_SAMPLES * evidence.metrics.period
    return evidence.metrics.since(name, evidence.now - window)[-LOW_SAMPLES:]


def numbers(evidence: CoreEvidence, reason: Reason, used: float) -> str:
    """Put in words what spoke against a resize."""
    policy = evidence.policy
    marks = f"nodes are added above {policy.hdfs_high:.0%} and may go below {policy.hdfs_low:.0%}"
    text = f"HDFS {used:.0%} full; {marks}"
    if reason is Reason.TOO_YOUNG and evidence.created_at is not None:
        age, needed = (d / timedelta(hours=1) for d in (evidence.now - evidence.created_at, policy.min_age))
        return f"{text}; the cluster is {age:.1f} h old and keeps its core nodes for {needed:.1f} h"
    if reason is Reason.YARN_BUSY:
        pending, free = (_newest(evidence, name) for name in YARN_METRICS)
        most, least = max(p.value for p in pending), min(p.value for p in free)
        waited = f"lately up to {most:.0f} containers waited"
        wanted = f"{policy.yarn_free_percent:.0f} % has to be"
        return f"{text}; {waited}, and down to {least:.0f} % of YARN memory was free ({wanted})"
    if reason is Reason.HDFS_UNHEALTHY:
        blocks = {name: _newest(evidence, name)[-1].value for name in BLOCK_METRICS}
        return f"{text}; " + ", ".join(f"{name.value} {value:g}" for name, value in blocks.items())
    return text
