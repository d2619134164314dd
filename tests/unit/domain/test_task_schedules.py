"""Scheduled minimums, and when a cluster is looked at again; by example."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.scenes import (
    BUSY,
    NOW,
    SAMPLED,
    counts,
    decide,
    minutes,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.policy import ScheduledMinimum


def window(*, start: int, end: int, nodes: int = 4, zone: str = "UTC") -> ScheduledMinimum:
    return ScheduledMinimum(
        weekdays=frozenset(range(7)), start_minute=start, end_minute=end, time_zone=zone, min_nodes=nodes
    )


def test_a_scheduled_minimum_is_filled_while_its_window_is_open() -> None:
    decision = decide(task_evidence(task_group(), schedules=(window(start=720, end=780),)))
    assert (decision.reason, counts(decision)) == (Reason.SCHEDULED_MINIMUM, {"ig-A": 4})


def test_a_scheduled_minimum_never_passes_the_maximum() -> None:
    evidence = task_evidence(task_group(), schedules=(window(start=720, end=780, nodes=40),), max_nodes=6)
    assert counts(decide(evidence)) == {"ig-A": 6}


def test_a_settled_cluster_is_looked_at_when_a_window_opens() -> None:
    decision = decide(task_evidence(task_group(), schedules=(window(start=780, end=840),)))
    assert decision.next_evaluation_at == NOW + minutes(60)


def test_a_cluster_at_its_scheduled_minimum_is_looked_at_when_the_window_closes() -> None:
    decision = decide(task_evidence(task_group(count=4), schedules=(window(start=700, end=750),)))
    assert (decision.action, decision.next_evaluation_at) == (Action.HOLD, NOW + minutes(30))


@pytest.mark.parametrize(
    ("day", "hour_utc"), [(24, 6), (26, 7)], ids=["summer time in Berlin", "after the change of the clocks"]
)
def test_schedules_follow_daylight_saving(day: int, hour_utc: int) -> None:
    now = datetime(2026, 10, day, 0, 0, tzinfo=UTC)
    evidence = task_evidence(
        task_group(),
        now=now,
        metrics=yarn(at=now - minutes(2)),
        schedules=(window(start=480, end=600, zone="Europe/Berlin"),),
    )
    assert decide(evidence).next_evaluation_at == datetime(2026, 10, day, hour_utc, 0, tzinfo=UTC)


def test_a_cluster_with_nothing_to_do_at_its_minimum_is_settled() -> None:
    decision = decide(task_evidence(task_group(count=2), min_nodes=2))
    assert (decision.reason, decision.next_evaluation_at) == (Reason.AT_MINIMUM, None)


def test_a_cluster_with_work_is_looked_at_again_when_the_next_sample_is_visible() -> None:
    decision = decide(task_evidence(task_group(count=10), metrics=BUSY))
    assert decision.next_evaluation_at == SAMPLED + minutes(5) + timedelta(seconds=150)
