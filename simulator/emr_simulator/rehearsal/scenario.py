"""What is played: the clusters, their policies, their work. What goes wrong meanwhile is in incidents.py."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emr_simulator.descriptions import ClusterSpec, GroupSpec, StepSpec
from emr_simulator.rehearsal.incidents import SECOND_LOAD, Incident, usual_incidents
from emr_simulator.settings import WorldSettings
from emr_simulator.words import Market, Role
from emr_simulator.workloads.model import Job, Stage, Workload
from emr_simulator.workloads.swim import read_swim
from emr_simulator.workloads.synthetic import synthetic_day

SCALED = "etl-nightly"
FORGOTTEN = "forgotten"
BUSY = "busy-reports"
FOREIGN = "adhoc-science"

START = datetime(2026, 10, 5, 3, tzinfo=UTC)
"""A Monday; before the daily price refresh at 03:20, so that its schedule fires as well."""

PROBES = WorldSettings(probe_period_seconds=60, probe_heartbeat_seconds=120)
"""The scaled cluster's probe; a real one looks every ten seconds and is silent for a minute at most, which is a
lot of invocations to play."""

HOUR = timedelta(hours=1)
LEAD = timedelta(minutes=12)
"""Clusters need 5 to 11 minutes to come up; work is submitted from then on."""
TAIL = timedelta(minutes=48)
"""After a trace's slice: long enough to scale in, and to reap the forgotten cluster."""

SPOT_TYPES = ("m5.xlarge", "m5a.xlarge", "m6i.xlarge")
NODE_TYPE = "m5.xlarge"
CORE_NODES = 3
_DAY_HOURS = 24.0
_SYNTHETIC_MAXIMUM = 20
_FULL_SCALE_HOURS = 10
"""A day squeezed into fewer hours keeps its shape and loses some of its tasks: the clusters stay small."""
_TRACE_MAXIMUM = 40
_CONTAINERS_PER_NODE = 6
_USD_PER_NODE_HOUR = 0.26
"""More than a node of any of these types costs on demand, volumes included: the cap is there and does not bind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CastMember:
    """One cluster of the story.

    Attributes:
        spec: As it is started.
        workload: Submitted to YARN from ``LEAD`` after the start; None for none.
    """

    spec: ClusterSpec
    workload: Workload | None = None

    @property
    def name(self) -> str:
        """Its name, which the story knows it by."""
        return self.spec.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that is decided before the curtain rises.

    Attributes:
        title: One line for people.
        start: Virtual time of the beginning, a whole hour.
        run_hours: Whole virtual hours played.
        cast: The clusters.
        policies: Policy documents by name, as they are put into Parameter Store.
        incidents: What goes wrong, and when.
        maximum_task_nodes: Upper bound of the scaled cluster's task nodes.
        seed: Of the world.
    """

    title: str
    start: datetime
    run_hours: int
    cast: tuple[CastMember, ...]
    policies: Mapping[str, Mapping[str, Any]]
    incidents: tuple[Incident, ...]
    maximum_task_nodes: int
    seed: int

    @property
    def end(self) -> datetime:
        """When the last hour ends."""
        return self.start + self.run_hours * HOUR


def synthetic_scenario(*, hours: int, seed: int) -> Scenario:
    """Return the built-in day, squeezed into ``hours`` of virtual time (24 plays it as it is)."""
    day = synthetic_day(seed=seed, scale=min(1.0, hours / _FULL_SCALE_HOURS))
    work = squeeze(day, (hours * HOUR - LEAD) / (_DAY_HOURS * HOUR))
    return _scenario(
        title=f"a synthetic day of {len(work.jobs)} jobs within {hours} virtual hours",
        run_hours=hours,
        work=work,
        task_seconds=100,
        maximum=_SYNTHETIC_MAXIMUM,
        seed=seed,
    )


def trace_scenario(path: Path, *, hours: float, seed: int) -> Scenario:
    """Return the busiest slice of a SWIM trace that the cluster's maximum can work off in half its time.

    Raises:
        TraceError: The trace cannot be read; file, line and field are named.
        OSError: The file cannot be opened.
    """
    whole = read_swim(path)
    first = busiest_hour(
        whole, hours=hours, most_work_seconds=round(hours * _TRACE_MAXIMUM * _CONTAINERS_PER_NODE * 3600 / 2)
    )
    work = cut(whole, first, hours)
    played = LEAD + hours * HOUR + TAIL
    return _scenario(
        title=f"{hours:g} h of {path.name} from hour {first} on, {len(work.jobs)} jobs",
        run_hours=-(-played // HOUR),
        work=work,
        task_seconds=30,
        maximum=_TRACE_MAXIMUM,
        seed=seed,
    )


def busiest_hour(workload: Workload, *, hours: float, most_work_seconds: int) -> int:
    """Return the whole hour at which the slice with most work begins.

    Args:
        workload: Cut into slices that begin at whole hours.
        hours: Length of a slice.
        most_work_seconds: Container-seconds; busier slices are passed over while any other has jobs.
    """
    slices = {first: cut(workload, first, hours) for first in range(math.ceil(workload.seconds / 3600))}
    work = {first: sum(job.work_seconds for job in part.jobs) for first, part in slices.items() if part.jobs}
    bearable = {first: seconds for first, seconds in work.items() if seconds <= most_work_seconds}
    if not bearable:
        return min(work, key=lambda first: work[first])
    return max(bearable, key=lambda first: bearable[first])


def cut(workload: Workload, first_hour: int, hours: float) -> Workload:
    """Return the jobs submitted in a slice, counted from its beginning."""
    start, length = first_hour * 3600, round(hours * 3600)
    jobs = tuple(
        replace(job, submit_after_seconds=job.submit_after_seconds - start)
        for job in workload.jobs
        if start <= job.submit_after_seconds < start + length
    )
    return replace(workload, jobs=jobs, seconds=length)


def squeeze(workload: Workload, factor: float) -> Workload:
    """Return the same jobs submitted in ``factor`` of the time."""
    jobs = tuple(
        replace(job, submit_after_seconds=round(job.submit_after_seconds * factor)) for job in workload.jobs
    )
    return replace(workload, jobs=jobs, seconds=round(workload.seconds * factor))


def _scenario(
    *, title: str, run_hours: int, work: Workload, task_seconds: int, maximum: int, seed: int
) -> Scenario:
    seconds = round((run_hours * HOUR - LEAD).total_seconds())
    return Scenario(
        title=title,
        start=START,
        run_hours=run_hours,
        cast=(
            CastMember(spec=_scaled_cluster(), workload=_with_loads(work, seconds)),
            CastMember(spec=_small_cluster(FORGOTTEN, "fixed-size", "data-science", _one_step())),
            CastMember(spec=_small_cluster(BUSY, "fixed-size", "reporting"), workload=_reports(seconds)),
            CastMember(spec=_small_cluster(FOREIGN, "", "")),
        ),
        policies=_policies(task_seconds, maximum),
        incidents=usual_incidents(SCALED, SPOT_TYPES, run_hours * HOUR, maximum),
        maximum_task_nodes=maximum,
        seed=seed,
    )


def _policies(task_seconds: int, maximum: int) -> dict[str, dict[str, Any]]:
    idle = {"idle_for_minutes": 20, "min_age_minutes": 30, "warning_period_minutes": 10}
    return {
        "demo": {
            "mode": "live",
            "task": {
                "max_nodes": maximum,
                "objective": "balanced",
                "expected_task_seconds": task_seconds,
                "pools": {"instance_types": list(SPOT_TYPES), "on_demand_type": NODE_TYPE},
                "max_usd_per_hour": round(maximum * _USD_PER_NODE_HOUR, 2),
                "schedules": [
                    {
                        "days": ["mon", "tue", "wed", "thu", "fri"],
                        "from": "03:30",
                        "to": "04:00",
                        "time_zone": "UTC",
                        "min_nodes": 2,
                    }
                ],
            },
            "core": {"min_nodes": CORE_NODES, "max_nodes": 6, "cooldown_minutes": 20},
        },
        "fixed-size": {"mode": "live", "task": {"enabled": False}, "core": {"enabled": False}, "idle": idle},
    }


def _on_demand(role: Role, count: int) -> GroupSpec:
    return GroupSpec(
        role=role, market=Market.ON_DEMAND, instance_type=NODE_TYPE, count=count, name=role.value.lower()
    )


def _scaled_cluster() -> ClusterSpec:
    """Return the cluster whose task and core groups follow its work and its HDFS."""
    return ClusterSpec(
        name=SCALED,
        groups=(_on_demand(Role.MASTER, 1), _on_demand(Role.CORE, CORE_NODES)),
        tags={"emr-autoscaler:policy": "demo", "cost-centre": "analytics"},
        dfs_replication=2,
    )


def _small_cluster(name: str, policy: str, cost_centre: str, steps: tuple[StepSpec, ...] = ()) -> ClusterSpec:
    tags = {"emr-autoscaler:policy": policy, "cost-centre": cost_centre}
    return ClusterSpec(
        name=name,
        groups=(_on_demand(Role.MASTER, 1), _on_demand(Role.CORE, 2)),
        tags={key: value for key, value in tags.items() if value} or {"owner": "research"},
        steps=steps,
        has_probe=False,
    )


def _one_step() -> tuple[StepSpec, ...]:
    job = Job(name="import", stages=(Stage(tasks=24, seconds=180),))
    return (StepSpec(name="import", job=job),)


def _with_loads(work: Workload, seconds: int) -> Workload:
    """Add the loads that outgrow the core nodes, whatever else runs: one at once, one while pools are dry."""
    loads = tuple(
        Job(
            name=name,
            stages=(Stage(tasks=260, seconds=150), Stage(tasks=40, seconds=90, parents=(0,))),
            submit_after_seconds=at,
            hdfs_write_gib=8.0,
        )
        for name, at in (("nightly-load", 60), ("second-load", round(seconds * SECOND_LOAD)))
    )
    jobs = sorted((*loads, *work.jobs), key=lambda job: job.submit_after_seconds)
    return replace(work, jobs=tuple(jobs))


def _reports(seconds: int) -> Workload:
    """Return small jobs that overlap: a cluster that is never idle, and never short of memory."""
    every = 600
    jobs = tuple(
        Job(name=f"report-{at // every}", stages=(Stage(tasks=4, seconds=700),), submit_after_seconds=at)
        for at in range(0, seconds, every)
    )
    return Workload(name="reports", jobs=jobs, seconds=seconds)
