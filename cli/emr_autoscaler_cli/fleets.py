"""emr-autoscaler simulate --fleet: a day of many small clusters under one deployment, and its figures."""

import argparse
import re
import time
from typing import Any

from emr_autoscaler.domain.policy import Objective
from emr_autoscaler_cli.failures import DONE, UsageError
from emr_autoscaler_cli.output import print_facts, print_json, tell
from emr_simulator.experiment import Setup
from emr_simulator.inprocess.autoscaler import KNOB, NAME
from emr_simulator.inprocess.fleet import run_fleet

DAY_HOURS = 24.0


def run(arguments: argparse.Namespace, setup: Setup) -> int:
    """Run the fleet and print its figures; how long it took goes to stderr.

    Raises:
        UsageError: An argument has no meaning for a fleet.
    """
    hours = DAY_HOURS if arguments.hours is None else arguments.hours
    if hours > DAY_HOURS:
        msg = f"--hours: a fleet's day has at most {DAY_HOURS:g}"
        raise UsageError(msg)
    for option, given in (("--start-hour", arguments.start_hour), ("--spot-trace", arguments.spot_trace)):
        if given:
            msg = f"{option} has no meaning with --fleet"
            raise UsageError(msg)
    knob = _knob(arguments.policy)
    if not arguments.json:
        tell(f"simulating {hours:g} h of {arguments.fleet} small clusters ...")
    began, used = time.monotonic(), time.process_time()
    figures = run_fleet(arguments.fleet, seed=arguments.seed, hours=hours, knob=knob, setup=setup)
    took, used = time.monotonic() - began, time.process_time() - used
    document = figures.to_json()
    if arguments.json:
        print_json(document)
        return DONE
    print_facts(dict(_facts(document)), title=f"{arguments.policy} on {arguments.fleet} small clusters")
    tell(f"took {took:.0f} s ({used:.0f} s of one core)")
    return DONE


def _knob(policy: str) -> str:
    name, colon, knob = policy.partition(":")
    if name != NAME or (colon and re.fullmatch(KNOB, knob) is None):
        known = ", ".join((NAME, *(f"{NAME}:{objective}" for objective in Objective), f"{NAME}:SECONDS"))
        msg = f"--policy: a fleet is looked after by {known}, not by {policy!r}"
        raise UsageError(msg)
    return knob or Objective.BALANCED


def _facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    slowdown = ", ".join(f"{name} {value:.1f}" for name, value in document["bsld"].items())
    busiest = sorted(document["calls_per_quota"].items(), key=lambda item: -item[1])[:3]
    return [
        ("clusters", f"{document['clusters']}, {document['alive']} at the end"),
        ("jobs", f"{document['jobs']}, {document['jobs_done']} done"),
        ("task nodes", f"{document['task_cost_usd']:.2f} USD"),
        ("primary and core", f"{document['floor_cost_usd']:.2f} USD"),
        ("bounded slowdown", slowdown),
        ("invocations", ", ".join(f"{name} {count}" for name, count in document["invocations"].items())),
        ("EMR calls of the quota", ", ".join(f"{name} {share:.0%}" for name, share in busiest)),
        ("resizes", str(document["calls"].get("ModifyInstanceGroups", 0))),
        ("failed for good", str(document["given_up"])),
    ]
