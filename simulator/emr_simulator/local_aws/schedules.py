"""Fires deployed schedule rules in virtual time, with events shaped as EventBridge shapes them.

When virtual time passes is the caller's business; which functions an event reaches is events.py's.
"""

import calendar
import heapq
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from emr_simulator.local_aws.events import Delivery, EventDriver, Rule
from emr_simulator.local_aws.process import ACCOUNT_ID, REGION

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_SEARCH_DAYS = 366 * 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Every so often, from the time it was enabled."""

    every: timedelta

    def after(self, previous: datetime) -> datetime:
        """Return the firing after ``previous``, itself a firing or the start."""
        return previous + self.every


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """Six fields, in UTC; each set holds what its field allows. A day must suit both day and weekday."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def after(self, previous: datetime) -> datetime:
        """Return the first firing later than ``previous``. Raises ValueError where none is near."""
        start = previous.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for offset in range(_SEARCH_DAYS):
            day = start.date() + timedelta(days=offset)
            if not self._allows(day.year, day.month, day.day, day.isoweekday() % 7 + 1):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                    if moment >= start:
                        return moment
        msg = f"no firing within five years of {previous.isoformat()}"
        raise ValueError(msg)

    def _allows(self, year: int, month: int, day: int, weekday: int) -> bool:
        return year in self.years and month in self.months and day in self.days and weekday in self.weekdays


def parse_schedule(expression: str) -> Rate | Cron:
    """Read rate() or cron(). Raises ValueError for what EventBridge would refuse or is not known here.

    L, W and # (last, nearest weekday, n-th weekday) are not known.
    """
    if rate := _RATE.fullmatch(expression):
        count, unit = int(rate[1]), rate[2]
        if count < 1:
            msg = f"{expression}: a rate of nothing"
            raise ValueError(msg)
        return Rate(every=timedelta(**{f"{unit}s": count}))
    cron = _CRON.fullmatch(expression)
    if cron is None or (cron[3] == "?") == (cron[5] == "?"):
        msg = f"{expression}: neither rate(n unit) nor cron of six fields with exactly one ?"
        raise ValueError(msg)
    return Cron(
        minutes=_field(cron[1], 0, 59),
        hours=_field(cron[2], 0, 23),
        days=_field(cron[3], 1, 31),
        months=_field(cron[4], 1, 12, _MONTHS),
        weekdays=_field(cron[5], 1, 7, _WEEKDAYS),
        years=_field(cron[6], 1970, 2199),
    )


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """Return the numbers one cron field allows: lists, ranges and steps of numbers or names."""

    def number(word: str) -> int:
        value = (names or {}).get(word.upper())
        value = int(word) if value is None else value
        if not low <= value <= high:
            msg = f"{word}: not within {low}-{high}"
            raise ValueError(msg)
        return value

    allowed: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            first, last = low, high
        elif "-" in span:
            first, last = (number(word) for word in span.split("-", 1))
        else:
            first = number(span)
            last = high if step else first
        allowed.update(range(first, last + 1, int(step or 1)))
    return frozenset(allowed)


@dataclass(order=True, slots=True)
class _Due:
    at: datetime
    rule_name: str
    rule: Rule = field(compare=False)
    schedule: Rate | Cron = field(compare=False)


class ScheduleDriver:
    """Fires the schedule rules of a deployed stack as virtual time passes."""

    def __init__(self, driver: EventDriver, start: datetime) -> None:
        """Take the deployed schedules as enabled at ``start`` (aware UTC), the first firing lies after it."""
        self._driver = driver
        self._due: list[_Due] = []
        for rule in driver.rules:
            if rule.schedule:
                schedule = parse_schedule(rule.schedule)
                heapq.heappush(self._due, _Due(schedule.after(start), rule.name, rule, schedule))

    @property
    def next_at(self) -> datetime | None:
        """When the next schedule fires; None where the stack has none."""
        return self._due[0].at if self._due else None

    def pending(self, until: datetime) -> Iterator[tuple[datetime, Rule]]:
        """Yield what fires up to and including ``until``, in order; what is yielded counts as fired."""
        while self._due and self._due[0].at <= until:
            due = self._due[0]
            at = due.at
            heapq.heapreplace(self._due, _Due(due.schedule.after(at), due.rule_name, due.rule, due.schedule))
            yield at, due.rule

    def fire(
        self, rule: Rule, at: datetime, *, wait: bool = True, raise_errors: bool = True
    ) -> tuple[Delivery, ...]:
        """Invoke the functions of one schedule rule with the event EventBridge would send at ``at``."""
        event = scheduled_event(rule.name, at)
        return tuple(
            self._driver.invoke(function, event, rule=rule.name, wait=wait, raise_errors=raise_errors)
            for function in rule.functions
        )


def scheduled_event(rule_name: str, at: datetime) -> dict[str, Any]:
    """Return the event of a schedule rule; its id is the same for the same rule and time."""
    arn = f"arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/{rule_name}"
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{arn}@{stamp}")),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": stamp,
        "region": REGION,
        "resources": [arn],
        "detail": {},
    }
