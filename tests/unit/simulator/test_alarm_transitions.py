import json

import pytest
from tests.support.simulated import START, a_cluster, a_job, a_world, events_of, seconds

from emr_simulator.descriptions import MetricAlarm
from emr_simulator.errors import ApiError


def an_alarm(cluster_id, **changed):
    values = {
        "name": "pending",
        "cluster_id": cluster_id,
        "metric": "ContainerPending",
        "comparison": "GreaterThanThreshold",
        "threshold": 0.0,
        **changed,
    }
    return MetricAlarm(**values)


def state_of(world):
    (alarm,) = world.cloudwatch.describe_alarms(prefix="pending")
    return alarm.state


def world_with_alarm(**changed):
    world = a_world()
    cluster_id = a_cluster(world)
    world.cloudwatch.put_metric_alarm(an_alarm(cluster_id, **changed))
    world.take_events()
    return world, cluster_id


def states_spoken(world):
    return [event["detail"]["state"]["value"] for event in events_of(world, "CloudWatch Alarm State Change")]


def test_a_new_alarm_has_insufficient_data_until_a_point_is_published():
    world, _ = world_with_alarm()
    world.run_until(START + seconds(360))
    assert state_of(world) == "INSUFFICIENT_DATA"
    world.run_until(START + seconds(420))
    assert state_of(world) == "OK"


def test_an_alarm_speaks_on_transitions_only():
    world, cluster_id = world_with_alarm()
    world.submit_job(cluster_id, a_job(tasks=30, lasting=1000), at=START + seconds(700))
    world.run_for(seconds(3600))
    assert states_spoken(world) == ["OK", "ALARM", "OK"]


def test_an_alarm_event_has_the_shape_of_eventbridge():
    world, cluster_id = world_with_alarm()
    world.run_for(seconds(300))
    (event,) = events_of(world, "CloudWatch Alarm State Change")
    assert event["source"] == "aws.cloudwatch"
    assert event["resources"] == ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:pending"]
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert json.loads(event["detail"]["state"]["reasonData"])["recentDatapoints"] == [0.0]
    (metric,) = event["detail"]["configuration"]["metrics"]
    assert metric["metricStat"]["metric"]["dimensions"] == {"JobFlowId": cluster_id}


def test_two_periods_are_needed_where_the_alarm_says_so():
    world, cluster_id = world_with_alarm(evaluation_periods=2)
    world.submit_job(cluster_id, a_job(tasks=30, lasting=5000), at=START + seconds(700))
    world.run_until(START + seconds(900 + 90 + 30))
    assert state_of(world) == "OK"
    world.run_until(START + seconds(1200 + 90 + 30))
    assert state_of(world) == "ALARM"


@pytest.mark.parametrize(
    ("treatment", "after"), [("missing", "INSUFFICIENT_DATA"), ("notBreaching", "OK"), ("ignore", "ALARM")]
)
def test_missing_data_is_treated_as_the_alarm_says(treatment, after):
    world, cluster_id = world_with_alarm(treat_missing_data=treatment)
    world.submit_job(cluster_id, a_job(tasks=30, lasting=9000))
    world.run_for(seconds(600))
    assert state_of(world) == "ALARM"
    world.hold_metrics(cluster_id, until=START + seconds(90_000))
    world.run_for(seconds(3600))
    assert state_of(world) == after


def test_deleting_alarms_ignores_names_that_are_not_known():
    world, _ = world_with_alarm()
    world.cloudwatch.delete_alarms(["nobody", "pending"])
    assert world.cloudwatch.describe_alarms() == ()


def test_replacing_an_alarm_keeps_its_state():
    world, cluster_id = world_with_alarm()
    world.run_for(seconds(300))
    world.cloudwatch.put_metric_alarm(an_alarm(cluster_id, threshold=5.0))
    assert state_of(world) == "OK"


def test_alarms_are_listed_by_prefix():
    world, cluster_id = world_with_alarm()
    world.cloudwatch.put_metric_alarm(an_alarm(cluster_id, name="other"))
    assert [a.alarm.name for a in world.cloudwatch.describe_alarms(prefix="oth")] == ["other"]


def test_a_wrong_comparison_is_refused():
    with pytest.raises(ApiError, match="comparisonOperator"):
        world_with_alarm(comparison="Above")
