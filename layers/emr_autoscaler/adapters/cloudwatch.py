"""CloudWatch: the ports MetricsReader and Alarms. What a metric means is said in the domain."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, TypeVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.domain.errors import NotFoundError, RefusedError, UnavailableError
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint, spacing_of, step_of
from emr_autoscaler.ports import AlarmSpec

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import ComparisonOperatorType
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef, MetricDataResultTypeDef

NAMESPACE = "AWS/ElasticMapReduce"
DIMENSION = "JobFlowId"
CLUSTER_TAG = "emr-autoscaler:cluster"
"""On every alarm, so that people and cost reports can tell whose it is."""

QUERIES_PER_CALL = 500
NAMES_PER_CALL = 100
_Item = TypeVar("_Item")

_COMPARISONS: Mapping[str, "ComparisonOperatorType"] = {
    "GreaterThanOrEqualToThreshold": "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold": "GreaterThanThreshold",
    "LessThanThreshold": "LessThanThreshold",
    "LessThanOrEqualToThreshold": "LessThanOrEqualToThreshold",
}


class CloudWatchMetrics:
    """MetricsReader on GetMetricData, 500 metrics a call."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(
            actions=("cloudwatch:GetMetricData",),
            why="read the metrics of many clusters at once instead of asking EMR",
        ),
    )

    def __init__(self, client: "CloudWatchClient") -> None:
        self._client = client

    def read_metrics(
        self,
        cluster_ids: Sequence[str],
        names: Sequence[MetricName],
        *,
        start: datetime,
        end: datetime,
    ) -> Mapping[str, ClusterMetrics]:
        """Return the averages of each step in [start, end) that has samples published by now.

        A window is read in steps of a minute, or of five where it is long; how far apart the samples are is
        told by the samples themselves.

        Raises:
            RefusedError: The metrics may not be read.
        """
        step = step_of(start, end)
        wanted = [(cluster_id, name) for cluster_id in dict.fromkeys(cluster_ids) for name in names]
        points: dict[tuple[str, MetricName], dict[datetime, float]] = defaultdict(dict)
        for part in _parts(wanted, QUERIES_PER_CALL):
            by_id = {f"m{number}": metric for number, metric in enumerate(part)}
            for result in self._results(by_id, step, start=start, end=end):
                # A metric may be spread over pages; the same time twice is the same sample.
                samples = points[by_id[result["Id"]]]
                for at, value in zip(result.get("Timestamps", []), result.get("Values", []), strict=True):
                    if start <= at < end:
                        samples[at.astimezone(UTC)] = value
        found = {
            cluster_id: {
                name: tuple(MetricPoint(at=at, value=value) for at, value in sorted(known.items()))
                for name in names
                if (known := points.get((cluster_id, name)))
            }
            for cluster_id in cluster_ids
        }
        return {
            cluster_id: ClusterMetrics(cluster_id=cluster_id, period=spacing_of(series), series=series)
            for cluster_id, series in found.items()
        }

    def _results(
        self, by_id: Mapping[str, tuple[str, MetricName]], step: timedelta, *, start: datetime, end: datetime
    ) -> Iterator["MetricDataResultTypeDef"]:
        queries = [_query(query_id, *metric, step) for query_id, metric in by_id.items()]
        with domain_errors():
            for answer in self._client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries, StartTime=start, EndTime=end, ScanBy="TimestampAscending"
            ):
                for result in answer["MetricDataResults"]:
                    status = result.get("StatusCode", "Complete")
                    if status == "InternalError":
                        msg = f"GetMetricData: {by_id[result['Id']]} could not be read"
                        raise UnavailableError(msg)
                    if status == "Forbidden":
                        msg = f"GetMetricData: {by_id[result['Id']]} may not be read"
                        raise RefusedError(msg)
                    yield result


class CloudWatchAlarms:
    """Alarms on PutMetricAlarm. Missing data stays missing: it never breaches and never heals."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(
            actions=("cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:DeleteAlarms"),
            why="give each enrolled cluster its alarms, and take them away when it ends",
        ),
        Permission(actions=("cloudwatch:DescribeAlarms",), why="find alarms whose cluster is gone"),
    )

    def __init__(self, client: "CloudWatchClient") -> None:
        self._client = client

    def put_alarms(self, alarms: Sequence[AlarmSpec]) -> None:
        """Create or update alarms, one call each. CloudWatch tags new alarms only.

        Raises:
            RefusedError: An alarm is not acceptable, or there are too many.
        """
        for alarm in alarms:
            if alarm.comparison not in _COMPARISONS:
                msg = f"alarm {alarm.name}: comparison {alarm.comparison!r} is not one of CloudWatch's"
                raise RefusedError(msg)
            with domain_errors():
                self._client.put_metric_alarm(
                    AlarmName=alarm.name,
                    AlarmDescription=alarm.description,
                    ActionsEnabled=False,  # its change of state reaches us through EventBridge
                    Namespace=NAMESPACE,
                    MetricName=alarm.metric.value,
                    Dimensions=[{"Name": DIMENSION, "Value": alarm.cluster_id}],
                    Statistic="Average",
                    Period=int(alarm.period.total_seconds()),
                    EvaluationPeriods=alarm.periods,
                    DatapointsToAlarm=alarm.periods,
                    Threshold=alarm.threshold,
                    ComparisonOperator=_COMPARISONS[alarm.comparison],
                    TreatMissingData="missing",
                    Tags=[{"Key": CLUSTER_TAG, "Value": alarm.cluster_id}],
                )

    def delete_alarms(self, names: Sequence[str]) -> None:
        """Delete alarms; unknown names are ignored.

        DeleteAlarms deletes nothing at all when one name is wrong, so the names are looked up first,
        and once more where somebody deleted one in between.
        """
        for part in _parts(tuple(dict.fromkeys(names)), NAMES_PER_CALL):
            try:
                self._delete_known(part)
            except NotFoundError:
                self._delete_known(part)

    def _delete_known(self, names: Sequence[str]) -> None:
        with domain_errors():
            answers = self._client.get_paginator("describe_alarms").paginate(AlarmNames=list(names))
            known = [alarm["AlarmName"] for answer in answers for alarm in answer.get("MetricAlarms", [])]
            if known:
                self._client.delete_alarms(AlarmNames=known)

    def list_alarms(self, prefix: str) -> tuple[str, ...]:
        """Return the names of all alarms that start with ``prefix``, sorted; all pages are read."""
        pages = self._client.get_paginator("describe_alarms")
        with domain_errors():
            answers = pages.paginate(AlarmNamePrefix=prefix) if prefix else pages.paginate()
            return tuple(sorted(alarm["AlarmName"] for answer in answers for alarm in answer["MetricAlarms"]))


def _query(query_id: str, cluster_id: str, name: MetricName, period: timedelta) -> "MetricDataQueryTypeDef":
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": name.value,
                "Dimensions": [{"Name": DIMENSION, "Value": cluster_id}],
            },
            "Period": int(period.total_seconds()),
            "Stat": "Average",
        },
        "ReturnData": True,
    }


def _parts(items: Sequence[_Item], size: int) -> Iterable[Sequence[_Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
