"""Workloads from SWIM traces (tab-separated MapReduce jobs with sizes, without run times).

A row is: job, submit time (s), gap to the previous job (s), map input bytes, shuffle bytes, reduce
output bytes. Run times are modelled (docs/benchmark.md): one map task for each 128 MiB of input, at
least one, that reads at 8 MB/s and takes 5 s to set up, 10 s at least; one reduce task for each 512 MiB
of shuffle, that moves 15 MB/s and takes 10 s to set up. Seconds are cut to whole ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emr_simulator.errors import TraceError
from emr_simulator.workloads.model import Job, Stage, Workload

FIELDS = ("job id", "submit time", "gap", "map input bytes", "shuffle bytes", "reduce output bytes")
MAP_SPLIT_BYTES = 128 << 20
MAP_BYTES_PER_SECOND = 8_000_000
MAP_SETUP_SECONDS = 5
MAP_LEAST_SECONDS = 10
REDUCE_SPLIT_BYTES = 512 << 20
REDUCE_BYTES_PER_SECOND = 15_000_000
REDUCE_SETUP_SECONDS = 10
HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    job: str
    submit_seconds: int
    map_input_bytes: int
    shuffle_bytes: int


def read_swim(
    path: Path,
    *,
    container_mib: int = 2048,
    throughput_factor: float = 1.0,
    start_hour: float = 0.0,
    hours: float | None = None,
) -> Workload:
    """Read a trace, or a slice of it.

    Args:
        path: The file.
        container_mib: Memory of the container of every task.
        throughput_factor: Scales the bytes a task moves in a second.
        start_hour: Where the slice begins; its jobs are counted from there.
        hours: Length of the slice; to the end of the trace where None.

    Raises:
        TraceError: A line cannot be read, or the slice holds no job; the file, line and field are named.
        OSError: The file cannot be opened.
    """
    first = round(start_hour * HOUR)
    end = None if hours is None else first + round(hours * HOUR)
    jobs = []
    last = 0
    for row in _rows(path):
        last = row.submit_seconds
        if row.submit_seconds >= first and (end is None or row.submit_seconds < end):
            jobs.append(_job(row, first, container_mib, throughput_factor))
    if not jobs:
        raise TraceError(path=str(path), line=0, field="", problem="no job in this part of the trace")
    length = (end if end is not None else last + 1) - first
    return Workload(name=path.name, jobs=tuple(jobs), seconds=length)


def _rows(path: Path) -> Iterator[_Row]:
    previous = 0
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            row = _read_row(str(path), number, raw)
            if row.submit_seconds < previous:
                problem = f"{row.submit_seconds} is before the job above ({previous})"
                raise TraceError(path=str(path), line=number, field="submit time", problem=problem)
            previous = row.submit_seconds
            yield row


def _read_row(path: str, number: int, raw: bytes) -> _Row:
    try:
        values = raw.decode("utf-8").rstrip("\r\n").split("\t")
    except UnicodeDecodeError as error:
        raise TraceError(path=path, line=number, field="", problem="not UTF-8 text") from error
    if len(values) != len(FIELDS):
        missing = FIELDS[min(len(values), len(FIELDS) - 1)]
        problem = f"{len(FIELDS)} tab-separated fields expected, {len(values)} found"
        raise TraceError(path=path, line=number, field=missing, problem=problem)
    if not values[0]:
        raise TraceError(path=path, line=number, field=FIELDS[0], problem="is empty")
    numbers = []
    for field, value in zip(FIELDS[1:], values[1:], strict=True):
        if not (value.isascii() and value.isdigit()):
            problem = f"a whole number of at least 0 expected, {value!r} found"
            raise TraceError(path=path, line=number, field=field, problem=problem)
        numbers.append(int(value))
    submitted, _, map_input, shuffle, _ = numbers
    return _Row(job=values[0], submit_seconds=submitted, map_input_bytes=map_input, shuffle_bytes=shuffle)


def _job(row: _Row, first: int, container_mib: int, factor: float) -> Job:
    maps = max(1, -(-row.map_input_bytes // MAP_SPLIT_BYTES))
    reading = row.map_input_bytes / maps / (MAP_BYTES_PER_SECOND * factor)
    stages = [
        Stage(
            tasks=maps,
            seconds=max(MAP_LEAST_SECONDS, int(reading + MAP_SETUP_SECONDS)),
            container_mib=container_mib,
        )
    ]
    if row.shuffle_bytes:
        reduces = -(-row.shuffle_bytes // REDUCE_SPLIT_BYTES)
        moving = row.shuffle_bytes / reduces / (REDUCE_BYTES_PER_SECOND * factor)
        stages.append(
            Stage(
                tasks=reduces,
                seconds=int(moving + REDUCE_SETUP_SECONDS),
                container_mib=container_mib,
                parents=(0,),
            )
        )
    return Job(name=row.job, stages=tuple(stages), submit_after_seconds=row.submit_seconds - first)
