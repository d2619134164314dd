"""The ports MetricsReader and Alarms on the World."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint, spacing_of, step_of
from emr_autoscaler.ports import AlarmSpec
from emr_simulator.descriptions import MetricAlarm, MetricQuery
from emr_simulator.inprocess.refusals import domain_errors
from emr_simulator.world import World

QUERIES_PER_CALL = 500
NAMES_PER_CALL = 100


@lru_cache(maxsize=1 << 16)
def _point(point: tuple[datetime, float]) -> MetricPoint:
    return MetricPoint(at=point[0], value=point[1])


class WorldMetrics:
    """MetricsReader on the World's published samples."""

    def __init__(self, world: World) -> None:
        self._cloudwatch = world.cloudwatch

    def read_metrics(
        self,
        cluster_ids: Sequence[str],
        names: Sequence[MetricName],
        *,
        start: datetime,
        end: datetime,
    ) -> Mapping[str, ClusterMetrics]:
        """Return what is published of ``names`` in [start, end), for every cluster asked for."""
        wanted = [(cluster_id, name) for cluster_id in dict.fromkeys(cluster_ids) for name in names]
        period_seconds = int(step_of(start, end).total_seconds())
        found: dict[str, dict[MetricName, tuple[MetricPoint, ...]]] = {
            cluster_id: {} for cluster_id in cluster_ids
        }
        for first in range(0, len(wanted), QUERIES_PER_CALL):
            part = wanted[first : first + QUERIES_PER_CALL]
            queries = [
                MetricQuery(
                    query_id=f"m{number}",
                    metric=name.value,
                    cluster_id=cluster_id,
                    period_seconds=period_seconds,
                )
                for number, (cluster_id, name) in enumerate(part)
            ]
            with domain_errors("GetMetricData"):
                answers = self._cloudwatch.get_metric_data(queries, start=start, end=end)
            for (cluster_id, name), series in zip(part, answers, strict=True):
                points = series.points
                while points and points[0][0] < start:  # of the period that ``start`` lies in
                    points = points[1:]
                if points:
                    found[cluster_id][name] = tuple(map(_point, points))
        return {
            cluster_id: ClusterMetrics(cluster_id=cluster_id, period=spacing_of(series), series=series)
            for cluster_id, series in found.items()
        }


class WorldAlarms:
    """Alarms on the World's CloudWatch."""

    def __init__(self, world: World) -> None:
        self._cloudwatch = world.cloudwatch

    def put_alarms(self, alarms: Sequence[AlarmSpec]) -> None:
        """Create or update alarms. Missing data stays missing."""
        for alarm in alarms:
            with domain_errors("PutMetricAlarm"):
                self._cloudwatch.put_metric_alarm(
                    MetricAlarm(
                        name=alarm.name,
                        cluster_id=alarm.cluster_id,
                        metric=alarm.metric.value,
                        comparison=alarm.comparison,
                        threshold=alarm.threshold,
                        period_seconds=int(alarm.period.total_seconds()),
                        evaluation_periods=alarm.periods,
                        datapoints_to_alarm=alarm.periods,
                        treat_missing_data="missing",
                        description=alarm.description,
                        actions_enabled=False,
                    )
                )

    def delete_alarms(self, names: Sequence[str]) -> None:
        """Delete alarms; unknown names are ignored."""
        wanted = tuple(dict.fromkeys(names))
        for first in range(0, len(wanted), NAMES_PER_CALL):
            part = wanted[first : first + NAMES_PER_CALL]
            with domain_errors("DeleteAlarms"):
                known = [described.alarm.name for described in self._cloudwatch.describe_alarms(names=part)]
                if known:
                    self._cloudwatch.delete_alarms(known)

    def list_alarms(self, prefix: str) -> tuple[str, ...]:
        """Return the names of all alarms that start with ``prefix``, sorted."""
        with domain_errors("DescribeAlarms"):
            return self._cloudwatch.alarm_names(prefix)
