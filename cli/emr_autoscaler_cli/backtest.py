"""emr-autoscaler backtest: what a policy would have done on recorded metrics of a real cluster."""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emr_autoscaler.adapters.clients import Clients
from emr_autoscaler.adapters.cloudwatch import CloudWatchMetrics
from emr_autoscaler.adapters.emr import EmrClusterReader
from emr_autoscaler.domain.errors import InvalidPolicyError, NotFoundError, PriceMissingError
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.messages.policy import parse_policy
from emr_autoscaler.ports import ClusterReader, MetricsReader
from emr_autoscaler_cli.arguments import minutes, node_price, whole_number
from emr_autoscaler_cli.failures import DONE, FailedError, UsageError
from emr_autoscaler_cli.installation import Connect, open_session
from emr_autoscaler_cli.output import print_facts, print_json, print_line, print_table, tell
from emr_simulator.backtest.document import backtest
from emr_simulator.backtest.reading import read_recording
from emr_simulator.backtest.recording import Recording, record
from emr_simulator.backtest.replay import ReplaySettings
from emr_simulator.errors import RecordingError
from emr_simulator.report.backtest_page import backtest_page

EXAMPLES = """\
examples:
  emr-autoscaler backtest --metrics docs/samples/synthetic-day.json --policy docs/policies/default.json
  emr-autoscaler backtest --cluster j-2AXXXXXXGAPLF --days 14 --policy nightly.json --out out/backtest
  emr-autoscaler backtest --cluster j-2AXXXXXXGAPLF --days 14 --policy nightly --save recorded.json
  emr-autoscaler backtest --metrics week.csv --instance-type m5.xlarge --policy nightly.json --json

A policy is a file, or the name of one in the deployed stack. --cluster reads CloudWatch (5-minute samples are
kept for 63 days) and the types of the instance groups or fleets; it needs no deployed stack where the policy is
a file.
docs/backtest.md has the form of recordings, the method and its limits.
"""

MOST_DAYS = 63
MINUTES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The ports that a cluster is looked at through."""

    reader: ClusterReader
    metrics: MetricsReader


Observe = Callable[[argparse.Namespace], Observed]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what backtest takes."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--metrics", type=Path, metavar="FILE", help="a recording, JSON or CSV")
    source.add_argument("--cluster", metavar="ID", help="fetch the metrics of this cluster, j-...")
    parser.add_argument(
        "--policy", required=True, metavar="FILE", help="JSON document, or a deployed policy's name"
    )
    parser.add_argument(
        "--days",
        type=whole_number(1, MOST_DAYS),
        metavar="N",
        help="how far --cluster looks back from now (default: 1)",
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep what --cluster fetched as a recording")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write backtest.json and report.html there")
    model = parser.add_argument_group("what metrics do not say")
    model.add_argument(
        "--instance-type", metavar="TYPE", help="of core and task nodes, for recordings that do not say it"
    )
    model.add_argument(
        "--task-seconds",
        type=whole_number(1, 86_400),
        metavar="N",
        help="how long containers run (default: as draining backlogs show, else as the policy expects)",
    )
    model.add_argument(
        "--provisioning-minutes",
        type=minutes,
        default=ReplaySettings().boot.total_seconds() / MINUTES,
        metavar="M",
        help="from an order to a useful node (default: %(default)s)",
    )
    model.add_argument(
        "--price-per-node-hour",
        type=node_price,
        nargs="+",
        default=[],
        metavar="USD",
        help="EC2 and EMR fee, for all types, or TYPE=USD (default: the built-in list, on demand)",
    )


def observe_aws(arguments: argparse.Namespace) -> Observed:
    """Look at a cluster with the ordinary credentials; no stack is needed.

    Raises:
        UsageError: The profile does not exist, or no region is known.
    """
    clients = Clients(open_session(arguments))
    return Observed(reader=EmrClusterReader(clients.emr), metrics=CloudWatchMetrics(clients.cloudwatch))


def run(
    arguments: argparse.Namespace,
    connect: Connect,
    *,
    observe: Observe = observe_aws,
    now: datetime | None = None,
) -> int:
    """Replay the recording and show what came of it.

    Args:
        arguments: As parsed.
        connect: Finds the deployed system, asked only where the policy is a name.
        observe: Opens the ports on the cluster, asked only with --cluster.
        now: End of what --cluster looks at; None takes the present.

    Raises:
        UsageError: An argument, or a row of the recording, cannot be used.
        FailedError: The policy is invalid, or a file cannot be written.
    """
    _check(arguments)
    policy = _policy(arguments, connect)
    if arguments.cluster is None:
        recording = _read(arguments)
    else:
        recording = _fetch(arguments, observe(arguments), now or datetime.now(UTC))
    settings = ReplaySettings(boot=timedelta(minutes=arguments.provisioning_minutes))
    try:
        document = backtest(
            recording,
            policy,
            task_seconds=arguments.task_seconds,
            settings=settings,
            prices=dict(arguments.price_per_node_hour),
        )
    except RecordingError as error:
        raise _unusable(arguments, error) from error
    except PriceMissingError as error:
        raise UsageError(str(error)) from error
    try:
        if arguments.save is not None:
            arguments.save.write_text(recording.to_text(), encoding="utf-8")
        if arguments.out is not None:
            _write(document, arguments.out)
    except OSError as error:
        msg = f"{error.filename}: {error.strerror}"
        raise FailedError(msg) from error
    if arguments.json:
        print_json(document)
    else:
        _show(document, arguments.out)
    return DONE


def _check(arguments: argparse.Namespace) -> None:
    if arguments.cluster is None:
        for name in ("days", "save"):
            if getattr(arguments, name) is not None:
                msg = f"--{name}: goes with --cluster"
                raise UsageError(msg)
    elif arguments.instance_type is not None:
        msg = "--instance-type: goes with --metrics; EMR says what the nodes of a cluster are"
        raise UsageError(msg)


def _policy(arguments: argparse.Namespace, connect: Connect) -> Policy:
    path = Path(arguments.policy)
    if path.suffix != ".json" and not path.is_file():
        try:
            return connect(arguments).ports.policies.get(arguments.policy)
        except NotFoundError as error:
            msg = f"--policy: {error}; files end in .json"
            raise UsageError(msg) from error
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        msg = f"--policy: {path}: {reason}"
        raise UsageError(msg) from error
    try:
        return parse_policy(path.stem, text)
    except InvalidPolicyError as error:
        msg = f"--policy: {error}"
        raise UsageError(msg) from error


def _read(arguments: argparse.Namespace) -> Recording:
    try:
        return read_recording(arguments.metrics, instance_type=arguments.instance_type)
    except RecordingError as error:
        raise _unusable(arguments, error) from error
    except OSError as error:
        msg = f"--metrics: {arguments.metrics}: {error.strerror}"
        raise UsageError(msg) from error


def _fetch(arguments: argparse.Namespace, observed: Observed, now: datetime) -> Recording:
    days = arguments.days or 1
    tell(f"reading {days} d of metrics of {arguments.cluster} ...")
    uses_fleets = observed.reader.describe_cluster(arguments.cluster).uses_fleets
    groups = () if uses_fleets else observed.reader.list_instance_groups(arguments.cluster)
    fleets = observed.reader.list_instance_fleets(arguments.cluster) if uses_fleets else ()
    end = now.replace(second=0, microsecond=0)
    start = end - timedelta(days=days)
    try:
        return record(observed.metrics, arguments.cluster, groups, fleets, start=start, end=end)
    except RecordingError as error:
        raise _unusable(arguments, error) from error


def _unusable(arguments: argparse.Namespace, error: RecordingError) -> UsageError | FailedError:
    """A file is what the user gave; what AWS published is not."""
    return UsageError(f"--metrics: {error}") if arguments.cluster is None else FailedError(str(error))


def _write(document: Mapping[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "backtest.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (folder / "report.html").write_text(backtest_page(document), encoding="utf-8")


def _show(document: Mapping[str, Any], out: Path | None) -> None:
    policy, model = document["policy"], document["model"]
    title = f"policy {policy['name']} on {document['cluster_id']}, {document['from']} to {document['to']}"
    prices = ", ".join(
        f"{p['instance_type']} {p['usd_per_node_hour']} ({p['source']})" for p in document["prices"]
    )
    facts = {
        "samples": f"{document['samples']}, gaps {document['gap_hours']:g} h",
        "containers run": f"{model['task_seconds']:g} s (from: {model['task_seconds_from']})",
        "USD a node-hour": prices,
        "reasons": ", ".join(f"{reason} {count}" for reason, count in document["reasons"].items()),
    }
    print_facts(facts, title=title)
    one = document["counted_in"].removesuffix("s")
    names = {
        "cost_usd": f"task {one}s, USD",
        "node_hours": f"task {one}-hours",
        "most_nodes": f"most task {one}s",
        "unmet_mib_hours": "waiting, MiB hours",
        "hours_with_pending": "hours with work waiting",
    }
    sides = ("recorded", "replayed")
    rows = [[text, *(_number(document[side][name]) for side in sides)] for name, text in names.items()]
    print_table(["", "recorded", "this policy"], rows, right=["recorded", "this policy"])
    orders = [d for d in document["decisions"] if d["targets"]]
    rows = [[d["at"], f"{d['nodes_before']} -> {d['nodes_after']}", d["reason"], d["detail"]] for d in orders]
    print_table(["at", f"task {one}s", "reason", "arithmetic"], rows, title="orders")
    if out is not None:
        print_line(f"report: {out / 'report.html'}")


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:,.1f}"
