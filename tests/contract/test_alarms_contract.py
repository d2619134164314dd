from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.worlds import run_cluster

from emr_autoscaler.domain.errors import RefusedError
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.ports import AlarmSpec

PREFIX = "emr-autoscaler"


def alarm(name, cluster_id="j-1", **changes):
    spec = AlarmSpec(
        name=f"{PREFIX}-{name}",
        cluster_id=cluster_id,
        metric=MetricName.IS_IDLE,
        comparison="GreaterThanOrEqualToThreshold",
        threshold=1.0,
        periods=3,
        description="Nothing runs.",
    )
    return replace(spec, **changes)


def stored(aws, name):
    (described,) = aws.world.cloudwatch.describe_alarms(names=[f"{PREFIX}-{name}"])
    return described


def test_alarms_are_listed_by_prefix_and_sorted(aws):
    aws.alarms.put_alarms([alarm("b"), alarm("a"), replace(alarm("x"), name="someone-elses")])
    assert aws.alarms.list_alarms(PREFIX) == ("emr-autoscaler-a", "emr-autoscaler-b")
    assert aws.alarms.list_alarms("") == ("emr-autoscaler-a", "emr-autoscaler-b", "someone-elses")
    assert aws.alarms.list_alarms("nobody") == ()


def test_an_alarm_is_stored_as_it_was_asked_for(aws):
    aws.alarms.put_alarms([alarm("idle", threshold=0.5, period=timedelta(minutes=10))])
    kept = stored(aws, "idle").alarm
    assert (kept.metric, kept.cluster_id) == ("IsIdle", "j-1")
    assert (kept.comparison, kept.threshold) == ("GreaterThanOrEqualToThreshold", 0.5)
    assert (kept.period_seconds, kept.evaluation_periods, kept.datapoints_to_alarm) == (600, 3, 3)
    assert kept.description == "Nothing runs."


def test_missing_data_never_breaches(aws):
    aws.alarms.put_alarms([alarm("idle")])
    assert stored(aws, "idle").alarm.treat_missing_data == "missing"
    aws.world.run_for(timedelta(hours=1))
    assert stored(aws, "idle").state == "INSUFFICIENT_DATA"


def test_an_alarm_goes_off(aws):
    cluster_id = run_cluster(aws.world)
    aws.alarms.put_alarms([alarm("idle", cluster_id)])
    aws.world.run_for(timedelta(minutes=30))
    assert stored(aws, "idle").state == "ALARM"


def test_putting_an_alarm_again_updates_it(aws):
    aws.alarms.put_alarms([alarm("idle")])
    aws.alarms.put_alarms([alarm("idle", threshold=2.0)])
    assert aws.alarms.list_alarms(PREFIX) == ("emr-autoscaler-idle",)
    assert stored(aws, "idle").alarm.threshold == 2.0


def test_an_alarm_that_cannot_be_is_refused(aws):
    with pytest.raises(RefusedError):
        aws.alarms.put_alarms([alarm("odd", comparison="SlightlyAboveThreshold")])


def test_deleting_ignores_names_that_are_not_there(aws):
    aws.alarms.put_alarms([alarm("a"), alarm("b")])
    aws.alarms.delete_alarms([f"{PREFIX}-a", f"{PREFIX}-never-was"])
    aws.alarms.delete_alarms([f"{PREFIX}-a"])
    aws.alarms.delete_alarms([])
    assert aws.alarms.list_alarms(PREFIX) == ("emr-autoscaler-b",)


def test_more_alarms_than_a_page_or_a_call_holds_are_listed_and_deleted(aws):
    names = [f"{number:03}" for number in range(120)]
    aws.alarms.put_alarms([alarm(name) for name in names])
    listed = aws.alarms.list_alarms(PREFIX)
    assert listed == tuple(f"{PREFIX}-{name}" for name in names)
    aws.alarms.delete_alarms(listed)
    assert aws.alarms.list_alarms(PREFIX) == ()
