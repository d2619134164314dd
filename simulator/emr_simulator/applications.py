"""What YARN keeps of applications, their stages and tasks, and of nodes; who gets what is in yarn.py."""

from collections.abc import Callable

from emr_simulator.queues import Queue
from emr_simulator.workloads.model import Job, Stage


class NodeManager:
    """YARN's side of one node.

    Attributes:
        total_mib: Memory it offers.
        free_mib: Of it not allocated.
        batches: Containers running on it, by batch.
        containers: All of them.
        accepts: False while it is draining or warned: no new containers.
    """

    __slots__ = ("accepts", "batches", "containers", "free_mib", "total_mib", "when_empty")

    def __init__(self, total_mib: int, when_empty: Callable[[], None]) -> None:
        self.total_mib = total_mib
        self.free_mib = total_mib
        self.batches: dict[Batch, int] = {}
        self.containers = 0
        self.accepts = True
        self.when_empty = when_empty


class Batch:
    """Containers of one stage that started together."""

    __slots__ = ("counts", "stage", "started_at")

    def __init__(self, stage: "StageRun", started_at: int) -> None:
        self.stage = stage
        self.started_at = started_at
        self.counts: dict[NodeManager, int] = {}


class StageRun:
    """A stage that is running or waiting in an application."""

    __slots__ = ("app", "done", "ideal_start", "index", "order", "parents_left", "pending", "stage")

    def __init__(self, app: "Application", index: int, stage: Stage, ideal_start: int) -> None:
        self.app = app
        self.index = index
        self.stage = stage
        self.order = (app.number, index)
        self.parents_left = len(set(stage.parents))
        self.pending = stage.tasks
        self.done = 0
        self.ideal_start = ideal_start

    def __lt__(self, other: "StageRun") -> bool:
        return self.order < other.order


class Application:
    """A job that YARN knows.

    Attributes:
        killed_container_seconds: Work lost with its nodes and run again.
        nodes: Where its containers run or ran.
        master: Where its application master runs, where the world has them.
        queue: Where it waits.
    """

    __slots__ = (
        "ended_at", "job", "killed_container_seconds", "master", "nodes", "number", "queue", "stages",
        "stages_left", "started_at", "submitted_at", "when_done",
    )  # fmt: skip

    def __init__(
        self, number: int, job: Job, queue: Queue, submitted_at: int, when_done: Callable[[], None]
    ) -> None:
        self.number = number
        self.queue = queue
        self.job = job
        self.submitted_at = submitted_at
        self.started_at: int | None = None
        self.ended_at: int | None = None
        self.stages_left = len(job.stages)
        self.when_done = when_done
        self.killed_container_seconds = 0
        self.nodes: set[NodeManager] = set()
        self.master: NodeManager | None = None
        self.stages: list[StageRun] = []
        starts: list[int] = []
        for index, stage in enumerate(job.stages):
            earliest = max((starts[p] + job.stages[p].seconds for p in stage.parents), default=submitted_at)
            starts.append(earliest)
            self.stages.append(StageRun(self, index, stage, earliest))
