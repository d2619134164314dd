"""The slices of work that are replayed, each with its cluster; who replays them is in the other modules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from emr_simulator.workloads.model import Workload
from emr_simulator.workloads.swim import read_swim
from emr_simulator.workloads.synthetic import synthetic_day


class Scheduler(StrEnum):
    """Hadoop's schedulers that are compared with."""

    FIFO = "fifo"
    CAPACITY = "capacity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One run on the real ResourceManager.

    Attributes:
        heartbeat_millis: Interval of the heartbeats of nodes and of application masters (YARN's default: 1000).
        master_mib: Memory of the container of an application master; 0 for one outside the cluster.
        is_held_to_limits: Whether disagreement fails the check; the others only explain it.
    """

    scheduler: Scheduler
    heartbeat_millis: int = 1000
    master_mib: int = 0
    is_held_to_limits: bool = True

    @property
    def name(self) -> str:
        """What it is called in the table."""
        master = f", masters of {self.master_mib} MiB" if self.master_mib else ""
        return f"{self.scheduler.value}, {self.heartbeat_millis} ms{master}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of a day on a cluster.

    Attributes:
        start_hour: Where it begins in the trace.
        hours: How long jobs are submitted; it ends with the last of them.
        task_count: Task nodes at its beginning, beside two core nodes.
        replays: How it is run on the real ResourceManager.
        resizes: (second, task nodes wanted from then on), by ModifyInstanceGroups.
        decommission_timeout_seconds: YARN's graceful timeout.
        like_hadoop: The simulator has the heartbeats that its model leaves out (each container is held one second
            longer, each next stage asked for one second later), and draining nodes wait for applications.
    """

    name: str
    start_hour: float
    hours: float
    task_count: int
    replays: tuple[Replay, ...]
    resizes: tuple[tuple[int, int], ...] = ()
    decommission_timeout_seconds: int = 3600
    like_hadoop: bool = False


_FIFO = Replay(scheduler=Scheduler.FIFO)
_CAPACITY = Replay(scheduler=Scheduler.CAPACITY)
_EXPLAINING = (
    Replay(scheduler=Scheduler.CAPACITY, heartbeat_millis=100, is_held_to_limits=False),
    Replay(scheduler=Scheduler.CAPACITY, master_mib=2048, is_held_to_limits=False),
)

# Hadoop 3.3.6's FIFO scheduler takes no new application once a node has been decommissioned gracefully (it
# casts its queue to the capacity scheduler's): resizes are replayed on the capacity scheduler alone.
_RESIZES = Slice(
    name="resizes",
    start_hour=9.0,
    hours=1.0,
    task_count=30,
    replays=(_CAPACITY,),
    resizes=((600, 12), (1200, 36), (2400, 16), (2405, 24)),
    decommission_timeout_seconds=900,
)

_STEADY = Slice(name="steady", start_hour=9.0, hours=1.0, task_count=24, replays=(_FIFO, _CAPACITY, *_EXPLAINING))
_BURST = Slice(name="burst", start_hour=7.0, hours=0.5, task_count=36, replays=(_FIFO, _CAPACITY))

SLICES: Sequence[Slice] = (
    _STEADY,
    _BURST,
    _RESIZES,
    *(
        replace(part, name=f"{part.name}, simulator with heartbeats", replays=(_CAPACITY,), like_hadoop=True)
        for part in (_STEADY, _BURST, _RESIZES)
    ),
)


def read_work(part: Slice, trace: Path | None) -> Workload:
    """Return the jobs of a slice; of the built-in synthetic day where there is no trace.

    Raises:
        TraceError: The trace cannot be read.
    """
    if trace is None:
        return synthetic_day(seed=1, start_hour=part.start_hour + 4, hours=part.hours, scale=2.0)
    return read_swim(trace, start_hour=part.start_hour, hours=part.hours)
