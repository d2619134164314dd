"""How far apart samples are is told by the samples themselves."""

from datetime import UTC, datetime, timedelta

import pytest

from emr_autoscaler.domain.metrics import FIVE_MINUTES, ONE_MINUTE, MetricName, MetricPoint, spacing_of, step_of

START = datetime(2026, 10, 5, 12, tzinfo=UTC)


def points(*minutes: float) -> tuple[MetricPoint, ...]:
    return tuple(MetricPoint(at=START + m * ONE_MINUTE, value=1.0) for m in minutes)


@pytest.mark.parametrize(
    ("minutes", "spacing"),
    [
        ((), FIVE_MINUTES),
        ((7,), FIVE_MINUTES),
        ((0, 5, 10, 15), FIVE_MINUTES),
        ((0, 1, 2, 3), ONE_MINUTE),
        ((0, 1, 2, 9, 10, 11), ONE_MINUTE),
        ((0, 5, 10, 10.5, 15, 20), FIVE_MINUTES),
        ((0, 5, 10, 15, 20, 21, 22, 23), ONE_MINUTE),
        ((0, 1, 2, 3, 8, 13, 18), FIVE_MINUTES),
        ((0, 10, 20), FIVE_MINUTES),
    ],
    ids=str,
)
def test_the_newest_samples_tell_their_spacing(minutes: tuple[float, ...], spacing: timedelta) -> None:
    assert spacing_of({MetricName.IS_IDLE: points(*minutes)}) == spacing


def test_the_metric_with_most_samples_is_judged() -> None:
    series = {MetricName.IS_IDLE: points(0, 1, 2, 3), MetricName.APPS_RUNNING: points(0, 3)}
    assert spacing_of(series) == ONE_MINUTE
    assert spacing_of({}) == FIVE_MINUTES


def test_only_short_windows_are_read_by_the_minute() -> None:
    assert step_of(START, START + timedelta(hours=3)) == ONE_MINUTE
    assert step_of(START, START + timedelta(hours=3, seconds=1)) == FIVE_MINUTES
