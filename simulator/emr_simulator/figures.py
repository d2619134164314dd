"""The figures of one run, as docs/benchmark.md defines them; how a run goes is in experiment.py."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from emr_simulator.applications import Application
from emr_simulator.clusters import Cluster, Node
from emr_simulator.elasticity import Elasticity, demand_curve, elasticity_of, supply_curve
from emr_simulator.engine import to_moment, to_seconds
from emr_simulator.ledger import Ledger, to_decimal
from emr_simulator.quotas import BUCKETS
from emr_simulator.words import BillComponent, Market, Role
from emr_simulator.workloads.model import Workload

MINIMUM_IDEAL_SECONDS = 60
DEADLINE_FACTOR, DEADLINE_SLACK_SECONDS = 3, 300
HOUR = 3600


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
        elasticity: How supply followed demand.
        queues: bsld of the jobs of each queue, where there are several.
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
    elasticity: Elasticity
    queues: dict[str, dict[str, float]]

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
            "bsld": _rounded(self.bsld),
            "work_weighted_delay_seconds": round(self.work_weighted_delay_seconds, 2),
            "killed_container_seconds": self.killed_container_seconds,
            "deadline_misses": self.deadline_misses,
            "resize_requests": self.resize_requests,
            "nodes_started": self.nodes_started,
            "emr_calls": dict(sorted(self.emr_calls.items())),
            "elasticity": self.elasticity.to_json(),
            "queues": {name: _rounded(slowdowns) for name, slowdowns in self.queues.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBounds:
    """What a policy may have: core and task nodes together.

    Attributes:
        containers_per_node: How many fit on one.
        least: Always there.
        most: Never more.
    """

    containers_per_node: int
    least: int
    most: int


def figures_of(
    *,
    policy: str,
    workload: Workload,
    seed: int,
    cluster: Cluster,
    ledger: Ledger,
    began_at: datetime,
    now: datetime,
    calls: Mapping[str, int],
    nodes: NodeBounds,
) -> Figures:
    """Read the figures off a cluster whose workload has ended.

    Args:
        policy: Its name.
        workload: What was run.
        seed: Of the world.
        cluster: What it ran on.
        ledger: The world's bill.
        began_at: When the workload began; nothing before counts.
        now: The end, where jobs are left unfinished; otherwise the last job's end is the end.
        calls: EMR calls since ``began_at`` by name.
        nodes: Bounds of the elasticity's demand.
    """
    yarn = cluster.yarn
    began = to_seconds(began_at)
    last = max((app.ended_at or 0 for app in yarn.ended), default=began)
    end = to_seconds(now) if yarn.live else max(began, last)
    apps = [*yarn.ended, *yarn.live]
    task = [node for node in cluster.nodes() if node.group.spec.role is Role.TASK and node.launched_at]
    total = sum(_seconds_within(node, began, end) for node in task)
    spot = sum(_seconds_within(node, began, end) for node in task if node.market is Market.SPOT)
    cost, floor = _costs(cluster, ledger, began, end)
    work = sum(job.work_seconds for job in workload.jobs)
    return Figures(
        policy=policy,
        trace=workload.name,
        seed=seed,
        jobs=len(workload.jobs),
        cost_usd=cost,
        floor_cost_usd=floor,
        node_hours=total / HOUR,
        spot_share=spot / total if total else 0.0,
        bsld=bounded_slowdowns(apps, end),
        work_weighted_delay_seconds=yarn.delay_integral / work if work else 0.0,
        killed_container_seconds=yarn.lost_container_seconds,
        deadline_misses=sum(_response(app, end) > _deadline(app) for app in apps),
        resize_requests=calls.get("ModifyInstanceGroups", 0),
        nodes_started=sum(began <= (node.launched_at or 0) < end for node in task),
        emr_calls={call: count for call, count in calls.items() if call in BUCKETS},
        elasticity=_elasticity(cluster, workload, nodes, began, end),
        queues=_by_queue(cluster, apps, end),
    )


def _elasticity(cluster: Cluster, workload: Workload, bounds: NodeBounds, began: int, end: int) -> Elasticity:
    seconds = end - began
    lives = [
        (node.ready_at - began, None if node.ended_at is None else node.ended_at - began)
        for node in cluster.nodes()
        if node.ready_at is not None and node.group.spec.role is not Role.MASTER
    ]
    demand = demand_curve(
        workload,
        seconds=seconds,
        containers_per_node=bounds.containers_per_node,
        least=bounds.least,
        most=bounds.most,
    )
    return elasticity_of(demand, supply_curve(lives, seconds=seconds))


def _by_queue(cluster: Cluster, apps: Sequence[Application], end: int) -> dict[str, dict[str, float]]:
    queues = cluster.yarn.queues
    if len(queues) == 1:
        return {}
    return {
        queue.spec.name: bounded_slowdowns([app for app in apps if app.queue is queue], end) for queue in queues
    }


def _rounded(slowdowns: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in slowdowns.items()}


def _seconds_within(node: Node, start: int, end: int) -> int:
    ended = end if node.ended_at is None else min(node.ended_at, end)
    return max(0, ended - max(node.launched_at or 0, start))


def _costs(cluster: Cluster, ledger: Ledger, start: int, end: int) -> tuple[Decimal, Decimal]:
    """Return USD of task nodes and of the floor between two times, EBS left out."""
    task, floor = Fraction(0), Fraction(0)
    for sign, until in ((1, end), (-1, start)):
        for line in ledger.bill(until=to_moment(until)).lines:
            if line.component is BillComponent.EBS or line.cluster_id != cluster.cluster_id:
                continue
            if cluster.groups[line.group_id].spec.role is Role.TASK:
                task += sign * line.usd_exact
            else:
                floor += sign * line.usd_exact
    return to_decimal(task), to_decimal(floor)


def _response(app: Application, end: int) -> int:
    return (end if app.ended_at is None else app.ended_at) - app.submitted_at


def _deadline(app: Application) -> int:
    return DEADLINE_FACTOR * app.job.ideal_seconds + DEADLINE_SLACK_SECONDS


def bounded_slowdowns(apps: Sequence[Application], end: int) -> dict[str, float]:
    """Return mean, p50, p95 and p99 of the jobs' bounded slowdowns; those that have not ended, end at ``end``."""
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
