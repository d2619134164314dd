"""Sets the stage, plays, harvests, and takes everything down again; each of these is done elsewhere."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from emr_autoscaler.domain.policy import CorePolicy
from emr_simulator.local_aws import EventDriver, LocalAws, Stack, deploy
from emr_simulator.rehearsal.checks import missing
from emr_simulator.rehearsal.driver import Played, Rehearsal
from emr_simulator.rehearsal.harvest import Harvest, gather
from emr_simulator.rehearsal.page import Story, render_page
from emr_simulator.rehearsal.progress import LiveProgress
from emr_simulator.rehearsal.report import print_summary
from emr_simulator.rehearsal.scenario import (
    BUSY,
    FOREIGN,
    FORGOTTEN,
    LEAD,
    PROBES,
    SCALED,
    Scenario,
)
from emr_simulator.rehearsal.summary import Summary, summarise
from emr_simulator.wire import WireServer
from emr_simulator.world import World

_COLD_STARTS_AT_ONCE = 2
PAGE_NAME = "report.html"
CLOCK_VARIABLE = "EMR_AUTOSCALER_CLOCK_URL"


def rehearse(scenario: Scenario, *, console: Console, out: Path, keep: bool) -> bool:
    """Play a scenario from nothing to its summary; return whether everything was seen.

    Args:
        scenario: What is played.
        console: Where progress and summary go.
        out: Folder of the HTML page; made when missing.
        keep: Leave the local AWS up until Ctrl-C.

    Raises:
        LocalAwsError: The local AWS, the build or the deployment failed.
    """
    out.mkdir(parents=True, exist_ok=True)
    world = World(seed=scenario.seed, start=scenario.start, settings=PROBES)
    console.print(f"EMR Autoscaler on a local AWS: {scenario.title}")
    with WireServer(world) as wire, _local_aws(wire) as aws:
        with _phase(console, "building and deploying template.yaml with sam", "built and deployed"):
            stack = deploy(aws)
        with _phase(console, "starting the functions", "started"):
            _put_policies(stack, scenario.policies)
            _warm_up(stack)
        began = time.perf_counter()
        with LiveProgress(console, SCALED) as progress:
            rehearsal = Rehearsal(world=world, lock=wire.lock, stack=stack, scenario=scenario, progress=progress)
            played = rehearsal.play()
        console.print(
            f"played {scenario.run_hours} virtual hours in {time.perf_counter() - began:.0f} s, "
            f"{played.deliveries.total()} events and schedules delivered by the deployed rules"
        )
        harvest = gather(stack, played.cluster_ids, until=scenario.end)
        summary = _summarise(world, scenario, played, harvest)
        lines = _missing(scenario, played, harvest, summary, wire.faults)
        page = out / PAGE_NAME
        core = CorePolicy()
        story = Story(
            title=scenario.title, scaled=SCALED, hdfs_high=core.hdfs_high, hdfs_low=core.hdfs_low, missing=lines
        )
        page.write_text(render_page(story, summary, played.moments), encoding="utf-8")
        print_summary(console, summary, page=page, missing=lines)
        if keep:
            _wait(console, stack)
    return not lines


def _local_aws(wire: WireServer) -> LocalAws:
    return LocalAws(environment=wire.environment | {CLOCK_VARIABLE: f"{wire.endpoint}/clock"}, name="demo")


@contextmanager
def _phase(console: Console, doing: str, done: str) -> Iterator[None]:
    """Say what is being done, then that it was done and how long it took."""
    began = time.perf_counter()
    with console.status(f"{doing} ..."):
        if not console.is_terminal:
            console.print(f"{doing} ...")
        yield
    console.print(f"{done} in {time.perf_counter() - began:.0f} s")


def _put_policies(stack: Stack, policies: Mapping[str, Mapping[str, Any]]) -> None:
    ssm = stack.aws.client("ssm")
    for name, document in policies.items():
        ssm.put_parameter(
            Name=f"{stack.outputs['PolicyPath']}/{name}", Value=json.dumps(document), Type="String", Overwrite=True
        )


def _warm_up(stack: Stack) -> None:
    """Start every function once, side by side, with an event of a kind that they count and ignore."""
    driver = EventDriver(stack)
    event = {"id": "warm-up", "source": "emr-autoscaler.rehearsal", "detail-type": "Warm-up", "detail": {}}
    functions = sorted({function for rule in driver.rules for function in rule.functions})
    pool = ThreadPoolExecutor(max_workers=_COLD_STARTS_AT_ONCE)
    try:
        for future in [pool.submit(driver.invoke, function, event) for function in functions]:
            future.result()
    finally:
        # Whoever interrupts does not wait for cold starts: they fail once the local AWS is gone.
        pool.shutdown(wait=False, cancel_futures=True)


def _summarise(world: World, scenario: Scenario, played: Played, harvest: Harvest) -> Summary:
    bill = world.ledger.bill(until=scenario.end)
    return summarise(
        decisions=harvest.decisions,
        hours=harvest.hours,
        enrolled=harvest.enrolled,
        ledger_usd={
            name: bill.total_usd(cluster_id=cluster_id) for name, cluster_id in played.cluster_ids.items()
        },
        moments=played.moments,
        warned=played.warned,
        free=_gone_in_their_first_hour(world, played.cluster_ids.values()),
        marks=played.marks,
        scaled=SCALED,
        maximum_task_nodes=scenario.maximum_task_nodes,
    )


def _gone_in_their_first_hour(world: World, cluster_ids: Iterable[str]) -> frozenset[str]:
    """Return the EC2 ids of the instances that AWS took back in their first hour."""
    hour = 3600
    return frozenset(
        node.ec2_id
        for cluster_id in cluster_ids
        for node in world.inside(cluster_id).nodes()
        if node.interrupted and node.launched_at and node.ended_at and node.ended_at - node.launched_at < hour
    )


def _missing(
    scenario: Scenario, played: Played, harvest: Harvest, summary: Summary, faults: tuple[str, ...]
) -> tuple[str, ...]:
    up = next(moment for moment in played.moments if moment.at >= scenario.start + LEAD)
    trouble = [
        *(f"an event was given up: {text}" for text in played.given_up),
        *(f"{queue} holds {count} messages" for queue, count in harvest.dead_letters.items()),
        *(f"the simulator broke: {fault}" for fault in faults),
    ]
    return missing(
        summary,
        first=up.clusters,
        moments=played.moments,
        enrolled=harvest.enrolled,
        scaled=SCALED,
        forgotten=FORGOTTEN,
        busy=BUSY,
        foreign=FOREIGN,
        maximum=scenario.maximum_task_nodes,
        trouble=trouble,
    )


def _wait(console: Console, stack: Stack) -> None:
    """Leave everything up until somebody presses Ctrl-C."""
    console.print(f"\nThe local AWS stays up at {stack.aws.endpoint} until you press Ctrl-C; any credentials do.")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("taking it down")
