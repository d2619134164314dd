"""A built-in day of work: a seeded diurnal stream of small jobs with bursts of large ones; needs no file."""

import math
import random

from emr_simulator.workloads.model import Job, Stage, Workload

HOUR = 3600
_NIGHT_SHARE = 0.2
_PEAK_HOUR = 14


def synthetic_day(
    *,
    seed: int,
    container_mib: int = 2048,
    start_hour: float = 0.0,
    hours: float = 24.0,
    scale: float = 1.0,
    queues: tuple[str, str] | None = None,
    jobs_per_hour: float = 30.0,
    bursts: int = 10,
) -> Workload:
    """Return the day's jobs that are submitted in a slice of it.

    Args:
        seed: The same seed gives the same day, however it is sliced.
        container_mib: Memory of the container of every task.
        start_hour: Where the slice begins (0-24).
        hours: Length of the slice.
        scale: Factor on the number of tasks of each job.
        jobs_per_hour: Small jobs at the peak.
        bursts: Large jobs in the day.
        queues: Of the small jobs and of the large ones; None lets the cluster place them.
    """
    chance = random.Random(f"synthetic:{seed}")
    first, end = round(start_hour * HOUR), round((start_hour + hours) * HOUR)
    drafts = [
        *_stream(chance, container_mib, scale, jobs_per_hour),
        *_bursts(chance, container_mib, scale, bursts),
    ]
    jobs = sorted(drafts, key=_submitted)
    chosen = tuple(
        Job(
            name=f"{kind}-{number}",
            stages=stages,
            submit_after_seconds=at - first,
            hdfs_write_gib=written,
            queue=None if queues is None else queues[kind == "batch"],
        )
        for number, (at, kind, stages, written) in enumerate(jobs)
        if first <= at < end
    )
    return Workload(name=f"synthetic-{seed}", jobs=chosen, seconds=end - first)


_Draft = tuple[int, str, tuple[Stage, ...], float]


def _submitted(draft: _Draft) -> int:
    return draft[0]


def _rate(hour: float) -> float:
    """Share of the peak rate (0-1) at an hour of the day."""
    wave = (1 + math.cos((hour - _PEAK_HOUR) / 24 * 2 * math.pi)) / 2
    return _NIGHT_SHARE + (1 - _NIGHT_SHARE) * wave


def _stream(chance: random.Random, container_mib: int, scale: float, jobs_per_hour: float) -> list[_Draft]:
    """Draw a Poisson stream, thinned to the hour's rate."""
    drafts = []
    at = 0.0
    while (at := at + chance.expovariate(jobs_per_hour / HOUR)) < 24 * HOUR:
        keep, tasks = chance.random(), max(1, round(chance.lognormvariate(2.0, 1.0) * scale))
        seconds, reduce_seconds = chance.randint(20, 120), chance.randint(20, 60)
        if keep < _rate(at / HOUR):
            drafts.append((round(at), "query", _chain(tasks, seconds, reduce_seconds, container_mib), 0.02))
    return drafts


def _bursts(chance: random.Random, container_mib: int, scale: float, count: int) -> list[_Draft]:
    """Draw a few large jobs at hours of their own, mostly by day."""
    drafts = []
    for _ in range(count):
        at = min(24 * HOUR - 1, max(0, round(chance.gauss(_PEAK_HOUR, 5.0) * HOUR)))
        tasks = max(1, round(chance.randint(150, 600) * scale))
        stages = _chain(tasks, chance.randint(60, 240), chance.randint(30, 120), container_mib)
        drafts.append((at, "batch", stages, 2.0))
    return drafts


def _chain(tasks: int, seconds: int, reduce_seconds: int, container_mib: int) -> tuple[Stage, ...]:
    return (
        Stage(tasks=tasks, seconds=seconds, container_mib=container_mib),
        Stage(tasks=max(1, tasks // 4), seconds=reduce_seconds, container_mib=container_mib, parents=(0,)),
    )
