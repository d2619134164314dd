"""The work a recording shows: what was offered in each interval, whatever capacity was there to serve it."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles

from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.demand import Demand, read_demand
from emr_autoscaler.domain.load import LONGEST_CONTAINER
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint
from emr_simulator.backtest.recording import NEEDED, Recording, Sample
from emr_simulator.errors import RecordingError

ENOUGH_DRAINS = 4
"""Fewer periods in which a backlog drained say nothing of how long containers run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One sample that can be believed.

    Attributes:
        at: When it was taken.
        demand: As the deployed reader understands it.
        core_nodes: Core nodes running.
        task_nodes: Task nodes running.
    """

    at: datetime
    demand: Demand
    core_nodes: float
    task_nodes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The time between two readings.

    Attributes:
        first: The reading it begins with.
        end: When it ends.
        offered_mib_seconds: Work that came in it; in a gap, what its end shows to have come.
        served_mib_seconds: Work the recorded cluster did; unknown, and 0 here, in a gap.
        is_gap: Whether samples are missing in it.
    """

    first: Reading
    end: datetime
    offered_mib_seconds: float
    served_mib_seconds: float
    is_gap: bool

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.first.at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """All that a recording shows of work.

    Attributes:
        readings: Oldest first.
        intervals: Between them, one fewer.
        initial_mib_seconds: Work that ran or waited already when the recording begins.
        remaining_mib_seconds: Work that still runs or waits when it ends.
        task_seconds: How long a container runs; turns memory that runs or waits into work.
        rejected: Samples that could not be believed, by why.
    """

    readings: tuple[Reading, ...]
    intervals: tuple[Interval, ...]
    initial_mib_seconds: float
    remaining_mib_seconds: float
    task_seconds: float
    rejected: Mapping[Reason, int]

    @property
    def offered_mib_seconds(self) -> float:
        """All the work, that at the beginning included."""
        return self.initial_mib_seconds + sum(interval.offered_mib_seconds for interval in self.intervals)

    @property
    def served_mib_seconds(self) -> float:
        """All the work the recorded cluster is seen to have done."""
        return sum(interval.served_mib_seconds for interval in self.intervals)

    @property
    def gaps(self) -> tuple[Interval, ...]:
        """The intervals in which samples are missing."""
        return tuple(interval for interval in self.intervals if interval.is_gap)


def estimate_task_seconds(recording: Recording) -> float | None:
    """Return how long containers run, as draining backlogs show it; None where too few are seen.

    While work waits at both ends of a period, every container that ends makes room for a waiting one:
    the backlog shrinks by the containers that ran, times the period, over their length. New arrivals
    make it shrink less and so the length seem longer. So periods in which nobody submitted an application
    are taken alone, all that ran in them over all that ended; where too few are known to be such, the
    lower quartile of all.
    """
    readings, _rejected = _readings(recording)
    shown, alone = [], []
    for earlier, later in itertools.pairwise(readings):
        before, after = earlier.demand, later.demand
        if later.at - earlier.at != recording.period or not (before.pending_mib and after.pending_mib):
            continue
        ran = (before.allocated_mib + after.allocated_mib) / 2 * recording.period.total_seconds()
        if before.pending_mib > after.pending_mib:
            shown.append(ran / (before.pending_mib - after.pending_mib))
        if before.submitted is not None and before.submitted == after.submitted:
            ended = before.pending_mib + before.allocated_mib - after.pending_mib - after.allocated_mib
            alone.append((ran, max(0.0, ended)))
    ended = sum(gone for _ran, gone in alone)
    if len(alone) >= ENOUGH_DRAINS and ended >= ENOUGH_DRAINS * readings[0].demand.container_mib:
        length = sum(ran for ran, _gone in alone) / ended
        return float(max(1, round(min(length, LONGEST_CONTAINER.total_seconds()))))
    if len(shown) < ENOUGH_DRAINS:
        return None
    return float(max(1, round(quantiles(shown, n=4)[0])))


def reconstruct_work(recording: Recording, *, task_seconds: float) -> Work:
    """Reconstruct the work that was offered: what was served, and by how much the backlog grew.

    The backlog is the memory that runs or waits, for ``task_seconds`` each: what is left of a running
    container is taken to be a whole one's, as for lengths of which nothing but the mean is known.
    Where the backlog shrank by more than was served, the containers in it were shorter than that: the
    work is taken off what was offered before, so that all that was ever offered is what was served and
    what is left, to the last MiB-second.

    Args:
        recording: The metrics.
        task_seconds: How long one container runs.

    Raises:
        RecordingError: Fewer than two samples can be believed.
    """
    readings, rejected = _readings(recording)
    if len(readings) < 2:  # noqa: PLR2004 (an interval has two ends)
        why = ", ".join(f"{count} {reason}" for reason, count in rejected.items())
        problem = f"{len(readings)} complete samples, at least 2 are needed ({why or 'nothing else was there'})"
        raise RecordingError(path=recording.source, problem=problem)
    pairs = list(itertools.pairwise(readings))
    served = [_served(earlier, later, recording.period) for earlier, later in pairs]
    backlogs = [(r.demand.allocated_mib + r.demand.pending_mib) * task_seconds for r in readings]
    arrived = _arrived(backlogs, served)
    return Work(
        readings=readings,
        intervals=tuple(
            Interval(
                first=earlier,
                end=later.at,
                offered_mib_seconds=after - before,
                served_mib_seconds=done,
                is_gap=later.at - earlier.at > recording.period,
            )
            for (earlier, later), done, before, after in zip(pairs, served, arrived, arrived[1:], strict=False)
        ),
        initial_mib_seconds=arrived[0],
        remaining_mib_seconds=backlogs[-1],
        task_seconds=task_seconds,
        rejected=rejected,
    )


def _served(earlier: Reading, later: Reading, period: timedelta) -> float:
    if later.at - earlier.at > period:
        return 0.0
    mean_mib = (earlier.demand.allocated_mib + later.demand.allocated_mib) / 2
    return mean_mib * period.total_seconds()


def _arrived(backlogs: Sequence[float], served: Sequence[float]) -> list[float]:
    """Return all work that had come by each reading: it never shrinks, and ends at served and backlog."""
    done, totals = 0.0, [backlogs[0]]
    for work, backlog in zip(served, backlogs[1:], strict=True):
        done += work
        totals.append(done + backlog)
    for index in reversed(range(len(totals) - 1)):
        totals[index] = min(totals[index], totals[index + 1])
    return totals


def _readings(recording: Recording) -> tuple[tuple[Reading, ...], Mapping[Reason, int]]:
    readings: list[Reading] = []
    rejected: Counter[Reason] = Counter()
    container_mib: float | None = None
    for sample in recording.samples:
        demand = _demand(recording, sample, container_mib)
        if isinstance(demand, Reason):
            rejected[demand] += 1
            continue
        container_mib = demand.container_mib
        readings.append(
            Reading(
                at=sample.at,
                demand=demand,
                core_nodes=sample.values[MetricName.CORE_NODES_RUNNING],
                task_nodes=sample.values[MetricName.TASK_NODES_RUNNING],
            )
        )
    return tuple(readings), dict(rejected)


def _demand(recording: Recording, sample: Sample, container_mib: float | None) -> Demand | Reason:
    """Read one sample as the deployed system reads it."""
    if any(name not in sample.values for name in NEEDED):
        return Reason.METRICS_STALE
    if sample.values[MetricName.TASK_NODES_RUNNING] > 0 and not recording.has_task_capacity:
        problem = "TaskNodesRunning is above 0, and no task group or fleet is described"
        raise RecordingError(path=recording.source, row=str(sample.at), problem=problem)
    series = {name: (MetricPoint(at=sample.at, value=value),) for name, value in sample.values.items()}
    metrics = ClusterMetrics(cluster_id=recording.cluster_id, period=recording.period, series=series)
    return read_demand(metrics, now=sample.at, max_age=recording.period, container_mib=container_mib)
