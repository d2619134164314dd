"""Runs the cells of a benchmark, over several processes, and keeps each result as soon as it is there."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from emr_simulator.benchmark.cells import Cell, play
from emr_simulator.benchmark.results import Results
from emr_simulator.benchmark.work import workload_of
from emr_simulator.experiment import Setup

Outcomes = dict[Cell, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    cell: Cell
    setup: Setup
    hours: float | None


def run_cells(
    cells: Sequence[Cell],
    *,
    setup: Setup,
    results: Results,
    processes: int,
    hours: float | None = None,
    when_done: Callable[[Cell, bool], None],
) -> Outcomes:
    """Return the document of every cell; those kept by an earlier run are not run again.

    Args:
        cells: What to run.
        setup: Of every cell; each sets its own metrics.
        results: Where results are kept.
        processes: How many run side by side; 1 stays in this process.
        hours: Length of the part of each trace that is played; all of it where None.
        when_done: Told of each cell, and whether it was kept from before.
    """
    outcomes: Outcomes = {}
    missing = []
    for cell in cells:
        document = results.get(cell)
        if document is None:
            missing.append(_Task(cell=cell, setup=setup, hours=hours))
        else:
            outcomes[cell] = document
            when_done(cell, True)  # noqa: FBT003 (a callback's flag)
    for cell, document in _play_all(missing, processes):
        results.keep(cell, document)
        outcomes[cell] = document
        when_done(cell, False)  # noqa: FBT003 (a callback's flag)
    return outcomes


def _play_all(tasks: Sequence[_Task], processes: int) -> Iterator[tuple[Cell, dict[str, Any]]]:
    if processes == 1 or len(tasks) <= 1:
        yield from map(_play, tasks)
        return
    # Not a fork: the caller may hold threads (its progress bar).
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(_play, tasks)


def _play(task: _Task) -> tuple[Cell, dict[str, Any]]:
    workload = workload_of(task.cell.trace, task.setup.container_mib, task.hours, task.setup.throughput_factor)
    return task.cell, play(task.cell, workload, task.setup)
