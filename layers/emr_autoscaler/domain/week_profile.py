"""What a cluster's hours of the week usually need."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from emr_autoscaler.domain.demand import LONGEST_GAP, Demand

HOURS_OF_THE_WEEK = 168
NEVER_SEEN = -1

ENOUGH_OF_AN_HOUR = timedelta(minutes=30)
"""An hour that was seen for less than this does not enter the profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekProfile:
    """Mean memory in use by hour of the week, in UTC; half of each value is the last week's.

    Attributes:
        hours_mib: 168 values from Monday 00:00 on, NEVER_SEEN where unknown; empty before the first.
        hour: The hour being added up.
        mib_seconds: Its sum so far.
        seconds: The time seen of it.
    """

    hours_mib: tuple[int, ...] = ()
    hour: datetime | None = None
    mib_seconds: float = 0.0
    seconds: float = 0.0

    def expected_mib(self, at: datetime) -> float:
        """Return what this hour of the week needed in earlier weeks; 0 where it was never seen."""
        return max(0.0, float(self.hours_mib[_hour_of_week(at)])) if self.hours_mib else 0.0

    def next_above(self, mib: float, after: datetime) -> datetime | None:
        """Return when the next hour begins that usually needs more than ``mib``; None where none does."""
        first = _hour_of_week(after) + 1
        coming = self.hours_mib[first:] + self.hours_mib[:first]
        ahead = next((n for n, usual_mib in enumerate(coming, start=1) if usual_mib > max(0.0, mib)), None)
        return None if ahead is None else after.replace(minute=0, second=0, microsecond=0) + timedelta(hours=ahead)


def learn_profile(profile: WeekProfile, demand: Demand, passed: timedelta) -> WeekProfile:
    """Return the profile after one more sample, so long after the one before."""
    hour = demand.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if profile.hour != hour:
        profile = replace(_close_hour(profile), hour=hour, mib_seconds=0.0, seconds=0.0)
    if passed > LONGEST_GAP:
        return profile
    seconds = passed.total_seconds()
    return replace(
        profile,
        mib_seconds=profile.mib_seconds + demand.allocated_mib * seconds,
        seconds=profile.seconds + seconds,
    )


def _close_hour(profile: WeekProfile) -> WeekProfile:
    if profile.hour is None or profile.seconds < ENOUGH_OF_AN_HOUR.total_seconds():
        return profile
    hours = list(profile.hours_mib or (NEVER_SEEN,) * HOURS_OF_THE_WEEK)
    index, mean = _hour_of_week(profile.hour), profile.mib_seconds / profile.seconds
    hours[index] = round(mean if hours[index] == NEVER_SEEN else (hours[index] + mean) / 2)
    return replace(profile, hours_mib=tuple(hours))


def _hour_of_week(at: datetime) -> int:
    utc = at.astimezone(UTC)
    return utc.weekday() * 24 + utc.hour
