"""One run of a policy on a workload, in process; what is measured of it is in figures.py."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from emr_simulator.catalogue import TYPES
from emr_simulator.descriptions import ClusterSpec, GroupSpec
from emr_simulator.figures import Figures, NodeBounds, figures_of
from emr_simulator.queues import ONE_QUEUE, QueueSpec
from emr_simulator.settings import SpotOutages, UniformDelay, WorldSettings
from emr_simulator.words import ClusterState, Market, Role
from emr_simulator.workloads.model import Workload
from emr_simulator.world import World

START = datetime(2026, 10, 5, tzinfo=UTC)
SETTLING = timedelta(minutes=10)
CHUNK = timedelta(minutes=5)
LONGEST = timedelta(days=30)


class MetricsMode(StrEnum):
    """How fresh the metrics are that a policy sees: those of CloudWatch, or what a probe on the cluster pushes."""

    FIVE_MINUTES = "5min"
    ONE_MINUTE = "1min"
    PUSH = "push"


_METRICS = {
    MetricsMode.FIVE_MINUTES: (300, 90),
    MetricsMode.ONE_MINUTE: (60, 90),
    MetricsMode.PUSH: (300, 90),
}
"""Period and delay until published, in seconds, of CloudWatch's metrics by mode."""

_PROBE_PERIOD = 10
"""Seconds between two looks of the probe that a cluster has in the mode push, besides CloudWatch's metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The cluster of a run and its world; the defaults are those of the reference values in docs/benchmark.md.

    Attributes:
        core_count: Core nodes, always there and never in the task cost.
        maximum_task_count: The most task nodes a policy may ask for.
        container_mib: Memory of every task's container.
        market: Of the task nodes.
        spot_pools: Types of as many spot pools, beside an on-demand group of ``instance_type``; for policies
            that know of markets. Their pools have outages of their own.
        spot_outage_hours: Mean time between two outages of one of these pools (measured: 0.75 to 5.1 h).
        queues: Of YARN's capacity scheduler; one is first in, first out.
        throughput_factor: On the bytes that a task of a trace moves in a second.
        lost_metric_fraction: Chance (0-1) that a sample of the cluster never arrives.
        metrics_late_seconds: Sample to its publication; that of the metrics mode where None.
        drain_waits_for_applications: Whether a draining node stays for the applications it served, as
            Hadoop's watcher has it.
        tags: Of the cluster; a policy may add its own.
    """

    instance_type: str = "m5.xlarge"
    core_count: int = 2
    maximum_task_count: int = 100
    container_mib: int = 2048
    metrics: MetricsMode = MetricsMode.FIVE_MINUTES
    market: Market = Market.ON_DEMAND
    spot_pools: tuple[str, ...] = ()
    spot_outage_hours: float = 2.5
    queues: tuple[QueueSpec, ...] = ONE_QUEUE
    throughput_factor: float = 1.0
    lost_metric_fraction: float = 0.0
    metrics_late_seconds: int | None = None
    drain_waits_for_applications: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def containers_per_node(self) -> int:
        """How many containers one node runs."""
        return TYPES[self.instance_type].yarn_mib // self.container_mib

    @property
    def varied(self) -> tuple[str, ...]:
        """What of the world differs from that of the reference values, in words."""
        said = {
            f"throughput x {self.throughput_factor:g}": self.throughput_factor != 1,
            f"{self.lost_metric_fraction:.0%} of metrics lost": self.lost_metric_fraction > 0,
            f"metrics {self.metrics_late_seconds} s late": self.metrics_late_seconds is not None,
            "draining waits for applications": self.drain_waits_for_applications,
            f"spot pools {', '.join(self.spot_pools)}, an outage of each every {self.spot_outage_hours:g} h": bool(
                self.spot_pools
            ),
            f"queues {' and '.join(queue.name for queue in self.queues)}": len(self.queues) > 1,
        }
        return tuple(words for words, applies in said.items() if applies)


class PolicyDriver(Protocol):
    """What stands between a policy and the world it runs in."""

    @property
    def name(self) -> str:
        """What it is called in the figures."""
        ...

    def prepare(self, setup: Setup) -> tuple[tuple[GroupSpec, ...], dict[str, str]]:
        """Return the task groups the cluster is created with, and tags to add to its own."""
        ...

    def start(self, world: World, cluster_id: str) -> None:
        """Begin: the cluster has been asked for and is not up yet."""
        ...

    def next_tick(self) -> datetime | None:
        """Return when ``on_tick`` wants to be called next; None where only events matter."""
        ...

    def on_tick(self, world: World) -> None:
        """Act on the time."""
        ...

    def on_events(self, world: World, events: Sequence[dict[str, Any]]) -> None:
        """Act on events, delivered in the second they were emitted."""
        ...


def run_experiment(
    *,
    policy: PolicyDriver,
    workload: Workload,
    seed: int,
    setup: Setup | None = None,
    settings: WorldSettings | None = None,
) -> Figures:
    """Run a policy until the last job of the workload has ended, and return the figures.

    Args:
        policy: The driver; a new one for each run.
        workload: What is submitted once the cluster is up.
        seed: Of the world.
        setup: The cluster; None takes the reference set-up.
        settings: The world; None takes that of the set-up.
    """
    setup = setup or Setup()
    world = World(seed=seed, start=START, settings=settings or settings_of(setup))
    groups, tags = policy.prepare(setup)
    cluster_id = world.emr.run_job_flow(_cluster_spec(setup, groups, {**setup.tags, **tags}))
    policy.start(world, cluster_id)
    began_at = _settle(world, policy, cluster_id)
    calls_before = world.calls.copy()
    for job in workload.jobs:
        at = began_at + timedelta(seconds=job.submit_after_seconds)
        world.submit_job(cluster_id, job, at=at)
    yarn = world.inside(cluster_id).yarn
    latest = began_at + LONGEST
    while len(yarn.ended) < len(workload.jobs) and world.now < latest:
        _drive(world, policy, world.now + CHUNK)
    return figures_of(
        policy=policy.name,
        workload=workload,
        seed=seed,
        cluster=world.inside(cluster_id),
        ledger=world.ledger,
        began_at=began_at,
        now=world.now,
        calls=world.calls - calls_before,
        nodes=NodeBounds(
            containers_per_node=setup.containers_per_node,
            least=setup.core_count,
            most=setup.core_count + setup.maximum_task_count,
        ),
    )


def settings_of(setup: Setup) -> WorldSettings:
    """Return the world of a set-up: that of the reference values, but for what the set-up varies."""
    settings = reference_settings(setup.metrics)
    late = setup.metrics_late_seconds
    return replace(
        settings,
        queues=setup.queues,
        spot_outages=SpotOutages(mean_up_seconds=setup.spot_outage_hours * 3600) if setup.spot_pools else None,
        lost_metric_fraction=setup.lost_metric_fraction,
        drain_waits_for_applications=setup.drain_waits_for_applications,
        publish_delay=(
            settings.publish_delay if late is None else UniformDelay(low_seconds=late, high_seconds=late)
        ),
    )


def reference_settings(mode: MetricsMode) -> WorldSettings:
    """Return the world of the reference values: constant prices, metrics a constant time late."""
    period, late = _METRICS[mode]
    return WorldSettings(
        metric_period_seconds=period,
        publish_delay=UniformDelay(low_seconds=late, high_seconds=late),
        probe_period_seconds=_PROBE_PERIOD if mode is MetricsMode.PUSH else 0,
    )


def _cluster_spec(setup: Setup, groups: tuple[GroupSpec, ...], tags: dict[str, str]) -> ClusterSpec:
    def fixed(role: Role, count: int) -> GroupSpec:
        return GroupSpec(
            role=role, market=Market.ON_DEMAND, instance_type=setup.instance_type, count=count, name=role
        )

    always = (fixed(Role.MASTER, 1), fixed(Role.CORE, setup.core_count))
    return ClusterSpec(name="experiment", groups=(*always, *groups), tags=tags)


def _settle(world: World, policy: PolicyDriver, cluster_id: str) -> datetime:
    """Let the cluster come up, and the policy know it; return when the workload begins."""
    while world.inside(cluster_id).state is not ClusterState.WAITING:
        _drive(world, policy, world.now + CHUNK)
    seconds = CHUNK.total_seconds()
    up = (world.now + SETTLING).timestamp()
    begin = datetime.fromtimestamp(math.ceil(up / seconds) * seconds, UTC)
    while world.now < begin:
        _drive(world, policy, begin)
    return begin


def _drive(world: World, policy: PolicyDriver, until: datetime) -> None:
    """Let time pass to ``until``, handing events and ticks to the policy as they come."""
    while True:
        tick = policy.next_tick()
        world.run_until(until if tick is None else min(until, tick), stop_at_events=True)
        events = world.take_events()
        if events:
            policy.on_events(world, events)
        if tick is not None and world.now >= tick:
            policy.on_tick(world)
        if world.now >= until:
            return
