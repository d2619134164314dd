"""Recorded work replayed as a fluid under a policy: the deployed decision function on capacity of its own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from emr_autoscaler.domain.cluster import ClusterState, Role
from emr_autoscaler.domain.decision import Decision
from emr_autoscaler.domain.demand import Demand
from emr_autoscaler.domain.memory import TaskMemory
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.usecases.scale_task_groups import ScaleTaskGroups
from emr_simulator.backtest.recording import NEEDED, TOLD, Recording
from emr_simulator.backtest.replayed_cluster import ReplayedCluster, replayed_cluster
from emr_simulator.backtest.work import Interval, Reading, Work

TICK = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySettings:
    """What a recording does not say.

    Attributes:
        boot: From an order to a useful node (facts: median 5.5 min).
        publish_delay: From a sample to the look that sees it (facts: published 90-120 s late).
        usd_per_node_hour: What a node costs, by type; a type that is not there has no price.
    """

    boot: timedelta = timedelta(seconds=330)
    publish_delay: timedelta = timedelta(seconds=120)
    usd_per_node_hour: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One decision, and all it was made from."""

    evidence: TaskEvidence
    decision: Decision

    @property
    def nodes_before(self) -> int:
        """Task nodes, or units of the task fleet, ordered when it was made."""
        units = sum(fleet.target_units for fleet in self.evidence.fleets if fleet.role is Role.TASK)
        return units + sum(g.requested_count for g in self.evidence.groups if g.role is Role.TASK)

    @property
    def nodes_after(self) -> int:
        """Task nodes, or units, ordered after it."""
        return self.nodes_before + sum(t.count - t.previous_count for t in self.decision.targets)


def _applications(recorded: Demand, containers: float) -> dict[MetricName, float]:
    """Return what is shown of applications: those that came, and as many as the replayed containers are of."""
    shown = {} if recorded.submitted is None else {MetricName.APPS_SUBMITTED: recorded.submitted}
    there = recorded.containers + recorded.pending_containers
    if recorded.applications is not None and there:
        shown |= {
            MetricName.APPS_RUNNING: recorded.applications * containers / there,
            MetricName.APPS_PENDING: 0.0,
        }
    return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The replayed cluster at one reading.

    Attributes:
        requested_nodes: Task nodes ordered; units, where there is a task fleet.
        task_nodes: Task nodes, or units, there.
        total_mib: YARN memory.
        allocated_mib: In use.
        pending_mib: Waiting.
    """

    at: datetime
    requested_nodes: int
    task_nodes: int
    total_mib: float
    allocated_mib: float
    pending_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What would have been.

    Attributes:
        states: One for each reading of the recording.
        looks: Every decision, oldest first.
        cluster: Its task groups with what they were billed; gaps are left out.
        served_mib_seconds: Work that was done.
        remaining_mib_seconds: Work that still runs or waits at the end.
    """

    states: tuple[State, ...]
    looks: tuple[Look, ...]
    cluster: ReplayedCluster
    served_mib_seconds: float
    remaining_mib_seconds: float


def replay_policy(
    recording: Recording, work: Work, policy: TaskPolicy, settings: ReplaySettings | None = None
) -> Replay:
    """Replay the work of a recording under a policy.

    Args:
        recording: Where the work is from; its groups are those of the cluster.
        work: Reconstructed from it.
        policy: The task section of the policy, acted on whatever its mode is.
        settings: What the recording does not say.

    Raises:
        RecordingError: There is no task group, and the policy creates none.
    """
    return _Replaying(recording, work, policy, settings or ReplaySettings()).run()


class _Replaying:
    def __init__(self, recording: Recording, work: Work, policy: TaskPolicy, settings: ReplaySettings) -> None:
        self._recording = recording
        self._work = work
        self._policy = policy
        self._settings = settings
        self._cluster = replayed_cluster(recording, work, policy, boot=settings.boot)
        self._memory = TaskMemory()
        self._backlog = work.initial_mib_seconds
        self._served = 0.0
        self._samples: list[tuple[datetime, Mapping[MetricName, float]]] = []
        self._sampled: set[datetime] = set()
        self._states: list[State] = []
        self._looks: list[Look] = []

    def run(self) -> Replay:
        for interval in self._work.intervals:
            self._sample(interval.first)
            self._play(interval)
        self._sample(self._work.readings[-1])
        return Replay(
            states=tuple(self._states),
            looks=tuple(self._looks),
            cluster=self._cluster,
            served_mib_seconds=self._served,
            remaining_mib_seconds=self._backlog,
        )

    def _play(self, interval: Interval) -> None:
        """Let an interval pass, tick by tick; in a gap work stands still and nothing is paid on either side."""
        now, step = interval.first.at, TICK.total_seconds()
        rate = interval.offered_mib_seconds / interval.seconds
        while now < interval.end:
            self._cluster.advance(now)
            if self._is_due(now):
                self._look(now, interval.first)
            if not interval.is_gap:
                self._flow(rate, self._capacity(interval.first), step)
                self._cluster.pay(now, int(step))
            now += TICK
        if interval.is_gap:
            self._backlog += interval.offered_mib_seconds
        self._cluster.advance(now)

    def _flow(self, rate: float, capacity: float, seconds: float) -> None:
        """Serve the backlog: no faster than there is memory, or than containers run."""
        allocated = min(capacity, self._wanted())
        self._backlog += (rate - allocated) * seconds
        self._served += allocated * seconds

    def _wanted(self) -> float:
        """Return the memory of all containers that run or wait; no container is shorter than a tick."""
        return self._backlog / max(self._work.task_seconds, TICK.total_seconds())

    def _capacity(self, reading: Reading) -> float:
        return reading.core_nodes * self._cluster.core_mib + self._cluster.running_mib

    def _sample(self, reading: Reading) -> None:
        """Publish what the replayed cluster looks like; containers that wait are whole ones."""
        size = reading.demand.container_mib
        total = self._capacity(reading)
        # The least part of a container is rounding: nothing waits.
        pending = max(0, math.floor((self._wanted() - total) / size + 1e-3))
        present = self._cluster.present
        allocated = min(self._wanted(), total)
        values = (total, allocated, allocated / size, float(pending), reading.core_nodes, float(present))
        self._sampled.add(reading.at)
        shown = dict(zip(NEEDED, values, strict=True)) | _applications(reading.demand, allocated / size + pending)
        self._samples.append((reading.at, shown))
        self._states.append(
            State(
                at=reading.at,
                requested_nodes=self._cluster.requested,
                task_nodes=present,
                total_mib=total,
                allocated_mib=allocated,
                pending_mib=pending * size,
            )
        )

    def _is_due(self, now: datetime) -> bool:
        """Whether a sample has just become visible, or the last look asked for another."""
        asked = self._memory.next_evaluation_at
        return now - self._settings.publish_delay in self._sampled or (asked is not None and asked <= now)

    def _look(self, now: datetime, reading: Reading) -> None:
        evidence = TaskEvidence(
            now=now,
            cluster_id=self._recording.cluster_id,
            state=ClusterState.RUNNING,
            **self._cluster.described(round(reading.core_nodes)),
            metrics=self._published(now),
            policy=self._policy,
            memory=self._memory,
            groups_are_fresh=True,
            prices=self._cluster.prices(self._settings.usd_per_node_hour, now),
        )
        verdict = decide_task_capacity(evidence)
        self._memory = verdict.memory
        self._looks.append(Look(evidence=evidence, decision=verdict.decision))
        self._cluster.order(verdict.decision.targets, now)

    def _published(self, now: datetime) -> ClusterMetrics:
        visible = [
            (at, values)
            for at, values in self._samples[-1 - ScaleTaskGroups.window // self._recording.period :]
            if now - ScaleTaskGroups.window <= at <= now - self._settings.publish_delay
        ]
        return ClusterMetrics(
            cluster_id=self._recording.cluster_id,
            period=self._recording.period,
            series={
                name: tuple(MetricPoint(at=at, value=values[name]) for at, values in visible if name in values)
                for name in (*NEEDED, *TOLD)
                if visible
            },
        )
