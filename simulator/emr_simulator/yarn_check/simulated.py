"""The simulator's side: a World that runs a slice while every second is written down."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from emr_simulator.clusters import Node
from emr_simulator.descriptions import ClusterSpec, GroupResize, GroupSpec
from emr_simulator.experiment import SETTLING, START, MetricsMode, Setup, reference_settings
from emr_simulator.metrics import sample_values
from emr_simulator.words import ClusterState, Market, Role
from emr_simulator.workloads.model import Workload
from emr_simulator.world import World
from emr_simulator.yarn_check.outcomes import METRICS, JobTimes, Leave, NodeTimes, Outcome
from emr_simulator.yarn_check.slices import Slice

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_HEARTBEAT_SECONDS = 1
"""YARN's default heartbeats of nodes and masters, each waited for by half on average."""
_LONGEST_SECONDS = 24 * 3600


def simulate(part: Slice, workload: Workload, *, seed: int = 1) -> tuple[Outcome, dict[str, NodeTimes]]:
    """Run a slice in a World.

    Returns:
        What came of it, and when each node came and went, by instance id.
    """
    settings = reference_settings(MetricsMode.ONE_MINUTE)
    if part.like_hadoop:
        settings = replace(settings, stage_gap_seconds=_HEARTBEAT_SECONDS, drain_waits_for_applications=True)
        workload = _held_longer(workload)
    world = World(seed=seed, start=START, settings=settings)
    cluster_id = world.emr.run_job_flow(_cluster_of(part))
    while world.inside(cluster_id).state is not ClusterState.WAITING:
        world.run_for(_MINUTE)
    began = datetime.fromtimestamp(math.ceil((world.now + SETTLING).timestamp() / 300) * 300, UTC)
    world.run_until(began - _SECOND)
    for job in workload.jobs:
        world.submit_job(cluster_id, job, at=began + timedelta(seconds=job.submit_after_seconds))
    return _Recording(world, cluster_id, began).run(part, len(workload.jobs))


def _held_longer(workload: Workload) -> Workload:
    """Lengthen every task by what passes on YARN until its master has it, and until its end is known."""
    jobs = tuple(
        replace(
            job, stages=tuple(replace(stage, seconds=stage.seconds + _HEARTBEAT_SECONDS) for stage in job.stages)
        )
        for job in workload.jobs
    )
    return replace(workload, jobs=jobs)


def _cluster_of(part: Slice) -> ClusterSpec:
    setup = Setup()

    def group(role: Role, count: int) -> GroupSpec:
        return GroupSpec(
            role=role, market=Market.ON_DEMAND, instance_type=setup.instance_type, count=count, name=role
        )

    sizes = {Role.MASTER: 1, Role.CORE: setup.core_count, Role.TASK: part.task_count}
    return ClusterSpec(name=part.name, groups=tuple(group(role, count) for role, count in sizes.items()))


class _Recording:
    """What is written down of a World, second by second."""

    def __init__(self, world: World, cluster_id: str, began: datetime) -> None:
        self._world = world
        self._cluster = world.inside(cluster_id)
        self._began = began
        self._samples: dict[str, list[float]] = {metric: [] for metric in METRICS}
        self._drains: dict[str, list[tuple[int, int]]] = {}
        self._recalls: dict[str, list[int]] = {}
        self._emptied: dict[str, int] = {}

    def run(self, part: Slice, jobs: int) -> tuple[Outcome, dict[str, NodeTimes]]:
        """Let time pass until the jobs have ended and nobody is on the way out."""
        orders = dict(part.resizes)
        last_order = max(orders, default=0)
        second = 0
        while second < _LONGEST_SECONDS:
            self._world.run_until(self._began + second * _SECOND)
            if second in orders:
                self._resize(orders[second], part.decommission_timeout_seconds)
            self._note(second)
            is_over = len(self._cluster.yarn.ended) == jobs and second > last_order
            if is_over and not any(node.draining and not node.is_gone for node in self._nodes()):
                break
            second += 1
        return self._outcome(), self._node_times()

    def _resize(self, count: int, timeout_seconds: int) -> None:
        (group,) = (g for g in self._cluster.groups.values() if g.spec.role is Role.TASK)
        order = GroupResize(group_id=group.group_id, count=count, decommission_timeout_seconds=timeout_seconds)
        self._world.emr.modify_instance_groups(self._cluster.cluster_id, [order])
        self._world.run_until(self._world.now)

    def _nodes(self) -> list[Node]:
        groups = self._cluster.groups.values()
        return [n for g in groups if g.spec.role is not Role.MASTER for n in g.all_nodes if n.yarn is not None]

    def _seconds(self, epoch_seconds: int) -> int:
        return epoch_seconds - int(self._began.timestamp())

    def _note(self, second: int) -> None:
        values = sample_values(self._cluster, int(self._world.now.timestamp()))
        for metric in METRICS:
            self._samples[metric].append(values[metric])
        for node in self._nodes():
            drains = self._drains.setdefault(node.instance_id, [])
            recalls = self._recalls.setdefault(node.instance_id, [])
            if node.draining and len(drains) == len(recalls) and node.drain_deadline is not None:
                drains.append((second, self._seconds(node.drain_deadline)))
            elif not node.draining and len(drains) > len(recalls):
                recalls.append(second)
                self._emptied.pop(node.instance_id, None)
            if node.draining and not node.is_gone and node.yarn and not node.yarn.batches:
                self._emptied.setdefault(node.instance_id, second)

    def _outcome(self) -> Outcome:
        jobs = {
            app.job.name: JobTimes(
                submitted=self._seconds(app.submitted_at),
                started=self._seconds(app.started_at or 0),
                ended=self._seconds(app.ended_at or 0),
                lost_seconds=app.killed_container_seconds,
            )
            for app in self._cluster.yarn.ended
        }
        leaves = tuple(
            Leave(
                asked=asked,
                empty=self._emptied.get(name, times.left),
                left=times.left,
                forced=times.left >= deadline,
            )
            for name, times in self._node_times().items()
            if times.left is not None
            for asked, deadline in times.drains[-1:]
        )
        samples = {metric: tuple(values) for metric, values in self._samples.items()}
        return Outcome(jobs=jobs, samples=samples, leaves=leaves)

    def _node_times(self) -> dict[str, NodeTimes]:
        return {node.instance_id: self._times_of(node, node.yarn.total_mib) for node in self._nodes() if node.yarn}

    def _times_of(self, node: Node, mib: int) -> NodeTimes:
        return NodeTimes(
            mib=mib,
            up=max(0, self._seconds(node.ready_at or self._cluster.created_at)),
            drains=tuple(self._drains.get(node.instance_id, ())),
            recalls=tuple(self._recalls.get(node.instance_id, ())),
            left=None if node.ended_at is None else self._seconds(node.ended_at),
        )
