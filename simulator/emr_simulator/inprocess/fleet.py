"""A day of many small clusters, all looked after by one deployment; a single cluster's run is in experiment.py."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from emr_autoscaler.domain.enrolment import POLICY_TAG
from emr_autoscaler.domain.policy import CorePolicy, Mode, Objective, Policy
from emr_simulator.descriptions import ClusterSpec, GroupSpec
from emr_simulator.experiment import START, Setup, settings_of
from emr_simulator.figures import bounded_slowdowns
from emr_simulator.inprocess.autoscaler import task_policy
from emr_simulator.inprocess.deployment import InProcessDeployment
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts
from emr_simulator.ledger import to_decimal
from emr_simulator.quotas import BUCKETS
from emr_simulator.words import BillComponent, ClusterState, Market, Role
from emr_simulator.workloads.model import Job, Stage, Workload
from emr_simulator.workloads.synthetic import synthetic_day
from emr_simulator.world import World

FLEET_POLICY = "fleet"
CORE_NODES = 2
MAXIMUM_TASK_NODES = 10
JOBS_PER_HOUR = 4.0
"""At the peak of the day; a fifth of it at night."""
LARGE_JOBS = 2
BETWEEN_CREATIONS = timedelta(seconds=2)
"""RunJobFlow's quota refills at one call in two seconds."""
SETTLING = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFigures:
    """What a day of the fleet came to.

    Attributes:
        clusters: Asked for.
        hours: Length of each cluster's day.
        seed: Of the world and of every cluster's work.
        alive: Clusters that still ran at the end.
        jobs: Submitted; those that ended are ``jobs_done``.
        task_cost_usd: EMR fee and EC2 of task nodes.
        floor_cost_usd: The same of primary and core nodes.
        bsld: Of the jobs that ended: mean, p50, p95, p99.
        invocations: Of the deployed functions, by route.
        calls: AWS calls by operation.
        calls_per_quota: Mean EMR calls a second over what the account's quota refills (1 uses it up).
        given_up: Invocations that failed for the last time.
    """

    clusters: int
    hours: float
    seed: int
    alive: int
    jobs: int
    jobs_done: int
    task_cost_usd: Decimal
    floor_cost_usd: Decimal
    bsld: dict[str, float]
    invocations: dict[str, int]
    calls: dict[str, int]
    calls_per_quota: dict[str, float]
    given_up: int

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``emr-autoscaler simulate --fleet N --json``; rounding happens only here."""
        return {
            "clusters": self.clusters,
            "hours": self.hours,
            "seed": self.seed,
            "alive": self.alive,
            "jobs": self.jobs,
            "jobs_done": self.jobs_done,
            "task_cost_usd": round(float(self.task_cost_usd), 2),
            "floor_cost_usd": round(float(self.floor_cost_usd), 2),
            "bsld": {name: round(value, 3) for name, value in self.bsld.items()},
            "invocations": dict(sorted(self.invocations.items())),
            "calls": dict(sorted(self.calls.items())),
            "calls_per_quota": {name: round(value, 3) for name, value in sorted(self.calls_per_quota.items())},
            "given_up": self.given_up,
        }


def small_cluster_day(number: int, *, seed: int, hours: float) -> Workload:
    """Return the work of one cluster: small jobs, two large ones, and a service of one container all day long.

    Without the service the system would end the cluster in the first hour without a job.
    """
    day = synthetic_day(
        seed=seed * 1_000_003 + number, hours=hours, jobs_per_hour=JOBS_PER_HOUR, bursts=LARGE_JOBS
    )
    service = Job(name="service", stages=(Stage(tasks=1, seconds=day.seconds),))
    return replace(day, jobs=(service, *day.jobs))


def run_fleet(
    clusters: int,
    *,
    seed: int,
    hours: float = 24.0,
    knob: str = Objective.BALANCED,
    setup: Setup | None = None,
) -> FleetFigures:
    """Let one deployment look after many small clusters, and return what came of it.

    Clusters are created two seconds apart, settle for half an hour each, then work for ``hours``. Calls are
    counted and never throttled: an invocation here takes no time, so an SDK that waits and tries again would
    find the quota as it left it. ``calls_per_quota`` says what the calls of the day are of it.

    Args:
        clusters: How many.
        seed: Of the world and the work.
        hours: Of work, a day at most.
        knob: Of the policy that all follow, as KNOB of inprocess/autoscaler.py writes it.
        setup: Instance type, metrics and world; its counts of nodes and its tags are not used.
    """
    setup = setup or Setup()
    with _rare_collections():
        return _run(clusters, seed=seed, hours=hours, knob=knob, setup=setup)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for garbage rarely: a fleet is millions of objects that live to its end, and few cycles."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _run(clusters: int, *, seed: int, hours: float, knob: str, setup: Setup) -> FleetFigures:
    world = World(seed=seed, start=START, settings=replace(settings_of(setup), enforce_quotas=False))
    deployment = InProcessDeployment(WorldPorts(world, _policies(knob)))
    submitted, ids = 0, []
    for number in range(clusters):
        _drive(world, deployment, START + number * BETWEEN_CREATIONS)
        cluster_id = world.emr.run_job_flow(_spec(number, setup))
        ids.append(cluster_id)
        day = small_cluster_day(number, seed=seed, hours=hours)
        submitted += len(day.jobs)
        begin = world.now + SETTLING
        for job in day.jobs:
            world.submit_job(cluster_id, job, at=begin + timedelta(seconds=job.submit_after_seconds))
    end = START + clusters * BETWEEN_CREATIONS + SETTLING + timedelta(hours=hours)
    _drive(world, deployment, end)
    return _figures(world, deployment, ids, submitted=submitted, seed=seed, hours=hours)


def _policies(knob: str) -> MemoryPolicies:
    task = task_policy(knob, max_nodes=MAXIMUM_TASK_NODES)
    core = CorePolicy(min_nodes=CORE_NODES)
    return MemoryPolicies(Policy(name=FLEET_POLICY, mode=Mode.LIVE, task=task, core=core))


def _spec(number: int, setup: Setup) -> ClusterSpec:
    group = partial(GroupSpec, instance_type=setup.instance_type)
    always = (
        group(role=Role.MASTER, market=Market.ON_DEMAND, count=1),
        group(role=Role.CORE, market=Market.ON_DEMAND, count=CORE_NODES),
    )
    markets = dict.fromkeys((setup.market, Market.ON_DEMAND))
    tasks = (group(role=Role.TASK, market=market, count=0) for market in markets)
    return ClusterSpec(name=f"small-{number}", groups=(*always, *tasks), tags={POLICY_TAG: FLEET_POLICY})


def _drive(world: World, deployment: InProcessDeployment, until: datetime) -> None:
    """Let time pass to ``until``, handing events and times to the deployment as they come."""
    while world.now < until:
        world.run_until(min(until, deployment.next_at()), stop_at_events=True)
        for event in world.take_events():
            deployment.deliver(event)
        if world.now >= deployment.next_at():
            deployment.run_due()


def _figures(
    world: World, deployment: InProcessDeployment, ids: list[str], *, submitted: int, seed: int, hours: float
) -> FleetFigures:
    insides = [world.inside(cluster_id) for cluster_id in ids]
    ended = [app for inside in insides for app in inside.yarn.ended]
    roles = {group.group_id: group.spec.role for inside in insides for group in inside.groups.values()}
    task, floor = Fraction(0), Fraction(0)
    for line in world.ledger.bill().lines:
        if line.component is BillComponent.EBS:
            continue
        if roles[line.group_id] is Role.TASK:
            task += line.usd_exact
        else:
            floor += line.usd_exact
    seconds = (world.now - START).total_seconds()
    return FleetFigures(
        clusters=len(ids),
        hours=hours,
        seed=seed,
        alive=sum(inside.state in {ClusterState.RUNNING, ClusterState.WAITING} for inside in insides),
        jobs=submitted,
        jobs_done=len(ended),
        task_cost_usd=to_decimal(task),
        floor_cost_usd=to_decimal(floor),
        bsld=bounded_slowdowns(ended, 0),
        invocations=dict(deployment.invocations),
        calls=dict(world.calls),
        calls_per_quota={
            name: world.calls[name] / seconds / refill
            for name, (_, refill) in BUCKETS.items()
            if world.calls[name]
        },
        given_up=len(deployment.given_up),
    )
