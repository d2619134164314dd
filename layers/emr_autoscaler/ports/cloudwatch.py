"""CloudWatch: metrics read in batches, and the alarms of enrolled clusters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName


class MetricsReader(Protocol):
    """CloudWatch metrics, read in batches."""

    def read_metrics(
        self,
        cluster_ids: Sequence[str],
        names: Sequence[MetricName],
        *,
        start: datetime,
        end: datetime,
    ) -> Mapping[str, ClusterMetrics]:
        """Return what is published of ``names`` in [start, end), for every cluster asked for.

        A cluster without data gets an entry without points.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSpec:
    """An alarm on one metric of one cluster.

    Attributes:
        name: Unique in account and region; carries the stack's prefix, the topic and the cluster.
        cluster_id: The JobFlowId dimension.
        metric: The metric.
        comparison: GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanThreshold,
            LessThanOrEqualToThreshold.
        threshold: In the metric's own unit.
        period: Length of one evaluation period.
        periods: How many of them must be over the threshold.
        description: Why it exists, for people in the console.
    """

    name: str
    cluster_id: str
    metric: MetricName
    comparison: str
    threshold: float
    period: timedelta = timedelta(minutes=5)
    periods: int = 1
    description: str = ""


class Alarms(Protocol):
    """CloudWatch alarms of enrolled clusters. Missing data is never treated as breaching."""

    def put_alarms(self, alarms: Sequence[AlarmSpec]) -> None:
        """Create or update alarms."""
        ...

    def delete_alarms(self, names: Sequence[str]) -> None:
        """Delete alarms; unknown names are ignored."""
        ...

    def list_alarms(self, prefix: str) -> tuple[str, ...]:
        """Return the names of all alarms that start with ``prefix``, sorted."""
        ...
