"""One run of a policy on a workload, in process, and its figures as docs/benchmark.md defines them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from emr_simulator.descriptions import ClusterSpec, GroupSpec, InstanceDescription
from emr_simulator.ledger import BillComponent
from emr_simulator.quotas import BUCKETS
from emr_simulator.settings import UniformDelay, WorldSettings
from emr_simulator.words import ClusterState, Market, Role
from emr_simulator.workloads.model import Workload
from emr_simulator.world import World
from emr_simulator.yarn import Application

START = datetime(2026, 10, 5, tzinfo=UTC)
SETTLING = timedelta(minutes=10)
CHUNK = timedelta(minutes=5)
LONGEST = timedelta(days=30)
MINIMUM_IDEAL_SECONDS = 60
DEADLINE_FACTOR, DEADLINE_SLACK_SECONDS = 3, 300


class MetricsMode(StrEnum):
    """How fresh the metrics are that a policy sees."""

    FIVE_MINUTES = "5min"
    ONE_MINUTE = "1min"
    PUSH = "push"


_METRICS = {
    MetricsMode.FIVE_MINUTES: (300, 90),
    MetricsMode.ONE_MINUTE: (60, 90),
    MetricsMode.PUSH: (60, 5),
}
"""Period and delay until published, in seconds, by mode; push is an on-cluster probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The cluster of a run; the defaults are those of the reference values in docs/benchmark.md.

    Attributes:
        core_count: Core nodes, always there and never in the task cost.
        maximum_task_count: The most task nodes a policy may ask for.
        container_mib: Memory of every task's container.
        tags: Of the cluster; a policy may add its own.
    """

    instance_type: str = "m5.xlarge"
    core_count: int = 2
    maximum_task_count: int = 100
    container_mib: int = 2048
    metrics: MetricsMode = MetricsMode.FIVE_MINUTES
    tags: dict[str, str] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one run; costs leave EBS out, as the reference values do.

    Attributes:
        cost_usd: Of task nodes, boot and drain included.
        floor_cost_usd: Of the primary and the core nodes.
        node_hours: Billed hours of task nodes.
        spot_share: Of those hours (0-1).
        bsld: Bounded slowdown: mean, p50, p95, p99.
        work_weighted_delay_seconds: Mean delay of a container-second of work.
        killed_container_seconds: Work lost and run again.
        deadline_misses: Jobs later than 3 x ideal + 5 min.
        resize_requests: ModifyInstanceGroups calls.
        nodes_started: Task nodes launched during the run.
        emr_calls: EMR calls during the run by name.
    """

    policy: str
    trace: str
    seed: int
    jobs: int
    cost_usd: Decimal
    floor_cost_usd: Decimal
    node_hours: float
    spot_share: float
    bsld: dict[str, float]
    work_weighted_delay_seconds: float
    killed_container_seconds: int
    deadline_misses: int
    resize_requests: int
    nodes_started: int
    emr_calls: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``emr-autoscaler simulate --json``; rounding happens only here."""
        return {
            "policy": self.policy,
            "trace": self.trace,
            "seed": self.seed,
            "jobs": self.jobs,
            "cost_usd": round(float(self.cost_usd), 4),
            "floor_cost_usd": round(float(self.floor_cost_usd), 4),
            "node_hours": round(self.node_hours, 3),
            "spot_share": round(self.spot_share, 4),
            "bsld": {name: round(value, 3) for name, value in self.bsld.items()},
            "work_weighted_delay_seconds": round(self.work_weighted_delay_seconds, 2),
            "killed_container_seconds": self.killed_container_seconds,
            "deadline_misses": self.deadline_misses,
            "resize_requests": self.resize_requests,
            "nodes_started": self.nodes_started,
            "emr_calls": dict(sorted(self.emr_calls.items())),
        }


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
        settings: The world; None takes the reference's (metrics late by 90 s).
    """
    setup = setup or Setup()
    world = World(seed=seed, start=START, settings=settings or reference_settings(setup.metrics))
    groups, tags = policy.prepare(setup)
    cluster_id = world.emr.run_job_flow(_cluster_spec(setup, groups, {**setup.tags, **tags}))
    policy.start(world, cluster_id)
    began_at = _settle(world, policy, cluster_id)
    calls_before = world.calls.copy()
    for job in workload.jobs:
        at = began_at + timedelta(seconds=job.submit_after_seconds)
        world.submit_job(cluster_id, job, at=at)
    yarn = world.yarn(cluster_id)
    latest = began_at + LONGEST
    while len(yarn.ended) < len(workload.jobs) and world.now < latest:
        _drive(world, policy, world.now + CHUNK)
    return _figures(world, policy.name, workload, seed, cluster_id, began_at, world.calls - calls_before)


def reference_settings(mode: MetricsMode) -> WorldSettings:
    """Return the world of the reference values: constant prices, metrics a constant time late."""
    period, late = _METRICS[mode]
    return WorldSettings(
        metric_period_seconds=period,
        publish_delay=UniformDelay(low_seconds=late, high_seconds=late),
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
    clusters = world.emr
    while clusters.describe_cluster(cluster_id).state is not ClusterState.WAITING:
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


def _figures(
    world: World,
    name: str,
    workload: Workload,
    seed: int,
    cluster_id: str,
    began_at: datetime,
    calls: dict[str, int],
) -> Figures:
    yarn = world.yarn(cluster_id)
    last = max((app.ended_at or 0 for app in yarn.ended), default=0)
    ended_at = max(began_at, datetime.fromtimestamp(last, UTC)) if not yarn.live else world.now
    apps = [*yarn.ended, *yarn.live]
    instances = world.emr.list_instances(cluster_id, group_types=(Role.TASK,))
    seconds = {node: _seconds_within(node, began_at, ended_at) for node in instances}
    total = sum(seconds.values())
    spot = sum(value for node, value in seconds.items() if node.market is Market.SPOT)
    cost, floor = _costs(world, cluster_id, began_at, ended_at)
    work = sum(job.work_seconds for job in workload.jobs)
    return Figures(
        policy=name,
        trace=workload.name,
        seed=seed,
        jobs=len(workload.jobs),
        cost_usd=cost,
        floor_cost_usd=floor,
        node_hours=total / 3600,
        spot_share=spot / total if total else 0.0,
        bsld=_slowdowns(apps, ended_at),
        work_weighted_delay_seconds=yarn.delay_integral / work if work else 0.0,
        killed_container_seconds=yarn.lost_container_seconds,
        deadline_misses=sum(_response(app, ended_at) > _deadline(app) for app in apps),
        resize_requests=calls.get("ModifyInstanceGroups", 0),
        nodes_started=sum(bool(n.ec2_instance_id) and began_at <= n.created_at < ended_at for n in instances),
        emr_calls={call: count for call, count in calls.items() if call in BUCKETS},
    )


def _seconds_within(node: InstanceDescription, start: datetime, end: datetime) -> float:
    if not node.ec2_instance_id:
        return 0.0
    span = min(node.ended_at or end, end) - max(node.created_at, start)
    return max(0.0, span.total_seconds())


def _costs(world: World, cluster_id: str, start: datetime, end: datetime) -> tuple[Decimal, Decimal]:
    """Return USD of task nodes and of the floor between two times, EBS left out."""
    roles = {group.group_id: group.role for group in world.emr.list_instance_groups(cluster_id)}
    task, floor = Decimal(0), Decimal(0)
    for sign, until in ((1, end), (-1, start)):
        for line in world.ledger.bill(until=until).lines:
            if line.component is BillComponent.EBS:
                continue
            if roles[line.group_id] is Role.TASK:
                task += sign * line.usd
            else:
                floor += sign * line.usd
    return task, floor


def _response(app: Application, end: datetime) -> float:
    return (app.ended_at if app.ended_at is not None else end.timestamp()) - app.submitted_at


def _deadline(app: Application) -> float:
    return DEADLINE_FACTOR * app.job.ideal_seconds + DEADLINE_SLACK_SECONDS


def _slowdowns(apps: Sequence[Application], end: datetime) -> dict[str, float]:
    values = sorted(
        max(1.0, _response(app, end) / max(app.job.ideal_seconds, MINIMUM_IDEAL_SECONDS)) for app in apps
    )
    if not values:
        return {"mean": 1.0, "p50": 1.0, "p95": 1.0, "p99": 1.0}
    return {
        "mean": sum(values) / len(values),
        "p50": _quantile(values, 0.50),
        "p95": _quantile(values, 0.95),
        "p99": _quantile(values, 0.99),
    }


def _quantile(ordered: Sequence[float], fraction: float) -> float:
    """Interpolate linearly between the two nearest values."""
    position = fraction * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
