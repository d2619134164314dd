"""Every port call of every use case fails once, before or after its effect; a retry makes it as if it had not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.support.faults import Fault, FaultyPorts
from tests.support.stories import OPTED_IN, Story, announced_as_idle, full_disks, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.domain.policy import IdlePolicy, TaskPolicy
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.messages.events import PROBE, read_event
from emr_autoscaler.ports import AlarmSpec
from emr_autoscaler.usecases.journal import INTENT_IS_LOST_AFTER

POOLS = ("m5.xlarge", "c5.2xlarge")
RETRY_AFTER = timedelta(minutes=1)
NO_IDLE = IdlePolicy(enabled=False)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A prepared story, and the invocation that is disturbed."""

    prepare: Callable[[], tuple[Story, str]]
    invoke: Callable[[UseCases, Story, str], object]


def with_tasks(**changes: Any) -> Story:
    task = TaskPolicy(**{"max_nodes": 8, "instance_types": POOLS, **changes})
    return Story(calm_world(), live(task=task, idle=NO_IDLE))


def burst() -> tuple[Story, str]:
    story = with_tasks(max_step_nodes=2)
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.world.submit_job(cluster_id, job(tasks=20_000))
    story.world.run_for(timedelta(minutes=7))
    return story, cluster_id


def warned() -> tuple[Story, str]:
    story = with_tasks(min_nodes=2)
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.run(timedelta(minutes=10))
    victim = next(iter(story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"].nodes))
    story.world.warn_spot_interruption(victim.ec2_id)
    return story, cluster_id


def brand_new() -> tuple[Story, str]:
    story = with_tasks()
    cluster_id = story.world.emr.run_job_flow(cluster(core=2, tags=OPTED_IN))
    story.world.run_for(timedelta(minutes=15))
    return story, cluster_id


def opted_out() -> tuple[Story, str]:
    story = with_tasks()
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.world.emr.remove_tags(cluster_id, list(OPTED_IN))
    return story, cluster_id


def hours_past() -> tuple[Story, str]:
    story = with_tasks(min_nodes=2)
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.run(timedelta(minutes=30))
    story.world.run_for(timedelta(hours=3))
    return story, cluster_id


def pushing(**changes: Any) -> tuple[Story, str]:
    """A cluster whose probe has just told of much work, in the last of the story's snapshots."""
    task = TaskPolicy(**{"max_nodes": 8, "instance_types": POOLS, **changes})
    story = Story(calm_world(probe_period_seconds=10), live(task=task, idle=NO_IDLE))
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.run(timedelta(minutes=10))
    story.world.submit_job(cluster_id, job(tasks=20_000))
    story.world.run_for(timedelta(seconds=25))
    story.snapshots = [event for event in story.world.take_events() if event["source"] == PROBE]
    return story, cluster_id


def answer_snapshot(use_cases: UseCases, story: Story, cluster_id: str) -> object:
    told = read_event(story.snapshots[-1])
    return use_cases.answer_snapshot(cluster_id, told.detail.to_snapshot(), trigger=told.id)


def neglected() -> tuple[Story, str]:
    story, cluster_id = warned()
    story.run(timedelta(seconds=30))
    story.world.run_for(timedelta(minutes=9))
    story.ports.alarms.put_alarms(
        [
            AlarmSpec(
                name="emr-autoscaler-task-j-GONE-pending",
                cluster_id="j-GONE",
                metric=MetricName.CONTAINER_PENDING,
                comparison="GreaterThanThreshold",
                threshold=0,
            )
        ]
    )
    return story, cluster_id


def answer_warning(use_cases: UseCases, story: Story, cluster_id: str) -> object:
    nodes = story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"].all_nodes
    victim = next(node for node in nodes if node.warned)
    return use_cases.handle_interruption.answer_warning(victim.ec2_id, warned_at=WARNED_AT, trigger="event-1")


WARNED_AT = calm_world().now + timedelta(minutes=30)

SCENARIOS = {
    "scale task groups": Scenario(
        prepare=burst, invoke=lambda u, _s, c: u.scale_task_groups(c, trigger="event-1")
    ),
    "answer a snapshot": Scenario(prepare=pushing, invoke=answer_snapshot),
    "answer a snapshot that changes nothing": Scenario(
        prepare=lambda: pushing(min_nodes=8), invoke=answer_snapshot
    ),
    "answer a warning": Scenario(prepare=warned, invoke=answer_warning),
    "resize the core group": Scenario(
        prepare=full_disks, invoke=lambda u, _s, c: u.resize_core_group(c, trigger="event-1")
    ),
    "enroll a cluster": Scenario(prepare=brand_new, invoke=lambda u, _s, c: u.enroll_cluster(c)),
    "let a cluster go": Scenario(prepare=opted_out, invoke=lambda u, _s, c: u.enroll_cluster(c)),
    "record costs": Scenario(prepare=hours_past, invoke=lambda u, _s, _c: u.record_costs()),
    "refresh prices": Scenario(prepare=hours_past, invoke=lambda u, _s, _c: u.refresh_prices()),
    "reap": Scenario(prepare=announced_as_idle, invoke=lambda u, _s, _c: u.reap_idle_clusters(trigger="event-1")),
    "sweep": Scenario(prepare=neglected, invoke=lambda u, _s, _c: u.sweep_fleet(full=True)),
}


def play(
    scenario: Scenario, number: int | None = None, *, after_effect: bool = False
) -> tuple[dict[str, Any], Fault]:
    """Play a scenario, failing call ``number``, with a retry a minute later; return what it all led to."""
    story, cluster_id = scenario.prepare()
    fault = Fault()
    use_cases = UseCases(FaultyPorts(story.ports, fault))
    if number is not None:
        fault.arm(number, after_effect=after_effect)
    writes = story.world.calls.copy()
    failed = False
    try:
        scenario.invoke(use_cases, story, cluster_id)
    except UnavailableError:
        failed = True
    story.world.run_for(RETRY_AFTER)
    if failed:
        scenario.invoke(use_cases, story, cluster_id)
    story.world.run_for(INTENT_IS_LOST_AFTER)
    story.system.use_cases.sweep_fleet(full=True)
    return state(story, cluster_id, story.world.calls - writes), fault


def state(story: Story, cluster_id: str, calls: Any) -> dict[str, Any]:
    inside = story.world.inside(cluster_id)
    entry = story.ports.registry.get(cluster_id)
    records = story.ports.costs.hours_of_cluster(story.world.settings.account_id, "us-east-1", cluster_id)
    return {
        "counts": {name: g.requested for name, g in story.groups(cluster_id).items()},
        "state": inside.state,
        "alarms": story.ports.alarms.list_alarms("emr-autoscaler-"),
        "entry alarms": entry.alarms,
        "lost": [lost.ec2_instance_id for lost in entry.task.lost],
        "remembers scale out": entry.task.last_scale_out_at is not None,
        "remembers core resize": entry.core.last_resize_at is not None,
        "warned": set(entry.warned),
        "interrupted": set(entry.interrupted),
        "hours": [(r.hour, r.lines, r.revision) for r in records],
        "month": story.ports.costs.month_total("UNALLOCATED", "2026-10"),
        "open intents": len(story.ports.decisions.unfinished(story.world.now + timedelta(hours=1))),
        "done": [
            (r.decision.kind, r.decision.action)
            for r in story.decisions(cluster_id)
            # Whether an ended cluster was ended by the first or the second order is nobody's concern.
            if r.outcome is Outcome.DONE and r.decision.targets
        ],
        "groups added": calls["AddInstanceGroups"],
    }


def cases() -> list[Any]:
    return [
        pytest.param(name, after_effect, id=f"{name}, {'answer lost' if after_effect else 'call failed'}")
        for name in SCENARIOS
        for after_effect in (False, True)
    ]


@pytest.mark.parametrize(("name", "after_effect"), cases())
def test_a_failed_call_and_a_retry_end_as_an_undisturbed_run(name: str, *, after_effect: bool) -> None:
    scenario = SCENARIOS[name]
    wanted, counted = play(scenario)
    total = len(counted.calls)
    assert total > 0
    for number in range(1, total + 1):
        ended, fault = play(scenario, number, after_effect=after_effect)
        assert ended == wanted, f"call {number} of {total}: {fault.struck}"
