"""What a benchmark runs: SWIM traces, or built-in days of long tasks; how it is generated is in workloads/."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from emr_simulator.workloads.long_tasks import long_tasks
from emr_simulator.workloads.model import Workload
from emr_simulator.workloads.swim import read_swim

FULL_DAY_HOURS = 24.0


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LongTasks:
    """A built-in day of tasks of 5 to 30 minutes, by its number."""

    day: int

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return f"long-tasks-{self.day}"


Work = Path | LongTasks
"""The file of a trace, or a built-in day."""


@cache
def workload_of(work: Work, container_mib: int, hours: float | None, throughput_factor: float = 1.0) -> Workload:
    """Return the jobs, read or drawn once in each process. Raises TraceError and OSError."""
    if isinstance(work, LongTasks):
        length = FULL_DAY_HOURS if hours is None else min(hours, FULL_DAY_HOURS)
        return long_tasks(seed=work.day, container_mib=container_mib, hours=length)
    return read_swim(work, container_mib=container_mib, hours=hours, throughput_factor=throughput_factor)


def digest_of(work: Work) -> str:
    """Return what tells one piece of work from another: of a file its SHA-256."""
    return work.name if isinstance(work, LongTasks) else file_digest(work)


@cache
def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
