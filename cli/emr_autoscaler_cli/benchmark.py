"""emr-autoscaler benchmark: every policy on the same traces with many seeds, the optimum, and a report."""

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from emr_autoscaler_cli.arguments import hours, whole_number
from emr_autoscaler_cli.failures import DONE, FailedError, UsageError
from emr_autoscaler_cli.output import print_json, print_line, print_table
from emr_autoscaler_cli.spot_options import OUTAGE_HOURS, add_pools_argument, markets_of
from emr_autoscaler_cli.world_options import QUEUES_HELP, add_world_arguments, world_of
from emr_simulator.errors import TraceError
from emr_simulator.experiment import Setup
from emr_simulator.inprocess.autoscaler import NAME as AUTOSCALER
from emr_simulator.policies.registry import UnknownPolicyError

if TYPE_CHECKING:  # it brings SciPy, which takes a second to load: the other commands do without it
    from emr_simulator.benchmark.cells import Cell

EXAMPLES = f"""\
examples:
  emr-autoscaler benchmark --trace FB-2009_samples_24_times_1hr_0.tsv --seeds 10 --out out/benchmark
  emr-autoscaler benchmark --trace day.tsv --seeds 3 --out out --policies emr-autoscaler drain-time static
  emr-autoscaler benchmark --trace day.tsv --seeds 3 --out out --policies emr-autoscaler@push drain-time:240,180
  emr-autoscaler benchmark --trace day.tsv --seeds 3 --out half --policies drain-time --throughput 0.5
  emr-autoscaler benchmark --long-tasks 1 2 3 --seeds 2 --out spot --market spot
  emr-autoscaler benchmark --tables out
  emr-autoscaler benchmark --tables out half

policies: a family (emr-autoscaler, emr-autoscaler@1min, emr-autoscaler@push, emr-default-rules,
managed-scaling, dataproc, twenty-percent, step-rules, drain-time, clairvoyant, static) with all its knobs, or
one of those that simulate takes, with @1min or @push for faster metrics. Without --policies: all families.

spot: with --market spot every policy that knows of markets (emr-autoscaler) is run on demand and on spot, on the
same work with the same seeds, for each of --outage-hours and for the recordings of --spot-trace; the comparison
stands apart in table and report. The other policies are run on demand. Without --policies: the
three objectives of emr-autoscaler.

DIR receives benchmark.json, report.html (one file, opens anywhere) and a folder of finished runs: a benchmark
that was broken off, or is asked for more seeds, runs only what is missing. Changed code runs everything again.

{QUEUES_HELP}"""

_KNOWN = {"cost_usd": "USD", "bsld_p50": "p50", "bsld_p95": "p95", "bsld_p99": "p99", "delay_seconds": "delay s"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what benchmark takes."""
    work = parser.add_mutually_exclusive_group(required=True)
    work.add_argument("--trace", type=Path, nargs="+", metavar="FILE", help="SWIM traces")
    work.add_argument(
        "--long-tasks",
        type=whole_number(0, 2**31 - 1),
        nargs="+",
        metavar="N",
        help="built-in days number N of tasks of 5 to 30 minutes, by which spot is judged",
    )
    work.add_argument(
        "--tables",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="run nothing: print the results of DIR as Markdown; of several, what each varies",
    )
    parser.add_argument(
        "--seeds", type=whole_number(1, 1000), metavar="N", help="runs of each policy on each trace (needed)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the results (needed)")
    parser.add_argument("--policies", nargs="+", default=[], metavar="NAME", help="only these (see below)")
    parser.add_argument(
        "--jobs",
        type=whole_number(1, 256),
        default=os.cpu_count() or 1,
        metavar="N",
        help="runs side by side (default: one a core)",
    )
    parser.add_argument("--hours", type=hours, metavar="H", help="play only the first hours of each trace")
    spot = parser.add_argument_group("spot")
    spot.add_argument(
        "--market",
        choices=("on-demand", "spot"),
        default="on-demand",
        help="spot: compare with on demand on the same work (default: %(default)s alone)",
    )
    add_pools_argument(spot)
    spot.add_argument(
        "--outage-hours",
        type=hours,
        nargs="+",
        metavar="H",
        help=f"mean times between two outages of a pool (default: {' '.join(f'{h:g}' for h in OUTAGE_HOURS)})",
    )
    spot.add_argument(
        "--spot-trace",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="recorded outages and prices (SkyPilot's spot traces), which the pools play in turn, as well",
    )
    add_world_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the benchmark and print its table.

    Raises:
        UsageError: An argument, or a line of a trace, cannot be used.
        FailedError: The results cannot be written.
    """
    _refuse_what_is_missing(arguments)
    try:
        from emr_simulator.benchmark.command import Plan, run_benchmark  # noqa: PLC0415
        from emr_simulator.benchmark.spot_rows import knows_markets  # noqa: PLC0415
        from emr_simulator.benchmark.sweep import ON_SPOT, chosen  # noqa: PLC0415
        from emr_simulator.benchmark.tables import tables_of  # noqa: PLC0415
        from emr_simulator.benchmark.work import LongTasks  # noqa: PLC0415
    except ModuleNotFoundError as error:
        msg = f"{error.name} is missing: the benchmark needs the project's development environment (make install)"
        raise FailedError(msg) from error

    if arguments.tables is not None:
        documents = [_read_document(folder) for folder in arguments.tables]
        print_line(tables_of(documents).rstrip())
        return DONE
    setup = Setup(**world_of(arguments))
    markets = markets_of(arguments, setup.instance_type)
    try:
        variants = chosen(arguments.policies or (ON_SPOT if markets else ()), setup)
    except UnknownPolicyError as error:
        msg = f"--policies: {error}"
        raise UsageError(msg) from error
    if markets and not any(map(knows_markets, variants)):
        msg = f"--market: of policies only {AUTOSCALER} knows of markets"
        raise UsageError(msg)
    plan = Plan(
        traces=tuple(dict.fromkeys(arguments.trace or (LongTasks(day=day) for day in arguments.long_tasks))),
        variants=variants,
        seeds=arguments.seeds,
        setup=setup,
        out=arguments.out,
        processes=arguments.jobs,
        hours=arguments.hours,
        markets=markets,
    )
    try:
        with _progress() as progress:
            task = progress.add_task("benchmark", total=len(plan.cells), cell="")

            def when_done(cell: "Cell", _kept: bool) -> None:  # noqa: FBT001 (a callback's flag)
                where = f", {cell.spot.label}" if cell.spot else ""
                progress.update(task, advance=1, cell=f"{cell.variant.label}, seed {cell.seed}{where}")

            document = run_benchmark(plan, when_done=when_done)
    except TraceError as error:
        msg = f"--trace: {error}"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"{error.filename or arguments.out}: {error.strerror}"
        raise FailedError(msg) from error
    if arguments.json:
        print_json(document)
    else:
        _show(document)
        print_line(f"\nreport: {plan.out / 'report.html'}")
    return DONE


def _refuse_what_is_missing(arguments: argparse.Namespace) -> None:
    for option in ("seeds", "out") if arguments.tables is None else ():
        if getattr(arguments, option) is None:
            msg = f"the following arguments are required: --{option}"
            raise UsageError(msg)
    for trace in arguments.trace or ():
        if not trace.is_file():
            msg = f"--trace: {trace}: no such file"
            raise UsageError(msg)


def _read_document(folder: Path) -> dict[str, Any]:
    path = folder / "benchmark.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"--tables: {path}: {error.strerror}"
        raise UsageError(msg) from error
    except ValueError as error:
        msg = f"--tables: {path}: not JSON: {error}"
        raise UsageError(msg) from error
    if document.get("kind") != "benchmark" or "varied" not in document.get("setup", {}):
        msg = f"--tables: {path}: not the results of this version's benchmark"
        raise UsageError(msg)
    return document


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[cell]}", style="dim"),
        console=Console(stderr=True),
        transient=True,
    )


def _show(document: dict[str, Any]) -> None:
    for trace in document["traces"]:
        rows = [
            [
                entry["policy"],
                *(f"{entry['figures'][name]['value']:.1f}" for name in _KNOWN),
                f"{entry['over_optimum']['value']:.2f}" if entry["over_optimum"] else "-",
                "yes" if entry["pareto_p95"] else "",
            ]
            for entry in trace["policies"]
        ]
        columns = ["policy", *_KNOWN.values(), "x optimum", "on the front"]
        title = f"{trace['trace']}: medians of {document['seeds']} seeds, slowdowns p50, p95, p99"
        print_table(columns, rows, title=title, right=columns[1:-1])
    if document["spot"]:
        _show_spot(document["spot"])


def _show_spot(spot: dict[str, Any]) -> None:
    rows = [
        [
            row["policy"],
            row["market"],
            f"{row['cost']['value']:.3f}",
            f"{row['run_again']['value']:.1%}",
            f"{row['p95']['value']:.2f}",
            f"{row['spot_share']['value']:.0%}",
        ]
        for row in spot["rows"]
    ]
    goal = spot["goal"]
    columns = ["policy", "pools with", "cost", "run again", "p95", "on spot"]
    title = (
        f"on spot over on demand, {max(row['pairs'] for row in spot['rows'])} pairs; aimed for: cost "
        f"{goal['cost']:g}, run again {goal['run_again']:.0%}, p95 {goal['p95']:g}"
    )
    print_table(columns, rows, title=title, right=columns[2:])
