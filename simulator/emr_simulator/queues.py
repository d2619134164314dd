"""Capacity queues of a YARN: whose turn it is, and how far a queue may go; containers are started in yarn.py."""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from math import floor, inf
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from emr_simulator.applications import StageRun
    from emr_simulator.workloads.model import Job

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSpec:
    """A queue of the capacity scheduler, directly below the root.

    Attributes:
        name: What jobs call it.
        guaranteed: Fraction (above 0, to 1) of the cluster's memory that is its own while it has work.
        maximum: Fraction (0-1) of the cluster's memory that it never holds more than (elasticity).
        least_tasks: Jobs that name no queue are placed by size: into the queue with the largest number
            here that they reach.
    """

    name: str
    guaranteed: float = 1.0
    maximum: float = 1.0
    least_tasks: int = 0

    def __post_init__(self) -> None:
        """Refuse a queue that cannot be."""
        if not self.name:
            msg = "name: a queue needs one"
            raise ValueError(msg)
        if not 0 < self.guaranteed <= self.maximum <= 1:
            msg = (
                f"guaranteed, maximum of {self.name}: must be 0 < guaranteed <= maximum <= 1, "
                f"got {self.guaranteed}, {self.maximum}"
            )
            raise ValueError(msg)
        if self.least_tasks < 0:
            msg = f"least_tasks of {self.name}: must be at least 0, got {self.least_tasks}"
            raise ValueError(msg)


ONE_QUEUE = (QueueSpec(name="default"),)
"""First in, first out over all jobs."""


def check_queues(specs: Sequence[QueueSpec]) -> None:
    """Refuse queues that do not share one cluster.

    Raises:
        ValueError: Names that repeat, guarantees that are not the whole, or small jobs without a place.
    """
    if len({spec.name for spec in specs}) < len(specs):
        msg = "names of queues must differ"
        raise ValueError(msg)
    whole = sum(spec.guaranteed for spec in specs)
    if abs(whole - 1) > _ROUNDING:
        msg = f"guaranteed: the queues' fractions must add up to 1, not {whole:g}"
        raise ValueError(msg)
    if all(spec.least_tasks > 0 for spec in specs):
        msg = "least_tasks: one queue must take jobs of any size (0)"
        raise ValueError(msg)


class UnknownQueueError(ValueError):
    """A job names a queue that its cluster does not have."""


class Queue:
    """A queue at work.

    Attributes:
        spec: As configured.
        ready: Stages with containers to ask for, in order of submission.
        used_mib: Allocated to its applications.
    """

    __slots__ = ("ready", "spec", "used_mib")

    def __init__(self, spec: QueueSpec) -> None:
        self.spec = spec
        self.ready: list[StageRun] = []
        self.used_mib = 0

    @property
    def share(self) -> float:
        """Memory in use over what is guaranteed, in MiB of a whole cluster."""
        return self.used_mib / self.spec.guaranteed


def place(job: "Job", queues: Sequence[Queue]) -> Queue:
    """Return the queue of a job: the one it names, or else the one for its size.

    Raises:
        UnknownQueueError: It names one that is not there.
    """
    if job.queue is not None:
        for queue in queues:
            if queue.spec.name == job.queue:
                return queue
        known = ", ".join(queue.spec.name for queue in queues)
        msg = f"job {job.name}: there is no queue {job.queue!r}; the cluster has {known}"
        raise UnknownQueueError(msg)
    tasks = sum(stage.tasks for stage in job.stages)
    fitting = [queue for queue in queues if queue.spec.least_tasks <= tasks]
    return max(fitting, key=lambda queue: queue.spec.least_tasks)


class Starter(Protocol):
    """Starts containers of a stage where there is room."""

    def __call__(self, run: "StageRun", most: int) -> int:
        """Start at most ``most`` containers and return how many."""
        ...


def serve_in_order(queue: Queue, *, fitting: Mapping[int, Sized], start: Starter) -> None:
    """Hand out what is free in order of submission; small containers may pass a head that fits nowhere.

    Args:
        queue: The only one.
        fitting: Nodes with room, by size of container (MiB); it shrinks as containers start.
        start: Starts containers.
    """
    exhausted: set[int] = set()
    for run in queue.ready:
        mib = run.stage.container_mib
        if fitting[mib]:
            start(run, run.pending)
        if not fitting[mib]:
            exhausted.add(mib)
            if len(exhausted) == len(fitting):
                break
    queue.ready = [run for run in queue.ready if run.pending]


def serve(queues: Sequence[Queue], *, total_mib: int, start: Starter) -> None:
    """Hand out what is free: always to the queue that uses the least of its guarantee, in order inside it.

    A queue with work goes past its guarantee while others leave memory free, and never past its maximum;
    but one that holds nothing gets a container, however small its maximum is.

    Args:
        queues: All, in order of configuration, which decides between equals.
        total_mib: Memory of the cluster.
        start: Starts containers.
    """
    waiting = [queue for queue in queues if queue.ready]
    while waiting:
        queue = min(waiting, key=lambda one: one.share)
        next_share = min((other.share for other in waiting if other is not queue), default=inf)
        if not _serve_one(queue, next_share, total_mib, start):
            waiting.remove(queue)
        queue.ready = [run for run in queue.ready if run.pending]
        if not queue.ready and queue in waiting:
            waiting.remove(queue)


def _serve_one(queue: Queue, next_share: float, total_mib: int, start: Starter) -> int:
    """Start containers of the first stage that gets any, until another queue's turn comes."""
    for run in queue.ready:
        mib = run.stage.container_mib
        room = floor((queue.spec.maximum * total_mib - queue.used_mib) / mib + _ROUNDING)
        if room < 1 and not queue.used_mib:
            room = 1
        turn = inf if next_share == inf else (next_share - queue.share) * queue.spec.guaranteed // mib + 1
        most = int(min(room, max(1, turn), run.pending))
        started = start(run, most) if most > 0 else 0
        if started:
            return started
    return 0
