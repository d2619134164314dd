"""Jobs of stages of identical tasks; what a job is, not how it is scheduled.

Everything is whole seconds and whole MiB, so that simulations are exact and tasks that start
together end together.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """``tasks`` identical tasks that may run side by side.

    Attributes:
        tasks: How many; at least 1.
        seconds: How long one runs; at least 1.
        container_mib: Memory of the container of one task.
        parents: Indexes of the stages of the same job that must end first.
    """

    tasks: int
    seconds: int
    container_mib: int = 2048
    parents: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse stages that cannot run."""
        if self.tasks < 1 or self.seconds < 1 or self.container_mib < 1:
            msg = f"a stage needs tasks, seconds and container_mib of at least 1: {self}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One YARN application.

    Attributes:
        name: Unique within a workload.
        submit_after_seconds: Seconds from the start of the workload to its submission.
        stages: In an order in which parents come before their children; at least one.
        hdfs_write_gib: What the finished job leaves behind on HDFS, replicas included.
        queue: Of the capacity scheduler; None lets the cluster place it.
    """

    name: str
    stages: tuple[Stage, ...]
    submit_after_seconds: int = 0
    hdfs_write_gib: float = 0.0
    queue: str | None = None

    def __post_init__(self) -> None:
        """Refuse jobs without stages and stages that wait for a later one."""
        if not self.stages:
            msg = f"job {self.name}: no stages"
            raise ValueError(msg)
        for index, stage in enumerate(self.stages):
            if any(not 0 <= parent < index for parent in stage.parents):
                msg = f"job {self.name}: stage {index} waits for a stage that does not come before it"
                raise ValueError(msg)

    @property
    def ideal_seconds(self) -> int:
        """Response time on unlimited nodes: the longest chain of stages."""
        ends: list[int] = []
        for stage in self.stages:
            ends.append(max((ends[parent] for parent in stage.parents), default=0) + stage.seconds)
        return max(ends)

    @property
    def work_seconds(self) -> int:
        """Container-seconds of all tasks."""
        return sum(stage.tasks * stage.seconds for stage in self.stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Jobs in order of submission.

    Attributes:
        name: What it is called in figures.
        jobs: In order of ``submit_after_seconds``.
        seconds: Length of the window the jobs are submitted in.
    """

    name: str
    jobs: tuple[Job, ...]
    seconds: int
