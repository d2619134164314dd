"""Which scheduled minimum holds at a time, and when that next changes; daylight saving included."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from emr_autoscaler.domain.policy import ScheduledMinimum

LOOK_AHEAD = timedelta(days=8)


def scheduled_min_nodes(schedules: Sequence[ScheduledMinimum], now: datetime) -> int:
    """Return the largest minimum of the windows open at ``now``; 0 where none is."""
    return max((s.min_nodes for s in schedules if _is_open(s, now)), default=0)


def next_change(schedules: Sequence[ScheduledMinimum], now: datetime) -> datetime | None:
    """Return when the next window opens or closes after ``now``, within eight days, in the zone of ``now``."""
    moments = (moment for s in schedules for moment in _edges(s, now) if moment > now)
    return min(moments, default=None)


def _is_open(schedule: ScheduledMinimum, now: datetime) -> bool:
    local = now.astimezone(ZoneInfo(schedule.time_zone))
    minute = local.hour * 60 + local.minute
    return local.weekday() in schedule.weekdays and schedule.start_minute <= minute < schedule.end_minute


def _edges(schedule: ScheduledMinimum, now: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(schedule.time_zone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(LOOK_AHEAD.days + 1):
        # Wall-clock arithmetic on purpose: 08:00 stays 08:00 across a change of the clocks.
        start = midnight + timedelta(days=day, minutes=schedule.start_minute)
        if start.weekday() in schedule.weekdays:
            yield start.astimezone(now.tzinfo)
            yield (midnight + timedelta(days=day, minutes=schedule.end_minute)).astimezone(now.tzinfo)
