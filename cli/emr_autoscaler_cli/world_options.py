"""What simulate and benchmark can vary of the simulated world: queues, metrics, throughput, draining."""

import argparse
import json
from pathlib import Path
from typing import Any

from emr_autoscaler_cli.arguments import fraction, positive_number, whole_number
from emr_autoscaler_cli.failures import UsageError
from emr_simulator.queues import ONE_QUEUE, QueueSpec, check_queues

QUEUES_HELP = """\
queues: a JSON list, in the order that decides between equals:
  [{"name": "adhoc", "guaranteed": 0.3, "maximum": 0.6},
   {"name": "batch", "guaranteed": 0.7, "maximum": 1.0, "least_tasks": 50}]
guaranteed and maximum are fractions of the cluster's memory; jobs of at least least_tasks tasks go there.
"""

_NUMBERS = {"guaranteed": (float, int), "maximum": (float, int), "least_tasks": (int,)}


def add_world_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("what is varied (defaults: the world of the reference values)")
    group.add_argument(
        "--throughput",
        type=positive_number,
        default=1.0,
        metavar="FACTOR",
        help="on the bytes that tasks move in a second (default: 1)",
    )
    group.add_argument(
        "--lost-metrics",
        type=fraction,
        default=0.0,
        metavar="FRACTION",
        help="of the samples, 0 to 1, that never arrive (default: 0)",
    )
    group.add_argument(
        "--late-metrics",
        type=whole_number(0, 3600),
        metavar="SECONDS",
        help="from a sample to its publication (default: 90; push: 5)",
    )
    group.add_argument(
        "--queues", type=Path, metavar="FILE", help="queues of YARN's capacity scheduler (default: one, FIFO)"
    )
    group.add_argument(
        "--drain-waits",
        action="store_true",
        help="draining nodes stay until the applications they served have ended, as with Hadoop's watcher",
    )


def world_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of ``Setup`` that the options set.

    Raises:
        UsageError: The file of the queues cannot be used.
    """
    fields: dict[str, Any] = {
        "throughput_factor": arguments.throughput,
        "lost_metric_fraction": arguments.lost_metrics,
        "metrics_late_seconds": arguments.late_metrics,
        "drain_waits_for_applications": arguments.drain_waits,
        "queues": ONE_QUEUE if arguments.queues is None else _read_queues(arguments.queues),
    }
    return fields


def _read_queues(path: Path) -> tuple[QueueSpec, ...]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"--queues: {path}: {error.strerror}"
        raise UsageError(msg) from error
    except ValueError as error:
        msg = f"--queues: {path}: not JSON: {error}"
        raise UsageError(msg) from error
    if not isinstance(document, list) or not document:
        msg = f"--queues: {path}: a list of queues expected"
        raise UsageError(msg)
    try:
        queues = tuple(_queue(number, entry) for number, entry in enumerate(document, start=1))
        check_queues(queues)
    except ValueError as error:
        msg = f"--queues: {path}: {error}"
        raise UsageError(msg) from error
    return queues


def _queue(number: int, entry: object) -> QueueSpec:
    if not isinstance(entry, dict):
        msg = f"queue {number}: an object expected"
        raise ValueError(msg)  # noqa: TRY004 (one error for all that is wrong with the file)
    unknown = set(entry) - {"name", *_NUMBERS}
    if unknown:
        msg = f"queue {number}: {', '.join(sorted(unknown))} is not one of name, {', '.join(_NUMBERS)}"
        raise ValueError(msg)
    if not isinstance(entry.get("name"), str):
        msg = f"queue {number}: name: a text expected"
        raise ValueError(msg)  # noqa: TRY004 (as above)
    for field, kinds in _NUMBERS.items():
        if field in entry and (isinstance(entry[field], bool) or not isinstance(entry[field], kinds)):
            msg = f"queue {number}: {field}: a number expected"
            raise ValueError(msg)
    return QueueSpec(**entry)
