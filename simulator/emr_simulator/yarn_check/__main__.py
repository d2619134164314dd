"""``python -m emr_simulator.yarn_check``: replay slices on both, print how far apart they are, judge it."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from emr_simulator.yarn_check.comparison import compare, table
from emr_simulator.yarn_check.resource_manager import Hadoop, HadoopError, missing_tools, prepare
from emr_simulator.yarn_check.simulated import simulate
from emr_simulator.yarn_check.slices import SLICES, Replay, Slice, read_work

_TRACE = Path("traces/swim_fb-2009_0.tsv")


def main(words: Sequence[str]) -> int:
    """Run the check and return the exit code: 0 agreed or skipped, 1 over the limits or failed."""
    arguments = _parser().parse_args(words)
    missing = missing_tools()
    if missing:
        _say(f"skipped: {', '.join(missing)} not found; the check needs a JDK (17 or newer) and Maven")
        return 0
    trace: Path | None = Path(os.environ.get("EMR_AUTOSCALER_DATA", "../shared/data")) / _TRACE
    if trace is not None and not trace.exists():
        _say(f"no trace at {trace} (set EMR_AUTOSCALER_DATA): the built-in synthetic day is replayed instead")
        trace = None
    try:
        hadoop = prepare(arguments.home, arguments.hadoop)
        failed, passed = _check(hadoop, trace, arguments.slice, quick=arguments.quick)
    except HadoopError as error:
        sys.stderr.write(f"yarn_check: {error}\n")
        return 1
    _say(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="yarn_check", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(".yarn"), help="folder of all that is fetched and made")
    parser.add_argument("--hadoop", default="3.3.6", help="version of Hadoop: 3.3 or 3.4")
    parser.add_argument("--slice", choices=[part.name for part in SLICES], action="append", help="only this one")
    parser.add_argument("--quick", action="store_true", help="without the runs that only explain differences")
    return parser


def _check(hadoop: Hadoop, trace: Path | None, chosen: Sequence[str] | None, *, quick: bool) -> tuple[int, int]:
    failed = passed = 0
    for part in SLICES:
        if chosen and part.name not in chosen:
            continue
        for replay in part.replays:
            if quick and not replay.is_held_to_limits:
                continue
            over, within = _compare_one(hadoop, trace, part, replay)
            failed, passed = failed + over, passed + within
    return failed, passed


def _compare_one(hadoop: Hadoop, trace: Path | None, part: Slice, replay: Replay) -> tuple[int, int]:
    """Print the table of one slice and replay; return how many limits were broken and kept."""
    workload = read_work(part, trace)
    simulated, nodes = simulate(part, workload)
    rows = compare(simulated, hadoop.replay(replay, nodes, workload))
    title = f"{part.name}: {replay.name}"
    _say(f"\n{table(title, rows, held_to_limits=replay.is_held_to_limits)}")
    held = [row for row in rows if row.limit is not None] if replay.is_held_to_limits else []
    within = sum(row.agrees for row in held)
    return len(held) - within, within


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is what the command is for


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
