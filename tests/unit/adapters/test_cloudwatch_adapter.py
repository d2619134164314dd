from datetime import UTC, datetime, timedelta

import pytest
from botocore.stub import ANY

from emr_autoscaler.adapters.cloudwatch import CloudWatchAlarms, CloudWatchMetrics
from emr_autoscaler.domain.errors import NotFoundError, RefusedError, UnavailableError
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.ports import AlarmSpec

START = datetime(2026, 10, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
IDLE = [MetricName.IS_IDLE]


def result(*minutes, status="Complete", query="m0"):
    return {
        "Id": query,
        "Timestamps": [START + m * MINUTE for m in minutes],
        "Values": [float(m) for m in minutes],
        "StatusCode": status,
    }


def read(client):
    answer = CloudWatchMetrics(client).read_metrics(["j-1"], IDLE, start=START, end=START + 30 * MINUTE)
    return [point.value for point in answer["j-1"].series.get(MetricName.IS_IDLE, ())]


def test_a_metric_that_goes_on_on_the_next_page_is_put_together_in_order(stubbed):
    client, stub = stubbed("cloudwatch")
    first = {"MetricDataResults": [result(0, 5, status="PartialData")], "NextToken": "next"}
    stub.add_response("get_metric_data", first)
    stub.add_response("get_metric_data", {"MetricDataResults": [result(15, 10)]})
    assert read(client) == [0, 5, 10, 15]


def test_points_outside_the_window_are_left_out(stubbed):
    client, stub = stubbed("cloudwatch")
    stub.add_response("get_metric_data", {"MetricDataResults": [result(-5, 0, 25, 30)]})
    assert read(client) == [0, 25]


@pytest.mark.parametrize(("status", "kind"), [("InternalError", UnavailableError), ("Forbidden", RefusedError)])
def test_a_metric_that_could_not_be_read_is_an_error_not_an_absence(stubbed, status, kind):
    client, stub = stubbed("cloudwatch")
    stub.add_response("get_metric_data", {"MetricDataResults": [result(status=status)]})
    with pytest.raises(kind, match="IsIdle"):
        read(client)


def test_an_alarm_is_sent_so_that_missing_data_stays_missing(stubbed):
    client, stub = stubbed("cloudwatch")
    stub.add_response(
        "put_metric_alarm",
        {},
        {
            "AlarmName": "a",
            "AlarmDescription": "why",
            "ActionsEnabled": False,
            "Namespace": "AWS/ElasticMapReduce",
            "MetricName": "IsIdle",
            "Dimensions": [{"Name": "JobFlowId", "Value": "j-1"}],
            "Statistic": "Average",
            "Period": 300,
            "EvaluationPeriods": 2,
            "DatapointsToAlarm": 2,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "missing",
            "Tags": [{"Key": "emr-autoscaler:cluster", "Value": "j-1"}],
        },
    )
    alarm = AlarmSpec(
        name="a",
        cluster_id="j-1",
        metric=MetricName.IS_IDLE,
        comparison="GreaterThanOrEqualToThreshold",
        threshold=1.0,
        periods=2,
        description="why",
    )
    CloudWatchAlarms(client).put_alarms([alarm])


def alarms(*names):
    return {"MetricAlarms": [{"AlarmName": name} for name in names]}


def test_alarms_that_somebody_else_deletes_meanwhile_do_not_keep_the_others(stubbed):
    client, stub = stubbed("cloudwatch")
    stub.add_response("describe_alarms", alarms("a", "b"), {"AlarmNames": ["a", "b"]})
    stub.add_client_error("delete_alarms", "ResourceNotFound", http_status_code=404)
    stub.add_response("describe_alarms", alarms("b"), {"AlarmNames": ["a", "b"]})
    stub.add_response("delete_alarms", {}, {"AlarmNames": ["b"]})
    CloudWatchAlarms(client).delete_alarms(["a", "b"])


def test_alarms_that_keep_vanishing_are_reported(stubbed):
    client, stub = stubbed("cloudwatch")
    for _ in range(2):
        stub.add_response("describe_alarms", alarms("a"), {"AlarmNames": ANY})
        stub.add_client_error("delete_alarms", "ResourceNotFound", http_status_code=404)
    with pytest.raises(NotFoundError):
        CloudWatchAlarms(client).delete_alarms(["a"])
