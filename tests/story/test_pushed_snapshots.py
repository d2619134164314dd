"""Stories of clusters whose probe pushes snapshots of YARN: sooner than CloudWatch, never instead of care."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.policy import IdlePolicy, Mode, TaskPolicy
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler_cli.replay import decide_again

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def pushing_story(*, mode: Mode = Mode.LIVE, **changes: Any) -> Story:
    world = calm_world(probe_period_seconds=10)
    policy = live(task=TaskPolicy(**{"max_nodes": 10, **changes}), idle=IdlePolicy(enabled=False), mode=mode)
    return Story(world, policy)


def task_cluster(story: Story, *, task: int = 1) -> str:
    cluster_id = story.start(cluster(core=2, task=task, tags=OPTED_IN))
    story.run(10 * MINUTE)
    return cluster_id


def test_nodes_are_ordered_within_seconds_of_the_work_and_not_at_the_next_five_minutes() -> None:
    story = pushing_story()
    cluster_id = task_cluster(story)
    story.run(timedelta(seconds=70))  # just past a sample of CloudWatch
    story.world.submit_job(cluster_id, job(tasks=20_000, seconds=60))
    story.run(timedelta(seconds=20))
    assert story.ordered(cluster_id) == 10
    assert story.system.given_up == []


def test_waiting_memory_is_what_the_probe_says_and_not_an_estimate() -> None:
    story = pushing_story()
    cluster_id = task_cluster(story)
    story.world.submit_job(cluster_id, job(tasks=6, seconds=600, mib=512))
    story.world.submit_job(cluster_id, job(tasks=40, seconds=600, mib=12_288))
    story.run(timedelta(seconds=20))
    evidence = next(
        r.evidence for r in reversed(story.decisions(cluster_id, DecisionKind.TASK)) if r.decision.targets
    )
    assert isinstance(evidence, TaskEvidence)
    yarn = story.world.yarn(cluster_id)
    assert evidence.metrics.series["PendingMB"][-1].value == yarn.pending_mib > 400_000
    assert {node.ec2_instance_id for node in evidence.nodes} == {
        n.ec2_id for n in story.world.inside(cluster_id).nodes() if n.yarn is not None and not n.is_gone
    }


def test_nodes_are_given_back_when_the_work_is_done() -> None:
    story = pushing_story()
    cluster_id = task_cluster(story)
    story.world.submit_job(cluster_id, job(tasks=3000, seconds=60))
    story.run(HOUR)
    assert story.ordered(cluster_id) == 0
    actions = story.actions(cluster_id, DecisionKind.TASK)
    assert {Action.SCALE_OUT, Action.SCALE_IN} <= set(actions)
    assert story.system.given_up == []
    for record in story.decisions(cluster_id, DecisionKind.TASK):
        assert record.evidence is not None
        stored = load_evidence(DecisionKind.TASK, dump_evidence(DecisionKind.TASK, record.evidence))
        assert decide_again(stored) == record.decision


def test_snapshots_that_change_nothing_call_neither_emr_nor_cloudwatch() -> None:
    story = pushing_story(min_nodes=2, max_nodes=2)
    cluster_id = task_cluster(story, task=2)
    for _ in range(60):  # something changes all the time
        story.world.submit_job(cluster_id, job(tasks=2, seconds=35))
        story.run(timedelta(seconds=30))
    before = Counter(story.world.calls)
    snapshots = 0
    for _ in range(20):
        story.world.submit_job(cluster_id, job(tasks=2, seconds=35))
        story.world.run_for(timedelta(seconds=30))
        for event in story.world.take_events():
            snapshots += event["detail-type"] == "YARN Snapshot"
            story.system.deliver(event)
    assert snapshots >= 20
    assert Counter(story.world.calls) - before == Counter()


def test_holds_are_recorded_when_their_reason_changes_and_every_five_minutes() -> None:
    story = pushing_story(min_nodes=2, max_nodes=2)
    cluster_id = task_cluster(story, task=2)
    began_at = story.world.now
    for _ in range(120):
        story.world.submit_job(cluster_id, job(tasks=2, seconds=35))
        story.run(timedelta(seconds=30))
    records = [r for r in story.decisions(cluster_id, DecisionKind.TASK) if r.decision.decided_at > began_at]
    held = [r for r in records if r.outcome is Outcome.HELD]
    assert 10 <= len(held) <= 30
    for earlier, later in pairwise(held):
        apart = later.decision.decided_at - earlier.decision.decided_at
        assert later.decision.reason is not earlier.decision.reason or apart >= 5 * MINUTE


def test_a_probe_that_dies_leaves_the_cluster_to_cloudwatch() -> None:
    story = pushing_story()
    cluster_id = task_cluster(story)
    story.world.hold_probe(cluster_id, until=story.world.now + 10 * HOUR)
    story.world.submit_job(cluster_id, job(tasks=6000, seconds=60))
    story.run(20 * MINUTE)
    assert story.ordered(cluster_id) == 10
    story.run(3 * HOUR)
    assert story.ordered(cluster_id) == 0


def test_a_sample_older_than_the_last_snapshot_never_scales_in() -> None:
    """Idle when CloudWatch looked, busy when the probe spoke last: the older word is not heard."""
    story = pushing_story()
    cluster_id = task_cluster(story)
    story.world.submit_job(cluster_id, job(tasks=2000, seconds=60))
    story.run(timedelta(minutes=12))
    nodes = story.ordered(cluster_id)
    assert nodes == 10
    last = story.ports.registry.get(cluster_id).task.pushed[-1]
    story.world.hold_probe(cluster_id, until=story.world.now + 10 * HOUR)
    story.world.hold_metrics(cluster_id, until=story.world.now + 10 * HOUR)
    story.run(30 * MINUTE)
    assert story.ordered(cluster_id) == nodes
    reasons = {
        r.decision.reason
        for r in story.decisions(cluster_id, DecisionKind.TASK)
        if r.decision.decided_at > last.at + 3 * MINUTE
    }
    assert reasons == {Reason.METRICS_STALE}


def test_a_dry_run_tells_of_an_order_once_in_five_minutes() -> None:
    story = pushing_story(mode=Mode.DRY_RUN, scale_out_cooldown=timedelta(0))
    cluster_id = task_cluster(story)
    story.world.submit_job(cluster_id, job(tasks=100_000, seconds=60))
    began_at = story.world.now
    story.run(30 * MINUTE)
    told = [r for r in story.decisions(cluster_id, DecisionKind.TASK) if r.outcome is Outcome.DRY_RUN]
    told = [r for r in told if r.decision.decided_at > began_at]
    assert 5 <= len(told) <= 9
    assert "ModifyInstanceGroups" not in story.world.calls


@pytest.mark.parametrize("way", ["doubled", "late"])
def test_doubled_and_reordered_snapshots_end_as_ordered_ones(way: str) -> None:
    held: list[dict[str, Any]] = []

    def mangle(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        pushed = [e for e in events if e["detail-type"] == "YARN Snapshot"]
        others = [e for e in events if e["detail-type"] != "YARN Snapshot"]
        if way == "doubled":
            return [*others, *pushed, *pushed]
        out = [*others, *pushed, *held]
        held[:] = pushed
        return out

    def play(mangled: Any) -> list[tuple[Action, Any]]:
        story = pushing_story()
        story._mangle = mangled
        cluster_id = task_cluster(story)
        story.world.submit_job(cluster_id, job(tasks=3000, seconds=60))
        story.run(HOUR)
        assert story.system.given_up == []
        return [
            (r.decision.action, r.decision.targets)
            for r in story.decisions(cluster_id, DecisionKind.TASK)
            if r.decision.targets
        ]

    assert play(mangle) == play(None)


def test_other_clusters_snapshots_are_ignored() -> None:
    story = pushing_story()
    cluster_id = story.start(cluster(core=2, task=1))
    story.world.submit_job(cluster_id, job(tasks=20_000, seconds=60))
    story.run(HOUR)
    assert story.ports.registry.get(cluster_id) is None
    assert story.ordered(cluster_id) == 1
    assert story.system.given_up == []
