"""Schedule expressions in virtual time: when they fire, in which order, with which event."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.template import functions, triggers

from emr_simulator.local_aws.events import Rule
from emr_simulator.local_aws.schedules import ScheduleDriver, parse_schedule, scheduled_event

START = datetime(2026, 10, 5, 12, 59, 30, tzinfo=UTC)


def at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


class Rules:
    """Stands for the event driver: only its rules are looked at here."""

    def __init__(self, **schedules: str) -> None:
        self.rules = tuple(
            Rule(name=name, pattern=None, schedule=expression, functions=(name,))
            for name, expression in schedules.items()
        )


def driver(**schedules: str) -> ScheduleDriver:
    return ScheduleDriver(Rules(**schedules), START)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 minute)", START + timedelta(minutes=1)),
        ("rate(5 minutes)", START + timedelta(minutes=5)),
        ("rate(2 days)", START + timedelta(days=2)),
        ("cron(5 * * * ? *)", at(5, 13, 5)),
        ("cron(0/15 * * * ? *)", at(5, 13, 0)),
        ("cron(20 3 * * ? *)", at(6, 3, 20)),
        ("cron(0 8 ? * MON-FRI *)", at(6, 8, 0)),
        ("cron(0 8 ? * SUN *)", at(11, 8, 0)),
        ("cron(30 6 1 NOV ? *)", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
    ],
)
def test_the_first_firing_lies_after_the_start(expression: str, expected: datetime) -> None:
    assert parse_schedule(expression).after(START) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(5 fortnights)",
        "cron(5 * * * * *)",
        "cron(5 * ? * ? *)",
        "cron(61 * * * ? *)",
        "cron(5 * * *)",
        "",
    ],
)
def test_what_eventbridge_would_refuse_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message names the expression or the number
        parse_schedule(expression)


@given(st.integers(min_value=0, max_value=60 * 24 * 40))
def test_a_cron_fires_strictly_later_and_leaves_nothing_out(minutes: int) -> None:
    schedule = parse_schedule("cron(5 * * * ? *)")
    first = schedule.after(START + timedelta(minutes=minutes))
    assert first.minute == 5
    assert schedule.after(first) - first == timedelta(hours=1)


def test_schedules_fire_in_order_of_time_and_each_once() -> None:
    schedules = driver(sweep="rate(1 minute)", costs="cron(5 * * * ? *)")
    fired = list(schedules.pending(at(5, 14, 0)))
    assert all(before <= after for (before, _), (after, _) in pairwise(fired))
    assert [moment for moment, rule in fired if rule.name == "costs"] == [at(5, 13, 5)]
    assert len([rule for _, rule in fired if rule.name == "sweep"]) == 60
    assert list(schedules.pending(at(5, 14, 0))) == []
    assert schedules.next_at == at(5, 14, 0) + timedelta(seconds=30)


def test_a_scheduled_event_has_eventbridges_shape_and_a_lasting_id() -> None:
    event = scheduled_event("emr-autoscaler-sweep-schedule", at(5, 13, 5))
    assert event["detail-type"] == "Scheduled Event"
    assert event["source"] == "aws.events"
    assert event["time"] == "2026-10-05T13:05:00Z"
    assert event["resources"] == ["arn:aws:events:us-east-1:123456789012:rule/emr-autoscaler-sweep-schedule"]
    assert event["detail"] == {}
    assert event["id"] == scheduled_event("emr-autoscaler-sweep-schedule", at(5, 13, 5))["id"]
    assert event["id"] != scheduled_event("emr-autoscaler-sweep-schedule", at(5, 13, 6))["id"]


def test_every_schedule_of_the_template_can_be_fired() -> None:
    for verb in functions():
        for properties in triggers(verb, "Schedule").values():
            assert parse_schedule(properties["Schedule"]).after(START) > START
            assert properties["State"] == {"Ref": "ScheduleState"}
