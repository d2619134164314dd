"""CloudWatch's operations in botocore's shapes, for EMR's metrics and alarms on them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from emr_simulator.alarms import CloudWatchApi
from emr_simulator.apis.operations import OperationTable, Parameters, Result, page, present
from emr_simulator.descriptions import AlarmDescription, MetricAlarm, MetricQuery, MetricSeries
from emr_simulator.errors import ApiError

NAMESPACE = "AWS/ElasticMapReduce"
DIMENSION = "JobFlowId"
QUERIES_PER_CALL = 500
DATAPOINTS_PER_PAGE = 100_800
ALARMS_PER_PAGE = 50
# The service model requires the name only, because alarms on metric math need less.
_REQUIRED_OF_ALARMS = (
    "ComparisonOperator",
    "EvaluationPeriods",
    "MetricName",
    "Namespace",
    "Period",
    "Statistic",
    "Threshold",
)
_QUERY_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


class CloudWatchOperations(OperationTable):
    """The CloudWatch API of a World, as far as EMR's metrics go."""

    def __init__(self, cloudwatch: CloudWatchApi) -> None:
        self._cloudwatch = cloudwatch
        super().__init__(
            {
                "DeleteAlarms": self._delete_alarms,
                "DescribeAlarms": self._describe_alarms,
                "GetMetricData": self._get_metric_data,
                "PutMetricAlarm": self._put_metric_alarm,
            }
        )

    def _get_metric_data(self, parameters: Parameters) -> Result:
        queries = [_query(entry) for entry in parameters["MetricDataQueries"]]
        if len(queries) > QUERIES_PER_CALL:
            raise _invalid(
                f"The collection MetricDataQueries must not have a size greater than {QUERIES_PER_CALL}"
            )
        repeated = [name for name, times in Counter(query.query_id for query in queries).items() if times > 1]
        if repeated:
            raise _invalid(f"The values for parameter id in MetricDataQueries are not unique: {repeated}")
        start, end = parameters["StartTime"], parameters["EndTime"]
        if start >= end:
            raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
        series = self._cloudwatch.get_metric_data(queries, start=start, end=end)
        size = min(parameters.get("MaxDatapoints", DATAPOINTS_PER_PAGE), DATAPOINTS_PER_PAGE)
        return _metric_page(
            series,
            entries={entry["Id"]: entry for entry in parameters["MetricDataQueries"]},
            first=_offset(parameters.get("NextToken")),
            size=size,
            newest_first=parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending",
        )

    def _put_metric_alarm(self, parameters: Parameters) -> Result:
        for name in ("Metrics", "ExtendedStatistic", "ThresholdMetricId"):
            if name in parameters:
                raise ApiError("UnsupportedOperation", f"{name} of an alarm is not simulated")
        for name in _REQUIRED_OF_ALARMS:
            if name not in parameters:
                raise ApiError("MissingParameter", f"The parameter {name} is required.")
        cluster_id = _cluster_of(parameters["Namespace"], parameters.get("Dimensions", ()))
        if cluster_id is None:
            raise ApiError("UnsupportedOperation", "only alarms on one cluster's EMR metrics are simulated")
        self._cloudwatch.put_metric_alarm(
            MetricAlarm(
                name=parameters["AlarmName"],
                cluster_id=cluster_id,
                metric=parameters["MetricName"],
                comparison=parameters["ComparisonOperator"],
                threshold=parameters["Threshold"],
                period_seconds=parameters["Period"],
                evaluation_periods=parameters["EvaluationPeriods"],
                datapoints_to_alarm=parameters.get("DatapointsToAlarm"),
                statistic=parameters["Statistic"],
                treat_missing_data=parameters.get("TreatMissingData", "missing"),
                description=parameters.get("AlarmDescription", ""),
                actions_enabled=parameters.get("ActionsEnabled", True),
                alarm_actions=tuple(parameters.get("AlarmActions", ())),
            )
        )
        return {}

    def _delete_alarms(self, parameters: Parameters) -> Result:
        self._cloudwatch.delete_alarms(parameters["AlarmNames"])
        return {}

    def _describe_alarms(self, parameters: Parameters) -> Result:
        if "AlarmNames" in parameters and "AlarmNamePrefix" in parameters:
            raise _invalid("AlarmNames and AlarmNamePrefix cannot be combined")
        types = parameters.get("AlarmTypes", ["MetricAlarm"])
        names = parameters.get("AlarmNames", ())
        wants_nothing = "MetricAlarm" not in types or ("AlarmNames" in parameters and not names)
        found: Sequence[AlarmDescription] = ()
        if not wants_nothing:
            found = self._cloudwatch.describe_alarms(prefix=parameters.get("AlarmNamePrefix", ""), names=names)
        state = parameters.get("StateValue")
        chosen, token = page(
            [described for described in found if state in {None, described.state}],
            name=lambda described: described.alarm.name,
            after=parameters.get("NextToken"),
            size=parameters.get("MaxRecords", ALARMS_PER_PAGE),
            refusal=lambda wrong: ApiError("InvalidNextToken", f"The next token {wrong!r} is invalid."),
        )
        alarms = [_alarm(described) for described in chosen]
        return present(MetricAlarms=alarms, CompositeAlarms=[], NextToken=token)


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationError", message)


def _cluster_of(namespace: str, dimensions: Sequence[Mapping[str, str]]) -> str | None:
    """Return the cluster that a metric is of; None for metrics that the World does not have."""
    if namespace != NAMESPACE or len(dimensions) != 1 or dimensions[0]["Name"] != DIMENSION:
        return None
    return dimensions[0]["Value"]


def _query(entry: Mapping[str, Any]) -> MetricQuery:
    if "MetricStat" not in entry:
        raise ApiError("UnsupportedOperation", "metric math is not simulated")
    if not _QUERY_ID.fullmatch(entry["Id"]):
        raise _invalid(f"The value {entry['Id']} for parameter id must start with a lower case letter")
    stat = entry["MetricStat"]
    metric = stat["Metric"]
    # A metric that nobody publishes is no error: CloudWatch has no data of it.
    cluster_id = _cluster_of(metric.get("Namespace", ""), metric.get("Dimensions", ()))
    return MetricQuery(
        query_id=entry["Id"],
        metric=metric.get("MetricName", ""),
        cluster_id=cluster_id or "",
        period_seconds=stat["Period"],
        stat=stat["Stat"],
    )


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    if not token.isdecimal():
        raise ApiError("InvalidNextToken", f"The next token {token!r} is invalid.")
    return int(token)


def _metric_page(
    series: Sequence[MetricSeries],
    *,
    entries: Mapping[str, Mapping[str, Any]],
    first: int,
    size: int,
    newest_first: bool,
) -> Result:
    """Return the points from ``first`` on, counted over all series: a series may go on on the next page."""
    last = first + size
    seen = 0
    results = []
    for one in series:
        points = one.points[::-1] if newest_first else one.points
        chosen = points[max(0, first - seen) : max(0, last - seen)]
        if chosen or (not points and first == 0):
            entry = entries[one.query_id]
            complete = seen + len(points) <= last
            results.append(_metric_result(entry, chosen, complete=complete))
        seen += len(points)
    return present(MetricDataResults=results, NextToken=str(last) if seen > last else None)


def _metric_result(
    entry: Mapping[str, Any], points: Sequence[tuple[datetime, float]], *, complete: bool
) -> Result:
    return {
        "Id": entry["Id"],
        "Label": entry.get("Label", entry["MetricStat"]["Metric"].get("MetricName", "")),
        "Timestamps": [at for at, _ in points],
        "Values": [float(value) for _, value in points],
        "StatusCode": "Complete" if complete else "PartialData",
    }


def _alarm(described: AlarmDescription) -> Result:
    alarm = described.alarm
    return present(
        AlarmName=alarm.name,
        AlarmArn=described.arn,
        AlarmDescription=alarm.description or None,
        AlarmConfigurationUpdatedTimestamp=described.configuration_updated_at,
        ActionsEnabled=alarm.actions_enabled,
        OKActions=[],
        AlarmActions=list(alarm.alarm_actions),
        InsufficientDataActions=[],
        StateValue=described.state,
        StateReason=described.state_reason,
        StateReasonData=described.state_reason_data or None,
        StateUpdatedTimestamp=described.state_updated_at,
        MetricName=alarm.metric,
        Namespace=NAMESPACE,
        Statistic=alarm.statistic,
        Dimensions=[{"Name": DIMENSION, "Value": alarm.cluster_id}],
        Period=alarm.period_seconds,
        EvaluationPeriods=alarm.evaluation_periods,
        DatapointsToAlarm=alarm.datapoints_to_alarm,
        Threshold=float(alarm.threshold),
        ComparisonOperator=alarm.comparison,
        TreatMissingData=alarm.treat_missing_data,
    )
