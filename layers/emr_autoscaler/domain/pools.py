"""How the health of a spot pool changes with trouble (facts on spot: one warning cools the whole pool)."""

from dataclasses import replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.memory import PoolHealth

FIRST_COOLING = timedelta(minutes=10)
LONGEST_COOLING = timedelta(minutes=60)
HEALTHY_AFTER = timedelta(hours=1)


def cool_pool(health: PoolHealth, now: datetime) -> PoolHealth:
    """Return the pool's health after a warning or an insufficient-capacity event.

    The first trouble cools for ten minutes; trouble after a cooling doubles it, to an hour at most;
    an hour without trouble after the last cooling starts over. Trouble during a cooling belongs to
    the same outage (interruptions of one pool come within minutes of each other) and adds nothing.
    """
    if health.is_cooling(now):
        return replace(health, last_trouble_at=now)
    recovered = health.cooling_until is None or now - health.cooling_until >= HEALTHY_AFTER
    length = FIRST_COOLING if recovered else min(health.cooling_for * 2, LONGEST_COOLING)
    return replace(health, cooling_until=now + length, cooling_for=length, last_trouble_at=now)


def note_rebalance(health: PoolHealth, now: datetime) -> PoolHealth:
    """Return the pool's health after a rebalance recommendation: a lower rank, nothing more."""
    return replace(health, rebalance_at=now)


def rank(health: PoolHealth, now: datetime) -> int:
    """Return how late the pool should be asked: 0 first, 1 after a recent rebalance recommendation."""
    recent = health.rebalance_at is not None and now - health.rebalance_at < HEALTHY_AFTER
    return 1 if recent else 0
