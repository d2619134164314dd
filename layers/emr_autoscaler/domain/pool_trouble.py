"""Which spot requests never come, when spot is given up for now, and what a storm of warnings is.

How long a pool cools is pools.py's; going back to spot is spot_return.py's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import InstanceGroup, Market
from emr_autoscaler.domain.memory import PoolHealth, TaskMemory
from emr_autoscaler.domain.pools import cool_pool

DRY_AFTER = timedelta(minutes=3)
"""A request that EC2 has not met for this long counts as a dry pool, where it is known what EC2 has met."""

STALLED_AFTER = timedelta(minutes=15)
"""Where that is not known a request unmet for this long is stalled (slow boots take 11 min)."""

STORM_WINDOW = timedelta(minutes=10)
STORM_WARNINGS = 3
STORM_FRACTION = 0.25
STORM_LASTS = timedelta(minutes=10)
CALM_POOLS = 2
"""Open spot pools with which one pool's outage is no storm: a single one left would carry all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """What the spot groups of a cluster do not get.

    Attributes:
        unmet: Requested nodes that never come, by group id: they belong elsewhere.
        since: Since when ordered spot capacity could not be had; None while it can.
        is_given_up: On-demand is ordered before the next pool.
    """

    unmet: Mapping[str, int]
    since: datetime | None = None
    is_given_up: bool = False


def find_shortage(
    groups: Sequence[InstanceGroup],
    *,
    now: datetime,
    memory: TaskMemory,
    pools: Mapping[str, PoolHealth],
    launched: Mapping[str, int],
    fallback_after: timedelta,
) -> Shortage:
    """Find what the spot groups wait for in vain.

    Args:
        groups: The groups that may be resized.
        now: The time of the decision.
        memory: With ``unfulfilled_since`` brought up to date.
        pools: Health by group id.
        launched: Instances EC2 has launched, by group id; a group that is missing was not looked at.
        fallback_after: How long spot may stay unmet, in whatever pools, before it is given up.
    """
    spot = [g for g in groups if g.market is Market.SPOT and g.requested_count > g.running_count]
    waiting = {g.group_id: _waiting(g, launched) for g in spot}
    dry = {
        g.group_id: waiting[g.group_id]
        for g in spot
        if waiting[g.group_id]
        and _is_dry(g, now=now, memory=memory, pools=pools, launched=launched, fallback_after=fallback_after)
    }
    surely = dry | {group_id: count for group_id, count in waiting.items() if count and group_id in launched}
    since = memory.spot_short_since if surely else None
    if dry:
        starts = [memory.unfulfilled_since[group_id] for group_id in dry]
        since = min(starts if since is None else [since, *starts])
    given_up = since is not None and now - since >= fallback_after
    return Shortage(unmet=surely if given_up else dry, since=since, is_given_up=given_up)


def _waiting(group: InstanceGroup, launched: Mapping[str, int]) -> int:
    """Count the requested nodes that EC2 has not launched, as far as that is known."""
    have = max(group.running_count, launched.get(group.group_id, group.running_count))
    return max(0, group.requested_count - have)


def _is_dry(
    group: InstanceGroup,
    *,
    now: datetime,
    memory: TaskMemory,
    pools: Mapping[str, PoolHealth],
    launched: Mapping[str, int],
    fallback_after: timedelta,
) -> bool:
    since = memory.unfulfilled_since.get(group.group_id)
    if since is None:
        return False
    if group.group_id in launched:
        return now - since >= DRY_AFTER
    health = pools.get(group.group_id)
    cooling = health is not None and health.is_cooling(now)
    return now - since >= (max(fallback_after, DRY_AFTER) if cooling else patience(fallback_after))


def patience(fallback_after: timedelta) -> timedelta:
    """Return how long a request may be unmet where nobody looked at what EC2 launched."""
    return max(STALLED_AFTER, fallback_after)


def cooled_pools(
    shortage: Shortage, pools: Mapping[str, PoolHealth], memory: TaskMemory, now: datetime
) -> tuple[PoolHealth, ...]:
    """Return the pools that are cooled because their requests stay unmet; those that cool already are not."""
    return tuple(
        cool_pool(health, now)
        for group_id, count in shortage.unmet.items()
        if count
        and (health := pools.get(group_id)) is not None
        and not health.is_cooling(now)
        and now - memory.unfulfilled_since.get(group_id, now) >= DRY_AFTER
    )


def moments_of_truth(
    groups: Sequence[InstanceGroup], memory: TaskMemory, fallback_after: timedelta
) -> Iterator[datetime]:
    """Yield when unmet requests turn into dry pools, or into reasons to go to on-demand."""
    spot = {group.group_id for group in groups if group.market is Market.SPOT}
    for group_id, since in memory.unfulfilled_since.items():
        if group_id in spot:
            yield since + DRY_AFTER
        yield since + max(fallback_after, DRY_AFTER)
    if memory.spot_short_since is not None:
        yield memory.spot_short_since + fallback_after
    if memory.storm_until is not None:
        yield memory.storm_until


def with_warning(
    memory: TaskMemory, *, warned_at: datetime, now: datetime, task_nodes: int, pool: str = "", open_pools: int = 0
) -> TaskMemory:
    """Return the memory after one more task instance was warned; it may be the one that makes a storm.

    One warning alone is no storm, however few nodes there are: another pool is as good then. Nor are many of one
    pool, for a pool fails as a whole and cools, as long as enough others are open to share what it carried.

    Args:
        memory: Before.
        warned_at: When EC2 gave notice.
        now: The time of the decision.
        task_nodes: Ordered nodes of all task groups.
        pool: Which pool the instance is of; empty where it is not known.
        open_pools: Other spot pools that may take its place now.
    """
    known = (*memory.warned_in, *("",) * len(memory.warned_at))  # an older memory holds times alone
    warned = (*zip(memory.warned_at, known, strict=False), (warned_at, pool))
    recent = [(at, where) for at, where in warned if now - at <= STORM_WINDOW]
    many = len(recent) >= STORM_WARNINGS or (len(recent) > 1 and len(recent) >= STORM_FRACTION * task_nodes)
    one_pool = {where for _at, where in recent} == {pool} and pool != ""
    storm = many and not (one_pool and open_pools >= CALM_POOLS)
    return replace(
        memory,
        warned_at=tuple(at for at, _where in recent),
        warned_in=tuple(where for _at, where in recent),
        storm_until=now + STORM_LASTS if storm else memory.storm_until,
    )


def is_storm(memory: TaskMemory, now: datetime) -> bool:
    """Whether no spot may be ordered now."""
    return memory.storm_until is not None and now < memory.storm_until
