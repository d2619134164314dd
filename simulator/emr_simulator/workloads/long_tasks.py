"""A built-in day of long tasks (5 to 30 minutes): what spot has to be judged by; needs no file.

Shorter tasks lose nothing to an interruption, because they end within its two minutes' notice.
"""

import random

from emr_simulator.workloads.model import Job, Stage, Workload

HOUR = 3600
SHORTEST_SECONDS, LONGEST_SECONDS = 300, 1800
_NAME = "long-tasks-"
_JOBS_PER_HOUR = 6.0
_TWO_STAGES = 0.5
"""Part of the jobs that have a second stage."""


def is_of_long_tasks(workload: Workload) -> bool:
    """Return whether a workload is a slice of such a day."""
    return workload.name.startswith(_NAME)


def long_tasks(*, seed: int, container_mib: int = 2048, start_hour: float = 0.0, hours: float = 24.0) -> Workload:
    """Return the jobs submitted in a slice of the day: a Poisson stream of jobs of one or two stages.

    Args:
        seed: The same seed gives the same day, however it is sliced.
        container_mib: Memory of the container of every task.
        start_hour: Where the slice begins (0-24).
        hours: Length of the slice.
    """
    chance = random.Random(f"long-tasks:{seed}")
    first, end = round(start_hour * HOUR), round((start_hour + hours) * HOUR)
    jobs: list[Job] = []
    at = 0.0
    while (at := at + chance.expovariate(_JOBS_PER_HOUR / HOUR)) < 24 * HOUR:
        tasks = max(4, min(400, round(chance.lognormvariate(3.6, 0.9))))
        seconds = chance.randint(SHORTEST_SECONDS, LONGEST_SECONDS)
        stages = [Stage(tasks=tasks, seconds=seconds, container_mib=container_mib)]
        if chance.random() < _TWO_STAGES:
            reduce_seconds = chance.randint(SHORTEST_SECONDS, 2 * SHORTEST_SECONDS)
            stages.append(
                Stage(tasks=max(1, tasks // 4), seconds=reduce_seconds, container_mib=container_mib, parents=(0,))
            )
        if first <= at < end:
            name = f"long-{len(jobs)}"
            jobs.append(Job(name=name, stages=tuple(stages), submit_after_seconds=round(at) - first))
    return Workload(name=f"{_NAME}{seed}", jobs=tuple(jobs), seconds=end - first)
