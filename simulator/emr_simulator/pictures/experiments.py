"""Small experiments that pictures show: a burst and its end, the same world for each policy; drawn elsewhere."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_simulator.benchmark.cells import WatchedWork
from emr_simulator.benchmark.watching import Sample
from emr_simulator.experiment import MetricsMode, Setup, reference_settings, run_experiment
from emr_simulator.settings import UniformDelay
from emr_simulator.workloads.model import Job, Stage, Workload

BOOT_SECONDS = 330
"""Order to node useful: the median of the benchmark, here the same for every order."""

EVERY = timedelta(seconds=10)
_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What one policy made of a workload.

    Attributes:
        policy: Its name in the registry.
        began_at: When the workload began.
        samples: Every ten seconds from then on.
        node_hours: Paid for task nodes.
        delay_seconds: Mean wait of a container-second of work.
        resizes: Orders.
    """

    policy: str
    began_at: datetime
    samples: tuple[Sample, ...]
    node_hours: float
    delay_seconds: float
    resizes: int

    def minute(self, sample: Sample) -> float:
        """Return when a sample was taken, in minutes since the workload began."""
        return (sample.at - self.began_at) / timedelta(minutes=1)


def play(policy: str, workload: Workload, setup: Setup) -> Course:
    """Run a policy on pushed snapshots until the last job has ended.

    Args:
        policy: Its name in the registry.
        workload: What it runs on.
        setup: The cluster.
    """
    watched = WatchedWork(policy, workload, every=EVERY)
    figures = run_experiment(
        policy=watched,
        workload=workload,
        seed=_SEED,
        setup=replace(setup, metrics=MetricsMode.PUSH),
        settings=replace(
            reference_settings(MetricsMode.PUSH),
            provisioning_delay=UniformDelay(low_seconds=BOOT_SECONDS, high_seconds=BOOT_SECONDS),
        ),
    )
    return Course(
        policy=policy,
        began_at=watched.work_began_at,
        samples=tuple(watched.samples_of_work()),
        node_hours=figures.node_hours,
        delay_seconds=figures.work_weighted_delay_seconds,
        resizes=figures.resize_requests,
    )


def work(name: str, *parts: tuple[float, int, int]) -> Workload:
    """Return jobs of one stage: (minute of submission, tasks, seconds of each)."""
    jobs = tuple(
        Job(
            name=f"{name}-{number}",
            stages=(Stage(tasks=tasks, seconds=seconds),),
            submit_after_seconds=round(at * 60),
        )
        for number, (at, tasks, seconds) in enumerate(parts)
    )
    return Workload(name=name, jobs=jobs, seconds=round(max(at for at, _, _ in parts) * 60) + 1)
