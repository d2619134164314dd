"""emr-autoscaler simulate: one policy on one trace in a simulated cluster; fleets of clusters are in fleets.py."""

import argparse
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

from emr_autoscaler_cli import fleets
from emr_autoscaler_cli.arguments import hours, start_hour, whole_number
from emr_autoscaler_cli.failures import DONE, UsageError
from emr_autoscaler_cli.output import print_facts, print_json, tell
from emr_autoscaler_cli.spot_options import add_pools_argument, pools_of
from emr_autoscaler_cli.world_options import QUEUES_HELP, add_world_arguments, world_of
from emr_simulator.catalogue import TYPES
from emr_simulator.errors import TraceError
from emr_simulator.experiment import MetricsMode, PolicyDriver, Setup, run_experiment, settings_of
from emr_simulator.inprocess.autoscaler import NAME as AUTOSCALER
from emr_simulator.policies.registry import FAMILIES, UnknownPolicyError, policy_of
from emr_simulator.policies.static import StaticPolicy
from emr_simulator.settings import WorldSettings
from emr_simulator.spot_traces import read_spot_trace
from emr_simulator.words import Market
from emr_simulator.workloads.long_tasks import long_tasks
from emr_simulator.workloads.model import Workload
from emr_simulator.workloads.swim import read_swim

FULL_DAY = 24.0


def _policies() -> str:
    """List every policy with its knobs."""
    below = "\n" + " " * 29
    return "\n".join(f"  {f.name + f.knobs:27}{below.join(textwrap.wrap(f.summary, 78))}" for f in FAMILIES)


EXAMPLES = f"""\
examples:
  emr-autoscaler simulate --trace FB-2009_samples_24_times_1hr_0.tsv --policy emr-autoscaler --seed 1
  emr-autoscaler simulate --trace day.tsv --policy static:36 --seed 1 --json
  emr-autoscaler simulate --trace day.tsv --policy emr-autoscaler:cost --seed 1 --start-hour 8 --hours 4
  emr-autoscaler simulate --trace day.tsv --policy emr-autoscaler --seed 1 --lost-metrics 0.1 --throughput 0.5
  emr-autoscaler simulate --trace day.tsv --policy emr-autoscaler --seed 1 --spot-trace r5.16xlarge_us-east-1b.json
  emr-autoscaler simulate --long-tasks 1 --policy emr-autoscaler --seed 1 --market spot
  emr-autoscaler simulate --fleet 1000 --policy emr-autoscaler --seed 1

policies:
{_policies()}

The trace is a SWIM file: tab-separated job id, submit time, gap, map input, shuffle and reduce output
bytes, without run times, which are modelled. One task group; node starts take 5.5 min (median).
metrics: 5min are published 90 s late, as EMR does. 1min and push (a minute's sample, 5 s late) show what
faster metrics would be worth; the deployed system reads 5-minute ones.

{QUEUES_HELP}
spot: with --spot-trace the task group is on spot, in one pool whose outages and price steps are the recording's;
emr-autoscaler has an on-demand group beside it to fall back on. The file is one of SkyPilot's spot traces: JSON
with metadata.gap_seconds, data (1 up, 0 down) and prices. Prices are scaled to the instance type.

fleet: each cluster has 2 core nodes, 0 to 10 task nodes, a service of one container, four small jobs an hour
at the peak and two large ones in the day. EMR's calls are counted and not throttled: they are shown as part of
the quota.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what simulate takes."""
    defaults = Setup()
    work = parser.add_mutually_exclusive_group(required=True)
    work.add_argument("--trace", type=Path, metavar="FILE", help="SWIM trace")
    work.add_argument(
        "--long-tasks",
        type=whole_number(0, 2**31 - 1),
        metavar="N",
        help="the built-in day number N of tasks of 5 to 30 minutes, by which spot is judged",
    )
    work.add_argument(
        "--fleet", type=whole_number(1, 10_000), metavar="N", help="N small clusters under one deployment"
    )
    parser.add_argument("--policy", required=True, metavar="NAME", help="see below")
    parser.add_argument(
        "--seed", type=whole_number(0, 2**31 - 1), required=True, metavar="N", help="of the simulated world"
    )
    part = parser.add_argument_group("part of the trace")
    part.add_argument("--start-hour", type=start_hour, default=0.0, metavar="H", help="begin there (default: 0)")
    part.add_argument("--hours", type=hours, metavar="H", help="length (default: to the end)")
    cluster = parser.add_argument_group("the cluster (defaults: the set-up of the reference values)")
    cluster.add_argument(
        "--instance-type",
        default=defaults.instance_type,
        metavar="TYPE",
        help="of all nodes (default: %(default)s)",
    )
    cluster.add_argument(
        "--core",
        type=whole_number(1, 2000),
        default=defaults.core_count,
        metavar="N",
        help="core nodes (default: %(default)s)",
    )
    cluster.add_argument(
        "--max",
        type=whole_number(0, 2000),
        default=defaults.maximum_task_count,
        metavar="N",
        help="most task nodes (default: %(default)s)",
    )
    cluster.add_argument(
        "--container-mib",
        type=whole_number(1, 1_000_000),
        default=defaults.container_mib,
        metavar="MIB",
        help="memory of each task's container (default: %(default)s)",
    )
    cluster.add_argument(
        "--metrics",
        choices=[mode.value for mode in MetricsMode],
        default=defaults.metrics.value,
        help="how fresh the metrics are (default: %(default)s)",
    )
    cluster.add_argument(
        "--market",
        choices=("on-demand", "spot"),
        default="on-demand",
        help="spot: emr-autoscaler on several spot pools with random outages, and an on-demand group "
        "(default: %(default)s)",
    )
    cluster.add_argument(
        "--outage-hours",
        type=hours,
        default=defaults.spot_outage_hours,
        metavar="H",
        help="mean time between two outages of a spot pool, with --market spot (default: %(default)s)",
    )
    cluster.add_argument(
        "--spot-trace",
        type=Path,
        metavar="FILE",
        help="task nodes on spot, in a recorded pool (default: on demand)",
    )
    add_pools_argument(cluster)
    add_world_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the simulation and print its figures.

    Raises:
        UsageError: An argument, or a line of the trace, cannot be used.
    """
    setup = _setup(arguments)
    if arguments.fleet is not None:
        return fleets.run(arguments, setup)
    settings = _settings(arguments, setup)
    workload = _workload(arguments)
    policy = choose_policy(arguments.policy, arguments.max, workload)
    if not arguments.json:
        differing = "".join(f", {words}" for words in setup.varied)
        hours_played = f"{workload.seconds / 3600:g} h of {workload.name}"
        tell(f"simulating {len(workload.jobs)} jobs in {hours_played}{differing} ...")
    figures = run_experiment(policy=policy, workload=workload, seed=arguments.seed, setup=setup, settings=settings)
    document = figures.to_json()
    if arguments.json:
        print_json(document)
    else:
        print_facts(dict(_facts(document)), title=f"{policy.name} on {workload.name}")
    return DONE


def choose_policy(name: str, most_nodes: int, workload: Workload) -> PolicyDriver:
    """Return the policy of this name.

    Raises:
        UsageError: There is none, or its fixed size is above ``most_nodes``.
    """
    try:
        policy = policy_of(name, workload)
    except UnknownPolicyError as error:
        msg = f"--policy: {error}"
        raise UsageError(msg) from error
    if isinstance(policy, StaticPolicy) and policy.task_count > most_nodes:
        msg = f"--policy: {name} is above --max {most_nodes}"
        raise UsageError(msg)
    return policy


def _setup(arguments: argparse.Namespace) -> Setup:
    kind = TYPES.get(arguments.instance_type)
    if kind is None:
        msg = f"--instance-type: {arguments.instance_type!r} is not one of {', '.join(sorted(TYPES))}"
        raise UsageError(msg)
    if arguments.container_mib > kind.yarn_mib:
        size = f"{kind.name}, whose YARN has {kind.yarn_mib} MiB"
        msg = f"--container-mib: {arguments.container_mib} does not fit on {size}"
        raise UsageError(msg)
    return Setup(
        instance_type=arguments.instance_type,
        core_count=arguments.core,
        maximum_task_count=arguments.max,
        container_mib=arguments.container_mib,
        metrics=MetricsMode(arguments.metrics),
        market=Market.ON_DEMAND if arguments.spot_trace is None else Market.SPOT,
        **_spot_pools(arguments),
        **world_of(arguments),
    )


def _spot_pools(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.market == "on-demand":
        if arguments.pools is not None:
            msg = "--pools needs --market spot"
            raise UsageError(msg)
        return {}
    if arguments.spot_trace is not None:
        msg = "--market spot draws outages of its own; leave --spot-trace out"
        raise UsageError(msg)
    if arguments.policy.partition(":")[0] != AUTOSCALER:
        msg = f"--market: only {AUTOSCALER} knows of markets"
        raise UsageError(msg)
    return {
        "spot_pools": pools_of(arguments, arguments.instance_type),
        "spot_outage_hours": arguments.outage_hours,
    }


def _settings(arguments: argparse.Namespace, setup: Setup) -> WorldSettings:
    settings = settings_of(setup)
    if arguments.spot_trace is None:
        return settings
    try:
        trace = read_spot_trace(arguments.spot_trace)
    except TraceError as error:
        msg = f"--spot-trace: {error}"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"--spot-trace: {arguments.spot_trace}: {error.strerror}"
        raise UsageError(msg) from error
    return replace(settings, spot_traces={(setup.instance_type, zone): trace for zone in settings.zones})


def _workload(arguments: argparse.Namespace) -> Workload:
    if arguments.long_tasks is not None:
        return long_tasks(
            seed=arguments.long_tasks,
            container_mib=arguments.container_mib,
            start_hour=arguments.start_hour,
            hours=FULL_DAY - arguments.start_hour if arguments.hours is None else arguments.hours,
        )
    try:
        return read_swim(
            arguments.trace,
            container_mib=arguments.container_mib,
            throughput_factor=arguments.throughput,
            start_hour=arguments.start_hour,
            hours=arguments.hours,
        )
    except TraceError as error:
        msg = f"--trace: {error}"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"--trace: {arguments.trace}: {error.strerror}"
        raise UsageError(msg) from error


def _facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    slowdown = document["bsld"]
    calls = ", ".join(f"{name} {count}" for name, count in document["emr_calls"].items())
    shares = document["elasticity"]
    elasticity = (
        f"too few nodes {shares['tau_u']:.0%} of the time (theta_U {shares['theta_u']:.2f}), "
        f"too many {shares['tau_o']:.0%} (theta_O {shares['theta_o']:.2f}), "
        f"instability {shares['instability']:.2f}"
    )
    return [
        ("jobs", str(document["jobs"])),
        ("task nodes", f"{document['cost_usd']:.2f} USD, {document['node_hours']:.1f} node-hours"),
        ("primary and core", f"{document['floor_cost_usd']:.2f} USD"),
        ("on spot", f"{document['spot_share']:.0%} of task node-hours"),
        ("bounded slowdown", ", ".join(f"{name} {value:.1f}" for name, value in slowdown.items())),
        ("work-weighted delay", f"{document['work_weighted_delay_seconds']:.0f} s"),
        ("killed work", f"{document['killed_container_seconds']} container-seconds"),
        ("deadlines missed", str(document["deadline_misses"])),
        ("resizes", f"{document['resize_requests']}, {document['nodes_started']} nodes started"),
        ("EMR calls", calls or "none"),
        ("elasticity", elasticity),
        *(
            (f"queue {name}", ", ".join(f"{word} {value:.1f}" for word, value in of_queue.items()))
            for name, of_queue in document["queues"].items()
        ),
    ]
