"""CloudWatch: reading what is published, and alarms that speak on their transitions only."""

import json
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

from emr_simulator.descriptions import AlarmDescription, MetricAlarm, MetricQuery, MetricSeries
from emr_simulator.engine import to_moment, to_seconds
from emr_simulator.errors import ApiError
from emr_simulator.kernel import Kernel
from emr_simulator.metrics import STATISTICS, Metrics

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
MISSING = ("missing", "notBreaching", "breaching", "ignore")
MAXIMUM_QUERIES = 500
MAXIMUM_DELETIONS = 100
_EXTRA_PERIODS = 2
"""CloudWatch looks at a few more periods than an alarm needs, because data comes late."""


class _Alarm:
    def __init__(self, alarm: MetricAlarm, arn: str, now: int) -> None:
        self.alarm = alarm
        self.arn = arn
        self.state = "INSUFFICIENT_DATA"
        self.reason = "Unchecked: Initial alarm creation"
        self.reason_data = "{}"
        self.updated_at = now
        self.configured_at = now
        self.judge_at = 0


class _Watched:
    """The alarms of one cluster, and when they have to be judged again: all read the same samples."""

    def __init__(self) -> None:
        self.alarms: list[_Alarm] = []
        self.judged_on = -1
        self.judge_at = 0


class CloudWatchApi:
    """The calls of CloudWatch that the world answers."""

    def __init__(self, kernel: Kernel, metrics: Metrics) -> None:
        self._kernel = kernel
        self._metrics = metrics
        self._alarms: dict[str, _Alarm] = {}
        self._names: list[str] = []
        self._watched: defaultdict[str, _Watched] = defaultdict(_Watched)
        kernel.engine.at(self._next_minute(), self._tick)

    # ------------------------------------------------------------------ calls

    def put_metric_alarm(self, alarm: MetricAlarm) -> None:
        """Create or replace an alarm: new ones start in INSUFFICIENT_DATA, replaced ones keep their state."""
        self._kernel.calls["PutMetricAlarm"] += 1
        for value, allowed, field in (
            (alarm.comparison, COMPARISONS, "comparisonOperator"),
            (alarm.treat_missing_data, MISSING, "treatMissingData"),
            (alarm.statistic, STATISTICS, "statistic"),
        ):
            if value not in allowed:
                raise ApiError("ValidationError", f"Value '{value}' at '{field}' failed to satisfy constraint")
        if alarm.period_seconds not in {10, 30} and alarm.period_seconds % 60:
            raise ApiError("ValidationError", "The period for this alarm must be 10, 30 or a multiple of 60")
        settings = self._kernel.settings
        arn = f"arn:aws:cloudwatch:{settings.region}:{settings.account_id}:alarm:{alarm.name}"
        known = self._alarms.get(alarm.name)
        if known is not None and known.alarm.cluster_id != alarm.cluster_id:
            self._watched[known.alarm.cluster_id].alarms.remove(known)
            self._watched[alarm.cluster_id].alarms.append(known)
        if known is None:
            known = self._alarms[alarm.name] = _Alarm(alarm, arn, self._kernel.now)
            self._watched[alarm.cluster_id].alarms.append(known)
            insort(self._names, alarm.name)
        else:
            known.alarm, known.configured_at = alarm, self._kernel.now
        self._watched[alarm.cluster_id].judged_on = -1

    def delete_alarms(self, names: Sequence[str]) -> None:
        """Delete alarms; names that are not known are ignored."""
        self._kernel.calls["DeleteAlarms"] += 1
        if len(names) > MAXIMUM_DELETIONS:
            raise ApiError(
                "ValidationError", f"The list of alarm names must have at most {MAXIMUM_DELETIONS} items"
            )
        for name in names:
            held = self._alarms.pop(name, None)
            if held is not None:
                self._names.remove(name)
                self._watched[held.alarm.cluster_id].alarms.remove(held)

    def describe_alarms(self, *, prefix: str = "", names: Sequence[str] = ()) -> tuple[AlarmDescription, ...]:
        """Return alarms whose name starts with ``prefix`` or is one of ``names``, by name."""
        self._kernel.calls["DescribeAlarms"] += 1
        if prefix and names:
            raise ApiError("ValidationError", "AlarmNames and AlarmNamePrefix cannot both be specified")
        wanted = sorted(self._alarms.keys() & set(names)) if names else self._named(prefix)
        return tuple(
            AlarmDescription(
                alarm=held.alarm,
                arn=held.arn,
                state=held.state,
                state_reason=held.reason,
                state_reason_data=held.reason_data,
                state_updated_at=to_moment(held.updated_at),
                configuration_updated_at=to_moment(held.configured_at),
            )
            for held in map(self._alarms.__getitem__, wanted)
        )

    def _named(self, prefix: str) -> list[str]:
        """Return the names that start with ``prefix``, sorted."""
        first = bisect_left(self._names, prefix)
        return list(takewhile(lambda name: name.startswith(prefix), self._names[first:]))

    def alarm_names(self, prefix: str) -> tuple[str, ...]:
        """Return what ``describe_alarms`` tells where only the names are read, and count it as that call."""
        self._kernel.calls["DescribeAlarms"] += 1
        return tuple(self._named(prefix))

    def get_metric_data(
        self, queries: Sequence[MetricQuery], *, start: datetime, end: datetime
    ) -> tuple[MetricSeries, ...]:
        """Return what is published of each query in [start, end), one statistic for each period."""
        self._kernel.calls["GetMetricData"] += 1
        if len(queries) > MAXIMUM_QUERIES:
            raise ApiError(
                "ValidationError",
                f"The collection MetricDataQueries must not have more than {MAXIMUM_QUERIES} items",
            )
        if start >= end:
            raise ApiError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
        answer = []
        first, last = to_seconds(start), to_seconds(end)
        for query in queries:
            if query.stat not in STATISTICS:
                raise ApiError("ValidationError", f"The statistic {query.stat} is not supported")
            points = self._metrics.periods(
                query.cluster_id,
                query.metric,
                start=first,
                end=last,
                period=query.period_seconds,
                stat=query.stat,
            )
            answer.append(MetricSeries(query_id=query.query_id, points=points))
        return tuple(answer)

    # ------------------------------------------------------------------ every minute

    def _next_minute(self) -> int:
        return (self._kernel.now // 60 + 1) * 60

    def _tick(self) -> None:
        self._kernel.engine.look(self._evaluate_all)
        self._kernel.engine.at(self._next_minute(), self._tick)

    def _evaluate_all(self) -> None:
        now = self._kernel.now
        for cluster_id, watched in self._watched.items():
            shown = self._metrics.shown(cluster_id)
            if shown == watched.judged_on and now < watched.judge_at:
                continue
            for held in watched.alarms:
                if shown != watched.judged_on or now >= held.judge_at:
                    self._evaluate(held)
            watched.judged_on = shown
            watched.judge_at = min((held.judge_at for held in watched.alarms), default=now)

    def _evaluate(self, held: _Alarm) -> None:
        alarm, now = held.alarm, self._kernel.now
        period = alarm.period_seconds
        end = now - now % period + period
        points = self._metrics.latest(
            alarm.cluster_id,
            alarm.metric,
            count=alarm.evaluation_periods,
            start=end - period * (alarm.evaluation_periods + _EXTRA_PERIODS),
            end=end,
            period=period,
            stat=alarm.statistic,
        )
        # While nothing new is shown, the same points are judged until the oldest of them leaves the window.
        whole = len(points) == alarm.evaluation_periods
        kept = points[0][0] // period + alarm.evaluation_periods + _EXTRA_PERIODS - 1 if whole else 0
        held.judge_at = (max(now // period, kept) + 1) * period
        state = self._judge(held, [value for _, value in points])
        if state != held.state:
            self._change(held, state, [(to_moment(at), value) for at, value in points])

    @staticmethod
    def _judge(held: _Alarm, values: list[float]) -> str:
        """Judge as CloudWatch does: real points first, then missing ones as the alarm treats them."""
        alarm = held.alarm
        compare, threshold = COMPARISONS[alarm.comparison], alarm.threshold
        breaches = [compare(value, threshold) for value in values].count(True)
        missing = alarm.evaluation_periods - len(values)
        needed = alarm.datapoints_to_alarm or alarm.evaluation_periods
        treatment = alarm.treat_missing_data
        if not values and treatment == "missing":
            return "INSUFFICIENT_DATA"
        if missing and treatment == "ignore" and not len(values) - breaches:
            return held.state
        if treatment == "breaching":
            breaches += missing
        if treatment == "missing":
            needed = min(needed, len(values))
        return "ALARM" if breaches >= needed else "OK"

    def _change(self, held: _Alarm, state: str, points: Sequence[tuple[datetime, float]]) -> None:
        alarm, now = held.alarm, to_moment(self._kernel.now)
        shown = ", ".join(f"{value} ({at:%d/%m/%y %H:%M:%S})" for at, value in reversed(points))
        reason = (
            f"Threshold Crossed: {len(points)} datapoint(s) [{shown}] decided {state} "
            f"({alarm.comparison} {alarm.threshold})."
            if points
            else "Insufficient Data: no datapoints were received"
        )
        data = {
            "version": "1.0",
            "queryDate": _stamp(now),
            "startDate": _stamp(points[0][0]) if points else None,
            "statistic": alarm.statistic,
            "period": alarm.period_seconds,
            "recentDatapoints": [value for _, value in points],
            "threshold": alarm.threshold,
        }
        previous = self._state_of(held)
        held.state, held.reason, held.updated_at = state, reason, self._kernel.now
        held.reason_data = json.dumps({key: value for key, value in data.items() if value is not None})
        self._kernel.emit(
            "CloudWatch Alarm State Change",
            "aws.cloudwatch",
            {
                "alarmName": alarm.name,
                "state": self._state_of(held),
                "previousState": previous,
                "configuration": {
                    "description": alarm.description,
                    "metrics": [
                        {
                            "id": "m1",
                            "metricStat": {
                                "metric": {
                                    "namespace": "AWS/ElasticMapReduce",
                                    "name": alarm.metric,
                                    "dimensions": {"JobFlowId": alarm.cluster_id},
                                },
                                "period": alarm.period_seconds,
                                "stat": alarm.statistic,
                            },
                            "returnData": True,
                        }
                    ],
                },
            },
            [held.arn],
        )

    @staticmethod
    def _state_of(held: _Alarm) -> dict[str, Any]:
        return {
            "value": held.state,
            "reason": held.reason,
            "reasonData": held.reason_data,
            "timestamp": _stamp(to_moment(held.updated_at)),
        }


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
