"""A whole benchmark: cells, optimum, document and page; the command line around it is the cli's."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from emr_simulator.benchmark.cells import Cell, Variant
from emr_simulator.benchmark.document import Played, document_of
from emr_simulator.benchmark.frontier import Frontier, FrontierPoint, frontier_of
from emr_simulator.benchmark.results import Results, code_digest
from emr_simulator.benchmark.runner import Outcomes, run_cells
from emr_simulator.benchmark.spot_market import SpotMarket
from emr_simulator.benchmark.spot_rows import GOAL, Pair, knows_markets, spot_row
from emr_simulator.benchmark.sweep import seeds_of
from emr_simulator.benchmark.work import Work, digest_of, workload_of
from emr_simulator.catalogue import TYPES
from emr_simulator.experiment import Setup
from emr_simulator.optimum import optimum_of
from emr_simulator.report.benchmark_page import benchmark_page
from emr_simulator.workloads.model import Workload

LEAST_WAIT_MINUTES = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run.

    Attributes:
        traces: SWIM files, or built-in days.
        variants: Policies with their knobs.
        seeds: Of each; 1 to this number.
        setup: The cluster; each variant brings its own metrics.
        out: Folder of the results; a run that was broken off is taken up there.
        processes: Side by side.
        hours: Length of the part of each trace that is played; all of it where None.
        markets: Spot markets in which the policies that know of markets are run as well.
    """

    traces: tuple[Work, ...]
    variants: tuple[Variant, ...]
    seeds: int
    setup: Setup
    out: Path
    processes: int
    hours: float | None = None
    markets: tuple[SpotMarket, ...] = ()

    def cells_of(self, trace: Work) -> dict[Variant, list[Cell]]:
        """Return the cells of one trace, all on demand."""
        return {
            variant: [Cell(variant=variant, trace=trace, seed=seed) for seed in seeds_of(variant, self.seeds)]
            for variant in self.variants
        }

    @property
    def cells(self) -> list[Cell]:
        """All cells, the first seeds first, so that a run that is broken off has something of everything."""
        cells = [cell for trace in self.traces for group in self.cells_of(trace).values() for cell in group]
        cells += [cell for twins in self.twins.values() for cell, _on_demand in twins]
        return sorted(cells, key=lambda cell: cell.seed)

    @property
    def twins(self) -> dict[tuple[SpotMarket, Variant], list[tuple[Cell, Cell]]]:
        """The cells on spot, each with its twin on demand, by market and policy."""
        return {
            (market, variant): [
                (replace(cell, spot=market), cell)
                for trace in self.traces
                for cell in self.cells_of(trace)[variant]
            ]
            for variant in self.variants
            if knows_markets(variant)
            for market in self.markets
        }


def run_benchmark(plan: Plan, *, when_done: Callable[[Cell, bool], None]) -> dict[str, Any]:
    """Run what is missing, write benchmark.json and report.html, and return the document.

    Args:
        plan: What to run.
        when_done: Told of each cell, and whether it was kept from an earlier run.

    Raises:
        TraceError: A line of a trace cannot be read.
        OSError: A trace cannot be read, or the folder cannot be written.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    setup = plan.setup
    workloads = {
        trace: workload_of(trace, setup.container_mib, plan.hours, setup.throughput_factor)
        for trace in plan.traces
    }
    outcomes = run_cells(
        plan.cells,
        setup=plan.setup,
        results=Results(plan.out / "runs", plan.setup, hours=plan.hours),
        processes=plan.processes,
        hours=plan.hours,
        when_done=when_done,
    )
    played = [
        Played(
            trace=trace.name,
            workload=workload,
            frontier=_frontier(plan, trace, workload, _longest_wait(plan, trace, outcomes)),
            cells=plan.cells_of(trace),
        )
        for trace, workload in workloads.items()
    ]
    document = document_of(played, outcomes, plan.setup, plan.seeds)
    document["spot"] = _spot(plan, workloads, outcomes)
    text = json.dumps(document, indent=1, allow_nan=False)
    (plan.out / "benchmark.json").write_text(text + "\n", encoding="utf-8")
    (plan.out / "report.html").write_text(benchmark_page(document), encoding="utf-8")
    return document


def _spot(plan: Plan, workloads: Mapping[Work, Workload], outcomes: Outcomes) -> dict[str, Any] | None:
    """Return what is compared with on demand; None where no market was asked for."""
    if not plan.markets:
        return None
    rows = [
        spot_row(
            market,
            variant,
            [Pair(spot=spot, on_demand=twin, workload=workloads[spot.trace]) for spot, twin in twins],
            outcomes,
        )
        for (market, variant), twins in plan.twins.items()
    ]
    return {
        "goal": GOAL,
        "pools": list(plan.markets[0].pools),
        "on_demand": plan.setup.instance_type,
        "rows": rows,
    }


def _longest_wait(plan: Plan, trace: Work, outcomes: Outcomes) -> int:
    """Return for how many minutes after the last job the optimum may go on working: as long as any run did.

    Otherwise a run that defers more than the program may, onto core nodes that cost nothing, seems to pass it.
    """
    cells = (cell for group in plan.cells_of(trace).values() for cell in group)
    longest = max(int(outcomes[cell]["wait_within_minutes"]) for cell in cells)
    return max(LEAST_WAIT_MINUTES, math.ceil(longest / 60) * 60)


def _frontier(plan: Plan, trace: Work, workload: Workload, longest_wait: int) -> Frontier:
    """Solve the optimum of a trace, or read what an earlier run kept of it."""
    setup = plan.setup
    nodes = (setup.instance_type, setup.core_count, setup.maximum_task_count)
    work = (digest_of(trace), setup.container_mib, setup.throughput_factor, plan.hours, longest_wait)
    key = f"{code_digest()} {nodes} {work}"  # what else a set-up varies, the program does not know
    path = plan.out / "runs" / f"optimum-{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        kept["points"] = tuple(FrontierPoint(**point) for point in kept["points"])
        kept["deadlines"] = {int(limit): cost for limit, cost in kept["deadlines"].items()}
        return Frontier(**kept)
    kind = TYPES[plan.setup.instance_type]
    usd = float(kind.on_demand_usd + kind.emr_fee_usd)
    bounded, unbounded = (
        optimum_of(workload, plan.setup, usd_per_node_hour=usd, longest_wait_minutes=longest_wait, most_nodes=most)
        for most in (None, math.inf)
    )
    frontier = frontier_of(bounded, unbounded)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(frontier)), encoding="utf-8")
    return frontier
