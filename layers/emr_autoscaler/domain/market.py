"""What a useful hour in a pool costs once its interruptions are reckoned with, and how they are remembered.

The formula and its constants are those of docs/spot.md (after SpotOn, Proteus and HotSpot). Prices come
from the price book; nothing is looked up here.
"""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.memory import PoolHealth
from emr_autoscaler.domain.node_prices import NodePrice

HALF_LIFE = timedelta(hours=24)
"""After this long an interruption, or a node-hour without one, counts half."""

LOST_WORK_HOURS = 0.25
GAP_HOURS = 0.07
"""What one interruption costs: work that runs again, and the time until the replacement is useful."""

PRIOR_WEIGHT = 1.0
INTERRUPTED_PER_MONTH = (0.025, 0.075, 0.125, 0.175, 0.30)
"""Middle of each bucket of the spot advisor: the part of instances interrupted within a month."""

USUAL_BUCKET = 2
"""Of a type whose bucket is not known."""

HOURS_PER_MONTH = 730
LEAST_USEFUL = 0.05
"""However often a pool is interrupted, this part of an hour counts as useful: costs stay finite."""

_HOUR = timedelta(hours=1)
_MIB_PER_GIB = 1024


def useful_gib_hour_usd(
    price: NodePrice, *, market: Market, node_mib: float, health: PoolHealth | None, now: datetime
) -> Decimal:
    """Return the risk-adjusted USD of a useful hour of a GiB of YARN memory.

    Args:
        price: Of one node.
        market: Only spot is interrupted.
        node_mib: YARN memory of one node.
        health: What the pool was seen to do; None for nothing.
        now: Experience decays until then.
    """
    useful = node_mib / _MIB_PER_GIB
    if market is Market.SPOT:
        lost = interruptions_per_node_hour(health, now) * (LOST_WORK_HOURS + GAP_HOURS)
        useful *= max(LEAST_USEFUL, 1.0 - lost)
    return (price.ec2_usd + price.emr_usd) / Decimal(str(useful))


def interruptions_per_node_hour(health: PoolHealth | None, now: datetime) -> float:
    """Return the posterior rate: what the bucket promises, corrected by what was seen."""
    bucket = USUAL_BUCKET if health is None or health.bucket is None else health.bucket
    prior = -math.log(1.0 - INTERRUPTED_PER_MONTH[bucket]) / HOURS_PER_MONTH
    if health is None:
        return prior
    fade = _fade(health, now)
    return (PRIOR_WEIGHT + health.interruptions * fade) / (PRIOR_WEIGHT / prior + health.node_hours * fade)


def faded_experience(health: PoolHealth, now: datetime) -> PoolHealth:
    """Return the health with its experience as old as it is at ``now``."""
    fade = _fade(health, now)
    return replace(
        health,
        interruptions=health.interruptions * fade,
        node_hours=health.node_hours * fade,
        experience_at=max(health.experience_at or now, now),
    )


def _fade(health: PoolHealth, now: datetime) -> float:
    """Return the factor by which experience has faded."""
    if health.experience_at is None or now <= health.experience_at:
        return 1.0
    return math.pow(0.5, (now - health.experience_at) / HALF_LIFE)


def with_node_hours(health: PoolHealth, nodes: int, *, since: datetime, now: datetime) -> PoolHealth:
    """Return the health after ``nodes`` ran in the pool from ``since`` to ``now``."""
    faded = faded_experience(health, now)
    hours = max(0.0, nodes * ((now - since) / _HOUR))
    return replace(faded, node_hours=faded.node_hours + hours)


def with_interruption(health: PoolHealth, now: datetime) -> PoolHealth:
    """Return the health after one more node of the pool was warned."""
    faded = faded_experience(health, now)
    return replace(faded, interruptions=faded.interruptions + 1)
