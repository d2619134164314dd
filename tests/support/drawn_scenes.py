"""Evidence drawn by number, as strange as the types allow; plain scenes are in scenes.py.

Drawn from a seeded generator rather than from strategies: a scene has some hundred choices, and
thousands of scenes have to be seen for the rare ones. The number of a scene finds it again.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from tests.support.scenes import CLUSTER, NOW, cooling, core_group, minutes, prices, task_group, yarn

from emr_autoscaler.domain.cluster import ClusterState, GroupState, InstanceGroup, Market
from emr_autoscaler.domain.load import Load
from emr_autoscaler.domain.memory import LostInstance, PoolHealth, TaskMemory, WantedCapacity
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint
from emr_autoscaler.domain.node_prices import MarketPrices
from emr_autoscaler.domain.policy import CapacityUnit, Objective, ScheduledMinimum, TaskPolicy
from emr_autoscaler.domain.task_scene import TaskEvidence

_IDS = ("ig-A", "ig-B", "ig-C", "ig-D", "ig-E")
_STRANGE = (float("nan"), float("inf"), float("-inf"), -1.0, -0.0, 0.0, 1e308, 1e-300)
_YARN = (
    MetricName.MEMORY_TOTAL_MIB,
    MetricName.MEMORY_ALLOCATED_MIB,
    MetricName.CONTAINER_ALLOCATED,
    MetricName.CONTAINER_PENDING,
    MetricName.CORE_NODES_RUNNING,
    MetricName.TASK_NODES_RUNNING,
    MetricName.APPS_SUBMITTED,
)
_STATES = (GroupState.RUNNING,) * 40 + (GroupState.RESIZING,) * 20 + tuple(GroupState)


def _near_now(chance: random.Random, latest: int = 10) -> datetime:
    return NOW + minutes(chance.randint(-40, latest))


def draw_task_groups(chance: random.Random) -> tuple[InstanceGroup, ...]:
    drawn = []
    for group_id in _IDS[: chance.randint(0, 5)]:
        requested = chance.choice((0, chance.randint(0, 12)))
        drawn.append(
            task_group(
                group_id,
                requested,
                running=chance.choice((requested, requested, chance.randint(0, 12))),
                market=chance.choice((Market.SPOT, Market.SPOT, Market.ON_DEMAND)),
                instance_type=chance.choice(("m5.xlarge",) * 6 + ("r5.xlarge", "m5.4xlarge", "x9.odd")),
                state=chance.choice(_STATES),
                has_own_scaling=chance.random() < 0.1,
            )
        )
    return (core_group(chance.randint(1, 5)), *drawn)


def draw_good_metrics(chance: random.Random) -> ClusterMetrics:
    """A believable sample: allocated within the total, containers where memory is allocated."""
    total = chance.randint(1, 600_000)
    allocated = chance.choice((0, total, chance.randint(0, total), chance.randint(0, min(total, 40_000))))
    containers = chance.randint(1, 300) if allocated else 0
    pending = chance.choice((0, 0, chance.randint(0, 500), chance.randint(0, 100_000)))
    return yarn(allocated_mib=allocated, containers=containers, pending=pending, total_mib=total)


def draw_told_metrics(chance: random.Random) -> ClusterMetrics:
    """A believable sample that tells of applications as well, so that lengths may be learned from it."""
    good = draw_good_metrics(chance)
    at = good.series[MetricName.CONTAINER_PENDING][-1].at
    told = {MetricName.APPS_SUBMITTED: 9, MetricName.APPS_RUNNING: 5, MetricName.APPS_PENDING: 2}
    counted = {n: (MetricPoint(at=at, value=float(chance.randint(0, most))),) for n, most in told.items()}
    return replace(good, series={**good.series, **counted})


def draw_any_metrics(chance: random.Random) -> ClusterMetrics:
    """Whatever CloudWatch might hand over: gaps, lateness, the future, impossible values."""

    def points(name: MetricName) -> tuple[MetricPoint, ...]:
        if chance.random() < 0.5:
            return tuple(replace(p, value=chance.choice((p.value, *_STRANGE))) for p in good.series.get(name, ()))
        times = sorted(chance.sample((-17, -12, -7, -2, 3), chance.randint(0, 3)))
        return tuple(
            MetricPoint(at=NOW + minutes(m), value=chance.choice((*_STRANGE, float(chance.randint(0, 400_000)))))
            for m in times
        )

    good = draw_good_metrics(chance)
    period = chance.choice((minutes(5), minutes(1)))
    kept = [name for name in _YARN if chance.random() < 0.9]
    return ClusterMetrics(cluster_id=CLUSTER, period=period, series={name: points(name) for name in kept})


def draw_task_policy(chance: random.Random) -> TaskPolicy:
    high = chance.randint(0, 25)
    low = chance.choice((0, chance.randint(0, high)))
    window = ScheduledMinimum(
        weekdays=frozenset(range(7)),
        start_minute=chance.choice((0, 600, 800)),
        end_minute=chance.choice((801, 1440)),
        time_zone=chance.choice(("UTC", "Europe/Berlin")),
        min_nodes=chance.randint(0, high),
    )
    return TaskPolicy(
        min_nodes=low,
        max_nodes=high,
        objective=chance.choice(tuple(Objective)),
        drain_within=chance.choice((None, None, timedelta(seconds=chance.randint(30, 1800)))),
        expected_task_seconds=chance.choice((1, 30, 600)),
        max_step_nodes=chance.choice((None, None, chance.randint(1, 5))),
        scale_out_cooldown=minutes(chance.choice((0, 2, 30))),
        scale_in_cooldown=minutes(chance.choice((0, 5, 30))),
        on_demand_min_nodes=chance.choice((0, 0, chance.randint(0, high))),
        schedules=chance.choice(((), (), (window,))),
        **_draw_market_policy(chance),
    )


def _draw_market_policy(chance: random.Random) -> dict[str, Any]:
    """What half of the policies say of money, markets and units: the other half says nothing."""
    if chance.random() < 0.5:
        return {}
    return {
        "max_usd_per_hour": chance.choice((None, Decimal(0), Decimal(chance.randint(1, 500)) / 100)),
        "spot_share": chance.choice((1.0, 1.0, 0.0, 0.5, chance.random())),
        "on_demand_max_nodes": chance.choice((None, None, 25 + chance.randint(0, 3))),
        "unit": chance.choice(tuple(CapacityUnit)),
        "weights": chance.choice(({}, {"m5.xlarge": 4, "m5.4xlarge": 16, "r5.xlarge": 6})),
        "max_units": chance.choice((None, None, chance.randint(0, 300_000), chance.randint(0, 60))),
    }


def draw_prices(chance: random.Random) -> MarketPrices:
    usd = {i: f"{chance.choice((0.05, 0.1, chance.random())):.4f}" for i in _IDS if chance.random() < 0.85}
    return chance.choice((MarketPrices(by_group={}), prices(usd), prices(usd), prices(usd)))


def draw_task_memory(chance: random.Random) -> TaskMemory:
    def times(least: int, most: int) -> range:
        return range(chance.randint(least, most))

    wanted = [WantedCapacity(at=_near_now(chance), mib=chance.uniform(0, 300_000)) for _ in times(0, 3)]
    return TaskMemory(
        last_scale_out_at=chance.choice((None, _near_now(chance, latest=0))),
        last_scale_in_at=chance.choice((None, _near_now(chance, latest=0))),
        container_mib=chance.choice((None, chance.uniform(1, 10_000))),
        node_mib=chance.choice((None, chance.uniform(1000, 100_000))),
        unfulfilled_since={chance.choice(_IDS): _near_now(chance, latest=0) for _ in times(0, 3)},
        wanted=tuple(sorted(wanted, key=lambda w: w.at)),
        lost=tuple(
            LostInstance(ec2_instance_id=f"i-{n}", group_id=chance.choice(_IDS), gone_by=_near_now(chance))
            for n in times(0, 3)
        ),
        storm_until=chance.choice((None,) * 9 + (_near_now(chance),)),
        spot_short_since=chance.choice((None,) * 4 + (_near_now(chance, latest=0),)),
        on_demand_since=chance.choice((None, None, _near_now(chance, latest=0))),
        returning_mib=chance.choice((0.0,) * 4 + (chance.uniform(0, 100_000),)),
    )


def draw_load(chance: random.Random) -> Load:
    """What was learned before: often nothing, else lengths of seconds to hours, of few containers or of many."""
    if chance.random() < 0.4:
        return Load()
    return Load(
        at=_near_now(chance, latest=0),
        mean_mib=chance.uniform(0, 300_000),
        containers=float(chance.randint(0, 300)),
        pending=float(chance.choice((0, chance.randint(0, 2000)))),
        submitted=chance.choice((None, float(chance.randint(0, 5)))),
        applications=chance.choice((None, float(chance.randint(0, 7)))),
        seen_seconds=chance.choice((0.0, chance.uniform(0, 3e6))),
        seen_containers=chance.choice((0.0, chance.uniform(0, 40), chance.uniform(0, 5000))),
    )


def draw_pools(chance: random.Random) -> Mapping[str, PoolHealth]:
    return {
        group_id: replace(
            cooling(group_id, until=_near_now(chance)), rebalance_at=chance.choice((None, _near_now(chance)))
        )
        for group_id in _IDS
        if chance.random() < 0.4
    }


def draw_task_evidence(
    number: int, draw_metrics: Callable[[random.Random], ClusterMetrics] = draw_good_metrics
) -> TaskEvidence:
    """The scene of this number: the same number is the same scene."""
    chance = random.Random(number)
    market = random.Random(f"market {number}")
    ready = (ClusterState.RUNNING, ClusterState.WAITING) * 20
    evidence = _draw_task_evidence(chance, market, ready, draw_metrics)
    # What EC2 launched is looked at together with the health of the pools.
    launched = {i: n for i, n in evidence.launched.items() if i in evidence.pools}
    memory = replace(evidence.memory, load=draw_load(random.Random(f"load {number}")))
    return replace(evidence, launched=launched, memory=memory)


def _draw_task_evidence(
    chance: random.Random,
    market: random.Random,
    ready: tuple[ClusterState, ...],
    draw_metrics: Callable[[random.Random], ClusterMetrics],
) -> TaskEvidence:
    return TaskEvidence(
        now=NOW,
        cluster_id=CLUSTER,
        state=chance.choice((*ready, *ClusterState)),
        is_paused=chance.random() < 0.05,
        has_managed_scaling=chance.random() < 0.05,
        groups=draw_task_groups(chance),
        metrics=draw_metrics(chance),
        policy=draw_task_policy(chance),
        memory=draw_task_memory(chance),
        pools=draw_pools(chance),
        groups_are_fresh=chance.random() < 0.5,
        prices=draw_prices(market),
        free_addresses=market.choice((None, None, market.randint(0, 30))),
        launched={i: market.randint(0, 12) for i in _IDS if market.random() < 0.2},
    )


SCENES_PER_EXAMPLE = 25

examples = settings(max_examples=20, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def holds_for(
    *draws: Callable[[random.Random], ClusterMetrics],
) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Run a test on five hundred scenes; a failure names the number of its scene."""

    def decorate(test: Callable[..., None]) -> Callable[[], None]:
        @examples
        @given(first=st.integers(0, 2**40))
        def run(first: int) -> None:
            for number in range(first, first + SCENES_PER_EXAMPLE):
                note(f"scene {number}")
                test(draw_task_evidence(number, draws[number % len(draws)]))

        run.__name__ = test.__name__
        run.__doc__ = test.__doc__
        return run

    return decorate


any_scene = holds_for(draw_good_metrics, draw_told_metrics, draw_any_metrics)
good_scene = holds_for(draw_good_metrics)
dark_scene = holds_for(draw_any_metrics)
