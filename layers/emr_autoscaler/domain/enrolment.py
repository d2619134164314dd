"""What opting in means: which tag, which alarms, whose cost centre; which task groups is pool_selection.py's."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from emr_autoscaler.domain.cluster import Cluster
from emr_autoscaler.domain.costs import UNALLOCATED
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.domain.policy import Policy

POLICY_TAG = "emr-autoscaler:policy"
TOPICS = ("task", "core", "idle")
"""Alarms are named <stack prefix>-<topic>-<cluster id>-<what>; the event rules match the first two."""

METRIC_PERIOD = timedelta(minutes=5)
LONGEST_ALARM = timedelta(days=1)
"""CloudWatch evaluates at most a day of five-minute periods."""

MEMORY_SCARCE_PERCENT = 15.0
MEMORY_AMPLE_PERCENT = 75.0
"""EMR's own default rules for automatic scaling start at the same marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedMetric:
    """One alarm a cluster should have.

    Attributes:
        topic: task, core or idle: which function it wakes.
        what: Last part of its name.
        metric: The metric watched.
        above: True where values above the threshold matter, False for those below.
        threshold: In the metric's unit.
        periods: How many five-minute periods in a row.
        why: For people in the console.
    """

    topic: str
    what: str
    metric: MetricName
    above: bool
    threshold: float
    periods: int = 1
    why: str = ""

    def name(self, prefix: str, cluster_id: str) -> str:
        """Return the alarm's name."""
        return f"{prefix}-{self.topic}-{cluster_id}-{self.what}"


def policy_name_of(cluster: Cluster) -> str:
    """Return the policy a cluster's tag names; empty where it is not opted in."""
    return cluster.tags.get(POLICY_TAG, "").strip()


def cost_centre_of(cluster: Cluster, tag_key: str) -> str:
    """Return who pays: the tag's value, or UNALLOCATED."""
    return cluster.tags.get(tag_key, "").strip() or UNALLOCATED


def wanted_alarms(cluster: Cluster, policy: Policy) -> tuple[WatchedMetric, ...]:
    """Return the alarms an opted-in, ready cluster should have."""
    watched: list[WatchedMetric] = []
    scalable = not cluster.has_managed_scaling
    if policy.task.enabled and scalable:
        watched += [
            WatchedMetric(
                topic="task",
                what="pending",
                metric=MetricName.CONTAINER_PENDING,
                above=True,
                threshold=0,
                why="Containers wait for memory: more task nodes may be needed.",
            ),
            WatchedMetric(
                topic="task",
                what="memory-scarce",
                metric=MetricName.YARN_MEMORY_AVAILABLE_PERCENTAGE,
                above=False,
                threshold=MEMORY_SCARCE_PERCENT,
                why="Little YARN memory is free: more task nodes may be needed.",
            ),
            WatchedMetric(
                topic="task",
                what="memory-ample",
                metric=MetricName.YARN_MEMORY_AVAILABLE_PERCENTAGE,
                above=True,
                threshold=MEMORY_AMPLE_PERCENT,
                why="Much YARN memory is free: task nodes may be given back.",
            ),
        ]
    if policy.core.enabled and scalable:
        watched += [
            WatchedMetric(
                topic="core",
                what="hdfs-high",
                metric=MetricName.HDFS_UTILIZATION_PERCENT,
                above=True,
                threshold=round(policy.core.hdfs_high * 100, 2),
                why="HDFS fills up: core nodes are needed.",
            ),
            WatchedMetric(
                topic="core",
                what="hdfs-low",
                metric=MetricName.HDFS_UTILIZATION_PERCENT,
                above=False,
                threshold=round(policy.core.hdfs_low * 100, 2),
                why="HDFS is nearly empty: a core node may go.",
            ),
        ]
    if policy.idle.enabled:
        watched.append(
            WatchedMetric(
                topic="idle",
                what="idle",
                metric=MetricName.IS_IDLE,
                above=True,
                threshold=0.5,
                periods=max(1, min(policy.idle.idle_for, LONGEST_ALARM) // METRIC_PERIOD),
                why="The cluster has had nothing to do for as long as its policy allows.",
            )
        )
    return tuple(watched)


def fingerprint(*facts: object) -> str:
    """Return a short digest that changes when any of ``facts`` (values that show all they hold) does."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
